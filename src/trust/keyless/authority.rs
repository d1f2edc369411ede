//! The chain of a keyless signer to a certificate authority of a trusted root, and the certificate timestamps that this
//! issuer's certificate must have.

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ordered;
use crate::time::Time;
use crate::transparency::CertificateTimestamp;
use crate::transparency::VerifiedCertificateTimestamp;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
use crate::trust::keyless::KeylessFault;
use crate::trust::keyless::Stop;
use crate::trust::keyless::unsupported::fault_of;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::FulcioClaims;
use crate::x509::PresentedChain;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::VerifiedChain;

/// A chain to an authority of the root, and the certificate timestamps by its issuer.
#[derive(Debug)]
pub(super) struct VerifiedAuthority {
    pub(super) certificate_timestamps: Vec<VerifiedCertificateTimestamp>,
    pub(super) chain: VerifiedChain,
}

/// The certificates that came with a signature, and every time at which they must be valid, rounded down and up.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignerCertificates<'a> {
    pub(super) certificates: &'a NonEmpty<Certificate>,
    pub(super) first: Time,
    pub(super) times: &'a [(Time, Time)],
}

/// How far the check by one authority came before it failed. The fault of the one that came farthest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Chain,
    Validity,
    CertificateTimestamps,
}

impl SignerCertificates<'_> {
    /// Steps 5 and 6 of `verify.rs`. Several authorities may have the name of the issuer, so each is tried to the end.
    pub(super) fn verify(
        &self,
        (root, rule): (&TrustedRoot, LogRule),
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<VerifiedAuthority, Stop> {
        let mut failed: Option<(bool, Progress, CertificateFault)> = None;
        for authority in root.certificate_authorities() {
            budget.take(self.checks(authority, context))?;
            match self.verify_by(authority, (root, rule), context) {
                Ok(verified) => return Ok(verified),
                Err((progress, fault)) => {
                    let rank = (fault.is_undetermined(), progress);
                    if failed.as_ref().is_none_or(|(undetermined, before, _)| rank > (*undetermined, *before)) {
                        failed = Some((rank.0, rank.1, fault));
                    }
                }
            }
        }
        let untrusted = || {
            let signer = CertificateLabel::of(self.certificates.first());
            CertificateFault::NotAnchored { last: signer.clone(), signer }
        };
        Err(failed.map_or_else(untrusted, |(.., fault)| fault).into())
    }

    /// The chain of `certificate`, whose time of use is not known, to an authority of `root`: at its first moment, or at the
    /// first one at which all certificates of the authority are valid, too.
    pub(super) fn chain_at_first(
        certificate: &Certificate,
        root: &TrustedRoot,
        limits: &Limits,
    ) -> Result<VerifiedChain, CertificateFault> {
        let certificates = NonEmpty::one(certificate.clone());
        let begin = certificate.not_before();
        let mut failed = None;
        for authority in root.certificate_authorities() {
            let latest = authority.certificates().map(Certificate::not_before).max().unwrap_or(begin).max(begin);
            for first in ordered::set([begin, latest]) {
                match (SignerCertificates { certificates: &certificates, first, times: &[] }).chain(authority, limits) {
                    Ok(chain) => return Ok(chain),
                    Err(error) => failed = failed.filter(ChainError::is_undetermined).or(Some(error)),
                }
            }
        }
        let signer = CertificateLabel::of(certificate);
        Err(failed.map_or(CertificateFault::NotAnchored { last: signer.clone(), signer }, CertificateFault::Chain))
    }

    /// How many signatures [`Self::chain_at_first`] checks at most: those of certificates, for each authority at two times.
    pub(super) fn checks_at_first(root: &TrustedRoot) -> usize {
        let checks =
            root.certificate_authorities().iter().map(|authority| authority.certificates().count().saturating_add(1));
        checks.fold(0, usize::saturating_add).saturating_mul(2)
    }

    /// How many signatures are checked at most: those of certificates, and of certificate timestamps.
    fn checks(&self, authority: &SigstoreAuthority, context: AuthenticationContext<'_>) -> usize {
        let most = usize::try_from(context.limits.transparency.certificate_timestamps).unwrap_or(usize::MAX);
        authority.certificates().count().saturating_add(1).saturating_add(most)
    }

    /// Steps 5 and 6 of `verify.rs` by one authority: the chain, the validity period of the authority at every time, and the
    /// certificate timestamps by the issuer in that chain.
    fn verify_by(
        &self,
        authority: &SigstoreAuthority,
        (root, rule): (&TrustedRoot, LogRule),
        context: AuthenticationContext<'_>,
    ) -> Result<VerifiedAuthority, (Progress, CertificateFault)> {
        let chain =
            self.chain(authority, context.limits).map_err(|error| (Progress::Chain, CertificateFault::Chain(error)))?;
        let validity = authority.validity();
        let outside = self.times.iter().flat_map(|(down, up)| [*down, *up]).find(|time| !validity.contains(*time));
        if let Some(time) = outside {
            return Err((Progress::Validity, KeylessFault::AuthorityValidity { time, validity }.into()));
        }
        // A signer that is its own anchor has no issuer, and no certificate log signs that.
        let issuer = chain.path().iter().nth(1).unwrap_or(chain.signer());
        let wanted = usize::try_from(rule.certificate_logs()).unwrap_or(usize::MAX);
        let logs = root.certificate_logs();
        let found = CertificateTimestamp::verify_embedded(chain.signer(), issuer, logs, wanted, context.limits);
        let certificate_timestamps = found.map_err(|error| {
            let embedded = CertificateTimestamp::embedded(chain.signer(), context.limits).unwrap_or_default();
            let named = embedded.iter().map(CertificateTimestamp::log_id);
            (Progress::CertificateTimestamps, CertificateFault::Keyless(fault_of(error, root, named)))
        })?;
        Ok(VerifiedAuthority { certificate_timestamps, chain })
    }

    /// The chain to the anchor of the authority, valid at every time. The signatures in it are the same at any time, so
    /// they are verified once. Every issuer is a certificate of the authority: authorities may share an anchor, so one that
    /// came along with the signature could be of another one, which is not trusted at these times.
    fn chain(&self, authority: &SigstoreAuthority, limits: &Limits) -> Result<VerifiedChain, ChainError> {
        let anchors = [Anchor { certificate: authority.anchor().clone(), purpose: Purpose::Signing }];
        let extra: Vec<Certificate> = authority.intermediates().cloned().collect();
        let signer = NonEmpty::one(self.certificates.first().clone());
        let presented = PresentedChain { certificates: &signer, extra: &extra };
        let profile = match FulcioClaims::issuer_of(self.certificates.first()) {
            Ok(None) => Profile::sigstore_without_fulcio(),
            Ok(Some(_)) | Err(_) => Profile::SIGSTORE,
        };
        let (purpose, first) = (Purpose::Signing, self.first);
        let chain = VerifiedChain::verify(presented, &anchors, purpose, &profile, first, limits)?;
        self.times.iter().flat_map(|(down, up)| [*down, *up]).try_for_each(|time| chain.require_valid_at(time))?;
        Ok(chain)
    }
}
