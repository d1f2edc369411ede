//! The statements that BuildKit keeps in an index, unsigned, beside the platforms: they count if the index is signed.
//!
//! The invariant: such a statement counts only for the platform that it names, which is a sibling of its manifest in the index
//! that was named, and only for an owner whose image signature of that very index is authenticated: its digest covers them.
//! The steps:
//!
//! 1. While statements about the index are discovered, keep for each requirement the image signatures that cover the index:
//!    of any owner, for the image name that must be signed.
//! 2. Read an unsigned statement strictly, and require that it is about the platform.
//! 3. Check the conditions as if each owner had signed it who signed the index, and keep a record for each of them. It is as
//!    old as it says itself, or as a trusted time of the signature of the index proves it to be.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::FoundAt;
use crate::envelope::UnsignedStatement;
use crate::policy::CountedStatements;
use crate::policy::PredicateView;
use crate::policy::Requirement;
use crate::policy::StatementFacts;
use crate::policy::StatementKind;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::predicate::ImageProduct;
use crate::predicate::PredicateError;
use crate::trust::Owner;
use crate::verify::AcceptedSignature;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::certificate_claims::SignerClaims;
use crate::verify::evaluation::Predicates;
use crate::verify::image_part::ImagePart;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;

/// An unsigned statement, read once.
struct ReadStatement<'s> {
    /// It may be about the platform, and may be not.
    doubt: Option<UnmetCondition>,
    kind: StatementKind,
    predicate: &'s [u8],
    view: Result<PredicateView, PredicateError>,
}

impl<'a> Evaluation<'a> {
    /// Whether unsigned statements in the index could still count for a requirement about this platform, if the index is
    /// signed.
    pub(crate) fn wants_unsigned(&self) -> bool {
        self.open_in_index().any(|(position, requirement)| self.decide(position, requirement).missing > 0)
    }

    /// Whether signed statements about this subject could count, or cover unsigned ones: else none is looked for.
    pub(crate) fn reads_signed(&self) -> bool {
        let reads = |requirement: &Requirement| requirement.counts_signed() || requirement.vex().is_some();
        self.is_index() || self.open_requirements().any(|(_, requirement)| reads(requirement))
    }

    /// Whether an unsigned statement with this predicate type could count. Without a type it could.
    pub(crate) fn reads_unsigned(&self, claimed: Option<&str>) -> bool {
        let kind = claimed.map(StatementKind::of_predicate);
        let reads = |requirement: &Requirement| kind.as_ref().is_none_or(|kind| requirement.kinds().contains(kind));
        self.open_in_index().any(|(_, requirement)| reads(requirement))
    }

    /// Whether an owner signed the index around this platform, so that unsigned statements in it may count.
    pub(crate) fn is_index_signed(&self) -> bool {
        self.open_in_index().any(|(position, _)| self.covering().any(|record| record.covers(position)))
    }

