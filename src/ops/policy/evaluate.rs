//! The evaluation of a policy over an image: what is discovered for which of its manifests.
//!
//! 1. Discover the statements about the root, if a requirement reads them.
//! 2. Walk an index, nested ones included, to the manifests of its platforms; with a platform, choose that one alone. An
//!    index that cannot be read may hide platforms: no requirement about platforms is met then.
//! 3. Discover the statements about each platform, unless they cannot change the decision.

use crate::digest::Digest;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::Platform;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::outcome::VerifyOptions;
use crate::ops::revocation::RevocationLookup;
use crate::ops::verify;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::AcceptedImage;
use crate::verify::ImageEvaluation;
use crate::verify::ImageRefusal;
use crate::verify::ImageRoot;
use crate::verify::Verifier;

/// The result of the evaluation of an image.
#[derive(Debug)]
pub(in crate::ops) struct Evaluated {
    /// The manifest of the platform that was asked for.
    pub(in crate::ops) chosen: Option<Digest>,
    /// The verdict.
    pub(in crate::ops) verdict: Result<AcceptedImage, ImageRefusal>,
    /// The lists and manifests that could not be read.
    pub(in crate::ops) unread: Vec<StoreError>,
}

/// Where more revocation evidence is looked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) enum EvidenceLookup<'a> {
    /// Where the lookup asks.
    Asked(&'a RevocationLookup),
    /// What the lookup found for the same image elsewhere.
    Known(&'a RevocationLookup),
    /// Nowhere.
    Nowhere,
}

/// Evaluates the policy of a verifier over the image with the manifest `root`, or over one platform of it.
///
/// # Errors
/// [`OpsError`] where a manifest cannot be parsed, the platform cannot be chosen, or a limit is exceeded: could not tell.
pub(in crate::ops) async fn evaluate(
    source: &dyn Source,
    root: &Content,
    platform: Option<&Platform>,
    options: VerifyOptions<'_>,
    lookup: EvidenceLookup<'_>,
) -> Result<Evaluated, OpsError> {
    let document = Document::parse(root, options.limits)?;
    let kind = if matches!(document, Document::Index(_)) { ImageRoot::Index } else { ImageRoot::Manifest };
    let image = options.verifier.image_evaluation(*root.digest(), kind, options.now);
    let mut evaluation = PlatformWalk { image, lookup, options, source, unread: Vec::new() };
    evaluation.root(root).await?;
    let chosen = match (document, platform) {
        (Document::Index(index), Some(platform)) => {
            let child = verify::choose(source, root.digest(), index, platform, options.limits).await?;
            evaluation.platform(&child).await?;
            Some(child.digest)
        }
        (Document::Index(index), None) => {
            if evaluation.image.reads_platforms() {
                evaluation.platforms(root, index).await?;
            }
            None
        }
        (Document::Manifest(manifest), Some(platform)) => {
            verify::has_platform(source, root.digest(), &manifest, platform, options.limits).await?;
            Some(*root.digest())
        }
        (Document::Artifact(_), Some(platform)) => {
            let (platform, has) = (platform.to_string(), "no platform".to_owned());
            return Err(OpsError::NoPlatform { index: *root.digest(), platform, has });
        }
        (Document::Artifact(_) | Document::Manifest(_), None) => None,
    };
    Ok(Evaluated { chosen, verdict: evaluation.image.conclude(), unread: evaluation.unread })
}

/// The evaluation of one image while its manifests are discovered.
struct PlatformWalk<'a> {
    image: ImageEvaluation<'a>,
    lookup: EvidenceLookup<'a>,
    options: VerifyOptions<'a>,
    source: &'a dyn Source,
    unread: Vec<StoreError>,
}

impl PlatformWalk<'_> {
    /// Step 1.
    async fn root(&mut self, root: &Content) -> Result<(), OpsError> {
        if self.image.begin_root(self.options.verifier).is_none() {
            return Ok(());
        }
        let VerifyOptions { until, limits, .. } = self.options;
        let verifier = self.verifier(root.digest()).await;
        if let Some(begun) = self.image.begin_root(&verifier) {
            let (found, unread) =
                verify::discover_into(begun, self.source, root.descriptor().into(), until, limits).await;
            self.image.add_root(found);
            self.unread.extend(unread);
        }
        self.check_findings()
    }

    /// Step 2.
    async fn platforms(&mut self, root: &Content, index: Index) -> Result<(), OpsError> {
        let mut walk = Walk::new(self.source, self.options.limits);
        let _new = walk.enter(*root.digest());
        walk.descend(0, index);
        while let Some(Step { depth, entry }) = walk.next_child()? {
            walk.check_depth(entry.digest, depth)?;
            if !media_type::is_index(&entry.media_type) {
                walk.count()?;
                self.platform(&entry).await?;
                continue;
            }
            match walk.fetch(&entry.bare()).await? {
                Ok(content) => walk.descend_later(depth, content),
                Err(error) => {
                    self.image.mark_platforms_unread();
                    self.unread.push(error);
                }
            }
        }
        Ok(())
    }

    /// Step 3.
    async fn platform(&mut self, child: &Descriptor) -> Result<(), OpsError> {
        let VerifyOptions { until, limits, .. } = self.options;
        if self.image.begin_platform(self.options.verifier, child.digest).is_none() {
            self.image.add_platform(child.platform.clone(), child.digest, None);
            return Ok(());
        }
        let (bare, verifier) = (child.bare(), self.verifier(&child.digest).await);
        match self.image.begin_platform(&verifier, child.digest) {
            Some(begun) => {
                let (found, unread) = verify::discover_into(begun, self.source, (&bare).into(), until, limits).await;
                self.unread.extend(unread);
                self.image.add_platform(child.platform.clone(), child.digest, Some(found));
            }
            // Revocation evidence changes neither policy nor trust root, so this is not reached.
            None => self.image.mark_platforms_unread(),
        }
        self.check_findings()
    }

    /// The verifier with the revocation evidence of one manifest.
    async fn verifier(&self, subject: &Digest) -> Verifier {
        let VerifyOptions { verifier, now, limits, .. } = self.options;
        match self.lookup {
            EvidenceLookup::Asked(lookup) => lookup.verifier(verifier, self.source, subject, now, limits).await,
            EvidenceLookup::Known(lookup) => lookup.known(verifier, subject),
            EvidenceLookup::Nowhere => verifier.clone(),
        }
    }

    /// Refuses more findings below one image than the limit: one manifest may have thousands, and an index a thousand
    /// manifests.
    fn check_findings(&self) -> Result<(), OpsError> {
        let limits = self.options.limits;
        let most = limits.graph.manifests.saturating_mul(limits.evidence.signature_manifests);
        let findings = self.image.findings();
        let unread = self.unread.iter().map(|error| error.to_string().len().saturating_add(size_of::<StoreError>()));
        let text = unread.fold(findings.bytes(), usize::saturating_add);
        let within = |what: &'static str, got: usize, limit: u64| match count(got) > limit {
            true => Err(StoreError::TooMany { place: self.source.origin().to_string(), what, limit }),
            false => Ok(()),
        };
        within("findings below one image", findings.count(), most)?;
        Ok(within("bytes of findings below one image", text, limits.evidence.finding_bytes)?)
    }
}
