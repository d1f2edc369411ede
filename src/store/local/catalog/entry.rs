//! `CatalogEntry`: an entry of an index, kept as its JSON; and `StoredDescriptor`, a descriptor kept so.

use bytes::Bytes;
use serde::Serialize;
use serde::Serializer;
use serde::ser::Error as _;
use serde_json::value::RawValue;

use crate::json;
use crate::json::JsonError;
use crate::oci::Descriptor;

/// A descriptor as its JSON, which takes less memory than a parsed one: a layout may have thousands of them.
///
/// The invariant: the text was read as a descriptor before, so reading it again succeeds.
#[derive(Clone)]
pub(crate) struct StoredDescriptor(Bytes);

/// An entry of an index. One that was read and not changed is written as it was read.
#[derive(Clone)]
pub(super) struct CatalogEntry {
    /// Whether bulla made or changed it.
    pub(super) is_ours: bool,
    pub(super) stored: StoredDescriptor,
}

impl StoredDescriptor {
    /// Writes `descriptor` as JSON, and reads it again.
    ///
    /// # Errors
    /// [`JsonError`] where no reader would accept it.
    pub(crate) fn of(descriptor: &Descriptor) -> Result<Self, JsonError> {
        let text = serde_json::to_vec(descriptor)?.into_boxed_slice();
        let _readable: Descriptor = json::read(&text)?;
        Ok(Self(text.into()))
    }

    /// Parses it.
    pub(crate) fn read(&self) -> Option<Descriptor> {
        json::read(&self.0).ok()
    }
}

impl Serialize for StoredDescriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_slice::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl CatalogEntry {
    /// An entry as it was read, whose text is part of `index`.
    pub(super) fn as_read(index: &Bytes, text: &RawValue) -> Self {
        Self { is_ours: false, stored: StoredDescriptor(index.slice_ref(text.get().as_bytes())) }
    }

    /// The same entry, for the content that `descriptor` describes: it keeps its other fields.
    ///
    /// # Errors
    /// As [`StoredDescriptor::of`].
    pub(super) fn corrected(&self, descriptor: &Descriptor) -> Result<Option<Self>, JsonError> {
        let Some(entry) = self.stored.read() else { return Ok(None) };
        let (size, media_type) = (descriptor.size, descriptor.media_type.clone());
        let stored = StoredDescriptor::of(&Descriptor { media_type, size, ..entry })?;
        Ok(Some(Self { is_ours: self.is_ours, stored }))
    }

    /// An entry that bulla made.
    ///
    /// # Errors
    /// As [`StoredDescriptor::of`].
    pub(super) fn ours(descriptor: &Descriptor) -> Result<Self, JsonError> {
        Ok(Self { is_ours: true, stored: StoredDescriptor::of(descriptor)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_no_reader_accepts_is_not_stored() {
        let descriptor = |media_type| Descriptor::of(media_type, b"{}");
        assert_eq!(StoredDescriptor::of(&descriptor("a/b")).unwrap().read(), Some(descriptor("a/b")));
        assert!(StoredDescriptor::of(&descriptor("no media type")).is_err());
    }
}
