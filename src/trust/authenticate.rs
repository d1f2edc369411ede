//! Authentication: from evidence to statements that an owner is known to have signed.
//!
//! The invariant: an [`AuthenticatedStatement`] exists only if a key that the operator trusts made a signature over the
//! very bytes that it holds: a pinned key, or the key of a certificate whose chain the operator trusts: of the Notary
//! Project (`certified.rs`), or of Sigstore (`keyless/`). A Sigstore certificate never hides a signature from a pinned key:
//! both are tried. Envelopes of the Notary Project are verified by their certificates alone. The steps, for each pinned key:
//!
//! 1. Take the signature checks that this costs out of the budget. An exhausted budget is *undetermined*, never *no*.
//! 2. Verify the signatures of the document with the key. What the document says about keys and algorithms has no part
//!    in this (threats: key-from-evidence).
//! 3. Attribute the key to every owner whose identity holds it; where the identity has a log rule, only if logs vouch for
//!    the signature. Which owners are counted, the quorum decides. What a key signed that has ended is kept apart: it counts
//!    for nobody.
//!
//! A document with one signature is tried with the key that it names first, and with no other key after one verified it: a
//! signature is by one key. What it names changes the order alone.

mod material;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::NotaryEnvelope;
use crate::envelope::Payload;
use crate::envelope::Proof;
use crate::envelope::SignedWith;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;
use crate::trust::CertifiedSigner;
use crate::trust::KeylessFault;
use crate::trust::KeylessSigner;
use crate::trust::Owner;
use crate::trust::Rejection;
use crate::trust::SignatureBudget;
use crate::trust::SignedMaterial;
use crate::trust::SignerCredential;
use crate::trust::TransparencyProof;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::keyless::ProvenSignature;
use crate::trust::signed_envelope::SignedEnvelope;

/// The signer of a statement: an owner of the trust root, and the key that was verified. A proof type: only
/// [`TrustRoot::authenticate`] makes one.
///
/// ```compile_fail,E0451
/// use bulla::trust::Owner;
/// use bulla::trust::VerifiedSigner;
///
/// fn forged(key: bulla::key::KeyId, scheme: bulla::key::Scheme) -> VerifiedSigner {
///     VerifiedSigner { credential: key.into(), key, known_by: todo!(), owner: Owner::Key(key), scheme }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedSigner {
    credential: SignerCredential,
    key: KeyId,
    known_by: KnownBy,
    owner: Owner,
    scheme: Scheme,
}

/// By what a signer is known.
#[derive(Clone, Debug)]
enum KnownBy {
    Certificates(Box<CertifiedSigner>),
    Key,
    Keyless(Box<KeylessSigner>),
    LoggedKey(Box<TransparencyProof>),
}

/// A signed payload, and the signer whose signature covers it: the only source of statements that are counted.
#[derive(Clone, Debug)]
pub struct AuthenticatedStatement {
    payload: Payload,
    signer: VerifiedSigner,
}

/// A signed payload whose signer's key has ended, without proof that it was signed before: it never counts. A refusal in it
/// may have been made while the key was valid, so it still stands against older statements of the owner.
#[derive(Clone, Debug)]
pub(crate) struct EndedStatement {
    /// The last second at which the key was valid.
    pub(crate) end: Time,
    /// What was signed, and by whom.
    pub(crate) signed: AuthenticatedStatement,
}

/// Whose signature one by a pinned key is.
pub(in crate::trust) struct KeyOwners {
    /// The owners for whom the key has ended, each with the end: nothing that they signed counts.
    pub(in crate::trust) ended: Vec<(VerifiedSigner, Time)>,
    /// Why it is not that of another owner.
    pub(in crate::trust) rejected: Option<Rejection>,
    /// The owners whose signature it is, each once: those whose identity has no log rule, and those for whose rule logs vouch.
    pub(in crate::trust) signers: Vec<VerifiedSigner>,
}

/// The result of authenticating one piece of evidence.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Authentication {
    /// The payload, once for each owner who signed it.
    pub authenticated: Vec<AuthenticatedStatement>,
    /// The payload, once for each owner whose key for it has ended and who did not sign it otherwise.
    pub(crate) ended: Vec<EndedStatement>,
    /// Why the evidence is not signed by an owner.
    pub rejected: Option<Rejection>,
    /// Signature checks that were not made, so that it is unknown whether a trusted key signed it.
    pub undetermined: Option<Unchecked>,
}

