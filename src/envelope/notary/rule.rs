//! `NotaryRule`: a rule of Notary Project envelopes, with its stable code, its clause, and what is wrong where it is
//! broken.

use std::fmt;

/// A rule of Notary Project envelopes. Its [code](NotaryRule::code) is stable.
///
/// Clauses without an RFC name a page of the specifications of the Notary Project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotaryRule {
    /// The signature algorithm is one of PS256, PS384, PS512, ES256, ES384 and ES512.
    AlgorithmNotAllowed,
    /// The signature algorithm is the one of the signing key.
    AlgorithmOfKey,
    /// An attribute or annotation to be written has a name of its own, outside of the reserved ones.
    AttributeName,
    /// An attribute to be written is text.
    AttributeValue,
    /// The scheme `notary.x509.signingAuthority` has an authentic signing time.
    AuthenticSigningTimeAbsent,
    /// The authentic signing time is critical.
    AuthenticSigningTimeNotCritical,
    /// The scheme `notary.x509` has no authentic signing time.
    AuthenticSigningTimePresent,
    /// Base64 has one reading: no white space, no stray bits, padding only where the format has it.
    Base64,
    /// No floating-point numbers, which the attributes of the Notary Project never are.
    CborFloat,
    /// CBOR is well-formed, and its lengths are definite.
    CborForm,
    /// The keys of CBOR maps are in the order of their encoding.
    CborKeyOrder,
    /// No key stands twice in a CBOR map.
    CborKeyTwice,
    /// CBOR numbers and lengths have their shortest encoding.
    CborShortest,
    /// It has the certificate chain of its signer.
    CertificateChainAbsent,
    /// The content type is `application/vnd.cncf.notary.payload.v1+json`.
    ContentType,
    /// A COSE envelope is an array of protected header, unprotected header, payload and signature.
    CoseStructure,
    /// A COSE envelope has the tag 18 of COSE_Sign1.
    CoseTag,
    /// Each critical attribute is in the protected header.
    CriticalAttributeAbsent,
    /// The list of critical attributes is there, and not empty.
    CriticalListAbsent,
    /// The list of critical attributes leaves out the header parameters of JWS and COSE themselves.
    CriticalListRegistered,
    /// No attribute stands twice in the list of critical ones.
    CriticalListTwice,
    /// The expiry is later than the signing time.
    ExpiryNotAfterSigning,
    /// The expiry is critical.
    ExpiryNotCritical,
    /// The payload itself is signed, not its hash.
    HashEnvelope,
    /// No header parameter is both protected and unprotected.
    HeaderInBoth,
    /// The labels of COSE header parameters are integers and texts.
    HeaderLabel,
    /// Header parameters have the type that is defined for them.
    HeaderValue,
    /// The signing key is RSA of 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521.
    KeyNotAllowed,
    /// A JWS envelope has a payload, a protected header and a signature.
    MemberAbsent,
    /// No two names differ in case only.
    NameAmbiguous,
    /// Names are case-sensitive.
    NameCase,
    /// The payload is the descriptor of an artifact: media type, digest, size and annotations.
    PayloadDescriptor,
    /// The size in a payload can be read exactly by every reader.
    PayloadSize,
    /// The name and version of a verification plugin are texts, and not empty.
    PluginAttributeForm,
    /// The name and version of a verification plugin are critical.
    PluginAttributeNotCritical,
    /// The minimum version of a verification plugin is a semantic version.
    PluginVersion,
    /// A minimum version belongs to a verification plugin that is named.
    PluginVersionAlone,
    /// The signature is by the signing key.
    Signature,
    /// The signature is not empty.
    SignatureAbsent,
    /// The signing scheme is `notary.x509` or `notary.x509.signingAuthority`.
    SigningScheme,
    /// The signing scheme is critical.
    SigningSchemeNotCritical,
    /// The scheme `notary.x509` has a signing time.
    SigningTimeAbsent,
    /// The scheme `notary.x509.signingAuthority` has no signing time beside the authentic one.
    SigningTimePresent,
    /// Times are whole seconds of the years 0 to 9999: RFC 3339 in JWS, tag 1 with an integer in COSE.
    Time,
    /// A timestamp token is not empty.
    TimestampEmpty,
    /// A timestamp token is added to an envelope without one.
    TimestampPresent,
    /// All critical attributes are known.
    UnknownCritical,
    /// An envelope has no members and unprotected header parameters but the known ones.
    UnknownMember,
    /// The signature can be verified without a plugin.
    VerificationPlugin,
}

