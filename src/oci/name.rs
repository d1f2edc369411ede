//! `ImageName`: the unsigned name of an image in a layout or archive: a full reference or any other text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::digest::Digest;
use crate::oci::Reference;
use crate::oci::RegistryReference;
use crate::ordered;

/// The name of an image in a layout or archive: the value of an annotation of its entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(String);

impl ImageName {
    /// `text` as a name; `None` if it is too long or has characters that cannot be shown or typed.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let sound = !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
        sound.then_some(Self(text))
    }

    /// The name of an image in a registry.
    pub fn of(reference: &RegistryReference) -> Self {
        Self(reference.to_string())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a full reference: a registry host, a repository, and a tag or digest. Only such a name is
    /// written into the annotation of containerd, which expects one there.
    pub fn is_full(&self) -> bool {
        // `RegistryReference` adds a missing tag, so a name that changes was not a full reference.
        matches!(self.0.parse(), Ok(Reference::Registry(reference)) if reference.to_string() == self.0)
    }

    /// Whether Docker reads the name as a repository with a tag (`RepoTags` of a docker-archive), such as `app:1.0` and
    /// `host:5000/team/app:1.0`. A tag alone and a name with a digest are not: Docker loads such an image without a name.
    pub fn is_repo_tag(&self) -> bool {
        let whole = |name: &str| Self::new(name).is_some_and(|name| name.is_full());
        tag_of(&self.0).is_some() && (self.is_full() || whole(&format!("docker.io/library/{}", self.0)))
    }

    /// The tag: the part of a full reference after its last colon, or a whole name without colon and slash.
    pub fn tag(&self) -> Option<&str> {
        match tag_of(&self.0) {
            Some(tag) => Some(tag),
            None if !self.0.contains(['/', ':', '@']) => Some(&self.0),
            None => None,
        }
    }

    /// The digest, if the name ends in one.
    pub fn digest(&self) -> Option<Digest> {
        self.0.rsplit_once('@').and_then(|(_, digest)| digest.parse().ok())
    }

    /// Whether `tag_or_digest` is the end of this name: the tag, or whole path components with the tag. For
    /// `host:5000/team/app:1.0` these are `1.0`, `app:1.0` and `team/app:1.0`.
    pub fn ends_with(&self, tag_or_digest: &str) -> bool {
        is_suffix(&self.0, tag_or_digest)
    }

    /// The name as Docker and containerd tell names apart: two names are the same one ([`ImageName::is_same`]) if these are
    /// equal. It is for comparison alone, and not the name that they show.
    pub fn normalized(&self) -> Cow<'_, str> {
        normalized(&self.0)
    }

    /// Whether Docker and containerd normalize both names to the same one: `app:1.0` is `docker.io/library/app:1.0`.
    pub fn is_same(&self, other: &str) -> bool {
        self.0 == other || normalized(&self.0) == normalized(other)
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tag: the part after the last colon of a name that ends in a tag.
pub(crate) fn tag_of(name: &str) -> Option<&str> {
    let (repository, tag) = name.rsplit_once(':')?;
    (!repository.contains('@') && !tag.contains('/')).then_some(tag)
}

/// Whether `tag_or_digest` is the end of `name`, beginning at a path component and including the tag.
pub(crate) fn is_suffix(name: &str, tag_or_digest: &str) -> bool {
    let (Some(before), Some(tag)) = (name.strip_suffix(tag_or_digest), tag_of(name)) else { return false };
    // The colon before a port is no boundary: only the tag alone may begin after a colon.
    before.ends_with('/') || before.ends_with(':') && tag_or_digest == tag
}

/// The name without the registry and path that Docker and containerd add, and with a tag. They take two names for one
/// if this is equal.
pub(crate) fn normalized(name: &str) -> Cow<'_, str> {
    let hub = ["docker.io/", "index.docker.io/", "registry-1.docker.io/"];
    let short = hub.iter().find_map(|hub| name.strip_prefix(hub)).unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let last = short.rsplit('/').next().unwrap_or(short);
    match last.contains([':', '@']) {
        true => Cow::Borrowed(short),
        false => Cow::Owned(format!("{short}:latest")),
    }
}

