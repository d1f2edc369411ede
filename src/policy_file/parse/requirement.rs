//! Reads requirements.

use crate::policy_file::PolicyProblem;
use crate::policy_file::WantedValue;
use crate::policy_file::document::AcceptedTestResult;
use crate::policy_file::document::AnnotationDocument;
use crate::policy_file::document::FieldDocument;
use crate::policy_file::document::FieldTest;
use crate::policy_file::document::FieldValue;
use crate::policy_file::document::IgnoreDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::ProvenanceDocument;
use crate::policy_file::document::ProvenanceFrom;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::SbomDocument;
use crate::policy_file::document::SbomFormatWord;
use crate::policy_file::document::ScanDocument;
use crate::policy_file::document::SignatureDocument;
use crate::policy_file::document::StatementDocument;
use crate::policy_file::document::TestDocument;
use crate::policy_file::document::VexRuleDocument;
use crate::policy_file::document::VsaDocument;
use crate::policy_file::parse::fields;
use crate::policy_file::parse::reading::ReadMapping;
use crate::policy_file::parse::reading::Reading;
use crate::policy_file::parse::signers::AgeRule;
use crate::yaml::YamlNode;
use crate::yaml::YamlValue;

/// A mapping of one word. It recurs in `any` and `all`, as deep as the file is nested, which is bounded.
pub(super) fn requirement(reading: &mut Reading, node: &YamlNode) -> Option<RequirementDocument> {
    let fields = reading.mapping(node, &fields::REQUIREMENT)?;
    let word = reading.exactly_one(&fields, fields::REQUIREMENT.fields)?;
    let node = fields.get(word)?;
    let rule = match word {
        "all" => reading.elements(node, "all", requirement).map(RequirementRule::All),
        "annotation" => annotation(reading, node).map(RequirementRule::Annotation),
        "any" => reading.elements(node, "any", requirement).map(RequirementRule::Any),
        "provenance" => provenance(reading, node).map(Box::new).map(RequirementRule::Provenance),
        "sbom" => sbom(reading, node).map(RequirementRule::Sbom),
        "scan" => scan(reading, node).map(Box::new).map(RequirementRule::Scan),
        "signature" => signature(reading, node).map(RequirementRule::Signature),
        "statement" => statement(reading, node).map(RequirementRule::Statement),
        "test" => test(reading, node).map(RequirementRule::Test),
        _ => vsa(reading, node).map(Box::new).map(RequirementRule::Vsa),
    };
    Some(RequirementDocument { position: fields.position, rule: rule? })
}

fn signature(reading: &mut Reading, node: &YamlNode) -> Option<SignatureDocument> {
    let fields = reading.mapping(node, &fields::SIGNATURE)?;
    let signers = reading.signers(&fields, AgeRule::Optional)?;
    Some(SignatureDocument { signers })
}

fn annotation(reading: &mut Reading, node: &YamlNode) -> Option<AnnotationDocument> {
    let fields = reading.mapping(node, &fields::ANNOTATION)?;
    let annotations = reading.need(&fields, "annotations", |reading, node| reading.pairs(node, "annotations"));
    let signers = reading.signers(&fields, AgeRule::Optional);
    Some(AnnotationDocument { annotations: annotations?, signers: signers? })
}

fn provenance(reading: &mut Reading, node: &YamlNode) -> Option<ProvenanceDocument> {
    let fields = reading.mapping(node, &fields::PROVENANCE)?;
    let builders = reading.required_list_of(&fields, "builders", Reading::name);
    let builders = reading.unique(builders, String::clone);
    let slsa_level = reading.optional(&fields, "slsa-level", Reading::slsa_level);
    let source = reading.optional(&fields, "source", Reading::source);
    let reference = reading.optional(&fields, "ref", Reading::reference);
    let from = match fields.get("from") {
        Some(node) => reading.elements(node, "from", Reading::word),
        None => Some(vec![Located { position: fields.position, value: ProvenanceFrom::Attestation }]),
    };
    let from = reading.unique(from, |from: &ProvenanceFrom| from.word().to_owned());
    let by = reading.list_of(&fields, "by", Reading::name);
    let by = reading.unique(by, String::clone);
    let about = reading.optional(&fields, "about", Reading::word);
    let ages = reading.ages(&fields, AgeRule::Optional);
    // Who signs an attestation is said by the builders.
    if from.as_ref().is_some_and(|from| from.iter().all(|from| from.value != ProvenanceFrom::SignedIndex)) {
        for (field, position) in fields.present(&["by"]) {
            reading.report(position, PolicyProblem::Needs { field, needs: "from: [signed-index]" });
        }
    }
    let (max_age, time) = ages?;
    Some(ProvenanceDocument {
        about: about?,
        builders: builders?,
        by: by?,
        from: from?,
        max_age,
        reference: reference?,
        slsa_level: slsa_level?,
        source: source?,
        time,
    })
}

fn sbom(reading: &mut Reading, node: &YamlNode) -> Option<SbomDocument> {
    let fields = reading.mapping(node, &fields::SBOM)?;
    let formats = reading.list_of(&fields, "formats", Reading::word);
    let formats = reading.unique(formats, |format: &SbomFormatWord| format.word().to_owned());
    let signers = reading.signers(&fields, AgeRule::Optional);
    Some(SbomDocument { formats: formats?, signers: signers? })
}

fn scan(reading: &mut Reading, node: &YamlNode) -> Option<ScanDocument> {
    let fields = reading.mapping(node, &fields::SCAN)?;
    let highest_allowed = reading.need(&fields, "highest-allowed", Reading::word);
    let count = reading.optional(&fields, "count", Reading::word);
    let database_max_age = reading.need(&fields, "database-max-age", Reading::age);
    let vex = reading.optional(&fields, "vex", vex);
    let ignore = reading.list_of(&fields, "ignore", ignore);
    let signers = reading.signers(&fields, AgeRule::Required);
    Some(ScanDocument {
        count: count?,
        database_max_age: database_max_age?,
        highest_allowed: highest_allowed?,
        ignore: ignore?,
        signers: signers?,
        vex: vex?,
    })
}

