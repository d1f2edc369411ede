//! Every kind of key, through every format that bulla writes, judged by bulla and by openssl.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::image;
use super::support::missing::not_run;
use super::support::program;
use super::support::softhsm::SoftHsm;

/// The type as the command line names it, and the hash for openssl; none where the message is signed itself.
const TYPES: [(&str, Option<&str>); 7] = [
    ("ed25519", None),
    ("p256", Some("-sha256")),
    ("p384", Some("-sha256")),
    ("p521", Some("-sha256")),
    ("rsa2048", Some("-sha256")),
    ("rsa3072", Some("-sha256")),
    ("rsa4096", Some("-sha256")),
];

#[test]
fn a_key_made_on_the_token_signs_every_format() {
    let Some(hsm) = SoftHsm::find() else { return };
    for (seed, (kind, hash)) in (1..).zip(TYPES) {
        let uri = format!("pkcs11:token=release;object=key-{kind}");
        let made = hsm.bulla(&["key", "new", "--pkcs11", &uri, "--type", kind, "-o", kind]).expect(0);
        assert!(made.stdout.contains("type=private") && !hsm.path(&format!("{kind}.key")).exists(), "{}", made.stdout);
        image(&hsm, kind, seed);
        let (reference, public) = (format!("oci:{kind}:v1"), format!("{kind}.pub"));
        for format in ["bundle", "tag"] {
            hsm.bulla(&["sign", &reference, "--key", &uri, "--format", format]).expect(0);
            let (message, signature) = match format {
                "bundle" => bundle(&hsm, kind),
                _ => simple(&hsm, kind),
            };
            assert!(openssl_verifies(&hsm, &public, hash, &message, &signature), "{kind}, {format}");
            let other = [&message[..], b" "].concat();
            assert!(!openssl_verifies(&hsm, &public, hash, &other, &signature), "{kind}, {format}, another message");
            let verified = hsm.bulla_with(&[], &["verify", &reference, "--key", &public]).expect(0);
            assert!(verified.stdout.contains("verified"), "{}", verified.stdout);
            fs::remove_dir_all(hsm.path(kind)).unwrap();
            image(&hsm, kind, seed);
        }
        // The same by a signing request, both forms at once.
        let owner = format!("release={public}");
        let new = ["request", "new", &reference, "-o", "r", "--overwrite", "--owner", &owner, "--format", "both"];
        hsm.bulla_with(&[], &new).expect(0);
        drop(fs::remove_file(hsm.path("a")));
        hsm.bulla(&["request", "sign", "r", "--key", &uri, "-o", "a", "--yes"]).expect(0);
        hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
        for (message, signature) in [bundle(&hsm, kind), simple(&hsm, kind)] {
            assert!(openssl_verifies(&hsm, &public, hash, &message, &signature), "{kind}, by a request");
        }
        fs::remove_dir_all(hsm.path(kind)).unwrap();
        image(&hsm, kind, seed);
        hsm.bulla_with(&[], &["verify", &reference, "--key", &public]).expect(1);
    }
}

/// A token that signs only what it hashed itself: the mechanisms with a hash in their name are used, and say the same.
#[test]
fn a_token_that_hashes_by_itself_signs_too() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=rsa", "--type", "rsa2048", "-o", "rsa"]).expect(0);
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=ec", "--type", "p256"]).expect(0);
    image(&hsm, "app", 1);
    let pin = Some(super::support::softhsm::PIN);
    hsm.bulla_faulty("hashing", pin, &["sign", "oci:app:v1", "--key", "pkcs11:object=rsa"]).expect(0);
    hsm.bulla(&["verify", "oci:app:v1", "--key", "rsa.pub"]).expect(0);
    // SoftHSM has no ECDSA that hashes.
    hsm.bulla_faulty("hashing", pin, &["sign", "oci:app:v1", "--key", "pkcs11:object=ec"])
        .expect(2)
        .tells(&["token `release` does not make ECDSA P-256 SHA-256 signatures"]);
}

/// The signed bytes of the bundle in a layout, and the signature.
fn bundle(hsm: &SoftHsm, layout: &str) -> (Vec<u8>, Vec<u8>) {
    let envelope = blobs(hsm, layout).into_iter().find_map(|blob| blob.get("dsseEnvelope").cloned()).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let kind = envelope["payloadType"].as_str().unwrap();
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend(&payload);
    (message, STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap())
}

/// The payload at the `.sig` tag in a layout, and the signature.
fn simple(hsm: &SoftHsm, layout: &str) -> (Vec<u8>, Vec<u8>) {
    let layer = blobs(hsm, layout).into_iter().find_map(|blob| {
        let layer = blob["layers"][0].clone();
        layer["annotations"]["dev.cosignproject.cosign/signature"].is_string().then_some(layer)
    });
    let layer = layer.unwrap();
    let hex = layer["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let signature = layer["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap().to_owned();
    (fs::read(hsm.path(layout).join("blobs/sha256").join(hex)).unwrap(), STANDARD.decode(signature).unwrap())
}

fn blobs(hsm: &SoftHsm, layout: &str) -> Vec<Value> {
    let files = fs::read_dir(hsm.path(layout).join("blobs/sha256")).unwrap();
    files.filter_map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).ok()).collect()
}

fn openssl_verifies(hsm: &SoftHsm, public: &str, hash: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
    if program("openssl").is_none() {
        not_run("openssl not found");
        return message.last() != Some(&b' ');
    }
    fs::write(hsm.path("message"), message).unwrap();
    fs::write(hsm.path("signature"), signature).unwrap();
    let mut command = hsm.command("openssl");
    match hash {
        Some(hash) => command.args(["dgst", hash, "-verify", public, "-signature", "signature", "message"]),
        None => command.args([
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-inkey",
            public,
            "-sigfile",
            "signature",
            "-in",
            "message",
        ]),
    };
    command.output().unwrap().status.success()
}
