//! `FileReader`: reads the files that a policy names, each once, within one budget of bytes.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::limits;
use crate::policy_file::LoadProblem;
use crate::policy_file::LoadedFile;
use crate::policy_file::PolicyFiles;
use crate::policy_file::PolicyFilesError;
use crate::policy_file::document::NamedFile;
use crate::policy_file::document::NamedFileSource;
use crate::policy_file::files::is_below;
use crate::text::Untrusted;

/// Reads each file once, and all of them within one budget of bytes.
pub(super) struct FileReader<'a> {
    files: &'a dyn PolicyFiles,
    left: u64,
    read: BTreeMap<String, Vec<u8>>,
}

impl<'a> FileReader<'a> {
    pub(super) const fn new(files: &'a dyn PolicyFiles) -> Self {
        Self { files, left: MOST_BYTES, read: BTreeMap::new() }
    }

    /// The bytes of a file, or of the text inside the policy, at most `limit`. They have the digest that the policy gives.
    pub(super) fn bytes(&mut self, file: &NamedFile, limit: u64) -> Result<Vec<u8>, LoadProblem> {
        let path = shown(file);
        let bytes = match &file.source {
            NamedFileSource::Pem(text) => text.value.clone().into_bytes(),
            NamedFileSource::Path(name) => self.file(&name.value, limit).map_err(|error| match error {
                // The limit of this file, or what is left for all of them.
                PolicyFilesError::TooLarge { limit: reached } if reached < limit => {
                    LoadProblem::TooMuch { limit: MOST_BYTES }
                }
                error => LoadProblem::FileUnread { error, path: path.clone() },
            })?,
        };
        let found = Digest::sha256(&bytes);
        match &file.sha256 {
            Some(wanted) if wanted.value != found => Err(LoadProblem::FileDigest { found, path }),
            _ if limits::count(bytes.len()) > limit => {
                Err(LoadProblem::FileUnread { error: PolicyFilesError::TooLarge { limit }, path })
            }
            _ => Ok(bytes),
        }
    }

    fn file(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        if !is_below(path) {
            return Err(PolicyFilesError::Path);
        }
        if let Some(known) = self.read.get(path) {
            return Ok(known.clone());
        }
        let allowed = limit.min(self.left);
        let bytes = self.files.read(path, allowed)?;
        let length = limits::count(bytes.len());
        if length > allowed {
            return Err(PolicyFilesError::TooLarge { limit: allowed });
        }
        self.left = self.left.saturating_sub(length);
        self.read.insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }

    /// The files that were read, by their paths.
    pub(super) fn named(self) -> Vec<LoadedFile> {
        let file = |(path, bytes): (String, Vec<u8>)| LoadedFile { path, sha256: Digest::sha256(&bytes) };
        self.read.into_iter().map(file).collect()
    }
}

/// A file as messages name it.
pub(super) fn shown(file: &NamedFile) -> Untrusted {
    match &file.source {
        NamedFileSource::Path(path) => Untrusted::new(&path.value),
        NamedFileSource::Pem(_) => Untrusted::new("the text of `pem`"),
    }
}

/// The most bytes of all files of a policy together.
const MOST_BYTES: u64 = 64 << 20;
