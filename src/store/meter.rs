//! `Meter`: who is told how much of the blobs of a copy has moved.

use std::sync::OnceLock;

/// Who is told how much has moved. Nothing is decided by it.
pub trait Meter: Send + Sync {
    /// So many bytes more are to be moved.
    fn wanted(&self, bytes: u64);

    /// So many bytes have moved.
    fn moved(&self, bytes: u64);

    /// So many bytes need not be moved.
    fn spared(&self, bytes: u64);
}

/// The meter of this process: a program has one screen, and a library that is not told of one has none.
static METER: OnceLock<Box<dyn Meter>> = OnceLock::new();

/// Tells `meter` from now on; the first one stays.
pub fn watch(meter: Box<dyn Meter>) {
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
