//! What `docker load` loads from a docker-archive, evaluated by policy files.
//!
//! The invariant: an image is let in only if a manifest of an image names its config and its layers, and every policy lets in
//! that manifest or an index around it; where a platform was asked for, it is that platform of the index.
//!
//! 1. A digest that a policy blocks, of the archive or of a manifest with the config, is a no whatever else is there. A layer
//!    whose digest is not known by the algorithm of a blocked one may be what is blocked: then nothing is let in.
//! 2. Compare the layers with those that the config names, as without a policy. What is in an index and no platform, so that
//!    nothing is required of it, is no image.
//! 3. Evaluate the image that the manifest was found in, whole, or for the platform that was asked for.
//! 4. If that is a no, evaluate the manifest by itself. It borrows nothing from the index, and it counts only if the index,
//!    for this manifest alone, is let in too: what says no about the index, or could not be read, is not passed over.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::nonempty::NonEmpty;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::ImageConfig;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::policy;
use crate::ops::policy::PolicyEvaluation;
use crate::ops::policy::PolicyOptions;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::ops::saved::candidates::CandidateManifest;
use crate::ops::saved::candidates::ManifestsByConfig;
use crate::ops::saved::comparison::MatchedImage;
use crate::ops::saved::fault::ImageFault as _;
use crate::ops::saved::fault::SavedFault;
use crate::ops::saved::let_in::SavedImageLetIn;
use crate::ops::saved::let_in::SavedPolicyFault;
use crate::ops::saved::proven::ArchiveNotProven;
use crate::ops::saved::proven::ProvenArchive;
use crate::ops::saved::proven::SavedVerdict;
use crate::ordered;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::PolicyRefusal;
use crate::policy_file::RequiredPolicyError;
use crate::store::LoadedImage;
use crate::store::LoadedLayer;
use crate::store::SavedArchive;
use crate::store::Source;

/// Evaluates every image that `docker load` loads from `archive` by each of `policies`, with the name of its file, and
/// by the manifests and evidence in `evidence`: those of the image at `tag_or_digest`, or of all images there. The name
/// that is evaluated is the one in `options`, for every image of the archive. No layer is read from `evidence`.
///
/// # Errors
/// [`ArchiveNotProven`]: a no if one of the images is refused, else could-not-tell.
pub async fn verify_by_policies<'p>(
    archive: &SavedArchive,
    evidence: &dyn Source,
    tag_or_digest: Option<&TagOrDigest>,
    policies: &[(&'p str, &'p LoadedPolicy)],
    options: PolicyOptions<'_>,
) -> Result<ProvenArchive<SavedImageLetIn<'p>>, ArchiveNotProven<SavedImageLetIn<'p>, SavedPolicyFault<'p>>> {
    if policies.is_empty() {
        return Err(OpsError::from(RequiredPolicyError::Nothing).into());
    }
    let configs = archive.configs();
    let found = ManifestsByConfig::find(evidence, tag_or_digest, &configs, options.limits()).await?;
    let lists = policies.iter().flat_map(|(_, policy)| &policy.document().blocked);
    let algorithms = ordered::set(lists.map(|blocked| blocked.digest.value.algorithm()));
    let evaluations = BTreeMap::new();
    let mut evaluator = ArchiveEvaluator { algorithms, evidence, evaluations, options, policies };
    let mut verdicts = Vec::new();
    for image in archive.images() {
        verdicts.push(evaluator.verdict_on(image, &found).await);
    }
    ProvenArchive::of(archive, verdicts, SavedImageLetIn::covers)
}

/// Evaluates the images of one archive. Each manifest and index is evaluated once: many configs may be in one index.
struct ArchiveEvaluator<'a, 'p> {
    /// Those of the blocked digests.
    algorithms: BTreeSet<DigestAlgorithm>,
    evidence: &'a dyn Source,
    /// By the manifest or index, and the manifest in it that alone was asked for.
    evaluations: BTreeMap<(Digest, Option<Digest>), Result<PolicyEvaluation<'p>, Arc<OpsError>>>,
    options: PolicyOptions<'a>,
    policies: &'a [(&'p str, &'p LoadedPolicy)],
}

