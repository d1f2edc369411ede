//! Who we say we are to one registry: its challenge, its tokens, each got once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::header::WWW_AUTHENTICATE;
use tokio::time::Instant;

use super::answer::Answer;
use super::challenge;
use super::challenge::Bearer;
use super::challenge::Challenge;
use super::place::may_ask;
use super::token;
use super::token::Wanted;
use super::transport::Transport;
use crate::store::StoreError;
use crate::store::credentials::Credential;
use crate::store::credentials::Login;
use crate::store::credentials::Secret;

/// What may be done with a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Write, and take blobs over from another repository, which is read.
    Mount(String),
    /// Read.
    Pull,
    /// Read and write.
    Push,
}

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) repository: String,
    pub(super) access: Access,
}

/// What is sent to say who we are.
#[derive(Clone)]
pub(super) struct Ticket {
    pub(super) header: HeaderValue,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Basic,
    /// A token that we were given for the registry itself.
    Given,
    /// A token of a token service: where it is kept, and the how manieth it was there.
    Token(Weak<tokio::sync::Mutex<Slot>>, u64),
}

/// What we know about who a registry wants us to be.
pub(super) struct Auth {
    base: Url,
    challenge: Mutex<Option<Challenge>>,
    get_only: AtomicBool,
    host: String,
    slots: Mutex<BTreeMap<Scope, Arc<tokio::sync::Mutex<Slot>>>>,
    transport: Arc<Transport>,
}

/// The token of one scope. Whoever holds the lock may get one; all others wait for it.
#[derive(Default)]
struct Slot {
    count: u64,
    /// Actions that the registry asked for besides ours.
    extra: BTreeSet<String>,
    held: Option<(Ticket, Instant)>,
}

impl Slot {
    fn valid(&self) -> Option<Ticket> {
        let held = self.held.as_ref().filter(|(_, until)| Instant::now() < *until);
        held.map(|(ticket, _)| ticket.clone())
    }
}

impl Scope {
    /// Whether whoever may do this may do what `other` says too.
    fn includes(&self, other: &Self) -> bool {
        let more = match (&self.access, &other.access) {
            (Access::Mount(_), Access::Pull | Access::Push) | (Access::Push, Access::Pull) => true,
            (Access::Mount(_) | Access::Pull | Access::Push, _) => false,
        };
        more && self.repository == other.repository
    }

    /// As token services are told, what is needed most last.
    fn wanted(&self, extra: &BTreeSet<String>) -> Vec<String> {
        let own = if self.access == Access::Pull { ["pull"].as_slice() } else { &["pull", "push"] };
        let more = extra.iter().map(String::as_str).filter(|action| !own.contains(action));
        let actions: Vec<&str> = own.iter().copied().chain(more).collect();
        let needed = format!("repository:{}:{}", self.repository, actions.join(","));
        match &self.access {
            Access::Mount(from) => vec![format!("repository:{from}:pull"), needed],
            Access::Pull | Access::Push => vec![needed],
        }
    }

    /// The actions of `text` where it is about our repository: nobody talks us into a token for another (HR-32).
    fn asked<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let own = text.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'));
        let actions = own.filter(|(name, _)| *name == self.repository).map(|(_, actions)| actions);
        actions.unwrap_or_default().split(',').filter(|action| {
            matches!(action.len(), 1..=32) && action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    }
}

impl Auth {
    pub(super) fn new(host: &str, base: Url, transport: Arc<Transport>) -> Self {
        Self {
            base,
            challenge: Mutex::default(),
            get_only: AtomicBool::new(false),
            host: host.to_owned(),
            slots: Mutex::default(),
            transport,
        }
    }

    /// What to send for `scope`; nothing as long as the registry has not asked.
    pub(super) async fn ticket(&self, scope: &Scope) -> Result<Option<Ticket>, StoreError> {
        let challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => self.basic(scope).await,
            Some(Challenge::Bearer(bearer)) => self.token(scope, &bearer).await.map(Some),
        }
    }

    /// Takes in that the registry answered 401 to a request with `ticket`. Whether it is worth trying again although
    /// the ticket was new.
    ///
    /// # Errors
    /// [`StoreError::Denied`] where it knew who we are and does not want us. There is no second try as nobody.
    pub(super) async fn refused(
        &self,
        scope: &Scope,
        ticket: Option<&Ticket>,
        answer: &Answer,
    ) -> Result<bool, StoreError> {
        let values = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges = challenge::parse(values);
        let kind = ticket.map(|ticket| &ticket.kind);
        let Some(challenge) = challenges.into_iter().next() else {
            return Err(answer.error());
        };
        match kind {
            Some(Kind::Given) => return Err(answer.error()),
            Some(Kind::Basic) if challenge == Challenge::Basic => return Err(answer.error()),
            Some(Kind::Token(slot, count)) => {
                if let Some(slot) = slot.upgrade() {
                    let mut slot = slot.lock().await;
                    let same = slot.count == *count;
                    slot.held.take_if(|_| same);
                }
            }
            Some(Kind::Basic) | None => {}
        }
        if challenge == Challenge::Basic && self.basic(scope).await?.is_none() {
            return Err(self.denied("it wants a user name and a password, and there are none for it"));
        }
        let mut changed = false;
        if let Challenge::Bearer(bearer) = &challenge {
            let slot = self.slot(scope);
            let mut slot = slot.lock().await;
            for action in bearer.scopes.iter().flat_map(|text| scope.asked(text)) {
                changed |= slot.extra.len() < EXTRA_MOST && slot.extra.insert(action.to_owned());
            }
        }
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        Ok(changed)
    }

