//! Docker-archives that are compressed as a whole with gzip or zstd, which are read as a stream.

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Seek as _;
use std::path::Path;
use std::path::PathBuf;

use crate::limits::Limits;
use crate::store::StoreError;
use crate::store::archive::DOCKER_TRANSPORT;
use crate::store::archive::Tar;
use crate::store::error::ArchiveFault;
use crate::store::error::BrokenReason;
use crate::store::local::layout_files::open_regular;
use crate::store::unpack::Compression;
use crate::store::unpack::UnpackBudget;
use crate::store::unpack::Unpacked;

/// The docker-archive that `stream` delivers, unpacked if it is compressed; errors name it `path`.
///
/// # Errors
/// As [`Tar::pass`].
pub(in crate::store) fn pass(path: PathBuf, mut stream: impl Read, limits: &Limits) -> Result<Tar, StoreError> {
    let place = path.display().to_string();
    let mut first = Vec::new();
    stream.by_ref().take(FIRST).read_to_end(&mut first).map_err(|error| StoreError::io(place.clone(), error))?;
    let compression = compression_of(&first);
    let stream = io::Cursor::new(first).chain(stream);
    let Some(compression) = compression else { return Tar::pass(DOCKER_TRANSPORT, path, stream, limits.clone()) };
    let budget = UnpackBudget::of(limits);
    let stream = Unpacked::new(stream, compression, &budget, limits).map_err(|fault| {
        let reason = BrokenReason::Archive(ArchiveFault::Unpack(fault));
        StoreError::Broken { place, reason }
    })?;
    Tar::pass(DOCKER_TRANSPORT, path, stream, limits.clone())
}

/// The file at `path`, if it is compressed as a whole with something that is unpacked here.
pub(in crate::store) fn compressed_file(path: &Path) -> Result<Option<File>, StoreError> {
    let Ok(canonical) = path.canonicalize() else { return Ok(None) };
    if !canonical.is_file() {
        return Ok(None);
    }
    let Some((mut file, _)) = open_regular(&canonical)? else { return Ok(None) };
    let failed = |error| StoreError::io(path.display().to_string(), error);
    let mut first = Vec::new();
    file.by_ref().take(FIRST).read_to_end(&mut first).map_err(failed)?;
    if compression_of(&first).is_none() {
        return Ok(None);
    }
    file.rewind().map_err(failed)?;
    Ok(Some(file))
}

/// The compression of an archive, by its first bytes. An archive that a reader could also take for a plain tar is left to
/// the reader of tar archives, which refuses it.
fn compression_of(first: &[u8]) -> Option<Compression> {
    let is_tar = first.get(USTAR..).is_some_and(|rest| rest.starts_with(b"ustar"));
    let compression = Compression::of(first).filter(|_| !is_tar)?;
    matches!(compression, Compression::Gzip | Compression::Zstd).then_some(compression)
}

/// How many bytes tell what a file is: a tar header.
const FIRST: u64 = 512;
/// Where a tar header says that it is one.
const USTAR: usize = 257;
