//! The text report of the verdict *not enforced*.

use bulla::trust::CheckOutcome;
use bulla::trust::MadeCheck;
use bulla::verify::ExaminedSignature;
use bulla::verify::NotEnforced;

use super::line::Foreign;
use super::line::Lines;
use super::render;
use super::signatures::leniently;

/// Prints the verdict: data if it was accepted as such, else an error.
pub(super) fn show(reference: &str, verdict: &NotEnforced, accepted: bool) {
    let name = Foreign(reference);
    let mut lines = Lines::default();
    match accepted {
        true => lines.push(format_args!("not enforced {}  {name}: {verdict}", verdict.subject)),
        false => lines.push(format_args!("error: `{name}` not enforced: {verdict}")),
    }
    verdict.accepted.iter().for_each(|examined| signature(examined, &mut lines));
    for finding in verdict.findings.iter().take(SHOWN) {
        let digest = finding.digest.map_or_else(String::new, |digest| format!("{:.19}…  ", digest.to_string()));
        lines.push(format_args!("  rejected  {digest}{}  ({})", Foreign(&finding.reason), Foreign(&finding.place)));
    }
    match accepted {
        true => render::text(&lines),
        false => {
            lines.push("hint: a statement of the level strict verifies; with --accept-unenforced this one ends with 0");
            render::notes(&lines);
        }
    }
}

/// The lines of one signature: who made it, and its checks.
fn signature(examined: &ExaminedSignature, lines: &mut Lines) {
    let digest = examined.evidence.map_or_else(String::new, |digest| format!("{:.19}…  ", digest.to_string()));
    let signer =
        examined.checked.signer.as_ref().map_or_else(String::new, |signer| format!("certificate {}", Foreign(signer)));
    let reader = leniently(examined.strict_error.as_ref());
    lines.push(format_args!("  signature {digest}{signer}  ({}){reader}", Foreign(&examined.place)));
    examined.checked.checks.iter().for_each(|made| lines.push(format_args!("    {}", check(made))));
}

fn check(made: &MadeCheck) -> String {
    let (name, action) = (made.check, made.action);
    match &made.outcome {
        CheckOutcome::Failed(faults) => {
            let faults = faults.iter().map(|fault| Foreign(fault).to_string()).collect::<Vec<_>>().join("; ");
            format!("failed    {name} ({action}): {faults}")
        }
        CheckOutcome::NotMade => format!("not made  {name} ({action})"),
        CheckOutcome::Passed => format!("passed    {name} ({action})"),
    }
}

/// The number of findings that are shown. The JSON report has all of them.
const SHOWN: usize = 12;
