//! The offline signing round: a request that people read, a response that answers it, and what of it may be attached.

pub mod error;
pub mod item;
pub mod log;
pub mod message;
pub mod request;
pub mod response;
mod seal;
pub mod tally;
pub mod text;
mod wire;

pub use error::RoundError;
pub use error::Whole;
pub use item::Action;
pub use item::Attestation;
pub use item::Format;
pub use item::ImageSignature;
pub use item::Item;
pub use item::Previous;
pub use message::Message;
pub use message::Part;
pub use request::Draft;
pub use request::Keyholder;
pub use request::Request;
pub use response::Response;
pub use tally::Approved;
pub use tally::Missing;
