//! `Verifier`: evidence in, a verified subject or a refusal out. No input, no output, no clock.

pub mod evidence;
pub mod finding;
pub mod shared;
pub mod verified;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::envelope::Payload;
use crate::envelope::Proof;
use crate::envelope::SignedPayload;
use crate::envelope::Statement;
use crate::envelope::statement::ResourceDescriptor;
use crate::json;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::policy::Rule;
use crate::policy::StatementKind;
use crate::trust::Owner;
use crate::trust::TrustError;
use crate::trust::TrustRoot;

pub use evidence::Evidence;
pub use evidence::FoundAt;
pub use finding::Finding;
pub use finding::Reason;
pub use finding::Refusal;
pub use shared::SharedFindings;
pub use verified::AcceptedSignature;
pub use verified::VerifiedSubject;

/// A trust root and a policy, ready to verify. One function for every format and every location
/// (threats: check-lost-in-one-format).
#[derive(Clone, Debug)]
pub struct Verifier {
    limits: Limits,
    policy: Policy,
    predicates: Predicates,
    trust: TrustRoot,
}

impl Verifier {
    /// Judges by `policy`, trusting `trust`.
    ///
    /// # Errors
    /// [`TrustError`] where the keys could never meet the policy's threshold.
    pub fn new(trust: TrustRoot, policy: Policy, limits: Limits) -> Result<Self, TrustError> {
        trust.supports(policy.threshold())?;
        Ok(Self { limits, policy, predicates: Predicates::Dropped, trust })
    }

    /// The same, which keeps the predicate of each attestation that counts. They may be large.
    #[must_use]
    pub fn with_predicates(self) -> Self {
        Self { predicates: Predicates::Kept, ..self }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Judges `subject` by `evidence`. More evidence never turns a yes into a no.
    ///
    /// # Errors
    /// [`Refusal`] with one finding for each piece of evidence that did not count.
    pub fn verify<'a>(
        &self,
        subject: Digest,
        evidence: impl IntoIterator<Item = &'a Evidence>,
    ) -> Result<VerifiedSubject, Refusal> {
        let mut evaluation = self.evaluation(subject);
        evidence.into_iter().for_each(|evidence| evaluation.add(evidence));
        evaluation.conclude()
    }

    /// Begins the evaluation of `subject`, for evidence that arrives piece by piece.
    pub fn evaluation(&self, subject: Digest) -> Evaluation<'_> {
        Evaluation { accepted: Vec::new(), findings: Vec::new(), owners: BTreeSet::new(), subject, verifier: self }
    }
}

/// What becomes of the predicates of attestations that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Predicates {
    Dropped,
    Kept,
}

/// The evaluation of one subject, to which evidence is added piece by piece.
#[derive(Debug)]
pub struct Evaluation<'a> {
    accepted: Vec<AcceptedSignature>,
    findings: Vec<Arc<Finding>>,
    owners: BTreeSet<Owner>,
    subject: Digest,
    verifier: &'a Verifier,
}

