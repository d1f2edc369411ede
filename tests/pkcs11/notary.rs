//! Signatures with certificates by keys on a token: RSA-PSS and ECDSA, directly and by signing requests.

use std::fs;

use super::image;
use super::support::missing::not_run;
use super::support::program;
use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

const FORMATS: &str = "notary-jws,notary-cose";

/// The keys that the formats allow, as the command line names them.
const KINDS: [&str; 6] = ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"];

/// A token, a root `root.crt`, and the configuration for certificates below it.
fn start() -> Option<SoftHsm> {
    let hsm = SoftHsm::find()?;
    if program("openssl").is_none() {
        not_run("openssl not found");
        return None;
    }
    let config = "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n\
        [ca]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
        [leaf]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n";
    fs::write(hsm.path("cnf"), config).unwrap();
    hsm.must("openssl", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "root.key"]);
    let root = ["req", "-x509", "-new", "-config", "cnf", "-extensions", "ca", "-days", "30", "-subj", "/CN=root"];
    hsm.must("openssl", &[&root[..], &["-key", "root.key", "-out", "root.crt"]].concat());
    Some(hsm)
}

/// The chain of the public key in NAME.pub, below the root: NAME.pem.
fn certify(hsm: &SoftHsm, name: &str) {
    let (public, leaf, subject) = (format!("{name}.pub"), format!("{name}.crt"), format!("/CN={name}"));
    let issue = ["x509", "-new", "-force_pubkey", &public, "-subj", &subject, "-days", "30", "-out", &leaf];
    let by = ["-CA", "root.crt", "-CAkey", "root.key", "-extfile", "cnf", "-extensions", "leaf"];
    hsm.must("openssl", &[&issue[..], &by].concat());
    let chain = [fs::read(hsm.path(&leaf)).unwrap(), fs::read(hsm.path("root.crt")).unwrap()].concat();
    fs::write(hsm.path(&format!("{name}.pem")), chain).unwrap();
}

fn key(hsm: &SoftHsm, kind: &str) -> String {
    let uri = format!("pkcs11:token=release;object=key-{kind}");
    hsm.bulla(&["key", "new", "--pkcs11", &uri, "--type", kind, "-o", kind]).expect(0);
    certify(hsm, kind);
    uri
}

/// The image is signed in both formats. Either signature is enough.
fn verify(hsm: &SoftHsm, reference: &str, kind: &str) {
    let identity = format!("CN={kind}");
    let trust = ["--ca-roots", "root.crt", "--certificate-identity", &identity];
    let verified = [&["verify", reference, "--output", "json"], &trust[..]].concat();
    let verified = hsm.bulla_with(&[], &verified).expect(0);
    assert!(verified.stdout.contains(&identity), "{}", verified.stdout);
    let other = ["verify", reference, "--ca-roots", "root.crt", "--certificate-identity", "CN=another"];
    hsm.bulla_with(&[], &other).expect(1);
}

#[test]
fn every_key_on_a_token_signs_with_its_certificate() {
    let Some(hsm) = start() else { return };
    for (seed, kind) in (1..).zip(KINDS) {
        let (uri, chain) = (key(&hsm, kind), format!("{kind}.pem"));
        for format in FORMATS.split(',') {
            let layout = format!("{kind}-{format}");
            image(&hsm, &layout, seed);
            let reference = format!("oci:{layout}:v1");
            hsm.bulla(&["sign", &reference, "--key", &uri, "--cert-chain", &chain, "--format", format]).expect(0);
            verify(&hsm, &reference, kind);
        }
        // By a signing request, beside a bundle: each format by its own scheme.
        let (layout, owner) = (format!("{kind}-request"), format!("release={kind}.pub"));
        image(&hsm, &layout, seed);
        let reference = format!("oci:{layout}:v1");
        let new = ["request", "new", &reference, "-o", "r", "--overwrite", "--owner", &owner, "--cert-chain", &chain];
        let formats = format!("bundle,tag,{FORMATS}");
        hsm.bulla_with(&[], &[&new[..], &["--format", &formats]].concat()).expect(0);
        drop(fs::remove_file(hsm.path("a")));
        hsm.bulla_faulty("", Some(PIN), &["request", "sign", "r", "--key", &uri, "-o", "a", "--yes"]).expect(0);
        assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Sign")), (1, 5), "{kind}: four and the countersignature");
        let attached = hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
        assert_eq!(attached.stdout.matches("referrer sha256:").count(), 3, "{}", attached.stdout);
        verify(&hsm, &reference, kind);
        hsm.bulla_with(&[], &["verify", &reference, "--key", &format!("{kind}.pub")]).expect(0);
    }
}

/// A certificate of another key than the one on the token is an error before the token signs.
#[test]
fn a_certificate_of_another_key_signs_nothing() {
    let Some(hsm) = start() else { return };
    let uri = key(&hsm, "p256");
    let _other = key(&hsm, "rsa2048");
    image(&hsm, "app", 1);
    let sign = ["sign", "oci:app:v1", "--key", &uri, "--cert-chain", "rsa2048.pem", "--format", FORMATS];
    hsm.bulla_faulty("", Some(PIN), &sign).expect(2).tells(&["is of another key"]);
    assert_eq!(hsm.calls("C_Sign"), 0);
}

