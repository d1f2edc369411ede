//! `BuildSource`: the repository, branch or tag, and commit that a build started from, in one spelling.

use std::fmt;

use crate::text::Untrusted;

/// The source that a build started from: what a policy compares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildSource {
    /// The commit, in lower-case hexadecimal.
    pub commit: Option<String>,
    /// The branch or tag as the builder states it, usually in full: `refs/heads/main`.
    pub reference: Option<String>,
    /// The repository.
    pub repository: SourceRepository,
}

/// A repository of source code in its normalised form, host and path: `github.com/example/app`.
///
/// The scheme (`git+https`, `https`, `ssh`), the user of SSH, default ports, the suffix `.git` and a slash at the end are
/// dropped, and the host is in lower case. The path is compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceRepository(String);

/// Why the source of a build is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceUnknown {
    /// Two fields of the provenance name different sources.
    #[error("the provenance names two different sources")]
    Ambiguous,
    /// The source is not a repository that can be compared.
    #[error("the source {found:?} {fault}")]
    Malformed {
        /// What is wrong with it.
        fault: RepositoryFault,
        /// The source, as the provenance has it.
        found: Untrusted,
    },
    /// The build type says where the source stands, and nothing stands there.
    #[error("the provenance states no source")]
    NotStated,
    /// The build type is not in the table, so it is not known which field names the source. The source is never guessed
    /// from the dependencies.
    #[error("the build type {0:?} is not known, so it is not known which field names the source")]
    UnknownBuildType(Untrusted),
}

/// Why a text is not a repository of source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryFault {
    /// It has a character that no repository has, or one that could be read in two ways: `%`, `?`, `\`.
    #[error("has a character that is not supported in a repository")]
    Character,
    /// The host is missing, or is no host name.
    #[error("has no valid host")]
    Host,
    /// The path is missing, or has an empty segment, `.` or `..`.
    #[error("has no valid path")]
    Path,
    /// It names its branch, tag or commit in two ways that differ.
    #[error("names two branches, tags or commits")]
    References,
    /// The scheme is not `https` or `ssh`.
    #[error("has a scheme other than https and ssh")]
    Scheme,
    /// The scheme is `http` or `git`: nothing proves that the source came from that host.
    #[error("was fetched without authentication of the host")]
    Unauthenticated,
    /// It has a user name or password, which only SSH URLs have.
    #[error("has a user name")]
    User,
}

impl SourceUnknown {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous-source",
            Self::Malformed { .. } => "malformed-source",
            Self::NotStated => "no-source",
            Self::UnknownBuildType(_) => "unknown-build-type",
        }
    }
}

impl SourceRepository {
    /// A repository as an operator writes it, with or without a scheme, and without a branch or tag.
    ///
    /// # Errors
    /// [`RepositoryFault`].
    pub fn parse(text: &str) -> Result<Self, RepositoryFault> {
        let bare = !text.contains("://") && scp(text).is_none();
        let given = if bare { format!("https://{text}") } else { text.to_owned() };
        match split(&given)? {
            (repository, None) => Ok(repository),
            (_, Some(_)) => Err(RepositoryFault::Character),
        }
    }

    /// The normalised form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BuildSource {
    /// The source at `uri`, whose branch, tag or commit stands behind `@` (SPDX download locations) or `#` (BuildKit),
    /// with the branch, tag and commit that other fields state.
    ///
    /// # Errors
    /// [`SourceUnknown::Malformed`] if it is not a repository, or the parts contradict each other.
    pub(super) fn of(uri: &str, reference: Option<&str>, commit: Option<&str>) -> Result<Self, SourceUnknown> {
        let malformed = |fault| SourceUnknown::Malformed { fault, found: Untrusted::within(uri, SHOWN) };
        let (repository, own) = split(uri).map_err(malformed)?;
        let mut source = Self { commit: None, reference: None, repository };
        for text in [own, reference].into_iter().flatten() {
            // Tekton writes the commit as `sha1:…`.
            let text = text.strip_prefix("sha1:").unwrap_or(text);
            let slot = if is_commit(text) { &mut source.commit } else { &mut source.reference };
            add(slot, text).map_err(malformed)?;
        }
        if let Some(commit) = commit.filter(|commit| is_commit(commit)) {
            add(&mut source.commit, commit).map_err(malformed)?;
        }
        match source.reference.as_deref().is_none_or(is_reference) {
            true => Ok(source),
            false => Err(malformed(RepositoryFault::Character)),
        }
    }

