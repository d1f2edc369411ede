//! Reading files: the type of a file is checked before and after it is opened, and at most a limit is read.

use std::fs;
use std::fs::File;
use std::fs::FileType;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::files::FileError;

/// The types of file that are accepted besides a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accept {
    /// Regular files only.
    File,
    /// Pipes too, as the shell makes one of `<(command)` and of `|` with `/dev/stdin`.
    Pipe,
    /// Pipes, terminals and character devices too: for input that a person types.
    Stream,
}

/// A file that is open for reading.
#[derive(Debug)]
pub struct Input {
    file: File,
    /// The first byte of a pipe, which was read to find out whether it has a writer.
    first: Option<u8>,
    /// Its length in bytes, if it is known.
    length: Option<u64>,
}

/// Opens the file at `path` for reading, if its type is accepted. Follows links, since the operator gave the path. A
/// named pipe without a writer fails after one second.
///
/// # Errors
/// [`FileError`]: it does not exist, or its type is not accepted.
pub fn open(path: &Path, accept: Accept) -> Result<Input, FileError> {
    // The type is checked before opening, since opening some devices has an effect.
    PathKind::of(path, fs::metadata(path).map_err(failed(path))?.file_type(), accept)?;
    let file = open_following(path).map_err(failed(path))?;
    let opened = file.metadata().map_err(failed(path))?;
    let (mut first, mut length) = (None, None);
    match PathKind::of(path, opened.file_type(), accept)? {
        PathKind::Regular => length = Some(opened.len()),
        PathKind::Pipe => first = await_writer(&file, path)?,
        PathKind::Device => {}
    }
    set_blocking(&file).map_err(failed(path))?;
    Ok(Input { file, first, length })
}

/// Reads the file at `path`, of at most `limit` bytes. Follows links, since the operator gave the path.
///
/// # Errors
/// As [`open`], and [`FileError::TooLarge`].
pub fn read(path: &Path, limit: u64, accept: Accept) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    read_to(open(path, accept)?, path, limit, &mut bytes).map(|()| bytes)
}

/// As [`read`], into memory that is wiped afterwards.
///
/// # Errors
/// As [`read`].
pub fn read_secret(path: &Path, limit: u64, accept: Accept) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut input = open(path, accept)?;
    // Reserved at once: a buffer that grows leaves copies behind that are not wiped. Wiping takes as long as the buffer is
    // large, so that for a file of known length has little to spare.
    let largest = limit.min(LARGEST_SECRET).saturating_add(1);
    let room = input.length.map_or(largest, |length| largest.min(length.saturating_add(SPARE)));
    let mut bytes = wiped(room);
    input.by_ref().take(room).read_to_end(&mut bytes).map_err(failed(path))?;
    if is_over(&bytes, room.saturating_sub(1)) {
        // The file grew meanwhile, or does not tell its length.
        let mut larger = wiped(largest);
        larger.extend_from_slice(&bytes);
        bytes = larger;
        input.take(limit.saturating_add(1).saturating_sub(room)).read_to_end(&mut bytes).map_err(failed(path))?;
    }
    match is_over(&bytes, limit) {
        true => Err(FileError::TooLarge { limit, path: path.to_owned() }),
        false => Ok(bytes),
    }
}

/// An empty buffer of this capacity, which is wiped.
fn wiped(room: u64) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(usize::try_from(room).unwrap_or_default()))
}

fn is_over(bytes: &[u8], limit: u64) -> bool {
    u64::try_from(bytes.len()).map_or(true, |length| length > limit)
}

/// Opens the regular file at `path` and returns it with its length; `None` if nothing is there. A link at the end of
/// the path is refused, since another user may have put it there.
///
/// # Errors
/// [`FileError::NotAFile`] for anything but a regular file, and [`FileError::Io`].
pub fn regular(path: &Path) -> Result<Option<(File, u64)>, FileError> {
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        let seen = match fs::symlink_metadata(path) {
            Ok(seen) if seen.is_file() => seen,
            Ok(seen) => return Err(not_a_file(path, seen.file_type())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path)(error)),
        };
        let file = match open_without_following(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(path)(error)),
        };
        // The file may have been replaced between the check and the opening (TOCTOU): compare device and inode.
        let opened = file.metadata().map_err(failed(path))?;
        if opened.is_file() && same_file(&seen, &opened) {
            return Ok(Some((file, opened.len())));
        }
    }
    Err(FileError::NotAFile { found: "a file that is replaced again and again", path: path.to_owned() })
}

