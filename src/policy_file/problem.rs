//! `LoadProblem`: why the meaning of a policy file cannot be what anybody wants.

use crate::digest::Digest;
use crate::key::KeyId;
use crate::oci::RepositoryNameError;
use crate::policy::QuorumError;
use crate::policy_file::ImagePatternError;
use crate::policy_file::PolicyFilesError;
use crate::policy_file::RequirementValueError;
use crate::policy_file::SignedNameError;
use crate::policy_file::document::Date;
use crate::text::Untrusted;
use crate::x509::BundleError;
use crate::x509::PatternError;

/// Why a policy file cannot be used, although it is written as the language wants it. [`LoadProblem::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadProblem {
    /// None of the builders of a requirement has the level that it wants.
    #[error("none of these builders has the level {0}, so no provenance could ever be enough")]
    BuilderLevel(u8),
    /// A file of certificates cannot be read.
    #[error("{path}: {error}")]
    Certificates {
        /// Why.
        error: BundleError,
        /// The file.
        path: Untrusted,
    },
    /// A pattern that another block has, or the same one twice.
    #[error("`{pattern}` is a pattern of the block at line {line} already")]
    DuplicatePattern {
        /// The line of that block.
        line: u32,
        /// The pattern, normalised.
        pattern: Untrusted,
    },
    /// An exception for a repository about which its block does not decide.
    #[error("this block does not decide about `{0}`")]
    ExceptionElsewhere(Untrusted),
    /// Exceptions that leave nothing to be met, without the digests of images.
    #[error("the exceptions for `{0}` leave nothing that must be met, whatever the image")]
    ExceptionsLeaveNothing(Untrusted),
    /// The policy has expired.
    #[error("the policy has expired: its last day was {0}")]
    Expired(Date),
    /// A file has another digest than the policy gives it.
    #[error("{path} has the digest {found}, and another one is wanted")]
    FileDigest {
        /// Its digest.
        found: Digest,
        /// The file.
        path: Untrusted,
    },
    /// A file cannot be read.
    #[error("{path}: {error}")]
    FileUnread {
        /// Why.
        error: PolicyFilesError,
        /// The file.
        path: Untrusted,
    },
    /// All certificates of an identity belong to an earlier one.
    #[error("every certificate of this identity belongs to `{0}`, which stands before it")]
    IdentityCovered(Untrusted),
    /// A key file cannot be read.
    #[error("{path}: {error}")]
    Key {
        /// Why.
        error: Untrusted,
        /// The file.
        path: Untrusted,
    },
    /// A key has another id than the policy gives it.
    #[error("{path} has the key id {found}, and another one is wanted")]
    KeyId {
        /// Its id.
        found: KeyId,
        /// The file.
        path: Untrusted,
    },
    /// A certificate where a public key is wanted.
    #[error("{0} is a certificate: as a key it would never expire")]
    KeyInCertificate(Untrusted),
    /// The same key under two identities, or twice under one.
    #[error("the key {} in {path} is a key of `{owner}` already", key.short())]
    KeyTwice {
        /// The key.
        key: KeyId,
        /// The identity that has it.
        owner: Untrusted,
        /// The file.
        path: Untrusted,
    },
    /// `expires` is mandatory in a signed policy.
    #[error("a signed policy says until when it holds: `expires` is missing")]
    NoExpiry,
    /// The name of a repository cannot be used.
    #[error(transparent)]
    Name(#[from] RepositoryNameError),
    /// The names of an identity cannot be used.
    #[error("{0}")]
    Names(PatternError),
    /// A certificate identity without a name: everybody to whom these roots issue a certificate would count.
    #[error("no name of the certificate is given, so everybody with a certificate by these roots would count")]
    NoNames,
    /// A pattern of images cannot be used.
    #[error(transparent)]
    Pattern(#[from] ImagePatternError),
    /// Certificates of own authorities that cannot be used for the formats of Sigstore.
    #[error("these certificates cannot be used for the formats of Sigstore: {0}")]
    SigstoreFormats(Untrusted),
    /// A signed policy names a file without its digest: another file in its place would go unnoticed.
    #[error("a signed policy gives the `sha256` of each file{}", if *.key { ", or the `key-id` of a key" } else { "" })]
    PinMissing {
        /// Whether it is a key.
        key: bool,
    },
    /// A quorum that nobody can meet.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// A signed name cannot be used.
    #[error(transparent)]
    SignedName(#[from] SignedNameError),
    /// `signed-name` where no signature is required, so that nothing would be compared.
    #[error("`signed-name` stands where neither the block nor the baseline requires a signature")]
    SignedNameAlone,
    /// `/**` at the end of `signed-name` and not of a pattern, or the reverse.
    #[error("`signed-name` and `{0}` end in `/**` both, or neither does")]
    SignedNameRest(Untrusted),
    /// More bytes in all files together than the limit.
    #[error("the files that the policy names have more than {limit} bytes together")]
    TooMuch {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A Sigstore trusted root cannot be read.
    #[error("{path}: {error}")]
    TrustedRoot {
        /// Why.
        error: Untrusted,
        /// The file.
        path: Untrusted,
    },
    /// A builder that `builders` does not have.
    #[error("`{0}` is not one of `builders`")]
    UnknownBuilder(Untrusted),
    /// A name of an extension, or an attribute, that is not known.
    #[error("`{0}` names no extension and no attribute")]
    UnknownExtension(Untrusted),
    /// An owner that `identities` does not have.
    #[error("`{0}` is not one of `identities`")]
    UnknownIdentity(Untrusted),
    /// A predicate type that is neither a URI nor a short name.
    #[error("`{0}` is neither a predicate type (a URI) nor the short name of one")]
    UnknownPredicateType(Untrusted),
    /// A value that cannot be compared with anything.
    #[error("`{field}`: {error}")]
    Value {
        /// Why.
        error: RequirementValueError,
        /// The field.
        field: &'static str,
    },
    /// An owner of verification summaries who is named in another requirement.
    #[error("`{0}` makes verification summaries, and is named in another requirement as well")]
    VsaOwner(Untrusted),
}

impl LoadProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BuilderLevel(_) => "builder-level",
            Self::Certificates { .. } => "certificate-unreadable",
            Self::DuplicatePattern { .. } => "duplicate-pattern",
            Self::ExceptionElsewhere(_) => "exception-elsewhere",
            Self::ExceptionsLeaveNothing(_) => "exceptions-leave-nothing",
            Self::Expired(_) => "policy-expired",
            Self::FileDigest { .. } => "file-digest",
            Self::FileUnread { .. } => "file-unreadable",
            Self::IdentityCovered(_) => "identity-covered",
            Self::Key { .. } => "key-unreadable",
            Self::KeyId { .. } => "key-id",
            Self::KeyInCertificate(_) => "key-in-certificate",
            Self::KeyTwice { .. } => "duplicate-key",
            Self::NoExpiry => "no-expiry",
            Self::Name(_) => "image-name",
            Self::Names(_) | Self::UnknownExtension(_) => "identity-names",
            Self::NoNames => "no-names",
            Self::Pattern(_) => "image-pattern",
            Self::PinMissing { .. } => "not-pinned",
            Self::Quorum(_) => "quorum",
            Self::SignedName(_) => "signed-name",
            Self::SigstoreFormats(_) => "certificate-unusable",
            Self::SignedNameAlone => "signed-name-alone",
            Self::SignedNameRest(_) => "signed-name-rest",
            Self::TooMuch { .. } => "files-too-large",
            Self::TrustedRoot { .. } => "trusted-root-unreadable",
            Self::UnknownBuilder(_) => "unknown-builder",
            Self::UnknownIdentity(_) => "unknown-identity",
            Self::UnknownPredicateType(_) => "unknown-predicate-type",
            Self::Value { .. } => "requirement-value",
            Self::VsaOwner(_) => "vsa-owner",
        }
    }

    /// What helps.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::BuilderLevel(_) => "name a builder with this level, or want a lower `slsa-level`",
            Self::Certificates { .. } => "name a file of certificates, in PEM or DER",
            Self::DuplicatePattern { .. } => "put everything about these images into one block",
            Self::ExceptionElsewhere(_) => "put the exception into the block whose pattern is the narrowest for it",
            Self::ExceptionsLeaveNothing(_) => "add `digests: [sha256:…]` to one of them, or waive less",
            Self::Expired(_) => "get the policy that replaces it",
            Self::FileDigest { found, .. } => return format!("if the file is the right one: sha256: {found}"),
            Self::FileUnread { .. } => "name a regular file beside the policy, or below its directory",
            Self::IdentityCovered(_) => "put the narrower identity first, or make the other one narrower",
            Self::Key { .. } => "name a public key, as bulla key new writes it: -----BEGIN PUBLIC KEY-----",
            Self::KeyId { found, .. } => return format!("if the key is the right one: key-id: \"{found}\""),
            Self::KeyInCertificate(_) => "write `certificate:` with its roots and names, or a file with the public key",
            Self::KeyTwice { .. } => "a key has one owner: remove one of the two",
            Self::Name(_) => "a repository is written HOST/NAME: registry.example/prod/app",
            Self::Names(_) => "write the names as they stand in the certificate: bulla cert lint FILE shows them",
            Self::NoExpiry => "expires: 2027-12-31",
            Self::NoNames => "subject: { O: Example, CN: release }",
            Self::Pattern(ImagePatternError::HostAlone(host)) => return format!("{host}/**"),
            Self::Pattern(_) => {
                "HOST/REPOSITORY, HOST/PREFIX/**, HOST/*/NAME or \"*.example.com/**\", without tag and digest"
            }
            Self::PinMissing { .. } => "sha256: \"<64 hex digits>\", as sha256sum FILE prints them",
            Self::Quorum(_) => "name more owners, or lower `at-least`",
            Self::SignedName(_) => "HOST/REPOSITORY, or HOST/PREFIX/** where the pattern ends in `/**`",
            Self::SigstoreFormats(_) => {
                "leave out `profile: sigstore`, or list the authority that issues the certificates"
            }
            Self::SignedNameAlone => "require a `signature` in the block",
            Self::SignedNameRest(_) => "end both in `/**`, or none of them",
            Self::TooMuch { .. } => "name smaller files: public keys, certificates and trusted roots",
            Self::TrustedRoot { .. } => "name a trusted_root.json of Sigstore, as bulla trust new writes it",
            Self::UnknownBuilder(_) => "its names are the keys of `builders`",
            Self::UnknownIdentity(_) => "its names are the keys of `identities`",
            Self::UnknownExtension(_) => {
                "an object identifier such as 1.3.6.1.4.1.57264.1.8, or a name of docs/policy-reference.md"
            }
            Self::UnknownPredicateType(_) => {
                "a URI such as https://example.com/approval/v1, or a short name such as slsa or spdx"
            }
            Self::Value { .. } => "docs/policy-reference.md says what the field takes",
            Self::VsaOwner(_) => "an importer that could sign what it summarises would vouch for itself",
        };
        text.to_owned()
    }
}
