//! Lints about a maximum age that decides nothing, since another one is reached before it.

use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::lint::rule::PolicyLint;
use crate::policy_file::lint::rule::PolicyLintRule;
use crate::policy_file::walk;

/// Scans whose `max-age` is not smaller than `database-max-age`: the database is at least as old as the scan.
pub(super) fn without_effect(document: &PolicyDocument) -> Vec<PolicyLint> {
    let mut lints = Vec::new();
    for requirement in walk::requirements(document) {
        let RequirementRule::Scan(scan) = &requirement.rule else { continue };
        let Some(max_age) = &scan.signers.max_age else { continue };
        let (age, database) = (max_age.value, scan.database_max_age.value);
        if let (Some(most), Some(of_database)) = (age.seconds(), database.seconds())
            && most >= of_database
        {
            let rule = PolicyLintRule::MaxAgeWithoutEffect { database, max_age: age };
            lints.push(PolicyLint { position: max_age.position, rule });
        }
    }
    lints
}
