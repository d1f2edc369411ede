//! `ImageConfig`: the platform, layers and labels of an image (OCI image specification, "Image Configuration").

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Platform;
use crate::oci::null::null_is_default;
use crate::oci::platform;

/// The config of an image. OCI image specification, "Image Configuration". Its claims are only as trustworthy as the
/// signature over the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// The creation time, as the config states it.
    pub created: Option<String>,
    /// The digests of the unpacked layers, in order.
    pub diff_ids: Vec<Digest>,
    /// The labels, such as `org.opencontainers.image.version`.
    pub labels: BTreeMap<String, String>,
    /// The platform that the image runs on.
    pub platform: Platform,
}

/// Why content is not a valid image config.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{digest} is not an image config: {error}")]
pub struct ConfigError {
    /// The digest of the content.
    pub digest: Digest,
    /// The error of the JSON reader.
    pub error: JsonError,
}

#[derive(Deserialize)]
struct ConfigWire {
    #[serde(flatten, deserialize_with = "platform::of_config")]
    platform: Platform,
    #[serde(default)]
    created: Option<String>,
    #[serde(default, rename = "author")]
    _author: Option<String>,
    #[serde(default)]
    config: Option<RunWire>,
    rootfs: RootFsWire,
    #[serde(default, rename = "history")]
    _history: Option<Vec<HistoryEntry>>,
}

/// The field names of a config, to check their spelling.
#[derive(Deserialize)]
struct ConfigFields {
    #[serde(rename = "architecture")]
    _architecture: Option<IgnoredAny>,
    #[serde(rename = "author")]
    _author: Option<IgnoredAny>,
    #[serde(rename = "config")]
    _config: Option<IgnoredAny>,
    #[serde(rename = "created")]
    _created: Option<IgnoredAny>,
    #[serde(rename = "history")]
    _history: Option<IgnoredAny>,
    #[serde(rename = "os")]
    _os: Option<IgnoredAny>,
    #[serde(rename = "os.features")]
    _os_features: Option<IgnoredAny>,
    #[serde(rename = "os.version")]
    _os_version: Option<IgnoredAny>,
    #[serde(rename = "rootfs")]
    _rootfs: Option<IgnoredAny>,
    #[serde(rename = "variant")]
    _variant: Option<IgnoredAny>,
}

/// Read completely, so that a config that no container engine would accept is refused here too.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunWire {
    #[serde(default, deserialize_with = "null_is_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, rename = "User")]
    _user: Option<String>,
    #[serde(default, rename = "Env")]
    _env: Option<Vec<Variable>>,
    #[serde(default, rename = "Entrypoint")]
    _entrypoint: Option<Vec<String>>,
    #[serde(default, rename = "Cmd")]
    _cmd: Option<Vec<String>>,
    #[serde(default, rename = "WorkingDir")]
    _working_dir: Option<String>,
    #[serde(default, rename = "StopSignal")]
    _stop_signal: Option<String>,
    #[serde(default, rename = "ExposedPorts")]
    _exposed_ports: Option<BTreeMap<String, EmptyObject>>,
    #[serde(default, rename = "Volumes")]
    _volumes: Option<BTreeMap<String, EmptyObject>>,
}

#[derive(Deserialize)]
struct EmptyObject {}

#[derive(Deserialize)]
struct RootFsWire {
    #[serde(rename = "type")]
    _kind: RootFsType,
    #[serde(deserialize_with = "null_is_default")]
    diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
enum RootFsType {
    #[serde(rename = "layers")]
    Layers,
}

#[derive(Deserialize)]
struct HistoryEntry {
    #[serde(default, rename = "created")]
    _created: Option<String>,
    #[serde(default, rename = "created_by")]
    _created_by: Option<String>,
    #[serde(default, rename = "comment")]
    _comment: Option<String>,
    #[serde(default, rename = "author")]
    _author: Option<String>,
    #[serde(default, rename = "empty_layer")]
    _empty_layer: Option<bool>,
}

/// An environment variable in the form `NAME=value`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Variable;

impl TryFrom<String> for Variable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, _)) if !name.is_empty() => Ok(Self),
            _ => Err(format!("the variable {text:.80?} is not of the form NAME=value")),
        }
    }
}

impl ImageConfig {
    /// Reads the config of an image.
    ///
    /// # Errors
    /// [`ConfigError`] that says what is wrong and where.
    pub fn parse(content: &Content, limits: &Limits) -> Result<Self, ConfigError> {
        // The reader does not see the fields of a structure that is read in parts, so their spelling is checked first.
        let spelled = json::parse::<ConfigFields>(content.bytes(), limits);
        let parsed = spelled.and_then(|_| json::read::<ConfigWire>(content.bytes()));
        let ConfigWire { platform, created, config, rootfs, .. } =
            parsed.map_err(|error| ConfigError { digest: *content.digest(), error })?;
        let labels = config.unwrap_or_default().labels;
        Ok(Self { created, diff_ids: rootfs.diff_ids, labels, platform })
    }
}
