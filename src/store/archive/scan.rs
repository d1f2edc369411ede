//! scan: the offsets of the files in a tar archive, from one strict pass over its headers.
//!
//! The invariant: in an accepted archive every tar reader finds the same files, with the same names and bytes. If two
//! readers could differ, the archive is refused.
//!
//! 1. A compressed archive is refused by its first bytes, with the program that unpacks it.
//! 2. Each header is read strictly ([`Header`]): a number and a name have one reading, and the checksum must be right.
//! 3. An extension header (PAX, GNU long name) may set each property of the next member once, within limits.
//! 4. A member is a file or a directory with a safe name. Devices and sparse files are refused, and links unless the
//!    caller keeps symbolic ones: then no member may lie below one.
//! 5. A member that reaches beyond the end of the file is refused: the archive was cut off.
//! 6. Two blocks of zeros end the archive; only a bounded number of zeros may follow.
//! 7. Finally all names are compared without case: a duplicate is refused.

use std::fs::File;
use std::io::Read;

use crate::limits::Limits;
use crate::limits::count;
use crate::store::archive::header::BLOCK;
use crate::store::archive::header::Header;
use crate::store::archive::header::MAX_OCTAL;
use crate::store::archive::header::MemberType;
use crate::store::archive::header::link_target;
use crate::store::archive::header::padded;
use crate::store::archive::input::ArchiveInput;
use crate::store::archive::input::FileInput;
use crate::store::archive::input::PassedFiles;
use crate::store::archive::input::StreamInput;
use crate::store::archive::members::Directories;
use crate::store::archive::members::MemberKind;
use crate::store::archive::members::MemberTable;
use crate::store::archive::next_member::NextMember;
use crate::store::archive::next_member::member_name;
use crate::store::archive::offsets::Span;
use crate::store::error::ArchiveFault;
use crate::store::error::TarFault;
use crate::store::unpack;
use crate::text::Untrusted;

/// Why an archive is refused.
pub(super) enum ScanError {
    /// It breaks a rule of the strict reading.
    Broken(ArchiveFault),
    /// It has more members than this limit.
    TooMany(u64),
    /// An I/O error.
    Io(std::io::Error),
}

impl From<std::io::Error> for ScanError {
    fn from(error: std::io::Error) -> Self {
        match unpack::fault_of(&error) {
            Some(fault) => Self::Broken(ArchiveFault::Unpack(fault)),
            None => Self::Io(error),
        }
    }
}

/// Reads the headers of `file`, which is `length` bytes long, and returns the offsets of its members. Every tar reader
/// finds the same members in an accepted archive (threats: archive-two-sizes).
///
/// # Errors
/// [`ScanError`] for links, unless symbolic ones are kept (threats: archive-link), for names that are equal without case, and for anything
/// that two readers could interpret differently.
pub(super) fn scan(file: &File, length: u64, limits: &Limits, links: Links) -> Result<MemberTable, ScanError> {
    let mut members = MemberTable::default();
    visit(file, length, limits, links, &mut |name, kind, span| members.add(name, kind, span))?;
    let Some(twice) = members.sort() else {
        if members.has_links() {
            visit(file, length, limits, links, &mut |name, _, _| match members.is_below_link(name) {
                // Unpacking would write it to another place (threats: docker-archive-through-link).
                true => Err(TarFault::BelowLink(Untrusted::new(name))),
                false => Ok(()),
            })?;
        }
        return Ok(members);
    };
    // Only hashes are stored: a second pass finds the name for the error.
    visit(file, length, limits, links, &mut |name, _, span| match span.offset == twice {
        true => Err(TarFault::NameTwice(Some(Untrusted::new(name)))),
        false => Ok(()),
    })?;
    Err(broken(twice, TarFault::NameTwice(None)))
}

/// Calls `look` with the name, offset and size of every file, in archive order. The rules are those of [`scan`], except
/// that names are not compared with each other.
pub(super) fn files(
    file: &File,
    length: u64,
    limits: &Limits,
    mut look: impl FnMut(&str, Span),
) -> Result<(), ScanError> {
    visit(file, length, limits, Links::Refused, &mut |name, kind, span| {
        if kind == MemberKind::File {
            look(name, span);
        }
        Ok(())
    })
}

