//! Checkpoints: the vectors of sigstore-java, and notes that break one rule of C2SP signed-note or tlog-checkpoint each.

use std::fs;

use bulla::envelope::base64;
use bulla::key::Algorithm;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::time::ValidityPeriod;
use bulla::transparency::Checkpoint;
use bulla::transparency::LogId;
use bulla::transparency::MerkleHash;
use bulla::transparency::OriginForm;
use bulla::transparency::TransparencyLog;

use crate::case::code;
use crate::case::expected;
use crate::vectors;

const ALWAYS: ValidityPeriod = ValidityPeriod { end: None, start: Time::EPOCH };

/// A log with its private key.
pub struct TestLog {
    pub key: PrivateKey,
    pub log: TransparencyLog,
}

impl TestLog {
    pub fn new(kind: KeyKind, url: &str) -> Self {
        Self::of(PrivateKey::generate(kind).unwrap(), url)
    }

    pub fn of(key: PrivateKey, url: &str) -> Self {
        let public = key.public_key().clone();
        Self { log: TransparencyLog::new(LogId::of_key(&public), url, public, ALWAYS), key }
    }

    /// A signature line over `text` under `name`.
    pub fn line(&self, name: &str, text: &str) -> String {
        let signature = match self.key.public_key().algorithm() {
            Algorithm::EcdsaP384 => self.key.sign_with(Scheme::EcdsaP384Sha384, text.as_bytes()).unwrap(),
            Algorithm::EcdsaP521 => self.key.sign_with(Scheme::EcdsaP521Sha512, text.as_bytes()).unwrap(),
            _ => self.key.sign(text.as_bytes()).unwrap(),
        };
        let hint = &self.log.id().as_bytes()[..4];
        format!("\u{2014} {name} {}\n", base64::encode(&[hint, signature.as_bytes()].concat()))
    }
}

fn text(origin: &str, size: u64) -> String {
    format!("{origin}\n{size}\n{}\n", base64::encode(MerkleHash::of_leaf(b"root").as_bytes()))
}

fn parse(note: &str) -> Result<Checkpoint, String> {
    Checkpoint::parse(note, &Limits::DEFAULT).map_err(|error| code(&error))
}

fn verdict(note: &str, log: &TransparencyLog, form: OriginForm) -> String {
    match parse(note).and_then(|checkpoint| checkpoint.verify(log, form).map_err(|error| code(&error))) {
        Ok(verified) => {
            assert_eq!(verified.log(), log.id());
            "verified".to_owned()
        }
        Err(code) => code,
    }
}

#[test]
fn every_case_of_the_suite_is_refused() {
    let Some(suite) = vectors::suite("checkpoints") else { return };
    for (name, case) in expected(&suite) {
        assert_eq!(case["expect"], "parse-error");
        let note = fs::read_to_string(suite.join("open").join(&name)).unwrap();
        assert_eq!(parse(&note), Err("checkpoint-malformed".to_owned()), "{name}");
    }
}

#[test]
fn logs_sign_with_keys_of_each_kind() {
    let made = [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384].map(|kind| PrivateKey::generate(kind).unwrap());
    let files = ["p521.key", "rsa.key"].map(|name| {
        let file = format!("{}/testdata/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        PrivateKey::parse(&fs::read(file).unwrap(), &Limits::DEFAULT, || panic!("not encrypted")).unwrap()
    });
    for key in made.into_iter().chain(files) {
        let log = TestLog::of(key, "https://log.example/");
        let note = text("log.example", 7);
        let signed = format!("{note}\n{}", log.line("log.example", &note));
        assert_eq!(verdict(&signed, &log.log, OriginForm::Exact), "verified");
        let stated = parse(&signed).unwrap();
        assert_eq!((stated.origin(), stated.tree_size()), ("log.example", 7));
        let checkpoint = stated.verify(&log.log, OriginForm::Exact).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.tree_size()), ("log.example", 7));
        assert_eq!(*checkpoint.root(), MerkleHash::of_leaf(b"root"));

        let tree = text("log.internal - 42", 7);
        let signed = format!("{tree}\n{}", log.line("log.internal", &tree));
        assert_eq!(verdict(&signed, &log.log, OriginForm::Tree), "verified");
        assert_eq!(verdict(&signed, &log.log, OriginForm::Exact), "checkpoint-origin");
    }
}

/// What a log signed is shown, so it has no control characters.
#[test]
fn a_checkpoint_with_a_control_character_is_refused() {
    let log = TestLog::new(KeyKind::Ed25519, "https://log.example");
    let with = |extension: &str| {
        let note = format!("{}{extension}\n", text("log.example", 7));
        verdict(&format!("{note}\n{}", log.line("log.example", &note)), &log.log, OriginForm::Exact)
    };
    assert_eq!(with("a b"), "verified");
    assert_eq!(["a\tb", "a\r", "\u{1b}[2J"].map(with), ["checkpoint-malformed"; 3]);
}

/// The key decides the algorithm: a log with a P-384 key signs with SHA-384, never with SHA-256.
#[test]
fn a_log_signs_by_one_algorithm() {
    let log = TestLog::new(KeyKind::P384, "https://log.example");
    let note = text("log.example", 7);
    let signature = log.key.sign_with(Scheme::EcdsaP384Sha256, note.as_bytes()).unwrap();
    let bytes = [&log.log.id().as_bytes()[..4], signature.as_bytes()].concat();
    let signed = format!("{note}\n\u{2014} log.example {}\n", base64::encode(&bytes));
    assert_eq!(verdict(&signed, &log.log, OriginForm::Exact), "checkpoint-signature");
}

