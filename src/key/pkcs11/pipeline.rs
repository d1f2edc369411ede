//! `SigningPipeline`: signs many messages on a token, and verifies the signatures in other threads at the same time.
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
use crate::key::signer::MAX_PARALLEL;

/// The state that signing threads and verifying threads share.
pub(super) struct SigningPipeline {
    state: Mutex<PipelineState>,
    more: Condvar,
}

/// Counts a thread as signing until this is dropped.
struct ActiveSession<'a>(&'a SigningPipeline);

struct PipelineState {
    /// The index of the next message to sign.
    next: usize,
    messages: usize,
    /// The number of threads that sign.
    signing: usize,
    /// The number of threads that wait for a signature to verify.
    idle: usize,
    /// Signatures of the token that are not verified yet.
    raw: VecDeque<(usize, Vec<u8>)>,
    made: BTreeMap<usize, Signature>,
    stopped: Option<SignerError>,
}

impl SigningPipeline {
    /// Signs `messages` messages in at most `sessions` sessions and verifies each signature in other threads. Only
    /// verified signatures are returned.
    ///
    /// 1. `sign` takes a session, has the token sign each message that [`SigningPipeline::next`] names, and passes the
    ///    signature to [`SigningPipeline::signed`].
    /// 2. `verify` verifies each signature in another thread.
    pub(super) fn run(
        messages: usize,
        sessions: usize,
        sign: impl Fn(&Self) -> Result<(), SignerError> + Sync,
        verify: impl Fn(usize, Vec<u8>) -> Result<Signature, SignerError> + Sync,
    ) -> Batch {
        let state = PipelineState {
            next: 0,
            messages,
            signing: 1,
            idle: 0,
            raw: VecDeque::new(),
            made: BTreeMap::new(),
            stopped: None,
        };
        let pipeline = Self { state: Mutex::new(state), more: Condvar::new() };
        let run_verifier = || pipeline.run_verifier(&verify);
        let run_signer = || {
            pipeline.run_signer(&sign);
            run_verifier();
        };
        std::thread::scope(|scope| {
            // If the system starts no more threads, the existing ones do the work: this one does both. One processor is
            // left to the signing thread.
            let processors = available_parallelism().map_or(1, usize::from);
            for _ in 0..processors.saturating_sub(1).clamp(1, MAX_PARALLEL).min(messages.saturating_sub(1)) {
                drop(Builder::new().spawn_scoped(scope, run_verifier));
            }
            for _ in 1..sessions.min(MAX_PARALLEL).min(messages) {
                pipeline.lock().signing += 1;
                if Builder::new().spawn_scoped(scope, run_signer).is_err() {
                    pipeline.lock().signing -= 1;
                }
            }
            run_signer();
        });
        let state = pipeline.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Batch { made: state.made, stopped: state.stopped }
    }

    /// The index of the next message to sign; `None` at the end, or after a failure.
    pub(super) fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        let index = state.next;
        let more = index < state.messages && state.stopped.is_none();
        state.next += usize::from(more);
        more.then_some(index)
    }

    /// Queues a signature of the token for verification.
    pub(super) fn signed(&self, index: usize, raw: Vec<u8>) {
        let mut state = self.lock();
        state.raw.push_back((index, raw));
        // Waking a thread delays the token, so one is woken only for several signatures.
        let wake = state.idle > 0 && state.raw.len() >= WAKE_THRESHOLD;
        drop(state);
        if wake {
            self.more.notify_one();
        }
    }

    fn run_signer(&self, sign: impl Fn(&Self) -> Result<(), SignerError>) {
        let signing = ActiveSession(self);
        if let Err(error) = sign(self) {
            self.lock().stopped.get_or_insert(error);
        }
        drop(signing);
    }

    fn run_verifier(&self, verify: impl Fn(usize, Vec<u8>) -> Result<Signature, SignerError>) {
        let (mut state, mut may_spin) = (self.lock(), true);
        loop {
            if let Some((index, raw)) = state.raw.pop_front() {
                drop(state);
                let checked = verify(index, raw);
                (state, may_spin) = (self.lock(), true);
                match checked {
                    Ok(signature) => drop(state.made.insert(index, signature)),
                    Err(error) => drop(state.stopped.get_or_insert(error)),
                }
            } else if state.signing == 0 {
                return;
            } else if may_spin {
                // A fast token makes the next signature sooner than a sleeping thread wakes up.
                drop(state);
                (0..SPIN_LOOPS).for_each(|_| spin_loop());
                (state, may_spin) = (self.lock(), false);
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
        self.0.lock().signing -= 1;
        self.0.more.notify_all();
    }
}

/// How long a thread spins before it sleeps: about ten microseconds.
const SPIN_LOOPS: usize = 1_000;

const WAKE_THRESHOLD: usize = 4;
