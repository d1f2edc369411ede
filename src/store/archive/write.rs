//! Writing an archive: a new file beside the old one, which is renamed when it is complete.
//!
//! The invariant: at every moment the file at the target is a complete archive, the old one or the new one, and the new
//! one lists no blob that it does not hold. A member that was written here replaces one of the old archive with the same
//! name, whose bytes nobody has checked (threats: spoiled-blob-in-archive).
//!
//! 1. The lock is taken, and a temporary file is made beside the archive.
//! 2. The members of the old archive are copied into it, except for its index.
//! 3. Space for each blob is reserved before its bytes arrive, so that several can be written at once; one that fails
//!    leaves a hole, unless it was the last one.
//! 4. If there are holes, all members are copied once more into a new file without holes.
//! 5. `oci-layout` and `index.json` are written last, then the end of the archive; the file is synced.
//! 6. The file is read as an archive: one that could not be read again replaces nothing.
//! 7. The file is renamed to its final name in one step, and its directory is synced.

mod staged_member;

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::files;
use crate::files::Contended;
use crate::files::Lock;
use crate::files::Overwrite;
use crate::files::Temporary;
use crate::files::TemporaryPath;
use crate::store::StoreError;
use crate::store::archive::header::BLOCK;
use crate::store::archive::header::Header;
use crate::store::archive::header::MemberType;
use crate::store::archive::header::padded;
use crate::store::archive::offsets::Span;
use crate::store::archive::offsets::data_at;
use crate::store::archive::offsets::read_at;
use crate::store::archive::offsets::write_at;
use crate::store::error::ArchiveFault;
use crate::store::error::BrokenReason;
use crate::store::error::PathFault;
use crate::store::local::background_sync::BackgroundSync;
use crate::store::local::layout_files::DOCKER_LIST;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::MARK_BODY;
use crate::store::local::layout_files::at;
use crate::store::local::layout_files::broken;
use crate::text::Untrusted;

pub(super) use staged_member::StagedMember;

/// An archive that is being written.
///
/// Members follow each other in the order in which their space was reserved: that order and the content alone decide
/// the bytes of the archive.
pub(super) struct Writing {
    background: BackgroundSync,
    /// The offset of the next member.
    end: u64,
    file: Arc<File>,
    /// Whether a reserved space was left unfilled.
    holes: bool,
    /// The complete members, by their names in lower case: some file systems ignore case.
    kept: BTreeMap<String, KeptMember>,
    _lock: Lock,
    marked: Option<ArchiveMark>,
    /// The number of blobs that are being written.
    open: usize,
    target: PathBuf,
    /// The temporary file; `None` once it has its final name.
    temporary: Option<TemporaryPath>,
}

/// A complete member.
struct KeptMember {
    name: String,
    span: Span,
    /// Whether it was written here, not copied from the old archive.
    written: bool,
}

/// A savepoint: the state of the archive, and the members that were added since, with those that they replaced.
struct ArchiveMark {
    added: Vec<(String, Option<KeptMember>)>,
    end: u64,
    holes: bool,
    open: usize,
}

/// The space reserved for a member: the offsets of its header, its content, and the next member.
struct ReservedSpace {
    data: u64,
    end: u64,
    start: u64,
}

