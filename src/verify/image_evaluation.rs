//! `ImageEvaluation`: evaluates a policy over an image: an index and the manifests of its platforms, or one manifest.
//!
//! The invariant: an image is accepted only if the rule of the policy is met, where each requirement is met for every
//! manifest that it is about, and for at least one. A statement counts only for the manifest that it names; it counts for a
//! platform of the index that it names only where the requirement says so ([`About::Either`]). What was not read is never
//! taken for absent.

use std::collections::BTreeSet;
use std::ptr;
use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::Platform;
use crate::oci::media_type;
use crate::policy::About;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::predicate::ImageProduct;
use crate::time::Time;
use crate::verify::AcceptedImage;
use crate::verify::AcceptedPart;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::ImageRefusal;
use crate::verify::RequirementVerdict;
use crate::verify::SharedFindings;
use crate::verify::Verifier;
use crate::verify::image_part::ImagePart;
use crate::verify::image_part::SubjectEvidence;
use crate::verify::pool::RequirementPool;
use crate::verify::pool::Unread;
use crate::verify::record::StatementRecord;
use crate::verify::requirement_verdict::Impossible;

/// The kind of the manifest that a reference resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageRoot {
    /// An index, whose platforms are manifests of their own.
    Index,
    /// One manifest, the only platform of the image. It never borrows statements from an index that lists it.
    Manifest,
}

/// The evaluation of a policy over one image, to which what was found about each of its manifests is added.
#[derive(Debug)]
pub(crate) struct ImageEvaluation<'a> {
    chosen: Option<Digest>,
    /// The accepted documents that are kept, and their size in bytes.
    documents: BTreeSet<Digest>,
    evidence_bytes: u64,
    now: Time,
    platforms: Vec<(Option<Platform>, SubjectEvidence)>,
    root: SubjectEvidence,
    root_kind: ImageRoot,
    shared: SharedFindings,
    /// Whether platforms may be missing, since an index could not be read.
    unread_platforms: bool,
    verifier: &'a Verifier,
}

impl<'a> ImageEvaluation<'a> {
    pub(super) fn begin(verifier: &'a Verifier, root: Digest, root_kind: ImageRoot, now: Time) -> Self {
        let root = SubjectEvidence::nothing(root, Unread::default());
        let (platforms, shared) = (Vec::new(), SharedFindings::default());
        let (documents, unread_platforms) = (BTreeSet::new(), false);
        Self {
            chosen: None,
            documents,
            evidence_bytes: 0,
            now,
            platforms,
            root,
            root_kind,
            shared,
            unread_platforms,
            verifier,
        }
    }

