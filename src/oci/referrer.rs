//! The signature manifests that are written: a referrer (OCI 1.1), and cosign's `.sig` tag.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::SerializeMap as _;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::ordered;
use crate::time::Time;

/// The largest envelope that is also embedded in the `data` field of its descriptor, in bytes.
pub const INLINE_LIMIT: usize = 64 << 10;

/// The annotation with the SHA-256 of each certificate of a Notary Project signature, as a JSON list of hexadecimal texts.
pub const NOTARY_THUMBPRINTS: &str = "io.cncf.notary.x509chain.thumbprint#S256";
/// The annotation with the creation time of a manifest.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The annotation with the kind of content of a Sigstore bundle.
pub const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
/// The annotation that repeats the predicate type of a Sigstore bundle.
pub const BUNDLE_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
/// The annotation of a cosign v2 layer that holds the signature, in base64.
pub const COSIGN_SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation of a cosign v2 layer that holds the entry of a transparency log, as JSON with a signed entry timestamp.
pub const COSIGN_BUNDLE: &str = "dev.sigstore.cosign/bundle";
/// The annotation of a cosign v2 layer that holds the certificate of the signer, as PEM.
pub const COSIGN_CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation of a cosign v2 layer that holds the issuers of the certificate, as PEM.
pub const COSIGN_CHAIN: &str = "dev.sigstore.cosign/chain";
/// The annotation of a cosign v2 layer that holds an RFC 3161 timestamp, in JSON.
pub const COSIGN_TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// The annotation of a cosign v2 attestation layer that repeats its predicate type.
pub const COSIGN_PREDICATE_TYPE: &str = "predicateType";

/// The content `{}` of the config of a manifest that needs none.
pub fn empty_config() -> Content {
    Content::from_bytes(media_type::OCI_EMPTY, b"{}".to_vec())
}

/// The tag under which a registry without the referrers API keeps the list of referrers of `digest`. OCI distribution
/// specification, "Referrers Tag Schema": the algorithm cut to 32 characters, the encoded part to 64.
pub fn fallback_tag(digest: &Digest) -> String {
    let encoded: String = digest.hex().chars().take(64).collect();
    format!("{}-{encoded}", digest.algorithm().name())
}

/// The tag where cosign v2 stores the signatures (`sig`), attestations (`att`) or SBOMs (`sbom`) of `digest`.
pub fn cosign_tag(digest: &Digest, suffix: &str) -> String {
    format!("{}-{}.{suffix}", digest.algorithm().name(), digest.hex())
}

