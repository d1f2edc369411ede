//! Authentication to one registry: its challenge, its tokens, each got once.

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
use tokio::time::Instant;

use super::answer::Answer;
use super::challenge;
use super::challenge::Bearer;
use super::challenge::Challenge;
use super::place::may_ask;
use super::place::may_have_credential;
use super::token;
use super::token::Wanted;
use super::transport::Transport;
use super::transport::is_loopback;
use crate::store::StoreError;
use crate::store::credentials::Credential;
use crate::store::credentials::Found;
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

    /// The actions of `text` if it is a scope of our repository; no token is requested for another
    /// (threats: scope-of-another-repository).
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

    /// Takes in that the registry answered a request with `ticket` by asking for authentication. Whether it is worth trying again although
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
        let kind = ticket.map(|ticket| &ticket.kind);
        let Some(challenge) = challenge::asked(&answer.headers) else {
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
            let found = self.credential(scope).await?;
            return Err(self.denied(scope, &format!("it wants a user name and a password; {}", self.from(&found))));
        }
        let mut changed = false;
        if let Challenge::Bearer(bearer) = &challenge {
            let slot = self.slot(scope);
            let mut slot = slot.lock().await;
            for action in bearer.scopes.iter().flat_map(|text| scope.asked(text)) {
                changed |= slot.extra.len() < EXTRA_MOST && slot.extra.insert(action.to_owned());
            }
        }
        self.take(challenge);
        Ok(changed)
    }

    /// Takes in a challenge that came with an answer that did not insist on it, if it can be met. Whether it can.
    pub(super) async fn offered(&self, scope: &Scope, answer: &Answer) -> Result<bool, StoreError> {
        let Some(challenge) = challenge::asked(&answer.headers) else {
            return Ok(false);
        };
        let met = challenge != Challenge::Basic || self.basic(scope).await?.is_some();
        if met {
            self.take(challenge);
        }
        Ok(met)
    }

    /// Takes it that a registry which refuses without saying what it wants wants a user name and a password, if there
    /// are any and nobody on the way can read them. Whether there are.
    pub(super) async fn assume_basic(&self, scope: &Scope) -> Result<bool, StoreError> {
        let private = self.base.scheme() == "https" || is_loopback(&self.base);
        let met = private && self.basic(scope).await?.is_some();
        if met {
            self.take(Challenge::Basic);
        }
        Ok(met)
    }

    fn take(&self, challenge: Challenge) {
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }

    /// Which credential requests for `scope` are made with, for messages. Why there is none is no error any more.
    pub(super) async fn who(&self, scope: &Scope) -> Option<String> {
        self.credential(scope).await.ok().map(|found| self.from(&found))
    }

    /// Where a credential comes from, in words.
    fn from(&self, found: &Found) -> String {
        let missing = found.missing.iter().map(|missing| format!("; {missing}")).collect::<String>();
        match &found.source {
            Some(source) => format!("the credential is {source}"),
            None => format!("no credential for {} was found{missing}", self.host),
        }
    }

    /// Whether the registry has said who it wants us to be.
    pub(super) fn is_challenged(&self) -> bool {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether there is a credential for the registry, wherever it may come from.
    pub(super) async fn has_credential(&self, scope: &Scope) -> Result<bool, StoreError> {
        Ok(self.credential(scope).await?.source.is_some())
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
        match self.credential(scope).await?.credential {
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
        let settings = &self.transport.settings;
        let denied = |why: String| self.denied(scope, &why);
        let realm = Url::parse(&bearer.realm).map_err(|_| denied("its token service has no address".to_owned()))?;
        may_ask(&self.base, &realm, settings).map_err(denied)?;
        let found = self.credential(scope).await?;
        match &found.credential {
            Credential::Anonymous => {}
            Credential::Token(token) => return given(token.clone()),
            Credential::Basic { .. } | Credential::Identity { .. } => {
                let denied = |why: String| self.denied(scope, &format!("{why}; {}", self.from(&found)));
                may_have_credential(&self.base, &realm, settings).map_err(denied)?;
            }
        }
        let (scopes, repository) = (scope.wanted(&slot.extra), self.repository(scope));
        let from = self.from(&found);
        let wanted = Wanted {
            bearer,
            credential: &found.credential,
            from: &from,
            realm: &realm,
            repository: &repository,
            scopes: &scopes,
        };
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

    async fn credential(&self, scope: &Scope) -> Result<Found, StoreError> {
        let settings = &self.transport.settings;
        let plain = self.base.scheme() == "http";
        let found = settings.credentials.find(&self.host, &scope.repository, plain, settings.patience.helper);
        let found = found.await?;
        // Before it is sent anywhere: who gets it may send it back, as it is or as it stands in a header.
        found.credential.secrets().iter().for_each(|secret| settings.secrets.add(secret.reveal()));
        Ok(found)
    }

    fn slot(&self, scope: &Scope) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(scope.clone()).or_default())
    }

    fn denied(&self, scope: &Scope, why: &str) -> StoreError {
        StoreError::Denied { place: self.repository(scope), why: why.to_owned() }
    }

    /// The repository of `scope`, as messages name it.
    fn repository(&self, scope: &Scope) -> String {
        format!("{}/{}", self.host, scope.repository)
    }
}

fn given(token: Secret) -> Result<Ticket, StoreError> {
    Ok(Ticket { header: token::bearer(&token)?, kind: Kind::Given })
}

/// How long before its end a token is no longer used, at most.
const MARGIN_MOST: Duration = Duration::from_secs(10);
/// How many actions of its own a registry may add to a scope.
const EXTRA_MOST: usize = 8;
