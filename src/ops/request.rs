//! Signing requests: finds the images that can be signed, and attaches the signatures that were made.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::SignedItem;
use crate::envelope::StorageOptions;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ImageConfig;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::attach::PendingSignatures;
use crate::ops::pinned;
use crate::ops::sign::SignedPlatforms;
use crate::ops::walk::Walk;
use crate::ordered;
use crate::request::ApprovedItem;
use crate::store::Sink;
use crate::store::Source;
use crate::time::Time;

pub use crate::ops::attached_signatures::AttachedSignatures;

/// A manifest or index that can be signed, with its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignableImage {
    /// The size of the config and all layers together, in bytes; none if a part of it is missing.
    pub content_size: Option<u64>,
    /// Its digest.
    pub digest: Digest,
    /// Its labels: the pre-defined annotations of the OCI image specification, as the image claims them.
    pub labels: BTreeMap<String, String>,
    /// Its media type.
    pub media_type: String,
    /// Its platforms.
    pub platforms: Vec<Platform>,
    /// Its own size, in bytes.
    pub size: u64,
}

/// Resolves `tag_or_digest` once, and describes the manifest or index: itself first, then, with [`SignedPlatforms::All`],
/// every manifest in it, each digest once.
///
/// # Errors
/// [`OpsError`] if something could not be read; [`OpsError::NoChild`] if a manifest of an index is missing, with
/// [`SignedPlatforms::All`]. With [`SignedPlatforms::Root`] a missing manifest only removes its labels and size from the
/// description.
pub async fn find(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: SignedPlatforms,
    limits: &Limits,
) -> Result<Vec<SignableImage>, OpsError> {
    let root = pinned::resolve(source, tag_or_digest).await?;
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    let mut search = ImageSearch { platforms, found: Vec::new(), limits, source, walk };
    search.describe(root, 0).await?;
    search.found.retain(|(depth, _)| *depth == 0 || platforms == SignedPlatforms::All);
    Ok(search.found.into_iter().map(|(_, found)| found).collect())
}

/// The manifests that were found so far, each with its depth below the root. A manifest that is listed twice is fetched
/// once, since a few indexes can list the same children thousands of times.
struct ImageSearch<'a> {
    platforms: SignedPlatforms,
    found: Vec<(u64, SignableImage)>,
    limits: &'a Limits,
    source: &'a dyn Source,
    walk: Walk<'a>,
}

