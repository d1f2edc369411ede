//! The async runtime: tokio in a build with the feature `registry`, otherwise a loop on the current thread.

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

/// Runs futures on the current thread. Local stores are ready at the first poll; a pending future parks the thread.
#[cfg(not(feature = "registry"))]
pub(super) struct Runtime;

#[cfg(not(feature = "registry"))]
struct Unpark(std::thread::Thread);

#[cfg(not(feature = "registry"))]
impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(not(feature = "registry"))]
impl Runtime {
    pub(super) fn new(_work: Work) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
        let mut context = std::task::Context::from_waker(&waker);
        let mut future = std::pin::pin!(future);
        loop {
            match future.as_mut().poll(&mut context) {
                std::task::Poll::Ready(result) => return result,
                std::task::Poll::Pending => std::thread::park(),
            }
        }
    }
}
