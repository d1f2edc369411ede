//! Hashes a large file of a stream on one thread while another one reads it.
//!
//! The caller reads the stream, so nothing waits for it once an archive is refused. The hashing thread ends with the file.
//! A fixed number of buffers is used again and again, so memory does not grow with the file.

use std::io;
use std::io::BufRead;
use std::io::Read;
use std::mem;
use std::num::NonZero;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::sync::mpsc::SyncSender;
use std::thread;

use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::store::hashed_file::HashedFile;
use crate::store::hashed_file::Unpacking;

/// As [`HashedFile::read`], for a stream.
///
/// # Errors
/// As [`HashedFile::read`]: those of reading `content` first.
pub(super) fn hash(
    content: impl Read,
    algorithm: DigestAlgorithm,
    unpacking: Unpacking<'_>,
    limits: &Limits,
) -> io::Result<HashedFile> {
    if thread::available_parallelism().map_or(1, NonZero::get) < 2 {
        return HashedFile::read(content, algorithm, unpacking, limits);
    }
    let (full, filled) = mpsc::sync_channel(PIECES);
    let (empty, emptied) = mpsc::channel();
    thread::scope(|scope| {
        let pieces = Pieces { at: 0, empty, filled, piece: Piece { bytes: Vec::new(), length: 0 } };
        let hashing = move || HashedFile::of(pieces, algorithm, unpacking, limits);
        let hashing = thread::Builder::new().spawn_scoped(scope, hashing)?;
        let read = send_all(content, &full, &emptied);
        // The end of the sender is the end of the file.
        drop(full);
        let hashed = hashing.join().map_err(|_| io::Error::other("a file could not be hashed"))?;
        read.and(hashed)
    })
}

/// A buffer, filled to `length`.
struct Piece {
    bytes: Vec<u8>,
    length: usize,
}

/// Reads `content` to its end, and sends it in pieces. The buffers come back from the receiver.
fn send_all(mut content: impl Read, full: &SyncSender<Piece>, emptied: &Receiver<Vec<u8>>) -> io::Result<()> {
    loop {
        let mut bytes = emptied.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
        let length = fill(&mut content, &mut bytes)?;
        // The receiver reads to the end, unless it failed: then its error is the answer.
        if length == 0 || full.send(Piece { bytes, length }).is_err() {
            return Ok(());
        }
    }
}

/// Reads until the buffer is full or the content ends; returns how many bytes there are.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// A reader of the pieces that are sent.
struct Pieces {
    /// How much of the piece was read.
    at: usize,
    empty: Sender<Vec<u8>>,
    filled: Receiver<Piece>,
    piece: Piece,
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.piece.length
            && let Ok(next) = self.filled.recv()
        {
            let read = mem::replace(&mut self.piece, next);
            self.at = 0;
            if !read.bytes.is_empty() {
                // After the last piece there is no receiver.
                let _taken = self.empty.send(read.bytes);
            }
        }
        Ok(self.piece.bytes.get(self.at..self.piece.length).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.piece.length);
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

/// How many pieces wait to be hashed. Two more are read and hashed meanwhile.
const PIECES: usize = 4;
/// The size of a piece, in bytes: several times what a pipe holds.
const PIECE: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::digest::Digest;
    use crate::limits::count;

    /// Delivers a few bytes at a time and interruptions between them; then an error, or the end of the file.
    struct Slow<'a> {
        left: &'a [u8],
        steps: VecDeque<usize>,
        fails: bool,
    }

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let step = self.steps.pop_front().unwrap_or_default();
            self.steps.push_back(step);
            if step == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.left.is_empty() && self.fails {
                true => Err(io::ErrorKind::ConnectionReset.into()),
                false => {
                    let most = buffer.len().min(step);
                    self.left.read(&mut buffer[..most])
                }
            }
        }
    }

    fn of(left: &[u8], fails: bool) -> io::Result<HashedFile> {
        let slow = Slow { left, steps: VecDeque::from([PIECE - 1, 0, 2, 70_000]), fails };
        hash(slow, DigestAlgorithm::Sha256, Unpacking::Skipped, &Limits::DEFAULT)
    }

    #[test]
    fn a_file_has_the_digest_of_all_its_bytes() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 20 * PIECE + 5] {
            let bytes: Vec<_> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let hashed = of(&bytes, false).unwrap();
            assert_eq!((hashed.digest, hashed.size), (Digest::sha256(&bytes), count(size)), "{size}");
        }
    }

    #[test]
    fn an_error_of_the_stream_is_no_end_of_the_file() {
        for size in [0, 1, PIECE, 20 * PIECE + 5] {
            let error = of(&vec![7; size], true).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{size}");
        }
    }
}
