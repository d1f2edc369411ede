//! The signers of a signature with verification material: of a document, or of a file.

use crate::envelope::EnvelopeError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::limits::Limits;
use crate::time::Time;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;
use crate::trust::Identity;
use crate::trust::KeylessFault;
use crate::trust::KeylessMeans;
use crate::trust::Owner;
use crate::trust::Rejection;
use crate::trust::SignatureBudget;
use crate::trust::SignedMaterial;
use crate::trust::TransparencyProof;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::VerificationTime;
use crate::trust::VerifiedSigner;
use crate::trust::authenticate::Authentication;
use crate::trust::authenticate::KeyOwners;
use crate::trust::authenticate::KnownBy;
use crate::trust::keyless::OpenedMaterial;
use crate::trust::keyless::ProvenSignature;
use crate::trust::keyless::Stop;
use crate::x509::Certificate;

impl TrustRoot {
    /// The owner of a signature by the certificate that came with it, and the signature.
    pub(in crate::trust) fn keyless_signer(
        &self,
        signed: SignedMaterial<'_>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<(VerifiedSigner, ProvenSignature), Authentication> {
        let unchecked = |unchecked| Authentication { undetermined: Some(unchecked), ..Authentication::default() };
        let rejected = |rejection| Authentication::rejected(Rejection::Certificate(rejection));
        let material = signed.verification_material();
        let opened = OpenedMaterial::open(signed, context, budget).map_err(|stop| match stop {
            Stop::Fault(fault) => {
                let fault = self.without_file(fault, &material.certificates, context.limits);
                rejected(CertificateRejection::of_material(material, fault, context))
            }
            Stop::Unchecked(exhausted) => unchecked(exhausted),
        })?;
        let identities = self.identities().iter();
        let identities: Vec<(&Owner, &KeylessMeans)> =
            identities.filter_map(|one| one.keyless().map(|means| (one.owner(), means))).collect();
        let found = opened.attribute(&identities, context, budget).map_err(unchecked)?;
        let (owner, keyless) = found.map_err(rejected)?;
        let key = keyless.chain().key().id();
        let credential = keyless.credential();
        let proven = opened.into_proven();
        let known_by = KnownBy::Keyless(Box::new(keyless));
        Ok((VerifiedSigner::known((credential, key), known_by, owner.clone(), proven.scheme), proven))
    }

    /// Checks that a signature by the key of `certificate` could be an owner's keyless one, whatever it is over.
    ///
    /// # Errors
    /// Why it could not, by the last identity.
    pub(crate) fn check_keyless(&self, certificate: &Certificate, limits: &Limits) -> Result<(), CertificateFault> {
        let mut checked = Err(CertificateFault::NoCertificate);
        for means in self.identities().iter().filter_map(Identity::keyless) {
            checked = match (checked, means.check_certificate(certificate, limits)) {
                (Ok(()), _) | (_, Ok(())) => return Ok(()),
                // Could-not-tell by one identity is not a no by another one.
                (Err(before), Err(_)) if before.is_undetermined() => Err(before),
                (Err(_), Err(fault)) => Err(fault),
            };
        }
        checked
    }

    /// The reason where the file is not known that the signature is over: a file is kept only for certificates that could
    /// count, so for another one that is the reason.
    fn without_file(&self, fault: CertificateFault, certificates: &[Vec<u8>], limits: &Limits) -> CertificateFault {
        let is_file = matches!(fault, CertificateFault::Keyless(KeylessFault::FileHash(_)));
        let certificate = certificates.first().filter(|_| is_file).map(|der| Certificate::parse(der, limits));
        let Some(Ok(certificate)) = certificate else { return fault };
        match self.check_keyless(&certificate, limits) {
            Ok(()) => fault,
            Err(excluded) => excluded,
        }
    }

    /// The owners of a signature that the pinned `key` made.
    pub(in crate::trust) fn owners_with(
        &self,
        key: &PublicKey,
        scheme: Scheme,
        signed: Option<Result<SignedMaterial<'_>, &EnvelopeError>>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<KeyOwners, Unchecked> {
        let (mut ended, mut signers): (Vec<(VerifiedSigner, Time)>, Vec<VerifiedSigner>) = Default::default();
        let mut rejected: Vec<(&Owner, Rejection)> = Vec::new();
        for identity in self.identities().iter().filter(|identity| identity.keys().any(|held| held == key)) {
            if signers.iter().any(|signer| signer.owner() == identity.owner()) {
                continue;
            }
            let proof = match identity.logged_keys().map(|means| means.prove(key, signed, context, budget)) {
                None => None,
                Some(Ok(proof)) => Some(proof),
                Some(Err(Stop::Unchecked(unchecked))) => return Err(unchecked),
                Some(Err(Stop::Fault(fault))) => {
                    rejected.push((identity.owner(), Rejection::Unlogged { fault, key: key.id() }));
                    continue;
                }
            };
            let end = ended_at(identity, key.id(), proof.as_ref(), context.time);
            let known_by = proof.map_or(KnownBy::Key, |proof| KnownBy::LoggedKey(Box::new(proof)));
            let (id, owner) = (key.id(), identity.owner().clone());
            let signer = VerifiedSigner::known((id.into(), id), known_by, owner, scheme);
            match end {
                Some(end) => {
                    rejected.push((identity.owner(), Rejection::KeyEnded { end, key: id }));
                    ended.push((signer, end));
                }
                None => signers.push(signer),
            }
        }
        // What one identity of an owner accepts is not refused by another one of the same owner.
        let is_accepted = |owner: &Owner| signers.iter().any(|signer| signer.owner() == owner);
        let rejected = rejected.into_iter().find(|(owner, _)| !is_accepted(owner));
        let rejected = rejected.map(|(_, rejection)| rejection);
        ended.retain(|(signer, _)| !is_accepted(signer.owner()));
        Ok(KeyOwners { ended, rejected, signers })
    }
}

/// The end of the key that made a signature, if it has passed and `proof` does not show that the signature existed before.
fn ended_at(
    identity: &Identity,
    key: KeyId,
    proof: Option<&TransparencyProof>,
    time: VerificationTime,
) -> Option<Time> {
    let end = identity.key_end(key)?;
    let proven = proof.is_some_and(|proof| proof.proves_existence_at(end));
    (time.expiry_at() > end && !proven).then_some(end)
}
