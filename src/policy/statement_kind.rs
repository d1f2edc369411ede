//! `StatementKind`: the kind of a signed statement, by its predicate type.

use std::fmt;

use crate::envelope::FormStatements;
use crate::envelope::SignedPayload;
use crate::oci::media_type;

/// The kind of a signed statement: part of every proof, so that an attestation never counts as a signature
/// (threats: attestation-as-signature).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// A statement of this predicate type.
    Attestation {
        /// The predicate type, a URI.
        predicate_type: String,
    },
    /// An image signature: the signer stands for the image, and states nothing more.
    ImageSignature,
}

impl StatementKind {
    /// The kind of a signed payload.
    pub fn of(payload: &SignedPayload) -> Self {
        match payload {
            SignedPayload::Notary(_) | SignedPayload::SimpleSigning(_) => Self::ImageSignature,
            SignedPayload::Statement(statement) => Self::of_predicate(statement.predicate_type()),
        }
    }

    /// The kind of an in-toto statement with this predicate type.
    pub fn of_predicate(predicate_type: &str) -> Self {
        match predicate_type {
            media_type::COSIGN_SIGN_PREDICATE => Self::ImageSignature,
            other => Self::Attestation { predicate_type: other.to_owned() },
        }
    }

    /// The statements of cosign's tag for this kind.
    pub const fn form_statements(&self) -> FormStatements {
        match self {
            Self::Attestation { .. } => FormStatements::Attestations,
            Self::ImageSignature => FormStatements::ImageSignatures,
        }
    }
}

/// A text that is neither a URI nor a short name of a predicate type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a predicate type (a URI) nor the short name of one")]
pub struct PredicateTypeError(String);

/// The short names of predicate types that cosign has, each with its URI.
pub const PREDICATE_TYPES: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
];

/// The predicate type for `typed`: a URI stands for itself, a short name of cosign for its URI.
///
/// # Errors
/// [`PredicateTypeError`] for anything else: a statement signed under a misspelled type would never be found.
pub fn predicate_type(typed: &str) -> Result<&str, PredicateTypeError> {
    let short = PREDICATE_TYPES.iter().find(|(name, _)| *name == typed).map(|(_, uri)| *uri);
    match short {
        Some(uri) => Ok(uri),
        None if is_uri(typed) => Ok(typed),
        None => Err(PredicateTypeError(typed.to_owned())),
    }
}

/// Whether `text` is a URI: a scheme and something after it, in the characters of a URI. RFC 3986 section 3.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_has = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let rest_has = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(scheme_has)
        && rest.chars().all(rest_has)
        && !rest.trim_start_matches('/').is_empty()
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attestation { predicate_type } => write!(f, "attestation {predicate_type}"),
            Self::ImageSignature => f.write_str("image signature"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_type_is_a_uri_or_a_short_name() {
        for (name, uri) in PREDICATE_TYPES {
            assert_eq!(predicate_type(name), Ok(uri));
            assert_eq!(predicate_type(uri), Ok(uri));
            assert!(predicate_type(&name.to_uppercase()).is_err(), "{name}");
        }
        for uri in ["urn:example:a", "https://example.com/a?b#c", "tag:example.com,2026:a", "a:b"] {
            assert_eq!(predicate_type(uri), Ok(uri));
        }
        for wrong in [
            "",
            "vulnerability",
            "Vuln",
            "vuln ",
            " vuln",
            "https:",
            "https://",
            ":a",
            "1a:b",
            "a b:c",
            "https://a b",
            "https://a\n",
            "example.com/a",
            "https://\u{e9}",
            "https://<a>",
        ] {
            assert_eq!(predicate_type(wrong), Err(PredicateTypeError(wrong.to_owned())), "{wrong:?}");
        }
    }
}
