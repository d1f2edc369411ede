//! Attestation manifests of BuildKit: which child of an index is one.

use bulla::limits::Limits;
use bulla::oci::AttestationManifest;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Index;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn blob(kind: &str) -> Value {
    json!({ "mediaType": kind, "digest": DIGEST, "size": 2, "annotations": { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" } })
}

fn manifest(value: &Value) -> Content {
    Content::from_bytes(media_type::OCI_MANIFEST, value.to_string().into_bytes())
}

fn entry(content: &Content, os: &str, about: Option<&str>) -> Value {
    let mut entry = json!({
        "mediaType": media_type::OCI_MANIFEST, "digest": content.digest().to_string(), "size": content.bytes().len(),
        "platform": { "os": os, "architecture": if os == "unknown" { "unknown" } else { "amd64" } },
    });
    if let Some(about) = about {
        entry["annotations"] =
            json!({ "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about });
    }
    entry
}

/// The image of the index, and the statements of BuildKit about it, as both layouts keep them.
fn image() -> Content {
    manifest(
        &json!({ "schemaVersion": 2, "config": blob(media_type::OCI_CONFIG), "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip")] }),
    )
}

fn old_layout() -> Value {
    json!({
        "schemaVersion": 2, "config": blob(media_type::OCI_CONFIG),
        "layers": [blob(media_type::IN_TOTO), blob(media_type::IN_TOTO)],
    })
}

fn new_layout(subject: &Content) -> Value {
    json!({
        "schemaVersion": 2, "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
        "config": blob("application/vnd.oci.empty.v1+json"), "layers": [blob(media_type::IN_TOTO)],
        "subject": { "mediaType": media_type::OCI_MANIFEST, "digest": subject.digest().to_string(), "size": subject.bytes().len() },
    })
}

/// What `entry` is among `siblings`: the number of statements, and `None` for a platform.
fn read(entry: Value, siblings: &[Value], content: &Content) -> Option<usize> {
    let mut entries = siblings.to_vec();
    entries.push(entry);
    let index = json!({ "schemaVersion": 2, "manifests": entries }).to_string();
    let index =
        Index::parse(&Content::from_bytes(media_type::OCI_INDEX, index.into_bytes()), &Limits::DEFAULT).unwrap();
    let all: &[Descriptor] = &index.manifests;
    let found = AttestationManifest::read(all.last().unwrap(), all, content, &Limits::DEFAULT).unwrap()?;
    assert_eq!(found.about(), image().digest());
    for statement in found.statements() {
        assert_eq!(AttestationManifest::claimed_predicate(statement), Some("https://slsa.dev/provenance/v1"));
    }
    Some(found.statements().len())
}

#[test]
fn both_layouts_are_told_from_platforms() {
    let image = image();
    let (about, siblings) = (image.digest().to_string(), [entry(&image, "linux", None)]);
    for (document, statements) in [(old_layout(), 2), (new_layout(&image), 1)] {
        let content = manifest(&document);
        assert_eq!(read(entry(&content, "unknown", Some(&about)), &siblings, &content), Some(statements));
    }
}

/// Each of the conditions alone: what only calls itself an attestation manifest counts as a platform, which must be
/// verified like every other.
#[test]
fn whatever_misses_one_condition_is_a_platform() {
    let image = image();
    let (about, siblings) = (image.digest().to_string(), [entry(&image, "linux", None)]);
    let content = manifest(&old_layout());
    // It is for a platform.
    assert_eq!(read(entry(&content, "linux", Some(&about)), &siblings, &content), None);
    // It has no type, or another.
    assert_eq!(read(entry(&content, "unknown", None), &siblings, &content), None);
    let mut other = entry(&content, "unknown", Some(&about));
    other["annotations"]["vnd.docker.reference.type"] = json!("other");
    assert_eq!(read(other, &siblings, &content), None);
    // It names no sibling, itself, or another attestation manifest.
    assert_eq!(read(entry(&content, "unknown", Some(DIGEST)), &siblings, &content), None);
    assert_eq!(read(entry(&content, "unknown", Some("latest")), &siblings, &content), None);
    let own = content.digest().to_string();
    assert_eq!(read(entry(&content, "unknown", Some(&own)), &siblings, &content), None);
    let unknown = [entry(&image, "unknown", None)];
    assert_eq!(read(entry(&content, "unknown", Some(&about)), &unknown, &content), None);
    // It has a layer that runs, or none at all.
    for layers in [json!([blob(media_type::IN_TOTO), blob("application/vnd.oci.image.layer.v1.tar")]), json!([])] {
        let mut document = old_layout();
        document["layers"] = layers;
        let content = manifest(&document);
        assert_eq!(read(entry(&content, "unknown", Some(&about)), &siblings, &content), None);
    }
    // Its subject is another manifest.
    let foreign = manifest(&new_layout(&content));
    assert_eq!(read(entry(&foreign, "unknown", Some(&about)), &siblings, &foreign), None);
    // The content is that of another entry.
    let other = manifest(&new_layout(&image));
    assert_eq!(read(entry(&content, "unknown", Some(&about)), &siblings, &other), None);
}
