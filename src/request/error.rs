//! `RequestError`: why a signing request, a signing response or a signing log is not accepted.

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotaryError;
use crate::json::JsonError;
use crate::key::KeyError;
use crate::key::KeyId;
use crate::policy::QuorumError;
use crate::request::Difference;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::FileFault;
use crate::request::LogFault;
use crate::request::SignedPart;
use crate::request::WholeDocument;
use crate::time::Time;
use crate::trust::TrustError;
use crate::x509::CertificateError;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;

/// Why a signing request, a signing response or a signing log is refused, or could not be evaluated.
///
/// A message contains its cause, so no variant has a `source()` that would be printed twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A certificate in the chain of a key cannot be read.
    #[error("certificate {number} in the chain of {owner}, key {}: {error}", key.short())]
    Certificate {
        /// The error.
        error: CertificateError,
        /// The key.
        key: KeyId,
        /// The number of the certificate in its chain, from 1.
        number: usize,
        /// The owner of the key.
        owner: String,
    },
    /// The certificate chain of a key breaks a rule, or could not be judged.
    #[error("the certificate chain of {owner}, key {}: {error}", key.short())]
    Chain {
        /// The error.
        error: Box<ChainError>,
        /// The key.
        key: KeyId,
        /// The owner of the key.
        owner: String,
    },
    /// A certificate chain that belongs to none of the keys that are asked.
    #[error("the certificate {certificate} is of none of the keys that are asked, but of the key {}", key.short())]
    ChainOfNobody {
        /// The signer's certificate.
        certificate: CertificateLabel,
        /// Its key.
        key: KeyId,
    },
    /// The certificate chain beside a key belongs to another key.
    #[error(
        "the certificate {certificate} in the chain of {owner} is of another key: {}, not {}",
        certified.short(), key.short()
    )]
    ChainOfOtherKey {
        /// The signer's certificate.
        certificate: CertificateLabel,
        /// Its key.
        certified: KeyId,
        /// The key that it stands beside.
        key: KeyId,
        /// The owner of the key.
        owner: String,
    },
    /// The clock of this machine is wrong.
    #[error("it is {now} by this machine's clock, but the request was made at {created}")]
    Clock {
        /// When the request was created.
        created: Time,
        /// The time of the clock.
        now: Time,
    },
    /// The countersignature is dated before the request was created, or after it expired.
    #[error("key {} signed at {signed}, the request was open from {created} to {expires}", key.short())]
    Dated {
        /// When the request was created.
        created: Time,
        /// When the request expired.
        expires: Time,
        /// The key that signed.
        key: KeyId,
        /// When it signed, by the signer's clock.
        signed: Time,
    },
    /// The request asks for something else than the expected one.
    #[error("{0}")]
    Different(Difference),
    /// An element occurs twice.
    #[error("{what} twice")]
    Duplicate {
        /// The duplicate element.
        what: Duplicate,
    },
    /// The payload of an item cannot be serialized.
    #[error("{reference}: {error}")]
    Envelope {
        /// The error.
        error: EnvelopeError,
        /// The name of the item.
        reference: String,
    },
    /// The request has expired.
    #[error("the request expired at {expires}, and it is {now}")]
    Expired {
        /// When it expired.
        expires: Time,
        /// The current time.
        now: Time,
    },
    /// A field is empty, malformed or contradicts another.
    #[error("`{field}` {reason}")]
    Field {
        /// The name of the field.
        field: String,
        /// What is wrong with it.
        reason: FieldFault,
    },
    /// A file of a request, or a copy of it, is not signed.
    #[error("{name}: {error}")]
    File {
        /// What is wrong.
        error: FileFault,
        /// The name of the file, or the path of the copy.
        name: String,
    },
    /// The JSON is not that of this document.
    #[error("not the JSON of a {document}: {error}")]
    Json {
        /// The document.
        document: &'static str,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// A key cannot be parsed.
    #[error("the key of {owner}: {error}")]
    Key {
        /// The error.
        error: KeyError,
        /// The owner of the key.
        owner: String,
    },
    /// The formats of the Notary Project do not allow a key.
    #[error("the key {} of {owner}: {error}", key.short())]
    KeyNotAllowed {
        /// The error.
        error: NotaryError,
        /// The key.
        key: KeyId,
        /// The owner of the key.
        owner: String,
    },
    /// The document is of another kind or version.
    #[error("a {got:?} of version {version}, wanted a {want:?} of version 1")]
    Kind {
        /// The kind that the document states.
        got: String,
        /// The version that the document states.
        version: u64,
        /// The expected kind.
        want: &'static str,
    },
    /// The document exceeds a limit.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// The number that was found.
        got: u64,
        /// The limit.
        limit: u64,
        /// The kind of limit.
        what: String,
    },
    /// A line of a signing log does not continue the hash chain.
    #[error("line {line}: {why}")]
    Log {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        why: LogFault,
    },
    /// The request does not ask to sign an expected digest.
    #[error("it does not ask to sign {digest}, which is expected")]
    MissingDigest {
        /// The digest.
        digest: Box<Digest>,
    },
    /// A format with certificates is asked of a key without a certificate chain.
    #[error("the key {} of {owner} has no certificate chain, which the notary formats need", key.short())]
    NoChain {
        /// The key.
        key: KeyId,
        /// The owner of the key.
        owner: String,
    },
    /// The key was not asked to sign.
    #[error("nobody asked for a signature of the key {key:.12}; asked are {asked}")]
    NotAsked {
        /// The owners and keys that were asked.
        asked: String,
        /// The id of the key.
        key: String,
    },
    /// The file is not this document at all: not even JSON that states its kind.
    #[error("not a {document}: {error}")]
    OtherFile {
        /// The expected document.
        document: &'static str,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// The request asks other owners or other keys than expected.
    #[error("it asks {asked}, and these are not the owners and keys that were given")]
    OtherOwners {
        /// The owners and keys that were asked.
        asked: String,
    },
    /// The response is for another request.
    #[error("it answers the request {got}, not {want}")]
    OtherRequest {
        /// The digest of the request that it is for.
        got: Box<Digest>,
        /// The digest of the expected request.
        want: Box<Digest>,
    },
    /// The threshold of the request is not the expected one.
    #[error("it asks for {got} of its owners, wanted {}", want.map_or_else(|| "a number".to_owned(), |want| want.to_string()))]
    OtherThreshold {
        /// The threshold of the request.
        got: u32,
        /// The expected threshold.
        want: Option<u32>,
    },
    /// The JSON exceeds a size or depth limit.
    #[error("{document}: {error}")]
    TooMuch {
        /// The document.
        document: &'static str,
        /// The exceeded limit.
        error: JsonError,
    },
    /// The owners of the request cannot meet its threshold.
    #[error("{0}")]
    Quorum(QuorumError),
    /// No owner has a key.
    #[error("{0}")]
    Trust(TrustError),
    /// The signature that is asked for has expired.
    #[error("the signature that is asked for expired at {expiry}, and it is {now}")]
    SignatureExpired {
        /// The expiry of the signature.
        expiry: Time,
        /// The current time.
        now: Time,
    },
    /// The signing time that is to be signed is ahead of the clock of this machine.
    #[error(
        "it is {now} by this machine's clock, and the signing time {signing_time} that is to be signed is ahead of it"
    )]
    SigningTimeAhead {
        /// The time of the clock.
        now: Time,
        /// The signing time.
        signing_time: Time,
    },
    /// A signature is over a payload that the request does not contain.
    #[error("key {} signed {what}, which nobody asked for", key.short())]
    Unasked {
        /// The key that signed.
        key: KeyId,
        /// What it signed.
        what: SignedPart,
    },
    /// The request asks to sign a digest that is not expected.
    #[error("{name}: it asks to sign {digest}, which is not expected")]
    UnexpectedDigest {
        /// The digest.
        digest: Box<Digest>,
        /// What it is the digest of.
        name: String,
    },
    /// A signature does not verify.
    #[error("the signature of the key {} over {what} does not verify", key.short())]
    Unsigned {
        /// The key that should have signed.
        key: KeyId,
        /// What it should have signed.
        what: SignedPart,
    },
    /// A predicate is a whole document, which would be signed inside another of its kind.
    #[error("the predicate is {what}")]
    WholeDocument {
        /// The kind of document.
        what: WholeDocument,
    },
}

