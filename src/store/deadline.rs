//! `Deadline`: the timeout of a whole command, shared by everything that the command does.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// The timeout of a command, counted from when this was made. Clones share it.
#[derive(Clone, Debug)]
pub struct Deadline(Option<Arc<SharedDeadline>>);

/// The time that counts towards the timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutScope {
    /// All time, except while a person is asked something.
    Everything,
    /// All time, except while a person is asked something and while layers are transferred: an image may be large and
    /// the connection slow. The idle timeout and the minimum rate of the store bound stalled transfers.
    EverythingButLayers,
}

#[derive(Debug)]
struct SharedDeadline {
    scope: TimeoutScope,
    limit: Duration,
    since: Instant,
    state: Mutex<DeadlineState>,
}

#[derive(Debug, Default)]
struct DeadlineState {
    /// The current activity, for messages.
    activity: String,
    /// When a piece of a layer was last transferred.
    last_progress: Option<Instant>,
    /// The time since when a person is asked something.
    paused: Option<Instant>,
    uncounted: Duration,
}

/// Stops the timeout while a person is asked something, until this is dropped.
#[derive(Debug)]
pub struct TimeoutPause(Deadline);

impl Deadline {
    /// No timeout.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A timeout of `limit`, from now on.
    pub fn new(limit: Duration, scope: TimeoutScope) -> Self {
        let state = Mutex::default();
        Self(Some(Arc::new(SharedDeadline { scope, limit, since: Instant::now(), state })))
    }

    /// The timeout, if there is one.
    pub fn limit(&self) -> Option<Duration> {
        self.0.as_ref().map(|shared| shared.limit)
    }

    /// The remaining time if all time counts.
    pub fn remaining_of_all_time(&self) -> Option<Duration> {
        self.remaining().filter(|_| self.0.as_ref().is_some_and(|shared| shared.scope == TimeoutScope::Everything))
    }

    /// The remaining time; zero when the timeout has passed. It grows again by time that does not count.
    pub fn remaining(&self) -> Option<Duration> {
        self.left_at(Instant::now())
    }

    /// Records that a piece of a layer was transferred just now.
    pub fn record_progress(&self) {
        self.record_progress_at(Instant::now());
    }

    /// Stops the timeout while a person is asked something.
    pub fn pause(&self) -> TimeoutPause {
        if let Some(shared) = &self.0 {
            shared.state().paused = Some(Instant::now());
        }
        TimeoutPause(self.clone())
    }

    /// Sets the current activity.
    pub fn set_activity(&self, what: impl Into<String>) {
        if let Some(shared) = &self.0 {
            shared.state().activity = what.into();
        }
    }

    /// The last activity, for messages.
    pub fn activity(&self) -> String {
        self.0.as_ref().map(|shared| shared.state().activity.clone()).unwrap_or_default()
    }

    fn left_at(&self, now: Instant) -> Option<Duration> {
        let shared = self.0.as_ref()?;
        let state = shared.state();
        let paused = state.paused.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let counted = now.saturating_duration_since(shared.since).saturating_sub(state.uncounted + paused);
        Some(shared.limit.saturating_sub(counted))
    }

    fn record_progress_at(&self, now: Instant) {
        let Some(shared) = &self.0 else { return };
        let mut state = shared.state();
        let since = state.last_progress.map(|before| now.saturating_duration_since(before));
        state.last_progress = state.last_progress.max(Some(now));
        match since {
            Some(since) if since <= STILL && shared.scope == TimeoutScope::EverythingButLayers => {
                state.uncounted += since
            }
            _ => {}
        }
    }
}

impl SharedDeadline {
    fn state(&self) -> MutexGuard<'_, DeadlineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TimeoutPause {
    fn drop(&mut self) {
        if let Some(shared) = &self.0.0 {
            let mut state = shared.state();
            let paused = state.paused.take().map_or(Duration::ZERO, |since| since.elapsed());
            state.uncounted += paused;
        }
    }
}

/// A duration in words.
pub fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..10 => match duration.subsec_millis() / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        seconds @ 10..120 => format!("{seconds} s"),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A longer gap between two pieces of layers counts as time without a transfer.
const STILL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn since(deadline: &Deadline) -> Instant {
        deadline.0.as_ref().unwrap().since
    }

    #[test]
    fn time_in_which_layers_move_counts_only_where_everything_does() {
        for (counted, left) in [(TimeoutScope::Everything, 0), (TimeoutScope::EverythingButLayers, 8)] {
            let deadline = Deadline::new(10 * SECOND, counted);
            let start = since(&deadline);
            for second in 1..=100 {
                deadline.record_progress_at(start + second * SECOND);
            }
            // One second passed before the first piece, and one after the last.
            assert_eq!(deadline.left_at(start + 101 * SECOND), Some(left * SECOND), "{counted:?}");
        }
    }

    #[test]
    fn several_layers_at_once_do_not_count_twice() {
        let deadline = Deadline::new(10 * SECOND, TimeoutScope::EverythingButLayers);
        let start = since(&deadline);
        for _ in 0..5 {
            deadline.record_progress_at(start);
            deadline.record_progress_at(start + 2 * SECOND);
        }
        assert_eq!(deadline.left_at(start + 5 * SECOND), Some(7 * SECOND));
    }

    #[test]
    fn layers_that_stand_still_count() {
        let deadline = Deadline::new(100 * SECOND, TimeoutScope::EverythingButLayers);
        let start = since(&deadline);
        deadline.record_progress_at(start);
        deadline.record_progress_at(start + 31 * SECOND);
        assert_eq!(deadline.left_at(start + 31 * SECOND), Some(69 * SECOND));
    }

    #[test]
    fn a_person_has_all_the_time() {
        let deadline = Deadline::new(SECOND, TimeoutScope::Everything);
        let pause = deadline.pause();
        assert!(deadline.left_at(since(&deadline) + 1_000 * SECOND).unwrap() > Duration::ZERO);
        drop(pause);
        assert_eq!(deadline.left_at(since(&deadline) + 1_000 * SECOND), Some(Duration::ZERO));
        assert_eq!(Deadline::none().remaining(), None);
    }

    #[test]
    fn durations_are_told_in_words() {
        for (milliseconds, words) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (1_000, "1 s"),
            (2_590, "2.5 s"),
            (30_400, "30 s"),
            (119_000, "119 s"),
            (300_000, "5 min"),
            (3_661_000, "61 min 1 s"),
        ] {
            assert_eq!(in_words(Duration::from_millis(milliseconds)), words);
        }
    }
}
