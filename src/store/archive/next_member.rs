//! `NextMember`: what extension headers (PAX, GNU long name) say about the next member, each property once; and the name
//! of a member that follows from them and its own header.

use crate::store::archive::header::MemberType;
use crate::store::archive::records::decimal;
use crate::store::archive::records::records;
use crate::store::error::TarFault;
use crate::text::Untrusted;

/// The properties of the next member from extension headers.
#[derive(Default)]
pub(super) struct NextMember {
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
    /// Whether a PAX header was read for it.
    pub(super) has_pax: bool,
}

impl NextMember {
    /// Sets the name, which `what` gives. It may be given once, and must not be empty: Go keeps the name in the header
    /// then (threats: archive-two-names).
    fn named(&mut self, name: String, what: &'static str) -> Result<(), TarFault> {
        if name.is_empty() {
            return Err(TarFault::NameEmpty);
        }
        match self.path.replace(name) {
            Some(_) => Err(TarFault::Repeated(what)),
            None => Ok(()),
        }
    }

    /// Whether an extension header about the next member was read.
    pub(super) const fn is_announced(&self) -> bool {
        self.has_pax || self.path.is_some()
    }

    /// Sets the size, which may be given once.
    fn sized(&mut self, size: u64) -> Result<(), TarFault> {
        match self.size.replace(size) {
            Some(_) => Err(TarFault::Repeated("size")),
            None => Ok(()),
        }
    }

    /// Reads an extension header. About the next member, each name and size may be given once; a global header may not stand
    /// between such a header and its member (threats: archive-repeated-header, archive-global-header).
    pub(super) fn extend(&mut self, kind: MemberType, body: &[u8]) -> Result<(), TarFault> {
        match kind {
            MemberType::LongName => {
                // Without the final NUL, some readers read the name to the end of the block.
                let name = body.strip_suffix(b"\0").ok_or(TarFault::LongName)?;
                let name = String::from_utf8(name.to_vec()).map_err(|_| TarFault::NameEncoding)?;
                self.named(name, "a name")?;
            }
            // Go drops what was announced before it.
            MemberType::PaxGlobal if self.is_announced() => return Err(TarFault::GlobalRecords),
            MemberType::Pax if self.has_pax => return Err(TarFault::Repeated("records")),
            _ => {
                self.has_pax |= kind == MemberType::Pax;
                for (key, value) in records(body)? {
                    let of_one = ["linkpath", "path", "size"].into_iter().find(|known| *known == key);
                    match (of_one, kind) {
                        (Some("path"), MemberType::Pax) => self.named(value.to_owned(), "path")?,
                        (Some("size"), MemberType::Pax) => self.sized(decimal(value)?)?,
                        (Some(key), _) => return Err(TarFault::RecordKey(key)),
                        (None, _) if is_sparse(key) => return Err(TarFault::Sparse),
                        (None, _) => {}
                    }
                }
            }
        }
        Ok(())
    }
}

/// The name of a member, in its simplest form: `path`, which was announced, or else the name in its `header`. A reader that
/// ignores what was announced must find the same name, or the beginning of one that does not fit into a header
/// (threats: archive-two-names).
pub(super) fn member_name(path: Option<String>, header: Vec<u8>, directory: bool) -> Result<String, TarFault> {
    let header = String::from_utf8(header).map_err(|_| TarFault::NameEncoding)?;
    let name = checked_name(path.as_ref().unwrap_or(&header), directory)?;
    let agrees = |path: &String| {
        let is_cut = path.len() >= NAME_FIELD && header.len() >= NAME_FIELD - 1 && path.starts_with(&header);
        is_cut || simplest(path, directory) == simplest(&header, directory)
    };
    match path.filter(|path| !agrees(path)) {
        Some(path) => Err(TarFault::TwoNames { header: shown(&header), record: shown(&path) }),
        None => Ok(name),
    }
}

/// Normalizes a member name: without a leading `./` and, for a directory, without the final slash. Refuses any name
/// that is not a relative path of printable ASCII without `..`
/// (threats: archive-path-escape, archive-names-alike, archive-odd-name). A layout has only ASCII names; others could
/// look the same.
fn checked_name(name: &str, directory: bool) -> Result<String, TarFault> {
    let inside = simplest(name, directory);
    if directory && (inside.is_empty() || inside == ".") {
        return Ok(String::new());
    }
    let part = |part: &str| !part.is_empty() && part.len() <= 255 && part != "." && part != "..";
    let graphic = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
    match inside.len() <= 4096 && inside.split('/').all(part) && inside.bytes().all(graphic) {
        true => Ok(inside.to_owned()),
        false => Err(TarFault::Name(shown(name))),
    }
}

/// Whether the record `key` says that the content has holes, which some readers then fill in and others do not.
fn is_sparse(key: &str) -> bool {
    key.starts_with("GNU.sparse.") || matches!(key, "SCHILY.realsize" | "SUN.holesdata")
}

/// `name` without `./` before it and, for a directory, without a slash after it.
fn simplest(name: &str, directory: bool) -> &str {
    let name = name.strip_prefix("./").unwrap_or(name);
    name.strip_suffix('/').filter(|_| directory).unwrap_or(name)
}

fn shown(name: &str) -> Untrusted {
    Untrusted::within(name, SHOWN)
}

/// How much of a name a message shows, in characters.
const SHOWN: usize = 80;
/// The length of the name field of a header, in bytes. Some writers end a name that they cut with a NUL.
const NAME_FIELD: usize = 100;
