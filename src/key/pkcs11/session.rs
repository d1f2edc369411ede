//! `TokenSession`: a PKCS#11 session with a token: one login, then the selection of a key.

use std::sync::Arc;

use cryptoki::error::Error;
use cryptoki::error::RvError;
use cryptoki::session::Session;
use cryptoki::session::SessionState;
use cryptoki::session::UserType;
use cryptoki::types::RawAuthPin;

use crate::key::Passphrase;
use crate::key::PublicKey;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::PinState;
use crate::key::pkcs11::Pkcs11Token;
use crate::key::pkcs11::PublicKeyFault;
use crate::key::pkcs11::TokenEntry;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenKey;
use crate::key::pkcs11::Uri;
use crate::key::pkcs11::object;
use crate::key::pkcs11::object::TokenObject;

/// An open session with a token.
pub struct TokenSession {
    token: Pkcs11Token,
    session: Session,
    /// The PIN, for keys that require it for each signature.
    pin: Option<Passphrase>,
}

impl Pkcs11Token {
    /// Opens a read-only session.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn open(&self) -> Result<TokenSession, TokenError> {
        let session = self.context().open_ro_session(self.slot()).map_err(|error| TokenError::of(&error))?;
        Ok(TokenSession::new(self.clone(), session))
    }

    /// Opens a read-write session, in which keys can be generated.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn open_to_write(&self) -> Result<TokenSession, TokenError> {
        let session = self.context().open_rw_session(self.slot()).map_err(|error| TokenError::of(&error))?;
        Ok(TokenSession::new(self.clone(), session))
    }
}

impl TokenSession {
    const fn new(token: Pkcs11Token, session: Session) -> Self {
        Self { token, session, pin: None }
    }

    /// The token.
    pub const fn token(&self) -> &Pkcs11Token {
        &self.token
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// Logs in, unless this process is logged in already. Uses at most one PIN attempt: `pin` is called at most once,
    /// after all checks that do not need it, and its PIN is sent to the token at most once.
    ///
    /// # Errors
    /// [`TokenError::PinWrong`] after one attempt; [`TokenError::PinLocked`], [`TokenError::PinLength`],
    /// [`TokenError::PinMissing`] and [`TokenError::PinNotSet`] after none.
    pub fn login(&mut self, pin: impl FnOnce(PinState) -> Option<Passphrase>) -> Result<(), TokenError> {
        if self.is_logged_in()? {
            return Ok(());
        }
        let info = self.token.info()?;
        let token = self.token.name().label.clone();
        if !info.login_required() {
            return Ok(());
        }
        if info.user_pin_locked() {
            return Err(TokenError::PinLocked { token, tried: false });
        }
        if !info.user_pin_initialized() {
            return Err(TokenError::PinNotSet { token });
        }
        if info.protected_authentication_path() {
            // Protected authentication path: the PIN is typed at the reader itself.
            return self.session.login(UserType::User, None).or_else(|error| self.declined(&error));
        }
        let Some(pin) = pin(PinState::of(&info)) else {
            return Err(TokenError::PinMissing { token });
        };
        let (found, least, most) = (pin.as_bytes().len(), info.min_pin_length().max(1), info.max_pin_length());
        if found < least || (most >= least && found > most) {
            return Err(TokenError::PinLength { token, least, most });
        }
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        self.session.login_with_raw(UserType::User, &raw).or_else(|error| self.declined(&error))?;
        self.pin = Some(pin);
        Ok(())
    }

    fn is_logged_in(&self) -> Result<bool, TokenError> {
        let info = self.session.get_session_info().map_err(|error| TokenError::of(&error))?;
        Ok(matches!(info.session_state(), SessionState::RoUser | SessionState::RwUser))
    }

    /// The result of a login that the token refused.
    fn declined(&self, error: &Error) -> Result<(), TokenError> {
        let token = self.token.name().label.clone();
        let state = || self.token.info().map(|info| PinState::of(&info)).unwrap_or_default();
        match error {
            Error::Pkcs11(RvError::UserAlreadyLoggedIn, _) => Ok(()),
            Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => {
                Err(TokenError::PinWrong { token, state: state() })
            }
            Error::Pkcs11(RvError::PinLocked, _) => Err(TokenError::PinLocked { token, tried: true }),
            Error::Pkcs11(RvError::UserPinNotInitialized, _) => Err(TokenError::PinNotSet { token }),
            other => Err(TokenError::of(other)),
        }
    }

    /// The keys and certificates that `uri` matches and that this session can see.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn entries(&self, uri: &Uri) -> Result<Vec<TokenEntry>, TokenError> {
        let classes = match uri.class() {
            Some(class) => vec![class],
            None => vec![Class::Private, Class::Public, Class::Certificate],
        };
        let mut entries = Vec::new();
        for class in classes {
            let objects = object::find(&self.session, class, uri)?;
            entries.extend(objects.iter().map(|object| self.entry(object)));
        }
        entries.sort_by(|a, b| (a.class, &a.label, &a.id).cmp(&(b.class, &b.label, &b.id)));
        Ok(entries)
    }

