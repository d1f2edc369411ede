//! `Task`: the future that a store returns.

use std::future::Future;
use std::pin::Pin;

/// The future of a store operation. A local store needs no runtime: it is ready at the first poll, and blocks the thread
/// while it reads and writes files. A registry needs tokio.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
