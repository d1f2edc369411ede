//! What each piece of a pool proves about one certificate.

use crate::key::PublicKey;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::CertificateRevocationList;
use crate::x509::CertificateStatus;
use crate::x509::ExaminedEvidence;
use crate::x509::ExpiredCertificates;
use crate::x509::FreshnessRule;
use crate::x509::KeyUsage;
use crate::x509::OcspResponse;
use crate::x509::Revocation;
use crate::x509::RevocationReason;
use crate::x509::StatusEvidenceError;
use crate::x509::StatusProblem;
use crate::x509::StatusProblemRule;
use crate::x509::candidates::SignedBytes;
use crate::x509::profile::Ed25519;
use crate::x509::revocation::distribution_point;
use crate::x509::revocation::distribution_point::IssuingDistributionPoint;
use crate::x509::revocation::distribution_point::PointName;
use crate::x509::revocation::freshness::NextUpdateRule;
use crate::x509::revocation::status::EvidenceKind;
use crate::x509::revocation::status::EvidenceLabel;

/// A certificate whose status is asked for, and by what it is judged.
#[derive(Clone, Copy)]
pub(super) struct StatusQuery<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) ed25519: Ed25519,
    pub(super) freshness: &'a FreshnessRule,
    pub(super) issuer: &'a Certificate,
    pub(super) now: Time,
}

/// The signature checks that are left.
pub(super) struct SignatureChecks(u64);

/// A rule that evidence breaks, before it is said which evidence.
#[derive(Clone)]
pub(super) struct Problem {
    pub(super) found: Option<String>,
    pub(super) rule: StatusProblemRule,
}

/// What genuine evidence states about a certificate, and the times that its freshness is judged by.
pub(super) struct EvidenceStatement {
    /// Since when certificates that have expired are kept, as the evidence says.
    pub(super) expired_since: Option<Time>,
    /// Whether its signature is genuine. If not, it states nothing.
    pub(super) genuine: bool,
    pub(super) label: EvidenceLabel,
    pub(super) next_update: Option<Time>,
    pub(super) presence: NextUpdateRule,
    pub(super) problems: Vec<Problem>,
    pub(super) revocations: Vec<Revocation>,
}

/// A certificate, and the pool that its status is concluded from.
#[derive(Clone, Copy)]
pub(super) struct Examination<'a> {
    pub(super) crls: &'a [CertificateRevocationList],
    pub(super) query: StatusQuery<'a>,
    pub(super) responses: &'a [OcspResponse],
}

impl Examination<'_> {
    /// The status of the certificate from everything in the pool.
    pub(super) fn conclude(&self, checks: &mut SignatureChecks) -> CertificateStatus {
        let mut examined = self.examine_crls(checks);
        examined.extend(self.examine_responses(checks));
        self.concluded(examined)
    }

    pub(super) fn concluded(&self, examined: Vec<ExaminedEvidence>) -> CertificateStatus {
        CertificateStatus::conclude(CertificateLabel::of(self.query.certificate), self.query.now, examined)
    }

    pub(super) fn examine_crls(&self, checks: &mut SignatureChecks) -> Vec<ExaminedEvidence> {
        let query = &self.query;
        // RFC 5280 section 6.3.3 (b) (1): without `cRLIssuer`, the issuer of the list is that of the certificate.
        let by_issuer = self.crls.iter().filter(|crl| crl.issuer() == query.certificate.issuer());
        by_issuer.map(|crl| query.examined(query.crl(crl, checks))).collect()
    }
}

