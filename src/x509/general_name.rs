//! `GeneralName`: one of the names in a subject alternative name (RFC 5280 section 4.2.1.6).

use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::der::Value;

/// A name of a subject (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName {
    /// A distinguished name.
    Directory(Name),
    /// A DNS name.
    Dns(String),
    /// An email address.
    Email(String),
    /// An IP address.
    Ip(Vec<u8>),
    /// A name of a kind that somebody else defined, with its value in DER, the tag `[0]` around it included.
    Other {
        /// Which kind of name.
        kind: Oid,
        /// Its value.
        value: Vec<u8>,
    },
    /// An identifier that was registered.
    RegisteredId(Oid),
    /// An X.400 address or an EDI party name, which nobody compares.
    Unread,
    /// A URI.
    Uri(String),
}

impl GeneralName {
    /// Reads the names of DER `GeneralNames`, all of them or none.
    pub(super) fn read_all(der: &[u8]) -> Option<Vec<Self>> {
        der::values(der::only(der, der::SEQUENCE)?)?.iter().map(Self::read).collect()
    }

    /// The tag must be the one of RFC 5280 appendix A.2, its class and whether it is constructed included.
    fn read(name: &Value<'_>) -> Option<Self> {
        let content = name.content;
        Some(match name.tag {
            0xa0 => Self::other(content)?,
            0x81 => Self::Email(ascii(content)?),
            0x82 => Self::Dns(ascii(content)?),
            0xa3 | 0xa5 => Self::Unread,
            0xa4 => match Name::read(content) {
                Ok(name) => Self::Directory(name),
                Err(_) => return None,
            },
            0x86 => Self::Uri(ascii(content)?),
            0x87 if matches!(content.len(), 4 | 16) => Self::Ip(content.to_vec()),
            0x88 => Self::RegisteredId(Oid::from_content(content)?),
            _ => return None,
        })
    }

    /// `OtherName`: an object identifier, and one value in `[0] EXPLICIT`.
    fn other(content: &[u8]) -> Option<Self> {
        let kind = der::first(content)?;
        let value = content.get(kind.len()..)?;
        let inner = der::only(value, EXPLICIT_0)?;
        if !der::is_strict(inner) {
            return None;
        }
        let kind = Oid::from_content(der::only(kind, der::OBJECT_ID)?)?;
        Some(Self::Other { kind, value: value.to_vec() })
    }
}

/// The text of an `IA5String`, which is ASCII.
fn ascii(content: &[u8]) -> Option<String> {
    match str::from_utf8(content) {
        Ok(text) if text.is_ascii() => Some(text.to_owned()),
        _ => None,
    }
}

const EXPLICIT_0: u8 = 0xa0;
