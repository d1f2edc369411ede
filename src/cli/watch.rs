//! Notes about requests to registries: retries, and with `-v` and `-vv` requests and responses.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
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
    /// The hosts that have answered.
    answered: Mutex<BTreeSet<String>>,
}

impl RequestObserver for RequestNotes {
    fn observe(&self, event: &RequestEvent<'_>) {
        match *event {
            // Several requests to one host often fail in the same way at the same time: report that once.
            RequestEvent::Retry { host, most, next, pause, why } if self.is_news(host, why, next) => {
                let pause = in_words(pause);
                render::note(format_args!(
                    "{}: {}, trying again in {pause} ({next} of {most})",
                    Foreign(host),
                    Foreign(why)
                ));
            }
            RequestEvent::Request { host, method, path, status, took } => {
                let answer = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                let took = in_words(took);
                match verbosity::verbosity() {
                    Verbosity::Requests => render::note(format_args!(
                        "{method} {} {}: {answer} after {took}",
                        Foreign(host),
                        Foreign(path)
                    )),
                    Verbosity::Hosts if self.is_first(host, status) => {
                        render::note(format_args!("{}: first answer {answer} after {took}", Foreign(host)));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl RequestNotes {
    fn is_news(&self, host: &str, why: &str, next: u32) -> bool {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.retain(|_, told| told.elapsed() < TOLD);
        again.insert((host.to_owned(), why.to_owned(), next), Instant::now()).is_none()
    }

    fn is_first(&self, host: &str, status: Option<u16>) -> bool {
        status.is_some() && self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned())
    }
}

/// How long the same retry is not reported again.
const TOLD: Duration = Duration::from_secs(10);
