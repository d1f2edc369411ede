//! What a policy file asks of an image and what is missing, for people: each reason with its line and who can help.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::policy::About;
use crate::policy::Decision;
use crate::policy::Policy;
use crate::policy::Requirement;
use crate::policy::RequirementId;
use crate::policy::Rule;
use crate::policy_file::PolicyRefusal;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::IgnoreDocument;
use crate::report::checks::CheckResult;
use crate::report::checks::PolicyPlace;
use crate::report::checks::RequirementCheck;
use crate::text::Untrusted;
use crate::trust::Owner;
use crate::verify::RequirementVerdict;

/// The requirements of the policy in `file` on an image, each with its result; what an exception waives is among them. A
/// requirement in an alternative (`any`) that another one meets is left out, since nothing is missing.
pub fn checks(file: &str, outcome: &PolicyOutcome<'_>) -> Vec<RequirementCheck> {
    let place = |line: Option<u32>| PolicyPlace { column: None, file: file.to_owned(), line };
    let check = |line: Option<u32>, requirement: String, result: CheckResult| RequirementCheck {
        place: place(line),
        requirement,
        result,
    };
    let (used, _) = exceptions(outcome);
    let waived = used.iter().flat_map(|exception| {
        let message = waiver(&exception.reason.value, &exception.owner.value, &exception.until.value.to_string());
        exception.waives.iter().map(move |word| {
            let requirement = format!("waived {}", word.value.word());
            check(Some(exception.position.line), requirement, CheckResult::Waived { message: message.clone() })
        })
    });
    let ignored = ignored(outcome).into_iter().map(|entry| {
        let message = waiver(&entry.reason.value, &entry.owner.value, &entry.until.value.to_string());
        let package = entry.package.as_ref().map_or_else(String::new, |package| format!(" in {}", package.value));
        let requirement = format!("ignored {}{package}", entry.vulnerability.value);
        check(Some(entry.vulnerability.position.line), requirement, CheckResult::Waived { message })
    });
    let waived: Vec<_> = waived.chain(ignored).collect();
    let mut checks: Vec<_> = match &outcome.verdict {
        PolicyVerdict::Accepted(required, _) | PolicyVerdict::Unmet(required, _) => {
            let verdicts = requirements(outcome);
            let needed = needed(&required.policy, verdicts);
            let root = outcome.root.digest();
            let shown = verdicts.iter().filter(|verdict| needed.contains(&verdict.id));
            shown
                .map(|verdict| check(verdict.line, verdict.id.to_string(), of(&required.policy, verdict, root)))
                .collect()
        }
        PolicyVerdict::Exempted(exemption) => {
            let unsigned = exemption.block.block.accept_unsigned.iter();
            let unsigned = unsigned.filter(|_| exemption.exceptions.is_empty()).map(|unsigned| {
                let until = unsigned.until.value.to_string();
                let message = waiver(&unsigned.reason.value, &unsigned.owner.value, &until);
                check(Some(unsigned.position.line), "accept-unsigned".to_owned(), CheckResult::Waived { message })
            });
            unsigned.collect()
        }
        PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => Vec::new(),
    };
    checks.extend(refusal(outcome).map(|(code, line, message)| {
        let result = match outcome.is_refusal() {
            true => CheckResult::Unmet { code, message },
            false => CheckResult::Undetermined { code, message },
        };
        check(line, "policy".to_owned(), result)
    }));
    checks.extend(waived);
    checks
}

/// The verdict on each requirement, if evidence was evaluated.
pub(super) fn requirements<'a>(outcome: &'a PolicyOutcome<'_>) -> &'a [RequirementVerdict] {
    match &outcome.verdict {
        PolicyVerdict::Accepted(_, image) => image.requirements(),
        PolicyVerdict::Unmet(_, refusal) => &refusal.requirements,
        PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => &[],
    }
}

