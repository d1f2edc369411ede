//! The predicate of an attestation, or a finished statement, read from a file or standard input.

use std::path::Path;

use serde_json::value::RawValue;

use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::request;
use bulla::envelope::UnsignedStatement;
use bulla::limits::Limits;
use bulla::predicate::PredicateKind;
use bulla::request::Attestation;
use bulla::request::RequestError;
use bulla::request::WholeDocument;

/// Reads a predicate. Every error is a bad argument. If the file holds a statement, envelope or bundle, a hint shows how
/// to extract the predicate.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Box<RawValue>, Failure> {
    let bytes = bytes(path, limits)?;
    Attestation::predicate(&bytes, limits).map_err(|error| {
        let failure = request::bad_argument(path, &error);
        let part = match error {
            RequestError::WholeDocument { what: WholeDocument::Bundle } => {
                "jq -r .dsseEnvelope.payload FILE | base64 -d | jq .predicate"
            }
            RequestError::WholeDocument { what: WholeDocument::Envelope } => {
                "jq -r .payload FILE | base64 -d | jq .predicate"
            }
            RequestError::WholeDocument { what: WholeDocument::Statement } => "jq .predicate FILE",
            _ => return failure,
        };
        failure.hint(format!("give the predicate alone: {part}"))
    })
}

/// Reads a finished statement. Every error is a bad argument.
pub(super) fn statement(path: &Path, limits: &Limits) -> Result<UnsignedStatement, Failure> {
    let failure = |error| Failure::unknown(format!("{}: {error}", path.display()));
    UnsignedStatement::parse(&bytes(path, limits)?, limits).map_err(failure)
}

/// The bytes of a file, or of standard input.
fn bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    match path == Path::new("-") {
        true => files::standard_input(limits.evidence.attestation_bytes),
        false => files::read_stream(path, limits.evidence.attestation_bytes),
    }
}

/// Refuses one document about an image to be attested to every platform: with `--all-platforms`, an SBOM or a scan.
pub(super) fn check_same_for_all(predicate_type: &str, all_platforms: bool) -> Result<(), Failure> {
    let kind = PredicateKind::of(predicate_type);
    match all_platforms && kind.is_about_one_image() {
        true => Err(Failure::unknown(format!("one {kind} is about one image, and false about the other platforms"))
            .hint(
                "bulla attest --all-platforms --predicate linux/amd64=FILE, once for each platform; or name one image",
            )),
        false => Ok(()),
    }
}
