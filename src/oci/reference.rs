//! `Reference`: the transport, location and tag or digest of an image.

mod mistake;
mod mistyped;
mod parse;
pub(super) mod syntax;

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::digest::DigestError;
use crate::text::Untrusted;

pub use mistake::ReferenceMistake;

/// The location of an image, as people type it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// `docker-archive:FILE[:NAME]`: an archive of `docker save`. Read only.
    DockerArchive(LocalReference),
    /// `oci:DIR[:NAME]` or `oci:DIR@sha256:…`: an OCI image layout in a directory.
    Layout(LocalReference),
    /// `oci-archive:FILE[:NAME]` or `oci-archive:FILE@sha256:…`: a tar of an OCI image layout.
    LayoutArchive(LocalReference),
    /// `host/repo:tag` or `host/repo@sha256:…`, with or without `docker://`.
    Registry(RegistryReference),
}

/// A path on this machine, and perhaps an image in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalReference {
    /// The file or directory.
    pub path: PathBuf,
    /// The image; if it is omitted, there must be exactly one.
    pub tag_or_digest: Option<TagOrDigest>,
}

/// An image in a registry. The host is always required: short names are not resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryReference {
    host: String,
    repository: String,
    tag_or_digest: TagOrDigest,
}

/// The tag or digest of an image in a repository or layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagOrDigest {
    /// A digest, which identifies exactly one image.
    Digest(Digest),
    /// A tag, which may move. In a layout, the value of `org.opencontainers.image.ref.name`.
    Tag(String),
}

/// Why a text is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The text after the `@` is not a digest.
    #[error("`{text}`: {error}")]
    Digest {
        /// The text that was typed.
        text: String,
        /// The error in the digest.
        error: DigestError,
    },
    /// A repository or tag does not match the grammar of the distribution specification.
    #[error("`{text}` is not an image reference: {reason}")]
    Form {
        /// The text that was typed.
        text: String,
        /// The rule that it breaks.
        reason: ReferenceFault,
    },
    /// There is no registry host in front.
    #[error("`{text}` names no registry host; for Docker Hub type `docker.io/{hub}`")]
    Host {
        /// The text that was typed.
        text: String,
        /// The reference to the repository on Docker Hub.
        hub: String,
    },
    /// Something other than a reference whose meaning is recognized, such as a URL or a path.
    #[error("{}", .mistake.about(.text))]
    Mistyped {
        /// The text that was typed, without what may be a password.
        text: String,
        /// The mistake in it.
        mistake: ReferenceMistake,
        /// A corrected text to type.
        hint: String,
    },
    /// The transport is not supported.
    #[error("`{text}`: unknown transport `{transport}:`; there are oci:, oci-archive:, docker-archive: and docker://")]
    Transport {
        /// A corrected text to type, if there is one.
        hint: Option<String>,
        /// The text that was typed.
        text: String,
        /// The text before the colon.
        transport: String,
    },
}

/// The rule of the grammar that a reference breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceFault {
    /// The path or name has control characters.
    #[error("it has control characters")]
    ControlCharacters,
    /// The name after the path is empty.
    #[error("the name after the colon is empty")]
    EmptyName,
    /// The host is neither a host name nor an address.
    #[error("`{0}` is no host name")]
    Host(Untrusted),
    /// The last label of the host is a number, and the host is not an IPv4 address as it is printed.
    #[error(
        "`{0}` ends in a number and is not an IPv4 address of four decimal numbers without leading zeros, such as 192.0.2.1"
    )]
    Ipv4(Untrusted),
    /// The host is an IPv4 address inside an IPv6 address.
    #[error("an IPv4 address inside an IPv6 address: write {0}")]
    Ipv4Mapped(Ipv4Addr),
    /// The path is empty.
    #[error("no path is given")]
    NoPath,
    /// The repository does not match the grammar of `<name>` (OCI distribution specification, "Pulling manifests").
    #[error("a repository is lower-case letters and digits, with single . _ - or __ between them")]
    Repository,
    /// The tag does not match the grammar of `<reference>` (OCI distribution specification, "Pulling manifests").
    #[error("a tag is at most 128 letters, digits, _ . or -, and does not begin with . or -")]
    Tag,
    /// Host and repository are longer than 255 characters.
    #[error("host and repository are longer than 255 characters")]
    TooLong,
}

impl ReferenceError {
    /// A corrected text to type, if there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Mistyped { hint, .. } => Some(hint),
            Self::Transport { hint, .. } => hint.as_deref(),
            Self::Digest { .. } | Self::Form { .. } | Self::Host { .. } => None,
        }
    }
}

