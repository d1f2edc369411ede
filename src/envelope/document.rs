//! `SignedDocument`: a signed document of any format, trusted only after a key verifies it.

use crate::envelope::AnnotatedEnvelope;
use crate::envelope::Bundle;
use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryError;
use crate::envelope::NotaryFormat;
use crate::envelope::Payload;
use crate::envelope::SimpleSigning;
use crate::envelope::VerificationMaterial;
use crate::envelope::predicate_limits;
use crate::json;
use crate::key::PublicKey;
use crate::limits::Limits;

/// A signed document in any supported format, not verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignedDocument {
    /// A Sigstore bundle: cosign v3, and the default of bulla.
    Bundle(Bundle),
    /// A bare DSSE envelope: an attestation of cosign v2.
    Dsse(AnnotatedEnvelope),
    /// A Notary Project envelope, JWS or COSE, with its certificates.
    Notary(NotaryEnvelope),
    /// A simple signing payload beside its signature: cosign v2, skopeo.
    Simple(SimpleSigning),
}

/// The name of a signature format, which reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FormName {
    /// A bare DSSE envelope: an attestation of cosign v2.
    Dsse,
    /// A COSE envelope of the Notary Project.
    NotaryCose,
    /// A JWS envelope of the Notary Project: the default of notation.
    NotaryJws,
    /// A Sigstore bundle: cosign v3, and the default of bulla.
    SigstoreBundle,
    /// A simple signing payload beside its signature: cosign v2, skopeo, podman.
    SimpleSigning,
}

/// What the signatures of a format or document are made with, and so the means by which their signer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignedWith {
    /// The key of a certificate that comes with the signature: the Notary Project.
    Certificate,
    /// A key that verifiers have to know.
    Key,
    /// A key that verifiers may know, or the key of a certificate that may come with the signature: Sigstore.
    KeyOrCertificate,
}

