//! The command `policy check`: every error of a policy file, and what is allowed and probably not meant.

use std::path::Path;

use bulla::limits::Limits;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::PolicyLint;
use bulla::report::PolicyCheckResult;
use bulla::report::Report;
use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Lines;
use crate::cli::policy::args::PolicyCheckArgs;
use crate::cli::policy::not_opened::NotOpened;
use crate::cli::policy::open::each_is_an_id;
use crate::cli::policy::open::open;
use crate::cli::quantity::count;
use crate::cli::render;

/// A policy file that was checked: its lints, or its errors.
enum Checked {
    Faults(Vec<PolicyFileError>),
    Valid(Box<LoadedPolicy>, Vec<PolicyLint>),
}

pub(super) fn check(args: &PolicyCheckArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let (mut faulty, mut strict) = (false, false);
    let mut results = Vec::new();
    let mut ids = Vec::new();
    for path in &args.files {
        let checked = match open(path, &args.trust, (&args.token, &args.registry), now, &limits) {
            Ok(policy) => {
                let lints = policy.lints(now);
                ids.push(policy.id());
                Checked::Valid(Box::new(policy), lints)
            }
            Err(NotOpened::Faults(faults)) => Checked::Faults(faults),
            Err(NotOpened::Failed(failure)) => return Err(failure),
        };
        match &checked {
            Checked::Faults(_) => faulty = true,
            Checked::Valid(_, lints) => strict |= args.strict && lints.iter().any(|lint| !lint.rule.is_note()),
        }
        let file = path.display().to_string();
        match (args.output, &checked) {
            (Output::Json, Checked::Faults(faults)) => results.push(PolicyCheckResult::invalid(file, faults)),
            (Output::Json, Checked::Valid(policy, lints)) => {
                results.push(PolicyCheckResult::valid(file, policy, lints));
            }
            (Output::Text, _) => render::text(&page(path, &checked)),
        }
    }
    // The id of a policy with errors is not known, and those are reported already.
    if !faulty {
        each_is_an_id(&args.trust.policy_digest, &ids)?;
    }
    if args.output == Output::Json {
        render::report(&Report::new("policy check", results));
    }
    // An error of a policy is could-not-tell, whatever else was found.
    Ok(match (faulty, strict) {
        (true, _) => Exit::Unknown,
        (false, true) => Exit::Refused,
        (false, false) => Exit::Yes,
    })
}

/// `FILE:LINE:COLUMN: CODE: TEXT` of each, and a line for the whole file.
fn page(path: &Path, checked: &Checked) -> Lines {
    let mut lines = Lines::default();
    let file = path.display();
    let hint = |lines: &mut Lines, hint: &str| lines.push(format_args!("  hint: {hint}"));
    match checked {
        Checked::Faults(faults) => {
            for fault in faults.iter() {
                lines.push(format_args!("{file}:{fault}"));
                hint(&mut lines, &fault.problem.hint());
            }
            lines.push(format_args!("{file}: invalid: {}", count(faults.len(), "error")));
        }
        Checked::Valid(policy, lints) => {
            for lint in lints {
                lines.push(format_args!("{file}:{}: {}: {}", lint.position, lint.rule.code(), lint.rule));
                hint(&mut lines, lint.rule.hint());
            }
            let notes = lints.iter().filter(|lint| lint.rule.is_note()).count();
            let warnings = count(lints.len().saturating_sub(notes), "warning");
            let notes = count(notes, "note");
            lines.push(format_args!("{file}: valid: {warnings}, {notes}; policy id {}", policy.id()));
            policy.signed_by().iter().for_each(|owner| lines.push(format_args!("{file}: signed by {owner}")));
        }
    }
    lines
}
