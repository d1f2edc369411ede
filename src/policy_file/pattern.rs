//! `ImagePattern`: which repositories a block of a policy file is for, and which of several blocks decides.
//!
//! The invariant: a pattern matches a whole name, segment by segment and byte for byte, or not at all. Of different
//! patterns that match one name exactly one is the narrowest, so the order of blocks in a file decides nothing.

use std::cmp::Ordering;
use std::cmp::Reverse;
use std::fmt;

use crate::oci::RepositoryName;
use crate::oci::RepositoryNameError;
use crate::oci::repository_name;
use crate::oci::repository_name::DOCKER_HUB;
use crate::text::Untrusted;

/// The repositories that a block is for: `host/segment/…`, normalised as a [`RepositoryName`] is.
///
/// The host is a host, or `*.domain` for every host below it, but not the domain itself. A segment is itself, or `*` for
/// any one segment. `**` is the last segment, and stands for one or more.
///
/// ```
/// use bulla::oci::RepositoryName;
/// use bulla::policy_file::ImagePattern;
///
/// let name = |text| RepositoryName::normalised(text).unwrap();
/// let pattern = ImagePattern::parse("registry.example/prod/**").unwrap();
/// assert!(pattern.matches(&name("registry.example/prod/team/app")));
/// assert!(!pattern.matches(&name("registry.example/prod")), "`**` is at least one segment");
/// assert!(ImagePattern::parse("registry.example/prod-*").is_err(), "a wildcard is a whole segment");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePattern {
    host: HostPattern,
    /// Whether one or more segments follow: `**`.
    rest: bool,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum HostPattern {
    /// Every host below this domain, perhaps with a port.
    Below(String),
    Exact(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Segment {
    Any,
    Exact(String),
}

/// Why a text is not a pattern of images.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImagePatternError {
    /// The host is a wildcard alone.
    #[error("`{0}` would match every registry: a host is itself or `*.domain`")]
    AnyHost(Untrusted),
    /// The domain after `*.` is not one.
    #[error("`{0}`: after `*.` stands a domain, not an address")]
    Domain(Untrusted),
    /// There is no repository after the host.
    #[error("`{0}` has no repository; `{0}/**` is every repository of the host")]
    HostAlone(Untrusted),
    /// `**` is not the last segment.
    #[error("`{0}`: `**` is the last segment only")]
    NotLast(Untrusted),
    /// Without its wildcards it is not the name of a repository.
    #[error(transparent)]
    Repository(RepositoryNameError),
    /// `*` is only a part of a segment.
    #[error("`{0}`: `*` is a whole segment, or the first label of the host")]
    Wildcard(Untrusted),
}

impl ImagePattern {
    /// Reads a pattern, and normalises it as names are.
    ///
    /// # Errors
    /// [`ImagePatternError`].
    pub fn parse(text: &str) -> Result<Self, ImagePatternError> {
        let shown = || Untrusted::new(text);
        let (host, path) = match text.split_once('/') {
            Some((host, path)) if !path.is_empty() => (host, path),
            _ if repository_name::is_registry_host(text) => {
                return Err(ImagePatternError::HostAlone(Untrusted::new(text.trim_end_matches('/'))));
            }
            _ => return Err(ImagePatternError::Repository(RepositoryNameError::NoHost(shown()))),
        };
        let written = host;
        let host = HostPattern::parse(written, &shown)?;
        let (texts, rest): (Vec<_>, _) = match path.strip_suffix("/**") {
            _ if path == "**" => (Vec::new(), true),
            Some(before) => (before.split('/').collect(), true),
            None => (path.split('/').collect(), false),
        };
        let mut segments = Vec::new();
        for segment in &texts {
            segments.push(match *segment {
                "*" => Segment::Any,
                "**" => return Err(ImagePatternError::NotLast(shown())),
                part if part.contains('*') => return Err(ImagePatternError::Wildcard(shown())),
                exact => Segment::Exact(exact.to_owned()),
            });
        }
        // What a wildcard stands for is some label or segment, so the name with one in its place must be valid. The host is
        // checked as it is written: a normalised one may have lost what makes it invalid.
        let sample: Vec<_> = texts.iter().map(|segment| if *segment == "*" { "x" } else { segment }).collect();
        let path = if sample.is_empty() { "x".to_owned() } else { sample.join("/") };
        let sample = match written.strip_prefix("*.") {
            Some(domain) => format!("x.{domain}/{path}"),
            None => format!("{written}/{path}"),
        };
        RepositoryName::normalised(&sample).map_err(|error| ImagePatternError::Repository(error.about(text)))?;
        if host.is_docker_hub() && !rest && segments.len() == 1 {
            segments.insert(0, Segment::Exact("library".to_owned()));
        }
        Ok(Self { host, rest, segments })
    }

    /// Whether the pattern matches the whole `name`.
    pub fn matches(&self, name: &RepositoryName) -> bool {
        self.host.matches(name.host()) && self.segments_match(name)
    }

    fn segments_match(&self, name: &RepositoryName) -> bool {
        let mut names = name.segments();
        for segment in &self.segments {
            match (segment, names.next()) {
                (Segment::Any, Some(_)) => (),
                (Segment::Exact(exact), Some(found)) if exact == found => (),
                _ => return false,
            }
        }
        names.next().is_some() == self.rest
    }

    /// The segments of a name that `**` stands for; `None` if the pattern does not match the name, or has no `**`.
    pub(super) fn rest_of<'n>(&self, name: &'n RepositoryName) -> Option<Vec<&'n str>> {
        (self.rest && self.matches(name)).then(|| name.segments().skip(self.segments.len()).collect())
    }

    /// Whether `**` is its last segment.
    pub const fn has_rest(&self) -> bool {
        self.rest
    }

    /// Whether every name that `other` matches is matched by this pattern, too.
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |(mine, theirs): (&Segment, &Segment)| *mine == Segment::Any || mine == theirs;
        let (mine, theirs) = (self.segments.len(), other.segments.len());
        let long_enough = match self.rest {
            true => theirs > mine || theirs == mine && other.rest,
            false => theirs == mine && !other.rest,
        };
        self.host.covers(&other.host) && long_enough && self.segments.iter().zip(&other.segments).all(covers)
    }

    /// Whether some name is matched by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.segments.len(), other.segments.len());
        // `**` stands for one segment or more.
        let long_enough = match (self.rest, other.rest) {
            (true, true) => true,
            (true, false) => theirs > mine,
            (false, true) => mine > theirs,
            (false, false) => mine == theirs,
        };
        let fits = |(one, two): (&Segment, &Segment)| *one == Segment::Any || *two == Segment::Any || one == two;
        self.host.overlaps(&other.host) && long_enough && self.segments.iter().zip(&other.segments).all(fits)
    }

    /// Which of two patterns decides about a name that both match: [`Ordering::Less`] if it is this one. From the left,
    /// segment by segment, a text is before `*.domain`, a longer domain before a shorter one, both before `*`, and that
    /// before `**`. It is equal only for equal patterns, if both match one name.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.ranks().cmp(&other.ranks())
    }

    fn ranks(&self) -> Vec<(u8, Reverse<usize>)> {
        let host = match &self.host {
            HostPattern::Below(domain) => (1, Reverse(domain.len())),
            HostPattern::Exact(_) => (0, Reverse(0)),
        };
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Any => (2, Reverse(0)),
            Segment::Exact(_) => (0, Reverse(0)),
        });
        let rest = self.rest.then_some((3, Reverse(0)));
        std::iter::once(host).chain(segments).chain(rest).collect()
    }
}

