//! `ArchiveFault`: why a tar archive is refused.

use crate::store::unpack::UnpackFault;
use crate::text::Untrusted;

/// Why a tar archive is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// It is compressed.
    #[error("it is compressed with {format}; unpack it with {tool} first")]
    Compressed {
        /// The format.
        format: &'static str,
        /// The program that unpacks it.
        tool: &'static str,
    },
    /// It is a directory.
    #[error("it is a directory, and not an archive")]
    Directory,
    /// It is an empty file.
    #[error("it is empty")]
    Empty,
    /// A file in it became shorter while it was being read.
    #[error("`{0}` became shorter while it was read")]
    Shrunk(Untrusted),
    /// It is a pipe or a device.
    #[error(
        "it is a pipe or a device, and an archive is read at its offsets, several times; save it to a file first, for \
         example with `docker save -o image.tar IMAGE`"
    )]
    Stream,
    /// A file in it is needed that passed in a stream and was not kept.
    #[error("`{0}` is needed again, and it came in a stream; save the archive to a file first")]
    Passed(Untrusted),
    /// It violates a rule of the strict reading.
    #[error("at byte {at} it has {fault}")]
    Tar {
        /// The offset of the header or data that violates the rule.
        at: u64,
        /// The rule.
        fault: TarFault,
    },
    /// It is compressed, and cannot be unpacked.
    #[error("{0}")]
    Unpack(UnpackFault),
}

/// A property that readers of tar archives could interpret differently, or that no layout has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TarFault {
    /// A name field that has more after the NUL that ends it.
    #[error("a header with something after the end of its name")]
    AfterName,
    /// A member whose path leads through a symbolic link.
    #[error("`{0}`, whose path leads through a symbolic link")]
    BelowLink(Untrusted),
    /// The checksum of a header is wrong.
    #[error("a header whose checksum is {found} where {computed} is right")]
    Checksum {
        /// The correct checksum.
        computed: u64,
        /// The checksum in the header.
        found: u64,
    },
    /// The checksum of a header is not octal.
    #[error("a header checksum that is no octal number")]
    ChecksumForm,
    /// The archive ends after a member, without the two blocks of zeros that end an archive.
    #[error("no end: it was cut off after a member")]
    CutAfterMember,
    /// The archive ends within a header.
    #[error("less than a whole header: it was cut off there, or is no tar")]
    CutInHeader,
    /// The archive ends within a member.
    #[error("`{name}` of {size} bytes, of which {left} are there: it was cut off")]
    CutInMember {
        /// The number of bytes that are left, with padding.
        left: u64,
        /// The member.
        name: Untrusted,
        /// The size of the member.
        size: u64,
    },
    /// The archive ends after the first of the two blocks of zeros that end an archive.
    #[error("one block of zeros at the end instead of two: it was cut off")]
    CutInEnd,
    /// A device.
    #[error("a device")]
    Device,
    /// More directories than the limit.
    #[error("members in more than {0} directories")]
    DirectoryCount(usize),
    /// A directory with a size.
    #[error("a directory with content")]
    DirectoryWithContent,
    /// The archive ends after an extension header for a member.
    #[error("the end where a member was announced")]
    EndInsteadOfMember,
    /// An extension header that is too long.
    #[error("{size} bytes about one member, more than {limit}")]
    ExtensionTooLong {
        /// The limit.
        limit: u64,
        /// The size of the extension header.
        size: u64,
    },
    /// A FIFO.
    #[error("a FIFO")]
    Fifo,
    /// A field of a header is not a number.
    #[error("a field at {0} in its header that is no number")]
    Field(usize),
    /// PAX records for all members between the extension header of one member and that member.
    #[error("records for all members after those about one member")]
    GlobalRecords,
    /// A GNU header that is not empty where a POSIX header has the prefix of the name: readers differ in whether it
    /// belongs to the name. GNU tar writes times there, with `--incremental` only.
    #[error("a GNU header with a prefix of its name or with times, which readers take differently")]
    GnuPrefix,
    /// More symbolic links than the limit.
    #[error("more than {0} symbolic links")]
    LinkCount(usize),
    /// A hard link.
    #[error("a hard link")]
    HardLink,
    /// A header in an unsupported format.
    #[error("a header that is neither POSIX nor GNU")]
    HeaderFormat,
    /// A GNU long name that is not terminated.
    #[error("a long name without an end")]
    LongName,
    /// A mode of another kind of file than the type flag says.
    #[error("a mode of another kind of file")]
    Mode,
    /// A name that is not valid in a layout.
    #[error("the name `{0}`, which is none that a layout can have")]
    Name(Untrusted),
    /// A name field with control characters. With them a tar archive can also be a compressed file.
    #[error("a control character in the name field of a header")]
    NameControl,
    /// A PAX record or a GNU long name that is empty: some readers then take the name in the header.
    #[error("an empty name for the next member")]
    NameEmpty,
    /// A name that is not UTF-8.
    #[error("a name that is not UTF-8")]
    NameEncoding,
    /// A file with the type flag NUL whose name ends in a slash: some readers take it for a directory.
    #[error("a file of the old type whose name ends in a slash")]
    NameSlash,
    /// Two members with equal names, compared without case.
    #[error("{} for the second time", named(.0.as_ref()))]
    NameTwice(Option<Untrusted>),
    /// Too much padding at the end.
    #[error("its end, and more than {0} bytes of padding after it")]
    Padding(usize),
    /// A PAX record that is malformed.
    #[error("a PAX record that is malformed")]
    Record,
    /// A PAX record for all members with a key that applies to one member.
    #[error("a record that sets `{0}`")]
    RecordKey(&'static str),
    /// A property of a member that is set twice.
    #[error("{0} for one member, twice")]
    Repeated(&'static str),
    /// A size that is not a number.
    #[error("a size that is no number")]
    Size,
    /// A size that is out of range.
    #[error("a size beyond every file")]
    SizeRange,
    /// A sparse file.
    #[error("a sparse file")]
    Sparse,
    /// A header with data in its last twelve bytes, as star writes it: its prefix of the name has another length.
    #[error("a header in the format of star, whose name readers take differently")]
    StarHeader,
    /// A symbolic link.
    #[error("a symbolic link")]
    SymbolicLink,
    /// Data after the end.
    #[error("something after its end")]
    Trailing,
    /// Two names for one member.
    #[error("two names, `{record}` and `{header}`")]
    TwoNames {
        /// The name in the header.
        header: Untrusted,
        /// The name in the PAX record or the GNU long name.
        record: Untrusted,
    },
    /// Two sizes for one member.
    #[error("two sizes, {record} and {header}")]
    TwoSizes {
        /// The size in the header.
        header: u64,
        /// The size in the PAX record.
        record: u64,
    },
    /// A member of an unknown type.
    #[error("a member of the unknown type {:?}", .0.escape_ascii().to_string())]
    UnknownType(u8),
    /// A block of zeros that is not at the end.
    #[error("a block of zeros in the middle")]
    Zeros,
}

fn named(name: Option<&Untrusted>) -> String {
    name.map_or_else(|| "a name".to_owned(), |name| format!("`{name}`"))
}
