//! `TufError`: which rule of the client workflow a repository breaks, or why it cannot be judged.

use std::num::NonZeroU64;

use crate::json::JsonError;
use crate::text::Untrusted;
use crate::time::Time;
use crate::tuf::RepositoryFile;
use crate::tuf::RepositoryFileError;
use crate::tuf::TufRole;

/// Why a repository is not used. The numbers are sections of the TUF specification.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TufError {
    /// 5.5.5: a metadata file that the last snapshot listed is not listed any more.
    #[error("the snapshot does not list `{name}` any more")]
    Dropped {
        /// The file.
        name: Untrusted,
    },
    /// 5.3.10, 5.4.4, 5.5.6, 5.6.5: metadata that has expired (freeze attack).
    #[error("the {role} metadata expired at {expires}, and the time is {at}")]
    Expired {
        /// Whose.
        role: TufRole,
        /// When it expired.
        expires: Time,
        /// The time at which it is judged.
        at: Time,
    },
    /// 5.5.2, 5.6.2, 5.7.2: another hash than the metadata above says.
    #[error("{file}: its {algorithm} is not the one that the metadata says")]
    Hash {
        /// The file.
        file: RepositoryFile,
        /// The hash algorithm.
        algorithm: &'static str,
    },
    /// It is not strict JSON of the format.
    #[error("{file}: {error}")]
    Json {
        /// The file.
        file: RepositoryFile,
        /// What is wrong.
        error: JsonError,
    },
    /// Another length than the metadata above says.
    #[error("{file}: it has {got} bytes, and the metadata says {wanted}")]
    Length {
        /// The file.
        file: RepositoryFile,
        /// Its length.
        got: u64,
        /// The length that is stated.
        wanted: u64,
    },
    /// There is more than allowed.
    #[error("more than {limit} {what}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A file that must be there is missing.
    #[error("{file} is missing")]
    Missing {
        /// The file.
        file: RepositoryFile,
    },
    /// The signed part has no canonical form: it has a number that is no integer.
    #[error("{file}: the signed part has no canonical form")]
    NotCanonical {
        /// The file.
        file: RepositoryFile,
    },
    /// Metadata does not state what is needed about the file below it.
    #[error("{file}: it says nothing about `{name}`")]
    NotListed {
        /// The metadata.
        file: RepositoryFile,
        /// What is missing.
        name: Untrusted,
    },
    /// 5.3.5, 5.4.3, 5.5.5: an older version than one that was trusted before (rollback attack).
    #[error("{what}: version {got} is older than version {trusted}, which was trusted before")]
    Rollback {
        /// Of which metadata file.
        what: Untrusted,
        /// The version.
        got: NonZeroU64,
        /// The version that was trusted.
        trusted: NonZeroU64,
    },
    /// The same version as before, with other content.
    #[error("the {role} metadata has the version {version} as before, and other content")]
    SameVersion {
        /// Whose.
        role: TufRole,
        /// The version.
        version: NonZeroU64,
    },
    /// A key id has more than one signature.
    #[error("{file}: the key id `{keyid}` has several signatures")]
    SignatureTwice {
        /// The file.
        file: RepositoryFile,
        /// The key id.
        keyid: Untrusted,
    },
    /// Another version of the specification than 1.
    #[error("{file}: version `{found}` of the specification is not supported")]
    SpecVersion {
        /// The file.
        file: RepositoryFile,
        /// The version.
        found: Untrusted,
    },
    /// The name of a target is empty, has a path separator or a control character, or leads elsewhere.
    #[error("`{name}` cannot be the name of a target file")]
    TargetName {
        /// The name.
        name: Untrusted,
    },
    /// 5.3.4, 5.4.2, 5.5.3, 5.6.3: too few keys of the role have signed.
    #[error("{file}: {got} keys of version {root} of the root have signed, and {wanted} must")]
    Threshold {
        /// The file.
        file: RepositoryFile,
        /// How many different keys have.
        got: usize,
        /// The version of the root metadata that says whose keys must have signed.
        root: NonZeroU64,
        /// How many must have.
        wanted: u32,
    },
    /// Metadata of another role than wanted.
    #[error("{file}: it is metadata of the type `{found}`")]
    Type {
        /// The file.
        file: RepositoryFile,
        /// The type.
        found: Untrusted,
    },
    /// A file cannot be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// The file.
        file: RepositoryFile,
        /// Why.
        error: RepositoryFileError,
    },
    /// The hashes that are stated are all of algorithms that are not supported.
    #[error("{file}: no hash of it is stated by SHA-256 or SHA-512")]
    UnsupportedHash {
        /// The file.
        file: RepositoryFile,
    },
    /// 5.3.5, 5.5.4, 5.6.4: another version than the metadata above, or the name of the file, says.
    #[error("{file}: it is version {got}, not {wanted}")]
    Version {
        /// The file.
        file: RepositoryFile,
        /// Its version.
        got: NonZeroU64,
        /// The version that is stated.
        wanted: NonZeroU64,
    },
}

impl TufError {
    /// The code of the reason, which is stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Dropped { .. } => "tuf-dropped",
            Self::Expired { .. } => "tuf-expired",
            Self::Hash { .. } => "tuf-hash",
            Self::Json { .. } => "tuf-malformed",
            Self::Length { .. } => "tuf-length",
            Self::Limit { .. } => "tuf-limit",
            Self::Missing { .. } => "tuf-missing",
            Self::NotCanonical { .. } => "tuf-not-canonical",
            Self::NotListed { .. } => "tuf-not-listed",
            Self::Rollback { .. } => "tuf-rollback",
            Self::SameVersion { .. } => "tuf-same-version",
            Self::SignatureTwice { .. } => "tuf-signature-twice",
            Self::SpecVersion { .. } => "tuf-spec-version",
            Self::TargetName { .. } => "tuf-target-name",
            Self::Threshold { .. } => "tuf-threshold",
            Self::Type { .. } => "tuf-type",
            Self::Unreadable { .. } => "tuf-unreadable",
            Self::UnsupportedHash { .. } => "tuf-unsupported-hash",
            Self::Version { .. } => "tuf-version",
        }
    }

    /// Whether the repository may still be right: something is missing, cannot be read, is not supported or exceeds a
    /// limit. Otherwise it breaks a rule.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. }
            | Self::Missing { .. }
            | Self::SpecVersion { .. }
            | Self::TargetName { .. }
            | Self::Unreadable { .. }
            | Self::UnsupportedHash { .. } => true,
            _ => false,
        }
    }
}
