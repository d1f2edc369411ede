//! Files: signed and verified by Sigstore bundles and bare signatures, in memory that does not depend on their size.
//!
//! A file is read once, as a stream, by [`read`]; what is signed, verified and compared is what was hashed then.

mod evidence;
mod policy;
mod read;
mod sign;
mod verify;

pub use self::evidence::FileEvidence;
pub use self::policy::SignedPolicyFile;
pub use self::read::hasher_for_signers;
pub use self::read::read;
pub use self::sign::FileAttestation;
pub use self::sign::FileSigningError;
pub use self::sign::MadeFileAttestation;
pub use self::sign::MadeFileSignature;
pub use self::sign::attest;
pub use self::sign::sign;
pub use self::verify::AcceptedFileSignature;
pub use self::verify::FileRefusal;
pub use self::verify::FileVerification;
pub use self::verify::VerifiedFile;
