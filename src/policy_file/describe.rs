//! How the canonical policy describes the parts of a policy file. Defaults are written out, so that a field with its default
//! value and one that is left out are the same.

use crate::oci::RepositoryName;
use crate::policy::StatementKind;
use crate::policy::StatementKinds;
use crate::policy_file::blocks::LoadedBlock;
use crate::policy_file::canonical::Canonical;
use crate::policy_file::document::AboutWord;
use crate::policy_file::document::AcceptedTestResult;
use crate::policy_file::document::BlockedDigest;
use crate::policy_file::document::BuilderDocument;
use crate::policy_file::document::CountedFindings;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::FieldDocument;
use crate::policy_file::document::FieldTest;
use crate::policy_file::document::FieldValue;
use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::IgnoreDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::ProvenanceDocument;
use crate::policy_file::document::ProvenanceFrom;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::ScanDocument;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::document::TimeWord;
use crate::policy_file::document::VsaDocument;
use crate::policy_file::document::VsaExceptions;
use crate::predicate;

type Fields = Vec<(&'static str, Option<Canonical>)>;

/// The whole policy.
pub(super) fn policy(
    document: &PolicyDocument,
    owners: &[(&IdentityDocument, Canonical)],
    blocks: &[LoadedBlock],
) -> Canonical {
    let owner = |(identity, means): &(&IdentityDocument, Canonical)| {
        Canonical::map([("means", Some(means.clone())), ("name", text(&identity.name))])
    };
    // A certificate belongs to the first identity that it fits, so the order of those has a meaning.
    let has_certificates = |means: &Canonical| matches!(means, Canonical::Map(map) if !map.contains_key("keys"));
    let ordered = owners.iter().filter(|(_, means)| has_certificates(means));
    let ordered: Vec<_> = ordered.map(|(identity, _)| Canonical::text(&identity.name.value)).collect();
    Canonical::map([
        ("baseline", Some(requirements(&document.baseline))),
        ("blocked", Some(Canonical::Set(document.blocked.iter().map(blocked).collect()))),
        ("builders", Some(Canonical::Set(document.builders.iter().map(builder).collect()))),
        ("bulla-policy", Some(Canonical::Number(1))),
        ("certificate-order", Some(Canonical::List(ordered))),
        ("expires", document.expires.as_ref().map(|expires| Canonical::text(expires.value))),
        ("identities", Some(Canonical::Set(owners.iter().map(owner).collect()))),
        ("images", Some(Canonical::Set(blocks.iter().map(block).collect()))),
    ])
}

fn block(block: &LoadedBlock) -> Canonical {
    let document = &block.document;
    let unsigned = document.accept_unsigned.as_ref().map(|unsigned| {
        Canonical::map([
            ("owner", text(&unsigned.owner)),
            ("reason", text(&unsigned.reason)),
            ("until", Some(Canonical::text(unsigned.until.value))),
        ])
    });
    let refuse = document.refuse.as_ref().map(|refuse| Canonical::map([("reason", text(&refuse.reason))]));
    let exceptions = block.exceptions.iter().map(|(name, one)| exception(name, one)).collect();
    Canonical::map([
        ("accept-unsigned", unsigned),
        ("exceptions", Some(Canonical::Set(exceptions))),
        ("match", Some(Canonical::Set(block.patterns.iter().map(Canonical::text).collect()))),
        ("refuse", refuse),
        ("require", Some(requirements(&document.require))),
        ("signed-name", block.signed_name.as_ref().map(Canonical::text)),
        ("signed-tag", document.signed_tag.as_ref().map(|tag| Canonical::text(tag.value.word()))),
    ])
}

fn exception(name: &RepositoryName, exception: &ExceptionDocument) -> Canonical {
    let waives = exception.waives.iter().map(|word| Canonical::text(word.value.word())).collect();
    Canonical::map([
        ("digests", Some(Canonical::texts(&exception.digests))),
        ("owner", text(&exception.owner)),
        ("reason", text(&exception.reason)),
        ("repository", Some(Canonical::text(name))),
        ("until", Some(Canonical::text(exception.until.value))),
        ("waives", Some(Canonical::Set(waives))),
    ])
}

fn blocked(blocked: &BlockedDigest) -> Canonical {
    Canonical::map([("digest", Some(Canonical::text(blocked.digest.value))), ("reason", text(&blocked.reason))])
}

fn builder(builder: &BuilderDocument) -> Canonical {
    Canonical::map([
        ("id", text(&builder.id)),
        ("level", Some(Canonical::Number(u64::from(builder.level.value)))),
        ("name", text(&builder.name)),
        ("signed-by", text(&builder.signed_by)),
    ])
}

fn requirements(requirements: &[RequirementDocument]) -> Canonical {
    Canonical::Set(requirements.iter().map(requirement).collect())
}

/// A requirement: its word, and its fields. The depth of a document is bounded.
fn requirement(requirement: &RequirementDocument) -> Canonical {
    let (word, value) = match &requirement.rule {
        RequirementRule::All(inner) => ("all", requirements(inner)),
        RequirementRule::Any(inner) => ("any", requirements(inner)),
        RequirementRule::Annotation(annotation) => {
            let mut fields = signers(&annotation.signers);
            fields.push(("annotations", Some(Canonical::pairs(&annotation.annotations))));
            ("annotation", Canonical::map(fields))
        }
        RequirementRule::Provenance(provenance) => ("provenance", of_provenance(provenance)),
        RequirementRule::Sbom(sbom) => {
            let mut fields = signers(&sbom.signers);
            let mut formats: Vec<_> = sbom.formats.iter().map(|format| format.value.word()).collect();
            if formats.is_empty() {
                formats = vec!["cyclonedx", "spdx"];
            }
            fields.push(("formats", Some(Canonical::Set(formats.into_iter().map(Canonical::text).collect()))));
            ("sbom", Canonical::map(fields))
        }
        RequirementRule::Scan(scan) => ("scan", of_scan(scan)),
        RequirementRule::Signature(signature) => ("signature", Canonical::map(signers(&signature.signers))),
        RequirementRule::Statement(statement) => {
            let mut fields = signers(&statement.signers);
            let typed = statement.predicate_type.value.as_str();
            fields.push(("fields", Some(Canonical::Set(statement.fields.iter().map(field).collect()))));
            fields.push(("type", Some(predicate_type(typed))));
            ("statement", Canonical::map(fields))
        }
        RequirementRule::Test(test) => {
            let mut fields = signers(&test.signers);
            let mut accept: Vec<_> = test.accept.iter().map(|result| result.value.word()).collect();
            if accept.is_empty() {
                accept = vec![AcceptedTestResult::Passed.word()];
            }
            fields.push(("accept", Some(Canonical::Set(accept.into_iter().map(Canonical::text).collect()))));
            ("test", Canonical::map(fields))
        }
        RequirementRule::Vsa(vsa) => ("vsa", of_summary(vsa)),
    };
    Canonical::map([(word, Some(value))])
}

/// A predicate type: one URI, or all spellings and versions of one, as a short name stands for them.
fn predicate_type(typed: &str) -> Canonical {
    let uri = predicate::predicate_type(typed).unwrap_or(typed);
    let exact = StatementKinds::from(StatementKind::of_predicate(uri));
    match StatementKinds::named(typed).is_ok_and(|kinds| kinds != exact) {
        true => Canonical::map([("every-spelling-of", Some(Canonical::text(uri)))]),
        false => Canonical::text(uri),
    }
}

fn of_provenance(provenance: &ProvenanceDocument) -> Canonical {
    let mut from: Vec<_> = provenance.from.iter().map(|from| from.value.word()).collect();
    if from.is_empty() {
        from = vec![ProvenanceFrom::Attestation.word()];
    }
    let level = provenance.slsa_level.as_ref().map(|level| Canonical::Number(u64::from(level.value)));
    Canonical::map([
        ("about", Some(about(provenance.about.as_ref()))),
        ("builders", Some(Canonical::texts(&provenance.builders))),
        ("by", Some(Canonical::texts(&provenance.by))),
        ("from", Some(Canonical::Set(from.into_iter().map(Canonical::text).collect()))),
        ("max-age", Some(age(provenance.max_age.as_ref()))),
        ("ref", provenance.reference.as_ref().and_then(text)),
        ("slsa-level", level),
        ("source", provenance.source.as_ref().and_then(text)),
        ("time", Some(time(provenance.time.as_ref()))),
    ])
}

fn of_scan(scan: &ScanDocument) -> Canonical {
    let mut fields = signers(&scan.signers);
    let count = scan.count.as_ref().map_or(CountedFindings::All, |count| count.value);
    fields.extend([
        ("count", Some(Canonical::text(count.word()))),
        ("database-max-age", Some(Canonical::text(scan.database_max_age.value))),
        ("highest-allowed", Some(Canonical::text(scan.highest_allowed.value.word()))),
        ("ignore", Some(Canonical::Set(scan.ignore.iter().map(ignored).collect()))),
        ("vex", scan.vex.as_ref().map(|vex| Canonical::map(signers(&vex.signers)))),
    ]);
    Canonical::map(fields)
}

fn ignored(ignore: &IgnoreDocument) -> Canonical {
    Canonical::map([
        ("owner", text(&ignore.owner)),
        ("package", ignore.package.as_ref().and_then(text)),
        ("reason", text(&ignore.reason)),
        ("until", Some(Canonical::text(ignore.until.value))),
        ("vulnerability", text(&ignore.vulnerability)),
    ])
}

fn of_summary(vsa: &VsaDocument) -> Canonical {
    let mut fields = signers(&vsa.signers);
    let exceptions = vsa.exceptions.as_ref().map_or(VsaExceptions::Refuse, |word| word.value);
    fields.extend([
        ("exceptions", Some(Canonical::text(exceptions.word()))),
        ("levels", Some(Canonical::texts(&vsa.levels))),
        ("policies", Some(Canonical::texts(&vsa.policies))),
        ("trust-at-least", vsa.trust_at_least.as_ref().map(|version| Canonical::text(version.value))),
        ("verifier", text(&vsa.verifier)),
    ]);
    Canonical::map(fields)
}

/// Who signs, about what, and how old it may be.
fn signers(signers: &SignersDocument) -> Fields {
    vec![
        ("about", Some(about(signers.about.as_ref()))),
        ("at-least", Some(Canonical::Number(u64::from(signers.at_least.value)))),
        ("by", Some(Canonical::texts(&signers.by))),
        ("max-age", Some(age(signers.max_age.as_ref()))),
        ("time", Some(time(signers.time.as_ref()))),
    ]
}

fn field(field: &FieldDocument) -> Canonical {
    let value = |value: &FieldValue| match value {
        FieldValue::Number(number) => Canonical::map([("number", Some(Canonical::text(number)))]),
        FieldValue::Text(text) => Canonical::map([("text", Some(Canonical::text(text)))]),
    };
    let (word, test) = match &field.test {
        FieldTest::AtLeast(number) => ("at-least", Canonical::text(&number.value)),
        FieldTest::AtMost(number) => ("at-most", Canonical::text(&number.value)),
        FieldTest::Equals(one) => ("equals", value(&one.value)),
        FieldTest::Exists(_) => ("exists", Canonical::text("any-value")),
        FieldTest::OneOf(all) => ("one-of", Canonical::Set(all.iter().map(|one| value(&one.value)).collect())),
    };
    Canonical::map([("at", text(&field.at)), (word, Some(test))])
}

fn text(text: &Located<String>) -> Option<Canonical> {
    Some(Canonical::text(&text.value))
}

fn about(about: Option<&Located<AboutWord>>) -> Canonical {
    Canonical::text(about.map_or(AboutWord::Either, |word| word.value).word())
}

fn age(age: Option<&Located<MaxAge>>) -> Canonical {
    Canonical::text(age.map_or(MaxAge::Unlimited, |age| age.value))
}

fn time(time: Option<&Located<TimeWord>>) -> Canonical {
    Canonical::text(time.map_or(TimeWord::Stated, |word| word.value).word())
}
