//! `SignedDocument`: a signed document of any format, trusted only after a key verifies it.

use crate::envelope::Bundle;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::envelope::Payload;
use crate::envelope::SimpleSigning;
use crate::envelope::predicate_limits;
use crate::json;
use crate::key::PublicKey;
use crate::limits::Limits;

/// A signed document of any format that we read, still closed.
#[derive(Clone, Debug)]
pub enum SignedDocument {
    /// A Sigstore bundle: cosign v3, and what we write by default.
    Bundle(Bundle),
    /// A bare DSSE envelope: an attestation of cosign v2.
    Dsse(Envelope),
    /// A simple signing payload beside its signature: cosign v2, skopeo.
    Simple(SimpleSigning),
}

/// The name of a signature format, by which reports speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FormName {
    /// A bare DSSE envelope: an attestation of cosign v2.
    Dsse,
    /// A Sigstore bundle: cosign v3, and the default of bulla.
    SigstoreBundle,
    /// A simple signing payload beside its signature: cosign v2, skopeo, podman.
    SimpleSigning,
}

impl SignedDocument {
    /// The payload, if `key` signed it. What the document itself says about keys and algorithms has no part in this.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verify(&self, key: &PublicKey) -> Result<Payload, NotSignedBy> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().verify(key),
            Self::Dsse(envelope) => envelope.verify(key),
            Self::Simple(simple) => simple.verify(key),
        }
    }

    /// The bytes of its signatures, before anything was checked: to find the same signatures elsewhere.
    pub fn signatures(&self) -> Vec<&[u8]> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().signatures().collect(),
            Self::Dsse(envelope) => envelope.signatures().collect(),
            Self::Simple(simple) => vec![simple.signature()],
        }
    }

    /// Every signature in it that `key` made over what it says, checked.
    pub fn signatures_by(&self, key: &PublicKey) -> Vec<&[u8]> {
        match self {
            Self::Bundle(bundle) => bundle.envelope().signatures_by(key),
            Self::Dsse(envelope) => envelope.signatures_by(key),
            Self::Simple(simple) => simple.verify(key).map(|_| vec![simple.signature()]).unwrap_or_default(),
        }
    }

    /// Which key the document claims was used, cut to a length that can be shown: a hint for people, never a trust input
    /// (threats: key-from-evidence).
    pub fn claimed_key(&self) -> Option<String> {
        const SHOWN: usize = 128;
        let claimed = match self {
            Self::Bundle(bundle) => bundle.claimed_key(),
            Self::Dsse(envelope) => envelope.claimed_key(),
            Self::Simple(_) => None,
        };
        claimed.map(|claimed| claimed.chars().take(SHOWN).collect())
    }

    /// Whether the document says by itself that `key` signed it: by the hint of a bundle or the key id of a signature, in
    /// base64 as cosign writes it, or in hexadecimal. A hint for people, never a trust input.
    pub fn names(&self, key: &PublicKey) -> bool {
        let (hint, id) = (key.id().hint(), key.id().to_string());
        let is_it = |claimed: &str| claimed == hint || claimed.eq_ignore_ascii_case(&id);
        match self {
            Self::Bundle(bundle) => {
                bundle.verification_material().key_hint.as_deref().is_some_and(is_it)
                    || bundle.envelope().key_ids().any(is_it)
            }
            Self::Dsse(envelope) => envelope.key_ids().any(is_it),
            Self::Simple(_) => false,
        }
    }

    /// Which predicate type the document claims, before anything was checked; none for a format that has none. To sort and
    /// to show, never to decide by.
    ///
    /// # Errors
    /// [`EnvelopeError`] where it cannot be read.
    pub fn claimed_predicate(&self, limits: &Limits) -> Result<Option<String>, EnvelopeError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Claimed {
            predicate_type: String,
        }
        let envelope = match self {
            Self::Bundle(bundle) => bundle.envelope(),
            Self::Dsse(envelope) => envelope,
            Self::Simple(_) => return Ok(None),
        };
        const LONGEST: u64 = 4 << 10;
        let payload = envelope.unverified_payload();
        let json = |error| EnvelopeError::Json { format: "in-toto statement", error };
        let claimed: Claimed = json::parse(payload, &predicate_limits(payload, limits)).map_err(json)?;
        EnvelopeError::bounded("bytes of a predicate type", claimed.predicate_type.len(), LONGEST)?;
        Ok(Some(claimed.predicate_type))
    }

    /// Which format it is, and its signatures, without what they are over: no key opens it any more.
    #[must_use]
    pub fn without_bytes(&self) -> Self {
        match self {
            Self::Bundle(bundle) => Self::Bundle(bundle.without_bytes()),
            Self::Dsse(envelope) => Self::Dsse(envelope.without_bytes()),
            Self::Simple(simple) => Self::Simple(simple.without_bytes()),
        }
    }

    /// The name of the format.
    pub const fn format(&self) -> FormName {
        match self {
            Self::Bundle(_) => FormName::SigstoreBundle,
            Self::Dsse(_) => FormName::Dsse,
            Self::Simple(_) => FormName::SimpleSigning,
        }
    }
}

impl FormName {
    /// The name as reports have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::SigstoreBundle => "sigstore-bundle",
            Self::SimpleSigning => "simple-signing",
        }
    }
}
