//! `SigstoreAuthority`: a certificate authority or a timestamp authority of a trusted root.

use crate::nonempty::NonEmpty;
use crate::time::ValidityPeriod;
use crate::x509::Certificate;

/// A certificate authority or a timestamp authority: its chain, and from when until when it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigstoreAuthority {
    pub(super) certificates: NonEmpty<Certificate>,
    pub(super) uri: Option<String>,
    pub(super) validity: ValidityPeriod,
}

impl SigstoreAuthority {
    /// The anchor: the last certificate of the chain.
    pub fn anchor(&self) -> &Certificate {
        self.certificates.iter().last().unwrap_or_else(|| self.certificates.first())
    }

    /// The chain: the certificates in their order, the anchor last.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter()
    }

    /// The certificates before the anchor: intermediate ones; of a timestamp authority its own as well.
    pub fn intermediates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().take(self.certificates.count().saturating_sub(1))
    }

    /// Whether the first certificate of `path`, which leads to its anchor, is one of this authority's: every issuer is listed
    /// by it, and where it lists a signer of its own, the first certificate is that signer. Authorities may share an anchor
    /// and differ in the rest, so the anchor alone does not say whose a certificate is.
    pub(in crate::trust) fn is_authority_of(&self, path: &NonEmpty<Certificate>) -> bool {
        path.iter().skip(1).all(|issuer| self.lists(issuer))
            && (self.certificates.first().extensions().is_ca() || self.lists(path.first()))
    }

    /// Whether `certificate` is one of its certificates, byte for byte.
    pub(in crate::trust) fn lists(&self, certificate: &Certificate) -> bool {
        self.certificates().any(|one| one == certificate)
    }

    /// Where the authority is, if that is stated.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// From when until when it is trusted.
    pub const fn validity(&self) -> ValidityPeriod {
        self.validity
    }
}
