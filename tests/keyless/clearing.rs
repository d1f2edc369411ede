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

const ISSUER: &str = "https://issuer.example";
const OPENVEX: &str = "https://openvex.dev/ns";
const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// A scan that found a vulnerability counts if VEX statements of `threshold` of these owners clear it.
fn verifier(trust: &TrustRoot, threshold: u32, steps: u64) -> Verifier {
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

/// A scan with one finding, and a document that clears it.
fn predicates(time: &str) -> (Value, Value) {
    let found = json!({"id": "CVE-1", "severity": [{"method": "nvd", "score": "HIGH"}]});
    let scanner = json!({"uri": "https://example.com/scanner", "result": [found]});
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "a", "version": 1,
        "timestamp": time, "statements": [{"vulnerability": {"name": "CVE-1"}, "status": "fixed"}],
    });
    (json!({"scanner": scanner, "metadata": {"scanFinishedOn": time}}), vex)
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

    let config = Content::from_bytes(OCI_CONFIG, b"{}".to_vec());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": [],
    });
    let root = Content::from_bytes(OCI_MANIFEST, manifest.to_string().into_bytes());
    let (scan, vex) = predicates(&start.to_string());
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
