//! The text report of signatures that were made, and of signatures that were accepted.

use bulla::envelope::Forms;
use bulla::envelope::NotaryError;
use bulla::ops::sign::Signed;
use bulla::trust::Owner;
use bulla::trust::VerifiedSigner;
use bulla::verify::AcceptedSignature;
use bulla::x509::CertificateLabel;

use super::keyless;
use super::line::Foreign;
use super::render::line;

/// Prints the signatures that were made or found.
pub(super) fn signed(reference: &str, signed: &[Signed]) {
    for signed in signed {
        let referrers = signed.referrers.iter().map(|digest| format!("referrer {digest}"));
        let tags = signed.tags.iter().map(|tag| format!("tag {tag}"));
        let timestamps = signed.timestamps.iter().map(|time| format!("timestamp {time}"));
        let entries = signed.log_entries.iter().map(|entry| format!("log entry {}", entry.index()));
        let places = referrers.chain(tags).chain(timestamps).chain(entries).collect::<Vec<_>>().join(", ");
        let done = if signed.already { "already signed" } else { "signed" };
        line(format_args!("{done} {}  {reference}", signed.subject));
        line(format_args!("  key {}  {places}", signed.key.short()));
    }
}

/// Prints what would be signed in these formats, by a dry run: each place that a signature would have or has.
pub(super) fn would_sign(reference: &str, planned: &[Signed], forms: &Forms) {
    let referrers = forms.iter().filter(|form| form.is_referrer()).count();
    for planned in planned {
        let does = if planned.already { "already signed" } else { "would sign" };
        let existing = planned.referrers.iter().map(|digest| format!("referrer {digest}"));
        let new = referrers.saturating_sub(planned.referrers.len());
        let new = std::iter::repeat_n("a referrer".to_owned(), new);
        let tags = planned.tags.iter().map(|tag| format!("tag {tag}"));
        let places = existing.chain(new).chain(tags).collect::<Vec<_>>().join(", ");
        line(format_args!("{does} {}  {reference}", planned.subject));
        line(format_args!("  key {}  {places}", planned.key.short()));
    }
}

/// The owner who signed, with the key or the certificate.
pub(super) fn signer_text(signer: &VerifiedSigner) -> String {
    if let Some(keyless) = signer.keyless() {
        return format!("{}  keyless {}", Foreign(signer.owner()), keyless::who(keyless));
    }
    match (signer.certified(), signer.owner()) {
        (Some(certified), owner) => {
            format!("{}  certificate {}", Foreign(owner), Foreign(CertificateLabel::of(certified.chain().signer())))
        }
        (None, Owner::Key(key)) => format!("key {}", key.short()),
        (None, owner @ Owner::Named(_)) => format!("{}  key {}", Foreign(owner), signer.key().short()),
    }
}

/// The line of an accepted signature.
pub(super) fn accepted_line(accepted: &AcceptedSignature) -> String {
    let place = Foreign(accepted.evidence.found_at());
    let signer = signer_text(&accepted.signer);
    let mut line = format!("{signer}  {}  {place}", accepted.signer.scheme());
    if let Some(certified) = accepted.signer.certified() {
        line.push_str(&format!("  judged at {}", certified.judged_at()));
    }
    if let Some(keyless) = accepted.signer.keyless() {
        line.push_str(&format!("  judged at {}", keyless.judged_at()));
    }
    for (key, value) in &accepted.annotations {
        line.push_str(&format!("  {}={}", Foreign(key), Foreign(value)));
    }
    if let Some(name) = &accepted.reference {
        line.push_str(&format!("  as {}", Foreign(name)));
    }
    line.push_str(&leniently(accepted.evidence.document().strict_error()));
    line
}

/// The lines of an accepted signature, without indentation: the signature itself, and what logs prove about it.
pub(super) fn accepted_lines(accepted: &AcceptedSignature) -> Vec<String> {
    let mut lines = vec![accepted_line(accepted)];
    lines.extend(proof_lines(&accepted.signer).iter().map(|line| format!("  {line}")));
    lines
}

/// What logs and timestamp authorities prove about a signature.
pub(super) fn proof_lines(signer: &VerifiedSigner) -> Vec<String> {
    signer.transparency().map(|proof| keyless::lines(signer.keyless(), proof)).unwrap_or_default()
}

/// What is added to the line of a signature that only the lenient reader reads.
pub(super) fn leniently(strict_error: Option<&NotaryError>) -> String {
    strict_error.map_or_else(String::new, |error| format!("  read as notation reads it ({})", error.code()))
}
