//! `OpsError`: the errors of operations.

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::envelope::SigningFault;
use crate::json::JsonError;
use crate::key::SignerError;
use crate::oci::ConfigError;
use crate::oci::ManifestError;
use crate::ops::attached_signatures::AttachedSignatures;
use crate::ops::not_loadable::NotLoadable;
use crate::ops::signed::Signed;
use crate::ops::timestamp::TimestampAuthorityError;
use crate::ops::timestamp::TimestampingError;
use crate::ops::witness::LogEntryError;
use crate::ops::witness::SignatureLogError;
use crate::policy::RequirementId;
use crate::policy_file::RequiredPolicyError;
use crate::store::StoreError;
use crate::text::Untrusted;
use crate::verify::Reason;
use crate::verify::VerifierError;

/// An error of an operation: could not tell, or not done. It is a refusal only if [`OpsError::is_refusal`] says so.
///
/// Its message contains the messages of its causes, and `source()` is `None`, as for errors of stores.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpsError {
    /// An import with a verifier that judges expiry at another time than now: what is imported must be valid now.
    #[error("an import judges expiry at the current time")]
    ExpiryNotNow,
    /// An import with a policy that counts only the newest statements: it carries what counted, and without a newer
    /// statement that did not, an older one would decide at the destination.
    #[error("requirement `{0}` counts only the newest statements: import the image by a policy file")]
    ImportOfNewest(RequirementId),
    /// An import of an index, with a verification of its platforms alone.
    #[error("an import verifies the index itself, or by a policy file")]
    ImportOfPlatforms,
    /// An image is not the same as when the signing request was made.
    #[error("{place}: {what} is {got}, the request says {want}")]
    Changed {
        /// The present value.
        got: String,
        /// The reference of the image.
        place: String,
        /// The field that differs.
        what: &'static str,
        /// The value in the request, which the signers saw.
        want: String,
    },
    /// An image config cannot be parsed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A document cannot be written as an envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// An import by policies from an evaluation that did not look for all evidence.
    #[error("an import by policies carries all evidence: evaluate the image with `PolicyOptions::with_all_evidence`")]
    EvidenceLeftOut,
    /// The source holds evidence, and layers were requested.
    #[error("{place}: it holds the evidence of images, without their layers")]
    EvidenceOnly {
        /// The source.
        place: String,
    },
    /// Evidence without layers was to be written among whole images, or a whole image among evidence.
    #[error("{place}: evidence without layers and whole images do not go into one place")]
    EvidencePlace {
        /// The destination.
        place: String,
    },
    /// A signed document of an image could not be read, so it is unknown whether it is the signature to be made.
    #[error("{place}: cannot tell whether it is the signature to be made: {reason}")]
    EvidenceUnread {
        /// The signature manifest.
        place: String,
        /// The reason.
        reason: Reason,
    },
    /// Configs or layers of an image are missing, are not what its manifests declare, or could not be read.
    #[error("{first}{}", and_more(*.more))]
    Incomplete {
        /// The error of the first of them.
        first: Box<StoreError>,
        /// The number of further errors.
        more: usize,
    },
    /// A platform is signed and its index is not, in an archive from which `docker load` chooses the platform.
    #[error("{place}: a platform is signed, but not the index that `docker load` chooses from")]
    IndexNotSigned {
        /// The archive.
        place: String,
    },
    /// A document cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Layers were requested from a function that reads manifests only.
    #[error("`ops::verify::verify` reads no configs and layers; `ops::layers::verify` does")]
    LayersNotRead,
    /// A log did not answer with an entry that counts, so nothing is attached.
    #[error("no log entry for the signature of {subject}: {error}")]
    LogEntry {
        /// What is wrong with its answer, or with what was asked for.
        error: LogEntryError,
        /// The image.
        subject: Digest,
    },
    /// A manifest in the graph cannot be parsed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The requirements of a policy file cannot be evaluated.
    #[error("the policy cannot be evaluated: {0}")]
    Policy(RequiredPolicyError),
    /// The owners of a policy file cannot be evaluated.
    #[error("the policy cannot be evaluated: {0}")]
    Verifier(VerifierError),
    /// A manifest of an index is missing, and all of them were requested.
    #[error("{platform}, {digest}: {error}")]
    NoChild {
        /// The missing manifest.
        digest: Digest,
        /// The error of the store.
        error: StoreError,
        /// Its platform, as the index declares it.
        platform: String,
    },
    /// Documents about platforms were given for an image that is no index.
    #[error("{digest} is a single image, not an index of platforms")]
    NoIndex {
        /// The image.
        digest: Digest,
    },
    /// The image has no name at its source, and none was typed for the repository.
    #[error("`{place}`: the image has no tag at its source, and none is given")]
    NoName {
        /// The image.
        digest: Digest,
        /// The repository.
        place: String,
    },
    /// There is no manifest for the requested platform.
    #[error("{index} has no manifest for {platform}; it has {has}")]
    NoPlatform {
        /// The index.
        index: Digest,
        /// The requested platform.
        platform: String,
        /// The platforms that it has.
        has: String,
    },
    /// Statements about the platforms of an index were wanted, and it lists none.
    #[error("{index} is an index that lists no platform, so there is nothing that could be attested")]
    NoPlatforms {
        /// The index.
        index: Digest,
    },
    /// An archive that has no image for `docker load`.
    #[error("{place}: `docker load` loads no image from it")]
    NothingLoaded {
        /// The archive.
        place: String,
    },
    /// A repository lists a name that is not a valid tag, so no reference can name it.
    #[error("{place}: it lists `{name}`, which is not a valid tag")]
    NotATag {
        /// The name.
        name: Untrusted,
        /// The repository.
        place: String,
    },
    /// `docker load` could not load the manifest, so a docker-archive cannot list it.
    #[error("{digest} cannot go into a docker-archive: {reason}")]
    NotLoadable {
        /// The manifest.
        digest: Digest,
        /// The reason.
        reason: NotLoadable,
    },
    /// A new signature does not verify, so it is not attached.
    #[error(transparent)]
    NotSigned(#[from] NotSignedBy),
    /// The destination names another digest than that of the image.
    #[error("{place}: the image is {got}, not {want}; digests do not change")]
    OtherDigest {
        /// The digest of the image.
        got: Digest,
        /// The destination.
        place: String,
        /// The digest in the destination reference.
        want: Digest,
    },
    /// Some signatures were attached, and then an error happened.
    #[error("{error}; attached before that: {attached}")]
    PartlyAttached {
        /// The signatures that were attached.
        attached: AttachedSignatures,
        /// The error.
        error: Box<Self>,
        /// Of [`sign`](crate::ops::sign::sign) and [`attest`](crate::ops::attest::attest): what was attached or existed
        /// already, by key. Empty for other operations.
        signed: Vec<Signed>,
    },
    /// Documents about platforms were given, and a platform of the index has none.
    #[error("{index} also has {platform}, and no document is given for it")]
    PlatformMissing {
        /// The index.
        index: Digest,
        /// The platform.
        platform: String,
    },
    /// Two documents were given for one platform.
    #[error("two documents are given for {platform} of {index}")]
    PlatformTwice {
        /// The index.
        index: Digest,
        /// The platform.
        platform: String,
    },
    /// An index has several manifests, a docker-archive lists one of them, and none was chosen.
    #[error("{index} is for {}; a docker-archive lists one of them", .has.join(", "))]
    PlatformNotChosen {
        /// The index.
        index: Digest,
        /// The platforms that it has.
        has: Vec<String>,
    },
    /// The destination does not return what was pushed.
    #[error("{place}: pushed, but it does not read back: {reason}")]
    ReadBack {
        /// The pushed reference.
        place: String,
        /// What the destination returns instead.
        reason: ReadBackReason,
    },
    /// Referrers of referrers are nested deeper than the limit.
    #[error("{digest}: referrers of referrers deeper than {limit}")]
    ReferrersTooDeep {
        /// The manifest at the limit.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// Several manifests of an index match the requested platform.
    #[error("{index} has {} manifests for {platform}; none can be chosen: they are for {}", .has.len(), .has.join(", "))]
    SamePlatform {
        /// The platform of each of them, as the index declares it.
        has: Vec<String>,
        /// The index.
        index: Digest,
        /// The requested platform.
        platform: String,
    },
    /// The image has several names at its source, and none was typed for the repository.
    #[error("`{place}`: the image has several tags at its source ({}), and none is given", .names.join(", "))]
    SeveralNames {
        /// The tags.
        names: Vec<String>,
        /// The repository.
        place: String,
    },
    /// A log could not be asked, so nothing is attached.
    #[error("no log entry: {0}")]
    SignatureLog(SignatureLogError),
    /// A signature of an image could not be fetched, so it is unknown whether it has a timestamp.
    #[error("{place}: cannot tell whether it is a signature without a timestamp: {reason}")]
    SignatureUnread {
        /// The signature manifest.
        place: String,
        /// The reason.
        reason: Reason,
    },
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The timestamp authority did not answer with a timestamp that counts, so nothing is attached.
    #[error("no timestamp for the signature of {subject}: {error}")]
    Timestamp {
        /// What is wrong with its answer.
        error: TimestampingError,
        /// The image.
        subject: Digest,
    },
    /// The timestamp authority could not be asked, so nothing is attached.
    #[error("no timestamp: {0}")]
    TimestampAuthority(TimestampAuthorityError),
    /// Indexes are nested deeper than the limit.
    #[error("{digest}: nested deeper than {limit}")]
    TooDeep {
        /// The manifest at the limit.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// An index has more manifests than one signing request may contain.
    #[error("{digest}: more than {limit} manifests below one reference")]
    TooMany {
        /// The manifest at the limit.
        digest: Digest,
        /// The limit.
        limit: u64,
    },
    /// Manifests declare two sizes for one blob, so one of them is wrong.
    #[error("{digest} is declared with {first} bytes and with {second}, and no blob has two sizes")]
    TwoSizes {
        /// The blob.
        digest: Digest,
        /// One of the sizes.
        first: u64,
        /// Another one.
        second: u64,
    },
    /// An internal task panicked.
    #[error("an internal task failed")]
    Task,
}

/// What a destination returns instead of what was pushed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBackReason {
    /// The registry accepted a blob and does not have it.
    #[error("the registry accepted it and does not have it")]
    BlobLost,
    /// The tag points to another manifest.
    #[error("it points to {got}, not to {want}")]
    OtherManifest {
        /// The digest of that manifest.
        got: Digest,
        /// The digest of the pushed one.
        want: Digest,
    },
    /// Other writers keep replacing the tag.
    #[error("other writers keep replacing it; the signatures were not kept")]
    Overwritten,
    /// The signatures of the image do not verify at the destination.
    #[error("its signatures are not found there")]
    SignaturesMissing,
}

impl From<RequiredPolicyError> for OpsError {
    fn from(error: RequiredPolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<SignatureLogError> for OpsError {
    fn from(error: SignatureLogError) -> Self {
        Self::SignatureLog(error)
    }
}

impl From<TimestampAuthorityError> for OpsError {
    fn from(error: TimestampAuthorityError) -> Self {
        Self::TimestampAuthority(error)
    }
}

impl From<VerifierError> for OpsError {
    fn from(error: VerifierError) -> Self {
        Self::Verifier(error)
    }
}

impl From<SigningFault> for OpsError {
    fn from(fault: SigningFault) -> Self {
        match fault {
            SigningFault::Envelope(error) => Self::Envelope(error),
            SigningFault::Signer(error) => Self::Signer(error),
        }
    }
}

impl OpsError {
    /// `error`, which happened after `attached` was attached.
    pub(super) fn after(attached: AttachedSignatures, error: Self) -> Self {
        match attached == AttachedSignatures::default() {
            true => error,
            false => Self::PartlyAttached { attached, error: Box::new(error), signed: Vec::new() },
        }
    }

    /// The signatures that were attached before the error, or existed already, by key: what a report of `sign` lists.
    pub fn partly_signed(&self) -> &[Signed] {
        match self {
            Self::PartlyAttached { signed, .. } => signed,
            _ => &[],
        }
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(", and {more} more") }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    /// The messages of an error and its sources, one after the other, as a program prints them.
    fn chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
        std::iter::successors(Some(error), |error| (**error).source()).map(ToString::to_string).collect()
    }

    #[test]
    fn a_printed_chain_repeats_no_message() {
        let store = || StoreError::TooLarge { what: "a blob".to_owned(), limit: 1 };
        assert_eq!(chain(&OpsError::from(store())), [store().to_string()]);
        let refused = || io::Error::other(store());
        assert!(refused().source().is_none());
        let authority = TimestampAuthorityError::new("unreachable", refused());
        assert_eq!(chain(&authority), [store().to_string()]);
        assert_eq!(chain(&OpsError::from(authority)), [format!("no timestamp: {}", store())]);
        let log = SignatureLogError::new("unreachable", refused());
        assert_eq!(chain(&OpsError::from(log)), [format!("no log entry: {}", store())]);
    }
}
