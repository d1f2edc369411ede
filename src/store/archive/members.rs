//! `MemberTable`: the members of a tar archive, found by name; symbolic links are resolved inside the archive only.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::store::archive::offsets::Span;
use crate::store::error::TarFault;

/// The members of an archive, found by name. It stores hashes of the names, since an archive may have a million
/// members.
#[derive(Debug, Default)]
pub(super) struct MemberTable {
    /// The symbolic links: by the name in lower case, the name and the member that the link leads to.
    links: BTreeMap<String, (String, Option<String>)>,
    members: Vec<Member>,
}

/// The kind of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberKind<'a> {
    Directory,
    File,
    /// A symbolic link, and its target as it is written.
    Link(&'a str),
}

#[derive(Clone, Copy, Debug)]
struct Member {
    directory: bool,
    /// The hash of the name in lower case: some file systems ignore case (threats: archive-names-alike).
    key: NameHash,
    link: bool,
    /// The hash of the exact name.
    spelling: NameHash,
    span: Span,
}

/// The first 128 bits of the SHA-256 of a name.
type NameHash = [u8; 16];

impl MemberTable {
    /// Adds a member.
    ///
    /// # Errors
    /// [`TarFault::LinkCount`] beyond [`MAX_LINKS`].
    pub(super) fn add(&mut self, name: &str, kind: MemberKind<'_>, span: Span) -> Result<(), TarFault> {
        let lower = name.to_ascii_lowercase();
        let (spelling, same) = (key(name), lower == name);
        let key = if same { spelling } else { key(&lower) };
        let (directory, link) = (kind == MemberKind::Directory, matches!(kind, MemberKind::Link(_)));
        self.members.push(Member { directory, key, link, spelling, span });
        if let MemberKind::Link(target) = kind {
            if self.links.len() >= MAX_LINKS {
                return Err(TarFault::LinkCount(MAX_LINKS));
            }
            self.links.insert(lower, (name.to_owned(), inside(name, target)));
        }
        Ok(())
    }

    /// The offset and size of the file with exactly this name, or of the file that the link with this name leads to. A
    /// link to a link and a link out of the archive are not followed; directories are not found.
    pub(super) fn find(&self, name: &str) -> Option<Span> {
        self.file(&self.real_name(name)?)
    }

    /// The name of the file that `name` stands for: itself, or the target of the link with this name, unless that is a link
    /// too.
    pub(super) fn real_name(&self, name: &str) -> Option<String> {
        match self.links.get(&name.to_ascii_lowercase()).filter(|(link, _)| link == name) {
            Some((_, target)) => target.clone().filter(|target| !self.has_link(target)),
            None => Some(name.to_owned()),
        }
    }

    /// Whether there is a link with this name, in any case.
    pub(super) fn has_link(&self, name: &str) -> bool {
        self.links.contains_key(&name.to_ascii_lowercase())
    }

    /// The names of the links.
    pub(super) fn links(&self) -> impl Iterator<Item = &String> {
        self.links.values().map(|(name, _)| name)
    }

    /// Whether there are links.
    pub(super) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// Whether a directory in the path of `name` is a link: unpacking would write the member to another place.
    pub(super) fn is_below_link(&self, name: &str) -> bool {
        name.match_indices('/').any(|(end, _)| name.get(..end).is_some_and(|directory| self.has_link(directory)))
    }

    fn file(&self, name: &str) -> Option<Span> {
        let lower = key(&name.to_ascii_lowercase());
        let at = self.members.binary_search_by_key(&lower, |member| member.key).ok()?;
        let is_it = |member: &&Member| !member.directory && !member.link && member.spelling == key(name);
        Some(self.members.get(at).filter(is_it)?.span)
    }

    /// Sorts the members by their lower-case names. Returns the offset of a member whose name is taken by an earlier
    /// one, if there is any; a directory may occur again.
    pub(super) fn sort(&mut self) -> Option<u64> {
        self.members.sort_unstable_by_key(|member| (member.key, member.span.offset));
        let again = |pair: &[Member]| match pair {
            [one, other] if one.key == other.key && !(one.directory && other.directory) => Some(other.span.offset),
            _ => None,
        };
        let twice = self.members.windows(2).filter_map(again).min();
        self.members.dedup_by_key(|member| member.key);
        twice
    }
}

/// The directories in the paths of all members, as hashes: to find links that lie there after the names are gone.
#[derive(Debug, Default)]
pub(super) struct Directories(BTreeSet<NameHash>);

impl Directories {
    /// Adds the directories in the path `name`.
    ///
    /// # Errors
    /// [`TarFault::DirectoryCount`] beyond [`MAX_DIRECTORIES`].
    pub(super) fn add(&mut self, name: &str) -> Result<(), TarFault> {
        let lower = name.to_ascii_lowercase();
        for directory in lower.match_indices('/').filter_map(|(end, _)| lower.get(..end)) {
            self.0.insert(key(directory));
            if self.0.len() > MAX_DIRECTORIES {
                return Err(TarFault::DirectoryCount(MAX_DIRECTORIES));
            }
        }
        Ok(())
    }

    /// Whether a member lies below `name`, in any case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&key(&name.to_ascii_lowercase()))
    }
}

fn key(name: &str) -> NameHash {
    Digest::sha256(name.as_bytes()).as_bytes().first_chunk().copied().unwrap_or_default()
}

/// The member that a link leads to; `None` if its target is absolute, leads out of the archive, or is not in its simplest
/// form.
fn inside(link: &str, target: &str) -> Option<String> {
    let mut parts: Vec<_> = link.split('/').collect();
    let _name = parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => return None,
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// How many directories an archive in a stream may have.
const MAX_DIRECTORIES: usize = 50_000;
/// How many links an archive may have. Docker before version 25 writes one for each layer that images share.
const MAX_LINKS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_member_or_nowhere() {
        for (link, target, member) in [
            ("a/layer.tar", "../b/layer.tar", Some("b/layer.tar")),
            ("a/layer.tar", "other.tar", Some("a/other.tar")),
            ("layer.tar", "b/layer.tar", Some("b/layer.tar")),
            ("a/layer.tar", "../../b/layer.tar", None),
            ("layer.tar", "../layer.tar", None),
            ("layer.tar", "/b/layer.tar", None),
            ("a/layer.tar", "..", None),
            ("a/layer.tar", ".//b", None),
            ("a/layer.tar", "", None),
        ] {
            assert_eq!(inside(link, target).as_deref(), member, "{link} -> {target}");
        }
    }
}
