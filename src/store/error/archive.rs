//! `ArchiveFault`: why a tar archive is not read.

use crate::text::Untrusted;

/// Why an archive is not read.
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
    /// A file in it became shorter while it was read.
    #[error("`{0}` became shorter while it was read")]
    Shrunk(Untrusted),
    /// It is a pipe or a device.
    #[error(
        "it is a pipe or a device, and an archive is read at its offsets, several times; save it to a file first, for \
         example with `docker save -o image.tar IMAGE`"
    )]
    Stream,
    /// It breaks a rule of the strict reading.
    #[error("at byte {at} it has {fault}")]
    Tar {
        /// The offset of the header, or of what else breaks the rule.
        at: u64,
        /// Which rule.
        fault: TarFault,
    },
}

/// What an archive has that readers of tar archives could take for different things, or that no layout has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TarFault {
    /// The checksum of a header is wrong.
    #[error("a header whose checksum is {found} where {computed} is right")]
    Checksum {
        /// What the checksum should be.
        computed: u64,
        /// What the header says.
        found: u64,
    },
    /// The checksum of a header is not octal.
    #[error("a header checksum that is no octal number")]
    ChecksumForm,
    /// The archive ends after a member, without the blocks that end an archive.
    #[error("no end: it was cut off after a member")]
    CutAfterMember,
    /// The archive ends within a header.
    #[error("less than a whole header: it was cut off there, or is no tar")]
    CutInHeader,
    /// The archive ends within a member.
    #[error("`{name}` of {size} bytes, of which {left} are there: it was cut off")]
    CutInMember {
        /// How many bytes there are, with padding.
        left: u64,
        /// The member.
        name: Untrusted,
        /// The size of the member.
        size: u64,
    },
    /// The archive ends after the first of the two blocks that end an archive.
    #[error("one block of zeros at the end instead of two: it was cut off")]
    CutInEnd,
    /// A device.
    #[error("a device")]
    Device,
    /// A directory that has a size.
    #[error("a directory with content")]
    DirectoryWithContent,
    /// The end, after an extension header that announced a member.
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
    /// A field of a header that holds no number.
    #[error("a field at {0} in its header that is no number")]
    Field(usize),
    /// A hard link.
    #[error("a hard link")]
    HardLink,
    /// A header in another format.
    #[error("a header that is neither POSIX nor GNU")]
    HeaderFormat,
    /// A GNU long name that is not terminated.
    #[error("a long name without an end")]
    LongName,
    /// A name that no file of a layout can have.
    #[error("the name `{0}`, which is none that a layout can have")]
    Name(Untrusted),
    /// A name that is not UTF-8.
    #[error("a name that is not UTF-8")]
    NameEncoding,
    /// Two members with the same name, or with names that differ in case only.
    #[error("{} for the second time", named(.0.as_ref()))]
    NameTwice(Option<Untrusted>),
    /// Too much padding at the end.
    #[error("its end, and more than {0} bytes of padding after it")]
    Padding(usize),
    /// A PAX record that is malformed.
    #[error("a PAX record that is malformed")]
    Record,
    /// A PAX record for all members that sets what only one member can have.
    #[error("a record that sets `{0}`")]
    RecordKey(&'static str),
    /// Something that is said twice about one member.
    #[error("{0} for one member, twice")]
    Repeated(&'static str),
    /// A size that is not a number.
    #[error("a size that is no number")]
    Size,
    /// A size that no file can have.
    #[error("a size beyond every file")]
    SizeRange,
    /// A sparse file.
    #[error("a sparse file")]
    Sparse,
    /// A symbolic link.
    #[error("a symbolic link")]
    SymbolicLink,
    /// Something after the end.
    #[error("something after its end")]
    Trailing,
    /// Two sizes for one member.
    #[error("two sizes, {record} and {header}")]
    TwoSizes {
        /// What the header says.
        header: u64,
        /// What the PAX record says.
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
