//! `RevocationCheck`: whether a certificate of a verified chain is revoked, and whether a signature from before that stays
//! valid.
//!
//! The invariant: a chain passes only if no certificate of it is revoked, or the signature was made before each
//! revocation, the reason allows that to count, and current evidence tells the whole status. A status that is required and not known is could-not-tell. More
//! evidence never turns revoked into good (`x509/revocation/evidence.rs`).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::RevocationBundle;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::CertificateStatus;
use crate::x509::ExpiredCertificates;
use crate::x509::FreshnessRule;
use crate::x509::Rescue;
use crate::x509::RescueObstacle;
use crate::x509::RescueRule;
use crate::x509::SignedBefore;
use crate::x509::Status;
use crate::x509::StatusError;
use crate::x509::StatusEvidence;
use crate::x509::VerifiedChain;

/// The pool of revocation evidence, how fresh it has to be, and which certificates need it.
#[derive(Clone, Debug)]
pub struct RevocationCheck {
    /// The certificates whose status their own sources have answered; `None` if these need not be asked.
    answered: Option<BTreeSet<Digest>>,
    evidence: StatusEvidence,
    freshness: FreshnessRule,
    rule: StatusRule,
    /// The first evidence that belongs into the pool and could not be read.
    unread: Option<Untrusted>,
}

/// Whether the certificates of an owner must be proven not to be revoked, also where no evidence was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationUse {
    /// Revocation is checked if evidence was given.
    NotChecked,
    /// Revocation is checked: without evidence, a certificate that names a source of its status is could-not-tell.
    Required,
}

/// Which certificates must be proven not to be revoked. A revocation counts by either rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusRule {
    /// All, except the last of each chain.
    Required,
    /// Those that name a CRL or an OCSP responder, as notation has it.
    WhenNamed,
}

/// The status of one certificate that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedStatus {
    /// The status and the evidence.
    pub status: CertificateStatus,
    /// Why it passed.
    pub passed: PassedBy,
}

/// Why a certificate passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassedBy {
    /// It is not revoked.
    Good {
        /// The last second at which the evidence is fresh.
        until: Time,
    },
    /// It names no source of its status, and nothing in the pool revokes it.
    NotNamed,
    /// It is revoked, and the signature was made before.
    Rescued(RescueRule),
}

/// Why a certificate does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusFault {
    /// Evidence that belongs into the pool could not be read: could-not-tell.
    #[error("revocation evidence that might hold a revocation could not be read: {what}: {STATUS}, at {at}")]
    EvidenceUnread {
        /// The time that the status was asked for.
        at: Time,
        /// What could not be read, and why.
        what: Untrusted,
    },
    /// The sources that a certificate names were to be asked for its status, and did not answer: could-not-tell, since
    /// the evidence in the pool may be older than a revocation.
    #[error(
        "certificate {certificate}: the sources of its revocation status were to be asked, and did not all answer: {STATUS}, \
         at {at}"
    )]
    NotAnswered {
        /// The time that the status was asked for.
        at: Time,
        /// The certificate.
        certificate: CertificateLabel,
    },
    /// It is revoked, and the time of the signature does not help.
    #[error("{error}; {obstacle} ({}, {})", rule.code(), rule.clause())]
    NotRescued {
        /// The revocation.
        error: StatusError,
        /// Why the time does not help.
        obstacle: RescueObstacle,
        /// The rule that was applied.
        rule: RescueRule,
    },
    /// It is revoked, the signature is older than each revocation that was found, and another one may be missing:
    /// could-not-tell.
    #[error(
        "{error}; the signature is older, and no evidence that may be used says that this is the whole status ({}, {})",
        rule.code(), rule.clause()
    )]
    RescueUnproven {
        /// The revocation.
        error: StatusError,
        /// The rule that was applied.
        rule: RescueRule,
    },
    /// It is revoked, or its status is required and not known.
    #[error(transparent)]
    Status(StatusError),
}

impl RevocationCheck {
    /// A check with the pool `evidence`.
    pub const fn new(evidence: StatusEvidence, freshness: FreshnessRule, rule: StatusRule) -> Self {
        Self { answered: None, evidence, freshness, rule, unread: None }
    }

