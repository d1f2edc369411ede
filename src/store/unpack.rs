//! `Unpacked`: the bytes of a file that is compressed with gzip or zstd, as loaders unpack it, read strictly and within
//! bounds.
//!
//! The invariant: no more is unpacked than `limits.oci.unpacked_bytes` of all files of an archive together, and of each no
//! more than `limits.oci.unpacked_ratio` times what was read, so that decompression bombs end early
//! (threats: docker-archive-bomb). Memory does not grow with the
//! file: a zstd frame with a window over [`MAX_WINDOW`] is refused (RFC 8878 section 3.1.1.1.2).
//!
//! A file may have several members (gzip, RFC 1952 section 2.2) or frames (zstd, RFC 8878 section 3.1). Anything after the
//! last one is an error, since some readers ignore it and others do not.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::BlockDecodingStrategy;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::errors::ReadFrameHeaderError;

use crate::limits::Limits;
use crate::limits::count;

/// A compression that loaders recognise by the first bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Bzip2,
    Gzip,
    /// A zstd file that begins with a skippable frame (RFC 8878 section 3.1.2), which not every reader takes for zstd.
    SkippableFrame,
    Xz,
    Zstd,
}

/// Why a compressed file could not be unpacked. No answer follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackFault {
    /// The compressed data are damaged or cut off, or something follows them.
    #[error("its compressed data are damaged, cut off, or followed by something else")]
    Damaged,
    /// The compression is not one that is unpacked here.
    #[error("it is compressed with {0}, which bulla does not unpack")]
    Format(&'static str),
    /// It and the other files of the archive unpack to more bytes than the limit.
    #[error("the files of the archive unpack to more than {0} bytes")]
    TooLarge(u64),
    /// It unpacks to more bytes than the limit for its compressed size.
    #[error("it unpacks to more than {0} times its size")]
    TooDense(u64),
    /// A zstd frame needs a larger window than the limit.
    #[error("its zstd window is larger than {0} bytes")]
    Window(u64),
}

impl Compression {
    /// The compression that the first bytes of a file announce.
    pub(super) fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::SkippableFrame),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bzip2 => "bzip2",
            Self::Gzip => "gzip",
            Self::SkippableFrame | Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }
}

/// How many bytes may still be unpacked of the files of one archive, on all threads together.
#[derive(Debug)]
pub(super) struct UnpackBudget {
    left: AtomicU64,
    limit: u64,
}

impl UnpackBudget {
    /// `limits.oci.unpacked_bytes`.
    pub(super) const fn of(limits: &Limits) -> Self {
        let limit = limits.oci.unpacked_bytes;
        Self { left: AtomicU64::new(limit), limit }
    }

    /// Takes `bytes` out. Once it is exhausted it stays so.
    fn take(&self, bytes: u64) -> Result<(), UnpackFault> {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        match self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less) {
            Ok(before) if before >= bytes => Ok(()),
            Ok(_) | Err(_) => Err(UnpackFault::TooLarge(self.limit)),
        }
    }
}

/// A reader of the unpacked bytes of `inner`. Its errors are [`io::Error`]s; those about the file itself have an
/// [`UnpackFault`], which [`fault_of`] finds.
pub(super) struct Unpacked<'a, R: Read> {
    budget: &'a UnpackBudget,
    decoder: Decoder<CountingReader<R>>,
    /// The fault that ended the unpacking: no later read may look like the end of the file.
    fault: Option<UnpackFault>,
    ratio: u64,
    written: u64,
}

enum Decoder<R: Read> {
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Zstd(Frames<R>),
}

/// The frames of a zstd file.
enum Frames<R: Read> {
    /// After the last frame, or a fault.
    End,
    /// Between two frames.
    Next(BufReader<R>),
    Open(BufReader<R>, Box<FrameDecoder>),
}

/// A reader that counts its bytes.
struct CountingReader<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(count(length));
        Ok(length)
    }
}

impl<'a, R: Read> Unpacked<'a, R> {
    /// Unpacks `inner` within `budget`.
    ///
    /// # Errors
    /// [`UnpackFault::Format`] for a compression that is not unpacked.
    pub(super) fn new(
        inner: R,
        compression: Compression,
        budget: &'a UnpackBudget,
        limits: &Limits,
    ) -> Result<Self, UnpackFault> {
        let inner = BufReader::with_capacity(PIECE, CountingReader { inner, read: 0 });
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(inner))),
            Compression::Zstd => Decoder::Zstd(Frames::Next(inner)),
            Compression::SkippableFrame => return Err(UnpackFault::Format("zstd behind a skippable frame")),
            other => return Err(UnpackFault::Format(other.name())),
        };
        Ok(Self { budget, decoder, fault: None, ratio: limits.oci.unpacked_ratio, written: 0 })
    }

    fn compressed(&self) -> u64 {
        match &self.decoder {
            Decoder::Gzip(decoder) => decoder.get_ref().get_ref().read,
            Decoder::Zstd(Frames::Next(reader) | Frames::Open(reader, _)) => reader.get_ref().read,
            Decoder::Zstd(Frames::End) => u64::MAX,
        }
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault {
            return Err(io::Error::other(fault));
        }
        let read = self.read_within_limits(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.fault = Some(fault_of(error).unwrap_or(UnpackFault::Damaged));
        }
        read
    }
}

