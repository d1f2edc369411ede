//! `--envelope-reader`: what only the lenient reader reads counts where it was chosen, and is told; nothing else changes.

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::envelope::EnvelopeError;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::SignedDocument;
use bulla::envelope::Strictness;
use bulla::limits::Limits;
use bulla::verify::Reason;
use serde_json::Value;
use serde_json::json;

use super::program::TestDirectory;
use super::scene::*;
use super::schema::faults_of_report;
use super::vectors;

const AS_NOTATION: &str = "--envelope-reader as-notation";

/// The envelope with the agent that old versions of notation wrote.
fn old_agent(bytes: Vec<u8>) -> Vec<u8> {
    let mut envelope: Value = serde_json::from_slice(&bytes).unwrap();
    envelope["header"]["io.cncf.notary.SigningAgent"] = json!("Notation/1.0.0");
    serde_json::to_vec(&envelope).unwrap()
}

/// The envelope with `new` in the place of `old`, which stands in it once.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let found: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
    let [at] = found[..] else { panic!("{found:?}") };
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// The unprotected header of a COSE envelope with the certificates alone begins so.
const COSE_HEADER: &[u8] = &[0xa1, 0x18, 33];

/// The exit code, the report, and the text of the same command.
fn both(place: &TestDirectory, command: &str) -> (i32, Value, String) {
    let run = |output: &str| {
        Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(command.split(' '))
            .args(["--certificate-identity", "bob=CN=release", "--output", output])
            .current_dir(place.path(""))
            .output()
            .unwrap()
    };
    let (json, text) = (run("json"), run("text"));
    assert_eq!(json.status, text.status);
    let report: Value = serde_json::from_slice(&json.stdout).unwrap_or_default();
    assert_eq!(faults_of_report(&report), Vec::<String>::new(), "{command}");
    let text = [text.stdout, text.stderr].concat();
    (json.status.code().unwrap(), report["results"][0].clone(), String::from_utf8(text).unwrap())
}

#[test]
fn what_only_the_lenient_reader_reads_counts_where_it_was_chosen_and_is_told() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    let cose = Signing { format: NotaryFormat::Cose, ..scene.signing() };
    place.edited("jws", &scene.signing(), "legacy", old_agent);
    place.edited("cose", &cose, "legacy", |bytes| replaced(&bytes, COSE_HEADER, &[0xa2, 7, 1, 0x18, 33]));
    for (name, rule) in [("jws", "name-case"), ("cose", "unknown-member")] {
        let verify = format!("verify oci:{name}:v1 --ca-roots root");
        let (code, report, text) = both(&place, &verify);
        assert_eq!((code, &report["findings"][0]["code"]), (1, &json!("envelope-unreadable")), "{text}");
        assert!(text.contains("the lenient reader (as-notation) reads it"), "{text}");
        assert!(text.contains("hint: --envelope-reader as-notation"), "{text}");
        assert_eq!(both(&place, &format!("{verify} --envelope-reader strict")).0, 1);

        let (code, report, text) = both(&place, &format!("{verify} {AS_NOTATION}"));
        assert_eq!((code, &report["acceptedSignatures"][0]["strictError"]["code"]), (0, &json!(rule)), "{text}");
        assert!(text.contains(&format!("read as notation reads it ({rule})")), "{text}");

        // The chain and the names decide as they do for every other envelope.
        assert_eq!(place.run(&format!("verify oci:{name}:v1 --ca-roots other {AS_NOTATION}")), (1, "trust".to_owned()));
        let late = format!("{verify} --at {} {AS_NOTATION}", scene.after(400 * DAY));
        assert_eq!(place.run(&late), (1, "expired".to_owned()));

        // The tree needs the same reader, and tells it.
        let tree = format!("tree oci:{name}:v1 --ca-roots root");
        let (code, report, text) = both(&place, &tree);
        assert_eq!((code, &report["attached"][0]["signed"]), (2, &json!([])), "{text}");
        let (code, report, text) = both(&place, &format!("{tree} {AS_NOTATION}"));
        let signed = &report["attached"][0]["signed"][0];
        assert_eq!((code, &signed["trusted"], &signed["strictError"]["code"]), (0, &json!(true), &json!(rule)));
        assert!(text.contains(&format!("read as notation reads it ({rule})")), "{text}");
    }
    // An envelope that the strict reader accepts is reported as strict by both readers.
    place.layout("plain", &scene.signing(), "legacy");
    let (code, report, text) = both(&place, &format!("verify oci:plain:v1 --ca-roots root {AS_NOTATION}"));
    assert_eq!((code, report["acceptedSignatures"][0].get("strictError")), (0, None));
    assert!(!text.contains("as notation"), "{text}");
}

