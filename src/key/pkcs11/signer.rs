//! `TokenKey`: a private key in a token, which signs.

use std::fmt;

use cryptoki::error::Error;
use cryptoki::mechanism::MechanismType;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::session::UserType;
use cryptoki::types::RawAuthPin;

use crate::key::Batch;
use crate::key::HashedMessage;
use crate::key::Passphrase;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;
use crate::key::pkcs11::Pkcs11Token;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenName;
use crate::key::pkcs11::mechanism;
use crate::key::pkcs11::mechanism::SignOperation;
use crate::key::pkcs11::object::TokenObject;
use crate::key::pkcs11::pipeline::SigningPipeline;
use crate::key::pkcs11::pool::Pool;

/// A private key in a token. The key never leaves the token, and every signature is verified before it is returned.
///
/// Several threads sign in parallel, each in a session of its own. When the session, the login or the token is lost,
/// this and every later call fails: nothing is retried, and no PIN is sent again.
pub struct TokenKey {
    handle: ObjectHandle,
    mechanisms: Vec<MechanismType>,
    pin: Option<Passphrase>,
    pool: Pool,
    public: PublicKey,
    token: TokenName,
}

impl TokenKey {
    pub(super) fn new(
        token: Pkcs11Token,
        session: Session,
        object: &TokenObject,
        public: PublicKey,
        pin: Option<Passphrase>,
    ) -> Result<Self, TokenError> {
        let (name, mechanisms) = (token.name().clone(), token.mechanisms()?);
        // Serialized, so that threads do not send a PIN several times at once that turns out to be wrong or locked.
        let pool = if pin.is_some() { Pool::serialized(token, session) } else { Pool::new(token, session) };
        let key = Self { handle: object.handle, mechanisms, pin, pool, public, token: name };
        // A key that signs by another scheme alone, such as RSA-PSS, serves the formats that prescribe it.
        match key.public.schemes().iter().any(|scheme| key.operation(*scheme, b"").is_some()) {
            true => Ok(key),
            false => Err(key.unknown(key.public.default_scheme())),
        }
    }

    /// The token that holds it.
    pub const fn token(&self) -> &TokenName {
        &self.token
    }

    fn operation(&self, scheme: Scheme, message: &[u8]) -> Option<SignOperation> {
        match self.pin {
            Some(_) => SignOperation::multi_part(scheme, message, &self.mechanisms),
            None => SignOperation::of(scheme, message, &self.mechanisms),
        }
    }

    fn unknown(&self, scheme: Scheme) -> TokenError {
        TokenError::Mechanism { token: self.token.label.clone(), what: format!("{scheme} signatures") }
    }

    /// Signs on the token; the signature is not verified.
    fn raw(&self, session: &Session, operation: &SignOperation) -> Result<Vec<u8>, Error> {
        match &self.pin {
            Some(pin) => self.with_pin(session, operation, pin),
            None => session.sign(&operation.mechanism, self.handle, &operation.data),
        }
    }

    /// Verifies a signature of the token over `message`.
    fn checked(&self, scheme: Scheme, message: &[u8], raw: Vec<u8>) -> Result<Signature, SignerError> {
        Signature::verified(&self.public, scheme, message, mechanism::to_standard_form(self.public.algorithm(), raw))
    }

    /// Signs with a key that requires the PIN for each signature (`CKA_ALWAYS_AUTHENTICATE`): the PIN is sent once more
    /// between initialization and signing.
    fn with_pin(&self, session: &Session, operation: &SignOperation, pin: &Passphrase) -> Result<Vec<u8>, Error> {
        session.sign_init(&operation.mechanism, self.handle)?;
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        session.login_with_raw(UserType::ContextSpecific, &raw)?;
        session.sign_update(&operation.data)?;
        session.sign_final()
    }
}

impl Signer for TokenKey {
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
        let operation = self.operation(scheme, message).ok_or_else(|| self.unknown(scheme))?;
        let raw = self.pool.with_session(|session| self.raw(session, &operation))?;
        // Verified in this thread, while the session signs for another.
        self.checked(scheme, message, raw)
    }

    fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Result<Signature, SignerError> {
        let known = self.public.schemes().contains(&scheme);
        let operation = SignOperation::of_hashed(scheme, message, &self.mechanisms).filter(|_| known);
        match (operation, message.message()) {
            (Some(operation), _) => {
                let raw = self.pool.with_session(|session| self.raw(session, &operation))?;
                let bytes = mechanism::to_standard_form(self.public.algorithm(), raw);
                Signature::verified_hashed(&self.public, scheme, message, bytes)
            }
            (None, Some(message)) => self.sign_with(scheme, message),
            (None, None) => Err(SignerError::MessageNeeded { key: self.public.id(), scheme }),
        }
    }

    fn signs_hashes(&self, scheme: Scheme) -> bool {
        mechanism::signs_hashes(scheme, &self.mechanisms)
    }

    fn sign_all(&self, messages: &[&[u8]]) -> Batch {
        self.sign_all_with(self.public.default_scheme(), messages)
    }

    /// Signs messages in parallel sessions, while other threads verify the signatures.
    fn sign_all_with(&self, scheme: Scheme, messages: &[&[u8]]) -> Batch {
        if !self.public.schemes().contains(&scheme) {
            let stopped = Some(SignerError::Scheme { algorithm: self.public.algorithm(), scheme });
            return Batch { stopped, ..Batch::default() };
        }
        let message = |index: usize| messages.get(index).copied().unwrap_or_default();
        SigningPipeline::run(
            messages.len(),
            self.pool.max_sessions(),
            |pipeline| {
                let signed = self.pool.with_session(|session| {
                    while let Some(index) = pipeline.next() {
                        let Some(operation) = self.operation(scheme, message(index)) else {
                            return Ok(Some(self.unknown(scheme)));
                        };
                        pipeline.signed(index, self.raw(session, &operation)?);
                    }
                    Ok(None)
                });
                signed.map_or_else(Err, |unknown| unknown.map_or(Ok(()), Err)).map_err(SignerError::from)
            },
            |index, raw| self.checked(scheme, message(index), raw),
        )
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, {}, {})", self.public.algorithm(), self.public.id(), self.token)
    }
}
