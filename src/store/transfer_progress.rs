//! `TransferProgress`: progress reports of a copy, in bytes of blobs.

use std::sync::OnceLock;

/// Receives the progress of transfers, without any influence on them.
pub trait TransferProgress: Send + Sync {
    /// Adds `bytes` to the number of bytes that are going to be transferred.
    fn expected(&self, bytes: u64);

    /// Reports that `bytes` were transferred.
    fn transferred(&self, bytes: u64);

    /// Reports that `bytes` do not have to be transferred after all.
    fn skipped(&self, bytes: u64);
}

/// The receiver of this process, if there is one: a program has one screen.
static METER: OnceLock<Box<dyn TransferProgress>> = OnceLock::new();

/// Sets the receiver of progress; only the first call in a process has an effect.
pub fn watch(meter: Box<dyn TransferProgress>) {
    let _ = METER.set(meter);
}

pub(crate) fn expected(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.expected(bytes));
}

pub(crate) fn transferred(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.transferred(bytes));
}

pub(crate) fn skipped(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.skipped(bytes));
}
