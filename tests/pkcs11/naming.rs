//! Selecting the module, the token and the key: exactly one must match, or the candidates are listed.

use std::fs;

use serde_json::Value;

use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

#[test]
fn the_module_is_named_in_the_uri_with_the_flag_or_in_the_environment() {
    let Some(hsm) = SoftHsm::find() else { return };
    let module = hsm.module().to_str().unwrap();
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key"]).expect(0);
    let pin = ("BULLA_PIN", PIN);
    let broken = ("BULLA_PKCS11_MODULE", "/nowhere/module.so");
    let in_uri = format!("pkcs11:object=key?module-path={module}");
    hsm.bulla_with(&[pin, broken], &["key", "show", &in_uri, "--pkcs11-module", "/nowhere/flag.so"]).expect(0);
    hsm.bulla_with(&[pin, broken], &["key", "show", "pkcs11:object=key", "--pkcs11-module", module]).expect(0);
    hsm.bulla_with(&[pin, broken], &["key", "show", "pkcs11:object=key?module-name=softhsm2"]).expect(0);
    hsm.bulla_with(&[pin, broken], &["key", "show", "pkcs11:object=key"]).expect(2).tells(&[
        "PKCS#11 module `/nowhere/module.so` cannot be loaded",
        "there is  ",
        "libsofthsm2.so",
        "hint: give --pkcs11-module FILE",
    ]);
    hsm.bulla_with(&[pin, ("BULLA_PKCS11_MODULE", "")], &["key", "show", "pkcs11:object=key"])
        .expect(2)
        .tells(&["a key on a token needs the PKCS#11 module of the token", "libsofthsm2.so"]);
    hsm.bulla_with(&[pin], &["key", "show", "pkcs11:object=key?module-name=nothing"])
        .expect(2)
        .tells(&["there is no PKCS#11 module `nothing` in the usual places"]);
    fs::write(hsm.path("text.so"), "not a library").unwrap();
    let text = hsm.path("text.so");
    hsm.bulla_with(&[pin, ("BULLA_PKCS11_MODULE", text.to_str().unwrap())], &["key", "show", "pkcs11:"])
        .expect(2)
        .tells(&["text.so` cannot be loaded"]);
}

#[test]
fn several_matching_tokens_are_an_error_that_lists_them() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.token("second token");
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:token=second%20token;object=key", "-o", "second"]).expect(0);
    hsm.bulla(&["key", "show", "pkcs11:object=key"]).expect(2).tells(&[
        "2 tokens match `pkcs11:object=key`",
        "there is  token `release`, SoftHSM project SoftHSM v2, serial ",
        "there is  token `second token`",
        "hint: name one of them by `token` or `serial`",
    ]);
    hsm.bulla(&["key", "show", "pkcs11:token=third"])
        .expect(2)
        .tells(&["no token matches `pkcs11:token=third`", "`release`"]);
    let listed = hsm.bulla(&["key", "list", "pkcs11:token=second%20token", "--output", "json"]).expect(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let (serial, slot) = (listed["results"][0]["serial"].as_str().unwrap(), &listed["results"][0]["slot"]);
    for right in [
        format!("serial={serial}"),
        format!("slot-id={slot}"),
        format!(
            "token=second%20token;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;serial={serial};slot-id={slot}"
        ),
        format!("slot-manufacturer=SoftHSM%20project;serial={serial}"),
    ] {
        hsm.bulla(&["key", "show", &format!("pkcs11:{right};object=key")]).expect(0);
    }
    for wrong in ["manufacturer=Other", "model=v3", "slot-manufacturer=Other", "slot-id=1", "slot-description=x"] {
        hsm.bulla(&["key", "show", &format!("pkcs11:serial={serial};{wrong};object=key")])
            .expect(2)
            .tells(&["no token"]);
    }
    // Without a PIN all tokens are listed; a PIN is for one.
    let listed = hsm.bulla_with(&[], &["key", "list", "pkcs11:"]).expect(0);
    assert!(
        listed.stdout.contains("token release") && listed.stdout.contains("token second token"),
        "{}",
        listed.stdout
    );
    hsm.bulla(&["key", "list", "pkcs11:"]).expect(2).tells(&["2 tokens match"]);
}

#[test]
fn several_matching_keys_are_an_error_that_lists_them() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "list", "pkcs11:"]).expect(0);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=any"])
        .expect(2)
        .tells(&["no key on token `release` matches"]);
    for (kind, id) in [("p256", "%01"), ("rsa2048", "%02%FF")] {
        hsm.bulla(&["key", "new", "--pkcs11", &format!("pkcs11:object=key-{kind};id={id}"), "--type", kind]).expect(0);
    }
    hsm.bulla(&["key", "show", "pkcs11:id=%01"]).expect(0);
    hsm.bulla(&["key", "show", "pkcs11:object=key-rsa2048;id=%02%ff;type=public"]).expect(0);
    for missing in ["object=key", "object=key-p256;id=%02%FF", "id=%03", "object=KEY-P256"] {
        let uri = format!("pkcs11:{missing}");
        let run = hsm.bulla(&["key", "show", &uri]).expect(2);
        run.tells(&[
            "no key on token `release` matches `pkcs11:",
            "there is  `key-p256`  private key, ECDSA P-256  pkcs11:token=release;serial=",
            "object=key-rsa2048;id=%02%FF;type=private",
        ]);
    }
    hsm.bulla(&["key", "show", "pkcs11:token=release"]).expect(2).tells(&[
        "2 keys on token `release` match `pkcs11:token=release`",
        "there is  `key-p256`  private key, ECDSA P-256",
        "there is  `key-rsa2048`  private key, RSA 2048",
        "hint: name one of them by `object` or `id`",
    ]);
    super::image(&hsm, "app", 1);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=key-p256;type=public"])
        .expect(2)
        .tells(&["no key on token"]);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:object=key-p256;type=secret-key"])
        .expect(2)
        .tells(&["attribute `type` is not `private`, `public` or `cert`"]);
    hsm.bulla(&["sign", "oci:app:v1", "--key", "pkcs11:id=%01", "--key", "pkcs11:object=key-p256"])
        .expect(2)
        .tells(&["is given twice"]);
}

/// The URI that is printed for a key means that key.
#[test]
fn listed_uris_name_their_keys() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=a%20b%3Bc%25", "--type", "ed25519"]).expect(0);
    let listed = hsm.bulla(&["key", "list", "pkcs11:", "--output", "json"]).expect(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let results = listed["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{listed:#}");
    for key in results {
        let shown = hsm.bulla(&["key", "show", key["uri"].as_str().unwrap(), "--output", "json"]).expect(0);
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!((&shown["keyId"], &shown["algorithm"]), (&key["keyId"], &key["algorithm"]));
    }
}

#[test]
fn a_pin_in_the_uri_is_refused_and_not_repeated() {
    let Some(hsm) = SoftHsm::find() else { return };
    for uri in ["pkcs11:object=key?pin-value=correct-4711-pin", "pkcs11:pin-value=correct-4711-pin"] {
        for args in [&["key", "show", uri][..], &["key", "list", uri], &["sign", "oci:app:v1", "--key", uri]] {
            let run =
                hsm.bulla(args).expect(2).tells(&["an argument is no place for a PIN", "hint: give --pin-file FILE"]);
            assert!(!run.stderr.contains("4711") && !run.stdout.contains("4711"), "{}", run.stderr);
        }
    }
}
