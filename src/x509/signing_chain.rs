//! `CertificateChain`: the certificates that a signer signs with, verified before anything is signed.

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::PresentedChain;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::VerifiedChain;

/// The chain of a signer's certificates, from the signer's own to a root, which a verifier with this root accepts at the
/// time of the signature. A proof type: [`CertificateChain::verify`] and [`CertificateChain::verify_by`] make it.
///
/// It is the claim of a signer. Only a verifier decides whether the root is trusted.
///
/// ```compile_fail,E0451
/// use bulla::x509::{CertificateChain, VerifiedChain};
///
/// fn forged(chain: CertificateChain, verified: VerifiedChain) -> CertificateChain {
///     CertificateChain { verified, ..chain }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CertificateChain {
    profiles: NonEmpty<&'static Profile>,
    verified: VerifiedChain,
}

impl CertificateChain {
    /// Verifies `certificates`, the signer's own first and the self-signed root last, by the profile `notary` at the
    /// time `at` of the signature. Their own root is the anchor.
    ///
    /// # Errors
    /// [`ChainError`]: verifiers would refuse the chain, or could not tell.
    pub fn verify(certificates: &NonEmpty<Certificate>, at: Time, limits: &Limits) -> Result<Self, ChainError> {
        Self::verify_by(certificates, &NonEmpty::one(NOTARY), at, limits)
    }

    /// Verifies `certificates`, the signer's own first and the root last, by each of `profiles` at the time `at` of the
    /// signature. The last certificate is the anchor, and by the profile `notary` it is self-signed.
    ///
    /// # Errors
    /// [`ChainError`]: verifiers by one of the profiles would refuse the chain, or could not tell.
    pub fn verify_by(
        certificates: &NonEmpty<Certificate>,
        profiles: &NonEmpty<&'static Profile>,
        at: Time,
        limits: &Limits,
    ) -> Result<Self, ChainError> {
        let root = certificates.iter().last().unwrap_or_else(|| certificates.first());
        let anchors = [Anchor { certificate: root.clone(), purpose: Purpose::Signing }];
        let verify = |certificates: &NonEmpty<Certificate>, profile| {
            let presented = PresentedChain { certificates, extra: &[] };
            VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, at, limits)
        };
        let mut verified = verify(certificates, profiles.first())?;
        // Each profile judges the path that the one before it accepted, so all have accepted the last one.
        for profile in profiles.iter().skip(1) {
            verified = verify(verified.path(), profile)?;
        }
        Ok(Self { profiles: profiles.clone(), verified })
    }

    /// The time that the chain was verified for.
    pub const fn at(&self) -> Time {
        self.verified.at()
    }

    /// The same chain, verified for another time, such as that at which the signature is really made.
    ///
    /// # Errors
    /// [`ChainError`], as [`CertificateChain::verify`]: a certificate is not valid at that time.
    pub fn verified_at(&self, at: Time, limits: &Limits) -> Result<Self, ChainError> {
        Self::verify_by(self.path(), &self.profiles, at, limits)
    }

    /// Whether it was verified by `profile`.
    pub fn is_verified_by(&self, profile: &Profile) -> bool {
        self.profiles.iter().any(|one| *one == profile)
    }

    /// The signer's certificate.
    pub fn signer(&self) -> &Certificate {
        self.verified.signer()
    }

    /// The certificates, the signer's own first and the root last.
    pub const fn path(&self) -> &NonEmpty<Certificate> {
        self.verified.path()
    }

    /// The DER of each certificate, the signer's own first.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.verified.path().iter().map(Certificate::der)
    }

    /// The key of the signer's certificate.
    pub const fn key(&self) -> &PublicKey {
        self.verified.key()
    }

    /// The subject and serial number of the signer's certificate.
    pub fn label(&self) -> CertificateLabel {
        CertificateLabel::of(self.verified.signer())
    }

    /// The SHA-256 of each certificate, in lower-case hexadecimal.
    pub fn thumbprints(&self) -> Vec<String> {
        self.certificates().map(|der| Digest::sha256(der).hex().to_owned()).collect()
    }
}

/// The rules for signatures of the Notary Project.
const NOTARY: &Profile = &Profile::NOTARY;