    /// The evaluation of the statements about the root; `None` if no requirement reads any. `verifier` is that of the
    /// image, perhaps with more revocation evidence: also `None` for one with another policy or trust root.
    pub(crate) fn begin_root<'v>(&self, verifier: &'v Verifier) -> Option<Evaluation<'v>> {
        let elsewhere = |requirement: &Requirement| match (self.root_kind, requirement.about()) {
            // Signatures of the index cover unsigned statements in it, whatever these are about.
            (ImageRoot::Index, about) => !about.reads_index() && requirement.signed_index().is_none(),
            (ImageRoot::Manifest, about) => matches!(about, About::Both | About::Index) || !requirement.counts_signed(),
        };
        let requirements = self.verifier.policy().requirements();
        let decided: Vec<_> =
            requirements.iter().map(|requirement| elsewhere(requirement).then_some(Decision::Unmet)).collect();
        let part = match self.root_kind {
            ImageRoot::Index => ImagePart::new(decided).of_image_index(),
            ImageRoot::Manifest => ImagePart::new(decided),
        };
        (part.is_open() && self.is_same(verifier)).then(|| verifier.evaluation(self.root.digest, self.now).within(part))
    }

    /// Adds what was found about the root. An evaluation of something else counts as unread evidence.
    pub(crate) fn add_root(&mut self, evaluation: Evaluation<'_>) {
        self.root = self.evidence(self.root.digest, evaluation);
    }

    /// The evaluation of the statements about the manifest of a platform; `None` if they cannot change the decision: every
    /// requirement that reads them is met by statements about the index, and no newer one could change that.
    pub(crate) fn begin_platform<'v>(&self, verifier: &'v Verifier, manifest: Digest) -> Option<Evaluation<'v>> {
        let requirements = self.verifier.policy().requirements();
        let decided = |(position, requirement): (usize, &Requirement)| match requirement.about() {
            About::Index | About::Named => Some(self.pool(position, requirement, &[&self.root]).decide().decision),
            About::Both | About::Either | About::Platforms => None,
        };
        let decided: Vec<_> =
            requirements.iter().enumerate().map(|(at, requirement)| decided((at, requirement))).collect();
        let part = ImagePart::new(decided).of_index(&self.root);
        if !part.is_open() || !self.is_same(verifier) {
            return None;
        }
        let evaluation = verifier.evaluation(manifest, self.now).within(part);
        (!evaluation.is_met() || evaluation.needs_newest()).then_some(evaluation)
    }

    /// Adds the manifest of a platform, and what was found about it; nothing, if nothing was looked for.
    pub(crate) fn add_platform(&mut self, platform: Option<Platform>, manifest: Digest, found: Option<Evaluation<'_>>) {
        let evidence = match found {
            Some(evaluation) => self.evidence(manifest, evaluation),
            None => SubjectEvidence::nothing(manifest, Unread::default()),
        };
        self.platforms.push((platform, evidence));
    }

    /// Narrows the image to the platform with this manifest, which is the only one that is added.
    pub(crate) const fn choose(&mut self, manifest: Digest) {
        self.chosen = Some(manifest);
    }

    /// Whether the root is signed, in every case in which the policy is met: it is not met without a requirement of an image
    /// signature that is met by what was found about the root alone. A signature that the verdict may do without, in one
    /// branch of `any`, vouches for nothing.
    pub(crate) fn has_signed_root(&self) -> bool {
        let policy = self.verifier.policy();
        let requirements = policy.requirements();
        let signs = |(position, requirement): (usize, &Requirement)| {
            requirement.about().reads_index()
                && requirement.counts(&StatementKind::ImageSignature)
                && self.pool(position, requirement, &[&self.root]).decide().decision == Decision::Met
        };
        // The rule and the list refer to the same requirements.
        let is_signed = |wanted: &Requirement| {
            let found = requirements.iter().enumerate().find(|(_, one)| ptr::eq(**one, wanted));
            found.is_some_and(|(position, requirement)| signs((position, *requirement)))
        };
        policy.rule().needs(&is_signed)
    }

    /// The size of the accepted documents that are kept, in bytes, where equal ones count once.
    pub(crate) const fn evidence_bytes(&self) -> u64 {
        self.evidence_bytes
    }

    /// Records that platforms may be missing, since an index in the image could not be read. From then on no requirement
    /// about platforms is met.
    pub(crate) const fn mark_platforms_unread(&mut self) {
        self.unread_platforms = true;
    }

    /// Whether statements about the manifests of platforms may count.
    pub(crate) fn reads_platforms(&self) -> bool {
        self.verifier.policy().requirements().iter().any(|requirement| requirement.about().reads_platforms())
    }

    /// Whether unsigned statements in the index may count for its platforms, if it is signed.
    pub(crate) fn reads_unsigned(&self) -> bool {
        let counts =
            |requirement: &Requirement| requirement.signed_index().is_some() && requirement.about().reads_platforms();
        self.root_kind == ImageRoot::Index && self.verifier.policy().requirements().iter().any(|one| counts(one))
    }

    /// The findings so far, in bytes and in number: callers limit them.
    pub(crate) const fn findings(&self) -> &SharedFindings {
        &self.shared
    }

    /// Ends the evaluation.
    ///
    /// # Errors
    /// [`ImageRefusal`] if the policy is not met; its decision says whether that is a no or could-not-tell.
    pub(crate) fn conclude(self) -> Result<AcceptedImage, ImageRefusal> {
        let requirements = self.verifier.policy().requirements();
        let mut counted = BTreeSet::new();
        let verdicts: Vec<_> = requirements
            .iter()
            .enumerate()
            .map(|(at, requirement)| self.verdict(at, requirement, &mut counted))
            .collect();
        // The rule and the list refer to the same requirements.
        let of = |requirement: &Requirement| {
            let verdict = requirements.iter().zip(&verdicts).find(|(one, _)| ptr::eq(**one, requirement));
            verdict.map_or(Decision::Unmet, |(_, verdict)| verdict.decision)
        };
        let decision = self.verifier.policy().rule().decide(&of);
        let root = self.root.digest;
        let parts = std::iter::once((None, self.root)).chain(self.platforms);
        let mut findings = Vec::new();
        let mut accepted = Vec::new();
        for (platform, evidence) in parts {
            findings.extend(evidence.findings.into_iter().map(|finding| (evidence.digest, finding)));
            let digest = evidence.digest;
            let counts =
                |record: &&Arc<StatementRecord>| counted.contains(&Arc::as_ptr(record)) || record.is_covering();
            let (signatures, others): (Vec<_>, Vec<_>) = evidence.records.iter().partition(counts);
            let not_counted = others.into_iter().filter(|record| record.is_carried);
            accepted.push(AcceptedPart {
                accepted: signatures.into_iter().map(|record| record.signature.clone()).collect(),
                digest,
                not_counted: not_counted.map(|record| record.signature.clone()).collect(),
                platform,
            });
        }
        match decision {
            Decision::Met => {
                let image = (root, self.chosen, accepted);
                Ok(AcceptedImage::proven(self.verifier, image, verdicts, findings, self.now))
            }
            Decision::Undetermined | Decision::Unmet => {
                if verdicts.iter().any(RequirementVerdict::is_at_limit) {
                    findings.push((root, Arc::new(Finding::pairing_limit(self.verifier.limits()))));
                }
                Err(ImageRefusal { decision, findings, parts: accepted, requirements: verdicts, root })
            }
        }
    }

    /// Ends the evaluation as a refusal, even if the policy is met: then as could-not-tell.
    pub(crate) fn refuse(self) -> ImageRefusal {
        let root = self.root.digest;
        match self.conclude() {
            Err(refusal) => ImageRefusal { decision: Decision::Undetermined, ..refusal },
            Ok(accepted) => {
                let (requirements, findings) = (accepted.requirements().to_vec(), accepted.findings().to_vec());
                let parts = accepted.parts().to_vec();
                ImageRefusal { decision: Decision::Undetermined, findings, parts, requirements, root }
            }
        }
    }

    /// Whether `verifier` evaluates the same policy with the same trust root: records name requirements by position.
    fn is_same(&self, verifier: &Verifier) -> bool {
        (verifier.policy().id(), verifier.trust().version(), verifier.expiry_at())
            == (self.verifier.policy().id(), self.verifier.trust().version(), self.verifier.expiry_at())
    }

    /// What an evaluation found about `manifest`.
    fn evidence(&mut self, manifest: Digest, evaluation: Evaluation<'_>) -> SubjectEvidence {
        let by = (self.verifier.policy().id(), self.verifier.trust().version());
        let same = evaluation.is_of(manifest, by, self.now);
        let evidence = evaluation.into_evidence();
        for content in evidence.records.iter().flat_map(|record| record.signature.evidence.contents()) {
            if self.documents.insert(*content.digest()) {
                self.evidence_bytes = self.evidence_bytes.saturating_add(content.descriptor().size);
            }
        }
        match evidence {
            evidence if same => SubjectEvidence { findings: self.shared.share(evidence.findings), ..evidence },
            _ => SubjectEvidence::nothing(manifest, Unread { evidence: true, newer: true }),
        }
    }

    /// The verdict on one requirement: for each manifest that it is about, at least one. Adds the statements that count to
    /// `counted`.
    fn verdict(
        &self,
        position: usize,
        requirement: &Requirement,
        counted: &mut BTreeSet<*const StatementRecord>,
    ) -> RequirementVerdict {
        let root = &self.root;
        let mut pools = Vec::new();
        match (self.root_kind, requirement.about()) {
            (ImageRoot::Manifest, About::Both | About::Index) => {
                return RequirementVerdict::impossible(requirement, Impossible::NoIndex);
            }
            (ImageRoot::Manifest, About::Either | About::Named | About::Platforms) if !requirement.counts_signed() => {
                return RequirementVerdict::impossible(requirement, Impossible::NoIndex);
            }
            (ImageRoot::Manifest, About::Either | About::Named | About::Platforms)
            | (ImageRoot::Index, About::Both | About::Index | About::Named) => {
                pools.push((root.digest, self.pool(position, requirement, &[root])));
            }
            (ImageRoot::Index, About::Either | About::Platforms) => {}
        }
        let about_platforms = self.root_kind == ImageRoot::Index && requirement.about().reads_platforms();
        if about_platforms {
            let around = (requirement.about() == About::Either).then_some(root);
            let platforms = self.platforms.iter().map(|(_, evidence)| evidence);
            pools.extend(platforms.map(|own| {
                let evidence: Vec<_> = std::iter::once(own).chain(around).collect();
                (own.digest, self.pool(position, requirement, &evidence))
            }));
        }
        counted.extend(pools.iter().flat_map(|(_, pool)| pool.counted()).map(ptr::from_ref));
        let verdict = match about_platforms && self.platforms.is_empty() {
            true => RequirementVerdict::impossible(requirement, Impossible::NoPlatforms),
            false => {
                let verdict = RequirementVerdict::over(requirement, &pools);
                let why = requirement.signed_index().and_then(|_| self.why_not_in_index(&verdict.lacking));
                verdict.naming(why)
            }
        };
        match about_platforms && self.unread_platforms {
            true => verdict.or_undetermined(),
            false => verdict,
        }
    }

    /// Why an unsigned statement in the index about one of these platforms does not count, as a code; `None` without a finding
    /// about one.
    fn why_not_in_index(&self, platforms: &[Digest]) -> Option<&'static str> {
        let lacking = self.platforms.iter().filter(|(_, evidence)| platforms.contains(&evidence.digest));
        let mut findings = lacking.flat_map(|(_, evidence)| &evidence.findings);
        findings.find(|finding| finding.place == FoundAt::Index).map(|finding| finding.reason.code())
    }

    /// The statements about these manifests, together.
    fn pool<'r>(
        &'r self,
        position: usize,
        requirement: &'r Requirement,
        evidence: &[&'r SubjectEvidence],
    ) -> RequirementPool<'r> {
        let unread = evidence.iter().fold(Unread::default(), |unread, one| unread.or(one.unread));
        // A signature of the index that was not read may cover what is in the index.
        let unread = if requirement.signed_index().is_some() { unread.or(self.root.unread) } else { unread };
        let records = evidence.iter().copied().flat_map(records);
        let digests: Vec<_> = evidence.iter().map(|one| one.digest).collect();
        let is_manifest = |digest: &Digest| self.root_kind != ImageRoot::Index || *digest != self.root.digest;
        let manifest = digests.first().copied().filter(is_manifest);
        let image = ImageProduct { digests: &digests, manifest, package_urls: &[] };
        RequirementPool::new((position, requirement), records, &image, unread, (self.now, self.verifier.limits()))
    }
}