    /// Whether the registry has said who it wants us to be.
    pub(super) fn is_challenged(&self) -> bool {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether there are credentials for the registry in particular.
    pub(super) async fn is_known(&self, scope: &Scope) -> bool {
        self.transport.settings.credentials.knows(&self.host, &scope.repository).await
    }

    /// Forgets the token for `scope` if it would end within `time`.
    pub(super) async fn lasting(&self, scope: &Scope, time: Duration) {
        let slot = self.slot(scope);
        let mut slot = slot.lock().await;
        let soon = Instant::now() + time;
        slot.held.take_if(|(_, until)| *until < soon);
    }

    /// A name and a password, if there are any: without, what is open to all is still to be had.
    async fn basic(&self, scope: &Scope) -> Result<Option<Ticket>, StoreError> {
        match self.credential(scope).await? {
            Credential::Basic { username, password } => {
                Ok(Some(Ticket { header: token::basic(&username, &password)?, kind: Kind::Basic }))
            }
            Credential::Token(token) => given(token).map(Some),
            Credential::Identity { login: Some(Login { username, password }), .. } => {
                Ok(Some(Ticket { header: token::basic(&username, &password)?, kind: Kind::Basic }))
            }
            Credential::Anonymous | Credential::Identity { .. } => Ok(None),
        }
    }

    async fn token(&self, scope: &Scope, bearer: &Bearer) -> Result<Ticket, StoreError> {
        if let Some(ticket) = self.broader(scope) {
            return Ok(ticket);
        }
        let kept = self.slot(scope);
        let mut slot = kept.lock().await;
        if let Some(ticket) = slot.valid() {
            return Ok(ticket);
        }
        let realm = Url::parse(&bearer.realm).map_err(|_| self.denied("its token service has no address"))?;
        may_ask(&self.base, &realm, &self.transport.settings).map_err(|why| self.denied(&why))?;
        let credential = self.credential(scope).await?;
        if let Credential::Token(token) = credential {
            return given(token);
        }
        let scopes = scope.wanted(&slot.extra);
        let wanted = Wanted { bearer, credential: &credential, host: &self.host, realm: &realm, scopes: &scopes };
        let token = token::fetch(&self.transport, &wanted, &self.get_only).await?;
        self.transport.settings.secrets.add_passing(token.secret.reveal());
        slot.count += 1;
        let header = token::bearer(&token.secret)?;
        let ticket = Ticket { header, kind: Kind::Token(Arc::downgrade(&kept), slot.count) };
        let margin = (token.lifetime / 10).min(MARGIN_MOST);
        slot.held = Some((ticket.clone(), Instant::now() + token.lifetime - margin));
        Ok(ticket)
    }

    /// A token for more is good for less too.
    fn broader(&self, scope: &Scope) -> Option<Ticket> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let broader = slots.iter().filter(|(other, _)| other.includes(scope)).map(|(_, slot)| slot);
        broader.filter_map(|slot| slot.try_lock().ok()?.valid()).next()
    }

    async fn credential(&self, scope: &Scope) -> Result<Credential, StoreError> {
        let settings = &self.transport.settings;
        let plain = self.base.scheme() == "http";
        let found = settings.credentials.find(&self.host, &scope.repository, plain, settings.patience.helper);
        let credential = found.await?.credential;
        // Before it is sent anywhere: who gets it may send it back, as it is or as it stands in a header.
        credential.secrets().iter().for_each(|secret| settings.secrets.add(secret.reveal()));
        Ok(credential)
    }

    fn slot(&self, scope: &Scope) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(scope.clone()).or_default())
    }

    fn denied(&self, why: &str) -> StoreError {
        StoreError::Denied { place: self.host.clone(), why: why.to_owned() }
    }
}

fn given(token: Secret) -> Result<Ticket, StoreError> {
    Ok(Ticket { header: token::bearer(&token)?, kind: Kind::Given })
}

/// How long before its end a token is no longer used, at most.
const MARGIN_MOST: Duration = Duration::from_secs(10);
/// How many actions of its own a registry may add to a scope.
const EXTRA_MOST: usize = 8;
