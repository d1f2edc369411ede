//! PKCS#11: private keys in tokens and HSMs, found by a `pkcs11:` URI (RFC 7512) and used through the token's module.

mod entry;
mod error;
mod generate;
mod mechanism;
mod module;
mod object;
mod pipeline;
mod pool;
mod session;
mod signer;
mod token;
mod uri;

pub use self::entry::PinState;
pub use self::entry::TokenEntry;
pub use self::entry::TokenName;
pub use self::error::ModuleFault;
pub use self::error::PublicKeyFault;
pub use self::error::TokenError;
pub use self::module::Module;
pub use self::session::TokenSession;
pub use self::signer::TokenKey;
pub use self::token::Pkcs11Token;
pub use self::uri::Class;
pub use self::uri::Uri;
pub use self::uri::UriError;
