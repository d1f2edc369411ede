//! `TransferProgress`: progress reports of a copy, in bytes of blobs.

use std::sync::OnceLock;

/// Receives the progress of transfers. Nothing is decided by it.
pub trait TransferProgress: Send + Sync {
    /// This number of bytes will be moved, in addition to those before.
    fn wanted(&self, bytes: u64);

    /// This number of bytes was moved.
    fn moved(&self, bytes: u64);

    /// This number of bytes need not be moved after all.
    fn spared(&self, bytes: u64);
}

/// The receiver of this process, if there is one: a program has one screen.
static METER: OnceLock<Box<dyn TransferProgress>> = OnceLock::new();

/// Reports to `meter` from now on; the first call in a process wins.
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
