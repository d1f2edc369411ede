//! Blobs into a registry: in one request, in two, or in pieces; taken up again where it broke.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::CONTENT_LENGTH;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use reqwest::header::LOCATION;

use super::answer::Answer;
use super::auth::Access;
use super::call::Call;
use super::call::Tries;
use super::call::is_busy;
use super::chunks;
use super::client::Sent;
use super::feed::Feed;
use super::place;
use super::repository::Repository;
use super::retry::Failure;
use super::retry::Retry;
use super::transport::Trouble;
use crate::oci::Descriptor;
use crate::store::Blob;
use crate::store::StoreError;

/// Whether the blob of `descriptor` is there.
pub(super) async fn is_there(repository: &Repository, descriptor: &Descriptor) -> Result<bool, StoreError> {
    let url = repository.url(&format!("blobs/{}", descriptor.digest));
    let what = repository.place_of(&descriptor.digest);
    let answer = repository.host.ask(&Call::new(Method::HEAD, url, repository.name(), Access::Push, what)).await?;
    match answer.status {
        StatusCode::OK => {
            let length = answer.header("content-length").and_then(super::download::number);
            Ok(length.is_none_or(|length| length == descriptor.size))
        }
        _ => match answer.error() {
            StoreError::NotFound { .. } => Ok(false),
            error => Err(error),
        },
    }
}

