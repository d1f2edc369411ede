//! `StatusEvidence`: the pool of CRLs and OCSP responses, from which the status of each certificate of a chain follows.
//!
//! The invariant: a revocation that genuine evidence states wins, whatever else is in the pool and whatever is wrong with
//! that evidence; so more evidence never turns revoked into good. Evidence is genuine if its signature is by the key of
//! the certificate's issuer, or by an OCSP responder that this issuer has authorized.
//!
//! For each certificate of the path but the last, with its issuer beside it:
//!
//! 1. All CRLs with the issuer's name and all OCSP responses about the certificate are examined (`examine.rs`).
//! 2. Each is genuine or not; each rule that keeps it from proving good is a problem.
//! 3. The status is concluded from all of them together ([`CertificateStatus`]).

use crate::limits;
use crate::limits::Limits;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateRevocationList;
use crate::x509::CertificateStatus;
use crate::x509::FreshnessRule;
use crate::x509::OcspResponse;
use crate::x509::Profile;
use crate::x509::StatusEvidenceError;
use crate::x509::VerifiedChain;
use crate::x509::profile::Ed25519;
use crate::x509::revocation::examine::Examination;
use crate::x509::revocation::examine::SignatureChecks;
use crate::x509::revocation::examine::StatusQuery;

/// A pool of CRLs and OCSP responses. None of them is trusted for being in it.
#[derive(Clone, Debug, Default)]
pub struct StatusEvidence {
    bytes: u64,
    crls: Vec<CertificateRevocationList>,
    responses: Vec<OcspResponse>,
}

impl StatusEvidence {
    /// A pool without evidence: every status is unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a CRL. One that is there already is not added again.
    ///
    /// # Errors
    /// [`StatusEvidenceError`] where the pool has as much as `limits` allow. That is could-not-tell: what is left out
    /// might have held a revocation.
    pub fn add_crl(&mut self, crl: CertificateRevocationList, limits: &Limits) -> Result<(), StatusEvidenceError> {
        if !self.crls.contains(&crl) {
            self.account(crl.der().len(), limits)?;
            self.crls.push(crl);
        }
        Ok(())
    }

    /// Adds an OCSP response, as [`StatusEvidence::add_crl`].
    ///
    /// # Errors
    /// [`StatusEvidenceError`] where the pool has as much as `limits` allow.
    pub fn add_ocsp_response(&mut self, response: OcspResponse, limits: &Limits) -> Result<(), StatusEvidenceError> {
        if !self.responses.contains(&response) {
            self.account(response.der().len(), limits)?;
            self.responses.push(response);
        }
        Ok(())
    }

    /// The status of each certificate of the chain's path, from the signer's on, without the last one: nobody but the
    /// operator vouches for that.
    ///
    /// `now` is the time that freshness is judged at. It is not the time that the chain was verified for: a chain that
    /// was valid when it was used is revoked all the same.
    pub fn statuses(
        &self,
        chain: &VerifiedChain,
        freshness: &FreshnessRule,
        now: Time,
        limits: &Limits,
    ) -> Vec<CertificateStatus> {
        let ed25519 = ed25519(chain);
        let mut checks = SignatureChecks::new(limits.revocation.signature_checks);
        let issuers = chain.path().iter().skip(1);
        let pairs = chain.path().iter().zip(issuers);
        pairs
            .map(|(certificate, issuer)| {
                let query = StatusQuery { certificate, ed25519, freshness, issuer, now };
                Examination { crls: &self.crls, query, responses: &self.responses }.conclude(&mut checks)
            })
            .collect()
    }

    /// The delegates whose own status decides whether the OCSP responses about the certificate at `position` of the chain
    /// prove anything: responders that its issuer has authorized, without id-pkix-ocsp-nocheck (RFC 6960 section
    /// 4.2.2.2.1). Each once.
    pub fn delegates(&self, chain: &VerifiedChain, position: usize, now: Time, limits: &Limits) -> Vec<Certificate> {
        let mut path = chain.path().iter().skip(position);
        let (Some(certificate), Some(issuer)) = (path.next(), path.next()) else { return Vec::new() };
        let query =
            StatusQuery { certificate, ed25519: ed25519(chain), freshness: &FreshnessRule::ANY_AGE, issuer, now };
        let mut checks = SignatureChecks::new(limits.revocation.signature_checks);
        let delegates = Examination { crls: &self.crls, query, responses: &self.responses }.delegates(&mut checks);
        delegates.into_iter().cloned().collect()
    }

    /// The status of a delegate of [`StatusEvidence::delegates`] by the CRLs of the pool and the issuer's own responses;
    /// `None` if there is no issuer at that position.
    pub fn delegate_status(
        &self,
        (chain, position): (&VerifiedChain, usize),
        delegate: &Certificate,
        freshness: &FreshnessRule,
        now: Time,
        limits: &Limits,
    ) -> Option<CertificateStatus> {
        let issuer = chain.path().iter().nth(position.checked_add(1)?)?;
        let query = StatusQuery { certificate: delegate, ed25519: ed25519(chain), freshness, issuer, now };
        let mut checks = SignatureChecks::new(limits.revocation.signature_checks);
        Some(Examination { crls: &self.crls, query, responses: &self.responses }.delegate_status(&mut checks))
    }

    fn account(&mut self, bytes: usize, limits: &Limits) -> Result<(), StatusEvidenceError> {
        let limit = limits.revocation.documents;
        if limits::count(self.crls.len() + self.responses.len()) >= limit {
            return Err(StatusEvidenceError::TooMany { limit, what: "CRLs and OCSP responses" });
        }
        let limit = limits.revocation.bytes;
        let bytes = self.bytes.saturating_add(limits::count(bytes));
        if bytes > limit {
            return Err(StatusEvidenceError::TooLarge { limit, what: "revocation evidence" });
        }
        self.bytes = bytes;
        Ok(())
    }
}

fn ed25519(chain: &VerifiedChain) -> Ed25519 {
    Profile::named(chain.profile()).map_or(Ed25519::NotSupported, |profile| profile.ed25519)
}
