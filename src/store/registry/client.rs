//! One registry: its answers to our calls, with authentication, redirects and tries within bounds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::LOCATION;
use tokio::sync::MutexGuard;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio::time::timeout;

use super::answer::Answer;
use super::answer::Body;
use super::answer::Refused;
use super::auth::Auth;
use super::auth::Ticket;
use super::authenticate::Asked;
use super::call::Call;
use super::call::Reading;
use super::call::request;
use super::place;
use super::retry::Retry;
use super::transport::Incoming;
use super::transport::Transport;
use super::transport::Trouble;
use super::transport::is_encoded;
use super::transport::place as place_of;
use super::warning;
use crate::store::StoreError;
use crate::store::deadline::in_words;

/// One registry, for the whole process.
pub(super) struct Host {
    pub(super) auth: Auth,
    pub(super) base: Url,
    first: tokio::sync::Mutex<()>,
    pub(super) introduced: OnceCell<()>,
    pub(super) knows: Knowledge,
    not_before: Mutex<Option<Instant>>,
    opened: AtomicBool,
    /// Whether the port to which we speak plain HTTP speaks TLS; asked where plain HTTP got no good answer.
    pub(super) speaks_tls: OnceCell<bool>,
    /// Whether there was an answer to plain HTTP that no TLS server gives.
    pub(super) spoke: AtomicBool,
    pub(super) transport: Arc<Transport>,
    turns: Semaphore,
}

/// What came of a body that cannot be sent again.
pub(super) enum Sent {
    Answer(Answer),
    /// The registry wants it at another address of its own.
    Elsewhere(Url),
}

/// What a registry has shown of itself.
#[derive(Default)]
pub(super) struct Knowledge {
    /// The largest piece of an upload that it takes, in bytes.
    pub(super) chunk_most: Mutex<Option<u64>>,
    /// That it does not take a blob in one request.
    pub(super) no_single_post: AtomicBool,
    /// That it does.
    pub(super) single_post: AtomicBool,
    /// Whether it keeps a list of referrers.
    pub(super) referrers: Mutex<Option<bool>>,
    /// That it refuses manifests whose parts it does not have.
    pub(super) validates: AtomicBool,
    /// What it wants people to know.
    pub(super) warnings: Mutex<BTreeSet<String>>,
}

impl Knowledge {
    fn warn(&self, warnings: impl Iterator<Item = String>) {
        for warning in warnings {
            let mut known = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < warning::MOST {
                known.insert(warning);
            }
        }
    }
}

impl Host {
    pub(super) fn new(name: &str, base: Url, transport: Arc<Transport>) -> Self {
        Self {
            auth: Auth::new(name, base.clone(), Arc::clone(&transport)),
            base,
            first: tokio::sync::Mutex::default(),
            introduced: OnceCell::new(),
            knows: Knowledge::default(),
            not_before: Mutex::default(),
            opened: AtomicBool::new(false),
            speaks_tls: OnceCell::new(),
            spoke: AtomicBool::new(false),
            turns: Semaphore::new(transport.settings.at_once.max(1)),
            transport,
        }
    }

