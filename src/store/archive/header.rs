//! `Header`: one 512-byte header of a tar archive, POSIX.1-1988 (ustar) or GNU, parsed strictly and written in its
//! simplest form.
//!
//! The bytes after the device numbers belong to other fields in each format: a prefix of the name in ustar, a shorter
//! prefix and two times in star, two times and a sparse map in GNU. Readers tell the formats apart by different marks, so
//! only what all of them read as the same name is accepted.

use crate::store::error::TarFault;

/// The block size of a tar archive, in bytes.
pub(super) const BLOCK: u64 = 512;

/// The type of a member, by the type flag of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberType {
    Directory,
    File,
    /// Never followed.
    HardLink,
    /// A GNU extension: the name of the next member.
    LongName,
    /// PAX records about the next member, POSIX.1-2001.
    Pax,
    /// PAX records about all members that follow.
    PaxGlobal,
    /// Followed to a file inside the archive, for a caller that asks for it.
    SymbolicLink,
}

/// A member's header without owner, time and mode, which are ignored (threats: archive-owner-and-mode).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: MemberType,
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
}

impl Header {
    /// Parses a header strictly: the checksum must be correct, and every number and the name must be unambiguous. The
    /// error is the reason to refuse the archive.
    pub(super) fn parse(block: &[u8; 512]) -> Result<Self, TarFault> {
        let checksum = octal(field(block, 148, 8)).ok_or(TarFault::ChecksumForm)?;
        if checksum != sum(block) {
            return Err(TarFault::Checksum { computed: sum(block), found: checksum });
        }
        let posix = match field(block, 257, 8) {
            b"ustar\x0000" => true,
            b"ustar  \0" => false,
            _ => return Err(TarFault::HeaderFormat),
        };
        let kind = match field(block, 156, 1) {
            b"0" | b"\0" => MemberType::File,
            b"5" => MemberType::Directory,
            b"L" => MemberType::LongName,
            b"x" => MemberType::Pax,
            b"g" => MemberType::PaxGlobal,
            b"1" => MemberType::HardLink,
            b"2" => MemberType::SymbolicLink,
            b"3" | b"4" => return Err(TarFault::Device),
            b"6" => return Err(TarFault::Fifo),
            b"S" => return Err(TarFault::Sparse),
            other => return Err(TarFault::UnknownType(other.first().copied().unwrap_or_default())),
        };
        let size = number(field(block, 124, 12)).ok_or(TarFault::Size)?;
        check_mode(field(block, 100, 8), kind)?;
        // Owners, time and device are ignored, but must be valid, since some readers stop at an invalid one.
        if let Some((at, _)) = [(108, 8), (116, 8), (136, 12), (329, 8), (337, 8)]
            .into_iter()
            .find(|(at, length)| !number_or_none(field(block, *at, *length)))
        {
            return Err(TarFault::Field(at));
        }
        Ok(Self { kind, name: name(block, posix)?, size })
    }

    /// The header of a member that we write: it depends neither on the user nor on the time.
    pub(super) fn write(&self) -> [u8; 512] {
        let mut block = [0; 512];
        let (mode, kind): (&[u8], &[u8]) = match self.kind {
            MemberType::Directory => (b"0000755\0", b"5"),
            MemberType::Pax => (b"0000644\0", b"x"),
            MemberType::File
            | MemberType::HardLink
            | MemberType::LongName
            | MemberType::PaxGlobal
            | MemberType::SymbolicLink => (b"0000644\0", b"0"),
        };
        let size = match self.size > MAX_OCTAL {
            // The base-256 form that GNU, BSD, Go and Python read: the first bit is set, then comes the number,
            // big-endian.
            true => [&[0x80, 0, 0, 0], self.size.to_be_bytes().as_slice()].concat(),
            false => format!("{:011o}\0", self.size).into_bytes(),
        };
        for (start, bytes) in [
            (0, self.name.as_slice()),
            (100, mode),
            (108, b"0000000\0"),
            (116, b"0000000\0"),
            (124, &size),
            (136, b"00000000000\0"),
            (148, b"        "),
            (156, kind),
            (257, b"ustar\x0000"),
            (329, b"0000000\0"),
            (337, b"0000000\0"),
        ] {
            put(&mut block, start, bytes);
        }
        let checksum = format!("{:06o}\0 ", sum(&block));
        put(&mut block, 148, checksum.as_bytes());
        block
    }

