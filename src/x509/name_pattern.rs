//! `NamePattern`: one name that a certificate must have.

use std::fmt;
use std::net::IpAddr;

use crate::nonempty::NonEmpty;
use crate::x509::Attribute;
use crate::x509::Certificate;
use crate::x509::FulcioClaims;
use crate::x509::FulcioExtension;
use crate::x509::FulcioNameKind;
use crate::x509::GeneralName;
use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::TextPattern;
use crate::x509::der;
use crate::x509::general_name;
use crate::x509::name::Written;

/// One name that a certificate must have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamePattern {
    /// The subject alternative name of a certificate of Fulcio, which has one.
    AlternativeName {
        /// Its kind; any if there is none.
        kind: Option<FulcioNameKind>,
        /// Its text.
        text: TextPattern,
    },
    /// A directory name among the subject alternative names: all of its attributes, the last one of the encoding first, and
    /// no other one. Each stands in a part of its own, and is a text.
    Directory(NonEmpty<(Oid, String)>),
    /// A DNS name among the subject alternative names (RFC 5280 section 4.2.1.6).
    Dns(String),
    /// An email address among the subject alternative names.
    Email(String),
    /// A text in an extension: its UTF-8 bytes, or a DER `UTF8String`.
    Extension {
        /// Which extension.
        id: Oid,
        /// Its text.
        text: String,
    },
    /// Extensions of Fulcio that say the same in a newer and an older form: at least one is there, and each that is there
    /// has its text.
    Fulcio(NonEmpty<(FulcioExtension, TextPattern)>),
    /// An IP address among the subject alternative names, byte for byte: an IPv4 address is not the IPv6 address that it is
    /// mapped to.
    Ip(IpAddr),
    /// An attribute of the issuer's distinguished name, which is there exactly once.
    Issuer {
        /// Which attribute.
        kind: Oid,
        /// Its text.
        text: String,
    },
    /// No issuer of an OIDC token: the authority that issued the certificate names people itself, as a company's does.
    /// Certificates of Fulcio always have one.
    NoOidcIssuer,
    /// The issuer of the OIDC token for which Fulcio issued the certificate.
    OidcIssuer(TextPattern),
    /// An `otherName` among the subject alternative names whose value is a text.
    OtherName {
        /// Which kind of name.
        id: Oid,
        /// Its text.
        text: String,
    },
    /// A registered identifier among the subject alternative names.
    RegisteredId(Oid),
    /// An attribute of the subject's distinguished name, which is there exactly once.
    Subject {
        /// Which attribute.
        kind: Oid,
        /// Its text.
        text: String,
    },
    /// A URI among the subject alternative names.
    Uri(String),
}

impl NamePattern {
    /// Extensions of Fulcio that say the same: at least one is there, and each that is there has its text.
    pub fn either(
        newer: (FulcioExtension, TextPattern),
        older: impl IntoIterator<Item = (FulcioExtension, TextPattern)>,
    ) -> Self {
        let mut all = NonEmpty::one(newer);
        older.into_iter().for_each(|extension| all.push(extension));
        Self::Fulcio(all)
    }

    /// Whether it is about what Fulcio writes, which is read as a whole.
    pub(super) const fn is_of_fulcio(&self) -> bool {
        matches!(self, Self::AlternativeName { .. } | Self::Fulcio(_) | Self::OidcIssuer(_))
    }

