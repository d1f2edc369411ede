//! `ChainRule`: a rule of chains, with its stable code, its clause, and what is wrong where it is broken.

use std::fmt;

/// A rule of chains. Its [code](ChainRule::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChainRule {
    /// Subject alternative names have the syntax of their form.
    AlternativeName,
    /// The authority key identifier, which names the issuer's key.
    AuthorityKeyId,
    /// The certificate of an issuer is one of a certificate authority.
    BasicConstraints,
    /// The basic constraints of a certificate authority are critical.
    BasicConstraintsCritical,
    /// The signer's certificate is not one of a certificate authority.
    CaAsSigner,
    /// The signer's certificates are the path itself, from the signer to a root, in order and without others.
    ChainOrder,
    /// All critical extensions are known.
    CriticalExtension,
    /// The key is not one that rustls-webpki has been told to distrust.
    DistrustedKey,
    /// The purposes that the certificate's key is for.
    ExtendedKeyUsage,
    /// The time is not after the end of the validity.
    Expired,
    /// The certificate names its issuer.
    IssuerName,
    /// A key has a kind and size that the profile allows.
    Key,
    /// The uses of the certificate's key.
    KeyUsage,
    /// At most as many certificates as the limits allow.
    Limit,
    /// The certificate is encoded as RFC 5280 says.
    Malformed,
    /// Names comply with the name constraints of all issuers.
    NameConstraints,
    /// Name constraints are critical, and in certificates of certificate authorities only.
    NameConstraintsPlace,
    /// Issuer and subject are the same name.
    NameMatching,
    /// An extension that must not be critical is not.
    NotCritical,
    /// The time is not before the beginning of the validity.
    NotYetValid,
    /// A path leads from the signer's certificate to an anchor.
    Path,
    /// At most as many certificates stand between two as the upper one allows.
    PathLength,
    /// Only a certificate authority with keyCertSign has a path length.
    PathLengthPlace,
    /// Certificate policies and what is said about them.
    Policy,
    /// No policy is mapped to or from anyPolicy.
    PolicyMapping,
    /// The search for a path ends within the budgets of rustls-webpki.
    SearchBudget,
    /// The serial number is a positive number of at most 20 bytes.
    SerialNumber,
    /// The signature on the certificate is by its issuer's key.
    Signature,
    /// The signature on the certificate is of an algorithm that the profile allows.
    SignatureAlgorithm,
    /// The subject key identifier, by which others find the certificate.
    SubjectKeyId,
    /// The certificate names its subject.
    SubjectName,
    /// The time can be represented.
    Time,
    /// The operator trusts a certificate of the path for this purpose.
    Trust,
    /// Unique identifiers, which nobody uses.
    UniqueId,
    /// The certificate has version 3.
    Version,
}

impl ChainRule {
    /// All rules.
    pub const ALL: [Self; 35] = [
        Self::AlternativeName,
        Self::AuthorityKeyId,
        Self::BasicConstraints,
        Self::BasicConstraintsCritical,
        Self::CaAsSigner,
        Self::ChainOrder,
        Self::CriticalExtension,
        Self::DistrustedKey,
        Self::ExtendedKeyUsage,
        Self::Expired,
        Self::IssuerName,
        Self::Key,
        Self::KeyUsage,
        Self::Limit,
        Self::Malformed,
        Self::NameConstraints,
        Self::NameConstraintsPlace,
        Self::NameMatching,
        Self::NotCritical,
        Self::NotYetValid,
        Self::Path,
        Self::PathLength,
        Self::PathLengthPlace,
        Self::Policy,
        Self::PolicyMapping,
        Self::SearchBudget,
        Self::SerialNumber,
        Self::Signature,
        Self::SignatureAlgorithm,
        Self::SubjectKeyId,
        Self::SubjectName,
        Self::Time,
        Self::Trust,
        Self::UniqueId,
        Self::Version,
    ];

