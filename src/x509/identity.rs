//! `IdentityPattern`: which certificates an operator means, by the names in them.
//!
//! Names are compared as whole texts, never as a part of a text: character by character, or, for keyless identities, by a
//! [`TextPattern`](crate::x509::TextPattern). A pattern says nothing about trust: it is asked of a certificate whose chain
//! was verified.

use std::fmt;

use crate::nonempty::NonEmpty;
use crate::x509::Certificate;
use crate::x509::FulcioClaims;
use crate::x509::IdentityMismatch;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::distinguished_name;

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

    /// The same with one more name that a certificate must have.
    #[must_use]
    pub fn and(mut self, name: NamePattern) -> Self {
        self.names.push(name);
        self
    }

    /// Whether `certificate` has all names of the pattern.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        self.check(certificate).is_ok()
    }

    /// Checks that `certificate` has all names of the pattern. A certificate that contradicts itself about whose it is
    /// matches no pattern.
    ///
    /// # Errors
    /// The first [`IdentityMismatch`].
    pub fn check(&self, certificate: &Certificate) -> Result<(), IdentityMismatch> {
        FulcioClaims::check(certificate).map_err(IdentityMismatch::Fulcio)?;
        if self.subject == SubjectRule::Unambiguous && certificate.subject().is_ambiguous() {
            return Err(IdentityMismatch::AmbiguousSubject);
        }
        if self.names.iter().any(NamePattern::is_of_fulcio) {
            FulcioClaims::of(certificate).map_err(IdentityMismatch::Fulcio)?;
        }
        match self.names.iter().find(|name| !name.matches(certificate)) {
            Some(name) => Err(IdentityMismatch::Name(name.clone())),
            None => Ok(()),
        }
    }

    /// What `certificate` lacks beside who its holder is: the first extension that does not fit, where every other name does.
    pub(crate) fn missing_condition(&self, certificate: &Certificate) -> Option<&NamePattern> {
        let Err(IdentityMismatch::Name(_)) = self.check(certificate) else { return None };
        let mut missing = self.names.iter().filter(|name| !name.matches(certificate)).peekable();
        let first = *missing.peek()?;
        missing.all(|name| matches!(name, NamePattern::Extension { .. } | NamePattern::Fulcio(_))).then_some(first)
    }

    /// Whether the issuer of the OIDC token is among the names, and not any issuer.
    pub fn names_oidc_issuer(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::OidcIssuer(issuer) if !issuer.is_any()))
    }

    /// The names, in the order in which they were given.
    pub const fn names(&self) -> &NonEmpty<NamePattern> {
        &self.names
    }

    /// Whether every certificate that `other` matches is matched by this pattern too: its names are among those of
    /// `other`, and it allows the subjects that `other` allows. notation refuses a trust policy with two such identities.
    pub fn covers(&self, other: &Self) -> bool {
        let subjects = self.subject == SubjectRule::Any || other.subject == SubjectRule::Unambiguous;
        subjects && self.names.iter().all(|name| other.names.iter().any(|of_other| name.covers(of_other)))
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
}
