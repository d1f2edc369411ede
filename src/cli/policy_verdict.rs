//! The text report of a verification by policy files: what was accepted, what is missing, and who can supply it.

use std::collections::BTreeSet;

use bulla::ops::policy::PolicyOutcome;
use bulla::ops::policy::PolicyVerdict;
use bulla::policy::StatementKind;
use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::RequirementCheck;
use bulla::report::checks;
use bulla::store::StoreError;
use bulla::text::Untrusted;
use bulla::verify::Finding;

use super::exit::Exit;
use super::hints;
use super::line::Foreign;
use super::line::Lines;
use super::line::shortened;
use super::policy_evaluator::EvaluatedByPolicies;
use super::quantity::count;
use super::render::line;
use super::render::note;
use super::render::text;
use super::render::warning;
use super::signatures::accepted_lines;
use super::verdict;

/// Prints what the policies say of `reference`.
pub(super) fn evaluated(reference: &str, evaluated: &EvaluatedByPolicies<'_>) {
    match evaluated.exit() {
        Exit::Yes => accepted(reference, evaluated),
        exit => refused(reference, evaluated, exit),
    }
    evaluated.outcomes.iter().for_each(|(file, outcome)| notes(file, outcome));
}

fn accepted(reference: &str, evaluated: &EvaluatedByPolicies<'_>) {
    let Some(digest) = evaluated.digest() else { return };
    let name = Foreign(reference);
    let is_exempted = |(_, outcome): &(&str, PolicyOutcome<'_>)| matches!(outcome.verdict, PolicyVerdict::Exempted(_));
    match evaluated.outcomes.iter().any(is_exempted) {
        true => line(format_args!("accepted unsigned {digest}  {name}")),
        false => line(format_args!("verified {digest}  {name}")),
    }
    if evaluated.outcomes.iter().all(is_exempted) {
        return;
    }
    for (file, outcome) in evaluated.outcomes.iter() {
        match &outcome.verdict {
            PolicyVerdict::Accepted(required, image) => {
                let at = required.file.block.block.position.line;
                let mut shown = Lines::default();
                shown.push(format_args!("  policy {}:{at}: every requirement is met", Foreign(file)));
                for part in image.parts() {
                    for counted in &part.accepted {
                        let mut lines = accepted_lines(counted);
                        if let (Some(first), StatementKind::Attestation { .. }) = (lines.first_mut(), &counted.kind) {
                            first.push_str(&format!("  {}", Foreign(&counted.kind)));
                        }
                        lines.iter().for_each(|line| shown.push(format_args!("  {line}")));
                    }
                }
                let counted = image.parts().iter().flat_map(|part| &part.accepted);
                let revocation = verdict::revocation_lines(counted.map(|counted| &counted.signer));
                revocation.iter().for_each(|line| shown.push(format_args!("  {line}")));
                text(&shown);
            }
            PolicyVerdict::Exempted(exemption) => {
                let at = exemption.block.block.position.line;
                line(format_args!("  policy {}:{at}: not verified, accepted unsigned", Foreign(file)));
            }
            _ => {}
        }
    }
}

/// The lines below a tree: the verdict of each policy, and what is missing.
pub(super) fn below_tree(evaluated: &EvaluatedByPolicies<'_>) {
    for (file, outcome) in evaluated.outcomes.iter() {
        let word = match outcome.is_let_in() {
            true if matches!(outcome.verdict, PolicyVerdict::Exempted(_)) => "accepted unsigned",
            true => "accepted",
            false if outcome.is_refusal() => "refused",
            false => "undetermined",
        };
        line(format_args!("policy {}: {word}", Foreign(file)));
        let checks = checks(file, outcome);
        let shown = checks.iter().filter(|check| check.result != CheckResult::Met);
        shown.for_each(|check| line(format_args!("  {}", shortened(&missing_line(check)))));
        outcome.unread.iter().for_each(|error| line(format_args!("  not read  {}", shortened(&error.to_string()))));
        let evidence = unread_evidence(outcome).into_iter().take(UNREAD_SHOWN);
        evidence.for_each(|finding| line(format_args!("  not read  {}", shortened(&finding))));
    }
}

fn refused(reference: &str, evaluated: &EvaluatedByPolicies<'_>, exit: Exit) {
    let name = Foreign(reference);
    let word = if exit == Exit::Refused { "refused" } else { "undetermined" };
    let summary = count(missing(evaluated).len(), "requirement");
    note(format_args!("error: `{name}` {word} by policy: {summary} not met"));
    reasons(evaluated);
    note(format_args!("hint: {}", hint_of(reference, evaluated, exit)));
}

/// Prints why the policies do not let an image in: what is missing, what could not be read, and what did not count.
pub(super) fn reasons(evaluated: &EvaluatedByPolicies<'_>) {
    missing(evaluated).iter().for_each(|check| note(format_args!("  {}", shortened(&missing_line(check)))));
    let unread = evaluated.outcomes.iter().flat_map(|(_, outcome)| &outcome.unread);
    unread.for_each(|error| note(format_args!("  not read  {}", shortened(&error.to_string()))));
    let evidence = evaluated.outcomes.iter().flat_map(|(_, outcome)| unread_evidence(outcome)).take(UNREAD_SHOWN);
    evidence.for_each(|finding| note(format_args!("  not read  {}", shortened(&finding))));
    verdict::rejected(&rejected_by_all(&evaluated.outcomes));
}

/// What to do about the image `reference`, which the policies do not let in.
pub(super) fn hint_of(reference: &str, evaluated: &EvaluatedByPolicies<'_>, exit: Exit) -> String {
    hint(reference, exit, evaluated.outcomes.iter().flat_map(|(_, outcome)| &outcome.unread).next())
}

/// The requirements of all policies that are not met.
fn missing(evaluated: &EvaluatedByPolicies<'_>) -> Vec<RequirementCheck> {
    let checks = evaluated.outcomes.iter().flat_map(|(file, outcome)| checks(file, outcome));
    checks.filter(|check| is_missing(&check.result)).collect()
}

/// The evidence that did not count by any of these policies, each piece once.
fn rejected_by_all<'a>(outcomes: &'a [(&str, PolicyOutcome<'_>)]) -> Vec<&'a Finding> {
    let mut known = BTreeSet::new();
    let mut is_new = |one: &&Finding| known.insert((one.digest, one.place.to_string(), one.reason.to_string()));
    outcomes.iter().flat_map(|(_, outcome)| rejected(outcome)).filter(|one| is_new(one)).collect()
}

/// The evidence that did not count: what came nearest to counting first, without what could not be read.
pub(super) fn rejected<'a>(outcome: &'a PolicyOutcome<'_>) -> Vec<&'a Finding> {
    let PolicyVerdict::Unmet(_, refusal) = &outcome.verdict else { return Vec::new() };
    let is_shown = |finding: &&Finding| !(refusal.is_undetermined() && finding.reason.is_undetermined());
    refusal.ranked().into_iter().filter(is_shown).collect()
}

/// The evidence that kept a decision from being made: what is beyond a limit, or could not be fetched.
fn unread_evidence(outcome: &PolicyOutcome<'_>) -> Vec<String> {
    let findings = match &outcome.verdict {
        PolicyVerdict::Unmet(_, refusal) if refusal.is_undetermined() => refusal.findings.as_slice(),
        _ => &[],
    };
    let unread = findings.iter().filter(|(_, finding)| finding.reason.is_undetermined());
    let carrier = |finding: &Finding| finding.digest.map_or_else(|| finding.place.to_string(), |one| one.to_string());
    unread.map(|(_, finding)| format!("{}: {}", carrier(finding), finding.reason)).collect()
}

/// The most pieces of unread evidence that are named.
const UNREAD_SHOWN: usize = 10;

/// The requirements of all policies on an image, for reports.
pub(super) fn checked(reference: &str, evaluated: &EvaluatedByPolicies<'_>) -> CheckedImage {
    checked_at(reference, reference, evaluated)
}

/// The same for an image that is called `reference`, and whose evidence is at `place`.
pub(super) fn checked_at(reference: &str, place: &str, evaluated: &EvaluatedByPolicies<'_>) -> CheckedImage {
    let checks = evaluated.outcomes.iter().flat_map(|(file, outcome)| reported(place, file, outcome));
    CheckedImage {
        checks: checks.collect(),
        digest: evaluated.digest(),
        name: evaluated.outcomes.first().map(|(_, outcome)| outcome.name.to_string()),
        reference: reference.to_owned(),
    }
}

/// The requirements in reports for other programs. What is not met says as much as the text report does: with the evidence
/// that did not count or was not read, and the hint.
fn reported(reference: &str, file: &str, outcome: &PolicyOutcome<'_>) -> Vec<RequirementCheck> {
    let mut checks = checks(file, outcome);
    let more = more(reference, outcome);
    for check in &mut checks {
        match &mut check.result {
            CheckResult::Undetermined { message, .. } | CheckResult::Unmet { message, .. } => message.push_str(&more),
            CheckResult::Met | CheckResult::Waived { .. } => {}
        }
    }
    checks
}

/// What a report says beside the requirement that is not met: the first pieces of evidence, each bounded, and the hint.
fn more(reference: &str, outcome: &PolicyOutcome<'_>) -> String {
    let unread = outcome.unread.iter().map(ToString::to_string).chain(unread_evidence(outcome));
    let unread: Vec<_> = unread.map(|what| format!("not read: {what}")).collect();
    let rejected = rejected(outcome).into_iter().map(|finding| {
        let digest = finding.digest.map_or_else(String::new, |digest| format!("{:.19}… ", digest.to_string()));
        format!("rejected: {digest}{} ({})", finding.reason, finding.place)
    });
    let all: Vec<_> = unread.into_iter().chain(rejected).collect();
    let mut text = String::new();
    for what in all.iter().take(REPORTED) {
        text.push_str(&format!("; {}", Untrusted::within(what, LONGEST_REPORTED)));
    }
    if let Some(hidden) = all.len().checked_sub(REPORTED).filter(|hidden| *hidden > 0) {
        text.push_str(&format!("; and {hidden} more"));
    }
    let exit = if outcome.is_refusal() { Exit::Refused } else { Exit::Unknown };
    text.push_str(&format!("; hint: {}", hint(reference, exit, outcome.unread.first())));
    text
}

/// What to do about an image that is not let in.
fn hint(reference: &str, exit: Exit, unread: Option<&StoreError>) -> String {
    match (exit, unread) {
        (Exit::Refused, _) | (_, None) => {
            format!("bulla tree {}   # shows what is attached, and by whom", Foreign(reference))
        }
        (_, Some(error)) => hints::unread_hint(error),
    }
}

/// The most pieces of evidence that a requirement names in a report for other programs.
const REPORTED: usize = 3;
/// The longest text about one of them, in characters, so that the hint fits into the message too.
const LONGEST_REPORTED: usize = 400;

/// What is missing, with its line: `FILE:LINE: REQUIREMENT: CODE: TEXT`.
pub(super) fn missing_line(check: &RequirementCheck) -> String {
    let at = check.place.line.map_or_else(String::new, |line| format!(":{line}"));
    let place = format!("{}{at}", Foreign(&check.place.file));
    match &check.result {
        CheckResult::Undetermined { code, message } | CheckResult::Unmet { code, message } => {
            format!("{place}: {}: {code}: {}", check.requirement, Foreign(message))
        }
        CheckResult::Waived { message } => format!("{place}: {}: {}", check.requirement, Foreign(message)),
        CheckResult::Met => format!("{place}: {}: met", check.requirement),
    }
}

const fn is_missing(result: &CheckResult) -> bool {
    matches!(result, CheckResult::Undetermined { .. } | CheckResult::Unmet { .. })
}

/// What the operator lets in, for every output format: `--quiet` does not hide it.
pub(super) fn notes(file: &str, outcome: &PolicyOutcome<'_>) {
    for check in checks(file, outcome).iter().filter(|check| matches!(check.result, CheckResult::Waived { .. })) {
        let what = if matches!(outcome.verdict, PolicyVerdict::Exempted(_)) { "accepted unsigned" } else { "waived" };
        warning(format_args!("warning: {what}: {}", missing_line(check)));
    }
}
