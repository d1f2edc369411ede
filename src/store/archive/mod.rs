//! `Archive`: an OCI image layout in a tar archive (oci-archive), read at offsets and never unpacked.

mod header;
mod input;
mod members;
mod next_member;
mod offsets;
mod open_archive;
mod overlapped;
pub(super) mod packed;
mod records;
mod scan;
mod write;

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::archive::offsets::Span;
use crate::store::archive::offsets::SpanReader;
use crate::store::archive::open_archive::ArchiveContent;
use crate::store::archive::open_archive::OpenArchive;
use crate::store::archive::scan::Links;
use crate::store::archive::scan::ScanError;
use crate::store::archive::write::StagedMember;
use crate::store::archive::write::Writing;
use crate::store::error::ArchiveFault;
use crate::store::error::BrokenReason;
use crate::store::error::BusyFault;
use crate::store::error::PathFault;
use crate::store::error::ReadOnlyFault;
use crate::store::hashed_file::HashedFile;
use crate::store::local::Local;
use crate::store::local::layout_files::DOCKER_LIST;
use crate::store::local::layout_files::LayoutFiles;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::OpenFile;
use crate::store::local::layout_files::StagedBlob;
use crate::store::local::layout_files::at;
use crate::store::local::layout_files::blob_digest;
use crate::store::local::layout_files::open_regular;
use crate::text::Untrusted;

/// An OCI image layout in an uncompressed tar archive.
///
/// A change writes a new archive beside the old one, which replaces it when it is finished.
pub type Archive = Local<Tar>;

/// The files of a layout as members of a tar archive.
pub struct Tar {
    /// Docker's list, if this is a docker-archive that is written.
    docker_list: Option<Box<dyn DockerList>>,
    limits: Limits,
    links: Links,
    path: PathBuf,
    /// The existing archive, if there is one.
    read: Mutex<Option<OpenArchive>>,
    transport: &'static str,
    /// The archive that is being written, if there is one.
    writing: Mutex<Option<Writing>>,
}

/// Docker's list (`manifest.json`) of an archive that is written.
pub(super) trait DockerList: Send + Sync {
    /// Reads the list of the archive at the path, which another process has put there since it was opened. It is locked.
    fn read_again(&self) -> Result<(), StoreError>;

    /// The list for an archive that is going to be committed with this `index.json`.
    fn render(&self, tar: &Tar, index: &[u8]) -> Result<Vec<u8>, StoreError>;
}

impl Archive {
    /// Whether the archive also has Docker's own list, which `docker load` uses:
    /// [`DockerArchive`](crate::store::DockerArchive) must read it then.
    pub fn is_for_docker(&self) -> bool {
        self.place().has(DOCKER_LIST)
    }

    /// Opens the archive in the file `path`, which must hold a layout.
    ///
    /// # Errors
    /// [`StoreError`] that says what is missing or broken, and at which byte.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        let tar = Tar::open(TRANSPORT, path.clone(), limits.clone())?;
        match tar.is_new() {
            true => Err(absent(&path)),
            false if tar.has(DOCKER_LIST) && !tar.has(MARK) => Err(tar.without_digest()),
            false => Self::of(tar, limits),
        }
    }

    /// Opens the archive in the file `path`; if it is missing, the first [`finish`](crate::store::Sink::finish) creates
    /// it.
    ///
    /// # Errors
    /// As [`Archive::open`], and if it holds evidence without layers.
    pub fn create(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::of(Tar::open(TRANSPORT, path.into(), limits.clone())?, limits)?.for_images()
    }

    /// The same archive as a destination for images, unless it is [for Docker](Archive::is_for_docker) too: Docker's list
    /// would not name what is added.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] with [`ReadOnlyFault::DockerList`].
    pub(super) fn without_docker_list(self) -> Result<Self, StoreError> {
        match self.is_for_docker() {
            true => Err(StoreError::ReadOnly { place: self.place().name(), reason: ReadOnlyFault::DockerList }),
            false => Ok(self),
        }
    }

    /// As [`Archive::create`], for evidence: the manifests, configs and signatures of images, without layers. The archive
    /// says so in the annotations of its `index.json`.
    ///
    /// # Errors
    /// As [`Archive::open`], and if it holds whole images.
    pub fn create_evidence(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::of(Tar::open(TRANSPORT, path.into(), limits.clone())?, limits)?.for_evidence()
    }
}

/// The error for an archive to read that does not exist.
pub(super) fn absent(path: &Path) -> StoreError {
    at(path)(io::Error::new(io::ErrorKind::NotFound, "there is no such file"))
}

impl Tar {
    /// Opens the archive in the file `path`, if there is one; errors name `transport`.
    pub(crate) fn open(transport: &'static str, path: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        Self::open_as(transport, path, limits, Links::Refused)
    }

    /// As [`Tar::open`], for an archive that is only read by name: symbolic links lead to files inside the archive.
    pub(super) fn open_with_links(transport: &'static str, path: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        Self::open_as(transport, path, limits, Links::Kept)
    }

