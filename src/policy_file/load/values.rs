//! Values of requirements that could not be compared with anything: found when a policy is loaded, where they stand, and
//! not at the first verification.

use crate::policy_file::LoadProblem;
use crate::policy_file::RequirementValueError;
use crate::policy_file::document::FieldDocument;
use crate::policy_file::document::FieldTest;
use crate::policy_file::document::FieldValue;
use crate::policy_file::document::Located;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::identities::Fault;
use crate::policy_file::walk;
use crate::predicate::DecimalNumber;
use crate::predicate::JsonPointer;
use crate::predicate::PackageUrl;
use crate::predicate::SegmentPattern;
use crate::predicate::SourceRepository;
use crate::yaml::Position;

/// Package URLs, repositories with source, refs, builders, JSON Pointers and numbers that are none.
pub(super) fn values(document: &PolicyDocument) -> Vec<Fault> {
    let mut faults = Vec::new();
    for builder in &document.builders {
        faults.extend(text("id", &builder.id, SegmentPattern::builder));
    }
    for requirement in walk::requirements(document) {
        match &requirement.rule {
            RequirementRule::Provenance(provenance) => {
                let (source, reference) = (provenance.source.as_ref(), provenance.reference.as_ref());
                faults.extend(source.and_then(|source| text("source", source, SourceRepository::parse)));
                faults.extend(reference.and_then(|reference| text("ref", reference, SegmentPattern::parse)));
            }
            RequirementRule::Scan(scan) => {
                let packages = scan.ignore.iter().filter_map(|ignore| ignore.package.as_ref());
                faults.extend(packages.filter_map(|package| text("package", package, str::parse::<PackageUrl>)));
            }
            RequirementRule::Statement(statement) => {
                statement.fields.iter().for_each(|field| faults.extend(of_field(field)));
            }
            _ => (),
        }
    }
    faults
}

fn of_field(field: &FieldDocument) -> Vec<Fault> {
    let mut faults: Vec<Fault> = text("at", &field.at, JsonPointer::parse).into_iter().collect();
    let of_value = |field, one: &Located<FieldValue>| match &one.value {
        FieldValue::Number(written) => number(field, one.position, written),
        FieldValue::Text(_) => None,
    };
    match &field.test {
        FieldTest::AtLeast(least) => faults.extend(number("at-least", least.position, &least.value)),
        FieldTest::AtMost(most) => faults.extend(number("at-most", most.position, &most.value)),
        FieldTest::Equals(one) => faults.extend(of_value("equals", one)),
        FieldTest::Exists(_) => (),
        FieldTest::OneOf(all) => faults.extend(all.iter().filter_map(|one| of_value("one-of", one))),
    }
    faults
}

fn number(field: &'static str, position: Position, written: &str) -> Option<Fault> {
    let problem = LoadProblem::Value { error: RequirementValueError::Number, field };
    DecimalNumber::parse(written).is_none().then_some((position, problem))
}

fn text<T, E: Into<RequirementValueError>>(
    field: &'static str,
    written: &Located<String>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Fault> {
    let error = read(&written.value).err()?;
    Some((written.position, LoadProblem::Value { error: error.into(), field }))
}
