//! Images for tests: small, different for each seed, the same for each run.

use std::fs;
use std::path::Path;

use bulla::digest::Digest;
use bulla::oci::Descriptor;
use bulla::oci::Platform;
use bulla::oci::media_type::IN_TOTO;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_EMPTY;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::media_type::OCI_MANIFEST;
use serde_json::Value;
use serde_json::json;

use super::registry::Registry;

/// A manifest or index with everything that it lists.
#[derive(Clone, Debug)]
pub struct TestImage {
    /// The config; empty for an index.
    pub config: Vec<u8>,
    pub layers: Vec<Vec<u8>>,
    /// The images of an index.
    pub children: Vec<Self>,
    /// The bytes of the manifest or index.
    pub manifest: Vec<u8>,
    /// The media type of the manifest or index.
    pub descriptor: Descriptor,
}

/// An image for linux/amd64 with two small layers.
pub fn image(seed: u64) -> TestImage {
    image_for(seed, "linux/amd64", 2, 600)
}

/// An image with that many layers of that many bytes.
pub fn image_for(seed: u64, platform: &str, layers: usize, layer_bytes: usize) -> TestImage {
    let layers: Vec<Vec<u8>> = (0..layers).map(|n| filler(seed * 1000 + n as u64, layer_bytes)).collect();
    let platform = Platform::parse(platform).expect("a platform");
    let diffs: Vec<String> = layers.iter().map(|layer| Digest::sha256(layer).to_string()).collect();
    let config = json!({
        "architecture": platform.architecture,
        "os": platform.os,
        "config": {"Labels": {"seed": seed.to_string()}},
        "rootfs": {"type": "layers", "diff_ids": diffs},
    });
    let config = config.to_string().into_bytes();
    let layer = "application/vnd.oci.image.layer.v1.tar";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor::of(OCI_CONFIG, &config),
        "layers": layers.iter().map(|it| Descriptor::of(layer, it)).collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut descriptor = Descriptor::of(OCI_MANIFEST, &manifest);
    descriptor.platform = Some(platform);
    TestImage { config, layers, children: Vec::new(), manifest, descriptor }
}

/// An index of one image for each platform.
pub fn multi_arch(seed: u64, platforms: &[&str]) -> TestImage {
    let child = |(n, platform): (usize, &&str)| image_for(seed * 100 + n as u64, platform, 2, 600);
    let children: Vec<TestImage> = platforms.iter().enumerate().map(child).collect();
    index_of(children)
}

/// An index of these manifests.
pub fn index_of(children: Vec<TestImage>) -> TestImage {
    let listed: Vec<&Descriptor> = children.iter().map(|child| &child.descriptor).collect();
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed});
    let manifest = manifest.to_string().into_bytes();
    let descriptor = Descriptor::of(OCI_INDEX, &manifest);
    TestImage { config: Vec::new(), layers: Vec::new(), children, manifest, descriptor }
}

/// A manifest of that artifact type that refers to `subject` and has `payload` as its one layer.
pub fn referrer(subject: &Descriptor, artifact_type: &str, payload: &[u8]) -> TestImage {
    let config = b"{}".to_vec();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": Descriptor::of(OCI_EMPTY, &config),
        "layers": [Descriptor::of(artifact_type, payload)],
        "subject": subject.bare(),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut descriptor = Descriptor::of(OCI_MANIFEST, &manifest);
    descriptor.artifact_type = Some(artifact_type.to_owned());
    TestImage { config, layers: vec![payload.to_vec()], children: Vec::new(), manifest, descriptor }
}

/// An attestation manifest of BuildKit about `sibling`, with an image config, so that a loader could make an image of it.
pub fn buildkit_attestation(sibling: &TestImage) -> TestImage {
    let layer = b"{}".to_vec();
    let config = json!({
        "architecture": "unknown", "os": "unknown",
        "rootfs": {"type": "layers", "diff_ids": [Digest::sha256(&layer).to_string()]},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": Descriptor::of(OCI_CONFIG, &config),
        "layers": [Descriptor::of(IN_TOTO, &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let mut descriptor = Descriptor::of(OCI_MANIFEST, &manifest);
    descriptor.platform = Platform::parse("unknown/unknown");
    descriptor.annotations.insert("vnd.docker.reference.type".to_owned(), "attestation-manifest".to_owned());
    descriptor.annotations.insert("vnd.docker.reference.digest".to_owned(), sibling.digest().to_string());
    TestImage { config, layers: vec![layer], children: Vec::new(), manifest, descriptor }
}

impl TestImage {
    /// Its digest.
    pub fn digest(&self) -> Digest {
        self.descriptor.digest
    }

    /// The fallback tag of its referrers.
    pub fn fallback_tag(&self) -> String {
        self.digest().to_string().replace(':', "-")
    }

    /// The config and layers of it and its children.
    pub fn blobs(&self) -> Vec<&[u8]> {
        let own = (!self.config.is_empty()).then_some(&self.config).into_iter().chain(&self.layers);
        own.map(Vec::as_slice).chain(self.children.iter().flat_map(Self::blobs)).collect()
    }

    /// Puts what it lists into a registry, but not itself.
    pub fn put_parts(&self, registry: &Registry, repository: &str) {
        for blob in self.blobs() {
            registry.put_blob(repository, blob);
        }
        for child in &self.children {
            child.put(registry, repository, None);
        }
    }

    /// Puts it into a registry with everything that it lists.
    pub fn put(&self, registry: &Registry, repository: &str, tag: Option<&str>) -> Digest {
        self.put_parts(registry, repository);
        registry.put_manifest(repository, &self.manifest, &self.descriptor.media_type, tag)
    }

    fn write(&self, dir: &Path) {
        let blob = |bytes: &[u8]| fs::write(dir.join("blobs/sha256").join(Digest::sha256(bytes).hex()), bytes);
        self.blobs().into_iter().for_each(|bytes| blob(bytes).expect("a blob"));
        self.children.iter().for_each(|child| child.write(dir));
        blob(&self.manifest).expect("a manifest");
    }
}

/// Writes an OCI image layout of the images, each under its name; one without is listed unnamed, as a referrer is.
pub fn layout(dir: &Path, images: &[(Option<&str>, &TestImage)]) {
    fs::create_dir_all(dir.join("blobs/sha256")).expect("a layout");
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a layout");
    let entry = |(name, image): &(Option<&str>, &TestImage)| {
        image.write(dir);
        let mut descriptor = image.descriptor.clone();
        if let Some(name) = name {
            descriptor.annotations.insert("org.opencontainers.image.ref.name".to_owned(), (*name).to_owned());
        }
        serde_json::to_value(descriptor).expect("a descriptor")
    };
    let manifests: Vec<Value> = images.iter().map(entry).collect();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
    fs::write(dir.join("index.json"), index.to_string()).expect("a layout");
}

/// Bytes that do not compress, the same for the same seed. SplitMix64.
pub fn filler(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    };
    let mut out: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    out.truncate(len);
    out
}
