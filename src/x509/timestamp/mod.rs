//! Timestamps (RFC 3161): tokens read and verified, requests written, responses read. No I/O, no clock.
//!
//! A token is CMS signed data (RFC 5652) about a TSTInfo, which says that data with a given hash existed at a time.
//! [`TimestampToken::verify`] is the only way from a token to [`SignedBefore`].

mod algorithm;
mod answer;
mod attributes;
mod authorities;
mod ber;
mod cms;
mod error;
mod ess;
mod gen_time;
mod imprint;
mod info;
mod nonce;
mod request;
mod response;
mod rule;
mod signature;
mod signed_before;
mod status;
mod token;
mod verified_response;

pub(crate) use self::authorities::count_authorities;
pub use self::error::TimestampError;
pub use self::gen_time::GenTime;
pub use self::imprint::MessageImprint;
pub use self::nonce::TimestampNonce;
pub use self::request::TimestampRequest;
pub use self::response::TimestampResponse;
pub use self::rule::TimestampRule;
pub use self::signed_before::SignedBefore;
pub use self::status::PkiFailure;
pub use self::status::PkiStatus;
pub use self::token::TimestampToken;
pub use self::verified_response::VerifiedTimestampResponse;
