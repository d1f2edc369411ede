//! `TransferProgress`: progress reports of a copy, in bytes of blobs.

use std::sync::OnceLock;

/// Receives the progress of transfers, without any influence on them.
pub trait TransferProgress: Send + Sync {
    /// Adds `bytes` to the number of bytes that are going to be transferred.
    fn wanted(&self, bytes: u64);

    /// Reports that `bytes` were transferred.
    fn moved(&self, bytes: u64);

    /// Reports that `bytes` do not have to be transferred after all.
    fn spared(&self, bytes: u64);
}

/// The receiver of this process, if there is one: a program has one screen.
static METER: OnceLock<Box<dyn TransferProgress>> = OnceLock::new();

/// Sets the receiver of progress; only the first call in a process has an effect.
pub fn watch(meter: Box<dyn TransferProgress>) {
    let _ = METER.set(meter);
}

pub(crate) fn wanted(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.wanted(bytes));
}

pub(crate) fn moved(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.moved(bytes));
}

pub(crate) fn spared(bytes: u64) {
    METER.get().iter().for_each(|meter| meter.spared(bytes));
}