    fn open_as(transport: &'static str, path: PathBuf, limits: Limits, links: Links) -> Result<Self, StoreError> {
        let (read, writing) = (Mutex::default(), Mutex::default());
        let tar = Self { docker_list: None, limits, links, path, read, transport, writing };
        *tar.read() = tar.scan()?;
        Ok(tar)
    }

    /// The archive that `stream` delivers, read once; errors name it `path`. Symbolic links lead to files inside the archive
    /// only.
    ///
    /// # Errors
    /// As [`Tar::open`].
    pub(super) fn pass(
        transport: &'static str,
        path: PathBuf,
        stream: impl io::Read,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let (read, writing) = (Mutex::default(), Mutex::default());
        let tar = Self { docker_list: None, limits, links: Links::Kept, path, read, transport, writing };
        let (members, passed) = scan::pass(stream, &tar.limits).map_err(|error| tar.scanned(error))?;
        let content = ArchiveContent::Passed(Arc::new(passed));
        *tar.read() = Some(OpenArchive { content, members: Arc::new(members) });
        Ok(tar)
    }

    /// The digest of the file `name`, if it passed in a stream.
    pub(super) fn passed(&self, name: &str) -> Option<HashedFile> {
        let opened = self.read().clone()?;
        let ArchiveContent::Passed(passed) = &opened.content else { return None };
        passed.hashed.get(&opened.members.find(name)?.offset).copied()
    }

    /// Whether the archive has links.
    pub(super) fn has_links(&self) -> bool {
        self.read().as_ref().is_some_and(|opened| opened.members.has_links())
    }

    /// Whether the archive has a link with this name, in any case.
    pub(super) fn has_link(&self, name: &str) -> bool {
        self.read().as_ref().is_some_and(|opened| opened.members.has_link(name))
    }

    /// The name of the file that `name` stands for: itself, or the target of the link with this name.
    pub(super) fn real_name(&self, name: &str) -> Option<String> {
        self.read().as_ref()?.members.real_name(name)
    }

    /// The same archive, which has Docker's list beside the layout whenever it is written.
    pub(super) fn with_docker_list(self, list: Box<dyn DockerList>) -> Self {
        Self { docker_list: Some(list), ..self }
    }

