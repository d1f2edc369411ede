//! Key files: read within bounds, written whole or not at all.

use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::files;
use crate::files::Accept;
use crate::files::Overwrite;
pub use crate::files::mode_for_others;
use crate::key::KeyError;
use crate::key::Passphrase;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::limits::Limits;

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
    PrivateKey::parse(&bytes, limits, passphrase).map_err(|error| within(path, error))
}

/// Writes the text of a private key so that its owner alone can read it.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; then nothing has changed.
pub fn write_private(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), KeyError> {
    Ok(files::write(path, text.as_bytes(), 0o600, overwrite)?)
}

/// Writes a public key as PEM, for everybody to read.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; then nothing has changed.
pub fn write_public(path: &Path, key: &PublicKey, overwrite: Overwrite) -> Result<(), KeyError> {
    Ok(files::write(path, key.to_pem().as_bytes(), 0o644, overwrite)?)
}

fn within(path: &Path, error: KeyError) -> KeyError {
    KeyError::File { path: path.to_owned(), error: Box::new(error) }
}

/// Reads the bytes of a key file of any kind, or of a pipe, within the limit for key files.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read(path: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    Ok(files::read_secret(path, limits.key.file_bytes, Accept::Pipe)?)
}

/// Reads a key from something that is open already, as standard input is, within the same limit. `name` is what it is
/// called in errors.
///
/// # Errors
/// [`KeyError`] that has the name.
pub fn read_from(from: &mut dyn Read, name: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let limit = limits.key.file_bytes;
    // Room for all of it and one byte more: a buffer that grows leaves copies behind.
    let room = usize::try_from(limit.saturating_add(1)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let failed = |error| KeyError::Io { action: "read", error, path: name.to_owned() };
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        _ => Err(KeyError::TooLarge { limit, path: name.to_owned() }),
    }
}
