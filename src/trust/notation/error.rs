//! `TrustPolicyError`: why a trust policy document is not read, or does not apply.

use std::fmt;

use crate::json::JsonError;
use crate::oci::ReferenceFault;
use crate::text::Untrusted;
use crate::trust::notation::PolicyCheck;
use crate::x509::PatternError;

/// Why a trust policy document is not read, or does not apply. No part of a document with an error is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustPolicyError {
    /// It is not the JSON of a trust policy: the position, and a duplicate or unknown field.
    #[error("not a trust policy document: {0}")]
    Json(JsonError),
    /// It has no statement.
    #[error("it has no statement: trustPolicies is empty{}", at(*position))]
    NoStatement {
        /// The line and the column, from 1, at which the empty list begins, or the document that has no such list.
        position: Option<(usize, usize)>,
    },
    /// No statement applies to a repository.
    #[error("no statement is for the repository {repository}, and none has the scope *")]
    NotCovered {
        /// The repository.
        repository: Untrusted,
    },
    /// The host of a repository is an IPv4 address in a spelling that no reference has.
    #[error("no statement is for the repository {repository}: {fault}")]
    RepositoryAddress {
        /// What is wrong with the host.
        fault: ReferenceFault,
        /// The repository.
        repository: Untrusted,
    },
    /// A statement breaks a rule.
    #[error("{statement}: {rule}")]
    Statement {
        /// The rule.
        rule: TrustPolicyRule,
        /// Which statement.
        statement: TrustPolicyPlace,
    },
    /// Its version is not supported.
    #[error("version {found:?}{}, wanted \"1.0\"", at(*position))]
    Version {
        /// The version.
        found: Untrusted,
        /// The line and the column, from 1, at which it stands, or at which the document without a version begins.
        position: Option<(usize, usize)>,
    },
}

/// Which statement of a trust policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustPolicyPlace {
    /// Its name, which may be empty.
    pub name: Untrusted,
    /// Its number in the document, from 1.
    pub number: u64,
    /// The line and the column, from 1, at which it begins.
    pub position: Option<(usize, usize)>,
}

/// A rule of the Trust Store and Trust Policy Specification that a statement breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustPolicyRule {
    /// `*` stands among other identities.
    #[error("trustedIdentities has * among others; it must be the only one")]
    AnyIdentityAmongOthers,
    /// `*` stands among other scopes.
    #[error("registryScopes has * among others; it must be the only one")]
    AnyScopeAmongOthers,
    /// An identity is empty.
    #[error("trustedIdentities has an empty identity")]
    EmptyIdentity,
    /// An identity of the kind `x509.subject` that cannot be read.
    #[error("trusted identity {found:?}: {error}")]
    Identity {
        /// What is wrong with it.
        error: PatternError,
        /// The identity.
        found: Untrusted,
    },
    /// An identity without a prefix, or without anything after it.
    #[error("trusted identity {found:?}: wanted * or x509.subject: C=…, ST=…, O=…")]
    IdentityForm {
        /// The identity.
        found: Untrusted,
    },
    /// A level that does not exist.
    #[error("signatureVerification.level is {found:?}; there are strict, permissive, audit and skip")]
    Level {
        /// The level.
        found: Untrusted,
    },
    /// It trusts no identity.
    #[error("trustedIdentities is empty")]
    NoIdentity,
    /// It has no name.
    #[error("it has no name")]
    NoName,
    /// It has no scope.
    #[error("registryScopes is empty")]
    NoScope,
    /// It names no trust store.
    #[error("trustStores is empty")]
    NoTrustStore,
    /// An action that does not exist, or that this check cannot have.
    #[error("override of {check} is {found:?}; it can be enforce or log, and skip for revocation alone")]
    OverrideAction {
        /// The check.
        check: PolicyCheck,
        /// The action.
        found: Untrusted,
    },
    /// A check that does not exist.
    #[error("override of {found:?}; there are authenticity, authenticTimestamp, expiry and revocation")]
    OverrideCheck {
        /// The check.
        found: Untrusted,
    },
    /// Integrity is overridden.
    #[error("override of integrity, which is always enforced")]
    OverrideOfIntegrity,
    /// The level `skip` is overridden.
    #[error("override of the level skip, which verifies nothing")]
    OverrideOfSkip,
    /// Every certificate of the second identity is one of the first.
    #[error("trusted identity {one:?} covers {other:?}")]
    OverlappingIdentities {
        /// The identity that covers the other.
        one: Untrusted,
        /// The identity that is covered.
        other: Untrusted,
    },
    /// Another statement before it has its name.
    #[error("another statement has the same name")]
    SameName,
    /// A scope that is the repository of another statement before it, in another spelling.
    #[error("the scope {scope} is the same repository as {other}, which another statement has")]
    SameRepository {
        /// The scope of the other statement.
        other: Untrusted,
        /// The scope.
        scope: Untrusted,
    },
    /// A scope that stands twice in the document.
    #[error("the scope {scope} stands twice in the document")]
    SameScope {
        /// The scope.
        scope: Untrusted,
    },
    /// A scope that is not a repository.
    #[error("scope {found:?}: wanted host[:port]/repository, or * alone")]
    Scope {
        /// The scope.
        found: Untrusted,
    },
    /// A scope whose host is an IPv4 address in a spelling that no reference has.
    #[error("scope {found:?}: {fault}")]
    ScopeAddress {
        /// What is wrong with the host.
        fault: ReferenceFault,
        /// The scope.
        found: Untrusted,
    },
    /// The level `skip` with trust stores or identities.
    #[error("the level skip has neither trustStores nor trustedIdentities")]
    TrustOfSkip,
    /// A name of a trust store that is not one.
    #[error("trust store {found:?}: wanted ca:, signingAuthority: or tsa:, and a name of letters, digits, _, . and -")]
    TrustStore {
        /// The name.
        found: Untrusted,
    },
    /// A value of `verifyTimestamp` that does not exist.
    #[error("signatureVerification.verifyTimestamp is {found:?}; there are always and afterCertExpiry")]
    VerifyTimestamp {
        /// The value.
        found: Untrusted,
    },
}

impl fmt::Display for TrustPolicyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} ({:?}){}", self.number, self.name, at(self.position))
    }
}

/// The place after what stands there.
fn at(position: Option<(usize, usize)>) -> String {
    position.map(|(line, column)| format!(" at line {line} column {column}")).unwrap_or_default()
}
