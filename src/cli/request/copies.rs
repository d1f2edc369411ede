//! Files of a signing request: those of `request new`, and copies that signers have.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::exit::Failure;
use crate::cli::request::documents;
use bulla::envelope::FileToSign;
use bulla::files;
use bulla::files::Accept;
use bulla::key::MessageHasher;
use bulla::limits::Limits;
use bulla::request::CheckedFiles;
use bulla::request::FileFault;
use bulla::request::Keyholder;
use bulla::request::RequestError;
use bulla::request::RequestFile;
use bulla::request::SigningRequest;

/// What helps where a request has only the digest of a file.
pub(super) const COPY_HINT: &str = "--file PATH, with a copy of the file: it is compared with the request";

/// The files of a new request, each under its name without directories.
pub(super) fn asked(paths: &[PathBuf], owners: &[Keyholder], limits: &Limits) -> Result<Vec<RequestFile>, Failure> {
    let one = |path: &PathBuf| {
        let file = read(path, RequestFile::hasher(limits))?;
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::unknown(format!("{}: it has no file name in UTF-8", path.display())))?;
        RequestFile::new(name, &file, owners).map_err(|error| new_failure(path, &error))
    };
    paths.iter().map(one).collect()
}

/// The failure for a file that cannot be in a new request.
pub(super) fn new_failure(path: &Path, error: &RequestError) -> Failure {
    let failure = documents::bad_argument(path, error);
    match error {
        RequestError::File { error: FileFault::ContentNeeded { .. }, .. } => failure
            .hint("an ECDSA or RSA key signs a hash; or sign the file's digest in a list, as sha256sum writes it"),
        RequestError::File { error: FileFault::SignatureInput(_), .. } => failure.hint(
            "images are given as REF, statements with --statement; to sign it as a file, pack it into an archive",
        ),
        _ => failure,
    }
}

/// Reads copies of files of a request, and checks them against it.
pub(super) fn check(
    path: &Path,
    request: &SigningRequest,
    copies: &[PathBuf],
    hasher: &MessageHasher,
) -> Result<CheckedFiles, Failure> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), read(path, hasher.clone())?));
    let copies = copies.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    request.check_files(&copies).map_err(|error| documents::failure(path, error))
}

fn read(path: &Path, hasher: MessageHasher) -> Result<FileToSign, Failure> {
    let failed = |error| Failure::unknown(format!("{}: it cannot be read: {error}", path.display()));
    FileToSign::read_with(&mut files::open(path, Accept::Pipe)?, hasher).map_err(failed)
}
