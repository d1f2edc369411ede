//! Objects on the token: keys made there, keys imported by other programs, and the objects that hold their public keys.

use std::fs;

use super::image;
use super::support::missing::not_run;
use super::support::program;
use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

#[test]
fn a_new_key_signs_and_stays() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() {
        return not_run("opensc not found");
    }
    for kind in ["p256", "rsa2048", "ed25519"] {
        hsm.bulla(&["key", "new", "--pkcs11", &format!("pkcs11:object={kind}"), "--type", kind]).expect(0);
    }
    let listed = tool(&hsm, &["--list-objects", "--type", "privkey"]);
    let keys: Vec<&str> = listed.split("Private Key Object").skip(1).collect();
    assert_eq!(keys.len(), 3, "{listed}");
    for key in keys {
        let access = key.lines().find(|line| line.contains("Access:")).unwrap();
        for wanted in ["sensitive", "always sensitive", "never extract", "local"] {
            assert!(access.contains(wanted), "{access}");
        }
        let usage = key.lines().find(|line| line.contains("Usage:")).unwrap();
        assert!(
            usage.contains("sign") && !["decrypt", "derive", "unwrap"].iter().any(|not| usage.contains(not)),
            "{usage}"
        );
    }
}

#[test]
fn nothing_is_overwritten_and_everything_has_a_name() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key;id=%07"]).expect(0);
    for uri in ["pkcs11:object=key", "pkcs11:object=key;id=%08", "pkcs11:object=other;id=%07"] {
        hsm.bulla(&["key", "new", "--pkcs11", uri])
            .expect(2)
            .tells(&["token `release` has a key with this label or id already", "there is  `key`"]);
    }
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:token=release"])
        .expect(2)
        .tells(&["a key needs a name", "hint: add object=NAME to the URI"]);
    fs::write(hsm.path("there.pub"), "something").unwrap();
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=third", "-o", "there"]).expect(2).tells(&["is there already"]);
    let listed = hsm.bulla(&["key", "list", "pkcs11:"]).expect(0).stdout;
    assert!(listed.matches("private key").count() == 1 && !listed.contains("third"), "{listed}");
}

#[test]
fn an_extractable_key_is_destroyed() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla_faulty("extractable", Some(PIN), &["key", "new", "--pkcs11", "pkcs11:object=key"])
        .expect(2)
        .tells(&["token `release` made a key that can be taken out of it, and it was destroyed again"]);
    let listed = hsm.bulla(&["key", "list", "pkcs11:", "--output", "json"]).expect(0).stdout;
    assert!(listed.contains("\"results\": []"), "{listed}");
}

#[test]
fn only_the_public_key_is_exported() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key", "-o", "made"]).expect(0);
    let exported = hsm.bulla(&["key", "export", "pkcs11:object=key", "--form", "public"]).expect(0).stdout;
    assert_eq!(exported, fs::read_to_string(hsm.path("made.pub")).unwrap());
    for form in ["sigstore", "encrypted-pkcs8", "plain-pkcs8"] {
        hsm.bulla(&["key", "export", "pkcs11:object=key", "--form", form, "-o", "out"])
            .expect(2)
            .tells(&["the key on the token does not leave it"]);
        assert!(!hsm.path("out").exists());
    }
    hsm.bulla(&["key", "new", "--type", "rsa2048"])
        .expect(2)
        .tells(&["made on tokens only", "hint: give --pkcs11 URI"]);
}

/// A key that openssl made and another tool put on the token; then without its public key, which a certificate has as well.
#[test]
fn the_public_half_may_be_in_a_certificate() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() || program("openssl").is_none() {
        return not_run("opensc or openssl not found");
    }
    let key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "key.pem"];
    hsm.must("openssl", &key);
    hsm.must("openssl", &["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"]);
    hsm.must(
        "openssl",
        &["req", "-x509", "-key", "key.pem", "-subj", "/CN=test", "-outform", "DER", "-out", "cert.der"],
    );
    hsm.must(
        "softhsm2-util",
        &["--import", "key.pem", "--token", "release", "--label", "key", "--id", "0a0b", "--pin", PIN],
    );
    image(&hsm, "app", 1);
    let sign = ["sign", "oci:app:v1", "--key", "pkcs11:id=%0a%0b"];
    hsm.bulla(&sign).expect(0);
    tool(&hsm, &["--delete-object", "--type", "pubkey", "--id", "0a0b"]);
    hsm.bulla(&sign).expect(2).tells(&[
        "key `key` on token `release` has no public key that can be used: neither a public key nor a certificate has its id",
    ]);
    hsm.bulla(&["key", "show", "pkcs11:object=nothing"]).expect(2).tells(&["there is  `key`  private key, ECDSA  "]);
    tool(&hsm, &["--write-object", "cert.der", "--type", "cert", "--id", "0a0b", "--label", "certificate"]);
    hsm.bulla(&sign).expect(0);
    hsm.bulla(&["verify", "oci:app:v1", "--key", "key.pub"]).expect(0);
    let shown = hsm.bulla_with(&[], &["key", "export", "pkcs11:id=%0a%0b;type=cert"]).expect(0).stdout;
    assert_eq!(shown, fs::read_to_string(hsm.path("key.pub")).unwrap());
}

