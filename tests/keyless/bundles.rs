//! The bundles of the conformance suite and of client test suites that have an envelope, each with its outcome by reason.

use bulla::envelope::Bundle;
use bulla::envelope::SignedDocument;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::trust::LogRule;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::Oid;

use crate::case::bundle_of;
use crate::case::evidence;
use crate::case::expected;
use crate::case::now;
use crate::case::own_names;
use crate::case::reason;
use crate::case::root_of;
use crate::case::root_of_case;
use crate::case::trusting;
use crate::case::verdict;
use crate::vectors;

/// The outcomes of a suite: cases with an envelope and a certificate.
fn outcomes(suite: &str, rule: LogRule) -> Option<Vec<(String, String)>> {
    let suite = vectors::suite(suite)?;
    let mut outcomes = Vec::new();
    for (name, case) in expected(&suite) {
        let Ok(bundle) = Bundle::parse(&bundle_of(&suite, &name), &Limits::DEFAULT) else { continue };
        if bundle.verification_material().certificates.is_empty() {
            continue;
        }
        let document = SignedDocument::Bundle(bundle);
        let names = match case["certificate_identity"].as_str() {
            Some(identity) => IdentityPattern::all(NonEmpty::one(NamePattern::Uri(identity.to_owned()))),
            None => own_names(&document),
        };
        let trust = trusting(root_of_case(&suite, &name, &case), names, rule);
        outcomes.push((name, verdict(&document, &trust, now())));
    }
    Some(outcomes)
}

#[test]
fn the_envelopes_of_the_conformance_suite_have_their_outcomes() {
    let Some(outcomes) = outcomes("sigstore-conformance", LogRule::PUBLIC) else { return };
    assert_eq!(outcomes, as_texts(CONFORMANCE));
}

#[test]
fn the_envelopes_of_client_suites_have_their_outcomes() {
    let Some(outcomes) = outcomes("sigstore-bundles", LogRule::PUBLIC) else { return };
    assert_eq!(outcomes, as_texts(CLIENTS));
}

/// Where name and issuer are those of a trusted identity, the reason is what the certificate does not say beside.
#[test]
fn a_refusal_says_which_condition_the_certificate_lacks() {
    let Some(suite) = vectors::suite("sigstore-bundles") else { return };
    let document =
        SignedDocument::Bundle(Bundle::parse(&bundle_of(&suite, "rust-happy-path"), &Limits::DEFAULT).unwrap());
    let said = |names: IdentityPattern| {
        let root = root_of(&suite.join("shared/trusted_root.production.json"));
        reason(&evidence(document.clone()), &trusting(root, names, LogRule::PUBLIC))
    };
    let condition = || NamePattern::Extension { id: Oid::parse("1.2.3.4").unwrap(), text: "push".to_owned() };
    let own = || own_names(&document);
    let missing = "which fits a trusted identity, but that one also asks for: extension 1.2.3.4=push";
    assert!(said(own().and(condition())).contains(missing), "{}", said(own().and(condition())));
    let other = || IdentityPattern::all(NonEmpty::one(NamePattern::Uri("https://acme.example".to_owned())));
    for names in [other(), other().and(condition()), own().and(NamePattern::Dns("acme.example".to_owned()))] {
        let said = said(names);
        assert!(said.contains("which no trusted identity has") && !said.contains(missing), "{said}");
    }
}

/// GitHub's private instance has timestamps, and neither logs nor certificate timestamps; its rule says so.
#[test]
fn a_rule_of_timestamps_alone_verifies_bundles_without_log_entries() {
    let private = LogRule::NONE.with_timestamps(1);
    let Some(outcomes) = outcomes("sigstore-bundles", private) else { return };
    // The trusted root of `gh-bundle` does not have its timestamp authority.
    let private = ["java-github-private-no-tlog", "rust-jdx-communique"];
    for (name, outcome) in outcomes {
        let public = CLIENTS.iter().find(|(case, _)| *case == name).unwrap().1;
        let stamped = ["java-bundle.dsse.rekor-v2.sigstore", "java-bundle.dsse.rekor-v2.bad-entry-type.sigstore"];
        match public {
            _ if private.contains(&&*name) => assert_eq!(outcome, "verified", "{name}"),
            // Its trusted root has a timestamp authority alone.
            _ if name == "rust-tsa-github-sha384" => assert_eq!(outcome, "trust"),
            "log-threshold" => assert_eq!(outcome, "timestamp-threshold", "{name}"),
            "verified" if !stamped.contains(&&*name) => assert_eq!(outcome, "timestamp-threshold", "{name}"),
            // What is there must verify, also where it is not required.
            _ => assert!([public, "timestamp-threshold"].contains(&&*outcome), "{name}: {outcome}"),
        }
    }
}

fn as_texts(outcomes: &[(&str, &str)]) -> Vec<(String, String)> {
    outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect()
}

const CONFORMANCE: &[(&str, &str)] = &[
    ("dsse-invalid-sig_fail", "signature"),
    ("dsse-mismatch-sig_fail", "log-entry-signature"),
    ("happy-path-intoto-in-dsse-v3", "verified"),
    ("intoto-expired-certificate_fail", "not-yet-valid"),
    ("intoto-log-entry-mismatch_fail", "log-entry-signature"),
    ("intoto-with-custom-trust-root", "verified"),
    ("rekor2-dsse-happy-path", "verified"),
    ("rekor2-dsse-invalid-sig_fail", "signature"),
    ("rekor2-dsse-mismatch-sig_fail", "log-entry-signature"),
];

const CLIENTS: &[(&str, &str)] = &[
    ("cosign-oci-attestation", "verified"),
    ("gh-bundle", "log-threshold"),
    ("gh-invalid-signature", "signature"),
    ("go-dsse", "verified"),
    ("go-sigstorejs-2.0.0-provenance", "verified"),
    ("java-bundle.dsse.bad-signature.sigstore", "signature"),
    ("java-bundle.dsse.mismatched-signature.sigstore", "log-entry-signature"),
    ("java-bundle.dsse.rekor-v2.bad-entry-type.sigstore", "log-entry-kind"),
    ("java-bundle.dsse.rekor-v2.sigstore", "verified"),
    ("java-bundle.dsse.sigstore", "verified"),
    ("java-github-private-no-tlog", "log-threshold"),
    ("js-bundleV01-dsse-no-proof.sigstore", "verified"),
    ("js-bundleV01-dsse-with-proof.sigstore", "verified"),
    ("js-bundleV02-intoto.sigstore", "verified"),
    ("rust-happy-path", "verified"),
    ("rust-jdx-communique", "log-threshold"),
    ("rust-tsa-github-sha384", "log-threshold"),
];
