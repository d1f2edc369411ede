//! Reads a file once, as a stream, into the hashes by which it is signed and verified.

use std::io;
use std::io::Read;

use crate::envelope::FileScan;
use crate::envelope::FileToSign;
use crate::key::HashedMessage;
use crate::key::MessageHasher;
use crate::key::Signer;
use crate::limits::Limits;

impl FileToSign {
    /// Reads `file` to its end, once, for these signers.
    ///
    /// # Errors
    /// Those of `file`.
    pub fn read(file: &mut dyn Read, signers: &[&dyn Signer], limits: &Limits) -> io::Result<Self> {
        Self::read_with(file, hasher_for_signers(signers, limits))
    }

    /// Reads `file` to its end, once, and hashes it with `hasher`.
    ///
    /// # Errors
    /// Those of `file`.
    pub fn read_with(file: &mut dyn Read, hasher: MessageHasher) -> io::Result<Self> {
        let mut scan = FileScan::new(hasher);
        each_piece(file, |bytes| scan.update(bytes))?;
        Ok(scan.finish())
    }
}

/// A hasher for a file that these signers sign. For a signer that signs the file itself, as Ed25519 does, it keeps the file
/// up to the limit `file.message_bytes`.
pub fn hasher_for_signers(signers: &[&dyn Signer], limits: &Limits) -> MessageHasher {
    let by_hash = |signer: &&dyn Signer| signer.signs_hashes(signer.public_key().default_scheme());
    // A plugin chooses the scheme itself.
    let schemes = signers.iter().flat_map(|signer| match by_hash(signer) {
        true => vec![signer.public_key().default_scheme()],
        false => signer.public_key().schemes().to_vec(),
    });
    let hasher = MessageHasher::new(schemes, limits.file.message_bytes);
    if signers.iter().all(by_hash) { hasher } else { hasher.with_message() }
}

/// Reads `file` to its end, once, and hashes it with `hasher`.
///
/// # Errors
/// Those of `file`.
pub fn read(file: &mut dyn Read, mut hasher: MessageHasher) -> io::Result<HashedMessage> {
    each_piece(file, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

fn each_piece(file: &mut dyn Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => take(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The bytes that are read at a time.
const BUFFER_BYTES: usize = 256 << 10;
