//! `ItemPayload`: the payload of a statement to sign, in the encoding of the formats that carry it.

use std::borrow::Cow;
use std::fmt;

use crate::envelope::SignedPayload;
use crate::envelope::pre_authentication_encoding;
use crate::oci::media_type;

/// The kind of payload: an item has at most one of each. Formats with the same payload share one signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadKind {
    /// A simple signing payload: the tag form of an image signature. Requests, responses and logs call it `claim`.
    SimpleSigning,
    /// An in-toto statement in a DSSE envelope: the bundle form, and both forms of an attestation.
    Statement,
}

/// A payload to sign for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPayload {
    bytes: Vec<u8>,
    kind: PayloadKind,
}

impl ItemPayload {
    pub(super) const fn new(kind: PayloadKind, bytes: Vec<u8>) -> Self {
        Self { bytes, kind }
    }

    /// The payload as it is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The kind of payload.
    pub const fn kind(&self) -> PayloadKind {
        self.kind
    }

    /// The media type of the payload.
    pub const fn payload_type(&self) -> &'static str {
        match self.kind {
            PayloadKind::SimpleSigning => media_type::SIMPLE_SIGNING,
            PayloadKind::Statement => media_type::IN_TOTO,
        }
    }

    /// The bytes that a signature covers: for a statement its DSSE pre-authentication encoding.
    pub fn to_sign(&self) -> Cow<'_, [u8]> {
        match self.kind {
            PayloadKind::SimpleSigning => Cow::Borrowed(&self.bytes),
            PayloadKind::Statement => Cow::Owned(pre_authentication_encoding(self.payload_type(), &self.bytes)),
        }
    }
}

impl PayloadKind {
    /// The kind of a verified payload; `None` for one that requests and logs do not have.
    pub const fn of(payload: &SignedPayload) -> Option<Self> {
        match payload {
            SignedPayload::Notary(_) => None,
            SignedPayload::SimpleSigning(_) => Some(Self::SimpleSigning),
            SignedPayload::Statement(_) => Some(Self::Statement),
        }
    }
}

impl fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SimpleSigning => "claim",
            Self::Statement => "statement",
        })
    }
}