/// Whether the archive is readable and has a file `name` but no member `other`. It tolerates links, so use it only to
/// tell in an error what kind of archive it is.
pub(super) fn has_without(file: &File, length: u64, limits: &Limits, name: &str, other: &str) -> bool {
    let (mut has, mut has_other) = (false, false);
    let whole = visit(file, length, limits, Links::PassedOver, &mut |found, kind, _| {
        has |= found == name && kind == MemberKind::File;
        has_other |= found == other;
        Ok(())
    });
    whole.is_ok() && has && !has_other
}

/// The treatment of links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// Symbolic links are members, which lead to files inside the archive only. Hard links are refused.
    Kept,
    /// Links are skipped, to identify an archive that is not going to be read.
    PassedOver,
    Refused,
}

/// A callback for each member: its name, its kind, and its offset and size. An error is the reason to refuse the archive.
type OnMember<'a> = dyn FnMut(&str, MemberKind<'_>, Span) -> Result<(), TarFault> + 'a;

/// Reads the archive `stream` once, and returns its members and what was kept of them. The rules are those of [`scan`],
/// with symbolic links kept.
///
/// # Errors
/// As [`scan`].
pub(super) fn pass(stream: impl Read, limits: &Limits) -> Result<(MemberTable, PassedFiles), ScanError> {
    let mut members = MemberTable::default();
    let mut directories = Directories::default();
    // Names are gone when a link is found: the directories are kept, as hashes.
    let look = &mut |name: &str, kind: MemberKind<'_>, span| {
        directories.add(name)?;
        members.add(name, kind, span)
    };
    let input =
        read(StreamInput::new(stream, limits)?, limits.oci.archive_members.min(STREAM_MEMBERS), Links::Kept, look)?;
    if let Some(twice) = members.sort() {
        return Err(broken(twice, TarFault::NameTwice(None)));
    }
    let mut above = members.links().filter(|link| directories.has(link));
    if let Some(link) = above.next() {
        return Err(broken(0, TarFault::BelowLink(Untrusted::new(link))));
    }
    drop(above);
    Ok((members, input.into_passed()))
}

/// Calls `look` for every member of the archive in order, under the rules of the module head.
fn visit(file: &File, length: u64, limits: &Limits, links: Links, look: &mut OnMember<'_>) -> Result<(), ScanError> {
    read(FileInput::new(file, length)?, limits.oci.archive_members, links, look).map(drop)
}

fn read<I: ArchiveInput>(input: I, members: u64, links: Links, look: &mut OnMember<'_>) -> Result<I, ScanError> {
    let mut scan = Scan { at: 0, input, links, look, next: NextMember::default() };
    scan.sniff()?;
    for _ in 0..=members {
        if !scan.member()? {
            return Ok(scan.input);
        }
    }
    Err(ScanError::TooMany(members))
}

struct Scan<'a, I> {
    at: u64,
    input: I,
    links: Links,
    look: &'a mut OnMember<'a>,
    next: NextMember,
}