    /// The name of the rule in reports and tests, which does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlternativeName => "alternative-name",
            Self::AuthorityKeyId => "authority-key-id",
            Self::BasicConstraints => "basic-constraints",
            Self::BasicConstraintsCritical => "basic-constraints-critical",
            Self::CaAsSigner => "ca-as-signer",
            Self::ChainOrder => "chain-order",
            Self::CriticalExtension => "critical-extension",
            Self::DistrustedKey => "distrusted-key",
            Self::ExtendedKeyUsage => "extended-key-usage",
            Self::Expired => "expired",
            Self::IssuerName => "issuer-name",
            Self::Key => "key",
            Self::KeyUsage => "key-usage",
            Self::Limit => "limit",
            Self::Malformed => "malformed",
            Self::NameConstraints => "name-constraints",
            Self::NameConstraintsPlace => "name-constraints-place",
            Self::NameMatching => "name-matching",
            Self::NotCritical => "not-critical",
            Self::NotYetValid => "not-yet-valid",
            Self::Path => "path",
            Self::PathLength => "path-length",
            Self::PathLengthPlace => "path-length-place",
            Self::Policy => "policy",
            Self::PolicyMapping => "policy-mapping",
            Self::SearchBudget => "search-budget",
            Self::SerialNumber => "serial-number",
            Self::Signature => "signature",
            Self::SignatureAlgorithm => "signature-algorithm",
            Self::SubjectKeyId => "subject-key-id",
            Self::SubjectName => "subject-name",
            Self::Time => "time",
            Self::Trust => "trust",
            Self::UniqueId => "unique-id",
            Self::Version => "version",
        }
    }

    /// The clause that states the rule.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::AlternativeName => "RFC 5280 section 4.2.1.6",
            Self::AuthorityKeyId => "RFC 5280 section 4.2.1.1",
            Self::BasicConstraints => "RFC 5280 sections 4.2.1.9 and 6.1.4 (k)",
            Self::BasicConstraintsCritical | Self::PathLengthPlace => "RFC 5280 section 4.2.1.9",
            Self::CaAsSigner => "Notary Project signature specification, \"Leaf Certificates\"",
            Self::ChainOrder => "Notary Project signature specification, \"Other requirements\"",
            Self::CriticalExtension | Self::NotCritical => "RFC 5280 section 4.2",
            Self::DistrustedKey => "list of distrusted issuers in rustls-webpki",
            Self::ExtendedKeyUsage => "RFC 5280 section 4.2.1.12",
            Self::Expired | Self::NotYetValid => "RFC 5280 section 6.1.3 (a) (2)",
            Self::IssuerName => "RFC 5280 section 4.1.2.4",
            Self::Key => "key sizes and kinds of the profile",
            Self::KeyUsage => "RFC 5280 sections 4.2.1.3 and 6.1.4 (n)",
            Self::Limit => "limits of this program",
            Self::Malformed => "RFC 5280 section 4.1",
            Self::NameConstraints | Self::NameConstraintsPlace => "RFC 5280 section 4.2.1.10",
            Self::NameMatching => "RFC 5280 section 7.1",
            Self::Path => "RFC 5280 section 6.1",
            Self::PathLength => "RFC 5280 sections 4.2.1.9 and 6.1.4 (l)",
            Self::Policy => "RFC 5280 sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14",
            Self::PolicyMapping => "RFC 5280 section 4.2.1.5",
            Self::SearchBudget => "RFC 4158 section 5.2, budgets of rustls-webpki",
            Self::SerialNumber => "RFC 5280 section 4.1.2.2",
            Self::Signature => "RFC 5280 section 6.1.3 (a) (1)",
            Self::SignatureAlgorithm => "RFC 5280 sections 4.1.1.2 and 4.1.2.3",
            Self::SubjectKeyId => "RFC 5280 section 4.2.1.2",
            Self::SubjectName => "RFC 5280 sections 4.1.2.6 and 4.2.1.6",
            Self::Time => "RFC 5280 section 4.1.2.5",
            Self::Trust => "RFC 5280 section 6.1.1 (d)",
            Self::UniqueId => "RFC 5280 section 4.1.2.8",
            Self::Version => "RFC 5280 section 4.1.2.1",
        }
    }

    /// What is wrong with a certificate that breaks the rule.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::AlternativeName => "a subject alternative name does not have the syntax of its form",
            Self::AuthorityKeyId => "it has no authority key identifier with a key id, and is not a root",
            Self::BasicConstraints => "it is not the certificate of a certificate authority and has signed another one",
            Self::BasicConstraintsCritical => "the basic constraints of a certificate authority are not critical",
            Self::CaAsSigner => "it is the certificate of a certificate authority and is used as the signer's",
            Self::ChainOrder => "the signer's certificates are not a path to a root, in order and without others",
            Self::CriticalExtension => "it has a critical extension that is not supported",
            Self::DistrustedKey => "its key is distrusted",
            Self::ExtendedKeyUsage => "its key is not for this purpose",
            Self::Expired => "it has expired",
            Self::IssuerName => "the name of its issuer is empty",
            Self::Key => "its key has a kind or size that is not allowed",
            Self::KeyUsage => "its key is not for this use",
            Self::Limit => "the chain has more certificates than allowed",
            Self::Malformed => "its encoding is not valid",
            Self::NameConstraints => {
                "its names are not allowed by an issuer's name constraints, or cannot be compared with them"
            }
            Self::NameConstraintsPlace => "its name constraints are not critical, or it is no certificate authority",
            Self::NameMatching => "the name of its issuer is encoded differently from the issuer's own name",
            Self::NotCritical => "an extension that must not be critical is critical",
            Self::NotYetValid => "it is not valid yet",
            Self::Path => "no path leads from it to a trusted certificate",
            Self::PathLength => "more certificates follow than allowed",
            Self::PathLengthPlace => "it has a path length, and is no certificate authority with keyCertSign",
            Self::Policy => "it constrains certificate policies, which are not supported",
            Self::PolicyMapping => "a policy is mapped to or from anyPolicy",
            Self::SearchBudget => "the search for a path was given up",
            Self::SerialNumber => "its serial number is not a positive number of at most 20 bytes",
            Self::Signature => "the signature on it is not by the key of its issuer",
            Self::SignatureAlgorithm => "the algorithm of the signature on it is not allowed",
            Self::SubjectKeyId => "it is the certificate of a certificate authority without a subject key identifier",
            Self::SubjectName => "its subject is empty, and there are no critical alternative names",
            Self::Time => "times before 1970 are not supported",
            Self::Trust => "no certificate of its chain is trusted",
            Self::UniqueId => "it has a unique identifier",
            Self::Version => "its version is not 3",
        }
    }
}

impl fmt::Display for ChainRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
