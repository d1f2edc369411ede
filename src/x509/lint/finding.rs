//! What a lint says: `LintFinding`, `LintRemark`, `LintOmission`.

use crate::x509::ChainRule;

/// One rule and one certificate: whether the certificate complies with it, and what helps if not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintFinding {
    /// The index of the certificate in the file, from 0.
    pub certificate: usize,
    /// The clause that states the rule.
    pub clause: &'static str,
    /// What was found, where the rule alone does not say it.
    pub found: Option<String>,
    /// A line of a configuration file of `openssl`, or a command, that makes it right.
    pub openssl: Option<&'static str>,
    /// Whether the certificate complies.
    pub outcome: LintOutcome,
    /// The rule.
    pub rule: ChainRule,
    /// What the profile wants.
    pub wanted: Option<String>,
}

/// Whether a rule is kept. The order is that of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintOutcome {
    /// It is kept.
    Passed,
    /// It cannot be told, because something is not supported or exceeds a limit.
    Undetermined,
    /// It is broken.
    Refused,
}

/// What a certificate is in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LintRole {
    /// A certificate authority that another one has issued.
    Intermediate,
    /// The last one: a self-signed root, or the certificate that the chain of this file ends at.
    Root,
    /// The signer's, or the timestamp authority's.
    Signer,
}

/// What the profile allows a certificate, and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintRemark {
    /// The index of the certificate in the file, from 0.
    pub certificate: usize,
    /// What it is.
    pub kind: LintRemarkKind,
}

/// What a profile allows, and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LintRemarkKind {
    /// Basic constraints of a certificate authority that are not critical.
    BasicConstraintsNotCritical,
    /// A key for which the Notary Project has no signature algorithm.
    NotaryKey,
}

/// What a lint did not check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LintOmission {
    /// The signature on the certificate and the path to a root: the issuer is not in the file.
    Issuer,
    /// The rules about the path: there are more certificates than the limits allow.
    Limit,
    /// Name constraints: the certificates do not form a path.
    NameConstraints,
    /// Whether a certificate is revoked.
    Revocation,
    /// Whether anybody trusts a certificate of the chain.
    Trust,
}

impl LintOutcome {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Undetermined => "unknown",
            Self::Refused => "refused",
        }
    }
}

impl LintRole {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intermediate => "intermediate",
            Self::Root => "root",
            Self::Signer => "signer",
        }
    }
}

impl LintRemarkKind {
    /// The name in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BasicConstraintsNotCritical => "basic-constraints-critical",
            Self::NotaryKey => "notary-key",
        }
    }

    /// What is allowed, and by whom it is not.
    pub const fn text(self) -> &'static str {
        match self {
            Self::BasicConstraintsNotCritical => {
                "its basic constraints are not critical: the Notary Project signature specification requires that, and \
                 neither notation nor this profile does"
            }
            Self::NotaryKey => "the signature formats of the Notary Project have no algorithm for its key",
        }
    }
}

impl LintOmission {
    /// The name in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Limit => "limit",
            Self::NameConstraints => "name-constraints",
            Self::Revocation => "revocation",
            Self::Trust => "trust",
        }
    }

    /// What was not checked, and why.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Issuer => "the signature on the certificate and its chain: the issuer is not in the file",
            Self::Limit => "the path: the file has more certificates than a chain may have",
            Self::NameConstraints => "name constraints: the certificates do not form a path",
            Self::Revocation => "whether a certificate is revoked",
            Self::Trust => "whether anybody trusts this chain: verifiers decide that",
        }
    }
}
