//! Several threads sign with one key, each in a session of its own, or in those that the token gives; and every scheme of a
//! key, which the command line does not ask for.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use bulla::key::Algorithm;
use bulla::key::Passphrase;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::key::SignerError;
use bulla::key::pkcs11::Module;
use bulla::key::pkcs11::TokenError;
use bulla::key::pkcs11::TokenKey;
use bulla::key::pkcs11::Uri;

use super::support::softhsm::PIN;
use super::support::softhsm::SoftHsm;

const THREADS: usize = 8;
const EACH: usize = 20;

#[test]
fn eight_threads_sign_side_by_side() {
    let Some(hsm) = SoftHsm::find() else { return };
    for kind in ["p256", "rsa2048"] {
        hsm.bulla(&["key", "new", "--pkcs11", &format!("pkcs11:object={kind}"), "--type", kind]).expect(0);
        // As many sessions as threads; fewer where the token has fewer; one where it has one.
        for (fault, most) in [("", THREADS), ("sessions=3", 3), ("sessions=1", 1)] {
            let mut command = hsm.command(std::env::current_exe().unwrap());
            command.envs(hsm.faulty(fault)).env("BULLA_TEST_KEY", format!("pkcs11:object={kind}"));
            command.args(["--exact", "threads::inside", "--ignored", "--nocapture"]);
            let out = command.output().unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success() && text.contains("all signed"), "{kind}, {fault:?}\n{text}");
            assert_eq!((hsm.calls("C_Login"), hsm.calls("C_Sign")), (1, THREADS * EACH));
            // Refused calls count too: once for each limit.
            assert!((1..=most + 1).contains(&hsm.calls("C_OpenSession")), "{}", hsm.calls("C_OpenSession"));
        }
    }
}

#[test]
fn a_lost_token_stops_all_threads() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key"]).expect(0);
    let mut command = hsm.command(std::env::current_exe().unwrap());
    command.envs(hsm.faulty("lost-after=40,sessions=2")).env("BULLA_TEST_KEY", "pkcs11:object=key");
    command.args(["--exact", "threads::inside", "--ignored", "--nocapture"]);
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success() && text.contains("token `release` is lost"), "{text}");
    assert_eq!(hsm.calls("C_Login"), 1);
    assert!((40..=42).contains(&hsm.calls("C_Sign")), "{}", hsm.calls("C_Sign"));
}

#[test]
fn every_scheme_of_a_key_is_made() {
    let Some(hsm) = SoftHsm::find() else { return };
    for kind in ["p256", "p384", "p521", "ed25519", "rsa2048"] {
        hsm.bulla(&["key", "new", "--pkcs11", &format!("pkcs11:object={kind}"), "--type", kind]).expect(0);
    }
    // With `hashing`, the token signs only what it hashed itself; SoftHSM does so with RSA.
    for (kind, fault, made) in [
        ("p256", "", 1),
        ("p384", "", 2),
        ("p521", "", 2),
        ("ed25519", "", 1),
        ("rsa2048", "", 6),
        ("rsa2048", "hashing", 6),
    ] {
        let mut command = hsm.command(std::env::current_exe().unwrap());
        command.envs(hsm.faulty(fault)).env("BULLA_TEST_KEY", format!("pkcs11:object={kind}"));
        command.args(["--exact", "threads::schemes_inside", "--ignored", "--nocapture"]);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{kind}, {fault:?}\n{}", String::from_utf8_lossy(&out.stderr));
        assert_eq!(hsm.calls("C_Sign"), made, "{kind}, {fault:?}");
    }
}