impl HostPattern {
    fn parse(host: &str, shown: &dyn Fn() -> Untrusted) -> Result<Self, ImagePatternError> {
        match host.strip_prefix("*.") {
            Some(domain) if domain.contains('*') => Err(ImagePatternError::Wildcard(shown())),
            Some(domain) => {
                let last = domain.split(':').next().and_then(|name| name.rsplit('.').next()).unwrap_or_default();
                let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
                match numeric || domain.starts_with('[') {
                    true => Err(ImagePatternError::Domain(shown())),
                    false => Ok(Self::Below(normalised_domain(domain))),
                }
            }
            None if matches!(host, "*" | "**") => Err(ImagePatternError::AnyHost(shown())),
            None if host.contains('*') => Err(ImagePatternError::Wildcard(shown())),
            None => Ok(Self::Exact(repository_name::normalised_host(host))),
        }
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Below(domain) => is_below(host, domain),
            Self::Exact(exact) => exact == host,
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(mine), Self::Below(theirs)) => mine == theirs || is_below(theirs, mine),
            (Self::Below(mine), Self::Exact(host)) => is_below(host, mine),
            (Self::Exact(mine), Self::Exact(host)) => mine == host,
            (Self::Exact(_), Self::Below(_)) => false,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(domain), Self::Exact(host)) | (Self::Exact(host), Self::Below(domain)) => {
                is_below(host, domain)
            }
            (one, other) => one.covers(other) || other.covers(one),
        }
    }

    fn is_docker_hub(&self) -> bool {
        matches!(self, Self::Exact(host) if host == DOCKER_HUB)
    }
}

/// The domain as the end of the normalised hosts below it: `corp:443` is no host without its port, and `x.corp:443` is.
fn normalised_domain(domain: &str) -> String {
    let host = repository_name::normalised_authority(&format!("x.{domain}"));
    host.strip_prefix("x.").unwrap_or(&host).to_owned()
}

/// Whether `host` has one or more labels in front of `domain`.
fn is_below(host: &str, domain: &str) -> bool {
    let labels = host.strip_suffix(domain).and_then(|before| before.strip_suffix('.'));
    labels.is_some_and(|labels| !labels.is_empty())
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Below(domain) => write!(f, "*.{domain}")?,
            HostPattern::Exact(host) => f.write_str(host)?,
        }
        for segment in &self.segments {
            match segment {
                Segment::Any => f.write_str("/*")?,
                Segment::Exact(text) => write!(f, "/{text}")?,
            }
        }
        f.write_str(if self.rest { "/**" } else { "" })
    }
}