impl SignedDocument {
    /// Verifies the document with a pinned `key` and returns its payload. Claims in the document about keys and algorithms are
    /// ignored. A document that is signed with a certificate is not verified by a key alone.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verify(&self, key: &PublicKey) -> Result<Payload, NotSignedBy> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().verify(key),
            Self::Dsse(dsse) => dsse.envelope().verify(key),
            Self::Notary(_) => Err(NotSignedBy(key.id())),
            Self::Simple(simple) => simple.verify(key),
        }
    }

    /// Its signatures, unverified: to find the same signatures elsewhere.
    pub fn signatures(&self) -> Vec<&[u8]> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().signatures().collect(),
            Self::Dsse(dsse) => dsse.envelope().signatures().collect(),
            Self::Notary(envelope) => vec![envelope.signature()],
            Self::Simple(simple) => vec![simple.signature()],
        }
    }

    /// The signatures in it that `key` made, verified.
    pub fn signatures_by(&self, key: &PublicKey) -> Vec<&[u8]> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().signatures_by(key),
            Self::Dsse(dsse) => dsse.envelope().signatures_by(key),
            Self::Notary(_) => Vec::new(),
            Self::Simple(simple) => simple.verify(key).map(|_| vec![simple.signature()]).unwrap_or_default(),
        }
    }

    /// The key that the document claims, truncated for display: a hint for people, never trusted
    /// (threats: key-from-evidence).
    pub fn claimed_key(&self) -> Option<String> {
        const SHOWN: usize = 128;
        let claimed = match self {
            Self::Bundle(bundle) => bundle.claimed_key(),
            Self::Dsse(dsse) => dsse.envelope().claimed_key(),
            Self::Notary(_) | Self::Simple(_) => None,
        };
        claimed.map(|claimed| claimed.chars().take(SHOWN).collect())
    }

    /// Whether the document names `key`: by the hint of a bundle or the key id of a signature, in base64 as cosign
    /// writes it, or in hexadecimal. A hint for people, never trusted.
    pub fn names(&self, key: &PublicKey) -> bool {
        let (hint, id) = (key.id().hint(), key.id().to_string());
        let is_it = |claimed: &str| claimed == hint || claimed.eq_ignore_ascii_case(&id);
        match self {
            Self::Bundle(bundle) => {
                bundle.verification_material().key_hint.as_deref().is_some_and(is_it)
                    || bundle.envelope().key_ids().any(is_it)
            }
            Self::Dsse(dsse) => dsse.envelope().key_ids().any(is_it),
            Self::Notary(_) | Self::Simple(_) => false,
        }
    }

    /// The predicate type that the document claims, unverified; `None` for a format without one. For sorting and
    /// display, never for a decision.
    ///
    /// # Errors
    /// [`EnvelopeError`] if it cannot be read.
    pub fn claimed_predicate(&self, limits: &Limits) -> Result<Option<String>, EnvelopeError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Claimed {
            predicate_type: String,
        }
        let envelope = match self {
            Self::Bundle(bundle) => bundle.envelope(),
            Self::Dsse(dsse) => dsse.envelope(),
            Self::Notary(_) | Self::Simple(_) => return Ok(None),
        };
        const LONGEST: u64 = 4 << 10;
        let payload = envelope.unverified_payload();
        let json = |error| EnvelopeError::Json { format: "in-toto statement", error };
        let claimed: Claimed = json::parse(payload, &predicate_limits(payload, limits)).map_err(json)?;
        EnvelopeError::bounded("bytes of a predicate type", claimed.predicate_type.len(), LONGEST)?;
        Ok(Some(claimed.predicate_type))
    }

    /// The same document without its payload: it keeps its format and its signatures, but can no longer be verified.
    #[must_use]
    pub fn without_bytes(&self) -> Self {
        match self {
            Self::Bundle(bundle) => Self::Bundle(bundle.without_bytes()),
            Self::Dsse(envelope) => Self::Dsse(envelope.without_bytes()),
            Self::Notary(envelope) => Self::Notary(envelope.without_bytes()),
            Self::Simple(simple) => Self::Simple(simple.without_bytes()),
        }
    }

    /// What its signatures are made with, by its content: a Sigstore format has a certificate only if there is one in its
    /// verification material, or if that cannot be read.
    pub fn signed_with(&self) -> SignedWith {
        match self.verification_material() {
            None => SignedWith::Certificate,
            Some(Ok(material)) if material.certificates.is_empty() => SignedWith::Key,
            Some(Ok(_) | Err(_)) => SignedWith::KeyOrCertificate,
        }
    }

    /// The verification material, unverified: of a bundle, or in the annotations of cosign v2. `None` for the Notary
    /// Project, whose certificates are in the envelope.
    ///
    /// Material that cannot be read is an error of the certificate path: it does not hide the document from pinned keys.
    pub fn verification_material(&self) -> Option<Result<&VerificationMaterial, &EnvelopeError>> {
        match self {
            Self::Bundle(bundle) => Some(Ok(bundle.verification_material())),
            Self::Dsse(dsse) => Some(dsse.verification_material()),
            Self::Notary(_) => None,
            Self::Simple(simple) => Some(simple.verification_material()),
        }
    }

    /// The Notary Project envelope, if it is one.
    pub const fn notary_envelope(&self) -> Option<&NotaryEnvelope> {
        match self {
            Self::Notary(envelope) => Some(envelope),
            Self::Bundle(_) | Self::Dsse(_) | Self::Simple(_) => None,
        }
    }

    /// Why the strict reader refuses the document, if it is a Notary Project envelope that only the lenient one reads
    /// ([`Strictness::AsNotation`](crate::envelope::Strictness)).
    pub fn strict_error(&self) -> Option<&NotaryError> {
        self.notary_envelope().and_then(NotaryEnvelope::strict_error)
    }

    /// The name of the format.
    pub const fn format(&self) -> FormName {
        match self {
            Self::Bundle(_) => FormName::SigstoreBundle,
            Self::Dsse(_) => FormName::Dsse,
            Self::Notary(envelope) => match envelope.format() {
                NotaryFormat::Cose => FormName::NotaryCose,
                NotaryFormat::Jws => FormName::NotaryJws,
            },
            Self::Simple(_) => FormName::SimpleSigning,
        }
    }
}

impl FormName {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::NotaryCose => "notary-cose",
            Self::NotaryJws => "notary-jws",
            Self::SigstoreBundle => "sigstore-bundle",
            Self::SimpleSigning => "simple-signing",
        }
    }
}
