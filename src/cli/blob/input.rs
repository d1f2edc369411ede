//! Files of the command line, each read once as a stream, and digests that stand for them.

use std::io;
use std::path::Path;

use bulla::digest::Digest;
use bulla::envelope::FileToSign;
use bulla::files;
use bulla::files::Accept;
use bulla::key::HashedMessage;
use bulla::key::MessageHasher;
use bulla::key::Signer;
use bulla::limits::Limits;
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

    /// The digest or file that `word` names. A word in the form of a digest is that digest, never a file, which anybody
    /// may have put there; with `./` it is the file.
    pub(super) fn file_or_digest(word: &'a str) -> Result<Self, Failure> {
        let Ok(digest) = word.parse::<Digest>() else { return Ok(Self::file(word)) };
        if Path::new(word).symlink_metadata().is_ok() {
            let failure = Failure::unknown(format!("{word}: a file has this name, which is also a digest"));
            return Err(failure.hint(format!("./{word}   for the file")));
        }
        Ok(Self::Digest(digest))
    }

    /// The file in this path, unless it is standard input or a digest.
    pub(super) const fn path(&self) -> Option<&'a Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Digest(_) | Self::Stdin => None,
        }
    }

    /// Reads it once, to be attested. Empty standard input is refused.
    pub(super) fn read_to_attest(&self, hasher: MessageHasher) -> Result<HashedMessage, Failure> {
        self.read_not_empty(|input| file::read(input, hasher))
    }

    /// Reads it once, to be verified.
    pub(super) fn read_to_verify(&self, hasher: MessageHasher) -> Result<FileToSign, Failure> {
        self.read_by(|input| FileToSign::read_with(input, hasher))
    }

    /// Reads it once, to be signed by `signer`. Empty standard input is refused.
    pub(super) fn read_to_sign(&self, signer: &dyn Signer, limits: &Limits) -> Result<FileToSign, Failure> {
        self.read_not_empty(|input| FileToSign::read(input, &[signer], limits))
    }

    /// Reads it, and refuses standard input without a byte: the command in front of the pipe has failed, and what it would
    /// have written is not signed.
    fn read_not_empty<T>(&self, read: impl FnOnce(&mut dyn io::Read) -> io::Result<T>) -> Result<T, Failure> {
        let mut is_empty = true;
        let read = self.read_by(|input| {
            let mut watched = Watched { input, is_empty: &mut is_empty };
            read(&mut watched)
        })?;
        match is_empty && matches!(self, Self::Stdin) {
            true => Err(Failure::unknown("standard input is empty; nothing was signed")
                .hint("did the command in front of the pipe fail? an empty file is signed by its name")),
            false => Ok(read),
        }
    }

    fn read_by<T>(&self, read: impl FnOnce(&mut dyn io::Read) -> io::Result<T>) -> Result<T, Failure> {
        match self {
            Self::Digest(digest) => Err(Failure::unknown(format!("{digest} is a digest, and the file is needed"))),
            Self::File(path) => {
                let failed = |error| Failure::unknown(format!("`{}` cannot be read: {error}", path.display()));
                read(&mut files::open(path, Accept::Pipe)?).map_err(failed)
            }
            Self::Stdin => {
                program_files::take_standard_input()?;
                let failed = |error| Failure::unknown(format!("standard input cannot be read: {error}"));
                read(&mut io::stdin().lock()).map_err(failed)
            }
        }
    }
}

/// A reader that notes whether it had a byte.
struct Watched<'a> {
    input: &'a mut dyn io::Read,
    is_empty: &'a mut bool,
}

impl io::Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        *self.is_empty &= count == 0;
        Ok(count)
    }
}