    /// Whether a branch or tag that somebody else states in full is the one of this source. `main` is the branch or the
    /// tag with that name.
    pub(super) fn has_reference(&self, full: &str) -> bool {
        self.reference.as_deref().is_none_or(|own| {
            let short = full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/"));
            own == full || !own.starts_with("refs/") && short == Some(own)
        })
    }
}

/// Whether `text` is the hash of a commit by SHA-1 or SHA-256, in lower-case hexadecimal.
pub(super) fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn add(slot: &mut Option<String>, text: &str) -> Result<(), RepositoryFault> {
    match slot {
        Some(other) if other != text => Err(RepositoryFault::References),
        Some(_) => Ok(()),
        None => {
            *slot = Some(text.to_owned());
            Ok(())
        }
    }
}

/// Whether `text` can be the name of a branch or tag. git-check-ref-format(1), the characters.
fn is_reference(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() || !byte.is_ascii())
        && !text.contains(['~', '^', ':', '?', '*', '[', '\\'])
        && !text.contains("..")
}

/// A repository, and what stands behind `@` or `#`.
fn split(uri: &str) -> Result<(SourceRepository, Option<&str>), RepositoryFault> {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let (location, fragment) = match uri.split_once('#') {
        Some((location, fragment)) => (location, Some(fragment)),
        None => (uri, None),
    };
    let (ssh, authority, path) = match (location.split_once("://"), scp(location)) {
        (Some((scheme, rest)), _) => {
            let ssh = match scheme {
                "https" => false,
                "ssh" => true,
                "git" | "http" => return Err(RepositoryFault::Unauthenticated),
                _ => return Err(RepositoryFault::Scheme),
            };
            let (authority, path) = rest.split_once('/').ok_or(RepositoryFault::Path)?;
            (ssh, authority, path)
        }
        (None, Some((authority, path))) => (true, authority, path),
        (None, None) => return Err(RepositoryFault::Scheme),
    };
    let (path, at) = match path.split_once('@') {
        Some((path, reference)) => (path, Some(reference)),
        None => (path, None),
    };
    // BuildKit writes a folder of the repository behind the reference: `#main:folder`.
    let hash = fragment.map(|text| text.split_once(':').map_or(text, |(reference, _)| reference));
    let reference = match (at, hash.filter(|text| !text.is_empty())) {
        (Some(one), Some(other)) if one != other => return Err(RepositoryFault::References),
        (one, other) => one.or(other),
    };
    let (host, path) = (host(authority, ssh)?, checked_path(path)?);
    Ok((SourceRepository(format!("{host}/{path}")), reference))
}

/// The user and host, and the path, of `user@host:path`, which SSH takes for a URL.
fn scp(text: &str) -> Option<(&str, &str)> {
    let (authority, path) = text.split_once(':')?;
    let user = authority.contains('@') && !authority.contains('/');
    (user && !path.starts_with("//")).then_some((authority, path))
}

fn host(authority: &str, ssh: bool) -> Result<String, RepositoryFault> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if ssh && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) => {
            host
        }
        Some(_) => return Err(RepositoryFault::User),
        None => authority,
    };
    let host = host.to_ascii_lowercase();
    let default = if ssh { ":22" } else { ":443" };
    let host = host.strip_suffix(default).unwrap_or(&host);
    let (name, port) = host.split_once(':').unwrap_or((host, "1"));
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
    };
    let port = !port.starts_with('0') && port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    match name.split('.').all(label) && port {
        true => Ok(host.to_owned()),
        false => Err(RepositoryFault::Host),
    }
}

fn checked_path(path: &str) -> Result<&str, RepositoryFault> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if !path.bytes().all(inside) {
        return Err(RepositoryFault::Character);
    }
    match path.split('/').all(|segment| !matches!(segment, "" | "." | "..")) {
        true => Ok(path),
        false => Err(RepositoryFault::Path),
    }
}

/// The longest source that a message quotes, in characters.
const SHOWN: usize = 200;
