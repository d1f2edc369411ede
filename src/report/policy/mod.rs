//! The part of a report about policy files: what each requires of an image, and what was found.

mod exception;
mod explain;
mod requirement;
mod result;
mod test;
mod verify;

pub use explain::checks;
pub use result::PolicyResult;
pub use test::CaseAnswer;
pub use test::PolicyCaseResult;
pub use test::PolicyTestResult;
pub use verify::PolicyVerifyResult;
pub use verify::WithPolicies;
