//! Authentication to one registry: its challenge, and its bearer tokens. Distribution specification, "Token
//! Authentication".
//!
//! Invariant: a credential is sent to the registry itself, or to a token service that `realm.rs` allows; a token is
//! requested once for each scope, and only for scopes of the repository that is used. To authorize a request:
//!
//! 1. Without a challenge from the registry, send no authorization.
//! 2. For a Basic challenge, send user name and password, if there are any.
//! 3. For a Bearer challenge, use a valid token of this scope or of a broader one.
//! 4. Otherwise check the realm, find the credential, check that the token service may get it, and request a token.
//! 5. If the registry refuses the authorization, drop the token and add the actions of the challenge to the scope; the
//!    caller tries again, a bounded number of times.

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
use tracing::debug;

use super::address::is_loopback;
use super::challenge;
use super::challenge::Bearer;
use super::challenge::Challenge;
use super::realm::may_have_credential;
use super::realm::may_request_token;
use super::response::ApiResponse;
use super::scope::TokenScope;
use super::token;
use super::token::TokenRequest;
use super::transport::Transport;
use crate::store::StoreError;
use crate::store::credentials::Credential;
use crate::store::credentials::FoundCredential;
use crate::store::credentials::Login;
use crate::store::credentials::SecretText;
use crate::store::error::DenialReason;
use crate::store::error::RealmFault;

/// The `Authorization` header of a request.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) header: HeaderValue,
    kind: AuthorizationKind,
}

#[derive(Clone)]
enum AuthorizationKind {
    Basic,
    /// A bearer token that the operator stored for the registry itself.
    Given,
    /// A token of a token service: the slot that holds it, and its generation number.
    Token(Weak<tokio::sync::Mutex<TokenSlot>>, u64),
}

/// The authentication of one registry: its challenge, and the tokens of each scope.
pub(super) struct Authenticator {
    base: Url,
    challenge: Mutex<Option<Challenge>>,
    get_only: AtomicBool,
    host: String,
    slots: Mutex<BTreeMap<TokenScope, Arc<tokio::sync::Mutex<TokenSlot>>>>,
    transport: Arc<Transport>,
}

/// The token of one scope. The task that holds the lock requests it; the others wait for it.
#[derive(Default)]
struct TokenSlot {
    count: u64,
    /// Actions that the challenges of the registry added to the scope, at most [`MAX_EXTRA_ACTIONS`].
    extra: BTreeSet<String>,
    held: Option<(Authorization, Instant)>,
}

impl TokenSlot {
    /// The held token, unless it has expired.
    fn valid(&self) -> Option<Authorization> {
        let held = self.held.as_ref().filter(|(_, until)| Instant::now() < *until);
        held.map(|(authorization, _)| authorization.clone())
    }
}

impl Authenticator {
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

