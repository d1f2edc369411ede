//! `WebError`: why a request to a server that is no registry got no answer.

use std::net::IpAddr;
use std::time::Duration;

use crate::store::ConnectionFault;
use crate::store::ProxyFault;
use crate::store::TlsFault;
use crate::store::TlsSettingFault;
use crate::store::deadline::in_words;
use crate::text::Untrusted;

/// Why a request got no answer, or was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {fault}")]
pub struct WebError {
    /// The fault.
    pub fault: WebFault,
    /// The URL of the request, or of the redirect, without user name, password and query.
    pub url: Untrusted,
}

/// The fault of a request or of its answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebFault {
    /// The connection failed or broke.
    #[error("{0}")]
    Connection(ConnectionFault),
    /// The timeout of the whole command has expired.
    #[error("not done within {}", in_words(*.0))]
    Deadline(Duration),
    /// A redirect leads from TLS to plain HTTP.
    #[error("it redirects from TLS to plain HTTP")]
    Downgrade,
    /// The answer has a content encoding that was not requested.
    #[error("it answered in a content encoding that was not asked for")]
    ContentEncoding,
    /// A redirect has no location, or one that is no URL.
    #[error("it redirects without saying where to")]
    NoLocation,
    /// The text is not a URL.
    #[error("this is no URL")]
    NotAUrl,
    /// The host has no public address, and the operator did not allow this host.
    #[error("its host has no public address{}, and was not allowed", found(.0.as_ref()))]
    NotPublic(Option<IpAddr>),
    /// A POST request was answered with a redirect, which is not followed.
    #[error("it redirects a POST request ({0})")]
    PostRedirected(u16),
    /// The proxy cannot be used.
    #[error("{0}")]
    Proxy(ProxyFault),
    /// A proxy would resolve the name of the host, so its address cannot be checked, and the operator did not allow this
    /// host.
    #[error("{proxy} would resolve the name of its host, which was not allowed")]
    ResolvedByProxy {
        /// The proxy, for messages.
        proxy: String,
    },
    /// The scheme of the URL is not `http` or `https`.
    #[error("addresses with `{0}:` are not supported, only http: and https:")]
    Scheme(Untrusted),
    /// The TLS settings cannot be used.
    #[error("{0}")]
    Setting(TlsSettingFault),
    /// The answer has another status than 200.
    #[error("it answered with status {0}")]
    Status(u16),
    /// The answer was not complete within the timeout of a request.
    #[error("no whole answer within {}", in_words(*.0))]
    Timeout(Duration),
    /// TLS failed.
    #[error("{0}")]
    Tls(TlsFault),
    /// The answer is larger than the limit.
    #[error("its answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// There are more redirects than the limit.
    #[error("more than {0} redirects")]
    TooManyRedirects(u64),
    /// The URL has a user name or a password.
    #[error("its address has a user name or a password")]
    UserName,
}

impl WebError {
    /// Whether the operator can allow it by naming the host (`--allow-host`).
    pub const fn is_not_allowed_host(&self) -> bool {
        matches!(self.fault, WebFault::NotPublic(_) | WebFault::ResolvedByProxy { .. })
    }
}

fn found(address: Option<&IpAddr>) -> String {
    address.map_or_else(String::new, |address| format!(" ({address})"))
}