    /// Makes a call, as often as it takes within the timeouts. Every answer is returned that is not a reason to try
    /// again; whether it is the one that was hoped for is for the caller to see.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, StoreError> {
        let patience = self.transport.settings.patience;
        let mut retry = Retry::new(patience);
        let doing = || format!("waiting for {}: {} {}", place_of(&self.base), call.method, call.url.path());
        self.transport.settings.deadline.doing(doing());
        let asked = async {
            // Bodies that are no layers are read in there too, however slowly they come.
            match timeout(call.total(&patience), self.ask_again(call, &mut retry)).await {
                Ok(asked) => asked.map_err(|error| error.about(&call.what)),
                Err(_) => {
                    let why = format!("no whole answer within {}", in_words(call.total(&patience)));
                    Err(self.unreachable(call, &why, &retry))
                }
            }
        };
        self.transport.within(|| (call.what.clone(), doing()), asked).await
    }

    async fn ask_again(&self, call: &Call, retry: &mut Retry) -> Result<Answer, StoreError> {
        let mut asked = Asked::default();
        loop {
            // Before the ticket: whoever waited here may have one by now.
            let mut first = self.first_turn().await;
            let ticket = self.auth.ticket(&call.scope).await?;
            let tried = self.once(call, ticket.as_ref(), &mut first).await;
            self.check_scheme(call, &tried).await?;
            let pause = match tried {
                Ok(answer) if is_closed(&answer) => {
                    match self.authenticate(call, ticket.as_ref(), answer, &mut asked).await? {
                        Some(answer) => return Ok(answer),
                        None => continue,
                    }
                }
                Ok(answer) if is_for_reading_only(call, &answer) => {
                    return Box::pin(self.ask_again(&read(call), retry)).await;
                }
                Ok(answer) if call.may_repeat(answer.status) => match retry.busy(&answer.headers) {
                    Some(pause) => {
                        self.again(retry, retry.most(None), pause, &answer.words());
                        self.pause_all(pause)
                    }
                    None => return Ok(answer),
                },
                Ok(answer) => return self.check_proxy(call, &answer).map(|()| answer),
                Err(Trouble::Passing(failure, why)) => match call.pause(retry, failure) {
                    Some(pause) => {
                        self.again(retry, retry.most(Some(failure)), pause, &why);
                        pause
                    }
                    None => return Err(self.unreachable(call, &why, retry)),
                },
                Err(trouble) => return Err(trouble.error(&call.what)),
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Makes a call, once, with a body that cannot be sent again. Whoever calls watches over how long it takes. An answer
    /// of 401 is taken in, and returned.
    pub(super) async fn ask_with(&self, call: &Call, body: reqwest::Body) -> Result<Sent, Trouble> {
        let ticket = self.auth.ticket(&call.scope).await.map_err(Trouble::Final)?;
        let mut request = request(call, call.url.clone(), ticket.as_ref());
        *request.body_mut() = Some(body);
        let response = self.transport.send(request, true, Duration::MAX).await?;
        let target = self.target(call, &call.url, &response)?;
        if let Some(target) = target {
            return Ok(Sent::Elsewhere(target));
        }
        let mut answer = self.answer(call, response, &call.url).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            answer.who = self.auth.who(&call.scope).await;
            self.auth.refused(&call.scope, ticket.as_ref(), &answer).await.map_err(Trouble::Final)?;
        }
        Ok(Sent::Answer(answer))
    }

    pub(super) async fn once(
        &self,
        call: &Call,
        ticket: Option<&Ticket>,
        first: &mut Option<FirstTurn<'_>>,
    ) -> Result<Answer, Trouble> {
        let _turn = self.turns.acquire().await;
        self.wait_until_welcome().await;
        let mut url = call.url.clone();
        for _ in 0..=self.transport.settings.limits.registry.redirects {
            // Another host gets neither credential nor client certificate (threats: credentials-to-another-host).
            let own = url.origin() == self.base.origin();
            let request = request(call, url.clone(), ticket.filter(|_| own));
            let response = self.transport.send(request, own, self.transport.settings.patience.first_byte).await;
            // An answer of 401 is first to be taken in.
            first.take_if(|_| !response.as_ref().is_ok_and(|response| response.status() == StatusCode::UNAUTHORIZED));
            let response = response?;
            match self.target(call, &url, &response)? {
                Some(next) => url = next,
                None => return self.answer(call, response, &url).await,
            }
        }
        Err(Trouble::Final(StoreError::Protocol {
            place: call.what.clone(),
            why: format!("more than {} redirects", self.transport.settings.limits.registry.redirects),
        }))
    }

    /// Where an answer sends us, if it does. What reads follows redirects to where content may be. What writes follows
    /// those that keep the method and the body (RFC 9110 sections 15.4.8 and 15.4.9), on the registry itself only.
    fn target(&self, call: &Call, at: &Url, response: &Response) -> Result<Option<Url>, Trouble> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        match response.status().as_u16() {
            307 | 308 => {}
            301..=303 if reads => {}
            _ => return Ok(None),
        }
        let broken = |why: String| Trouble::Final(StoreError::Protocol { place: call.what.clone(), why });
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| broken("it sends us elsewhere without saying where".to_owned()))?;
        if !reads {
            return place::upload(&self.base, at, location).map(Some).map_err(broken);
        }
        let target = at.join(location).map_err(|_| broken("it sends us to what is no address".to_owned()))?;
        let target = place::behind_tls(&self.base, target);
        place::may_redirect(&self.base, at, &target, &self.transport.settings).map_err(broken)?;
        if target.origin() != self.base.origin() {
            // A presigned URL lets whoever has it read, so it is a secret as well.
            let long = target.query_pairs().filter(|(_, value)| value.len() >= SIGNATURE_LEAST);
            long.for_each(|(_, value)| self.transport.settings.secrets.add_passing(&value));
        }
        Ok(Some(target))
    }

    /// Reads of an answer what the call wants of it.
    async fn answer(&self, call: &Call, response: Response, url: &Url) -> Result<Answer, Trouble> {
        let settings = &self.transport.settings;
        let what = call.what.clone();
        let (status, headers) = (response.status(), response.headers().clone());
        let incoming = Incoming::new(response, settings.patience);
        if url.origin() == self.base.origin() {
            self.knows.warn(warning::read(&headers, &settings.secrets));
        }
        let passing = |(failure, why)| Trouble::Passing(failure, why);
        let body = match call.reading {
            // What is encoded is not read: then nobody knows what it said.
            _ if !status.is_success() && is_encoded(&headers) => {
                Body::Refused(Refused { cut: true, ..Refused::default() })
            }
            _ if !status.is_success() => {
                Body::Refused(Refused::read(incoming, &headers, &settings.limits, &settings.secrets).await)
            }
            Reading::UpTo(_) if is_encoded(&headers) => {
                let why = "it answered in a content encoding that was not asked for".to_owned();
                return Err(Trouble::Final(StoreError::Protocol { place: what, why }));
            }
            Reading::Stream => Body::Stream(Box::new(incoming)),
            Reading::Cut(limit) => Body::Whole(incoming.read(limit).await.map_err(passing)?.0),
            Reading::UpTo(limit) | Reading::UpToOf(limit) => match incoming.read(limit).await.map_err(passing)? {
                (bytes, true) => Body::Whole(bytes),
                (_, false) => return Err(Trouble::Final(StoreError::TooLarge { what, limit })),
            },
            // Read to the end all the same, so that the connection can be used again.
            Reading::Nothing => {
                let _ = incoming.read(settings.limits.registry.error_body_bytes).await;
                Body::Whole(Vec::new())
            }
        };
        if headers.get("docker-distribution-api-version").is_some_and(|value| value.as_bytes() == b"registry/2.0") {
            self.knows.validates.store(true, Ordering::Relaxed);
        }
        let foreign = url.origin() != self.base.origin();
        Ok(Answer { body, foreign, headers, status, url: url.clone(), what, who: None })
    }

    /// As long as nothing was heard of a registry it is sent one request only: it may want to know who we are, and
    /// then all others can say so at once, on the connection that is there already.
    async fn first_turn(&self) -> Option<FirstTurn<'_>> {
        if self.opened.load(Ordering::Acquire) {
            return None;
        }
        let guard = self.first.lock().await;
        (!self.opened.load(Ordering::Acquire)).then_some(FirstTurn { opened: &self.opened, _guard: guard })
    }

    /// Keeps all calls back for a while: a busy registry is not helped by the others.
    fn pause_all(&self, pause: Duration) -> Duration {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let then = Instant::now() + pause;
        *not_before = Some(not_before.map_or(then, |other| other.max(then)));
        pause
    }

    async fn wait_until_welcome(&self) {
        loop {
            let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match not_before {
                Some(then) if then > Instant::now() => tokio::time::sleep_until(then).await,
                _ => return,
            }
        }
    }
}

