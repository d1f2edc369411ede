//! Files of the command line, each read once as a stream, and digests that stand for them.

use std::io;
use std::path::Path;

use bulla::digest::Digest;
use bulla::files;
use bulla::files::Accept;
use bulla::key::HashedMessage;
use bulla::key::MessageHasher;
use bulla::ops::file;

use crate::cli::exit::Failure;
use crate::cli::files as program_files;

/// What a word of the command line names.
#[derive(Debug)]
pub(super) enum BlobInput<'a> {
    /// A digest of a file that is not here.
    Digest(Digest),
    /// A file.
    File(&'a Path),
    /// Standard input.
    Stdin,
}

impl<'a> BlobInput<'a> {
    /// The file that `word` names.
    pub(super) fn file(word: &'a str) -> Self {
        if word == "-" { Self::Stdin } else { Self::File(Path::new(word)) }
    }

    /// The file or digest that `word` names. A file that has the name of a digest is a file.
    pub(super) fn file_or_digest(word: &'a str) -> Self {
        match word.parse() {
            Ok(digest) if Path::new(word).symlink_metadata().is_err() => Self::Digest(digest),
            _ => Self::file(word),
        }
    }

    /// The file in this path, unless it is standard input or a digest.
    pub(super) const fn path(&self) -> Option<&'a Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Digest(_) | Self::Stdin => None,
        }
    }

    /// Reads it once.
    pub(super) fn read(&self, hasher: MessageHasher) -> Result<HashedMessage, Failure> {
        match self {
            Self::Digest(digest) => Ok(HashedMessage::known_by(*digest)),
            Self::File(path) => {
                let mut input = files::open(path, Accept::Pipe)?;
                let failed = |error| Failure::unknown(format!("`{}` cannot be read: {error}", path.display()));
                file::read(&mut input, hasher).map_err(failed)
            }
            Self::Stdin => {
                program_files::take_standard_input()?;
                let failed = |error| Failure::unknown(format!("standard input cannot be read: {error}"));
                file::read(&mut io::stdin().lock(), hasher).map_err(failed)
            }
        }
    }
}
