//! `PrivateKey`: a private key in memory, which signs.

use std::fmt;

use ::pkcs8::PrivateKeyInfoRef;
use der::Decode as _;
use zeroize::Zeroizing;

use crate::key::HashedMessage;
use crate::key::KeyError;
use crate::key::Passphrase;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;
use crate::key::algorithm::SigningKey;
use crate::key::pem;
use crate::key::pkcs8;
use crate::key::pkcs8::PrivateKeyForm;
use crate::key::sigstore;
use crate::key::text;
use crate::key::unsupported_file;
use crate::key::unsupported_file::KeyHalf;
use crate::limits::Limits;

/// A private key, wiped from memory when dropped, and never printed.
///
/// Ed25519, P-256 and P-384 sign deterministically. Every signature is verified before it is returned.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
    secret: SigningKey,
}

impl PrivateKey {
    pub(super) fn new(secret: SigningKey) -> Result<Self, KeyError> {
        let (key_type, bits) = secret.public();
        Ok(Self { pkcs8: secret.to_pkcs8()?, public: PublicKey::new(key_type, &bits)?, secret })
    }

    /// Parses an unencrypted PKCS#8 key in DER.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let reason = "it is not a PrivateKeyInfo structure";
        let malformed = |_| KeyError::Encoding { what: "PKCS#8 private key", reason };
        let info = PrivateKeyInfoRef::from_der(der).map_err(malformed)?;
        Self::new(SigningKey::new(&info)?)
    }

    /// Parses a private key file: cosign's encrypted container, PKCS#8 (encrypted or not), SEC1 or PKCS#1; PEM or DER.
    /// `passphrase` is called only if one is needed, after everything else was checked.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::PassphraseWrong`] if the passphrase is wrong.
    pub fn parse(
        bytes: &[u8],
        limits: &Limits,
        passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
    ) -> Result<Self, KeyError> {
        let plain = text::normalize(bytes)?;
        if !pem::is_pem(&plain) {
            let form = PrivateKeyForm::of(&plain)
                .map_err(|error| unsupported_file::of_content(&plain, KeyHalf::Private).unwrap_or(error))?;
            return Self::from_form(form, &plain, passphrase);
        }
        let block = pem::read(&plain)?;
        match block.label.as_str() {
            "EC PRIVATE KEY" => Self::from_form(PrivateKeyForm::Sec1, &block.bytes, passphrase),
            "ENCRYPTED PRIVATE KEY" => Self::from_form(PrivateKeyForm::Encrypted, &block.bytes, passphrase),
            "PRIVATE KEY" => Self::from_form(PrivateKeyForm::Pkcs8, &block.bytes, passphrase),
            "RSA PRIVATE KEY" => Self::from_form(PrivateKeyForm::Pkcs1, &block.bytes, passphrase),
            "DSA PRIVATE KEY" => Err(KeyError::Algorithm { found: "DSA".to_owned() }),
            label if sigstore::LABELS.contains(&label) => {
                Self::from_pkcs8_der(&sigstore::open(&block.bytes, limits, passphrase)?)
            }
            other => Err(pem::unwanted(other, KeyHalf::Private)),
        }
    }

    /// The format of a private key file, if it is one: its PEM label, or the name of its structure. The key is not
    /// decrypted.
    pub fn form(bytes: &[u8]) -> Option<String> {
        let plain = text::normalize(bytes).ok()?;
        match pem::is_pem(&plain) {
            // Only the label, since the rest of the file may be secret.
            true => pem::private_label(&plain).map(|label| format!("BEGIN {label}")),
            false => Self::form_of_der(&plain).map(str::to_owned),
        }
    }

    fn form_of_der(der: &[u8]) -> Option<&'static str> {
        match PrivateKeyForm::of(der).ok()? {
            PrivateKeyForm::Encrypted => Some("encrypted PKCS#8 in DER"),
            PrivateKeyForm::Pkcs1 => Some("PKCS#1 in DER"),
            PrivateKeyForm::Pkcs8 => Some("PKCS#8 in DER"),
            PrivateKeyForm::Sec1 => Some("SEC1 in DER"),
        }
    }

    fn from_form(
        form: PrivateKeyForm,
        bytes: &[u8],
        passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
    ) -> Result<Self, KeyError> {
        match form {
            PrivateKeyForm::Encrypted => Self::from_pkcs8_der(&pkcs8::decrypt(bytes, passphrase)?),
            PrivateKeyForm::Pkcs1 => Self::from_pkcs8_der(&pkcs8::from_pkcs1(bytes)?),
            PrivateKeyForm::Pkcs8 => Self::from_pkcs8_der(bytes),
            PrivateKeyForm::Sec1 => Self::from_pkcs8_der(&pkcs8::from_sec1(bytes)?),
        }
    }

    /// The key as PKCS#8 version 1 in DER, not encrypted.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The key as PKCS#8 version 1 in PEM, not encrypted.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        pem::write("PRIVATE KEY", &self.pkcs8)
    }

    /// The key as encrypted PKCS#8 in PEM, which OpenSSL reads.
    ///
    /// AES-CBC keeps the key secret but does not detect changes: a damaged Ed25519 key decrypts to another key. The
    /// sigstore container detects them.
    ///
    /// # Errors
    /// [`KeyError::Random`] or [`KeyError::Encoding`].
    pub fn to_encrypted_pkcs8_pem(&self, passphrase: &Passphrase) -> Result<String, KeyError> {
        let encrypted = pkcs8::encrypt(&self.pkcs8, passphrase)?;
        Ok(pem::write("ENCRYPTED PRIVATE KEY", &encrypted).to_string())
    }

    /// The key in the encrypted container that cosign reads and writes.
    ///
    /// # Errors
    /// [`KeyError::Random`] or [`KeyError::Encoding`].
    pub fn to_sigstore_pem(&self, passphrase: &Passphrase) -> Result<String, KeyError> {
        let [label, _] = sigstore::LABELS;
        let container = sigstore::seal(&self.pkcs8, passphrase)?;
        Ok(pem::write(label, &container).to_string())
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.sign_with(self.public.default_scheme(), message)
    }

    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        if !self.public.schemes().contains(&scheme) {
            return Err(SignerError::Scheme { algorithm: self.public.algorithm(), scheme });
        }
        let failed = || SignerError::Failed { key: self.public.id(), scheme };
        let bytes = self.secret.sign(scheme, message).ok_or_else(failed)?;
        Signature::verified(&self.public, scheme, message, bytes)
    }

    fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Result<Signature, SignerError> {
        if !self.public.schemes().contains(&scheme) {
            return Err(SignerError::Scheme { algorithm: self.public.algorithm(), scheme });
        }
        if message.lacks(scheme).is_some() {
            return Err(SignerError::MessageNeeded { key: self.public.id(), scheme });
        }
        let failed = || SignerError::Failed { key: self.public.id(), scheme };
        let bytes = self.secret.sign_hashed(scheme, message).ok_or_else(failed)?;
        Signature::verified_hashed(&self.public, scheme, message, bytes)
    }

    fn signs_hashes(&self, scheme: Scheme) -> bool {
        scheme != Scheme::Ed25519
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, {})", self.public.algorithm(), self.public.id())
    }
}
