//! Keyless signatures of Sigstore: short-lived certificates, log entries, timestamps and certificate timestamps, verified
//! offline by a trusted root. One function for every format (`verify.rs`), and the same for pinned keys with a log rule.

mod authority;
mod bounds;
mod fault;
mod log_rule;
mod logged;
mod logged_keys;
mod material;
mod means;
mod owner;
mod revocation;
mod signer;
mod stop;
mod timestamps;
mod unsupported;
mod verify;

pub use self::fault::CertificatePresence;
pub use self::fault::KeylessFault;
pub use self::fault::SkippedTimestamp;
pub use self::log_rule::LogRule;
pub use self::log_rule::SigningTimeRule;
pub use self::logged::TransparencyProof;
pub use self::logged_keys::LoggedKeys;
pub(super) use self::material::ProvenSignature;
pub use self::material::SignedMaterial;
pub use self::means::KeylessMeans;
pub use self::signer::KeylessSigner;
pub(super) use self::stop::Stop;
pub(super) use self::verify::OpenedMaterial;
