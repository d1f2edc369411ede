//! What is missing before a policy lets an image in, and who can supply it with which command.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::digest::Digest;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::ordered;
use crate::policy::About;
use crate::policy::Condition;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::policy::StatementKinds;
use crate::report::checks::CheckResult;
use crate::report::checks::RequirementCheck;
use crate::report::policy::explain;
use crate::trust::Identity;
use crate::trust::Means;
use crate::trust::Owner;
use crate::verify::RequirementVerdict;

/// A requirement of a policy on an image: met or not, and who can supply what is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SuppliedRequirement {
    /// The stable code; `None` where nothing is missing.
    pub code: Option<&'static str>,
    /// Its place in the policy: `images[0].require[1].sbom`; `policy` if the policy decides without evidence.
    pub id: String,
    /// Its line in the policy file.
    pub line: Option<u32>,
    /// What is missing, for people, or why nothing has to be there.
    pub message: Option<String>,
    /// `met`, `missing`, `undetermined` or `waived`.
    pub result: &'static str,
    /// Who can supply what is missing.
    pub suppliers: Vec<Supplier>,
}

/// An owner who can supply what is missing, and the commands for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Supplier {
    /// What the owner types, one for each manifest; empty where this program cannot make the signature.
    pub commands: Vec<String>,
    /// What else there is to know.
    pub note: Option<&'static str>,
    /// The owner.
    pub owner: String,
}

/// Each requirement of a policy on the image `reference` that decides, met or not. Of alternatives (`any`) only the one that
/// is met, or all of them.
pub fn supplied(reference: &Reference, outcome: &PolicyOutcome<'_>) -> Vec<SuppliedRequirement> {
    let verdicts = explain::requirements(outcome);
    let of_check = |check: RequirementCheck| {
        let (result, code, message) = match check.result {
            CheckResult::Met => ("met", None, None),
            CheckResult::Undetermined { code, message } => ("undetermined", Some(code), Some(message)),
            CheckResult::Unmet { code, message } => ("missing", Some(code), Some(message)),
            CheckResult::Waived { message } => ("waived", None, Some(message)),
        };
        let verdict = verdicts.iter().find(|verdict| verdict.id.to_string() == check.requirement);
        let suppliers = verdict.filter(|verdict| verdict.decision != Decision::Met);
        SuppliedRequirement {
            code,
            id: check.requirement,
            line: check.place.line,
            message,
            result,
            suppliers: suppliers.map(|verdict| suppliers_of(reference, outcome, verdict)).unwrap_or_default(),
        }
    };
    explain::checks("", outcome).into_iter().map(of_check).collect()
}

fn suppliers_of(reference: &Reference, outcome: &PolicyOutcome<'_>, verdict: &RequirementVerdict) -> Vec<Supplier> {
    let required = match &outcome.verdict {
        PolicyVerdict::Accepted(required, _) | PolicyVerdict::Unmet(required, _) => required,
        PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => return Vec::new(),
    };
    let requirements = required.policy.requirements();
    let Some(requirement) = requirements.iter().find(|requirement| *requirement.id() == verdict.id) else {
        return Vec::new();
    };
    // No statement could be about an index or a platform that is not there.
    if verdict.lacking.is_empty() {
        return Vec::new();
    }
    let subjects = subjects(reference, outcome, verdict);
    let identities = outcome.policy.trust().map(|trust| trust.identities()).unwrap_or_default();
    let make = |owner: &Owner, what: &str, verb: &str| supplier(owner, identities, &subjects, (verb, what));
    let (verb, what) = statement(requirement);
    let owners = explain::missing_owners(requirement, verdict, outcome.root.digest());
    let mut suppliers: Vec<Supplier> = owners.into_iter().map(|owner| make(owner, &what, verb)).collect();
    // VEX statements clear what a scan found.
    if let Some(vex) = requirement.vex().filter(|_| verdict.code == explain::VULNERABILITIES) {
        let what = "--type vex --predicate FILE";
        suppliers.extend(vex.quorum.owners().iter().map(|owner| make(owner, what, "attest")));
    }
    suppliers
}

