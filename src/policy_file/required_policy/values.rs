//! The values of requirements, as they are compared.

use crate::nonempty::NonEmpty;
use crate::policy_file::document::FieldTest;
use crate::policy_file::document::FieldValue;
use crate::policy_file::document::Located;
use crate::policy_file::required_policy::error::RequiredPolicyError;
use crate::policy_file::required_policy::error::RequirementValueError;
use crate::predicate::DecimalNumber;
use crate::predicate::FieldComparison;
use crate::predicate::FieldLiteral;

/// The value of `field`, read by `read`.
pub(super) fn value<T, E: Into<RequirementValueError>>(
    field: &'static str,
    text: &Located<String>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, RequiredPolicyError> {
    let line = text.position.line;
    read(&text.value).map_err(|error| RequiredPolicyError::Value { error: error.into(), field, line })
}

/// What a value of a predicate must be.
pub(super) fn comparison(test: &FieldTest) -> Result<FieldComparison, RequiredPolicyError> {
    Ok(match test {
        FieldTest::AtLeast(least) => FieldComparison::AtLeast(value("at-least", least, number)?),
        FieldTest::AtMost(most) => FieldComparison::AtMost(value("at-most", most, number)?),
        FieldTest::Equals(one) => FieldComparison::Equals(literal("equals", one)?),
        FieldTest::Exists(_) => FieldComparison::Exists,
        FieldTest::OneOf(all) => {
            let all = all.iter().map(|one| literal("one-of", one)).collect::<Result<Vec<_>, _>>()?;
            FieldComparison::OneOf(NonEmpty::collect(all).ok_or(RequiredPolicyError::Nothing)?)
        }
    })
}

fn literal(field: &'static str, written: &Located<FieldValue>) -> Result<FieldLiteral, RequiredPolicyError> {
    let line = written.position.line;
    match &written.value {
        FieldValue::Number(text) => {
            let number = number(text).map_err(|error| RequiredPolicyError::Value { error, field, line })?;
            Ok(FieldLiteral::Number(number))
        }
        FieldValue::Text(text) => Ok(FieldLiteral::Text(text.clone())),
    }
}

fn number(text: &str) -> Result<DecimalNumber, RequirementValueError> {
    DecimalNumber::parse(text).ok_or(RequirementValueError::Number)
}
