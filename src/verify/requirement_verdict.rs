//! `RequirementVerdict`: the decision on one requirement of a policy, with every statement that was considered.

use crate::digest::Digest;
use crate::policy::About;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::policy::RequirementId;
use crate::verify::Candidate;
use crate::verify::pool::RequirementPool;

/// The decision on one requirement of a policy about an image, for reports.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct RequirementVerdict {
    /// The manifests that its statements must be about.
    pub about: About,
    /// The statements of its owners that were read.
    pub candidates: Vec<Candidate>,
    /// The stable code: `met`, or why it is not.
    pub code: &'static str,
    /// The decision.
    pub decision: Decision,
    /// The number of owners who count, for the manifest that has the fewest.
    pub got: usize,
    /// The name of the requirement.
    pub id: RequirementId,
    /// The manifests for which it is not met.
    pub lacking: Vec<Digest>,
    /// Its line in the policy file, from 1.
    pub line: Option<u32>,
    /// The VEX documents that were read to clear what a scan found, if one found something: those that clear it count.
    pub vex: Vec<Candidate>,
    /// The number of owners who have to sign.
    pub want: u32,
}

/// Why a requirement cannot be met by any statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Impossible {
    NoIndex,
    NoPlatforms,
}

impl Impossible {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::NoIndex => "no-index",
            Self::NoPlatforms => "no-platforms",
        }
    }
}

impl RequirementVerdict {
    /// The verdict on a requirement that no statement can meet.
    pub(super) fn impossible(requirement: &Requirement, why: Impossible) -> Self {
        Self { code: why.code(), decision: Decision::Unmet, ..Self::begun(requirement) }
    }

    /// The verdict on a requirement over the statements for each manifest that decides it, at least one.
    pub(super) fn over(requirement: &Requirement, pools: &[(Digest, RequirementPool<'_>)]) -> Self {
        let mut verdict = Self::begun(requirement);
        let mut decisions = Vec::new();
        for (digest, pool) in pools {
            let decided = pool.decide();
            verdict.got = if decisions.is_empty() { decided.got } else { verdict.got.min(decided.got) };
            decisions.push(decided.decision);
            let candidates = pool.candidates();
            if decided.decision != Decision::Met {
                verdict.lacking.push(*digest);
                let code = match decided.is_at_limit {
                    true => PAIRING_LIMIT,
                    false => code(decided.decision, &candidates),
                };
                if verdict.code == MET || decided.decision == Decision::Unmet {
                    verdict.code = code;
                }
            }
            add_new(&mut verdict.candidates, candidates);
            add_new(&mut verdict.vex, pool.vex_candidates());
        }
        verdict.decision = match decisions.is_empty() {
            // No manifest at all: never a yes.
            true => Decision::Unmet,
            false => Decision::all(decisions),
        };
        verdict
    }

    /// Whether it is could-not-tell because the limit `evidence.pairing_steps` was reached.
    pub(super) fn is_at_limit(&self) -> bool {
        self.code == PAIRING_LIMIT
    }

    /// The same verdict with the code `why`, if no statement at all was found.
    pub(super) fn naming(mut self, why: Option<&'static str>) -> Self {
        if let Some(why) = why.filter(|_| self.code == NO_STATEMENT) {
            self.code = why;
        }
        self
    }

    /// The same verdict, where manifests that were not read might decide otherwise.
    pub(super) fn or_undetermined(mut self) -> Self {
        if self.decision == Decision::Met || self.code == Impossible::NoPlatforms.code() {
            self.decision = Decision::Undetermined;
            self.code = UNREAD;
        }
        self
    }

    fn begun(requirement: &Requirement) -> Self {
        Self {
            about: requirement.about(),
            candidates: Vec::new(),
            code: MET,
            decision: Decision::Unmet,
            got: 0,
            id: requirement.id().clone(),
            lacking: Vec::new(),
            line: requirement.line(),
            vex: Vec::new(),
            want: requirement.quorum().threshold().count(),
        }
    }
}

/// Adds those of `candidates` that are not among `known`.
fn add_new(known: &mut Vec<Candidate>, candidates: Vec<Candidate>) {
    for candidate in candidates {
        if !known.iter().any(|known| known.is_same(&candidate)) {
            known.push(candidate);
        }
    }
}

/// Why a requirement is not met, by the statement that decides it.
fn code(decision: Decision, candidates: &[Candidate]) -> &'static str {
    let unmet = candidates.iter().find_map(|candidate| candidate.code.filter(|_| candidate.reason.is_some()));
    match (decision, unmet) {
        (Decision::Met, _) => MET,
        (Decision::Undetermined, _) => UNREAD,
        (Decision::Unmet, Some(code)) => code,
        (Decision::Unmet, None) if candidates.is_empty() => NO_STATEMENT,
        (Decision::Unmet, None) => "too-few-owners",
    }
}

const MET: &str = "met";
const NO_STATEMENT: &str = "no-statement";
/// The code of [`Reason::PairingLimit`](crate::verify::Reason::PairingLimit).
const PAIRING_LIMIT: &str = "pairing-limit";
const UNREAD: &str = "unread";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::Evidence;
    use crate::envelope::FoundAt;
    use crate::envelope::SignedDocument;
    use crate::envelope::Statement;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::oci::media_type;
    use crate::policy::Policy;
    use crate::policy::Quorum;
    use crate::policy::StatementKind;
    use crate::policy::Threshold;
    use crate::policy::UnmetCondition;
    use crate::predicate::IgnoredVulnerability;
    use crate::predicate::ImageProduct;
    use crate::time::Time;
    use crate::trust::TrustRoot;
    use crate::verify::Verifier;
    use crate::verify::candidate::Standing;
    use crate::verify::pool::Unread;
    use crate::verify::record::StatementRecord;
    use crate::verify::record::StatementResult;
    use std::collections::BTreeMap;