impl RequestError {
    /// Whether the error is could-not-tell, not a refusal: a limit was exceeded, the clock is wrong, or another file
    /// was given than intended.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Certificate { error, .. } => error.is_undetermined(),
            Self::Chain { error, .. } => error.is_undetermined(),
            Self::File { error, .. } => error.is_undetermined(),
            Self::Clock { .. }
            | Self::Kind { .. }
            | Self::Limit { .. }
            | Self::OtherFile { .. }
            | Self::SigningTimeAhead { .. }
            | Self::TooMuch { .. }
            | Self::WholeDocument { .. } => true,
            _ => false,
        }
    }

    /// A short, stable name of the kind of error, for reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "certificate-unreadable",
            Self::Chain { .. } | Self::ChainOfNobody { .. } | Self::ChainOfOtherKey { .. } => "certificate-chain",
            Self::Clock { .. } | Self::SigningTimeAhead { .. } => "clock",
            Self::Dated { .. } => "dated",
            Self::Different(_) => "different",
            Self::Duplicate { .. } => "duplicate",
            Self::Envelope { .. } => "envelope-unreadable",
            Self::Expired { .. } => "expired",
            Self::Field { .. } => "field",
            Self::File { error, .. } => error.code(),
            Self::Json { .. } => "not-json",
            Self::Key { .. } => "key-unreadable",
            Self::KeyNotAllowed { .. } => "key-not-allowed",
            Self::Kind { .. } | Self::OtherFile { .. } => "other-document",
            Self::Limit { .. } | Self::TooMuch { .. } => "limit",
            Self::Log { .. } => "log-broken",
            Self::MissingDigest { .. } | Self::UnexpectedDigest { .. } => "other-digest",
            Self::NoChain { .. } => "no-certificate",
            Self::NotAsked { .. } => "not-asked",
            Self::OtherOwners { .. } => "other-owners",
            Self::OtherRequest { .. } => "other-request",
            Self::OtherThreshold { .. } => "other-threshold",
            Self::Quorum(_) | Self::Trust(_) => "threshold",
            Self::SignatureExpired { .. } => "signature-expired",
            Self::Unasked { .. } => "unasked",
            Self::Unsigned { .. } => "signature",
            Self::WholeDocument { .. } => "whole-document",
        }
    }
}
