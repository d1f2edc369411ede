//! Tokens that fail in the middle, lie, or go away.

use std::fs;

use super::image;
use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

const KEY: &str = "pkcs11:token=release;object=key";

fn with_key(kind: &str) -> Option<SoftHsm> {
    let hsm = SoftHsm::find()?;
    hsm.bulla(&["key", "new", "--pkcs11", KEY, "--type", kind]).expect(0);
    image(&hsm, "app", 1);
    Some(hsm)
}

#[test]
fn a_wrong_signature_of_the_token_is_not_returned() {
    for kind in ["p256", "rsa2048", "ed25519"] {
        let Some(hsm) = with_key(kind) else { return };
        let before = fs::read(hsm.path("app/index.json")).unwrap();
        for fault in ["flip=0", "flip=40", "short"] {
            for format in ["bundle", "tag"] {
                let sign = ["sign", "oci:app:v1", "--key", KEY, "--format", format];
                hsm.bulla_faulty(fault, Some(PIN), &sign).expect(2).tells(&["signature that does not verify"]);
                assert_eq!(fs::read(hsm.path("app/index.json")).unwrap(), before, "{kind}, {fault}, {format}");
            }
        }
    }
}

/// Pulled out after the third of eight signatures: an error, three are kept, no PIN is given again.
#[test]
fn a_token_that_goes_away_is_an_error() {
    let Some(hsm) = with_key("p256") else { return };
    let names: Vec<String> = (1..=8).map(|number| format!("app{number}")).collect();
    names.iter().for_each(|name| image(&hsm, name, 1));
    let references: Vec<String> = names.iter().map(|name| format!("oci:{name}:v1")).collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let output =
        hsm.bulla_faulty("lost-after=3", Some(PIN), &[&["sign", "--key", KEY], &references[..]].concat()).expect(2);
    let lost = "token `release` is lost (CKR_DEVICE_REMOVED): the session is not opened and the PIN is not given again";
    // The error stands there once, and below it each of the images that it is about.
    assert_eq!(
        (output.stdout.matches("signed ").count(), output.stderr.matches(lost).count()),
        (3, 1),
        "{}",
        output.stderr
    );
    assert_eq!(output.stderr.matches("  of oci:app").count(), 5, "{}", output.stderr);
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Sign"), hsm.calls("C_OpenSession")), (1, 3, 1));
}

#[test]
fn an_error_of_the_token_is_named() {
    let Some(hsm) = with_key("p256") else { return };
    // CKR_GENERAL_ERROR, and a code of the maker.
    for (code, name) in [("0x5", "C_Login failed with CKR_GENERAL_ERROR"), ("0x80000007", "C_Login failed with")] {
        let fault = format!("login={code}");
        hsm.bulla_faulty(&fault, Some(PIN), &["sign", "oci:app:v1", "--key", KEY]).expect(2).tells(&[name]);
        assert_eq!(hsm.calls("C_Login"), 1);
    }
}
