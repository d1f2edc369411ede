//! `PublicKey`: verifies signatures.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ::pkcs8::SubjectPublicKeyInfoRef;
use der::Decode as _;
use der::Encode as _;
use der::asn1::BitStringRef;

use crate::key::Algorithm;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::key::KeyError;
use crate::key::KeyId;
use crate::key::Scheme;
use crate::key::Unverified;
use crate::key::algorithm::VerifyingKey;
use crate::key::identifier::KeyType;
use crate::key::pem;

/// A public key of a supported type, in its canonical encoding, prepared to verify many signatures.
///
/// Cheap to clone. Two keys are equal if their `SubjectPublicKeyInfo` is, and each key has only one.
#[derive(Clone)]
pub struct PublicKey(Arc<PreparedKey>);

struct PreparedKey {
    checker: VerifyingKey,
    id: KeyId,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Parses a DER `SubjectPublicKeyInfo`, the form that certificates contain too.
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
        // One encoding and one id for each key: with a second encoding it would count twice.
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

    /// The algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.0.checker.algorithm()
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The key as PEM, ending in a newline.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", self.spki()).to_string()
    }

    /// The schemes that are accepted for this key, the default first.
    pub fn schemes(&self) -> &'static [Scheme] {
        self.algorithm().schemes()
    }

    /// The scheme that this key signs with by default: the first of [`PublicKey::schemes`].
    pub fn default_scheme(&self) -> Scheme {
        self.algorithm().default_scheme()
    }

    /// Verifies `signature` over `message` by each of the [`PublicKey::schemes`], and returns the one that accepts it.
    /// ECDSA signatures are DER.
    ///
    /// # Errors
    /// [`Unverified`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Scheme, Unverified> {
        let accepts = |scheme: &&Scheme| self.0.checker.accepts(**scheme, message, signature);
        self.schemes().iter().find(accepts).copied().ok_or(Unverified)
    }

    /// As [`PublicKey::verify`], of a message by its hashes.
    ///
    /// # Errors
    /// [`HashedMessageError::Unverified`] if every scheme was tried; otherwise what was not known of the message.
    pub fn verify_hashed(&self, message: &HashedMessage, signature: &[u8]) -> Result<Scheme, HashedMessageError> {
        let accepts = |scheme: &&Scheme| self.0.checker.accepts_hashed(**scheme, message, signature);
        if let Some(scheme) = self.schemes().iter().find(accepts) {
            return Ok(*scheme);
        }
        let lacking = self.schemes().iter().find_map(|scheme| message.lacks(*scheme));
        Err(lacking.unwrap_or(HashedMessageError::Unverified))
    }

    /// As [`PublicKey::verify_as`], of a message by its hashes.
    ///
    /// # Errors
    /// [`HashedMessageError::Unverified`], also if `scheme` does not fit this key; otherwise what is not known of the message.
    pub fn verify_hashed_as(
        &self,
        scheme: Scheme,
        message: &HashedMessage,
        signature: &[u8],
    ) -> Result<(), HashedMessageError> {
        match (message.lacks(scheme), self.0.checker.accepts_hashed(scheme, message, signature)) {
            (None, true) => Ok(()),
            (Some(lacking), _) => Err(lacking),
            (None, false) => Err(HashedMessageError::Unverified),
        }
    }

    /// Verifies `signature` over `message` by `scheme`. ECDSA signatures are DER.
    ///
    /// # Errors
    /// [`Unverified`], also if `scheme` does not fit this key.
    pub fn verify_as(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        match self.0.checker.accepts(scheme, message, signature) {
            true => Ok(()),
            false => Err(Unverified),
        }
    }

    /// The canonical form of a signature by this key, for comparison. ECDSA signatures are malleable: anybody can
    /// compute (r, n - s) from (r, s), and both are valid. The canonical one has the smaller second number (low-S).
    pub fn canonical_signature<'a>(&self, signature: &'a [u8]) -> Cow<'a, [u8]> {
        self.0.checker.canonical_signature(signature).map_or(Cow::Borrowed(signature), Cow::Owned)
    }

    /// The length of the longest signature by this key, in bytes.
    pub fn longest_signature(&self) -> usize {
        match self.algorithm() {
            // Two numbers, with the DER bytes before each.
            Algorithm::EcdsaP256 => 72,
            Algorithm::EcdsaP384 => 104,
            Algorithm::EcdsaP521 => 139,
            Algorithm::Ed25519 => 64,
            Algorithm::Rsa { bits } => usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX),
        }
    }

    /// Verifies a signature by `scheme` in the encoding of JWS and COSE: ECDSA as in [`PublicKey::verify_fixed`], all
    /// others as in [`PublicKey::verify_as`]. RFC 7518 sections 3.4 and 3.5, RFC 9053 section 2.1.
    ///
    /// # Errors
    /// [`Unverified`], also if `scheme` does not fit this key.
    pub fn verify_jose(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Result<(), Unverified> {
        match self.algorithm() {
            Algorithm::EcdsaP256 | Algorithm::EcdsaP384 | Algorithm::EcdsaP521 => {
                self.verify_fixed(scheme, message, signature)
            }
            Algorithm::Ed25519 | Algorithm::Rsa { .. } => self.verify_as(scheme, message, signature),
        }
    }

    /// The encoding in JWS and COSE of a signature by this key: an ECDSA signature in DER becomes two numbers side by
    /// side, each as long as the curve; others stay as they are. `None` if it is not a signature in DER.
    pub fn to_jose(&self, signature: &[u8]) -> Option<Vec<u8>> {
        self.0.checker.to_jose(signature)
    }

    /// The canonical form of a signature in the encoding of JWS and COSE, see [`PublicKey::canonical_signature`]: ECDSA in
    /// DER, so that one signature has one canonical form in every encoding.
    pub fn canonical_jose<'a>(&self, signature: &'a [u8]) -> Cow<'a, [u8]> {
        let standard = self.0.checker.of_jose(signature);
        standard.map_or(Cow::Borrowed(signature), |der| Cow::Owned(self.canonical_signature(&der).into_owned()))
    }

    /// Verifies an ECDSA signature in the form of JWS and COSE: `r` and `s` side by side, each as long as the curve.
    /// Only P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512.
    ///
    /// # Errors
    /// [`Unverified`], also if `scheme` does not fit this key or is not one of these three.
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