/// Whether a tag belongs to signatures or a list of referrers: cosign's tags and the fallback tag.
pub fn is_auxiliary_name(name: &str) -> bool {
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    let (stem, suffix) = tag.split_once('.').unwrap_or((tag, ""));
    let encoded = stem.split_once('-').filter(|(algorithm, _)| matches!(*algorithm, "sha256" | "sha512"));
    let of_digest = encoded.is_some_and(|(_, hex)| hex.len() >= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    of_digest && matches!(suffix, "" | "sig" | "att" | "sbom")
}

/// The tags of signatures and lists of referrers of `digest`: those that [`is_auxiliary_name`] recognises.
pub(crate) fn auxiliary_tags(digest: &Digest) -> [String; 4] {
    [fallback_tag(digest), cosign_tag(digest, "sig"), cosign_tag(digest, "att"), cosign_tag(digest, "sbom")]
}

/// A bounded copy of an entry of a list of referrers: its digest and media type, and its annotations if they are short,
/// else only those by which a list is sorted. These are unverified claims of any length; the manifest itself decides.
pub fn bounded_entry(entry: Descriptor) -> Descriptor {
    const FEW: usize = 512;
    let short = |text: &String| text.len() <= 255;
    let words: usize = entry.annotations.iter().map(|(key, value)| key.len().saturating_add(value.len())).sum();
    let mut kept = entry.bare();
    kept.artifact_type = entry.artifact_type.filter(short);
    kept.annotations = entry.annotations;
    if words > FEW {
        kept.annotations.retain(|key, value| [BUNDLE_PREDICATE_TYPE, CREATED].contains(&key.as_str()) && short(value));
    }
    kept
}

/// The manifest that attaches the Sigstore bundle `bundle` to `subject` as a referrer, in cosign's field order
/// (`docs/formats/referrers.md`).
///
/// # Errors
/// [`JsonError`] never happens for these types, but is not swallowed.
pub fn bundle_manifest(
    subject: &Subject,
    bundle: &Content,
    predicate_type: &str,
    created: Time,
) -> Result<Content, JsonError> {
    let annotations = ordered::map([
        (BUNDLE_CONTENT.to_owned(), "dsse-envelope".to_owned()),
        (BUNDLE_PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
        (CREATED.to_owned(), created.to_string()),
    ]);
    bundle_manifest_with(subject, bundle, media_type::SIGSTORE_BUNDLE, annotations)
}

/// [`bundle_manifest`] of a bundle with this media type, with these annotations.
///
/// # Errors
/// As [`bundle_manifest`].
pub fn bundle_manifest_with(
    subject: &Subject,
    bundle: &Content,
    media_type: &str,
    annotations: BTreeMap<String, String>,
) -> Result<Content, JsonError> {
    let mut layer = Descriptor::of(media_type, bundle.bytes());
    if bundle.bytes().len() <= INLINE_LIMIT {
        layer.data = Some(bundle.bytes().to_vec());
    }
    let mut config = empty_config().descriptor().clone();
    config.artifact_type = Some(media_type.to_owned());
    let wire = WrittenManifest {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        config,
        layers: vec![layer],
        annotations,
        subject: Some(subject.descriptor().clone()),
        artifact_type: Some(media_type),
    };
    Ok(Content::from_bytes(media_type::OCI_MANIFEST, json::to_go(&wire)?))
}

/// The config of a `.sig` manifest with these layers, byte for byte as cosign writes it.
///
/// # Errors
/// As [`bundle_manifest`].
pub fn signature_config(layers: &[Descriptor]) -> Result<Content, JsonError> {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let config = SignatureConfig {
        architecture: "",
        created: NEVER,
        history: layers.iter().map(|_| WrittenHistory { created: NEVER }).collect(),
        os: "",
        rootfs: WrittenRootFs { kind: "layers", diff_ids: layers.iter().map(|layer| layer.digest).collect() },
        config: EmptyConfig,
    };
    Ok(Content::from_bytes(media_type::OCI_CONFIG, json::to_go(&config)?))
}

/// The manifest at a `.sig` tag with these layers, byte for byte as cosign writes it.
///
/// # Errors
/// As [`bundle_manifest`].
pub fn signature_manifest(config: &Content, layers: Vec<Descriptor>) -> Result<Content, JsonError> {
    let wire = WrittenManifest {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        config: config.descriptor().clone(),
        layers,
        annotations: BTreeMap::new(),
        subject: None,
        artifact_type: None,
    };
    Ok(Content::from_bytes(media_type::OCI_MANIFEST, json::to_go(&wire)?))
}

/// A manifest that attaches `layers` to `subject` and references nothing else. Of `annotations` it keeps those by which
/// a list of referrers is sorted.
///
/// # Errors
/// As [`bundle_manifest`].
pub fn referrer_manifest(
    subject: &Descriptor,
    artifact_type: &str,
    layers: Vec<Descriptor>,
    annotations: &BTreeMap<String, String>,
) -> Result<Content, JsonError> {
    let kept = |key: &str| Some((key.to_owned(), annotations.get(key)?.clone()));
    let wire = WrittenManifest {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        config: empty_config().descriptor().clone(),
        layers,
        annotations: [BUNDLE_CONTENT, BUNDLE_PREDICATE_TYPE, CREATED].into_iter().filter_map(kept).collect(),
        subject: Some(subject.bare()),
        artifact_type: Some(artifact_type),
    };
    Ok(Content::from_bytes(media_type::OCI_MANIFEST, json::to_go(&wire)?))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenManifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
}

#[derive(Serialize)]
struct SignatureConfig {
    architecture: &'static str,
    created: &'static str,
    history: Vec<WrittenHistory>,
    os: &'static str,
    rootfs: WrittenRootFs,
    config: EmptyConfig,
}

#[derive(Serialize)]
struct WrittenHistory {
    created: &'static str,
}

#[derive(Serialize)]
struct WrittenRootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<Digest>,
}

struct EmptyConfig;

impl Serialize for EmptyConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The bytes are those of a `.sig` image made by cosign 3.1.1 over the same payload digest.
    #[test]
    fn writes_the_signature_image_of_cosign() {
        let payload = "sha256:468927e88f40454672396ee6abaeb3e1d1d0f44c7f3e6a414508bba8703549df".parse().unwrap();
        let mut layer = Descriptor::new(media_type::SIMPLE_SIGNING, payload, 254);
        layer.annotations.insert(
            COSIGN_SIGNATURE.into(),
            "MEQCIAFf1+JkwG/jMsBDTeXR4fWsnfEv9M5MMOEcRQS85P6pAiAjlPnO7N9IOLBUGwkI1pftzzGZIAvTDiAx7v54qvtp+A==".into(),
        );
        let config = signature_config(std::slice::from_ref(&layer)).unwrap();
        assert_eq!(config.bytes().len(), 233);
        assert_eq!(config.digest().hex(), "828c84ff7eac3c6c44f2b952dd2fcc102ff306ee77403bc69bbf287d31af8a4c");
        let manifest = signature_manifest(&config, vec![layer]).unwrap();
        assert_eq!(manifest.digest().hex(), "e7c120f2a310bfb7ec28c3fdb5b01f050220d209cca5fc2b3c5692301b65f6b6");
    }

    // The bytes are those of a referrer made by cosign 3.1.1, but for the inlined `data`.
    #[test]
    fn writes_the_referrer_of_cosign() {
        let image = Content::from_bytes(media_type::OCI_MANIFEST, vec![b'x'; 401]);
        let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, b"{}".to_vec());
        let created = Time::parse("2026-11-20T16:01:10Z").unwrap();
        let manifest =
            bundle_manifest(&Subject::of(&image), &bundle, media_type::COSIGN_SIGN_PREDICATE, created).unwrap();
        let text = String::from_utf8(manifest.bytes().to_vec()).unwrap().replace(r#","data":"e30=""#, "");
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let bundle_type = media_type::SIGSTORE_BUNDLE;
        let subject = image.digest();
        assert_eq!(
            text,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"{empty}","artifactType":"{bundle_type}"}},"layers":[{{"mediaType":"{bundle_type}","size":2,"digest":"{empty}"}}],"annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","org.opencontainers.image.created":"2026-11-20T16:01:10Z"}},"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":401,"digest":"{subject}"}},"artifactType":"{bundle_type}"}}"#
            )
        );
    }

    // A list may have a thousand entries with 64 KiB of annotations each.
    #[test]
    fn keeps_a_few_words_of_an_entry() {
        let mut entry = Descriptor::new("a/b", Digest::sha256(b""), 1);
        let mut say = |key: &str, length: usize| drop(entry.annotations.insert(key.to_owned(), "x".repeat(length)));
        say(CREATED, 20);
        say(BUNDLE_PREDICATE_TYPE, 255);
        say("few", 512 - 20 - 255 - CREATED.len() - BUNDLE_PREDICATE_TYPE.len() - 3);
        assert_eq!(bounded_entry(entry.clone()), entry);
        entry.annotations.insert("few".to_owned(), "x".repeat(512));
        entry.artifact_type = Some("x".repeat(256));
        entry.data = Some(vec![0; 1_000]);
        let kept = bounded_entry(entry.clone());
        assert_eq!(kept.annotations.keys().collect::<Vec<_>>(), [BUNDLE_PREDICATE_TYPE, CREATED]);
        assert_eq!((kept.artifact_type, kept.data), (None, None));
        entry.annotations.insert(BUNDLE_PREDICATE_TYPE.to_owned(), "x".repeat(256));
        assert_eq!(bounded_entry(entry).annotations.keys().collect::<Vec<_>>(), [CREATED]);
    }

    #[test]
    fn names_tags_as_the_specification_does() {
        let short = Digest::sha256(b"{}");
        assert_eq!(fallback_tag(&short), "sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        let long = Digest::of(crate::digest::DigestAlgorithm::Sha512, b"{}");
        assert_eq!(fallback_tag(&long).len(), "sha512-".len() + 64);
        assert!(cosign_tag(&short, "sig").ends_with("aaff8a.sig"));
    }
}