impl RegistryReference {
    /// The host and perhaps the port, as typed: `docker.io`, `127.0.0.1:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository, without the host.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag or digest in the repository.
    pub fn tag_or_digest(&self) -> &TagOrDigest {
        &self.tag_or_digest
    }

    /// The reference to another image of the same repository.
    pub fn with(&self, tag_or_digest: TagOrDigest) -> Self {
        Self { host: self.host.clone(), repository: self.repository.clone(), tag_or_digest }
    }

    /// The repository name `host/repository`, as cosign signs it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl Reference {
    /// The tag or digest, if the reference has one.
    pub fn tag_or_digest(&self) -> Option<&TagOrDigest> {
        match self {
            Self::Registry(registry) => Some(&registry.tag_or_digest),
            Self::DockerArchive(local) | Self::Layout(local) | Self::LayoutArchive(local) => {
                local.tag_or_digest.as_ref()
            }
        }
    }

    /// The reference to another image at the same location.
    pub fn with(&self, tag_or_digest: TagOrDigest) -> Self {
        let local = |local: &LocalReference, tag_or_digest| LocalReference {
            path: local.path.clone(),
            tag_or_digest: Some(tag_or_digest),
        };
        match self {
            Self::DockerArchive(place) => Self::DockerArchive(local(place, tag_or_digest)),
            Self::Layout(place) => Self::Layout(local(place, tag_or_digest)),
            Self::LayoutArchive(place) => Self::LayoutArchive(local(place, tag_or_digest)),
            Self::Registry(place) => Self::Registry(place.with(tag_or_digest)),
        }
    }

