//! The predicate of an attestation, or a finished statement, read from a file or standard input.

use std::path::Path;

use serde_json::value::RawValue;

use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::request;
use bulla::envelope::UnsignedStatement;
use bulla::limits::Limits;
use bulla::predicate::PredicateKind;
use bulla::predicate::PredicateProblem;
use bulla::request::Attestation;
use bulla::request::RequestError;
use bulla::request::WholeDocument;

/// Reads a predicate of this type, and checks it. Every error is a bad argument. If the file holds a statement, envelope or
/// bundle, a hint shows how to extract the predicate.
pub(super) fn read(path: &Path, predicate_type: &str, limits: &Limits) -> Result<Box<RawValue>, Failure> {
    let bytes = bytes(path, limits)?;
    let read = Attestation::predicate(&bytes, limits).map_err(|error| {
        let failure = request::bad_argument(path, &error);
        let part = match error {
            RequestError::WholeDocument { what: WholeDocument::Bundle } => {
                "jq -r .dsseEnvelope.payload FILE | base64 -d | jq .predicate"
            }
            RequestError::WholeDocument { what: WholeDocument::Envelope } => {
                "jq -r .payload FILE | base64 -d | jq .predicate"
            }
            RequestError::WholeDocument { what: WholeDocument::Statement } => "jq .predicate FILE",
            // An SBOM in XML, in tag-value or in YAML, or an empty file.
            _ if bytes.trim_ascii_start().first() != Some(&b'{') => {
                return failure.hint("a predicate is one JSON object; syft writes one with -o cyclonedx-json");
            }
            _ => return failure,
        };
        failure.hint(format!("give the predicate alone: {part}"))
    })?;
    check(path, predicate_type, &read, limits)?;
    Ok(read)
}

/// Reads a finished statement, and checks its predicate. Every error is a bad argument.
pub(super) fn statement(path: &Path, limits: &Limits) -> Result<UnsignedStatement, Failure> {
    let failure = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
    let read = UnsignedStatement::parse(&bytes(path, limits)?, limits).map_err(|error| failure(error.to_string()))?;
    let predicate = read.predicate().map_err(|error| failure(error.to_string()))?;
    check(path, read.predicate_type(), predicate, limits)?;
    Ok(read)
}

/// Refuses a predicate of a known type with a mistake that no policy could accept, with the JSON Pointer of each mistake.
fn check(path: &Path, predicate_type: &str, predicate: &RawValue, limits: &Limits) -> Result<(), Failure> {
    bulla::predicate::check(predicate_type, predicate.get().as_bytes(), limits).map_err(|mistakes| {
        let scan = mistakes.iter().any(|mistake| matches!(mistake.problem(), PredicateProblem::WrongDocument { .. }));
        let failure = Failure::unknown(format!("{}: {}", path.display(), mistakes.first()));
        let failure = Failure {
            code: mistakes.first().code(),
            details: mistakes.iter().skip(1).map(ToString::to_string).collect(),
            ..failure
        };
        match scan && matches!(PredicateKind::of(predicate_type), PredicateKind::Scan(_)) {
            true => failure.hint("what trivy, grype or clair printed is given with --scanner-report FILE"),
            false => failure,
        }
    })
}

/// The bytes of a file, or of standard input.
pub(super) fn bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
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
                "--all-platforms --predicate linux/amd64=FILE, in a request --attest TYPE=linux/amd64=FILE, once for each \
                 platform; or name one image",
            )),
        false => Ok(()),
    }
}
