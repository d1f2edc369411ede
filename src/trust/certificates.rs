//! `CertificateMeans`: chains of certificates as a means by which an owner is known.

use std::sync::Arc;

use crate::digest::Digest;
use crate::trust::RevocationUse;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::IdentityPattern;
use crate::x509::Profile;
use crate::x509::Purpose;

/// The certificates that are an owner's: those whose chain leads to one of these anchors and whose names fit.
#[derive(Clone, Debug)]
pub struct CertificateMeans {
    anchors: Arc<[Anchor]>,
    names: Names,
    profile: Profile,
    revocation: RevocationUse,
    timestamps: TimestampUse,
}

/// The names that a certificate must have.
#[derive(Clone, Debug)]
enum Names {
    /// Any names: the trusted identity `*` of a trust policy of the Notary Project, and nothing else.
    Any,
    /// These names.
    Matching(IdentityPattern),
}

/// When a timestamp says at which time a chain is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampUse {
    /// If a certificate has expired. Without a timestamp that helps, the signature is refused.
    IfExpired,
    /// Always: the signature must have a timestamp that verifies. A signing authority states the time itself.
    Required,
}

impl CertificateMeans {
    /// Certificates with `names` whose chain leads to one of `anchors`, by the rules of `profile`. Anchors for
    /// timestamps verify timestamps and nothing else.
    pub const fn new(anchors: Arc<[Anchor]>, names: IdentityPattern, profile: Profile) -> Self {
        Self::with(anchors, Names::Matching(names), profile)
    }

    /// Certificates with any name whose chain leads to one of `anchors`: everybody to whom these authorities issue a
    /// certificate is trusted. Only a trust policy of the Notary Project may ask for that.
    pub(super) const fn with_any_name(anchors: Arc<[Anchor]>, profile: Profile) -> Self {
        Self::with(anchors, Names::Any, profile)
    }

    const fn with(anchors: Arc<[Anchor]>, names: Names, profile: Profile) -> Self {
        Self { anchors, names, profile, revocation: RevocationUse::NotChecked, timestamps: TimestampUse::IfExpired }
    }

    /// The same with another use of revocation.
    #[must_use]
    pub fn with_revocation(self, revocation: RevocationUse) -> Self {
        Self { revocation, ..self }
    }

    /// The same with another use of timestamps.
    #[must_use]
    pub fn with_timestamps(self, timestamps: TimestampUse) -> Self {
        Self { timestamps, ..self }
    }

    /// The anchors, each for one purpose.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The anchors, as all identities have them that were made with them.
    pub(super) const fn shared_anchors(&self) -> &Arc<[Anchor]> {
        &self.anchors
    }

    /// The names that a certificate must have, all of them; `None` if any name is trusted.
    pub const fn names(&self) -> Option<&IdentityPattern> {
        match &self.names {
            Names::Any => None,
            Names::Matching(names) => Some(names),
        }
    }

    /// Whether a chain must be proven not to be revoked.
    pub const fn revocation(&self) -> RevocationUse {
        self.revocation
    }

    /// When a timestamp says at which time a chain is judged.
    pub const fn timestamps(&self) -> TimestampUse {
        self.timestamps
    }

    /// The rules by which a chain is verified.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether an anchor has this purpose.
    pub fn has_anchor_for(&self, purpose: Purpose) -> bool {
        self.anchors.iter().any(|anchor| anchor.purpose == purpose)
    }

    /// Whether a chain is judged in the same way by both: only the names differ.
    pub(super) fn judges_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.anchors, &other.anchors)
            && self.profile == other.profile
            && (self.revocation, self.timestamps) == (other.revocation, other.timestamps)
    }

    /// The first of all those among `means` that judge a chain in the same way.
    pub(super) fn judging_differently<'a>(means: impl IntoIterator<Item = &'a Self>) -> Vec<&'a Self> {
        let mut different: Vec<&Self> = Vec::new();
        for means in means {
            if !different.iter().any(|before| before.judges_as(means)) {
                different.push(means);
            }
        }
        different
    }

    /// Whether the certificate has the names.
    pub(super) fn fits(&self, certificate: &Certificate) -> bool {
        match &self.names {
            Names::Any => true,
            Names::Matching(names) => names.matches(certificate),
        }
    }

    /// Writes everything that decides whose signatures count into the text that the version of a trust root covers.
    pub(super) fn describe(&self, text: &mut String) {
        // The debug text quotes names and shows every rule, so no two patterns and no two profiles give the same.
        text.push_str(&format!("certificates {:?} {:?}\n", self.profile, self.names));
        text.push_str(&format!("timestamps {:?} revocation {:?}\n", self.timestamps, self.revocation));
        for anchor in self.anchors.iter() {
            text.push_str(&format!("anchor {} {}\n", anchor.purpose.name(), Digest::sha256(anchor.certificate.der())));
        }
    }
}
