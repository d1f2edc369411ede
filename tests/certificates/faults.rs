//! Errors name the file and the line, and faults the certificate, the rule with its clause, and the time.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::SigningScheme;
use bulla::x509::Certificate;
use bulla::x509::CertificateLabel;

use super::program::TestDirectory;
use super::scene::*;

impl TestDirectory {
    /// The exit code and what the program says.
    fn says(&self, options: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.args(["verify", "oci:app:v1"]).args(options.split(' ')).current_dir(self.path(""));
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }
}

#[test]
fn a_policy_or_store_that_cannot_be_used_is_an_error_with_its_file() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    place.layout("app", &scene.signing(), "legacy");
    let policy = "{\"version\":\"1.0\",\n\"trustPolicies\":[{\"name\":\"acme\",\"registryScopes\":[\"*\"],\n\
        \"signatureVerification\":{\"level\":\"strict\"},\"trustStores\":[\"ca:acme\"],\n\"trustedIdentities\":[\"*\"]}]}";
    place.write("policy.json", policy);
    place.write("unknown.json", policy.replace("\"trustStores\"", "\"foo\":1,\"trustStores\""));
    place.write("twice.json", policy.replace("\"trustedIdentities\"", "\"name\":\"b\",\"trustedIdentities\""));
    place.write("level.json", policy.replace("strict", "stricter"));
    place.write("plugin.json", policy.replace("\"*\"]}]}", "\"com.example:a\"]}]}"));
    place.write("version.json", policy.replace("1.0", "2.0"));
    symlink(place.path("policy.json"), place.path("link.json")).unwrap();
    let root = fs::read(place.path("root")).unwrap();
    let store = |name: &str| format!("{name}/truststore/x509/ca/acme");
    place.write(&format!("{}/root.pem", store("good")), &root);
    fs::create_dir_all(place.path(&store("empty"))).unwrap();
    fs::create_dir_all(place.path(&store("below")).join("more")).unwrap();
    fs::create_dir_all(place.path(&store("linked"))).unwrap();
    symlink(place.path("root"), place.path(&store("linked")).join("root.pem")).unwrap();
    fs::create_dir_all(place.path("linked-store/truststore/x509/ca")).unwrap();
    symlink(place.path(&store("good")), place.path(&store("linked-store"))).unwrap();
    place.write(&format!("{}/a.pem", store("leaf")), &root);
    place.write(&format!("{}/b.pem", store("leaf")), fs::read(&scene.leaf.file).unwrap());
    let lines = root.iter().filter(|byte| **byte == b'\n').count();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    place.write(&format!("{}/two.pem", store("damaged")), [&root[..], damaged.as_bytes()].concat());
    let number = format!("damaged/truststore/x509/ca/acme/two.pem: number 2, line {}: ", lines + 1);
    for (policy, store, wanted) in [
        ("unknown", "good", "unknown.json: not a trust policy document: unknown field `foo`"),
        ("unknown", "good", "at line 3 column "),
        ("twice", "good", "at line 4 column "),
        ("level", "good", "level.json: statement 1 (\"acme\") at line "),
        ("level", "good", ": signatureVerification.level is \"stricter\""),
        (
            "plugin",
            "good",
            "plugin.json: statement 1 (\"acme\") at line 2 column 18 trusts \"com.example:a\", which only a plugin",
        ),
        ("version", "good", "version.json: version \"2.0\" at line 1 column 12, wanted \"1.0\""),
        ("link", "good", "link.json: it is a symbolic link, not a regular file"),
        ("absent", "good", "absent.json: No such file or directory"),
        ("policy", "absent", "absent: no trust store of notation"),
        ("policy", "empty", "empty/truststore/x509/ca/acme: the trust store ca:acme has no certificate"),
        ("policy", "linked", "linked/truststore/x509/ca/acme/root.pem: it is a symbolic link, not a regular file"),
        ("policy", "linked-store", "linked-store/truststore/x509/ca/acme: it is a symbolic link, not a directory"),
        ("policy", "below", "below/truststore/x509/ca/acme/more: it is a directory, not a regular file"),
        (
            "policy",
            "leaf",
            "leaf/truststore/x509/ca/acme/b.pem: the trust store ca:acme has `CN=release,O=Acme,ST=WA,C=US`",
        ),
        ("policy", "damaged", &number),
    ] {
        let options = format!("--trust-policy {policy}.json --trust-store {store} --scope registry.example/app");
        let (code, said) = place.says(&options);
        assert_eq!(code, 2, "{options}: {said}");
        assert!(said.contains(wanted), "{options}: {said}");
        // A store is named by the statement that wants it, with file and line.
        if policy == "policy" {
            assert!(said.contains("policy.json: statement 1 (\"acme\") at line 2 column 18: "), "{options}: {said}");
        }
        // One line, and nothing about signatures.
        assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said}");
    }
    let good = "--trust-policy policy.json --trust-store good --scope registry.example/app";
    assert_eq!(place.says(good).0, 0);
}

