//! `PackageUrl`: a package URL (purl), parsed strictly and compared in its canonical form. Package URL specification,
//! ECMA-427.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use crate::text::Untrusted;

/// A package URL (purl): type, namespace, name, version, qualifiers and subpath, percent-decoded and canonical.
///
/// ```
/// use bulla::predicate::PackageUrl;
///
/// let installed: PackageUrl = "pkg:deb/debian/zlib1g@1.2.13?distro=debian-12&arch=amd64".parse()?;
/// let any: PackageUrl = "pkg:DEB/Debian/zlib1g".parse()?;
/// assert!(any.covers(&installed) && !installed.covers(&any));
/// # Ok::<(), bulla::predicate::PackageUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageUrl {
    kind: String,
    name: String,
    /// The segments of the namespace, joined with `/`; empty without one.
    namespace: String,
    /// Sorted by key; no key stands twice, no value is empty.
    qualifiers: Vec<(String, String)>,
    subpath: Option<String>,
    version: Option<String>,
}

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {fault}")]
pub struct PackageUrlError {
    /// What is wrong with it.
    pub fault: PackageUrlFault,
    /// The text.
    pub text: Untrusted,
}

/// What is wrong with a text that is not a package URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageUrlFault {
    /// A percent sign without two hexadecimal digits, not UTF-8, or an encoded `/` or control character.
    #[error("its percent-encoding is wrong")]
    Encoding,
    /// The name is missing.
    #[error("it has no name")]
    Name,
    /// A qualifier is not `key=value`, or its key stands twice.
    #[error("its qualifiers are not key=value, each once")]
    Qualifiers,
    /// It does not begin with `pkg:`.
    #[error("it does not begin with `pkg:`")]
    Scheme,
    /// The type is missing or has other characters than letters, digits, `.`, `+` and `-`.
    #[error("its type is missing or has wrong characters")]
    Type,
}

impl PackageUrl {
    /// The type of the package: `deb`, `npm`, `oci`, in lower case.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name of the package.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, if it has one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether this package URL names `other`: type, namespace and name are equal, and so is each of version, subpath
    /// and qualifiers that this one states.
    pub fn covers(&self, other: &Self) -> bool {
        let stated = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
            && stated(&self.version, &other.version)
            && stated(&self.subpath, &other.subpath)
            && self.qualifiers.iter().all(|qualifier| other.qualifiers.contains(qualifier))
    }

    /// Whether this package URL is that of the package `other`: equal, or without the qualifiers `arch` and `distro` of it.
    /// Any other qualifier, such as `epoch` or `classifier`, and the subpath may name another package.
    pub(super) fn is_package(&self, other: &Self) -> bool {
        let may_lack = |key: &str| matches!(key, "arch" | "distro");
        self.covers(other)
            && self.version == other.version
            && self.subpath == other.subpath
            && other.qualifiers.iter().all(|stated| may_lack(&stated.0) || self.qualifiers.contains(stated))
    }

