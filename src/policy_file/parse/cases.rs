//! `PolicyCases::parse`: reads a file of cases, with the same strict YAML and the same errors as a policy file.

use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::policy_file::PolicyCase;
use crate::policy_file::PolicyCases;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyProblem;
use crate::policy_file::parse::fields::MappingFields;
use crate::policy_file::parse::reading::Reading;
use crate::policy_file::parse::reading::SHOWN;
use crate::text::Untrusted;
use crate::yaml;
use crate::yaml::Position;
use crate::yaml::YamlNode;
use crate::yaml::YamlProblem;

const CASES: MappingFields = MappingFields { fields: &["bulla-policy-cases", "policy", "cases"], name: "cases" };

const CASE: MappingFields = MappingFields { fields: &["case", "name", "image", "at", "expect", "codes"], name: "case" };

impl PolicyCases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// The errors of the file in the order of their positions, at most 50.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, NonEmpty<PolicyFileError>> {
        let yaml = yaml::read(bytes, limits);
        let mut reading = Reading::new();
        for error in yaml.errors {
            reading.report(error.position, PolicyProblem::Yaml(error.problem));
        }
        let cases = yaml.root.as_ref().and_then(|root| cases(&mut reading, root));
        let nothing = PolicyFileError { position: Position::START, problem: YamlProblem::Empty.into() };
        match (reading.into_errors(), cases) {
            (None, Some(cases)) => Ok(cases),
            (Some(errors), _) => Err(errors),
            (None, None) => Err(NonEmpty::one(nothing)),
        }
    }
}

fn cases(reading: &mut Reading, root: &YamlNode) -> Option<PolicyCases> {
    let fields = reading.mapping(root, &CASES)?;
    let version = reading.need(&fields, "bulla-policy-cases", |reading, node| reading.integer(node, 1, 1));
    let policy = reading.need(&fields, "policy", Reading::text);
    let cases = reading.required_list_of(&fields, "cases", case);
    let (_, policy, cases) = (version?, policy?, cases?);
    let mut seen = BTreeSet::new();
    for case in cases.iter().filter(|case| !seen.insert(case.case.value.as_str())) {
        let problem = PolicyProblem::Repeated(Untrusted::within(&case.case.value, SHOWN));
        reading.report(case.case.position, problem);
    }
    Some(PolicyCases { cases, policy })
}

fn case(reading: &mut Reading, node: &YamlNode) -> Option<PolicyCase> {
    let fields = reading.mapping(node, &CASE)?;
    let case = reading.need(&fields, "case", Reading::text);
    let name = reading.need(&fields, "name", Reading::text);
    let image = reading.need(&fields, "image", Reading::text);
    let at = reading.need(&fields, "at", Reading::instant);
    let expect = reading.need(&fields, "expect", Reading::word);
    let codes = reading.list_of(&fields, "codes", Reading::text);
    let codes = reading.unique(codes, String::clone);
    Some(PolicyCase {
        at: at?,
        case: case?,
        codes: codes?,
        expect: expect?,
        image: image?,
        name: name?,
        position: fields.position,
    })
}
