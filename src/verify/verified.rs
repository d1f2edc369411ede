//! `VerifiedSubject`: a digest that a policy accepted, with everything that the verdict depends on. A proof type.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::nonempty::NonEmpty;
use crate::policy::PolicyId;
use crate::policy::RequirementId;
use crate::policy::StatementKind;
use crate::time::Time;
use crate::trust::TrustVersion;
use crate::trust::VerificationTime;
use crate::trust::VerifiedSigner;
use crate::verify::Finding;
use crate::verify::SharedFindings;

/// A digest that a [`Verifier`](crate::verify::Verifier) accepted, with the evidence that was accepted.
///
/// Only a verifier makes one. It holds the digest that was evaluated, never a name, so that later steps move or run
/// exactly what was verified (threats: tag-moves-after-check). It borrows nothing, so it can outlive the verifier.
///
/// ```compile_fail,E0624
/// use bulla::verify::VerifiedSubject;
///
/// let forged = VerifiedSubject::proven;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedSubject {
    accepted: NonEmpty<AcceptedSignature>,
    digest: Digest,
    findings: Vec<Arc<Finding>>,
    policy: PolicyId,
    time: VerificationTime,
    trust: TrustVersion,
}

/// An accepted signature: a signed statement that counted for its owner.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcceptedSignature {
    /// The annotations that were signed.
    pub annotations: BTreeMap<String, String>,
    /// The signed document, where it was found, and the content that carried it, which need not be fetched again.
    pub evidence: Evidence,
    /// The kind of the statement.
    pub kind: StatementKind,
    /// The predicate of an attestation, byte for byte as it was signed, if the verifier was made [with
    /// predicates](crate::verify::Verifier::with_predicates).
    pub predicate: Option<Bytes>,
    /// The image name that was signed, if there is one.
    pub reference: Option<String>,
    /// The requirements of the policy for which it counts, at least one.
    pub requirements: Vec<RequirementId>,
    /// The owner, the key and the scheme.
    pub signer: VerifiedSigner,
}

impl AcceptedSignature {
    /// The same signature without the document. A predicate that was kept stays.
    #[must_use]
    pub fn without_document(self) -> Self {
        Self { evidence: self.evidence.without_bytes(), ..self }
    }
}

impl VerifiedSubject {
    pub(super) const fn proven(
        digest: Digest,
        accepted: NonEmpty<AcceptedSignature>,
        findings: Vec<Arc<Finding>>,
        policy: PolicyId,
        trust: TrustVersion,
        time: VerificationTime,
    ) -> Self {
        Self { accepted, digest, findings, policy, time, trust }
    }

    /// The accepted signatures, at least one.
    pub const fn accepted(&self) -> &NonEmpty<AcceptedSignature> {
        &self.accepted
    }

    /// The digest that was accepted.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The evidence that did not count, and why.
    pub fn findings(&self) -> &[Arc<Finding>] {
        &self.findings
    }

    /// The policy that accepted it.
    pub const fn policy(&self) -> PolicyId {
        self.policy
    }

    /// The version of the trust root with which it was accepted.
    pub const fn trust(&self) -> TrustVersion {
        self.trust
    }

    /// The time as of which it was verified: the beginning of the interval in which the verdict holds.
    pub const fn verified_at(&self) -> Time {
        self.time.current()
    }

    /// The time at which expiry was judged: [`VerifiedSubject::verified_at`], unless the verifier was given another.
    pub const fn expiry_judged_at(&self) -> Time {
        self.time.expiry_at()
    }

    /// The same subject without the documents that were accepted. They may be large, and reports do not need them;
    /// evidence without its document cannot be carried further.
    pub fn without_documents(self) -> Self {
        Self { accepted: self.accepted.map(AcceptedSignature::without_document), ..self }
    }

    /// The same subject, whose findings are shared with equal ones in `known`.
    pub fn sharing(mut self, known: &mut SharedFindings) -> Self {
        self.findings = known.share(self.findings);
        self
    }
}
