//! Message signatures: signatures over a file itself, by a pinned key.

use crate::envelope::FileDocument;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::trust::Rejection;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::VerifiedSigner;
use crate::x509::HashAlgorithm;

/// The result of authenticating a signature over a file.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MessageAuthentication {
    /// The owners who signed the file.
    pub authenticated: Vec<VerifiedSigner>,
    /// Why it is not signed by an owner, or why that is not known.
    pub rejected: Option<MessageRejection>,
}

/// Why a signature over a file is not by an owner, or why that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageRejection {
    /// The document states another hash of the file (`sigstore_common.proto`, `MessageSignature.message_digest`).
    Digest,
    /// What the signature is over is not known of the file: could-not-tell.
    NotKnown(HashedMessageError),
    /// No trusted key made it.
    Signer(Rejection),
    /// The hash of the file that the document states is by a function that is not known of the file: could-not-tell.
    StatedHash(HashAlgorithm),
    /// Signature checks that were not made: could-not-tell.
    Unchecked(Unchecked),
}

impl TrustRoot {
    /// Verifies the signature in `document` over `message`, with every pinned key. A document whose envelope states
    /// something about the file is not signed over the file itself, and has no signer here.
    ///
    /// 1. The hash that the document states, if it states one, is the hash of the file.
    /// 2. Each pinned key is tried, within `budget`. What the document says about keys has no part in this.
    /// 3. The key is attributed to every owner whose identity holds it.
    pub fn authenticate_message(
        &self,
        document: &FileDocument,
        message: &HashedMessage,
        budget: &mut SignatureBudget,
    ) -> MessageAuthentication {
        match self.signers_of(document, message, budget) {
            Ok(authenticated) => MessageAuthentication { authenticated, rejected: None },
            Err(rejected) => MessageAuthentication { authenticated: Vec::new(), rejected: Some(rejected) },
        }
    }

    fn signers_of(
        &self,
        document: &FileDocument,
        message: &HashedMessage,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<VerifiedSigner>, MessageRejection> {
        let claimed = document.key_hint().map(|hint| hint.chars().take(SHOWN).collect());
        let untrusted = || MessageRejection::Signer(Rejection::Untrusted { claimed });
        let Some(signature) = document.message_signature() else { return Err(untrusted()) };
        if let Some(stated) = &signature.digest {
            let own = match stated.algorithm {
                HashAlgorithm::Sha256 => message.sha256(),
                HashAlgorithm::Sha384 => message.sha384(),
                HashAlgorithm::Sha512 => message.sha512(),
            };
            match own {
                Some(own) if own == stated.hash => (),
                Some(_) => return Err(MessageRejection::Digest),
                None => return Err(MessageRejection::StatedHash(stated.algorithm)),
            }
        }
        let mut lacking = None;
        for key in self.keys() {
            budget.take(1).map_err(MessageRejection::Unchecked)?;
            match key.verify_hashed(message, &signature.signature) {
                // One key made a signature, so the others need not be tried.
                Ok(scheme) => return Ok(VerifiedSigner::of_key(self, key, scheme)),
                Err(HashedMessageError::Unverified) => (),
                Err(error) => lacking = lacking.or(Some(error)),
            }
        }
        let named = self.keys().find(|key| document.key_hint() == Some(&key.id().hint()));
        Err(match (lacking, named) {
            (Some(error), _) => MessageRejection::NotKnown(error),
            (None, Some(key)) => MessageRejection::Signer(Rejection::Damaged { key: key.id() }),
            (None, None) => untrusted(),
        })
    }
}

/// How much of the key hint of a document is kept for messages, in characters.
const SHOWN: usize = 128;
