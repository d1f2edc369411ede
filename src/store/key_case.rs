//! Keys of JSON objects that differ from a known key only in case: programs in Go read them as that key.

use crate::store::StoreError;
use crate::store::error::ContradictionReason;
use crate::text::Untrusted;

/// Refuses a key that a loader reads as another one.
///
/// Go reads `layers` as `Layers`, and keeps the later of the two: it would load what we ignore.
pub(super) fn exact<'a>(
    place: &str,
    file: &'static str,
    mut keys: impl Iterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), StoreError> {
    let fold = |key: &str| key.to_uppercase().to_lowercase();
    let misspelled = |key: &&String| {
        let folded = fold(key);
        known.iter().any(|known| *known != key.as_str() && fold(known) == folded)
    };
    match keys.find(misspelled) {
        Some(key) => {
            let reason = ContradictionReason::Key { file, key: Untrusted::new(key) };
            Err(StoreError::Contradiction { place: place.to_owned(), reason })
        }
        None => Ok(()),
    }
}
