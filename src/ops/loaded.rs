//! loaded: the one manifest of an image that `docker load` loads from a docker-archive: Docker's list knows no index.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ImageConfig;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::verify;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::text::Untrusted;

pub use crate::ops::not_loadable::NotLoadable;

/// The manifest of an image that a docker-archive lists, and what `docker load` does not load of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedManifest {
    /// The image itself, or the manifest of one platform of it.
    pub descriptor: Descriptor,
    /// The platforms of the other manifests of the index: they stay in the archive, and are not loaded.
    pub others: Vec<Platform>,
    /// The platform of the manifest, as its config states it.
    pub platform: Platform,
    /// How many of its layers are compressed with zstd, which older versions of Docker do not load.
    pub zstd_layers: usize,
}

/// Selects the manifest of the image `root` that a docker-archive lists: the image itself, or of an index the manifest for
/// `platform`. Without a platform an index must have one manifest of an image only.
///
/// # Errors
/// [`OpsError::NotLoadable`], [`OpsError::PlatformNotChosen`], [`OpsError::NoPlatform`], [`OpsError::SamePlatform`], or
/// an error if something could not be read.
pub async fn choose(
    source: &dyn Source,
    root: &Content,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<LoadedManifest, OpsError> {
    let (content, others) = match Document::parse(root, limits)? {
        Document::Artifact(artifact) => {
            let reason = NotLoadable::Config(Untrusted::new(&artifact.artifact_type.unwrap_or_default()));
            return Err(OpsError::NotLoadable { digest: *root.digest(), reason });
        }
        Document::Manifest(manifest) => {
            if let Some(platform) = platform {
                verify::has_platform(source, root.digest(), &manifest, platform, limits).await?;
            }
            (root.clone(), Vec::new())
        }
        Document::Index(index) => {
            let images = images(source, index.clone(), limits).await?;
            let chosen = match (platform, images.as_slice()) {
                (Some(platform), _) => verify::choose(source, root.digest(), index, platform, limits).await?,
                (None, [one]) => one.clone(),
                (None, _) => {
                    let has = images.iter().map(shown).collect();
                    return Err(OpsError::PlatformNotChosen { index: *root.digest(), has });
                }
            };
            let others = images.into_iter().filter(|image| image.digest != chosen.digest);
            (pinned::manifest(source, &chosen).await?, others.filter_map(|image| image.platform).collect())
        }
    };
    let manifest = Manifest::parse(&content, limits)?;
    let not_loadable = |reason| OpsError::NotLoadable { digest: *content.digest(), reason };
    let config = &manifest.config.media_type;
    if !media_type::is_image_config(config) {
        return Err(not_loadable(NotLoadable::Config(Untrusted::new(config))));
    }
    if let Some(other) = manifest.layers.iter().find(|layer| !LAYERS.contains(&layer.media_type.as_str())) {
        return Err(not_loadable(NotLoadable::Layer(Untrusted::new(&other.media_type))));
    }
    let config = pinned::blob(source, &manifest.config, limits.oci.manifest_bytes).await?;
    let config = ImageConfig::parse(&config, limits)?;
    if let Some(platform) = platform.filter(|platform| !config.platform.satisfies(platform)) {
        let (platform, has) = (platform.to_string(), config.platform.to_string());
        return Err(OpsError::NoPlatform { index: *root.digest(), platform, has });
    }
    let (diff_ids, layers) = (config.diff_ids.len(), manifest.layers.len());
    if diff_ids != layers {
        return Err(not_loadable(NotLoadable::LayerCount { diff_ids, layers }));
    }
    let zstd_layers = manifest.layers.iter().filter(|layer| layer.media_type.ends_with("zstd")).count();
    Ok(LoadedManifest { descriptor: content.descriptor().bare(), others, platform: config.platform, zstd_layers })
}

/// The entries of `index`, and of the indexes in it, that are manifests of images; attestations of BuildKit are not.
async fn images(source: &dyn Source, index: Index, limits: &Limits) -> Result<Vec<Descriptor>, OpsError> {
    let mut walk = Walk::new(source, limits);
    let mut images = Vec::new();
    walk.descend(0, index);
    while let Some(Step { depth, entry }) = walk.next_child()? {
        walk.check_depth(entry.digest, depth)?;
        if media_type::is_index(&entry.media_type) {
            let content = walk.fetch(&entry.bare()).await??;
            walk.descend_later(depth, content);
        } else if !entry.platform.as_ref().is_some_and(Platform::is_unknown) {
            images.push(entry);
        }
    }
    Ok(images)
}

/// The platform of an entry, or its digest if it states none.
fn shown(image: &Descriptor) -> String {
    let digest: &Digest = &image.digest;
    image.platform.as_ref().map_or_else(|| digest.to_string(), ToString::to_string)
}

/// The media types of layers that `docker load` reads.
const LAYERS: [&str; 5] = [
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
];
