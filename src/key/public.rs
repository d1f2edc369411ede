//! `PublicKey`: verifies signatures.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ::pkcs8::SubjectPublicKeyInfoRef;
use der::Decode as _;
use der::Encode as _;
use der::asn1::BitStringRef;

use crate::key::Algorithm;
use crate::key::KeyError;
use crate::key::KeyId;
use crate::key::Scheme;
use crate::key::Unverified;
use crate::key::algorithm::VerifyingKey;
use crate::key::identifier::KeyType;
use crate::key::pem;

/// A public key of a kind that we use, in its canonical encoding, prepared for checking many signatures.
///
/// Cheap to clone. Two are equal when their `SubjectPublicKeyInfo` is, and there is one of those for each key.
#[derive(Clone)]
pub struct PublicKey(Arc<PreparedKey>);

struct PreparedKey {
    checker: VerifyingKey,
    id: KeyId,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo`, as it also stands in certificates.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |reason| KeyError::Encoding { what: "public key", reason };
        let info = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|_| malformed("it is not a SubjectPublicKeyInfo structure"))?;
        let key_type = KeyType::of(&info.algorithm)?;
        let bits = info.subject_public_key.as_bytes().ok_or_else(|| malformed("it is not a whole number of bytes"))?;
        let key = Self::new(key_type, bits)?;
        // One key, one encoding, one id: a second encoding would be a second vote.
        match key.spki() == der {
            true => Ok(key),
            false => Err(malformed("its encoding is not the canonical one")),
        }
    }

    pub(super) fn new(key_type: KeyType, bits: &[u8]) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::Encoding { what: "public key", reason: "it is too long" };
        let checker = VerifyingKey::new(key_type, bits)?;
        let subject_public_key = BitStringRef::from_bytes(bits).map_err(malformed)?;
        let info = SubjectPublicKeyInfoRef { algorithm: key_type.identifier(), subject_public_key };
        let spki = info.to_der().map_err(malformed)?;
        Ok(Self(Arc::new(PreparedKey { checker, id: KeyId::of(&spki), spki })))
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> Algorithm {
        self.0.checker.algorithm()
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The same as PEM, with a line end at the end.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", self.spki()).to_string()
    }

    /// What a signature by this key may be, the usual one first.
    pub fn schemes(&self) -> &'static [Scheme] {
        self.algorithm().schemes()
    }

    /// What a signature by this key is unless somebody asks for another: the first of [`PublicKey::schemes`].
    pub fn usual_scheme(&self) -> Scheme {
        self.algorithm().usual_scheme()
    }

    /// Checks that `signature` is this key's over `message`, by one of the [`PublicKey::schemes`], and says by which.
    /// ECDSA signatures are DER.
    ///
    /// # Errors
    /// [`Unverified`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Scheme, Unverified> {
        let accepts = |scheme: &&Scheme| self.0.checker.accepts(**scheme, message, signature);
        self.schemes().iter().find(accepts).copied().ok_or(Unverified)
    }

    /// Checks that `signature` is this key's over `message` by `scheme`. ECDSA signatures are DER.
    ///
    /// # Errors
    /// [`Unverified`], also where `scheme` is not one of this key.
    pub fn verify_as(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        match self.0.checker.accepts(scheme, message, signature) {
            true => Ok(()),
            false => Err(Unverified),
        }
    }

    /// The canonical form of a signature by this key, for comparison. An ECDSA signature (r, s) is as valid as (r, n -
    /// s), which anybody can compute: the canonical one has the smaller second number.
    pub fn one_form<'a>(&self, signature: &'a [u8]) -> Cow<'a, [u8]> {
        self.0.checker.one_form(signature).map_or(Cow::Borrowed(signature), Cow::Owned)
    }

    /// How long a signature by this key is at most, in bytes.
    pub fn longest_signature(&self) -> usize {
        match self.algorithm() {
            // Two numbers, each with what DER puts before it.
            Algorithm::EcdsaP256 => 72,
            Algorithm::EcdsaP384 => 104,
            Algorithm::EcdsaP521 => 139,
            Algorithm::Ed25519 => 64,
            Algorithm::Rsa { bits } => usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX),
        }
    }

    /// Checks an ECDSA signature in the form of JWS and COSE: the two numbers side by side, each of the length of the
    /// curve. P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512; nothing else.
    ///
    /// # Errors
    /// [`Unverified`], also where `scheme` is not one of this key or not one of these three.
    pub fn verify_fixed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        match self.0.checker.accepts_fixed(scheme, message, signature) {
            true => Ok(()),
            false => Err(Unverified),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki() == other.spki()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm(), self.id())
    }
}
