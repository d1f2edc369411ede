//! Media types that are read and written, named as in their specifications.

/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The empty JSON object `{}`, the config of a manifest that needs none.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Docker's image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest list, schema 2.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The withdrawn artifact manifest of the OCI image specification before 1.1. Registries still hold some.
pub const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// The artifact manifest of ORAS, its predecessor.
pub const ORAS_ARTIFACT: &str = "application/vnd.cncf.oras.artifact.manifest.v1+json";
/// A Sigstore bundle of version 0.3, as the media type of a layer and as artifact type.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The prefix of every media type of a Sigstore bundle.
pub const SIGSTORE_BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
/// A cosign v2 simple signing payload.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A cosign v2 signature manifest stored as a referrer (`--registry-referrers-mode=oci-1-1`).
pub const COSIGN_SIGNATURE_ARTIFACT: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// A DSSE envelope, as cosign v2 stores attestations.
pub const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// An in-toto statement, the payload type of the DSSE envelopes that we read.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The artifact type of a signature of the Notary Project.
pub const NOTARY_SIGNATURE: &str = "application/vnd.cncf.notary.signature";
/// The payload of an envelope of the Notary Project.
pub const NOTARY_PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// A JWS envelope of the Notary Project.
pub const NOTARY_JWS: &str = "application/jose+json";
/// A COSE envelope of the Notary Project.
pub const NOTARY_COSE: &str = "application/cose";
/// The predicate type of an image signature of cosign v3.
pub const COSIGN_SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Whether `media_type` names an index, of OCI or Docker.
pub fn is_index(media_type: &str) -> bool {
    media_type == OCI_INDEX || media_type == DOCKER_INDEX
}

/// Whether `media_type` names the config of an image, of OCI or Docker.
pub fn is_image_config(media_type: &str) -> bool {
    media_type == OCI_CONFIG || media_type == DOCKER_CONFIG
}

/// Whether `media_type` names an image manifest, of OCI or Docker.
pub fn is_manifest(media_type: &str) -> bool {
    media_type == OCI_MANIFEST || media_type == DOCKER_MANIFEST
}

/// Whether `media_type` names one of the withdrawn artifact manifests.
pub fn is_artifact(media_type: &str) -> bool {
    media_type == OCI_ARTIFACT || media_type == ORAS_ARTIFACT
}

/// Whether `media_type` names any kind of manifest that bulla reads.
pub fn is_read(media_type: &str) -> bool {
    is_index(media_type) || is_manifest(media_type) || is_artifact(media_type)
}

/// Whether `media_type` names a layer that registries need not hold: a non-distributable layer of OCI, a foreign layer
/// of Docker.
pub fn is_foreign(media_type: &str) -> bool {
    const FOREIGN: [&str; 2] =
        ["application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign."];
    FOREIGN.iter().any(|prefix| media_type.starts_with(prefix))
}
