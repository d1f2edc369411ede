//! Notes about retries of requests to registries, without `-v`: with it the log has all of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use bulla::store::in_words;
use bulla::store::registry::RequestEvent;
use bulla::store::registry::RequestObserver;

use super::line::Foreign;
use super::render;
use super::verbosity;
use super::verbosity::Verbosity;

/// Prints notes about the requests to registries.
#[derive(Debug, Default)]
pub(super) struct RequestNotes {
    /// The retries that were reported, and when.
    again: Mutex<BTreeMap<(String, String, u32), Instant>>,
}

impl RequestObserver for RequestNotes {
    fn observe(&self, event: &RequestEvent<'_>) {
        match *event {
            // Several requests to one host often fail in the same way at the same time: report that once.
            RequestEvent::Retry { host, most, next, pause, why } if !is_logged() && self.is_news(host, why, next) => {
                let pause = in_words(pause);
                render::note(format_args!(
                    "{}: {}, trying again in {pause} ({next} of {most})",
                    Foreign(host),
                    Foreign(why)
                ));
            }
            _ => {}
        }
    }
}

impl RequestNotes {
    fn is_news(&self, host: &str, why: &str, next: u32) -> bool {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.retain(|_, reported| reported.elapsed() < REPEAT_AFTER);
        again.insert((host.to_owned(), why.to_owned(), next), Instant::now()).is_none()
    }
}

/// Whether the log reports retries already.
fn is_logged() -> bool {
    verbosity::verbosity() == Verbosity::Log
}

/// How long the same retry is not reported again.
const REPEAT_AFTER: Duration = Duration::from_secs(10);
