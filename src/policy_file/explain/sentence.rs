//! Requirements in plain sentences.

use std::collections::BTreeSet;

use crate::policy_file::document::AboutWord;
use crate::policy_file::document::CountedFindings;
use crate::policy_file::document::FieldDocument;
use crate::policy_file::document::FieldTest;
use crate::policy_file::document::FieldValue;
use crate::policy_file::document::HighestAllowed;
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
use crate::policy_file::walk;

/// The owners who can sign for a requirement, each once, in the order of their names.
pub(super) fn owners(requirement: &RequirementDocument, document: &PolicyDocument) -> Vec<String> {
    let mut owners = BTreeSet::new();
    for one in walk::below(std::slice::from_ref(requirement)) {
        owners.extend(walk::named_owners(&one.rule).into_iter().map(|name| name.value.clone()));
        if let RequirementRule::Provenance(provenance) = &one.rule {
            let named = document
                .builders
                .iter()
                .filter(|builder| provenance.builders.iter().any(|name| name.value == builder.name.value));
            owners.extend(named.map(|builder| builder.signed_by.value.clone()));
        }
    }
    owners.into_iter().collect()
}

/// What must be signed, and by whom. The depth of a document is bounded.
pub(super) fn of(requirement: &RequirementDocument, document: &PolicyDocument) -> String {
    let several =
        |inner: &[RequirementDocument]| inner.iter().map(|one| format!("({})", of(one, document))).collect::<Vec<_>>();
    match &requirement.rule {
        RequirementRule::All(inner) => format!("all of: {}", several(inner).join(" and ")),
        RequirementRule::Any(inner) => format!("one of: {}", several(inner).join(" or ")),
        RequirementRule::Annotation(annotation) => {
            let wanted: Vec<_> =
                annotation.annotations.iter().map(|(key, value)| format!("{}={}", key.value, value.value)).collect();
            format!("an image signature with {}{}", wanted.join(" and "), by(&annotation.signers))
        }
        RequirementRule::Provenance(provenance) => of_provenance(provenance, document),
        RequirementRule::Sbom(sbom) => {
            let formats: Vec<_> = sbom.formats.iter().map(|format| format.value.word()).collect();
            let formats = if formats.is_empty() { "cyclonedx or spdx".to_owned() } else { formats.join(" or ") };
            format!("an SBOM ({formats}){}", by(&sbom.signers))
        }
        RequirementRule::Scan(scan) => of_scan(scan),
        RequirementRule::Signature(signature) => format!("an image signature{}", by(&signature.signers)),
        RequirementRule::Statement(statement) => {
            let fields: Vec<_> = statement.fields.iter().map(field).collect();
            let fields = if fields.is_empty() { String::new() } else { format!(" in which {}", fields.join(" and ")) };
            let typed = &statement.predicate_type.value;
            format!("a statement of type {typed}{fields}{}", newest(&statement.signers))
        }
        RequirementRule::Test(test) => {
            let accepted: Vec<_> = test.accept.iter().map(|result| result.value.word()).collect();
            let accepted = if accepted.is_empty() { "passed".to_owned() } else { accepted.join(" or ") };
            format!("a test result that says {accepted}{}", newest(&test.signers))
        }
        RequirementRule::Vsa(vsa) => of_summary(vsa),
    }
}

fn of_provenance(provenance: &ProvenanceDocument, document: &PolicyDocument) -> String {
    let builder = |name: &Located<String>| {
        let found = document.builders.iter().find(|builder| builder.name.value == name.value);
        found.map_or_else(String::new, |builder| {
            format!("{} (signed by {}, level {})", name.value, builder.signed_by.value, builder.level.value)
        })
    };
    let builders: Vec<_> = provenance.builders.iter().map(builder).collect();
    let mut text = format!("SLSA provenance by {}", builders.join(" or "));
    if let Some(level) = &provenance.slsa_level {
        text.push_str(&format!(", at SLSA build level {} or higher", level.value));
    }
    if let Some(source) = &provenance.source {
        text.push_str(&format!(", built from {}", source.value));
    }
    if let Some(reference) = &provenance.reference {
        text.push_str(&format!(" at {}", reference.value));
    }
    let is_from = |place| provenance.from.iter().any(|from| from.value == place);
    if is_from(ProvenanceFrom::SignedIndex) {
        let also = if is_from(ProvenanceFrom::Attestation) { "also " } else { "" };
        let others = provenance.by.iter().map(|name| format!(" or {}", name.value)).collect::<String>();
        text.push_str(&format!(", {also}unsigned by BuildKit in an index that is signed by them{others}"));
    }
    text.push_str(&about(provenance.about.as_ref()));
    text.push_str(&age("at most", provenance.max_age.as_ref(), provenance.time.as_ref()));
    text
}