    /// Whether this package URL and `other` may name one package: no part that both of them state differs by more than its
    /// spelling.
    ///
    /// Tools spell one package differently: names in another case, with `%2F` for a `/`, and of `pypi` with `.` for `-`; a
    /// version with `v` or an epoch before it; the vendor in the namespace of system packages; the architecture by the name
    /// that the kernel or the distribution has for it; and qualifiers of their own. A source package may be each package that
    /// names it as its `upstream`, in whatever version.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self.is_same_but_for_spelling(other) || self.is_source_of(other) || other.is_source_of(self)
    }

    fn is_same_but_for_spelling(&self, other: &Self) -> bool {
        let agree = |own: &Option<String>, other: &Option<String>| own.is_none() || other.is_none() || own == other;
        let version = self.version.as_deref().zip(other.version.as_deref());
        let value = |key: &str| other.qualifiers.iter().find(|(stated, _)| stated == key).map(|(_, value)| value);
        self.kind == other.kind
            && self.spelling().eq(other.spelling())
            && version.is_none_or(|(own, other)| bare_version(own).eq_ignore_ascii_case(bare_version(other)))
            && agree(&self.subpath, &other.subpath)
            && self.qualifiers.iter().all(|(key, own)| {
                value(key).is_none_or(|value| match key.as_str() {
                    "arch" => may_be_arch(own, value),
                    "classifier" | "epoch" | "type" => value == own,
                    _ => true,
                })
            })
    }

    /// Whether it is the source package that `other` was built from, as the qualifier `upstream` of `other` says: `openssl`,
    /// `openssl@3.0.11`, or of `rpm` `openssl-3.0.7-1.el9.src.rpm`.
    fn is_source_of(&self, other: &Self) -> bool {
        let upstream = other.qualifiers.iter().find(|(key, _)| key == "upstream").map(|(_, value)| value.as_str());
        let Some(upstream) = upstream.filter(|_| self.is_system() && self.kind == other.kind) else { return false };
        let name = match upstream.strip_suffix(".src.rpm") {
            Some(stem) => stem.rsplitn(3, '-').last().unwrap_or(stem),
            None => split_first(upstream, '@').0,
        };
        name.eq_ignore_ascii_case(&self.name)
    }

    /// Whether it is a package of an operating system.
    fn is_system(&self) -> bool {
        matches!(self.kind.as_str(), "alpm" | "apk" | "deb" | "rpm")
    }

    /// Whether it may be an image or another artifact that has packages in it.
    pub(super) fn may_hold_packages(&self) -> bool {
        matches!(self.kind.as_str(), "docker" | "generic" | "oci")
    }

    /// Namespace and name without what is only spelling. The namespace of system packages is their vendor, which every image
    /// has once, and tools call `rhel` or `redhat`.
    fn spelling(&self) -> impl Iterator<Item = char> + '_ {
        let namespace = if self.is_system() { "" } else { self.namespace.as_str() };
        let slash = if namespace.is_empty() { "" } else { "/" };
        let folded = self.kind == "pypi";
        let all = [namespace, slash, self.name.as_str()].into_iter().flat_map(str::chars).flat_map(char::to_lowercase);
        all.map(move |c| if folded && matches!(c, '.' | '_') { '-' } else { c })
    }

    /// Whether it names a part of a package: it has a subpath.
    pub(super) const fn has_subpath(&self) -> bool {
        self.subpath.is_some()
    }

    /// Whether it has a qualifier that may tell one variant of an artifact from the others, such as `arch`.
    pub(super) fn may_be_variant(&self) -> bool {
        self.qualifiers.iter().any(|(key, _)| !says_where_from(key) && !matches!(key.as_str(), "mediatype" | "tag"))
    }

    fn parse(text: &str) -> Result<Self, PackageUrlFault> {
        let rest = text.strip_prefix("pkg:").ok_or(PackageUrlFault::Scheme)?.trim_start_matches('/');
        let (rest, subpath) = split_last(rest, '#');
        let (rest, qualifiers) = split_last(rest, '?');
        let (kind, path) = rest.split_once('/').ok_or(PackageUrlFault::Name)?;
        let (namespace, last) = path.trim_matches('/').rsplit_once('/').unwrap_or(("", path.trim_matches('/')));
        // A scope of npm may have an `@` of its own, so only the last segment has a version.
        let (name, version) = split_first(last, '@');
        let kind_has = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        if kind.is_empty() || !kind.starts_with(|c: char| c.is_ascii_alphabetic()) || !kind.chars().all(kind_has) {
            return Err(PackageUrlFault::Type);
        }
        let mut url = Self {
            kind: kind.to_ascii_lowercase(),
            name: decode(name)?,
            namespace: decode_path(namespace)?,
            qualifiers: qualifiers.map(decode_qualifiers).transpose()?.unwrap_or_default(),
            subpath: subpath.map(decode_path).transpose()?.filter(|subpath| !subpath.is_empty()),
            version: version.map(decode).transpose()?.filter(|version| !version.is_empty()),
        };
        if url.name.is_empty() {
            return Err(PackageUrlFault::Name);
        }
        url.fold();
        Ok(url)
    }

    /// Writes names as the package type compares them. Package URL specification, "Known types".
    fn fold(&mut self) {
        if matches!(self.kind.as_str(), "apk" | "bitbucket" | "deb" | "github" | "oci" | "pypi") {
            self.name = self.name.to_lowercase();
            self.namespace = self.namespace.to_lowercase();
        }
        if self.kind == "pypi" {
            self.name = self.name.replace('_', "-");
        }
    }
}

impl FromStr for PackageUrl {
    type Err = PackageUrlError;

