//! Signals that end the program (SIGINT, SIGTERM, SIGHUP, SIGQUIT): what is not finished goes away first.
//!
//! Invariant: whenever one of them comes, no file with a final name is half written, and no temporary file and no lock
//! of ours stays; then the signal does what it does by default. What SIGKILL leaves is removed by the next run.

#[cfg(unix)]
use std::io::Read as _;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
#[cfg(unix)]
use std::sync::atomic::Ordering;

use bulla::files;

#[cfg(unix)]
use super::signals;
#[cfg(unix)]
use super::signals::SignalWatch;
#[cfg(unix)]
use super::signals::signal;

/// The signals that end a program.
#[cfg(unix)]
pub(super) const ENDING: [i32; 4] = [signal::SIGTERM, signal::SIGHUP, signal::SIGQUIT, signal::SIGINT];

/// Whether a prompt is open, which acts on signals itself: the terminal has to echo again first.
#[cfg(unix)]
static HELD: AtomicBool = AtomicBool::new(false);

/// Begins to watch for signals, once, in a thread of its own.
///
/// # Errors
/// What the system says; then signals do what they do by default, and what they leave is removed by the next run.
#[cfg(unix)]
pub(super) fn watch() -> std::io::Result<()> {
    // A second signal does not wait for what the first has begun.
    let begun = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    let ending = ENDING.into_iter().filter(|signal| !is_in(ignored, *signal));
    let signals = SignalWatch::begin(ending.map(|signal| (signal, Some(Arc::clone(&begun)))))?;
    let work = move || {
        let mut woken = signals.woken();
        while woken.read(&mut [0; 1]).is_ok_and(|count| count > 0) {
            if let Some(signal) = signals.next().filter(|_| !HELD.load(Ordering::SeqCst)) {
                begun.store(true, Ordering::SeqCst);
                end(signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(work).map(drop)
}

/// As above, where there are no signals.
#[cfg(not(unix))]
pub(super) fn watch() -> std::io::Result<()> {
    Ok(())
}

/// Has a panic, which ends the released program at once, take away first what is not finished.
pub(super) fn watch_for_panics() {
    files::undo_on_panic();
}

/// Leaves signals to a prompt that opens.
#[cfg(unix)]
pub(super) fn leave_to_prompt() {
    HELD.store(true, Ordering::SeqCst);
}

/// Acts on signals again: the prompt is closed.
#[cfg(unix)]
pub(super) fn act_again() {
    HELD.store(false, Ordering::SeqCst);
}

/// Does what `signal` does by default; before it ends the program, what is not finished goes away.
#[cfg(unix)]
pub(super) fn end(signal: i32) {
    if ENDING.contains(&signal) {
        files::undo_all();
    }
    signals::do_default(signal);
}

/// The signals that were ignored when the program began, as `nohup` and a shell's `&` have it: they stay so. A bit for
/// each, as the kernel has it. It is read once, because the kernel takes long to write this file.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(unix)]
fn is_in(mask: u64, signal: i32) -> bool {
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}
