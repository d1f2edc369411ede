//! `manifest.json`: Docker's own list of the images in a docker-archive, as names of files; read strictly, and written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::ImageName;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::media_type;
use crate::oci::null::null_is_default;
use crate::oci::referrer::is_auxiliary_name;
use crate::ordered;
use crate::store::StoreError;
use crate::store::archive::Tar;
use crate::store::error::BrokenReason;
use crate::store::error::ContradictionReason;
use crate::store::error::LayoutFault;
use crate::store::error::MissingContent;
use crate::store::key_case::exact;
use crate::store::local::catalog::kept_names;
use crate::store::local::layout_files::DOCKER_LIST;
use crate::store::local::layout_files::LayoutFiles as _;
use crate::store::local::layout_files::blob_name;
use crate::text::Untrusted;

/// An entry of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SavedImage {
    pub(super) config: String,
    /// By the digest of a layer, the descriptor under which Docker pushes it.
    #[serde(default, deserialize_with = "null_is_default")]
    layer_sources: BTreeMap<String, Option<ObjectKeys>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) layers: Vec<String>,
    /// The id of the image that Docker shows as the parent of this one.
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
}

/// The keys of a JSON object.
pub(super) type ObjectKeys = BTreeMap<String, IgnoredAny>;

/// An entry that is written, with the keys in Docker's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Parses `manifest.json` strictly: a key in another case than Docker's is refused.
///
/// # Errors
/// [`StoreError::Broken`], [`StoreError::Contradiction`], [`StoreError::TooMany`].
pub(super) fn read_manifest_json(tar: &Tar, limits: &Limits) -> Result<Vec<SavedImage>, StoreError> {
    let place = tar.name();
    let broken = |fault| StoreError::Broken { place: place.clone(), reason: BrokenReason::Layout(fault) };
    let list = tar.open(DOCKER_LIST)?.ok_or_else(|| broken(LayoutFault::NoDockerList))?;
    let list = list.read(&format!("manifest.json in {place}"), limits.oci.manifest_bytes)?;
    let unreadable = |error| broken(LayoutFault::Json { file: DOCKER_LIST, error });
    json::check(&list, limits).map_err(unreadable)?;
    // The keys are checked first, so that a key in another case is reported as a contradiction, not as bad JSON.
    let entries: Vec<ObjectKeys> = json::read(&list).map_err(unreadable)?;
    exact(&place, DOCKER_LIST, entries.iter().flat_map(BTreeMap::keys), &SAVED_KEYS)?;
    let saved: Vec<SavedImage> = json::read(&list).map_err(unreadable)?;
    let tags = saved.iter().map(|image| 1 + image.repo_tags.as_ref().map_or(0, Vec::len)).sum::<usize>();
    if count(tags) > limits.oci.descriptors {
        return Err(StoreError::TooMany { place, what: "images and names", limit: limits.oci.descriptors });
    }
    unsigned_relations(&place, &saved)?;
    Ok(saved)
}

/// Refuses what `manifest.json` tells Docker about an image beyond its config and layers, unless it is harmless: a
/// parent that is listed too, and a layer without addresses from which others would download it. No signature covers it.
fn unsigned_relations(place: &str, saved: &[SavedImage]) -> Result<(), StoreError> {
    let contradiction = |reason| StoreError::Contradiction { place: place.to_owned(), reason };
    // The name of a config is its digest, as Docker writes it; the digest itself is verified with the image.
    let hex = |image: &SavedImage| {
        let file = image.config.rsplit('/').next().unwrap_or_default();
        format!("sha256:{}", file.strip_suffix(".json").unwrap_or(file))
    };
    let listed = ordered::set(saved.iter().map(hex));
    for image in saved {
        if let Some(parent) = image.parent.as_ref().filter(|parent| !parent.is_empty() && !listed.contains(*parent)) {
            return Err(contradiction(ContradictionReason::Parent(Untrusted::new(parent))));
        }
        for (layer, source) in &image.layer_sources {
            let Some(source) = source else { continue };
            exact(place, DOCKER_LIST, source.keys(), &[LAYER_URLS])?;
            if source.contains_key(LAYER_URLS) {
                return Err(contradiction(ContradictionReason::LayerSource(Untrusted::new(layer))));
            }
        }
    }
    Ok(())
}

