//! `Module`: the driver of a token, loaded once; and `Token`, one token that it reaches.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use cryptoki::context::CInitializeArgs;
use cryptoki::context::CInitializeFlags;
use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::error::RvError;
use cryptoki::mechanism::MechanismType;
use cryptoki::slot::Slot;
use cryptoki::slot::TokenInfo;

use crate::key::pkcs11::Opened;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::Uri;
use crate::key::pkcs11::error;

/// The modules of this process. PKCS#11 is initialised once for a process, and nothing is unloaded while it may be in use.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A PKCS#11 module: a shared library that the maker of the token gives out.
///
/// Loading one runs its code in this process.
#[derive(Clone, Debug)]
pub struct Module {
    context: Pkcs11,
    path: PathBuf,
}

/// A token with its slot.
#[derive(Clone, Debug)]
pub struct Token {
    context: Pkcs11,
    name: TokenName,
    slot: Slot,
}

/// What tells one token from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName {
    /// The label that it was initialised with.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// What it is.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// The number of its slot, which may be another one tomorrow.
    pub slot: u64,
}

/// What a token says of the attempts at its PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinState {
    /// At least one wrong PIN was given since the last right one.
    pub count_low: bool,
    /// One more wrong PIN locks it.
    pub final_try: bool,
    /// It is locked.
    pub locked: bool,
}

impl Module {
    /// Loads the module at `path`, and initialises it unless this process has done so already.
    ///
    /// # Errors
    /// [`TokenError::Module`].
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let failed = |reason: String| TokenError::Module { path: path.to_owned(), reason };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = loaded.get(path) {
            return Ok(Self { context: context.clone(), path: path.to_owned() });
        }
        let context = Pkcs11::new(path).map_err(|error| failed(loading(&error)))?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Under another name: the same library.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => (),
            Err(error) => return Err(failed(TokenError::of(&error).to_string())),
        }
        loaded.insert(path.to_owned(), context.clone());
        Ok(Self { context, path: path.to_owned() })
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tokens that it reaches and that have been initialised.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn tokens(&self) -> Result<Vec<Token>, TokenError> {
        let slots = self.context.get_slots_with_token().map_err(|error| TokenError::of(&error))?;
        let mut tokens = Vec::new();
        for slot in slots {
            // A token may be pulled out between the two calls.
            let info = match self.context.get_token_info(slot) {
                Err(Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized, _)) => continue,
                other => other.map_err(|error| TokenError::of(&error))?,
            };
            if info.token_initialized() {
                tokens.push(Token { context: self.context.clone(), name: TokenName::of(&info, slot), slot });
            }
        }
        Ok(tokens)
    }

    /// The tokens that `uri` matches.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn matching(&self, uri: &Uri) -> Result<Vec<Token>, TokenError> {
        let mut matching = Vec::new();
        for token in self.tokens()? {
            if token.matches(uri)? {
                matching.push(token);
            }
        }
        Ok(matching)
    }

    /// The one token that `uri` means.
    ///
    /// # Errors
    /// [`TokenError::NoToken`] and [`TokenError::ManyTokens`], which list what is there.
    pub fn token(&self, uri: &Uri) -> Result<Token, TokenError> {
        let names = |tokens: &[Token]| tokens.iter().map(|token| token.name.clone()).collect();
        let matching = self.matching(uri)?;
        match matching.as_slice() {
            [token] => Ok(token.clone()),
            [] => Err(TokenError::NoToken { wanted: uri.to_string(), there: names(&self.tokens()?) }),
            several => Err(TokenError::ManyTokens { wanted: uri.to_string(), there: names(several) }),
        }
    }
}

impl Token {
    /// What tells it from others.
    pub const fn name(&self) -> &TokenName {
        &self.name
    }

    /// Opens a session in which nothing on the token can be changed.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn open(&self) -> Result<Opened, TokenError> {
        let session = self.context.open_ro_session(self.slot).map_err(|error| TokenError::of(&error))?;
        Ok(Opened::new(self.clone(), session))
    }

    /// Opens a session in which keys can be made.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn open_to_write(&self) -> Result<Opened, TokenError> {
        let session = self.context.open_rw_session(self.slot).map_err(|error| TokenError::of(&error))?;
        Ok(Opened::new(self.clone(), session))
    }

    pub(super) const fn context(&self) -> &Pkcs11 {
        &self.context
    }

    pub(super) const fn slot(&self) -> Slot {
        self.slot
    }

    /// What the token says of itself right now.
    pub(super) fn info(&self) -> Result<TokenInfo, TokenError> {
        self.context.get_token_info(self.slot).map_err(|error| TokenError::of(&error))
    }

    /// What the token makes signatures and keys with.
    pub(super) fn mechanisms(&self) -> Result<Vec<MechanismType>, TokenError> {
        self.context.get_mechanism_list(self.slot).map_err(|error| TokenError::of(&error))
    }

    /// RFC 7512 section 2.5: every attribute that the URI has must be that of the token.
    fn matches(&self, uri: &Uri) -> Result<bool, TokenError> {
        let name = &self.name;
        let of_token = [
            ("manufacturer", &name.manufacturer),
            ("model", &name.model),
            ("serial", &name.serial),
            ("token", &name.label),
        ];
        let same = |(attribute, found): (&str, &String)| uri.text(attribute).is_none_or(|wanted| wanted == found);
        if !of_token.into_iter().all(same) || uri.slot().is_some_and(|slot| slot != name.slot) {
            return Ok(false);
        }
        if uri.text("slot-description").is_none() && uri.text("slot-manufacturer").is_none() {
            return Ok(true);
        }
        let slot = self.context.get_slot_info(self.slot).map_err(|error| TokenError::of(&error))?;
        let of_slot = [("slot-description", slot.slot_description()), ("slot-manufacturer", slot.manufacturer_id())];
        Ok(of_slot.iter().all(|(attribute, found)| uri.text(attribute).is_none_or(|wanted| wanted == *found)))
    }
}

impl TokenName {
    fn of(info: &TokenInfo, slot: Slot) -> Self {
        Self {
            label: info.label().to_owned(),
            manufacturer: info.manufacturer_id().to_owned(),
            model: info.model().to_owned(),
            serial: info.serial_number().to_owned(),
            slot: slot.id(),
        }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, manufacturer, model, serial, slot } = self;
        write!(f, "token `{label}`, {manufacturer} {model}, serial {serial}, slot {slot}")
    }
}

impl PinState {
    pub(super) fn of(info: &TokenInfo) -> Self {
        Self {
            count_low: info.user_pin_count_low(),
            final_try: info.user_pin_final_try(),
            locked: info.user_pin_locked(),
        }
    }
}

impl fmt::Display for PinState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self { locked: true, .. } => ": the token says that it is locked now",
            Self { final_try: true, .. } => ": the token says that one more wrong PIN locks it",
            Self { count_low: true, .. } => ": the token says that attempts are running out",
            Self { .. } => "",
        })
    }
}

/// Why a library could not be loaded, without what the system's loader says twice.
fn loading(error: &Error) -> String {
    match error {
        Error::LibraryLoading(error) => error.to_string(),
        Error::MissingSymbol(_) => "it is no PKCS#11 module".to_owned(),
        Error::Pkcs11(code, _) => error::name(*code),
        other => other.to_string(),
    }
}
