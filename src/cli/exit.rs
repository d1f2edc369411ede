//! The exit codes, and what is said on the way out.

use std::process::ExitCode;

use crate::oci::Reference;
use crate::oci::ReferenceError;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::policy;
use crate::policy::PredicateTypeError;
use crate::store::StoreError;
use crate::store::TlsFault;

use super::timeout;
use super::verdict;

/// The three ways in which a command ends. There is no fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: yes, or done.
    Yes,
    /// 1: refused. The evidence says no.
    Refused,
    /// 2: could not tell: network, missing data, limits, bad arguments.
    Unknown,
}

/// A command that did not end with yes, and what people should read about it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The kind of failure, for reports. It never changes.
    pub code: &'static str,
    /// How it ends.
    pub exit: Exit,
    /// The thing, then what was found and what was wanted.
    pub message: String,
    /// One line for each detail.
    pub details: Vec<String>,
    /// What could be typed next.
    pub hint: Option<String>,
}

impl Failure {
    /// Could not tell, because of `message`: what was typed cannot be done, unless the code says otherwise.
    pub fn unknown(message: impl Into<String>) -> Self {
        let code = "bad-argument";
        Self { code, exit: Exit::Unknown, message: message.into(), details: Vec::new(), hint: None }
    }

    /// Refused, because of `message`.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::unknown(message) }
    }

    /// The same failure, with the reference that it is about where it is one of `all` and the message does not name it.
    #[must_use]
    pub(super) fn of(mut self, reference: &str, all: &[String]) -> Self {
        if all.len() > 1 && !self.message.contains(reference) {
            self.details.push(format!("of {reference}"));
        }
        self
    }

    /// With something to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Exit {
    /// The worse of two: a command about several things ends as badly as the worst of them. Refused is an answer and
    /// could-not-tell is none, so of the two the refusal is what is reported.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::Refused => Self::from(1),
            Exit::Unknown => Self::from(2),
        }
    }
}

impl From<OpsError> for Failure {
    fn from(error: OpsError) -> Self {
        let exit = if error.is_refusal() { Exit::Refused } else { Exit::Unknown };
        let failure = Self { code: error.code(), exit, ..Self::unknown(error.to_string()) };
        match &error {
            OpsError::Incomplete { .. } => failure.hint(verdict::DAMAGED),
            OpsError::NoChild { .. } => failure.hint("name the platforms by digest, or leave out --all-platforms"),
            OpsError::NoName { digest, place } => failure.hint(format!("{place}:<a tag>   or {place}@{digest}")),
            OpsError::SeveralNames { names, place } => {
                let tag = names.first().map_or("<a tag>", String::as_str);
                failure.hint(format!("{place}:{tag}"))
            }
            OpsError::SamePlatform { has, .. } => match has.as_slice() {
                [first, others @ ..] if others.iter().all(|other| other != first) => {
                    failure.hint(format!("--platform '{first}'"))
                }
                _ => failure.hint("name one of them by its digest, which bulla tree shows"),
            },
            OpsError::Store(error) => match hint(error) {
                Some(text) => failure.hint(text),
                None => failure,
            },
            _ => failure,
        }
    }
}

impl From<PredicateTypeError> for Failure {
    fn from(error: PredicateTypeError) -> Self {
        let names = policy::PREDICATE_TYPES.map(|(name, _)| name).join(", ");
        Self::unknown(error.to_string()).hint(format!("a URI, or one of {names}"))
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let failure = Self::unknown(error.to_string());
        match error.hint() {
            Some(text) => failure.hint(text),
            None => failure,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        OpsError::from(error).into()
    }
}

/// What helps where something beside an image could not be read, so that nothing was decided.
pub(super) fn open_hint(error: &StoreError) -> String {
    match error {
        StoreError::Denied { .. } => {
            "log in to the registry: bulla reads the files that docker login writes".to_owned()
        }
        StoreError::TooMany { .. } => {
            "ask who keeps the repository to remove stale signatures and referrers".to_owned()
        }
        _ => hint(error).unwrap_or_else(|| "try again; nothing was decided".to_owned()),
    }
}

/// What helps against an error of a store, where it can be told.
fn hint(error: &StoreError) -> Option<String> {
    match error {
        // The words are those of the registry client.
        StoreError::Denied { why, .. } if why.contains("token service is on another site") => {
            Some("--allow-realm HOST, if that host is known to you".to_owned())
        }
        StoreError::Denied { place, .. } => {
            let host = place.split('/').next().unwrap_or_default();
            Some(format!("docker login {host}   # bulla reads the same files"))
        }
        StoreError::NameTaken { place, .. } => {
            Some(format!("{place}:<another name>, or --overwrite if the name is to stand for this image from now on"))
        }
        StoreError::NotFound { what } => names(what),
        StoreError::Timeout { .. } => Some(timeout::HINT.to_owned()),
        StoreError::Tls { place, fault, .. } => tls_hint(place, fault).map(str::to_owned),
        StoreError::Throttled { .. } => {
            Some("try again later, or log in: registries allow more to known users".to_owned())
        }
        _ => None,
    }
}

/// Where a name was not found: what lists those that are there.
fn names(what: &str) -> Option<String> {
    if let Some((_, place)) = what.strip_prefix('`').and_then(|rest| rest.split_once("` in oci")) {
        return Some(format!("bulla ls oci{place}   # shows the names that are there"));
    }
    match what.parse::<Reference>() {
        Ok(Reference::Registry(image)) if matches!(image.tag_or_digest(), TagOrDigest::Tag(_)) => {
            Some(format!("bulla ls {}/{}   # shows the tags that are there", image.host(), image.repository()))
        }
        _ => None,
    }
}

/// What helps against a fault of TLS. Where only the registry can mend it, nothing is said.
fn tls_hint(place: &str, fault: &TlsFault) -> Option<&'static str> {
    match fault {
        TlsFault::NoTls if is_loopback(place) => Some("leave out --tls"),
        TlsFault::NoTls => Some("--plain-http, if the registry is known to speak no TLS"),
        TlsFault::OnlyTls if is_loopback(place) => Some("--tls: this machine is spoken to over plain http otherwise"),
        TlsFault::OnlyTls => Some("leave out --plain-http"),
        TlsFault::SelfSigned => {
            Some("--ca FILE, with exactly this certificate, if you have it from the registry's owner")
        }
        TlsFault::OtherName { .. } => Some("name the registry as its certificate does"),
        TlsFault::Expired { .. } | TlsFault::NotYetValid { .. } => {
            Some("compare the clock of this machine (date -u); if it is right, the registry needs a new certificate")
        }
        TlsFault::Untrusted { .. } => Some("--ca FILE, with the certificate authority of the registry"),
        _ => None,
    }
}

/// Whether a host, as references name it, is this machine.
fn is_loopback(place: &str) -> bool {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}
