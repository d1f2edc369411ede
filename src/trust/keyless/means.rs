//! `KeylessMeans`: certificates of a Sigstore trusted root as a means by which an owner is known.

use std::sync::Arc;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::trust::CertificateFault;
use crate::trust::LogRule;
use crate::trust::RevocationUse;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::authority::SignerCertificates;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Certificate;
use crate::x509::IdentityPattern;

/// The keyless signatures that are an owner's: by certificates of an authority of this trusted root, with these names,
/// vouched for by as many logs as the rule asks for.
#[derive(Clone, Debug)]
pub struct KeylessMeans {
    names: IdentityPattern,
    revocation: RevocationUse,
    root: Arc<TrustedRoot>,
    rule: LogRule,
}

impl KeylessMeans {
    /// Certificates with `names` by the authorities of `root`. Identities that share one `root` are verified once.
    pub const fn new(root: Arc<TrustedRoot>, names: IdentityPattern, rule: LogRule) -> Self {
        Self { names, revocation: RevocationUse::NotChecked, root, rule }
    }

    /// The same with another use of revocation.
    #[must_use]
    pub fn with_revocation(self, revocation: RevocationUse) -> Self {
        Self { revocation, ..self }
    }

    /// The names that a certificate must have, all of them.
    pub const fn names(&self) -> &IdentityPattern {
        &self.names
    }

    /// Whether a chain must be proven not to be revoked.
    pub const fn revocation(&self) -> RevocationUse {
        self.revocation
    }

    /// The trusted root.
    pub const fn root(&self) -> &Arc<TrustedRoot> {
        &self.root
    }

    /// How many logs and timestamp authorities must vouch for a signature.
    pub const fn rule(&self) -> LogRule {
        self.rule
    }

    /// Whether a certificate is judged in the same way by both: only the names differ.
    pub(super) fn judges_as(&self, other: &Self) -> bool {
        (self.rule, self.revocation, &self.root) == (other.rule, other.revocation, &other.root)
    }

    /// Whether the certificate has the names.
    pub(super) fn fits(&self, certificate: &Certificate) -> bool {
        self.names.matches(certificate)
    }

    /// Checks that a signature by the key of `certificate` could count, whatever it is over: the certificate has the names,
    /// and an authority of the root issued it.
    ///
    /// # Errors
    /// Why none counts.
    pub(in crate::trust) fn check_certificate(
        &self,
        certificate: &Certificate,
        limits: &Limits,
    ) -> Result<(), CertificateFault> {
        if !self.fits(certificate) {
            return Err(KeylessFault::of_names(certificate, [&self.names]).into());
        }
        SignerCertificates::chain_at_first(certificate, &self.root, limits).map(|_chain| ())
    }

    /// Writes everything that decides whose signatures count into the text that the version of a trust root covers.
    pub(in crate::trust) fn describe(&self, text: &mut String) {
        // The debug text quotes names, so no two patterns give the same.
        text.push_str(&format!("keyless {:?} {:?}\n", self.names, self.rule));
        text.push_str(match self.revocation {
            RevocationUse::NotChecked => "",
            RevocationUse::Required => "revocation required\n",
        });
        describe_root(&self.root, text);
    }
}

/// Writes every authority and every log of a trusted root, with its validity period.
pub(super) fn describe_root(root: &TrustedRoot, text: &mut String) {
    let mut authorities = |what: &str, authorities: &[SigstoreAuthority]| {
        for authority in authorities {
            text.push_str(&format!("{what} authority {:?}", authority.validity()));
            let digests = authority.certificates().map(|certificate| Digest::sha256(certificate.der()));
            digests.for_each(|digest| text.push_str(&format!(" {digest}")));
            text.push('\n');
        }
    };
    authorities("certificate", root.certificate_authorities());
    authorities("timestamp", root.timestamp_authorities());
    for log in root.transparency_logs() {
        let (key, origins, validity) = (log.key().id(), log.origins(), log.validity());
        text.push_str(&format!("transparency log {} {key} {origins:?} {validity:?}\n", log.id()));
    }
    for log in root.certificate_logs() {
        text.push_str(&format!("certificate log {} {} {:?}\n", log.id(), log.key().id(), log.validity()));
    }
}
