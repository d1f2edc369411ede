//! `VerifiedSubject`: a digest that a policy accepted. A proof type.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::key::Scheme;
use crate::policy::StatementKind;
use crate::trust::Owner;
use crate::verify::Evidence;
use crate::verify::Finding;
use crate::verify::SharedFindings;

/// A digest that a [`Verifier`](crate::verify::Verifier) accepted, with the evidence that was accepted.
///
/// Only a verifier makes one. It is the digest that was judged, never a name, so that what is moved or run afterwards
/// is what was verified (threats: tag-moves-after-check).
///
/// ```compile_fail,E0624
/// use bulla::digest::Digest;
/// use bulla::verify::VerifiedSubject;
///
/// fn forged(digest: Digest) -> VerifiedSubject {
///     VerifiedSubject::proven(digest, Vec::new(), Vec::new())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedSubject {
    accepted: Vec<AcceptedSignature>,
    digest: Digest,
    findings: Vec<Arc<Finding>>,
}

/// An accepted signature: a signed statement that counted for its owner.
#[derive(Clone, Debug)]
pub struct AcceptedSignature {
    /// The annotations that were signed.
    pub annotations: BTreeMap<String, String>,
    /// Where the document was found, and the content that it came in: its bytes are there and need not be opened again.
    pub evidence: Evidence,
    /// The key that signed it.
    pub key: KeyId,
    /// What kind of statement it is.
    pub kind: StatementKind,
    /// Who holds the key.
    pub owner: Owner,
    /// The predicate as it was signed, byte for byte, of an attestation that a verifier
    /// [with predicates](crate::verify::Verifier::with_predicates) accepted.
    pub predicate: Option<Bytes>,
    /// The name that was signed, where there is one.
    pub reference: Option<String>,
    /// How it was signed.
    pub scheme: Scheme,
}

impl AcceptedSignature {
    /// The same, without the document; a predicate that was asked for stays.
    #[must_use]
    pub fn without_document(self) -> Self {
        Self { evidence: self.evidence.without_bytes(), ..self }
    }
}

impl VerifiedSubject {
    pub(super) fn proven(digest: Digest, accepted: Vec<AcceptedSignature>, findings: Vec<Arc<Finding>>) -> Self {
        Self { accepted, digest, findings }
    }

    /// What was accepted.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The same, without the documents that counted: they may be large, and are not needed to tell. What is to be carried
    /// further is lost with them.
    pub fn without_documents(self) -> Self {
        Self { accepted: self.accepted.into_iter().map(AcceptedSignature::without_document).collect(), ..self }
    }

    /// The same, with its findings in `known`.
    pub fn sharing(mut self, known: &mut SharedFindings) -> Self {
        self.findings = known.share(self.findings);
        self
    }

    /// Why it was accepted.
    pub fn accepted(&self) -> &[AcceptedSignature] {
        &self.accepted
    }

    /// What was set aside on the way.
    pub fn findings(&self) -> &[Arc<Finding>] {
        &self.findings
    }
}
