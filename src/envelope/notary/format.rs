//! `NotaryFormat` and `Strictness`: how an envelope is encoded, and how strictly it is read.

use std::fmt;

use crate::oci::media_type;

/// The encoding of a Notary Project envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotaryFormat {
    /// COSE_Sign1. RFC 9052.
    Cose,
    /// JWS with the flattened JSON serialization. RFC 7515 section 7.2.2.
    Jws,
}

/// How strictly an envelope is read. `docs/notary.md` lists the differences. None of them concerns what is signed, but
/// for the order of keys in CBOR maps and superfluous entries in the list of critical attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strictness {
    /// As notation reads: unknown members and unprotected header parameters are ignored, and their names may differ in
    /// case. What could be read in two ways is refused all the same.
    AsNotation,
    /// As the specifications say.
    #[default]
    Strict,
}

impl NotaryFormat {
    /// The media type of an envelope in this format.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Cose => media_type::NOTARY_COSE,
            Self::Jws => media_type::NOTARY_JWS,
        }
    }

    /// Whether bytes begin as a COSE envelope does: tag 18, an array of four. RFC 9052 section 4.2. For display.
    pub const fn begins_cose(bytes: &[u8]) -> bool {
        matches!(bytes, [0xd2, 0x84, ..])
    }

    /// The format of an envelope with this media type.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        [Self::Cose, Self::Jws].into_iter().find(|format| format.media_type() == media_type)
    }
}

impl fmt::Display for NotaryFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cose => "COSE",
            Self::Jws => "JWS",
        })
    }
}
