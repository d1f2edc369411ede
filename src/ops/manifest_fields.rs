//! The fields that a signature manifest may have. Only a manifest without other fields is copied as received.
//!
//! A signature manifest is not signed itself. A field, annotation or value that its format does not have would be unsigned
//! data that others may read: for example, another `subject` makes the manifest a referrer of another image.

use serde_json::Map;
use serde_json::Value;

use crate::envelope::Form;
use crate::envelope::base64;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Manifest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::time::Time;

/// The location of a signature manifest. It decides which fields the manifest may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignaturePlace {
    /// A referrer of the image.
    Referrer,
    /// At a `.sig` tag.
    Tag,
}

/// Whether `manifest`, parsed as `received`, has only the fields and annotations of its format, with permitted values, and
/// exactly `config`.
pub(super) fn has_only_known_fields(
    manifest: &Content,
    received: &Manifest,
    config: &Content,
    place: SignaturePlace,
) -> bool {
    let Ok(Value::Object(fields)) = serde_json::from_slice(manifest.bytes()) else { return false };
    let known: &[&str] = match place {
        SignaturePlace::Referrer => {
            &["schemaVersion", "mediaType", "config", "layers", "annotations", "subject", "artifactType"]
        }
        SignaturePlace::Tag => &["schemaVersion", "mediaType", "config", "layers"],
    };
    let layers = fields.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let subject = fields.get("subject").and_then(Value::as_object);
    has_only(&fields, known)
        && manifest.descriptor().media_type == media_type::OCI_MANIFEST
        && fields.get("config").and_then(Value::as_object).is_some_and(|got| is_config(got, received, config, place))
        && layers.len() == received.layers.len()
        && layers.iter().zip(&received.layers).all(|(got, layer)| is_layer(got, layer))
        && match place {
            SignaturePlace::Referrer => {
                subject.is_some_and(|subject| has_only(subject, &DESCRIPTOR))
                    && received.artifact_type == artifact_type(received)
                    && received.annotations.iter().all(|(key, value)| is_annotation(key, value))
            }
            SignaturePlace::Tag => true,
        }
}

/// The artifact type of a referrer with these layers.
pub(super) fn artifact_type(received: &Manifest) -> String {
    match received.layers.first() {
        Some(layer) => Form::artifact_type_of(&layer.media_type).to_owned(),
        None => received.artifact_type.clone(),
    }
}

/// Whether a signature manifest may have this annotation.
pub(super) fn is_annotation(key: &str, value: &str) -> bool {
    match key {
        referrer::BUNDLE_CONTENT => ["dsse-envelope", "message-signature"].contains(&value),
        referrer::BUNDLE_PREDICATE_TYPE => value == media_type::COSIGN_SIGN_PREDICATE,
        referrer::CREATED => Time::parse(value).is_some(),
        referrer::NOTARY_THUMBPRINTS => is_thumbprint_list(value),
        _ => false,
    }
}

/// Whether `value` is a JSON list of SHA-256 digests in hexadecimal.
fn is_thumbprint_list(value: &str) -> bool {
    let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    serde_json::from_str::<Vec<String>>(value).is_ok_and(|list| list.iter().all(is_digest))
}

/// A layer reduced to media type, digest, size and the annotations of its format. Cosign keeps the signature in one of them.
pub(super) fn known_layer_fields(layer: &Descriptor) -> Descriptor {
    let mut plain = layer.bare();
    let known = layer.annotations.iter().filter(|(key, _)| is_layer_annotation(layer, key));
    plain.annotations = known.map(|(key, value)| (key.clone(), value.clone())).collect();
    plain
}

fn is_layer(got: &Value, layer: &Descriptor) -> bool {
    let known = ["mediaType", "size", "digest", "annotations", "data"];
    got.as_object().is_some_and(|got| has_only(got, &known))
        && layer.annotations.keys().all(|key| is_layer_annotation(layer, key))
}

fn is_layer_annotation(layer: &Descriptor, key: &str) -> bool {
    Form::of_layer(&layer.media_type).is_some_and(|form| form.carries_annotation(key))
}

fn is_config(got: &Map<String, Value>, received: &Manifest, config: &Content, place: SignaturePlace) -> bool {
    let text = |key: &str| got.get(key).and_then(Value::as_str);
    let own = received.config.media_type == config.descriptor().media_type;
    let (known, named): (&[&str], _) = match place {
        SignaturePlace::Referrer => {
            let known = &["mediaType", "size", "digest", "data", "artifactType"];
            (known, own || received.config.media_type == received.artifact_type)
        }
        SignaturePlace::Tag => (&["mediaType", "size", "digest", "data"], own),
    };
    has_only(got, known)
        && named
        && received.config.digest == *config.digest()
        && received.config.size == config.descriptor().size
        && (!got.contains_key("artifactType") || text("artifactType") == Some(&received.artifact_type))
        && (!got.contains_key("data")
            || text("data").and_then(|data| base64::decode("data", data).ok()).as_deref() == Some(config.bytes()))
}

fn has_only(fields: &Map<String, Value>, known: &[&str]) -> bool {
    fields.keys().all(|key| known.contains(&key.as_str()))
}

