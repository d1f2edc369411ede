//! Policy: what must be true before an image is accepted.

mod decision;
mod file_statement;
mod quorum;
mod requirement;
mod rule;
mod statement_kind;

pub use decision::Decision;
pub use file_statement::FileStatement;
pub use quorum::Quorum;
pub use quorum::QuorumError;
pub use quorum::Threshold;
pub use requirement::Condition;
pub use requirement::Requirement;
pub use requirement::RequirementId;
pub use requirement::UnmetCondition;
pub use rule::Policy;
pub use rule::PolicyError;
pub use rule::PolicyId;
pub use rule::Rule;
pub use statement_kind::StatementKind;