/// The signatures made before an error are returned, and nothing else.
#[test]
fn many_are_signed_at_once() {
    let Some(hsm) = SoftHsm::find() else { return };
    hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:object=key"]).expect(0);
    for (fault, most, signed, says) in [
        ("", 8, 100..=100, "all 100"),
        ("sessions=3", 3, 100..=100, "all 100"),
        ("sessions=1", 1, 100..=100, "all 100"),
        ("lost-after=40,sessions=1", 1, 40..=40, "40 made, token `release` is lost"),
        ("lost-after=40,sessions=3", 3, 40..=43, " made, token `release` is lost"),
        ("lost-after=1,sessions=1", 1, 1..=1, "1 made, token `release` is lost"),
        ("flip=40", 8, 1..=100, "0 made, "),
    ] {
        let mut command = hsm.command(std::env::current_exe().unwrap());
        command.envs(hsm.faulty(fault)).env("BULLA_TEST_KEY", "pkcs11:object=key");
        command.args(["--exact", "threads::many_inside", "--ignored", "--nocapture"]);
        let out = command.output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && text.contains(says), "{fault:?}\n{text}");
        assert!(signed.contains(&hsm.calls("C_Sign")), "{fault:?}: {}", hsm.calls("C_Sign"));
        assert_eq!(hsm.calls("C_Login"), 1, "{fault:?}");
        assert!((1..=most + 1).contains(&hsm.calls("C_OpenSession")), "{fault:?}: {}", hsm.calls("C_OpenSession"));
    }
}

#[test]
#[ignore = "a part of the test above, which starts it"]
fn many_inside() {
    let Some(key) = key() else { return };
    let messages: Vec<_> = (0..100).map(|number| format!("message {number}").into_bytes()).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let batch = key.sign_all(&messages);
    for (place, signature) in &batch.made {
        key.public_key().verify(messages[*place], signature.as_bytes()).unwrap();
        assert!(signature.is_over(key.public_key(), messages[*place]));
        assert!(!signature.is_over(key.public_key(), b"another"));
    }
    match batch.stopped {
        None => println!("all {}", batch.made.len()),
        Some(error) => println!("{} made, {error}", batch.made.len()),
    }
    assert!(key.sign_all(&[]).made.is_empty());
}

/// The key that the test outside means. A module looks at its environment once, hence a process of its own.
fn key() -> Option<TokenKey> {
    let uri = Uri::parse(&std::env::var("BULLA_TEST_KEY").ok()?).unwrap();
    let module = Module::load(Path::new(&std::env::var("BULLA_PKCS11_MODULE").unwrap())).unwrap();
    let mut opened = module.token(&uri).unwrap().open().unwrap();
    opened.login(|_| Some(Passphrase::new(PIN))).unwrap();
    opened.login(|_| panic!("asked for the PIN again")).unwrap();
    Some(opened.signer(&uri).unwrap())
}

#[test]
#[ignore = "a part of a test above, which starts it"]
fn schemes_inside() {
    let Some(key) = key() else { return };
    for scheme in key.public_key().schemes() {
        let signed = key.sign_with(*scheme, b"message");
        match scheme {
            Scheme::Ed25519ph => {
                assert!(matches!(&signed, Err(error) if error.backend::<TokenError>().is_some()), "{signed:?}")
            }
            _ => key.public_key().verify_as(*scheme, b"message", signed.unwrap().as_bytes()).unwrap(),
        }
    }
    let other =
        if key.public_key().algorithm() == Algorithm::Ed25519 { Scheme::EcdsaP256Sha256 } else { Scheme::Ed25519 };
    assert!(matches!(key.sign_with(other, b"message"), Err(SignerError::Scheme { .. })));
}

#[test]
#[ignore = "a part of the tests above, which start it"]
fn inside() {
    let Some(key) = key() else { return };
    let errors: BTreeSet<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let key = &key;
                scope.spawn(move || {
                    let mut errors = BTreeSet::new();
                    for round in 0..EACH {
                        let message = format!("message {round} of thread {number}");
                        match key.sign(message.as_bytes()) {
                            Ok(signature) => {
                                key.public_key().verify(message.as_bytes(), signature.as_bytes()).unwrap();
                            }
                            Err(error) => drop(errors.insert(error.to_string())),
                        }
                    }
                    errors
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    match errors.is_empty() {
        true => println!("all signed"),
        false => println!("{errors:?}"),
    }
}
