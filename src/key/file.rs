//! Key files: read within bounds, written whole or not at all.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::digest;
use crate::key::KeyError;
use crate::key::Passphrase;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::limits::Limits;

/// What happens where a file stands already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and the new one is not written.
    Refuse,
    /// The new one takes its place, all at once.
    Replace,
}

/// Reads the public key in a file.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read_public(path: &Path, limits: &Limits) -> Result<PublicKey, KeyError> {
    let bytes = read(path, limits)?;
    PublicKey::parse(&bytes).map_err(|error| within(path, error))
}

/// Reads the private key in a file. `passphrase` is called only where the key is encrypted.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read_private(
    path: &Path,
    limits: &Limits,
    passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
) -> Result<PrivateKey, KeyError> {
    let bytes = read(path, limits)?;
    PrivateKey::parse(&bytes, passphrase).map_err(|error| within(path, error))
}

/// Writes the text of a private key so that its owner alone can read it.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; then nothing has changed.
pub fn write_private(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), KeyError> {
    write(path, text.as_bytes(), 0o600, overwrite)
}

/// Writes a public key as PEM, for everybody to read.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; then nothing has changed.
pub fn write_public(path: &Path, key: &PublicKey, overwrite: Overwrite) -> Result<(), KeyError> {
    write(path, key.to_pem().as_bytes(), 0o644, overwrite)
}

fn within(path: &Path, error: KeyError) -> KeyError {
    KeyError::File { path: path.to_owned(), error: Box::new(error) }
}

/// Reads the bytes of a key file of any kind, within the limit for key files.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read(path: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |error| KeyError::Io { action: "read", error, path: path.to_owned() };
    // Asked before opening, since opening a pipe waits for somebody to write into it.
    regular(path, &fs::metadata(path).map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    regular(path, &metadata)?;
    let limit = limits.key_file_bytes;
    let too_large = || KeyError::TooLarge { limit, path: path.to_owned() };
    if metadata.len() > limit {
        return Err(too_large());
    }
    // Room for all of it and one more, so that the buffer never moves and leaves a copy behind.
    let room = usize::try_from(metadata.len().saturating_add(1)).map_err(|_| too_large())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        _ => Err(too_large()),
    }
}

/// The permission bits of a file that others than its owner may read or change; nothing where they may not, or where
/// this system has no such bits.
#[cfg(unix)]
pub fn mode_for_others(path: &Path) -> Option<u32> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o066 != 0).then_some(mode)
}

/// As above.
#[cfg(not(unix))]
pub fn mode_for_others(_: &Path) -> Option<u32> {
    None
}

fn regular(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(()),
        (false, true) => Err(KeyError::NotAFile { found: "a directory", path: path.to_owned() }),
        (false, false) => Err(KeyError::NotAFile { found: "a device or a pipe", path: path.to_owned() }),
    }
}

/// The file is complete under another name before it gets its own; where it must not replace anything, its name is
/// taken first, and exclusively.
fn write(path: &Path, bytes: &[u8], mode: u32, overwrite: Overwrite) -> Result<(), KeyError> {
    let failed = |error| KeyError::Io { action: "written", error, path: path.to_owned() };
    if overwrite == Overwrite::Refuse && fs::symlink_metadata(path).is_ok() {
        return Err(KeyError::Exists { path: path.to_owned() });
    }
    let temporary = Removed(beside(path)?);
    create(&temporary.0, mode)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(failed)?;
    if overwrite == Overwrite::Replace {
        return fs::rename(&temporary.0, path).map_err(failed);
    }
    create(path, mode).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => failed(error),
    })?;
    let reserved = Removed(path.to_owned());
    fs::rename(&temporary.0, path).map_err(failed)?;
    reserved.keep();
    Ok(())
}

/// A name that nobody uses, in the directory of `path`.
fn beside(path: &Path) -> Result<PathBuf, KeyError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(KeyError::Random)?;
    let Some(name) = path.file_name() else {
        return Err(KeyError::NotAFile { found: "a directory", path: path.to_owned() });
    };
    let name = format!(".{}.{}", name.to_string_lossy(), digest::hex(&random));
    Ok(path.with_file_name(name))
}

/// A new file: never one that is there, and never through a link.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// A file that goes away again unless it is kept. A temporary file that was renamed is gone already.
struct Removed(PathBuf);

impl Removed {
    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}
