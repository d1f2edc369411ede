//! Signing requests and signing responses, the offline signing exchange: people read a request, sign it where the keys
//! are, and the signatures of enough owners are attached. No input or output happens here.

mod approval;
mod countersignature;
mod error;
mod field_fault;
mod item;
mod keyholder;
mod log;
mod signing_request;
mod signing_response;
pub mod text;
mod wire;

pub use approval::ApprovedItem;
pub use approval::ApprovedRequest;
pub use approval::NotApproved;
pub use approval::UnapprovedItem;
pub use approval::approve;
pub use approval::signed_items;
pub use countersignature::COUNTERSIGNATURE_TYPE;
pub use error::Duplicate;
pub use error::LogFault;
pub use error::RequestError;
pub use error::SignedPart;
pub use error::WholeDocument;
pub use field_fault::FieldFault;
pub use item::Action;
pub use item::Attestation;
pub use item::ImageSignature;
pub use item::PreviousItem;
pub use item::RequestItem;
pub use keyholder::Keyholder;
pub use log::LogChain;
pub use log::LogEntry;
pub use log::NewSignature;
pub use signing_request::CLOCK_SKEW;
pub use signing_request::RequestDraft;
pub use signing_request::SigningRequest;
pub use signing_response::SignaturesByKey;
pub use signing_response::SigningProgress;
pub use signing_response::SigningResponse;
