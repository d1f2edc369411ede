//! `CheckedFiles`: the files of a request whose content was read, and is what the request says.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::envelope::FileToSign;
use crate::envelope::SignableFile;
use crate::request::FileFault;
use crate::request::RequestError;
use crate::request::SigningRequest;

/// The files of one request whose content is known: carried by the request, or read from a copy. A proof type: only
/// [`SigningRequest::check_files`] makes it, and no other file is signed.
#[derive(Clone, Debug)]
pub struct CheckedFiles {
    copies: BTreeMap<usize, String>,
    files: BTreeMap<usize, SignableFile>,
    request: Digest,
}

impl SigningRequest {
    /// Checks copies of the files, each with the path that it was read from.
    ///
    /// A copy has the SHA-256 and the size of at least one file of the request, under any name, and is no message that
    /// signatures of images, attestations or tokens are over.
    ///
    /// # Errors
    /// [`RequestError::File`] with the path of the copy.
    pub fn check_files(&self, copies: &[(String, FileToSign)]) -> Result<CheckedFiles, RequestError> {
        let carried = self.files().iter().enumerate();
        let carried = carried.filter_map(|(place, file)| Some((place, file.carried()?.clone())));
        let mut checked = CheckedFiles { copies: BTreeMap::new(), files: carried.collect(), request: *self.digest() };
        for (path, copy) in copies {
            let refused = |error| RequestError::File { error, name: path.clone() };
            let signable = copy.signable().map_err(|input| refused(FileFault::SignatureInput(input)))?;
            let sha256 = copy.message().digests().find(|digest| digest.algorithm() == DigestAlgorithm::Sha256);
            let digest = *sha256.ok_or_else(|| refused(FileFault::NoDigest))?;
            let is_it = |place: &usize| {
                self.files().get(*place).is_some_and(|file| *file.digest() == digest && file.size() == copy.size())
            };
            let places: Vec<_> = (0..self.files().len()).filter(is_it).collect();
            if places.is_empty() {
                let (digest, size) = (Box::new(digest), copy.size());
                return Err(refused(FileFault::OtherFile { digest, size }));
            }
            for place in places {
                checked.files.entry(place).or_insert_with(|| signable.clone());
                checked.copies.entry(place).or_insert_with(|| path.clone());
            }
        }
        Ok(checked)
    }
}

impl CheckedFiles {
    /// The path of the copy of the file at this index of the request, if one was checked.
    pub fn copy_of(&self, file: usize) -> Option<&str> {
        self.copies.get(&file).map(String::as_str)
    }

    /// The file at this index of the request, ready to be signed.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`]; [`RequestError::File`] if its content is not known.
    pub(super) fn file(&self, request: &SigningRequest, file: usize) -> Result<&SignableFile, RequestError> {
        if self.request != *request.digest() {
            return Err(RequestError::other(self.request, *request.digest()));
        }
        let name = || request.files().get(file).map(|file| file.name().to_owned()).unwrap_or_default();
        self.files.get(&file).ok_or_else(|| RequestError::File { error: FileFault::CopyNeeded, name: name() })
    }

    /// Checks that the content of every file of `request` is known.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`]; [`RequestError::File`] for the first file whose content is not known.
    pub fn check_complete(&self, request: &SigningRequest) -> Result<(), RequestError> {
        (0..request.files().len()).try_for_each(|file| self.file(request, file).map(drop))
    }
}
