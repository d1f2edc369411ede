//! `NotaryAttributes`: what is signed beside the payload. Signature specification, "Signed Attributes"; signing-scheme.

use std::fmt;

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;
use crate::text::Untrusted;
use crate::time::Time;

/// The signed attributes of an envelope: its signing scheme, its times, its extended attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotaryAttributes {
    pub(super) expiry: Option<Time>,
    pub(super) extended: Vec<ExtendedAttribute>,
    pub(super) plugin: Option<VerificationPlugin>,
    pub(super) scheme: SigningScheme,
    pub(super) signing_time: Time,
    pub(super) unknown_critical: Vec<ExtendedName>,
}

/// A signing scheme: what the signing time is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SigningScheme {
    /// `notary.x509`: the signer claims the signing time.
    X509,
    /// `notary.x509.signingAuthority`: the operator trusts the signer for the signing time too, which is authentic.
    X509SigningAuthority,
}

/// A signed attribute that the Notary Project does not define.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// Whether a verifier that does not know it must refuse the envelope.
    pub critical: bool,
    /// Its name.
    pub name: ExtendedName,
    /// Its value.
    pub value: ExtendedValue,
}

/// The name of an extended attribute: foreign text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtendedName {
    /// A number, in COSE.
    Number(i64),
    /// Text.
    Text(String),
}

/// The value of an extended attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtendedValue {
    /// Anything but text, as it is encoded in the envelope: JSON or CBOR.
    Encoded(Vec<u8>),
    /// Text.
    Text(String),
}

/// The plugin that the signer wants an envelope to be verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationPlugin {
    /// The minimum version, a semantic version.
    pub minimum_version: Option<String>,
    /// The name, which is not empty: foreign text.
    pub name: String,
}

impl NotaryAttributes {
    /// The attributes of an envelope to be signed, without an expiry and without extended attributes.
    pub const fn new(scheme: SigningScheme, signing_time: Time) -> Self {
        Self { expiry: None, extended: Vec::new(), plugin: None, scheme, signing_time, unknown_critical: Vec::new() }
    }

    /// These attributes with an expiry.
    #[must_use]
    pub fn with_expiry(mut self, expiry: Time) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// These attributes with one more extended attribute. bulla does not verify an envelope with a critical one.
    #[must_use]
    pub fn with_extended(mut self, name: &str, value: &str, critical: bool) -> Self {
        let name = ExtendedName::Text(name.to_owned());
        if critical {
            self.unknown_critical.push(name.clone());
        }
        self.extended.push(ExtendedAttribute { critical, name, value: ExtendedValue::Text(value.to_owned()) });
        self
    }

    /// The time from which the signature is no longer valid.
    pub const fn expiry(&self) -> Option<Time> {
        self.expiry
    }

    /// The extended attributes: critical ones in the order of the list of critical attributes, then the others in the
    /// order of the header. Those of a verification plugin are not among them.
    pub fn extended(&self) -> &[ExtendedAttribute] {
        &self.extended
    }

    /// The verification plugin that the signer asks for.
    pub const fn verification_plugin(&self) -> Option<&VerificationPlugin> {
        self.plugin.as_ref()
    }

    /// The signing scheme.
    pub const fn scheme(&self) -> SigningScheme {
        self.scheme
    }

    /// The signing time: the authentic one if the scheme is [`SigningScheme::X509SigningAuthority`], else a claim of
    /// the signer.
    pub const fn signing_time(&self) -> Time {
        self.signing_time
    }

    /// The authentic signing time, which only the scheme [`SigningScheme::X509SigningAuthority`] has.
    pub fn authentic_signing_time(&self) -> Option<Time> {
        (self.scheme == SigningScheme::X509SigningAuthority).then_some(self.signing_time)
    }

    /// Why an envelope with these attributes is not verified even if its signature is valid: each critical attribute
    /// that is not known (refused), then a verification plugin that is named (could-not-tell).
    pub fn objections(&self) -> Vec<NotaryError> {
        let unknown = self.unknown_critical.iter();
        let unknown = unknown.map(|name| NotaryError::found(NotaryRule::UnknownCritical, &name.to_string()));
        let plugin = self.plugin.iter().map(|plugin| NotaryError::Undetermined {
            found: Some(Untrusted::new(&plugin.to_string())),
            rule: NotaryRule::VerificationPlugin,
        });
        unknown.chain(plugin).collect()
    }
}

impl SigningScheme {
    /// The name in the envelope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X509 => "notary.x509",
            Self::X509SigningAuthority => "notary.x509.signingAuthority",
        }
    }

    pub(super) fn of_name(name: &str) -> Result<Self, NotaryError> {
        let known = [Self::X509, Self::X509SigningAuthority].into_iter().find(|scheme| scheme.as_str() == name);
        known.ok_or_else(|| NotaryError::found(NotaryRule::SigningScheme, name))
    }
}

impl fmt::Display for SigningScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Foreign text, escaped and bounded.
impl fmt::Display for ExtendedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{}", Untrusted::new(text)),
        }
    }
}

/// Foreign text, escaped and bounded: the name, and the minimum version.
impl fmt::Display for VerificationPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Untrusted::new(&self.name))?;
        match &self.minimum_version {
            Some(version) => write!(f, " {} or later", Untrusted::new(version)),
            None => Ok(()),
        }
    }
}
