//! Tokens from a token service. Distribution specification, "Token Authentication"; docker's `oauth2` variant of it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::Request;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::AUTHORIZATION;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::answer::Body;
use super::answer::Refused;
use super::challenge::Bearer;
use super::retry::Retry;
use super::transport::Incoming;
use super::transport::Transport;
use super::transport::Trouble;
use super::transport::is_encoded;
use super::transport::place;
use crate::json;
use crate::store::StoreError;
use crate::store::credentials::Credential;
use crate::store::credentials::Secret;

/// A token and how long it lasts.
pub(super) struct Token {
    pub(super) lifetime: Duration,
    pub(super) secret: Secret,
}

/// A token that is wanted.
pub(super) struct Wanted<'a> {
    pub(super) bearer: &'a Bearer,
    pub(super) credential: &'a Credential,
    /// Where the credential comes from, for messages.
    pub(super) from: &'a str,
    /// The repository, for messages.
    pub(super) repository: &'a str,
    pub(super) realm: &'a Url,
    /// What it must be good for; what is needed most stands last, since some services look at nothing else.
    pub(super) scopes: &'a [String],
}

#[derive(Deserialize)]
struct TokenWire<'a> {
    token: Option<Secret>,
    access_token: Option<Secret>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
}

/// Gets a token: by GET, or by POST where there is an identity token to be exchanged. `get_only` remembers whether the
/// service refused to be asked by POST.
pub(super) async fn fetch(
    transport: &Transport,
    wanted: &Wanted<'_>,
    get_only: &AtomicBool,
) -> Result<Token, StoreError> {
    if let Credential::Identity { token: identity, .. } = wanted.credential
        && !get_only.load(Ordering::Relaxed)
    {
        let answer = ask(transport, wanted, &|| post(wanted, identity)).await?;
        match answer.status {
            StatusCode::OK => return read(answer, wanted),
            // Services that know no POST answer with any of these.
            StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED => get_only.store(true, Ordering::Relaxed),
            _ => return Err(refused(&answer, wanted)),
        }
    }
    let answer = ask(transport, wanted, &|| get(wanted)).await?;
    match answer.status {
        StatusCode::OK => read(answer, wanted),
        _ => Err(refused(&answer, wanted)),
    }
}

/// The value of a `Basic` authorization.
pub(super) fn basic(username: &str, password: &Secret) -> Result<HeaderValue, StoreError> {
    let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    authorization("Basic", &encoded)
}

/// The value of a `Bearer` authorization.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, StoreError> {
    authorization("Bearer", token.reveal())
}

fn authorization(scheme: &str, value: &str) -> Result<HeaderValue, StoreError> {
    // A token that could end a header is never sent (threats: malformed-token).
    let visible = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    let text = Zeroizing::new(format!("{scheme} {value}"));
    match HeaderValue::from_str(&text) {
        Ok(mut header) if visible => {
            header.set_sensitive(true);
            Ok(header)
        }
        _ => Err(StoreError::Protocol {
            place: "credential".to_owned(),
            why: "it holds characters that cannot be sent".to_owned(),
        }),
    }
}

async fn ask(
    transport: &Transport,
    wanted: &Wanted<'_>,
    request: &(dyn Fn() -> Result<Request, StoreError> + Sync),
) -> Result<Answer, StoreError> {
    let patience = transport.settings.patience;
    let mut retry = Retry::new(patience);
    loop {
        let pause = match once(transport, wanted, request()?).await {
            Ok(answer) if super::call::is_busy(answer.status) => match retry.busy(&answer.headers) {
                Some(pause) => pause,
                None => return Ok(answer),
            },
            Ok(answer) => return Ok(answer),
            Err(Trouble::Passing(failure, why)) => match retry.broken(failure) {
                Some(pause) => pause,
                None => return Err(Trouble::Passing(failure, why).error(&place(wanted.realm))),
            },
            Err(trouble) => return Err(trouble.error(&place(wanted.realm))),
        };
        tokio::time::sleep(pause).await;
    }
}

async fn once(transport: &Transport, wanted: &Wanted<'_>, request: Request) -> Result<Answer, Trouble> {
    let settings = &transport.settings;
    let url = wanted.realm.clone();
    let what = format!("token service {}", place(&url));
    let response = transport.send(request, false, settings.patience.first_byte).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let incoming = Incoming::new(response, settings.patience);
    if status.is_success() && is_encoded(&headers) {
        let why = "it answered in a content encoding that was not asked for".to_owned();
        return Err(Trouble::Final(StoreError::Protocol { place: what, why }));
    }
    let body = if status.is_success() {
        let limit = settings.limits.registry.token_bytes;
        match incoming.read(limit).await {
            Ok((bytes, true)) => Body::Whole(bytes),
            Ok((_, false)) => return Err(Trouble::Final(StoreError::TooLarge { what, limit })),
            Err((failure, why)) => return Err(Trouble::Passing(failure, why)),
        }
    } else {
        Body::Refused(Refused::read(incoming, &headers, &settings.limits, &settings.secrets).await)
    };
    Ok(Answer { body, foreign: false, headers, status, url, what, who: None })
}

fn get(wanted: &Wanted<'_>) -> Result<Request, StoreError> {
    let mut url = wanted.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &wanted.bearer.service {
            query.append_pair("service", service);
        }
        for scope in wanted.scopes {
            query.append_pair("scope", scope);
        }
    }
    let mut request = Request::new(Method::GET, url);
    let authorization = match wanted.credential {
        Credential::Basic { username, password } => Some(basic(username, password)?),
        Credential::Identity { token, .. } => Some(basic("<token>", token)?),
        Credential::Anonymous | Credential::Token(_) => None,
    };
    authorization.map(|value| request.headers_mut().insert(AUTHORIZATION, value));
    Ok(request)
}

