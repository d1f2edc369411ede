//! `SignedEnvelope`: a Notary Project envelope whose signature is verified with the key of its first certificate. Whose
//! certificate that is, `certified.rs` decides.

use bytes::Bytes;

use crate::envelope::NotaryEnvelope;
use crate::envelope::NotaryError;
use crate::envelope::NotaryRule;
use crate::envelope::Payload;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::text::Untrusted;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;
use crate::trust::verified_chains::VerifiedChains;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::UnreadCertificate;

/// An envelope with the certificates in it, parsed. Its signature is verified with the key of the first certificate.
pub(super) struct SignedEnvelope<'a> {
    pub(super) certificates: NonEmpty<Certificate>,
    pub(super) chains: &'a VerifiedChains,
    pub(super) envelope: &'a NotaryEnvelope,
    /// The payload, which names the key that verified it.
    payload: Payload,
}

impl<'a> SignedEnvelope<'a> {
    /// Parses the certificates and verifies the signature, before any work on the chain.
    ///
    /// # Errors
    /// [`CertificateRejection`].
    pub(super) fn open(
        envelope: &'a NotaryEnvelope,
        chains: &'a VerifiedChains,
        AuthenticationContext { limits, time, .. }: AuthenticationContext<'_>,
    ) -> Result<Self, CertificateRejection> {
        let parsed = chains.parsed(envelope.certificate_chain(), limits);
        let unread = |fault| {
            let signer = CertificateRejection::label_of(envelope.certificate_chain().first(), limits);
            CertificateRejection::new(signer, NonEmpty::one(fault), time.judged())
        };
        let parse = || parse(envelope.certificate_chain(), limits).map_err(unread);
        let certificates = parsed.map_or_else(parse, Ok)?;
        let signer = certificates.first();
        let rejected = |error| {
            let fault = CertificateFault::Envelope(error);
            CertificateRejection::new(Some(CertificateLabel::of(signer)), NonEmpty::one(fault), time.judged())
        };
        let key = signer.public_key().map_err(|error| {
            let found = Some(Untrusted::new(&error.to_string()));
            rejected(NotaryError::Refused { found, rule: NotaryRule::KeyNotAllowed })
        })?;
        let payload = envelope.signed_payload(&key).map_err(rejected)?;
        Ok(Self { certificates, chains, envelope, payload })
    }

    /// The payload, which `key` signed, as [`NotaryEnvelope::verify`]. The signature is verified again only with another
    /// key than the one that verified it first.
    ///
    /// # Errors
    /// As [`NotaryEnvelope::verify`].
    pub(super) fn payload_by(&self, key: &PublicKey) -> Result<Payload, NotaryError> {
        if self.payload.proof().key != key.id() {
            return self.envelope.verify(key).map(|verified| verified.payload().clone());
        }
        match self.envelope.objections().into_iter().next() {
            Some(objection) => Err(objection),
            None => Ok(self.payload.clone()),
        }
    }
}

/// The certificates, in their order.
///
/// # Errors
/// [`CertificateFault::Certificate`] for the first one that cannot be read.
fn parse(chain: &[Bytes], limits: &Limits) -> Result<NonEmpty<Certificate>, CertificateFault> {
    let mut certificates = Vec::new();
    for (position, der) in chain.iter().enumerate() {
        let number = position.saturating_add(1);
        let unread = |error| CertificateFault::Certificate { certificate: UnreadCertificate::of(der), error, number };
        certificates.push(Certificate::parse(der, limits).map_err(unread)?);
    }
    NonEmpty::collect(certificates).ok_or(CertificateFault::NoCertificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::NotaryFormat;
    use crate::envelope::Strictness;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::time::Time;
    use crate::trust::VerificationTime;

    /// What one key has verified is no payload of another key.
    #[test]
    fn the_payload_is_that_of_the_key_that_signed_it() {
        let bytes = include_bytes!(
            "../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
        );
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, bytes, limits, Strictness::Strict).unwrap();
        let chains = VerifiedChains::default();
        let context = AuthenticationContext { limits, revocation: None, time: VerificationTime::now(Time::EPOCH) };
        let signed = SignedEnvelope::open(&envelope, &chains, context).unwrap();
        let signer = signed.certificates.first().public_key().unwrap();
        assert_eq!(signed.payload_by(&signer).unwrap().proof().key, signer.id());
        let other = PrivateKey::generate(KeyKind::P256).unwrap();
        signed.payload_by(other.public_key()).unwrap_err();
    }
}
