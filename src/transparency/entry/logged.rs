//! `LoggedSignature`: what a log entry must be about: artifact, signature, and the key or certificate.
//!
//! The invariant: no entry is verified without all three (CVE-2022-36056, CVE-2026-22703).

use std::borrow::Cow;

use crate::digest::hex;
use crate::envelope::Envelope;
use crate::envelope::base64;
use crate::key::HashedMessage;
use crate::key::PublicKey;
use crate::key::pem;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::x509::Certificate;
use crate::x509::HashAlgorithm;
use crate::x509::MessageImprint;
use crate::x509::SignedBefore;

/// A signature, what it signs, and the key or certificate that it is verified with: what a log entry must be about.
#[derive(Clone, Copy, Debug)]
pub struct LoggedSignature<'a> {
    /// What is signed.
    pub artifact: LoggedArtifact<'a>,
    /// The bytes of the signature. ECDSA signatures are malleable, so the very same bytes must have been logged.
    pub signature: &'a [u8],
    /// What the signature is verified with.
    pub verifier: LoggedVerifier<'a>,
}

/// What a logged signature signs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LoggedArtifact<'a> {
    /// A file, known by its hashes.
    File(&'a HashedMessage),
    /// A file or payload, known by its hash.
    Hash {
        /// The hash function.
        algorithm: HashAlgorithm,
        /// The hash.
        hash: &'a [u8],
    },
    /// A DSSE envelope.
    Envelope {
        /// The envelope.
        envelope: &'a Envelope,
        /// The envelope as it is stored, where it is stored on its own: `intoto` 0.0.1 has the hash of these bytes.
        stored: Option<&'a [u8]>,
    },
    /// A file or payload, known by its bytes.
    Message(&'a [u8]),
}

/// What a logged signature is verified with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LoggedVerifier<'a> {
    /// A certificate: the entry must have the certificate, not its key alone.
    Certificate(&'a Certificate),
    /// A key without a certificate.
    Key(&'a PublicKey),
}

impl<'a> LoggedArtifact<'a> {
    /// Its hash: of an envelope, that of the message of its signatures. `None` if it is not known by this hash function.
    pub(crate) fn hash(&self, algorithm: HashAlgorithm) -> Option<Cow<'a, [u8]>> {
        match *self {
            Self::Envelope { envelope, .. } => Some(Cow::Owned(algorithm.hash(envelope.message()))),
            Self::File(file) => {
                let known = match algorithm {
                    HashAlgorithm::Sha256 => file.sha256(),
                    HashAlgorithm::Sha384 => file.sha384(),
                    HashAlgorithm::Sha512 => file.sha512(),
                };
                known.map(Cow::Borrowed)
            }
            Self::Hash { algorithm: known, hash } => {
                Some(Cow::Borrowed(hash)).filter(|hash| known == algorithm && hash.len() == algorithm.len())
            }
            Self::Message(bytes) => Some(Cow::Owned(algorithm.hash(bytes))),
        }
    }
}

impl LoggedSignature<'_> {
    /// Whether a timestamp is about this signature, or about the stored envelope that has it, as cosign v2 makes them.
    pub(super) fn is_about(&self, timestamp: &SignedBefore) -> bool {
        let imprint = timestamp.token().imprint();
        let of = |bytes: &[u8]| *imprint == MessageImprint::of(imprint.algorithm(), bytes);
        let stored = match self.artifact {
            LoggedArtifact::Envelope { envelope, stored } => {
                stored.filter(|_| envelope.signatures().any(|signature| signature == self.signature))
            }
            LoggedArtifact::File(_) | LoggedArtifact::Hash { .. } | LoggedArtifact::Message(_) => None,
        };
        of(self.signature) || stored.is_some_and(of)
    }

    /// Checks that the signature is the one in base64 in an entry.
    pub(super) fn check_signature(&self, encoded: &str) -> Result<(), TransparencyError> {
        match decoded(encoded)? == self.signature {
            true => Ok(()),
            false => Err(TransparencyError::refused(TransparencyRule::EntrySignature)),
        }
    }

    /// Checks that the signature is the one in base64 of base64 in an entry: Rekor encodes those of `intoto` 0.0.2 twice.
    pub(super) fn check_signature_twice(&self, encoded: &str) -> Result<(), TransparencyError> {
        match String::from_utf8(decoded(encoded)?) {
            Ok(inner) => self.check_signature(&inner),
            Err(_) => Err(TransparencyError::refused(TransparencyRule::EntrySignature)),
        }
    }

    /// Checks that `hash`, in hexadecimal, is the one of what is signed; of an envelope, of the message of its signatures.
    pub(super) fn check_artifact(&self, algorithm: HashAlgorithm, hash: &str) -> Result<(), TransparencyError> {
        let own = self.artifact.hash(algorithm).ok_or_else(|| unknown_hash(algorithm))?;
        is_same(&own, hash)
    }

    /// The envelope that an entry of `kind` must be about.
    pub(super) fn envelope(&self) -> Result<&Envelope, TransparencyError> {
        match self.artifact {
            LoggedArtifact::Envelope { envelope, .. } => Ok(envelope),
            _ => Err(TransparencyError::refused(TransparencyRule::EntryArtifact).by("the entry is about an envelope")),
        }
    }

    /// Checks that `hash`, in hexadecimal, is the one of the payload of the envelope.
    pub(super) fn check_payload(&self, algorithm: HashAlgorithm, hash: &str) -> Result<(), TransparencyError> {
        is_same(&algorithm.hash(self.envelope()?.unverified_payload()), hash)
    }

    /// Checks that `hash`, in hexadecimal, is the one of the envelope as it is stored.
    pub(super) fn check_stored(&self, algorithm: HashAlgorithm, hash: &str) -> Result<(), TransparencyError> {
        self.envelope()?;
        match self.artifact {
            LoggedArtifact::Envelope { stored: Some(stored), .. } => is_same(&algorithm.hash(stored), hash),
            _ => Err(TransparencyError::undetermined(TransparencyRule::EntryArtifact)
                .by("the entry has the hash of the envelope as it was stored, which is not known")),
        }
    }

    /// Checks that the key or certificate is the one in PEM in base64 in an entry.
    pub(super) fn check_verifier(&self, encoded: &str) -> Result<(), TransparencyError> {
        let refused = || TransparencyError::refused(TransparencyRule::EntryVerifier);
        let text = decoded(encoded)?;
        let (label, own) = match self.verifier {
            LoggedVerifier::Certificate(certificate) => ("CERTIFICATE", certificate.der()),
            LoggedVerifier::Key(key) => ("PUBLIC KEY", key.spki()),
        };
        // As nearly every client writes it; then there is nothing to parse.
        if text == pem::write(label, own).as_bytes() {
            return Ok(());
        }
        let Ok(blocks) = pem::blocks(&text, 1) else { return Err(refused()) };
        match blocks.as_slice() {
            [block] if block.label == label && block.bytes == own => Ok(()),
            _ => Err(refused()),
        }
    }
}

/// The hash function that Rekor v1 calls `name`.
pub(super) fn hash_algorithm(name: &str) -> Result<HashAlgorithm, TransparencyError> {
    match name {
        "sha256" => Ok(HashAlgorithm::Sha256),
        "sha384" => Ok(HashAlgorithm::Sha384),
        "sha512" => Ok(HashAlgorithm::Sha512),
        other => Err(TransparencyError::undetermined(TransparencyRule::EntryBody).by(other)),
    }
}

/// The bytes in base64 in the body of an entry.
pub(super) fn decoded(encoded: &str) -> Result<Vec<u8>, TransparencyError> {
    let malformed = |error| TransparencyError::refused(TransparencyRule::EntryBody).by(error);
    base64::decode("log entry", encoded).map_err(malformed)
}

fn unknown_hash(algorithm: HashAlgorithm) -> TransparencyError {
    let found = format_args!("the {algorithm} of the artifact is not known").to_string();
    TransparencyError::undetermined(TransparencyRule::EntryArtifact).by(found)
}

fn is_same(own: &[u8], logged: &str) -> Result<(), TransparencyError> {
    match hex(own) == logged {
        true => Ok(()),
        false => Err(TransparencyError::refused(TransparencyRule::EntryArtifact)),
    }
}
