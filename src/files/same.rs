//! Whether two paths name the same file or directory.

use std::ffi::OsString;
#[cfg(unix)]
use std::fs;
use std::fs::File;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

/// Whether two paths name the same file or directory, or would if it existed. Links are followed. In directories that
/// do not exist only equal paths are the same.
pub fn are_same(one: &Path, other: &Path) -> bool {
    match (identity(one), identity(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => match (place(one), place(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        _ => false,
    }
}

/// Whether two open files are one. Where the system cannot tell, they are not.
#[cfg(unix)]
pub(crate) fn are_one(one: &File, other: &File) -> bool {
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

#[cfg(not(unix))]
pub(crate) fn are_one(_: &File, _: &File) -> bool {
    false
}

/// The directory and the name of a file that does not exist yet.
fn place(path: &Path) -> Option<(PathBuf, OsString)> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Some((parent.canonicalize().ok()?, path.file_name()?.to_owned()))
}

/// The identity of a file, device and inode, which all its paths share.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_took_the_place_of_another_is_not_that_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("a"), "").unwrap();
        let (first, again) = (File::open(path("a")).unwrap(), File::open(path("a")).unwrap());
        assert!(are_one(&first, &again));
        fs::write(path("b"), "").unwrap();
        fs::rename(path("b"), path("a")).unwrap();
        assert!(!are_one(&first, &File::open(path("a")).unwrap()));
    }

    #[test]
    fn one_file_has_many_paths() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("a"), "").unwrap();
        fs::write(path("b"), "").unwrap();
        fs::hard_link(path("a"), path("linked")).unwrap();
        for (one, other, same) in [
            ("a", "a", true),
            ("a", "./a", true),
            ("a", "linked", true),
            ("a", "b", false),
            ("a", "missing", false),
            ("missing", "./missing", true),
            ("missing", "other", false),
            ("nowhere/a", "nowhere/a", true),
            ("nowhere/a", "elsewhere/b", false),
        ] {
            assert_eq!(are_same(&path(one), &path(other)), same, "{one} {other}");
            assert_eq!(are_same(&path(other), &path(one)), same, "{other} {one}");
        }
    }
}
