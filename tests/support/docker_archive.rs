//! Archives as `docker save` writes them, with and without an OCI layout.

use bulla::digest::Digest;
use serde_json::json;

use super::image::TestImage;

/// An archive as podman and skopeo write it: the configs and layers of these images, and Docker's list of them.
pub fn docker_archive(images: &[&TestImage]) -> Vec<u8> {
    archive(images, |bytes| Digest::sha256(bytes).hex(), Vec::new())
}

/// An archive as Docker 25 writes it: Docker's list of `listed`, and an OCI layout with the images `entries`. The layout has
/// everything that is below them.
pub fn with_layout(listed: &[&TestImage], entries: &[&TestImage]) -> Vec<u8> {
    let mut files = vec![("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
    for image in entries.iter().flat_map(|entry| entry.children.iter().chain([*entry])) {
        files.push((blob(&image.manifest), image.manifest.clone()));
        files.extend(image.blobs().into_iter().map(|bytes| (blob(bytes), bytes.to_vec())));
    }
    let manifests: Vec<_> = entries.iter().map(|entry| entry.descriptor.bare()).collect();
    let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    files.push(("index.json".to_owned(), index.into_bytes()));
    archive(listed, blob, files)
}

fn archive(images: &[&TestImage], name: impl Fn(&[u8]) -> String, mut files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut list = Vec::new();
    for image in images {
        let parts = image.layers.iter().chain([&image.config]);
        files.extend(parts.map(|bytes| (name(bytes), bytes.clone())));
        let layers: Vec<_> = image.layers.iter().map(|layer| name(layer)).collect();
        list.push(json!({"Config": name(&image.config), "RepoTags": null, "Layers": layers}));
    }
    files.push(("manifest.json".to_owned(), json!(list).to_string().into_bytes()));
    tar(files)
}

fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::sha256(bytes).hex())
}

/// A tar archive of these files, each name once.
fn tar(mut files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    files.sort();
    files.dedup_by(|one, other| one.0 == other.0);
    let mut tar = Vec::new();
    for (name, body) in files {
        let mut header = [0; 512];
        let size = format!("{:011o}\0", body.len());
        let fields: [(usize, &[u8]); 9] = [
            (0, name.as_bytes()),
            (100, b"0000644\0"),
            (108, b"0000000\0"),
            (116, b"0000000\0"),
            (124, size.as_bytes()),
            (136, b"00000000000\0"),
            (148, b"        "),
            (156, b"0"),
            (257, b"ustar\x0000"),
        ];
        for (start, bytes) in fields {
            header[start..start + bytes.len()].copy_from_slice(bytes);
        }
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(&body);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}
