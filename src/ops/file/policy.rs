//! `SignedPolicyFile`: a policy file that is trusted for its signature. A proof type.

use crate::envelope::FileScan;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ops::file::AcceptedFileSignature;
use crate::ops::file::FileEvidence;
use crate::ops::file::FileRefusal;
use crate::ops::file::FileVerification;
use crate::policy::FileStatement;
use crate::policy::Quorum;
use crate::policy_file::LoadOptions;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyFiles;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::trust::VerificationTime;

/// The bytes of a policy file, and who signed them: one of the owners whom the operator trusts for policies. A proof type:
/// only [`SignedPolicyFile::verify`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::ops::file::SignedPolicyFile;
///
/// fn forged(policy: SignedPolicyFile) -> SignedPolicyFile {
///     SignedPolicyFile { bytes: b"bulla-policy: 1".to_vec(), ..policy }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SignedPolicyFile {
    bytes: Vec<u8>,
    signers: Vec<Owner>,
}

impl SignedPolicyFile {
    /// Verifies that an owner of `trust` signed the policy file `bytes`, by its evidence: the signature of `sign-blob`. An
    /// attestation about the file is no signature of it.
    ///
    /// # Errors
    /// [`FileRefusal`]: no, or could-not-tell.
    pub fn verify(
        bytes: Vec<u8>,
        evidence: &FileEvidence,
        (trust, quorum): (&TrustRoot, &Quorum),
        now: Time,
        limits: &Limits,
    ) -> Result<Self, Box<FileRefusal>> {
        let time = VerificationTime::now(now);
        let by = FileVerification { limits, quorum, statement: &FileStatement::Signature, time, trust };
        let mut scan = FileScan::new(evidence.hasher(trust, limits));
        scan.update(&bytes);
        let verified = by.verify_file(&scan.finish(), evidence)?;
        let owner = |accepted: &AcceptedFileSignature| accepted.signer.owner().clone();
        let mut signers: Vec<_> = verified.accepted().iter().map(owner).collect();
        signers.sort();
        signers.dedup();
        Ok(Self { bytes, signers })
    }

    /// Loads the policy. It gives the digest of each file that it names, and says until when it holds.
    ///
    /// # Errors
    /// As [`LoadedPolicy::load`].
    pub fn load(
        &self,
        files: &dyn PolicyFiles,
        now: Time,
        limits: &Limits,
    ) -> Result<LoadedPolicy, NonEmpty<PolicyFileError>> {
        let policy = LoadedPolicy::load(&self.bytes, files, LoadOptions::new(now, limits).signed())?;
        Ok(policy.with_verified_signers(self.signers.clone()))
    }

    /// The owners who signed it, each once.
    pub fn signers(&self) -> &[Owner] {
        &self.signers
    }
}
