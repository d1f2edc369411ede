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

    /// Reads it once.
    pub(super) fn read(&self, hasher: MessageHasher) -> Result<HashedMessage, Failure> {
        self.read_by(|input| file::read(input, hasher))
    }

    /// Reads it once, to be verified.
    pub(super) fn read_to_verify(&self, hasher: MessageHasher) -> Result<FileToSign, Failure> {
        self.read_by(|input| FileToSign::read_with(input, hasher))
    }

    /// Reads it once, to be signed by `signer`.
    pub(super) fn read_to_sign(&self, signer: &dyn Signer, limits: &Limits) -> Result<FileToSign, Failure> {
        self.read_by(|input| FileToSign::read(input, &[signer], limits))
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