impl ImageSearch<'_> {
    /// Adds a manifest or index and everything below it, and returns a copy of its own entry.
    async fn describe(&mut self, content: Content, depth: u64) -> Result<SignableImage, OpsError> {
        let limits = self.limits;
        self.walk.check_depth(*content.digest(), depth)?;
        if self.platforms == SignedPlatforms::All && count(self.found.len()) >= limits.request.items {
            return Err(OpsError::TooMany { digest: *content.digest(), limit: limits.request.items });
        }
        let Descriptor { media_type, digest, size, .. } = content.descriptor().clone();
        let document = Document::parse(&content, limits)?;
        let labels = chosen(document.annotations(), limits);
        let mut found = SignableImage { content_size: None, digest, labels, media_type, platforms: Vec::new(), size };
        let place = self.found.len();
        self.found.push((depth, found.clone()));
        match document {
            Document::Artifact(artifact) => {
                found.content_size = artifact.blobs.iter().map(|blob| blob.size).try_fold(0_u64, u64::checked_add);
            }
            Document::Manifest(manifest) => {
                if is_read(&manifest.config, limits) {
                    self.walk.pay_blob(&manifest.config)?;
                }
                config(self.source, &manifest, &mut found, limits).await?;
            }
            Document::Index(index) if depth == 0 || self.platforms == SignedPlatforms::All => {
                let inside = self.children(&index.manifests, depth).await?;
                sum_up(&index, &inside, &mut found);
            }
            // If only the outer index is signed, a nested index only has to exist.
            Document::Index(index) => found.platforms = known(&index),
        }
        if let Some((_, kept)) = self.found.get_mut(place) {
            *kept = found.clone();
        }
        Ok(found)
    }

    /// Describes the entries of an index, each digest once. A missing entry is `None` if only the index is signed, and an
    /// error if all platforms are.
    async fn children(&mut self, entries: &[Descriptor], depth: u64) -> Result<Vec<Option<SignableImage>>, OpsError> {
        let fresh: Vec<_> = entries.iter().filter(|entry| self.walk.enter(entry.digest)).collect();
        let mut inside: BTreeMap<Digest, Option<SignableImage>> = BTreeMap::new();
        let fetched = self.walk.fetch_all(&fresh).await?;
        for (entry, (_, content)) in fresh.iter().zip(fetched) {
            let below = match content {
                Ok(content) => Some(Box::pin(self.describe(content, depth.saturating_add(1))).await?),
                Err(error) if error.is_not_found() && self.platforms == SignedPlatforms::Root => None,
                Err(error) if error.is_not_found() => {
                    let platform =
                        entry.platform.as_ref().map_or_else(|| "no platform".to_owned(), ToString::to_string);
                    return Err(OpsError::NoChild { digest: entry.digest, error, platform });
                }
                Err(error) => return Err(error.into()),
            };
            inside.insert(entry.digest, below);
        }
        let earlier = |digest: &Digest| self.found.iter().find(|(_, found)| found.digest == *digest);
        let each = |entry: &Descriptor| match inside.get(&entry.digest) {
            Some(below) => below.clone(),
            None => earlier(&entry.digest).map(|(_, found)| found.clone()),
        };
        let mut once = BTreeSet::new();
        Ok(entries.iter().filter(|entry| once.insert(entry.digest)).map(each).collect())
    }
}

