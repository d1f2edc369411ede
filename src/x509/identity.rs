//! `IdentityPattern`: which certificates an operator means, by the names in them.
//!
//! Names are compared as whole texts, character by character: no wildcard, no regular expression, no part of a text. A
//! pattern says nothing about trust: it is asked of a certificate whose chain was verified.

use std::fmt;

use crate::nonempty::NonEmpty;
use crate::x509::Certificate;
use crate::x509::GeneralName;
use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::PatternError;
use crate::x509::der;
use crate::x509::distinguished_name;
use crate::x509::name::Written;

/// Names that a certificate must have, all of them.
///
/// ```
/// use bulla::x509::IdentityPattern;
///
/// let pattern = IdentityPattern::notation("x509.subject: C=US, ST=WA, O=Example\\, Inc.").unwrap();
/// assert_eq!(pattern.to_string(), "subject C=US, subject ST=WA, subject O=Example\\, Inc.");
/// assert!(IdentityPattern::notation("x509.subject: O=Example").is_err(), "C and ST are mandatory there");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPattern {
    names: NonEmpty<NamePattern>,
    subject: SubjectRule,
}

/// One name that a certificate must have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamePattern {
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
    /// An attribute of the issuer's distinguished name, which is there exactly once.
    Issuer {
        /// Which attribute.
        kind: Oid,
        /// Its text.
        text: String,
    },
    /// An `otherName` among the subject alternative names whose value is a text.
    OtherName {
        /// Which kind of name.
        id: Oid,
        /// Its text.
        text: String,
    },
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

/// What else must hold for the subject of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SubjectRule {
    /// Nothing.
    Any,
    /// No part with several attributes, and no attribute twice, whichever they are: notation refuses such a subject.
    Unambiguous,
}

impl IdentityPattern {
    /// All of `names`.
    pub const fn all(names: NonEmpty<NamePattern>) -> Self {
        Self { names, subject: SubjectRule::Any }
    }

    /// The attributes of a subject, written as a distinguished name: each must be in the subject, which may have more.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn subject(distinguished_name: &str) -> Result<Self, PatternError> {
        attributes(distinguished_name).map(Self::all)
    }

    /// A trusted identity of a trust policy of the Notary Project: `x509.subject: C=US, ST=WA, O=…`. The attributes C,
    /// ST (or S) and O are mandatory, and a certificate whose subject has an attribute twice never matches.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn notation(identity: &str) -> Result<Self, PatternError> {
        let name = identity
            .strip_prefix("x509.subject:")
            .ok_or_else(|| PatternError::Identity { found: identity.to_owned() })?;
        let names = attributes(name)?;
        for (keyword, content) in [("C", [0x55, 4, 6]), ("ST", [0x55, 4, 8]), ("O", [0x55, 4, 10])] {
            let is_it =
                |name: &NamePattern| matches!(name, NamePattern::Subject { kind, .. } if kind.as_content() == content);
            if !names.iter().any(is_it) {
                return Err(PatternError::Mandatory { keyword });
            }
        }
        Ok(Self { names, subject: SubjectRule::Unambiguous })
    }

    /// Whether `certificate` has all names of the pattern.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        let subject = match self.subject {
            SubjectRule::Any => true,
            SubjectRule::Unambiguous => !certificate.subject().is_ambiguous(),
        };
        subject && self.names.iter().all(|name| name.matches(certificate))
    }

    /// The names, in the order in which they were given.
    pub const fn names(&self) -> &NonEmpty<NamePattern> {
        &self.names
    }

    /// Whether every certificate that `other` matches is matched by this pattern too: its names are among those of
    /// `other`, and it allows the subjects that `other` allows. notation refuses a trust policy with two such identities.
    pub fn covers(&self, other: &Self) -> bool {
        let subjects = self.subject == SubjectRule::Any || other.subject == SubjectRule::Unambiguous;
        subjects && self.names.iter().all(|name| other.names.iter().any(|of_other| name == of_other))
    }
}

impl NamePattern {
    /// Whether `certificate` has this name.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        let any = |is_it: &dyn Fn(&GeneralName) -> bool| certificate.extensions().alternative_names().iter().any(is_it);
        match self {
            Self::Dns(text) => any(&|name| matches!(name, GeneralName::Dns(found) if found == text)),
            Self::Email(text) => any(&|name| matches!(name, GeneralName::Email(found) if found == text)),
            Self::Extension { id, text } => {
                certificate.extensions().get(id).is_some_and(|extension| is_text(extension.value(), text))
            }
            Self::Issuer { kind, text } => has(certificate.issuer(), kind, text),
            Self::OtherName { id, text } => any(&|name| match name {
                GeneralName::Other { kind, value } => kind == id && is_other_name(value, text),
                _ => false,
            }),
            Self::Subject { kind, text } => has(certificate.subject(), kind, text),
            Self::Uri(text) => any(&|name| matches!(name, GeneralName::Uri(found) if found == text)),
        }
    }
}

