//! Owners of VEX statements who sign with certificates: a vulnerability is cleared only by owners who have been paired with
//! signers of their own.

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::policy::Condition;
use bulla::policy::MaxAgeRule;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::ScanRule;
use bulla::policy::StatementKinds;
use bulla::policy::Threshold;
use bulla::policy::TimeEvidence;
use bulla::policy::VexRequirement;
use bulla::predicate::FindingRule;
use bulla::predicate::FindingsCounted;
use bulla::predicate::PredicateKind;
use bulla::predicate::ScanFormat;
use bulla::predicate::Severity;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::Value;
use serde_json::json;

use crate::later;
use crate::made::Made;
use crate::own;

pub const ISSUER: &str = "https://issuer.example";
pub const OPENVEX: &str = "https://openvex.dev/ns";
pub const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// A scan that found a vulnerability counts if VEX statements of `threshold` of these owners clear it.
pub fn verifier(trust: &TrustRoot, threshold: u32, steps: u64) -> Verifier {
    let quorum = |count| Quorum::of_all(trust, Threshold::new(count).unwrap()).unwrap();
    let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::Scan(ScanFormat::InTotoVulns)));
    let (count, highest_allowed) = (FindingsCounted::All, Some(Severity::Medium));
    let rule = ScanRule::new(FindingRule { count, highest_allowed, ignored: Vec::new() });
    let max_age = MaxAgeRule { limit: None, time: TimeEvidence::Document };
    let requirement = Requirement::new("scanned", kinds, quorum(1))
        .and(Condition::Scan(rule))
        .with_vex(VexRequirement::new(quorum(threshold), max_age));
    let limits = Limits::DEFAULT.with(|limits| limits.evidence.pairing_steps = steps);
    Verifier::new(trust.clone(), Policy::one(requirement), limits).unwrap()
}

/// A scan with these findings.
pub fn scan(time: &str, found: &[String]) -> Value {
    let found: Vec<_> =
        found.iter().map(|id| json!({"id": id, "severity": [{"method": "nvd", "score": "HIGH"}]})).collect();
    let scanner = json!({"uri": "https://example.com/scanner", "result": found});
    json!({"scanner": scanner, "metadata": {"scanFinishedOn": time}})
}

/// A document that clears these vulnerabilities.
pub fn clearing(time: &str, cleared: &[String]) -> Value {
    let statements: Vec<_> =
        cleared.iter().map(|id| json!({"vulnerability": {"name": id}, "status": "fixed"})).collect();
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "a", "version": 1,
        "timestamp": time, "statements": statements,
    })
}

/// An image without layers.
pub fn image() -> Content {
    let config = Content::from_bytes(OCI_CONFIG, b"{}".to_vec());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    Content::from_bytes(OCI_MANIFEST, manifest.to_string().into_bytes())
}