/// The images that the statements must be about: as typed where that is one of them, else by their digests.
fn subjects(reference: &Reference, outcome: &PolicyOutcome<'_>, verdict: &RequirementVerdict) -> BTreeSet<String> {
    let root = *outcome.root.digest();
    let typed = || ordered::set([quoted(&reference.to_string())]);
    let is_root = |digest: &Digest| *digest == root;
    if verdict.about == About::Either || verdict.lacking.iter().all(is_root) {
        return typed();
    }
    let by_digest = |digest: &Digest| match is_root(digest) {
        true => reference.to_string(),
        false => reference.with(TagOrDigest::Digest(*digest)).to_string(),
    };
    ordered::set(verdict.lacking.iter().map(|digest| quoted(&by_digest(digest))))
}

/// The verb, and the options, of the command that makes a statement for `requirement`.
fn statement(requirement: &Requirement) -> (&'static str, String) {
    if requirement.kinds().has_signatures() {
        let annotations = requirement.conditions().iter().filter_map(|condition| match condition {
            Condition::Annotation { key, value } => Some(format!("-a {}", quoted(&format!("{key}={value}")))),
            Condition::SignedName(rule) => {
                let tag = rule.tag.as_ref().map_or_else(String::new, |tag| format!(":{tag}"));
                Some(format!("--signed-reference {}", quoted(&format!("{}{tag}", rule.repository))))
            }
            _ => None,
        });
        return ("sign", annotations.collect::<Vec<_>>().join(" "));
    }
    let known = requirement.conditions().iter().find_map(|condition| match condition {
        Condition::Provenance(_) => Some("slsa"),
        Condition::Sbom(_) => Some("cyclonedx"),
        Condition::Scan(_) => Some("vulns"),
        Condition::Summary(_) => Some("vsa"),
        Condition::Test(_) => Some("test-result"),
        _ => None,
    });
    let named = || {
        let is_it = |short: &&str| StatementKinds::named(short).is_ok_and(|kinds| kinds == *requirement.kinds());
        SHORT_NAMES.iter().copied().find(is_it)
    };
    let typed = match (known.or_else(named), requirement.kinds().single()) {
        (Some(short), _) => short.to_owned(),
        (None, Some(StatementKind::Attestation { predicate_type })) => quoted(predicate_type),
        (None, Some(StatementKind::ImageSignature) | None) => "URI".to_owned(),
    };
    ("attest", format!("--type {typed} --predicate FILE"))
}

fn supplier(
    owner: &Owner,
    identities: &[Identity],
    subjects: &BTreeSet<String>,
    (verb, what): (&str, &str),
) -> Supplier {
    let of_owner = || identities.iter().filter(|identity| identity.owner() == owner).map(Identity::means);
    let has_certificates = of_owner().any(|means| matches!(means, Means::Certificates(_)));
    let has_material = of_owner().any(|means| matches!(means, Means::Keyless(_) | Means::LoggedKeys(_)));
    // An authority of the operator signs in the formats of Sigstore too, if the policy says so.
    let (options, note) = match (has_certificates, has_material, verb) {
        (true, true, _) => (Some(" --cert-chain FILE"), None),
        (true, false, "sign") => (Some(" --cert-chain FILE --format notary-jws"), None),
        (true, false, _) => (None, Some("the certificates of this owner are for image signatures alone")),
        (false, true, _) => (None, Some("keyless, or with a log: made where this signer runs, by cosign")),
        (false, false, _) => (Some(""), None),
    };
    let space = if what.is_empty() { "" } else { " " };
    let command =
        |subject: &String| options.map(|options| format!("bulla {verb} {subject} --key KEY{options}{space}{what}"));
    Supplier { commands: subjects.iter().filter_map(command).collect(), note, owner: owner.to_string() }
}

/// A word for a shell: in quotes where it is not plain.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

const SHORT_NAMES: [&str; 8] = ["slsa", "spdx", "cyclonedx", "vuln", "vulns", "vex", "test-result", "vsa"];
