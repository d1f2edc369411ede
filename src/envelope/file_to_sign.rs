//! `FileToSign`: a file that was read to be signed. `SignableFile`: one that is no message of another kind of signature.

use crate::envelope::SignatureInput;
use crate::envelope::SignatureInputScan;
use crate::key::HashedMessage;
use crate::key::MessageHasher;
use crate::key::Scheme;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::count;

/// A file that was read to be signed or verified: its hashes, and whether it is a message that signatures other than those
/// of files are over.
#[derive(Clone, Debug)]
pub struct FileToSign {
    file: SignableFile,
    signature_input: Option<SignatureInput>,
}

/// A file that may be signed as a file: every byte of it was read, and it is not a [`SignatureInput`]. A proof type: only
/// [`FileToSign::signable`] returns one.
#[derive(Clone, Debug)]
pub struct SignableFile {
    message: HashedMessage,
    size: u64,
}

/// Reads a file to be signed that arrives in pieces, in memory that does not depend on its size.
#[derive(Clone, Debug)]
pub(crate) struct FileScan {
    hasher: MessageHasher,
    scan: SignatureInputScan,
    size: u64,
}

impl FileScan {
    /// A scan that hashes with `hasher`.
    pub(crate) fn new(hasher: MessageHasher) -> Self {
        Self { hasher, scan: SignatureInputScan::default(), size: 0 }
    }

    /// Reads the next bytes of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.scan.update(bytes);
        self.size = self.size.saturating_add(count(bytes.len()));
    }

    /// The file. It is complete: every byte of it was given to [`FileScan::update`].
    pub(crate) fn finish(self) -> FileToSign {
        let signature_input = self.scan.finish();
        FileToSign { file: SignableFile { message: self.hasher.finish(), size: self.size }, signature_input }
    }
}

impl FileToSign {
    /// The file by its hashes.
    pub const fn message(&self) -> &HashedMessage {
        &self.file.message
    }

    /// Its size, in bytes.
    pub const fn size(&self) -> u64 {
        self.file.size
    }

    /// The kind of message that the file is, if signatures of images, attestations or tokens are over such messages. Such a
    /// file is not signed, and no signature over it is one of a file.
    pub const fn signature_input(&self) -> Option<SignatureInput> {
        self.signature_input
    }

    /// The file, if its signature as a file cannot be any other signature.
    ///
    /// # Errors
    /// The kind of message that it is.
    pub const fn signable(&self) -> Result<&SignableFile, SignatureInput> {
        match self.signature_input {
            Some(input) => Err(input),
            None => Ok(&self.file),
        }
    }
}

impl SignableFile {
    /// The file by its hashes.
    pub const fn message(&self) -> &HashedMessage {
        &self.message
    }

    /// Its size, in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Signs the file with the default scheme of the key of `signer`, or the one that a plugin chooses. The signature was
    /// verified over the file, by the returned scheme.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn sign(&self, signer: &dyn Signer) -> Result<(Vec<u8>, Scheme), SignerError> {
        let key = signer.public_key();
        let default = key.default_scheme();
        // A plugin chooses the scheme itself, and signs nothing but the file.
        let made = match self.message.message().filter(|_| !signer.signs_hashes(default)) {
            Some(message) => signer.sign(message),
            None => signer.sign_hashed(default, &self.message),
        }?;
        match key.verify_hashed(&self.message, made.as_bytes()) {
            Ok(scheme) => Ok((made.as_bytes().to_vec(), scheme)),
            Err(_) => Err(SignerError::Faulty { key: key.id(), scheme: default }),
        }
    }
}