/// Takes the blob of `descriptor` over from the repository `from`, if the registry does that.
pub(super) async fn mount(repository: &Repository, descriptor: &Descriptor, from: &str) -> Result<bool, StoreError> {
    let mut url = repository.url("blobs/uploads/");
    url.query_pairs_mut().append_pair("mount", &descriptor.digest.to_string()).append_pair("from", from);
    let what = repository.place_of(&descriptor.digest);
    let access = Access::Mount(from.to_owned());
    let call = Call::new(Method::POST, url, repository.name(), access, what);
    let answer = match repository.host.ask(&call).await {
        Ok(answer) => answer,
        Err(StoreError::Denied { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    match answer.status.as_u16() {
        // A mount that is reported may not have happened (threats: false-mount).
        201 => is_there(repository, descriptor).await,
        202 => {
            // It began an upload instead, which the push that follows can use.
            repository.keep_session(descriptor.digest, location(repository, &answer)?);
            Ok(false)
        }
        429 => Err(answer.error()),
        400..=499 => Ok(false),
        _ => Err(answer.error()),
    }
}

/// Stores `blob`.
pub(super) async fn push(repository: &Repository, blob: Blob) -> Result<(), StoreError> {
    let upload = Upload { descriptor: blob.descriptor().clone(), repository };
    let (transport, digest) = (&repository.host.transport, blob.descriptor().digest);
    let describe = || (repository.place_of(&digest), format!("sending it to {}", repository.shown()));
    let deadline = transport.settings.deadline.clone();
    match blob.descriptor().size <= SMALL {
        true => upload.small(blob).await,
        false => transport.within(describe, upload.large(Feed::new(blob, deadline))).await,
    }
}

/// One blob on its way into one repository.
pub(super) struct Upload<'a> {
    pub(super) descriptor: Descriptor,
    pub(super) repository: &'a Repository,
}

/// An upload that a registry has begun.
pub(super) struct Session {
    /// The least that a piece must have, but for the last one, in bytes.
    pub(super) chunk_least: u64,
    /// Whether the registry may have a part of the blob already.
    pub(super) begun: bool,
    pub(super) location: Url,
}

/// How a try to store a blob ended that neither stored it nor showed that it cannot be stored.
pub(super) enum Again {
    /// In another way, at once.
    Otherwise,
    /// With another token.
    Renewed(Session, Answer),
    /// From the beginning.
    Restart(Trouble),
    /// Where it broke.
    Resume(Session, Trouble),
    /// After a while, as the answer says.
    Wait(Answer),
}

/// How a try to store a blob ended otherwise.
pub(super) type Tried<T> = Result<T, Result<Again, StoreError>>;

impl Upload<'_> {
    /// A blob that fits into one request: it is whole, and checked, before any of it is sent.
    async fn small(&self, mut blob: Blob) -> Result<(), StoreError> {
        let mut whole = Vec::new();
        while let Some(piece) = blob.next().await? {
            whole.extend_from_slice(&piece);
        }
        let whole = Bytes::from(whole);
        let mut session = self.repository.take_session(&self.descriptor.digest);
        for _ in 0..RESTARTS {
            let location = match session.take() {
                Some(location) => location,
                None => match self.begin_with(&whole).await? {
                    Some(session) => session.location,
                    None => return Ok(()),
                },
            };
            let call = self.call(Method::PUT, self.closing(&location)).body(OCTETS, whole.clone());
            let answer = self.repository.host.ask(&call).await?;
            if self.is_stored(&answer) {
                return Ok(());
            }
            // The upload session is gone, perhaps because a response was lost
            // (threats: lost-upload-session, lost-response).
            if !matches!(answer.status.as_u16(), 404 | 416) {
                self.cancel(&location).await;
                return Err(refused(&answer));
            }
            if is_there(self.repository, &self.descriptor).await? {
                return Ok(());
            }
        }
        Err(self.gave_up("its uploads vanish"))
    }

    /// Sends all in one request where the registry takes that; else begins an upload.
    async fn begin_with(&self, whole: &Bytes) -> Result<Option<Session>, StoreError> {
        let known = &self.repository.host.knows.no_single_post;
        if known.load(Ordering::Relaxed) {
            return self.begin().await.map(Some);
        }
        let mut url = self.repository.url("blobs/uploads/");
        url.query_pairs_mut().append_pair("digest", &self.descriptor.digest.to_string());
        let call = self.call(Method::POST, url).body(OCTETS, whole.clone());
        let answer = self.repository.host.ask(&call).await?;
        match answer.status.as_u16() {
            201 => {
                self.repository.host.knows.single_post.store(true, Ordering::Relaxed);
                Ok(None)
            }
            202 => {
                // It took no notice of the content; others need not be sent twice.
                known.store(true, Ordering::Relaxed);
                self.session(&answer).map(Some)
            }
            401 | 403 | 429 => Err(refused(&answer)),
            400..=499 | 501 => {
                known.store(true, Ordering::Relaxed);
                self.begin().await.map(Some)
            }
            _ => Err(refused(&answer)),
        }
    }

    async fn large(&self, feed: Arc<Feed>) -> Result<(), StoreError> {
        let patience = self.repository.host.transport.settings.patience;
        let mut retry = Retry::new(patience);
        let location = self.repository.take_session(&self.descriptor.digest);
        let mut session = location.map(|location| Session { chunk_least: 0, begun: false, location });
        let mut broke = false;
        for _ in 0..TRIES_MOST {
            let begun = match session.take() {
                Some(begun) => begun,
                None => self.begin().await?,
            };
            let known = *self.repository.host.knows.chunk_most.lock().unwrap_or_else(PoisonError::into_inner);
            // In pieces an upload can go on where it broke.
            let tried = match known.or(broke.then_some(CHUNK)) {
                None => self.whole(begun, &feed).await,
                Some(cap) => chunks::send(self, begun, &feed, cap).await,
            };
            let pause = match tried {
                Ok(()) => return Ok(()),
                Err(Err(error)) => return Err(error),
                Err(Ok(again)) => {
                    broke |= matches!(again, Again::Resume(..));
                    self.pause(again, &mut session, &mut retry)?
                }
            };
            tokio::time::sleep(pause).await;
        }
        Err(self.gave_up("it was begun too often"))
    }

    /// How long to wait after a try that broke, if there is to be another; a session that can go on is kept.
    fn pause(&self, again: Again, session: &mut Option<Session>, retry: &mut Retry) -> Result<Duration, StoreError> {
        let trouble = match again {
            Again::Otherwise => return Ok(Duration::ZERO),
            Again::Wait(answer) => return retry.busy(&answer.headers).ok_or_else(|| refused(&answer)),
            Again::Renewed(kept, answer) => {
                *session = Some(kept);
                return retry.broken(Failure::Closed).ok_or_else(|| answer.error());
            }
            Again::Restart(trouble) => trouble,
            Again::Resume(kept, trouble) => {
                *session = Some(kept);
                trouble
            }
        };
        match trouble {
            Trouble::Final(error) => Err(error),
            Trouble::Passing(failure, why) => retry.broken(failure).ok_or_else(|| self.gave_up(&why)),
        }
    }

    /// Sends all of the blob in one request.
    async fn whole(&self, session: Session, feed: &Arc<Feed>) -> Tried<()> {
        let mut url = self.closing(&session.location);
        let mut sent = self.send_whole(url.clone(), feed).await?;
        for _ in 0..self.repository.limits().registry.redirects {
            let Ok(Sent::Elsewhere(target)) = sent else { break };
            url = target;
            sent = self.send_whole(url.clone(), feed).await?;
        }
        if let Some(error) = feed.error().await {
            self.cancel(&session.location).await;
            return Err(Err(error));
        }
        match sent {
            Ok(Sent::Elsewhere(_)) => Err(Err(self.gave_up("the registry sends it on and on"))),
            Ok(Sent::Answer(answer)) if self.is_stored(&answer) && feed.is_done() => Ok(()),
            Ok(Sent::Answer(answer)) if self.is_stored(&answer) => {
                Err(Err(answer.protocol("it says that it has all of the blob before it was sent all of it")))
            }
            Ok(Sent::Answer(answer)) => self.not_stored(answer, session).await,
            Err(Trouble::Passing(failure, why)) => {
                // Perhaps only the answer was lost.
                if feed.is_done() && is_there(self.repository, &self.descriptor).await.map_err(Err)? {
                    return Ok(());
                }
                let session = Session { begun: true, ..session };
                Err(Ok(Again::Resume(session, Trouble::Passing(failure, why))))
            }
            Err(trouble) => Err(Ok(Again::Restart(trouble))),
        }
    }

    /// Sends all of the blob to `url`, from its beginning.
    async fn send_whole(&self, url: Url, feed: &Arc<Feed>) -> Tried<Result<Sent, Trouble>> {
        let host = &self.repository.host;
        let Some(pieces) = feed.pieces().await.map_err(Err)? else {
            return Err(Err(self.gave_up("the source cannot be read a second time")));
        };
        let call = self
            .call(Method::PUT, url)
            .header(CONTENT_TYPE, HeaderValue::from_static(OCTETS))
            .header(CONTENT_LENGTH, HeaderValue::from(self.descriptor.size));
        // A token that ends while it is being checked would cost us the whole of it.
        host.auth.lasting(&call.scope, TOKEN_LEAST).await;
        let sending = host.ask_with(&call, pieces.into_body());
        Ok(feed.watch(sending, host.transport.settings.patience.idle, self.time_to_answer()).await)
    }

    /// What is to be done after an answer that is not the one that was hoped for.
    async fn not_stored(&self, answer: Answer, session: Session) -> Tried<()> {
        match answer.status.as_u16() {
            // The challenge was read, and the next try has a new token (threats: token-expires-in-upload).
            401 => Err(Ok(Again::Renewed(session, answer))),
            404 => Err(Ok(Again::Restart(Trouble::Passing(Failure::Closed, "the upload vanished".to_owned())))),
            405 | 411 | 413 | 416 | 501 => {
                self.cancel(&session.location).await;
                self.learn(CHUNK);
                Err(Ok(Again::Otherwise))
            }
            _ if is_busy(answer.status) => Err(Ok(Again::Wait(answer))),
            _ => {
                self.cancel(&session.location).await;
                Err(Err(refused(&answer)))
            }
        }
    }

    /// Asks the registry to begin an upload.
    pub(super) async fn begin(&self) -> Result<Session, StoreError> {
        let call = self.call(Method::POST, self.repository.url("blobs/uploads/"));
        let answer = self.repository.host.ask(&call).await?;
        match answer.status {
            StatusCode::ACCEPTED => self.session(&answer),
            _ => Err(refused(&answer)),
        }
    }

    /// Gives an upload up, so that the registry need not keep what it has of it. Whether that worked changes nothing.
    pub(super) async fn cancel(&self, location: &Url) {
        let call = self.call(Method::DELETE, location.clone()).tries(Tries::Never);
        drop(self.repository.host.ask(&call).await);
    }

    fn session(&self, answer: &Answer) -> Result<Session, StoreError> {
        let least = answer.header("oci-chunk-min-length").and_then(super::download::number).unwrap_or(0);
        Ok(Session { chunk_least: least, begun: false, location: location(self.repository, answer)? })
    }

    /// The address that ends an upload.
    pub(super) fn closing(&self, location: &Url) -> Url {
        let mut url = location.clone();
        url.query_pairs_mut().append_pair("digest", &self.descriptor.digest.to_string());
        url
    }

    pub(super) fn call(&self, method: Method, url: Url) -> Call {
        let what = self.repository.place_of(&self.descriptor.digest);
        Call::new(method, url, self.repository.name(), Access::Push, what)
    }

    /// Takes in that the registry takes no more than so much at once.
    pub(super) fn learn(&self, most: u64) {
        *self.repository.host.knows.chunk_most.lock().unwrap_or_else(PoisonError::into_inner) = Some(most);
    }

    pub(super) fn is_stored(&self, answer: &Answer) -> bool {
        matches!(answer.status.as_u16(), 200 | 201 | 204)
    }

    /// A registry that has all of a blob reads it once more before it answers.
    pub(super) fn time_to_answer(&self) -> Duration {
        let patience = self.repository.host.transport.settings.patience.first_byte;
        patience.saturating_add(Duration::from_secs(self.descriptor.size / DISK_RATE))
    }

    pub(super) fn gave_up(&self, why: &str) -> StoreError {
        StoreError::Unreachable {
            place: super::transport::place(&self.repository.host.base),
            what: self.repository.place_of(&self.descriptor.digest),
            why: format!("the upload was given up: {why}"),
        }
    }
}

/// Where an upload goes on, as the answer says. What is relative is so to where the answer was given.
pub(super) fn location(repository: &Repository, answer: &Answer) -> Result<Url, StoreError> {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| answer.protocol("it began an upload without saying where"))?;
    place::upload(&repository.host.base, &answer.url, location).map_err(|why| answer.protocol(why))
}

/// What an answer means that is not the one that was hoped for. Whoever pushes did not ask whether something is there.
pub(super) fn refused(answer: &Answer) -> StoreError {
    match answer.error() {
        StoreError::NotFound { .. } => answer.protocol(answer.words()),
        error => error,
    }
}

const OCTETS: &str = "application/octet-stream";
/// Up to so many bytes a blob is sent in one request.
const SMALL: u64 = 256 << 10;
/// The size of a piece, where a blob must be sent in pieces, in bytes. It is kept in memory until it is taken.
pub(super) const CHUNK: u64 = 4 << 20;
/// So many bytes a second any registry can read, at least.
const DISK_RATE: u64 = 10 << 20;
/// How often an upload that vanished is begun anew.
const RESTARTS: usize = 3;
/// How often a blob is begun, whatever the reason.
const TRIES_MOST: usize = 16;
/// How long a token must last to send a blob with it.
const TOKEN_LEAST: Duration = Duration::from_secs(10);