impl TrustRoot {
    /// Verifies the signatures of `evidence` within `budget`: an envelope of the Notary Project by its certificates, every
    /// other document with the pinned keys and by its Sigstore certificate, if it has one. It returns a statement only for an
    /// owner whose signature covers the payload. Where the budget is exhausted, the rest is undetermined.
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
            None => {
                let by_keys = self.authenticate_keys(evidence, context, budget);
                match SignedMaterial::of_evidence(evidence) {
                    Some(signed) if self.means().cover_keyless() && with == SignedWith::KeyOrCertificate => {
                        by_keys.or(self.authenticate_keyless(signed, context, budget))
                    }
                    Some(_) | None => by_keys,
                }
            }
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
        let found = SignedEnvelope::open(envelope, self.chains(), context)
            .and_then(|signed| signed.attribute(&identities, context, budget));
        let (position, certified, payload) = match found {
            Ok(found) => found,
            Err(rejection) => return Authentication::rejected(Rejection::Certificate(rejection)),
        };
        let owner = self.identities().get(position).map(|identity| identity.owner().clone());
        let Proof { key, scheme } = payload.proof();
        // Step 5 of `certified.rs` proved that the key of the chain is the one that signed.
        let credential = SignerCredential::of_envelope(certified.chain());
        let known_by = KnownBy::Certificates(Box::new(certified));
        let signer = owner.map(|owner| VerifiedSigner { credential, key, known_by, owner, scheme });
        let authenticated =
            signer.into_iter().map(|signer| AuthenticatedStatement { payload: payload.clone(), signer });
        Authentication { authenticated: authenticated.collect(), ..Authentication::default() }
    }

    /// Authenticates a signature by the Sigstore certificate that came with it.
    fn authenticate_keyless(
        &self,
        signed: Result<SignedMaterial<'_>, &EnvelopeError>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Authentication {
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => {
                let fault = CertificateFault::Keyless(KeylessFault::Material(error.clone()));
                let rejection = CertificateRejection::new(None, NonEmpty::one(fault), context.time.judged());
                return Authentication::rejected(Rejection::Certificate(rejection));
            }
        };
        match self.keyless_signer(signed, context, budget) {
            Ok((signer, ProvenSignature { payload, .. })) => {
                let authenticated =
                    payload.into_iter().map(|payload| AuthenticatedStatement { payload, signer: signer.clone() });
                Authentication { authenticated: authenticated.collect(), ..Authentication::default() }
            }
            Err(refused) => refused,
        }
    }

    /// Authenticates a document with every pinned key. A [`Rejection`] is returned only if every key was tried.
    fn authenticate_keys(
        &self,
        evidence: &Evidence,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Authentication {
        let document = evidence.document();
        let signatures = document.signatures().len();
        let mut keys: Vec<_> = self.keys().collect();
        if signatures == 1 {
            keys.sort_by_cached_key(|key| !document.names(key));
        }
        let mut found = Authentication::default();
        for key in keys {
            if let Err(unchecked) = budget.take(signatures) {
                found.undetermined = Some(unchecked);
                break;
            }
            let Ok(payload) = document.verify(key) else { continue };
            let scheme = payload.proof().scheme;
            let signed = SignedMaterial::of_evidence(evidence);
            match self.owners_with(key, scheme, signed, context, budget) {
                Ok(KeyOwners { ended, rejected, signers }) => {
                    let statement = |signer| AuthenticatedStatement { payload: payload.clone(), signer };
                    let of_ended = |(signer, end)| EndedStatement { end, signed: statement(signer) };
                    found.ended.extend(ended.into_iter().map(of_ended));
                    found.authenticated.extend(signers.into_iter().map(statement));
                    found.rejected = found.rejected.or(rejected);
                }
                Err(unchecked) => {
                    found.undetermined = Some(unchecked);
                    break;
                }
            }
            if signatures == 1 {
                break;
            }
        }
        if found.authenticated.is_empty() && found.undetermined.is_none() && found.rejected.is_none() {
            let named = self.keys().find(|key| document.names(key));
            found.rejected = Some(match named {
                Some(key) => Rejection::Damaged { key: key.id() },
                None => Rejection::Untrusted { claimed: document.claimed_key() },
            });
        }
        found.without_needless_ended()
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

    /// The result of both: of pinned keys, and of the certificate beside the signature. Where somebody signed, a rejection
    /// is kept only if it is could-not-tell; of two, that of the certificate.
    fn or(self, mut other: Self) -> Self {
        let (mut authenticated, mut ended) = (self.authenticated, self.ended);
        authenticated.append(&mut other.authenticated);
        ended.append(&mut other.ended);
        let mut rejections = [other.rejected, self.rejected].into_iter().flatten();
        let rejected = match authenticated.is_empty() {
            true => rejections.next(),
            false => rejections.find(Rejection::is_undetermined),
        };
        let undetermined = self.undetermined.or(other.undetermined);
        Self { authenticated, ended, rejected, undetermined }.without_needless_ended()
    }

    /// The same without what owners signed with a key that has ended, where they signed it with another one too.
    fn without_needless_ended(mut self) -> Self {
        let signed = |owner: &Owner| self.authenticated.iter().any(|one| one.signer.owner() == owner);
        self.ended.retain(|one| !signed(one.signed.signer.owner()));
        self
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
    /// A signer who was verified by the functions of this module and of `authenticate/`.
    fn known((credential, key): (SignerCredential, KeyId), known_by: KnownBy, owner: Owner, scheme: Scheme) -> Self {
        Self { credential, key, known_by, owner, scheme }
    }

    /// The chain of certificates of the Notary Project by which the signature is the owner's; `None` for other means.
    pub const fn certified(&self) -> Option<&CertifiedSigner> {
        match &self.known_by {
            KnownBy::Certificates(certified) => Some(certified),
            KnownBy::Key | KnownBy::Keyless(_) | KnownBy::LoggedKey(_) => None,
        }
    }

    /// What tells the signer from others in a quorum.
    pub const fn credential(&self) -> &SignerCredential {
        &self.credential
    }

    /// The Sigstore certificate by which the signature is the owner's; `None` for a pinned key and for certificates of the
    /// Notary Project.
    pub const fn keyless(&self) -> Option<&KeylessSigner> {
        match &self.known_by {
            KnownBy::Keyless(keyless) => Some(keyless),
            KnownBy::Certificates(_) | KnownBy::Key | KnownBy::LoggedKey(_) => None,
        }
    }

    /// The log entries and timestamps of the signature; `None` where they decide nothing.
    pub const fn transparency(&self) -> Option<&TransparencyProof> {
        match &self.known_by {
            KnownBy::Keyless(keyless) => Some(keyless.transparency()),
            KnownBy::LoggedKey(proof) => Some(proof),
            KnownBy::Certificates(_) | KnownBy::Key => None,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::FoundAt;
    use crate::envelope::NotaryFormat;
    use crate::envelope::SignedDocument;
    use crate::envelope::Strictness;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::trust::VerificationTime;
    use crate::x509::Certificate;

    const ENVELOPE: &[u8] = include_bytes!(
        "../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
    );

    fn key() -> PrivateKey {
        PrivateKey::generate(KeyKind::P256).unwrap()
    }

    /// An audit asks which of the pinned keys made the signature of an envelope: that one alone, and each key is paid for.
    #[test]
    fn the_pinned_signer_of_an_envelope_is_the_key_that_made_its_signature() {
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, ENVELOPE, limits, Strictness::Strict).unwrap();
        let signer = Certificate::parse(&envelope.certificate_chain()[0], limits).unwrap().public_key().unwrap();
        let trust = TrustRoot::pinned([key().public_key().clone(), signer.clone()]).unwrap();
        let signers = |checks| trust.pinned_signers(&envelope, &mut SignatureBudget::of(checks));
        let signature = Digest::sha256(&signer.canonical_jose(envelope.signature()));
        assert_eq!(signers(2).unwrap(), [(&signer, signature)]);
        assert_eq!(signers(1).unwrap_err(), Unchecked { limit: 1 });
        let others = TrustRoot::pinned([key().public_key().clone()]).unwrap();
        assert!(others.pinned_signers(&envelope, &mut SignatureBudget::of(1)).unwrap().is_empty());
    }

    /// An audit asks for every signature of the signer, and of nobody else.
    #[test]
    fn the_signatures_of_a_signer_are_those_of_its_key() {
        let (other, signer) = (key(), key());
        let trust = TrustRoot::pinned([&other, &signer].map(|key| key.public_key().clone())).unwrap();
        let envelope = Envelope::sign("text/plain", b"text", &signer).unwrap();
        let signature = envelope.signatures().next().unwrap().to_vec();
        let evidence = Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new());
        let time = VerificationTime::now(Time::EPOCH);
        let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
        let found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(10));
        let signed_by = found.authenticated[0].signer();
        let signatures = |checks| trust.signatures_by(signed_by, &evidence, &mut SignatureBudget::of(checks));
        let known = Digest::sha256(&signer.public_key().canonical_signature(&signature));
        assert_eq!(signatures(1).unwrap(), [known]);
        assert_eq!(signatures(0).unwrap_err(), Unchecked { limit: 0 });
    }
}
