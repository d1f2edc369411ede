//! Redaction of a [`StoreError`] that leaves the registry client.
//!
//! Invariant: each text that a server chose passes `foreign`, each name of a store or host `place`, and every message
//! `message`. The words of a message, its digests and the kind of the error pass nothing that hides what a server chose:
//! the server would otherwise choose which of them are shown (threats: report-rewritten-by-a-registry).

use std::fmt::Display;

use crate::json::JsonError;
use crate::oci::ManifestConflict;
use crate::oci::ManifestError;
use crate::store::StoreError;

use super::BrokenReason;
use super::ConnectionFault;
use super::ContradictionReason;
use super::DenialReason;
use super::LinkFault;
use super::LocationFault;
use super::NetworkError;
use super::ProtocolFault;
use super::ReadBackFault;
use super::ReadOnlyFault;
use super::RealmFault;
use super::ReferrersTagFault;
use super::TlsFault;
use super::UploadFault;

/// How the texts of an error are redacted.
pub(crate) struct ErrorTexts<'a> {
    /// For a text that a server chose.
    pub(crate) foreign: &'a dyn Fn(&str) -> String,
    /// For a message of our own, which may quote other text.
    pub(crate) message: &'a dyn Fn(&str) -> String,
    /// For the name of a store, and the host of a URL.
    pub(crate) place: &'a dyn Fn(&str) -> String,
}

impl StoreError {
    /// The same error without the secrets that `texts` hide.
    pub(crate) fn redacted(self, texts: &ErrorTexts<'_>) -> Self {
        let at = |name: String| (texts.place)(&name);
        let message = |words: String| (texts.message)(&words);
        match self {
            Self::Ambiguous { place, names } => {
                Self::Ambiguous { place: at(place), names: names.iter().map(|name| (texts.foreign)(name)).collect() }
            }
            Self::Broken { place, reason } => {
                Self::Broken { place: at(place), reason: texts.whole(reason, BrokenReason::Redacted) }
            }
            Self::Busy { place, reason } => Self::Busy { place: at(place), reason },
            Self::Content { place, error } => match texts.changed(&error) {
                None => Self::Content { place: at(place), error },
                Some(other) => Self::Protocol { place: at(place), reason: ProtocolFault::Redacted(other) },
            },
            Self::Contradiction { place, reason } => {
                Self::Contradiction { place: at(place), reason: texts.whole(reason, ContradictionReason::Redacted) }
            }
            Self::Denied { credential, place, reason } => Self::Denied {
                credential: credential.map(message),
                place: at(place),
                reason: texts.whole(texts.denial(reason), DenialReason::Redacted),
            },
            Self::Io { path, error } => Self::Io { path, error },
            Self::Manifest { place, error } => texts.manifest(at(place), error),
            Self::MissingBlob { place, response } => {
                Self::MissingBlob { place: at(place), response: response.with_text(texts.foreign) }
            }
            Self::NameTaken { place, name, held } => Self::NameTaken { place: at(place), name: message(name), held },
            Self::NotFound { content } => Self::NotFound { content: content.with_texts(texts.place, texts.message) },
            Self::Protocol { place, reason } => {
                let reason = texts.whole(texts.protocol(reason), ProtocolFault::Redacted);
                Self::Protocol { place: at(place), reason }
            }
            Self::ReadBack { place, reason } => {
                Self::ReadBack { place: at(place), reason: texts.whole(reason, ReadBackFault::Redacted) }
            }
            Self::ReadOnly { place, reason } => {
                Self::ReadOnly { place: at(place), reason: texts.whole(reason, ReadOnlyFault::Redacted) }
            }
            Self::Throttled { place, wait } => Self::Throttled { place: at(place), wait },
            Self::Timeout { doing, limit, what } => Self::Timeout { doing: message(doing), limit, what: at(what) },
            Self::Tls { place, fault, what } => texts.tls(at(place), fault, at(what)),
            Self::TooLarge { what, limit } => Self::TooLarge { what: at(what), limit },
            Self::TooMany { place, what, limit } => Self::TooMany { place: at(place), what, limit },
            Self::Unreachable { place, reason, what } => {
                let reason = texts.whole(texts.connection(reason), ConnectionFault::Redacted);
                Self::Unreachable { place: at(place), reason, what: at(what) }
            }
        }
    }
}

