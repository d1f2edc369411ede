//! Key files: read up to a limit, written whole or not at all.

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

/// Reads a public key file.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read_public(path: &Path, limits: &Limits) -> Result<PublicKey, KeyError> {
    let bytes = read(path, limits)?;
    PublicKey::parse(&bytes).map_err(|error| within(path, error))
}

/// Reads a private key file. `passphrase` is called only if the key is encrypted.
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

/// Writes a private key file that only its owner can read.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; nothing has changed then.
pub fn write_private(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), KeyError> {
    Ok(files::write(path, text.as_bytes(), PRIVATE, overwrite)?)
}

/// Writes a public key file in PEM, readable for everybody.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`]; nothing has changed then.
pub fn write_public(path: &Path, key: &PublicKey, overwrite: Overwrite) -> Result<(), KeyError> {
    Ok(files::write(path, key.to_pem().as_bytes(), PUBLIC, overwrite)?)
}

/// Writes the two files of a key pair as [`write_private`] and [`write_public`] do. Both are complete before one gets its
/// name, the private one last: what fails before it loses no private key that it would replace.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`], [`KeyError::NotAFile`]; nothing has changed then, unless the system refuses to
/// rename the second file after the first: the public key is the new one then, and the private key the old one.
pub fn write_pair(private: (&Path, &str), public: (&Path, &PublicKey), overwrite: Overwrite) -> Result<(), KeyError> {
    let pem = public.1.to_pem();
    let files = [(public.0, pem.as_bytes(), PUBLIC), (private.0, private.1.as_bytes(), PRIVATE)];
    Ok(files::write_each(&files, overwrite)?)
}

fn within(path: &Path, error: KeyError) -> KeyError {
    KeyError::File { path: path.to_owned(), error: Box::new(error) }
}

/// Reads the bytes of a key file or pipe, up to the limit for key files.
///
/// # Errors
/// [`KeyError`] that names the path.
pub fn read(path: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    Ok(files::read_secret(path, limits.key.file_bytes, Accept::Pipe)?)
}

/// Reads the bytes of a key from an open file such as standard input, up to the same limit. `name` stands for the path
/// in errors.
///
/// # Errors
/// [`KeyError`] that names it.
pub fn read_from(from: &mut dyn Read, name: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let limit = limits.key.file_bytes;
    // Reserved at once, with one byte to spare: a buffer that grows leaves copies behind that are not wiped.
    let room = usize::try_from(limit.saturating_add(1)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let failed = |error| KeyError::Io { action: "read", error, path: name.to_owned() };
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        _ => Err(KeyError::TooLarge { limit, path: name.to_owned() }),
    }
}

/// Permissions: readable and writable for the owner alone.
const PRIVATE: u32 = 0o600;
/// Permissions: writable for the owner, readable for everybody.
const PUBLIC: u32 = 0o644;
