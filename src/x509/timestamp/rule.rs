//! `TimestampRule`: a rule of timestamps, with its stable code, its clause, and what is wrong where it is broken.

use std::fmt;

/// A rule of timestamp tokens, requests and responses. Its [code](TimestampRule::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimestampRule {
    /// The signed attributes are there, and none is there twice.
    Attributes,
    /// The certificates in the token that its verification needs can be read.
    Certificates,
    /// The content is a TSTInfo, and the signed attributes say so.
    ContentType,
    /// The TSTInfo has no critical extension: none is supported.
    CriticalExtension,
    /// The hash function of the signature is of the SHA-2 family.
    DigestAlgorithm,
    /// The time and its accuracy can be read and represented.
    GenTime,
    /// The token is about the data, or about what was requested.
    Imprint,
    /// The hash function of the data is of the SHA-2 family.
    ImprintAlgorithm,
    /// Bytes, certificates and nesting stay within the limits.
    Limit,
    /// The token is encoded as the standards say.
    Malformed,
    /// The signed attributes are about the content.
    MessageDigest,
    /// The nonce of the token is the one of the request.
    Nonce,
    /// The policy of the token is the one that was requested.
    Policy,
    /// The signature is by the key of the timestamp authority.
    Signature,
    /// The algorithm of the signature is allowed.
    SignatureAlgorithm,
    /// One signer has signed the token.
    SignerInfo,
    /// The signed attributes name the certificate that the signature is verified with.
    SigningCertificate,
    /// The signing time that is stated lies in the validity of all certificates of the chain.
    SigningTime,
    /// The response of a timestamp authority has a token exactly where it says that one was granted.
    Status,
    /// The certificate of the timestamp authority is known.
    TsaCertificate,
    /// The time, with its accuracy before and after it, lies in the validity of all certificates of the chain.
    Validity,
    /// The versions are those of the standards.
    Version,
}

impl TimestampRule {
    /// All rules.
    pub const ALL: [Self; 22] = [
        Self::Attributes,
        Self::Certificates,
        Self::ContentType,
        Self::CriticalExtension,
        Self::DigestAlgorithm,
        Self::GenTime,
        Self::Imprint,
        Self::ImprintAlgorithm,
        Self::Limit,
        Self::Malformed,
        Self::MessageDigest,
        Self::Nonce,
        Self::Policy,
        Self::Signature,
        Self::SignatureAlgorithm,
        Self::SignerInfo,
        Self::SigningCertificate,
        Self::SigningTime,
        Self::Status,
        Self::TsaCertificate,
        Self::Validity,
        Self::Version,
    ];

    /// The name of the rule in reports and tests, which does not change. No [`ChainRule`](crate::x509::ChainRule) has the
    /// same.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Attributes => "timestamp-attributes",
            Self::Certificates => "timestamp-certificates",
            Self::ContentType => "timestamp-content-type",
            Self::CriticalExtension => "timestamp-critical-extension",
            Self::DigestAlgorithm => "timestamp-digest-algorithm",
            Self::GenTime => "timestamp-gen-time",
            Self::Imprint => "timestamp-imprint",
            Self::ImprintAlgorithm => "timestamp-imprint-algorithm",
            Self::Limit => "timestamp-limit",
            Self::Malformed => "timestamp-malformed",
            Self::MessageDigest => "timestamp-message-digest",
            Self::Nonce => "timestamp-nonce",
            Self::Policy => "timestamp-policy",
            Self::Signature => "timestamp-signature",
            Self::SignatureAlgorithm => "timestamp-signature-algorithm",
            Self::SignerInfo => "timestamp-signer-info",
            Self::SigningCertificate => "timestamp-signing-certificate",
            Self::SigningTime => "timestamp-signing-time",
            Self::Status => "timestamp-status",
            Self::TsaCertificate => "timestamp-tsa-certificate",
            Self::Validity => "timestamp-validity",
            Self::Version => "timestamp-version",
        }
    }

    /// The clause that states the rule.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Attributes => "RFC 5652 sections 5.3 and 11",
            Self::Certificates => "RFC 5652 section 10.2.3",
            Self::ContentType => "RFC 3161 section 2.4.2 and RFC 5652 section 11.1",
            Self::CriticalExtension | Self::GenTime | Self::Imprint | Self::Nonce | Self::Policy | Self::Status => {
                "RFC 3161 section 2.4.2"
            }
            Self::DigestAlgorithm | Self::ImprintAlgorithm => "RFC 5754 section 2",
            Self::Limit => "limits of this program",
            Self::Malformed => "RFC 3161 section 2.4 and RFC 5652 section 5",
            Self::MessageDigest => "RFC 5652 section 11.2",
            Self::Signature => "RFC 5652 sections 5.4 and 5.6",
            Self::SignatureAlgorithm => "RFC 5754 section 3 and RFC 4056 section 3",
            Self::SignerInfo => "RFC 3161 section 2.4.2",
            Self::SigningCertificate => "RFC 5816 section 2.2.1, RFC 5035 sections 4 and 5",
            Self::SigningTime => "RFC 5652 section 11.3",
            Self::TsaCertificate => "RFC 5652 section 5.3",
            Self::Validity => "RFC 3161 section 2.4.2 and RFC 5280 section 6.1.3 (a) (2)",
            Self::Version => "RFC 3161 section 2.4 and RFC 5652 sections 5.1 and 5.3",
        }
    }

    /// What is wrong with a timestamp that breaks the rule.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::Attributes => "a signed attribute is missing, is there twice, or has not exactly one value",
            Self::Certificates => "a certificate in it cannot be read",
            Self::ContentType => "it is not a signed TSTInfo",
            Self::CriticalExtension => "it has a critical extension that is not supported",
            Self::DigestAlgorithm => "the hash function of its signature is not allowed",
            Self::GenTime => "its time or accuracy cannot be read",
            Self::Imprint => "it is about other data",
            Self::ImprintAlgorithm => "the hash function of the data is not allowed",
            Self::Limit => "it has more than allowed",
            Self::Malformed => "its encoding is not valid",
            Self::MessageDigest => "its signed attributes are about another content",
            Self::Nonce => "its nonce is not the one of the request",
            Self::Policy => "its policy is not the one that was requested",
            Self::Signature => "its signature is not by the key of the certificate",
            Self::SignatureAlgorithm => "the algorithm of its signature is not allowed",
            Self::SignerInfo => "it has not exactly one signer",
            Self::SigningCertificate => "its signed attributes do not name the certificate of its signer",
            Self::SigningTime => "its signing time is outside the validity of a certificate",
            Self::Status => "the response has no token although one was granted, or the other way round",
            Self::TsaCertificate => "the certificate of its signer is not there",
            Self::Validity => "its time, with its accuracy, is not inside the validity of a certificate",
            Self::Version => "a version is not the one of the standard",
        }
    }
}

impl fmt::Display for TimestampRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
