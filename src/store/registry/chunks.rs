//! A blob in pieces, each of which is kept until the registry has taken it. Distribution specification, "Pushing a blob
//! in chunks".

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::Url;
use reqwest::header::CONTENT_RANGE;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use reqwest::header::LOCATION;

use super::answer::Answer;
use super::call::Tries;
use super::call::is_busy;
use super::download::number;
use super::feed::Feed;
use super::place;
use super::retry::Failure;
use super::retry::Retry;
use super::transport::Trouble;
use super::transport::length;
use super::upload::Again;
use super::upload::Session;
use super::upload::Tried;
use super::upload::Upload;
use super::upload::is_there;
use super::upload::refused;
use crate::store::StoreError;

/// Sends the blob of `feed` in pieces of at most `most` bytes.
pub(super) async fn send(upload: &Upload<'_>, session: Session, feed: &Arc<Feed>, most: u64) -> Tried<()> {
    let least = session.chunk_least;
    if least > CHUNK_MOST {
        upload.cancel(&session.location).await;
        return Err(Err(upload.gave_up(&format!("the registry wants pieces of at least {least} bytes"))));
    }
    let mut sender = Sender { at: 0, least, location: session.location.clone(), upload };
    let Some(mut pieces) = feed.pieces().await.map_err(Err)? else {
        sender.upload.cancel(&sender.location).await;
        return Err(Err(upload.gave_up("the source cannot be read a second time")));
    };
    if session.begun {
        // What the registry has is left out; where it does not say, or has nothing any more, it begins anew.
        match sender.status().await {
            Some(Step::At(at)) if at <= upload.descriptor.size => sender.at = at,
            _ => sender.location = upload.begin().await.map_err(Err)?.location,
        }
        pieces.skip(sender.at).await.map_err(Err)?;
    }
    let retry = Retry::new(upload.repository.host.transport.settings.patience);
    let mut pace = Pace { most: most.max(least), retry };
    while sender.at < upload.descriptor.size {
        let chunk = match pieces.chunk(pace.most).await {
            Ok(chunk) => chunk,
            Err(error) => {
                upload.cancel(&sender.location).await;
                return Err(Err(error));
            }
        };
        sender.deliver(chunk, &mut pace).await?;
    }
    sender.close().await
}

/// How much is sent at once, and how often it is tried.
struct Pace {
    most: u64,
    retry: Retry,
}

/// An upload in pieces.
struct Sender<'a> {
    /// How much the registry has.
    at: u64,
    least: u64,
    location: Url,
    upload: &'a Upload<'a>,
}

/// What became of a piece.
enum Step {
    /// The registry has this much now.
    At(u64),
    /// It is too much at once.
    Smaller,
    /// Nobody knows; the registry has to be asked.
    Unknown(Trouble),
    /// It has nothing any more.
    Lost,
}