    /// The `Authorization` header for a request of this scope; `None` before the registry sent a challenge, or for a
    /// Basic challenge without a user name and password.
    ///
    /// # Errors
    /// [`StoreError`] if the credential cannot be read, the realm is refused, or the token service refuses a token.
    pub(super) async fn authorization(&self, scope: &TokenScope) -> Result<Option<Authorization>, StoreError> {
        let challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => self.basic(scope).await,
            Some(Challenge::Bearer(bearer)) => self.token(scope, &bearer).await.map(Some),
        }
    }

    /// Step 5: handles a 401 response to a request with `authorization`: stores its challenge, drops the token, and
    /// adds the actions that the challenge names. Returns whether actions were added, which makes a retry worthwhile
    /// even with a token that is new.
    ///
    /// # Errors
    /// [`StoreError::Denied`] if the credential was refused or is missing. The request is never repeated without
    /// a credential.
    pub(super) async fn refused(
        &self,
        scope: &TokenScope,
        authorization: Option<&Authorization>,
        response: &ApiResponse,
    ) -> Result<bool, StoreError> {
        let kind = authorization.map(|authorization| &authorization.kind);
        let Some(challenge) = challenge::strongest(&response.headers) else {
            return Err(response.error());
        };
        match kind {
            Some(AuthorizationKind::Given) => return Err(response.error()),
            Some(AuthorizationKind::Basic) if challenge == Challenge::Basic => return Err(response.error()),
            Some(AuthorizationKind::Token(slot, count)) => {
                if let Some(slot) = slot.upgrade() {
                    let mut slot = slot.lock().await;
                    let same = slot.count == *count;
                    slot.held.take_if(|_| same);
                    debug!(host = self.host, "the registry refused the token");
                }
            }
            Some(AuthorizationKind::Basic) | None => {}
        }
        if challenge == Challenge::Basic && self.basic(scope).await?.is_none() {
            let found = self.credential(scope).await?;
            return Err(self.denied(scope, DenialReason::BasicWanted, Some(self.from(&found))));
        }
        let mut changed = false;
        if let Challenge::Bearer(bearer) = &challenge {
            let slot = self.slot(scope);
            let mut slot = slot.lock().await;
            for action in bearer.scopes.iter().flat_map(|text| scope.asked(text)) {
                changed |= slot.extra.len() < MAX_EXTRA_ACTIONS && slot.extra.insert(action.to_owned());
            }
        }
        self.store_challenge(challenge);
        Ok(changed)
    }

    /// Stores the challenge of a response that is not a refusal, unless it is Basic and there is no credential. Returns
    /// whether a challenge was stored.
    pub(super) async fn offered(&self, scope: &TokenScope, response: &ApiResponse) -> Result<bool, StoreError> {
        let Some(challenge) = challenge::strongest(&response.headers) else {
            return Ok(false);
        };
        let met = challenge != Challenge::Basic || self.basic(scope).await?.is_some();
        if met {
            self.store_challenge(challenge);
        }
        Ok(met)
    }

    /// Assumes a Basic challenge if a registry refuses a request without sending one. Only over HTTPS or to a loopback
    /// address, and only if there is a user name and password; returns whether it was assumed.
    pub(super) async fn assume_basic(&self, scope: &TokenScope) -> Result<bool, StoreError> {
        let private = self.base.scheme() == "https" || is_loopback(&self.base);
        let met = private && self.basic(scope).await?.is_some();
        if met {
            self.store_challenge(Challenge::Basic);
        }
        Ok(met)
    }

    /// Stores a challenge, replacing the last one.
    fn store_challenge(&self, challenge: Challenge) {
        let scheme = if challenge == Challenge::Basic { "Basic" } else { "Bearer" };
        debug!(host = self.host, scheme, "the registry asks for authentication");
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }

    /// The source of the credential for `scope`, in words, for messages; `None` if it cannot be read.
    pub(super) async fn credential_source(&self, scope: &TokenScope) -> Option<String> {
        self.credential(scope).await.ok().map(|found| self.from(&found))
    }

    /// The source of a credential, in words.
    fn from(&self, found: &FoundCredential) -> String {
        let missing = found.missing.iter().map(|missing| format!("; {missing}")).collect::<String>();
        match &found.source {
            Some(source) => format!("the credential is {source}"),
            None => format!("no credential for {} was found{missing}", self.host),
        }
    }

    /// Whether the registry has sent a challenge.
    pub(super) fn is_challenged(&self) -> bool {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether any credential source has a credential for the registry; may run a credential helper.
    pub(super) async fn has_credential(&self, scope: &TokenScope) -> Result<bool, StoreError> {
        Ok(self.credential(scope).await?.source.is_some())
    }

    /// Whether a credential source names this registry. Runs no credential helper.
    pub(super) async fn is_known(&self, scope: &TokenScope) -> bool {
        self.transport.settings.credentials.has_entry(&self.host, &scope.repository).await
    }

    /// Drops the token for `scope` if it expires within `time`, so that the next request gets a new one.
    pub(super) async fn renew_if_expiring(&self, scope: &TokenScope, time: Duration) {
        let slot = self.slot(scope);
        let mut slot = slot.lock().await;
        let soon = Instant::now() + time;
        slot.held.take_if(|(_, until)| *until < soon);
    }

    /// The Basic authorization of the stored user name and password, or the stored bearer token; `None` if there is
    /// neither.
    async fn basic(&self, scope: &TokenScope) -> Result<Option<Authorization>, StoreError> {
        match self.credential(scope).await?.credential {
            Credential::Basic { username, password } => {
                Ok(Some(Authorization { header: token::basic(&username, &password)?, kind: AuthorizationKind::Basic }))
            }
            Credential::Token(token) => given(token).map(Some),
            Credential::Identity { login: Some(Login { username, password }), .. } => {
                Ok(Some(Authorization { header: token::basic(&username, &password)?, kind: AuthorizationKind::Basic }))
            }
            Credential::Anonymous | Credential::Identity { .. } => Ok(None),
        }
    }

    /// Steps 3 and 4: a valid token for `scope`. Concurrent requests for one scope wait for one token request.
    ///
    /// # Errors
    /// [`StoreError::Denied`] if the realm must not be asked or must not get the credential; the errors of the token
    /// request.
    async fn token(&self, scope: &TokenScope, bearer: &Bearer) -> Result<Authorization, StoreError> {
        if let Some(authorization) = self.broader(scope) {
            return Ok(authorization);
        }
        let kept = self.slot(scope);
        let mut slot = kept.lock().await;
        if let Some(authorization) = slot.valid() {
            return Ok(authorization);
        }
        let settings = &self.transport.settings;
        let refused = |fault| self.denied(scope, DenialReason::RealmRefused(fault), None);
        let realm = Url::parse(&bearer.realm).map_err(|_| refused(RealmFault::NoUrl))?;
        may_request_token(&self.base, &realm, settings).map_err(refused)?;
        let found = self.credential(scope).await?;
        match &found.credential {
            Credential::Anonymous => {}
            Credential::Token(token) => return given(token.clone()),
            Credential::Basic { .. } | Credential::Identity { .. } => {
                let denied = |reason| self.denied(scope, reason, Some(self.from(&found)));
                may_have_credential(&self.base, &realm, settings).map_err(denied)?;
            }
        }
        let (scopes, repository) = (scope.wanted(&slot.extra), self.repository(scope));
        let from = self.from(&found);
        let wanted = TokenRequest {
            bearer,
            credential: &found.credential,
            from: &from,
            realm: &realm,
            repository: &repository,
            scopes: &scopes,
        };
        debug!(
            host = self.host,
            service = %self.transport.shown_host(&realm),
            scopes = %self.transport.untrusted(&scopes.join(" ")),
            credential = %self.transport.untrusted(&from),
            "requesting a token"
        );
        let token = token::fetch(&self.transport, &wanted, &self.get_only).await?;
        debug!(host = self.host, lifetime_s = token.lifetime.as_secs(), "received a token");
        self.transport.settings.secrets.add_from_server(token.secret.reveal());
        slot.count += 1;
        let header = token::bearer(&token.secret)?;
        let authorization = Authorization { header, kind: AuthorizationKind::Token(Arc::downgrade(&kept), slot.count) };
        let margin = (token.lifetime / 10).min(MAX_EXPIRY_MARGIN);
        slot.held = Some((authorization.clone(), Instant::now() + token.lifetime - margin));
        Ok(authorization)
    }

    /// A valid token of a scope that includes `scope`, if one is held.
    fn broader(&self, scope: &TokenScope) -> Option<Authorization> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let broader = slots.iter().filter(|(other, _)| other.includes(scope)).map(|(_, slot)| slot);
        broader.filter_map(|slot| slot.try_lock().ok()?.valid()).next()
    }

    /// Looks up the credential for `scope`, and registers its secrets for redaction.
    async fn credential(&self, scope: &TokenScope) -> Result<FoundCredential, StoreError> {
        let settings = &self.transport.settings;
        let plain = self.base.scheme() == "http";
        let (timeout, limits) = (settings.timeouts.helper, &settings.limits);
        let found = settings.credentials.find(&self.host, &scope.repository, plain, timeout, limits).await?;
        // Before the credential is sent, since a response may echo it, as it is or encoded in a header.
        found.credential.secrets().iter().for_each(|secret| settings.secrets.add(secret.reveal()));
        Ok(found)
    }

    /// The slot that holds the token of `scope`, empty at first.
    fn slot(&self, scope: &TokenScope) -> Arc<tokio::sync::Mutex<TokenSlot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(scope.clone()).or_default())
    }

    fn denied(&self, scope: &TokenScope, reason: DenialReason, credential: Option<String>) -> StoreError {
        StoreError::Denied { credential, place: self.repository(scope), reason }
    }

    /// The repository of `scope`, for messages.
    fn repository(&self, scope: &TokenScope) -> String {
        format!("{}/{}", self.host, scope.repository)
    }
}

/// The authorization by a bearer token that the operator stored.
fn given(token: SecretText) -> Result<Authorization, StoreError> {
    Ok(Authorization { header: token::bearer(&token)?, kind: AuthorizationKind::Given })
}

/// The longest time before its expiry in which a token is no longer used.
const MAX_EXPIRY_MARGIN: Duration = Duration::from_secs(10);
/// The limit of actions that the challenges of a registry may add to a scope.
const MAX_EXTRA_ACTIONS: usize = 8;