    /// Adds the unsigned statement `statement` of the attestation manifest `manifest`, which the index lists and which names
    /// this platform: it counts for the owners who signed the index, or a finding says why not.
    pub(crate) fn add_unsigned(&mut self, manifest: Digest, statement: &[u8]) {
        let reasons = match self.read_unsigned(manifest, statement) {
            Ok(records) => {
                let mut reasons: Vec<Reason> = Vec::new();
                for reason in records.iter().filter_map(StatementRecord::unmet_reason) {
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
                self.add_records(records);
                reasons
            }
            Err(reason) => vec![reason],
        };
        let finding = |reason| Finding { digest: Some(manifest), place: FoundAt::Index, reason };
        reasons.into_iter().for_each(|reason| self.add_finding(finding(reason)));
    }

    /// Steps 2 and 3.
    fn read_unsigned(&self, manifest: Digest, statement: &[u8]) -> Result<Vec<StatementRecord>, Reason> {
        let limits = self.context.limits;
        let statement = UnsignedStatement::parse(statement, limits).map_err(Reason::Envelope)?;
        let kind = StatementKind::of_predicate(statement.predicate_type());
        let mut reading: Vec<_> =
            self.open_in_index().filter(|(_, requirement)| requirement.kinds().contains(&kind)).collect();
        let Some((_, first)) = self.open_in_index().next() else { return Ok(Vec::new()) };
        if reading.is_empty() {
            return Err(Reason::WrongKind { got: kind, want: first.kinds().clone() });
        }
        let doubt = match statement.is_about(&self.subject) {
            true => None,
            false => {
                // Where any statement counts, one that may be about another image changes nothing.
                reading.retain(|(_, requirement)| requirement.counted() == CountedStatements::Newest);
                let signs = statement.shown_subjects();
                if reading.is_empty() || !statement.may_be_about(&self.subject) {
                    return Err(Reason::OtherSubject { signs });
                }
                Some(UnmetCondition::SubjectNotCompared { signs })
            }
        };
        let unreadable = |error| Reason::Envelope(EnvelopeError::Json { format: "in-toto statement", error });
        let predicate = statement.predicate().map_err(unreadable)?.get().as_bytes();
        let view = PredicateView::read(&kind, Some(predicate), limits);
        let read = ReadStatement { doubt, kind, predicate, view };
        let mut records: BTreeMap<_, StatementRecord> = BTreeMap::new();
        for covering in self.covering() {
            let signer = &covering.signature.signer;
            let covered: Vec<_> = reading.iter().filter(|(position, _)| covering.covers(*position)).copied().collect();
            let positions: Vec<_> = covered.iter().map(|(position, _)| *position).collect();
            // Of the signatures by one signer, which may prove different times, one that meets a requirement is enough.
            let by = (signer.owner(), signer.credential(), positions);
            let is_met = records.get(&by).is_some_and(|known| !known.signature.requirements.is_empty());
            if covered.is_empty() || is_met {
                continue;
            }
            let record = self.unsigned_record(&read, manifest, covering, &covered);
            if !record.signature.requirements.is_empty() || !records.contains_key(&by) {
                records.insert(by, record);
            }
        }
        match records.is_empty() {
            true => Err(Reason::IndexNotSigned),
            false => Ok(records.into_values().collect()),
        }
    }

    /// Step 3 for one owner.
    fn unsigned_record(
        &self,
        read: &ReadStatement<'_>,
        manifest: Digest,
        covering: &StatementRecord,
        covered: &[(usize, &Requirement)],
    ) -> StatementRecord {
        let signature = &covering.signature;
        let signer = &signature.signer;
        let stated = read.view.as_ref().map_or(None, PredicateView::time);
        let time = StatementTime::of_document(stated).with_upper_bound(signer.signed_no_later_than());
        let claims = SignerClaims::of(Some(signer));
        let annotations = Default::default();
        let result = |requirement: &Requirement| match (&read.doubt, &read.view) {
            (Some(doubt), _) => StatementResult::of(Err(doubt.clone())),
            (None, Err(error)) => StatementResult::of(Err(UnmetCondition::Predicate(error.clone()))),
            (None, Ok(view)) => StatementResult::of(requirement.check(&StatementFacts {
                annotations: &annotations,
                claims: claims.claims(),
                config: self.config.as_ref(),
                limits: self.context.limits,
                now: self.time.current(),
                owner: Some(signer.owner()),
                predicate: Some(read.predicate),
                reference: signature.reference.as_deref(),
                signed_index: requirement.signed_index(),
                subject: &self.subject,
                time,
                view,
            })),
        };
        let results: Vec<_> = covered.iter().map(|(position, requirement)| (*position, result(requirement))).collect();
        let met = covered.iter().zip(&results).filter(|(_, (_, result))| *result == StatementResult::Met);
        let requirements = met.map(|((_, requirement), _)| requirement.id().clone()).collect();
        let keep = self.context.predicates == Predicates::Kept;
        let signature = AcceptedSignature {
            annotations,
            evidence: signature.evidence.of_index(manifest),
            kind: read.kind.clone(),
            predicate: keep.then(|| read.predicate.to_vec().into()),
            reference: signature.reference.clone(),
            requirements,
            signer: signer.clone(),
        };
        let index = self.part().and_then(ImagePart::index);
        StatementRecord { index, ..StatementRecord::alone(self.subject, signature, results, time) }
    }

    /// The open requirements for which unsigned statements in an index count, with their positions in the policy.
    fn open_in_index(&self) -> impl Iterator<Item = (usize, &'a Requirement)> {
        self.open_requirements().filter(|(_, requirement)| requirement.signed_index().is_some())
    }

    /// The signatures of the index around this platform that cover it.
    fn covering(&self) -> impl Iterator<Item = &StatementRecord> {
        let around = self.part().map(ImagePart::around).unwrap_or_default();
        around.iter().map(AsRef::as_ref).filter(|record| !record.covering.is_empty())
    }

    /// Step 1: what an image signature of this index by `owner` does for each requirement that counts unsigned statements in it,
    /// by the position of the requirement; nothing for another owner or kind of statement, or about something else than an
    /// index.
    pub(super) fn covering_results(
        &self,
        kind: &StatementKind,
        reference: Option<&str>,
        owner: &Owner,
    ) -> Vec<(usize, StatementResult)> {
        if !self.is_index() {
            return Vec::new();
        }
        let requirements = self.context.policy.requirements();
        let is_covered = |requirement: &Requirement| {
            requirement.is_covered_by(kind) && requirement.quorum().owners().contains(owner)
        };
        let covered = requirements.iter().enumerate().filter(|(_, requirement)| is_covered(requirement));
        let result = |requirement: &Requirement| StatementResult::of(requirement.check_signed_name(reference));
        covered.map(|(position, requirement)| (position, result(requirement))).collect()
    }

    /// Whether this is the index of an image: its signatures may cover unsigned statements in it.
    pub(super) fn is_index(&self) -> bool {
        self.part().is_some_and(ImagePart::is_index)
    }

    /// The image with the manifests `digests`, the subject first, that VEX statements are looked up for. A subject that is judged
    /// alone may be an index, whose digest stands for all of its platforms.
    pub(super) fn product<'d>(&self, digests: &'d [Digest]) -> ImageProduct<'d> {
        let manifest = self.part().filter(|part| !part.is_index()).map(|_| self.subject);
        ImageProduct { digests, manifest, package_urls: &[] }
    }

    /// Whether statements of `kind` could count for `requirement`: by themselves, or since they cover others.
    pub(super) fn reads_for(&self, requirement: &Requirement, kind: &StatementKind) -> bool {
        requirement.reads(kind) || self.is_index() && requirement.is_covered_by(kind)
    }

    /// Whether every owner of a requirement signed this index, so that no more signatures could cover it. Never for another
    /// manifest, or a requirement that counts no unsigned statements: `covering_results` finds nothing there.
    pub(super) fn is_covered(&self, position: usize, requirement: &Requirement) -> bool {
        requirement.quorum().owners().iter().all(|owner| {
            let records = &mut self.records().iter();
            records.any(|record| record.covers(position) && record.signature.signer.owner() == owner)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::Evidence;
    use crate::envelope::FormStatements;
    use crate::envelope::SignedDocument;
    use crate::envelope::Statement;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::nonempty::NonEmpty;
    use crate::oci::media_type;
    use crate::policy::About;
    use crate::policy::Condition;
    use crate::policy::Decision;
    use crate::policy::Policy;
    use crate::policy::Quorum;
    use crate::policy::Rule;
    use crate::policy::ScanRule;
    use crate::policy::SignedAttestations;
    use crate::policy::SignedIndexRule;
    use crate::policy::Threshold;
    use crate::predicate::FindingRule;
    use crate::predicate::FindingsCounted;
    use crate::time::Time;
    use crate::trust::TrustRoot;
    use crate::verify::Verifier;
    use serde_json::json;
    use serde_json::value::RawValue;
    use std::collections::BTreeSet;
    use std::slice;

    const BUILD: &str = "https://example.com/build/v1";
    const OTHER: &str = "https://example.com/other/v1";

    /// Two owners with a key each, an index, and a platform in it.
    struct Scene {
        index: Digest,
        keys: [PrivateKey; 2],
        platform: Digest,
        trust: TrustRoot,
    }

    fn owner(number: usize) -> Owner {
        Owner::Named(format!("owner {number}"))
    }

    fn attestation(predicate_type: &str) -> StatementKind {
        StatementKind::Attestation { predicate_type: predicate_type.to_owned() }
    }

    impl Scene {
        fn new() -> Self {
            let keys = [0, 1].map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap());
            let owned = keys.iter().enumerate().map(|(number, key)| (owner(number), key.public_key().clone()));
            let trust = TrustRoot::owned(owned).unwrap();
            Self { index: Digest::sha256(b"index"), keys, platform: Digest::sha256(b"platform"), trust }
        }

        /// A statement of one of these owners.
        fn signed(&self, kind: StatementKind, by: &[usize]) -> Requirement {
            let owners = by.iter().copied().map(owner).collect();
            let id = format!("{kind} {by:?}");
            Requirement::new(id, kind, Quorum::among(&self.trust, owners, Threshold::ONE).unwrap())
        }

        /// A statement in an index that one of these owners signed.
        fn in_index(&self, predicate_type: &str, by: &[usize], signed: SignedAttestations) -> Requirement {
            let rule = SignedIndexRule::new(by.iter().copied().map(owner).collect(), signed);
            self.signed(attestation(predicate_type), by).with_signed_index(rule)
        }

        fn verifier(&self, requirements: &[Requirement]) -> Verifier {
            let rules = NonEmpty::collect(requirements.iter().cloned().map(Rule::One)).unwrap();
            Verifier::new(self.trust.clone(), Policy::new(Rule::All(rules)).unwrap(), Limits::DEFAULT).unwrap()
        }

        fn evidence(&self, key: usize, payload: &[u8]) -> Evidence {
            let envelope = Envelope::sign(media_type::IN_TOTO, payload, &self.keys[key]).unwrap();
            Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
        }

        fn signature(&self, key: usize, about: &Digest) -> Evidence {
            self.evidence(key, &Statement::image_signature(about, None, &BTreeMap::new()).unwrap())
        }

        fn attested(&self, key: usize, about: &Digest, predicate_type: &str) -> Evidence {
            let predicate = RawValue::from_string("{}".to_owned()).unwrap();
            self.evidence(key, &Statement::attestation(about, None, predicate_type, &predicate).unwrap())
        }

        /// The evaluation of the index with this evidence.
        fn of_index<'v>(&self, verifier: &'v Verifier, evidence: &[Evidence]) -> Evaluation<'v> {
            let open = vec![None; verifier.policy().requirements().count()];
            let part = ImagePart::new(open).of_image_index();
            let mut evaluation = verifier.evaluation(self.index, Time::EPOCH).within(part);
            evidence.iter().for_each(|evidence| evaluation.add(evidence));
            evaluation
        }

        /// The evaluation of the platform, where this was found about the index.
        fn of_platform<'v>(&self, verifier: &'v Verifier, index: Evaluation<'_>) -> Evaluation<'v> {
            let open = vec![None; verifier.policy().requirements().count()];
            let part = ImagePart::new(open).of_index(&index.into_evidence());
            verifier.evaluation(self.platform, Time::EPOCH).within(part)
        }

        /// The platform with the unsigned statements of this type about the image with this digest.
        fn stated<'v>(
            &self,
            verifier: &'v Verifier,
            index: &[Evidence],
            stated: &[(&str, &str, &str)],
        ) -> Evaluation<'v> {
            let mut platform = self.of_platform(verifier, self.of_index(verifier, index));
            for (predicate_type, algorithm, hex) in stated {
                let subject = json!([{"name": "image", "digest": {*algorithm: hex}}]);
                let statement = json!({
                    "_type": "https://in-toto.io/Statement/v1",
                    "subject": subject,
                    "predicateType": predicate_type,
                    "predicate": {},
                });
                platform.add_unsigned(Digest::sha256(b"manifest"), statement.to_string().as_bytes());
            }
            platform
        }
    }

    fn codes(evaluation: &Evaluation<'_>) -> Vec<&'static str> {
        evaluation.findings.iter().map(|finding| finding.reason.code()).collect()
    }

    /// Image signatures of the index are wanted until every owner who may sign it did; nothing else is where signed
    /// attestations do not count.
    #[test]
    fn signatures_of_the_index_are_wanted_until_no_more_could_cover_it() {
        let scene = Scene::new();
        let verifier = scene.verifier(&[scene.in_index(BUILD, &[0, 1], SignedAttestations::DoNotCount)]);
        let signature = |key| scene.signature(key, &scene.index);
        let wants = |evaluation: &Evaluation<'_>| {
            let forms = [FormStatements::ImageSignatures, FormStatements::Attestations];
            let kinds = [StatementKind::ImageSignature, attestation(BUILD)];
            (
                kinds.map(|kind| evaluation.wants(&kind)),
                forms.map(|form| evaluation.wants_form(form)),
                forms.map(|form| evaluation.reads_form(form)),
            )
        };
        let signatures = [true, false];
        let one = scene.of_index(&verifier, &[signature(0)]);
        assert_eq!(wants(&scene.of_index(&verifier, &[])), (signatures, signatures, signatures));
        assert_eq!(wants(&one), (signatures, signatures, signatures));
        let both = scene.of_index(&verifier, &[signature(0), signature(1)]);
        assert_eq!(wants(&both), ([false; 2], [false; 2], signatures));
        assert_eq!(wants(&scene.of_platform(&verifier, one)), ([false; 2], [false; 2], [false; 2]));
        let alone = scene.verifier(&[scene.in_index(BUILD, &[0], SignedAttestations::DoNotCount)]);
        assert_eq!(wants(&scene.of_index(&alone, &[signature(0)])), ([false; 2], [false; 2], signatures));
    }

    /// What a requirement wants, and how many owners are missing, without an index.
    #[test]
    fn statements_are_wanted_until_enough_owners_signed() {
        let scene = Scene::new();
        let about = |requirement: Requirement| requirement.with_about(About::Named);
        let verifier = scene.verifier(&[
            about(scene.signed(StatementKind::ImageSignature, &[0])),
            about(scene.signed(attestation(BUILD), &[0])),
            about(scene.signed(attestation(OTHER), &[0])).newest_only(),
        ]);
        let mut evaluation = verifier.evaluation(scene.index, Time::EPOCH);
        assert!(evaluation.reads_attestations() && evaluation.wants_form(FormStatements::ImageSignatures));
        evaluation.add(&scene.signature(0, &scene.index));
        assert_eq!(evaluation.missing(), 1);
        assert!(!evaluation.wants(&StatementKind::ImageSignature) && evaluation.wants(&attestation(BUILD)));
        assert!(!evaluation.wants_form(FormStatements::ImageSignatures));
        assert!(evaluation.wants_form(FormStatements::Attestations));
        assert!(!evaluation.records()[0].is_carried && !evaluation.records()[0].is_covering());
        // Of two requirements for which the newest counts one is enough: an import carries what either may need.
        evaluation.add(&scene.attested(0, &scene.index, OTHER));
        assert!(evaluation.records()[1].is_carried);
        assert!(evaluation.records()[1].signature.predicate.is_none());
        assert!(evaluation.needs_newest() && !evaluation.needs_config() && !evaluation.is_index());
    }

    /// After every requirement is met, discovery still reads the kinds whose newest statement counts, and no other kind.
    #[test]
    fn newer_statements_are_wanted_where_the_newest_counts() {
        const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";
        let scene = Scene::new();
        let built = scene.signed(attestation(BUILD), &[0]).with_about(About::Named);
        let tested = scene.signed(attestation(TEST), &[0]).with_about(About::Named).newest_only();
        let verifier = scene.verifier(&[scene.signed(StatementKind::ImageSignature, &[0]), built, tested]);
        let predicate = json!({"result": "PASSED", "configuration": [], "timestamp": "2026-11-01T00:00:00Z"});
        let predicate = RawValue::from_string(predicate.to_string()).unwrap();
        let tested = Statement::attestation(&scene.index, None, TEST, &predicate).unwrap();
        let mut evaluation = verifier.evaluation(scene.index, Time::parse("2026-11-20T00:00:00Z").unwrap());
        for evidence in
            [scene.signature(0, &scene.index), scene.attested(0, &scene.index, BUILD), scene.evidence(0, &tested)]
        {
            evaluation.add(&evidence);
        }
        assert!(evaluation.is_met());
        let kinds = [StatementKind::ImageSignature, attestation(BUILD), attestation(TEST)];
        assert_eq!(kinds.map(|kind| evaluation.wants(&kind)), [false, false, true]);
        let forms = [FormStatements::ImageSignatures, FormStatements::Attestations];
        assert_eq!(forms.map(|form| evaluation.wants_form(form)), [false, true]);
    }

    /// Each of several requirements reads what it needs, whatever the others do; one that is decided elsewhere reads nothing.
    #[test]
    fn what_one_of_several_requirements_reads_is_read() {
        let scene = Scene::new();
        let signed = scene.signed(StatementKind::ImageSignature, &[0]);
        let built = scene.signed(attestation(BUILD), &[0]);
        let two_owners = BTreeSet::from([owner(0), owner(1)]);
        let by_two = Quorum::among(&scene.trust, two_owners, Threshold::new(2).unwrap()).unwrap();
        let other = Requirement::new("by two", attestation(OTHER), by_two);
        let forms = [FormStatements::ImageSignatures, FormStatements::Attestations];
        let kinds = [StatementKind::ImageSignature, attestation(BUILD), attestation(OTHER)];
        let reads = |requirements: &[Requirement]| {
            let verifier = scene.verifier(requirements);
            let evaluation = verifier.evaluation(scene.index, Time::EPOCH);
            (
                kinds.clone().map(|kind| evaluation.reads(&kind)),
                forms.map(|form| evaluation.reads_form(form)),
                evaluation.reads_attestations(),
                evaluation.missing(),
            )
        };
        assert_eq!(reads(slice::from_ref(&signed)), ([true, false, false], [true, false], false, 1));
        assert_eq!(reads(slice::from_ref(&built)), ([false, true, false], [false, true], true, 1));
        assert_eq!(reads(slice::from_ref(&other)), ([false, false, true], [false, true], true, 2));
        let all = [signed, built, other];
        assert_eq!(reads(&all), ([true; 3], [true; 2], true, 1));
        let verifier = scene.verifier(&all);
        let mut evaluation = verifier.evaluation(scene.index, Time::EPOCH);
        for evidence in [scene.signature(0, &scene.index), scene.attested(0, &scene.index, BUILD)] {
            evaluation.add(&evidence);
        }
        assert_eq!((evaluation.missing(), codes(&evaluation)), (2, Vec::new()));
        evaluation.add(&scene.attested(1, &scene.index, BUILD));
        assert_eq!(codes(&evaluation), ["owner-not-named"]);
        for key in [0, 1] {
            evaluation.add(&scene.attested(key, &scene.index, OTHER));
        }
        assert_eq!(evaluation.missing(), 0);
        let part = ImagePart::new(vec![Some(Decision::Met), Some(Decision::Unmet), None]);
        let evaluation = verifier.evaluation(scene.index, Time::EPOCH).within(part);
        assert_eq!(kinds.map(|kind| evaluation.reads(&kind)), [false, false, true]);
        // Scanners name images by their config.
        let findings = FindingRule { count: FindingsCounted::All, highest_allowed: None, ignored: Vec::new() };
        let scan = Condition::Scan(ScanRule { database_max_age: None, findings });
        let annotation = Condition::Annotation { key: "env".to_owned(), value: "a".to_owned() };
        let scanned = scene.signed(attestation(BUILD), &[0]).and(annotation).and(scan);
        let signed = scene.signed(StatementKind::ImageSignature, &[0]);
        let verifier = scene.verifier(&[signed, scanned]);
        assert!(verifier.evaluation(scene.index, Time::EPOCH).needs_config());
    }

    /// What is unread about the index matters for its platforms only to requirements that read it there.
    #[test]
    fn an_unread_list_of_the_index_matters_only_where_the_index_is_read() {
        let scene = Scene::new();
        let decision = |about| {
            let verifier = scene.verifier(&[scene.signed(StatementKind::ImageSignature, &[0]).with_about(about)]);
            let mut index = scene.of_index(&verifier, &[]);
            index.mark_list_unread();
            scene.of_platform(&verifier, index).conclude().unwrap_err().decision
        };
        assert_eq!(decision(About::Either), Decision::Undetermined);
        assert_eq!(decision(About::Platforms), Decision::Unmet);
    }

    /// Two requirements count unsigned statements in an index: each of them by itself.
    #[test]
    fn unsigned_statements_are_looked_for_where_one_requirement_counts_them() {
        let scene = Scene::new();
        let in_index =
            |kind, by: &[usize]| scene.in_index(kind, by, SignedAttestations::DoNotCount).with_about(About::Platforms);
        let verifier = scene.verifier(&[in_index(BUILD, &[0]), in_index(OTHER, &[1])]);
        let both = [0, 1].map(|key| scene.signature(key, &scene.index));
        let own = scene.platform.hex();
        let platform = scene.stated(&verifier, &both, &[(BUILD, "sha256", &own)]);
        assert!(platform.is_index_signed() && platform.wants_unsigned() && !platform.reads_signed());
        assert_eq!([BUILD, OTHER].map(|kind| platform.reads_unsigned(Some(kind))), [true; 2]);
        assert!(platform.reads_unsigned(None) && !platform.reads_unsigned(Some("https://example.com/third/v1")));
        let [record] = platform.records() else { panic!("{:?}", platform.records()) };
        assert_eq!((record.signature.signer.owner(), record.index), (&owner(0), Some(scene.index)));
        let one = scene.stated(&verifier, &both[..1], &[]);
        assert!(one.is_index_signed());
        let index = scene.of_index(&verifier, &both[..1]);
        assert!(index.wants(&StatementKind::ImageSignature) && index.reads_signed());
        // Signed statements are looked for where one of the requirements counts them; unsigned ones where none does are not.
        let signed = scene.signed(attestation(OTHER), &[0]);
        let mixed = scene.verifier(&[in_index(BUILD, &[0]), signed.clone()]);
        assert!(scene.stated(&mixed, &both, &[]).reads_signed());
        let plain = scene.verifier(&[signed]);
        let platform = scene.stated(&plain, &both, &[]);
        assert!(!platform.wants_unsigned() && !platform.reads_unsigned(None) && platform.reads_signed());
    }

    /// An index needs no more statements where only its signatures decide, and all of them are there.
    #[test]
    fn an_index_is_settled_once_no_statement_about_it_could_count() {
        let scene = Scene::new();
        let signature = [scene.signature(0, &scene.index)];
        let is_met = |requirements: &[Requirement], evidence: &[Evidence]| {
            scene.of_index(&scene.verifier(requirements), evidence).is_met()
        };
        let of = |signed, about| scene.in_index(BUILD, &[0], signed).with_about(about);
        let only = of(SignedAttestations::DoNotCount, About::Either);
        assert!(!is_met(slice::from_ref(&only), &[]) && is_met(slice::from_ref(&only), &signature));
        assert!(is_met(&[of(SignedAttestations::Count, About::Platforms)], &signature));
        assert!(!is_met(&[of(SignedAttestations::Count, About::Either)], &signature));
        // An attestation about the index does not count for its platforms.
        let attested = [scene.attested(0, &scene.index, BUILD)];
        assert!(!is_met(&[of(SignedAttestations::Count, About::Platforms)], &attested));
        let signed = scene.signed(StatementKind::ImageSignature, &[0]).with_about(About::Index);
        assert!(is_met(&[signed, only], &signature));
    }

    /// An unsigned statement counts for the owner who signed the index, by an image signature alone.
    #[test]
    fn an_unsigned_statement_counts_by_the_image_signature_of_an_owner_alone() {
        let scene = Scene::new();
        let own = scene.platform.hex();
        let statement = [(BUILD, "sha256", own.as_str())];
        let requirement = scene.in_index(BUILD, &[0], SignedAttestations::Count).with_about(About::Platforms);
        let verifier = scene.verifier(slice::from_ref(&requirement));
        let signature = [scene.signature(0, &scene.index)];
        let index = scene.of_index(&verifier, &signature);
        assert!(index.records()[0].is_covering());
        assert_eq!(index.records()[0].signature.requirements, [requirement.id().clone()]);
        assert!(scene.stated(&verifier, &signature, &[]).wants_unsigned());
        let stated = scene.stated(&verifier, &signature, &statement);
        assert!(stated.is_met() && !stated.wants_unsigned() && stated.is_index_signed());
        let record = &stated.records()[0];
        assert_eq!(record.signature.requirements, [requirement.id().clone()]);
        assert_eq!((record.signature.predicate.is_some(), codes(&stated)), (false, Vec::new()));
        let keeping = verifier.clone().with_predicates();
        assert!(scene.stated(&keeping, &signature, &statement).records()[0].signature.predicate.is_some());
        for other in [scene.signature(1, &scene.index), scene.attested(0, &scene.index, BUILD)] {
            let stated = scene.stated(&verifier, &[other], &statement);
            assert!(!stated.is_met() && !stated.is_index_signed());
            assert_eq!(codes(&stated), ["index-not-signed"]);
        }
        // Another requirement is covered, not this one.
        let by_other = scene.in_index(OTHER, &[1], SignedAttestations::Count).with_about(About::Platforms);
        let two = scene.verifier(&[requirement, by_other]);
        let stated = scene.stated(&two, &[scene.signature(1, &scene.index)], &statement);
        assert_eq!((codes(&stated), stated.records().len()), (vec!["index-not-signed"], 0));
    }

    /// A statement about another image counts for nothing. One that may be about this image has a say only where the newest
    /// statement decides.
    #[test]
    fn an_unsigned_statement_is_about_the_platform() {
        let scene = Scene::new();
        let requirement = scene.in_index(BUILD, &[0], SignedAttestations::Count).with_about(About::Platforms);
        let signature = [scene.signature(0, &scene.index)];
        let (other, unknown) = (Digest::sha256(b"another image").hex(), "0".repeat(128));
        for (newest, algorithm, hex, code) in [
            (false, "sha256", &other, "other-subject"),
            (false, "sha512", &unknown, "other-subject"),
            (true, "sha256", &other, "other-subject"),
            (true, "sha512", &unknown, "subject-not-compared"),
        ] {
            let requirement = if newest { requirement.clone().newest_only() } else { requirement.clone() };
            let verifier = scene.verifier(&[requirement]);
            let stated = scene.stated(&verifier, &signature, &[(BUILD, algorithm, hex)]);
            assert_eq!((codes(&stated), stated.is_met()), (vec![code], false), "{newest} {algorithm}");
        }
    }

    /// A statement of no kind that counts is told as such, also about an index.
    #[test]
    fn only_signatures_cover_an_index() {
        let scene = Scene::new();
        let verifier = scene.verifier(&[scene.in_index(BUILD, &[0], SignedAttestations::Count)]);
        let index = scene.of_index(&verifier, &[scene.attested(0, &scene.index, OTHER)]);
        assert_eq!(codes(&index), ["wrong-kind"]);
        let mut platform = scene.of_platform(&verifier, index);
        platform.add(&scene.signature(0, &scene.platform));
        assert_eq!(codes(&platform), ["wrong-kind"]);
    }

    /// What was not read about the index may cover what is in it.
    #[test]
    fn an_unread_signature_of_the_index_is_could_not_tell_for_its_platforms() {
        let scene = Scene::new();
        let requirement = scene.in_index(BUILD, &[0], SignedAttestations::Count).with_about(About::Platforms);
        let verifier = scene.verifier(&[requirement]);
        let mut index = scene.of_index(&verifier, &[]);
        index.mark_list_unread();
        let decision = |index| scene.of_platform(&verifier, index).conclude().unwrap_err().decision;
        assert_eq!(decision(index), Decision::Undetermined);
        assert_eq!(decision(scene.of_index(&verifier, &[])), Decision::Unmet);
    }
}
