//! Verifies a file: bundles and bare signatures in, a verified file or a refusal out.
//!
//! The invariant: a signature is accepted only if an identity of the trust root made it, over this very file or over a
//! statement about its digest, and if it is what was asked for. The steps for each document:
//!
//! 1. It can be read.
//! 2. Authenticate it: [`TrustRoot::authenticate`] for a statement in an envelope, as for images;
//!    [`TrustRoot::authenticate_message`] for a signature over the file itself.
//! 3. It is what was asked for: a signature, or an attestation of that type (threats: attestation-as-signature). A signature
//!    over a message of another kind of signature is one of that kind, and no signature of a file
//!    (threats: signature-of-another-kind).
//! 4. A subject of the statement has the digest of the file, and no digest of another one. Whether it is the file is
//!    could-not-tell where no digest rules it out and one is by a function by which the file is not known.
//!
//! Owners are counted by [`Quorum`] alone.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FileDocument;
use crate::envelope::FileToSign;
use crate::envelope::FoundAt;
use crate::envelope::Payload;
use crate::envelope::SignatureInput;
use crate::envelope::SignedDocument;
use crate::envelope::SignedPayload;
use crate::key::HashedMessage;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ops::file::FileEvidence;
use crate::policy::Decision;
use crate::policy::FileStatement;
use crate::policy::Quorum;
use crate::policy::QuorumDecision;
use crate::policy::UnmetCondition;
use crate::trust::Authentication;
use crate::trust::AuthenticationContext;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::VerificationTime;
use crate::trust::VerifiedSigner;
use crate::verify::Finding;
use crate::verify::Reason;

/// What a file is verified with.
#[derive(Clone, Copy, Debug)]
pub struct FileVerification<'a> {
    /// The limits within which certificates, statements and timestamps are read.
    pub limits: &'a Limits,
    /// How many owners have to sign.
    pub quorum: &'a Quorum,
    /// What must have been signed.
    pub statement: &'a FileStatement,
    /// The time at which certificates are judged.
    pub time: VerificationTime,
    /// Whom the operator trusts.
    pub trust: &'a TrustRoot,
}

/// A verified file: as many owners as were required signed it, or a statement about it. A proof type.
///
/// ```compile_fail,E0451
/// use bulla::ops::file::VerifiedFile;
///
/// fn forged(verified: VerifiedFile) -> VerifiedFile {
///     VerifiedFile { findings: Vec::new(), ..verified }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedFile {
    accepted: NonEmpty<AcceptedFileSignature>,
    digests: Vec<Digest>,
    findings: Vec<Finding>,
}

/// A signature of a file that counted for its owner.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcceptedFileSignature {
    /// The file that it was found in.
    pub place: FoundAt,
    /// The owner, the key and the scheme.
    pub signer: VerifiedSigner,
    /// What was signed.
    pub statement: FileStatement,
}

/// Why a file was not verified.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct FileRefusal {
    /// The signatures that counted, too few.
    pub accepted: Vec<AcceptedFileSignature>,
    /// [`Decision::Unmet`] is a no, [`Decision::Undetermined`] could-not-tell.
    pub decision: Decision,
    /// The digests of the file.
    pub digests: Vec<Digest>,
    /// Why the other documents do not count.
    pub findings: Vec<Finding>,
    /// How many owners signed.
    pub got: usize,
    /// How many owners have to sign.
    pub want: u32,
}

/// What is known of the file that is verified.
#[derive(Clone, Copy)]
struct KnownFile<'a> {
    message: &'a HashedMessage,
    /// The kind of message that it is, if it is known and signatures other than those of files are over such messages.
    signature_input: Option<SignatureInput>,
}

