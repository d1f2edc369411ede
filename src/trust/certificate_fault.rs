//! `CertificateRejection`: why a signature with a certificate is not an owner's.

use std::fmt;

use crate::envelope::NotaryError;
use crate::envelope::VerificationMaterial;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::AuthenticationContext;
use crate::trust::JudgedAt;
use crate::trust::KeylessFault;
use crate::trust::StatusFault;
use crate::x509::Certificate;
use crate::x509::CertificateError;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::TimestampError;
use crate::x509::UnreadCertificate;

/// A check that a signature with a certificate failed. [`CertificateFault::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The time that a signing authority states lies ahead of the clock: could-not-tell.
    #[error("its authentic signing time {time} is ahead of the clock, which says {now}: {AUTHENTIC_TIME}")]
    Ahead {
        /// The current time.
        now: Time,
        /// The time that is stated.
        time: Time,
    },
    /// A certificate of the chain cannot be read.
    #[error("certificate {number} of its chain, {certificate}: {error}")]
    Certificate {
        /// The certificate, as far as it can be named.
        certificate: UnreadCertificate,
        /// The error of the reader.
        error: CertificateError,
        /// The number of the certificate in the chain; the signer's is 1.
        number: usize,
    },
    /// The chain of certificates.
    #[error(transparent)]
    Chain(ChainError),
    /// The envelope: its signature, or a signed attribute.
    #[error(transparent)]
    Envelope(NotaryError),
    /// The expiry of the signature itself has passed. No timestamp extends it.
    #[error("the signature expired at {expiry}: signature-specification, Signed Attributes, at {at}")]
    Expired {
        /// The time at which expiry is judged.
        at: Time,
        /// The expiry that was signed.
        expiry: Time,
    },
    /// A keyless signature.
    #[error(transparent)]
    Keyless(KeylessFault),
    /// It has no certificate.
    #[error("it has no certificate: signature-specification, Unsigned Attributes")]
    NoCertificate,
    /// The certificate does not have the names of any trusted identity.
    #[error(
        "certificate {certificate}{} does not have the names of a trusted identity: {TRUSTED_NAMES}",
        beside(alternative)
    )]
    Names {
        /// Its subject alternative names, if it has some.
        alternative: Option<Untrusted>,
        /// The signer's certificate.
        certificate: CertificateLabel,
    },
    /// A certificate is revoked, or its status is required and not known.
    #[error("{fault}{}", helpless(timestamp.as_ref()))]
    Revocation {
        /// The certificate and its status.
        fault: StatusFault,
        /// Why the timestamp of the signature does not help.
        timestamp: Option<TimestampFault>,
    },
    /// The timestamp authority's certificate is revoked, or its status is required and not known. Its timestamp was
    /// needed.
    #[error("its timestamp does not help: {0}")]
    TimestampAuthority(StatusFault),
    /// No certificate of the chain is an anchor of the operator, so that nothing else about the chain matters.
    #[error("no certificate of its chain is trusted, from {signer} to {last}: {}", ChainRule::Trust.clause())]
    NotAnchored {
        /// The last certificate of the chain.
        last: CertificateLabel,
        /// The signer's certificate.
        signer: CertificateLabel,
    },
    /// A certificate is expired, and the timestamp of the signature does not help.
    #[error("{expired}; {timestamp}")]
    NotRescued {
        /// The expired certificate.
        expired: ChainError,
        /// Why the timestamp does not help.
        timestamp: TimestampFault,
    },
    /// A timestamp is required, and the signature has no valid one.
    #[error("a timestamp is required, and {timestamp}: {TIMESTAMP_REQUIRED}")]
    TimestampRequired {
        /// What is wrong with the timestamp.
        timestamp: TimestampFault,
    },
}

/// Why the timestamp of a signature does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampFault {
    /// Its time lies ahead of the clock: could-not-tell.
    #[error("its timestamp says {time}, ahead of the clock, which says {now}")]
    Ahead {
        /// The current time.
        now: Time,
        /// The upper bound of the time of the timestamp.
        time: Time,
    },
    /// A certificate of the timestamp authority is revoked, or its status is required and not known.
    #[error("its timestamp does not help: {0}")]
    Status(StatusFault),
    /// The operator trusts no timestamp authority.
    #[error("its timestamp was not used, since no timestamp authority is trusted")]
    NoAnchor,
    /// There is no timestamp.
    #[error("it has no timestamp")]
    Missing,
    /// The timestamp was not verified.
    #[error("its timestamp does not help: {0}")]
    Token(TimestampError),
}

/// Every check that a signature with a certificate failed, the certificate, and the time at which it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRejection {
    faults: NonEmpty<CertificateFault>,
    judged_at: JudgedAt,
    signer: Option<CertificateLabel>,
    undetermined: bool,
}