/// Completes the description of an index from its manifests.
fn sum_up(index: &Index, inside: &[Option<SignableImage>], found: &mut SignableImage) {
    let there = || inside.iter().flatten();
    found.platforms = known(index);
    if found.platforms.is_empty() {
        found.platforms = once(there().flat_map(|child| child.platforms.clone()));
    }
    let whole =
        |child: &Option<SignableImage>| child.as_ref().and_then(|child| child.content_size?.checked_add(child.size));
    found.content_size = inside.iter().map(whole).try_fold(0_u64, |sum, size| sum.checked_add(size?));
    // Labels that the index does not have are taken from its first image.
    if let Some(child) = there().find(|child| !child.platforms.is_empty()) {
        for (key, value) in &child.labels {
            found.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// The platforms that an index lists.
fn known(index: &Index) -> Vec<Platform> {
    once(index.manifests.iter().filter_map(|child| child.platform.clone()).filter(|platform| !platform.is_unknown()))
}

fn once(platforms: impl Iterator<Item = Platform>) -> Vec<Platform> {
    let mut seen = BTreeSet::new();
    platforms.filter(|platform| seen.insert(platform.to_string())).collect()
}

/// Whether a config is read for the description of an image: by its media type and size.
fn is_read(config: &Descriptor, limits: &Limits) -> bool {
    const IMAGE: [&str; 2] = [media_type::OCI_CONFIG, "application/vnd.docker.container.image.v1+json"];
    IMAGE.contains(&config.media_type.as_str()) && config.size <= limits.oci.manifest_bytes
}

/// Completes the description of an image from its config: the platform and the labels.
async fn config(
    source: &dyn Source,
    manifest: &Manifest,
    found: &mut SignableImage,
    limits: &Limits,
) -> Result<(), OpsError> {
    let parts = manifest.layers.iter().chain([&manifest.config]);
    found.content_size = parts.map(|part| part.size).try_fold(0_u64, u64::checked_add);
    if !is_read(&manifest.config, limits) {
        return Ok(());
    }
    let content = match pinned::blob(source, &manifest.config, limits.oci.manifest_bytes).await {
        Ok(content) => content,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // An invalid config has no platform and no labels to show. Its digest was checked.
    let Ok(config) = ImageConfig::parse(&content, limits) else { return Ok(()) };
    found.platforms = Some(config.platform).filter(|platform| !platform.is_unknown()).into_iter().collect();
    for (key, value) in chosen(&config.labels, limits) {
        found.labels.entry(key).or_insert(value);
    }
    Ok(())
}

/// The annotations or labels that are shown: OCI image specification, "Pre-Defined Annotation Keys".
fn chosen(labels: &BTreeMap<String, String>, limits: &Limits) -> BTreeMap<String, String> {
    const SHOWN: [&str; 11] = [
        "org.opencontainers.image.base.digest",
        "org.opencontainers.image.base.name",
        "org.opencontainers.image.created",
        "org.opencontainers.image.description",
        "org.opencontainers.image.licenses",
        "org.opencontainers.image.revision",
        "org.opencontainers.image.source",
        "org.opencontainers.image.title",
        "org.opencontainers.image.url",
        "org.opencontainers.image.vendor",
        "org.opencontainers.image.version",
    ];
    let fits = |value: &&String| !value.is_empty() && count(value.len()) <= limits.request.text_bytes;
    let label = |key: &&str| labels.get(*key).filter(fits).map(|value| ((*key).to_owned(), value.clone()));
    ordered::map(SHOWN.iter().filter_map(label))
}

/// Attaches all signatures about one image. `items` are the items of an approved request about this image. Nothing is
/// resolved again, and the same signatures give the same manifests: a repeated call attaches only what is missing.
///
/// # Errors
/// [`OpsError`]; each signature that was pushed before the error is complete.
pub async fn attach(
    sink: &dyn Sink,
    items: &[ApprovedItem<'_>],
    created: Time,
    limits: &Limits,
) -> Result<AttachedSignatures, OpsError> {
    let Some(first) = items.first() else { return Ok(AttachedSignatures::default()) };
    let subject = subject(sink, first).await?;
    let mut pending = PendingSignatures::default();
    for approved in items {
        let item = approved.item();
        if item.digest != *subject.digest() {
            let (got, want) = (subject.digest().to_string(), item.digest.to_string());
            return Err(OpsError::Changed { got, place: item.pinned().to_string(), what: "the digest", want });
        }
        let notary_manifest = item.notary().map(|notary| notary.manifest).unwrap_or_default();
        let storage = StorageOptions { created, notary_manifest };
        for (signer, payload, signature) in approved.signatures() {
            let mut signed = SignedItem::verified(item.signing_item(), payload, signer.key(), signature)?;
            if let Some(chain) = approved.chain(signer.key().id()) {
                signed = signed.with_chain(chain)?;
            }
            for form in item.forms().iter().filter(|form| form.payload() == Some(payload.kind())) {
                let _referrer = pending.add(form.write(&signed, &subject, storage, limits)?);
            }
        }
    }
    let tags = pending.attach(sink, &subject, limits).await?;
    Ok(AttachedSignatures { referrers: pending.referrers().copied().collect(), tags })
}

/// Reads the image of an item from the store, and checks that it has the media type and size that the signers saw.
async fn subject(sink: &dyn Sink, item: &ApprovedItem<'_>) -> Result<Subject, OpsError> {
    let item = item.item();
    let content = pinned::resolve(sink, &TagOrDigest::Digest(item.digest)).await?;
    let Descriptor { media_type, size, .. } = content.descriptor();
    let place = || item.pinned().to_string();
    if *media_type != item.media_type {
        let (got, want) = (media_type.clone(), item.media_type.clone());
        return Err(OpsError::Changed { got, place: place(), what: "the media type", want });
    }
    if *size != item.size {
        let (got, want) = (size.to_string(), item.size.to_string());
        return Err(OpsError::Changed { got, place: place(), what: "the size", want });
    }
    Ok(Subject::of(&content))
}
