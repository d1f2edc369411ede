//! Reads a file once, as a stream, into the hashes by which it is signed and verified.

use std::io;
use std::io::Read;

use crate::key::HashedMessage;
use crate::key::MessageHasher;

/// Reads `file` to its end, once, and hashes it with `hasher`.
///
/// # Errors
/// Those of `file`.
pub fn read(file: &mut dyn Read, mut hasher: MessageHasher) -> io::Result<HashedMessage> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => hasher.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The bytes that are read at a time.
const BUFFER_BYTES: usize = 256 << 10;