impl Writing {
    /// Takes the lock for `target` and creates a temporary file beside it; only [`Writing::commit`] changes `target`.
    ///
    /// # Errors
    /// [`StoreError`] if the target is a symbolic link, if another process holds the lock, or on I/O errors.
    pub(super) fn begin(target: &Path) -> Result<Self, StoreError> {
        let directory = directory_of(target);
        fs::metadata(directory).map_err(at(directory))?;
        // A link could lead the write to a file that the operator did not name.
        if target.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
            return Err(broken(target, PathFault::SymbolicLink));
        }
        let lock = Lock::beside(target, LOCK, Contended::Wait)?;
        let Temporary { file, path } = Temporary::beside(target, MODE)?;
        let mut writing = Self {
            background: BackgroundSync::default(),
            end: 0,
            file: Arc::new(file),
            holes: false,
            kept: BTreeMap::new(),
            _lock: lock,
            marked: None,
            open: 0,
            target: target.to_owned(),
            temporary: Some(path),
        };
        for directory in DIRECTORIES {
            let room = writing.reserve(directory, 0, MemberType::Directory)?;
            writing.end = room.end;
        }
        Ok(writing)
    }

    /// Copies `members` of the archive `file`, in the order of their offsets, except for `index.json` and `oci-layout`.
    pub(super) fn copy_all(&mut self, file: &Arc<File>, mut members: Vec<(String, Span)>) -> Result<(), StoreError> {
        members.sort_by_key(|(_, span)| span.offset);
        for (name, span) in members {
            if name != INDEX && name != MARK {
                self.copy(&name, file, span)?;
            }
        }
        Ok(())
    }

    /// Copies one member of another archive. Holes of a sparse file stay holes.
    fn copy(&mut self, name: &str, file: &File, span: Span) -> Result<(), StoreError> {
        let room = self.reserve(name, span.size, MemberType::File)?;
        let end = span.offset.saturating_add(span.size);
        let shrunk = || BrokenReason::Archive(ArchiveFault::Shrunk(Untrusted::new(name)));
        let shorter = || StoreError::Broken { place: self.target.display().to_string(), reason: shrunk() };
        let mut buffer = vec![0; 256 << 10];
        let mut from = span.offset;
        while let Some(data) = data_at(file, from).map_err(at(&self.target))?.filter(|data| *data < end) {
            let left = usize::try_from(end - data).unwrap_or(usize::MAX);
            let length = buffer.len().min(left);
            let Some(part) = buffer.get_mut(..length) else { break };
            let count = read_at(file, part, data).map_err(at(&self.target))?;
            let piece = part.get(..count).filter(|piece| !piece.is_empty()).ok_or_else(shorter)?;
            write_all(&self.file, self.path(), piece, room.data.saturating_add(data - span.offset))?;
            from = data.saturating_add(u64::try_from(count).unwrap_or_default());
            if from == end {
                break;
            }
        }
        // A hole at the end could also be a truncated file.
        if file.metadata().map_err(at(&self.target))?.len() < end {
            return Err(shorter());
        }
        self.end = room.end;
        let span = Span { offset: room.data, size: span.size };
        self.kept.insert(key(name), KeptMember { name: name.to_owned(), span, written: false });
        Ok(())
    }

    /// The file, offset and size of a complete member.
    pub(super) fn find(&self, name: &str) -> Option<(Arc<File>, Span)> {
        let member = self.kept.get(&key(name)).filter(|member| member.name == name)?;
        Some((Arc::clone(&self.file), member.span))
    }

    /// Enters a member that was written here, unless there is one already. One of the old archive becomes a hole. Returns
    /// whether it was entered.
    fn enter(&mut self, name: &str, span: Span) -> bool {
        if self.kept.get(&key(name)).is_some_and(|member| member.written) {
            return false;
        }
        let replaced = self.kept.insert(key(name), KeptMember { name: name.to_owned(), span, written: true });
        self.holes |= replaced.is_some();
        if let Some(marked) = &mut self.marked {
            marked.added.push((key(name), replaced));
        }
        true
    }

    /// Sets the savepoint of [`Writing::rollback`].
    pub(super) fn mark(&mut self) {
        let Self { end, holes, open, .. } = *self;
        self.marked = Some(ArchiveMark { added: Vec::new(), end, holes, open });
    }

    /// Removes the members that were added since [`Writing::mark`], and brings back those that they replaced. The archive is
    /// truncated to the savepoint if no blob is being written; otherwise their space becomes a hole.
    pub(super) fn rollback(&mut self) {
        let Some(ArchiveMark { added, end, holes, open }) = self.marked.take() else { return };
        for (key, replaced) in added {
            match replaced {
                Some(member) => drop(self.kept.insert(key, member)),
                None => drop(self.kept.remove(&key)),
            }
        }
        match self.end == end || open == 0 && self.open == 0 && self.file.set_len(end).is_ok() {
            true => (self.end, self.holes) = (end, if open == 0 { holes } else { self.holes }),
            false => self.holes = true,
        }
    }

    /// Whether no blob is being written.
    pub(super) fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// Writes `manifest.json` if there is one, `oci-layout` and `index.json`, and syncs the archive. Returns the file and its
    /// length in bytes.
    ///
    /// # Errors
    /// [`StoreError`] on I/O errors.
    pub(super) fn complete(
        &mut self,
        index: &[u8],
        docker_list: Option<&[u8]>,
    ) -> Result<(Arc<File>, u64), StoreError> {
        if self.holes {
            self.compact()?;
        }
        let docker_list = docker_list.map(|list| (DOCKER_LIST, list));
        for (name, body) in docker_list.into_iter().chain([(MARK, MARK_BODY), (INDEX, index)]) {
            self.append(name, body)?;
        }
        let path = self.path().to_owned();
        let here = at(&path);
        let length = self.end.saturating_add(2 * BLOCK);
        self.file.set_len(length).map_err(&here)?;
        if let Ok(old) = fs::metadata(&self.target) {
            self.file.set_permissions(old.permissions()).map_err(&here)?;
        }
        self.background.finish()?;
        self.file.sync_all().map_err(&here)?;
        Ok((Arc::clone(&self.file), length))
    }

    /// Renames the complete archive to the target in one step.
    ///
    /// # Errors
    /// [`StoreError`] on I/O errors; the target is then unchanged, unless only the last sync of the directory failed.
    pub(super) fn publish(&mut self) -> Result<(), StoreError> {
        let complete = self.temporary.take().ok_or_else(|| broken(&self.target, PathFault::Lost))?;
        complete.rename(&self.target, Overwrite::Replace).map_err(at(&self.target))?;
        let directory = directory_of(&self.target);
        files::sync_directory(directory).map_err(at(directory))
    }

    /// The path of the file that is being written.
    fn path(&self) -> &Path {
        self.temporary.as_ref().map_or(&self.target, TemporaryPath::path)
    }

    /// Writes the header of a member at the end and returns the space reserved for it; the caller advances `end`.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] if the archive would be longer than [`MAX_ARCHIVE`].
    fn reserve(&mut self, name: &str, size: u64, kind: MemberType) -> Result<ReservedSpace, StoreError> {
        let what =
            || StoreError::TooLarge { what: format!("`{name}` for {}", self.target.display()), limit: MAX_ARCHIVE };
        let start = self.end;
        let headers = headers(name, size, kind);
        let data = start.checked_add(u64::try_from(headers.len()).unwrap_or(u64::MAX)).ok_or_else(what)?;
        let end = padded(size).and_then(|size| data.checked_add(size)).filter(|end| *end <= MAX_ARCHIVE);
        let end = end.ok_or_else(what)?;
        write_all(&self.file, self.path(), &headers, start)?;
        Ok(ReservedSpace { data, end, start })
    }

    /// Appends a member with its content.
    fn append(&mut self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let room = self.reserve(name, size, MemberType::File)?;
        write_all(&self.file, self.path(), body, room.data)?;
        self.end = room.end;
        let span = Span { offset: room.data, size };
        self.kept.insert(key(name), KeptMember { name: name.to_owned(), span, written: true });
        Ok(())
    }

    /// Copies all members to a new temporary file, one after the other, without holes.
    fn compact(&mut self) -> Result<(), StoreError> {
        let members = std::mem::take(&mut self.kept).into_values().map(|member| (member.name, member.span)).collect();
        let Temporary { file, path } = Temporary::beside(&self.target, MODE)?;
        self.temporary = Some(path);
        let before = std::mem::replace(&mut self.file, Arc::new(file));
        self.holes = false;
        self.end = 0;
        for directory in DIRECTORIES {
            self.end = self.reserve(directory, 0, MemberType::Directory)?.end;
        }
        self.copy_all(&before, members)
    }
}

