//! `Profile`: by which rules a chain is verified, as data.

use crate::key::Algorithm;
use crate::x509::ChainRule;
use crate::x509::KeyUsage;
use crate::x509::Oid;

/// The rules that a chain is verified by, beside those of RFC 5280 section 6.1, which always apply.
///
/// `docs/x509.md` prints the rules of each profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(super) checks: &'static [Check],
    pub(super) ed25519: Ed25519,
    pub(super) name: &'static str,
    pub(super) signer_keys: SignerKeys,
    pub(super) signing: SignerRule,
    pub(super) time_stamping: SignerRule,
}

/// What a chain is verified for, and what the operator trusts an anchor for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Signing artifacts.
    Signing,
    /// Signing artifacts for others, at a time that the signer states (scheme `notary.x509.signingAuthority`).
    SigningAuthority,
    /// Signing timestamps (RFC 3161).
    TimeStamping,
}

impl Purpose {
    /// The name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::SigningAuthority => "signing-authority",
            Self::TimeStamping => "timestamps",
        }
    }
}

/// Which path is looked for, and which certificate of it must be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathRule {
    /// Any path from the signer's certificate to an anchor.
    ToAnchor,
    /// The signer's certificates in their order, up to a self-signed root; one of them, whichever, is an anchor.
    WholeChain,
}

/// A rule about each certificate of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Subject alternative names have the syntax of their form.
    AlternativeNameSyntax,
    /// All but roots have an authority key identifier with a key id.
    AuthorityKeyId,
    /// Certificate authorities have the key usage extension.
    AuthorityKeyUsage,
    /// The basic constraints of certificate authorities are critical.
    BasicConstraintsCritical,
    /// The name of the issuer is not empty.
    IssuerName,
    /// keyCertSign and certificate authority go together.
    KeyCertSign,
    /// DNS names in name constraints do not begin with a period.
    NameConstraintSyntax,
    /// Name constraints are critical, and only certificate authorities have them.
    NameConstraintsPlace,
    /// Extensions that must not be critical are not.
    NotCritical,
    /// Only certificate authorities with keyCertSign have a path length.
    PathLengthPlace,
    /// The serial number is not negative.
    SerialNotNegative,
    /// The serial number is positive and has at most 20 bytes.
    SerialPositive,
    /// The signer's certificate is not one of a certificate authority.
    SignerIsNoAuthority,
    /// Certificate authorities have a subject key identifier.
    SubjectKeyId,
    /// The subject is not empty, or the certificate is the signer's and its alternative names are critical.
    SubjectName,
}

/// Which keys a signer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignerKeys {
    /// All kinds that we use.
    All,
    /// RSA of 2048, 3072 or 4096 bits, ECDSA on P-256, P-384 or P-521.
    Notary,
}

/// Whether certificates may be signed with Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ed25519 {
    Allowed,
    NotSupported,
}

