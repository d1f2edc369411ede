//! Why a signed document cannot be read, or was not signed by a key.

use crate::digest::Digest;
use crate::envelope::DocumentFault;
use crate::envelope::NotaryError;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::limits::count;
use crate::oci::referrer;
use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::BundleError;
use crate::x509::CertificateLabel;

/// Why a signed document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A base64 field is invalid.
    #[error("`{field}` is not base64")]
    Base64 {
        /// The name of the field.
        field: &'static str,
    },
    /// An annotation with certificates that cannot be read: cosign v2.
    #[error("`{annotation}`: {error}")]
    Certificates {
        /// The key of the annotation.
        annotation: &'static str,
        /// Why its certificates cannot be read.
        error: BundleError,
    },
    /// An annotation with the issuers of a certificate that is not there: cosign v2.
    #[error("`{}` without `{}`", referrer::COSIGN_CHAIN, referrer::COSIGN_CERTIFICATE)]
    ChainAlone,
    /// A certificate chain that belongs to another key than the one that is to sign.
    #[error("the certificate {certificate} is of another key: {}, not {}", certified.short(), key.short())]
    ChainOfOtherKey {
        /// The signer's certificate.
        certificate: CertificateLabel,
        /// Its key.
        certified: KeyId,
        /// The key that is to sign.
        key: KeyId,
    },
    /// A certificate chain that was not verified by the rules for this format.
    #[error("the certificate chain was not verified by the profile {profile}, which the format needs")]
    ChainProfile {
        /// The name of the profile.
        profile: &'static str,
    },
    /// A certificate chain that was verified for another time than the signing time.
    #[error("the certificate chain was verified for {at}, and the signing time is {signing_time}")]
    ChainTime {
        /// The time that it was verified for.
        at: Time,
        /// The signing time.
        signing_time: Time,
    },
    /// A field is missing, empty or contradicts another.
    #[error("{0}")]
    Form(DocumentFault),
    /// The JSON is not that of this format.
    #[error("not the JSON of a {format}: {error}")]
    Json {
        /// The name of the format.
        format: &'static str,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// A signature with a certificate is to be made, and there is no certificate chain of the key.
    #[error("the key {} has no certificate chain, which the format needs", key.short())]
    NoChain {
        /// The key.
        key: KeyId,
    },
    /// A simple signing payload that is to be made without the name that it always carries.
    #[error("a simple signing payload needs a name")]
    NoIdentity,
    /// A simple signing layer has no annotation with its signature.
    #[error("a layer without the annotation {}", referrer::COSIGN_SIGNATURE)]
    NoSignatureAnnotation,
    /// The document exceeds a limit.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// The kind of limit.
        what: &'static str,
        /// The number that was found.
        got: u64,
        /// The limit.
        limit: u64,
    },
    /// A Notary Project envelope breaks a rule, or cannot be judged.
    #[error(transparent)]
    Notary(#[from] NotaryError),
    /// A Notary Project envelope breaks a rule of the strict reader, and the lenient one
    /// ([`Strictness::AsNotation`](crate::envelope::Strictness)) reads it.
    #[error("{0}; the lenient reader (as-notation) reads it")]
    OnlyLenient(NotaryError),
    /// A signature that is to be stored beside an image is about another digest.
    #[error("a signature about {signs} cannot be stored beside {wanted}")]
    OtherSubject {
        /// The digest that was signed.
        signs: Box<Digest>,
        /// The digest of the image.
        wanted: Box<Digest>,
    },
    /// A finished statement that is to be signed about an image names other subjects.
    #[error("a statement about {subjects}, not about {wanted}")]
    OtherSubjects {
        /// Digests of its subjects, shortened.
        subjects: String,
        /// The digest of the image.
        wanted: Box<Digest>,
    },
    /// A timestamp that is to be stored beside a signature is about something else.
    #[error("a timestamp about something else than the signature")]
    OtherTimestamp,
    /// The annotation with the certificate of the signer has several: cosign v2.
    #[error("`{}` has {got} certificates, not one", referrer::COSIGN_CERTIFICATE)]
    SeveralCertificates {
        /// Their number.
        got: usize,
    },
    /// A media, payload or statement type is unsupported.
    #[error("unknown {what} {got:?}")]
    Type {
        /// The kind of type.
        what: &'static str,
        /// Its value.
        got: Untrusted,
    },
    /// The document has no signature at all (threats: empty-signature-list).
    #[error("it has no signature")]
    Unsigned,
    /// A format that cannot carry the statement that is to be signed.
    #[error("{statement} cannot be written in the format {form}")]
    Unwritable {
        /// The format.
        form: &'static str,
        /// The statement.
        statement: &'static str,
    },
}

/// The key did not make any of the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not signed by the key {0}")]
pub struct NotSignedBy(pub KeyId);

impl EnvelopeError {
    pub(crate) fn unknown(what: &'static str, got: &str) -> Self {
        Self::Type { what, got: Untrusted::within(got, SHOWN) }
    }

    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json { error, .. } if error.is_duplicate_key() => "duplicate-key",
            Self::Form(DocumentFault::BundleVersion { .. }) => "bundle-version",
            Self::Type { what: BUNDLE_MEDIA_TYPE, .. } => "bundle-version",
            Self::Unsigned => "unsigned-envelope",
            _ => "envelope-unreadable",
        }
    }

    /// Whether the document exceeds a limit; it may still be valid.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Certificates { error, .. } => error.is_limit(),
            Self::Form(fault) => fault.is_limit(),
            Self::Limit { .. } => true,
            Self::Notary(error) | Self::OnlyLenient(error) => error.is_undetermined(),
            _ => false,
        }
    }

    pub(super) fn bounded(what: &'static str, got: usize, limit: u64) -> Result<(), Self> {
        match count(got) > limit {
            true => Err(Self::Limit { what, got: count(got), limit }),
            false => Ok(()),
        }
    }
}

/// The media type of a bundle, which names its version.
pub(super) const BUNDLE_MEDIA_TYPE: &str = "bundle media type";
/// How much of a type a message shows, in characters.
const SHOWN: usize = 80;