const DESCRIPTOR: [&str; 3] = ["mediaType", "size", "digest"];
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::limits::Limits;
    use crate::oci::Subject;

    fn at_tag() -> (Content, Content) {
        let mut layer = Descriptor::of(media_type::SIMPLE_SIGNING, b"claim");
        layer.annotations = BTreeMap::from([(referrer::COSIGN_SIGNATURE.to_owned(), "AAAA".to_owned())]);
        let config = referrer::signature_config(std::slice::from_ref(&layer)).unwrap();
        (referrer::signature_manifest(&config, vec![layer]).unwrap(), config)
    }

    fn as_referrer() -> (Content, Content) {
        let subject = Subject::of(&Content::from_bytes(media_type::OCI_MANIFEST, b"image".to_vec()));
        let bundle = Content::from_bytes(media_type::SIGSTORE_BUNDLE, b"bundle".to_vec());
        let made = Time::from_unix(0).unwrap();
        let manifest = referrer::bundle_manifest(&subject, &bundle, media_type::COSIGN_SIGN_PREDICATE, made).unwrap();
        (manifest, referrer::empty_config())
    }

    fn plain(manifest: &Value, config: &Content, place: SignaturePlace) -> bool {
        let content = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        let read = Manifest::parse(&content, &Limits::DEFAULT);
        read.is_ok_and(|read| has_only_known_fields(&content, &read, config, place))
    }

    /// `manifest` with a value at `pointer`, or each of its fields.
    fn with(manifest: &Value, pointer: &str, value: &Value) -> Value {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut changed = manifest.clone();
        let fields = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        fields.insert(key.replace("~1", "/"), value.clone());
        changed
    }

    fn others() -> Vec<(&'static str, Value)> {
        let image = json!(Descriptor::of(media_type::OCI_MANIFEST, b"another image"));
        vec![
            ("/payload", json!("smuggled")),
            ("/urls", json!(["https://evil.example/"])),
            ("/annotations", json!({ "evil": "unsigned text" })),
            ("/artifactType", json!("application/vnd.evil")),
            ("/config/data", json!("QUFBQQ==")),
            ("/config/urls", json!(["https://evil.example/"])),
            ("/config/annotations", json!({ "evil": "unsigned text" })),
            ("/config/platform", json!({ "os": "linux", "architecture": "amd64" })),
            ("/config/artifactType", json!("application/vnd.evil")),
            ("/config/mediaType", json!("application/vnd.evil")),
            ("/config/evil", json!(1)),
            ("/layers/0/urls", json!(["https://evil.example/"])),
            ("/layers/0/platform", json!({ "os": "linux", "architecture": "amd64" })),
            ("/layers/0/artifactType", json!("application/vnd.evil")),
            ("/layers/0/annotations", json!({ "evil": "unsigned text" })),
            ("/layers/0/evil", json!({})),
            ("/config", image),
        ]
    }

    #[test]
    fn a_manifest_with_any_other_field_or_value_is_not_copied_as_received() {
        for (place, (content, config)) in [(SignaturePlace::Tag, at_tag()), (SignaturePlace::Referrer, as_referrer())] {
            let manifest: Value = serde_json::from_slice(content.bytes()).unwrap();
            assert!(plain(&manifest, &config, place), "{place:?}: {manifest}");
            let other = json!(Descriptor::of(media_type::OCI_MANIFEST, b"another image"));
            let mut changes = others();
            match place {
                SignaturePlace::Tag => changes.push(("/subject", other)),
                SignaturePlace::Referrer => {
                    for field in ["urls", "annotations", "data", "platform", "artifactType", "evil"] {
                        let value = match field {
                            "urls" => json!(["https://evil.example/"]),
                            "annotations" => json!({ "evil": "text" }),
                            "data" => json!("aW1hZ2U="),
                            "platform" => json!({ "os": "linux", "architecture": "amd64" }),
                            _ => json!("application/vnd.evil"),
                        };
                        let pointer = ["/subject/", field].concat();
                        assert!(!plain(&with(&manifest, &pointer, &value), &config, place), "{pointer}");
                    }
                    for key in [referrer::BUNDLE_CONTENT, referrer::BUNDLE_PREDICATE_TYPE, referrer::CREATED, "evil"] {
                        let pointer = ["/annotations/", &key.replace('/', "~1")].concat();
                        assert!(!plain(&with(&manifest, &pointer, &json!("evil")), &config, place), "{pointer}");
                    }
                    let mut without = manifest.clone();
                    without.as_object_mut().unwrap().remove("subject");
                    assert!(!plain(&without, &config, place));
                }
            }
            for (pointer, value) in changes {
                assert!(!plain(&with(&manifest, pointer, &value), &config, place), "{place:?}: {pointer}");
            }
            // The config may be inlined, with exactly its own bytes.
            let data = {
                use ::base64::engine::general_purpose::STANDARD;
                ::base64::Engine::encode(&STANDARD, config.bytes())
            };
            assert!(plain(&with(&manifest, "/config/data", &json!(data)), &config, place), "{place:?}");
        }
    }
}
