//! The timeout of a command, `--timeout`: ends the command even if it waits for something that cannot be interrupted.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use bulla::files;
use bulla::store::Deadline;
use bulla::store::TimeoutScope;
use bulla::store::in_words;

use super::exit::Exit;
use super::exit::Failure;
use super::hints;

/// The deadline of the process, which runs one command.
static DEADLINE: OnceLock<Deadline> = OnceLock::new();

/// The deadline of the command.
pub(super) fn deadline() -> Deadline {
    DEADLINE.get().cloned().unwrap_or_else(Deadline::none)
}

/// The shorter of `wait` and the rest of `--timeout`: for waits that cannot be interrupted from outside.
pub(super) fn at_most(wait: Duration) -> Duration {
    deadline().remaining_of_all_time().map_or(wait, |left| wait.min(left))
}

/// Whether `--timeout` has expired.
pub(super) fn is_over() -> bool {
    deadline().remaining_of_all_time().is_some_and(|left| left.is_zero())
}

/// Runs `work`, the whole command, within `timeout`.
///
/// Requests to registries notice the expired timeout themselves and clean up. Other waits (a slow disk, a token, a plugin)
/// are abandoned after a grace period, and end with the process.
pub(super) fn within(
    timeout: Option<Duration>,
    work: impl FnOnce() -> Result<Exit, Failure> + Send + 'static,
) -> Result<Exit, Failure> {
    let deadline = match timeout {
        None => Deadline::new(DEFAULT, TimeoutScope::EverythingButLayers),
        Some(Duration::ZERO) => Deadline::none(),
        Some(limit) => Deadline::new(limit, TimeoutScope::Everything),
    };
    let deadline = DEADLINE.get_or_init(|| deadline).clone();
    let Some(limit) = timeout.filter(|limit| !limit.is_zero()) else { return work() };
    deadline.set_activity("reading files and keys");
    let (send, receive) = mpsc::channel();
    let worker = thread::Builder::new().name("command".to_owned()).stack_size(STACK);
    let worker = worker.spawn(move || drop(send.send(work())));
    let worker = worker.map_err(|error| Failure::unknown(format!("no thread can be started: {error}")))?;
    loop {
        let left = deadline.remaining().unwrap_or_default();
        match receive.recv_timeout(left.saturating_add(GRACE)) {
            Ok(done) => return done,
            Err(RecvTimeoutError::Timeout) if deadline.remaining().is_some_and(|left| left.is_zero()) => {
                // No file gets its final name after this: the process ends.
                files::undo_all();
                return Err(over(limit, &deadline.activity()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => resume_unwind(panic),
                Ok(()) => return Err(Failure::unknown("the command ended without a result")),
            },
        }
    }
}

fn over(limit: Duration, doing: &str) -> Failure {
    let message = format!("not done within {}, while {doing}", in_words(limit));
    Failure { code: "timeout", ..Failure::unknown(message).hint(hints::TIMEOUT) }
}

/// The default timeout. The transfer of layers does not count.
const DEFAULT: Duration = Duration::from_mins(10);
/// The grace period for cleaning up after the timeout.
const GRACE: Duration = Duration::from_secs(1);
/// The stack size of the command's thread, in bytes: the same as a main thread's.
const STACK: usize = 8 << 20;