    fn from_str(text: &str) -> Result<Self, PackageUrlError> {
        Self::parse(text).map_err(|fault| PackageUrlError { fault, text: Untrusted::within(text, SHOWN) })
    }
}

/// The canonical text.
impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", encode(&self.namespace, true))?;
        }
        f.write_str(&encode(&self.name, false))?;
        if let Some(version) = &self.version {
            write!(f, "@{}", encode(version, false))?;
        }
        for (at, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}={}", if at == 0 { '?' } else { '&' }, encode(value, false))?;
        }
        match &self.subpath {
            Some(subpath) => write!(f, "#{}", encode(subpath, true)),
            None => Ok(()),
        }
    }
}

/// Whether a qualifier says where a package comes from, and not which one it is. Package URL specification, "Known
/// qualifiers"; `distro` names a release as exactly as a tool likes: `debian-12`, `debian-12.5`.
fn says_where_from(key: &str) -> bool {
    matches!(key, "distro" | "download_url" | "repository_url" | "vcs_url")
}

/// Whether two architectures may be one. They are not if both are known and of two families.
fn may_be_arch(one: &str, other: &str) -> bool {
    arch_family(one).zip(arch_family(other)).is_none_or(|(one, other)| one == other)
}

/// The family of processors that an architecture belongs to, by the names that distributions and Go have for it; `None`
/// if it is not known, and for packages of every architecture (`all`, `noarch`) and of source code.
fn arch_family(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "amd64" | "x64" | "x86-64" | "x86_64" => "amd64",
        "386" | "i386" | "i486" | "i586" | "i686" | "ia32" | "x86" => "386",
        "aarch64" | "arm64" => "arm64",
        "arm" | "armel" | "armhf" | "armv6" | "armv6hl" | "armv7" | "armv7hl" | "armv7l" => "arm",
        "powerpc64le" | "ppc64el" | "ppc64le" => "ppc64le",
        "riscv64" => "riscv64",
        "s390x" => "s390x",
        _ => return None,
    })
}

/// A version without its epoch (`1:`), which may be in the qualifier `epoch` instead, and without a `v` before its digits.
fn bare_version(version: &str) -> &str {
    let epoch = version.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit()));
    let rest = epoch.map_or(version, |(_, rest)| rest);
    let digits = rest.strip_prefix(['v', 'V']).filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    digits.unwrap_or(rest)
}

fn split_last(text: &str, at: char) -> (&str, Option<&str>) {
    text.rsplit_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn split_first(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The segments of a path, each decoded; empty ones are dropped.
fn decode_path(path: &str) -> Result<String, PackageUrlFault> {
    let segments: Result<Vec<_>, _> =
        path.split('/').filter(|segment| !segment.is_empty()).map(decode_segment).collect();
    Ok(segments?.join("/"))
}

fn decode_segment(text: &str) -> Result<String, PackageUrlFault> {
    let decoded = decode(text)?;
    if decoded.contains('/') { Err(PackageUrlFault::Encoding) } else { Ok(decoded) }
}

/// The qualifiers, sorted; a value that is empty is as good as none.
fn decode_qualifiers(text: &str) -> Result<Vec<(String, String)>, PackageUrlFault> {
    let mut qualifiers = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(PackageUrlFault::Qualifiers)?;
        let key_has = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if key.is_empty() || !key.chars().all(key_has) {
            return Err(PackageUrlFault::Qualifiers);
        }
        qualifiers.push((key.to_ascii_lowercase(), decode(value)?));
    }
    qualifiers.sort();
    let twice = qualifiers.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
    qualifiers.retain(|(_, value)| !value.is_empty());
    if twice { Err(PackageUrlFault::Qualifiers) } else { Ok(qualifiers) }
}

/// The text with its percent-encoding decoded, RFC 3986 section 2.1. A control character is an error.
fn decode(text: &str) -> Result<String, PackageUrlFault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(value.ok_or(PackageUrlFault::Encoding)?);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PackageUrlFault::Encoding)?;
    if decoded.contains(char::is_control) { Err(PackageUrlFault::Encoding) } else { Ok(decoded) }
}

fn encode(text: &str, is_path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':');
        if plain || is_path && byte == b'/' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

/// The longest part of a text that a message quotes, in characters.
const SHOWN: usize = 120;