impl StatusQuery<'_> {
    /// RFC 5280 section 6.3.3 for a complete CRL that the issuer of the certificate has issued.
    fn crl(&self, crl: &CertificateRevocationList, checks: &mut SignatureChecks) -> EvidenceStatement {
        let label = EvidenceLabel { digest: *crl.digest(), kind: EvidenceKind::Crl, this_update: crl.this_update() };
        let mut statement = EvidenceStatement {
            expired_since: crl.expired_since(),
            genuine: true,
            label,
            next_update: crl.next_update(),
            presence: NextUpdateRule::Required,
            problems: Vec::new(),
            revocations: Vec::new(),
        };
        let genuine = match crl.signed() {
            Some(signed) => checks.verify(signed, self.issuer, self.ed25519),
            None => Err(Problem::of(StatusProblemRule::Readable)),
        };
        if let Err(problem) = genuine {
            let may_revoke = || !self.revocations(crl, label).is_ok_and(|revocations| revocations.is_empty());
            return statement.not_genuine(problem.where_revoked(may_revoke));
        }
        match self.revocations(crl, label) {
            Ok(revocations) => statement.revocations = revocations,
            Err(error) => statement.problems.push(Problem::of(StatusProblemRule::Readable).by(error)),
        }
        self.crl_problems(crl, &mut statement.problems);
        statement
    }

    /// What the entries of a CRL say about the certificate, whether the CRL is genuine or not.
    fn revocations(
        &self,
        crl: &CertificateRevocationList,
        evidence: EvidenceLabel,
    ) -> Result<Vec<Revocation>, StatusEvidenceError> {
        let entries = crl.entries_for(self.certificate.serial(), self.certificate.issuer())?;
        // RFC 5280 section 5.3.1: in a delta CRL, an entry may say that the certificate is off the list again.
        let is_removed =
            |reason: Option<RevocationReason>| crl.is_delta() && reason == Some(RevocationReason::RemoveFromCrl);
        let entries = entries.into_iter().filter(|entry| !is_removed(entry.reason));
        let revocation = |at, invalidity, reason| Revocation { at, evidence, invalidity, reason };
        Ok(entries.map(|entry| revocation(entry.at, entry.invalidity, entry.reason)).collect())
    }

    /// The rules that keep a genuine CRL from proving that the certificate is good.
    fn crl_problems(&self, crl: &CertificateRevocationList, problems: &mut Vec<Problem>) {
        let mut add = |broken: bool, rule| problems.extend(broken.then_some(Problem::of(rule)));
        let extensions = self.issuer.extensions();
        add(extensions.key_usage().is_some_and(|usage| !usage.has(KeyUsage::CRL_SIGN)), StatusProblemRule::CrlSign);
        let ids = crl.authority_key_id().zip(extensions.subject_key_id());
        add(ids.is_some_and(|(authority, subject)| authority != subject), StatusProblemRule::AuthorityKeyId);
        add(crl.number().is_none(), StatusProblemRule::CrlNumber);
        add(crl.is_delta(), StatusProblemRule::DeltaCrl);
        add(crl.has_entry_issuers(), StatusProblemRule::IndirectCrl);
        if let Some(point) = crl.point() {
            self.scope_problems(point, problems);
        }
        let unknown = [
            (crl.unknown_critical(), StatusProblemRule::CriticalExtension),
            (crl.unknown_critical_entry(), StatusProblemRule::CriticalEntryExtension),
        ];
        for (id, rule) in unknown {
            problems.extend(id.map(|id| Problem::of(rule).by(format_args!("extension {id}"))));
        }
    }

    /// RFC 5280 section 6.3.3 (b) (2) and (d): whether the list is complete for the certificate.
    fn scope_problems(&self, point: &IssuingDistributionPoint, problems: &mut Vec<Problem>) {
        let is_ca = self.certificate.extensions().is_ca();
        let scope = match point {
            IssuingDistributionPoint { only_attribute_certificates: true, .. } => Some("attribute certificates"),
            IssuingDistributionPoint { only_authorities: true, .. } if !is_ca => Some("certificate authorities"),
            IssuingDistributionPoint { only_users: true, .. } if is_ca => Some("certificates of users"),
            _ => None,
        };
        problems.extend(
            scope.map(|scope| Problem::of(StatusProblemRule::CertificateScope).by(format_args!("only {scope}"))),
        );
        let is_its = match &point.name {
            None => true,
            Some(PointName::Full(names)) => distribution_point::is_named_by(self.certificate, names),
            Some(PointName::Relative) => false,
        };
        let mut add = |broken: bool, rule| problems.extend(broken.then_some(Problem::of(rule)));
        add(!is_its, StatusProblemRule::DistributionPoint);
        add(point.only_some_reasons, StatusProblemRule::OnlySomeReasons);
        add(point.indirect, StatusProblemRule::IndirectCrl);
    }

    /// Judges freshness, and names the evidence in each problem.
    pub(super) fn examined(&self, statement: EvidenceStatement) -> ExaminedEvidence {
        let EvidenceStatement { expired_since, genuine, label, next_update, presence, mut problems, revocations } =
            statement;
        let (freshness, broken) = self.freshness.check(label.this_update, next_update, presence, self.now);
        problems.extend(broken.filter(|_| genuine).map(|rule| {
            let next = next_update.map(|next| format!(", nextUpdate {next}")).unwrap_or_default();
            Problem::of(rule).by(format_args!("thisUpdate {}{next}, now {}", label.this_update, self.now))
        }));
        let end = self.certificate.not_after();
        let kept = self.freshness.expired_certificates == ExpiredCertificates::Kept
            || expired_since.is_some_and(|since| since <= end);
        if genuine && label.this_update > end && !kept {
            problems.push(Problem::of(StatusProblemRule::ExpiredCertificate).by(format_args!("valid until {end}")));
        }
        let named = |Problem { found, rule }| StatusProblem { evidence: Some(label), found, rule };
        let problems = problems.into_iter().map(named).collect();
        ExaminedEvidence { freshness, genuine, label, next_update, problems, revocations }
    }
}

