//! Policy files: what an operator wants to be true of images before they are accepted, written in one file
//! (`docs/policy-reference.md`). [`document::PolicyDocument`] is such a file as it is written, and [`LoadedPolicy`] one with
//! its meaning.

mod blocks;
mod canonical;
mod cases;
mod decide;
mod describe;
mod draft;
mod error;
mod explain;
mod files;
mod identities;
mod last_compiled;
mod lint;
mod load;
mod options;
mod parse;
mod pattern;
mod problem;
mod reader;
mod required_policy;
mod signed_name;
mod walk;
mod written_for;

pub mod document;

pub use cases::CaseVerdict;
pub use cases::PolicyCase;
pub use cases::PolicyCases;
pub use cases::RequirementPlace;
pub use decide::DecidingBlock;
pub use decide::Exemption;
pub use decide::ImageAsked;
pub use decide::PolicyFor;
pub use decide::PolicyRefusal;
pub use decide::RequiredOf;
pub use draft::DraftRequirement;
pub use draft::NotWritten;
pub use draft::PolicyDraft;
pub use draft::PolicyDraftError;
pub use draft::TypedIdentities;
pub use error::PolicyFileError;
pub use error::PolicyProblem;
pub use error::WantedValue;
pub use explain::ExplainedBlock;
pub use explain::ExplainedRequirement;
pub use explain::NameExplanation;
pub use files::LoadedFile;
pub use files::PolicyFiles;
pub use files::PolicyFilesError;
pub use files::is_below;
pub use lint::rule::PolicyLint;
pub use lint::rule::PolicyLintRule;
pub use load::LoadedPolicy;
pub use options::LoadOptions;
pub use options::Pins;
pub use parse::MAPPINGS;
pub use parse::MappingFields;
pub use pattern::ImagePattern;
pub use pattern::ImagePatternError;
pub use problem::LoadProblem;
pub use required_policy::RequiredPolicyError;
pub use required_policy::RequirementValueError;
pub use signed_name::SignedNameError;
pub use signed_name::SignedNameMapping;
