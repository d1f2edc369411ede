//! Who signs OCSP responses: the issuer of a certificate, or a responder that this issuer has authorized (RFC 6960
//! section 4.2.2.2).

use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::CertificateStatus;
use crate::x509::ExaminedEvidence;
use crate::x509::KeyUsage;
use crate::x509::OcspResponse;
use crate::x509::Oid;
use crate::x509::Revocation;
use crate::x509::Status;
use crate::x509::StatusProblemRule;
use crate::x509::candidates::SignedBytes;
use crate::x509::checks;
use crate::x509::hash::IdentifierHash;
use crate::x509::profile::OCSP_SIGNING;
use crate::x509::revocation::examine::EvidenceStatement;
use crate::x509::revocation::examine::Examination;
use crate::x509::revocation::examine::Problem;
use crate::x509::revocation::examine::SignatureChecks;
use crate::x509::revocation::examine::StatusQuery;
use crate::x509::revocation::freshness::NextUpdateRule;
use crate::x509::revocation::ocsp::ResponderId;
use crate::x509::revocation::single_response;
use crate::x509::revocation::single_response::IdMatch;
use crate::x509::revocation::single_response::Says;
use crate::x509::revocation::single_response::SingleResponse;
use crate::x509::revocation::status::EvidenceKind;
use crate::x509::revocation::status::EvidenceLabel;

/// Who has signed a response.
#[derive(Clone, Copy)]
enum Responder<'a> {
    /// A responder with a certificate from the issuer.
    Delegate(&'a Certificate),
    /// The issuer itself.
    Issuer,
}

impl<'a> Examination<'a> {
    /// What the OCSP responses of the pool prove.
    pub(super) fn examine_responses(&self, checks: &mut SignatureChecks) -> Vec<ExaminedEvidence> {
        self.responses_by(checks, &|delegate, checks| self.delegate(delegate, checks))
    }

    /// As [`Examination::examine_responses`], with what is wrong with a delegate by `delegate`.
    fn responses_by(
        &self,
        checks: &mut SignatureChecks,
        delegate: &dyn Fn(&'a Certificate, &mut SignatureChecks) -> Vec<Problem>,
    ) -> Vec<ExaminedEvidence> {
        let query = &self.query;
        let mut examined = Vec::new();
        // Each delegate is looked at once, however many responses it has signed: its CRLs may be large.
        let mut delegates: Vec<(&Certificate, Vec<Problem>)> = Vec::new();
        for response in self.responses {
            let about = |single: &&SingleResponse| query.is_about(single) != IdMatch::IsNot;
            let mut singles = response.responses().iter().filter(about).peekable();
            if singles.peek().is_none() {
                continue;
            }
            let signer = query.responder(response, checks);
            let at_fault = match &signer {
                Ok(Responder::Delegate(certificate)) => {
                    match delegates.iter().find(|(known, _)| known == certificate) {
                        Some((_, problems)) => problems.clone(),
                        None => {
                            let problems = delegate(certificate, checks);
                            delegates.push((certificate, problems.clone()));
                            problems
                        }
                    }
                }
                Ok(Responder::Issuer) | Err(_) => Vec::new(),
            };
            for single in singles {
                let mut statement = query.response(response, single);
                match &signer {
                    Ok(_) => statement.problems.extend(at_fault.iter().cloned()),
                    Err(problem) => {
                        let is_revoked = || matches!(single.says, Says::Revoked { .. });
                        statement = statement.not_genuine(problem.clone().where_revoked(is_revoked));
                    }
                }
                examined.push(query.examined(statement));
            }
        }
        examined
    }

    /// What keeps responses of a delegate from proving anything good: its certificate, or the status of that.
    ///
    /// RFC 6960 section 4.2.2.2.1: `id-pkix-ocsp-nocheck` says that nobody needs to look for the status; a revocation that
    /// is in the pool counts all the same. Without it, CRLs and the issuer's own responses decide: other delegates do
    /// not vouch for this one.
    fn delegate(&self, certificate: &'a Certificate, checks: &mut SignatureChecks) -> Vec<Problem> {
        let mut problems = self.query.delegate_problems(certificate);
        let examination = Self { query: StatusQuery { certificate, ..self.query }, ..*self };
        let name = CertificateLabel::of(certificate);
        let status = examination.delegate_status(checks);
        match &status.status {
            Status::Good { .. } => (),
            Status::Revoked(_) => problems.push(Problem::of(StatusProblemRule::ResponderRevoked).by(name)),
            Status::Unknown(why) if why.iter().any(|problem| problem.rule == StatusProblemRule::Limit) => {
                problems.push(Problem::of(StatusProblemRule::Limit));
            }
            Status::Unknown(_) if has_nocheck(certificate) && !status.may_be_revoked() => {}
            Status::Unknown(_) => problems.push(Problem::of(StatusProblemRule::ResponderStatus).by(name)),
        }
        problems
    }

    /// The status of the certificate as that of a delegate.
    pub(super) fn delegate_status(&self, checks: &mut SignatureChecks) -> CertificateStatus {
        let mut examined = self.examine_crls(checks);
        let other = |_: &'a Certificate, _: &mut SignatureChecks| vec![Problem::of(StatusProblemRule::ResponderStatus)];
        examined.extend(self.responses_by(checks, &other));
        self.concluded(examined)
    }

    /// The delegates whose own status decides whether responses about the certificate prove anything, each once.
    pub(super) fn delegates(&self, checks: &mut SignatureChecks) -> Vec<&'a Certificate> {
        let mut delegates = Vec::new();
        for response in self.responses {
            let is_about = response.responses().iter().any(|single| self.query.is_about(single) != IdMatch::IsNot);
            if is_about
                && let Ok(Responder::Delegate(certificate)) = self.query.responder(response, checks)
                && !has_nocheck(certificate)
                && !delegates.contains(&certificate)
            {
                delegates.push(certificate);
            }
        }
        delegates
    }
}

