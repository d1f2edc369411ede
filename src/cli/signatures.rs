//! Text about signatures: those that were made, and those that counted.

use bulla::key::Signer;
use bulla::ops::sign::Signed;
use bulla::verify::AcceptedSignature;

use super::line::Foreign;
use super::render::line;

/// Prints what was signed, by each of `signers` in turn.
pub(super) fn signed(reference: &str, signed: &[Signed], signers: &[&dyn Signer]) {
    let keys = signers.iter().map(|signer| signer.public_key().id()).cycle();
    for (signed, key) in signed.iter().zip(keys) {
        let places = [
            signed.referrer.map(|digest| format!("referrer {digest}")),
            signed.tag.as_ref().map(|tag| format!("tag {tag}")),
        ];
        let places = places.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let done = if signed.already { "already signed" } else { "signed" };
        line(format_args!("{done} {}  {reference}", signed.subject));
        line(format_args!("  key {}  {places}", key.short()));
    }
}

/// Prints what would be signed, by a dry run.
pub(super) fn would_sign(reference: &str, planned: &[Signed], signers: &[&dyn Signer]) {
    let keys = signers.iter().map(|signer| signer.public_key().id()).cycle();
    for (planned, key) in planned.iter().zip(keys) {
        let does = if planned.already { "already signed" } else { "would sign" };
        let place = planned.tag.as_ref().map_or_else(|| "a referrer".to_owned(), |tag| format!("tag {tag}"));
        line(format_args!("{does} {}  {reference}", planned.subject));
        line(format_args!("  key {}  {place}", key.short()));
    }
}

/// One line about a signature that counted.
pub(super) fn counted_line(counted: &AcceptedSignature) -> String {
    let place = Foreign(counted.evidence.found_at());
    let mut line = format!("key {}  {}  {place}", counted.signer.key().short(), counted.signer.scheme());
    for (key, value) in &counted.annotations {
        line.push_str(&format!("  {}={}", Foreign(key), Foreign(value)));
    }
    if let Some(name) = &counted.reference {
        line.push_str(&format!("  as {}", Foreign(name)));
    }
    line
}
