//! Private keys in tokens and HSMs, by PKCS#11: found by a URI, signed with through the module of the token.

mod error;
mod generate;
mod line;
mod mechanism;
mod module;
mod object;
mod opened;
mod pool;
mod signer;
mod uri;

pub use self::error::TokenError;
pub use self::module::Module;
pub use self::module::PinState;
pub use self::module::Token;
pub use self::module::TokenName;
pub use self::object::Entry;
pub use self::opened::Opened;
pub use self::signer::TokenKey;
pub use self::uri::Class;
pub use self::uri::Uri;
pub use self::uri::UriError;
