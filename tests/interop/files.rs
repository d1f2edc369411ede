//! Files: cosign and OpenSSL verify what `sign-blob` and `attest-blob` write, and `verify-blob` what cosign and OpenSSL write.

use crate::peers::Peers;

/// A signing configuration of cosign without services.
const NO_SERVICES: &str =
    r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}"#;

/// The keys, made by OpenSSL: a name, and the arguments of `openssl genpkey`.
const KEYS: [(&str, &[&str]); 5] = [
    ("ed25519", &["-algorithm", "ed25519"]),
    ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
];

/// cosign and what it needs, with two files, a predicate and keys of each type.
fn prepared() -> Option<Peers> {
    let peers = Peers::find()?;
    peers.write("app.txt", "release 1.0\n");
    peers.write("other.txt", "release 1.1\n");
    peers.write("predicate.json", r#"{"result":"good"}"#);
    peers.write("config.json", NO_SERVICES);
    for (name, arguments) in KEYS {
        let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
        peers.openssl(&[&["genpkey"], arguments, &["-out", &private]].concat()).must();
        peers.openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]).must();
        peers.cosign(&["import-key-pair", "--key", &private, "-o", &format!("cosign-{name}")]).must();
    }
    Some(peers)
}

#[test]
fn cosign_and_openssl_verify_the_files_that_bulla_signs() {
    let Some(peers) = prepared() else { return };
    for (name, _) in KEYS {
        let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
        let (bundle, bare) = (format!("{name}.json"), format!("{name}.sig"));
        let sign = ["sign-blob", "app.txt", "--key", &private, "--bundle", &bundle, "--output-signature", &bare];
        peers.bulla(&sign).must();
        let cosign = |file: &str, key: &str| {
            peers.cosign(&["verify-blob", file, "--key", key, "--insecure-ignore-tlog", "--bundle", &bundle])
        };
        cosign("app.txt", &public).must();
        assert!(!cosign("other.txt", &public).yes(), "{name}");
        let other = if name == "p256" { "p384.pub" } else { "p256.pub" };
        assert!(!cosign("app.txt", other).yes(), "{name}");
        let openssl = |file: &str| match name {
            "ed25519" => {
                let verify = ["pkeyutl", "-verify", "-rawin", "-in", file, "-sigfile", &bare, "-pubin", "-inkey"];
                peers.openssl(&[&verify[..], &[&public]].concat())
            }
            _ => peers.openssl(&["dgst", "-sha256", "-verify", &public, "-signature", &bare, file]),
        };
        openssl("app.txt").must();
        assert!(!openssl("other.txt").yes(), "{name}");
        let attestation = format!("{name}-attestation.json");
        let attest = ["attest-blob", "app.txt", "--key", &private, "--type", "custom"];
        peers.bulla(&[&attest[..], &["--predicate", "predicate.json", "--bundle", &attestation]].concat()).must();
        let cosign = |file: &str, kind: &str| {
            let verify = ["verify-blob-attestation", file, "--key", &public, "--insecure-ignore-tlog", "--bundle"];
            peers.cosign(&[&verify[..], &[&attestation, "--type", kind]].concat())
        };
        cosign("app.txt", "custom").must();
        assert!(!cosign("other.txt", "custom").yes() && !cosign("app.txt", "vuln").yes(), "{name}");
    }
}

#[test]
fn bulla_verifies_the_files_that_cosign_and_openssl_sign() {
    let Some(peers) = prepared() else { return };
    for (name, _) in KEYS {
        let (private, public) = (format!("cosign-{name}.key"), format!("{name}.pub"));
        let (bundle, attestation) = (format!("{name}.json"), format!("{name}-attestation.json"));
        let offline = ["--key", &private, "--signing-config", "config.json", "-y", "--bundle"];
        peers.cosign(&[&["sign-blob", "app.txt"], &offline[..], &[&bundle]].concat()).must();
        let attest = ["attest-blob", "app.txt", "--predicate", "predicate.json", "--type", "vuln"];
        peers.cosign(&[&attest[..], &offline[..], &[&attestation]].concat()).must();
        let verify = |file: &str, bundle: &str, rest: &[&str]| {
            peers.bulla(&[&["verify-blob", file, "--key", &public, "--bundle", bundle], rest].concat()).code
        };
        assert_eq!(verify("app.txt", &bundle, &[]), Some(0), "{name}");
        assert_eq!(verify("other.txt", &bundle, &[]), Some(1), "{name}");
        assert_eq!(verify("app.txt", &attestation, &["--type", "vuln"]), Some(0), "{name}");
        assert_eq!(verify("other.txt", &attestation, &["--type", "vuln"]), Some(1), "{name}");
        assert_eq!(verify("app.txt", &attestation, &["--type", "custom"]), Some(1), "{name}");
        // An attestation is no signature.
        assert_eq!(verify("app.txt", &attestation, &[]), Some(1), "{name}");
        if name == "ed25519" {
            continue;
        }
        let bare = format!("{name}.sig");
        for hash in ["-sha256", if name == "p384" { "-sha384" } else { "-sha256" }] {
            let sign = ["dgst", hash, "-sign", &format!("{name}.pem"), "-out", &bare, "app.txt"];
            peers.openssl(&sign).must();
            let verify = |file: &str| peers.bulla(&["verify-blob", file, "--key", &public, "--signature", &bare]).code;
            assert_eq!((verify("app.txt"), verify("other.txt")), (Some(0), Some(1)), "{name} {hash}");
        }
    }
}