impl Evaluation<'_> {
    /// Adds one piece of evidence: it counts, or a finding says why not.
    pub fn add(&mut self, evidence: &Evidence) {
        let mut reasons = Vec::new();
        let mut proven = false;
        for key in self.verifier.trust.keys() {
            // 1. The signature, by a key that the operator gave, over the bytes received. DSSE protocol, "Verification".
            let Ok(payload) = evidence.document().verify(key) else { continue };
            proven = true;
            match self.judge(&payload) {
                Ok(about) => self.count(evidence, payload.proof(), about),
                Err(reason) => reasons.push(reason),
            }
        }
        if !proven {
            let named = self.verifier.trust.keys().find(|key| evidence.document().names(key));
            reasons.push(match named {
                Some(key) => Reason::SignatureDamaged { key: key.id() },
                None => Reason::NoTrustedKey { claimed: evidence.document().claimed_key() },
            });
        }
        for reason in reasons {
            self.find(Finding::about(evidence, reason));
        }
    }

    /// Adds a finding about what could not be read.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(Arc::new(finding));
    }

    /// Whether enough owners have signed.
    pub fn is_met(&self) -> bool {
        self.verifier.policy.threshold().is_met_by(&self.owners)
    }

    /// How many more owners are needed.
    pub fn missing(&self) -> u32 {
        self.verifier.policy.threshold().missing(&self.owners)
    }

    /// Ends the evaluation.
    ///
    /// # Errors
    /// [`Refusal`] where too few owners have signed.
    pub fn conclude(self) -> Result<VerifiedSubject, Refusal> {
        match self.is_met() {
            true => Ok(VerifiedSubject::proven(self.subject, self.accepted, self.findings)),
            false => Err(self.refuse()),
        }
    }

    /// Ends the evaluation with a refusal, whatever was added.
    pub fn refuse(self) -> Refusal {
        Refusal {
            accepted: self.accepted,
            findings: self.findings,
            got: self.owners.len(),
            kind: self.verifier.policy.kind().clone(),
            subject: self.subject,
            want: self.verifier.policy.threshold().count(),
        }
    }

    /// What a payload that a trusted key signed has to say before it counts.
    fn judge(&self, payload: &Payload) -> Result<About, Reason> {
        // 2. The payload is of a type that we know, and of its form.
        let said = payload.read(&self.verifier.limits).map_err(Reason::Payload)?;
        let policy = &self.verifier.policy;
        // 3. It is of the kind that is wanted: before anything else it says, so that no attestation comes further.
        let kind = kind(&said);
        if kind != *policy.kind() {
            return Err(Reason::WrongKind { got: kind, want: policy.kind().clone() });
        }
        // 4. It is about this very digest.
        let about = About::of(&said, &self.subject)?;
        // 5. Whatever else the policy asks of it holds.
        policy.rules().iter().try_for_each(|rule| about.keeps(rule))?;
        Ok(about)
    }

    fn count(&mut self, evidence: &Evidence, proof: Proof, about: About) {
        // 6. Each owner counts once, however many signatures, keys and formats there are.
        let Some(owner) = self.verifier.trust.owner(proof.key) else { return };
        self.owners.insert(owner.clone());
        self.accepted.push(AcceptedSignature {
            annotations: about.annotations,
            evidence: evidence.settled(),
            key: proof.key,
            kind: self.verifier.policy.kind().clone(),
            owner: owner.clone(),
            predicate: about.predicate.filter(|_| self.verifier.predicates == Predicates::Kept),
            reference: about.reference,
            scheme: proof.scheme,
        });
    }
}

/// What a statement says about the subject of a evaluation.
struct About {
    annotations: BTreeMap<String, String>,
    predicate: Option<Bytes>,
    reference: Option<String>,
}

impl About {
    fn of(said: &SignedPayload, subject: &Digest) -> Result<Self, Reason> {
        let signs = match said {
            SignedPayload::SimpleSigning(claim) if claim.digest() == subject => {
                let reference = Some(claim.reference().to_owned()).filter(|reference| !reference.is_empty());
                return Ok(Self { annotations: claim.annotations().clone(), predicate: None, reference });
            }
            SignedPayload::SimpleSigning(claim) => claim.digest().to_string(),
            SignedPayload::Statement(statement) => match statement.about(subject) {
                Some(about) => {
                    let reference = about.name().map(str::to_owned);
                    let predicate = statement.shared_predicate();
                    return Ok(Self { annotations: about.annotations().clone(), predicate, reference });
                }
                None => subjects(statement),
            },
        };
        Err(Reason::OtherSubject { signs })
    }

    fn keeps(&self, rule: &Rule) -> Result<(), Reason> {
        match rule {
            Rule::Annotation { key, value } => match self.annotations.get(key) {
                Some(got) if got == value => Ok(()),
                got => Err(Reason::Annotation { key: key.clone(), got: got.cloned(), want: value.clone() }),
            },
            Rule::Reference(want) => match &self.reference {
                Some(got) if got == want => Ok(()),
                got => Err(Reason::Reference { got: got.clone(), want: want.clone() }),
            },
        }
    }
}

fn subjects(statement: &Statement) -> String {
    const SHOWN: usize = 3;
    let digests = statement.subjects().iter().flat_map(ResourceDescriptor::digests);
    digests
        .take(SHOWN)
        .map(|(algorithm, digest)| format!("{}:{}", json::shorten(algorithm), json::shorten(digest)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn kind(said: &SignedPayload) -> StatementKind {
    match said {
        SignedPayload::SimpleSigning(_) => StatementKind::ImageSignature,
        SignedPayload::Statement(statement) => StatementKind::of_predicate(statement.predicate_type()),
    }
}
