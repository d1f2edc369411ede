//! Token requests to a token service. Distribution specification, "Token Authentication"; docker's `oauth2` variant of
//! it.

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

use super::address::host_and_port;
use super::challenge::Bearer;
use super::response::ApiResponse;
use super::response::ErrorBody;
use super::response::ResponseBody;
use super::transport::IncomingBody;
use super::transport::Peer;
use super::transport::Transport;
use super::transport::TransportError;
use super::transport::is_encoded;
use crate::json;
use crate::limits::count;
use crate::store::StoreError;
use crate::store::credentials::Credential;
use crate::store::credentials::SecretText;
use crate::store::error::DenialReason;
use crate::store::error::ProtocolFault;
use crate::store::error::TokenFault;
use crate::store::error::TokenUser;

/// A token and its lifetime.
pub(super) struct IssuedToken {
    pub(super) lifetime: Duration,
    pub(super) secret: SecretText,
}

/// The scopes and the credential of a token request.
pub(super) struct TokenRequest<'a> {
    pub(super) bearer: &'a Bearer,
    pub(super) credential: &'a Credential,
    /// The source of the credential, for messages.
    pub(super) from: &'a str,
    /// The repository, for messages.
    pub(super) repository: &'a str,
    pub(super) realm: &'a Url,
    /// The scopes, the most important one last: some token services read only the last one.
    pub(super) scopes: &'a [String],
}

#[derive(Deserialize)]
struct TokenWire<'a> {
    token: Option<SecretText>,
    access_token: Option<SecretText>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
}

/// Requests a token: by POST (OAuth 2 `refresh_token` grant) for an identity token, otherwise by GET. Sets `get_only`
/// if the token service does not accept POST.
///
/// # Errors
/// [`StoreError::Denied`] if the service refuses the credential; otherwise the error of the response or connection.
pub(super) async fn fetch(
    transport: &Transport,
    token_request: &TokenRequest<'_>,
    get_only: &AtomicBool,
) -> Result<IssuedToken, StoreError> {
    let limit = transport.settings.limits.registry.token_bytes;
    if let Credential::Identity { token: identity, .. } = token_request.credential
        && !get_only.load(Ordering::Relaxed)
    {
        let response = ask(transport, token_request, &|| post(token_request, identity)).await?;
        match response.status {
            StatusCode::OK => return read(response, token_request, limit),
            // Token services without POST respond with any of these statuses.
            StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED => get_only.store(true, Ordering::Relaxed),
            _ => return Err(refused(&response, token_request)),
        }
    }
    let response = ask(transport, token_request, &|| get(token_request)).await?;
    match response.status {
        StatusCode::OK => read(response, token_request, limit),
        _ => Err(refused(&response, token_request)),
    }
}

/// The value of a Basic `Authorization` header, marked as sensitive (RFC 7617).
pub(super) fn basic(username: &str, password: &SecretText) -> Result<HeaderValue, StoreError> {
    let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    authorization("Basic", &encoded)
}

/// The value of a Bearer `Authorization` header, marked as sensitive (RFC 6750).
///
/// # Errors
/// [`StoreError::Protocol`] if the token is empty or has characters other than visible ASCII.
pub(super) fn bearer(token: &SecretText) -> Result<HeaderValue, StoreError> {
    authorization("Bearer", token.reveal())
}

fn authorization(scheme: &str, value: &str) -> Result<HeaderValue, StoreError> {
    // A token that could end the header is never sent (threats: malformed-token).
    let visible = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    let text = Zeroizing::new(format!("{scheme} {value}"));
    match HeaderValue::from_str(&text) {
        Ok(mut header) if visible => {
            header.set_sensitive(true);
            Ok(header)
        }
        _ => Err(StoreError::Protocol { place: "credential".to_owned(), reason: ProtocolFault::Credential }),
    }
}

