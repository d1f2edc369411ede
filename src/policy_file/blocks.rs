//! The blocks of a policy file: patterns, signed names and exceptions, resolved and checked.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::oci::RepositoryName;
use crate::ordered;
use crate::policy_file::ImagePattern;
use crate::policy_file::LoadProblem;
use crate::policy_file::SignedNameMapping;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::ImageBlock;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::identities::Fault;
use crate::policy_file::walk;
use crate::text::Untrusted;

/// A block with its meaning.
#[derive(Clone, Debug)]
pub(super) struct LoadedBlock {
    pub(super) document: ImageBlock,
    pub(super) exceptions: Vec<(RepositoryName, ExceptionDocument)>,
    pub(super) patterns: Vec<ImagePattern>,
    pub(super) signed_name: Option<SignedNameMapping>,
}

impl LoadedBlock {
    /// The patterns of this block that match `name`, the narrowest first.
    fn pattern_for(&self, name: &RepositoryName) -> Option<&ImagePattern> {
        self.patterns.iter().filter(|pattern| pattern.matches(name)).min_by(|one, other| one.precedence(other))
    }
}

/// The block that decides about `name`, by the narrowest of all patterns that match, and that pattern.
pub(super) fn deciding<'a>(
    blocks: &'a [LoadedBlock],
    name: &RepositoryName,
) -> Option<(usize, &'a LoadedBlock, &'a ImagePattern)> {
    let matching =
        blocks.iter().enumerate().filter_map(|(index, block)| Some((index, block, block.pattern_for(name)?)));
    matching.min_by(|(.., one), (.., other)| one.precedence(other))
}

/// What is left of `requirement` where requirements of these kinds are waived; `None` if nothing is. An alternative
/// (`any`) is waived only if each of its branches is: else it stays whole.
pub(super) fn without(
    requirement: &RequirementDocument,
    waived: &BTreeSet<RequirementWord>,
) -> Option<RequirementDocument> {
    let position = requirement.position;
    let rule = match &requirement.rule {
        RequirementRule::All(inner) => {
            let left: Vec<_> = inner.iter().filter_map(|one| without(one, waived)).collect();
            Some(RequirementRule::All(left))
                .filter(|rule| !matches!(rule, RequirementRule::All(left) if left.is_empty()))
        }
        RequirementRule::Any(inner) => {
            let waives_all = inner.iter().all(|one| without(one, waived).is_none());
            (!waives_all).then(|| requirement.rule.clone())
        }
        rule => Some(rule.clone()).filter(|rule| rule.word().is_none_or(|word| !waived.contains(&word))),
    };
    rule.map(|rule| RequirementDocument { position, rule })
}

/// The kinds that these exceptions waive.
pub(super) fn waived<'a>(exceptions: impl IntoIterator<Item = &'a ExceptionDocument>) -> BTreeSet<RequirementWord> {
    ordered::set(exceptions.into_iter().flat_map(|exception| exception.waives.iter().map(|word| word.value)))
}

/// The blocks, and what is wrong with them.
pub(super) fn resolve(document: &PolicyDocument) -> (Vec<LoadedBlock>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut lines: BTreeMap<ImagePattern, u32> = BTreeMap::new();
    let mut blocks = Vec::new();
    for block in &document.images {
        let patterns = patterns(block, &mut lines, &mut faults);
        let signed_name = signed_name(block, &patterns, document, &mut faults);
        let mut exceptions = Vec::new();
        for exception in &block.exceptions {
            match RepositoryName::normalised(&exception.repository.value) {
                Ok(name) => exceptions.push((name, exception.clone())),
                Err(error) => faults.push((exception.repository.position, LoadProblem::Name(error))),
            }
        }
        blocks.push(LoadedBlock { document: block.clone(), exceptions, patterns, signed_name });
    }
    faults.extend(exceptions(document, &blocks));
    (blocks, faults)
}

fn patterns(block: &ImageBlock, lines: &mut BTreeMap<ImagePattern, u32>, faults: &mut Vec<Fault>) -> Vec<ImagePattern> {
    let mut patterns = Vec::new();
    for text in &block.matches {
        match ImagePattern::parse(&text.value) {
            Err(error) => faults.push((text.position, LoadProblem::Pattern(error))),
            Ok(pattern) => match lines.insert(pattern.clone(), block.position.line) {
                Some(line) => {
                    let pattern = Untrusted::new(&pattern.to_string());
                    faults.push((text.position, LoadProblem::DuplicatePattern { line, pattern }));
                }
                None => patterns.push(pattern),
            },
        }
    }
    patterns
}

/// The signed name of a block: it fits every pattern, and something is compared with it.
fn signed_name(
    block: &ImageBlock,
    patterns: &[ImagePattern],
    document: &PolicyDocument,
    faults: &mut Vec<Fault>,
) -> Option<SignedNameMapping> {
    let written = block.signed_name.as_ref()?;
    let mapping = match SignedNameMapping::parse(&written.value) {
        Ok(mapping) => mapping,
        Err(error) => {
            faults.push((written.position, LoadProblem::SignedName(error)));
            return None;
        }
    };
    for pattern in patterns.iter().filter(|pattern| !mapping.fits(pattern)) {
        let pattern = Untrusted::new(&pattern.to_string());
        faults.push((written.position, LoadProblem::SignedNameRest(pattern)));
    }
    let is_signature =
        |rule: &RequirementRule| matches!(rule, RequirementRule::Signature(_) | RequirementRule::Annotation(_));
    let required = walk::below(&document.baseline).into_iter().chain(walk::below(&block.require));
    if !required.into_iter().any(|requirement| is_signature(&requirement.rule)) {
        faults.push((written.position, LoadProblem::SignedNameAlone));
    }
    Some(mapping)
}

/// Exceptions for repositories about which another block decides, and those that leave nothing to be met.
fn exceptions(document: &PolicyDocument, blocks: &[LoadedBlock]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        for (name, exception) in &block.exceptions {
            let shown = || Untrusted::new(&name.to_string());
            // A block without a valid pattern has a fault already.
            if !block.patterns.is_empty() && deciding(blocks, name).is_none_or(|(decides, ..)| decides != index) {
                faults.push((exception.repository.position, LoadProblem::ExceptionElsewhere(shown())));
            }
            // For every image of the repository, whatever its digest.
            let same = block.exceptions.iter().filter(|(other, one)| other == name && one.digests.is_empty());
            let waived = waived(same.map(|(_, exception)| exception));
            let is_left = |requirement: &RequirementDocument| without(requirement, &waived).is_some();
            let nothing = document.baseline.is_empty() && !block.document.require.iter().any(is_left);
            if nothing && exception.digests.is_empty() {
                faults.push((exception.position, LoadProblem::ExceptionsLeaveNothing(shown())));
            }
        }
    }
    faults
}