fn vex(reading: &mut Reading, node: &YamlNode) -> Option<VexRuleDocument> {
    let fields = reading.mapping(node, &fields::VEX)?;
    let signers = reading.signers(&fields, AgeRule::Required)?;
    Some(VexRuleDocument { position: fields.position, signers })
}

fn ignore(reading: &mut Reading, node: &YamlNode) -> Option<IgnoreDocument> {
    let fields = reading.mapping(node, &fields::IGNORE)?;
    let vulnerability = reading.need(&fields, "vulnerability", Reading::token);
    let package = reading.optional(&fields, "package", Reading::purl);
    let reason = reading.need(&fields, "reason", Reading::text);
    let owner = reading.need(&fields, "owner", Reading::text);
    let until = reading.need(&fields, "until", Reading::date);
    Some(IgnoreDocument {
        owner: owner?,
        package: package?,
        position: fields.position,
        reason: reason?,
        until: until?,
        vulnerability: vulnerability?,
    })
}

fn test(reading: &mut Reading, node: &YamlNode) -> Option<TestDocument> {
    let fields = reading.mapping(node, &fields::TEST)?;
    let accept = match fields.get("accept") {
        Some(node) => reading.elements(node, "accept", Reading::word),
        None => Some(vec![Located { position: fields.position, value: AcceptedTestResult::Passed }]),
    };
    let accept = reading.unique(accept, |result: &AcceptedTestResult| result.word().to_owned());
    let signers = reading.signers(&fields, AgeRule::Required);
    Some(TestDocument { accept: accept?, signers: signers? })
}

fn vsa(reading: &mut Reading, node: &YamlNode) -> Option<VsaDocument> {
    let fields = reading.mapping(node, &fields::VSA)?;
    let verifier = reading.need(&fields, "verifier", Reading::uri);
    let policies = reading.required_list_of(&fields, "policies", Reading::digest);
    let policies = reading.unique(policies, ToString::to_string);
    let levels = reading.list_of(&fields, "levels", Reading::token);
    let levels = reading.unique(levels, String::clone);
    let trust_at_least =
        reading.optional(&fields, "trust-at-least", |reading, node| reading.integer(node, 1, u64::MAX));
    let exceptions = reading.optional(&fields, "exceptions", Reading::word);
    let signers = reading.signers(&fields, AgeRule::Required);
    Some(VsaDocument {
        exceptions: exceptions?,
        levels: levels?,
        policies: policies?,
        signers: signers?,
        trust_at_least: trust_at_least?,
        verifier: verifier?,
    })
}

fn statement(reading: &mut Reading, node: &YamlNode) -> Option<StatementDocument> {
    let fields = reading.mapping(node, &fields::STATEMENT)?;
    let predicate_type = reading.need(&fields, "type", Reading::token);
    let of_predicate = reading.list_of(&fields, "fields", field);
    let signers = reading.signers(&fields, AgeRule::Required);
    Some(StatementDocument { fields: of_predicate?, predicate_type: predicate_type?, signers: signers? })
}

fn field(reading: &mut Reading, node: &YamlNode) -> Option<FieldDocument> {
    let fields = reading.mapping(node, &fields::FIELD)?;
    let at = reading.need(&fields, "at", Reading::pointer);
    let test = field_test(reading, &fields);
    Some(FieldDocument { at: at?, position: fields.position, test: test? })
}

fn field_test(reading: &mut Reading, fields: &ReadMapping<'_>) -> Option<FieldTest> {
    let test = reading.exactly_one(fields, &["equals", "one-of", "at-most", "at-least", "exists"])?;
    let node = fields.get(test)?;
    match test {
        "at-least" => reading.number(node).map(FieldTest::AtLeast),
        "at-most" => reading.number(node).map(FieldTest::AtMost),
        "equals" => value(reading, node).map(FieldTest::Equals),
        "one-of" => {
            let values = reading.elements(node, "one-of", value);
            let shown = |value: &FieldValue| match value {
                FieldValue::Number(text) | FieldValue::Text(text) => text.clone(),
            };
            reading.unique(values, shown).map(FieldTest::OneOf)
        }
        _ => {
            let (text, _) = reading.scalar(node, WantedValue::Text)?;
            if text == "any-value" {
                return Some(FieldTest::Exists(node.position));
            }
            let problem = PolicyProblem::UnknownWord {
                found: crate::text::Untrusted::within(text, crate::policy_file::parse::reading::SHOWN),
                known: vec!["any-value"],
                nearest: Some("any-value"),
            };
            reading.report(node.position, problem);
            None
        }
    }
}

/// A number without quotes, or a text.
fn value(reading: &mut Reading, node: &YamlNode) -> Option<Located<FieldValue>> {
    let looks_like_number = match &node.value {
        YamlValue::Text { plain: true, text } => text.starts_with(|c: char| c.is_ascii_digit() || c == '-'),
        _ => false,
    };
    let number = |text: &str| crate::yaml::ScalarLook::of(text) == Some(crate::yaml::ScalarLook::Number);
    match &node.value {
        YamlValue::Text { plain: true, text } if looks_like_number && number(text) => {
            let Located { position, value } = reading.number(node)?;
            Some(Located { position, value: FieldValue::Number(value) })
        }
        _ => {
            let Located { position, value } = reading.text(node)?;
            Some(Located { position, value: FieldValue::Text(value) })
        }
    }
}
