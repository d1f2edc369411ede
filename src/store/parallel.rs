//! Several tasks at once where there is something to wait for; one after another in a build without a registry.

use crate::store::Task;

/// Runs `tasks`, at most `at_once` of them at a time, and returns what they returned, in their order.
pub async fn run<'a, T: Send + 'a>(tasks: Vec<Task<'a, T>>, at_once: usize) -> Vec<T> {
    run_made(tasks, at_once).await
}

/// As [`run`], for very many: each task is only made when it is its turn.
#[cfg(feature = "registry")]
pub async fn run_made<'a, T, I>(tasks: I, at_once: usize) -> Vec<T>
where
    T: Send + 'a,
    I: IntoIterator<Item = Task<'a, T>>,
{
    use futures_util::StreamExt as _;
    futures_util::stream::iter(tasks).buffered(at_once.max(1)).collect().await
}

/// One after another.
#[cfg(not(feature = "registry"))]
pub async fn run_made<'a, T, I>(tasks: I, _at_once: usize) -> Vec<T>
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

/// Lets `task` use another processor, where the build has an executor with several.
#[cfg(feature = "registry")]
pub fn spread<T: Send + 'static>(task: Task<'static, T>) -> Task<'static, Option<T>> {
    Box::pin(async { tokio::spawn(task).await.ok() })
}

/// Without an executor the task runs where it is awaited.
#[cfg(not(feature = "registry"))]
pub fn spread<T: Send + 'static>(task: Task<'static, T>) -> Task<'static, Option<T>> {
    Box::pin(async { Some(task.await) })
}
