//! Signals that end the program (SIGINT, SIGTERM, SIGHUP, SIGQUIT): what is not finished goes away first.
//!
//! Invariant: whenever one of them comes, no file with a final name is half written, and no temporary file and no lock
//! of ours stays; then the signal does what it does by default. What SIGKILL leaves is removed by the next run.

#[cfg(unix)]
use std::io::Read as _;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
#[cfg(unix)]
use std::sync::atomic::Ordering;

#[cfg(unix)]
use signal_hook::consts::signal;
#[cfg(unix)]
use signal_hook::low_level::emulate_default_handler;

#[cfg(unix)]
use crate::files;

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
    let (mut woken, wake) = UnixStream::pair()?;
    // A second signal does not wait for what the first has begun.
    let begun = Arc::new(AtomicBool::new(false));
    let mut came = Vec::new();
    for signal in ENDING.into_iter().filter(|signal| !is_ignored(*signal)) {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&begun))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
        signal_hook::low_level::pipe::register(signal, wake.try_clone()?)?;
        came.push((signal, flag));
    }
    let work = move || {
        while woken.read(&mut [0; 1]).is_ok_and(|count| count > 0) {
            let signal = came.iter().find(|(_, came)| came.swap(false, Ordering::SeqCst));
            if let Some((signal, _)) = signal.filter(|_| !HELD.load(Ordering::SeqCst)) {
                begun.store(true, Ordering::SeqCst);
                end(*signal);
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

/// Has signals left to a prompt, or no longer.
#[cfg(unix)]
pub(super) fn hold(held: Held) {
    HELD.store(held == Held::ByPrompt, Ordering::SeqCst);
}

/// Who acts on signals.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    ByNobody,
    ByPrompt,
}

/// Does what `signal` does by default; before it ends the program, what is not finished goes away.
#[cfg(unix)]
pub(super) fn end(signal: i32) {
    if ENDING.contains(&signal) {
        files::undo_all();
    }
    drop(emulate_default_handler(signal));
}

/// Whether a signal was ignored when the program began, as `nohup` and a shell's `&` have it: it stays so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}
