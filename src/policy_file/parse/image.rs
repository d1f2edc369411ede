//! Reads `images`, `builders` and `blocked`.

use crate::policy_file::PolicyProblem;
use crate::policy_file::WantedValue;
use crate::policy_file::document::AcceptUnsigned;
use crate::policy_file::document::BlockedDigest;
use crate::policy_file::document::BuilderDocument;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::ImageBlock;
use crate::policy_file::document::RefuseDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::parse::fields;
use crate::policy_file::parse::reading::Reading;
use crate::policy_file::parse::requirement;
use crate::policy_file::parse::scalars;
use crate::yaml::YamlNode;

pub(super) fn block(reading: &mut Reading, node: &YamlNode) -> Option<ImageBlock> {
    let fields = reading.mapping(node, &fields::IMAGE)?;
    let matches = reading.required_list_of(&fields, "match", Reading::pattern);
    let matches = reading.unique(matches, String::clone);
    let signed_name = reading.optional(&fields, "signed-name", Reading::pattern);
    let signed_tag = reading.optional(&fields, "signed-tag", Reading::word);
    let require = reading.list_of(&fields, "require", requirement::requirement);
    let exceptions = reading.list_of(&fields, "exceptions", exception);
    let accept_unsigned = reading.optional(&fields, "accept-unsigned", accept_unsigned);
    let refuse = reading.optional(&fields, "refuse", refuse);
    let what = ["require", "accept-unsigned", "refuse"];
    if what.iter().all(|field| fields.get(field).is_none()) {
        let problem = PolicyProblem::MissingField { field: "require", mapping: fields.of.name };
        reading.report(fields.position, problem);
    }
    match fields.get("refuse") {
        Some(_) => reading.excludes(
            &fields,
            "refuse",
            &["require", "accept-unsigned", "exceptions", "signed-name", "signed-tag"],
        ),
        None => {
            reading.needs(&fields, &["exceptions", "signed-name"], "require");
            reading.needs(&fields, &["signed-tag"], "signed-name");
        }
    }
    let (require, exceptions) = (require?, exceptions?);
    exceptions.iter().for_each(|exception| waives(reading, exception, &require));
    Some(ImageBlock {
        accept_unsigned: accept_unsigned?,
        exceptions,
        matches: matches?,
        position: fields.position,
        refuse: refuse?,
        require,
        signed_name: signed_name?,
        signed_tag: signed_tag?,
    })
}

fn accept_unsigned(reading: &mut Reading, node: &YamlNode) -> Option<AcceptUnsigned> {
    let fields = reading.mapping(node, &fields::ACCEPT_UNSIGNED)?;
    let reason = reading.need(&fields, "reason", Reading::text);
    let owner = reading.need(&fields, "owner", Reading::text);
    let until = reading.need(&fields, "until", Reading::date);
    Some(AcceptUnsigned { owner: owner?, position: fields.position, reason: reason?, until: until? })
}

fn refuse(reading: &mut Reading, node: &YamlNode) -> Option<RefuseDocument> {
    let fields = reading.mapping(node, &fields::REFUSE)?;
    let reason = reading.need(&fields, "reason", Reading::text);
    Some(RefuseDocument { position: fields.position, reason: reason? })
}

fn exception(reading: &mut Reading, node: &YamlNode) -> Option<ExceptionDocument> {
    let fields = reading.mapping(node, &fields::EXCEPTION)?;
    let repository = reading.need(&fields, "repository", Reading::token);
    let digests = reading.list_of(&fields, "digests", Reading::digest);
    let digests = reading.unique(digests, ToString::to_string);
    let waives = reading.required_list_of(&fields, "waives", Reading::word);
    let waives = reading.unique(waives, |word: &RequirementWord| word.word().to_owned());
    let reason = reading.need(&fields, "reason", Reading::text);
    let owner = reading.need(&fields, "owner", Reading::text);
    let until = reading.need(&fields, "until", Reading::date);
    Some(ExceptionDocument {
        digests: digests?,
        owner: owner?,
        position: fields.position,
        reason: reason?,
        repository: repository?,
        until: until?,
        waives: waives?,
    })
}

/// An exception waives what its block requires. Without a signature anybody could have made the image, so then it is
/// named by its digest.
fn waives(reading: &mut Reading, exception: &ExceptionDocument, require: &[RequirementDocument]) {
    for waived in &exception.waives {
        let word = waived.value.word();
        if !require.iter().any(|requirement| contains(requirement, waived.value)) {
            reading.report(waived.position, PolicyProblem::WaivesNothing(word));
        }
        let signs = matches!(waived.value, RequirementWord::Signature | RequirementWord::Annotation);
        if signs && exception.digests.is_empty() {
            reading.report(waived.position, PolicyProblem::WaivesAll(word));
        }
    }
}

/// Whether a requirement is of this kind, or one inside it. The depth is that of the file, which is bounded.
fn contains(requirement: &RequirementDocument, word: RequirementWord) -> bool {
    match &requirement.rule {
        RequirementRule::All(rules) | RequirementRule::Any(rules) => rules.iter().any(|rule| contains(rule, word)),
        rule => rule.word() == Some(word),
    }
}

pub(super) fn builders(reading: &mut Reading, node: &YamlNode) -> Option<Vec<BuilderDocument>> {
    let entries = reading.named(node, "builders")?;
    let mut builders = Vec::new();
    for (name, node) in entries {
        if !scalars::is_name(&name.value) {
            reading.unexpected(name.position, &name.value, WantedValue::Name);
        }
        let fields = reading.mapping(node, &fields::BUILDER);
        builders.push(fields.and_then(|fields| {
            let signed_by = reading.need(&fields, "signed-by", Reading::name);
            let id = reading.need(&fields, "id", Reading::builder);
            let level = reading.need(&fields, "level", Reading::slsa_level);
            Some(BuilderDocument { id: id?, level: level?, name, signed_by: signed_by? })
        }));
    }
    builders.into_iter().collect()
}

pub(super) fn blocked(reading: &mut Reading, node: &YamlNode) -> Option<BlockedDigest> {
    let fields = reading.mapping(node, &fields::BLOCKED)?;
    let digest = reading.need(&fields, "digest", Reading::digest);
    let reason = reading.need(&fields, "reason", Reading::text);
    Some(BlockedDigest { digest: digest?, position: fields.position, reason: reason? })
}
