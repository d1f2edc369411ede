//! The syntax of references to images in registries, files and directories.

use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::oci::ReferenceError;
use crate::oci::ReferenceFault;
use crate::oci::RegistryReference;
use crate::oci::TagOrDigest;
use crate::oci::reference::LocalReference;
use crate::text::Untrusted;

/// Parses `PATH`, `PATH:NAME` or `PATH@DIGEST`, as the containers tools do.
pub(super) fn local(text: &str, rest: &str) -> Result<LocalReference, ReferenceError> {
    let form = |reason| ReferenceError::Form { text: shown(text), reason };
    let (path, tag_or_digest) = match rest.rsplit_once('@') {
        Some((path, digest)) if digest.starts_with("sha") && digest.contains(':') => {
            let error = |error| ReferenceError::Digest { text: shown(text), error };
            // A digest takes precedence over a name before it, as over a tag.
            let path = path.split_once(':').map_or(path, |(path, _)| path);
            (path, Some(TagOrDigest::Digest(digest.parse().map_err(error)?)))
        }
        _ => match rest.split_once(':') {
            Some((_, "")) => return Err(form(ReferenceFault::EmptyName)),
            Some((path, name)) => (path, Some(TagOrDigest::Tag(name.to_owned()))),
            None => (rest, None),
        },
    };
    if path.is_empty() {
        return Err(form(ReferenceFault::NoPath));
    }
    if rest.chars().any(char::is_control) {
        return Err(form(ReferenceFault::ControlCharacters));
    }
    Ok(LocalReference { path: PathBuf::from(path), tag_or_digest })
}

pub(super) fn registry(text: &str) -> Result<RegistryReference, ReferenceError> {
    let form = |reason| ReferenceError::Form { text: shown(text), reason };
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => {
            let error = |error| ReferenceError::Digest { text: shown(text), error };
            (named, Some(digest.parse::<Digest>().map_err(error)?))
        }
        None => (text, None),
    };
    let (host, rest) = named.split_once('/').unwrap_or(("", named));
    if host.is_empty() || !(host.contains(['.', ':']) || host == "localhost") {
        let hub = if named.contains('/') { shown(named) } else { format!("library/{}", shown(named)) };
        return Err(ReferenceError::Host { text: shown(text), hub });
    }
    check_host(host).map_err(form)?;
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) => (path, tag),
        None => (rest, "latest"),
    };
    if !path.split('/').all(is_component) {
        return Err(form(ReferenceFault::Repository));
    }
    if !is_tag(tag) {
        return Err(form(ReferenceFault::Tag));
    }
    let tag_or_digest = digest.map_or_else(|| TagOrDigest::Tag(tag.to_owned()), TagOrDigest::Digest);
    let hub = matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    let host = if hub { "docker.io" } else { host };
    let repository = if hub && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
    if host.len() + repository.len() > 255 {
        return Err(form(ReferenceFault::TooLong));
    }
    Ok(RegistryReference { host: host.to_owned(), repository, tag_or_digest })
}

/// Checks that `host` is a host name or address with an optional port, and an address of IPv4 in its only spelling.
///
/// # Errors
/// [`ReferenceFault`].
pub(in crate::oci) fn check_host(host: &str) -> Result<(), ReferenceFault> {
    match is_host(host) {
        true => check_ipv4(host),
        false => Err(ReferenceFault::Host(Untrusted::new(host))),
    }
}

/// Refuses every spelling of an IPv4 address but four decimal numbers without leading zeros. `127.1`, `0x7f.0.0.1`,
/// `2130706433` and `[::ffff:127.0.0.1]` are connected to as `127.0.0.1`, and a rule for that name would not be found
/// (threats: repository-in-another-spelling). WHATWG URL Standard, "ends in a number checker"; RFC 4291 section 2.5.5.2.
fn check_ipv4(host: &str) -> Result<(), ReferenceFault> {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let mapped = address.parse::<Ipv6Addr>().ok().and_then(|address| address.to_ipv4_mapped());
        return mapped.map_or(Ok(()), |address| Err(ReferenceFault::Ipv4Mapped(address)));
    }
    let name = host.split(':').next().unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match is_number && name.parse::<Ipv4Addr>().is_err() {
        true => Err(ReferenceFault::Ipv4(Untrusted::new(host))),
        false => Ok(()),
    }
}

/// Whether `host` is a host name or address with an optional port. RFC 3986 section 3.2.2, without user information.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("localhost", port),
        Some(_) => return false,
        None => host.find(':').map_or((host, ""), |colon| host.split_at(colon)),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let inner = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let label = |label: &str| !label.is_empty() && inner(label) && !label.starts_with('-') && !label.ends_with('-');
    port && name.split('.').all(label)
}

/// Whether `text` is one component of `<name>`. OCI distribution specification, "Pulling manifests".
pub(in crate::oci) fn is_component(component: &str) -> bool {
    let separator = |c: char| matches!(c, '.' | '_' | '-');
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let between = |run: &str| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    let runs = component.split(|c: char| !separator(c)).filter(|run| !run.is_empty());
    component.bytes().all(|byte| word(byte) || separator(char::from(byte)))
        && component.starts_with(|c: char| !separator(c))
        && component.ends_with(|c: char| !separator(c))
        && runs.into_iter().all(between)
}

/// Whether `text` is a tag, one form of `<reference>`. OCI distribution specification, "Pulling manifests".
fn is_tag(tag: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(inner) && !tag.starts_with(['.', '-'])
}

pub(super) fn shown(text: &str) -> String {
    Untrusted::new(text).to_string()
}
