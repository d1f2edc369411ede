//! `TrustedIdentity`: whose certificates a statement of a trust policy accepts.

use std::fmt;

use crate::text::Untrusted;
use crate::trust::notation::TrustPolicyRule;
use crate::x509::IdentityPattern;

/// A trusted identity of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedIdentity {
    /// `*`: any certificate whose chain leads to a certificate of the trust stores.
    Any,
    /// An identity with another prefix, which only a verification plugin understands.
    Plugin {
        /// The identity as it is written.
        text: String,
    },
    /// `x509.subject: C=…, ST=…, O=…`: certificates whose subject has these attributes.
    Subject {
        /// The names.
        names: IdentityPattern,
        /// The identity as it is written.
        text: String,
    },
}

impl TrustedIdentity {
    /// Reads the identities of a statement: a lone `*`, or identities that do not cover each other.
    ///
    /// # Errors
    /// The rule that they break.
    pub(super) fn read_all(texts: &[String]) -> Result<Vec<Self>, TrustPolicyRule> {
        if texts.len() > 1 && texts.iter().any(|text| text == ANY) {
            return Err(TrustPolicyRule::AnyIdentityAmongOthers);
        }
        let identities: Vec<_> = texts.iter().map(|text| Self::read(text)).collect::<Result<_, _>>()?;
        for (position, one) in identities.iter().enumerate() {
            let Self::Subject { names, text } = one else { continue };
            for (other_position, other) in identities.iter().enumerate() {
                if let Self::Subject { names: others, text: other } = other
                    && position != other_position
                    && names.covers(others)
                {
                    let (one, other) = (Untrusted::new(text), Untrusted::new(other));
                    return Err(TrustPolicyRule::OverlappingIdentities { one, other });
                }
            }
        }
        Ok(identities)
    }

    fn read(text: &str) -> Result<Self, TrustPolicyRule> {
        let shown = || Untrusted::new(text);
        let text = text.to_owned();
        match text.split_once(':') {
            _ if text.is_empty() => Err(TrustPolicyRule::EmptyIdentity),
            _ if text == ANY => Ok(Self::Any),
            None | Some((_, "")) => Err(TrustPolicyRule::IdentityForm { found: shown() }),
            Some((SUBJECT, _)) => match IdentityPattern::notation(&text) {
                Ok(names) => Ok(Self::Subject { names, text }),
                Err(error) => Err(TrustPolicyRule::Identity { error, found: shown() }),
            },
            Some(_) => Ok(Self::Plugin { text }),
        }
    }

    /// The identity as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => ANY,
            Self::Plugin { text } | Self::Subject { text, .. } => text,
        }
    }
}

impl fmt::Display for TrustedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Untrusted::new(self.as_str()).fmt(f)
    }
}

const ANY: &str = "*";
const SUBJECT: &str = "x509.subject";
