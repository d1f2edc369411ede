//! The signatures of files that `request attach` writes, for each owner a Sigstore bundle and a plain signature.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::exit::Failure;
use crate::cli::files;
use bulla::files::Overwrite;
use bulla::limits::Limits;
use bulla::request::ApprovedFile;
use bulla::request::ApprovedRequest;

/// The signatures of one file.
pub(super) struct FileSignatures<'a> {
    /// The name of the file.
    pub(super) name: &'a str,
    contents: Vec<(PathBuf, Vec<u8>)>,
}

impl<'a> FileSignatures<'a> {
    /// The signatures of every file of an approved request, to be written to `directory`.
    pub(super) fn of(approved: &ApprovedRequest<'a>, directory: &Path) -> Result<Vec<Self>, Failure> {
        approved.files().map(|file| Self::of_file(&file, directory)).collect()
    }

    fn of_file(file: &ApprovedFile<'a>, directory: &Path) -> Result<Self, Failure> {
        let mut contents = Vec::new();
        for signature in file.signatures() {
            let bundle = signature.to_bundle().map_err(|error| Failure::unknown(error.to_string()))?;
            contents.push((place(directory, signature.bundle_name()), bundle));
            contents.push((place(directory, signature.signature_name()), signature.as_bytes().to_vec()));
        }
        Ok(Self { contents, name: file.file().name() })
    }

    /// The paths of the signatures.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.contents.iter().map(|(path, _)| path.as_path())
    }
}

/// Where a file of this name is in `directory`.
fn place(directory: &Path, name: String) -> PathBuf {
    if directory == Path::new(".") { PathBuf::from(name) } else { directory.join(name) }
}

/// Writes all signatures, or none: none gets its name before all are complete. Those that are there already, byte for byte,
/// stay as they are.
pub(super) fn write(all: &[FileSignatures<'_>], overwrite: Overwrite) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for (path, bytes) in all.iter().flat_map(|file| &file.contents) {
        if files::read_if_there(path, Limits::DEFAULT.evidence.signature_bytes)?.as_ref() == Some(bytes) {
            continue;
        }
        bulla::files::check_target(path, overwrite).map_err(|error| {
            let failure = Failure::unknown(error.to_string());
            failure.hint("--file-dir with another directory, or --overwrite; nothing was attached")
        })?;
        missing.push((path.as_path(), bytes.as_slice()));
    }
    files::write_together(&missing, overwrite)
}
