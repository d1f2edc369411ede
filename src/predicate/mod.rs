//! Predicates of in-toto statements, read as what a policy decides about: provenance, verification summaries, test
//! results, and any other JSON field by field.
//!
//! A predicate is read strictly: duplicate keys and keys that differ in case only are refused, everything is bounded,
//! and an error names the JSON Pointer of what is wrong.

mod error;
mod node;
mod types;

pub use error::PredicateError;
pub use error::PredicateProblem;
pub use node::JsonNode;
pub use node::JsonObject;
pub use types::PREDICATE_TYPES;
pub use types::PredicateKind;
pub use types::PredicateType;
pub use types::PredicateTypeError;
pub use types::SbomFormat;
pub use types::ScanFormat;
pub use types::predicate_type;
pub use types::short_names;
pub use types::split_version;
