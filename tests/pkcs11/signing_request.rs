//! `request sign` with a token that stops in the middle: what was signed is kept, the next run signs only the rest, and
//! each run gives the PIN once.

use std::fs;

use serde_json::Value;

use super::image;
use super::support::missing::not_run;
use super::support::program;
use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

const KEY: &str = "pkcs11:token=release;object=key";
const SIGN: &[&str] = &["request", "sign", "r", "--key", KEY, "-o", "a", "--yes", "--log", "log"];
const IMAGES: usize = 12;

#[test]
fn a_token_that_is_pulled_out_keeps_what_it_signed() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", KEY, "-o", "key"]).expect(0);
    // One session: to the signature. Several: those that were under way are kept as well.
    for (fault, least, most) in [("lost-after=5,sessions=1", 5, 5), ("lost-after=5", 5, 12)] {
        let references = ask(&hsm);
        let printed = hsm.bulla_faulty(fault, Some(PIN), SIGN).expect(2);
        let lost =
            "token `release` is lost (CKR_DEVICE_REMOVED): the session is not opened and the PIN is not given again";
        let kept = hsm.calls("C_Sign");
        assert!((least..=most).contains(&kept), "{fault}: {kept}");
        assert_eq!(hsm.calls("C_Login"), 1);
        // The countersignature is the last signature.
        let stopped = match kept {
            IMAGES => format!("all {IMAGES} are signed, but not countersigned"),
            _ => format!("stopped after {kept} of {IMAGES} signatures"),
        };
        let printed = printed.tells(&[lost, &stopped]);
        assert_eq!((printed.stderr.matches(lost).count(), signatures(&hsm)), (1, kept), "{}", printed.stderr);
        assert_eq!(fs::read_to_string(hsm.path("log")).unwrap().lines().count(), kept);
        hsm.bulla(&["request", "attach", "r", "a"]).expect(1);
        finish(&hsm, "C_Sign", IMAGES + 1 - kept, &references);
    }
}

/// A key that wants the PIN for each signature: locked after the fifth.
#[test]
fn a_pin_that_is_locked_during_signing_is_not_sent_again() {
    let Some(hsm) = SoftHsm::find() else { return };
    if program("pkcs11-tool").is_none() {
        return not_run("opensc not found");
    }
    let module = hsm.module().to_str().unwrap();
    let first = ["--module", module, "--token-label", "release", "--login", "--pin", PIN];
    let make =
        ["--keypairgen", "--key-type", "rsa:2048", "--always-auth", "--label", "key", "--id", "01", "--usage-sign"];
    hsm.must("pkcs11-tool", &[&first[..], &make].concat());
    hsm.bulla(&["key", "export", KEY, "-o", "key.pub"]).expect(0);
    let references = ask(&hsm);
    let printed = hsm.bulla_faulty("locked-after=5", Some(PIN), SIGN).expect(2);
    printed.tells(&["PIN of token `release` is locked", &format!("stopped after 5 of {IMAGES} signatures")]);
    // The sixth was refused, and there is no seventh, however many sessions the token has.
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Login again"), hsm.calls("C_SignFinal")), (1, 6, 5));
    assert_eq!(signatures(&hsm), 5);
    finish(&hsm, "C_SignFinal", IMAGES + 1 - 5, &references);
}

#[test]
fn a_wrong_pin_signs_nothing_and_is_sent_once() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", KEY, "-o", "key"]).expect(0);
    ask(&hsm);
    hsm.bulla_faulty("", Some("battery-4712-pin"), SIGN).expect(2).tells(&["is wrong; it was tried once"]);
    assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Sign")), (1, 0));
    assert!(!hsm.path("a").exists());
}

/// A request for as many images; their names.
fn ask(hsm: &SoftHsm) -> Vec<String> {
    for name in ["app", "r", "a", "log"].map(|name| hsm.path(name)) {
        drop(fs::remove_file(&name).or_else(|_| fs::remove_dir_all(&name)));
    }
    let references: Vec<_> = (1..=IMAGES).map(|number| format!("oci:app{number}:v1")).collect();
    for number in 1..=IMAGES {
        drop(fs::remove_dir_all(hsm.path(&format!("app{number}"))));
        image(hsm, &format!("app{number}"), number as u64);
    }
    let new = ["request", "new", "-o", "r", "--owner", "release=key.pub"];
    let names: Vec<&str> = references.iter().map(String::as_str).collect();
    hsm.bulla_with(&[], &[&new[..], &names].concat()).expect(0);
    references
}

/// The number of signatures in the response.
fn signatures(hsm: &SoftHsm) -> usize {
    let shown = hsm.bulla_with(&[], &["request", "show", "r", "--response", "a", "--output", "json"]).expect(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    usize::try_from(shown["results"][0]["signers"][0]["signatures"].as_u64().unwrap()).unwrap()
}

/// The next run signs the rest and nothing else, with one PIN; and one more run signs nothing.
fn finish(hsm: &SoftHsm, call: &str, rest: usize, references: &[String]) {
    for rest in [rest, 0] {
        hsm.bulla_faulty("", Some(PIN), SIGN).expect(0);
        assert_eq!((hsm.calls("C_Login"), hsm.calls(call)), (1, rest));
        assert_eq!(signatures(hsm), IMAGES);
    }
    hsm.bulla_with(&[], &["request", "log", "verify", "log"]).expect(0);
    assert_eq!(fs::read_to_string(hsm.path("log")).unwrap().lines().count(), IMAGES + 1);
    hsm.bulla_with(&[], &["request", "attach", "r", "a"]).expect(0);
    let names: Vec<&str> = references.iter().map(String::as_str).collect();
    hsm.bulla_with(&[], &[&["verify", "--key", "key.pub"], &names[..]].concat()).expect(0);
}
