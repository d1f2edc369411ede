//! The text report of `verify-blob`: what was verified, what was refused, what could not be decided, and why.

use bulla::ops::file::AcceptedFileSignature;
use bulla::ops::file::FileRefusal;
use bulla::ops::file::VerifiedFile;
use bulla::policy::FileStatement;
use bulla::policy::UnmetCondition;
use bulla::verify::Finding;
use bulla::verify::Reason;

use crate::cli::hints;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::render::note;
use crate::cli::signatures::proof_lines;
use crate::cli::signatures::signer_text;
use crate::cli::verdict::revocation_lines;

/// The most findings that are shown; a report in JSON has all of them.
const SHOWN: usize = 20;

pub(super) fn verified(word: &str, verified: &VerifiedFile) {
    let digest = verified.digests().first().map(ToString::to_string).unwrap_or_default();
    let mut shown = Lines::from_iter([format_args!("verified {digest}  {}", Foreign(word))]);
    for accepted in verified.accepted().iter() {
        shown.push(format_args!("  {}", accepted_line(accepted)));
        proof_lines(&accepted.signer).iter().for_each(|line| shown.push(format_args!("    {line}")));
    }
    let revocation = revocation_lines(verified.accepted().iter().map(|accepted| &accepted.signer));
    revocation.iter().for_each(|line| shown.push(format_args!("  {line}")));
    render::text(&shown);
}

pub(super) fn refused(word: &str, refused: &FileRefusal, wanted: &FileStatement) {
    let verdict = if refused.is_undetermined() { "undetermined" } else { "refused" };
    let why = match (refused.got, refused.want) {
        (0, 1) => format!("it has no document with {wanted} that counts"),
        (got, want) => format!("it has {wanted} by {got} of {want} signers"),
    };
    note(format_args!("error: `{}` {verdict}: {why}", Foreign(word)));
    for accepted in &refused.accepted {
        note(format_args!("  counted   {}", accepted_line(accepted)));
    }
    for finding in refused.findings.iter().take(SHOWN) {
        note(format_args!("  rejected  {}  ({})", Foreign(&finding.reason), Foreign(&finding.place)));
    }
    if let Some(hidden) = refused.findings.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
        note(format_args!("  and {hidden} more: --output json has all of them"));
    }
    note(format_args!("hint: {}", hint(word, &refused.findings)));
}

fn accepted_line(accepted: &AcceptedFileSignature) -> String {
    let (signer, scheme) = (signer_text(&accepted.signer), accepted.signer.scheme());
    let statement = accepted.statement.predicate_type().map_or_else(String::new, |kind| format!("  {}", Foreign(kind)));
    let judged = accepted.signer.keyless().map(|keyless| format!("  judged at {}", keyless.judged_at()));
    format!("{signer}  {scheme}{statement}  {}{}", Foreign(&accepted.place), judged.unwrap_or_default())
}

/// What helps, as something that can be typed or done.
fn hint(word: &str, findings: &[Finding]) -> String {
    for finding in findings {
        match &finding.reason {
            Reason::WrongStatement { got: FileStatement::Attestation { predicate_type }, .. } => {
                return format!("--type {}, if an attestation of this type is wanted", Foreign(predicate_type));
            }
            Reason::WrongStatement { .. } => return "leave out --type, if a signature is wanted".to_owned(),
            Reason::MessageNotKnown(_) | Reason::StatedHash(_) => {
                return hints::FILE_ITSELF.to_owned();
            }
            Reason::SignatureInput(_) => {
                return "bulla verify verifies signatures of images; a file has a signature of its own: bulla sign-blob"
                    .to_owned();
            }
            Reason::Condition(UnmetCondition::SubjectNotCompared { .. }) => {
                return "verify the file itself, not its digest; bulla compares SHA-256 and SHA-512".to_owned();
            }
            Reason::MessageDigest | Reason::OtherSubject { .. } => {
                return "get the file and its bundle again from where they come from: they do not belong together"
                    .to_owned();
            }
            _ => {}
        }
    }
    if let Some(hint) = hints::keyless_hint(findings) {
        return hint.to_owned();
    }
    format!("ask the publisher for the right key or bundle of `{}`", Foreign(word))
}
