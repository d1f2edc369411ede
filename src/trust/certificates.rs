//! `CertificateMeans`: chains of certificates as a means by which an owner is known.

use std::sync::Arc;

use crate::digest::Digest;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::IdentityPattern;
use crate::x509::Profile;
use crate::x509::Purpose;

/// The certificates that are an owner's: those whose chain leads to one of these anchors and whose names fit.
#[derive(Clone, Debug)]
pub struct CertificateMeans {
    anchors: Arc<[Anchor]>,
    names: IdentityPattern,
    profile: Profile,
}

impl CertificateMeans {
    /// Certificates with `names` whose chain leads to one of `anchors`, by the rules of `profile`. Anchors for
    /// timestamps verify timestamps and nothing else.
    pub const fn new(anchors: Arc<[Anchor]>, names: IdentityPattern, profile: Profile) -> Self {
        Self { anchors, names, profile }
    }

    /// The anchors, each for one purpose.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The names that a certificate must have, all of them.
    pub const fn names(&self) -> &IdentityPattern {
        &self.names
    }

    /// The rules by which a chain is verified.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether an anchor has this purpose.
    pub fn has_anchor_for(&self, purpose: Purpose) -> bool {
        self.anchors.iter().any(|anchor| anchor.purpose == purpose)
    }

    /// Whether the certificate has the names.
    pub(super) fn fits(&self, certificate: &Certificate) -> bool {
        self.names.matches(certificate)
    }

    /// Writes everything that decides whose signatures count into the text that the version of a trust root covers.
    pub(super) fn describe(&self, text: &mut String) {
        // The debug text of the names quotes them and shows every rule of the pattern, so no two patterns give the same.
        text.push_str(&format!("certificates {} {:?}\n", self.profile.name(), self.names));
        for anchor in self.anchors.iter() {
            text.push_str(&format!("anchor {} {}\n", anchor.purpose.name(), Digest::sha256(anchor.certificate.der())));
        }
    }
}
