//! The tasks of a command about many references: several at a time, and their results in the order of the references.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread;

use bulla::store::Task;
use bulla::store::parallel;

use super::exit::Failure;
use super::runtime::Runtime;
use super::runtime::Work;
use super::runtime::block_on_this_thread;

/// How many tasks run at a time, and what they wait for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Concurrency {
    /// The limit, `--jobs`.
    pub(super) jobs: usize,
    /// Whether no task needs a network: then nothing waits, and the tasks share the processors.
    pub(super) local: bool,
    pub(super) work: Work,
}

impl Concurrency {
    /// Passes the results of `count` tasks to `take` in order, each as soon as all earlier ones are available.
    ///
    /// Each task has a first try, and several of them run at a time. If a first try gives no result, `alone` runs when it is
    /// its turn, so that of the tasks that need much memory only one runs at a time.
    ///
    /// # Errors
    /// [`Failure`] if the runtime could not be started.
    pub(super) fn run<'a, T: Send + 'a>(
        self,
        count: usize,
        first_try: impl Fn(usize) -> Task<'a, Option<T>> + Sync,
        alone: impl Fn(usize) -> Task<'a, T>,
        take: impl FnMut(usize, T),
    ) -> Result<(), Failure> {
        match self.local && self.work == Work::Waiting {
            true if count > 1 => on_threads(self.threads(), count, &first_try, alone, take),
            // A runtime would only be started and ended.
            true => block_on_this_thread(parallel::in_order(count, self.jobs, first_try, alone, take)),
            false => {
                let runtime = Runtime::new(self.work)?;
                runtime.block_on(parallel::in_order(count, self.jobs, first_try, alone, take));
            }
        }
        Ok(())
    }

    /// One thread for each processor, within `--jobs`.
    fn threads(self) -> usize {
        thread::available_parallelism().map_or(1, NonZero::get).min(self.jobs.max(1))
    }
}

/// The limit of first tries that are ahead of the result that is taken next.
const MAX_AHEAD: usize = 1_024;

/// The stack of a thread, which counts as memory: as much as the threads of tokio have, which verify layers.
const STACK_BYTES: usize = 2 << 20;

/// As [`Concurrency::run`], for tasks that are ready at the first poll: each first try runs on one of `threads` threads.
/// A task without a result, also because a thread could not be started, runs alone.
fn on_threads<'a, T: Send + 'a>(
    threads: usize,
    count: usize,
    first_try: &(impl Fn(usize) -> Task<'a, Option<T>> + Sync),
    alone: impl Fn(usize) -> Task<'a, T>,
    mut take: impl FnMut(usize, T),
) {
    thread::scope(|scope| {
        let (ask, asked) = mpsc::channel();
        let asked = Arc::new(Mutex::new(asked));
        let (answer, answered) = mpsc::channel();
        for _ in 0..threads.min(count) {
            let (asked, answer) = (Arc::clone(&asked), answer.clone());
            let work = move || {
                while let Some(number) = next(&asked) {
                    let result = block_on_this_thread(first_try(number));
                    // Nobody waits any more only if the main thread has panicked.
                    if answer.send((number, result)).is_err() {
                        return;
                    }
                }
            };
            let builder = thread::Builder::new().name("reference".to_owned()).stack_size(STACK_BYTES);
            if builder.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        drop((asked, answer));
        let ask_for = |number: usize| {
            // Without a thread there is no answer, and the task runs alone.
            let _unsent = (number < count).then(|| ask.send(number));
        };
        (0..MAX_AHEAD).for_each(ask_for);
        let mut ready: BTreeMap<usize, Option<T>> = BTreeMap::new();
        for number in 0..count {
            let first = loop {
                match ready.remove(&number) {
                    Some(result) => break result,
                    None => match answered.recv() {
                        Ok((other, result)) => drop(ready.insert(other, result)),
                        Err(_) => break None,
                    },
                }
            };
            take(number, first.unwrap_or_else(|| block_on_this_thread(alone(number))));
            ask_for(number.saturating_add(MAX_AHEAD));
        }
        drop(ask);
    });
}

/// The number of the next task; `None` when there are no more.
fn next(asked: &Mutex<mpsc::Receiver<usize>>) -> Option<usize> {
    asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn results_are_in_order_and_tasks_without_one_run_alone() {
        let (count, tries) = (3 * MAX_AHEAD, AtomicUsize::new(0));
        let tries = &tries;
        let first_try = |number: usize| -> Task<'_, Option<usize>> {
            Box::pin(async move {
                tries.fetch_add(1, Ordering::Relaxed);
                (!number.is_multiple_of(7)).then_some(number)
            })
        };
        let (mut taken, mut alone) = (Vec::new(), Vec::new());
        let alone_of = |number: usize| -> Task<'_, usize> { Box::pin(async move { number + count }) };
        let take = |number, result| {
            taken.push(number);
            match result == number {
                true => {}
                false => alone.push(result - count),
            }
        };
        on_threads(2, count, &first_try, alone_of, take);
        assert_eq!(taken, (0..count).collect::<Vec<_>>());
        assert_eq!(alone, (0..count).step_by(7).collect::<Vec<_>>());
        assert_eq!(tries.load(Ordering::Relaxed), count);
    }

    #[test]
    fn first_tries_do_not_run_ahead_without_a_limit() {
        let (started, taken, ahead) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let (started, taken, ahead) = (&started, &taken, &ahead);
        let first_try = |number: usize| -> Task<'_, Option<()>> {
            Box::pin(async move {
                started.fetch_add(1, Ordering::SeqCst);
                ahead.fetch_max(number - taken.load(Ordering::SeqCst), Ordering::SeqCst);
                // The first one is the last of its window: the other thread does all the others.
                while number == 0 && started.load(Ordering::SeqCst) < MAX_AHEAD {
                    thread::yield_now();
                }
                Some(())
            })
        };
        let take = |number, ()| taken.store(number + 1, Ordering::SeqCst);
        on_threads(2, 2 * MAX_AHEAD, &first_try, |_| Box::pin(async {}), take);
        assert!(ahead.load(Ordering::SeqCst) < MAX_AHEAD, "{ahead:?}");
    }

    #[test]
    fn without_a_thread_each_task_runs_alone() {
        let first_try = |_: usize| -> Task<'_, Option<usize>> { Box::pin(async { Some(0) }) };
        let mut taken = Vec::new();
        on_threads(0, 3, &first_try, |number| Box::pin(async move { number + 10 }), |_, result| taken.push(result));
        assert_eq!(taken, [10, 11, 12]);
    }
}
