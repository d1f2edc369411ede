//! Writing files: a file is written and synced under a temporary name before it gets its final one.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;

use crate::files::FileError;
use crate::files::Overwrite;
use crate::files::Temporary;
use crate::files::lock::written_to;
use crate::files::read;
use crate::files::temporary::parent_of;

/// Writes the file at `path` whole or not at all, with the permissions `mode` less the umask. A link at `path` is
/// replaced, not followed. Other hard links of a replaced file keep the old content.
///
/// # Errors
/// [`FileError::Exists`]; [`FileError::NotAFile`] if a directory, a device or a pipe is at `path`; [`FileError::Io`].
/// Nothing has changed then.
pub fn write(path: &Path, bytes: &[u8], mode: u32, overwrite: Overwrite) -> Result<(), FileError> {
    write_together(&[(path, bytes)], mode, overwrite)
}

/// Writes several files as [`write()`] does. Each is complete under a temporary name before the first gets its own, so
/// that a full disk or an existing file leaves none of them.
///
/// # Errors
/// As [`write()`]. Nothing has changed then, unless another process took one of the names in the meantime.
pub fn write_together(files: &[(&Path, &[u8])], mode: u32, overwrite: Overwrite) -> Result<(), FileError> {
    let files: Vec<_> = files.iter().map(|(path, bytes)| (*path, *bytes, mode)).collect();
    write_each(&files, overwrite)
}

/// As [`write_together`], each file with permissions of its own. They get their names in this order.
pub(crate) fn write_each(files: &[(&Path, &[u8], u32)], overwrite: Overwrite) -> Result<(), FileError> {
    for (path, ..) in files {
        check_target(path, overwrite)?;
    }
    let staged = files.iter().map(|(path, bytes, mode)| stage(path, bytes, *mode)).collect::<Result<Vec<_>, _>>()?;
    rename_all(staged, files.iter().map(|(path, ..)| *path), overwrite)
}

/// Replaces several regular files that are there, as [`write_together`] does. Each new file has the permissions of the one
/// that it replaces, whatever the umask is, and its owner, as far as the operating system allows that.
///
/// # Errors
/// [`FileError::NotAFile`], also for a link; [`FileError::Io`], also where there is no file. Nothing has changed then,
/// unless a later file failed after an earlier one got its name.
pub fn replace_together(files: &[(&Path, &[u8])]) -> Result<(), FileError> {
    let mut staged = Vec::new();
    for (path, bytes) in files {
        let missing = || written_to(path)(io::ErrorKind::NotFound.into());
        let (old, _) = read::regular(path)?.ok_or_else(missing)?;
        let old = old.metadata().map_err(read::failed(path))?;
        let new = stage(path, bytes, PRIVATE)?;
        keep_access(&old, &new.file).map_err(written_to(path))?;
        staged.push(new);
    }
    rename_all(staged, files.iter().map(|(path, _)| *path), Overwrite::Replace)
}

/// Renames the files to their paths.
fn rename_all<'a>(
    staged: Vec<Temporary>,
    paths: impl Iterator<Item = &'a Path>,
    overwrite: Overwrite,
) -> Result<(), FileError> {
    for (new, path) in staged.into_iter().zip(paths) {
        new.path.rename(path, overwrite).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
            _ => written_to(path)(error),
        })?;
        sync_parent(path);
    }
    Ok(())
}

/// The file under a temporary name, complete and synced.
fn stage(path: &Path, bytes: &[u8], mode: u32) -> Result<Temporary, FileError> {
    let mut new = Temporary::beside(path, mode)?;
    new.file.write_all(bytes).and_then(|()| new.file.sync_all()).map_err(written_to(path))?;
    Ok(new)
}

/// Gives `new` the owner and the permissions of `old`. Only root may give a file away: where that is refused, the owner stays.
/// The bits that let a program run as its owner are not taken along.
#[cfg(unix)]
fn keep_access(old: &fs::Metadata, new: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let own = new.metadata()?;
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        drop(std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid())));
    }
    new.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))?;
    new.sync_all()
}

#[cfg(not(unix))]
fn keep_access(old: &fs::Metadata, new: &File) -> io::Result<()> {
    new.set_permissions(old.permissions())
}

/// Refuses a path where no file can be written: an existing file must not be replaced, or something other than a file
/// is there. A symbolic link to a file is replaced like a file, but not one that stands for an open file or a device.
///
/// # Errors
/// [`FileError::Exists`], [`FileError::NotAFile`].
pub fn check_target(path: &Path, overwrite: Overwrite) -> Result<(), FileError> {
    let Ok(seen) = path.symlink_metadata() else { return Ok(()) };
    if overwrite == Overwrite::Refuse {
        return Err(FileError::Exists { path: path.to_owned() });
    }
    // `/dev/stdout` leads to a regular file where the shell redirects it. That file is meant, not the link, which would be
    // lost for the whole system.
    if seen.is_symlink() && leads_through_devices(path) {
        return Err(FileError::NotAFile { found: "a link to an open file or a device", path: path.to_owned() });
    }
    match fs::metadata(path).map_or(seen.file_type(), |end| end.file_type()) {
        found if found.is_file() || found.is_symlink() => Ok(()),
        found => Err(read::not_a_file(path, found)),
    }
}

