//! The PIN: given once, never again by itself, and never where it could lock the token unseen.

use std::fs;

use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

const WRONG: &str = "battery-4712-pin";
const KEY: &str = "pkcs11:token=release;object=key;type=private";
const SHOW: &[&str] = &["key", "show", KEY];

fn with_key() -> Option<SoftHsm> {
    let hsm = SoftHsm::find()?;
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:token=release;object=key"]).expect(0);
    Some(hsm)
}

#[test]
fn the_pin_comes_from_a_file_the_uri_or_the_environment() {
    let Some(hsm) = with_key() else { return };
    fs::write(hsm.path("pin"), format!("{PIN}\nsecond line\n")).unwrap();
    fs::write(hsm.path("wrong"), WRONG).unwrap();
    let source = |file: &str| format!("{KEY}?pin-source=file:{}", hsm.path(file).display());
    hsm.bulla_with(&[], &["key", "show", KEY, "--pin-file", "pin"]).expect(0);
    hsm.bulla_with(&[], &["key", "show", &source("pin")]).expect(0);
    hsm.bulla_with(&[("BULLA_PIN", PIN)], SHOW).expect(0);
    // The source nearest to the key takes precedence.
    hsm.bulla_with(&[("BULLA_PIN", WRONG)], &["key", "show", KEY, "--pin-file", "pin"]).expect(0);
    hsm.bulla_with(&[("BULLA_PIN", WRONG)], &["key", "show", &source("pin"), "--pin-file", "wrong"]).expect(0);
    hsm.bulla_with(&[], &["key", "show", &source("missing")]).expect(2).tells(&["missing", "No such file"]);
    hsm.bulla_with(&[], SHOW).expect(2).tells(&[
        "token `release` wants a PIN and there is no terminal to ask at",
        "hint: set BULLA_PIN, give --pin-file FILE, or pin-source=file:/PATH in the URI",
    ]);
}

#[test]
fn a_wrong_pin_is_sent_once() {
    let Some(hsm) = with_key() else { return };
    super::image(&hsm, "app", 1);
    let sign: &[&str] = &["sign", "oci:app:v1", "--key", KEY];
    for args in [SHOW, sign, &["key", "list", "pkcs11:"], &["key", "new", "--pkcs11", "pkcs11:object=other"]] {
        let output = hsm.bulla_faulty("", Some(WRONG), args).expect(2);
        output.tells(&[
            "PIN of token `release` is wrong; it was tried once and is not tried again",
            "attempts are running out",
        ]);
        assert_eq!(hsm.calls("C_Login"), 1, "{args:?}");
    }
    // The right one sets the count back.
    hsm.bulla_faulty("", Some(PIN), SHOW).expect(0);
    let output = hsm.bulla_faulty("", Some(WRONG), SHOW).expect(2);
    assert!(!output.stderr.contains(WRONG) && !output.stdout.contains(WRONG));
}

/// Two keys on one token are one login, and two keys with a wrong PIN are one attempt.
#[test]
fn one_login_serves_all_keys_of_a_token() {
    let Some(hsm) = with_key() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=second", "--type", "p384"]).expect(0);
    super::image(&hsm, "app", 1);
    let sign = ["sign", "oci:app:v1", "--key", KEY, "--key", "pkcs11:object=second"];
    hsm.bulla_faulty("", Some(WRONG), &sign).expect(2);
    assert_eq!(hsm.calls("C_Login"), 1);
    hsm.bulla_faulty("", Some(PIN), &sign).expect(0);
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Sign")), (1, 2));
}

#[test]
fn a_pin_of_an_impossible_length_is_not_sent() {
    let Some(hsm) = with_key() else { return };
    for pin in ["", "123", &"9".repeat(300)] {
        hsm.bulla_faulty("", Some(pin), SHOW).expect(2).tells(&["wanted 4 to 255 bytes; it was not tried"]);
        assert_eq!(hsm.calls("C_Login"), 0);
    }
}

#[test]
fn no_pin_is_sent_to_a_locked_token() {
    let Some(hsm) = with_key() else { return };
    hsm.bulla_faulty("locked", Some(PIN), SHOW).expect(2).tells(&[
        "PIN of token `release` is locked; it was not tried",
        "hint: the security officer of the token can unlock it with the SO PIN",
    ]);
    assert_eq!(hsm.calls("C_Login"), 0);
    // 0xA4 is CKR_PIN_LOCKED, 0xA0 is CKR_PIN_INCORRECT.
    hsm.bulla_faulty("login=0xa4", Some(PIN), SHOW).expect(2).tells(&["is locked: this attempt was the last"]);
    assert_eq!(hsm.calls("C_Login"), 1);
    hsm.bulla_faulty("login=0xa0", Some(WRONG), SHOW).expect(2).tells(&["is wrong; it was tried once"]);
    hsm.bulla_faulty("login=0xa0,count-low", Some(WRONG), SHOW).expect(2).tells(&["attempts are running out"]);
    assert_eq!(hsm.calls("C_Login"), 1);
}

#[test]
fn the_last_attempt_needs_a_typed_pin() {
    let Some(hsm) = with_key() else { return };
    hsm.bulla_faulty("final-try", Some(PIN), SHOW).expect(2).tells(&[
        "token `release` says that one more wrong PIN locks it; the PIN was not tried",
        "hint: give the PIN at the prompt",
    ]);
    assert_eq!(hsm.calls("C_Login"), 0);
}

/// Objects that are visible without a PIN are listed without one.
#[test]
fn no_pin_is_asked_for_where_none_is_needed() {
    let Some(hsm) = with_key() else { return };
    for args in [
        &["key", "show", "pkcs11:object=key"][..],
        &["key", "export", "pkcs11:object=key"],
        &["key", "list", "pkcs11:"],
    ] {
        hsm.bulla_faulty("", None, args).expect(0);
        assert_eq!(hsm.calls("C_Login"), 0, "{args:?}");
    }
    let listed = hsm.bulla_with(&[], &["key", "list", "pkcs11:"]).expect(0).tells(&["not logged in"]);
    assert!(
        listed.stdout.contains("public key, ECDSA P-256") && !listed.stdout.contains("private key"),
        "{}",
        listed.stdout
    );
    let listed = hsm.bulla(&["key", "list", "pkcs11:"]).expect(0);
    assert!(listed.stdout.contains("private key, ECDSA P-256"), "{}", listed.stdout);
    // A token without a login at all.
    hsm.bulla_faulty("no-login", None, &["key", "show", "pkcs11:object=none"]).expect(2).tells(&["no key on token"]);
    assert_eq!(hsm.calls("C_Login"), 0);
}