    /// The same check with more evidence in the pool. What does not fit into it counts as not read.
    #[must_use]
    pub fn with_evidence(mut self, more: &RevocationBundle, limits: &Limits) -> Self {
        match more.add_to(&mut self.evidence, limits) {
            Ok(()) => self,
            Err(error) => self.with_unread(error),
        }
    }

    /// The same check, where `what` belongs into the pool and could not be read. It might hold a revocation, so nothing is
    /// good any more; what is revoked stays revoked.
    #[must_use]
    pub fn with_unread(mut self, what: impl ToString) -> Self {
        self.unread.get_or_insert_with(|| Untrusted::new(&what.to_string()));
        self
    }

    /// The same check, where a certificate up to the trusted one that names a source of its status needs an answer of this
    /// source: `answered` has the digests of the certificates that got one. Any other one is could-not-tell, whatever else
    /// is in the pool, and stays revoked if it is.
    #[must_use]
    pub fn with_answered(self, answered: BTreeSet<Digest>) -> Self {
        Self { answered: Some(answered), ..self }
    }

    /// A check without evidence: a certificate that names a source of its status is could-not-tell.
    pub(crate) fn without_evidence() -> Self {
        let freshness = FreshnessRule {
            expired_certificates: ExpiredCertificates::MayBeDropped,
            grace_after_next_update: Duration::ZERO,
            maximum_age: None,
        };
        Self::new(StatusEvidence::new(), freshness, StatusRule::WhenNamed)
    }

    /// Checks that each certificate of `chain` but the last passes ([`PassedStatus`] says why), and returns their statuses.
    /// `signed_before` is a verified upper bound of the time of the signature, if there is one.
    ///
    /// # Errors
    /// [`StatusFault`]: a revocation; without one, the first status that is not known.
    pub(super) fn check(
        &self,
        chain: &VerifiedChain,
        signed_before: Option<Time>,
        now: Time,
        limits: &Limits,
    ) -> Result<Vec<PassedStatus>, StatusFault> {
        let statuses = self.evidence.statuses(chain, &self.freshness, now, limits);
        let numbered = statuses.into_iter().zip(chain.path().iter()).enumerate();
        // A revocation is reported before a status that is not known: it is the answer.
        let mut passed = Vec::new();
        let mut unknown = None;
        for (position, (status, certificate)) in numbered {
            let rule = RescueRule::of(chain.purpose(), position);
            match self.pass(&status, certificate, rule, signed_before) {
                Ok(by) => passed.push(PassedStatus { status, passed: by }),
                Err(fault) if fault.is_undetermined() => unknown = unknown.or(Some(fault)),
                Err(fault) => return Err(fault),
            }
        }
        let unknown = unknown.or_else(|| self.not_answered(chain, now));
        match (unknown, &self.unread) {
            (Some(fault), _) => Err(fault),
            (None, Some(what)) => Err(StatusFault::EvidenceUnread { at: now, what: what.clone() }),
            (None, None) => Ok(passed),
        }
    }

    /// The first certificate up to the trusted one that needs an answer of its sources, and has none. What stands above
    /// the trusted certificate is not protected by a signature that leads to it, so its sources are not asked.
    fn not_answered(&self, chain: &VerifiedChain, now: Time) -> Option<StatusFault> {
        let answered = self.answered.as_ref()?;
        let needs = |one: &&Certificate| one.names_revocation_source() && !answered.contains(&one.digest());
        let found = chain.up_to_trusted().map(|(certificate, _)| certificate).find(needs)?;
        Some(StatusFault::NotAnswered { at: now, certificate: CertificateLabel::of(found) })
    }

    /// Checks that no certificate of the authority of a timestamp is revoked, or was when it made the timestamp.
    ///
    /// # Errors
    /// As [`RevocationCheck::check`].
    pub(super) fn check_authority(
        &self,
        timestamp: &SignedBefore,
        now: Time,
        limits: &Limits,
    ) -> Result<(), StatusFault> {
        self.check(timestamp.chain(), Some(timestamp.at()), now, limits).map(|_passed| ())
    }

