//! `ArchiveInput`: where a scan reads an archive from, a file or a stream; and `StreamInput`, which hashes the files that pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek as _;

use bytes::Bytes;

use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::limits::count;
use crate::store::archive::offsets::Span;
use crate::store::archive::offsets::data_at;
use crate::store::archive::offsets::read_at;
use crate::store::archive::overlapped;
use crate::store::hashed_file::HashedFile;
use crate::store::hashed_file::Unpacking;
use crate::store::unpack::UnpackBudget;

/// Where the bytes of an archive come from, read from the beginning to the end.
pub(super) trait ArchiveInput: Read {
    /// The first bytes, at most 512, before anything was read; the position stays.
    fn first(&mut self) -> io::Result<Vec<u8>>;

    /// How many bytes follow the offset `at`; for a stream, as many as there could be.
    fn left(&self, at: u64) -> u64;

    /// Passes over the content of a file, and returns how many of its bytes there are.
    fn content(&mut self, span: Span) -> io::Result<u64>;

    /// Passes over `length` bytes, and returns how many there are.
    fn skip(&mut self, length: u64) -> io::Result<u64>;

    /// Reads bytes at or after the offset `at`, where the archive has ended: their offset and number. `None` at the end.
    fn rest(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<Option<(u64, usize)>>;
}

/// An archive in a file. Contents are passed over without being read.
pub(super) struct FileInput<'a> {
    input: BufReader<&'a File>,
    length: u64,
}

impl<'a> FileInput<'a> {
    /// The archive in `file`, which is `length` bytes long.
    pub(super) fn new(file: &'a File, length: u64) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(64 << 10, file);
        input.rewind()?;
        Ok(Self { input, length })
    }
}

impl Read for FileInput<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl ArchiveInput for FileInput<'_> {
    fn first(&mut self) -> io::Result<Vec<u8>> {
        let mut first = Vec::new();
        self.input.by_ref().take(FIRST).read_to_end(&mut first)?;
        self.input.rewind()?;
        Ok(first)
    }

    fn left(&self, at: u64) -> u64 {
        self.length.saturating_sub(at)
    }

    fn content(&mut self, span: Span) -> io::Result<u64> {
        self.skip(span.size)
    }

    fn skip(&mut self, length: u64) -> io::Result<u64> {
        let far = i64::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.input.seek_relative(far)?;
        Ok(length)
    }

    /// Holes of a sparse file count as zeros and are not read.
    fn rest(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<Option<(u64, usize)>> {
        let file = *self.input.get_ref();
        let Some(at) = data_at(file, at)? else { return Ok(None) };
        Ok(Some((at, read_at(file, buffer, at)?)).filter(|(_, length)| *length > 0))
    }
}

/// What was kept of an archive that passed in a stream.
#[derive(Debug, Default)]
pub(super) struct PassedFiles {
    /// The digests of all files, by their offsets.
    pub(super) hashed: BTreeMap<u64, HashedFile>,
    /// The small files that may be JSON, by their offsets.
    pub(super) kept: BTreeMap<u64, Bytes>,
}

/// An archive in a stream, read once. Each file is hashed as it passes; small files that may be JSON are kept, within
/// `limits.graph.bytes` together.
pub(super) struct StreamInput<'a, R> {
    budget: UnpackBudget,
    first: io::Cursor<Vec<u8>>,
    inner: R,
    limits: &'a Limits,
    passed: PassedFiles,
    /// The bytes that may still be kept.
    room: u64,
}

impl<'a, R: Read> StreamInput<'a, R> {
    /// The archive that `inner` delivers.
    pub(super) fn new(mut inner: R, limits: &'a Limits) -> io::Result<Self> {
        let mut first = Vec::new();
        inner.by_ref().take(FIRST).read_to_end(&mut first)?;
        let (first, room) = (io::Cursor::new(first), limits.graph.bytes);
        let budget = UnpackBudget::of(limits);
        Ok(Self { budget, first, inner, limits, passed: PassedFiles::default(), room })
    }

    /// What was kept.
    pub(super) fn into_passed(self) -> PassedFiles {
        self.passed
    }
}

impl<R: Read> Read for StreamInput<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.first.read(buffer)? {
            0 => self.inner.read(buffer),
            length => Ok(length),
        }
    }
}

impl<R: Read> ArchiveInput for StreamInput<'_, R> {
    fn first(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.first.get_ref().clone())
    }

    fn left(&self, at: u64) -> u64 {
        u64::MAX - at
    }

    fn content(&mut self, span: Span) -> io::Result<u64> {
        let limits = self.limits;
        let small = span.size <= limits.oci.manifest_bytes.min(self.room);
        let (unpacking, sha256) = (Unpacking::Wanted(&self.budget), DigestAlgorithm::Sha256);
        let mut content = self.first.by_ref().chain(&mut self.inner).take(span.size);
        let hashed = match small {
            true => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                let hashed = HashedFile::of(bytes.as_slice(), sha256, unpacking, limits)?;
                if matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
                    self.room -= count(bytes.len());
                    self.passed.kept.insert(span.offset, Bytes::from(bytes));
                }
                hashed
            }
            false => overlapped::hash(content, sha256, unpacking, limits)?,
        };
        self.passed.hashed.insert(span.offset, hashed);
        Ok(hashed.size)
    }

    fn skip(&mut self, length: u64) -> io::Result<u64> {
        io::copy(&mut self.by_ref().take(length), &mut io::sink())
    }

    fn rest(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<Option<(u64, usize)>> {
        Ok(Some((at, self.read(buffer)?)).filter(|(_, length)| *length > 0))
    }
}

/// How many bytes tell what a file is: the first header.
const FIRST: u64 = 512;