    /// Whether `name` fits into a header.
    pub(super) fn fits(name: &str) -> bool {
        name.len() <= 100
    }
}

/// The target of a link, as its header gives it.
pub(super) fn link_target(block: &[u8; 512]) -> Vec<u8> {
    text(field(block, 157, 100)).to_vec()
}

/// Checks that the mode does not make a member another kind of file than its type flag: readers in Go take a file with the
/// mode of a symbolic link for one (threats: archive-mode-of-link). The mode of a regular file changes nothing, and
/// permissions are ignored.
fn check_mode(field: &[u8], kind: MemberType) -> Result<(), TarFault> {
    let blank = field.iter().all(|byte| matches!(byte, 0 | b' '));
    let mode = if blank { 0 } else { octal(field).ok_or(TarFault::Field(100))? };
    match (mode & !0o7777, kind) {
        (0 | 0o100_000, _) | (0o040_000, MemberType::Directory) | (0o120_000, MemberType::SymbolicLink) => Ok(()),
        _ => Err(TarFault::Mode),
    }
}

/// The name of a member, with the prefix that a ustar header has for it.
fn name(block: &[u8; 512], posix: bool) -> Result<Vec<u8>, TarFault> {
    // In a star header, the last four bytes are `tar` and NUL, and the prefix is shorter (threats: archive-two-names).
    if field(block, 500, 12) != [0; 12] {
        return Err(TarFault::StarHeader);
    }
    // GNU tar has times there, with --incremental only. Go reads other text as a prefix (golang/go#12594, golang/go#21005),
    // and Python reads any text so.
    if !posix && field(block, 345, 155) != [0; 155] {
        return Err(TarFault::GnuPrefix);
    }
    let name = plain(field(block, 0, 100))?;
    // Some readers take a file with the old type flag for a directory by this name, others by the name in a record.
    if field(block, 156, 1) == b"\0" && name.ends_with(b"/") {
        return Err(TarFault::NameSlash);
    }
    match plain(field(block, 345, 155))? {
        b"" => Ok(name.to_vec()),
        prefix => Ok([prefix, b"/", name].concat()),
    }
}

/// The text in a field, with nothing after its final NUL. Control characters are refused also where a record gives
/// another name: the first name in the file is what the signature of a compressed file is compared with
/// (threats: archive-skippable-frame).
fn plain(field: &[u8]) -> Result<&[u8], TarFault> {
    let text = text(field);
    if field.iter().skip(text.len()).any(|byte| *byte != 0) {
        return Err(TarFault::AfterName);
    }
    match text.iter().any(u8::is_ascii_control) {
        true => Err(TarFault::NameControl),
        false => Ok(text),
    }
}

/// `size` rounded up to whole blocks; `None` on overflow.
pub(super) fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK)
}

