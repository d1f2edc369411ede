//! `Descriptor`: the media type, digest and size of content.

use std::collections::BTreeMap;

use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::Serialize;

use crate::digest::Digest;
use crate::oci::Platform;
use crate::oci::null::null_is_default;
use crate::oci::platform;

/// A content descriptor. OCI image specification, "Content Descriptors".
///
/// Serialised in the field order that cosign writes: media type, size, digest, then the optional fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type.
    #[serde(deserialize_with = "wire::media_type")]
    pub media_type: String,
    /// The length of the content, in bytes.
    #[serde(deserialize_with = "wire::size")]
    pub size: u64,
    /// The digest of the content.
    pub digest: Digest,
    /// URLs of other copies. Never fetched (threats: foreign-layer-url).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "wire::urls")]
    pub urls: Vec<String>,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub annotations: BTreeMap<String, String>,
    /// The content itself, embedded if it is small. It is not trusted: it is checked against size and digest like any
    /// other copy.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "standard_base64")]
    pub data: Option<Vec<u8>>,
    /// The platform that the content is for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "platform::of_descriptor")]
    pub platform: Option<Platform>,
    /// The artifact type, as a list of referrers states it. A hint: the manifest decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    /// The descriptor of `bytes`, with their SHA-256 digest.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }

    /// A descriptor with the three required fields.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            size,
            digest,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            platform: None,
            artifact_type: None,
        }
    }

    /// The fields by which content is fetched and checked: digest, size and media type. Lists are deduplicated by all
    /// of them, so that an entry with a wrong size or media type does not hide the right entry for the same digest
    /// (threats: mislabelled-list-entry).
    pub(crate) fn identity(&self) -> (Digest, u64, String) {
        (self.digest, self.size, self.media_type.clone())
    }

    /// A descriptor of the same content with the three required fields only.
    pub fn bare(&self) -> Self {
        Self::new(&self.media_type, self.digest, self.size)
    }
}

/// The rules of the image specification for the fields of a descriptor, which other implementations enforce.
mod wire {
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::de::Error as _;

    pub(super) fn media_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let text = String::deserialize(deserializer)?;
        let first = |part: &str| part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.len() <= 127;
        // The character set of the JSON schema of the specification, which writes it as a range and so accepts a few
        // more than RFC 6838.
        let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#' | b'$' | b'&'..=b'^' | b'_');
        let named = text.split_once('/').is_some_and(|(kind, subtype)| first(kind) && first(subtype));
        match named && text.bytes().all(rest) {
            true => Ok(text),
            false => Err(D::Error::custom(format!("the media type {text:.80?} is not of the form `type/subtype`"))),
        }
    }

    /// Refuses a size that does not fit into 63 bits, since no other implementation can read it.
    pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let size = u64::deserialize(deserializer)?;
        match i64::try_from(size) {
            Ok(_) => Ok(size),
            Err(_) => Err(D::Error::custom(format!("the size {size} is beyond every file"))),
        }
    }

    pub(super) fn urls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        let urls = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
        match urls.iter().find(|url| !is_absolute(url)) {
            Some(url) => Err(D::Error::custom(format!("{url:.80?} is not a URL"))),
            None => Ok(urls),
        }
    }

    /// Whether `url` is absolute: a scheme and something after it. RFC 3986 section 3.
    fn is_absolute(url: &str) -> bool {
        let scheme = |scheme: &str| {
            let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(rest)
        };
        let parts = url.split_once(':');
        parts.is_some_and(|(name, rest)| scheme(name) && !rest.is_empty()) && url.bytes().all(|byte| byte > b' ')
    }
}

mod standard_base64 {
    use super::Deserialize;
    use base64::Engine as _;

    use super::STANDARD;

    pub(super) fn serialize<S: serde::Serializer>(data: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match data {
            Some(data) => serializer.collect_str(&STANDARD.encode(data)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_field_order_of_cosign() {
        let mut descriptor = Descriptor::of("text/plain", b"hi");
        descriptor.annotations.insert("b".into(), "2".into());
        descriptor.annotations.insert("a".into(), "1".into());
        descriptor.data = Some(b"hi".to_vec());
        let text = serde_json::to_string(&descriptor).unwrap();
        assert_eq!(
            text,
            r#"{"mediaType":"text/plain","size":2,"digest":"sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4","annotations":{"a":"1","b":"2"},"data":"aGk="}"#
        );
        assert_eq!(serde_json::from_str::<Descriptor>(&text).unwrap(), descriptor);
    }
}
