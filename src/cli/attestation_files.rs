//! The files of attestations of `--evidence`: JSON lines, as GitHub hands them out.

use std::path::Path;

use bulla::envelope::AttestationFile;
use bulla::limits::Limits;

use super::exit::Failure;
use super::files;

/// Reads the files of `--evidence`.
pub(super) fn read(typed: &[String], limits: &Limits) -> Result<Vec<AttestationFile>, Failure> {
    let file = |typed: &String| {
        if !is_one(typed) {
            let failure =
                Failure::unknown(format!("--evidence {typed}: beside --policy a file of attestations is wanted"));
            return Err(failure.hint("JSON lines, in a file whose name ends in .jsonl"));
        }
        let bytes = files::read(Path::new(typed), limits.evidence.bytes)?;
        AttestationFile::read(typed, &bytes, limits).map_err(|error| Failure::unknown(format!("{typed}: {error}")))
    };
    typed.iter().map(file).collect()
}

/// Whether a value of `--evidence` names a file of attestations; otherwise it names a place with manifests and signatures.
pub(super) fn is_one(typed: &str) -> bool {
    typed.ends_with(".jsonl")
}