/// A certificate that cannot be read is named by what can be read of it, else by its SHA-256, and with its number.
#[test]
fn a_certificate_that_cannot_be_read_is_named() {
    let Some(scene) = SCENE.as_ref() else { return };
    let signing = scene.signing();
    let text = String::from_utf8(signing.bytes()).unwrap();
    let (leaf, root) = (&scene.leaf.certificate, &scene.root.certificate);
    // A BOOLEAN that is true is 0xff in DER: only BER has another one (X.690 section 11.1).
    let ber = |certificate: &Certificate| {
        let mut der = certificate.der().to_vec();
        let at = der.windows(3).rposition(|bytes| bytes == [1, 1, 0xff]).unwrap();
        der[at + 2] = 1;
        der
    };
    let cut = &root.der()[..root.der().len() - 1];
    let shown = |certificate: &Certificate| CertificateLabel::of(certificate).to_string();
    let sha256 = |der: &[u8]| format!("SHA-256 {}", Digest::sha256(der).hex());
    let now = scene.now();
    for (certificate, unread, number, name) in [
        (leaf, ber(leaf), 1, shown(leaf)),
        (root, ber(root), 2, shown(root)),
        (root, cut.to_vec(), 2, sha256(cut)),
        (root, b"0\x03abc".to_vec(), 2, sha256(b"0\x03abc")),
    ] {
        let broken = text.replace(&STANDARD.encode(certificate.der()), &STANDARD.encode(&unread));
        assert_ne!(broken, text);
        let evidence = evidence(signing.format, broken.as_bytes());
        let refusal = verifier([scene.identity("bob", "CN=release")], 1).verify(image(), &[evidence], now).unwrap_err();
        assert!(!refusal.is_undetermined());
        let reason = &refusal.findings[0].reason;
        let said = reason.to_string();
        assert_eq!(reason.code(), "certificate-unreadable");
        let wanted =
            format!("certificate {number} of its chain, {name}: certificate cannot be read (RFC 5280 section 4.1)");
        assert!(said.contains(&wanted), "{wanted}: {said}");
        assert!(said.contains(&format!("judged at {now}, the time of this verification")), "{said}");
        assert_eq!(said.contains(&format!("signed with the certificate {}", shown(leaf))), number == 2, "{said}");
    }
}

/// Each fault of a signature with a certificate that the verifier finds: which certificate, by which clause, at which
/// time.
#[test]
fn a_rejection_names_the_certificate_the_clause_and_the_time() {
    let Some(scene) = SCENE.as_ref() else { return };
    let plain = scene.signing();
    let now = scene.now();
    let late = scene.after(400 * DAY);
    let with = |attributes: NotaryAttributes| Signing { attributes, ..scene.signing() };
    let authority = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(9 * DAY));
    let release = |names: &str| verifier([scene.identity("bob", names)], 1);
    let authorities = [(&scene.root, bulla::x509::Purpose::SigningAuthority)];
    let others = [(&scene.other_root, bulla::x509::Purpose::Signing)];
    let certificate = "`CN=release,O=Acme,ST=WA,C=US` (serial 01)";
    let root = format!("`CN=Root,O=Acme,C=US` (serial {})", scene.root.certificate.serial());
    let stamped = Signing { timestamp: Some((&scene.leaf, scene.after(DAY).unix())), ..plain.clone() };
    for (verifier, signing, at, wanted) in [
        (
            release("CN=other"),
            plain.clone(),
            now,
            &["trustedIdentities", &format!("judged at {now}, the time of this verification")][..],
        ),
        // The chain is good at the time of the timestamp, and only the names are not.
        (
            release("CN=other"),
            Signing { timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..plain.clone() },
            late,
            &["trustedIdentities", ", the time of its timestamp"],
        ),
        (release("CN=release"), plain.clone(), late, &["RFC 5280 section 6.1.3 (a) (2)", &format!("at {late}")]),
        (
            release("CN=release"),
            plain.clone(),
            scene.after(-DAY),
            &["it is not valid yet", "RFC 5280 section 6.1.3 (a) (2)"],
        ),
        (
            release("CN=release"),
            with(plain.attributes.clone().with_expiry(scene.after(DAY / 2))),
            now,
            &["the signature expired", "signature-specification, Signed Attributes", &format!("at {now}")],
        ),
        (
            verifier([scene.identity_below("bob", "CN=release", &others)], 1),
            plain.clone(),
            now,
            &["no certificate of its chain is trusted", "RFC 5280 section 6.1.1 (d)", &root, &format!("at {now}")],
        ),
        (
            verifier([scene.identity_below("bob", "CN=release", &others)], 1),
            plain.clone(),
            late,
            &["no certificate of its chain is trusted", &format!("judged at {late}, the time of this verification")],
        ),
        (
            verifier([scene.identity_below("bob", "CN=release", &authorities)], 1),
            with(authority),
            now,
            &["ahead of the clock", "signing-scheme, notary.x509.signingAuthority", &format!("says {now}")],
        ),
        // The timestamp authority is no timestamp authority.
        (
            release("CN=release"),
            stamped,
            late,
            &["its timestamp does not help", "RFC 5280 section 4.2.1.12", &format!("at {late}")],
        ),
        (
            release("CN=release"),
            with(plain.attributes.clone().with_extended("org.x", "y", true)),
            now,
            &[
                "critical attribute that is not known",
                "signature-specification, Extended attributes",
                &format!("judged at {now}"),
            ],
        ),
    ] {
        let refusal = verifier.verify(image(), &[signing.evidence()], at).unwrap_err();
        let said = refusal.findings[0].reason.to_string();
        assert!(said.contains(certificate), "{said}");
        for part in wanted {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