impl fmt::Display for IdentityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) => write!(f, "dns:{text}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Extension { id, text } => write!(f, "extension {id}={text}"),
            Self::Issuer { kind, text } => write!(f, "issuer {}", Written { kind, text }),
            Self::OtherName { id, text } => write!(f, "otherName {id}={text}"),
            Self::Subject { kind, text } => write!(f, "subject {}", Written { kind, text }),
            Self::Uri(text) => write!(f, "uri:{text}"),
        }
    }
}

/// The attributes of a distinguished name as patterns of a subject: one in each part, none of them twice.
pub(super) fn attributes(distinguished_name: &str) -> Result<NonEmpty<NamePattern>, PatternError> {
    let mut names: Vec<NamePattern> = Vec::new();
    for part in distinguished_name::parse(distinguished_name)? {
        let [(kind, text)] = part.as_slice() else { return Err(PatternError::MultiValued) };
        let is_it = |name: &NamePattern| matches!(name, NamePattern::Subject { kind: known, .. } if known == kind);
        if names.iter().any(is_it) {
            return Err(PatternError::Duplicate { kind: kind.clone() });
        }
        names.push(NamePattern::Subject { kind: kind.clone(), text: text.clone() });
    }
    let empty = PatternError::DistinguishedName { found: distinguished_name.to_owned(), reason: "it is empty" };
    NonEmpty::collect(names).ok_or(empty)
}

fn has(name: &Name, kind: &Oid, text: &str) -> bool {
    name.only_text(kind) == Some(text)
}

/// Whether an extension is `text`: Fulcio writes its older extensions as bare bytes and its newer ones as DER.
fn is_text(value: &[u8], text: &str) -> bool {
    match der::only(value, UTF8_STRING) {
        Some(content) => content == text.as_bytes(),
        None => value == text.as_bytes(),
    }
}

/// Whether the value of an `otherName` is `text`: `[0] EXPLICIT` and one string.
fn is_other_name(value: &[u8], text: &str) -> bool {
    let inner = der::only(value, EXPLICIT_0).unwrap_or_default();
    let mut tags = [UTF8_STRING, PRINTABLE_STRING, IA5_STRING].into_iter();
    tags.any(|tag| der::only(inner, tag) == Some(text.as_bytes()))
}

const EXPLICIT_0: u8 = 0xa0;
const IA5_STRING: u8 = 0x16;
const PRINTABLE_STRING: u8 = 0x13;
const UTF8_STRING: u8 = 0x0c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_identities_are_read_as_notation_reads_them() {
        for (identity, error) in [
            ("*", "does not begin with"),
            ("x509.subject: ", "no `=`"),
            ("x509.subject: CN=a", "lacks the attribute C"),
            ("x509.subject: C=US, O=a", "lacks the attribute ST"),
            ("x509.subject: C=US, ST=WA", "lacks the attribute O"),
            ("x509.subject: C=US, ST=WA, O=a, O=b", "twice"),
            ("x509.subject: C=US, S=WA, ST=WA, O=a", "twice"),
            ("x509.subject: C=US, ST=WA, O=a+OU=b", "several attributes"),
            ("x509.subject: C=US, ST=WA, O=#0403", "is written as `#`"),
        ] {
            let said = IdentityPattern::notation(identity).unwrap_err().to_string();
            assert!(said.contains(error), "{identity}: {said}");
        }
        let one = IdentityPattern::notation("x509.subject:C=US,S=WA,O=a").unwrap();
        assert_eq!(one.to_string(), "subject C=US, subject ST=WA, subject O=a");
        assert!(one.covers(&IdentityPattern::notation("x509.subject: OU=b, C=US, ST=WA, O=a").unwrap()));
        assert!(!one.covers(&IdentityPattern::notation("x509.subject: C=US, ST=WA, O=b").unwrap()));
        // A subject with an attribute twice matches the second one only.
        let any = IdentityPattern::subject("C=US, ST=WA, O=a").unwrap();
        assert!(any.covers(&one) && !one.covers(&any) && any.covers(&any));
    }

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
