//! `RequestFile`: a file to sign. A request has its name, size and digest, and the content of a small one.
//!
//! A signature says nothing about what it was made for, so a digest alone is never signed: who signs has the content, from
//! the request or as a copy, and a file that is a [`SignatureInput`](crate::envelope::SignatureInput) is refused.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::envelope::FileScan;
use crate::envelope::FileToSign;
use crate::envelope::SignableFile;
use crate::envelope::base64;
use crate::key::HashedMessage;
use crate::key::MessageHasher;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::limits::count;
use crate::request::FieldFault;
use crate::request::FileFault;
use crate::request::Keyholder;
use crate::request::RequestError;
use crate::request::text::check_name;
use crate::request::wire::WireFile;

/// A file to sign. Its fields agree with its content where the request carries it.
#[derive(Clone, Debug)]
pub struct RequestFile {
    /// The content that the request carries, which is no message of another kind of signature.
    carried: Option<SignableFile>,
    digest: Digest,
    known: HashedMessage,
    name: String,
    size: u64,
}

impl RequestFile {
    /// A file that `owners` are to sign under `name`. The request carries its content if it has at most
    /// [`CARRIED_BYTES`], or if a key signs the file itself and not a hash, as Ed25519 does. `file` was read with
    /// [`RequestFile::hasher`].
    ///
    /// # Errors
    /// [`RequestError::File`] for a file that signatures of images, attestations or tokens are over, and for one that a
    /// request cannot carry and must.
    pub fn new(name: &str, file: &FileToSign, owners: &[Keyholder]) -> Result<Self, RequestError> {
        let refused = |error| RequestError::File { error, name: name.to_owned() };
        let signable = file.signable().map_err(|input| refused(FileFault::SignatureInput(input)))?;
        let digest = sha256(file.message()).ok_or_else(|| refused(FileFault::NoDigest))?;
        let mut made = Self::without_content(name.to_owned(), digest, file.size());
        let is_needed = owners.iter().flat_map(|owner| &owner.keys).any(|key| !made.is_verifiable_by(key));
        if is_needed || made.size <= CARRIED_BYTES {
            made.carried = signable.message().message().is_some().then(|| signable.clone());
        }
        Ok(made)
    }

    /// The hasher for a file of a new request: it keeps the file, up to the bytes that a request may carry.
    pub fn hasher(limits: &Limits) -> MessageHasher {
        MessageHasher::new([], limits.request.file_bytes).with_sha384().with_sha512().with_message()
    }

    fn without_content(name: String, digest: Digest, size: u64) -> Self {
        Self { carried: None, digest, known: HashedMessage::known_by(digest), name, size }
    }

    /// The content, if the request carries it.
    pub fn content(&self) -> Option<&[u8]> {
        self.carried.as_ref().and_then(|file| file.message().message())
    }

    /// The SHA-256 of the file.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The name: of one file, without directories.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size, in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The content that the request carries, ready to be signed.
    pub(super) const fn carried(&self) -> Option<&SignableFile> {
        self.carried.as_ref()
    }

    /// Whether `signature` is by `key` over this file. Where only the SHA-256 is known, by the default scheme of the key.
    pub(super) fn is_signed_by(&self, key: &PublicKey, signature: &[u8]) -> bool {
        match &self.carried {
            Some(file) => key.verify_hashed(file.message(), signature).is_ok(),
            None => key.verify_hashed_as(key.default_scheme(), &self.known, signature).is_ok(),
        }
    }

    /// Whether a signature by the default scheme of `key` can be verified with what the request has of the file.
    pub(super) fn is_verifiable_by(&self, key: &PublicKey) -> bool {
        self.carried.is_some() || self.known.hash_for(key.default_scheme()).is_some()
    }

    /// An error about this file.
    pub(super) fn fault(&self, error: FileFault) -> RequestError {
        RequestError::File { error, name: self.name.clone() }
    }

    pub(super) fn to_wire(&self) -> WireFile {
        let content = self.content().map(base64::encode);
        WireFile { name: self.name.clone(), digest: self.digest, size: self.size, content }
    }