fn beside(alternative: &Option<Untrusted>) -> String {
    alternative.as_ref().map(|names| format!(" with the alternative names {names}")).unwrap_or_default()
}

fn helpless(timestamp: Option<&TimestampFault>) -> String {
    timestamp.map(|timestamp| format!("; {timestamp}")).unwrap_or_default()
}

impl From<KeylessFault> for CertificateFault {
    fn from(fault: KeylessFault) -> Self {
        Self::Keyless(fault)
    }
}

impl CertificateFault {
    /// The certificate of a signer has the names of no identity.
    pub(super) fn of_names(certificate: &Certificate) -> Self {
        let names: Vec<_> = certificate.extensions().alternative_names().iter().map(ToString::to_string).collect();
        let alternative = Some(Untrusted::new(&names.join(", "))).filter(|_| !names.is_empty());
        Self::Names { alternative, certificate: CertificateLabel::of(certificate) }
    }

    /// The stable code of this fault in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ahead { .. } => "time-ahead",
            Self::NotAnchored { .. } => "trust",
            Self::Certificate { .. } => "certificate-unreadable",
            Self::NoCertificate => "no-certificate",
            Self::Chain(error) | Self::NotRescued { expired: error, .. } => error.rule().code(),
            Self::Envelope(error) => error.code(),
            Self::Expired { .. } => "signature-expired",
            Self::Keyless(fault) => fault.code(),
            Self::Names { .. } => "certificate-identity",
            Self::Revocation { fault, .. } | Self::TimestampAuthority(fault) => fault.code(),
            Self::TimestampRequired { .. } => "timestamp-required",
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Ahead { .. } => true,
            Self::TimestampRequired { timestamp } => timestamp.is_undetermined(),
            Self::Chain(error) => error.is_undetermined(),
            Self::Envelope(error) => error.is_undetermined(),
            Self::Keyless(fault) => fault.is_undetermined(),
            Self::Certificate { error, .. } => error.is_undetermined(),
            Self::Expired { .. } | Self::Names { .. } | Self::NoCertificate | Self::NotAnchored { .. } => false,
            Self::TimestampAuthority(fault) => fault.is_undetermined(),
            Self::Revocation { fault, timestamp } => {
                fault.is_undetermined()
                    || match timestamp {
                        Some(timestamp) => timestamp.is_undetermined(),
                        None => false,
                    }
            }
            Self::NotRescued { expired, timestamp } => expired.is_undetermined() || timestamp.is_undetermined(),
        }
    }
}

impl CertificateFault {
    /// Whether the message names the time that was used.
    const fn states_time(&self) -> bool {
        match self {
            Self::Ahead { .. }
            | Self::Chain(_)
            | Self::Expired { .. }
            | Self::NotRescued { .. }
            | Self::Revocation { .. }
            | Self::TimestampAuthority(_) => true,
            Self::Keyless(fault) => fault.states_time(),
            Self::Certificate { .. }
            | Self::Envelope(_)
            | Self::Names { .. }
            | Self::NoCertificate
            | Self::NotAnchored { .. }
            | Self::TimestampRequired { .. } => false,
        }
    }
}

impl TimestampFault {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Ahead { .. } => true,
            Self::Missing | Self::NoAnchor => false,
            Self::Status(fault) => fault.is_undetermined(),
            Self::Token(error) => error.is_undetermined(),
        }
    }
}

impl CertificateRejection {
    /// A rejection for these faults: could-not-tell if all of them are.
    pub(crate) fn new(
        signer: Option<CertificateLabel>,
        faults: NonEmpty<CertificateFault>,
        judged_at: JudgedAt,
    ) -> Self {
        let undetermined = faults.iter().all(CertificateFault::is_undetermined);
        Self { faults, judged_at, signer, undetermined }
    }

    /// The same as could-not-tell: some of the faults are refusals of other identities, or a check was not made.
    #[must_use]
    pub(super) fn undetermined(self) -> Self {
        Self { undetermined: true, ..self }
    }

    /// The same with more that is wrong, for the report. The answer stays what it is.
    #[must_use]
    pub(super) fn also(mut self, more: impl IntoIterator<Item = CertificateFault>) -> Self {
        for fault in more {
            if !self.faults.iter().any(|known| *known == fault) {
                self.faults.push(fault);
            }
        }
        self
    }

    /// A rejection before the certificate is known to have made the signature; it is named if it can be read.
    pub(super) fn of_material(
        material: &VerificationMaterial,
        fault: CertificateFault,
        AuthenticationContext { limits, time, .. }: AuthenticationContext<'_>,
    ) -> Self {
        let label = Self::label_of(material.certificates.first(), limits);
        Self::new(label, NonEmpty::one(fault), time.judged())
    }

