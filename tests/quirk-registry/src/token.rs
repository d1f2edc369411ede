//! Authentication and authorization: Basic, and tokens with their own service.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::http::BodyReader;
use super::http::Request;
use super::http::Response;
use super::http::form;
use super::quirks::Anonymous;
use super::quirks::Auth;
use super::quirks::Quirks;
use super::quirks::Realm;
use super::quirks::Scope;
use super::quirks::TokenPost;
use super::script::glob;

/// Tokens given out, and for whom.
#[derive(Default)]
pub struct Tokens {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    given: usize,
    access: HashMap<String, Token>,
    /// Refresh tokens and their users.
    refresh: HashMap<String, String>,
}

struct Token {
    scopes: Vec<Access>,
    requests_left: Option<usize>,
    ends: Instant,
}

/// Something that may be done: `repository:NAME:pull,push`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub kind: String,
    pub name: String,
    pub actions: Vec<String>,
}

impl Access {
    /// Access to a repository.
    pub fn repository(name: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Self { kind: "repository".to_owned(), name: name.to_owned(), actions }
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let actions = actions.split(',').map(str::to_owned).collect();
        Some(Self { kind: kind.to_owned(), name: name.to_owned(), actions })
    }

    fn text(&self) -> String {
        format!("{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }

    fn covers(&self, wanted: &Self) -> bool {
        let has = |action| self.actions.contains(action) || self.actions.iter().any(|have| have == "*");
        self.kind == wanted.kind && self.name == wanted.name && wanted.actions.iter().all(has)
    }
}

impl Tokens {
    /// Lets a request pass or says what it lacks.
    pub fn check(&self, quirks: &Quirks, request: &Request, wanted: &Access, other: &str) -> Result<(), Response> {
        match quirks.auth {
            Auth::None => Ok(()),
            Auth::Basic => basic(quirks, request, wanted),
            Auth::Token => self.bearer(quirks, request, wanted, other),
        }
    }

    /// Whether the request, once let in, may also do this: for the source of a mount.
    pub fn also(&self, quirks: &Quirks, request: &Request, wanted: &Access) -> bool {
        let Some(token) = bearer_of(request).filter(|_| quirks.auth == Auth::Token) else {
            return true;
        };
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.access.get(token).is_some_and(|it| it.scopes.iter().any(|have| have.covers(wanted)))
    }

    fn bearer(&self, quirks: &Quirks, request: &Request, wanted: &Access, other: &str) -> Result<(), Response> {
        let Some(text) = bearer_of(request) else {
            return Err(challenge(quirks, request, wanted, other, None));
        };
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let token = inner.access.get_mut(text).filter(|token| token.ends > Instant::now());
        let Some(token) = token.filter(|token| token.requests_left != Some(0)) else {
            return Err(challenge(quirks, request, wanted, other, Some("invalid_token")));
        };
        token.requests_left = token.requests_left.map(|left| left - 1);
        if token.scopes.iter().any(|have| have.covers(wanted)) || wanted.name.is_empty() {
            return Ok(());
        }
        Err(challenge(quirks, request, wanted, other, Some("insufficient_scope")))
    }

    /// The token service: `GET` with Basic credentials, `POST` with a form.
    pub fn serve(&self, quirks: &Quirks, request: &Request, body: &mut BodyReader<'_>) -> Response {
        match (request.method.as_str(), quirks.token_post) {
            ("GET", _) => self.get(quirks, request),
            ("POST", TokenPost::Refused(status)) => Response::error(status, "UNSUPPORTED", "tokens are had by GET"),
            ("POST", _) => self.post(quirks, body),
            _ => Response::text(405, "method not allowed\n"),
        }
    }

    /// Makes every token that was given out invalid, as when credentials are revoked.
    pub fn revoke(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.access.clear();
        inner.refresh.clear();
    }

    fn get(&self, quirks: &Quirks, request: &Request) -> Response {
        let user = match request.header("Authorization") {
            None => None,
            Some(value) => match known(quirks, value) {
                Some(user) => Some(user),
                None => return refused(),
            },
        };
        let scopes: Vec<String> = request.parameters("scope").iter().flat_map(|it| words(it)).collect();
        let offline = request.parameter("offline_token").as_deref() == Some("true");
        self.give(quirks, user.as_deref(), &scopes, offline && user.is_some())
    }

    fn post(&self, quirks: &Quirks, body: &mut BodyReader<'_>) -> Response {
        let Ok(Some(body)) = body.all(64 << 10) else {
            return Response::text(400, "bad form\n");
        };
        let form = form(&String::from_utf8_lossy(&body));
        let field = |name: &str| form.iter().find(|(have, _)| have == name).map_or("", |(_, value)| value.as_str());
        let user = match field("grant_type") {
            "password" if let TokenPost::NoPassword(status) = quirks.token_post => {
                return Response::error(status, "UNSUPPORTED", "tokens for a password are had by GET");
            }
            "password" => {
                let pair = (field("username").to_owned(), field("password").to_owned());
                quirks.users.contains(&pair).then_some(pair.0)
            }
            "refresh_token" => {
                let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                let secret = |(name, secret): &&(String, String)| name == "<token>" && secret == field("refresh_token");
                let given = inner.refresh.get(field("refresh_token")).cloned();
                given.or_else(|| quirks.users.iter().find(secret).map(|(name, _)| name.clone()))
            }
            _ => return Response::json(400, &json!({"error": "unsupported_grant_type"})),
        };
        let Some(user) = user else {
            return refused();
        };
        let scopes: Vec<String> =
            form.iter().filter(|(name, _)| name == "scope").flat_map(|(_, it)| words(it)).collect();
        self.give(quirks, Some(&user), &scopes, field("access_type") == "offline")
    }

    fn give(&self, quirks: &Quirks, user: Option<&str>, scopes: &[String], refresh: bool) -> Response {
        let mut scopes: Vec<Access> = scopes.iter().filter_map(|text| Access::parse(text)).collect();
        if quirks.scope == Scope::LastOnly {
            scopes = scopes.split_off(scopes.len().saturating_sub(1));
        }
        let scopes: Vec<Access> = scopes.into_iter().map(|it| allowed(quirks, user, it)).collect();
        let granted = scopes.iter().filter(|it| !it.actions.is_empty()).map(Access::text).collect::<Vec<_>>().join(" ");
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.given += 1;
        let text = format!("quirk-token-{:04}", inner.given);
        let ends = Instant::now() + Duration::from_secs(quirks.token_seconds);
        inner.access.insert(text.clone(), Token { scopes, requests_left: quirks.token_requests, ends });
        let mut answer = json!({
            "token": text, "access_token": text, "expires_in": quirks.token_seconds, "scope": granted,
        });
        if refresh && inner.refresh.len() < 10_000 {
            let text = format!("quirk-refresh-{:04}", inner.given);
            answer["refresh_token"] = text.clone().into();
            inner.refresh.insert(text, user.unwrap_or_default().to_owned());
        }
        if inner.access.len() > 10_000 {
            inner.access.retain(|_, token| token.ends > Instant::now() && token.requests_left != Some(0));
        }
        Response::json(200, &answer)
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn bearer_of(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("Authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}

// The name of the user whose name and password stand in a Basic header.
fn known(quirks: &Quirks, value: &str) -> Option<String> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("Basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    let pair = (user.to_owned(), password.to_owned());
    quirks.users.contains(&pair).then_some(pair.0)
}

fn allowed(quirks: &Quirks, user: Option<&str>, mut access: Access) -> Access {
    let grants: Vec<_> = quirks.grants.iter().filter(|it| Some(it.user.as_str()) == user).collect();
    access.actions.retain(|action| match (user, quirks.anonymous) {
        (Some(_), _) if grants.is_empty() => true,
        (Some(_), _) => grants.iter().any(|it| glob(&it.repository, &access.name) && it.actions.contains(action)),
        (None, Anonymous::Everything) => true,
        (None, Anonymous::Pull) => action == "pull",
        (None, Anonymous::Nothing) => false,
    });
    access
}

fn basic(quirks: &Quirks, request: &Request, wanted: &Access) -> Result<(), Response> {
    let user = request.header("Authorization").and_then(|value| known(quirks, value));
    let have = allowed(quirks, user.as_deref(), wanted.clone());
    let anonymous_ping = wanted.name.is_empty() && quirks.anonymous == Anonymous::Everything;
    match have.actions == wanted.actions && (user.is_some() || !wanted.name.is_empty() || anonymous_ping) {
        true => Ok(()),
        false if user.is_some() => Err(Response::error(403, "DENIED", "requested access to the resource is denied")),
        false => Err(unauthorized().with("WWW-Authenticate", r#"Basic realm="quirk""#)),
    }
}

fn challenge(quirks: &Quirks, request: &Request, wanted: &Access, other: &str, error: Option<&str>) -> Response {
    let host = request.header("Host").unwrap_or(&request.host);
    let realm = match &quirks.realm {
        Realm::OtherHost => format!("http://{other}/token"),
        Realm::Same => format!("http://{host}/token"),
        Realm::Url(url) => url.clone(),
    };
    let mut value = format!(r#"Bearer realm="{realm}",service="quirk""#);
    if !wanted.name.is_empty() {
        value.push_str(&format!(r#",scope="{}""#, wanted.text()));
    }
    if let Some(error) = error {
        value.push_str(&format!(r#",error="{error}""#));
    }
    unauthorized().with("WWW-Authenticate", value)
}

fn unauthorized() -> Response {
    Response::error(401, "UNAUTHORIZED", "authentication required")
}

fn refused() -> Response {
    Response::error(401, "UNAUTHORIZED", "invalid username or password")
}