    /// The listing entry of an object; the public key of a private key is looked up in other objects too.
    pub(super) fn entry(&self, object: &TokenObject) -> TokenEntry {
        let entry = object.entry(self.token.name());
        match (entry.class, &entry.public) {
            (Class::Private, None) => match self.public_of(object) {
                Ok(public) => TokenEntry { what: public.algorithm().to_string(), public: Some(public), ..entry },
                Err(_) => entry,
            },
            _ => entry,
        }
    }

    /// The signer for the one private key that `uri` selects.
    ///
    /// # Errors
    /// [`TokenError::NoKey`] and [`TokenError::ManyKeys`], which list the candidates; [`TokenError::NoPublicKey`];
    /// [`TokenError::PinEach`] if the key requires the PIN for each signature and this session has none.
    pub fn signer(self, uri: &Uri) -> Result<TokenKey, TokenError> {
        let object = self.select_private_key(uri)?;
        let public = self.public_of(&object)?;
        if object.always_authenticates() && self.pin.is_none() {
            return Err(TokenError::PinEach { label: object.name(), token: self.token.name().label.clone() });
        }
        let pin = self.pin.filter(|_| object.always_authenticates());
        TokenKey::new(self.token, self.session, &object, public, pin)
    }

    /// The one private key that `uri` selects and that may sign.
    ///
    /// # Errors
    /// [`TokenError::NoKey`], [`TokenError::ManyKeys`]: a key is never chosen among several.
    pub(super) fn select_private_key(&self, uri: &Uri) -> Result<TokenObject, TokenError> {
        let wanted = || uri.to_string();
        let token = || self.token.name().label.clone();
        let mut found = match uri.class() {
            None | Some(Class::Private) => object::find(&self.session, Class::Private, uri)?,
            Some(Class::Certificate | Class::Public) => Vec::new(),
        };
        found.retain(TokenObject::may_sign);
        match found.as_slice() {
            [object] => Ok(object.clone()),
            [] => Err(TokenError::NoKey { token: token(), wanted: wanted(), there: self.entries(&Uri::default())? }),
            several => {
                let there = several.iter().map(|object| self.entry(object)).collect();
                Err(TokenError::ManyKeys { token: token(), wanted: wanted(), there })
            }
        }
    }

    /// The public key of a private key: from its own attributes, otherwise from the public key object, otherwise from
    /// the certificate, with the same id, or with the same label where there is no id.
    ///
    /// # Errors
    /// [`TokenError::NoPublicKey`] if the token has no public key for it, or several different ones.
    pub(super) fn public_of(&self, object: &TokenObject) -> Result<PublicKey, TokenError> {
        let none =
            |fault| TokenError::NoPublicKey { label: object.name(), fault, token: self.token.name().label.clone() };
        let unreadable = |error| none(PublicKeyFault::Unreadable(Arc::new(error)));
        if let Some(public) = object.public_key().map_err(unreadable)? {
            return Ok(public);
        }
        let name = object.entry(self.token.name());
        let beside = Uri::of("", "", Class::Public, if name.id.is_empty() { &name.label } else { "" }, &name.id);
        for class in [Class::Public, Class::Certificate] {
            let mut keys: Vec<(bool, PublicKey)> = Vec::new();
            for other in object::find(&self.session, class, &beside)? {
                let Some(key) = other.public_key().map_err(unreadable)? else { continue };
                if !keys.iter().any(|(_, known)| *known == key) {
                    keys.push((other.name() == name.label, key));
                }
            }
            let several = keys.len() > 1;
            keys.retain(|(same_label, _)| !several || *same_label);
            match keys.as_slice() {
                [(_, key)] => return Ok(key.clone()),
                [] if !several => (),
                _ => return Err(none(PublicKeyFault::Several(class))),
            }
        }
        Err(none(PublicKeyFault::Absent))
    }
}