fn records(evidence: &SubjectEvidence) -> impl Iterator<Item = &StatementRecord> + Clone {
    evidence.records.iter().map(Arc::as_ref)
}

impl Verifier {
    /// Begins the evaluation of an image as of `now`, to which what was found about each of its manifests is added.
    pub(crate) fn image_evaluation(&self, root: Digest, kind: ImageRoot, now: Time) -> ImageEvaluation<'_> {
        ImageEvaluation::begin(self, root, kind, now)
    }

    /// Evaluates `evidence` about an image as of `now`: about `root`, and, if that is an index, about the manifests that it
    /// lists. `evidence` is what was found about each of them. Every manifest of the index counts as a platform, and the
    /// platforms of an index inside it are unread.
    ///
    /// # Errors
    /// [`ImageRefusal`] if the policy is not met; could-not-tell also if `root` cannot be parsed.
    pub fn verify_image<'e, E: IntoIterator<Item = &'e Evidence>>(
        &self,
        root: &Content,
        evidence: impl Fn(&Digest) -> E,
        now: Time,
    ) -> Result<AcceptedImage, ImageRefusal> {
        let digest = *root.digest();
        let (kind, listed) = match Document::parse(root, self.limits()) {
            Ok(Document::Index(index)) => (ImageRoot::Index, index.manifests),
            Ok(Document::Artifact(_) | Document::Manifest(_)) => (ImageRoot::Manifest, Vec::new()),
            Err(_) => return Err(self.image_evaluation(digest, ImageRoot::Index, now).refuse()),
        };
        let mut image = self.image_evaluation(digest, kind, now);
        if let Some(found) = image.begin_root(self) {
            let mut found = found.with_descriptor(root.descriptor().bare());
            evidence(&digest).into_iter().for_each(|evidence| found.add(evidence));
            image.add_root(found);
        }
        for entry in listed {
            if media_type::is_index(&entry.media_type) {
                image.mark_platforms_unread();
                continue;
            }
            let mut found = image.begin_platform(self, entry.digest).map(|found| found.with_descriptor(entry.bare()));
            if let Some(found) = &mut found {
                evidence(&entry.digest).into_iter().for_each(|evidence| found.add(evidence));
            }
            image.add_platform(entry.platform.clone(), entry.digest, found);
        }
        image.conclude()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::SignedDocument;
    use crate::envelope::Statement;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::nonempty::NonEmpty;
    use crate::policy::Policy;
    use crate::policy::Quorum;
    use crate::policy::Rule;
    use crate::policy::SignedAttestations;
    use crate::policy::SignedIndexRule;
    use crate::policy::Threshold;
    use crate::trust::TrustRoot;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    /// Records name requirements by their position, so nothing is evaluated by another policy; and nothing is looked for that
    /// no requirement reads.
    #[test]
    fn an_evaluation_begins_only_for_the_policy_and_for_what_it_reads() {
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let verifier = |id: &str, about: About| {
            let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
            let requirement = Requirement::new(id, StatementKind::ImageSignature, quorum).with_about(about);
            Verifier::new(trust.clone(), Policy::one(requirement), Limits::DEFAULT).unwrap()
        };
        let (index, platform) = (Digest::sha256(b"index"), Digest::sha256(b"platform"));
        // Whether the evaluations of the root and of a platform begin.
        let begins = |own: &Verifier, kind: ImageRoot, by: &Verifier| {
            let image = own.image_evaluation(index, kind, Time::EPOCH);
            (image.begin_root(by).is_some(), image.begin_platform(by, platform).is_some())
        };
        let either = verifier("signed", About::Either);
        assert_eq!(begins(&either, ImageRoot::Index, &either), (true, true));
        assert_eq!(begins(&either, ImageRoot::Index, &verifier("other", About::Either)), (false, false));
        let (of_index, of_platforms) = (verifier("signed", About::Index), verifier("signed", About::Platforms));
        assert_eq!(begins(&of_index, ImageRoot::Index, &of_index), (true, false));
        assert_eq!(begins(&of_platforms, ImageRoot::Index, &of_platforms), (false, true));
        assert_eq!(begins(&of_index, ImageRoot::Manifest, &of_index), (false, false));
        assert_eq!(begins(&of_platforms, ImageRoot::Manifest, &of_platforms), (true, true));
        let reads =
            |verifier: &Verifier| verifier.image_evaluation(index, ImageRoot::Index, Time::EPOCH).reads_platforms();
        assert_eq!([&either, &of_index, &of_platforms].map(reads), [true, false, true]);
        // Of two requirements, one is about the platforms.
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let of =
            |id: &str, about| Requirement::new(id, StatementKind::ImageSignature, quorum.clone()).with_about(about);
        let rules = [of("index", About::Index), of("platforms", About::Platforms)].map(Rule::One);
        let policy = Policy::new(Rule::All(NonEmpty::collect(rules).unwrap())).unwrap();
        let both = Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap();
        assert_eq!(begins(&both, ImageRoot::Index, &both), (true, true));
        assert!(reads(&both));
    }

    /// A refusal names the first requirement that is not met, and the size of what is kept counts each document once.
    #[test]
    fn a_refusal_names_the_requirement_that_is_not_met() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let build = StatementKind::Attestation { predicate_type: "https://example.com/build/v1".to_owned() };
        let of = |id: &str, kind: &StatementKind| Rule::One(Requirement::new(id, kind.clone(), quorum.clone()));
        let rules = [of("signed", &StatementKind::ImageSignature), of("built", &build)];
        let policy = Policy::new(Rule::All(NonEmpty::collect(rules).unwrap())).unwrap();
        let verifier = Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap();
        let root = Digest::sha256(b"manifest");
        let payload = Statement::image_signature(&root, None, &BTreeMap::new()).unwrap();
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
        let contents = ["a manifest", "a blob"].map(|text| Content::from_bytes("text/plain", text.as_bytes().to_vec()));
        let document = SignedDocument::Dsse(envelope.into());
        let evidence = Evidence::new(document, FoundAt::Referrers, contents.to_vec());
        let mut image = verifier.image_evaluation(root, ImageRoot::Manifest, Time::EPOCH);
        assert_eq!(image.evidence_bytes(), 0);
        for _ in 0..2 {
            let mut found = image.begin_root(&verifier).unwrap();
            found.add(&evidence);
            image.add_root(found);
            assert_eq!(image.evidence_bytes(), 16);
        }
        let refusal = image.conclude().unwrap_err();
        let text = format!("requirement `built`: no-statement, 0 of 1 owners count, of {root}");
        assert_eq!(refusal.to_string(), text);
    }

    /// What another evaluation found counts as unread: it may be about something else.
    #[test]
    fn the_evidence_is_that_of_the_evaluation_which_began() {
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let requirement = Requirement::new("signed", StatementKind::ImageSignature, quorum);
        let verifier = Verifier::new(trust, Policy::one(requirement), Limits::DEFAULT).unwrap();
        let root = Digest::sha256(b"manifest");
        let decision = |is_own: bool| {
            let mut image = verifier.image_evaluation(root, ImageRoot::Manifest, Time::EPOCH);
            let own = image.begin_root(&verifier).filter(|_| is_own);
            image.add_root(own.unwrap_or_else(|| verifier.evaluation(root, Time::EPOCH)));
            image.conclude().unwrap_err().decision
        };
        assert_eq!((decision(true), decision(false)), (Decision::Unmet, Decision::Undetermined));
    }

    /// What was not read about the index may be its signature, which covers unsigned statements in it.
    #[test]
    fn an_index_that_was_not_read_may_be_a_signed_one() {
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let build = StatementKind::Attestation { predicate_type: "https://example.com/build/v1".to_owned() };
        let plain = Requirement::new("built", build, quorum).with_about(About::Platforms);
        let covered = plain.clone().with_signed_index(SignedIndexRule::new(trust.owners(), SignedAttestations::Count));
        let [index, platform] = [&b"index"[..], b"platform"].map(Digest::sha256);
        let decision = |requirement: &Requirement, is_read: bool| {
            let verifier = Verifier::new(trust.clone(), Policy::one(requirement.clone()), Limits::DEFAULT).unwrap();
            let mut image = verifier.image_evaluation(index, ImageRoot::Index, Time::EPOCH);
            if let Some(found) = image.begin_root(&verifier) {
                image.add_root(if is_read { found } else { verifier.evaluation(index, Time::EPOCH) });
            }
            let found = image.begin_platform(&verifier, platform);
            image.add_platform(None, platform, found);
            image.conclude().unwrap_err().decision
        };
        assert_eq!((decision(&covered, true), decision(&covered, false)), (Decision::Unmet, Decision::Undetermined));
        assert_eq!((decision(&plain, true), decision(&plain, false)), (Decision::Unmet, Decision::Unmet));
    }

    /// Only an image signature about the index itself makes it a signed one, and only in an index are unsigned statements.
    #[test]
    fn an_index_is_signed_by_an_image_signature_alone() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let build = StatementKind::Attestation { predicate_type: "https://example.com/build/v1".to_owned() };
        let verifier = |kind: &StatementKind, about| {
            let requirement = Requirement::new("wanted", kind.clone(), quorum.clone()).with_about(about);
            Verifier::new(trust.clone(), Policy::one(requirement), Limits::DEFAULT).unwrap()
        };
        let index = Digest::sha256(b"index");
        let predicate = RawValue::from_string("{}".to_owned()).unwrap();
        let payloads = [
            Statement::image_signature(&index, None, &BTreeMap::new()).unwrap(),
            Statement::attestation(&index, None, "https://example.com/build/v1", &predicate).unwrap(),
        ];
        let is_signed = |verifier: &Verifier, is_found: bool| {
            let mut image = verifier.image_evaluation(index, ImageRoot::Index, Time::EPOCH);
            if let Some(mut found) = image.begin_root(verifier).filter(|_| is_found) {
                for payload in &payloads {
                    let envelope = Envelope::sign(media_type::IN_TOTO, payload, &key).unwrap();
                    let document = SignedDocument::Dsse(envelope.into());
                    found.add(&Evidence::new(document, FoundAt::Referrers, Vec::new()));
                }
                image.add_root(found);
            }
            image.has_signed_root()
        };
        let signed = verifier(&StatementKind::ImageSignature, About::Index);
        assert!(is_signed(&signed, true) && !is_signed(&signed, false));
        assert!(!is_signed(&verifier(&build, About::Index), true));
        assert!(!is_signed(&verifier(&StatementKind::ImageSignature, About::Platforms), true));
        let rule = SignedIndexRule::new(trust.owners(), SignedAttestations::Count);
        let requirement = Requirement::new("wanted", build.clone(), quorum.clone()).with_signed_index(rule);
        let in_index = Verifier::new(trust.clone(), Policy::one(requirement), Limits::DEFAULT).unwrap();
        let reads = |verifier: &Verifier, kind| verifier.image_evaluation(index, kind, Time::EPOCH).reads_unsigned();
        assert!(reads(&in_index, ImageRoot::Index) && !reads(&in_index, ImageRoot::Manifest));
        assert!(!reads(&verifier(&build, About::Either), ImageRoot::Index));
        // One of several requirements is enough for either.
        let rules = [
            Requirement::new("built", build.clone(), quorum.clone()).with_about(About::Index),
            Requirement::new("signed", StatementKind::ImageSignature, quorum.clone()).with_about(About::Index),
            Requirement::clone(in_index.policy().requirements().first()),
        ];
        let policy = Policy::new(Rule::All(NonEmpty::collect(rules.map(Rule::One)).unwrap())).unwrap();
        let several = Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap();
        assert!(is_signed(&several, true) && reads(&several, ImageRoot::Index));
        // A signature that the policy can be met without vouches for nothing.
        let any = |other: About| {
            let of = |id: &str, about: About| {
                Requirement::new(id, StatementKind::ImageSignature, quorum.clone()).with_about(about)
            };
            let rules = [of("index", About::Index), of("other", other)].map(Rule::One);
            let policy = Policy::new(Rule::Any(NonEmpty::collect(rules).unwrap())).unwrap();
            Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap()
        };
        assert!(is_signed(&any(About::Either), true) && !is_signed(&any(About::Platforms), true));
    }
}