fn field(block: &[u8; 512], start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

fn put(block: &mut [u8; 512], start: usize, bytes: &[u8]) {
    block.iter_mut().skip(start).zip(bytes).for_each(|(to, from)| *to = *from);
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The sum of all bytes, with the checksum itself as spaces.
fn sum(block: &[u8; 512]) -> u64 {
    let byte = |(position, byte): (usize, &u8)| if (148..156).contains(&position) { 32 } else { u64::from(*byte) };
    block.iter().enumerate().map(byte).sum()
}

/// Parses octal digits, perhaps after spaces, that end at a NUL or a space with nothing after it
/// (threats: archive-odd-number).
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ')?;
    let (_, digits) = field.split_at_checked(start)?;
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let plain = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let ended = rest.iter().all(|byte| matches!(byte, 0 | b' '));
    let digits = std::str::from_utf8(digits).ok().filter(|digits| plain && ended && !digits.is_empty())?;
    u64::from_str_radix(digits, 8).ok()
}

/// Parses a number in octal, or in base 256 if it is not negative and under 2^63.
fn number(field: &[u8]) -> Option<u64> {
    let Some((0x80, rest)) = field.split_first() else { return octal(field) };
    let (zeros, value) = rest.split_last_chunk::<8>()?;
    let value = u64::from_be_bytes(*value);
    (zeros.iter().all(|byte| *byte == 0) && i64::try_from(value).is_ok()).then_some(value)
}

/// Whether an ignored field is blank or any number.
fn number_or_none(field: &[u8]) -> bool {
    let blank = field.iter().all(|byte| matches!(byte, 0 | b' '));
    blank || matches!(field.first(), Some(0x80 | 0xff)) || octal(field).is_some()
}

/// The largest size that fits into eleven octal digits.
pub(super) const MAX_OCTAL: u64 = 0o77_777_777_777;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for size in [0, 1, 511, 512, MAX_OCTAL, MAX_OCTAL + 1, 1 << 62] {
            for kind in [MemberType::File, MemberType::Directory, MemberType::Pax] {
                let header = Header { kind, name: b"blobs/sha256/x".to_vec(), size };
                assert_eq!(Header::parse(&header.write()).unwrap(), header);
            }
        }
    }

    /// A header with these fields and a right checksum.
    fn made(fields: &[(usize, &[u8])]) -> [u8; 512] {
        let mut block = Header { kind: MemberType::File, name: b"c.json".to_vec(), size: 8 }.write();
        for (at, field) in fields {
            put(&mut block, *at, field);
        }
        let checksum = format!("{:06o}\0 ", sum(&block));
        put(&mut block, 148, checksum.as_bytes());
        block
    }

    /// The number in a field as Go's archive/tar reads it: octal without the spaces and NULs around it, or base 256.
    fn go_number(field: &[u8]) -> Option<i128> {
        if field[0] & 0x80 != 0 {
            let invert = if field[0] & 0x40 == 0 { 0 } else { 0xff };
            let bytes = field.iter().enumerate().map(|(at, byte)| (byte ^ invert) & if at == 0 { 0x7f } else { 0xff });
            let value = bytes.fold(0_u128, |value, byte| value << 8 | u128::from(byte));
            let value = i128::from(i64::try_from(value).ok()?);
            return Some(if invert == 0 { value } else { -value - 1 });
        }
        let blank = |byte: &u8| matches!(byte, 0 | b' ');
        let Some(start) = field.iter().position(|byte| !blank(byte)) else { return Some(0) };
        let end = field.iter().rposition(|byte| !blank(byte)).unwrap();
        i128::from_str_radix(std::str::from_utf8(text(&field[start..=end])).ok()?, 8).ok()
    }

    /// The name and size that Go's archive/tar reads from a header whose checksum is right, by the format that it tells by
    /// its own marks. `None` where it stops with an error.
    fn go_header(block: &[u8; 512]) -> Option<(Vec<u8>, i128)> {
        let star = block[257..263] == *b"ustar\0" && block[508..] == *b"tar\0";
        let (posix, gnu) = (block[257..263] == *b"ustar\0", block[257..265] == *b"ustar  \0");
        let mut numbers = vec![(100, 8), (108, 8), (116, 8), (136, 12)];
        if posix || gnu {
            numbers.extend([(329, 8), (337, 8)]);
        }
        if star {
            numbers.extend([(476, 12), (488, 12)]);
        }
        for (start, length) in numbers {
            go_number(&block[start..start + length])?;
        }
        let a_time = |start: usize| block[start] == 0 || go_number(&block[start..start + 12]).is_some();
        let prefix = match (star, posix, gnu) {
            (true, ..) => text(&block[345..476]),
            (_, true, _) => text(&block[345..500]),
            // A header that is not GNU's after all, as an early Go wrote it.
            (.., true) if !(a_time(345) && a_time(357)) => {
                Some(text(&block[345..500])).filter(|text| text.is_ascii()).unwrap_or_default()
            }
            _ => b"",
        };
        let name = text(&block[..100]).to_vec();
        let name = if prefix.is_empty() { name } else { [prefix, b"/", &name].concat() };
        Some((name, go_number(&block[124..136])?))
    }

    // Python's tarfile reads a prefix in every format.
    fn python_name(block: &[u8; 512]) -> Vec<u8> {
        let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    // (threats: archive-two-names)
    #[test]
    fn an_accepted_header_has_the_same_name_and_size_for_go_and_python() {
        let star = [b"p".repeat(131), b"00000000000 ".repeat(2)].concat();
        let times = b"00000000001\x0000000000002\0";
        let pieces: [(usize, &[u8]); 22] = [
            (257, b"ustar  \0"),
            (257, b"ustar\x0000"),
            (257, b"ustar\x00  "),
            (345, b"d"),
            (345, b"blobs/sha256"),
            (345, b"\xffd"),
            (345, &[b'p'; 155]),
            (345, &star),
            (345, times),
            (346, b"d"),
            (400, b"d"),
            (476, b"d"),
            (499, b"d"),
            (508, b"tar\0"),
            (508, b"tar"),
            (500, b"x"),
            (0, &[b'n'; 100]),
            (0, b"a\0b"),
            (0, b"P*M\x18"),
            (99, b"/"),
            (124, b"00000000010 "),
            (108, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        ];
        let (mut accepted, mut differing) = (0, 0);
        for first in 0..pieces.len() {
            for second in 0..pieces.len() {
                for third in 0..pieces.len() {
                    let block = made(&[pieces[first], pieces[second], pieces[third]]);
                    let go = go_header(&block);
                    differing += u32::from(go.as_ref().is_some_and(|(name, _)| *name != python_name(&block)));
                    let Ok(header) = Header::parse(&block) else { continue };
                    accepted += 1;
                    assert_eq!(header.name, python_name(&block), "{first} {second} {third}");
                    assert_eq!(go, Some((header.name, i128::from(header.size))), "{first} {second} {third}");
                }
            }
        }
        assert!(accepted > 500 && differing > 100, "{accepted} accepted, {differing} read in two ways");
    }

    // (threats: archive-two-names, archive-skippable-frame)
    #[test]
    fn a_name_that_can_be_read_in_two_ways_is_refused() {
        let gnu = (257, &b"ustar  \0"[..]);
        for (fields, fault) in [
            (&[gnu, (345, b"d")][..], TarFault::GnuPrefix),
            (&[gnu, (345, b"00000000001\x0000000000001\0")], TarFault::GnuPrefix),
            (&[gnu, (499, b"d")], TarFault::GnuPrefix),
            (&[(345, &[b'p'; 155]), (508, b"tar\0")], TarFault::StarHeader),
            (&[(508, b"tar\0")], TarFault::StarHeader),
            (&[gnu, (500, b"x")], TarFault::StarHeader),
            (&[(345, b"d\0d")], TarFault::AfterName),
            (&[(499, b"d")], TarFault::AfterName),
            (&[(0, b"a\0b")], TarFault::AfterName),
            (&[(99, b"/")], TarFault::AfterName),
            (&[(0, b"P*M\x18")], TarFault::NameControl),
            (&[(0, b"P*M\x18"), (156, b"x")], TarFault::NameControl),
            (&[(0, b"P*M\x18"), (156, b"g")], TarFault::NameControl),
            (&[(0, b"P*M\x18"), (156, b"L")], TarFault::NameControl),
            (&[(345, b"a\nb")], TarFault::NameControl),
            (&[(0, b"c.jso/"), (156, b"\0")], TarFault::NameSlash),
        ] {
            assert_eq!(Header::parse(&made(fields)), Err(fault), "{fields:?}");
        }
        for fields in [&[gnu][..], &[(345, b"d")], &[(345, &[b'p'; 155])], &[(0, &[b'n'; 100])], &[(156, b"\0")]] {
            assert!(Header::parse(&made(fields)).is_ok(), "{fields:?}");
        }
    }

    // (threats: archive-odd-number, archive-wrong-checksum)
    #[test]
    fn refuses_numbers_that_can_be_read_in_two_ways() {
        for good in ["00000000012\0", "     000012 ", "12\0\0\0\0\0\0\0\0\0\0", "77777777777 ", "777777777777"] {
            assert!(number(good.as_bytes()).is_some(), "{good:?}");
        }
        for bad in [
            "",
            "            ",
            "\0\0\0\0\0\0\0\0\0\0\0\0",
            "0000000001x\0",
            "-0000000012\0",
            "+0000000012\0",
            "00000000 12\0",
            "00000000\x0012\0",
            "00000000089\0",
        ] {
            assert_eq!(number(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(1 << 33));
        assert_eq!(number(b"\x80\0\0\0\xff\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"\x80\0\0\x01\0\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        let mut block = Header { kind: MemberType::File, name: b"x".to_vec(), size: 1 }.write();
        for position in 0..512 {
            block[position] ^= 4;
            assert!(Header::parse(&block).is_err(), "byte {position}");
            block[position] ^= 4;
        }
    }
}