impl ErrorTexts<'_> {
    /// The message of `reason` as it is redacted, if that changes it.
    fn changed(&self, reason: &impl Display) -> Option<String> {
        let message = reason.to_string();
        Some((self.message)(&message)).filter(|redacted| *redacted != message)
    }

    /// `reason` unchanged if redaction does not change its message, otherwise the redacted message.
    fn whole<R: Display>(&self, reason: R, hidden: impl Fn(String) -> R) -> R {
        match self.changed(&reason) {
            None => reason,
            Some(message) => hidden(message),
        }
    }

    fn connection(&self, fault: ConnectionFault) -> ConnectionFault {
        match fault {
            ConnectionFault::AfterAttempts { attempts, elapsed, fault } => {
                ConnectionFault::AfterAttempts { attempts, elapsed, fault: Box::new(self.connection(*fault)) }
            }
            ConnectionFault::Interrupted { at, fault, size } => {
                ConnectionFault::Interrupted { at, fault: Box::new(self.connection(*fault)), size }
            }
            ConnectionFault::Network { error, proxy } => ConnectionFault::Network { error: self.network(error), proxy },
            ConnectionFault::Upload(UploadFault::Connection(fault)) => {
                ConnectionFault::Upload(UploadFault::Connection(Box::new(self.connection(*fault))))
            }
            other @ (ConnectionFault::EndedEarly
            | ConnectionFault::Host(_)
            | ConnectionFault::NoResponse { .. }
            | ConnectionFault::NoWholeResponse(_)
            | ConnectionFault::NothingReceived(_)
            | ConnectionFault::NothingTaken(_)
            | ConnectionFault::ProxyAuthentication { .. }
            | ConnectionFault::Redacted(_)
            | ConnectionFault::TooSlow(_)
            | ConnectionFault::Upload(_)) => other,
        }
    }

    fn denial(&self, reason: DenialReason) -> DenialReason {
        match reason {
            DenialReason::RealmNotAllowed { host } => DenialReason::RealmNotAllowed { host: (self.place)(&host) },
            DenialReason::RealmRefused(fault) => DenialReason::RealmRefused(match fault {
                RealmFault::NoUrl => RealmFault::NoUrl,
                RealmFault::OtherScheme(scheme) => RealmFault::OtherScheme((self.foreign)(&scheme)),
                RealmFault::PlainHttp(host) => RealmFault::PlainHttp((self.place)(&host)),
                RealmFault::PrivateNetwork(host) => RealmFault::PrivateNetwork((self.place)(&host)),
                RealmFault::UserName(host) => RealmFault::UserName((self.place)(&host)),
            }),
            DenialReason::Registry(response) => DenialReason::Registry(response.with_text(self.foreign)),
            DenialReason::Token { response, service, user } => {
                let response = response.with_text(self.foreign);
                DenialReason::Token { response, service: (self.place)(&service), user }
            }
            other @ (DenialReason::BasicWanted | DenialReason::Helper { .. } | DenialReason::Redacted(_)) => other,
        }
    }

    fn json(&self, error: JsonError) -> JsonError {
        error.converted(self.foreign)
    }

    fn location(&self, fault: LocationFault) -> LocationFault {
        let at = |host: String| (self.place)(&host);
        match fault {
            LocationFault::Downgrade(host) => LocationFault::Downgrade(at(host)),
            LocationFault::Internal(host) => LocationFault::Internal(at(host)),
            LocationFault::OtherScheme(scheme) => LocationFault::OtherScheme((self.foreign)(&scheme)),
            LocationFault::PlainHttp(host) => LocationFault::PlainHttp(at(host)),
            LocationFault::UploadHost(host) => LocationFault::UploadHost(at(host)),
            LocationFault::UserName(host) => LocationFault::UserName(at(host)),
            other @ (LocationFault::NoLocation
            | LocationFault::NoUploadLocation
            | LocationFault::NoUploadUrl
            | LocationFault::NoUrl) => other,
        }
    }

    fn manifest(&self, place: String, error: ManifestError) -> StoreError {
        let error = match error {
            ManifestError::Ambiguous { digest, reason: ManifestConflict::MediaType { body, descriptor } } => {
                let (body, descriptor) = (body.converted(self.foreign), descriptor.converted(self.foreign));
                ManifestError::Ambiguous { digest, reason: ManifestConflict::MediaType { body, descriptor } }
            }
            ManifestError::Json { digest, error } => ManifestError::Json { digest, error: self.json(error) },
            ManifestError::MediaType { digest, media_type } => {
                ManifestError::MediaType { digest, media_type: media_type.converted(self.foreign) }
            }
            other @ (ManifestError::Ambiguous { .. } | ManifestError::Limit { .. }) => other,
        };
        match self.changed(&error) {
            None => StoreError::Manifest { place, error },
            Some(other) => StoreError::Protocol { place, reason: ProtocolFault::Redacted(other) },
        }
    }

    /// The text of a library, which may quote a name of a server.
    fn network(&self, error: NetworkError) -> NetworkError {
        NetworkError { detail: (self.foreign)(&error.detail), ..error }
    }

    fn protocol(&self, reason: ProtocolFault) -> ProtocolFault {
        match reason {
            ProtocolFault::ErrorStatus(response) => ProtocolFault::ErrorStatus(response.with_text(self.foreign)),
            ProtocolFault::Link(LinkFault::OtherHost(origin)) => {
                ProtocolFault::Link(LinkFault::OtherHost((self.foreign)(&origin)))
            }
            ProtocolFault::Location(fault) => ProtocolFault::Location(self.location(fault)),
            ProtocolFault::LongTag(name) => ProtocolFault::LongTag(name.converted(self.foreign)),
            ProtocolFault::NotReferrers(media_type) => ProtocolFault::NotReferrers((self.foreign)(&media_type)),
            ProtocolFault::ReferrersTag(fault) => ProtocolFault::ReferrersTag(match fault {
                ReferrersTagFault::Json { checked, error } => {
                    ReferrersTagFault::Json { checked, error: self.json(error) }
                }
                ReferrersTagFault::OtherType { digest, media_type } => {
                    ReferrersTagFault::OtherType { digest, media_type: (self.foreign)(&media_type) }
                }
                other @ (ReferrersTagFault::Ambiguous
                | ReferrersTagFault::Entry
                | ReferrersTagFault::NoManifests
                | ReferrersTagFault::NotAnArray) => other,
            }),
            ProtocolFault::Request(error) => ProtocolFault::Request(self.network(error)),
            ProtocolFault::TokenService { response, service } => {
                let response = response.with_text(self.foreign);
                ProtocolFault::TokenService { response, service: (self.place)(&service) }
            }
            // Without a text of a server.
            other @ (ProtocolFault::ConfirmedEarly
            | ProtocolFault::ContentEncoding
            | ProtocolFault::Credential
            | ProtocolFault::Html
            | ProtocolFault::Link(_)
            | ProtocolFault::MissingPart { .. }
            | ProtocolFault::NotAManifest
            | ProtocolFault::NotTags
            | ProtocolFault::PageMissing
            | ProtocolFault::PaginationLoop
            | ProtocolFault::Redacted(_)
            | ProtocolFault::ReferrersApiGone
            | ProtocolFault::Token(_)
            | ProtocolFault::TooManyRedirects(_)
            | ProtocolFault::UnrequestedFilter
            | ProtocolFault::WrongRange) => other,
        }
    }

    fn tls(&self, place: String, fault: TlsFault, what: String) -> StoreError {
        let fault = match fault {
            TlsFault::Handshake { detail } => TlsFault::Handshake { detail: (self.foreign)(&detail) },
            TlsFault::OtherName { wanted, names } => TlsFault::OtherName {
                wanted: (self.place)(&wanted),
                names: names.iter().map(|name| (self.foreign)(name)).collect(),
            },
            TlsFault::Untrusted { issuer } => TlsFault::Untrusted { issuer: (self.foreign)(&issuer) },
            other @ (TlsFault::Expired { .. }
            | TlsFault::NoRoots
            | TlsFault::NoTls
            | TlsFault::NotYetValid { .. }
            | TlsFault::OnlyTls
            | TlsFault::Purpose
            | TlsFault::SelfSigned
            | TlsFault::UnreadableCertificate) => other,
        };
        match self.changed(&fault) {
            None => StoreError::Tls { place, fault, what },
            Some(other) => StoreError::Unreachable { place, reason: ConnectionFault::Redacted(other), what },
        }
    }
}
