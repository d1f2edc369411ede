//! `OpenArchive`: an archive whose headers were read.

use std::fs::File;
use std::sync::Arc;

use crate::files;
use crate::store::archive::input::PassedFiles;
use crate::store::archive::members::MemberTable;

/// An archive whose headers were read. Its content is read through this handle, even if the file gets another name.
#[derive(Clone)]
pub(super) struct OpenArchive {
    pub(super) content: ArchiveContent,
    pub(super) members: Arc<MemberTable>,
}

#[derive(Clone)]
pub(super) enum ArchiveContent {
    /// A file, and its length in bytes.
    File(Arc<File>, u64),
    /// What was kept of a stream.
    Passed(Arc<PassedFiles>),
}

impl OpenArchive {
    /// Whether both are the same file with the same length.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (ArchiveContent::File(one, length), ArchiveContent::File(other, now)) => {
                length == now && files::are_one(one, other)
            }
            _ => false,
        }
    }
}