    /// The location without tag or digest: `host/repository`, `oci:DIR`.
    pub fn location(&self) -> String {
        let local = |transport: &str, local: &LocalReference| format!("{transport}:{}", Path::display(&local.path));
        match self {
            Self::DockerArchive(place) => local("docker-archive", place),
            Self::Layout(place) => local("oci", place),
            Self::LayoutArchive(place) => local("oci-archive", place),
            Self::Registry(registry) => registry.name(),
        }
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        match &self.tag_or_digest {
            TagOrDigest::Digest(digest) => write!(f, "@{digest}"),
            TagOrDigest::Tag(tag) => write!(f, ":{tag}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, local) = match self {
            Self::Registry(registry) => return registry.fmt(f),
            Self::DockerArchive(local) => ("docker-archive", local),
            Self::Layout(local) => ("oci", local),
            Self::LayoutArchive(local) => ("oci-archive", local),
        };
        write!(f, "{transport}:{}", Path::display(&local.path))?;
        match &local.tag_or_digest {
            Some(TagOrDigest::Digest(digest)) => write!(f, "@{digest}"),
            Some(TagOrDigest::Tag(tag)) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Tag(tag) => f.write_str(tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn reads_what_people_type() {
        for (typed, printed) in [
            ("registry.example/app:1.0", "registry.example/app:1.0"),
            ("docker://registry.example/team/app:1.0", "registry.example/team/app:1.0"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
            ("localhost/app:x", "localhost/app:x"),
            ("docker.io/alpine:3", "docker.io/library/alpine:3"),
            ("oci:dir", "oci:dir"),
            ("oci:a/b:v1", "oci:a/b:v1"),
            ("oci:a/b:registry.example/app:v1", "oci:a/b:registry.example/app:v1"),
            ("oci-archive:x.tar:v1", "oci-archive:x.tar:v1"),
            ("docker-archive:x.tar", "docker-archive:x.tar"),
        ] {
            assert_eq!(typed.parse::<Reference>().unwrap().to_string(), printed);
        }
        for place in ["registry.example/app", "oci:dir", "oci-archive:x.tar"] {
            let typed = format!("{place}@{DIGEST}");
            assert_eq!(typed.parse::<Reference>().unwrap().to_string(), typed);
        }
        // The digest takes precedence over a tag beside it, and over a name in a layout.
        let named = format!("oci:a/b:registry.example/app@{DIGEST}").parse::<Reference>().unwrap();
        assert_eq!(named.to_string(), format!("oci:a/b@{DIGEST}"));
        let both = format!("registry.example/app:1.0@{DIGEST}").parse::<Reference>().unwrap();
        assert_eq!(both.to_string(), format!("registry.example/app@{DIGEST}"));
    }

    #[test]
    fn pins_a_place_to_a_digest() {
        for (typed, place) in [
            ("registry.example/team/app:1.0", "registry.example/team/app"),
            ("oci:a/b:registry.example/app:v1", "oci:a/b"),
            ("oci:a/b", "oci:a/b"),
            ("oci-archive:x.tar:v1", "oci-archive:x.tar"),
        ] {
            let reference = typed.parse::<Reference>().unwrap();
            assert_eq!(reference.location(), place);
            let pinned = reference.with(TagOrDigest::Digest(DIGEST.parse().unwrap())).to_string();
            assert_eq!(pinned, format!("{place}@{DIGEST}"));
            assert_eq!(pinned.parse::<Reference>().unwrap().to_string(), pinned);
        }
    }

    // Every reference that is accepted here is also accepted by another implementation of the grammar, with the same
    // parts.
    #[test]
    fn reads_nothing_that_the_reference_grammar_does_not() {
        let hosts = ["registry.example", "localhost:5000", "127.0.0.1", "A.b-c", "-a.b", "a..b", "a.b:99999"];
        let paths =
            ["app", "a/b", "a_b", "a__b", "a___b", "a.b", "a..b", "a--b", "a-_b", "-a", "a-", "A", "a//b", "é", ""];
        let tags = ["", ":v1", ":_x", ":.x", ":-x", ":V1.0-rc_1", ":", ":é", ":a:b"];
        let mut read = 0;
        for number in 0..hosts.len() * paths.len() * tags.len() {
            let (host, rest) = (hosts[number % hosts.len()], number / hosts.len());
            let (path, tag) = (paths[rest % paths.len()], tags[rest / paths.len()]);
            let text = format!("{host}/{path}{tag}");
            let Ok(Reference::Registry(ours)) = text.parse::<Reference>() else { continue };
            read += 1;
            let theirs =
                oci_spec::distribution::Reference::try_from(text.as_str()).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!((ours.host(), ours.repository()), (theirs.registry(), theirs.repository()), "{text}");
            assert_eq!(ours.tag_or_digest(), &TagOrDigest::Tag(theirs.tag().unwrap_or("latest").to_owned()), "{text}");
        }
        assert_eq!(read, 4 * 6 * 4);
    }

    // (threats: repository-in-another-spelling)
    #[test]
    fn an_ipv4_address_has_one_spelling() {
        for host in [
            "127.1",
            "127.1:5000",
            "127.0.1:5000",
            "2130706433:5000",
            "0x7f000001:5000",
            "0x7f.0.0.1",
            "0X7F.1:5000",
            "127.0.0.0x1",
            "0177.0.0.1",
            "127.0.0.01",
            "127.0.0.256",
            "1.2.3.4.5",
            "registry.example.1",
            "registry.0x",
            "[::ffff:127.0.0.1]:5000",
            "[::FFFF:7f00:1]",
            "[0:0:0:0:0:ffff:127.0.0.1]:5000",
        ] {
            let error = format!("{host}/app:v1").parse::<Reference>().expect_err(host);
            let ReferenceError::Form { reason, .. } = &error else { panic!("{host}: {error}") };
            match host.starts_with('[') {
                true => assert_eq!(*reason, ReferenceFault::Ipv4Mapped(Ipv4Addr::LOCALHOST), "{host}"),
                false => assert_eq!(*reason, ReferenceFault::Ipv4(Untrusted::new(host)), "{host}"),
            }
        }
        for host in [
            "127.0.0.1:5000",
            "10.0.0.1",
            "255.255.255.255",
            "1.registry.example",
            "0x7f.example",
            "registry.0xg",
            "registry.1a",
            "[::1]:5000",
            "[::7f00:1]",
        ] {
            let Ok(Reference::Registry(read)) = format!("{host}/app:v1").parse() else { panic!("{host} was refused") };
            assert_eq!(read.host(), host);
        }
    }

    // They are refused before any request (threats: name-steers-request).
    #[test]
    fn refuses_names_that_could_steer_a_request() {
        for text in [
            "",
            "app",
            "team/app:1",
            "registry.example/",
            "registry.example/../etc",
            "registry.example/a/../b",
            "registry.example/a%2fb",
            "registry.example/App",
            "registry.example/app:",
            "registry.example/app:a b",
            "registry.example/app?x=y",
            "registry.example/app#x",
            "registry.example/app\n",
            "user@registry.example/app",
            "http://registry.example/app",
            "registry.example/app@sha256:1234",
            "registry.example/app@md5:d41d8cd98f00b204e9800998ecf8427e",
            "registry.example/app@",
            "oci:",
            "oci:dir:",
            "oci:dir@sha256:12",
            "dir:x",
            "docker-daemon:x",
            &format!("registry.example/{}", "a".repeat(300)),
            &format!("registry.example/app:{}", "a".repeat(129)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?} was accepted");
        }
    }
}
