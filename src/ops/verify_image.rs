//! verify_image: evaluates a policy over a whole image: the manifest or index that a name resolves to, and its platforms.
//!
//! 1. Resolve the name once, to a digest. An image that is named by the digest of one manifest never borrows statements
//!    from an index that lists it.
//! 2. Discover the statements about the root, if a requirement reads any.
//! 3. List the platforms, or choose the one that is asked for.
//! 4. Discover the statements about each platform, unless those about the index decide already.
//! 5. Conclude. What could not be read is could-not-tell unless the policy is not met in any case.

use std::sync::Arc;

use tracing::Instrument as _;
use tracing::info_span;

use crate::digest::Digest;
use crate::limits::count;
use crate::nonempty::NonEmpty;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::discover::DiscoverUntil;
use crate::ops::discover::ReferrerSubject;
use crate::ops::file_evidence;
use crate::ops::image_platforms::ImagePlatforms;
use crate::ops::index_statements::IndexStatements;
use crate::ops::outcome::UndeterminedCause;
use crate::ops::pinned;
use crate::ops::revocation::RevocationLookup;
use crate::ops::verify;
use crate::ops::verify_options::Depth;
use crate::ops::verify_options::VerifyOptions;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::AcceptedImage;
use crate::verify::Evaluation;
use crate::verify::ImageEvaluation;
use crate::verify::ImageRefusal;
use crate::verify::ImageRoot;
use crate::verify::Verifier;

pub use crate::ops::not_accepted::NotAccepted;

/// Evaluates the policy of the verifier over the image at `tag_or_digest`, and over `platform` alone, if one is given.
/// Configs and layers are not read, except the config that states the platform of a manifest or that a scan names.
///
/// # Errors
/// [`NotAccepted`] if the policy is not met, or if that could not be decided. Also for [`Depth::Layers`], since this
/// function reads no layers.
pub async fn verify_image(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platform: Option<&Platform>,
    options: VerifyOptions<'_>,
) -> Result<AcceptedImage, NotAccepted> {
    if options.depth == Depth::Layers {
        return Err(OpsError::LayersNotRead.into());
    }
    let root = pinned::resolve(source, tag_or_digest).await?;
    verify_content(source, &root, platform, options).await
}

/// As [`verify_image`], for a manifest or index that was fetched already.
///
/// # Errors
/// As [`verify_image`].
pub async fn verify_content(
    source: &dyn Source,
    root: &Content,
    platform: Option<&Platform>,
    options: VerifyOptions<'_>,
) -> Result<AcceptedImage, NotAccepted> {
    let lookup = options.revocation.map_or(EvidenceLookup::Nowhere, EvidenceLookup::Asked);
    let part = AskedPart::of_platform(platform);
    let EvaluatedImage { unread, verdict, .. } = evaluate(source, root, part, options, lookup).await?;
    match verdict {
        Ok(accepted) => Ok(accepted),
        Err(refusal) if refusal.is_undetermined() => Err(undetermined(refusal, unread)),
        Err(refusal) => Err(NotAccepted::Refused(Box::new(refusal))),
    }
}

/// The result of the evaluation of an image.
#[derive(Debug)]
pub(super) struct EvaluatedImage {
    /// The manifest of the platform that was asked for.
    pub(super) chosen: Option<Digest>,
    /// The errors of lists and manifests that could not be read.
    pub(super) unread: Vec<StoreError>,
    pub(super) verdict: Result<AcceptedImage, ImageRefusal>,
}

