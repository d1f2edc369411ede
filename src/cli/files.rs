//! Files that commands read and write, and the failure for one that cannot be read or written.

use std::io;
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use zeroize::Zeroizing;

use bulla::files;
use bulla::files::Accept;
use bulla::files::FileError;
use bulla::files::Input;
use bulla::files::Overwrite;
use bulla::files::Temporary;

use super::exit::Failure;

/// Whether standard input was read already.
static STDIN_WAS_READ: AtomicBool = AtomicBool::new(false);

/// Reads a file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    Ok(files::read(path, limit, Accept::File)?)
}

/// The value of an environment variable, byte for byte; none if it is not set.
pub(super) fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    let value = std::env::var_os(name)?;
    #[cfg(unix)]
    return Some(Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(value)));
    #[cfg(not(unix))]
    return Some(Zeroizing::new(value.into_encoded_bytes()));
}

/// Opens a file, a pipe or a terminal, for reading a passphrase.
pub(super) fn open(path: &Path) -> Result<Input, Failure> {
    Ok(files::open(path, Accept::Stream)?)
}

/// Reads a file or a pipe of at most `limit` bytes.
pub(super) fn read_stream(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    Ok(files::read(path, limit, Accept::Pipe)?)
}

/// Reads at most `limit` bytes from standard input. Any later attempt to read it fails.
pub(super) fn standard_input(limit: u64) -> Result<Vec<u8>, Failure> {
    take_standard_input()?;
    let to_failure = |why: String| Failure::unknown(format!("standard input: {why}"));
    let mut bytes = Vec::new();
    let mut input = io::stdin().lock().take(limit.saturating_add(1));
    input.read_to_end(&mut bytes).map_err(|error| to_failure(error.to_string()))?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        true => Ok(bytes),
        false => Err(to_failure(format!("it has more than {limit} bytes"))),
    }
}

/// Claims standard input. A second claim fails: its reader would find no bytes and take that for an empty document.
pub(super) fn take_standard_input() -> Result<(), Failure> {
    match STDIN_WAS_READ.swap(true, Ordering::SeqCst) {
        false => Ok(()),
        true => {
            let message = "standard input can be read only once, and two arguments name it";
            Err(Failure::unknown(message).hint("give one of them as a file"))
        }
    }
}

/// Reads a file that will be replaced; none if it does not exist. A symbolic link is refused, since replacing it would
/// not replace its target.
pub(super) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match files::regular(path)? {
        Some(_) => read(path, limit).map(Some),
        None => Ok(None),
    }
}

/// Refuses to write to one of the files that a command reads, each with what it is: it would be lost, even where an existing
/// file may be replaced.
pub(super) fn replaces_none<S: AsRef<Path>>(
    path: &Path,
    sources: impl IntoIterator<Item = (S, &'static str)>,
) -> Result<(), Failure> {
    match sources.into_iter().find(|(source, _)| files::are_same(source.as_ref(), path)) {
        Some((_, what)) => Err(Failure::unknown(format!("`{}` is {what}", path.display()))),
        None => Ok(()),
    }
}

/// Writes a file that everybody may read. It is complete and synced under a temporary name before it gets its own.
pub(super) fn write(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), Failure> {
    Ok(files::write(path, bytes, MODE, overwrite)?)
}

/// Writes files as [`write`] does: none of them gets its name before all are complete.
pub(super) fn write_together(files: &[(&Path, &[u8])], overwrite: Overwrite) -> Result<(), Failure> {
    Ok(files::write_together(files, MODE, overwrite)?)
}

/// Replaces files that are there, in the same way. Each keeps its permissions.
pub(super) fn replace_together(files: &[(&Path, &[u8])]) -> Result<(), Failure> {
    Ok(files::replace_together(files)?)
}

/// Checks early, before the work is done, that a file can be written.
pub(super) fn writable(path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    files::check_target(path, overwrite)?;
    Ok(Temporary::beside(path, MODE).map(drop)?)
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let failure = Self::unknown(error.to_string());
        match error {
            FileError::Exists { .. } => failure.hint("choose another name with -o FILE, or give --overwrite"),
            _ => failure,
        }
    }
}

/// The mode of new files: everybody may read and write, as far as the umask allows.
const MODE: u32 = 0o666;