    pub(super) fn of_wire(wire: WireFile, limits: &Limits) -> Result<Self, RequestError> {
        let WireFile { name, digest, size, content } = wire;
        check_name("name", Some(&name), limits)?;
        if name.contains(['/', '\\']) || name == "." || name == ".." {
            return Err(RequestError::field("name", FieldFault::FileName(name)));
        }
        if digest.algorithm() != DigestAlgorithm::Sha256 {
            return Err(RequestError::field("digest", FieldFault::NotSha256));
        }
        let file = Self::without_content(name, digest, size);
        let Some(content) = content else { return Ok(file) };
        let most = limits.request.file_bytes.div_ceil(3).saturating_mul(4);
        RequestError::bounded("bytes of the content of one file in base64", content.len(), most)?;
        let content = base64::decode("content", &content)
            .map_err(|error| RequestError::field("content", FieldFault::Base64(error)))?;
        RequestError::bounded("bytes of the content of one file", content.len(), limits.request.file_bytes)?;
        let mut scan = FileScan::new(Self::hasher(limits));
        scan.update(&content);
        let read = scan.finish();
        if count(content.len()) != size || sha256(read.message()) != Some(digest) {
            return Err(RequestError::field("content", FieldFault::OtherContent));
        }
        let carried = read.signable().map_err(|input| file.fault(FileFault::SignatureInput(input)))?.clone();
        Ok(Self { carried: Some(carried), ..file })
    }
}

/// Reads the files of a request.
///
/// 1. The list is not empty, and within the limit.
/// 2. Each signature of each key can be verified with what the request has of the file.
/// 3. The files, and the bundle and signature of each file and owner, have different names, also without regard to case:
///    none of them replaces another.
///
/// # Errors
/// [`RequestError`] that names the field or the file.
pub(super) fn read_all(
    wire: Option<Vec<WireFile>>,
    owners: &[Keyholder],
    limits: &Limits,
) -> Result<Vec<RequestFile>, RequestError> {
    let Some(wire) = wire else { return Ok(Vec::new()) };
    if wire.is_empty() {
        return Err(RequestError::field("files", FieldFault::Empty));
    }
    RequestError::bounded("files of one request", wire.len(), limits.request.files)?;
    let files = wire.into_iter().map(|file| RequestFile::of_wire(file, limits)).collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    for file in &files {
        for owner in owners {
            if let Some(key) = owner.keys.iter().find(|key| !file.is_verifiable_by(key)) {
                return Err(file.fault(FileFault::ContentNeeded { key: key.id(), owner: owner.name.clone() }));
            }
            if owner.name.contains(['/', ':']) {
                return Err(RequestError::field("name", FieldFault::OwnerFileName(owner.name.clone())));
            }
            for name in [bundle_name(&file.name, &owner.name), signature_name(&file.name, &owner.name)] {
                RequestError::bounded("bytes of the name of a file signature", name.len(), NAME_BYTES)?;
                if !names.insert(name.to_lowercase()) {
                    return Err(file.fault(FileFault::NameTaken { taken: name }));
                }
            }
        }
    }
    match files.iter().find(|file| !names.insert(file.name.to_lowercase())) {
        Some(file) => Err(file.fault(FileFault::NameTaken { taken: file.name.clone() })),
        None => Ok(files),
    }
}

/// The name of the Sigstore bundle of a file by an owner.
pub(super) fn bundle_name(file: &str, owner: &str) -> String {
    format!("{file}.{owner}.sigstore.json")
}

/// The name of the plain signature of a file by an owner.
pub(super) fn signature_name(file: &str, owner: &str) -> String {
    format!("{file}.{owner}.sig")
}

fn sha256(message: &HashedMessage) -> Option<Digest> {
    message.digests().find(|digest| digest.algorithm() == DigestAlgorithm::Sha256).copied()
}

/// The bytes of a file that a request carries even if no key needs them: a list of checksums is read before it is signed.
pub const CARRIED_BYTES: u64 = 64 << 10;

/// The bytes of the longest file name of common file systems.
const NAME_BYTES: u64 = 255;
