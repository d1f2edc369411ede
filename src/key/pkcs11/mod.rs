//! Private keys in tokens and HSMs, by PKCS#11: found by a URI, signed with through the module of the token.

mod entry;
mod error;
mod generate;
mod line;
mod mechanism;
mod module;
mod object;
mod opened;
mod pool;
mod signer;
mod token;
mod uri;

pub use self::entry::Entry;
pub use self::entry::PinState;
pub use self::entry::TokenName;
pub use self::error::ModuleFault;
pub use self::error::PublicKeyFault;
pub use self::error::TokenError;
pub use self::module::Module;
pub use self::opened::Opened;
pub use self::signer::TokenKey;
pub use self::token::Token;
pub use self::uri::Class;
pub use self::uri::Uri;
pub use self::uri::UriError;