/// The name by which a member is found: in lower case.
fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

pub(super) fn lock(writing: &Mutex<Option<Writing>>) -> MutexGuard<'_, Option<Writing>> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The header of a member, with a PAX header before it if the name does not fit.
fn headers(name: &str, size: u64, kind: MemberType) -> Vec<u8> {
    let header = |kind, name: &str, size| Header { kind, name: name.as_bytes().to_vec(), size }.write();
    if Header::fits(name) {
        return header(kind, name, size).to_vec();
    }
    let record = record("path", name);
    let length = u64::try_from(record.len()).unwrap_or_default();
    let mut headers = header(MemberType::Pax, "././@PaxHeader", length).to_vec();
    headers.extend(&record);
    headers.resize(headers.len().next_multiple_of(512), 0);
    let short: String = name.chars().take(100).collect();
    headers.extend(header(kind, &short, size));
    headers
}

/// A PAX record: `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let with = |digits: usize| rest.len() + digits;
    let digits = (1..).find(|digits| with(*digits).to_string().len() == *digits).unwrap_or_default();
    format!("{}{rest}", with(digits)).into_bytes()
}

/// Writes all of `bytes` at `offset`.
fn write_all(file: &File, path: &Path, mut bytes: &[u8], mut offset: u64) -> Result<(), StoreError> {
    while !bytes.is_empty() {
        let count = match write_at(file, bytes, offset) {
            Ok(0) => return Err(at(path)(io::ErrorKind::WriteZero.into())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(at(path)(error)),
        };
        bytes = bytes.get(count..).unwrap_or_default();
        offset += u64::try_from(count).unwrap_or_default();
    }
    Ok(())
}

fn directory_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The directories at the beginning of every archive that we write.
const DIRECTORIES: [&str; 2] = ["blobs/", "blobs/sha256/"];

/// The suffix of the lock file.
const LOCK: &str = ".bulla.lock";

/// The longest archive, in bytes: file offsets are signed.
const MAX_ARCHIVE: u64 = 1 << 62;

/// The permissions of a new archive, less the umask.
const MODE: u32 = 0o666;
