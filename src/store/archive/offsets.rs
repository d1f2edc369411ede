//! Reading and writing a file at offsets, so that several tasks can use one handle.

use std::fs::File;
use std::io;
use std::io::Read;
use std::sync::Arc;

use crate::store::local::layout_files::Rereadable;

/// The offset and size of a file in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// A reader of one member.
pub(super) struct SpanReader {
    at: u64,
    begin: u64,
    end: u64,
    file: Arc<File>,
}

impl SpanReader {
    pub(super) fn new(file: Arc<File>, span: Span) -> Self {
        Self { at: span.offset, begin: span.offset, end: span.offset.saturating_add(span.size), file }
    }
}

impl Rereadable for SpanReader {
    fn restart(&mut self) -> io::Result<()> {
        self.at = self.begin;
        Ok(())
    }
}

impl Read for SpanReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let Some(part) = buffer.get_mut(..length) else { return Ok(0) };
        let count = read_at(&self.file, part, self.at)?;
        self.at += u64::try_from(count).unwrap_or_default();
        Ok(count)
    }
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

/// The offset of the next data at or after `at`; a hole in a sparse file has no data and reads as zeros. `None` if only
/// a hole or the end follows.
#[cfg(target_os = "linux")]
pub(super) fn data_at(file: &File, at: u64) -> io::Result<Option<u64>> {
    use rustix::io::Errno;
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        // This file system does not support holes.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(at)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn data_at(_: &File, at: u64) -> io::Result<Option<u64>> {
    Ok(Some(at))
}
