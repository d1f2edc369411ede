//! Message signatures: signatures over a file itself, by a pinned key or with a certificate.

use crate::envelope::FileDocument;
use crate::envelope::MessageSignature;
use crate::key::HashedMessage;
use crate::key::HashedMessageError;
use crate::trust::Authentication;
use crate::trust::AuthenticationContext;
use crate::trust::Rejection;
use crate::trust::SignatureBudget;
use crate::trust::SignedMaterial;
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
    /// Verifies the signature in `document` over `message`: with every pinned key, and by its certificate if it has one. A
    /// document whose envelope states something about the file is not signed over the file itself, and has no signer here.
    ///
    /// 1. The hash that the document states, if it states one, is the hash of the file.
    /// 2. Each pinned key is tried, within `budget`. What the document says about keys has no part in this.
    /// 3. The key is attributed to every owner whose identity holds it, and whose log rule is met.
    /// 4. The certificate of a bundle is verified as that of an image signature is.
    pub fn authenticate_message(
        &self,
        document: &FileDocument,
        message: &HashedMessage,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> MessageAuthentication {
        let Some(signature) = document.message_signature() else {
            return MessageAuthentication::rejected(MessageRejection::Signer(untrusted(document)));
        };
        if let Err(rejected) = check_stated_hash(signature, message) {
            return MessageAuthentication::rejected(rejected);
        }
        let signed = match document {
            FileDocument::MessageSignature(bundle) => SignedMaterial::of_file(bundle, message),
            FileDocument::Attestation(_) | FileDocument::Bare(_) => None,
        };
        let by_keys = match self.message_signers(signature, message, signed, context, budget) {
            Ok(found) => found,
            Err(unchecked) => return MessageAuthentication::rejected(MessageRejection::Unchecked(unchecked)),
        };
        match signed.filter(SignedMaterial::has_certificate) {
            Some(signed) if self.means().cover_keyless() => {
                by_keys.or(match self.keyless_signer(signed, context, budget) {
                    Ok((signer, _)) => MessageAuthentication { authenticated: vec![signer], rejected: None },
                    Err(Authentication { undetermined: Some(unchecked), .. }) => {
                        MessageAuthentication::rejected(MessageRejection::Unchecked(unchecked))
                    }
                    Err(Authentication { rejected, .. }) => {
                        let rejected = rejected.unwrap_or_else(|| untrusted(document));
                        MessageAuthentication::rejected(MessageRejection::Signer(rejected))
                    }
                })
            }
            Some(_) | None if by_keys.authenticated.is_empty() && by_keys.rejected.is_none() => {
                let named = self.keys().find(|key| document.key_hint() == Some(&key.id().hint()));
                let damaged = named.map(|key| Rejection::Damaged { key: key.id() });
                let rejected = damaged.unwrap_or_else(|| untrusted(document));
                MessageAuthentication::rejected(MessageRejection::Signer(rejected))
            }
            Some(_) | None => by_keys,
        }
    }

    /// Steps 2 and 3. Without a signer and without a rejection no pinned key made the signature.
    fn message_signers(
        &self,
        signature: &MessageSignature,
        message: &HashedMessage,
        signed: Option<SignedMaterial<'_>>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<MessageAuthentication, Unchecked> {
        let mut lacking = None;
        for key in self.keys() {
            budget.take(1)?;
            match key.verify_hashed(message, &signature.signature) {
                // One key made a signature, so the others need not be tried.
                Ok(scheme) => {
                    let owners = self.owners_with(key, scheme, signed.map(Ok), context, budget)?;
                    return Ok(MessageAuthentication {
                        authenticated: owners.signers,
                        rejected: owners.rejected.map(MessageRejection::Signer),
                    });
                }
                Err(HashedMessageError::Unverified) => (),
                Err(error) => lacking = lacking.or(Some(MessageRejection::NotKnown(error))),
            }
        }
        Ok(MessageAuthentication { authenticated: Vec::new(), rejected: lacking })
    }
}

impl MessageAuthentication {
    const fn rejected(rejected: MessageRejection) -> Self {
        Self { authenticated: Vec::new(), rejected: Some(rejected) }
    }

    /// The result of both: of pinned keys, and of the certificate beside the signature. Where somebody signed, a rejection
    /// is kept only if it is could-not-tell; of two, that one, and else that of the certificate.
    fn or(self, mut other: Self) -> Self {
        let mut authenticated = self.authenticated;
        authenticated.append(&mut other.authenticated);
        let rejections: Vec<_> = [other.rejected, self.rejected].into_iter().flatten().collect();
        let undetermined = rejections.iter().find(|rejection| rejection.is_undetermined()).cloned();
        let first = rejections.into_iter().next().filter(|_| authenticated.is_empty());
        Self { authenticated, rejected: undetermined.or(first) }
    }
}

impl MessageRejection {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Digest => false,
            Self::NotKnown(_) | Self::StatedHash(_) | Self::Unchecked(_) => true,
            Self::Signer(rejection) => rejection.is_undetermined(),
        }
    }
}

/// Step 1.
fn check_stated_hash(signature: &MessageSignature, message: &HashedMessage) -> Result<(), MessageRejection> {
    let Some(stated) = &signature.digest else { return Ok(()) };
    let own = match stated.algorithm {
        HashAlgorithm::Sha256 => message.sha256(),
        HashAlgorithm::Sha384 => message.sha384(),
        HashAlgorithm::Sha512 => message.sha512(),
    };
    match own {
        Some(own) if own == stated.hash => Ok(()),
        Some(_) => Err(MessageRejection::Digest),
        None => Err(MessageRejection::StatedHash(stated.algorithm)),
    }
}

/// Nobody who is trusted made the signature.
fn untrusted(document: &FileDocument) -> Rejection {
    Rejection::Untrusted { claimed: document.key_hint().map(|hint| hint.chars().take(SHOWN).collect()) }
}

/// How much of the key hint of a document is kept for messages, in characters.
const SHOWN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::Evidence;
    use crate::envelope::FoundAt;
    use crate::envelope::SignedDocument;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::time::Time;
    use crate::trust::VerificationTime;

    /// Where somebody signed, a no by other means is no reason; could-not-tell stays one.
    #[test]
    fn a_refusal_by_other_means_takes_nothing_from_a_signature() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let envelope = Envelope::sign("text/plain", b"text", &key).unwrap();
        let evidence = Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new());
        let time = VerificationTime::now(Time::EPOCH);
        let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
        let found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(10));
        let signers = vec![found.authenticated[0].signer().clone()];
        let signed = || MessageAuthentication { authenticated: signers.clone(), rejected: None };
        let refused = || MessageAuthentication::rejected(MessageRejection::Digest);
        let unknown = MessageRejection::Unchecked(Unchecked { limit: 1 });
        let unchecked = || MessageAuthentication::rejected(unknown.clone());
        for (found, rejected) in [
            (signed().or(refused()), None),
            (refused().or(signed()), None),
            (signed().or(unchecked()), Some(unknown.clone())),
            (unchecked().or(refused()), Some(unknown.clone())),
            (refused().or(unchecked()), Some(unknown.clone())),
            (refused().or(refused()), Some(MessageRejection::Digest)),
        ] {
            assert_eq!(found.rejected, rejected);
        }
    }
}
