//! `Platform`: operating system, architecture and variant, as images state them and as people type them.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;

use crate::oci::null::null_is_default;

/// The platform that an image runs on: operating system and processor. OCI image specification, "Image Index".
///
/// It is written `os/architecture[/variant]`, or as containerd does with the version of the operating system,
/// `os(version)/architecture[/variant]`: `windows(10.0.20348)/amd64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Platform {
    /// The processor architecture, a value of Go's GOARCH; empty if the image does not state it.
    pub architecture: String,
    /// The operating system, a value of Go's GOOS; empty if the image does not state it.
    pub os: String,
    /// The version of the operating system.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The required features of the operating system.
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The variant of the processor, such as `v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A platform in a document, where an empty field counts as missing.
#[derive(Deserialize)]
struct PlatformWire {
    #[serde(default, deserialize_with = "named")]
    architecture: Option<String>,
    #[serde(default, deserialize_with = "named")]
    os: Option<String>,
    #[serde(default, rename = "os.version", deserialize_with = "null_is_default")]
    os_version: String,
    #[serde(default, rename = "os.features", deserialize_with = "null_is_default")]
    os_features: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    variant: String,
}

impl PlatformWire {
    /// Both fields that the specification requires, or an error that names the missing one.
    fn required<E: serde::de::Error>(self) -> Result<Platform, E> {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Platform {
            architecture: self.architecture.ok_or_else(|| E::missing_field("architecture"))?,
            os: self.os.ok_or_else(|| E::missing_field("os"))?,
            os_version: filled(self.os_version),
            os_features: self.os_features,
            variant: filled(self.variant),
        })
    }

    /// Whether every field is missing or empty: such a platform counts as none.
    fn is_empty(&self) -> bool {
        let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
        let rest = self.os_version.is_empty() && self.os_features.is_empty() && self.variant.is_empty();
        empty(&self.architecture) && empty(&self.os) && self.architecture.is_some() == self.os.is_some() && rest
    }
}

/// The platform of a descriptor; `null`, `{}` and one with only empty fields are no platform.
pub(super) fn of_descriptor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Platform>, D::Error> {
    match Option::<PlatformWire>::deserialize(deserializer)? {
        Some(wire) if !wire.is_empty() => wire.required::<D::Error>().map(Some),
        _ => Ok(None),
    }
}

/// The platform of an image config, where it is required.
pub(super) fn of_config<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Platform, D::Error> {
    PlatformWire::deserialize(deserializer)?.required()
}

/// A field that is present, even as `null`, which Go reads as an empty string.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    null_is_default(deserializer).map(Some)
}

impl Platform {
    /// Whether an image for this platform satisfies the platform `wanted` that somebody typed. Parts that `wanted`
    /// omits match anything; a variant that the image omits is the default of its architecture (`arm64` means `v8`).
    pub fn satisfies(&self, wanted: &Self) -> bool {
        let usual = match self.architecture.as_str() {
            "amd64" => Some("v1"),
            "arm" => Some("v7"),
            "arm64" => Some("v8"),
            _ => None,
        };
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty()).or(usual);
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || variant == wanted.variant.as_deref())
            && wanted.os_version.as_deref().is_none_or(|wanted| self.has_version(wanted))
    }

    /// Whether the version of the operating system is `wanted` or a revision of it: `10.0.20348` also matches
    /// `10.0.20348.2340`.
    fn has_version(&self, wanted: &str) -> bool {
        let revision = |rest: &str| rest.is_empty() || rest.starts_with('.');
        self.os_version.as_deref().and_then(|has| has.strip_prefix(wanted)).is_some_and(revision)
    }

    /// Whether operating system and processor are unknown. BuildKit lists its attestations in an index as manifests for
    /// the platform `unknown/unknown`.
    pub fn is_unknown(&self) -> bool {
        shown(&self.os) == UNKNOWN && shown(&self.architecture) == UNKNOWN
    }

    /// Parses `os[(version)]/architecture[/variant]`.
    pub fn parse(text: &str) -> Option<Self> {
        let word = |text: &str| !text.is_empty() && !text.contains(['(', ')']);
        let mut parts = text.split('/');
        let system = parts.next()?;
        let (os, version) = match system.strip_suffix(')') {
            Some(opened) => opened.split_once('(').map(|(os, version)| (os, Some(version)))?,
            None => (system, None),
        };
        let architecture = parts.next()?;
        let variant = parts.next();
        let full = parts.next().is_none();
        let words = [Some(os), version, Some(architecture), variant].into_iter().flatten().all(word);
        (full && words).then(|| Self {
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            os_version: version.map(str::to_owned),
            os_features: Vec::new(),
            variant: variant.map(str::to_owned),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(shown(&self.os))?;
        self.os_version.iter().try_for_each(|version| write!(f, "({version})"))?;
        write!(f, "/{}", shown(&self.architecture))?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// The text of a field, or `unknown` if it is empty, as containerd and BuildKit write it.
fn shown(text: &str) -> &str {
    if text.is_empty() { UNKNOWN } else { text }
}

/// The value that builders write if there is no platform.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::limits::Limits;
    use crate::oci::Descriptor;

    #[test]
    fn reads_a_platform_as_it_is_typed() {
        let arm = Platform::parse("linux/arm64/v8").unwrap();
        assert_eq!(arm.to_string(), "linux/arm64/v8");
        assert!(arm.satisfies(&Platform::parse("linux/arm64").unwrap()));
        // An image without a variant has the default variant.
        assert!(Platform::parse("linux/arm64").unwrap().satisfies(&arm));
        assert!(!Platform::parse("linux/arm64").unwrap().satisfies(&Platform::parse("linux/arm64/v9").unwrap()));
        assert!(!Platform::parse("linux/arm").unwrap().satisfies(&Platform::parse("linux/arm/v6").unwrap()));
        assert!(!Platform::parse("linux/riscv64").unwrap().satisfies(&Platform::parse("linux/riscv64/v1").unwrap()));
        for text in [
            "linux",
            "linux/",
            "/arm64",
            "linux/arm64/",
            "linux/arm64/v8/x",
            "",
            "windows()/amd64",
            "(10)/amd64",
            "windows(10/amd64",
            "windows10)/amd64",
            "windows(1)(2)/amd64",
            "windows/amd64(10)",
        ] {
            assert_eq!(Platform::parse(text), None, "{text:?} was accepted");
        }
    }

    #[test]
    fn a_version_means_its_revisions_too() {
        let parse = |text| Platform::parse(text).unwrap();
        let windows = parse("windows(10.0.20348.2340)/amd64");
        assert_eq!(windows.to_string(), "windows(10.0.20348.2340)/amd64");
        assert_eq!(windows.os_version.as_deref(), Some("10.0.20348.2340"));
        for yes in ["windows/amd64", "windows(10.0.20348)/amd64", "windows(10.0.20348.2340)/amd64", "windows(10)/amd64"]
        {
            assert!(windows.satisfies(&parse(yes)), "{yes}");
        }
        for no in ["windows(10.0.2034)/amd64", "windows(10.0.17763)/amd64", "windows(10.0.20348.2340.1)/amd64"] {
            assert!(!windows.satisfies(&parse(no)), "{no}");
        }
        // An image without a version matches no version.
        assert!(!parse("windows/amd64").satisfies(&parse("windows(10.0.20348)/amd64")));
    }

    #[test]
    fn an_empty_platform_is_none() {
        let read = |platform: &str| {
            let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
            let text = format!(r#"{{"mediaType":"a/b","size":2,"digest":"{digest}","platform":{platform}}}"#);
            json::parse::<Descriptor>(text.as_bytes(), &Limits::DEFAULT).map(|descriptor| descriptor.platform)
        };
        for none in [
            "null",
            "{}",
            r#"{"os":"","architecture":""}"#,
            r#"{"os":null,"architecture":null,"os.version":null,"os.features":null,"variant":null}"#,
            r#"{"os":"","architecture":"","os.version":"","variant":"","os.features":[]}"#,
        ] {
            assert_eq!(read(none).unwrap(), None, "{none}");
        }
        for (platform, text) in [
            (r#"{"os":"","architecture":"amd64"}"#, "unknown/amd64"),
            (r#"{"os":"linux","architecture":""}"#, "linux/unknown"),
            (r#"{"os":"linux","architecture":"arm","variant":""}"#, "linux/arm"),
            (
                r#"{"os":"windows","architecture":"amd64","os.version":"10.0.1","os.features":null}"#,
                "windows(10.0.1)/amd64",
            ),
        ] {
            assert_eq!(read(platform).unwrap().unwrap().to_string(), text, "{platform}");
        }
        // A platform requires both fields.
        for wrong in [r#"{"os":"linux"}"#, r#"{"architecture":"arm"}"#, r#"{"variant":"v7"}"#, "[]", r#"{"os":1}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