/// Sends a token request, with retries after transient errors and busy responses.
async fn ask(
    transport: &Transport,
    token_request: &TokenRequest<'_>,
    http_request: &(dyn Fn() -> Result<Request, StoreError> + Sync),
) -> Result<ApiResponse, StoreError> {
    let mut retry = transport.retry_state();
    loop {
        let pause = match once(transport, token_request, http_request()?).await {
            Ok(response) if super::retry::is_busy(response.status) => match retry.after_busy(&response.headers) {
                Some(pause) => {
                    transport.log_retry(token_request.realm, retry.attempt(), pause, &response.error_response());
                    pause
                }
                None => return Ok(response),
            },
            Ok(response) => return Ok(response),
            Err(TransportError::Transient(failure, fault)) => match retry.after_failure(failure) {
                Some(pause) => {
                    transport.log_retry(token_request.realm, retry.attempt(), pause, &fault);
                    pause
                }
                None => {
                    return Err(TransportError::Transient(failure, fault).error(&host_and_port(token_request.realm)));
                }
            },
            Err(error) => return Err(error.error(&host_and_port(token_request.realm))),
        };
        tokio::time::sleep(pause).await;
    }
}

/// Sends a token request once. A successful response is read up to `limits.registry.token_response_bytes`, redirects are
/// not followed.
async fn once(
    transport: &Transport,
    token_request: &TokenRequest<'_>,
    http_request: Request,
) -> Result<ApiResponse, TransportError> {
    let settings = &transport.settings;
    let url = token_request.realm.clone();
    let what = format!("{TOKEN_SERVICE}{}", host_and_port(&url));
    let http_response = transport.send(http_request, Peer::TokenService, settings.timeouts.first_byte).await?;
    let (status, headers) = (http_response.status(), http_response.headers().clone());
    let incoming = IncomingBody::new(http_response, settings.timeouts);
    if status.is_success() && is_encoded(&headers) {
        let reason = ProtocolFault::ContentEncoding;
        return Err(TransportError::Permanent(StoreError::Protocol { place: what, reason }));
    }
    let body = if status.is_success() {
        let limit = settings.limits.registry.token_response_bytes;
        match incoming.read(limit).await {
            Ok((bytes, true)) => ResponseBody::Whole(bytes),
            Ok((_, false)) => return Err(TransportError::Permanent(StoreError::TooLarge { what, limit })),
            Err((failure, fault)) => return Err(TransportError::Transient(failure, fault)),
        }
    } else {
        ResponseBody::Error(ErrorBody::read(incoming, &headers, &settings.limits, &settings.secrets).await)
    };
    Ok(ApiResponse { body, foreign: false, headers, status, url, what, credential_source: None })
}

/// The token request by GET, with the credential in a Basic `Authorization` header.
fn get(token_request: &TokenRequest<'_>) -> Result<Request, StoreError> {
    let mut url = token_request.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &token_request.bearer.service {
            query.append_pair("service", service);
        }
        for scope in token_request.scopes {
            query.append_pair("scope", scope);
        }
    }
    let mut http_request = Request::new(Method::GET, url);
    let authorization = match token_request.credential {
        Credential::Basic { username, password } => Some(basic(username, password)?),
        Credential::Identity { token, .. } => Some(basic("<token>", token)?),
        Credential::Anonymous | Credential::Token(_) => None,
    };
    authorization.map(|value| http_request.headers_mut().insert(AUTHORIZATION, value));
    Ok(http_request)
}

/// The token request by POST, with the identity token in the form (OAuth 2, RFC 6749 section 6).
fn post(token_request: &TokenRequest<'_>, identity: &SecretText) -> Result<Request, StoreError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", identity.reveal());
    form.append_pair("client_id", "bulla").append_pair("scope", &token_request.scopes.join(" "));
    form.extend_pairs(token_request.bearer.service.iter().map(|service| ("service", service)));
    let mut http_request = Request::new(Method::POST, token_request.realm.clone());
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    http_request.headers_mut().insert(CONTENT_TYPE, kind);
    *http_request.body_mut() = Some(form.finish().into());
    Ok(http_request)
}

