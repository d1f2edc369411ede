//! Files that are written together: all of them or none.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use bulla::files;
use bulla::files::FileError;
use bulla::files::Overwrite;
use bulla::files::Temporary;

use crate::cli::exit::Failure;

/// Writes new files, which everybody may read. Nothing is overwritten; if one cannot be written, none is.
pub(super) fn write_all(new: &[(PathBuf, Vec<u8>)]) -> Result<(), Failure> {
    let mut temporary = Vec::new();
    for (path, bytes) in new {
        files::check_target(path, Overwrite::Refuse)?;
        let mut file = Temporary::beside(path, MODE)?;
        file.file.write_all(bytes).and_then(|()| file.file.sync_all()).map_err(|error| to_failure(path, &error))?;
        temporary.push((path, file));
    }
    let mut named: Vec<&Path> = Vec::new();
    for (path, file) in temporary {
        if let Err(error) = file.path.rename(path, Overwrite::Refuse) {
            // The first error is reported; what cannot be removed is a whole file.
            named.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(match error.kind() {
                std::io::ErrorKind::AlreadyExists => FileError::Exists { path: path.clone() }.into(),
                _ => to_failure(path, &error),
            });
        }
        named.push(path);
    }
    Ok(())
}

/// Makes the directory, unless it is there.
pub(super) fn directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| to_failure(path, &error))
}

fn to_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unknown(format!("{}: {error}", path.display()))
}

/// The mode of new files: everybody may read and write, as far as the umask allows.
const MODE: u32 = 0o666;
