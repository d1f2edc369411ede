//! The async runtime: tokio in a build with the feature `registry`, otherwise a loop on the current thread.

use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;
use std::thread;
use std::thread::Thread;

use super::exit::Failure;

/// The kind of work, which decides the number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Moving and hashing bytes: one thread for each processor.
    Moving,
    /// Mostly waiting for responses: one thread, which starts faster.
    Waiting,
}

/// Runs futures one after another. Connections stay open in between.
#[cfg(feature = "registry")]
pub(super) struct Runtime(tokio::runtime::Runtime);

#[cfg(feature = "registry")]
impl Runtime {
    pub(super) fn new(work: Work) -> Result<Self, Failure> {
        let mut builder = match work {
            Work::Moving => tokio::runtime::Builder::new_multi_thread(),
            Work::Waiting => tokio::runtime::Builder::new_current_thread(),
        };
        let runtime = builder.enable_all().build();
        runtime.map(Self).map_err(|error| Failure::unknown(format!("the runtime could not be started: {error}")))
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

/// Runs futures on the current thread.
#[cfg(not(feature = "registry"))]
pub(super) struct Runtime;

#[cfg(not(feature = "registry"))]
impl Runtime {
    pub(super) fn new(_work: Work) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        block_on_this_thread(future)
    }
}

/// Runs a future that needs no runtime. Local stores are ready at the first poll; a pending future parks the thread.
pub(super) fn block_on_this_thread<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
