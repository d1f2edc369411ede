//! `ImageEvaluation`: evaluates a policy over an image: an index and the manifests of its platforms, or one manifest.
//!
//! The invariant: an image is accepted only if the rule of the policy is met, where each requirement is met for every
//! manifest that it is about, and for at least one. A statement counts only for the manifest that it names; it counts for a
//! platform of the index that it names only where the requirement says so ([`About::Either`]). What was not read is never
//! taken for absent.

use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::oci::Descriptor;
use crate::oci::Platform;
use crate::policy::About;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::time::Time;
use crate::verify::AcceptedImage;
use crate::verify::AcceptedPart;
use crate::verify::Evaluation;
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
pub enum ImageRoot {
    /// An index, whose platforms are manifests of their own.
    Index,
    /// One manifest, the only platform of the image. It never borrows statements from an index that lists it.
    Manifest,
}

/// The evaluation of a policy over one image, to which what was found about each of its manifests is added.
#[derive(Debug)]
pub struct ImageEvaluation<'a> {
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
        Self { now, platforms, root, root_kind, shared, unread_platforms: false, verifier }
    }

    /// The evaluation of the statements about the root; `None` if no requirement reads any. `verifier` is that of the
    /// image, perhaps with more revocation evidence: also `None` for one with another policy or trust root.
    pub fn begin_root<'v>(&self, verifier: &'v Verifier) -> Option<Evaluation<'v>> {
        let elsewhere = |requirement: &Requirement| match (self.root_kind, requirement.about()) {
            (ImageRoot::Index, about) => !about.reads_index(),
            (ImageRoot::Manifest, about) => matches!(about, About::Both | About::Index),
        };
        let requirements = self.verifier.policy().requirements();
        let decided: Vec<_> =
            requirements.iter().map(|requirement| elsewhere(requirement).then_some(Decision::Unmet)).collect();
        let part = ImagePart::new(decided);
        (part.is_open() && self.is_same(verifier)).then(|| verifier.evaluation(self.root.digest, self.now).within(part))
    }

    /// Adds what was found about the root. An evaluation of something else counts as unread evidence.
    pub fn add_root(&mut self, evaluation: Evaluation<'_>) {
        self.root = self.evidence(self.root.digest, evaluation);
    }

    /// The evaluation of the statements about the manifest of a platform; `None` if they cannot change the decision: every
    /// requirement that reads them is met by statements about the index, and no newer one could change that.
    pub fn begin_platform<'v>(&self, verifier: &'v Verifier, manifest: Digest) -> Option<Evaluation<'v>> {
        let requirements = self.verifier.policy().requirements();
        let decided = |(position, requirement): (usize, &Requirement)| match requirement.about() {
            About::Index => Some(self.pool(position, requirement, &[&self.root]).decide().decision),
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
    pub fn add_platform(&mut self, platform: Option<Platform>, manifest: Digest, found: Option<Evaluation<'_>>) {
        let evidence = match found {
            Some(evaluation) => self.evidence(manifest, evaluation),
            None => SubjectEvidence::nothing(manifest, Unread::default()),
        };
        self.platforms.push((platform, evidence));
    }

    /// Records that platforms may be missing, since an index in the image could not be read. From then on no requirement
    /// about platforms is met.
    pub const fn mark_platforms_unread(&mut self) {
        self.unread_platforms = true;
    }

    /// Whether statements about the manifests of platforms may count.
    pub fn reads_platforms(&self) -> bool {
        self.verifier.policy().requirements().iter().any(|requirement| requirement.about().reads_platforms())
    }

    /// The findings so far, in bytes and in number: callers limit them.
    pub const fn findings(&self) -> &SharedFindings {
        &self.shared
    }

    /// Ends the evaluation.
    ///
    /// # Errors
    /// [`ImageRefusal`] if the policy is not met; its decision says whether that is a no or could-not-tell.
    pub fn conclude(self) -> Result<AcceptedImage, ImageRefusal> {
        let requirements = self.verifier.policy().requirements();
        let verdicts: Vec<_> =
            requirements.iter().enumerate().map(|(at, requirement)| self.verdict(at, requirement)).collect();
        let of = |requirement: &Requirement| {
            let verdict = verdicts.iter().find(|verdict| verdict.id == *requirement.id());
            verdict.map_or(Decision::Unmet, |verdict| verdict.decision)
        };
        let decision = self.verifier.policy().rule().decide(&of);
        let root = self.root.digest;
        let parts = std::iter::once((None, self.root)).chain(self.platforms);
        let mut findings = Vec::new();
        let mut accepted = Vec::new();
        for (platform, evidence) in parts {
            findings.extend(evidence.findings.into_iter().map(|finding| (evidence.digest, finding)));
            let signatures = evidence.records.iter().map(|record| &record.signature);
            let signatures = signatures.filter(|signature| !signature.requirements.is_empty()).cloned().collect();
            accepted.push(AcceptedPart { accepted: signatures, digest: evidence.digest, platform });
        }
        match decision {
            Decision::Met => Ok(AcceptedImage::proven(self.verifier, (root, accepted), verdicts, findings, self.now)),
            Decision::Undetermined | Decision::Unmet => {
                Err(ImageRefusal { decision, findings, parts: accepted, requirements: verdicts, root })
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
        match evaluation.into_evidence() {
            evidence if same => SubjectEvidence { findings: self.shared.share(evidence.findings), ..evidence },
            _ => SubjectEvidence::nothing(manifest, Unread { evidence: true, newer: true }),
        }
    }

    /// The verdict on one requirement: for each manifest that it is about, at least one.
    fn verdict(&self, position: usize, requirement: &Requirement) -> RequirementVerdict {
        let root = &self.root;
        let mut pools = Vec::new();
        match (self.root_kind, requirement.about()) {
            (ImageRoot::Manifest, About::Both | About::Index) => {
                return RequirementVerdict::impossible(requirement, Impossible::NoIndex);
            }
            (ImageRoot::Manifest, About::Either | About::Platforms)
            | (ImageRoot::Index, About::Both | About::Index) => {
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
        let verdict = match about_platforms && self.platforms.is_empty() {
            true => RequirementVerdict::impossible(requirement, Impossible::NoPlatforms),
            false => RequirementVerdict::over(requirement, &pools),
        };
        match about_platforms && self.unread_platforms {
            true => verdict.or_undetermined(),
            false => verdict,
        }
    }

    /// The statements about these manifests, together.
    fn pool<'r>(
        &self,
        position: usize,
        requirement: &'r Requirement,
        evidence: &[&'r SubjectEvidence],
    ) -> RequirementPool<'r> {
        let unread = evidence.iter().fold(Unread::default(), |unread, one| unread.or(one.unread));
        let records = evidence.iter().copied().flat_map(records);
        RequirementPool::new((position, requirement), records, unread)
    }
}

fn records(evidence: &SubjectEvidence) -> impl Iterator<Item = &StatementRecord> {
    evidence.records.iter().map(Arc::as_ref)
}

impl Verifier {
    /// Begins the evaluation of an image as of `now`, to which what was found about each of its manifests is added.
    pub fn image_evaluation(&self, root: Digest, kind: ImageRoot, now: Time) -> ImageEvaluation<'_> {
        ImageEvaluation::begin(self, root, kind, now)
    }

    /// Evaluates `evidence` about the manifests of an image as of `now`: `root`, and, if that is an index, the manifests of
    /// its `platforms`. `evidence` is what was found about each.
    ///
    /// # Errors
    /// [`ImageRefusal`] if the policy is not met.
    pub fn verify_image<'e, E: IntoIterator<Item = &'e Evidence>>(
        &self,
        (root, kind): (Digest, ImageRoot),
        platforms: &[Descriptor],
        evidence: impl Fn(&Digest) -> E,
        now: Time,
    ) -> Result<AcceptedImage, ImageRefusal> {
        let mut image = self.image_evaluation(root, kind, now);
        if let Some(mut found) = image.begin_root(self) {
            evidence(&root).into_iter().for_each(|evidence| found.add(evidence));
            image.add_root(found);
        }
        for manifest in platforms.iter().filter(|_| kind == ImageRoot::Index) {
            let mut found = image.begin_platform(self, manifest.digest);
            if let Some(found) = &mut found {
                evidence(&manifest.digest).into_iter().for_each(|evidence| found.add(evidence));
            }
            image.add_platform(manifest.platform.clone(), manifest.digest, found);
        }
        image.conclude()
    }
}
