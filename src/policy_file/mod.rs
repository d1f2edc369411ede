//! Policy files: what an operator wants to be true of images before they are accepted, written in one file
//! (`docs/policy-reference.md`). [`document::PolicyDocument`] is such a file as it is written.

mod error;
mod parse;
mod pattern;
mod signed_name;

pub mod document;

pub use error::PolicyFileError;
pub use error::PolicyProblem;
pub use error::WantedValue;
pub use parse::MAPPINGS;
pub use parse::MappingFields;
pub use pattern::ImagePattern;
pub use pattern::ImagePatternError;
pub use signed_name::SignedNameError;
pub use signed_name::SignedNameMapping;
