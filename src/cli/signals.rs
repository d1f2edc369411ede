//! `SignalWatch`: pending signals, and a stream that wakes the thread that waits for them.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

pub(super) use signal_hook::consts::signal;
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::pipe;

/// The signals that are watched for, and which of them are pending. A watch lasts as long as the process: signal-hook
/// cannot restore a default handler, only emulate it.
pub(super) struct SignalWatch {
    came: Vec<(i32, Arc<AtomicBool>)>,
    woken: UnixStream,
}

impl SignalWatch {
    /// Starts to watch for these signals. While the flag of a signal is set, the signal also takes its default action.
    ///
    /// # Errors
    /// Those of the operating system.
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

    /// Takes the next pending signal, in the order of [`SignalWatch::begin`].
    pub(super) fn next(&self) -> Option<i32> {
        self.came.iter().find(|(_, came)| came.swap(false, Ordering::SeqCst)).map(|(signal, _)| *signal)
    }

    /// Discards `signal` if it is pending.
    pub(super) fn forget(&self, signal: i32) {
        let came = self.came.iter().filter(|(other, _)| *other == signal);
        came.for_each(|(_, came)| came.store(false, Ordering::SeqCst));
    }

    /// Discards all pending signals.
    pub(super) fn forget_all(&self) {
        self.came.iter().for_each(|(_, came)| came.store(false, Ordering::SeqCst));
    }
}

/// Takes the default action of `signal`. If that fails, the program continues.
pub(super) fn do_default(signal: i32) {
    drop(emulate_default_handler(signal));
}
