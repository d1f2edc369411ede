//! Files that commands read and write, and what is said about one that cannot be.

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

/// Whether standard input was read.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The bytes of a file that has at most `limit`.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    Ok(files::read(path, limit, Accept::File)?)
}

/// The value of a variable of the environment, byte for byte; nothing where it is not set.
pub(super) fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    let value = std::env::var_os(name)?;
    #[cfg(unix)]
    return Some(Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(value)));
    #[cfg(not(unix))]
    return Some(Zeroizing::new(value.into_encoded_bytes()));
}

/// Opens a file, a pipe or a terminal: what may hold a passphrase.
pub(super) fn open(path: &Path) -> Result<Input, Failure> {
    Ok(files::open(path, Accept::Stream)?)
}

/// The bytes of a file or a pipe, at most `limit`.
pub(super) fn read_stream(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    Ok(files::read(path, limit, Accept::Pipe)?)
}

/// The bytes of standard input, at most `limit`; what else would read it fails from now on.
pub(super) fn standard_input(limit: u64) -> Result<Vec<u8>, Failure> {
    take_standard_input()?;
    let told = |why: String| Failure::unknown(format!("standard input: {why}"));
    let mut bytes = Vec::new();
    let mut input = io::stdin().lock().take(limit.saturating_add(1));
    input.read_to_end(&mut bytes).map_err(|error| told(error.to_string()))?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        true => Ok(bytes),
        false => Err(told(format!("it has more than {limit} bytes"))),
    }
}

/// Takes standard input, which holds one thing: the second to read it would find nothing, and take that for an answer.
pub(super) fn take_standard_input() -> Result<(), Failure> {
    match TAKEN.swap(true, Ordering::SeqCst) {
        false => Ok(()),
        true => {
            let message = "standard input holds one thing, and two are to be read from it";
            Err(Failure::unknown(message).hint("give one of them as a file"))
        }
    }
}

/// The bytes of a file that will be replaced and that may not be there. A link to one is refused: it would be replaced.
pub(super) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match files::regular(path)? {
        Some(_) => read(path, limit).map(Some),
        None => Ok(None),
    }
}

/// Writes a file for everybody to read: complete under another name and on the disk before it gets its own.
pub(super) fn write(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), Failure> {
    Ok(files::write(path, bytes, MODE, overwrite)?)
}

/// Refuses, before any work is done for it, a file that could not be written in the end.
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

/// For everybody to read, as far as the umask allows.
const MODE: u32 = 0o666;
