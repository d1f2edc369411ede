//! Images that released tools signed: what they accept is accepted, what they refuse is refused, and the kind counts.
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
    reason = "tests stop where they fail"
)]

mod proof;

use std::collections::BTreeSet;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::TagOrDigest;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::tree;
use bulla::ops::tree::TreeNode;
use bulla::ops::tree::TreeTrust;
use bulla::ops::tree::Trust;
use bulla::ops::verify;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use bulla::store::Source;
use bulla::trust::TrustRoot;
use proof::Ask;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use proof::goldens;
use proof::goldens::Case;
use proof::now;
use proof::word;

/// The verdict on the one image of a layout.
fn verdict(layout: &Layout, ask: &Ask) -> Verdict {
    let sole = layout.sole().expect("one image");
    let tag_or_digest = TagOrDigest::Digest(sole.digest);
    let verifier = ask.verifier();
    let outcome = proof::outcome(now(verify::verify(
        layout,
        &tag_or_digest,
        &Platforms::Root,
        proof::options(&verifier, DiscoverUntil::PolicyMet, &ask.limits),
    )));
    let outcome = outcome.expect("an outcome");
    assert_eq!(outcome.subject, sole.digest);
    outcome.verdict
}

/// The kinds of statement that are attached to the image of a layout, as the statements claim.
fn kinds(layout: &Layout) -> BTreeSet<StatementKind> {
    fn collect(node: &TreeNode, kinds: &mut BTreeSet<StatementKind>) {
        kinds.extend(node.signed.iter().filter_map(|signed| signed.kind.clone()));
        node.attached.iter().for_each(|node| collect(node, kinds));
    }
    let root = now(layout.resolve(&TagOrDigest::Digest(layout.sole().expect("one image").digest))).expect("an image");
    let mut kinds = BTreeSet::new();
    collect(&now(tree::tree(layout, root, None, proof::NOW, &Limits::DEFAULT)).expect("a tree"), &mut kinds);
    kinds
}

/// The kind that a check means: what it says, else the one kind that there is.
fn kind_of(case: &Case, output: Option<&StatementKind>) -> StatementKind {
    let there = kinds(&case.layout());
    let kind = output.cloned().unwrap_or_else(|| there.first().expect("a statement").clone());
    assert_eq!(there, BTreeSet::from([kind.clone()]), "{} holds other statements", case.name);
    kind
}

#[test]
fn signatures_of_released_tools_get_the_same_verdict_as_there() {
    let Some(suite) = goldens::suite() else { return };
    let (cases, others) = goldens::cases(&suite);
    assert!(cases.len() >= 15, "only {} cases found", cases.len());
    let (mut accepted, mut refused) = (0, 0);
    for case in &cases {
        for check in &case.checks {
            let kind = kind_of(case, check.kind.as_ref());
            let verdict = verdict(&case.layout(), &check.ask(&kind));
            let want = if check.accept { "accepted" } else { "refused" };
            assert_eq!(word(&verdict), want, "{}: {}: {verdict:#?}", case.name, check.text);
            *(if check.accept { &mut accepted } else { &mut refused }) += 1;
        }
    }
    println!("peer-goldens: {} cases, {accepted} checks accepted, {refused} refused", cases.len());
    println!("peer-goldens: {} cases not run, formats that are not read yet: {}", others.len(), others.join(" "));
}

#[test]
fn no_other_key_is_trusted() {
    let Some(suite) = goldens::suite() else { return };
    let other = goldens::other_key(&suite);
    for case in goldens::cases(&suite).0 {
        let kind = kind_of(&case, case.checks[0].kind.as_ref());
        let own = case.checks.iter().any(|check| check.accept && check.key() == other);
        if !own {
            let verdict = verdict(&case.layout(), &Ask::by([other.clone()]).kind(kind));
            assert_eq!(word(&verdict), "refused", "{}", case.name);
            assert!(proof::codes(&verdict).contains("no-trusted-key"), "{}: {verdict:?}", case.name);
        }
    }
}

// An attestation by the trusted key is no signature, and a signature is no attestation
// (threats: attestation-as-signature).
#[test]
fn a_statement_of_one_kind_never_counts_as_another() {
    let Some(suite) = goldens::suite() else { return };
    let mut seen = 0;
    for case in goldens::cases(&suite).0 {
        let check = case.checks.iter().find(|check| check.accept).expect("a check that accepts");
        let kind = kind_of(&case, check.kind.as_ref());
        let slsa = proof::attestation("https://slsa.dev/provenance/v1");
        let vuln = proof::attestation("https://cosign.sigstore.dev/attestation/vuln/v1");
        for wrong in [StatementKind::ImageSignature, slsa, vuln].into_iter().filter(|wrong| *wrong != kind) {
            let verdict = verdict(&case.layout(), &Ask::by([check.key()]).kind(wrong.clone()));
            assert_eq!(word(&verdict), "refused", "{} as {wrong}", case.name);
            let codes = proof::codes(&verdict);
            let known = BTreeSet::from(["no-trusted-key", "wrong-kind"]);
            assert!(codes.is_subset(&known), "{} as {wrong}: {codes:?}", case.name);
            seen += 1;
        }
    }
    println!("peer-goldens: {seen} questions for another kind refused");
}

