//! The requirements of a policy file, wherever they stand.

use crate::policy_file::document::Located;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::SignersDocument;

/// Every requirement of a policy, in the order of the file: those of the baseline and of all blocks, also inside `any` and
/// `all`.
pub(super) fn requirements(document: &PolicyDocument) -> Vec<&RequirementDocument> {
    let mut found = below(&document.baseline);
    document.images.iter().for_each(|block| found.extend(below(&block.require)));
    found
}

/// These requirements and those inside them, without `any` and `all` themselves. The depth of a document is bounded.
pub(super) fn below(requirements: &[RequirementDocument]) -> Vec<&RequirementDocument> {
    let mut found = Vec::new();
    for requirement in requirements {
        match &requirement.rule {
            RequirementRule::All(inner) | RequirementRule::Any(inner) => found.extend(below(inner)),
            _ => found.push(requirement),
        }
    }
    found
}

/// Who signs for a requirement, and for the VEX statements of a scan.
pub(super) fn signers(rule: &RequirementRule) -> Vec<&SignersDocument> {
    match rule {
        RequirementRule::All(_) | RequirementRule::Any(_) | RequirementRule::Provenance(_) => Vec::new(),
        RequirementRule::Annotation(annotation) => vec![&annotation.signers],
        RequirementRule::Sbom(sbom) => vec![&sbom.signers],
        RequirementRule::Scan(scan) => {
            std::iter::once(&scan.signers).chain(scan.vex.as_ref().map(|vex| &vex.signers)).collect()
        }
        RequirementRule::Signature(signature) => vec![&signature.signers],
        RequirementRule::Statement(statement) => vec![&statement.signers],
        RequirementRule::Test(test) => vec![&test.signers],
        RequirementRule::Vsa(vsa) => vec![&vsa.signers],
    }
}

/// The owners that a requirement names itself. Those who sign for its builders are named in `builders`.
pub(super) fn named_owners(rule: &RequirementRule) -> Vec<&Located<String>> {
    match rule {
        RequirementRule::Provenance(provenance) => provenance.by.iter().collect(),
        _ => signers(rule).into_iter().flat_map(|signers| &signers.by).collect(),
    }
}
