//! Keys and signatures: key files, PKCS#11 tokens and plugins; signing and verifying bytes.

mod algorithm;
mod certificate;
mod container;
mod error;
pub mod file;
mod generate;
mod hashed_message;
mod id;
mod identifier;
mod jwk;
mod openssh;
mod passphrase;
pub(crate) mod pem;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
mod pkcs8;
pub mod plugin;
mod private;
mod public;
mod signer;
mod sigstore;
mod text;
mod unsupported_file;

pub use self::algorithm::Algorithm;
pub use self::algorithm::KeyKind;
pub use self::algorithm::Scheme;
pub use self::container::Container;
pub use self::error::KeyError;
pub use self::error::SignerError;
pub use self::error::SignerErrorKind;
pub use self::error::Unverified;
pub use self::hashed_message::HashedMessage;
pub use self::hashed_message::HashedMessageError;
pub use self::hashed_message::MessageHasher;
pub use self::id::KeyId;
pub use self::passphrase::Passphrase;
pub use self::private::PrivateKey;
pub use self::public::PublicKey;
pub use self::signer::Batch;
pub use self::signer::Signature;
pub use self::signer::Signer;
