//! `GeneralName`: one of the names in a subject alternative name (RFC 5280 section 4.2.1.6).

use std::fmt;
use std::net::IpAddr;

use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::der;
use crate::x509::der::Value;

/// A name of a subject (RFC 5280 section 4.2.1.6).
///
/// `Display` writes it as [`IdentityPattern::parse`](crate::x509::IdentityPattern::parse) reads it, with its kind:
/// `dns:…`, `ip:…`, `dirname:…`, `rid:…`. Foreign text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName {
    /// A distinguished name.
    Directory(Name),
    /// A DNS name.
    Dns(String),
    /// An email address.
    Email(String),
    /// An IP address: four bytes, or sixteen.
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

    /// The name as one text: bare where people know its kind by its form, as of an email address, else with its kind.
    /// Foreign text.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The name of kind `IPAddress` (RFC 5280 section 4.2.1.6): the bytes of the address in network byte order.
    pub(super) fn of_address(address: IpAddr) -> Self {
        Self::Ip(match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
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

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(name) => write!(f, "dirname:{name}"),
            Self::Dns(text) => write!(f, "dns:{text}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Ip(bytes) => match address(bytes) {
                Some(address) => write!(f, "ip:{address}"),
                None => f.write_str("an IP address"),
            },
            Self::Other { kind, value } => match other_text(value) {
                Some(text) => write!(f, "othername:{kind}={text}"),
                None => write!(f, "a name of the kind {kind}"),
            },
            Self::RegisteredId(id) => write!(f, "rid:{id}"),
            Self::Unread => f.write_str("a name of an unknown kind"),
            Self::Uri(text) => write!(f, "uri:{text}"),
        }
    }
}

/// The address that `bytes` are: an IPv4 address has four, an IPv6 address sixteen.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = |bytes: &[u8]| bytes.as_array::<4>().map(|bytes| IpAddr::from(*bytes));
    four(bytes).or_else(|| bytes.as_array::<16>().map(|bytes| IpAddr::from(*bytes)))
}

/// The text of the value of an `otherName`: `[0] EXPLICIT` and one string.
pub(super) fn other_text(value: &[u8]) -> Option<&str> {
    let inner = der::only(value, EXPLICIT_0)?;
    let strings = [der::UTF8_STRING, der::PRINTABLE_STRING, der::IA5_STRING];
    let content = strings.into_iter().find_map(|tag| der::only(inner, tag))?;
    let Ok(text) = str::from_utf8(content) else { return None };
    Some(text)
}

/// The text of an `IA5String`, which is ASCII.
fn ascii(content: &[u8]) -> Option<String> {
    match str::from_utf8(content) {
        Ok(text) if text.is_ascii() => Some(text.to_owned()),
        _ => None,
    }
}

const EXPLICIT_0: u8 = 0xa0;
