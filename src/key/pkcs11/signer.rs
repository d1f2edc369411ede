//! `TokenKey`: a private key in a token, which signs.

use std::fmt;

use cryptoki::error::Error;
use cryptoki::mechanism::MechanismType;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::session::UserType;
use cryptoki::types::RawAuthPin;

use crate::key::Batch;
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
use crate::key::pkcs11::mechanism::Order;
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
        // A PIN that turns out to be wrong or locked is not given by several threads at once.
        let pool = if pin.is_some() { Pool::alone(token, session) } else { Pool::new(token, session) };
        let key = Self { handle: object.handle, mechanisms, pin, pool, public, token: name };
        match key.order(key.public.usual_scheme(), b"") {
            Some(_) => Ok(key),
            None => Err(key.unknown(key.public.usual_scheme())),
        }
    }

    /// The token that holds it.
    pub const fn token(&self) -> &TokenName {
        &self.token
    }

    fn order(&self, scheme: Scheme, message: &[u8]) -> Option<Order> {
        match self.pin {
            Some(_) => Order::in_parts(scheme, message, &self.mechanisms),
            None => Order::of(scheme, message, &self.mechanisms),
        }
    }

    fn unknown(&self, scheme: Scheme) -> TokenError {
        TokenError::Mechanism { token: self.token.label.clone(), what: format!("{scheme} signatures") }
    }

    /// The raw signature of the token, not verified.
    fn raw(&self, session: &Session, order: &Order) -> Result<Vec<u8>, Error> {
        match &self.pin {
            Some(pin) => self.with_pin(session, order, pin),
            None => session.sign(&order.mechanism, self.handle, &order.data),
        }
    }

    /// Verifies a raw signature over `message`.
    fn checked(&self, scheme: Scheme, message: &[u8], raw: Vec<u8>) -> Result<Signature, SignerError> {
        Signature::checked(&self.public, scheme, message, mechanism::finished(self.public.algorithm(), raw))
    }

    /// Signs with a key that requires the PIN for each signature (`CKA_ALWAYS_AUTHENTICATE`): the PIN is sent once more
    /// between initialization and signing.
    fn with_pin(&self, session: &Session, order: &Order, pin: &Passphrase) -> Result<Vec<u8>, Error> {
        session.sign_init(&order.mechanism, self.handle)?;
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        session.login_with_raw(UserType::ContextSpecific, &raw)?;
        session.sign_update(&order.data)?;
        session.sign_final()
    }
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.sign_with(self.public.usual_scheme(), message)
    }

    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        if !self.public.schemes().contains(&scheme) {
            return Err(SignerError::Scheme { algorithm: self.public.algorithm(), scheme });
        }
        let order = self.order(scheme, message).ok_or_else(|| self.unknown(scheme))?;
        let raw = self.pool.with(|session| self.raw(session, &order))?;
        // In this thread, while the session signs for another.
        self.checked(scheme, message, raw)
    }

    /// Signs messages in parallel sessions, while other threads verify the signatures.
    fn sign_all(&self, messages: &[&[u8]]) -> Batch {
        let scheme = self.public.usual_scheme();
        let message = |place: usize| messages.get(place).copied().unwrap_or_default();
        SigningPipeline::run(
            messages.len(),
            self.pool.most(),
            |line| {
                let asked = self.pool.with(|session| {
                    while let Some(place) = line.next() {
                        let Some(order) = self.order(scheme, message(place)) else {
                            return Ok(Some(self.unknown(scheme)));
                        };
                        line.signed(place, self.raw(session, &order)?);
                    }
                    Ok(None)
                });
                asked.map_or_else(Err, |unknown| unknown.map_or(Ok(()), Err)).map_err(SignerError::from)
            },
            |place, raw| self.checked(scheme, message(place), raw),
        )
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, {}, {})", self.public.algorithm(), self.public.id(), self.token)
    }
}
