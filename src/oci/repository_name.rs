//! `RepositoryName`: the normalised name of a repository, `host/repository`, by which policies choose what is required.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::limits;
use crate::oci::ReferenceFault;
use crate::oci::RegistryReference;
use crate::oci::reference::syntax;
use crate::text::Untrusted;

/// The name of a repository in a registry, normalised, so that two names of one repository are equal:
///
/// - The host is in lower case, and without the port 443, which is the default of HTTPS; other ports are kept.
/// - The names of Docker Hub (`index.docker.io`, `registry-1.docker.io`) are `docker.io`, and its repositories without a
///   namespace are in `library/`.
///
/// An address of IPv4 has one spelling, four decimal numbers without leading zeros; every other one is no name. Nothing
/// else is known of two names for one server: an alias in DNS, `localhost`, and port 80 over plain HTTP are other names.
///
/// It has no tag and no digest. Names are compared byte for byte.
///
/// ```
/// use bulla::oci::RepositoryName;
///
/// let name = RepositoryName::normalised("Registry.Example:443/team/app").unwrap();
/// assert_eq!(name.to_string(), "registry.example/team/app");
/// assert_eq!(RepositoryName::normalised("index.docker.io/alpine").unwrap().to_string(), "docker.io/library/alpine");
/// assert!(RepositoryName::normalised("registry.example/team/app:v1").is_err(), "a tag is no part of a name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    host: String,
    repository: String,
}

/// Why a text is not the name of a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryNameError {
    /// It has a digest.
    #[error("`{0}` has a digest, and the name of a repository has none")]
    Digest(Untrusted),
    /// A part does not match the grammar of the distribution specification.
    #[error("`{text}` is not the name of a repository: {fault}")]
    Form {
        /// The rule that it breaks.
        fault: ReferenceFault,
        /// The text.
        text: Untrusted,
    },
    /// There is no registry host in front: short names are not resolved.
    #[error("`{0}` names no registry host; Docker Hub is `docker.io`")]
    NoHost(Untrusted),
    /// It has a tag.
    #[error("`{0}` has a tag, and the name of a repository has none")]
    Tag(Untrusted),
}

impl RepositoryNameError {
    /// The same error, about the text that was given.
    pub(crate) fn about(self, text: &str) -> Self {
        let text = Untrusted::new(text);
        match self {
            Self::NoHost(_) => Self::NoHost(text),
            Self::Digest(_) => Self::Digest(text),
            Self::Form { fault, .. } => Self::Form { fault, text },
            Self::Tag(_) => Self::Tag(text),
        }
    }
}

impl RepositoryName {
    /// Reads `host/repository`, and normalises it.
    ///
    /// # Errors
    /// [`RepositoryNameError`] for everything else: a text without a host, with a tag, with a digest, or outside the
    /// grammar of the OCI distribution specification, "Pulling manifests".
    pub fn normalised(text: &str) -> Result<Self, RepositoryNameError> {
        let shown = || Untrusted::new(text);
        let form = |fault| RepositoryNameError::Form { fault, text: shown() };
        if text.contains('@') {
            return Err(RepositoryNameError::Digest(shown()));
        }
        let (host, repository) = text.split_once('/').ok_or_else(|| RepositoryNameError::NoHost(shown()))?;
        if !is_registry_host(host) {
            return Err(RepositoryNameError::NoHost(shown()));
        }
        syntax::check_host(host).map_err(form)?;
        if repository.contains(':') {
            return Err(RepositoryNameError::Tag(shown()));
        }
        if !repository.split('/').all(syntax::is_component) {
            return Err(form(ReferenceFault::Repository));
        }
        let name = Self::of_parts(host, repository);
        match limits::count(name.host.len()).saturating_add(limits::count(name.repository.len())) > LONGEST {
            true => Err(form(ReferenceFault::TooLong)),
            false => Ok(name),
        }
    }

    /// The name of the repository that a reference is to.
    pub fn of(reference: &RegistryReference) -> Self {
        Self::of_parts(reference.host(), reference.repository())
    }

    fn of_parts(host: &str, repository: &str) -> Self {
        let host = normalised_host(host);
        let repository = match host == DOCKER_HUB && !repository.contains('/') {
            true => format!("library/{repository}"),
            false => repository.to_owned(),
        };
        Self { host, repository }
    }

    /// The host and perhaps the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository, without the host.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The segments of the repository, at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.repository.split('/')
    }
}

/// The name of Docker Hub as a registry.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Whether a text before the first slash is a host, and not the namespace of a short name.
pub(crate) fn is_registry_host(text: &str) -> bool {
    text.contains(['.', ':']) || text.eq_ignore_ascii_case("localhost")
}

/// A host in lower case, without the port 443, and Docker Hub by one name.
pub(crate) fn normalised_host(host: &str) -> String {
    let host = normalised_authority(host);
    match DOCKER_HUB_ALIASES.contains(&host.as_str()) {
        true => DOCKER_HUB.to_owned(),
        false => host,
    }
}

/// A host in lower case, without the port 443. The port of a host that would not be one without it is kept:
/// `registry:443`. Addresses of IPv6 and ports are written as they are printed; what is not a port is kept as it is, so
/// that no other host comes of it.
pub(crate) fn normalised_authority(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    let port = lower.rsplit_once(':').and_then(|(name, port)| Some((name, port_number(port)?)));
    let (name, port) = port.map_or((lower.as_str(), None), |(name, port)| (name, Some(port)));
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let name = match address.map(str::parse::<Ipv6Addr>) {
        Some(Ok(address)) => format!("[{address}]"),
        Some(Err(_)) | None => name.to_owned(),
    };
    match port {
        None => name,
        Some(HTTPS) if is_registry_host(&name) => name,
        Some(port) => format!("{name}:{port}"),
    }
}

/// The number of a port, without a sign; `None` for every other text.
fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl FromStr for RepositoryName {
    type Err = RepositoryNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::normalised(text)
    }
}

impl From<&RegistryReference> for RepositoryName {
    fn from(reference: &RegistryReference) -> Self {
        Self::of(reference)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)
    }
}

/// Other names of Docker Hub as a registry.
const DOCKER_HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// The default port of HTTPS.
const HTTPS: u16 = 443;
/// The most characters of host and repository: the OCI distribution specification names it as what clients support.
const LONGEST: u64 = 255;

#[cfg(test)]
mod tests {
    use super::*;

    /// No text loses its port and is another host then, even where nobody has checked that it is a host.
    #[test]
    fn what_is_not_a_port_is_kept() {
        for (host, want) in [
            ("Registry.example:443", "registry.example"),
            ("registry.example:05000", "registry.example:5000"),
            ("registry.example:5000O", "registry.example:5000o"),
            ("registry.example:70000", "registry.example:70000"),
            ("registry.example:", "registry.example:"),
            ("registry.example:+443", "registry.example:+443"),
            ("registry.example:443:x", "registry.example:443:x"),
            ("[0:0::1]", "[::1]"),
            ("[0:0::1]:443", "[::1]"),
            ("[0:0::1]:x", "[0:0::1]:x"),
        ] {
            assert_eq!(normalised_authority(host), want, "{host}");
        }
    }
}
