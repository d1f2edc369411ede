//! `SigningIdentity`: who signs, a private key and the certificate chain of its public key.

use std::fmt;

use crate::envelope::EnvelopeError;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::x509::CertificateChain;
use crate::x509::Profile;

/// The identity that signs: a private key, with the certificate chain of its public key where formats need one.
#[derive(Clone, Copy)]
pub struct SigningIdentity<'a> {
    chain: Option<&'a CertificateChain>,
    signer: &'a dyn Signer,
}

impl<'a> SigningIdentity<'a> {
    /// The identity of a key without a certificate.
    pub const fn new(signer: &'a dyn Signer) -> Self {
        Self { chain: None, signer }
    }

    /// The identity of a key and the certificate chain of its public key.
    ///
    /// # Errors
    /// [`EnvelopeError::ChainOfOtherKey`].
    pub fn with_chain(signer: &'a dyn Signer, chain: &'a CertificateChain) -> Result<Self, EnvelopeError> {
        let (certified, key) = (chain.key().id(), signer.public_key().id());
        match certified == key {
            true => Ok(Self { chain: Some(chain), signer }),
            false => Err(EnvelopeError::ChainOfOtherKey { certificate: chain.label(), certified, key }),
        }
    }

    /// The certificate chain.
    pub const fn chain(&self) -> Option<&'a CertificateChain> {
        self.chain
    }

    /// The certificate chain, if it was verified by the rules of Sigstore ([`Profile::SIGSTORE`]): only then do signatures in
    /// its formats have the certificate.
    pub fn sigstore_chain(&self) -> Option<&'a CertificateChain> {
        self.chain.filter(|chain| chain.is_verified_by(&Profile::SIGSTORE))
    }

    /// The public key.
    pub fn key(&self) -> &'a PublicKey {
        self.signer.public_key()
    }

    pub(super) const fn signer(&self) -> &'a dyn Signer {
        self.signer
    }
}

impl fmt::Debug for SigningIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIdentity").field("key", &self.key().id()).finish()
    }
}