/// The turn of the first request; when it ends, whatever came of it, the others go on.
pub(super) struct FirstTurn<'a> {
    opened: &'a AtomicBool,
    _guard: MutexGuard<'a, ()>,
}

impl Drop for FirstTurn<'_> {
    fn drop(&mut self) {
        self.opened.store(true, Ordering::Release);
    }
}

/// A shorter value in a query is no signature and no key, but a name or a number.
const SIGNATURE_LEAST: usize = 16;

/// Whether an answer may mean that authentication is wanted.
fn is_closed(answer: &Answer) -> bool {
    !answer.foreign && matches!(answer.status.as_u16(), 401 | 403 | 404)
}

/// Whether HEAD was refused by another host: a presigned URL is signed for one method, and that is GET.
fn is_for_reading_only(call: &Call, answer: &Answer) -> bool {
    call.method == Method::HEAD && answer.foreign && matches!(answer.status.as_u16(), 400 | 401 | 403 | 405 | 501)
}

/// The call that reads what `call` asks about, and leaves its content.
fn read(call: &Call) -> Call {
    Call {
        body: Bytes::new(),
        headers: call.headers.clone(),
        method: Method::GET,
        reading: Reading::Cut(0),
        size: call.size,
        scope: call.scope.clone(),
        tries: call.tries,
        url: call.url.clone(),
        what: call.what.clone(),
    }
}
