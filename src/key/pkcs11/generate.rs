//! Key generation on a token.

use std::ffi::c_ulong;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::object::ObjectHandle;

use crate::key::Algorithm;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::TokenEntry;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenSession;
use crate::key::pkcs11::Uri;
use crate::key::pkcs11::object;

impl TokenSession {
    /// Generates a key pair on the token, with the label and, if given, the id of `uri`. The private key is sensitive,
    /// not extractable, and may only sign. Requires a read-write session that is logged in.
    ///
    /// # Errors
    /// [`TokenError::Unnamed`], [`TokenError::Exists`], [`TokenError::Mechanism`], [`TokenError::Call`];
    /// [`TokenError::Extractable`] where the token made an extractable key, which is then destroyed.
    pub fn generate(&self, uri: &Uri, algorithm: Algorithm) -> Result<TokenEntry, TokenError> {
        let token = || self.token().name().label.clone();
        let Some(label) = uri.object().filter(|label| !label.is_empty()) else {
            return Err(TokenError::Unnamed { wanted: uri.to_string() });
        };
        let id = match uri.id() {
            Some(id) => id.to_vec(),
            None => random_id()?,
        };
        let there = self.existing(label, &id)?;
        if !there.is_empty() {
            return Err(TokenError::Exists { token: token(), there });
        }
        let key_type = key_type(algorithm);
        let mechanism = match key_type {
            KeyType::Ecdsa(_) => Mechanism::EccKeyPairGen,
            KeyType::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
            KeyType::Rsa => Mechanism::RsaPkcsKeyPairGen,
        };
        if !self.token().mechanisms()?.contains(&mechanism.mechanism_type()) {
            return Err(TokenError::Mechanism { token: token(), what: format!("{algorithm} keys") });
        }
        let (public, private) = templates(algorithm, label, &id);
        let made = self.session().generate_key_pair(&mechanism, &public, &private);
        let pair = made.map_err(|error| TokenError::of(&error))?;
        self.verify_generated(label, &id, pair)
    }

    /// Verifies the attributes of the generated key as the token reports them, not as they were requested.
    fn verify_generated(
        &self,
        label: &str,
        id: &[u8],
        pair: (ObjectHandle, ObjectHandle),
    ) -> Result<TokenEntry, TokenError> {
        let name = self.token().name();
        let exact = Uri::of(&name.label, &name.serial, Class::Private, label, id);
        let object = self.select_private_key(&exact)?;
        if !object.is_non_extractable() {
            // The private key first, in case the token lets us destroy only one of them.
            for handle in [pair.1, pair.0] {
                self.session().destroy_object(handle).map_err(|error| TokenError::of(&error))?;
            }
            return Err(TokenError::Extractable { token: name.label.clone() });
        }
        Ok(self.entry(&object))
    }

    /// The existing objects with this label or id.
    fn existing(&self, label: &str, id: &[u8]) -> Result<Vec<TokenEntry>, TokenError> {
        let mut there = Vec::new();
        for (label, id) in [(label, &[][..]), ("", id)] {
            for class in [Class::Private, Class::Public] {
                let same = Uri::of("", "", class, label, id);
                for object in object::find(self.session(), class, &same)? {
                    let entry = self.entry(&object);
                    if !there.contains(&entry) {
                        there.push(entry);
                    }
                }
            }
        }
        Ok(there)
    }
}

const fn key_type(algorithm: Algorithm) -> KeyType {
    match algorithm {
        Algorithm::EcdsaP256 => KeyType::Ecdsa(Curve::P256),
        Algorithm::EcdsaP384 => KeyType::Ecdsa(Curve::P384),
        Algorithm::EcdsaP521 => KeyType::Ecdsa(Curve::P521),
        Algorithm::Ed25519 => KeyType::Ed25519,
        Algorithm::Rsa { .. } => KeyType::Rsa,
    }
}

fn templates(algorithm: Algorithm, label: &str, id: &[u8]) -> (Vec<Attribute>, Vec<Attribute>) {
    let name = [Attribute::Token(true), Attribute::Label(label.as_bytes().to_vec()), Attribute::Id(id.to_vec())];
    let mut public = name.to_vec();
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    public.extend(object::ec_parameters(key_type(algorithm)).map(Attribute::EcParams));
    if let Algorithm::Rsa { bits } = algorithm {
        public.extend([Attribute::ModulusBits(c_ulong::from(bits).into()), Attribute::PublicExponent(vec![1, 0, 1])]);
    }
    let mut private = name.to_vec();
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Derive(false),
        Attribute::Unwrap(false),
    ]);
    (public, private)
}

fn random_id() -> Result<Vec<u8>, TokenError> {
    let mut id = vec![0; 16];
    match getrandom::fill(&mut id) {
        Ok(()) => Ok(id),
        Err(error) => Err(TokenError::Call { call: "the random number generator".to_owned(), code: error.to_string() }),
    }
}