fn of_scan(scan: &ScanDocument) -> String {
    let counted = match scan.count.as_ref().map_or(CountedFindings::All, |count| count.value) {
        CountedFindings::All => "",
        CountedFindings::Fixable => "fixable ",
    };
    let allowed = match scan.highest_allowed.value {
        HighestAllowed::None => format!("no {counted}finding"),
        HighestAllowed::Critical => "any findings".to_owned(),
        other => format!("no {counted}finding above {}", other.word()),
    };
    let mut text = format!("a vulnerability scan with {allowed}{}", newest(&scan.signers));
    match scan.database_max_age.value {
        MaxAge::Unlimited => text.push_str(", with a database of any age"),
        age @ MaxAge::Within(_) => text.push_str(&format!(", with a database that was at most {age} old")),
    }
    if let Some(vex) = &scan.vex {
        text.push_str(&format!("; VEX statements{} clear findings", newest(&vex.signers)));
    }
    for ignore in &scan.ignore {
        let package = ignore.package.as_ref().map_or_else(String::new, |package| format!(" in {}", package.value));
        let (vulnerability, until) = (&ignore.vulnerability.value, ignore.until.value);
        text.push_str(&format!("; {vulnerability}{package} does not count until {until}"));
    }
    text
}

fn of_summary(vsa: &VsaDocument) -> String {
    let policies: Vec<_> = vsa.policies.iter().map(|digest| digest.value.to_string()).collect();
    let mut text =
        format!("a passed verification summary of {} by the policy {}", vsa.verifier.value, policies.join(" or "));
    if !vsa.levels.is_empty() {
        let levels: Vec<_> = vsa.levels.iter().map(|level| level.value.as_str()).collect();
        text.push_str(&format!(" with {}", levels.join(" and ")));
    }
    if let Some(least) = &vsa.trust_at_least {
        text.push_str(&format!(" and version {} or higher of its trust", least.value));
    }
    match vsa.exceptions.as_ref().map_or(VsaExceptions::Refuse, |exceptions| exceptions.value) {
        VsaExceptions::Accept => {}
        VsaExceptions::Refuse => text.push_str(", which says that it was made without exceptions,"),
    }
    text.push_str(&newest(&vsa.signers));
    text
}

/// Who signs, about what, and how old it may be.
fn by(signers: &SignersDocument) -> String {
    let names: Vec<_> = signers.by.iter().map(|name| name.value.as_str()).collect();
    let count = usize::try_from(signers.at_least.value).unwrap_or(usize::MAX);
    let who = match names.as_slice() {
        [one] => (*one).to_owned(),
        all if count == all.len() => format!("{}, all of them", all.join(" and ")),
        several => format!("{}, at least {count} of them", several.join(", ")),
    };
    let age = age("at most", signers.max_age.as_ref(), signers.time.as_ref());
    format!(" by {who}{}{age}", about(signers.about.as_ref()))
}

/// The same, where only the newest statement of each owner counts.
fn newest(signers: &SignersDocument) -> String {
    format!("{}, the newest of each", by(signers))
}

fn about(about: Option<&Located<AboutWord>>) -> String {
    match about.map_or(AboutWord::Either, |word| word.value) {
        AboutWord::Both => ", about the index and about each platform",
        AboutWord::Either => "",
        AboutWord::Index => ", about the index",
        AboutWord::Named => ", about the manifest that is named",
        AboutWord::Platforms => ", about each platform",
    }
    .to_owned()
}

fn age(most: &str, age: Option<&Located<MaxAge>>, time: Option<&Located<TimeWord>>) -> String {
    let trusted = match time.map_or(TimeWord::Stated, |time| time.value) {
        TimeWord::Stated => "",
        TimeWord::Trusted => " by a trusted time",
    };
    match age.map_or(MaxAge::Unlimited, |age| age.value) {
        MaxAge::Unlimited => String::new(),
        age @ MaxAge::Within(_) => format!(", {most} {age} old{trusted}"),
    }
}

fn field(field: &FieldDocument) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Number(number) => number.clone(),
        FieldValue::Text(text) => format!("{text:?}"),
    };
    let test = match &field.test {
        FieldTest::AtLeast(number) => format!("is at least {}", number.value),
        FieldTest::AtMost(number) => format!("is at most {}", number.value),
        FieldTest::Equals(one) => format!("is {}", value(&one.value)),
        FieldTest::Exists(_) => "is there".to_owned(),
        FieldTest::OneOf(all) => {
            format!("is {}", all.iter().map(|one| value(&one.value)).collect::<Vec<_>>().join(" or "))
        }
    };
    format!("{} {test}", field.at.value)
}