/// The permission bits of a file that others than its owner may read or change; `None` if nobody else may, or if the
/// operating system has no such bits.
#[cfg(unix)]
pub fn mode_for_others(path: &Path) -> Option<u32> {
    let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o066 != 0).then_some(mode)
}

/// Always `None`: this operating system has no permission bits.
#[cfg(not(unix))]
pub fn mode_for_others(_: &Path) -> Option<u32> {
    None
}

fn read_to(input: Input, path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), FileError> {
    let too_large = || FileError::TooLarge { limit, path: path.to_owned() };
    if let Some(length) = input.length {
        if length > limit {
            return Err(too_large());
        }
        bytes.reserve(usize::try_from(length.saturating_add(1)).map_err(|_| too_large())?);
    }
    input.take(limit.saturating_add(1)).read_to_end(bytes).map_err(failed(path))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(()),
        _ => Err(too_large()),
    }
}

/// Waits for the first byte of a pipe; fails after one second for a named pipe without a writer.
fn await_writer(file: &File, path: &Path) -> Result<Option<u8>, FileError> {
    // A pipe without a name always has, or had, a writer.
    if path.canonicalize().is_err() {
        return Ok(None);
    }
    let mut first = [0_u8; 1];
    for _ in 0..WRITER_TRIES {
        match (&*file).read(&mut first) {
            // The pipe has no writer.
            Ok(0) => std::thread::sleep(WRITER_PAUSE),
            Ok(_) => return Ok(first.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(path)(error)),
        }
    }
    Err(FileError::NotAFile { found: "a pipe that nobody writes to", path: path.to_owned() })
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.first, buffer.first_mut()) {
            (Some(first), Some(to)) => {
                *to = first;
                self.first = None;
                Ok(1)
            }
            _ => self.file.read(buffer),
        }
    }
}

/// The type of a file.
#[derive(Clone, Copy)]
enum PathKind {
    Device,
    Pipe,
    Regular,
}

impl PathKind {
    fn of(path: &Path, found: FileType, accept: Accept) -> Result<Self, FileError> {
        match found {
            _ if found.is_file() => Ok(Self::Regular),
            _ if is_pipe(found) && accept >= Accept::Pipe => Ok(Self::Pipe),
            _ if is_character_device(found) && accept >= Accept::Stream => Ok(Self::Device),
            _ => Err(not_a_file(path, found)),
        }
    }
}

pub(super) fn not_a_file(path: &Path, found: FileType) -> FileError {
    let found = match () {
        () if found.is_dir() => "a directory",
        () if found.is_symlink() => "a symbolic link",
        () => "a device or a pipe",
    };
    FileError::NotAFile { found, path: path.to_owned() }
}

pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> FileError {
    |error| FileError::Io { action: "read", error, path: path.to_owned() }
}

#[cfg(unix)]
fn is_pipe(found: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&found)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

#[cfg(unix)]
fn is_character_device(found: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_char_device(&found)
}

#[cfg(not(unix))]
fn is_character_device(_: FileType) -> bool {
    false
}

/// Opens the file at `path` for reading. If it was replaced since its type was checked, a link is not followed and a
/// pipe is not waited for.
#[cfg(unix)]
fn open_without_following(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    open_with(path, OFlags::RDONLY | OFlags::NOFOLLOW)
}

/// Opens the file at `path` for reading, through links, without waiting for the other side of a pipe.
#[cfg(unix)]
fn open_following(path: &Path) -> io::Result<File> {
    open_with(path, rustix::fs::OFlags::RDONLY)
}

#[cfg(unix)]
pub(super) fn open_with(path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::OFlags;
    let always = OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags | always, rustix::fs::Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_without_following(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn open_following(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Makes reads from the file blocking again.
#[cfg(unix)]
fn set_blocking(file: &File) -> io::Result<()> {
    use rustix::fs::OFlags;
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)?)
}

#[cfg(not(unix))]
fn set_blocking(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(super) fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.len(), one.created().ok()) == (other.len(), other.created().ok())
}

