//! Concurrency of store operations: several tasks at once if they wait for a network; one after another in a build
//! without registries.

#[cfg(feature = "registry")]
use std::sync::Arc;

#[cfg(feature = "registry")]
use tokio::sync::OwnedSemaphorePermit;
#[cfg(feature = "registry")]
use tokio::sync::Semaphore;
#[cfg(feature = "registry")]
use tracing::Instrument as _;

use crate::store::Task;

/// A semaphore: a limited number of permits.
#[derive(Clone, Debug)]
pub struct Permits {
    #[cfg(feature = "registry")]
    left: Arc<Semaphore>,
}

/// A permit, released when this is dropped.
#[derive(Debug)]
pub struct Permit {
    #[cfg(feature = "registry")]
    _permit: Option<OwnedSemaphorePermit>,
}

#[cfg(feature = "registry")]
impl Permits {
    /// A semaphore with this number of permits.
    pub fn new(most: usize) -> Self {
        Self { left: Arc::new(Semaphore::new(most)) }
    }

    /// Waits for a permit.
    pub async fn acquire(&self) -> Permit {
        // The semaphore is never closed.
        Permit { _permit: Arc::clone(&self.left).acquire_owned().await.ok() }
    }
}

#[cfg(not(feature = "registry"))]
impl Permits {
    /// Without an executor there is no concurrency to limit.
    pub fn new(_most: usize) -> Self {
        Self {}
    }

    /// Returns a permit at once.
    pub fn acquire(&self) -> std::future::Ready<Permit> {
        std::future::ready(Permit {})
    }
}

/// Runs `tasks`, at most `at_once` of them concurrently, and returns their results in order.
pub async fn run<'a, T: Send + 'a>(tasks: Vec<Task<'a, T>>, at_once: usize) -> Vec<T> {
    run_lazily(tasks, at_once).await
}

/// As [`run`], but creates each task only when it is started, for a large number of them.
#[cfg(feature = "registry")]
pub async fn run_lazily<'a, T, I>(tasks: I, at_once: usize) -> Vec<T>
where
    T: Send + 'a,
    I: IntoIterator<Item = Task<'a, T>>,
{
    use futures_util::StreamExt as _;
    use futures_util::stream::FuturesUnordered;
    let mut waiting = tasks.into_iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut results = Vec::new();
    loop {
        // A slow task must not keep later ones from being started.
        running.extend(waiting.by_ref().take(at_once.max(1) - running.len()).map(numbered));
        let Some(result) = running.next().await else { break };
        results.push(result);
    }
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The limit of results that wait for earlier ones.
#[cfg(feature = "registry")]
const MAX_WAITING: usize = 1_024;

/// Passes the results of `count` tasks to `take` in order, each as soon as all earlier ones are available.
///
/// 1. Each task has a first try, `at_once` of them concurrently.
/// 2. If a first try gives no result, `alone` runs when it is its turn, so that of the tasks that need much memory only
///    one runs at a time.
#[cfg(feature = "registry")]
pub async fn in_order<'a, T: Send + 'a>(
    count: usize,
    at_once: usize,
    first_try: impl Fn(usize) -> Task<'a, Option<T>>,
    alone: impl Fn(usize) -> Task<'a, T>,
    mut take: impl FnMut(usize, T),
) {
    use std::collections::BTreeMap;

    use futures_util::StreamExt as _;
    use futures_util::future::Either;
    use futures_util::future::select;
    use futures_util::stream::FuturesUnordered;
    let mut waiting = (0..count).map(|number| numbered((number, first_try(number))));
    let mut running = FuturesUnordered::new();
    let mut ready: BTreeMap<usize, Option<T>> = BTreeMap::new();
    for number in 0..count {
        let mut by_itself: Option<Task<'a, T>> = None;
        let result = loop {
            let room = at_once.max(1).saturating_sub(running.len()).min(MAX_WAITING.saturating_sub(ready.len()));
            // The awaited task is always running: the first one without a result is started before all others.
            let room = if running.is_empty() { room.max(1) } else { room };
            running.extend(waiting.by_ref().take(room));
            match by_itself.take() {
                None => match ready.remove(&number) {
                    Some(Some(result)) => break result,
                    Some(None) => by_itself = Some(alone(number)),
                    None => {
                        let Some((other, result)) = running.next().await else { return };
                        ready.insert(other, result);
                    }
                },
                Some(task) if running.is_empty() => break task.await,
                Some(task) => match select(task, running.next()).await {
                    Either::Left((result, _)) => break result,
                    Either::Right((done, task)) => {
                        ready.extend(done);
                        by_itself = Some(task);
                    }
                },
            }
        };
        take(number, result);
    }
}

/// One after another.
#[cfg(not(feature = "registry"))]
pub async fn in_order<'a, T: Send + 'a>(
    count: usize,
    _at_once: usize,
    first_try: impl Fn(usize) -> Task<'a, Option<T>>,
    alone: impl Fn(usize) -> Task<'a, T>,
    mut take: impl FnMut(usize, T),
) {
    for number in 0..count {
        let result = match first_try(number).await {
            Some(result) => result,
            None => alone(number).await,
        };
        take(number, result);
    }
}

#[cfg(feature = "registry")]
fn numbered<'a, T: Send + 'a>((number, task): (usize, Task<'a, T>)) -> Task<'a, (usize, T)> {
    Box::pin(async move { (number, task.await) })
}

/// One after another.
#[cfg(not(feature = "registry"))]
pub async fn run_lazily<'a, T, I>(tasks: I, _at_once: usize) -> Vec<T>
where
    T: Send + 'a,
    I: IntoIterator<Item = Task<'a, T>>,
{
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await);
    }
    results
}

/// Spawns `task` on the tokio runtime that it is awaited in; without one, it runs where it is awaited. `None` only if
/// the runtime aborted the task.
#[cfg(feature = "registry")]
pub fn spawn<T: Send + 'static>(task: Task<'static, T>) -> Task<'static, Option<T>> {
    Box::pin(async {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.spawn(task.in_current_span()).await.ok(),
            Err(_) => Some(task.await),
        }
    })
}