impl Sender<'_> {
    /// Sends `chunk`, as often and in as many parts as it takes.
    async fn deliver(&mut self, chunk: Bytes, pace: &mut Pace) -> Tried<()> {
        let start = self.at;
        let end = start.saturating_add(length(&chunk));
        while self.at < end {
            let from = usize::try_from(self.at - start).unwrap_or(usize::MAX);
            let part = chunk.slice(from.min(chunk.len())..);
            let part = part.slice(..part.len().min(usize::try_from(pace.most).unwrap_or(usize::MAX)));
            match self.patch(part).await? {
                Step::At(at) if (start..=end).contains(&at) => {
                    if at > self.at {
                        pace.retry.progressed();
                    }
                    self.at = at;
                }
                Step::At(_) | Step::Lost => return Err(Ok(self.restart("the registry lost what it had"))),
                Step::Smaller => self.shrink(pace).await?,
                Step::Unknown(trouble) => self.ask_again(trouble, pace, start..=end).await?,
            }
        }
        Ok(())
    }

    async fn patch(&mut self, part: Bytes) -> Result<Step, Result<Again, StoreError>> {
        let sent = length(&part);
        let range = format!("{}-{}", self.at, (self.at + sent).saturating_sub(1));
        let mut call = self.upload.call(Method::PATCH, self.location.clone()).tries(Tries::Once);
        call.body = part;
        call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Ok(range) = HeaderValue::from_str(&range) {
            call = call.header(CONTENT_RANGE, range);
        }
        let answer = match self.upload.repository.host.ask(&call).await {
            Ok(answer) => answer,
            Err(StoreError::Unreachable { why, .. }) => {
                return Ok(Step::Unknown(Trouble::Passing(Failure::Closed, why)));
            }
            Err(error) => return Err(Err(error)),
        };
        let wanted = self.at + sent;
        match answer.status.as_u16() {
            200 | 202 | 204 => {
                self.follow(&answer).map_err(Err)?;
                match progress(&answer) {
                    // What is behind may be stale, or the truth.
                    Some(at) if at != wanted => Ok(self.status().await.map_or(Step::At(wanted), |at| at)),
                    _ => Ok(Step::At(wanted)),
                }
            }
            // ECR: done, with a range of before.
            201 => {
                self.follow(&answer).map_err(Err)?;
                Ok(Step::At(wanted))
            }
            404 => Ok(Step::Lost),
            413 => Ok(Step::Smaller),
            416 => match self.status().await {
                Some(Step::At(at)) if at == self.at => Ok(Step::Smaller),
                Some(step) => Ok(step),
                None => Ok(Step::Lost),
            },
            _ if is_busy(answer.status) => Ok(Step::Unknown(Trouble::Final(answer.error()))),
            _ => {
                self.upload.cancel(&self.location).await;
                Err(Err(refused(&answer)))
            }
        }
    }

    /// Asks how much the registry has; `None` where it does not say.
    async fn status(&mut self) -> Option<Step> {
        let call = self.upload.call(Method::GET, self.location.clone());
        let answer = self.upload.repository.host.ask(&call).await.ok()?;
        match answer.status.as_u16() {
            200..=204 => {
                self.follow(&answer).ok()?;
                progress(&answer).map(Step::At)
            }
            404 => Some(Step::Lost),
            _ => None,
        }
    }

    /// After a try of which nobody knows what became: waits, and asks.
    async fn ask_again(
        &mut self,
        trouble: Trouble,
        pace: &mut Pace,
        within: std::ops::RangeInclusive<u64>,
    ) -> Tried<()> {
        let Some(pause) = pace.retry.broken(Failure::Silent) else {
            self.upload.cancel(&self.location).await;
            return Err(Err(trouble.error(&self.upload.repository.place_of(&self.upload.descriptor.digest))));
        };
        tokio::time::sleep(pause).await;
        match self.status().await {
            Some(Step::At(at)) if within.contains(&at) => {
                self.at = at;
                Ok(())
            }
            _ => Err(Ok(self.restart("the registry lost what it had"))),
        }
    }

    async fn shrink(&self, pace: &mut Pace) -> Tried<()> {
        pace.most /= 2;
        if pace.most < CHUNK_LEAST.max(self.least) {
            self.upload.cancel(&self.location).await;
            return Err(Err(self.upload.gave_up("the registry takes neither all at once nor small pieces")));
        }
        self.upload.learn(pace.most);
        Ok(())
    }

    /// Ends the upload, which makes the blob visible if it is the right one.
    async fn close(mut self) -> Tried<()> {
        let call = self.upload.call(Method::PUT, self.upload.closing(&self.location));
        let answer = self.upload.repository.host.ask(&call).await.map_err(Err)?;
        if self.upload.is_stored(&answer) {
            return Ok(());
        }
        // The upload session is gone, or a response was lost (threats: lost-upload-session, lost-response).
        if matches!(answer.status.as_u16(), 404 | 416) {
            return match is_there(self.upload.repository, &self.upload.descriptor).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Ok(self.restart("the upload vanished"))),
                Err(error) => Err(Err(error)),
            };
        }
        self.upload.cancel(&self.location).await;
        Err(Err(refused(&answer)))
    }

    /// The newest location is the one to go on at.
    fn follow(&mut self, answer: &Answer) -> Result<(), StoreError> {
        if let Some(location) = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
            let base = &self.upload.repository.host.base;
            self.location = place::upload(base, &answer.url, location).map_err(|why| answer.protocol(why))?;
        }
        Ok(())
    }

    fn restart(&mut self, why: &str) -> Again {
        Again::Restart(Trouble::Passing(Failure::Closed, why.to_owned()))
    }
}

/// How much a registry says that it has: `0-LAST`, with or without a unit. Nothing at all is `0-0` too.
fn progress(answer: &Answer) -> Option<u64> {
    parse_progress(answer.header("range")?)
}

fn parse_progress(text: &str) -> Option<u64> {
    let range = text.trim();
    let range = range.strip_prefix("bytes=").or_else(|| range.strip_prefix("bytes ")).unwrap_or(range);
    let (first, last) = range.split_once('-')?;
    match (number(first)?, number(last)?) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

/// The smallest piece that is tried, in bytes.
const CHUNK_LEAST: u64 = 64 << 10;
/// The largest piece that is kept in memory, in bytes.
const CHUNK_MOST: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress_as_registries_tell_it() {
        assert_eq!(parse_progress("0-0"), Some(0));
        assert_eq!(parse_progress("0-1023"), Some(1024));
        assert_eq!(parse_progress("bytes=0-1023"), Some(1024));
        for text in ["", "-", "1-5", "0-", "0--5", "0-+5", "0-18446744073709551615", "0-1/5", "x"] {
            assert_eq!(parse_progress(text), None, "{text:?}");
        }
    }
}