/// Whether the link at `path`, or one that it leads to, is a name of the operating system for an open file or a device.
fn leads_through_devices(path: &Path) -> bool {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = parent_of(&at).canonicalize().unwrap_or_default();
        let Ok(next) = fs::read_link(&at) else { return false };
        if folder == Path::new("/dev") || folder.starts_with("/proc") {
            return true;
        }
        at = folder.join(next);
    }
    false
}

/// Syncs a directory, so that the names in it are on the disk.
///
/// # Errors
/// The error of the operating system.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|directory| directory.sync_all())
}

/// Syncs the directory of `path`. Errors are ignored: some systems cannot do it, and the file itself is complete.
pub(super) fn sync_parent(path: &Path) {
    drop(sync_directory(parent_of(path)));
}

/// Permissions: readable and writable for the owner alone, until the file has those of the one that it replaces.
const PRIVATE: u32 = 0o600;
/// How many links the operating system follows one after another.
const MOST_LINKS: usize = 40;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_is_replaced_keeps_its_permissions() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (name, mode) in [("a", 0o640), ("b", 0o666), ("c", 0o444), ("d", 0o4755)] {
            fs::write(at(name), "old").unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        // Only root may give a file away; for others the owner is the same anyway.
        drop(std::os::unix::fs::chown(at("a"), Some(1), Some(1)));
        let owner = |name: &str| {
            let seen = fs::metadata(at(name)).unwrap();
            (seen.uid(), seen.gid())
        };
        let before = owner("a");
        let [a, b, c, d] = ["a", "b", "c", "d"].map(at);
        replace_together(&[(&a, b"1"), (&b, b"2"), (&c, b"3"), (&d, b"4")]).unwrap();
        assert_eq!(owner("a"), before);
        for (name, mode, text) in [("a", 0o640, "1"), ("b", 0o666, "2"), ("c", 0o444, "3"), ("d", 0o755, "4")] {
            assert_eq!(fs::metadata(at(name)).unwrap().permissions().mode() & 0o7777, mode, "{name}");
            assert_eq!(fs::read_to_string(at(name)).unwrap(), text);
        }
    }

    #[test]
    fn only_regular_files_that_are_there_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "old").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        for (other, is_link) in [("link", true), ("missing", false)] {
            let error = replace_together(&[(&at("file"), b"new"), (&at(other), b"new")]).unwrap_err();
            assert_eq!(matches!(error, FileError::NotAFile { .. }), is_link, "{error}");
            assert_eq!(fs::read_to_string(at("file")).unwrap(), "old");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn pipes_devices_and_directories_are_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [&pipe, &link, Path::new("/dev/null"), directory.path()] {
            let error = write(path, b"x", 0o600, Overwrite::Replace).unwrap_err();
            assert!(matches!(error, FileError::NotAFile { .. }), "{error}");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    /// What the shell redirects to a regular file is reached by such a link: the file itself says nothing about it.
    #[test]
    fn a_link_to_an_open_file_is_not_replaced() {
        use std::os::fd::AsRawFd as _;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let open = File::create(at("open")).unwrap();
        let number = open.as_raw_fd();
        std::os::unix::fs::symlink(format!("/proc/self/fd/{number}"), at("link")).unwrap();
        std::os::unix::fs::symlink(format!("/dev/fd/{number}"), at("device")).unwrap();
        std::os::unix::fs::symlink("link", at("two-steps")).unwrap();
        for name in ["link", "device", "two-steps"] {
            assert!(fs::metadata(at(name)).unwrap().is_file(), "{name}");
            let error = write(&at(name), b"secret", 0o600, Overwrite::Replace).unwrap_err();
            assert!(matches!(error, FileError::NotAFile { found, .. } if found.contains("open file")), "{error}");
            assert!(fs::symlink_metadata(at(name)).unwrap().is_symlink(), "{name}");
        }
        assert_eq!(fs::read(at("open")).unwrap(), b"");
        // A link to itself leads nowhere: it is replaced, as any link.
        std::os::unix::fs::symlink("circle", at("circle")).unwrap();
        write(&at("circle"), b"new", 0o600, Overwrite::Replace).unwrap();
        assert_eq!(fs::read(at("circle")).unwrap(), b"new");
    }

    #[test]
    fn of_several_files_none_is_written_if_one_cannot_be() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("there"), "old").unwrap();
        let written = write_together(&[(&at("new"), b"1"), (&at("there"), b"2")], 0o600, Overwrite::Refuse);
        assert!(matches!(written, Err(FileError::Exists { .. })));
        let written = write_together(&[(&at("new"), b"1"), (&at("missing/b"), b"2")], 0o600, Overwrite::Refuse);
        assert!(matches!(written, Err(FileError::Io { .. })), "{written:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        write_together(&[(&at("new"), b"1"), (&at("there"), b"2")], 0o600, Overwrite::Replace).unwrap();
        assert_eq!((fs::read(at("new")).unwrap(), fs::read(at("there")).unwrap()), (b"1".to_vec(), b"2".to_vec()));
    }

    #[test]
    fn what_has_another_name_keeps_its_content_there() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        fs::hard_link(at("victim"), at("hard")).unwrap();
        std::os::unix::fs::symlink(at("victim"), at("soft")).unwrap();
        for name in ["hard", "soft"] {
            write(&at(name), b"new", 0o600, Overwrite::Replace).unwrap();
            assert_eq!(fs::read_to_string(at(name)).unwrap(), "new");
        }
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious");
        assert!(matches!(write(&at("hard"), b"", 0o600, Overwrite::Refuse), Err(FileError::Exists { .. })));
    }
}
