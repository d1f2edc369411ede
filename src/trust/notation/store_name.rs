//! `TrustStoreName`: which trust store a statement names, such as `ca:acme`.

use std::fmt;

use crate::text::Untrusted;
use crate::trust::notation::TrustPolicyRule;
use crate::x509::Purpose;

/// The name of a trust store: a directory of certificates, `truststore/x509/KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustStoreName {
    kind: TrustStoreKind,
    name: String,
}

/// What the certificates of a trust store are trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TrustStoreKind {
    /// `ca`: signers' chains lead to it.
    Ca,
    /// `signingAuthority`: the chains of signing authorities, which also state the time, lead to it.
    SigningAuthority,
    /// `tsa`: the chains of timestamp authorities lead to it.
    Tsa,
}

impl TrustStoreName {
    /// Reads `KIND:NAME`. The name is one component of a path: letters, digits, `_`, `.` and `-`, and neither `.` nor
    /// `..`.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn read(text: &str) -> Result<Self, TrustPolicyRule> {
        let wrong = || TrustPolicyRule::TrustStore { found: Untrusted::new(text) };
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        let kind = TrustStoreKind::ALL.into_iter().find(|one| one.as_str() == kind).ok_or_else(wrong)?;
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        match !name.is_empty() && name.bytes().all(inner) && !matches!(name, "." | "..") {
            true => Ok(Self { kind, name: name.to_owned() }),
            false => Err(wrong()),
        }
    }

    /// What its certificates are trusted for.
    pub const fn kind(&self) -> TrustStoreKind {
        self.kind
    }

    /// The name, without the kind: the name of its directory.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TrustStoreKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Ca, Self::SigningAuthority, Self::Tsa];

    /// The name of the kind in trust policies, and of its directory.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::SigningAuthority => "signingAuthority",
            Self::Tsa => "tsa",
        }
    }

    /// The purpose for which chains may end at the certificates of the store.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Ca => Purpose::Signing,
            Self::SigningAuthority => Purpose::SigningAuthority,
            Self::Tsa => Purpose::TimeStamping,
        }
    }
}

impl fmt::Display for TrustStoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}