impl StatusQuery<'_> {
    fn is_about(&self, single: &SingleResponse) -> IdMatch {
        single.certificate_id.matches(self.certificate, self.issuer)
    }

    /// What one part of a response states, if its signature is genuine.
    fn response(&self, response: &OcspResponse, single: &SingleResponse) -> EvidenceStatement {
        let label =
            EvidenceLabel { digest: *response.digest(), kind: EvidenceKind::Ocsp, this_update: single.this_update };
        let mut statement = EvidenceStatement {
            expired_since: single.archive_cutoff,
            genuine: true,
            label,
            next_update: single.next_update,
            presence: NextUpdateRule::Optional,
            problems: Vec::new(),
            revocations: Vec::new(),
        };
        match (self.is_about(single), single.says) {
            (IdMatch::Undetermined, Says::Revoked { .. }) => {
                statement.problems.push(Problem::of(StatusProblemRule::RevokedCertId));
            }
            (IdMatch::Undetermined, _) => statement.problems.push(Problem::of(StatusProblemRule::CertId)),
            (_, Says::Revoked { at, reason }) => {
                // The reason may stand in two places. A rescue must hold for both.
                let reasons = [Some(reason), single.entry_reason.map(Some).filter(|other| *other != reason)];
                let revocation = |reason| Revocation { at, evidence: label, invalidity: single.invalidity, reason };
                statement.revocations.extend(reasons.into_iter().flatten().map(revocation));
            }
            _ => {}
        }
        if single.says == Says::Unknown {
            statement.problems.push(Problem::of(StatusProblemRule::UnknownToResponder));
        }
        if response.produced_at() > single.this_update && self.is_future(response) {
            let found = format_args!("producedAt {}, now {}", response.produced_at(), self.now).to_string();
            statement.problems.push(Problem::of(StatusProblemRule::ThisUpdate).by(found));
        }
        for id in [response.unknown_critical(), single.unknown_critical.as_ref()].into_iter().flatten() {
            let found = format_args!("extension {id}").to_string();
            statement.problems.push(Problem::of(StatusProblemRule::CriticalExtension).by(found));
        }
        statement
    }

    fn is_future(&self, response: &OcspResponse) -> bool {
        let (_, broken) = self.freshness.check(response.produced_at(), None, NextUpdateRule::Optional, self.now);
        broken == Some(StatusProblemRule::ThisUpdate)
    }

    /// Finds who has signed the response, and that they may.
    fn responder<'a>(
        &self,
        response: &'a OcspResponse,
        checks: &mut SignatureChecks,
    ) -> Result<Responder<'a>, Problem> {
        let signed = response.signed().ok_or(Problem::of(StatusProblemRule::Readable))?;
        let id = response.responder();
        let mut problem = Problem::of(StatusProblemRule::Responder).by("its certificate is not there");
        if id.is_of(self.issuer) {
            match checks.verify(signed, self.issuer, self.ed25519) {
                Ok(()) => return Ok(Responder::Issuer),
                Err(found) => problem = problem.or_less_known(found),
            }
        }
        for certificate in response.certificates().iter().filter(|certificate| id.is_of(certificate)) {
            match self.delegated(certificate, signed, checks) {
                Ok(()) => return Ok(Responder::Delegate(certificate)),
                Err(found) => problem = problem.or_less_known(found),
            }
        }
        Err(problem)
    }

    /// Whether the certificate is one of a responder, directly from the issuer, and its key has signed the response.
    fn delegated(
        &self,
        certificate: &Certificate,
        response: SignedBytes<'_>,
        checks: &mut SignatureChecks,
    ) -> Result<(), Problem> {
        let label = CertificateLabel::of(certificate);
        let no = |found: &str| Problem::of(StatusProblemRule::Responder).by(format_args!("{label}: {found}"));
        let purposes = certificate.extensions().extended_key_usage().unwrap_or_default();
        if !purposes.iter().any(|purpose| purpose.as_content() == OCSP_SIGNING) {
            return Err(no("its extended key usage is not id-kp-OCSPSigning"));
        }
        if certificate.issuer() != self.issuer.subject() || certificate.names_two_algorithms() {
            return Err(no("another issuer has issued it"));
        }
        let signed = SignedBytes {
            algorithm_id: certificate.algorithm_id(),
            signature: certificate.signature(),
            signed: certificate.to_be_signed(),
        };
        checks.verify(signed, self.issuer, self.ed25519).map_err(|problem| match problem.rule {
            StatusProblemRule::Signature => no("another issuer has issued it"),
            _ => problem,
        })?;
        checks.verify(response, certificate, self.ed25519)
    }

    /// The rules that the certificate of a delegate breaks.
    fn delegate_problems(&self, certificate: &Certificate) -> Vec<Problem> {
        let label = CertificateLabel::of(certificate);
        let problem =
            |found: &str| Problem::of(StatusProblemRule::ResponderCertificate).by(format_args!("{label}: {found}"));
        let mut problems = Vec::new();
        // At this time, not at that of the response: only its own key says when that was.
        if self.now < certificate.not_before() || self.now > certificate.not_after() {
            problems.push(problem(&format!(
                "valid from {} until {}",
                certificate.not_before(),
                certificate.not_after()
            )));
        }
        let signing = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::NON_REPUDIATION);
        let usage = certificate.extensions().key_usage();
        if usage.is_some_and(|usage| usage.common(signing) == KeyUsage::NONE) {
            problems.push(problem("its key usage is not digitalSignature"));
        }
        if checks::unprocessed(certificate).next().is_some() {
            problems.push(problem("it has a critical extension that is not supported"));
        }
        problems
    }
}

impl ResponderId {
    /// Whether it names the subject or the key of `certificate`.
    fn is_of(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Key(hash) => {
                single_response::key_bits(certificate).is_some_and(|bits| IdentifierHash::Sha1.of(bits) == *hash)
            }
            Self::Name(name) => certificate.subject().der() == name.as_slice(),
        }
    }
}

/// Whether nobody needs to look for the status of this responder (RFC 6960 section 4.2.2.2.1).
fn has_nocheck(certificate: &Certificate) -> bool {
    certificate.extensions().get(&Oid::known(NOCHECK)).is_some()
}

/// id-pkix-ocsp-nocheck.
const NOCHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];
