//! Public key files: PEM or DER, an OpenSSH line, a JSON Web Key, or the key in a certificate.

use ::pkcs8::SubjectPublicKeyInfoRef;
use der::Decode as _;

use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::certificate;
use crate::key::identifier::KeyType;
use crate::key::jwk;
use crate::key::openssh;
use crate::key::pem;
use crate::key::pkcs8;
use crate::key::text;
use crate::key::unsupported_file;
use crate::key::unsupported_file::KeyHalf;
use crate::limits::Limits;

/// The file format that a public key was read from, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// A public key on its own.
    Bare,
    /// An X.509 certificate. Only its key was read: validity, issuer and key usage were not checked.
    Certificate,
    /// A JSON Web Key.
    Jwk,
    /// An OpenSSH public key.
    OpenSsh,
}

impl Container {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "public key",
            Self::Certificate => "certificate",
            Self::Jwk => "JSON Web Key",
            Self::OpenSsh => "OpenSSH public key",
        }
    }
}

impl PublicKey {
    /// Parses a public key file: `SubjectPublicKeyInfo`, or PKCS#1 for RSA, as PEM or DER, also with the text encodings
    /// that editors and consoles add.
    ///
    /// # Errors
    /// [`KeyError`]; the error for a certificate or a private key says so.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_plain(&text::normalize(bytes)?)
    }

    /// Parses any public key file that bulla supports: as [`PublicKey::parse`], or an OpenSSH public key, a JSON Web
    /// Key, or a certificate. Of a certificate only the key is read: validity, issuer and key usage are not checked.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<(Self, Container), KeyError> {
        let plain = text::normalize(bytes)?;
        let within = |container| move |key| (key, container);
        if !pem::is_pem(&plain) {
            if let Some(key) = std::str::from_utf8(&plain).ok().and_then(openssh::read) {
                return key.map(within(Container::OpenSsh));
            }
            if let Some(key) = jwk::read(&plain, limits) {
                return key.map(within(Container::Jwk));
            }
            return match Self::from_der(&plain) {
                Err(_) if certificate::is_certificate(&plain) => {
                    certificate::public_key(&plain).map(within(Container::Certificate))
                }
                key => key.map(within(Container::Bare)),
            };
        }
        let block = pem::read(&plain)?;
        match block.label.as_str() {
            certificate::LABEL => certificate::public_key(&block.bytes).map(within(Container::Certificate)),
            _ => Self::from_plain(&plain).map(within(Container::Bare)),
        }
    }

    fn from_plain(bytes: &[u8]) -> Result<Self, KeyError> {
        if !pem::is_pem(bytes) {
            return Self::from_der(bytes);
        }
        let block = pem::read(bytes)?;
        match block.label.as_str() {
            "PUBLIC KEY" => Self::from_spki(&block.bytes),
            "RSA PUBLIC KEY" => Self::new(KeyType::Rsa, &block.bytes),
            other => Err(pem::unwanted(other, KeyHalf::Public)),
        }
    }

    fn from_der(bytes: &[u8]) -> Result<Self, KeyError> {
        if SubjectPublicKeyInfoRef::from_der(bytes).is_ok() {
            return Self::from_spki(bytes);
        }
        if pkcs8::is_pkcs1_public(bytes) {
            return Self::new(KeyType::Rsa, bytes);
        }
        match pkcs8::PrivateKeyForm::of(bytes) {
            Ok(_) => Err(KeyError::Kind { found: "a private key".to_owned(), wanted: KeyHalf::Public.name() }),
            Err(_) => Err(unsupported_file::of_content(bytes, KeyHalf::Public)
                .unwrap_or(KeyError::Encoding { what: "public key", reason: "it is neither PEM nor DER of a key" })),
        }
    }
}