    /// Whether every certificate with the name `other` has this name.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OidcIssuer(one), Self::OidcIssuer(two)) => one.covers(two),
            (Self::AlternativeName { kind, text }, Self::AlternativeName { kind: of_other, text: other }) => {
                (kind.is_none() || kind == of_other) && text.covers(other)
            }
            _ => self == other,
        }
    }

    /// Whether `certificate` has this name.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        let any = |is_it: &dyn Fn(&GeneralName) -> bool| certificate.extensions().alternative_names().iter().any(is_it);
        let claims = || FulcioClaims::of(certificate);
        match self {
            Self::AlternativeName { kind, text } => {
                let fits = |claims: &FulcioClaims| kind.is_none_or(|kind| kind == claims.name_kind());
                claims().is_ok_and(|claims| fits(&claims) && text.matches(claims.name()))
            }
            Self::Directory(attributes) => {
                any(&|name| matches!(name, GeneralName::Directory(found) if is_directory(found, attributes)))
            }
            Self::Dns(text) => any(&|name| matches!(name, GeneralName::Dns(found) if found == text)),
            Self::Email(text) => any(&|name| matches!(name, GeneralName::Email(found) if found == text)),
            Self::Extension { id, text } => {
                certificate.extensions().get(id).is_some_and(|extension| is_text(extension.value(), text))
            }
            Self::Fulcio(either) => claims().is_ok_and(|claims| {
                let found = |extension: &FulcioExtension| claims.get(*extension);
                either.iter().any(|(extension, _)| found(extension).is_some())
                    && either.iter().all(|(extension, text)| found(extension).is_none_or(|found| text.matches(found)))
            }),
            Self::Ip(address) => {
                let wanted = GeneralName::of_address(*address);
                any(&|name| *name == wanted)
            }
            Self::Issuer { kind, text } => has(certificate.issuer(), kind, text),
            Self::NoOidcIssuer => FulcioClaims::issuer_of(certificate).is_ok_and(|issuer| issuer.is_none()),
            Self::OidcIssuer(text) => {
                claims().is_ok_and(|claims| text.is_any() || claims.issuer().is_some_and(|found| text.matches(found)))
            }
            Self::OtherName { id, text } => any(&|name| match name {
                GeneralName::Other { kind, value } => kind == id && is_other_name(value, text),
                _ => false,
            }),
            Self::RegisteredId(id) => any(&|name| matches!(name, GeneralName::RegisteredId(found) if found == id)),
            Self::Subject { kind, text } => has(certificate.subject(), kind, text),
            Self::Uri(text) => any(&|name| matches!(name, GeneralName::Uri(found) if found == text)),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlternativeName { text, .. } => write!(f, "name {text}"),
            Self::Directory(attributes) => {
                for (index, (kind, text)) in attributes.iter().enumerate() {
                    let before = if index == 0 { "dirname:" } else { "," };
                    write!(f, "{before}{}", Written { kind, text })?;
                }
                Ok(())
            }
            Self::Dns(text) => write!(f, "dns:{text}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Extension { id, text } => write!(f, "extension {id}={text}"),
            Self::Fulcio(either) => {
                let (extension, text) = either.first();
                write!(f, "{extension} {text}")
            }
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Issuer { kind, text } => write!(f, "issuer {}", Written { kind, text }),
            Self::NoOidcIssuer => f.write_str("no OIDC issuer"),
            Self::OidcIssuer(text) => write!(f, "OIDC issuer {text}"),
            Self::OtherName { id, text } => write!(f, "otherName {id}={text}"),
            Self::RegisteredId(id) => write!(f, "rid:{id}"),
            Self::Subject { kind, text } => write!(f, "subject {}", Written { kind, text }),
            Self::Uri(text) => write!(f, "uri:{text}"),
        }
    }
}

fn has(name: &Name, kind: &Oid, text: &str) -> bool {
    name.only_text(kind) == Some(text)
}

/// Whether a distinguished name has these attributes, in the order in which RFC 4514 writes them, and nothing else.
fn is_directory(name: &Name, attributes: &NonEmpty<(Oid, String)>) -> bool {
    let mut parts: Vec<_> = name.parts().collect();
    parts.reverse();
    let is_it = |(part, (kind, text)): (&&[Attribute], &(Oid, String))| match part {
        [one] => one.kind() == kind && one.text() == Some(text),
        _ => false,
    };
    parts.len() == attributes.count() && parts.iter().zip(attributes.iter()).all(is_it)
}

/// Whether an extension is `text`: Fulcio writes its older extensions as bare bytes and its newer ones as DER.
fn is_text(value: &[u8], text: &str) -> bool {
    match der::only(value, der::UTF8_STRING) {
        Some(content) => content == text.as_bytes(),
        None => value == text.as_bytes(),
    }
}

/// Whether the value of an `otherName` is `text`: `[0] EXPLICIT` and one string.
fn is_other_name(value: &[u8], text: &str) -> bool {
    general_name::other_text(value) == Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_extensions_are_compared_whole() {
        assert!(is_text(b"push", "push") && is_text(b"\x0c\x04push", "push"));
        for value in [&b"pus"[..], b"push ", b"\x0c\x03pus", b"\x0c\x04pushx", b"\x0c\x05push", b""] {
            assert!(!is_text(value, "push"), "{value:?}");
        }
        assert!(is_other_name(b"\xa0\x06\x0c\x04push", "push") && is_other_name(b"\xa0\x06\x16\x04push", "push"));
        for value in [
            &b"push"[..],
            b"\x0c\x04push",
            b"\xa0\x06\x0c\x04push\0",
            b"\xa0\x07\x0c\x04push\0",
            b"\xa0\x06\x04\x04push",
            b"",
        ] {
            assert!(!is_other_name(value, "push"), "{value:?}");
        }
    }
}