impl<'p> ArchiveEvaluator<'_, 'p> {
    /// The verdict on one image of the archive. One manifest that counts is enough, unless a policy blocks something.
    async fn verdict_on(
        &mut self,
        image: &LoadedImage,
        found: &ManifestsByConfig<'_>,
    ) -> SavedVerdict<SavedImageLetIn<'p>, SavedPolicyFault<'p>> {
        let (config, names) = (*image.config.digest(), image.names.clone());
        let mut faults: Vec<_> = self.blocked(image, found).into_iter().collect();
        if faults.is_empty() {
            for candidate in found.with_config(&config) {
                match self.candidate(image, candidate).await {
                    Ok(let_in) => match self.not_compared(image, &candidate.manifest) {
                        None => return SavedVerdict::Accepted(let_in),
                        Some(fault) => faults.push(fault),
                    },
                    Err(why) => faults.extend(why),
                }
            }
            faults.extend(found.unread().map(|error| SavedFault::Unread(error.clone()).into()));
        }
        let unknown = || SavedFault::NoManifest { place: self.evidence.origin().to_string() };
        let faults = NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(unknown().into()));
        SavedVerdict::NotAccepted { config, names, faults }
    }

    /// A digest that a policy blocks: of the config, of a layer in the archive, packed or unpacked, or of a manifest with
    /// this config, its layers, or the image that it is in. Another manifest with the same content does not clear it.
    fn blocked(&self, image: &LoadedImage, found: &ManifestsByConfig<'_>) -> Option<SavedPolicyFault<'p>> {
        let unpacked = image.layers.iter().filter_map(|layer| layer.unpacked.and_then(Result::ok));
        let in_archive = image.layers.iter().map(|layer| layer.digest).chain(unpacked);
        let config = *image.config.digest();
        let named = found.with_config(&config).flat_map(|CandidateManifest { content, manifest, root }| {
            let layers = manifest.layers.iter().map(|layer| layer.digest);
            layers.chain([*content.digest(), root.digest]).chain(self.digests(content))
        });
        let blocked = |digest: Digest| self.policies.iter().find_map(|(_, policy)| policy.blocked(&digest));
        let blocked = in_archive.chain(named).chain([config]).chain(self.digests(&image.config)).find_map(blocked)?;
        Some(SavedPolicyFault::Blocked { digest: blocked.digest.value, reason: blocked.reason.value.clone() })
    }

    /// The digests of these bytes by every algorithm of the blocked ones.
    fn digests<'c>(&'c self, content: &'c Content) -> impl Iterator<Item = Digest> + 'c {
        self.algorithms.iter().map(|algorithm| Digest::of(*algorithm, content.bytes()))
    }

    /// The first layer of the archive that cannot be compared with every blocked digest: its file, or its unpacked bytes. A
    /// blob of `manifest`, which was evaluated, was compared then, whatever the algorithm.
    fn not_compared(&self, image: &LoadedImage, manifest: &Manifest) -> Option<SavedPolicyFault<'p>> {
        let blobs: BTreeSet<Digest> = ordered::set(manifest.layers.iter().map(|layer| layer.digest));
        let is_compared = |layer: &LoadedLayer, algorithm: DigestAlgorithm| {
            let file = layer.digest.algorithm() == algorithm || blobs.contains(&layer.digest);
            file && match (layer.compression, layer.unpacked) {
                (None, _) => true,
                (Some(_), Some(Ok(unpacked))) => unpacked.algorithm() == algorithm,
                (Some(_), Some(Err(_)) | None) => false,
            }
        };
        image.layers.iter().enumerate().find_map(|(position, layer)| {
            let algorithm = self.algorithms.iter().find(|algorithm| !is_compared(layer, **algorithm))?;
            Some(SavedPolicyFault::LayerNotCompared { algorithm: *algorithm, position })
        })
    }

    /// Whether this manifest lets the image in.
    async fn candidate(
        &mut self,
        image: &LoadedImage,
        candidate: &CandidateManifest,
    ) -> Result<SavedImageLetIn<'p>, Vec<SavedPolicyFault<'p>>> {
        let CandidateManifest { content, root, .. } = candidate;
        let matched = MatchedImage::compare(image, candidate, self.options.limits());
        let matched = matched.map_err(|fault| vec![fault.into()])?;
        let manifest = *content.digest();
        let (evaluated, evaluation) = match self.counts(root, image, manifest).await {
            Ok(evaluation) => (root.digest, evaluation),
            // What is refused because of a blocked part is not let in by its parts.
            Err(why) if root.digest == manifest || is_blocked(&why) => return Err(vec![why]),
            // What could not be read about the index may say no.
            Err(why) if !why.is_refusal() => return Err(vec![why]),
            Err(why) => match self.counts(content.descriptor(), image, manifest).await {
                Ok(evaluation) => {
                    self.in_index(root, content.descriptor()).await.map_err(|why| vec![why])?;
                    (manifest, evaluation)
                }
                Err(other) => return Err(vec![why, other]),
            },
        };
        let is_one_platform = self.options.platform().is_some();
        Ok(SavedImageLetIn::proven(matched, evaluated, is_one_platform, evaluation))
    }

    /// The evaluation on `subject`, which is `manifest` or an index with it, if every policy lets it in, and `manifest` is the
    /// platform that was asked for, if one was.
    async fn counts(
        &mut self,
        subject: &Descriptor,
        image: &LoadedImage,
        manifest: Digest,
    ) -> Result<PolicyEvaluation<'p>, SavedPolicyFault<'p>> {
        let wanted = self.options.platform();
        let other = |platform: &Platform| SavedPolicyFault::OtherPlatform { manifest, platform: platform.to_string() };
        let evaluation = match (self.evaluated(subject, None).await, wanted) {
            (Ok(evaluation), _) => evaluation,
            (Err(error), Some(platform)) if matches!(*error, OpsError::NoPlatform { .. }) => {
                return Err(other(platform));
            }
            (Err(error), _) => return Err(SavedPolicyFault::NotEvaluated { error, subject: subject.digest }),
        };
        if !evaluation.is_let_in() {
            return Err(SavedPolicyFault::NotLetIn { evaluation, subject: subject.digest });
        }
        let Some(platform) = wanted else { return Ok(evaluation) };
        let config = ImageConfig::parse(&image.config, self.options.limits()).map_err(SavedFault::Config)?;
        let is_chosen = |outcome: &PolicyOutcome<'_>| match outcome.verdict {
            // No platform is chosen of what is not verified, so the config must name it.
            PolicyVerdict::Exempted(_) => config.platform.satisfies(platform),
            _ => outcome.chosen == Some(manifest),
        };
        match evaluation.outcomes.iter().all(|(_, outcome)| is_chosen(outcome)) {
            true => Ok(evaluation),
            false => Err(other(platform)),
        }
    }

    /// Whether every policy lets in this manifest of `index`, whatever they say of its other platforms.
    ///
    /// # Errors
    /// Why not: as [`ArchiveEvaluator::counts`].
    async fn in_index(&mut self, index: &Descriptor, manifest: &Descriptor) -> Result<(), SavedPolicyFault<'p>> {
        let subject = index.digest;
        let evaluation = match self.evaluated(index, Some(manifest)).await {
            Ok(evaluation) => evaluation,
            Err(error) => return Err(SavedPolicyFault::NotEvaluated { error, subject }),
        };
        let is_of_manifest = |outcome: &PolicyOutcome<'_>| {
            matches!(outcome.verdict, PolicyVerdict::Exempted(_)) || outcome.chosen == Some(manifest.digest)
        };
        let is_let_in = evaluation.is_let_in() && evaluation.outcomes.iter().all(|(_, one)| is_of_manifest(one));
        if is_let_in { Ok(()) } else { Err(SavedPolicyFault::NotLetIn { evaluation, subject }) }
    }

    /// What the policies say of `subject`, or of one `manifest` in it.
    async fn evaluated(
        &mut self,
        subject: &Descriptor,
        manifest: Option<&Descriptor>,
    ) -> Result<PolicyEvaluation<'p>, Arc<OpsError>> {
        let key = (subject.digest, manifest.map(|manifest| manifest.digest));
        if let Some(known) = self.evaluations.get(&key) {
            return known.clone();
        }
        let options = manifest.map_or(self.options, |manifest| self.options.with_manifest(manifest));
        let evaluated = match pinned::manifest(self.evidence, subject).await {
            Ok(root) => policy::evaluate_by_all(self.evidence, &root, self.policies, options).await,
            Err(error) => Err(error.into()),
        };
        let evaluated = evaluated.map_err(Arc::new);
        self.evaluations.insert(key, evaluated.clone());
        evaluated
    }
}

/// Whether a policy refuses it because of a blocked digest.
fn is_blocked(fault: &SavedPolicyFault<'_>) -> bool {
    let SavedPolicyFault::NotLetIn { evaluation, .. } = fault else { return false };
    let refused =
        |outcome: &PolicyOutcome<'_>| matches!(outcome.verdict, PolicyVerdict::Refused(PolicyRefusal::Blocked(_)));
    evaluation.outcomes.iter().any(|(_, outcome)| refused(outcome))
}
