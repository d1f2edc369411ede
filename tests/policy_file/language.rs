//! The language: a policy with every field, and what is read of it.

use bulla::policy_file::document::MaxAge;
use bulla::policy_file::document::MeansDocument;
use bulla::policy_file::document::RequirementRule;

use crate::document;

/// Every field of the language, most of them once.
pub const EVERYTHING: &str = include_str!("everything.yaml");

#[test]
fn a_policy_with_every_field_is_read() {
    let policy = document(EVERYTHING);
    assert_eq!(policy.expires.as_ref().unwrap().value.to_string(), "2027-12-31");
    assert_eq!(policy.expires.as_ref().unwrap().value.end().to_string(), "2028-01-01T00:00:00Z");
    let names: Vec<_> = policy.identities.iter().map(|identity| identity.name.value.as_str()).collect();
    assert_eq!(names, ["release", "logged", "security", "ci", "pipeline", "ann", "robot", "user", "importer"]);
    let MeansDocument::Keys(keys) = &policy.identities[0].means else { panic!() };
    assert_eq!((keys.keys.len(), keys.logs.is_some()), (4, false));
    let MeansDocument::Keyless(ci) = &policy.identities[3].means else { panic!() };
    assert_eq!((ci.logs.transparency_logs, ci.logs.certificate_logs, ci.logs.timestamps), (2, 1, 0));
    let block = &policy.images[0];
    assert_eq!(block.position.to_string(), "61:5");
    let words: Vec<_> = block.require.iter().map(|one| one.rule.word().map(|word| word.word())).collect();
    let want = ["signature", "annotation", "provenance", "sbom", "scan"].map(Some);
    assert_eq!(words, [want.as_slice(), &[None]].concat());
    let RequirementRule::Signature(signature) = &block.require[0].rule else { panic!() };
    assert_eq!((signature.signers.at_least.value, signature.signers.at_least.position.line), (2, 65));
    let RequirementRule::Scan(scan) = &block.require[4].rule else { panic!() };
    assert_eq!(scan.database_max_age.value.to_string(), "7d");
    assert_eq!(scan.ignore[1].package, None);
    let RequirementRule::Any(any) = &block.require[5].rule else { panic!() };
    let RequirementRule::All(all) = &any[1].rule else { panic!() };
    let RequirementRule::Statement(statement) = &all[1].rule else { panic!() };
    assert_eq!(statement.signers.max_age.as_ref().unwrap().value, MaxAge::Unlimited);
    assert_eq!(statement.fields.len(), 5);
    assert_eq!((block.exceptions[0].digests.len(), block.exceptions[1].digests.len()), (0, 1));
    assert!(policy.images[1].accept_unsigned.is_some() && policy.images[1].require.is_empty());
    assert!(policy.images[2].refuse.is_some());
}
