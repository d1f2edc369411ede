//! `NextMember`: what extension headers (PAX, GNU long name) say about the next member, each property once.

use crate::store::archive::header::MemberType;
use crate::store::archive::records::decimal;
use crate::store::archive::records::records;
use crate::store::error::TarFault;

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

    /// Sets the size, which may be given once.
    fn sized(&mut self, size: u64) -> Result<(), TarFault> {
        match self.size.replace(size) {
            Some(_) => Err(TarFault::Repeated("size")),
            None => Ok(()),
        }
    }

    /// Reads an extension header about the next member. Each name and size may be given once
    /// (threats: archive-repeated-header).
    pub(super) fn extend(&mut self, kind: MemberType, body: &[u8]) -> Result<(), TarFault> {
        match kind {
            MemberType::LongName => {
                // Without the final NUL, some readers read the name to the end of the block.
                let name = body.strip_suffix(b"\0").ok_or(TarFault::LongName)?;
                let name = String::from_utf8(name.to_vec()).map_err(|_| TarFault::NameEncoding)?;
                self.named(name, "a name")?;
            }
            MemberType::Pax if self.has_pax => return Err(TarFault::Repeated("records")),
            _ => {
                self.has_pax |= kind == MemberType::Pax;
                for (key, value) in records(body)? {
                    let of_one = ["linkpath", "path", "size"].into_iter().find(|known| *known == key);
                    match (of_one, kind) {
                        (Some("path"), MemberType::Pax) => self.named(value.to_owned(), "path")?,
                        (Some("size"), MemberType::Pax) => self.sized(decimal(value)?)?,
                        (Some(key), _) => return Err(TarFault::RecordKey(key)),
                        (None, _) if key.starts_with("GNU.sparse.") || key == "SCHILY.realsize" => {
                            return Err(TarFault::Sparse);
                        }
                        (None, _) => {}
                    }
                }
            }
        }
        Ok(())
    }
}
