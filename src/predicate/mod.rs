//! Predicates of in-toto statements, read as what a policy decides about: provenance, verification summaries, test
//! results, and any other JSON field by field.
//!
//! A predicate is read strictly: duplicate keys and keys that differ in case only are refused, everything is bounded,
//! and an error names the JSON Pointer of what is wrong.

mod check;
mod error;
mod node;
mod package_url;
mod sbom;
mod scan;
pub mod scanner;
mod severity;
mod types;
mod vex;

pub use check::check;
pub use error::PredicateError;
pub use error::PredicateProblem;
pub use node::JsonNode;
pub use node::JsonObject;
pub use package_url::PackageUrl;
pub use package_url::PackageUrlError;
pub use package_url::PackageUrlFault;
pub use sbom::Sbom;
pub use scan::FindingRule;
pub use scan::FindingsCounted;
pub use scan::IgnoredVulnerability;
pub use scan::ScanFinding;
pub use scan::ScanReport;
pub use scan::ScanTarget;
pub use scan::Scanner;
pub use severity::FixState;
pub use severity::Severity;
pub use types::PREDICATE_TYPES;
pub use types::PredicateKind;
pub use types::PredicateType;
pub use types::PredicateTypeError;
pub use types::SbomFormat;
pub use types::ScanFormat;
pub use types::predicate_type;
pub use types::short_names;
pub use types::split_version;
pub use vex::ImageProduct;
pub use vex::VexDocument;
pub use vex::VexFormat;
pub use vex::VexParts;
pub use vex::VexProduct;
pub use vex::VexStatement;
pub use vex::VexStatements;
pub use vex::VexStatus;
