//! The part of a report about policy files: what each requires of an image, and what was found.

mod exception;
mod explain;
mod requirement;
mod result;
mod supply;
mod test;
mod verify;

pub use explain::checks;
pub use result::PolicyResult;
pub(super) use result::verdict;
pub use supply::SuppliedRequirement;
pub use supply::Supplier;
pub use supply::supplied;
pub use test::CaseOutcome;
pub use test::PolicyCaseResult;
pub use test::PolicyTestResult;
pub use verify::PolicyVerifyResult;
pub use verify::WithPolicies;
pub(super) use verify::all_findings;
pub(super) use verify::all_together;
pub(super) use verify::policies;
pub(super) use verify::signatures as signatures_by_policies;
