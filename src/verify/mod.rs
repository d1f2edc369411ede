//! Verification: evidence and a policy in, a verified subject or a refusal out. No input, no output, no clock.

mod evaluation;
mod finding;
mod not_enforced;
mod refusal;
mod shared;
mod subject_claims;
mod unenforced;
mod unread_reason;
mod verified;
mod verifier;

pub use evaluation::Evaluation;
pub use finding::Finding;
pub use finding::Reason;
pub use finding::key_id;
pub use not_enforced::ExaminedSignature;
pub use not_enforced::NotEnforced;
pub use refusal::Refusal;
pub use refusal::UnmetRequirement;
pub use shared::SharedFindings;
pub use unenforced::UnenforcedVerifier;
pub use unread_reason::UnreadReason;
pub use verified::AcceptedSignature;
pub use verified::VerifiedSubject;
pub use verifier::Verifier;
pub use verifier::VerifierError;
