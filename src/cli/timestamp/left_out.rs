//! The failure for signatures that were left out because of a limit.

use bulla::ops::timestamp::ImageSignatures;

use crate::cli::exit::Failure;
use crate::cli::line::Foreign;

/// Could-not-tell for a reference with signatures that were left out because of a limit; `None` if all were read.
pub(super) fn left_out(reference: &str, images: &[ImageSignatures]) -> Option<Failure> {
    let left_out: Vec<_> = images.iter().flat_map(ImageSignatures::left_out).collect();
    let first = left_out.first()?;
    let message = "signatures were left out because of a limit; it is not known whether they need a timestamp";
    let mut failure = Failure::unknown(format!("{reference}: {message}"));
    failure.code = first.reason.code();
    for skipped in left_out {
        failure.details.push(format!("left out  {}: {}", skipped.manifest, Foreign(&skipped.reason)));
    }
    Some(failure)
}
