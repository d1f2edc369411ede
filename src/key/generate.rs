//! Key generation.

use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::KeyKind;
use crate::key::PrivateKey;
use crate::key::algorithm::SigningKey;

impl PrivateKey {
    /// Generates a key from random bytes of the operating system.
    ///
    /// # Errors
    /// [`KeyError::Random`] if it returns none.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        // Rejection sampling: a scalar that is not below the group order is discarded, so that every key is equally
        // likely. On P-256 that is one in 2^32.
        loop {
            let mut bytes = Zeroizing::new([0; 48]);
            getrandom::fill(bytes.as_mut()).map_err(KeyError::Random)?;
            if let Some(secret) = SigningKey::from_random(kind, &bytes) {
                return Self::new(secret);
            }
        }
    }
}