/// Parses the token, of at most `limit` bytes, and its lifetime out of a successful response. Errors do not quote the
/// response, since it may hold a token.
fn read(response: ApiResponse, token_request: &TokenRequest<'_>, limit: u64) -> Result<IssuedToken, StoreError> {
    let broken = |fault| StoreError::Protocol {
        place: format!("{TOKEN_SERVICE}{}", host_and_port(token_request.realm)),
        reason: ProtocolFault::Token(fault),
    };
    let bytes = response.into_bytes();
    // Other fields are ignored and may have any value, even numbers out of range.
    let wire: TokenWire<'_> = json::read(&bytes).map_err(|_| broken(TokenFault::NotJson))?;
    let filled = |secret: &SecretText| !secret.reveal().is_empty();
    let secret = wire.token.filter(filled).or(wire.access_token.filter(filled));
    let secret = secret.ok_or_else(|| broken(TokenFault::Missing))?;
    if count(secret.reveal().len()) > limit {
        let what = format!("{TOKEN_OF}{}", host_and_port(token_request.realm));
        return Err(StoreError::TooLarge { what, limit });
    }
    bearer(&secret).map_err(|_| broken(TokenFault::Characters))?;
    Ok(IssuedToken { lifetime: wire.expires_in.map_or(DEFAULT_LIFETIME, |text| lifetime(text.get())), secret })
}

/// Parses `expires_in`, in seconds: [`DEFAULT_LIFETIME`] for anything but a positive integer up to [`MAX_LIFETIME`].
fn lifetime(text: &str) -> Duration {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    seconds.filter(|lifetime| *lifetime <= MAX_LIFETIME).unwrap_or(DEFAULT_LIFETIME)
}

/// The error for a refused token, with the source of the credential.
fn refused(response: &ApiResponse, token_request: &TokenRequest<'_>) -> StoreError {
    let place = token_request.repository.to_owned();
    let user = match token_request.credential {
        Credential::Anonymous => TokenUser::Anonymous,
        Credential::Basic { username, .. } => TokenUser::Named(username.clone()),
        Credential::Identity { .. } | Credential::Token(_) => TokenUser::IdentityToken,
    };
    let (error, service) = (response.error(), response.what.clone());
    let response = response.error_response();
    match error {
        StoreError::Denied { .. } => StoreError::Denied {
            credential: Some(token_request.from.to_owned()),
            place,
            reason: DenialReason::Token { response, service, user },
        },
        StoreError::NotFound { .. } => {
            StoreError::Protocol { place, reason: ProtocolFault::TokenService { response, service } }
        }
        other => other,
    }
}

/// The words before the host of a token service, in messages about its token.
pub(super) const TOKEN_OF: &str = "a token of ";
/// The words before the host of a token service, in messages.
pub(super) const TOKEN_SERVICE: &str = "token service ";
/// The lifetime of a token without `expires_in`. Distribution specification: 60 seconds.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// The longest lifetime that is accepted.
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn parse(text: &str) -> Result<IssuedToken, StoreError> {
        let realm = Url::parse("https://auth.example/token").unwrap();
        let bearer = Bearer { realm: realm.to_string(), service: None, scopes: Vec::new() };
        let token_request = TokenRequest {
            bearer: &bearer,
            credential: &Credential::Anonymous,
            from: "",
            realm: &realm,
            repository: "registry.example/app",
            scopes: &[],
        };
        let response = ApiResponse {
            body: ResponseBody::Whole(text.as_bytes().to_vec()),
            foreign: false,
            headers: HeaderMap::new(),
            status: StatusCode::OK,
            url: realm.clone(),
            what: "token".to_owned(),
            credential_source: None,
        };
        read(response, &token_request, 100)
    }

    #[test]
    fn reads_both_names_of_a_token() {
        let token = parse(r#"{"token":"a","access_token":"b","expires_in":300,"issued_at":"x"}"#).unwrap();
        assert_eq!((token.secret.reveal(), token.lifetime.as_secs()), ("a", 300));
        let token = parse(r#"{"token":"","access_token":"b"}"#).unwrap();
        assert_eq!((token.secret.reveal(), token.lifetime.as_secs()), ("b", 60));
    }

    /// A valid token is not discarded because of an invalid lifetime.
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
