//! `ProtocolFault`: how a response of a store breaks the protocol.

use crate::digest::Digest;
use crate::json::JsonError;

/// How a response breaks the protocol, or what else it says instead of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolFault {
    /// An error status.
    #[error("{0}")]
    Answer(RegistryAnswer),
    /// The blob was confirmed before all of it was sent.
    #[error("it says that it has all of the blob before it was sent all of it")]
    ConfirmedEarly,
    /// A `Content-Encoding` that was not requested.
    #[error("it answered in a content encoding that was not asked for")]
    ContentEncoding,
    /// A credential that cannot be sent in a header.
    #[error("it holds characters that cannot be sent")]
    Credential,
    /// An HTML page.
    #[error("a page for browsers, which is no answer of a registry")]
    Html,
    /// A `Link` header that leads nowhere.
    #[error("{0}")]
    Link(LinkFault),
    /// A location that is not followed.
    #[error("{0}")]
    Location(LocationFault),
    /// A part that is missing, without which this content cannot be stored.
    #[error("{content} cannot be stored before {part}")]
    MissingPart {
        /// The content.
        content: Digest,
        /// The part.
        part: Digest,
    },
    /// Something else than a manifest.
    #[error("it answered with what is no manifest")]
    NotAManifest,
    /// Something else than a list of referrers.
    #[error("it answered with {0:?}, which is no list of referrers")]
    NotReferrers(String),
    /// Something else than a list of tags.
    #[error("it answered with what is no list of tags")]
    NotTags,
    /// A page of a list that is not there.
    #[error("a further page of the list is not there")]
    PageMissing,
    /// Pages that lead back to an earlier one.
    #[error("its pages lead in a circle")]
    PaginationLoop,
    /// The text of another reason, with secrets hidden in it.
    #[error("{0}")]
    Redacted(String),
    /// A referrers API that was there before.
    #[error("it does not know the referrers API any more, which it knew before")]
    ReferrersApiGone,
    /// A referrers tag that does not hold a list of referrers.
    #[error("{0}")]
    ReferrersTag(ReferrersTagFault),
    /// A request that could not be made.
    #[error("{0}")]
    Request(super::connection::NetworkError),
    /// A response of a token service.
    #[error("{service} {answer}")]
    ServiceAnswer {
        /// What it answered.
        answer: RegistryAnswer,
        /// The token service.
        service: String,
    },
    /// A token that cannot be used.
    #[error("{0}")]
    Token(TokenFault),
    /// More redirects than the limit.
    #[error("more than {0} redirects")]
    TooManyRedirects(u64),
    /// Another range of the content than was requested.
    #[error("it answered with another range than was asked for")]
    WrongRange,
}

/// The status and the text of a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}answered {status} {phrase}{body}", from(.host.as_ref()))]
pub struct RegistryAnswer {
    /// The text.
    pub body: AnswerText,
    /// The host, where it is not the registry itself.
    pub host: Option<String>,
    /// What the status is called.
    pub phrase: &'static str,
    /// The status.
    pub status: u16,
}

#[cfg(feature = "registry")]
impl RegistryAnswer {
    /// The same answer, with its text as `text` makes it.
    pub(super) fn with_text(self, text: impl Fn(&str) -> String) -> Self {
        let body = match self.body {
            AnswerText::Text(shown) => AnswerText::Text(text(&shown)),
            other => other,
        };
        Self { body, host: self.host.map(|host| text(&host)), ..self }
    }
}

/// The text of a response with an error status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerText {
    /// An HTML page.
    #[error(": a page for browsers, which is no answer of a registry")]
    Html,
    /// None.
    #[error("")]
    None,
    /// A text: shortened, escaped, without secrets.
    #[error(": {0}")]
    Text(String),
}

/// Why the next page of a list is not read.
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

/// Why a location, of a redirect or of an upload, is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationFault {
    /// A redirect from TLS to plain HTTP.
    #[error("it sends us from TLS to plain HTTP at {0}")]
    Downgrade(String),
    /// A redirect to an address of this machine or its link.
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
    /// A redirect to something that is not a URL.
    #[error("it sends us to what is no address")]
    NoUrl,
    /// A redirect to another scheme than HTTP.
    #[error("it sends us to an address that begins with {0}:")]
    OtherScheme(String),
    /// A redirect to plain HTTP.
    #[error("it sends us to {0} over plain HTTP, which was not asked for")]
    PlainHttp(String),
    /// An upload location on another host.
    #[error("its upload location is on another host, {0}")]
    UploadHost(String),
    /// A location with a user name or a password in it.
    #[error("the address at {0} holds a user name")]
    UserName(String),
}

/// Why a referrers tag is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferrersTagFault {
    /// It holds an index that can be read in two ways.
    #[error("the tag holds something ambiguous, not a list of referrers; it is left as it is")]
    Ambiguous,
    /// An entry cannot be written.
    #[error("an entry has no JSON form")]
    Entry,
    /// It holds no JSON, or one that breaks the rules.
    #[error("the tag holds {}, not a list of referrers; it is left as it is", json(.error, *.checked))]
    Json {
        /// Whether it is the check of the whole document that failed.
        checked: bool,
        /// What is wrong.
        error: JsonError,
    },
    /// It holds an index without manifests.
    #[error("the tag holds an index without manifests, not a list of referrers; it is left as it is")]
    NoManifests,
    /// The list of manifests cannot be added to.
    #[error("the tag holds no array of manifests, not a list of referrers; it is left as it is")]
    NotAnArray,
    /// It holds a manifest of another type.
    #[error("the tag holds {media_type:?} ({digest}), not a list of referrers; it is left as it is")]
    OtherType {
        /// The manifest.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
}

/// Why a token is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// It holds characters that cannot stand in a header.
    #[error("its token holds characters that cannot be sent")]
    Characters,
    /// There is none in the response.
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