#[test]
fn what_both_readers_refuse_stays_refused_without_a_hint() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    let agent_twice = |bytes: Vec<u8>| {
        let mut envelope: Value = serde_json::from_slice(&old_agent(bytes)).unwrap();
        envelope["header"]["io.cncf.notary.signingAgent"] = json!("other");
        serde_json::to_vec(&envelope).unwrap()
    };
    let member_twice = |bytes: Vec<u8>| replaced(&bytes, b"\"header\":{", b"\"header\":{\"x5c\":[],");
    let in_both = |bytes: Vec<u8>| replaced(&bytes, b"\"header\":{", b"\"header\":{\"alg\":\"ES256\",");
    place.edited("ambiguous", &scene.signing(), "legacy", agent_twice);
    place.edited("duplicate", &scene.signing(), "legacy", member_twice);
    place.edited("both", &scene.signing(), "legacy", in_both);
    let cose = Signing { format: NotaryFormat::Cose, ..scene.signing() };
    place.edited("cose", &cose, "legacy", |bytes| replaced(&bytes, COSE_HEADER, &[0xa3, 7, 1, 7, 1, 0x18, 33]));
    for name in ["ambiguous", "duplicate", "both", "cose"] {
        for reader in ["strict", "as-notation"] {
            let command = format!("verify oci:{name}:v1 --ca-roots root --envelope-reader {reader}");
            let (code, report, text) = both(&place, &command);
            assert_eq!((code, &report["findings"][0]["code"]), (1, &json!("envelope-unreadable")), "{command}: {text}");
            assert!(!text.contains("as-notation"), "{command}: {text}");
        }
    }
    // The lenient reader changes nothing about the signature.
    place.edited("changed", &scene.signing(), "legacy", |bytes| {
        let mut envelope: Value = serde_json::from_slice(&old_agent(bytes)).unwrap();
        envelope["payload"] = json!("e30");
        serde_json::to_vec(&envelope).unwrap()
    });
    let changed = place.run(&format!("verify oci:changed:v1 --ca-roots root {AS_NOTATION}"));
    assert_eq!(changed, (1, "signature".to_owned()));
}

/// The envelopes with an agent in another case in the tests of notation, as the signature of an image.
#[test]
fn the_old_envelopes_of_notation_are_read_and_what_they_sign_decides() {
    let Some(suite) = vectors::suite("notation-envelopes") else { return };
    let Some(place) = TestDirectory::new() else { return };
    for (name, lenient) in [("mock-ca_plugin_sig_env", true), ("mock-sa_invalid_sig_env", false)] {
        let file = suite.join("open").join(name).join("signature.jws.json");
        place.edited(name, &place.scene.signing(), "legacy", |_| fs::read(&file).unwrap());
        let verify = format!("verify oci:{name}:v1 --ca-roots root");
        let (code, _, text) = both(&place, &verify);
        assert_eq!((code, text.contains("hint: --envelope-reader as-notation")), (1, lenient), "{text}");
        let (code, report, text) = both(&place, &format!("{verify} {AS_NOTATION}"));
        let unreadable = report["findings"][0]["code"] == "envelope-unreadable";
        assert!(code != 0 && unreadable != lenient, "{code} {report} {text}");
    }
}

/// The bytes of the one JWS envelope in a layout.
fn envelope_in(layout: &Path) -> Vec<u8> {
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|blob| fs::read(blob.unwrap().path()).unwrap());
    let mut found = blobs.filter(|bytes| {
        NotaryEnvelope::parse(NotaryFormat::Jws, bytes, &Limits::DEFAULT, Strictness::AsNotation).is_ok()
    });
    found.next().unwrap()
}