/// Which part of an index is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) enum AskedPart<'a> {
    /// All its platforms.
    All,
    /// This manifest in it: the caller has found it there.
    Manifest(&'a Descriptor),
    /// The manifest for this platform.
    Platform(&'a Platform),
}

impl<'a> AskedPart<'a> {
    /// One platform; `None` for all.
    pub(super) const fn of_platform(platform: Option<&'a Platform>) -> Self {
        match platform {
            Some(platform) => Self::Platform(platform),
            None => Self::All,
        }
    }
}

/// Where more revocation evidence is looked for. It takes the place of [`VerifyOptions::revocation`].
#[derive(Clone, Copy, Debug)]
pub(super) enum EvidenceLookup<'a> {
    /// Where the lookup asks.
    Asked(&'a RevocationLookup),
    /// What the lookup found for the same image elsewhere.
    Known(&'a RevocationLookup),
    /// Nowhere.
    Nowhere,
}

/// As [`verify_content`], for a part of the image, with the verdict as it was concluded.
///
/// # Errors
/// [`OpsError`] where a manifest cannot be parsed, the platform cannot be chosen, or a limit is exceeded.
pub(super) async fn evaluate(
    source: &dyn Source,
    root: &Content,
    part: AskedPart<'_>,
    options: VerifyOptions<'_>,
    lookup: EvidenceLookup<'_>,
) -> Result<EvaluatedImage, OpsError> {
    let span = info_span!("verify_image", subject = %root.digest(), place = %source.origin());
    let (in_index, unread) = (IndexStatements::of(Vec::new(), options.limits), Vec::new());
    let mut image = ImageVerification { chosen: None, in_index, lookup, options, source, unread };
    let evaluation = image.evaluate(root, part).instrument(span).await?;
    Ok(EvaluatedImage { chosen: image.chosen, unread: image.unread, verdict: evaluation.conclude() })
}

/// The verification of one image.
struct ImageVerification<'a> {
    /// The manifest of the platform that was asked for.
    chosen: Option<Digest>,
    /// What BuildKit keeps in the index, unsigned.
    in_index: IndexStatements,
    lookup: EvidenceLookup<'a>,
    options: VerifyOptions<'a>,
    source: &'a dyn Source,
    /// The errors of lists and manifests that could not be read.
    unread: Vec<StoreError>,
}

impl<'a> ImageVerification<'a> {
    /// Steps 2 to 4.
    async fn evaluate(&mut self, root: &Content, part: AskedPart<'_>) -> Result<ImageEvaluation<'a>, OpsError> {
        let VerifyOptions { verifier, now, limits, .. } = self.options;
        let digest = *root.digest();
        let document = Document::parse(root, limits)?;
        let kind = match document {
            Document::Index(_) => ImageRoot::Index,
            Document::Artifact(_) | Document::Manifest(_) => ImageRoot::Manifest,
        };
        let mut image = verifier.image_evaluation(digest, kind, now);
        let config = match &document {
            Document::Manifest(manifest) => Some(manifest.config.digest),
            Document::Artifact(_) | Document::Index(_) => None,
        };
        self.discover_root(&mut image, root.descriptor(), config).await?;
        match (document, part) {
            (Document::Index(index), AskedPart::All) => self.all_platforms(&mut image, root, index).await?,
            (Document::Index(index), AskedPart::Manifest(manifest)) => {
                self.one_manifest(&mut image, Some(&index), manifest).await?;
            }
            (Document::Index(index), AskedPart::Platform(platform)) => {
                self.one_platform(&mut image, root, index, platform).await?;
            }
            (Document::Manifest(manifest), AskedPart::Platform(platform)) => {
                verify::has_platform(self.source, &digest, &manifest, platform, limits).await?;
                self.chosen = Some(digest);
            }
            (Document::Artifact(_), AskedPart::Platform(platform)) => {
                let (platform, has) = (platform.to_string(), "no platform".to_owned());
                return Err(OpsError::NoPlatform { index: digest, platform, has });
            }
            (Document::Artifact(_) | Document::Manifest(_), AskedPart::All | AskedPart::Manifest(_)) => {}
        }
        Ok(image)
    }

    /// Discovers the evidence about every platform of an index, and notes those that could not be read.
    async fn all_platforms(
        &mut self,
        image: &mut ImageEvaluation<'_>,
        root: &Content,
        index: Index,
    ) -> Result<(), OpsError> {
        if !image.reads_platforms() {
            return Ok(());
        }
        let limits = self.options.limits;
        let ImagePlatforms { attestations, manifests, unread } =
            ImagePlatforms::of(self.source, *root.digest(), index, limits).await?;
        if image.reads_unsigned() {
            self.in_index = IndexStatements::of(attestations, limits);
        }
        if !unread.is_empty() {
            image.mark_platforms_unread();
            self.unread.extend(unread.into_iter().map(|(_, error)| error));
        }
        for manifest in &manifests {
            self.discover_platform(image, manifest).await?;
        }
        Ok(())
    }

    /// Discovers the evidence about the one manifest for `platform`. Unless the index itself is signed, as the policy cannot be
    /// met without, the config of the manifest must name that platform, too.
    async fn one_platform(
        &mut self,
        image: &mut ImageEvaluation<'_>,
        root: &Content,
        index: Index,
        platform: &Platform,
    ) -> Result<(), OpsError> {
        let limits = self.options.limits;
        let attested = image.reads_unsigned().then(|| index.clone());
        let manifest = verify::choose(self.source, root.digest(), index, platform, limits).await?;
        if !image.has_signed_root() {
            if self.source.chooses_platform() {
                return Err(OpsError::IndexNotSigned { place: self.source.origin().to_string() });
            }
            // The index is not signed, so its platform for the manifest is not trusted: the config must agree.
            let content = pinned::manifest(self.source, &manifest).await?;
            let parsed = Manifest::parse(&content, limits)?;
            verify::has_platform(self.source, &manifest.digest, &parsed, platform, limits).await?;
        }
        self.one_manifest(image, attested.as_ref(), &manifest).await
    }

    /// Discovers the evidence about one manifest of an index, and what is about it in `index`.
    async fn one_manifest(
        &mut self,
        image: &mut ImageEvaluation<'_>,
        index: Option<&Index>,
        manifest: &Descriptor,
    ) -> Result<(), OpsError> {
        if let Some(index) = index.filter(|_| image.reads_unsigned()) {
            self.in_index = IndexStatements::about(self.source, index, &manifest.digest, self.options.limits).await?;
        }
        image.choose(manifest.digest);
        self.chosen = Some(manifest.digest);
        self.discover_platform(image, manifest).await
    }

    /// Discovers the evidence about the root, if a requirement reads statements about it.
    async fn discover_root(
        &mut self,
        image: &mut ImageEvaluation<'_>,
        root: &Descriptor,
        config: Option<Digest>,
    ) -> Result<(), OpsError> {
        if image.begin_root(self.options.verifier).is_none() {
            return Ok(());
        }
        let verifier = self.verifier(&root.digest).await;
        if let Some(evaluation) = image.begin_root(&verifier) {
            let evaluation = match config {
                Some(config) => evaluation.with_config(config),
                None => evaluation,
            };
            let found = self.discover(evaluation, root).await;
            image.add_root(found);
        }
        self.check_limits(image)
    }

    /// Discovers the evidence about one platform. None is looked for if the policy is met without it, unless all evidence
    /// is wanted.
    async fn discover_platform(
        &mut self,
        image: &mut ImageEvaluation<'_>,
        manifest: &Descriptor,
    ) -> Result<(), OpsError> {
        let VerifyOptions { until, verifier, .. } = self.options;
        if image.begin_platform(verifier, manifest.digest).is_none() && until == DiscoverUntil::PolicyMet {
            image.add_platform(manifest.platform.clone(), manifest.digest, None);
            return Ok(());
        }
        let verifier = self.verifier(&manifest.digest).await;
        let evaluation = image.begin_platform(&verifier, manifest.digest);
        let found = match evaluation {
            Some(evaluation) => {
                let evaluation = self.with_config(evaluation, manifest).await;
                Some(self.discover(evaluation, &manifest.bare()).await)
            }
            None => None,
        };
        image.add_platform(manifest.platform.clone(), manifest.digest, found);
        self.check_limits(image)
    }

    /// The verifier with the revocation evidence about one manifest.
    async fn verifier(&self, subject: &Digest) -> Verifier {
        let VerifyOptions { verifier, now, limits, .. } = self.options;
        match self.lookup {
            EvidenceLookup::Asked(lookup) => lookup.verifier(verifier, self.source, subject, now, limits).await,
            EvidenceLookup::Known(lookup) => lookup.known(verifier, subject),
            EvidenceLookup::Nowhere => verifier.clone(),
        }
    }

    /// The same evaluation with the config of the manifest, if a scan may name it. If the manifest cannot be read, no scan
    /// of it can be told.
    async fn with_config<'v>(&mut self, mut evaluation: Evaluation<'v>, manifest: &Descriptor) -> Evaluation<'v> {
        if !evaluation.needs_config() {
            return evaluation;
        }
        match pinned::manifest(self.source, &manifest.bare()).await {
            // One that is no image has no config, and no scan is of it.
            Ok(content) => match Manifest::parse(&content, self.options.limits) {
                Ok(parsed) => evaluation.with_config(parsed.config.digest),
                Err(_) => evaluation,
            },
            Err(error) => {
                self.unread.push(error);
                evaluation.mark_list_unread();
                evaluation
            }
        }
    }

    /// Discovers the statements about one manifest: those in files and in the index around it first, which cost nothing or
    /// one request each.
    async fn discover<'v>(&mut self, evaluation: Evaluation<'v>, manifest: &Descriptor) -> Evaluation<'v> {
        let VerifyOptions { until, limits, files, .. } = self.options;
        let evaluation = match until {
            DiscoverUntil::PolicyMet => evaluation.without_documents(),
            DiscoverUntil::AllFound => evaluation,
        };
        let mut evaluation = evaluation.with_descriptor(manifest.bare());
        let subject = ReferrerSubject::from(manifest);
        file_evidence::add(&mut evaluation, files, subject, until);
        let evaluation = self.in_index.add_to(evaluation, self.source, &manifest.digest).await;
        let is_done = until == DiscoverUntil::PolicyMet && evaluation.is_met() && !evaluation.needs_newest();
        if is_done || !evaluation.reads_signed() {
            return evaluation;
        }
        let (evaluation, unread) = verify::discover_into(evaluation, self.source, subject, until, limits).await;
        self.unread.extend(unread);
        evaluation
    }

    /// Bounds the memory of what is kept about all manifests of one image.
    fn check_limits(&self, image: &ImageEvaluation<'_>) -> Result<(), OpsError> {
        let limits = self.options.limits;
        let findings = limits.graph.manifests.saturating_mul(limits.evidence.signature_manifests);
        let bytes = count(image.findings().bytes());
        for (what, got, limit) in [
            ("bytes of evidence below one image (evidence.bytes)", image.evidence_bytes(), limits.evidence.bytes),
            ("findings below one image", count(image.findings().count()), findings),
            ("bytes of findings below one image", bytes, limits.evidence.finding_bytes),
        ] {
            if got > limit {
                let place = self.source.origin().to_string();
                return Err(StoreError::TooMany { place, what, limit }.into());
            }
        }
        Ok(())
    }
}

/// Could-not-tell, with what could not be read.
fn undetermined(refusal: ImageRefusal, unread: Vec<StoreError>) -> NotAccepted {
    let findings = refusal.findings.iter().filter(|(_, finding)| finding.reason.is_undetermined());
    let causes = unread.into_iter().map(UndeterminedCause::Store);
    let causes = causes.chain(findings.map(|(_, finding)| UndeterminedCause::Evidence(finding.clone())));
    let causes = NonEmpty::collect(causes)
        .unwrap_or_else(|| NonEmpty::one(UndeterminedCause::Content(Arc::new(OpsError::Task))));
    NotAccepted::Undetermined { causes, refusal: Some(Box::new(refusal)) }
}
