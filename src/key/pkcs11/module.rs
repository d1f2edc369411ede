//! `Module`: the PKCS#11 module of a token, a shared library that is loaded once.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use cryptoki::context::CInitializeArgs;
use cryptoki::context::CInitializeFlags;
use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::error::RvError;

use crate::key::pkcs11::ModuleFault;
use crate::key::pkcs11::Pkcs11Token;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenName;
use crate::key::pkcs11::Uri;
use crate::key::pkcs11::error;

/// The loaded modules of this process. A module is initialized once for a process, and never unloaded, since it may be
/// in use.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A PKCS#11 module: a shared library of the token's vendor.
///
/// Loading one runs its code in this process.
#[derive(Clone, Debug)]
pub struct Module {
    context: Pkcs11,
    path: PathBuf,
}

impl Module {
    /// Loads the module at `path`, and initializes it unless this process has already done so.
    ///
    /// # Errors
    /// [`TokenError::Module`].
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let failed = |fault| TokenError::Module { path: path.to_owned(), fault };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = loaded.get(path) {
            return Ok(Self { context: context.clone(), path: path.to_owned() });
        }
        let context = Pkcs11::new(path).map_err(|error| failed(loading(&error)))?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // The library was already loaded from another path.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => (),
            Err(error) => {
                let (call, code) = error::call(&error);
                return Err(failed(ModuleFault::Call { call, code }));
            }
        }
        loaded.insert(path.to_owned(), context.clone());
        Ok(Self { context, path: path.to_owned() })
    }

    /// The path from which it was loaded.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The initialized tokens of the module.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn tokens(&self) -> Result<Vec<Pkcs11Token>, TokenError> {
        let slots = self.context.get_slots_with_token().map_err(|error| TokenError::of(&error))?;
        let mut tokens = Vec::new();
        for slot in slots {
            // A token may be removed between the two calls.
            let info = match self.context.get_token_info(slot) {
                Err(Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized, _)) => continue,
                other => other.map_err(|error| TokenError::of(&error))?,
            };
            if info.token_initialized() {
                tokens.push(Pkcs11Token::new(self.context.clone(), TokenName::of(&info, slot), slot));
            }
        }
        Ok(tokens)
    }

    /// The tokens that `uri` matches.
    ///
    /// # Errors
    /// [`TokenError::Call`].
    pub fn matching(&self, uri: &Uri) -> Result<Vec<Pkcs11Token>, TokenError> {
        let mut matching = Vec::new();
        for token in self.tokens()? {
            if token.matches(uri)? {
                matching.push(token);
            }
        }
        Ok(matching)
    }

    /// The one token that `uri` selects.
    ///
    /// # Errors
    /// [`TokenError::NoToken`] and [`TokenError::ManyTokens`], which list the tokens.
    pub fn token(&self, uri: &Uri) -> Result<Pkcs11Token, TokenError> {
        let names = |tokens: &[Pkcs11Token]| tokens.iter().map(|token| token.name().clone()).collect();
        let matching = self.matching(uri)?;
        match matching.as_slice() {
            [token] => Ok(token.clone()),
            [] => Err(TokenError::NoToken { wanted: uri.to_string(), there: names(&self.tokens()?) }),
            several => Err(TokenError::ManyTokens { wanted: uri.to_string(), there: names(several) }),
        }
    }
}

/// Why a library could not be loaded, without the parts that the loader's message repeats.
fn loading(error: &Error) -> ModuleFault {
    match error {
        Error::LibraryLoading(error) => ModuleFault::Loader(error.to_string()),
        Error::MissingSymbol(_) => ModuleFault::NotAModule,
        Error::Pkcs11(code, _) => ModuleFault::Code(error::name(*code)),
        other => ModuleFault::Loader(other.to_string()),
    }
}