/// Somebody put another public key beside the private one: no signature leaves.
#[test]
fn a_public_key_of_another_private_key_is_detected() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() || program("openssl").is_none() {
        return not_run("opensc or openssl not found");
    }
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key;id=%01"]).expect(0);
    hsm.must("openssl", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "other.pem"]);
    hsm.must("openssl", &["pkey", "-in", "other.pem", "-pubout", "-outform", "DER", "-out", "other.der"]);
    image(&hsm, "app", 1);
    let before = fs::read(hsm.path("app/index.json")).unwrap();
    tool(&hsm, &["--write-object", "other.der", "--type", "pubkey", "--id", "01", "--label", "second"]);
    // Of two public keys the one with the label of the private key is used.
    hsm.bulla(&["key", "show", "pkcs11:object=key;type=private"]).expect(0);
    tool(&hsm, &["--delete-object", "--type", "pubkey", "--label", "key"]);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=key"])
        .expect(2)
        .tells(&["signature that does not verify"]);
    assert_eq!(fs::read(hsm.path("app/index.json")).unwrap(), before);
    tool(&hsm, &["--write-object", "other.der", "--type", "pubkey", "--id", "01", "--label", "third"]);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=key"])
        .expect(2)
        .tells(&["signature that does not verify"]);
}

/// `CKA_ALWAYS_AUTHENTICATE`: the PIN for each signature, the same one, and asked for once.
#[test]
fn a_key_may_want_the_pin_for_each_signature() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() {
        return not_run("opensc not found");
    }
    let make =
        ["--keypairgen", "--key-type", "rsa:2048", "--always-auth", "--label", "key", "--id", "01", "--usage-sign"];
    tool(&hsm, &make);
    for name in ["one", "two"] {
        image(&hsm, name, 1);
    }
    let sign = ["sign", "oci:one:v1", "oci:two:v1", "--key", "pkcs11:object=key"];
    hsm.bulla_faulty("", Some(PIN), &sign).expect(0);
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Login again")), (1, 2));
    hsm.bulla(&["key", "export", "pkcs11:object=key", "-o", "key.pub"]).expect(0);
    hsm.bulla(&["verify", "oci:one:v1", "--key", "key.pub"]).expect(0);
    // The PIN was given for the first key, and is not kept for others.
    tool(
        &hsm,
        &["--keypairgen", "--key-type", "rsa:2048", "--always-auth", "--label", "two", "--id", "02", "--usage-sign"],
    );
    hsm.bulla_faulty("", Some(PIN), &[&sign[..], &["--key", "pkcs11:object=two"]].concat())
        .expect(2)
        .tells(&["key `two` on token `release` wants the PIN for each signature", "a command of its own"]);
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Login again")), (1, 0));
}

/// A key that may not sign is not picked.
#[test]
fn a_key_for_something_else_does_not_sign() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() {
        return not_run("opensc not found");
    }
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key;id=%01"]).expect(0);
    tool(&hsm, &["--keypairgen", "--key-type", "EC:secp256k1", "--label", "coin", "--id", "02", "--usage-sign"]);
    image(&hsm, "app", 1);
    let sign = ["sign", "oci:app:v1", "--key", "pkcs11:object=key"];
    hsm.bulla_faulty("no-sign", Some(PIN), &sign).expect(2).tells(&["no key on token `release` matches"]);
    hsm.bulla_faulty("", Some(PIN), &sign).expect(0);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=coin"])
        .expect(2)
        .tells(&["key `coin` on token `release` has no public key that can be used", "ECDSA secp256k1"]);
}

fn tool(hsm: &SoftHsm, args: &[&str]) -> String {
    let module = hsm.module().to_str().unwrap();
    let first = ["--module", module, "--token-label", "release", "--login", "--pin", PIN];
    hsm.must("pkcs11-tool", &[&first[..], args].concat())
}
