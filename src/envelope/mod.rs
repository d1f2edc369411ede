//! Signed documents: parsed here, trusted only after [`SignedDocument::verify`]; and which format a media type names.

pub mod base64;
pub mod bundle;
pub mod dsse;
mod evidence;
pub mod simple;
pub mod statement;

use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::media_type;

pub use bundle::Bundle;
pub use dsse::Envelope;
pub use dsse::Payload;
pub use evidence::Evidence;
pub use evidence::FoundAt;
pub use simple::SimpleSigning;
pub use simple::SimpleSigningPayload;
pub use statement::ResourceDescriptor;
pub use statement::Statement;
pub use statement::predicate_limits;

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

/// Why bytes are not a signed document that we read, or say nothing that we understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A field that has to be base64 is not.
    #[error("`{field}` is not base64")]
    Base64 {
        /// Which field.
        field: &'static str,
    },
    /// A field that is missing, empty or contradicts another.
    #[error("{0}")]
    Form(String),
    /// Not the JSON of this format.
    #[error("not the JSON of a {format}: {error}")]
    Json {
        /// Which format.
        format: &'static str,
        /// What the reader says.
        error: JsonError,
    },
    /// More than we are willing to read.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A media, payload or statement type that we do not read.
    #[error("unknown {what} {got:?}")]
    Type {
        /// Which type.
        what: &'static str,
        /// Its value, or the beginning of it.
        got: String,
    },
    /// No signature at all (threats: empty-signature-list).
    #[error("it has no signature")]
    Unsigned,
}

/// The key did not make any of the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not signed by the key {0}")]
pub struct NotSignedBy(pub KeyId);

impl EnvelopeError {
    fn unknown(what: &'static str, got: &str) -> Self {
        Self::Type { what, got: json::shorten(got) }
    }

    /// Whether the document may well be right, and is only more than the limits allow to read.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. } => true,
            _ => false,
        }
    }

    fn bounded(what: &'static str, got: usize, limit: u64) -> Result<(), Self> {
        match count(got) > limit {
            true => Err(Self::Limit { what, got: count(got), limit }),
            false => Ok(()),
        }
    }
}

impl SignedDocument {
    /// Reads a bundle or an envelope by its media type. A simple signing layer needs its annotation as well:
    /// [`SimpleSigning::new`].
    ///
    /// # Errors
    /// [`EnvelopeError::Type`] for every other media type, else what is wrong with the bytes.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, EnvelopeError> {
        let kind = content.descriptor().media_type.as_str();
        if kind.starts_with(media_type::SIGSTORE_BUNDLE_PREFIX) {
            return Bundle::parse_as(kind, content.bytes(), limits).map(Self::Bundle);
        }
        match kind {
            media_type::DSSE_ENVELOPE => Envelope::parse(content.bytes(), limits).map(Self::Dsse),
            other => Err(EnvelopeError::unknown("media type", other)),
        }
    }

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

    /// A short name of the format.
    pub const fn format(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "sigstore-bundle",
            Self::Dsse(_) => "dsse",
            Self::Simple(_) => "simple-signing",
        }
    }
}

/// Refuses to sign what no verifier with these limits would read.
///
/// # Errors
/// [`EnvelopeError`] that names the limit.
pub fn readable(payload: &[u8], limits: &Limits) -> Result<(), EnvelopeError> {
    // Around the payload there are a few names and a signature.
    const AROUND: usize = 16 << 10;
    let got = payload.len().div_ceil(3).saturating_mul(4).saturating_add(AROUND);
    EnvelopeError::bounded("bytes of an attestation in base64", got, limits.evidence.attestation_bytes)?;
    let json = |error| EnvelopeError::Json { format: "attestation", error };
    json::check(payload, &predicate_limits(payload, limits)).map_err(json)
}

impl Payload {
    /// What the payload says.
    ///
    /// # Errors
    /// [`EnvelopeError`] where its type is unknown or its bytes are not of that type.
    pub fn read(&self, limits: &Limits) -> Result<SignedPayload, EnvelopeError> {
        match self.payload_type() {
            media_type::IN_TOTO => Statement::parse(self, limits).map(SignedPayload::Statement),
            media_type::SIMPLE_SIGNING => SimpleSigningPayload::parse(self, limits).map(SignedPayload::SimpleSigning),
            other => Err(EnvelopeError::unknown("payload type", other)),
        }
    }
}

/// What a signed payload says.
#[derive(Clone, Debug)]
pub enum SignedPayload {
    /// A simple signing claim.
    SimpleSigning(SimpleSigningPayload),
    /// An in-toto statement.
    Statement(Statement),
}

/// How a payload was proven to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// By which key.
    pub key: KeyId,
    /// By which scheme.
    pub scheme: Scheme,
}