    /// A requirement, and the record of a statement that meets it.
    fn met() -> (Requirement, StatementRecord) {
        let subject = Digest::sha256(b"image");
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let signed = Requirement::new("signed", StatementKind::ImageSignature, quorum);
        let verifier = Verifier::new(trust, Policy::one(signed.clone()), Limits::DEFAULT).unwrap();
        let payload = Statement::image_signature(&subject, None, &BTreeMap::new()).unwrap();
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
        let mut evaluation = verifier.evaluation(subject, Time::EPOCH);
        evaluation.add(&Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new()));
        let record = StatementRecord::clone(&evaluation.records()[0]);
        (signed, record)
    }

    fn over(requirement: &Requirement, records: &[StatementRecord]) -> RequirementVerdict {
        let digest = Digest::sha256(b"image");
        let by = (Time::EPOCH, &Limits::DEFAULT);
        let image = ImageProduct { digests: &[digest], manifest: Some(digest), package_urls: &[] };
        let pool = RequirementPool::new((0, requirement), records.iter(), &image, Unread::default(), by);
        RequirementVerdict::over(requirement, &[(digest, pool)])
    }

    /// Of two manifests, one refused and one could-not-tell: the code says why it is refused, in either order.
    #[test]
    fn a_refusal_gives_the_code_whatever_else_was_not_read() {
        let (requirement, _) = met();
        let pool = |evidence| {
            let digest = Digest::sha256(b"platform");
            let image = ImageProduct { digests: &[digest], manifest: Some(digest), package_urls: &[] };
            let (unread, by) = (Unread { evidence, newer: false }, (Time::EPOCH, &Limits::DEFAULT));
            (digest, RequirementPool::new((0, &requirement), std::iter::empty(), &image, unread, by))
        };
        let judged = |unread: &[bool]| {
            let pools: Vec<_> = unread.iter().copied().map(pool).collect();
            let verdict = RequirementVerdict::over(&requirement, &pools);
            (verdict.decision, verdict.code)
        };
        assert_eq!(judged(&[true]), (Decision::Undetermined, "unread"));
        assert_eq!(judged(&[true, false]), (Decision::Unmet, "no-statement"));
        assert_eq!(judged(&[false, true]), (Decision::Unmet, "no-statement"));
    }

    /// Why unsigned statements do not count is told where no statement was found, and nowhere else.
    #[test]
    fn only_a_requirement_without_a_statement_names_another_reason() {
        let (requirement, record) = met();
        let named = |verdict: RequirementVerdict| {
            let (got, RequirementVerdict { code, .. }) = (verdict.got, verdict.naming(Some("index-not-signed")));
            (got, code)
        };
        assert_eq!(named(over(&requirement, &[record])), (1, "met"));
        assert_eq!(named(over(&requirement, &[])), (0, "index-not-signed"));
        assert_eq!(named(RequirementVerdict::impossible(&requirement, Impossible::NoIndex)), (0, "no-index"));
        assert_eq!(over(&requirement, &[]).naming(None).code, "no-statement");
    }

    /// A condition is the reason of a statement that decides; one that a newer one replaced has none.
    #[test]
    fn a_superseded_statement_has_no_reason_of_its_own() {
        let (_, record) = met();
        let unmet = StatementResult::Unmet(UnmetCondition::EmptySbom);
        let candidate = |standing| Candidate::of(&record, &unmet, standing);
        let (deciding, superseded) = (candidate(Standing::Deciding), candidate(Standing::Superseded));
        assert_eq!((deciding.code, deciding.reason), (Some("empty-sbom"), Some(UnmetCondition::EmptySbom)));
        assert_eq!((superseded.code, superseded.reason), (Some("superseded"), None));
    }

    /// What the operator ignores for one requirement is not ignored for another one.
    #[test]
    fn what_is_ignored_is_ignored_for_one_requirement() {
        let (_, record) = met();
        let ignored =
            |vulnerability: &str| IgnoredVulnerability { package: None, vulnerability: vulnerability.to_owned() };
        let record = StatementRecord { ignored: vec![(0, ignored("CVE-1")), (1, ignored("CVE-2"))], ..record };
        assert_eq!(
            [0, 1, 2].map(|position| record.ignored(position)),
            [vec![ignored("CVE-1")], vec![ignored("CVE-2")], vec![]]
        );
    }
}
