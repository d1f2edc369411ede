//! `ProtocolFault`: how a response of a store breaks the protocol.

use crate::digest::Digest;
use crate::json::JsonError;
use crate::text::Untrusted;

/// How the response of a store violates the protocol, or which error it reports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolFault {
    /// The registry confirmed the blob before all of it was sent.
    #[error("it says that it has all of the blob before it was sent all of it")]
    ConfirmedEarly,
    /// The response has a `Content-Encoding` that was not requested.
    #[error("it answered in a content encoding that was not asked for")]
    ContentEncoding,
    /// The credential cannot be sent in a header.
    #[error("it holds characters that cannot be sent")]
    Credential,
    /// The response has an error status.
    #[error("{0}")]
    ErrorStatus(ErrorResponse),
    /// The response is an HTML page.
    #[error("a page for browsers, which is no answer of a registry")]
    Html,
    /// The `Link` header to the next page is invalid.
    #[error("{0}")]
    Link(LinkFault),
    /// A location must not be followed.
    #[error("{0}")]
    Location(LocationFault),
    /// A listed name is longer than any tag.
    #[error("it lists `{0}`, which is longer than a tag can be")]
    LongTag(Untrusted),
    /// A blob or child is missing without which the content cannot be stored.
    #[error("{content} cannot be stored before {part}")]
    MissingPart {
        /// The content.
        content: Digest,
        /// The missing blob or child.
        part: Digest,
    },
    /// The response is not a manifest.
    #[error("it answered with what is no manifest")]
    NotAManifest,
    /// The response is not a list of referrers.
    #[error("it answered with {0:?}, which is no list of referrers")]
    NotReferrers(String),
    /// The response is not a list of tags.
    #[error("it answered with what is no list of tags")]
    NotTags,
    /// A page of a list is missing.
    #[error("a further page of the list is not there")]
    PageMissing,
    /// Pagination loop: a page links to an earlier one.
    #[error("its pages lead in a circle")]
    PaginationLoop,
    /// The redacted text of another reason.
    #[error("{0}")]
    Redacted(String),
    /// The referrers API disappeared: it was available before.
    #[error("it does not know the referrers API any more, which it knew before")]
    ReferrersApiGone,
    /// The referrers tag does not hold a list of referrers.
    #[error("{0}")]
    ReferrersTag(ReferrersTagFault),
    /// The request could not be built.
    #[error("{0}")]
    Request(super::connection::NetworkError),
    /// The token is invalid.
    #[error("{0}")]
    Token(TokenFault),
    /// A token service responded with an error.
    #[error("{service} {response}")]
    TokenService {
        /// The response of the token service.
        response: ErrorResponse,
        /// The URL of the token service.
        service: String,
    },
    /// The number of redirects exceeds the limit.
    #[error("more than {0} redirects")]
    TooManyRedirects(u64),
    /// The list of referrers was filtered although no filter was requested, so there may be more referrers.
    #[error(
        "it answered with the header OCI-Filters-Applied although no filter was asked for, so it may have left out referrers"
    )]
    UnrequestedFilter,
    /// The response has another range than the requested one.
    #[error("it answered with another range than was asked for")]
    WrongRange,
}

/// The status and the text of a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}answered {status} {phrase}{body}", from(.host.as_ref()))]
pub struct ErrorResponse {
    /// The text.
    pub body: ErrorText,
    /// The host, if it is not the registry itself.
    pub host: Option<String>,
    /// The reason phrase of the status.
    pub phrase: &'static str,
    /// The status.
    pub status: u16,
}

#[cfg(feature = "registry")]
impl ErrorResponse {
    /// The same response with its text converted by `text`.
    pub(super) fn with_text(self, text: impl Fn(&str) -> String) -> Self {
        let body = match self.body {
            ErrorText::Text(shown) => ErrorText::Text(text(&shown)),
            other => other,
        };
        Self { body, host: self.host.map(|host| text(&host)), ..self }
    }
}

/// The text of a response with an error status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorText {
    /// An HTML page.
    #[error(": a page for browsers, which is no answer of a registry")]
    Html,
    /// No text.
    #[error("")]
    None,
    /// A text: truncated, escaped, without secrets.
    #[error(": {0}")]
    Text(String),
}

/// Why the next page of a list is not requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// The header is not text.
    #[error("its Link header is not text")]
    NotText,
    /// The target is not a URL.
    #[error("its Link header holds no address")]
    NoUrl,
    /// The next page is on another host.
    #[error("its next page is on another host ({0})")]
    OtherHost(String),
    /// The next page is the same page.
    #[error("its next page is the page itself")]
    SamePage,
    /// There are several next pages.
    #[error("its Link header names more than one next page")]
    SeveralNextPages,
    /// The header is malformed.
    #[error("its Link header cannot be read")]
    Unreadable,
}

/// Why the location of a redirect or an upload is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationFault {
    /// A redirect from TLS to plain HTTP.
    #[error("it sends us from TLS to plain HTTP at {0}")]
    Downgrade(String),
    /// A redirect to a loopback or link-local address.
    #[error("it sends us to {0}, an address of this machine or its link")]
    Internal(String),
    /// A redirect without a location.
    #[error("it sends us elsewhere without saying where")]
    NoLocation,
    /// An upload without a location.
    #[error("it began an upload without saying where")]
    NoUploadLocation,
    /// An upload location that is not a URL.
    #[error("its upload location is no address")]
    NoUploadUrl,
    /// A redirect to an invalid URL.
    #[error("it sends us to what is no address")]
    NoUrl,
    /// A redirect to a scheme other than HTTP.
    #[error("it sends us to an address that begins with {0}:")]
    OtherScheme(String),
    /// A redirect to plain HTTP.
    #[error("it sends us to {0} over plain HTTP, which was not asked for")]
    PlainHttp(String),
    /// An upload location on another host.
    #[error("its upload location is on another host, {0}")]
    UploadHost(String),
    /// A location with a user name or a password.
    #[error("the address at {0} holds a user name")]
    UserName(String),
}

/// Why a referrers tag cannot be updated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferrersTagFault {
    /// The index is ambiguous.
    #[error("the tag holds something ambiguous, not a list of referrers; it is left as it is")]
    Ambiguous,
    /// An entry cannot be serialized.
    #[error("an entry has no JSON form")]
    Entry,
    /// The content is not valid JSON.
    #[error("the tag holds {}, not a list of referrers; it is left as it is", json(.error, *.checked))]
    Json {
        /// Whether the check of the whole document failed.
        checked: bool,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// The index has no manifests.
    #[error("the tag holds an index without manifests, not a list of referrers; it is left as it is")]
    NoManifests,
    /// The list of manifests is not an array.
    #[error("the tag holds no array of manifests, not a list of referrers; it is left as it is")]
    NotAnArray,
    /// The manifest is not an index.
    #[error("the tag holds {media_type:?} ({digest}), not a list of referrers; it is left as it is")]
    OtherType {
        /// The digest of the manifest.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
}

/// Why a token is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// It contains characters that are not allowed in a header.
    #[error("its token holds characters that cannot be sent")]
    Characters,
    /// The response contains no token.
    #[error("its answer holds no token")]
    Missing,
    /// The response is not JSON with a token.
    #[error("its answer is no JSON with a token")]
    NotJson,
}

fn from(host: Option<&String>) -> String {
    host.map_or_else(String::new, |host| format!("{host} "))
}

fn json(error: &JsonError, checked: bool) -> String {
    if checked { format!("broken JSON ({error})") } else { error.to_string() }
}
