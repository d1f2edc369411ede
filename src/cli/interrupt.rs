//! Signals that end the program (SIGINT, SIGTERM, SIGHUP, SIGQUIT): unfinished files are removed first.
//!
//! Invariant: whenever such a signal arrives, no file with a final name is half written, and no temporary file and no
//! lock of ours remains. Then the signal takes its default action. Leftovers of SIGKILL are removed by the next run.
//! Until there is a file to remove or a prompt, signals have their default action and no thread waits for them.

#[cfg(unix)]
use std::io::Read as _;
#[cfg(unix)]
use std::sync::Arc;
use std::sync::Once;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
#[cfg(unix)]
use std::sync::atomic::Ordering;

use bulla::files;

use super::render;
#[cfg(unix)]
use super::signals;
#[cfg(unix)]
use super::signals::SignalWatch;
#[cfg(unix)]
use super::signals::signal;

/// The signals that end the program.
#[cfg(unix)]
pub(super) const ENDING: [i32; 4] = [signal::SIGTERM, signal::SIGHUP, signal::SIGQUIT, signal::SIGINT];

/// Whether a prompt is open. The prompt handles signals itself: it must switch the terminal's echo on first.
#[cfg(unix)]
static PROMPT_IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Begins to handle signals when the first file is created that would have to be removed.
pub(super) fn watch_when_needed() {
    files::before_unfinished(begin);
}

/// Begins to handle signals, once.
pub(super) fn begin() {
    BEGUN.call_once(|| {
        if let Err(error) = watch() {
            render::note(format_args!("warning: signals cannot be watched for: {error}"));
        }
    });
}

static BEGUN: Once = Once::new();

/// Starts a thread that handles signals. Called once.
///
/// # Errors
/// Those of the operating system. Signals then keep their default action, and the next run removes the leftovers.
#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    // A second signal takes its default action at once: it does not wait for the cleanup that the first one started.
    let begun = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    let ending = ENDING.into_iter().filter(|signal| !is_in(ignored, *signal));
    let signals = SignalWatch::begin(ending.map(|signal| (signal, Some(Arc::clone(&begun)))))?;
    let work = move || {
        let mut woken = signals.woken();
        while woken.read(&mut [0; 1]).is_ok_and(|count| count > 0) {
            if let Some(signal) = signals.next().filter(|_| !PROMPT_IS_OPEN.load(Ordering::SeqCst)) {
                begun.store(true, Ordering::SeqCst);
                end(signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(work).map(drop)
}

/// Does nothing: this system has no signals.
#[cfg(not(unix))]
fn watch() -> std::io::Result<()> {
    Ok(())
}

/// Removes unfinished files on a panic. Release builds abort on panic, so destructors do not run.
pub(super) fn watch_for_panics() {
    files::undo_on_panic();
}

/// Leaves signals to the prompt, which opens now.
#[cfg(unix)]
pub(super) fn leave_to_prompt() {
    PROMPT_IS_OPEN.store(true, Ordering::SeqCst);
}

/// Handles signals here again: the prompt is closed.
#[cfg(unix)]
pub(super) fn take_back_from_prompt() {
    PROMPT_IS_OPEN.store(false, Ordering::SeqCst);
}

/// Takes the default action of `signal`. If that ends the program, unfinished files are removed first.
#[cfg(unix)]
pub(super) fn end(signal: i32) {
    if ENDING.contains(&signal) {
        files::undo_all();
    }
    signals::do_default(signal);
}

/// The signals that were ignored when the program started, as a bit mask (proc(5), `SigIgn`): `nohup` and a shell's `&`
/// ignore some, and they must stay ignored. Read once, because the kernel takes long to produce this file.
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