/// A token that signs only what it hashed itself makes RSA-PSS signatures with the mechanism that hashes.
#[test]
fn a_token_that_hashes_by_itself_signs_with_a_certificate() {
    let Some(hsm) = start() else { return };
    for (seed, kind) in (1..).zip(["rsa2048", "rsa3072", "rsa4096"]) {
        let (uri, chain) = (key(&hsm, kind), format!("{kind}.pem"));
        image(&hsm, kind, seed);
        let reference = format!("oci:{kind}:v1");
        let sign = ["sign", &reference, "--key", &uri, "--cert-chain", &chain, "--format", FORMATS];
        hsm.bulla_faulty("hashing", Some(PIN), &sign).expect(0);
        verify(&hsm, &reference, kind);
    }
}

/// A token whose RSA keys sign by RSA-PSS alone: enough for the formats with certificates, and for a request that asks for
/// nothing else. Other formats are an error that names the scheme.
#[test]
fn a_token_without_pkcs1_signs_with_a_certificate() {
    let Some(hsm) = start() else { return };
    let uri = key(&hsm, "rsa2048");
    image(&hsm, "app", 1);
    let sign = ["sign", "oci:app:v1", "--key", &uri, "--cert-chain", "rsa2048.pem", "--format"];
    for formats in ["bundle,notary-jws", "tag,notary-cose"] {
        let printed = hsm.bulla_faulty("pss", Some(PIN), &[&sign[..], &[formats]].concat()).expect(2);
        printed.tells(&["token `release` does not make RSA PKCS#1 v1.5 SHA-256 signatures"]);
    }
    hsm.bulla_faulty("pss", Some(PIN), &[&sign[..], &[FORMATS]].concat()).expect(0);
    verify(&hsm, "oci:app:v1", "rsa2048");
    image(&hsm, "other", 2);
    let new = ["request", "new", "oci:other:v1", "-o", "r", "--owner", "release=rsa2048.pub", "--cert-chain"];
    hsm.bulla_with(&[], &[&new[..], &["rsa2048.pem", "--format", FORMATS]].concat()).expect(0);
    let sign = ["request", "sign", "r", "--key", &uri, "-o", "a", "--yes"];
    hsm.bulla_faulty("pss", Some(PIN), &sign).expect(0);
    hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
    verify(&hsm, "oci:other:v1", "rsa2048");
}

/// A key that requires the PIN for each signature: RSA-PSS in several parts.
#[test]
fn a_key_that_asks_for_the_pin_each_time_signs_with_a_certificate() {
    let Some(hsm) = start() else { return };
    if program("pkcs11-tool").is_none() {
        return not_run("opensc not found");
    }
    let module = hsm.module().to_str().unwrap();
    let first = ["--module", module, "--token-label", "release", "--login", "--pin", PIN];
    let make =
        ["--keypairgen", "--key-type", "rsa:2048", "--always-auth", "--label", "key", "--id", "01", "--usage-sign"];
    hsm.must("pkcs11-tool", &[&first[..], &make].concat());
    let uri = "pkcs11:token=release;object=key";
    hsm.bulla(&["key", "export", uri, "-o", "key.pub"]).expect(0);
    certify(&hsm, "key");
    image(&hsm, "app", 1);
    let new = ["request", "new", "oci:app:v1", "-o", "r", "--owner", "release=key.pub", "--cert-chain", "key.pem"];
    hsm.bulla_with(&[], &[&new[..], &["--format", FORMATS]].concat()).expect(0);
    let sign = ["request", "sign", "r", "--key", uri, "-o", "a", "--yes"];
    hsm.bulla_faulty("", Some(PIN), &sign).expect(0);
    assert_eq!((hsm.calls("C_Login again"), hsm.calls("C_SignFinal")), (3, 3));
    hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
    verify(&hsm, "oci:app:v1", "key");
}

/// The token is lost in the middle of an item, among signatures of several schemes: the next run makes the rest.
#[test]
fn a_token_that_is_pulled_out_is_resumed_among_several_formats() {
    let Some(hsm) = start() else { return };
    let uri = key(&hsm, "rsa2048");
    image(&hsm, "app", 1);
    let new = ["request", "new", "oci:app:v1", "-o", "r", "--owner", "release=rsa2048.pub", "--cert-chain"];
    let formats = format!("bundle,tag,{FORMATS}");
    hsm.bulla_with(&[], &[&new[..], &["rsa2048.pem", "--format", &formats]].concat()).expect(0);
    let sign = ["request", "sign", "r", "--key", &uri, "-o", "a", "--yes", "--log", "log"];
    for kept in 1..=4 {
        for file in ["a", "log"] {
            drop(fs::remove_file(hsm.path(file)));
        }
        let fault = format!("lost-after={kept},sessions=1");
        let printed = hsm.bulla_faulty(&fault, Some(PIN), &sign).expect(2);
        printed.tells(&["token `release` is lost"]);
        assert_eq!(fs::read_to_string(hsm.path("log")).unwrap().lines().count(), kept);
        hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(1);
        hsm.bulla_faulty("", Some(PIN), &sign).expect(0);
        assert_eq!(hsm.calls("C_Sign"), 5 - kept);
        hsm.bulla_with(&[], &["request", "log", "verify", "log"]).expect(0);
    }
    hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
    verify(&hsm, "oci:app:v1", "rsa2048");
    let audit = ["request", "log", "verify", "log", "--against", "oci:app:v1", "--key", "rsa2048.pub"];
    hsm.bulla_with(&[], &audit).expect(0);
}