impl FileVerification<'_> {
    /// Verifies a file that was read, by `evidence`.
    ///
    /// # Errors
    /// [`FileRefusal`]: no, or could-not-tell.
    pub fn verify_file(&self, file: &FileToSign, evidence: &FileEvidence) -> Result<VerifiedFile, Box<FileRefusal>> {
        self.verify_known(KnownFile { message: file.message(), signature_input: file.signature_input() }, evidence)
    }

    /// Verifies a file that is known by its hashes alone, by `evidence`. Whether the file is a message of another kind of
    /// signature is not known then: [`FileVerification::verify_file`] refuses that.
    ///
    /// # Errors
    /// [`FileRefusal`]: no, or could-not-tell.
    pub fn verify(&self, file: &HashedMessage, evidence: &FileEvidence) -> Result<VerifiedFile, Box<FileRefusal>> {
        self.verify_known(KnownFile { message: file, signature_input: None }, evidence)
    }

    fn verify_known(&self, file: KnownFile<'_>, evidence: &FileEvidence) -> Result<VerifiedFile, Box<FileRefusal>> {
        let mut budget = SignatureBudget::of(self.limits.evidence.signature_checks);
        let (mut accepted, mut findings) = (Vec::new(), Vec::new());
        for (place, document) in evidence.documents() {
            let reasons = match document {
                Ok(document) => self.accept(file, place, document, &mut budget, &mut accepted),
                Err(error) => vec![Reason::Envelope(error.clone())],
            };
            findings.extend(reasons.into_iter().map(|reason| Finding { digest: None, place: place.clone(), reason }));
        }
        let digests: Vec<Digest> = file.message.digests().copied().collect();
        let signers =
            || accepted.iter().map(|one: &AcceptedFileSignature| (one.signer.owner(), one.signer.credential()));
        let QuorumDecision { decision, got, .. } = self.quorum.decide(signers(), self.limits);
        if decision == Decision::Undetermined {
            findings.push(Finding::pairing_limit(self.limits));
        }
        match NonEmpty::collect(accepted.iter().cloned()) {
            Some(accepted) if decision == Decision::Met => Ok(VerifiedFile { accepted, digests, findings }),
            _ => {
                let undetermined = findings.iter().any(|finding| finding.reason.is_undetermined());
                let decision = if undetermined { Decision::Undetermined } else { Decision::Unmet };
                let want = self.quorum.threshold().count();
                Err(Box::new(FileRefusal { accepted, decision, digests, findings, got, want }))
            }
        }
    }

    /// Steps 2 to 4 for one document: adds what counts to `accepted`, and returns why the rest does not.
    fn accept(
        &self,
        file: KnownFile<'_>,
        place: &FoundAt,
        document: &FileDocument,
        budget: &mut SignatureBudget,
        accepted: &mut Vec<AcceptedFileSignature>,
    ) -> Vec<Reason> {
        let FileDocument::Attestation(signed) = document else {
            let found = self.trust.authenticate_message(document, file.message, self.context(), budget);
            let rejected: Vec<_> = found.rejected.map(Reason::from).into_iter().collect();
            let got = FileStatement::Signature;
            if !found.authenticated.is_empty() && !self.statement.is_met_by(&got) {
                return vec![Reason::WrongStatement { got, want: self.statement.clone() }];
            }
            if let Some(input) = file.signature_input.filter(|_| !found.authenticated.is_empty()) {
                return vec![Reason::SignatureInput(input)];
            }
            let counted = found.authenticated.into_iter();
            accepted.extend(counted.map(|signer| AcceptedFileSignature {
                place: place.clone(),
                signer,
                statement: FileStatement::Signature,
            }));
            return rejected;
        };
        let Authentication { authenticated, rejected, undetermined, .. } = self.authenticate(signed, place, budget);
        let mut reasons: Vec<_> = rejected.map(Reason::from).into_iter().collect();
        reasons.extend(undetermined.map(|unchecked| Reason::SignaturesNotChecked { limit: unchecked.limit }));
        for signed in &authenticated {
            match self.statement_about(file.message, signed.payload()) {
                Ok(statement) => {
                    let signer = signed.signer().clone();
                    accepted.push(AcceptedFileSignature { place: place.clone(), signer, statement });
                }
                Err(reason) if reasons.contains(&reason) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        reasons
    }

    fn authenticate(&self, signed: &SignedDocument, place: &FoundAt, budget: &mut SignatureBudget) -> Authentication {
        let evidence = Evidence::new(signed.clone(), place.clone(), Vec::new());
        self.trust.authenticate(&evidence, self.context(), budget)
    }

    const fn context(&self) -> AuthenticationContext<'_> {
        AuthenticationContext { limits: self.limits, revocation: None, time: self.time }
    }

    /// Steps 3 and 4 for the payload of an envelope.
    fn statement_about(&self, file: &HashedMessage, payload: &Payload) -> Result<FileStatement, Reason> {
        let statement = match payload.read(self.limits).map_err(Reason::Payload)? {
            SignedPayload::Statement(statement) => statement,
            SignedPayload::Notary(_) | SignedPayload::SimpleSigning(_) => {
                return Err(Reason::OtherSubject { signs: "an image".to_owned() });
            }
        };
        let got = FileStatement::Attestation { predicate_type: statement.predicate_type().to_owned() };
        if !self.statement.is_met_by(&got) {
            return Err(Reason::WrongStatement { got, want: self.statement.clone() });
        }
        let digests: Vec<_> = file.digests().copied().collect();
        match statement.about_any(&digests) {
            Some(_) => Ok(got),
            None if statement.may_be_about_all(&digests) => {
                Err(UnmetCondition::SubjectNotCompared { signs: statement.shown_subjects() }.into())
            }
            None => Err(Reason::OtherSubject { signs: statement.shown_subjects() }),
        }
    }
}

impl FileRefusal {
    /// Whether the answer is could-not-tell rather than no.
    pub fn is_undetermined(&self) -> bool {
        self.decision != Decision::Unmet
    }
}

impl VerifiedFile {
    /// The signatures that counted, at least one.
    pub const fn accepted(&self) -> &NonEmpty<AcceptedFileSignature> {
        &self.accepted
    }

    /// The digests by which the file is known.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Why other documents did not count.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
