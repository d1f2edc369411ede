//! Keys of JSON objects that differ from a known key in case only: programs in Go take them for that key.

use crate::store::StoreError;

/// Refuses a key that a loader takes for another one.
///
/// Go takes `layers` for `Layers`, and of both the later one: what we would pass over it would load.
pub(super) fn exact<'a>(
    place: &str,
    file: &str,
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
            let why = format!("its {file} has the key `{}`, which loaders take for another", key.escape_default());
            Err(StoreError::Contradiction { place: place.to_owned(), why })
        }
        None => Ok(()),
    }
}