    /// Why a certificate with this status passes: it is good; it is revoked, the signature is proven to be older (`rule`), and
    /// evidence that may be used says so, with nothing that might revoke it for another reason; or it names no source of its status, and needs none by the rule of the operator.
    fn pass(
        &self,
        status: &CertificateStatus,
        certificate: &Certificate,
        rule: RescueRule,
        signed_before: Option<Time>,
    ) -> Result<PassedBy, StatusFault> {
        let error = match (status.require_good(), &status.status) {
            (Ok(until), _) => return Ok(PassedBy::Good { until }),
            (Err(error), Status::Revoked(revocations)) => {
                return match signed_before.map(|before| rule.apply_to_all(revocations, before)) {
                    Some(Rescue::Rescued { rule }) => match status.is_conclusive() && !status.may_be_revoked() {
                        true => Ok(PassedBy::Rescued(rule)),
                        false => Err(StatusFault::RescueUnproven { error, rule }),
                    },
                    Some(Rescue::Denied { obstacle, rule }) => Err(StatusFault::NotRescued { error, obstacle, rule }),
                    None => Err(StatusFault::Status(error)),
                };
            }
            (Err(error), Status::Good { .. } | Status::Unknown(_)) => error,
        };
        match self.rule {
            StatusRule::WhenNamed if !certificate.names_revocation_source() && !status.may_be_revoked() => {
                Ok(PassedBy::NotNamed)
            }
            StatusRule::Required | StatusRule::WhenNamed => Err(StatusFault::Status(error)),
        }
    }
}

impl StatusFault {
    /// The stable code in reports.
    pub const fn code(&self) -> &'static str {
        match self.is_undetermined() {
            true => "status-unknown",
            false => "revoked",
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::EvidenceUnread { .. } | Self::NotAnswered { .. } | Self::RescueUnproven { .. } => true,
            Self::NotRescued { error, .. } | Self::Status(error) => error.is_undetermined(),
        }
    }
}

/// The clause by which the revocation status of a certificate is determined.
const STATUS: &str = "RFC 5280 section 6.3.3";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::NotaryEnvelope;
    use crate::envelope::NotaryFormat;
    use crate::envelope::Strictness;
    use crate::nonempty::NonEmpty;
    use crate::x509::EvidenceKind;
    use crate::x509::EvidenceLabel;
    use crate::x509::ExaminedEvidence;
    use crate::x509::Freshness;
    use crate::x509::StatusProblem;
    use crate::x509::StatusProblemRule;

    const ENVELOPE: &[u8] = include_bytes!(
        "../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
    );

    /// What was not read of genuine evidence may be a revocation, whatever else is wrong with that evidence. Anybody can make
    /// evidence that is not genuine.
    #[test]
    fn unread_evidence_that_is_genuine_may_hold_a_revocation() {
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, ENVELOPE, limits, Strictness::Strict).unwrap();
        let certificate = Certificate::parse(&envelope.certificate_chain()[0], limits).unwrap();
        let problem = |rule: &StatusProblemRule| StatusProblem { evidence: None, found: None, rule: *rule };
        let is_unread = |genuine: bool, rules: &[StatusProblemRule]| {
            let evidence = ExaminedEvidence {
                freshness: Freshness { age: Duration::ZERO, in_grace: false, until: None },
                genuine,
                label: EvidenceLabel {
                    digest: Digest::sha256(b"a list"),
                    kind: EvidenceKind::Crl,
                    this_update: Time::EPOCH,
                },
                next_update: None,
                problems: rules.iter().map(problem).collect(),
                revocations: Vec::new(),
            };
            let status = CertificateStatus {
                at: Time::EPOCH,
                certificate: CertificateLabel::of(&certificate),
                evidence: vec![evidence],
                status: Status::Unknown(NonEmpty::one(problem(&StatusProblemRule::NoEvidence))),
            };
            status.may_be_revoked()
        };
        let (limit, readable, other) =
            (StatusProblemRule::Limit, StatusProblemRule::Readable, StatusProblemRule::DeltaCrl);
        assert!(is_unread(true, &[readable]) && !is_unread(false, &[readable]));
        assert!(is_unread(true, &[other, readable]) && is_unread(true, &[other, limit]));
        assert!(is_unread(false, &[limit]) && !is_unread(true, &[other]) && !is_unread(true, &[]));
        // Whether it is genuine is not known.
        let unverified = StatusProblemRule::RevokedSignatureAlgorithm;
        assert!(is_unread(false, &[unverified]) && !is_unread(false, &[StatusProblemRule::SignatureAlgorithm]));
    }
}
