//! `PolicyDocument::parse`: from the YAML tree to the typed document, with all errors of the file.
//!
//! The invariant: a document is returned only if no error was found, neither by the YAML reader nor here. Every mapping
//! is read by the one table of its fields in `fields.rs`, which the JSON Schema is compared with.

mod cases;
mod fields;
mod identity;
mod image;
mod nearest;
mod reading;
mod requirement;
mod scalars;
mod signers;

pub use fields::MAPPINGS;
pub use fields::MappingFields;

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyProblem;
use crate::policy_file::document::PolicyDocument;
use crate::text::Untrusted;
use crate::yaml;
use crate::yaml::Position;
use crate::yaml::YamlNode;
use crate::yaml::YamlProblem;
use crate::yaml::YamlValue;

use reading::Reading;

impl PolicyDocument {
    /// Errors of one file that are returned, the first ones.
    pub const MOST_ERRORS: usize = 50;

    /// Reads a policy file.
    ///
    /// # Errors
    /// The errors of the file in the order of their positions, at most [`PolicyDocument::MOST_ERRORS`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, NonEmpty<PolicyFileError>> {
        let yaml = yaml::read(bytes, limits);
        let mut reading = Reading::new();
        for error in yaml.errors {
            reading.report(error.position, PolicyProblem::Yaml(error.problem));
        }
        let document = yaml.root.as_ref().and_then(|root| policy(&mut reading, root));
        let nothing = PolicyFileError { position: Position::START, problem: YamlProblem::Empty.into() };
        match (reading.into_errors(), document) {
            (None, Some(document)) => Ok(document),
            (Some(errors), _) => Err(errors),
            (None, None) => Err(NonEmpty::one(nothing)),
        }
    }
}

fn policy(reading: &mut Reading, root: &YamlNode) -> Option<PolicyDocument> {
    let fields = reading.mapping(root, &fields::POLICY)?;
    let version = reading.required(&fields, "bulla-policy").and_then(|node| version(reading, node));
    let expires = reading.optional(&fields, "expires", Reading::date);
    let identities = reading.required(&fields, "identities").and_then(|node| identity::identities(reading, node));
    let builders = reading.optional(&fields, "builders", image::builders);
    let blocked = reading.list_of(&fields, "blocked", image::blocked);
    let baseline = reading.list_of(&fields, "baseline", requirement::requirement);
    let images = reading.required_list_of(&fields, "images", image::block);
    version?;
    Some(PolicyDocument {
        baseline: baseline?,
        blocked: blocked?,
        builders: builders?.unwrap_or_default(),
        expires: expires?,
        identities: identities?,
        images: images?,
    })
}

/// The version of the language, which is 1.
fn version(reading: &mut Reading, node: &YamlNode) -> Option<()> {
    match &node.value {
        YamlValue::Text { plain: true, text } if text == "1" => Some(()),
        YamlValue::Text { plain: true, text } => {
            reading.report(node.position, PolicyProblem::Version(Untrusted::new(text)));
            None
        }
        _ => reading.integer(node, 1, 1).map(|_| ()),
    }
}
