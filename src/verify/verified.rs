//! `VerifiedSubject`: a digest that a policy accepted, and all that the verdict rests on. A proof type.

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
use crate::trust::VerifiedSigner;
use crate::verify::Finding;
use crate::verify::SharedFindings;

/// A digest that a [`Verifier`](crate::verify::Verifier) accepted, with the evidence that was accepted.
///
/// Only a verifier makes one. It is the digest that was evaluated, never a name, so that what is moved or run afterwards
/// is what was verified (threats: tag-moves-after-check). It owns all that it names, so it can outlive the verifier.
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
    trust: TrustVersion,
    verified_at: Time,
}

/// An accepted signature: a signed statement that counted for its owner.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcceptedSignature {
    /// The annotations that were signed.
    pub annotations: BTreeMap<String, String>,
    /// Where the document was found, and the content that it came in: its bytes are there and need not be opened again.
    pub evidence: Evidence,
    /// What kind of statement it is.
    pub kind: StatementKind,
    /// The predicate as it was signed, byte for byte, of an attestation that a verifier
    /// [with predicates](crate::verify::Verifier::with_predicates) accepted.
    pub predicate: Option<Bytes>,
    /// The name that was signed, where there is one.
    pub reference: Option<String>,
    /// The requirements of the policy for which it counts, at least one.
    pub requirements: Vec<RequirementId>,
    /// The owner, the key and the scheme.
    pub signer: VerifiedSigner,
}

impl AcceptedSignature {
    /// The same, without the document; a predicate that was asked for stays.
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
        verified_at: Time,
    ) -> Self {
        Self { accepted, digest, findings, policy, trust, verified_at }
    }

    /// The accepted signatures, at least one.
    pub const fn accepted(&self) -> &NonEmpty<AcceptedSignature> {
        &self.accepted
    }

    /// The digest that was accepted.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What was set aside on the way.
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
        self.verified_at
    }

    /// The same, without the documents that were accepted: they may be large, and are not needed for a report. They can
    /// no longer be carried further.
    pub fn without_documents(self) -> Self {
        Self { accepted: self.accepted.map(AcceptedSignature::without_document), ..self }
    }

    /// The same, with its findings in `known`.
    pub fn sharing(mut self, known: &mut SharedFindings) -> Self {
        self.findings = known.share(self.findings);
        self
    }
}