/// However many findings the same owners clear, they are paired once; and what other owners clear takes from the same steps.
/// The least limit with which the image is accepted is the number of steps that were needed.
#[test]
fn owners_are_paired_once_for_all_findings_that_they_clear() {
    let Some(authorities) = own::AUTHORITIES.as_ref() else { return };
    let name = |name: &str| format!("https://acme.example/{name}");
    let signer = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|one| name(one)).collect();
        authorities.signer(&authorities.first, &names.join(",URI:"), &own::issuers(ISSUER, ISSUER))
    };
    // Two of ann, bob and carol can be paired, which only the search finds; dan needs none.
    let signers = [signer(&["ann", "x"]), signer(&["bob", "x", "y"]), signer(&["carol", "y"]), signer(&["dan"])];
    let owners = ["ann", "bob", "carol", "dan"].map(|owner| own::identity(owner, &authorities.first, &name(owner)));
    let trust = TrustRoot::new(owners).unwrap();
    let start = signers.iter().map(|signer| signer.certificate.not_before()).max().unwrap();
    let root = image();
    let time = start.to_string();
    let signed = |signer: &Made, kind: &str, stated: &Value| {
        own::read(&own::bundle_stating(signer, root.digest(), (kind, stated)))
    };
    let ids = |prefix: &str, many: usize| -> Vec<String> { (0..many).map(|n| format!("CVE-{prefix}-{n}")).collect() };
    // The steps for findings that all four clear, and those that dan says nothing about.
    let least = |by_four: usize, by_three: usize| -> u64 {
        let (four, three) = (ids("4", by_four), ids("3", by_three));
        let all = [&four[..], &three].concat();
        let mut evidence = vec![signed(&signers[0], VULNS, &scan(&time, &all))];
        evidence.extend(signers[..3].iter().map(|signer| signed(signer, OPENVEX, &clearing(&time, &all))));
        if !four.is_empty() {
            evidence.push(signed(&signers[3], OPENVEX, &clearing(&time, &four)));
        }
        let accepts = |steps: &u64| {
            verifier(&trust, 2, *steps).verify_image(&root, |_: &Digest| &evidence, later(start, 60)).is_ok()
        };
        (0..1_000).find(accepts).expect("so many steps are enough")
    };
    let (once, both) = (least(0, 1), least(1, 1));
    assert!(once > 0 && both > once, "{once} {both}");
    assert_eq!(least(0, 40), once);
    assert_eq!(least(1, 40), both);
    assert_eq!(least(40, 40), both);
}

/// Bob's certificate has a name of Ann's and one of Carol's: two of the three clear the vulnerability, which only the search
/// finds. Where a limit ends it, the image is neither accepted nor refused.
#[test]
fn vex_owners_who_cannot_be_paired_within_the_limit_are_could_not_tell() {
    let Some(authorities) = own::AUTHORITIES.as_ref() else { return };
    let name = |name: &str| format!("https://acme.example/{name}");
    let signer = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|one| name(one)).collect();
        authorities.signer(&authorities.first, &names.join(",URI:"), &own::issuers(ISSUER, ISSUER))
    };
    let signers = [signer(&["ann", "x"]), signer(&["bob", "x", "y"]), signer(&["carol", "y"])];
    let owners = ["ann", "bob", "carol"].map(|owner| own::identity(owner, &authorities.first, &name(owner)));
    let trust = TrustRoot::new(owners).unwrap();
    let start = signers.iter().map(|signer| signer.certificate.not_before()).max().unwrap();

    let root = image();
    let found = ["CVE-1".to_owned()];
    let (scan, vex) = (scan(&start.to_string(), &found), clearing(&start.to_string(), &found));
    let signed = |signer: &Made, stated| own::read(&own::bundle_stating(signer, root.digest(), stated));
    let mut evidence = vec![signed(&signers[0], (VULNS, &scan))];
    evidence.extend(signers.iter().map(|signer| signed(signer, (OPENVEX, &vex))));

    let most = Limits::DEFAULT.evidence.pairing_steps;
    for (threshold, steps, want) in [
        (1, 0, "accepted"),
        (2, most, "accepted"),
        (3, most, "vulnerabilities"),
        (2, 0, "pairing-limit"),
        (3, 0, "pairing-limit"),
    ] {
        let judged = verifier(&trust, threshold, steps).verify_image(&root, |_: &Digest| &evidence, later(start, 60));
        let code = judged.as_ref().map_or_else(|refusal| refusal.requirements[0].code, |_| "accepted");
        assert_eq!(code, want, "{threshold} {steps}");
        if let Err(refusal) = judged {
            let limited = want == "pairing-limit";
            assert_eq!(refusal.is_undetermined(), limited, "{threshold} {steps}");
            let reasons = refusal.findings.iter().map(|(_, finding)| finding.reason.to_string());
            assert_eq!(
                reasons.filter(|reason| reason.contains("evidence.pairing_steps")).count(),
                usize::from(limited)
            );
        }
    }
}
