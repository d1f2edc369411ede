//! Registry scopes: repositories, written in full.
//!
//! The invariant: two names of one repository are one scope, however they are spelled. The specification compares them as
//! they are written, and then the statement with `*`, which may enforce less, is chosen for another spelling.

use crate::oci::ReferenceFault;
use crate::oci::RepositoryName;
use crate::oci::RepositoryNameError;

/// The scope of every repository that no statement names.
pub(super) const ANY: &str = "*";

/// Whether `scope` is a host with an optional port, a `/` and a repository (OCI distribution specification, "Pulling
/// manifests"): no scheme, no tag, no digest, no wildcard.
pub(super) fn is_repository(scope: &str) -> bool {
    let Some((host, repository)) = scope.split_once('/') else { return false };
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let port = port.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    port && name.split('.').all(is_label) && repository.split('/').all(is_component)
}

/// Checks that an IPv4 address as the host of `scope` is in its only spelling: no reference has another one, so another
/// statement would decide about the images there.
///
/// # Errors
/// [`ReferenceFault`].
pub(super) fn check_address(scope: &str) -> Result<(), ReferenceFault> {
    // A scope may have a host without a dot, which is no host of a reference.
    let with_port = scope.split_once('/').filter(|(host, _)| !host.contains(':'));
    let with_port = with_port.map(|(host, repository)| format!("{host}:443/{repository}"));
    match RepositoryName::normalised(with_port.as_deref().unwrap_or(scope)) {
        Err(RepositoryNameError::Form {
            fault: fault @ (ReferenceFault::Ipv4(_) | ReferenceFault::Ipv4Mapped(_)),
            ..
        }) => Err(fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The name by which a scope is compared, as those of policy files are ([`RepositoryName`]). A host that a reference cannot
/// have, such as one without a dot, is put in lower case. [`ANY`] stays what it is.
pub(super) fn normalised(scope: &str) -> String {
    match (RepositoryName::normalised(scope), scope.split_once('/')) {
        (Ok(name), _) => name.to_string(),
        (Err(_), Some((host, repository))) => format!("{}/{repository}", host.to_ascii_lowercase()),
        (Err(_), None) => scope.to_owned(),
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether `text` is lower-case letters and digits, with `.`, `_`, `__` or hyphens between them.
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |run: &str| matches!(run, "." | "_" | "__") || run.chars().all(|c| c == '-');
    text.starts_with(word) && text.ends_with(word) && text.split(word).all(between)
}
