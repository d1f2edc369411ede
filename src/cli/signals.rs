//! Signals that are watched for: which have come, and a stream that wakes a thread that waits for one.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

pub(super) use signal_hook::consts::signal;
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::pipe;

/// Signals that are watched for, for the rest of the life of the process: signal-hook cannot give a signal its default
/// back, only do what the default does.
pub(super) struct SignalWatch {
    came: Vec<(i32, Arc<AtomicBool>)>,
    woken: UnixStream,
}

impl SignalWatch {
    /// Begins to watch for these signals. One that has a flag also does what it does by default while the flag is set.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn begin(signals: impl IntoIterator<Item = (i32, Option<Arc<AtomicBool>>)>) -> io::Result<Self> {
        let (woken, wake) = UnixStream::pair()?;
        let mut came = Vec::new();
        for (signal, default) in signals {
            let flag = Arc::new(AtomicBool::new(false));
            if let Some(default) = default {
                flag::register_conditional_default(signal, default)?;
            }
            flag::register(signal, Arc::clone(&flag))?;
            pipe::register(signal, wake.try_clone()?)?;
            came.push((signal, flag));
        }
        Ok(Self { came, woken })
    }

    /// The stream that gets one byte for each signal.
    pub(super) const fn woken(&self) -> &UnixStream {
        &self.woken
    }

    /// A signal that has come since it was last returned or forgotten, in the order in which they are watched for.
    pub(super) fn next(&self) -> Option<i32> {
        self.came.iter().find(|(_, came)| came.swap(false, Ordering::SeqCst)).map(|(signal, _)| *signal)
    }

    /// Takes it that `signal` has not come.
    pub(super) fn forget(&self, signal: i32) {
        let came = self.came.iter().filter(|(other, _)| *other == signal);
        came.for_each(|(_, came)| came.store(false, Ordering::SeqCst));
    }

    /// Takes it that no signal has come.
    pub(super) fn forget_all(&self) {
        self.came.iter().for_each(|(_, came)| came.store(false, Ordering::SeqCst));
    }
}

/// Does what `signal` does by default. Where the system refuses that, the program goes on.
pub(super) fn do_default(signal: i32) {
    drop(emulate_default_handler(signal));
}
