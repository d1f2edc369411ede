//! Archives as `docker save` writes them, with and without an OCI layout, and the members that they are made of.

use std::collections::BTreeSet;

use bulla::digest::Digest;
use serde_json::json;

use super::image::TestImage;
use super::tar::end;
use super::tar::file;

/// The name of every image in these archives.
pub const NAME: &str = "app:1.0";

/// An archive as podman and skopeo write it: the configs and layers of these images, and Docker's list of them.
pub fn docker_archive(images: &[&TestImage]) -> Vec<u8> {
    let mut members: Vec<_> = images.iter().flat_map(|image| files(image)).collect();
    members.push(list(&images.iter().map(|image| entry_of(image)).collect::<Vec<_>>()));
    end(once(members))
}

/// An archive as Docker 25 writes it: Docker's list of `listed`, and an OCI layout with the images `entries`, each with a
/// name or without one. The layout has everything that is below them.
pub fn with_layout(listed: &[&TestImage], entries: &[(&TestImage, Option<&str>)]) -> Vec<u8> {
    let mut members: Vec<Vec<u8>> = Vec::new();
    for image in entries.iter().map(|(image, _)| image).chain(listed) {
        let manifests = image.children.iter().chain([*image]).map(|it| &*it.manifest);
        members.extend(image.blobs().into_iter().chain(manifests).map(|part| file(&blob_path(part), part)));
    }
    let manifests: Vec<_> = entries
        .iter()
        .map(|(image, name)| {
            let mut entry = serde_json::to_value(&image.descriptor).unwrap();
            if let Some(name) = name {
                entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
            }
            entry
        })
        .collect();
    let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    members.push(file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#));
    members.push(file("index.json", index.as_bytes()));
    members.push(list(&listed.iter().map(|image| entry_of_blobs(image)).collect::<Vec<_>>()));
    end(once(members))
}

// ---------------------------------------------------------------------------------------------- the list

/// Docker's list with these entries.
pub fn list(entries: &[String]) -> Vec<u8> {
    file("manifest.json", format!("[{}]", entries.join(",")).as_bytes())
}

/// An entry of Docker's list.
pub fn entry(config: &str, layers: &[String]) -> String {
    json!({"Config": config, "RepoTags": [NAME], "Layers": layers}).to_string()
}

/// The entry of an image whose [`files`] are in the archive.
pub fn entry_of(image: &TestImage) -> String {
    entry(&config_name(image), &image.layers.iter().map(|layer| layer_name(layer)).collect::<Vec<_>>())
}

/// The same with the paths of blobs.
pub fn entry_of_blobs(image: &TestImage) -> String {
    entry(&blob_path(&image.config), &image.layers.iter().map(|layer| blob_path(layer)).collect::<Vec<_>>())
}

// ---------------------------------------------------------------------------------------------- the files

/// The files of an image as skopeo and podman name them.
pub fn files(image: &TestImage) -> Vec<Vec<u8>> {
    let mut members = vec![file(&config_name(image), &image.config)];
    members.extend(image.layers.iter().map(|layer| file(&layer_name(layer), layer)));
    members
}

pub fn config_name(image: &TestImage) -> String {
    format!("{}.json", Digest::sha256(&image.config).hex())
}

pub fn layer_name(layer: &[u8]) -> String {
    format!("{}.tar", Digest::sha256(layer).hex())
}

pub fn blob_path(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::sha256(bytes).hex())
}

/// The members, each once: images may have parts in common.
fn once(members: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut seen = BTreeSet::new();
    members.into_iter().filter(|member| seen.insert(Digest::sha256(member))).collect()
}
