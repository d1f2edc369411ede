//! Policy: what must be true before an image is accepted.

mod about;
mod age;
mod condition;
mod decision;
mod file_statement;
mod quorum;
mod requirement;
mod rule;
mod signed_name;
mod statement_kind;
mod statement_kinds;
mod unmet;

pub use about::About;
pub use age::MaxAgeRule;
pub use age::StatementTime;
pub use age::StatementTimeSource;
pub use age::TimeEvidence;
pub use condition::Condition;
pub use condition::StatementFacts;
pub use decision::Decision;
pub use file_statement::FileStatement;
pub use quorum::Quorum;
pub use quorum::QuorumError;
pub use quorum::Threshold;
pub use requirement::CountedStatements;
pub use requirement::Requirement;
pub use requirement::RequirementId;
pub use rule::Policy;
pub use rule::PolicyError;
pub use rule::PolicyId;
pub use rule::Rule;
pub use signed_name::SignedNameRule;
pub use statement_kind::StatementKind;
pub use statement_kinds::StatementKinds;
pub use unmet::UnmetCondition;