#[test]
fn an_import_carries_the_bytes_as_they_are_and_reads_them_back_by_the_same_reader() {
    let Some(place) = TestDirectory::new() else { return };
    place.edited("app", &place.scene.signing(), "legacy", old_agent);
    assert_eq!(place.run("import oci:app:v1 oci:strict:v1 --ca-roots root").0, 1);
    assert!(!place.path("strict").exists());
    let import = format!("import oci:app:v1 oci:in:v1 --ca-roots root {AS_NOTATION}");
    let (code, report, text) = both(&place, &format!("{import} --dry-run"));
    assert_eq!((code, &report["acceptedSignatures"][0]["strictError"]["code"]), (0, &json!("name-case")), "{report}");
    assert!(text.contains("read as notation reads it (name-case)"), "{text}");
    assert_eq!(place.run(&import).0, 0);
    assert_eq!(envelope_in(&place.path("in")), envelope_in(&place.path("app")));
    assert_eq!(place.run(&format!("verify oci:in:v1 --ca-roots root {AS_NOTATION}")).0, 0);
    assert_eq!(place.run("verify oci:in:v1 --ca-roots root").0, 1);
}

#[test]
fn a_trust_policy_leaves_the_reader_strict() {
    let Some(place) = TestDirectory::new() else { return };
    place.edited("app", &place.scene.signing(), "legacy", old_agent);
    let store = place.path("ts/x509/ca/acme");
    fs::create_dir_all(&store).unwrap();
    fs::copy(place.path("root"), store.join("root.pem")).unwrap();
    for (verification, accepted) in
        [(json!({"level": "strict"}), 0), (json!({"level": "strict", "override": {"expiry": "log"}}), 2)]
    {
        let statement = json!({
            "name": "all", "registryScopes": ["*"], "signatureVerification": verification,
            "trustStores": ["ca:acme"], "trustedIdentities": ["*"],
        });
        let document = json!({"version": "1.0", "trustPolicies": [statement]}).to_string();
        fs::write(place.path("policy.json"), document).unwrap();
        let verify = |options: &[&str]| {
            let out = Command::new(env!("CARGO_BIN_EXE_bulla"))
                .args(["verify", "oci:app:v1", "--trust-policy", "policy.json", "--trust-store", "ts"])
                .args(["--scope", "registry.example/app", "--output", "json"])
                .args(options)
                .current_dir(place.path(""))
                .output()
                .unwrap();
            let report: Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!(faults_of_report(&report), Vec::<String>::new());
            (out.status.code().unwrap(), report["results"][0].clone())
        };
        let (code, report) = verify(&[]);
        assert_eq!((code, &report["findings"][0]["code"]), (1, &json!("envelope-unreadable")));
        let (code, report) = verify(&["--envelope-reader", "as-notation"]);
        let told = [&report["acceptedSignatures"][0], &report["notEnforced"]["signatures"][0]];
        assert_eq!(code, accepted, "{report}");
        assert!(told.iter().any(|signature| signature["strictError"]["code"] == "name-case"), "{report}");
    }
}

/// Evidence that a caller read leniently counts only for a verifier that reads so.
#[test]
fn a_strict_verifier_refuses_evidence_that_was_read_leniently() {
    let Some(scene) = SCENE.as_ref() else { return };
    let read = |bytes: &[u8]| {
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, bytes, &Limits::DEFAULT, Strictness::AsNotation);
        Evidence::new(SignedDocument::Notary(envelope.unwrap()), FoundAt::Referrers, Vec::new())
    };
    let evidence = [read(&old_agent(scene.signing().bytes()))];
    let strict = verifier([scene.identity("bob", "CN=release")], 1);
    let refusal = strict.verify(image(), &evidence, scene.now()).unwrap_err();
    assert!(!refusal.is_undetermined());
    assert!(matches!(refusal.findings[0].reason, Reason::Envelope(EnvelopeError::OnlyLenient(_))), "{refusal:?}");
    let lenient = strict.clone().with_envelope_reader(Strictness::AsNotation);
    let verified = lenient.verify(image(), &evidence, scene.now()).unwrap();
    assert!(verified.accepted().first().evidence.document().strict_error().is_some());
    assert!(lenient.restrict(&verified, |_| true).is_some());
    assert!(strict.restrict(&verified, |_| true).is_none());
    // What the strict reader reads too is no other evidence for having been read leniently.
    let plain = read(&scene.signing().bytes());
    assert!(plain.document().strict_error().is_none());
    assert!(strict.verify(image(), [&plain], scene.now()).is_ok());
}
