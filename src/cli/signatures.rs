//! The text report of signatures that were made, and of signatures that were accepted.

use bulla::key::Signer;
use bulla::ops::sign::Signed;
use bulla::verify::AcceptedSignature;

use super::line::Foreign;
use super::render::line;

/// Prints the signatures that were made. `signed` lists each subject once for each of `signers`, in their order.
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

/// Prints the signatures that a dry run would make.
pub(super) fn would_sign(reference: &str, planned: &[Signed], signers: &[&dyn Signer]) {
    let keys = signers.iter().map(|signer| signer.public_key().id()).cycle();
    for (planned, key) in planned.iter().zip(keys) {
        let does = if planned.already { "already signed" } else { "would sign" };
        let place = planned.tag.as_ref().map_or_else(|| "a referrer".to_owned(), |tag| format!("tag {tag}"));
        line(format_args!("{does} {}  {reference}", planned.subject));
        line(format_args!("  key {}  {place}", key.short()));
    }
}

/// The line of an accepted signature.
pub(super) fn accepted_line(accepted: &AcceptedSignature) -> String {
    let place = Foreign(accepted.evidence.found_at());
    let mut line = format!("key {}  {}  {place}", accepted.signer.key().short(), accepted.signer.scheme());
    for (key, value) in &accepted.annotations {
        line.push_str(&format!("  {}={}", Foreign(key), Foreign(value)));
    }
    if let Some(name) = &accepted.reference {
        line.push_str(&format!("  as {}", Foreign(name)));
    }
    line
}
