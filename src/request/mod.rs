//! The offline signing round: a request that people read, a response that answers it, and what of it may be attached.

pub mod approval;
mod countersignature;
pub mod error;
pub mod item;
pub mod log;
pub mod message;
pub mod signing_request;
pub mod signing_response;
pub mod text;
mod wire;

pub use approval::ApprovedRequest;
pub use approval::NotApproved;
pub use error::RequestError;
pub use error::Whole;
pub use item::Action;
pub use item::Attestation;
pub use item::Format;
pub use item::ImageSignature;
pub use item::Item;
pub use item::Previous;
pub use message::Message;
pub use message::Part;
pub use signing_request::Draft;
pub use signing_request::Keyholder;
pub use signing_request::SigningRequest;
pub use signing_response::SigningResponse;
