//! Several threads sign with one key, each in a session of its own, or in those that the token gives.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use bulla::key::Passphrase;
use bulla::key::Signer as _;
use bulla::key::pkcs11::Module;
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
            // What is refused counts as well: once for each bound.
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

/// Runs in a process of its own: a module looks at its environment once.
#[test]
#[ignore = "a part of the tests above, which start it"]
fn inside() {
    let Ok(uri) = std::env::var("BULLA_TEST_KEY") else { return };
    let uri = Uri::parse(&uri).unwrap();
    let module = Module::load(Path::new(&std::env::var("BULLA_PKCS11_MODULE").unwrap())).unwrap();
    let mut opened = module.token(&uri).unwrap().open().unwrap();
    opened.login(|_| Some(Passphrase::new(PIN))).unwrap();
    opened.login(|_| panic!("asked for the PIN again")).unwrap();
    let key = opened.signer(&uri).unwrap();
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