/// Whether a file has other hard links.
#[cfg(unix)]
pub(super) fn has_hard_links(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
pub(super) fn has_hard_links(_: &Metadata) -> bool {
    false
}

/// The largest secret whose memory is reserved at once, in bytes.
const LARGEST_SECRET: u64 = 1 << 20;
/// The bytes that a buffer for a file has beyond its length: more than what the standard library reads onto the stack to
/// find out whether a file has ended.
const SPARE: u64 = 64;
/// How often a named pipe is polled for a writer, and the pause between: one second in total.
const WRITER_TRIES: usize = 100;
const WRITER_PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use rustix::fs::CWD;
    use rustix::fs::Mode;

    use super::*;

    fn pipe(path: &Path) {
        rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
    }

    // Another process replaces the file between the check and the opening.
    #[test]
    fn what_took_the_place_of_a_file_is_neither_followed_nor_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (fifo, link) = (directory.path().join("pipe"), directory.path().join("link"));
        pipe(&fifo);
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(!open_without_following(&fifo).unwrap().metadata().unwrap().is_file());
        open_without_following(&link).unwrap_err();
        for path in [&fifo, &link] {
            assert!(matches!(regular(path), Err(FileError::NotAFile { .. })));
        }
        assert!(regular(&directory.path().join("absent")).unwrap().is_none());
    }

    #[test]
    fn a_pipe_is_read_only_where_one_is_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        pipe(&path);
        assert!(matches!(read(&path, 10, Accept::File), Err(FileError::NotAFile { found: "a device or a pipe", .. })));
        // Nobody writes into it.
        let error = read(&path, 10, Accept::Pipe).unwrap_err();
        assert!(error.to_string().contains("a pipe that nobody writes to"), "{error}");
        // A pipe that is opened for both does not wait for the other side; the bytes stay in it until they are read.
        let mut writer = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        writer.write_all(b"0123456789").unwrap();
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| read(&path, 10, Accept::Pipe));
            while !reading.is_finished() && !is_empty(&writer) {
                std::thread::yield_now();
            }
            drop(writer);
            assert_eq!(reading.join().unwrap().unwrap(), b"0123456789");
        });
    }

    /// Whether everything in a pipe was read.
    fn is_empty(pipe: &File) -> bool {
        rustix::io::ioctl_fionread(pipe).unwrap() == 0
    }

    // Wiping a buffer takes time for each byte of it.
    #[test]
    fn a_buffer_for_a_secret_is_not_much_larger_than_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, 200, 5_000] {
            fs::write(&path, vec![b'x'; length]).unwrap();
            let secret = read_secret(&path, 64 << 10, Accept::File).unwrap();
            assert!(secret.len() == length && secret.capacity() <= length + 64, "{length}: {}", secret.capacity());
        }
        // A file that does not tell its length is read too, up to the limit.
        let status = Path::new("/proc/self/limits");
        assert_eq!(*read_secret(status, 64 << 10, Accept::File).unwrap(), fs::read(status).unwrap());
        let limit = u64::try_from(fs::read(status).unwrap().len()).unwrap();
        assert_eq!(u64::try_from(read_secret(status, limit, Accept::File).unwrap().len()).unwrap(), limit);
        assert!(matches!(read_secret(status, limit - 1, Accept::File), Err(FileError::TooLarge { .. })));
    }

    #[test]
    fn the_limit_holds_for_files_pipes_and_devices() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5, Accept::File).unwrap(), b"12345");
        assert_eq!(*read_secret(&path, 5, Accept::File).unwrap(), b"12345");
        assert!(matches!(read_secret(&path, 4, Accept::File), Err(FileError::TooLarge { limit: 4, .. })));
        assert!(matches!(read(&path, 4, Accept::File), Err(FileError::TooLarge { limit: 4, .. })));
        // A sparse file of a tebibyte is refused before it is read.
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(read(&path, 1 << 20, Accept::File), Err(FileError::TooLarge { .. })));
        let zero = Path::new("/dev/zero");
        assert!(matches!(read(zero, 100, Accept::Pipe), Err(FileError::NotAFile { .. })));
        assert!(matches!(read(zero, 100, Accept::Stream), Err(FileError::TooLarge { .. })));
        assert_eq!(read(Path::new("/dev/null"), 100, Accept::Stream).unwrap(), b"");
        // A link at the path that the operator gave is followed.
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(read(&link, 100, Accept::Stream).unwrap(), b"");
        assert!(matches!(read(directory.path(), 9, Accept::Stream), Err(FileError::NotAFile { .. })));
    }
}
