//! `SharedFindings`: deduplicates the findings about many subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::verify::Finding;

/// The findings about all manifests of an index, where equal ones are kept once. A thousand manifests may list the same
/// hundred referrers, each with the same findings about them.
#[derive(Debug, Default)]
pub struct SharedFindings {
    bytes: usize,
    count: usize,
    known: BTreeMap<Option<Digest>, Vec<Arc<Finding>>>,
}

impl SharedFindings {
    /// The size of all findings in bytes, where equal ones count once.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of all findings, where equal ones about several subjects count several times.
    pub const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn share(&mut self, findings: Vec<Arc<Finding>>) -> Vec<Arc<Finding>> {
        self.count = self.count.saturating_add(findings.len());
        findings.into_iter().map(|finding| self.share_one(finding)).collect()
    }

    fn share_one(&mut self, finding: Arc<Finding>) -> Arc<Finding> {
        let known = self.known.entry(finding.digest).or_default();
        if let Some(same) = known.iter().find(|other| **other == finding) {
            return Arc::clone(same);
        }
        let text = finding.reason.to_string().len().saturating_add(finding.place.to_string().len());
        self.bytes = self.bytes.saturating_add(text).saturating_add(size_of::<Finding>());
        known.push(Arc::clone(&finding));
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::FoundAt;
    use crate::verify::Reason;
    use crate::verify::SignatureManifestFault;

    #[test]
    fn the_same_finding_is_kept_once() {
        let mut shared = SharedFindings::default();
        let finding = |n: u8, got: usize| {
            let reason = Reason::Manifest(SignatureManifestFault::LayerCount { form: "bundle", got });
            Arc::new(Finding { digest: Some(Digest::sha256(&[n])), place: FoundAt::Referrers, reason })
        };
        let first = shared.share(vec![finding(1, 2), finding(2, 2), finding(1, 3)]);
        let bytes = shared.bytes();
        let second = shared.share(vec![finding(1, 3), finding(1, 2)]);
        assert!(Arc::ptr_eq(&first[0], &second[1]) && Arc::ptr_eq(&first[2], &second[0]));
        assert_eq!((shared.bytes(), shared.count()), (bytes, 5));
        assert!(!Arc::ptr_eq(&first[0], &first[1]) && bytes > 3 * size_of::<Finding>());
    }
}
