//! `LayoutFiles`: the files of an OCI image layout, in a directory or in an archive.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::files;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::store::BlobStream;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::BrokenReason;
use crate::store::error::PathFault;

/// The file that marks a directory as a layout.
pub(crate) const MARK: &str = "oci-layout";
/// The content of [`MARK`].
pub(crate) const MARK_BODY: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// Docker's own list of images, beside the layout in an archive that `docker load` reads.
pub(crate) const DOCKER_LIST: &str = "manifest.json";
/// The file with the index of a layout.
pub(crate) const INDEX: &str = "index.json";

/// The files of an OCI image layout. Staged blobs are visible to this value at once, and to other readers after
/// [`LayoutFiles::commit`].
pub trait LayoutFiles: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> String;

    /// Opens the regular file with this name; `None` if no such file exists.
    ///
    /// # Errors
    /// [`StoreError`] if it is not a regular file, and on I/O errors.
    fn open(&self, name: &str) -> Result<Option<OpenFile>, StoreError>;

    /// The digests and sizes of blob files that are small enough to be a manifest, at most `most` of them.
    ///
    /// # Errors
    /// [`StoreError::TooMany`], and I/O errors.
    fn blobs(&self, limits: &Limits, most: usize) -> Result<Vec<(Digest, u64)>, StoreError>;

    /// As [`Source::chooses_platform`](crate::store::Source::chooses_platform).
    fn chooses_platform(&self) -> bool {
        false
    }

    /// Whether the layout does not exist yet and is going to be created.
    fn is_new(&self) -> bool;

    /// Takes the lock against other writers, until [`LayoutFiles::commit`] or until this is dropped. May be called
    /// repeatedly.
    ///
    /// # Errors
    /// [`StoreError`] if another process holds the lock, and on I/O errors.
    fn begin(&self) -> Result<(), StoreError>;

    /// Begins to write the blob of this descriptor, after [`LayoutFiles::begin`].
    ///
    /// # Errors
    /// I/O errors.
    fn stage<'a>(&'a self, descriptor: &Descriptor) -> Result<Box<dyn StagedBlob + 'a>, StoreError>;

    /// Sets the savepoint of [`LayoutFiles::rollback`], after [`LayoutFiles::begin`].
    fn mark(&self);

    /// Removes the blobs that were staged since [`LayoutFiles::mark`].
    fn rollback(&self);

    /// Makes the staged blobs durable, and then visible with the new `index.json` in one step.
    ///
    /// # Errors
    /// I/O errors; the old layout is then unchanged.
    fn commit(&self, index: &[u8]) -> Result<(), StoreError>;
}

/// A blob that is being written. It is removed if this is dropped without [`StagedBlob::keep`].
pub trait StagedBlob: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// I/O errors.
    fn write(&mut self, piece: &[u8]) -> Result<(), StoreError>;

    /// Marks the blob as complete and checked, so that the next commit includes it.
    ///
    /// # Errors
    /// I/O errors.
    fn keep(self: Box<Self>) -> Result<(), StoreError>;
}

/// The bytes of an open file, which can be read again from the start.
pub trait Rereadable: Read + Send {
    /// Goes back to the first byte.
    ///
    /// # Errors
    /// The error of the operating system.
    fn restart(&mut self) -> io::Result<()>;
}

impl Rereadable for io::Cursor<Bytes> {
    fn restart(&mut self) -> io::Result<()> {
        self.set_position(0);
        Ok(())
    }
}

/// An open file of a layout.
pub struct OpenFile {
    /// Its bytes, from the beginning.
    pub reader: Box<dyn Rereadable>,
    /// Its declared length, in bytes.
    pub size: u64,
}

impl OpenFile {
    /// Reads the whole file, if it is not larger than `limit` bytes.
    pub(crate) fn read(self, what: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let too_large = || StoreError::TooLarge { what: what.to_owned(), limit };
        if self.size > limit {
            return Err(too_large());
        }
        // A file may be longer than its metadata says: then one byte more than the limit is read, never all of it
        // (threats: endless-file).
        let mut bytes = Vec::with_capacity(capacity_for(self.size));
        let end = limit.saturating_add(1);
        self.reader.take(end).read_to_end(&mut bytes).map_err(|error| StoreError::io(what, error))?;
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= limit => Ok(bytes),
            _ => Err(too_large()),
        }
    }

    /// The file as a stream of pieces.
    pub(crate) fn chunks(self, what: String) -> Box<dyn BlobStream> {
        Box::new(FileStream { reader: self.reader, what })
    }
}

/// The capacity of a buffer for a file or member of `size` bytes, all of it at once: a buffer that grows takes up to twice
/// its bytes, and is copied. A file between 16 and 32 MiB gets 32 MiB, since malloc of glibc raises `M_MMAP_THRESHOLD` to
/// the size of a smaller mapping that is freed, keeps the next buffer on the heap, and may not reuse its place.
fn capacity_for(size: u64) -> usize {
    let capacity = match size.saturating_add(1) {
        few @ ..=SMALLER_MAPPING => few,
        ..=LARGEST_THRESHOLD => LARGEST_THRESHOLD,
        many => many,
    };
    usize::try_from(capacity).unwrap_or_default()
}

/// The name of the file of the blob `digest`.
pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// The digest in a file name.
pub(crate) fn blob_digest(name: &str) -> Option<Digest> {
    let (algorithm, encoded) = name.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{encoded}").parse().ok()
}

/// Converts an I/O error about `path`.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.display().to_string();
    move |error| StoreError::Io { path: path.clone(), error: Arc::new(error) }
}

/// The error for the file or directory at `path`.
pub(crate) fn broken(path: &Path, fault: PathFault) -> StoreError {
    StoreError::Broken { place: path.display().to_string(), reason: BrokenReason::Path(fault) }
}

/// Opens the regular file at `path` and returns its length; `None` if nothing is there.
pub(crate) fn open_regular(path: &Path) -> Result<Option<(File, u64)>, StoreError> {
    Ok(files::regular(path)?)
}

struct FileStream {
    reader: Box<dyn Rereadable>,
    what: String,
}

impl FileStream {
    fn read(&mut self) -> Result<Option<Bytes>, StoreError> {
        let mut piece = Vec::with_capacity(PIECE);
        let end = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let mut part = self.reader.by_ref().take(end);
        part.read_to_end(&mut piece).map_err(|error| StoreError::io(&self.what, error))?;
        Ok(Some(piece).filter(|piece| !piece.is_empty()).map(Bytes::from))
    }
}

impl BlobStream for FileStream {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        Box::pin(std::future::ready(self.read()))
    }

    fn rewind(&mut self) -> Task<'_, Result<bool, StoreError>> {
        let done = self.reader.restart().map_err(|error| StoreError::io(&self.what, error));
        Box::pin(std::future::ready(done.map(|()| true)))
    }
}

const PIECE: usize = 256 << 10;

/// The largest value that glibc raises `M_MMAP_THRESHOLD` to by itself, in bytes. Mappings as large are not kept.
const LARGEST_THRESHOLD: u64 = 32 << 20;
/// The largest buffer that gets no more than its file has, below that threshold.
const SMALLER_MAPPING: u64 = 16 << 20;
