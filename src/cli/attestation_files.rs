//! The files of attestations of `--evidence`: JSON lines, as GitHub hands them out.

use std::path::Path;

use bulla::envelope::AttestationFile;
use bulla::limits::Limits;
use bulla::limits::count;
use bulla::oci::Reference;

use super::exit::Failure;
use super::files;

/// Reads the files of `--evidence`, for a command that takes nothing else there. Together they are not larger than the
/// evidence of one subject may be.
pub(super) fn read(typed: &[String], limits: &Limits) -> Result<Vec<AttestationFile>, Failure> {
    let mut read = 0_u64;
    let mut file = |typed: &String| {
        if !is_one(typed) {
            let failure = Failure::unknown(format!("--evidence {typed}: a file of attestations is wanted"));
            return Err(failure.hint("JSON lines, in a file whose name ends in .jsonl"));
        }
        let bytes = files::read(Path::new(typed), limits.evidence.bytes)?;
        read = read.saturating_add(count(bytes.len()));
        if read > limits.evidence.bytes {
            let limit = limits.evidence.bytes;
            let message = format!("--evidence: the files are more than {limit} bytes together (evidence.bytes)");
            return Err(Failure { code: "too-large", ..Failure::unknown(message) });
        }
        AttestationFile::read(typed, bytes, limits).map_err(|error| Failure::unknown(format!("{typed}: {error}")))
    };
    typed.iter().map(&mut file).collect()
}

/// Refuses a file of attestations that was typed where an image is named: after `copy --evidence`, which is an option
/// without a value.
pub(super) fn is_no_image(typed: &[String]) -> Result<(), Failure> {
    match typed.iter().find(|typed| is_one(typed)) {
        Some(file) => {
            let message =
                format!("`{file}` is a file of attestations, and copy takes none: it judges what is attached");
            Err(Failure::unknown(message).hint(format!("bulla import SRC DST --evidence {file} attaches what counts")))
        }
        None => Ok(()),
    }
}

/// Why such a file is not read beside a trust policy of the Notary Project.
pub(super) fn no_notary_signatures() -> Failure {
    let message = "--evidence FILE.jsonl has no signatures of the Notary Project, by which --trust-policy judges";
    Failure::unknown(message).hint("--key or --policy")
}

/// Whether a value of `--evidence` is the path of a JSON file, which is not read as JSON lines.
pub(super) fn is_one_bundle(typed: &str) -> bool {
    typed.ends_with(".json") && typed.parse::<Reference>().is_err()
}

/// Why such a file is not read.
pub(super) fn not_lines(file: &str) -> Failure {
    let message = format!("--evidence {file}: the name of a file of attestations ends in .jsonl");
    Failure::unknown(message).hint("jq -c . FILE.json > FILE.jsonl writes a bundle on one line")
}

/// Whether a value of `--evidence` names a file of attestations; otherwise it names a place with manifests and signatures.
pub(super) fn is_one(typed: &str) -> bool {
    typed.ends_with(".jsonl")
}