impl EvidenceStatement {
    /// The same evidence, which states nothing because of `problem`.
    pub(super) fn not_genuine(self, problem: Problem) -> Self {
        Self { genuine: false, problems: vec![problem], revocations: Vec::new(), ..self }
    }
}

impl SignatureChecks {
    pub(super) const fn new(most: u64) -> Self {
        Self(most)
    }

    /// Whether the signature is by the key of `signer`.
    pub(super) fn verify(
        &mut self,
        signed: SignedBytes<'_>,
        signer: &Certificate,
        ed25519: Ed25519,
    ) -> Result<(), Problem> {
        // By a key that is not supported, such as RSA of 1024 bits, nothing is verified, whatever the algorithm is called.
        if !signed.has_known_algorithm(ed25519) || PublicKey::from_spki(signer.spki()).is_err() {
            return Err(Problem::of(StatusProblemRule::SignatureAlgorithm));
        }
        self.0 = self.0.checked_sub(1).ok_or(Problem::of(StatusProblemRule::Limit))?;
        match signed.is_signed_by(signer, ed25519) {
            true => Ok(()),
            false => Err(Problem::of(StatusProblemRule::Signature)),
        }
    }
}

impl Problem {
    pub(super) const fn of(rule: StatusProblemRule) -> Self {
        Self { found: None, rule }
    }

    /// Of two problems by two candidates for the signer, the one that leaves open whether the evidence is genuine: that it is
    /// not by the other candidate says nothing about this one. Otherwise `later`.
    pub(super) fn or_less_known(self, later: Self) -> Self {
        let openness = |problem: &Self| match problem.rule {
            StatusProblemRule::Limit => 2,
            StatusProblemRule::SignatureAlgorithm => 1,
            _ => 0,
        };
        if openness(&self) > openness(&later) { self } else { later }
    }

    /// The same problem, where evidence that cannot be verified lists the certificate as revoked: it may be genuine.
    pub(super) fn where_revoked(self, is_revoked: impl Fn() -> bool) -> Self {
        match self.rule {
            StatusProblemRule::SignatureAlgorithm if is_revoked() => {
                Self { rule: StatusProblemRule::RevokedSignatureAlgorithm, ..self }
            }
            _ => self,
        }
    }

    pub(super) fn by(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }
}
