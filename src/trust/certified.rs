//! Authentication of signatures that carry a chain of certificates: Notary Project envelopes.
//!
//! The invariant: a statement is an owner's only if the key of the first certificate signed it, the chain of that
//! certificate leads to an anchor that the operator trusts for this purpose at a time that is known, and the
//! certificate has the names that the operator gave for the owner. The steps:
//!
//! 1. Parse the certificates, and verify the signature with the key of the first one, before any work on the chain.
//! 2. Check the signed attributes: critical ones that are not known, a verification plugin, the expiry.
//! 3. For each identity in the operator's order whose names fit: verify the chain at the time of the verification, or, if
//!    that fails, at the time of a verified timestamp. The certificate belongs to the first identity that it fits.
//!
//! 4. If revocation is checked: no certificate of the chain is revoked, or the signature was made before, as a verified
//!    time proves (`revocation.rs`). The same holds for the timestamp authority, if its timestamp was needed. Where a chain
//!    is refused for its time alone, its status is reported as well (`chain_faults.rs`).
//! 5. Take the payload that step 1 verified, if the key that verified it is the key of the verified chain.
//!
//! All checks run, and every one that fails is reported. A timestamp extends the validity of certificates, never the
//! expiry of the signature itself.

use std::sync::Arc;

use crate::envelope::Payload;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateMeans;
use crate::trust::CertificateRejection;
use crate::trust::JudgedAt;
use crate::trust::PassedStatus;
use crate::trust::RevocationCheck;
use crate::trust::RevocationUse;
use crate::trust::SignatureBudget;
use crate::trust::TimeSource;
use crate::trust::TimestampFault;
use crate::trust::TimestampUse;
use crate::trust::VerificationTime;
use crate::trust::chain_faults::ChainFaults;
use crate::trust::signed_envelope::SignedEnvelope;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::Purpose;
use crate::x509::SignedBefore;
use crate::x509::TimestampToken;
use crate::x509::VerifiedChain;

/// The chain of certificates by which a signature is an owner's, and the time at which it was judged. A proof type: only
/// [`TrustRoot::authenticate`](crate::trust::TrustRoot::authenticate) makes one.
///
/// ```compile_fail,E0451
/// use bulla::trust::CertifiedSigner;
///
/// fn forged(signer: CertifiedSigner, chain: std::sync::Arc<bulla::x509::VerifiedChain>) -> CertifiedSigner {
///     CertifiedSigner { chain, ..signer }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CertifiedSigner {
    chain: Arc<VerifiedChain>,
    judged_at: JudgedAt,
    statuses: Option<Vec<PassedStatus>>,
    timestamp: Option<Arc<SignedBefore>>,
}

impl CertifiedSigner {
    /// The chain, verified.
    pub fn chain(&self) -> &VerifiedChain {
        &self.chain
    }

    /// The time at which the chain was judged, and its source.
    pub const fn judged_at(&self) -> JudgedAt {
        self.judged_at
    }

    /// The revocation status of each certificate of the chain but the last; `None` if revocation was not checked.
    pub fn statuses(&self) -> Option<&[PassedStatus]> {
        self.statuses.as_deref()
    }

    /// The verified timestamp, if one was needed.
    pub fn timestamp(&self) -> Option<&SignedBefore> {
        self.timestamp.as_deref()
    }
}

