//! `FieldFault`: what is wrong with a field of a signing request or a signing response.

use crate::envelope::EnvelopeError;
use crate::key::KeyId;
use crate::oci::Reference;
use crate::oci::ReferenceError;

/// What is wrong with a field, as the rest of a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// An attestation has the predicate type of an image signature (threats: attestation-as-signature).
    #[error("is that of an image signature, not of an attestation")]
    AttestsSignature,
    /// The text is not base64.
    #[error("{0}")]
    Base64(EnvelopeError),
    /// The field belongs to the bundle form.
    #[error("belongs to the bundle form, and only to it")]
    BundleFormOnly,
    /// A countersignature and its time are not both there.
    #[error("and `time` belong together")]
    CountersignatureTime,
    /// The value is empty.
    #[error("is empty")]
    Empty,
    /// A key is empty.
    #[error("has an empty key")]
    EmptyKey,
    /// A key has a `=`, which separates keys from values where annotations are typed and shown.
    #[error("has a key with a `=` in it, {0:?}")]
    EqualsSign(String),
    /// The time of expiry is not after that of creation.
    #[error("is not after `created`")]
    ExpiresBeforeCreation,
    /// The expiry of a signature is not after its signing time.
    #[error("is not after `signingTime`")]
    ExpiryBeforeSigning,
    /// The name of a file is not the name of one file, without directories.
    #[error("is not the name of one file: {0:?}")]
    FileName(String),
    /// The signature formats are not in one of the allowed forms.
    #[error(
        "is not a list of \"bundle\", \"tag\" and, for image signatures, \"notary-jws\" and \"notary-cose\", in this order"
    )]
    Forms,
    /// A character is invisible or changes how other text is shown.
    #[error("has a character that does not show, {}", .0.escape_unicode())]
    HiddenCharacter(char),
    /// The id of a key is not that of the key beside it.
    #[error("of a key of {owner} is not that of the key beside it")]
    KeyId {
        /// The owner of the key.
        owner: String,
    },
    /// The public key of an owner is not base64.
    #[error("of {owner}: {error}")]
    KeyText {
        /// The error.
        error: EnvelopeError,
        /// The owner of the key.
        owner: String,
    },
    /// A key has other characters than letters, digits and `./_-`.
    #[error("has a key that is not of letters, digits and ./_-: {0:?}")]
    LabelKey(String),
    /// The media type is neither that of an image manifest nor that of an index.
    #[error("is neither that of an image manifest nor that of an index")]
    MediaType,
    /// The owner has no keys.
    #[error("of {owner} is empty")]
    NoKeys {
        /// The owner.
        owner: String,
    },
    /// The predicate is not a JSON object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// The field belongs to the formats of the Notary Project, which are signed with certificates.
    #[error("belongs to the notary forms, and only to them")]
    NotaryFormOnly,
    /// The digest of a file is not by SHA-256.
    #[error("of a file is not by SHA-256")]
    NotSha256,
    /// The content of a file has another size or digest than the fields beside it.
    #[error("is not what `size` and `digest` say")]
    OtherContent,
    /// The reference names another digest than the item.
    #[error("names another digest than `digest`")]
    OtherDigest,
    /// The key belongs to another owner.
    #[error("is {got:?}, but the key {} is {want}'s", key.short())]
    OtherOwner {
        /// The owner that the response names.
        got: String,
        /// The key.
        key: KeyId,
        /// The owner of the key in the request.
        want: String,
    },
    /// The reference is not in its canonical spelling.
    #[error("is written {0}")]
    OtherSpelling(Box<Reference>),
    /// The name of an owner has characters that are not allowed in it.
    #[error("of an owner is not a plain name: {0:?}")]
    OwnerName(String),
    /// The name of an owner cannot be part of the name of a file.
    #[error("of an owner cannot be part of the name of a file signature: {0:?}")]
    OwnerFileName(String),
    /// A platform cannot be parsed.
    #[error("has an entry that is no platform")]
    Platform,
    /// An attestation is asked for with both a predicate and a finished statement, with neither, or in part.
    #[error("has either `predicateType` and `predicate`, or `statement` alone")]
    PredicateOrStatement,
    /// The text is not a reference.
    #[error("{0}")]
    Reference(ReferenceError),
    /// The signing time is not the creation time of the request.
    #[error("is not `created`")]
    SigningTime,
    /// A finished statement cannot be signed.
    #[error("{0}")]
    Statement(Box<EnvelopeError>),
    /// The field belongs to the tag form.
    #[error("belongs to the tag form, and only to it")]
    TagFormOnly,
    /// The time cannot be parsed, or is not in its only allowed spelling.
    #[error("is not a time like 2026-01-31T12:00:00Z")]
    Time,
    /// An item asks for a signature and an attestation.
    #[error("has an item that asks for two kinds at once")]
    TwoKinds,
    /// The countersignature is over a response that lacks signatures.
    #[error("is over an answer that was not finished")]
    Unfinished,
    /// An item asks for neither a signature nor an attestation.
    #[error("has an item that asks for no known kind")]
    UnknownKind,
}