impl<I: ArchiveInput> Scan<'_, I> {
    /// Refuses an empty file and a compressed archive, by its first bytes. A zstd file may begin with a skippable frame
    /// (RFC 8878 section 3.1.2; threats: archive-skippable-frame).
    fn sniff(&mut self) -> Result<(), ScanError> {
        let first = self.input.first()?;
        let packed = match first.as_slice() {
            [] => return Err(ScanError::Broken(ArchiveFault::Empty)),
            [0x1f, 0x8b, ..] => ("gzip", "gunzip"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => ("zstd", "unzstd"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("xz", "unxz"),
            [b'B', b'Z', b'h', ..] => ("bzip2", "bunzip2"),
            _ => return Ok(()),
        };
        let (format, tool) = packed;
        Err(ScanError::Broken(ArchiveFault::Compressed { format, tool }))
    }

    /// Reads the next header and skips the content of its member; `false` at the end of the archive.
    fn member(&mut self) -> Result<bool, ScanError> {
        let start = self.at;
        let block = self.block()?;
        if block == [0; 512] {
            return self.end(start).map(|()| false);
        }
        let header = Header::parse(&block).map_err(|fault| broken(start, fault))?;
        match header.kind {
            MemberType::Pax | MemberType::PaxGlobal | MemberType::LongName => {
                let body = self.body(start, header.size)?;
                self.next.extend(header.kind, &body).map_err(|fault| broken(start, fault))?;
                if header.kind == MemberType::PaxGlobal {
                    self.global(start, header.name)?;
                }
            }
            MemberType::Directory | MemberType::File => self.file(start, header)?,
            MemberType::HardLink | MemberType::SymbolicLink if self.links == Links::PassedOver => {
                self.next = NextMember::default();
                self.skip(start, "a link", header.size)?;
            }
            MemberType::SymbolicLink if self.links == Links::Kept => self.link(start, &block, header)?,
            MemberType::HardLink => return Err(broken(start, TarFault::HardLink)),
            MemberType::SymbolicLink => return Err(broken(start, TarFault::SymbolicLink)),
        }
        Ok(true)
    }

    /// Passes the name of a global header to `look` as that of a directory, so that no file has it: some loaders
    /// remove what has this name (threats: archive-global-header).
    fn global(&mut self, start: u64, name: Vec<u8>) -> Result<(), ScanError> {
        let wrong = |fault| broken(start, fault);
        let name = String::from_utf8(name).map_err(|_| wrong(TarFault::NameEncoding))?;
        let parts: Vec<_> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.is_empty() {
            return Err(wrong(TarFault::Name(Untrusted::new(&name))));
        }
        let inside = member_name(None, parts.join("/").into_bytes(), true).map_err(wrong)?;
        (self.look)(&inside, MemberKind::Directory, Span { offset: self.at, size: 0 }).map_err(wrong)
    }

    /// Checks the name and size of a file or directory, passes it to `look`, and skips its content.
    fn file(&mut self, start: u64, header: Header) -> Result<(), ScanError> {
        let wrong = |fault| broken(start, fault);
        let NextMember { path, size, .. } = std::mem::take(&mut self.next);
        let directory = header.kind == MemberType::Directory;
        let name = member_name(path, header.name, directory).map_err(wrong)?;
        let size = match size {
            // In POSIX a size record takes precedence over the header. Here it may do so only if the number does not
            // fit into the header, which is then 0, as Go writes it; otherwise both must agree
            // (threats: archive-two-sizes).
            Some(size) if size == header.size || size > MAX_OCTAL && header.size == 0 => size,
            Some(record) => return Err(wrong(TarFault::TwoSizes { header: header.size, record })),
            None => header.size,
        };
        if directory && size != 0 {
            return Err(wrong(TarFault::DirectoryWithContent));
        }
        let offset = self.at;
        self.content(start, &name, size)?;
        let kind = if directory { MemberKind::Directory } else { MemberKind::File };
        (self.look)(&name, kind, Span { offset, size }).map_err(wrong)
    }

    /// Checks the name and target of a symbolic link and passes it to `look`. Only the plain header may give the target.
    fn link(&mut self, start: u64, block: &[u8; 512], header: Header) -> Result<(), ScanError> {
        let wrong = |fault| broken(start, fault);
        let NextMember { path, size, .. } = std::mem::take(&mut self.next);
        let name = member_name(path, header.name, false).map_err(wrong)?;
        if header.size != 0 || size.is_some() {
            return Err(wrong(TarFault::SymbolicLink));
        }
        let target = String::from_utf8(link_target(block)).map_err(|_| wrong(TarFault::NameEncoding))?;
        (self.look)(&name, MemberKind::Link(&target), Span { offset: self.at, size: 0 }).map_err(wrong)
    }

    /// Reads the next block of 512 bytes; an archive that ends before it is refused as cut off.
    fn block(&mut self) -> Result<[u8; 512], ScanError> {
        let mut block = Vec::new();
        let length = BLOCK.min(self.input.left(self.at));
        self.input.by_ref().take(length).read_to_end(&mut block)?;
        match <[u8; 512]>::try_from(block) {
            Ok(block) => {
                self.at += BLOCK;
                Ok(block)
            }
            Err(short) if short.is_empty() => Err(broken(self.at, TarFault::CutAfterMember)),
            Err(_) => Err(broken(self.at, TarFault::CutInHeader)),
        }
    }

    /// Reads the body of an extension header, of at most [`EXTENSION_LIMIT`] bytes.
    fn body(&mut self, start: u64, size: u64) -> Result<Vec<u8>, ScanError> {
        if size > EXTENSION_LIMIT {
            return Err(broken(start, TarFault::ExtensionTooLong { limit: EXTENSION_LIMIT, size }));
        }
        let name = "an extension header";
        self.inside(start, name, size)?;
        let mut body = Vec::new();
        self.input.by_ref().take(size).read_to_end(&mut body)?;
        whole(start, name, size, count(body.len()))?;
        self.at += size;
        let rest = padded(size).unwrap_or(size) - size;
        whole(start, name, rest, self.input.skip(rest)?)?;
        self.at += rest;
        Ok(body)
    }

    /// Skips the content of a member that is not read, and its padding.
    fn skip(&mut self, start: u64, name: &str, size: u64) -> Result<(), ScanError> {
        let length = self.inside(start, name, size)?;
        whole(start, name, size, self.input.skip(length)?.min(size))?;
        self.at += length;
        Ok(())
    }

    /// Passes over the content of a file and its padding.
    fn content(&mut self, start: u64, name: &str, size: u64) -> Result<(), ScanError> {
        let length = self.inside(start, name, size)?;
        whole(start, name, size, self.input.content(Span { offset: self.at, size })?)?;
        whole(start, name, size, size.saturating_add(self.input.skip(length - size)?).saturating_sub(length - size))?;
        self.at += length;
        Ok(())
    }

    /// The size of a member with its padding. Refuses a member that is longer than the rest of the archive
    /// (threats: archive-cut-off, archive-huge-member).
    fn inside(&self, start: u64, name: &str, size: u64) -> Result<u64, ScanError> {
        let left = self.input.left(self.at);
        let whole = padded(size).filter(|whole| *whole <= left);
        whole.ok_or_else(|| broken(start, TarFault::CutInMember { left, name: Untrusted::new(name), size }))
    }

    /// Checks the end of the archive: a second block of zeros, then at most [`PADDING_LIMIT`] bytes, all zero. Holes of
    /// a sparse file count as zeros and are not read.
    fn end(&mut self, start: u64) -> Result<(), ScanError> {
        if self.next.is_announced() {
            return Err(broken(start, TarFault::EndInsteadOfMember));
        }
        match self.block() {
            Ok(block) if block == [0; 512] => {}
            Ok(_) => return Err(broken(start, TarFault::Zeros)),
            Err(ScanError::Broken(_)) => return Err(broken(start, TarFault::CutInEnd)),
            Err(error) => return Err(error),
        }
        let mut rest = vec![0; 64 << 10];
        let mut padding = 0;
        while let Some((at, count)) = self.input.rest(self.at, &mut rest)? {
            if rest.iter().take(count).any(|byte| *byte != 0) {
                return Err(broken(at, TarFault::Trailing));
            }
            padding += count;
            if padding > PADDING_LIMIT {
                return Err(broken(start, TarFault::Padding(PADDING_LIMIT)));
            }
            self.at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// Refuses a member that is cut off: `found` bytes of `size`.
fn whole(start: u64, name: &str, size: u64, found: u64) -> Result<(), ScanError> {
    match found == size {
        true => Ok(()),
        false => Err(broken(start, TarFault::CutInMember { left: found, name: Untrusted::new(name), size })),
    }
}

fn broken(at: u64, fault: TarFault) -> ScanError {
    ScanError::Broken(ArchiveFault::Tar { at, fault })
}

/// How many members an archive in a stream may have: each is kept as a few hundred bytes. Docker writes up to four for a
/// layer.
const STREAM_MEMBERS: u64 = 50_000;
/// The size limit of an extension header, in bytes.
const EXTENSION_LIMIT: u64 = 64 << 10;
/// The limit of zeros that are read after the end of an archive, in bytes; tar pads to 10 KiB by default.
const PADDING_LIMIT: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::digest::Digest;

    fn pax(records: &[(&str, &str)]) -> Vec<u8> {
        let record = |(key, value): &(&str, &str)| {
            let rest = format!(" {key}={value}\n");
            let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length).unwrap();
            format!("{length}{rest}")
        };
        let body: String = records.iter().map(record).collect();
        member(MemberType::Pax, "x", body.as_bytes())
    }

    fn member(kind: MemberType, name: &str, body: &[u8]) -> Vec<u8> {
        let size = u64::try_from(body.len()).unwrap();
        let mut bytes = Header { kind, name: name.as_bytes().to_vec(), size }.write().to_vec();
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn good() -> Vec<u8> {
        let long = "a/".repeat(60) + "x";
        let mut longlink = member(MemberType::File, "././@LongLink", format!("{long}\0").as_bytes());
        longlink[156] = b'L';
        let bytes = [
            member(MemberType::Directory, "./", b""),
            member(MemberType::File, "./oci-layout", b"mark"),
            pax(&[("mtime", "1.5"), ("path", "index.json"), ("size", "600")]),
            member(MemberType::File, "./index.json", &[b'i'; 600]),
            repaired(&longlink, 0),
            member(MemberType::File, &long[..100], b"long"),
            member(MemberType::File, "blobs/sha256/x", &member(MemberType::File, "index.json", b"hidden")),
            member(MemberType::File, "empty", b""),
        ];
        bytes.concat()
    }

    /// `bytes` with a right checksum in the block at `start`.
    fn repaired(bytes: &[u8], start: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let block = &mut bytes[start..start + 512];
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes
    }

    /// `bytes` with these fields in the block at `start`, and a right checksum there.
    fn with_fields(bytes: &[u8], start: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (at, field) in fields {
            bytes[start + at..start + at + field.len()].copy_from_slice(field);
        }
        repaired(&bytes, start)
    }

    /// A small generator: the same archives in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % sides
        }
    }

    fn spoiled(dice: &mut Dice) -> Vec<u8> {
        let mut bytes = good();
        for _ in 0..=dice.roll(2) {
            let blocks = bytes.len() / 512;
            let start = dice.roll(blocks) * 512;
            let block = bytes[start..start + 512].to_vec();
            match dice.roll(8) {
                0 => drop(bytes.splice(start..start + 512, [])),
                1 => drop(bytes.splice(start..start, block)),
                2 => bytes.splice(start..start, [0; 512]).for_each(drop),
                // A GNU header with a prefix, a star header, and a skippable frame of zstd before the first name.
                3 => bytes = with_fields(&bytes, start, &[(257, b"ustar  \0"), (345, b"blobs/sha256")]),
                4 => bytes = with_fields(&bytes, start, &[(345, &[b'p'; 155]), (508, b"tar\0")]),
                5 => bytes = with_fields(&bytes, 0, &[(0, b"\x50\x2a\x4d\x18\xf8\x01")]),
                _ => {
                    // The fields that decide where members are and what they are called.
                    let fields = [0, 2, 100, 124, 130, 133, 134, 135, 156, 157, 257, 262, 263, 345, 482, 511];
                    let values = [0, b' ', b'/', b'.', b'0', b'1', b'5', b'7', b'L', b'x', b'g', 0x80, 0xff];
                    bytes[start + fields[dice.roll(fields.len())]] = values[dice.roll(values.len())];
                    bytes = repaired(&bytes, start);
                }
            }
        }
        bytes.extend([0; 1024]);
        bytes
    }

    const PYTHON: &str = r#"
import hashlib, os, sys, tarfile
for name in sorted(os.listdir(sys.argv[2])):
    try:
        with tarfile.open(os.path.join(sys.argv[2], name), "r:", errorlevel=2) as tar:
            for member in tar:
                if member.isdir():
                    continue
                kind = "file" if member.isreg() else "other"
                digest = hashlib.sha256(tar.extractfile(member).read()).hexdigest() if member.isreg() else "-"
                print(name, kind, digest, member.name.removeprefix("./"))
    except Exception as error:
        print(name, "error", "-", type(error).__name__)
"#;

    const TAR: &str = r#"
tar --version | grep -q GNU || exit 1
cd "$1" && for name in *; do
    { tar -tvf "$name" || echo - - - - - error; } | grep -v '^d' | sed -E -e 's/^([^ ]+ +){5}//' -e 's|^\./||' -e "s|^|$name |"
done
"#;

    // Every archive we accept has the same files for another reader; we may refuse more (threats: archive-two-sizes).
    #[test]
    fn what_is_accepted_is_what_another_reader_sees() {
        let place = tempfile::tempdir().unwrap();
        let mut dice = Dice(7);
        let mut ours = BTreeSet::new();
        for number in 0..2_000 {
            let bytes = if number == 0 { [good(), vec![0; 1024]].concat() } else { spoiled(&mut dice) };
            let path = place.path().join("archive.tar");
            fs::write(&path, &bytes).unwrap();
            let length = u64::try_from(bytes.len()).unwrap();
            let file = File::open(&path).unwrap();
            let scanned = scan(&file, length, &Limits::DEFAULT, Links::Refused);
            let passed = pass(bytes.as_slice(), &Limits::DEFAULT);
            let Ok(members) = scanned else {
                // A stream may have symbolic links, which a layout may not.
                assert!(passed.is_err() || scan(&file, length, &Limits::DEFAULT, Links::Kept).is_ok(), "{number}");
                continue;
            };
            let (of_stream, passed) = passed.ok().unwrap();
            assert!(!matches!(bytes[..], [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]), "{number} is also a zstd file");
            fs::rename(path, place.path().join(format!("{number:04}"))).unwrap();
            let line = |name: &str, span: Span| {
                let start = usize::try_from(span.offset).unwrap();
                let content = &bytes[start..start + usize::try_from(span.size).unwrap()];
                format!("{number:04} file {} {name}", Digest::sha256(content).hex())
            };
            let seen = files(&file, length, &Limits::DEFAULT, |name, span| {
                assert_eq!(members.find(name), Some(span), "{name}");
                assert_eq!(of_stream.find(name), Some(span), "{name}");
                let start = usize::try_from(span.offset).unwrap();
                let content = &bytes[start..start + usize::try_from(span.size).unwrap()];
                assert_eq!(passed.hashed[&span.offset].digest, Digest::sha256(content), "{name}");
                ours.insert(line(name, span));
            });
            assert!(seen.is_ok());
        }
        let accepted = fs::read_dir(place.path()).unwrap().count();
        assert!((100..1_500).contains(&accepted), "{accepted} of 2,000 were accepted");
        let _left = fs::remove_file(place.path().join("archive.tar"));
        let listed = |program: &str, script: &str| {
            let output = Command::new(program).args(["-c", script, "list"]).arg(place.path()).output().ok()?;
            output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
        };
        let lines = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let compare = |theirs: BTreeSet<String>, ours: &BTreeSet<String>| {
            let left: Vec<_> = ours.difference(&theirs).collect();
            let right: Vec<_> = theirs.difference(ours).collect();
            assert_eq!(left, right, "ours on the left, theirs on the right");
        };
        if let Some(theirs) = listed("python3", PYTHON) {
            compare(lines(theirs), &ours);
        }
        if let Some(theirs) = listed("sh", TAR) {
            let name = |line: &String| {
                // A name may have spaces; those at its start are lost in the columns of the list.
                let mut fields = line.splitn(4, ' ');
                format!("{} {}", fields.next().unwrap(), fields.nth(2).unwrap().trim_start())
            };
            compare(lines(theirs), &ours.iter().map(name).collect());
        }
    }
}