/// The `manifest.json` that lists the images of `index`, the `index.json` of the archive. `listed` has the manifest of
/// each image that a loader is to load; an image that is not in it is not listed. Configs and layers are named by the
/// paths of their blobs, so that no content is stored twice.
///
/// # Errors
/// [`StoreError::NotFound`] where a manifest, config or layer is not in the archive, and the errors of reading it.
pub(super) fn render(
    tar: &Tar,
    index: &[u8],
    listed: &BTreeMap<Digest, Descriptor>,
    limits: &Limits,
) -> Result<Vec<u8>, StoreError> {
    let place = tar.name();
    let unreadable = |error| StoreError::Manifest { place: place.clone(), error };
    // The entries of a layout are all its images together, so only the size of the file bounds their number.
    let all = limits.clone().with(|limits| limits.oci.descriptors = u64::MAX);
    let index = Index::parse(&Content::from_bytes(media_type::OCI_INDEX, index.to_vec()), &all).map_err(unreadable)?;
    let mut written: Vec<WrittenImage> = Vec::new();
    for entry in &index.manifests {
        let Some(loaded) = listed.get(&entry.digest) else { continue };
        let tags = repo_tags(entry).map(|name| name.to_string());
        let manifest = Manifest::parse(&fetch(tar, loaded, limits)?, limits).map_err(unreadable)?;
        let config = blob_name(&manifest.config.digest);
        let layers: Vec<_> = manifest.layers.iter().map(|layer| blob_name(&layer.digest)).collect();
        for part in [&manifest.config].into_iter().chain(&manifest.layers) {
            if tar.open(&blob_name(&part.digest))?.is_none() {
                return Err(missing(part.digest, &place));
            }
        }
        // An image with two names has two entries in `index.json` and one in `manifest.json`.
        match written.iter_mut().find(|image| image.config == config && image.layers == layers) {
            Some(image) => {
                let known = image.repo_tags.get_or_insert_default();
                known.extend(tags);
                known.sort();
                known.dedup();
            }
            None => written.push(WrittenImage { config, repo_tags: Some(tags.collect()), layers }),
        }
    }
    written.iter_mut().for_each(|image| image.repo_tags = image.repo_tags.take().filter(|tags| !tags.is_empty()));
    json::to_go(&written).map_err(|error| StoreError::Broken { place, reason: BrokenReason::Unwritable(error) })
}

/// The names of an entry of `index.json` that become names in Docker (`RepoTags`).
pub(super) fn repo_tags(entry: &Descriptor) -> impl Iterator<Item = ImageName> + use<> {
    let names = kept_names(entry).into_iter();
    names.filter(|name| !is_auxiliary_name(name.as_str()) && name.is_repo_tag())
}

/// Reads a manifest that is in the archive or was just written to it.
fn fetch(tar: &Tar, manifest: &Descriptor, limits: &Limits) -> Result<Content, StoreError> {
    let place = tar.name();
    let Some(file) = tar.open(&blob_name(&manifest.digest))? else { return Err(missing(manifest.digest, &place)) };
    let bytes = file.read(&format!("{} in {place}", manifest.digest), limits.oci.manifest_bytes)?;
    Content::check(manifest, bytes).map_err(|error| StoreError::Content { place, error })
}

fn missing(digest: Digest, place: &str) -> StoreError {
    StoreError::NotFound { content: MissingContent::Digest { digest, place: place.to_owned() } }
}

/// The key of a descriptor for the addresses of a layer that is not distributed with its image.
const LAYER_URLS: &str = "urls";
const SAVED_KEYS: [&str; 5] = ["Config", "LayerSources", "Layers", "Parent", "RepoTags"];
