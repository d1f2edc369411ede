//! `ApprovedFile`: a file of an approved request, with one signature of each owner who signed.

use crate::envelope::MessageDigest;
use crate::envelope::MessageSignature;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::request::RequestFile;
use crate::request::SignaturesByKey;
use crate::request::SigningRequest;
use crate::request::file;
use crate::x509::HashAlgorithm;

/// A file of an approved request.
#[derive(Clone, Debug)]
pub struct ApprovedFile<'a> {
    pub(super) file: &'a RequestFile,
    pub(super) place: usize,
    pub(super) request: &'a SigningRequest,
    pub(super) signers: Vec<&'a SignaturesByKey>,
}

/// The signature of an owner over a file of an approved request, which was verified.
#[derive(Clone, Copy, Debug)]
pub struct OwnerFileSignature<'a> {
    file: &'a RequestFile,
    key: &'a PublicKey,
    owner: &'a str,
    signature: &'a [u8],
}

impl<'a> ApprovedFile<'a> {
    /// The file.
    pub const fn file(&self) -> &'a RequestFile {
        self.file
    }

    /// The signature of each owner who signed, in the order of the request. Of several keys of an owner, that of the
    /// first.
    pub fn signatures(&self) -> impl Iterator<Item = OwnerFileSignature<'a>> {
        self.request.owners().iter().filter_map(|owner| {
            owner.keys.iter().find_map(|key| {
                let signed = self.signers.iter().find(|signed| signed.key().id() == key.id())?;
                let signature = signed.file_signature(self.place)?;
                Some(OwnerFileSignature { file: self.file, key, owner: &owner.name, signature })
            })
        })
    }
}

impl OwnerFileSignature<'_> {
    /// The owner.
    pub const fn owner(&self) -> &str {
        self.owner
    }

    /// The key of the owner that signed.
    pub const fn key(&self) -> &PublicKey {
        self.key
    }

    /// The signature alone: ECDSA in DER, as `openssl dgst -verify` reads it.
    pub const fn as_bytes(&self) -> &[u8] {
        self.signature
    }

    /// The Sigstore bundle: version 0.3, a message signature, with the hint at the key.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_bundle(&self) -> Result<Vec<u8>, JsonError> {
        let hash = self.file.digest().as_bytes().to_vec();
        let digest = Some(MessageDigest { algorithm: HashAlgorithm::Sha256, hash });
        MessageSignature { digest, signature: self.signature.to_vec() }.to_bundle_json(self.key)
    }

    /// The file name of the bundle: `FILE.OWNER.sigstore.json`.
    pub fn bundle_name(&self) -> String {
        file::bundle_name(self.file.name(), self.owner)
    }

    /// The file name of the signature alone: `FILE.OWNER.sig`.
    pub fn signature_name(&self) -> String {
        file::signature_name(self.file.name(), self.owner)
    }
}
