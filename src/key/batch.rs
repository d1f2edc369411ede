//! `Batch`: signatures over several messages, made side by side.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::Builder;

use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;

/// What became of several messages that were to be signed.
#[derive(Debug, Default)]
pub struct Batch {
    /// The signatures, by the place of the message.
    pub made: BTreeMap<usize, Signature>,
    /// Why the others are missing.
    pub stopped: Option<SignerError>,
}

impl Batch {
    /// Signs with several threads at once, since a machine has several processors and a signer may be far away. Once one of
    /// them was declined none begins another.
    pub(in crate::key) fn side_by_side<S: Signer + ?Sized>(signer: &S, messages: &[&[u8]]) -> Self {
        let next = AtomicUsize::new(0);
        let (made, stopped) = (Mutex::new(BTreeMap::new()), OnceLock::new());
        let work = || {
            while stopped.get().is_none() {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(message) = messages.get(place) else { return };
                match signer.sign(message) {
                    Ok(signature) => {
                        made.lock().unwrap_or_else(PoisonError::into_inner).insert(place, signature);
                    }
                    Err(error) => drop(stopped.set(error)),
                }
            }
        };
        std::thread::scope(|scope| {
            // Where the system gives no more threads, those that there are have to do: this one at least is there.
            for _ in 1..AT_ONCE.min(messages.len()) {
                drop(Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        Self { made: made.into_inner().unwrap_or_else(PoisonError::into_inner), stopped: stopped.into_inner() }
    }
}

/// How many signatures are asked for at a time.
pub(in crate::key) const AT_ONCE: usize = 8;
