//! Authentication: from evidence to statements that an owner is known to have signed.
//!
//! The invariant: an [`AuthenticatedStatement`] exists only if a key that the operator trusts made a signature over the
//! very bytes that it holds. The steps, for each trusted key:
//!
//! 1. Take the signature checks that this costs out of the budget. An exhausted budget is *undetermined*, never *no*.
//! 2. Verify the signatures of the document with the key. What the document says about keys and algorithms has no part
//!    in this (threats: key-from-evidence).
//! 3. Attribute the key to every owner whose identity holds it; which owners are counted, the quorum decides.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Payload;
use crate::key::KeyId;
use crate::key::Scheme;
use crate::trust::Owner;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;

/// The signer of a statement: an owner of the trust root, and the key that was verified. A proof type: only
/// [`TrustRoot::authenticate`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::trust::Owner;
/// use bulla::trust::VerifiedSigner;
///
/// fn forged(key: bulla::key::KeyId, scheme: bulla::key::Scheme) -> VerifiedSigner {
///     VerifiedSigner { key, owner: Owner::Key(key), scheme }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSigner {
    key: KeyId,
    owner: Owner,
    scheme: Scheme,
}

/// A signed payload, and the signer whose signature covers it: the only source of statements that are counted.
#[derive(Clone, Debug)]
pub struct AuthenticatedStatement {
    payload: Payload,
    signer: VerifiedSigner,
}

/// The result of authenticating one piece of evidence.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Authentication {
    /// The payload, once for each owner whose key signed it.
    pub authenticated: Vec<AuthenticatedStatement>,
    /// Why the evidence is not signed by a trusted key.
    pub rejected: Option<Rejection>,
    /// Signature checks that were not made, so that it is unknown whether a trusted key signed it.
    pub undetermined: Option<Unchecked>,
}

/// Why a document is not signed by a trusted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It names a trusted key, and that key's signature does not verify.
    Damaged {
        /// The key that the document names.
        key: KeyId,
    },
    /// No trusted key made any of its signatures.
    Untrusted {
        /// The key that the document claims: a hint for people, never trusted.
        claimed: Option<String>,
    },
}

impl TrustRoot {
    /// Verifies the signatures of `evidence` with every trusted key, within `budget`. It returns a statement only for a
    /// key whose signature covers the payload, and a [`Rejection`] only if every key was tried.
    pub fn authenticate(&self, evidence: &Evidence, budget: &mut SignatureBudget) -> Authentication {
        let document = evidence.document();
        let mut found = Authentication::default();
        for key in self.keys() {
            if let Err(unchecked) = budget.take(document.signatures().len()) {
                found.undetermined = Some(unchecked);
                break;
            }
            let Ok(payload) = document.verify(key) else { continue };
            let scheme = payload.proof().scheme;
            found.authenticated.extend(self.owners_of(key.id()).into_iter().map(|owner| AuthenticatedStatement {
                payload: payload.clone(),
                signer: VerifiedSigner { key: key.id(), owner: owner.clone(), scheme },
            }));
        }
        if found.authenticated.is_empty() && found.undetermined.is_none() {
            let named = self.keys().find(|key| document.names(key));
            found.rejected = Some(match named {
                Some(key) => Rejection::Damaged { key: key.id() },
                None => Rejection::Untrusted { claimed: document.claimed_key() },
            });
        }
        found
    }

    /// The SHA-256 of the canonical form of every signature in `evidence` that the key of `signer` made over its payload,
    /// see [`PublicKey::canonical_signature`](crate::key::PublicKey::canonical_signature). Authentication ends with the first of them; an audit
    /// asks for all.
    ///
    /// # Errors
    /// [`Unchecked`] where the budget is exhausted.
    pub fn signatures_by(
        &self,
        signer: &VerifiedSigner,
        evidence: &Evidence,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<Digest>, Unchecked> {
        let Some(key) = self.keys().find(|key| key.id() == signer.key) else { return Ok(Vec::new()) };
        let document = evidence.document();
        budget.take(document.signatures().len())?;
        Ok(document
            .signatures_by(key)
            .into_iter()
            .map(|bytes| Digest::sha256(&key.canonical_signature(bytes)))
            .collect())
    }
}

impl AuthenticatedStatement {
    /// The bytes that were signed.
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The signer.
    pub const fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }
}

impl VerifiedSigner {
    /// The key that made the signature.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// The owner, by the operator's entry.
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The signature scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}