/// All names that `docker load` and containerd take for this one.
pub(crate) fn equivalent_names(name: &str) -> BTreeSet<String> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let whole = if last.contains(':') { name.to_owned() } else { format!("{name}:latest") };
    let tag = whole.rsplit_once(':').map_or(whole.as_str(), |(_, tag)| tag);
    let short = ["index.docker.io/", "docker.io/"].iter().find_map(|hub| whole.strip_prefix(hub));
    let short = short.unwrap_or(&whole);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let hub = ["index.docker.io/library/", "index.docker.io/", "docker.io/library/", "docker.io/", "library/", ""];
    let spelled = hub.into_iter().map(|prefix| format!("{prefix}{short}"));
    ordered::set(spelled.chain([name.to_owned(), tag.to_owned()]).chain([whole.clone()]))
}

/// The longest name, in bytes: enough for a host, a repository and a digest.
const MAX_NAME_BYTES: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ImageName {
        ImageName::new(text).unwrap()
    }

    #[test]
    fn ends_at_the_boundary_of_a_component() {
        let full = name("localhost:5000/team/app:1.0");
        for tag_or_digest in ["1.0", "app:1.0", "team/app:1.0"] {
            assert!(full.ends_with(tag_or_digest), "{tag_or_digest}");
        }
        for tag_or_digest in
            ["", "0", ".0", "p:1.0", "app", "team/app", "5000/team/app:1.0", ":1.0", "/app:1.0", "am/app:1.0", "2.0"]
        {
            assert!(!full.ends_with(tag_or_digest), "{tag_or_digest}");
        }
        assert!(!name("v1").ends_with("1"));
        assert!(!name("host.example/app@sha256:44").ends_with("44"));
        assert!(!name("host:5000/app").ends_with("5000/app"));
    }

    #[test]
    fn a_full_name_is_one_that_needs_no_completion() {
        for (text, full) in [
            ("localhost:5000/app:1.0", true),
            ("docker.io/library/app:1.0", true),
            ("docker.io/app:1.0", false),
            ("localhost:5000/app", false),
            ("app:1.0", false),
            ("v1", false),
            ("oci:dir:v1", false),
        ] {
            assert_eq!(name(text).is_full(), full, "{text}");
        }
        let digest = "localhost:5000/app@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert!(name(digest).is_full() && name(digest).tag().is_none());
        assert_eq!(name(digest).digest().unwrap().to_string(), digest.split_once('@').unwrap().1);
        assert_eq!(name("localhost:5000/app:1.0").digest(), None);
    }

    #[test]
    fn a_repo_tag_has_a_repository_and_a_tag() {
        for text in ["localhost:5000/app:1.0", "docker.io/library/app:1.0", "app:1.0", "team/app:1.0", "host/app:1.0"] {
            assert!(name(text).is_repo_tag(), "{text}");
        }
        let digest = "localhost:5000/app@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for text in ["1.0", "v1", "localhost:5000/app", "App:1.0", "oci:dir:v1", "app:1.0 x", "../app:1.0", digest] {
            assert!(!name(text).is_repo_tag(), "{text}");
        }
    }

    #[test]
    fn knows_what_docker_completes() {
        assert!(name("app:1.0").is_same("docker.io/library/app:1.0"));
        assert!(name("index.docker.io/library/app").is_same("app:latest"));
        assert!(!name("app:1.0").is_same("localhost:5000/app:1.0"));
        assert!(!name("1.0").is_same("docker.io/library/app:1.0"));
        assert!(!name("team/app:1.0").is_same("app:1.0"));
    }

    #[test]
    fn has_a_tag_or_none() {
        for (text, tag) in [
            ("v1", Some("v1")),
            ("localhost:5000/app:1.0", Some("1.0")),
            ("app:1.0", Some("1.0")),
            ("localhost:5000/app", None),
            ("team/app", None),
        ] {
            assert_eq!(name(text).tag(), tag, "{text}");
        }
    }

    #[test]
    fn is_no_name_that_cannot_be_shown() {
        for text in ["", "a\nb", "a\u{1b}[31m", &"a".repeat(2_000)] {
            assert!(ImageName::new(text).is_none(), "{text:?}");
        }
    }
}
