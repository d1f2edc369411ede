//! `CertificateStatus`: the revocation status of one certificate, and the evidence that it follows from.

use std::fmt;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::CertificateLabel;
use crate::x509::Freshness;
use crate::x509::RevocationReason;
use crate::x509::StatusProblemRule;

/// The revocation status of one certificate of a verified chain, and everything in the pool that is about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateStatus {
    /// The time that the freshness of the evidence was judged at.
    pub at: Time,
    /// The certificate.
    pub certificate: CertificateLabel,
    /// Each CRL and OCSP response about the certificate, whether it was used or not.
    pub evidence: Vec<ExaminedEvidence>,
    /// The status.
    pub status: Status,
}

/// A revocation status: good, revoked, or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good {
        /// The last second at which the evidence is fresh.
        until: Time,
    },
    /// Revoked. All revocations that the pool has, since a rescue by a timestamp must hold for each.
    Revoked(NonEmpty<Revocation>),
    /// Could-not-tell: nothing in the pool proves that it is not revoked. Why, for each piece of evidence.
    Unknown(NonEmpty<StatusProblem>),
}

/// A revocation that a genuine CRL or OCSP response states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// The revocation date: when the certificate authority revoked the certificate.
    pub at: Time,
    /// What states it.
    pub evidence: EvidenceLabel,
    /// The invalidity date: since when the certificate is known or suspected to be invalid (RFC 5280 section 5.3.2).
    pub invalidity: Option<Time>,
    /// The reason code, if there is one.
    pub reason: Option<RevocationReason>,
}

/// A CRL or an OCSP response and what it proved about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExaminedEvidence {
    /// How fresh it is.
    pub freshness: Freshness,
    /// Whether its signature is genuine: by the key of the issuer, or by a responder that the issuer has authorized.
    pub genuine: bool,
    /// Which evidence.
    pub label: EvidenceLabel,
    /// When newer evidence was promised.
    pub next_update: Option<Time>,
    /// Why it proves nothing, or why it would prove nothing if it did not revoke. Empty for evidence that proves good.
    pub problems: Vec<StatusProblem>,
    /// The revocations that it states, if its signature is genuine.
    pub revocations: Vec<Revocation>,
}

/// Which CRL or OCSP response: its kind, the digest of its bytes, and its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvidenceLabel {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// CRL or OCSP response.
    pub kind: EvidenceKind,
    /// Its `thisUpdate`.
    pub this_update: Time,
}

/// A kind of revocation evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EvidenceKind {
    /// A certificate revocation list (RFC 5280).
    Crl,
    /// A response of an OCSP responder (RFC 6960).
    Ocsp,
}

/// A rule that keeps a CRL or an OCSP response from proving that a certificate is good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusProblem {
    /// The evidence; `None` if nothing in the pool is about the certificate.
    pub evidence: Option<EvidenceLabel>,
    /// What was found, where the rule alone does not say it.
    pub found: Option<String>,
    /// The rule.
    pub rule: StatusProblemRule,
}

impl CertificateStatus {
    /// What the evidence says together: a revocation wins; then what [may revoke](CertificateStatus::may_be_revoked) the
    /// certificate and could not be evaluated; then the evidence that is fresh the longest.
    pub(super) fn conclude(certificate: CertificateLabel, at: Time, evidence: Vec<ExaminedEvidence>) -> Self {
        let revocations = evidence.iter().flat_map(|one| one.revocations.iter().copied());
        let problems = || evidence.iter().flat_map(|one| one.problems.iter().cloned());
        let unseen = evidence.iter().any(ExaminedEvidence::may_revoke);
        let good = evidence.iter().filter(|one| one.proves_good()).filter_map(|one| one.freshness.until).max();
        let status = match (NonEmpty::collect(revocations), good) {
            (Some(revocations), _) => Status::Revoked(revocations),
            (None, Some(until)) if !unseen => Status::Good { until },
            (None, _) => {
                let none = StatusProblem { evidence: None, found: None, rule: StatusProblemRule::NoEvidence };
                Status::Unknown(NonEmpty::collect(problems()).unwrap_or(NonEmpty::one(none)))
            }
        };
        Self { at, certificate, evidence, status }
    }
}

impl CertificateStatus {
    /// Whether the evidence may hold a revocation that is not among those of the status: because of a limit, in a genuine
    /// CRL that cannot be read, in a genuine response that identifies certificates by a hash that is not supported, or in
    /// evidence whose signature cannot be verified, by an algorithm that is not allowed.
    pub fn may_be_revoked(&self) -> bool {
        self.evidence.iter().any(ExaminedEvidence::may_revoke)
    }

    /// Whether a piece of the evidence tells the status of the certificate: its signature is genuine, it is fresh, and no
    /// rule keeps it from being used (RFC 5280 section 6.3.3, RFC 6960 section 3.2).
    pub fn is_conclusive(&self) -> bool {
        self.evidence.iter().any(ExaminedEvidence::is_conclusive)
    }
}

impl ExaminedEvidence {
    fn may_revoke(&self) -> bool {
        self.problems.iter().any(|problem| match problem.rule {
            StatusProblemRule::Limit | StatusProblemRule::RevokedSignatureAlgorithm => true,
            StatusProblemRule::Readable | StatusProblemRule::RevokedCertId => self.genuine,
            _ => false,
        })
    }

    /// An expired certificate may be left out of the evidence; one that is in it was not.
    fn is_conclusive(&self) -> bool {
        let is_tolerated = |problem: &StatusProblem| {
            problem.rule == StatusProblemRule::ExpiredCertificate && !self.revocations.is_empty()
        };
        self.genuine && self.problems.iter().all(is_tolerated)
    }

    /// Whether it proves that the certificate is not revoked.
    pub fn proves_good(&self) -> bool {
        self.problems.is_empty() && self.revocations.is_empty()
    }
}

impl fmt::Display for EvidenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crl => "CRL",
            Self::Ocsp => "OCSP response",
        })
    }
}

impl fmt::Display for EvidenceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind, self.this_update)
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revoked at {}, ", self.at)?;
        match self.reason {
            Some(reason) => write!(f, "reason {reason}")?,
            None => f.write_str("no reason")?,
        }
        if let Some(invalidity) = self.invalidity {
            write!(f, ", invalid since {invalidity}")?;
        }
        write!(f, " ({})", self.evidence)
    }
}

impl fmt::Display for StatusProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(evidence) = &self.evidence {
            write!(f, "{evidence}: ")?;
        }
        f.write_str(self.rule.broken())?;
        if let Some(found) = &self.found {
            write!(f, " ({found})")?;
        }
        write!(f, ": {}", self.rule.clause())
    }
}
