//! The annotations by which the entries of an index are named and marked.

use std::collections::BTreeMap;

use crate::oci::Descriptor;
use crate::oci::ImageName;
use crate::oci::name;
use crate::ordered;

/// The annotation that names an entry of a layout. OCI image specification, "Pre-Defined Annotation Keys".
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which containerd and Docker name an entry in full.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The annotations that name an entry, the full name first.
pub(super) const NAMES: [&str; 2] = [CONTAINERD_NAME, REF_NAME];
/// The annotation by which an index says that it lists evidence: images without their layers.
pub(crate) const EVIDENCE: &str = "vnd.bulla.evidence";
/// The annotation by which cosign and hauler mark the kind of an entry.
pub(crate) const KIND: &str = "kind";
/// The annotations that mark an entry as the list of referrers of a subject.
pub(crate) const LISTS_REFERRERS: [&str; 2] =
    ["org.opencontainers.image.referrer.subject", "org.olareg.referrer.subject"];

/// The names of an entry, the full one first: `io.containerd.image.name`, then `org.opencontainers.image.ref.name`.
pub(crate) fn names_in(entry: &Descriptor) -> impl Iterator<Item = &str> {
    NAMES.iter().filter_map(|key| entry.annotations.get(*key)).map(String::as_str).filter(|name| !name.is_empty())
}

/// The independent names of an entry: the full one, and the other unless it is the end of the full one.
pub(super) fn whole_names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    let full = names_in(entry).next().unwrap_or_default();
    names_in(entry).filter(move |name| *name == full || !name::is_suffix(full, name))
}

/// The names that a copy of an entry keeps; a name that contains the digest of another manifest is dropped.
pub(crate) fn kept_names(entry: &Descriptor) -> Vec<ImageName> {
    let fits = |name: &ImageName| name.digest().is_none_or(|digest| digest == entry.digest);
    let mut names: Vec<_> = whole_names(entry).filter_map(ImageName::new).filter(fits).collect();
    names.dedup();
    names
}

/// The annotations of a manifest that may be copied to its descriptor in a list. Those that name or mark an entry are
/// removed, so that no manifest can give itself a name.
pub(crate) fn repeatable(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = |key: &str| matches!(key, REF_NAME | CONTAINERD_NAME | KIND) || LISTS_REFERRERS.contains(&key);
    ordered::map(annotations.iter().filter(|(key, _)| !ours(key)).map(|(key, value)| (key.clone(), value.clone())))
}

/// The last component of the path in a name, with its tag.
pub(super) fn last_component(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