#[test]
fn unsigned_annotations_do_not_meet_a_condition() {
    let Some(suite) = goldens::suite() else { return };
    for case in goldens::cases(&suite).0 {
        for check in case.checks.iter().filter(|check| check.accept) {
            let kind = kind_of(&case, check.kind.as_ref());
            let verdict = verdict(&case.layout(), &check.ask(&kind).annotation("env", "not-this"));
            assert_eq!(word(&verdict), "refused", "{}", case.name);
            assert!(proof::codes(&verdict).contains("annotation"), "{}", case.name);
        }
    }
}

// With every key of the suite trusted, exactly as many count as have signed (threats: key-counted-twice).
#[test]
fn a_threshold_counts_the_keys_that_signed() {
    let Some(suite) = goldens::suite() else { return };
    let paths = std::fs::read_dir(suite.join("shared/keys")).expect("keys").map(|file| file.expect("a key").path());
    let keys: Vec<_> = paths.filter(|path| path.extension().is_some_and(|extension| extension == "pub")).collect();
    let keys: Vec<_> = keys.iter().map(|path| goldens::read_key(path)).collect();
    let mut most = 0;
    for case in goldens::cases(&suite).0 {
        let layout = case.layout();
        let ask = Ask::by(keys.clone()).kind(kind_of(&case, case.checks[0].kind.as_ref()));
        let of_all = ask.of_everything(&layout, layout.sole().unwrap().digest);
        // Keys of the suite and of a case that are the same are one key.
        let signed = u32::try_from(proof::yes(&of_all).map_or(0, |reported| reported.keys().len())).unwrap();
        if signed > 0 {
            assert_eq!(word(&verdict(&layout, &ask.clone().threshold(signed))), "accepted", "{}", case.name);
        }
        assert_eq!(word(&verdict(&layout, &ask.threshold(signed + 1))), "refused", "{}", case.name);
        most = most.max(signed);
    }
    assert!(most >= 2, "no case with two keys was found");
}

// The tree asks the same verifier, so it says the same.
#[test]
fn the_tree_trusts_what_verify_accepts() {
    fn trusted(node: &TreeNode) -> usize {
        let own = node.signed.iter().filter(|signed| matches!(signed.trust, Trust::Trusted(_))).count();
        own + node.attached.iter().map(trusted).sum::<usize>()
    }
    let Some(suite) = goldens::suite() else { return };
    for case in goldens::cases(&suite).0 {
        for check in &case.checks {
            let layout = case.layout();
            let root = now(layout.resolve(&TagOrDigest::Digest(layout.sole().unwrap().digest))).unwrap();
            let trust = TrustRoot::pinned([check.key()]).unwrap();
            let tree =
                now(tree::tree(&layout, root, Some(TreeTrust::new(&trust)), proof::NOW, &Limits::DEFAULT)).unwrap();
            assert_eq!(trusted(&tree) > 0, check.accept, "{}: {}", case.name, check.text);
        }
    }
}

#[test]
fn the_unsigned_image_is_refused() {
    let Some(suite) = goldens::suite() else { return };
    let layout = Layout::open(suite.join("shared/unsigned-image"), Limits::DEFAULT).expect("a layout");
    for kind in [StatementKind::ImageSignature, proof::attestation("https://slsa.dev/provenance/v1")] {
        for file in std::fs::read_dir(suite.join("shared/keys")).expect("keys") {
            let path = file.expect("a key").path();
            if path.extension().is_some_and(|extension| extension == "pub") {
                let verdict = verdict(&layout, &Ask::by([goldens::read_key(&path)]).kind(kind.clone()));
                assert_eq!(word(&verdict), "refused", "{}", path.display());
                assert!(proof::codes(&verdict).is_empty(), "{verdict:?}");
            }
        }
    }
}

// cosign before 3.0.5 left out `predicate`, and never writes a name: these are the signed bytes of a genuine signature
// but for the digest.
#[test]
fn the_short_statement_of_cosign_is_accepted() {
    for format in [Format::Bundle, Format::Dsse] {
        let fixture = TestStore::new();
        let image = fixture.image(1);
        let payload = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{{}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1"}}"#,
            image.digest().hex()
        );
        let signed_layer = TestPayload::statement(payload.into_bytes()).sign(format, &[proof::key()]);
        fixture.attach(&image, Location::Referrers, &StatementKind::ImageSignature, format, &[signed_layer]);
        assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), *image.digest())), "accepted");
        let other = Digest::sha256(b"another image");
        assert_eq!(word(&Ask::new().of(fixture.sink.as_ref(), other)), "refused");
    }
}