impl<R: Read> Unpacked<'_, R> {
    fn read_within_limits(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(buffer).map_err(damaged)?,
            Decoder::Zstd(frames) => frames.read(buffer)?,
        };
        self.written = self.written.saturating_add(count(length));
        self.budget.take(count(length)).map_err(io::Error::other)?;
        let dense = self.compressed().saturating_mul(self.ratio).max(ALWAYS_UNPACKED);
        if self.written > dense {
            return Err(io::Error::other(UnpackFault::TooDense(self.ratio)));
        }
        Ok(length)
    }
}

impl<R: Read> Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(self, Self::End) {
                Self::End => return Ok(0),
                Self::Next(mut reader) => match reader.fill_buf().map(<[u8]>::is_empty) {
                    Ok(true) => return Ok(0),
                    Ok(false) => *self = Self::frame(reader)?,
                    Err(error) => {
                        // The caller of `read` tries again after EINTR.
                        *self = Self::Next(reader);
                        return Err(error);
                    }
                },
                Self::Open(mut reader, mut decoder) => {
                    while decoder.can_collect() == 0 && !decoder.is_finished() {
                        let one = BlockDecodingStrategy::UptoBlocks(1);
                        decoder.decode_blocks(&mut reader, one).map_err(|_| io::Error::other(UnpackFault::Damaged))?;
                    }
                    let length = decoder.read(buffer)?;
                    let ended = decoder.is_finished() && decoder.can_collect() == 0;
                    *self = if ended { Self::Next(reader) } else { Self::Open(reader, decoder) };
                    if length > 0 {
                        return Ok(length);
                    }
                }
            }
        }
    }

    /// Opens the next frame, or passes over a skippable one.
    fn frame(mut reader: BufReader<R>) -> io::Result<Self> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        match decoder.init(&mut reader) {
            Ok(()) => Ok(Self::Open(reader, Box::new(decoder))),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                let skipped = io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
                if skipped == length { Ok(Self::Next(reader)) } else { Err(io::Error::other(UnpackFault::Damaged)) }
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => Err(io::Error::other(UnpackFault::Window(MAX_WINDOW))),
            Err(_) => Err(io::Error::other(UnpackFault::Damaged)),
        }
    }
}

/// An error of a decoder: that of reading the compressed bytes, or that these are damaged.
fn damaged(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::Other
        | io::ErrorKind::UnexpectedEof => io::Error::other(UnpackFault::Damaged),
        _ => error,
    }
}

/// The fault of the compressed file that `error` is about, if it is about that.
pub(super) fn fault_of(error: &io::Error) -> Option<UnpackFault> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<UnpackFault>()).copied()
}

/// The largest window of a zstd frame, in bytes. RFC 8878 recommends that decoders support 8 MiB, and encoders do not
/// use more.
const MAX_WINDOW: u64 = 8 << 20;
/// What may be unpacked from any file, in bytes: small files of zeros are dense.
const ALWAYS_UNPACKED: u64 = 16 << 20;
const PIECE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A zstd frame with one raw block (RFC 8878 sections 3.1.1.1 and 3.1.1.2).
    const FRAME: &[u8] = b"\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00abc";

    /// Returns the results in order, then the end of the file.
    struct Scripted(VecDeque<Result<&'static [u8], io::ErrorKind>>);

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.pop_front().unwrap_or(Ok(&[]))?;
            buffer[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        }
    }

    fn zstd<'a>(script: &[Result<&'static [u8], io::ErrorKind>], budget: &'a UnpackBudget) -> Unpacked<'a, Scripted> {
        let script = Scripted(script.iter().copied().collect());
        Unpacked::new(script, Compression::Zstd, budget, &Limits::DEFAULT).unwrap()
    }

    #[test]
    fn an_interrupted_read_is_not_the_end_of_the_file() {
        let interrupted = Err(io::ErrorKind::Interrupted);
        let budget = UnpackBudget::of(&Limits::DEFAULT);
        let mut unpacked = zstd(&[interrupted, Ok(FRAME), interrupted, Ok(FRAME)], &budget);
        let mut buffer = [0; 16];
        assert_eq!(unpacked.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(unpacked.read(&mut buffer).unwrap(), 3);
        assert_eq!(unpacked.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(unpacked.read(&mut buffer).unwrap(), 3);
        assert_eq!(unpacked.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn no_end_of_the_file_follows_an_error() {
        let faults: [Result<&[u8], _>; 3] = [Err(io::ErrorKind::TimedOut), Ok(b"garbage"), Ok(&FRAME[..11])];
        let budget = UnpackBudget::of(&Limits::DEFAULT);
        for fault in faults {
            let mut unpacked = zstd(&[Ok(FRAME), fault], &budget);
            let mut buffer = [0; 16];
            assert_eq!(unpacked.read(&mut buffer).unwrap(), 3);
            for _ in 0..3 {
                assert!(unpacked.read(&mut buffer).is_err(), "{fault:?}");
            }
        }
    }
}