    /// Whether the archive has a file with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.read().as_ref().is_some_and(|opened| opened.members.find(name).is_some())
    }

    /// Reads the headers of `opened` again, to get the names.
    fn files(&self, opened: &OpenArchive, look: impl FnMut(&str, Span)) -> Result<(), StoreError> {
        let (file, length) = self.file(opened)?;
        scan::files(file, length, &self.limits, look).map_err(|error| self.scanned(error))
    }

    /// The file of the archive and its length. A stream is gone, and can be neither read again nor changed.
    fn file<'a>(&self, opened: &'a OpenArchive) -> Result<(&'a Arc<File>, u64), StoreError> {
        match &opened.content {
            ArchiveContent::File(file, length) => Ok((file, *length)),
            ArchiveContent::Passed(_) => Err(self.broken(BrokenReason::Archive(ArchiveFault::Stream))),
        }
    }

    /// The error for a docker-archive without manifests.
    pub(crate) fn without_digest(&self) -> StoreError {
        StoreError::ReadOnly { place: self.name(), reason: ReadOnlyFault::NoDigest }
    }

    /// Refuses a file that cannot be read at offsets, before anything blocks on it.
    fn is_seekable(&self) -> Result<(), StoreError> {
        let kind = std::fs::metadata(&self.path).map(|metadata| metadata.file_type());
        let fault = match kind {
            Ok(kind) if kind.is_dir() => ArchiveFault::Directory,
            Ok(kind) if !kind.is_file() => ArchiveFault::Stream,
            _ => return Ok(()),
        };
        Err(self.broken(BrokenReason::Archive(fault)))
    }

    fn broken(&self, reason: BrokenReason) -> StoreError {
        StoreError::Broken { place: self.name(), reason }
    }

    fn scanned(&self, error: ScanError) -> StoreError {
        match error {
            ScanError::Broken(fault) => self.broken(BrokenReason::Archive(fault)),
            ScanError::TooMany(limit) => StoreError::TooMany { place: self.name(), what: "members", limit },
            ScanError::Io(error) => at(&self.path)(error),
        }
    }

    fn scan(&self) -> Result<Option<OpenArchive>, StoreError> {
        self.is_seekable()?;
        // The path may be a link: the operator chose it.
        let path = match self.path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&self.path)(error)),
        };
        let Some((file, length)) = open_regular(&path)? else { return Ok(None) };
        self.scan_file(Arc::new(file), length).map(Some)
    }

    /// Reads the headers of an archive.
    fn scan_file(&self, file: Arc<File>, length: u64) -> Result<OpenArchive, StoreError> {
        let members = scan::scan(&file, length, &self.limits, self.links).map_err(|error| match error {
            // Docker before version 25, skopeo and podman write links into a docker-archive. Such an archive is refused
            // for lacking manifests, so that nobody removes the links in vain.
            ScanError::Broken(_)
                if self.links == Links::Refused
                    && scan::has_without(&file, length, &self.limits, DOCKER_LIST, MARK) =>
            {
                self.without_digest()
            }
            error => self.scanned(error),
        })?;
        Ok(OpenArchive { content: ArchiveContent::File(file, length), members: Arc::new(members) })
    }

    /// Checks the archive that is going to be extended, if it is another one than was opened: both must be for Docker, or
    /// neither.
    fn check_replaced(&self, opened: Option<&OpenArchive>) -> Result<(), StoreError> {
        let before = self.read().clone();
        let Some(opened) = opened.filter(|opened| !before.is_some_and(|before| before.is_same(opened))) else {
            return Ok(());
        };
        match &self.docker_list {
            Some(list) => list.read_again(),
            None if opened.members.find(DOCKER_LIST).is_some() => {
                Err(StoreError::ReadOnly { place: self.name(), reason: ReadOnlyFault::DockerList })
            }
            None => Ok(()),
        }
    }

    fn read(&self) -> MutexGuard<'_, Option<OpenArchive>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LayoutFiles for Tar {
    fn name(&self) -> String {
        format!("{}:{}", self.transport, self.path.display())
    }

    fn chooses_platform(&self) -> bool {
        self.has(DOCKER_LIST)
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile>, StoreError> {
        let staged = write::lock(&self.writing).as_ref().and_then(|writing| writing.find(name));
        let of_file = |file, span: Span| OpenFile { reader: Box::new(SpanReader::new(file, span)), size: span.size };
        if let Some((file, span)) = staged {
            return Ok(Some(of_file(file, span)));
        }
        let Some(opened) = self.read().clone() else { return Ok(None) };
        let Some(span) = opened.members.find(name) else { return Ok(None) };
        match opened.content {
            ArchiveContent::File(file, _) => Ok(Some(of_file(file, span))),
            ArchiveContent::Passed(passed) => match passed.kept.get(&span.offset) {
                Some(bytes) => {
                    let reader = Box::new(io::Cursor::new(bytes.clone()));
                    Ok(Some(OpenFile { reader, size: span.size }))
                }
                None => Err(self.broken(BrokenReason::Archive(ArchiveFault::Passed(Untrusted::new(name))))),
            },
        }
    }

    fn blobs(&self, limits: &Limits, most: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let mut blobs = Vec::new();
        let Some(opened) = self.read().clone() else { return Ok(blobs) };
        self.files(&opened, |name, span| {
            if span.size <= limits.oci.manifest_bytes && blobs.len() < most {
                blobs.extend(blob_digest(name).map(|digest| (digest, span.size)));
            }
        })?;
        Ok(blobs)
    }

    fn is_new(&self) -> bool {
        self.read().is_none()
    }

    fn begin(&self) -> Result<(), StoreError> {
        let mut slot = write::lock(&self.writing);
        if slot.is_none() {
            let mut writing = Writing::begin(&self.path)?;
            // Another process may have replaced the archive since it was read.
            let opened = self.scan()?;
            self.check_replaced(opened.as_ref())?;
            self.read().clone_from(&opened);
            if let Some(opened) = &opened {
                let mut members = Vec::new();
                self.files(opened, |name, span| members.push((name.to_owned(), span)))?;
                if self.docker_list.is_some() {
                    members.retain(|(name, _)| name != DOCKER_LIST);
                }
                writing.copy_all(self.file(opened)?.0, members)?;
            }
            *slot = Some(writing);
        }
        Ok(())
    }

    fn stage<'a>(&'a self, descriptor: &Descriptor) -> Result<Box<dyn StagedBlob + 'a>, StoreError> {
        Ok(Box::new(StagedMember::create(&self.writing, &self.path, descriptor)?))
    }

    fn mark(&self) {
        write::lock(&self.writing).iter_mut().for_each(Writing::mark);
    }

    fn rollback(&self) {
        write::lock(&self.writing).iter_mut().for_each(Writing::rollback);
    }

    fn commit(&self, index: &[u8]) -> Result<(), StoreError> {
        let lost = || self.broken(BrokenReason::Path(PathFault::Lost));
        let list = self.docker_list.as_ref().map(|list| list.render(self, index)).transpose()?;
        let mut slot = write::lock(&self.writing);
        if !slot.as_ref().is_none_or(Writing::is_complete) {
            return Err(StoreError::Busy { place: self.name(), reason: BusyFault::Writing });
        }
        // After a failure everything staged is lost; a second call must not report success
        // (threats: sync-error-reported-once).
        let mut writing = slot.take().ok_or_else(lost)?;
        drop(slot);
        let (file, length) = writing.complete(index, list.as_deref())?;
        let complete = self.scan_file(file, length)?;
        writing.publish()?;
        *self.read() = Some(complete);
        Ok(())
    }
}

pub(crate) const DOCKER_TRANSPORT: &str = "docker-archive";
pub(crate) const TRANSPORT: &str = "oci-archive";
