//! Authentication: from evidence to statements that an owner is known to have signed.
//!
//! The invariant: an [`AuthenticatedStatement`] exists only if a key that the operator trusts made a signature over the
//! very bytes that it holds: a pinned key, or the key of a certificate whose chain the operator trusts (`certified.rs`).
//! The steps, for each pinned key:
//!
//! 1. Take the signature checks that this costs out of the budget. An exhausted budget is *undetermined*, never *no*.
//! 2. Verify the signatures of the document with the key. What the document says about keys and algorithms has no part
//!    in this (threats: key-from-evidence).
//! 3. Attribute the key to every owner whose identity holds it; which owners are counted, the quorum decides.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::NotaryEnvelope;
use crate::envelope::Payload;
use crate::envelope::Proof;
use crate::envelope::SignedDocument;
use crate::envelope::SignedWith;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateRejection;
use crate::trust::CertifiedSigner;
use crate::trust::Owner;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::signed_envelope::SignedEnvelope;

/// The signer of a statement: an owner of the trust root, and the key that was verified. A proof type: only
/// [`TrustRoot::authenticate`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::trust::Owner;
/// use bulla::trust::VerifiedSigner;
///
/// fn forged(key: bulla::key::KeyId, scheme: bulla::key::Scheme) -> VerifiedSigner {
///     VerifiedSigner { certified: None, key, owner: Owner::Key(key), scheme }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedSigner {
    certified: Option<CertifiedSigner>,
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
    /// The payload, once for each owner who signed it.
    pub authenticated: Vec<AuthenticatedStatement>,
    /// Why the evidence is not signed by an owner.
    pub rejected: Option<Rejection>,
    /// Signature checks that were not made, so that it is unknown whether a trusted key signed it.
    pub undetermined: Option<Unchecked>,
}

/// Why a document is not signed by an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// It is signed with a certificate that is not a trusted identity's, or that could not be judged.
    Certificate(CertificateRejection),
    /// It names a trusted key, and that key's signature does not verify.
    Damaged {
        /// The key that the document names.
        key: KeyId,
    },
    /// The operator trusts nobody by the means that this format has: keys, or certificates.
    NoSuchMeans(SignedWith),
    /// No trusted key made any of its signatures.
    Untrusted {
        /// The key that the document claims: a hint for people, never trusted.
        claimed: Option<String>,
    },
}

impl TrustRoot {
    /// Verifies the signatures of `evidence` within `budget`: by its certificates if it has any, else with every pinned
    /// key. It returns a statement only for an owner whose signature covers the payload.
    pub fn authenticate(
        &self,
        evidence: &Evidence,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Authentication {
        let document = evidence.document();
        let with = document.signed_with();
        match document.notary_envelope() {
            _ if !self.means().cover(with) => Authentication::rejected(Rejection::NoSuchMeans(with)),
            Some(envelope) => self.authenticate_certificates(envelope, context, budget),
            None => self.authenticate_keys(document, budget),
        }
    }

    /// Authenticates a signature by its chain of certificates.
    fn authenticate_certificates(
        &self,
        envelope: &NotaryEnvelope,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Authentication {
        if let Err(unchecked) = budget.take_for(envelope, context.limits) {
            return Authentication { undetermined: Some(unchecked), ..Authentication::default() };
        }
        let positions = self.identities().iter().enumerate();
        let identities: Vec<_> =
            positions.filter_map(|(position, one)| one.certificates().map(|means| (position, means))).collect();
        let found = SignedEnvelope::open(envelope, self.chains(), context.limits)
            .and_then(|signed| signed.attribute(&identities, context));
        let (position, certified, payload) = match found {
            Ok(found) => found,
            Err(rejection) => return Authentication::rejected(Rejection::Certificate(rejection)),
        };
        let owner = self.identities().get(position).map(|identity| identity.owner().clone());
        let Proof { key, scheme } = payload.proof();
        let signer = owner.map(|owner| VerifiedSigner { certified: Some(certified), key, owner, scheme });
        let authenticated =
            signer.into_iter().map(|signer| AuthenticatedStatement { payload: payload.clone(), signer });
        Authentication { authenticated: authenticated.collect(), ..Authentication::default() }
    }

    /// Authenticates a document with every pinned key. A [`Rejection`] is returned only if every key was tried.
    fn authenticate_keys(&self, document: &SignedDocument, budget: &mut SignatureBudget) -> Authentication {
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
                signer: VerifiedSigner { certified: None, key: key.id(), owner: owner.clone(), scheme },
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

    /// The pinned keys that made the signature of `envelope`, each with the SHA-256 of its canonical form, see
    /// [`PublicKey::canonical_signature`](crate::key::PublicKey::canonical_signature). It is for an audit of what the keys signed: no certificate is
    /// looked at, so it counts for nobody.
    ///
    /// # Errors
    /// [`Unchecked`] where the budget is exhausted.
    pub fn pinned_signers(
        &self,
        envelope: &NotaryEnvelope,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<(&PublicKey, Digest)>, Unchecked> {
        let mut signers = Vec::new();
        for key in self.keys() {
            budget.take(1)?;
            if envelope.check_signature(key).is_ok() {
                signers.push((key, Digest::sha256(&key.canonical_jose(envelope.signature()))));
            }
        }
        Ok(signers)
    }
}

impl Authentication {
    fn rejected(rejection: Rejection) -> Self {
        Self { rejected: Some(rejection), ..Self::default() }
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
    /// The owners of a pinned key that made a signature, by `scheme`.
    pub(super) fn of_key(trust: &TrustRoot, key: &PublicKey, scheme: Scheme) -> Vec<Self> {
        let owners = trust.owners_of(key.id()).into_iter().cloned();
        owners.map(|owner| Self { certified: None, key: key.id(), owner, scheme }).collect()
    }

    /// The chain of certificates by which the signature is the owner's; `None` for a pinned key.
    pub const fn certified(&self) -> Option<&CertifiedSigner> {
        self.certified.as_ref()
    }

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
