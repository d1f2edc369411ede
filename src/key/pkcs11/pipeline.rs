//! `SigningPipeline`: signs many messages on a token, and verifies each signature in other threads meanwhile.
//!
//! The invariant: a signature is returned only after it was verified, and after one failure no further message is
//! signed.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::hint::spin_loop;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::Builder;
use std::thread::available_parallelism;

use crate::key::Batch;
use crate::key::Signature;
use crate::key::SignerError;
use crate::key::signer::AT_ONCE;

/// What the threads that ask the token and those that verify share.
pub(super) struct SigningPipeline {
    state: Mutex<PipelineState>,
    more: Condvar,
}

/// Counts a thread as one that asks the token, until this is dropped.
struct ActiveSession<'a>(&'a SigningPipeline);

struct PipelineState {
    /// The next message to be signed.
    next: usize,
    messages: usize,
    /// Threads that still ask the token.
    asking: usize,
    /// Threads that wait for something to verify.
    idle: usize,
    /// Raw signatures that were not verified yet.
    raw: VecDeque<(usize, Vec<u8>)>,
    made: BTreeMap<usize, Signature>,
    stopped: Option<SignerError>,
}

impl SigningPipeline {
    /// Signs `messages` messages in at most `sessions` sessions and verifies each signature in other threads. Only
    /// verified signatures are returned.
    ///
    /// 1. `ask` takes a session, has the token sign each message that [`SigningPipeline::next`] names, and passes the
    ///    result to [`SigningPipeline::signed`].
    /// 2. `check` verifies each result in another thread.
    pub(super) fn run(
        messages: usize,
        sessions: usize,
        ask: impl Fn(&Self) -> Result<(), SignerError> + Sync,
        check: impl Fn(usize, Vec<u8>) -> Result<Signature, SignerError> + Sync,
    ) -> Batch {
        let state = PipelineState {
            next: 0,
            messages,
            asking: 1,
            idle: 0,
            raw: VecDeque::new(),
            made: BTreeMap::new(),
            stopped: None,
        };
        let line = Self { state: Mutex::new(state), more: Condvar::new() };
        let verifies = || line.verifies(&check);
        let asks = || {
            line.asks(&ask);
            verifies();
        };
        std::thread::scope(|scope| {
            // If the system gives no more threads, those that there are do the work: this one does both.
            // One processor is left to the thread that asks.
            let processors = available_parallelism().map_or(1, usize::from);
            for _ in 0..processors.saturating_sub(1).clamp(1, AT_ONCE).min(messages.saturating_sub(1)) {
                drop(Builder::new().spawn_scoped(scope, verifies));
            }
            for _ in 1..sessions.min(AT_ONCE).min(messages) {
                line.lock().asking += 1;
                if Builder::new().spawn_scoped(scope, asks).is_err() {
                    line.lock().asking -= 1;
                }
            }
            asks();
        });
        let state = line.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Batch { made: state.made, stopped: state.stopped }
    }

    /// The index of the next message to sign; `None` at the end, or after a failure.
    pub(super) fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        let place = state.next;
        let more = place < state.messages && state.stopped.is_none();
        state.next += usize::from(more);
        more.then_some(place)
    }

    /// Takes a raw signature of the token, to be verified.
    pub(super) fn signed(&self, place: usize, raw: Vec<u8>) {
        let mut state = self.lock();
        state.raw.push_back((place, raw));
        // Waking a thread takes time in which the token waits, so it is done for several results at a time.
        let wake = state.idle > 0 && state.raw.len() >= WORTH_WAKING;
        drop(state);
        if wake {
            self.more.notify_one();
        }
    }

    fn asks(&self, ask: impl Fn(&Self) -> Result<(), SignerError>) {
        let asking = ActiveSession(self);
        if let Err(error) = ask(self) {
            self.lock().stopped.get_or_insert(error);
        }
        drop(asking);
    }

    fn verifies(&self, check: impl Fn(usize, Vec<u8>) -> Result<Signature, SignerError>) {
        let (mut state, mut patient) = (self.lock(), true);
        loop {
            if let Some((place, raw)) = state.raw.pop_front() {
                drop(state);
                let checked = check(place, raw);
                (state, patient) = (self.lock(), true);
                match checked {
                    Ok(signature) => drop(state.made.insert(place, signature)),
                    Err(error) => drop(state.stopped.get_or_insert(error)),
                }
            } else if state.asking == 0 {
                return;
            } else if patient {
                // A fast token has the next one ready sooner than a sleeping thread is woken up.
                drop(state);
                (0..PATIENCE).for_each(|_| spin_loop());
                (state, patient) = (self.lock(), false);
            } else {
                state.idle += 1;
                state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, PipelineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveSession<'_> {
    fn drop(&mut self) {
        self.0.lock().asking -= 1;
        self.0.more.notify_all();
    }
}

/// Some ten microseconds.
const PATIENCE: usize = 1_000;

const WORTH_WAKING: usize = 4;