/// The exceptions for an image: those that were used, and those whose last day has passed.
pub(super) fn exceptions<'a>(
    outcome: &'a PolicyOutcome<'_>,
) -> (&'a [&'a ExceptionDocument], &'a [&'a ExceptionDocument]) {
    match &outcome.verdict {
        PolicyVerdict::Accepted(required, _) | PolicyVerdict::Unmet(required, _) => {
            (&required.file.used, &required.file.ended)
        }
        PolicyVerdict::Exempted(exemption) => (&exemption.exceptions, &[]),
        PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => (&[], &[]),
    }
}

/// The entries of `ignore` that a counted scan needs to pass, each once.
pub(super) fn ignored<'a>(outcome: &'a PolicyOutcome<'_>) -> Vec<&'a IgnoreDocument> {
    let file = match &outcome.verdict {
        PolicyVerdict::Accepted(required, _) | PolicyVerdict::Unmet(required, _) => &required.file,
        PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => return Vec::new(),
    };
    let mut entries: Vec<&IgnoreDocument> = Vec::new();
    for verdict in requirements(outcome) {
        let used = verdict.candidates.iter().flat_map(|candidate| &candidate.ignored);
        for entry in used.filter_map(|ignored| file.ignore_entry(verdict.line?, ignored)) {
            if !entries.iter().any(|known| std::ptr::eq(*known, entry)) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// The line of the block that decides.
pub(super) fn block(outcome: &PolicyOutcome<'_>) -> Option<u32> {
    let deciding = match &outcome.verdict {
        PolicyVerdict::Accepted(required, _) | PolicyVerdict::Unmet(required, _) => &required.file.block,
        PolicyVerdict::Exempted(exemption) => &exemption.block,
        PolicyVerdict::Refused(
            PolicyRefusal::NoTagAsked(block)
            | PolicyRefusal::Refused(block, _)
            | PolicyRefusal::SignedName(block, _)
            | PolicyRefusal::UnsignedEnded(block, _),
        ) => block,
        PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => return None,
    };
    Some(deciding.block.position.line)
}

/// Why a policy says no, or tells nothing, without looking at evidence: code, line and text.
pub(super) fn refusal(outcome: &PolicyOutcome<'_>) -> Option<(&'static str, Option<u32>, String)> {
    let refusal = match &outcome.verdict {
        PolicyVerdict::Expired(date) => {
            let line = outcome.policy.document().expires.as_ref().map(|expires| expires.position.line);
            return Some(("policy-expired", line, format!("the policy has expired: its last day was {date}")));
        }
        PolicyVerdict::Refused(refusal) => refusal,
        PolicyVerdict::Accepted(..) | PolicyVerdict::Exempted(_) | PolicyVerdict::Unmet(..) => return None,
    };
    let name = &outcome.name;
    let text = match refusal {
        PolicyRefusal::Blocked(blocked) => {
            format!("{} is blocked: {}", blocked.digest.value, Untrusted::new(&blocked.reason.value))
        }
        PolicyRefusal::NoBlock => format!("no block of the policy is for `{name}`"),
        PolicyRefusal::NoTagAsked(_) => {
            "the signed tag must be the one that is asked for, and it was asked for by digest".to_owned()
        }
        PolicyRefusal::Refused(_, refuse) => {
            format!("images of `{name}` are refused: {}", Untrusted::new(&refuse.reason.value))
        }
        PolicyRefusal::SignedName(_, error) => format!("the name that must have been signed is none: {error}"),
        PolicyRefusal::UnsignedEnded(_, date) => {
            format!("unsigned images of `{name}` were accepted until {date}, and nothing else is required of them")
        }
    };
    Some((refusal.code(), refusal.line(), text))
}

/// The result for one requirement.
fn of(policy: &Policy, verdict: &RequirementVerdict, root: &Digest) -> CheckResult {
    let code = verdict.code;
    match verdict.decision {
        Decision::Met => CheckResult::Met,
        Decision::Undetermined => CheckResult::Undetermined { code, message: missing(policy, verdict, root) },
        Decision::Unmet => CheckResult::Unmet { code, message: missing(policy, verdict, root) },
    }
}

/// What is missing for a requirement, and who can supply it.
fn missing(policy: &Policy, verdict: &RequirementVerdict, root: &Digest) -> String {
    let requirements = policy.requirements();
    let Some(requirement) = requirements.iter().find(|requirement| *requirement.id() == verdict.id) else {
        return verdict.code.to_owned();
    };
    let mut text = match verdict.code {
        "index-not-signed" => "the index holds it unsigned, and nobody who counts signed the index".to_owned(),
        "no-index" => "it must be about an index, and the image is a manifest that was asked for by itself".to_owned(),
        "no-platforms" => "it must be about platforms, and the index has none".to_owned(),
        _ => format!("{} by {} of {} owners", requirement.kinds(), verdict.got, verdict.want),
    };
    let rejected = verdict.candidates.iter().find_map(|candidate| Some((candidate, candidate.reason.as_ref()?)));
    if let Some((candidate, reason)) = rejected {
        text.push_str(&format!("; the one by {} does not count: {reason}", candidate.owner));
    }
    let suppliers: Vec<_> = missing_owners(requirement, verdict, root).into_iter().map(ToString::to_string).collect();
    if !suppliers.is_empty() {
        text.push_str(&format!("; {} can supply it", suppliers.join(" or ")));
    }
    // VEX statements clear what a scan found.
    if let Some(vex) = requirement.vex().filter(|_| verdict.code == VULNERABILITIES) {
        let owners: Vec<_> = vex.quorum.owners().iter().map(ToString::to_string).collect();
        text.push_str(&format!(", or {} a VEX document that clears the findings", owners.join(" or ")));
    }
    if verdict.decision == Decision::Undetermined {
        text.push_str("; something that could count was not read");
    }
    text
}

/// The owners who do not count yet for each manifest that lacks something. A statement about the index, `root`, counts for a
/// platform only where the requirement says so.
pub(super) fn missing_owners<'r>(
    requirement: &'r Requirement,
    verdict: &RequirementVerdict,
    root: &Digest,
) -> Vec<&'r Owner> {
    let counts = |owner: &Owner, lacking: &Digest| {
        verdict.candidates.iter().any(|candidate| {
            let around = verdict.about == About::Either && candidate.about == *root;
            candidate.counted && candidate.owner == *owner && (candidate.about == *lacking || around)
        })
    };
    let counts_for_all = |owner: &&Owner| verdict.lacking.iter().all(|lacking| counts(owner, lacking));
    let owners = requirement.quorum().owners().iter();
    owners.filter(|owner| verdict.lacking.is_empty() || !counts_for_all(owner)).collect()
}

/// The requirements that decide: all but those of an alternative that another one meets.
fn needed(policy: &Policy, verdicts: &[RequirementVerdict]) -> BTreeSet<RequirementId> {
    let decide = |requirement: &Requirement| {
        let verdict = verdicts.iter().find(|verdict| verdict.id == *requirement.id());
        verdict.map_or(Decision::Unmet, |verdict| verdict.decision)
    };
    let mut needed = BTreeSet::new();
    collect(policy.rule(), &decide, &mut needed);
    needed
}

fn collect(rule: &Rule, decide: &dyn Fn(&Requirement) -> Decision, needed: &mut BTreeSet<RequirementId>) {
    match rule {
        Rule::All(rules) => rules.iter().for_each(|rule| collect(rule, decide, needed)),
        Rule::Any(rules) => {
            let is_met = |rule: &&Rule| rule.decide(&|requirement| decide(requirement)) == Decision::Met;
            match rules.iter().find(is_met) {
                Some(met) => collect(met, decide, needed),
                None => rules.iter().for_each(|rule| collect(rule, decide, needed)),
            }
        }
        Rule::One(requirement) => drop(needed.insert(requirement.id().clone())),
    }
}

/// The words about what is let in: `until …: reason, owner`.
fn waiver(reason: &str, owner: &str, until: &str) -> String {
    format!("until {until}: {}, {}", Untrusted::new(reason), Untrusted::new(owner))
}

/// The code of a scan that found what is not allowed.
pub(super) const VULNERABILITIES: &str = "vulnerabilities";