/// What the signer's certificate must say, and what those of its issuers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignerRule {
    /// Whether certificate authorities must have the key usage extension. If it is there, it must have keyCertSign.
    pub(super) authority_key_usage: Presence,
    /// Whether the purposes of certificate authorities bind what they issue.
    pub(super) authorities: AuthorityPurposes,
    /// Purposes that must not be there.
    pub(super) forbidden_purposes: &'static [&'static [u8]],
    /// Uses of the key that must not be there.
    pub(super) forbidden_uses: KeyUsage,
    /// Whether the key usage extension must be there.
    pub(super) key_usage: Presence,
    /// Which path is looked for.
    pub(super) path: PathRule,
    /// The purpose.
    pub(super) purpose: Oid,
    /// Whether the extension with the purposes must be there, and what it must say.
    pub(super) purpose_rule: PurposeRule,
    /// Key usages: the certificate must have at least one of them.
    pub(super) uses: KeyUsage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorityPurposes {
    /// A certificate authority with other purposes may issue the signer's certificate.
    Ignored,
    /// A certificate authority with purposes has this one or anyExtendedKeyUsage among them.
    IfPresent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Critical,
    IfPresent,
    Required,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PurposeRule {
    /// The extension is there, is critical, and has this purpose alone.
    CriticalAndAlone,
    /// If the extension is there, it has the purpose or anyExtendedKeyUsage.
    IfPresent,
    /// Nothing is required.
    Optional,
    /// The extension is there and has the purpose.
    Required,
}

impl Profile {
    /// Notary Project signature specification, "Certificate Requirements", as notation reads it. The signer gives the
    /// whole chain; any certificate of it may be the trusted one. Extensions that cannot be processed are
    /// could-not-tell, where notation ignores them. The specification requires critical basic constraints of certificate
    /// authorities; notation does not check that, and neither does this profile.
    pub const NOTARY: Self = Self {
        checks: &[Check::SerialNotNegative, Check::SignerIsNoAuthority],
        ed25519: Ed25519::NotSupported,
        name: "notary",
        signer_keys: SignerKeys::Notary,
        signing: SignerRule {
            authority_key_usage: Presence::Critical,
            authorities: AuthorityPurposes::Ignored,
            forbidden_purposes: &[ANY, SERVER_AUTH, CLIENT_AUTH, EMAIL_PROTECTION, TIME_STAMPING, OCSP_SIGNING],
            forbidden_uses: NOT_FOR_SIGNERS,
            key_usage: Presence::Critical,
            path: PathRule::WholeChain,
            purpose: Oid::known(CODE_SIGNING),
            purpose_rule: PurposeRule::Optional,
            uses: KeyUsage::DIGITAL_SIGNATURE,
        },
        time_stamping: SignerRule {
            authority_key_usage: Presence::Required,
            authorities: AuthorityPurposes::IfPresent,
            forbidden_purposes: &[],
            forbidden_uses: NOT_FOR_SIGNERS,
            key_usage: Presence::Required,
            path: PathRule::ToAnchor,
            purpose: Oid::known(TIME_STAMPING),
            purpose_rule: PurposeRule::CriticalAndAlone,
            uses: KeyUsage::DIGITAL_SIGNATURE,
        },
    };

    /// RFC 5280 with what it requires of certificate authorities, not only of verifiers.
    pub const RFC5280_STRICT: Self = Self {
        checks: &[
            Check::SerialPositive,
            Check::IssuerName,
            Check::SubjectName,
            Check::NotCritical,
            Check::AuthorityKeyId,
            Check::SubjectKeyId,
            Check::KeyCertSign,
            Check::BasicConstraintsCritical,
            Check::AuthorityKeyUsage,
            Check::PathLengthPlace,
            Check::NameConstraintsPlace,
            Check::NameConstraintSyntax,
            Check::AlternativeNameSyntax,
        ],
        ed25519: Ed25519::Allowed,
        name: "rfc5280-strict",
        signer_keys: SignerKeys::All,
        signing: SignerRule {
            authority_key_usage: Presence::IfPresent,
            authorities: AuthorityPurposes::IfPresent,
            forbidden_purposes: &[],
            forbidden_uses: KeyUsage::NONE,
            key_usage: Presence::IfPresent,
            path: PathRule::ToAnchor,
            purpose: Oid::known(CODE_SIGNING),
            purpose_rule: PurposeRule::IfPresent,
            uses: KeyUsage::DIGITAL_SIGNATURE,
        },
        time_stamping: TIME_STAMPING_RULE,
    };

    /// What Fulcio issues: the purpose code signing is required.
    pub const SIGSTORE: Self = Self {
        checks: &[Check::SerialNotNegative, Check::IssuerName, Check::SubjectName, Check::SignerIsNoAuthority],
        ed25519: Ed25519::Allowed,
        name: "sigstore",
        signer_keys: SignerKeys::All,
        signing: SignerRule {
            authority_key_usage: Presence::Required,
            authorities: AuthorityPurposes::IfPresent,
            forbidden_purposes: &[ANY],
            forbidden_uses: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
            key_usage: Presence::Required,
            path: PathRule::ToAnchor,
            purpose: Oid::known(CODE_SIGNING),
            purpose_rule: PurposeRule::Required,
            uses: KeyUsage::DIGITAL_SIGNATURE,
        },
        time_stamping: TIME_STAMPING_RULE,
    };

    /// [`Profile::SIGSTORE`] for a certificate that no Fulcio issued, since it states no OIDC issuer: an authority of a
    /// company may leave out uses and purposes of a key, which then has all of them (RFC 5280 sections 4.2.1.12 and
    /// 6.1.4 (n)). Where they are stated, signing and code signing are among them.
    pub(crate) fn sigstore_without_fulcio() -> Self {
        let signing = SignerRule {
            authority_key_usage: Presence::IfPresent,
            key_usage: Presence::IfPresent,
            purpose_rule: PurposeRule::IfPresent,
            ..Self::SIGSTORE.signing
        };
        Self { signing, ..Self::SIGSTORE }
    }

    /// All profiles.
    pub const ALL: [&'static Self; 3] = [&Self::NOTARY, &Self::RFC5280_STRICT, &Self::SIGSTORE];

    /// The name of the profile in reports and on the command line.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// The same rules for signers whose certificates are for another purpose than code signing, such as document
    /// signing (1.3.6.1.5.5.7.3.36, RFC 9336). A profile that requires no purpose then requires this one of certificates
    /// with an extended key usage. The rules about timestamps stay.
    #[must_use]
    pub fn for_key_purpose(mut self, purpose: Oid) -> Self {
        self.signing.purpose = purpose;
        if self.signing.purpose_rule == PurposeRule::Optional {
            self.signing.purpose_rule = PurposeRule::IfPresent;
        }
        self
    }

    /// Whether a signature has its whole chain with it, so that one of the certificates it came with must be an anchor.
    pub fn takes_whole_chain(&self) -> bool {
        self.signing.path == PathRule::WholeChain
    }

    pub(super) const fn signer(&self, purpose: Purpose) -> &SignerRule {
        match purpose {
            Purpose::Signing | Purpose::SigningAuthority => &self.signing,
            Purpose::TimeStamping => &self.time_stamping,
        }
    }
}

impl Check {
    /// The rule that a certificate breaks where the check fails.
    pub(super) const fn rule(self) -> ChainRule {
        match self {
            Self::AlternativeNameSyntax => ChainRule::AlternativeName,
            Self::AuthorityKeyId => ChainRule::AuthorityKeyId,
            Self::AuthorityKeyUsage | Self::KeyCertSign => ChainRule::KeyUsage,
            Self::BasicConstraintsCritical => ChainRule::BasicConstraintsCritical,
            Self::IssuerName => ChainRule::IssuerName,
            Self::NameConstraintSyntax => ChainRule::NameConstraints,
            Self::NameConstraintsPlace => ChainRule::NameConstraintsPlace,
            Self::NotCritical => ChainRule::NotCritical,
            Self::PathLengthPlace => ChainRule::PathLengthPlace,
            Self::SerialNotNegative | Self::SerialPositive => ChainRule::SerialNumber,
            Self::SignerIsNoAuthority => ChainRule::CaAsSigner,
            Self::SubjectKeyId => ChainRule::SubjectKeyId,
            Self::SubjectName => ChainRule::SubjectName,
        }
    }
}

impl SignerKeys {
    /// Whether a signer may have a key of this kind and size.
    pub(super) const fn allow(self, algorithm: Algorithm) -> bool {
        match self {
            Self::All => true,
            Self::Notary => match algorithm {
                Algorithm::EcdsaP256 | Algorithm::EcdsaP384 | Algorithm::EcdsaP521 => true,
                Algorithm::Rsa { bits } => matches!(bits, 2048 | 3072 | 4096),
                Algorithm::Ed25519 => false,
            },
        }
    }
}

/// RFC 3161 section 2.3: the purpose is critical and alone.
const TIME_STAMPING_RULE: SignerRule = SignerRule {
    authority_key_usage: Presence::IfPresent,
    authorities: AuthorityPurposes::IfPresent,
    forbidden_purposes: &[],
    forbidden_uses: KeyUsage::NONE,
    key_usage: Presence::IfPresent,
    path: PathRule::ToAnchor,
    purpose: Oid::known(TIME_STAMPING),
    purpose_rule: PurposeRule::CriticalAndAlone,
    // RFC 5280 section 4.2.1.12.
    uses: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::NON_REPUDIATION),
};

/// Notary Project signature specification, "Leaf Certificates".
const NOT_FOR_SIGNERS: KeyUsage = KeyUsage::KEY_ENCIPHERMENT
    .and(KeyUsage::DATA_ENCIPHERMENT)
    .and(KeyUsage::KEY_AGREEMENT)
    .and(KeyUsage::KEY_CERT_SIGN)
    .and(KeyUsage::CRL_SIGN)
    .and(KeyUsage::ENCIPHER_ONLY)
    .and(KeyUsage::DECIPHER_ONLY);

/// The name of a purpose of keys, if it is known, and its object identifier.
pub(super) fn purpose_text(purpose: &Oid) -> String {
    match purpose_name(purpose.as_content()) {
        "" => purpose.to_string(),
        name => format!("{name} ({purpose})"),
    }
}

/// The name of the purpose of keys whose object identifier has this content; nothing if it is not known.
pub(super) fn purpose_name(purpose: &[u8]) -> &'static str {
    PURPOSES.iter().find(|(content, _)| *content == purpose).map_or("", |(_, name)| name)
}

/// The names of purposes in RFC 5280 section 4.2.1.12.
const PURPOSES: [(&[u8], &str); 7] = [
    (ANY, "anyExtendedKeyUsage"),
    (CLIENT_AUTH, "clientAuth"),
    (CODE_SIGNING, "codeSigning"),
    (EMAIL_PROTECTION, "emailProtection"),
    (OCSP_SIGNING, "OCSPSigning"),
    (SERVER_AUTH, "serverAuth"),
    (TIME_STAMPING, "timeStamping"),
];

pub(super) const ANY: &[u8] = &[0x55, 0x1d, 37, 0];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(super) const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
pub(super) const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(super) const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
