//! `Passphrase`: what opens a private key file.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase: wiped from memory when dropped, and never printed. An empty one is legal.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// The passphrase that is exactly these bytes: whoever read them has cut off the line end.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}
