//! Progress of transfers: a bar on a terminal, otherwise a line each minute; both on standard error.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use indicatif::ProgressBar;

use bulla::store::in_words;
use bulla::store::transfer_progress;
use bulla::store::transfer_progress::TransferProgress;

use super::bar;
use super::quantity::amount;
use super::render;

/// Starts to show the progress of transfers.
pub(super) fn show() {
    let bar = render::can_draw().then(bar::show);
    transfer_progress::watch(Box::new(ProgressMeter { bar, state: Mutex::new(ProgressState::new(Instant::now())) }));
}

struct ProgressMeter {
    bar: Option<&'static ProgressBar>,
    state: Mutex<ProgressState>,
}

/// The bytes moved so far, and the total.
struct ProgressState {
    last: Instant,
    transferred: u64,
    since: Instant,
    total: u64,
}

impl TransferProgress for ProgressMeter {
    fn expected(&self, bytes: u64) {
        self.change(|state| state.total = state.total.saturating_add(bytes));
    }

    fn transferred(&self, bytes: u64) {
        self.change(|state| state.transferred = state.transferred.saturating_add(bytes));
    }

    fn skipped(&self, bytes: u64) {
        self.change(|state| state.total = state.total.saturating_sub(bytes));
    }
}

impl ProgressMeter {
    fn change(&self, change: impl FnOnce(&mut ProgressState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let now = Instant::now();
        match self.bar {
            // A short transfer needs no bar.
            Some(bar) if now.saturating_duration_since(state.since) >= SHOWN_AFTER => {
                bar.set_length(state.total);
                bar.set_position(state.transferred);
            }
            Some(_) => {}
            None => state.line(now).iter().for_each(render::note),
        }
    }
}

impl ProgressState {
    fn new(now: Instant) -> Self {
        Self { last: now, transferred: 0, since: now, total: 0 }
    }

    /// The next progress line, if a minute has passed since the last one.
    fn line(&mut self, now: Instant) -> Option<String> {
        if now.saturating_duration_since(self.last) < MINUTE {
            return None;
        }
        self.last = now;
        let seconds = now.saturating_duration_since(self.since).as_secs().max(1);
        let rate = (self.transferred / seconds).max(1);
        let left = Duration::from_secs(self.total.saturating_sub(self.transferred) / rate);
        let (transferred, total) = (amount(self.transferred), amount(self.total));
        Some(format!("moved {transferred} of {total}, {} a second, {} left", amount(rate), in_words(left)))
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const SHOWN_AFTER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_line_is_printed_each_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut state = ProgressState::new(start);
        state.total = 600_000_000;
        state.transferred = 60_000_000;
        assert_eq!(state.line(at(59)), None);
        let line = state.line(at(60)).unwrap();
        assert_eq!(line, "moved 60.0 MB of 600.0 MB, 1.0 MB a second, 9 min left");
        assert_eq!(state.line(at(119)), None);
        state.transferred = 600_000_000;
        assert_eq!(state.line(at(120)).unwrap(), "moved 600.0 MB of 600.0 MB, 5.0 MB a second, 0 ms left");
    }

    #[test]
    fn no_bytes_moved_does_not_divide_by_zero() {
        let start = Instant::now();
        let mut state = ProgressState::new(start);
        assert!(state.line(start + MINUTE).unwrap().starts_with("moved 0 B of 0 B"));
    }
}