/// In a build without a registry the task runs where it is awaited.
#[cfg(not(feature = "registry"))]
pub fn spawn<T: Send + 'static>(task: Task<'static, T>) -> Task<'static, Option<T>> {
    Box::pin(async { Some(task.await) })
}

#[cfg(test)]
#[cfg(feature = "registry")]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::sync::Notify;

    use super::*;
    use crate::oci::Content;
    use crate::store::Blob;
    use crate::store::BlobStream;
    use crate::store::StoreError;

    fn block_on<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(task)
    }

    #[test]
    fn the_slow_do_not_hold_up_those_behind_them() {
        let last = Notify::new();
        let task = |number: u32| -> Task<'_, u32> {
            let last = &last;
            Box::pin(async move {
                match number {
                    // The first task ends only after the last has begun.
                    0 => last.notified().await,
                    9 => last.notify_one(),
                    _ => {}
                }
                number
            })
        };
        let tasks = (0..10).map(task).collect();
        let ran = block_on(async { tokio::time::timeout(Duration::from_mins(1), run(tasks, 2)).await });
        assert_eq!(ran.unwrap(), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn results_come_in_their_order_and_the_large_by_themselves() {
        use std::sync::atomic::AtomicUsize;
        use std::sync::atomic::Ordering;
        let (large, first) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let last = Notify::new();
        let first_try = |number: usize| -> Task<'_, Option<usize>> {
            let (last, first) = (&last, &first);
            Box::pin(async move {
                first.fetch_add(1, Ordering::Relaxed);
                // The first task ends only after the last has begun.
                match number {
                    0 => last.notified().await,
                    9 => last.notify_one(),
                    _ => {}
                }
                (number % 3 != 1).then_some(number)
            })
        };
        let alone = |number: usize| -> Task<'_, usize> {
            let large = &large;
            Box::pin(async move {
                assert_eq!(large.fetch_add(1, Ordering::Relaxed), 0, "two at a time");
                tokio::task::yield_now().await;
                large.fetch_sub(1, Ordering::Relaxed);
                number
            })
        };
        let mut taken = Vec::new();
        let ran = in_order(10, 2, first_try, alone, |number, result| taken.push((number, result)));
        block_on(async { tokio::time::timeout(Duration::from_mins(1), ran).await }).unwrap();
        assert_eq!(taken, (0..10).map(|number| (number, number)).collect::<Vec<_>>());
        assert_eq!(first.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_turn_ends_with_the_last_piece_and_with_a_failure() {
        let permits = Permits::new(1);
        let content = Content::from_bytes("text/plain", b"content".to_vec());
        let mut blob = Blob::of(&content).holding(block_on(permits.acquire()));
        assert_eq!(permits.left.available_permits(), 0);
        assert!(block_on(blob.next()).unwrap().is_some());
        assert_eq!(permits.left.available_permits(), 1);
        let wrong = Box::new(Nothing);
        let mut blob =
            Blob::new(content.descriptor().clone(), "here".to_owned(), wrong).holding(block_on(permits.acquire()));
        assert_eq!(permits.left.available_permits(), 0);
        block_on(blob.next()).unwrap_err();
        assert_eq!(permits.left.available_permits(), 1);
    }

    struct Nothing;

    impl BlobStream for Nothing {
        fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
    }
}