impl SignedEnvelope<'_> {
    pub(super) fn rejected(&self, faults: NonEmpty<CertificateFault>, judged_at: JudgedAt) -> CertificateRejection {
        CertificateRejection::new(Some(self.label()), faults, judged_at)
    }

    /// The signer's certificate.
    pub(super) fn signer(&self) -> &Certificate {
        self.certificates.first()
    }

    pub(super) fn label(&self) -> CertificateLabel {
        CertificateLabel::of(self.certificates.first())
    }

    /// Steps 2 to 5: the position of the first of `identities`, in the operator's order, that the certificate belongs to, with
    /// the proof and the payload. None after one that is could-not-tell: the certificate may belong to that one.
    ///
    /// # Errors
    /// Every check that failed.
    pub(super) fn attribute(
        &self,
        identities: &[(usize, &CertificateMeans)],
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<(usize, CertifiedSigner, Payload), CertificateRejection> {
        let mut faults = self.attribute_faults(context.time);
        let mut refused: Vec<ChainFaults> = Vec::new();
        let fitting: Vec<_> = identities.iter().filter(|(_, means)| means.fits(self.certificates.first())).collect();
        let mut judged: Vec<&CertificateMeans> = Vec::new();
        for (position, means) in &fitting {
            // A chain that an earlier identity refused is refused for the same reason by one that differs in names alone.
            if judged.iter().any(|before| before.judges_as(means)) {
                continue;
            }
            judged.push(means);
            match self.chain(means, context, budget) {
                Ok(certified) => {
                    let payload = self.payload(certified.chain(), &mut faults);
                    let judged_at = certified.judged_at();
                    return match (payload, NonEmpty::collect(faults)) {
                        (Some(payload), None) => Ok((*position, certified, payload)),
                        (_, Some(faults)) => Err(self.rejected(faults, judged_at)),
                        (None, None) => Err(self.rejected(NonEmpty::one(CertificateFault::NoCertificate), judged_at)),
                    };
                }
                Err(found) => {
                    let undetermined = found.decides.is_undetermined();
                    refused.push(found);
                    // Could-not-tell about one identity must not make the certificate a later one's.
                    if undetermined {
                        break;
                    }
                }
            }
        }
        if fitting.is_empty() {
            faults.push(CertificateFault::of_names(self.signer()));
        }
        // Of several identities, one that could not be judged may be the one that it belongs to.
        let undetermined = !fitting.is_empty()
            && refused.iter().any(|found| found.decides.is_undetermined())
            && faults.iter().all(CertificateFault::is_undetermined);
        let mut judged_at = context.time.judged();
        if fitting.is_empty() {
            // The chain is judged all the same, for the report.
            match identities.first().map(|(_, means)| self.chain(means, context, budget)) {
                Some(Ok(certified)) => judged_at = certified.judged_at(),
                Some(Err(found)) => refused.push(found),
                None => {}
            }
        }
        let (mut decide, beside) = ChainFaults::split(refused);
        faults.append(&mut decide);
        let names = || CertificateFault::of_names(self.signer());
        let faults = NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(names()));
        let rejection = self.rejected(faults, judged_at).also(beside);
        Err(if undetermined { rejection.undetermined() } else { rejection })
    }

    /// Step 5: the payload, which the key of the verified chain signed. A fault that is not known yet is added.
    fn payload(&self, chain: &VerifiedChain, faults: &mut Vec<CertificateFault>) -> Option<Payload> {
        match self.payload_by(chain.key()) {
            Ok(payload) => Some(payload),
            Err(error) => {
                let fault = CertificateFault::Envelope(error);
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
                None
            }
        }
    }

    /// Step 2: the signed attributes.
    pub(super) fn attribute_faults(&self, time: VerificationTime) -> Vec<CertificateFault> {
        let mut faults: Vec<_> = self.envelope.objections().into_iter().map(CertificateFault::Envelope).collect();
        // A timestamp does not help here: the signer said until when the signature is valid.
        if let Some(expiry) = self.envelope.unverified_attributes().expiry()
            && time.expiry_at() >= expiry
        {
            faults.push(CertificateFault::Expired { at: time.expiry_at(), expiry });
        }
        faults
    }

    /// Steps 3 and 4 for one identity.
    fn chain(
        &self,
        means: &CertificateMeans,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<CertifiedSigner, ChainFaults> {
        let without = RevocationCheck::without_evidence();
        let check = match (context.revocation, means.revocation()) {
            (Some(check), _) => Some(check),
            (None, RevocationUse::Required) => Some(&without),
            (None, RevocationUse::NotChecked) => None,
        };
        match (self.chain_in_time(means, context), check) {
            (Ok(certified), Some(check)) => self.not_revoked(certified, check, means, context),
            (Ok(certified), None) => Ok(certified),
            (Err(fault), check) => Err(ChainFaults {
                also: check.and_then(|check| self.status_out_of_time(means, check, context, budget)).map(Box::new),
                decides: self.not_anchored(means, fault),
            }),
        }
    }

    /// The fault of a chain. Where no certificate of it is trusted, this is said instead of an expiry, which a timestamp
    /// might extend, and of could-not-tell, which anybody could cause.
    pub(super) fn not_anchored(&self, means: &CertificateMeans, fault: CertificateFault) -> CertificateFault {
        let expired = matches!(&fault, CertificateFault::Chain(error) if error.rule() == ChainRule::Expired);
        match (expired || fault.is_undetermined()) && !self.is_anchored(means) {
            true => CertificateFault::NotAnchored {
                last: CertificateLabel::of(self.certificates.iter().last().unwrap_or(self.certificates.first())),
                signer: self.label(),
            },
            false => fault,
        }
    }

    /// Whether the chain could be trusted: one of its certificates is an anchor for the purpose of the signature, or the
    /// profile takes anchors that do not come with it.
    fn is_anchored(&self, means: &CertificateMeans) -> bool {
        let purpose = self.purpose();
        let anchors = || means.anchors().iter().filter(|anchor| anchor.purpose == purpose);
        let is_one = |certificate: &Certificate| anchors().any(|anchor| anchor.certificate == *certificate);
        !means.profile().takes_whole_chain() || self.certificates.iter().any(is_one)
    }

    /// The purpose for which the signer has to be trusted.
    pub(super) fn purpose(&self) -> Purpose {
        match self.envelope.unverified_attributes().authentic_signing_time() {
            Some(_) => Purpose::SigningAuthority,
            None => Purpose::Signing,
        }
    }

    /// Step 4: the signer with the revocation status of the chain, if no certificate is revoked, or the signature is proven to
    /// be older than the revocation: by the time at which the chain was judged, or else by its timestamp.
    pub(super) fn not_revoked(
        &self,
        mut certified: CertifiedSigner,
        check: &RevocationCheck,
        means: &CertificateMeans,
        AuthenticationContext { limits, time, .. }: AuthenticationContext<'_>,
    ) -> Result<CertifiedSigner, ChainFaults> {
        let now = time.current();
        let bound = match certified.judged_at.source {
            TimeSource::SigningAuthority | TimeSource::Timestamp | TimeSource::TransparencyLog => {
                Some(certified.judged_at.time)
            }
            // A time that the verifier stated proves nothing about the signature.
            TimeSource::Stated | TimeSource::Verification => None,
        };
        let refused = |timestamp| move |fault| CertificateFault::Revocation { fault, timestamp };
        let found = check.check(&certified.chain, bound, now, limits);
        if let Some(before) = &certified.timestamp
            && let Err(authority) = check.check_authority(before, now, limits)
        {
            let authority = CertificateFault::TimestampAuthority(authority);
            return Err(ChainFaults::of_authority(authority, found.err().map(refused(None))));
        }
        let fault = match found {
            Ok(statuses) => {
                certified.statuses = Some(statuses);
                return Ok(certified);
            }
            Err(fault) if bound.is_some() || fault.is_undetermined() => return Err(refused(None)(fault).into()),
            Err(fault) => fault,
        };
        let before = match self.timestamped(means, time, limits) {
            None => return Err(refused(None)(fault).into()),
            Some(Err(timestamp)) => return Err(refused(Some(timestamp))(fault).into()),
            Some(Ok(before)) => before,
        };
        if let Err(timestamp) = check.check_authority(&before, now, limits) {
            return Err(refused(Some(TimestampFault::Status(timestamp)))(fault).into());
        }
        certified.statuses =
            Some(check.check(&certified.chain, Some(before.at()), now, limits).map_err(refused(None))?);
        certified.timestamp = Some(Arc::new(before));
        Ok(certified)
    }

    /// Step 3 for one identity: the chain, verified at the time that a signing authority states, else at the time of the
    /// verification. If it has expired then, or the identity wants a timestamp, at the time of the verified timestamp. A time
    /// ahead of the clock is could-not-tell.
    pub(super) fn chain_in_time(
        &self,
        means: &CertificateMeans,
        AuthenticationContext { limits, time, .. }: AuthenticationContext<'_>,
    ) -> Result<CertifiedSigner, CertificateFault> {
        let attributes = self.envelope.unverified_attributes();
        let verify = |purpose, at| self.chains.verify(&self.certificates, means, purpose, at, limits);
        let certified = |chain, time, source, timestamp| CertifiedSigner {
            chain,
            judged_at: JudgedAt { time, source },
            statuses: None,
            timestamp,
        };
        if let Some(stated) = attributes.authentic_signing_time() {
            let chain = verify(Purpose::SigningAuthority, stated).map_err(CertificateFault::Chain)?;
            return match time.is_ahead(stated) {
                true => Err(CertificateFault::Ahead { now: time.current(), time: stated }),
                false => Ok(certified(chain, stated, TimeSource::SigningAuthority, None)),
            };
        }
        let at = time.expiry_at();
        let in_time = verify(Purpose::Signing, at);
        let expired = match (in_time, means.timestamps()) {
            // Only expiry is judged at another time than now: a certificate that is not valid yet does not count.
            (Ok(chain), _) if chain.path().iter().any(|one| time.is_ahead(one.not_before())) => {
                return Err(match verify(Purpose::Signing, time.current()) {
                    Err(error) => CertificateFault::Chain(error),
                    // Another path is valid now, but not the one that is valid then.
                    Ok(_) => CertificateFault::Ahead { now: time.current(), time: at },
                });
            }
            (Ok(chain), TimestampUse::IfExpired) => return Ok(certified(chain, at, time.expiry_source(), None)),
            (Ok(_), TimestampUse::Required) => None,
            (Err(error), _) if error.rule() == ChainRule::Expired && self.is_anchored(means) => Some(error),
            (Err(error), _) => return Err(CertificateFault::Chain(error)),
        };
        // A timestamp helps against nothing but expiry.
        match (self.timestamped(means, time, limits), expired) {
            (None, Some(expired)) => Err(CertificateFault::Chain(expired)),
            (None, None) => Err(CertificateFault::TimestampRequired { timestamp: TimestampFault::Missing }),
            (Some(Err(timestamp)), Some(expired)) => Err(CertificateFault::NotRescued { expired, timestamp }),
            (Some(Err(timestamp)), None) => Err(CertificateFault::TimestampRequired { timestamp }),
            (Some(Ok(before)), _) => {
                let chain =
                    at_timestamp(&before, |at| verify(Purpose::Signing, at)).map_err(CertificateFault::Chain)?;
                Ok(certified(chain, before.at(), TimeSource::Timestamp, Some(Arc::new(before))))
            }
        }
    }

    /// The timestamp, verified and not ahead of the clock; `None` if the envelope has none.
    pub(super) fn timestamped(
        &self,
        means: &CertificateMeans,
        time: VerificationTime,
        limits: &Limits,
    ) -> Option<Result<SignedBefore, TimestampFault>> {
        let token = self.envelope.timestamp_token()?;
        if !means.has_anchor_for(Purpose::TimeStamping) {
            return Some(Err(TimestampFault::NoAnchor));
        }
        let verified = TimestampToken::parse(token, limits)
            .and_then(|token| token.verify(self.envelope.signature(), means.anchors(), &[], means.profile(), limits))
            .map_err(TimestampFault::Token);
        Some(verified.and_then(|before| match time.is_ahead(before.at()) {
            true => Err(TimestampFault::Ahead { now: time.current(), time: before.at() }),
            false => Ok(before),
        }))
    }
}

/// The chain at the time of a timestamp: it must be valid over the whole interval that the timestamp leaves open. The
/// signatures in it are the same at any time, so they are verified once.
fn at_timestamp(
    before: &SignedBefore,
    verify: impl Fn(Time) -> Result<Arc<VerifiedChain>, ChainError>,
) -> Result<Arc<VerifiedChain>, ChainError> {
    let chain = verify(before.at())?;
    chain.require_valid_at(before.earliest())?;
    Ok(chain)
}
