//! `ImagePart`: what is known of the rest of an image while statements about one manifest of it are discovered.

use std::sync::Arc;

use crate::digest::Digest;
use crate::policy::Decision;
use crate::verify::Finding;
use crate::verify::pool::Unread;
use crate::verify::record::StatementRecord;

/// What is known of the rest of an image while statements about one manifest of it are discovered.
#[derive(Clone, Debug, Default)]
pub(super) struct ImagePart {
    around: Vec<Arc<StatementRecord>>,
    decided: Vec<Option<Decision>>,
    index: Option<Digest>,
    is_index: bool,
    unread: Unread,
}

/// What was found about one manifest of an image.
#[derive(Clone, Debug)]
pub(super) struct SubjectEvidence {
    pub(super) digest: Digest,
    pub(super) findings: Vec<Arc<Finding>>,
    pub(super) records: Vec<Arc<StatementRecord>>,
    pub(super) unread: Unread,
}

impl SubjectEvidence {
    /// No statement about `digest`.
    pub(super) const fn nothing(digest: Digest, unread: Unread) -> Self {
        Self { digest, findings: Vec::new(), records: Vec::new(), unread }
    }
}

impl ImagePart {
    /// A part with the decision on each requirement, by its position, that statements about this part have no say in.
    pub(super) const fn new(decided: Vec<Option<Decision>>) -> Self {
        let unread = Unread { evidence: false, newer: false };
        Self { around: Vec::new(), decided, index: None, is_index: false, unread }
    }

    /// The same part as the index of the image itself.
    pub(super) fn of_image_index(self) -> Self {
        Self { is_index: true, ..self }
    }

    /// The same part of an index, about which `index` was found.
    pub(super) fn of_index(self, index: &SubjectEvidence) -> Self {
        Self { around: index.records.clone(), index: Some(index.digest), unread: index.unread, ..self }
    }

    /// Whether statements about this part have a say in some requirement.
    pub(super) fn is_open(&self) -> bool {
        self.decided.iter().any(Option::is_none)
    }

    /// The statements about the index around it.
    pub(super) fn around(&self) -> &[Arc<StatementRecord>] {
        &self.around
    }

    /// The decision on the requirement at `position`, if statements about this part have no say in it.
    pub(super) fn decided_elsewhere(&self, position: usize) -> Option<Decision> {
        self.decided.get(position).copied().flatten()
    }

    /// The index around it.
    pub(super) const fn index(&self) -> Option<Digest> {
        self.index
    }

    /// Whether it is the index of the image.
    pub(super) const fn is_index(&self) -> bool {
        self.is_index
    }

    /// What could not be read of the evidence about the index around it.
    pub(super) const fn unread(&self) -> Unread {
        self.unread
    }
}