    /// The label of the first certificate of a chain, if it can be read.
    pub(super) fn label_of(first: Option<impl AsRef<[u8]>>, limits: &Limits) -> Option<CertificateLabel> {
        match first.map(|der| Certificate::parse(der.as_ref(), limits)) {
            Some(Ok(certificate)) => Some(CertificateLabel::of(&certificate)),
            Some(Err(_)) | None => None,
        }
    }

    /// The checks that failed, at least one.
    pub const fn faults(&self) -> &NonEmpty<CertificateFault> {
        &self.faults
    }

    /// The time at which the certificate was judged, as far as a fault does not state another one.
    pub const fn judged_at(&self) -> JudgedAt {
        self.judged_at
    }

    /// The signer's certificate, which is not trusted; `None` if it cannot be read.
    pub const fn signer(&self) -> Option<&CertificateLabel> {
        self.signer.as_ref()
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        self.undetermined
    }

    /// The stable code in reports: that of the first fault that decides.
    pub fn code(&self) -> &'static str {
        let decides = |fault: &&CertificateFault| fault.is_undetermined() == self.undetermined;
        self.faults.iter().find(decides).unwrap_or_else(|| self.faults.first()).code()
    }
}

impl fmt::Display for CertificateRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signer {
            Some(signer) => write!(f, "signed with the certificate {signer}, but ")?,
            None => f.write_str("signed with a certificate, but ")?,
        }
        for (index, fault) in self.faults.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "; " })?;
            write!(f, "{fault}")?;
        }
        match self.faults.iter().any(CertificateFault::states_time) {
            true => Ok(()),
            false => write!(f, "; judged at {}", self.judged_at),
        }
    }
}

/// The clause by which a signing authority states the time.
const AUTHENTIC_TIME: &str = "signing-scheme, notary.x509.signingAuthority";
/// The clause by which a timestamp is required.
const TIMESTAMP_REQUIRED: &str = "trust-store-trust-policy, verifyTimestamp";
/// The clause by which the names of a certificate are compared with those of the operator.
const TRUSTED_NAMES: &str = "trust-store-trust-policy, trustedIdentities";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::NotaryEnvelope;
    use crate::envelope::NotaryFormat;
    use crate::envelope::Strictness;
    use crate::trust::VerificationTime;
    use std::slice;

    const ENVELOPE: &[u8] = include_bytes!(
        "../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
    );

    fn certificate() -> Certificate {
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, ENVELOPE, limits, Strictness::Strict).unwrap();
        Certificate::parse(&envelope.certificate_chain()[0], limits).unwrap()
    }

    fn rejection(faults: &[CertificateFault]) -> CertificateRejection {
        let faults = NonEmpty::collect(faults.iter().cloned()).unwrap();
        CertificateRejection::new(Some(CertificateLabel::of(&certificate())), faults, judged_at())
    }

    fn judged_at() -> JudgedAt {
        VerificationTime::now(Time::EPOCH).judged()
    }

    /// A refusal decides over what is not known, every fault is listed once, and the time is told once.
    #[test]
    fn a_rejection_is_could_not_tell_only_if_all_its_faults_are() {
        let ahead = CertificateFault::Ahead { now: Time::EPOCH, time: Time::EPOCH };
        let expired = CertificateFault::Expired { at: Time::EPOCH, expiry: Time::EPOCH };
        let none = CertificateFault::NoCertificate;
        assert!(rejection(slice::from_ref(&ahead)).is_undetermined());
        let both = rejection(&[ahead.clone(), none.clone()]);
        assert_eq!((both.is_undetermined(), both.code()), (false, "no-certificate"));
        assert_eq!(both.signer(), Some(&CertificateLabel::of(&certificate())));
        let more = both.also([none.clone(), ahead.clone(), expired.clone()]);
        assert_eq!(more.faults().to_vec(), [ahead, none.clone(), expired.clone()]);
        let judged = format!("; judged at {}", judged_at());
        let says = |faults: &[CertificateFault]| rejection(faults).to_string().contains(&judged);
        assert_eq!((says(slice::from_ref(&none)), says(&[none.clone(), expired])), (true, false));
    }

    /// A refusal names what the certificate says, and why a timestamp does not help.
    #[test]
    fn a_fault_names_what_the_certificate_says() {
        let certificate = certificate();
        let names = "with the alternative names";
        assert!(!CertificateFault::of_names(&certificate).to_string().contains(names));
        let label = CertificateLabel::of(&certificate);
        let named = CertificateFault::Names { alternative: Some(Untrusted::new("DNS:a")), certificate: label };
        assert!(named.to_string().contains(&format!("{names} {}", Untrusted::new("DNS:a"))), "{named}");
        let fault = StatusFault::EvidenceUnread { at: Time::EPOCH, what: Untrusted::new("a file") };
        let with = |timestamp| CertificateFault::Revocation { fault: fault.clone(), timestamp }.to_string();
        assert_eq!(with(Some(TimestampFault::Missing)), format!("{}; {}", with(None), TimestampFault::Missing));
    }
}
