//! Signing with a key on a token, beside what the same token gives to a bare loop of `C_SignInit` and `C_Sign`, in one process
//! and interleaved: `cargo bench --bench pkcs11 -- [TYPE…]`. It needs SoftHSM 2 and a C compiler.
//!
//! Both have one session each: the module between lets nobody open a third.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "a program for whoever measures: it stops where it fails"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use bulla::key::Passphrase;
use bulla::key::Signer as _;
use bulla::key::pkcs11::Module;
use bulla::key::pkcs11::TokenKey;
use bulla::key::pkcs11::Uri;
use cryptoki::context::CInitializeArgs;
use cryptoki::context::CInitializeFlags;
use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::EddsaParams;
use cryptoki::mechanism::eddsa::EddsaSignatureScheme;
use cryptoki::object::Attribute;
use cryptoki::object::ObjectClass;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use support::softhsm::PIN;
use support::softhsm::SoftHsm;

/// The type, the bytes that the token signs, and how many signatures are made in each run.
const TYPES: [(&str, usize, usize); 5] =
    [("p256", 32, 2_000), ("p384", 32, 500), ("p521", 32, 500), ("rsa2048", 51, 500), ("ed25519", 300, 2_000)];

const ROUNDS: usize = 7;

fn main() {
    if let Ok(kind) = std::env::var("BULLA_BENCH_TYPE") {
        return measure(&kind);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let Some(hsm) = SoftHsm::find() else { return };
    println!("medians of {ROUNDS} rounds, signatures a second; load average {}", load());
    println!("| key | bare loop | bulla, one by one | a hundred at a time, as for a request | all at once |");
    println!("| --- | --- | --- | --- | --- |");
    for (kind, _, _) in TYPES.iter().filter(|(kind, _, _)| wanted.is_empty() || wanted.iter().any(|word| word == kind))
    {
        hsm.bulla(&["key", "new", "--pkcs11", &format!("pkcs11:object={kind}"), "--type", kind]).expect(0);
        let mut command = hsm.command(std::env::current_exe().unwrap());
        command.envs(hsm.faulty("sessions=2")).env_remove("BULLA_TEST_LOG").env("BULLA_BENCH_TYPE", kind);
        assert!(command.status().unwrap().success());
    }
    println!("load average at the end {}", load());
}

/// A module looks at its environment once, hence a process of its own.
fn measure(kind: &str) {
    let (_, length, count) = TYPES[TYPES.iter().position(|(name, _, _)| *name == kind).unwrap()];
    let module = std::env::var("BULLA_PKCS11_MODULE").unwrap();
    let key = ours(Path::new(&module), kind);
    let (session, handle) = bare(Path::new(&module), kind);
    let mechanism = match kind {
        "rsa2048" => Mechanism::RsaPkcs,
        "ed25519" => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
        _ => Mechanism::Ecdsa,
    };
    // As long as the signed bytes of an image signature in the bundle form.
    let (data, message) = (vec![7; length], vec![7; 300]);
    let messages = vec![&message[..]; count];
    let (mut loops, mut one, mut hundred, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        for _ in 0..count {
            session.sign(&mechanism, handle, &data).unwrap();
        }
        let took = begun.elapsed();
        let single = singly(&key, &messages);
        let (by_hundred, whole) = (together(&key, &messages, 100), together(&key, &messages, count));
        // The first round warms up.
        if round > 0 {
            loops.push(took);
            one.push(single);
            hundred.push(by_hundred);
            all.push(whole);
        }
    }
    let rate = |times: &mut Vec<Duration>| {
        times.sort();
        count as f64 / times[times.len() / 2].as_secs_f64()
    };
    let bare = rate(&mut loops);
    let ours = [one, hundred, all].map(|mut times| {
        let rate = rate(&mut times);
        format!(" {rate:.0} ({:.0} %) |", 100.0 * rate / bare)
    });
    println!("| {kind} | {bare:.0} |{}", ours.concat());
}

/// One after the other, each verified before the next.
fn singly(key: &TokenKey, messages: &[&[u8]]) -> Duration {
    let begun = Instant::now();
    for message in messages {
        key.sign(message).unwrap();
    }
    begun.elapsed()
}

/// So many at once.
fn together(key: &TokenKey, messages: &[&[u8]], at_once: usize) -> Duration {
    let begun = Instant::now();
    for some in messages.chunks(at_once) {
        let batch = key.sign_all(some);
        assert!(batch.stopped.is_none() && batch.made.len() == some.len());
    }
    begun.elapsed()
}

fn ours(module: &Path, kind: &str) -> TokenKey {
    let uri = Uri::parse(&format!("pkcs11:object={kind}")).unwrap();
    let mut opened = Module::load(module).unwrap().token(&uri).unwrap().open().unwrap();
    opened.login(|_| Some(Passphrase::new(PIN))).unwrap();
    opened.signer(&uri).unwrap()
}

/// A session and a key without bulla. The login is that of the process.
fn bare(module: &Path, kind: &str) -> (Session, ObjectHandle) {
    let context = Pkcs11::new(module).unwrap();
    // It is initialised already.
    drop(context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)));
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_ro_session(slot).unwrap();
    let wanted = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(kind.as_bytes().to_vec())];
    let handle = session.find_objects(&wanted).unwrap()[0];
    (session, handle)
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
}