fn post(wanted: &Wanted<'_>, identity: &Secret) -> Result<Request, StoreError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", identity.reveal());
    form.append_pair("client_id", "bulla").append_pair("scope", &wanted.scopes.join(" "));
    form.extend_pairs(wanted.bearer.service.iter().map(|service| ("service", service)));
    let mut request = Request::new(Method::POST, wanted.realm.clone());
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    *request.body_mut() = Some(form.finish().into());
    Ok(request)
}

fn read(answer: Answer, wanted: &Wanted<'_>) -> Result<Token, StoreError> {
    let broken = |why: &str| StoreError::Protocol {
        place: format!("token service {}", place(wanted.realm)),
        why: why.to_owned(),
    };
    let bytes = answer.into_bytes();
    // What is wrong is told without the text, which may hold a token. Nothing but a token is believed, so fields that are
    // not looked at may hold anything, numbers without bounds among it.
    let wire: TokenWire<'_> = json::read(&bytes).map_err(|_| broken("its answer is no JSON with a token"))?;
    let filled = |secret: &Secret| !secret.reveal().is_empty();
    let secret = wire.token.filter(filled).or(wire.access_token.filter(filled));
    let secret = secret.ok_or_else(|| broken("its answer holds no token"))?;
    bearer(&secret).map_err(|_| broken("its token holds characters that cannot be sent"))?;
    Ok(Token { lifetime: wire.expires_in.map_or(DEFAULT_LIFETIME, |text| lifetime(text.get())), secret })
}

/// How long a token lasts by what `expires_in` says. What is no number of seconds says nothing: a text, a fraction, a
/// negative or an absurd number.
fn lifetime(text: &str) -> Duration {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    seconds.filter(|lifetime| *lifetime <= LIFETIME_MOST).unwrap_or(DEFAULT_LIFETIME)
}

fn refused(answer: &Answer, wanted: &Wanted<'_>) -> StoreError {
    let place = wanted.repository.to_owned();
    let who = match wanted.credential {
        Credential::Anonymous => "without credentials".to_owned(),
        Credential::Basic { username, .. } => format!("for the user {username:?}"),
        Credential::Identity { .. } | Credential::Token(_) => "for the identity token".to_owned(),
    };
    match answer.error() {
        StoreError::Denied { why, .. } => {
            StoreError::Denied { place, why: format!("{}: no token {who}, {why}; {}", answer.what, wanted.from) }
        }
        StoreError::NotFound { .. } => {
            StoreError::Protocol { place, why: format!("{} {}", answer.what, answer.words()) }
        }
        other => other,
    }
}

/// How long a token lasts that does not say so. Distribution specification: 60 seconds.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// A token that lasts longer than this is a mistake.
const LIFETIME_MOST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn parse(text: &str) -> Result<Token, StoreError> {
        let realm = Url::parse("https://auth.example/token").unwrap();
        let bearer = Bearer { realm: realm.to_string(), service: None, scopes: Vec::new() };
        let wanted = Wanted {
            bearer: &bearer,
            credential: &Credential::Anonymous,
            from: "",
            realm: &realm,
            repository: "registry.example/app",
            scopes: &[],
        };
        let answer = Answer {
            body: Body::Whole(text.as_bytes().to_vec()),
            foreign: false,
            headers: HeaderMap::new(),
            status: StatusCode::OK,
            url: realm.clone(),
            what: "token".to_owned(),
            who: None,
        };
        read(answer, &wanted)
    }

    #[test]
    fn reads_both_names_of_a_token() {
        let token = parse(r#"{"token":"a","access_token":"b","expires_in":300,"issued_at":"x"}"#).unwrap();
        assert_eq!((token.secret.reveal(), token.lifetime.as_secs()), ("a", 300));
        let token = parse(r#"{"token":"","access_token":"b"}"#).unwrap();
        assert_eq!((token.secret.reveal(), token.lifetime.as_secs()), ("b", 60));
    }

    /// A token that is good is not thrown away because its service counts in an odd way.
    #[test]
    fn an_odd_lifetime_is_that_of_a_token_without_one() {
        for (odd, seconds) in [
            ("300", 300),
            ("1", 1),
            ("0", 60),
            ("null", 60),
            ("\"300\"", 60),
            ("\"soon\"", 60),
            ("299.5", 60),
            ("3e2", 60),
            ("-1", 60),
            ("-0", 60),
            ("9223372036854775807", 60),
            ("9223372036854775808", 60),
            ("18446744073709551616", 60),
            ("1e400", 60),
            ("true", 60),
            ("[300]", 60),
            ("{\"seconds\":300}", 60),
        ] {
            for issued in ["\"2026-01-01T00:00:00Z\"", "\"x\"", "0", "null", "1e999", "{\"a\":[]}"] {
                let token =
                    parse(&format!(r#"{{"access_token":"a","expires_in":{odd},"issued_at":{issued}}}"#)).unwrap();
                assert_eq!((token.secret.reveal(), token.lifetime.as_secs()), ("a", seconds), "{odd} {issued}");
            }
        }
    }

    #[test]
    fn refuses_malformed_tokens() {
        for text in [
            "",
            "not json",
            "{}",
            r#"{"token":""}"#,
            r#"{"token":null}"#,
            r#"{"token":7}"#,
            r#"{"token":"a","token":"b"}"#,
            r#"{"token":"a\r\nHost: evil"}"#,
            r#"{"token":"a b"}"#,
            r#"{"token":"é"}"#,
        ] {
            let error = parse(text).err().unwrap_or_else(|| panic!("{text} was accepted"));
            assert!(matches!(error, StoreError::Protocol { .. }), "{error}");
        }
    }
}
