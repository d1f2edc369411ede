//! `HashedFile`: a file of a docker-archive that was read to its end, with its digest and that of its unpacked bytes.

use std::collections::BTreeMap;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::digest::Hasher;
use crate::limits::Limits;
use crate::limits::count;
use crate::store::StoreError;
use crate::store::unpack;
use crate::store::unpack::Compression;
use crate::store::unpack::UnpackBudget;
use crate::store::unpack::UnpackFault;
use crate::store::unpack::Unpacked;

/// A file that was read to its end and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HashedFile {
    /// The compression that its first bytes announce.
    pub(super) compression: Option<Compression>,
    /// The digest of the file.
    pub(super) digest: Digest,
    /// Its size, in bytes.
    pub(super) size: u64,
    /// If it is compressed: the SHA-256 digest of its unpacked bytes, or why they are not known.
    pub(super) unpacked: Option<Result<Digest, UnpackFault>>,
}

/// Whether the unpacked bytes of a compressed file are hashed too.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unpacking<'a> {
    Skipped,
    /// Within this budget of the archive.
    Wanted(&'a UnpackBudget),
}

impl HashedFile {
    /// As [`HashedFile::of`], for a file without a buffer.
    ///
    /// # Errors
    /// As [`HashedFile::of`].
    pub(super) fn read(
        file: impl Read,
        algorithm: DigestAlgorithm,
        unpacking: Unpacking<'_>,
        limits: &Limits,
    ) -> io::Result<Self> {
        Self::of(BufReader::with_capacity(PIECE, file), algorithm, unpacking, limits)
    }

    /// Reads `file` to its end, once, and hashes it with `algorithm`.
    ///
    /// # Errors
    /// The error of reading it. A compressed file that cannot be unpacked is no error.
    pub(super) fn of(
        mut file: impl BufRead,
        algorithm: DigestAlgorithm,
        unpacking: Unpacking<'_>,
        limits: &Limits,
    ) -> io::Result<Self> {
        let mut first = Vec::new();
        file.by_ref().take(MAGIC).read_to_end(&mut first)?;
        let compression = Compression::of(&first);
        let mut file = Hashing { hasher: Hasher::new(algorithm), inner: first.as_slice().chain(file), size: 0 };
        let mut unpacked = None;
        if let (Some(compression), Unpacking::Wanted(budget)) = (compression, unpacking) {
            unpacked = Some(digest_of_unpacked(&mut file, compression, budget, limits)?);
        }
        // What the unpacking has left, or all of it.
        file.drain()?;
        Ok(Self { compression, digest: file.hasher.finish(), size: file.size, unpacked })
    }
}

/// Calls `task` for each of `items`, on as many threads as there are cores, at most [`MAX_THREADS`], and returns the results
/// in their order.
///
/// # Errors
/// The first error in this order; what was not begun then is left out.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    task: impl Fn(&T) -> Result<R, StoreError> + Sync,
) -> Result<Vec<R>, StoreError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS).min(items.len());
    if threads < 2 {
        return items.iter().map(task).collect();
    }
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Acquire) {
                    let number = next.fetch_add(1, Ordering::AcqRel);
                    let Some(item) = items.get(number) else { break };
                    let result = task(item);
                    failed.fetch_or(result.is_err(), Ordering::AcqRel);
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(number, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// The digest of the unpacked bytes of `file`, or why they are not known. The inner result is an answer, the outer one an
/// error of reading the file.
fn digest_of_unpacked(
    file: impl Read,
    compression: Compression,
    budget: &UnpackBudget,
    limits: &Limits,
) -> io::Result<Result<Digest, UnpackFault>> {
    let mut unpacked = match Unpacked::new(file, compression, budget, limits) {
        Ok(unpacked) => unpacked,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    let mut piece = vec![0; PIECE];
    loop {
        match unpacked.read(&mut piece) {
            Ok(0) => return Ok(Ok(hasher.finish())),
            Ok(length) => hasher.update(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return unpack::fault_of(&error).map(Err).ok_or(error),
        }
    }
}

/// A reader that hashes its bytes.
struct Hashing<R> {
    hasher: Hasher,
    inner: R,
    size: u64,
}

impl<R: BufRead> Hashing<R> {
    /// Reads what is left, without a copy of it.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            let length = match self.inner.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(piece) => {
                    self.hasher.update(piece);
                    piece.len()
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.inner.consume(length);
            self.size = self.size.saturating_add(count(length));
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        };
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        self.size = self.size.saturating_add(count(length));
        Ok(length)
    }
}

/// More threads wait for the disk, and each has the window of a decompressor.
const MAX_THREADS: usize = 8;
/// How many bytes tell the compression.
const MAGIC: u64 = 6;
const PIECE: usize = 256 << 10;
