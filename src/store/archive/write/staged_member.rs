//! `StagedMember`: a blob that is being written into an archive.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::archive::header::MemberType;
use crate::store::archive::offsets::Span;
use crate::store::archive::write::ReservedSpace;
use crate::store::archive::write::Writing;
use crate::store::archive::write::lock;
use crate::store::archive::write::write_all;
use crate::store::error::PathFault;
use crate::store::local::background_sync::SYNC_THRESHOLD;
use crate::store::local::layout_files::StagedBlob;
use crate::store::local::layout_files::blob_name;
use crate::store::local::layout_files::broken;

/// A blob that is being written into its reserved space. Without [`StagedBlob::keep`] the space becomes a hole.
pub(in crate::store::archive) struct StagedMember<'a> {
    file: Arc<File>,
    kept: bool,
    name: String,
    position: u64,
    room: ReservedSpace,
    size: u64,
    target: &'a Path,
    temporary: PathBuf,
    /// The number of bytes written since the last background sync.
    unsynced: u64,
    writing: &'a Mutex<Option<Writing>>,
}

impl<'a> StagedMember<'a> {
    /// Reserves the space for a blob and counts it as open.
    pub(in crate::store::archive) fn create(
        writing: &'a Mutex<Option<Writing>>,
        target: &'a Path,
        descriptor: &Descriptor,
    ) -> Result<Self, StoreError> {
        let name = blob_name(&descriptor.digest);
        let mut slot = lock(writing);
        let begun = slot.as_mut().ok_or_else(|| broken(target, PathFault::Lost))?;
        let room = begun.reserve(&name, descriptor.size, MemberType::File)?;
        begun.end = room.end;
        begun.open += 1;
        let (file, temporary) = (Arc::clone(&begun.file), begun.path().to_owned());
        let (position, size) = (room.data, descriptor.size);
        Ok(Self { file, kept: false, name, position, room, size, target, temporary, unsynced: 0, writing })
    }
}

impl StagedBlob for StagedMember<'_> {
    fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        write_all(&self.file, &self.temporary, piece, self.position)?;
        let written = u64::try_from(piece.len()).unwrap_or_default();
        self.position += written;
        self.unsynced += written;
        if self.unsynced >= SYNC_THRESHOLD {
            self.unsynced = 0;
            lock(self.writing).iter_mut().for_each(|writing| writing.background.sync(&self.file, &self.temporary));
        }
        Ok(())
    }

    fn keep(mut self: Box<Self>) -> Result<(), StoreError> {
        let mut slot = lock(self.writing);
        let writing = slot.as_mut().ok_or_else(|| broken(self.target, PathFault::Lost))?;
        // Two tasks may have written the same blob: the space of the second becomes a hole.
        self.kept = writing.enter(&self.name, Span { offset: self.room.data, size: self.size });
        drop(slot);
        Ok(())
    }
}

impl Drop for StagedMember<'_> {
    fn drop(&mut self) {
        let mut slot = lock(self.writing);
        let Some(writing) = &mut *slot else { return };
        writing.open -= 1;
        if self.kept {
            return;
        }
        match writing.end == self.room.end && writing.file.set_len(self.room.start).is_ok() {
            true => writing.end = self.room.start,
            false => writing.holes = true,
        }
    }
}
