//! Strict YAML: one document of mappings, sequences and texts, each with its line and column.
//!
//! YAML 1.2.2 has features that make a file mean something else than it seems, and readers disagree about them. They are
//! errors here: anchors and aliases (section 7.1), merge keys, tags (section 6.8.2), directives, nulls, booleans in every
//! spelling of YAML 1.1 and 1.2 without quotes, keys that stand twice, keys that are no text, tabs, texts over several
//! lines without `|` or `>`, byte order marks, control characters and hidden characters. Numbers stay texts.

mod error;
mod node;
mod raw;
mod reader;
mod scalar;

pub use error::YamlError;
pub use error::YamlProblem;
pub use node::Position;
pub use node::YamlKey;
pub use node::YamlNode;
pub use node::YamlValue;
pub use reader::YamlDocument;
pub use reader::read;
pub use scalar::ScalarLook;