impl NotaryRule {
    /// All rules.
    pub const ALL: &'static [Self] = &[
        Self::AlgorithmNotAllowed,
        Self::AlgorithmOfKey,
        Self::AttributeName,
        Self::AttributeValue,
        Self::AuthenticSigningTimeAbsent,
        Self::AuthenticSigningTimeNotCritical,
        Self::AuthenticSigningTimePresent,
        Self::Base64,
        Self::CborFloat,
        Self::CborForm,
        Self::CborKeyOrder,
        Self::CborKeyTwice,
        Self::CborShortest,
        Self::CertificateChainAbsent,
        Self::ContentType,
        Self::CoseStructure,
        Self::CoseTag,
        Self::CriticalAttributeAbsent,
        Self::CriticalListAbsent,
        Self::CriticalListRegistered,
        Self::CriticalListTwice,
        Self::ExpiryNotAfterSigning,
        Self::ExpiryNotCritical,
        Self::HashEnvelope,
        Self::HeaderInBoth,
        Self::HeaderLabel,
        Self::HeaderValue,
        Self::KeyNotAllowed,
        Self::MemberAbsent,
        Self::NameAmbiguous,
        Self::NameCase,
        Self::PayloadDescriptor,
        Self::PayloadSize,
        Self::PluginAttributeForm,
        Self::PluginAttributeNotCritical,
        Self::PluginVersion,
        Self::PluginVersionAlone,
        Self::Signature,
        Self::SignatureAbsent,
        Self::SigningScheme,
        Self::SigningSchemeNotCritical,
        Self::SigningTimeAbsent,
        Self::SigningTimePresent,
        Self::Time,
        Self::TimestampEmpty,
        Self::TimestampPresent,
        Self::UnknownCritical,
        Self::UnknownMember,
        Self::VerificationPlugin,
    ];

    /// The stable code of the rule, in lower-case words with hyphens.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed => "algorithm-not-allowed",
            Self::AlgorithmOfKey => "algorithm-not-of-key",
            Self::AttributeName => "attribute-name",
            Self::AttributeValue => "attribute-value",
            Self::AuthenticSigningTimeAbsent => "authentic-signing-time-absent",
            Self::AuthenticSigningTimeNotCritical => "authentic-signing-time-not-critical",
            Self::AuthenticSigningTimePresent => "authentic-signing-time-present",
            Self::Base64 => "base64",
            Self::CborFloat => "cbor-float",
            Self::CborForm => "cbor-form",
            Self::CborKeyOrder => "cbor-key-order",
            Self::CborKeyTwice => "cbor-key-twice",
            Self::CborShortest => "cbor-not-shortest",
            Self::CertificateChainAbsent => "certificate-chain-absent",
            Self::ContentType => "content-type",
            Self::CoseStructure => "cose-structure",
            Self::CoseTag => "cose-tag",
            Self::CriticalAttributeAbsent => "critical-attribute-absent",
            Self::CriticalListAbsent => "critical-list-absent",
            Self::CriticalListRegistered => "critical-list-registered-name",
            Self::CriticalListTwice => "critical-list-twice",
            Self::ExpiryNotAfterSigning => "expiry-not-after-signing",
            Self::ExpiryNotCritical => "expiry-not-critical",
            Self::HashEnvelope => "hash-envelope",
            Self::HeaderInBoth => "header-in-both",
            Self::HeaderLabel => "header-label",
            Self::HeaderValue => "header-value",
            Self::KeyNotAllowed => "key-not-allowed",
            Self::MemberAbsent => "member-absent",
            Self::NameAmbiguous => "name-ambiguous",
            Self::NameCase => "name-case",
            Self::PayloadDescriptor => "payload-descriptor",
            Self::PayloadSize => "payload-size",
            Self::PluginAttributeForm => "plugin-attribute-form",
            Self::PluginAttributeNotCritical => "plugin-attribute-not-critical",
            Self::PluginVersion => "plugin-version",
            Self::PluginVersionAlone => "plugin-version-alone",
            Self::Signature => "signature",
            Self::SignatureAbsent => "signature-absent",
            Self::SigningScheme => "signing-scheme",
            Self::SigningSchemeNotCritical => "signing-scheme-not-critical",
            Self::SigningTimeAbsent => "signing-time-absent",
            Self::SigningTimePresent => "signing-time-present",
            Self::Time => "time",
            Self::TimestampEmpty => "timestamp-empty",
            Self::TimestampPresent => "timestamp-present",
            Self::UnknownCritical => "unknown-critical-attribute",
            Self::UnknownMember => "unknown-member",
            Self::VerificationPlugin => "verification-plugin",
        }
    }

    /// The clause that the rule is from.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed | Self::AlgorithmOfKey | Self::KeyNotAllowed => {
                "signature-specification, Algorithm Selection"
            }
            Self::AttributeName | Self::AttributeValue | Self::UnknownCritical => {
                "signature-specification, Extended attributes"
            }
            Self::AuthenticSigningTimeAbsent | Self::AuthenticSigningTimeNotCritical | Self::SigningTimePresent => {
                "signing-scheme, notary.x509.signingAuthority"
            }
            Self::AuthenticSigningTimePresent | Self::SigningTimeAbsent => "signing-scheme, notary.x509",
            Self::Base64 => "RFC 7515 section 2, RFC 4648 sections 3.5, 4 and 5",
            Self::CborFloat => "RFC 8949 section 4.2.2",
            Self::CborForm => "RFC 8949 sections 4.2.1 and 5.3.1",
            Self::CborKeyOrder | Self::CborShortest => "RFC 8949 section 4.2.1",
            Self::CborKeyTwice => "RFC 8949 section 5.6, RFC 9052 section 3",
            Self::CertificateChainAbsent | Self::TimestampEmpty | Self::TimestampPresent => {
                "signature-specification, Unsigned Attributes"
            }
            Self::ContentType | Self::PayloadDescriptor => "signature-specification, Payload",
            Self::CoseStructure => "RFC 9052 sections 3 and 4.2",
            Self::CoseTag => "signature-envelope-cose, RFC 9052 section 4.2",
            Self::CriticalAttributeAbsent | Self::CriticalListAbsent | Self::CriticalListRegistered => {
                "RFC 7515 section 4.1.11, RFC 9052 section 3.1"
            }
            Self::CriticalListTwice => "RFC 7515 section 4.1.11",
            Self::ExpiryNotAfterSigning | Self::ExpiryNotCritical | Self::SigningSchemeNotCritical => {
                "signature-specification, Signed Attributes"
            }
            Self::HashEnvelope => "signature-envelope-cose, COSE Hash Envelope",
            Self::HeaderInBoth => "RFC 7515 section 7.2.1, RFC 9052 section 3",
            Self::HeaderLabel => "RFC 9052 section 1.4",
            Self::HeaderValue | Self::UnknownMember => "signature-envelope-jws, signature-envelope-cose",
            Self::MemberAbsent => "RFC 7515 section 7.2.2, signature-envelope-jws",
            Self::NameAmbiguous | Self::NameCase => "RFC 7515 section 4",
            Self::PayloadSize => "RFC 8259 section 6",
            Self::PluginAttributeForm
            | Self::PluginAttributeNotCritical
            | Self::PluginVersionAlone
            | Self::VerificationPlugin => "signature-specification, Extended attributes for Notation Plugins",
            Self::PluginVersion => "Semantic Versioning 2.0.0, section 2",
            Self::Signature => "RFC 7515 section 5.2, RFC 9052 section 4.4",
            Self::SignatureAbsent => "RFC 7515 section 7.2.1, RFC 9052 section 4.2",
            Self::SigningScheme => "signing-scheme",
            Self::Time => "RFC 3339 section 5.6, RFC 8949 section 3.4.2",
        }
    }

    /// What is wrong with an envelope that breaks the rule.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed => "its signature algorithm is not allowed",
            Self::AlgorithmOfKey => "its signature algorithm is not the one of the signing key",
            Self::AttributeName => {
                "an attribute or annotation to be written has a name that is empty, reserved or used twice"
            }
            Self::AttributeValue => "an attribute to be written is not text",
            Self::AuthenticSigningTimeAbsent => "it has no authentic signing time, which its scheme needs",
            Self::AuthenticSigningTimeNotCritical => "its authentic signing time is not critical",
            Self::AuthenticSigningTimePresent => "it has an authentic signing time, which its scheme does not allow",
            Self::Base64 => "it is not base64 in its only reading",
            Self::CborFloat => "it has a CBOR floating-point number, which is not supported",
            Self::CborForm => "its CBOR is malformed or has an indefinite length",
            Self::CborKeyOrder => "the keys of a CBOR map are not in order",
            Self::CborKeyTwice => "a key stands twice in a CBOR map",
            Self::CborShortest => "a CBOR number or length does not have its shortest encoding",
            Self::CertificateChainAbsent => "it has no certificate chain",
            Self::ContentType => "its content type is not the one of a Notary Project payload",
            Self::CoseStructure => "it is not the structure COSE_Sign1",
            Self::CoseTag => "it does not have the tag of COSE_Sign1",
            Self::CriticalAttributeAbsent => "an attribute in the list of critical ones is not in the protected header",
            Self::CriticalListAbsent => "it has no list of critical attributes, or an empty one",
            Self::CriticalListRegistered => {
                "the list of critical attributes has a header parameter of the envelope format itself"
            }
            Self::CriticalListTwice => "an attribute stands twice in the list of critical ones",
            Self::ExpiryNotAfterSigning => "its expiry is not later than its signing time",
            Self::ExpiryNotCritical => "its expiry is not critical",
            Self::HashEnvelope => "the hash of its payload is signed, which is not supported",
            Self::HeaderInBoth => "a header parameter is both protected and unprotected",
            Self::HeaderLabel => "the label of a header parameter is neither an integer nor text",
            Self::HeaderValue => "a header parameter does not have its type",
            Self::KeyNotAllowed => "the signing key has a kind or size that is not allowed",
            Self::MemberAbsent => "a member is missing",
            Self::NameAmbiguous => "two names differ in case only",
            Self::NameCase => "a name differs from a known one in case only",
            Self::PayloadDescriptor => "its payload is not the descriptor of an artifact",
            Self::PayloadSize => "the size in its payload cannot be read exactly by every reader",
            Self::PluginAttributeForm => "the name or version of its verification plugin is not text, or empty",
            Self::PluginAttributeNotCritical => "the name or version of its verification plugin is not critical",
            Self::PluginVersion => "the minimum version of its verification plugin is not a semantic version",
            Self::PluginVersionAlone => "it has the minimum version of a verification plugin, and no name of one",
            Self::Signature => "its signature is not by the signing key",
            Self::SignatureAbsent => "its signature is empty",
            Self::SigningScheme => "its signing scheme is missing or unknown",
            Self::SigningSchemeNotCritical => "its signing scheme is not critical",
            Self::SigningTimeAbsent => "it has no signing time, which its scheme needs",
            Self::SigningTimePresent => "it has a signing time, which its scheme does not allow",
            Self::Time => "a time is not a whole second of the years 0 to 9999 in its format",
            Self::TimestampEmpty => "its timestamp token is empty",
            Self::TimestampPresent => "it has a timestamp token already",
            Self::UnknownCritical => "it has a critical attribute that is not known",
            Self::UnknownMember => "it has a member or an unprotected header parameter that is not known",
            Self::VerificationPlugin => "it must be verified by a plugin, and plugins are not run",
        }
    }
}

impl fmt::Display for NotaryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
