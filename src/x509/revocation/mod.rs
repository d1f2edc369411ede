//! Revocation status: CRLs, OCSP responses, the pool of both, and what a timestamp rescues. No I/O, no clock.

mod crl;
mod crl_entry;
mod distribution_point;
mod error;
mod evidence;
mod evidence_error;
mod examine;
mod extensions;
mod freshness;
mod ocsp;
mod reason;
mod rescue;
mod responder;
mod rule;
mod single_response;
mod status;

pub use self::crl::CertificateRevocationList;
pub use self::error::StatusError;
pub use self::evidence::StatusEvidence;
pub use self::evidence_error::StatusEvidenceError;
pub use self::freshness::ExpiredCertificates;
pub use self::freshness::Freshness;
pub use self::freshness::FreshnessRule;
pub use self::ocsp::OcspResponse;
pub use self::reason::RevocationReason;
pub use self::rescue::Rescue;
pub use self::rescue::RescueObstacle;
pub use self::rescue::RescueRule;
pub use self::rule::StatusProblemRule;
pub use self::status::CertificateStatus;
pub use self::status::EvidenceKind;
pub use self::status::EvidenceLabel;
pub use self::status::ExaminedEvidence;
pub use self::status::Revocation;
pub use self::status::Status;
pub use self::status::StatusProblem;