#[test]
fn each_fault_has_its_rule() {
    let log = TestLog::new(KeyKind::Ed25519, "https://log.example:8080/v2/");
    let other = TestLog::new(KeyKind::Ed25519, "https://log.example");
    let witness = TestLog::new(KeyKind::Ed25519, "https://witness.example");
    let good = text("log.example", 7);
    let line = log.line("log.example", &good);
    let cosigned = witness.line("witness.example", &good);
    let signed = |text: &str| format!("{text}\n{}", log.line("log.example", text));
    let exact = |note: &str| verdict(note, &log.log, OriginForm::Exact);

    // A signature may stand beside those of witnesses, in any order, and extensions after the root hash.
    for note in [
        format!("{good}\n{line}"),
        format!("{good}\n{line}{cosigned}"),
        format!("{good}\n{cosigned}{line}"),
        signed(&format!("{good}extension\nanother one\n")),
    ] {
        assert_eq!(exact(&note), "verified", "{note}");
    }
    for origin in ["log.example", "log.example:8080", "log.example:8080/v2"] {
        let text = text(origin, 7);
        assert_eq!(exact(&format!("{text}\n{}", log.line(origin, &text))), "verified", "{origin}");
    }

    let cut = line.replace("\u{2014} log.example ", "");
    let tampered = {
        let mut bytes = base64::decode("line", cut.trim_end()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        format!("\u{2014} log.example {}\n", base64::encode(&bytes))
    };
    let hint = {
        let mut bytes = base64::decode("line", cut.trim_end()).unwrap();
        bytes[0] ^= 1;
        format!("\u{2014} log.example {}\n", base64::encode(&bytes))
    };
    let root = good.lines().nth(2).unwrap();
    for (note, want) in [
        // The signature.
        (format!("{good}\n{cosigned}"), "checkpoint-signature"),
        (format!("{good}\n{}", other.line("log.example", &good)), "checkpoint-signature"),
        (format!("{good}\n{tampered}"), "checkpoint-signature"),
        (format!("{good}\n{line}{tampered}"), "checkpoint-signature"),
        (format!("{good}\n{hint}"), "checkpoint-signature"),
        (format!("{good}\n{}", log.line("log.other", &good)), "checkpoint-signature"),
        (format!("{}\n{line}", text("log.example", 8)), "checkpoint-signature"),
        // The origin.
        (signed(&text("log.other", 7)), "checkpoint-origin"),
        (signed(&text("log.example - 1", 7)), "checkpoint-origin"),
        // The form of the text.
        (signed(&format!("log.example\n07\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("log.example\n+7\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("log.example\n-7\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("log.example\n18446744073709551616\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("log.example\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("7\n{root}\n")), "checkpoint-malformed"),
        (signed("log.example\n7\n"), "checkpoint-malformed"),
        (signed("log.example\n7\nAAAA\n"), "checkpoint-malformed"),
        (signed(&format!("\n7\n{root}\n")), "checkpoint-malformed"),
        (signed(&format!("log.example\n7\n{root}\r\n")), "checkpoint-malformed"),
        (signed(&format!("{good}\n\nextension\n")), "checkpoint-malformed"),
        // The form of the note.
        (good.clone(), "checkpoint-malformed"),
        (format!("{good}{line}"), "checkpoint-malformed"),
        (format!("{good}\n{}", line.trim_end()), "checkpoint-malformed"),
        (format!("{good}\n{}", line.replace('\u{2014}', "-")), "checkpoint-malformed"),
        (format!("{good}\n{line}\u{2014} short AAAA\n"), "checkpoint-malformed"),
        (format!("{good}\n{line}\u{2014} no-base64 AAAA====\n"), "checkpoint-malformed"),
        (format!("{good}\n{line}\u{2014} a+b AAAAAAAA\n"), "checkpoint-malformed"),
    ] {
        assert_eq!(exact(&note), want, "{note}");
    }
    let tree = |origin: &str| verdict(&signed(&text(origin, 7)), &log.log, OriginForm::Tree);
    assert_eq!([tree("log.example"), tree("log.example - "), tree("log.example - 1x")], ["checkpoint-origin"; 3]);
    assert_eq!(tree("log.example - 12"), "verified");
    assert_eq!(tree("log.other - 12"), "checkpoint-signature");
}

#[test]
fn a_checkpoint_is_bounded() {
    let log = TestLog::new(KeyKind::Ed25519, "https://log.example");
    let good = text("log.example", 7);
    let line = log.line("log.example", &good);
    let most = Limits::DEFAULT.transparency;
    let witness = format!("\u{2014} w {}\n", base64::encode(&[7; 68]));
    let with = |witnesses: u64| format!("{good}\n{line}{}", witness.repeat(witnesses as usize));
    let exact = |note: &str| verdict(note, &log.log, OriginForm::Exact);
    assert_eq!(exact(&with(most.checkpoint_signatures - 1)), "verified");
    assert_eq!(exact(&with(most.checkpoint_signatures)), "?transparency-limit");
    let long = |bytes: u64| {
        let short = format!("{good}\n{line}\u{2014} w AAAAAAAA\n");
        let text = format!("{good}\n{line}\u{2014} {} AAAAAAAA\n", "w".repeat(bytes as usize - short.len() + 1));
        assert_eq!(text.len() as u64, bytes);
        text
    };
    assert_eq!(exact(&long(most.checkpoint_bytes)), "verified");
    assert_eq!(exact(&long(most.checkpoint_bytes + 1)), "?transparency-limit");
}
