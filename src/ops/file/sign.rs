//! Signs a file, or a statement about it: a bundle of version 0.3 with the hint at the key, or the bare signature.

use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::envelope::Bundle;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::FileToSign;
use crate::envelope::MessageDigest;
use crate::envelope::MessageSignature;
use crate::envelope::SignatureInput;
use crate::envelope::Statement;
use crate::json::JsonError;
use crate::key::HashedMessage;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::media_type;
use crate::x509::HashAlgorithm;

/// A signature over a file that was made now.
#[derive(Clone, Debug)]
pub struct MadeFileSignature {
    key: PublicKey,
    scheme: Scheme,
    signature: MessageSignature,
}

/// An attestation about a file that was made now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MadeFileAttestation {
    /// The Sigstore bundle.
    pub bundle: Vec<u8>,
    /// The signature scheme.
    pub scheme: Scheme,
}

/// A statement about a file: what `attest-blob` signs.
#[derive(Clone, Copy, Debug)]
pub struct FileAttestation<'a> {
    /// The name of the file, for people: verifiers match the digest.
    pub name: Option<&'a str>,
    /// The predicate, which is signed byte for byte.
    pub predicate: &'a RawValue,
    /// The predicate type, a URI.
    pub predicate_type: &'a str,
}

/// Why a file was not signed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileSigningError {
    /// The statement cannot be written, or is larger than verifiers read.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// The bundle cannot be written.
    #[error("{0}")]
    Json(JsonError),
    /// The SHA-256 of the file is not known.
    #[error("the SHA-256 of the file is not known")]
    NoDigest,
    /// The file is a message that other signatures are over: a signature of the file would be one of them, too.
    #[error("it is {0}: its signature as a file would be valid as such a signature")]
    SignatureInput(SignatureInput),
    /// The key did not sign.
    #[error("{0}")]
    Signer(SignerError),
}

/// Signs `file` with the default scheme of the key of `signer`, or the one that a plugin chooses. A message that signatures
/// of images, attestations or tokens are over is not signed, see [`SignatureInput`].
///
/// # Errors
/// [`FileSigningError`].
pub fn sign(file: &FileToSign, signer: &dyn Signer) -> Result<MadeFileSignature, FileSigningError> {
    let (file, key) = (file.signable().map_err(FileSigningError::SignatureInput)?, signer.public_key());
    let hash = file.message().sha256().ok_or(FileSigningError::NoDigest)?.to_vec();
    let (signature, scheme) = file.sign(signer).map_err(FileSigningError::Signer)?;
    let digest = Some(MessageDigest { algorithm: HashAlgorithm::Sha256, hash });
    let signature = MessageSignature { digest, signature };
    Ok(MadeFileSignature { key: key.clone(), scheme, signature })
}

/// Signs `attestation` about `file`.
///
/// # Errors
/// [`FileSigningError`].
pub fn attest(
    file: &HashedMessage,
    attestation: &FileAttestation<'_>,
    signer: &dyn Signer,
    limits: &Limits,
) -> Result<MadeFileAttestation, FileSigningError> {
    let sha256 = |digest: &&Digest| digest.algorithm() == DigestAlgorithm::Sha256;
    let digest = file.digests().find(sha256).ok_or(FileSigningError::NoDigest)?;
    let FileAttestation { name, predicate, predicate_type } = *attestation;
    let payload =
        Statement::attestation(digest, name, predicate_type, predicate).map_err(FileSigningError::Envelope)?;
    let envelope = Envelope::sign(media_type::IN_TOTO, &payload, signer).map_err(FileSigningError::Signer)?;
    let key = signer.public_key();
    let faulty = |_| SignerError::Faulty { key: key.id(), scheme: key.default_scheme() };
    let scheme = envelope.verify(key).map_err(faulty).map_err(FileSigningError::Signer)?.proof().scheme;
    let bundle = Bundle::new(envelope, key).to_json().map_err(FileSigningError::Json)?;
    let (got, limit) = (count(bundle.len()), limits.evidence.attestation_bytes);
    match got > limit {
        true => Err(FileSigningError::Envelope(EnvelopeError::Limit { what: "bytes of one bundle", got, limit })),
        false => Ok(MadeFileAttestation { bundle, scheme }),
    }
}

impl MadeFileSignature {
    /// The Sigstore bundle.
    ///
    /// # Errors
    /// [`FileSigningError::Json`] never happens for these types, but is not swallowed.
    pub fn to_bundle(&self) -> Result<Vec<u8>, FileSigningError> {
        self.signature.to_bundle_json(&self.key).map_err(FileSigningError::Json)
    }

    /// The signature alone: ECDSA in DER, as `openssl dgst -verify` reads it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.signature.signature
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The signature scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}
