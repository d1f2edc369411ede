//! Which vulnerabilities of a scan VEX statements clear.
//!
//! The invariant: a vulnerability is cleared only if a quorum of the owners whom the operator names says so, each in the
//! newest of their documents, every newest document of these owners can be read, and no newer statement of another of them
//! says otherwise. The steps:
//!
//! 1. Of each owner, take the newest documents; one without a time may be the newest.
//! 2. An owner clears a vulnerability if all of these are new enough and clear it.
//! 3. The owners who do are a quorum, and the statements of all owners together clear it. A quorum that cannot be told
//!    within the limits is undetermined.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::policy::Decision;
use crate::policy::VexRequirement;
use crate::predicate::ImageProduct;
use crate::predicate::ScanFinding;
use crate::predicate::VexDocument;
use crate::predicate::VexStatements;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::SignerCredential;
use crate::verify::record::StatementRecord;
use crate::verify::record::newest_of_each_owner;

/// The VEX documents that may clear vulnerabilities of one image.
pub(super) struct Clearing<'r> {
    /// The statements of all owners together.
    all: VexStatements<'r>,
    limits: &'r Limits,
    /// The statements of each document, with its signer.
    single: Vec<(&'r Owner, &'r SignerCredential, Option<VexStatements<'r>>)>,
    /// Whether a document of an owner exceeds a limit.
    undetermined: bool,
    /// Whether a document of an owner cannot be read: it might say that any vulnerability affects the image.
    unreadable: bool,
    vex: &'r VexRequirement,
}

impl<'r> Clearing<'r> {
    /// The documents among `records` about an image with the manifests `digests`, as of `now`.
    pub(super) fn new(
        vex: &'r VexRequirement,
        records: impl Iterator<Item = &'r StatementRecord>,
        digests: &[Digest],
        now: Time,
        limits: &'r Limits,
    ) -> Self {
        let named = |record: &&StatementRecord| vex.quorum.owners().contains(record.signature.signer.owner());
        let records: Vec<_> = records.filter(|record| record.vex.is_some()).filter(named).collect();
        let image = ImageProduct { digests, package_urls: &[] };
        let (mut single, mut undetermined, mut unreadable) = (Vec::new(), false, false);
        let mut documents: Vec<&'r VexDocument> = Vec::new();
        for record in newest_of_each_owner(&records) {
            let in_time = vex.max_age.check(record.time, now).is_ok();
            let statements = match &record.vex {
                Some(Ok(document)) => {
                    documents.push(document);
                    in_time.then(|| VexStatements::about([&**document], &image))
                }
                Some(Err(error)) => {
                    undetermined |= error.is_limit();
                    unreadable |= !error.is_limit();
                    None
                }
                None => None,
            };
            let signer = &record.signature.signer;
            single.push((signer.owner(), signer.credential(), statements));
        }
        Self { all: VexStatements::about(documents, &image), limits, single, undetermined, unreadable, vex }
    }

    /// Whether all of `findings` are cleared.
    pub(super) fn decide(&self, findings: &[ScanFinding]) -> Decision {
        match (self.unreadable, self.undetermined) {
            (true, _) => Decision::Unmet,
            (false, true) => Decision::Undetermined,
            (false, false) => {
                let mut decisions = findings.iter().map(|finding| self.clears(finding));
                // The first that is not cleared ends the search: each may cost as many steps as the limit allows.
                decisions.find(|decision| *decision != Decision::Met).unwrap_or(Decision::Met)
            }
        }
    }

    /// Whether it is not known if all of `findings` are cleared, since the limit of a quorum was reached.
    pub(super) fn is_at_limit(&self, findings: &[ScanFinding]) -> bool {
        !self.undetermined && self.decide(findings) == Decision::Undetermined
    }

    fn clears(&self, finding: &ScanFinding) -> Decision {
        if !self.all.clears(finding) {
            return Decision::Unmet;
        }
        let clears =
            |statements: &Option<VexStatements<'_>>| statements.as_ref().is_some_and(|one| one.clears(finding));
        let agrees = |owner: &Owner| self.single.iter().all(|(by, _, one)| *by != owner || clears(one));
        let signers = self.single.iter().filter(|(owner, _, _)| agrees(owner));
        self.vex.quorum.decide(signers.map(|(owner, credential, _)| (*owner, *credential)), self.limits).decision
    }
}
