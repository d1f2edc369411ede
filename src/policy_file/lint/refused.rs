//! Lints about blocks that refuse images: another block decides about some of them.

use std::cmp::Ordering;

use crate::policy_file::blocks::LoadedBlock;
use crate::policy_file::lint::rule::PolicyLint;
use crate::policy_file::lint::rule::PolicyLintRule;
use crate::text::Untrusted;

/// Patterns that refuse, and lose against a pattern of a block that accepts, although that one is not within them. An accept
/// within a refusal is a narrower yes inside a wider no, and meant.
pub(super) fn beaten(blocks: &[LoadedBlock]) -> Vec<PolicyLint> {
    let (refusing, accepting): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block.document.refuse.is_some());
    let mut lints = Vec::new();
    for refuse in refusing {
        for pattern in &refuse.patterns {
            for accept in &accepting {
                let wins = accept.patterns.iter().find(|other| {
                    let first = other.precedence(pattern) == Ordering::Less;
                    first && other.overlaps(pattern) && !pattern.covers(other)
                });
                let Some(other) = wins else { continue };
                let (line, other) = (accept.document.position.line, Untrusted::new(&other.to_string()));
                let pattern = Untrusted::new(&pattern.to_string());
                let rule = PolicyLintRule::RefuseBeaten { line, other, pattern };
                lints.push(PolicyLint { position: refuse.document.position, rule });
            }
        }
    }
    lints
}
