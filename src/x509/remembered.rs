//! Signatures on certificates that were verified before, so that the authorities of many signatures cost one verification.
//!
//! The invariant: what is remembered is that rustls-webpki's own algorithm verified this signature over these bytes with
//! this key. That is true at any time, for any purpose and by any profile, and nothing else is remembered: names, validity,
//! constraints and trust are judged anew for every chain. It is kept in the parsed certificate and ends with it. Refusals
//! are not kept.

use rustls_pki_types::AlgorithmIdentifier;
use rustls_pki_types::InvalidSignature;
use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::x509::Certificate;
use crate::x509::verified_with::VerifiedWith;

/// An algorithm that does not verify the signature on one of `certificates` twice.
#[derive(Debug)]
pub(super) struct Remembering<'a> {
    pub(super) algorithm: &'a dyn SignatureVerificationAlgorithm,
    pub(super) certificates: &'a [&'a Certificate],
}

impl Remembering<'_> {
    /// As rustls-webpki takes it.
    pub(super) fn as_algorithm(&self) -> &dyn SignatureVerificationAlgorithm {
        self
    }
}

impl SignatureVerificationAlgorithm for Remembering<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let same = |one: &&&Certificate| one.to_be_signed() == message && one.signature() == signature;
        let with = || VerifiedWith::new(self.algorithm, public_key);
        let mut known = self.certificates.iter().filter(same).filter_map(|one| one.verified_with().get());
        if known.any(|before| *before == with()) {
            return Ok(());
        }
        self.algorithm.verify_signature(public_key, message, signature)?;
        for certificate in self.certificates.iter().filter(same) {
            // The first key is kept: a certificate that several keys have signed is verified anew with the others.
            certificate.verified_with().get_or_init(with);
        }
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use rustls_pki_types::alg_id;

    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::limits::Limits;
    use crate::time::Time;
    use crate::x509::SerialNumber;
    use crate::x509::TestAuthority;

    /// An algorithm that takes every signature of one key, and counts how often it is asked.
    #[derive(Debug)]
    struct Counting {
        asked: AtomicUsize,
        key: AlgorithmIdentifier,
    }

    impl SignatureVerificationAlgorithm for Counting {
        fn verify_signature(&self, public_key: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if public_key == b"key" { Ok(()) } else { Err(InvalidSignature) }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            self.key
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ECDSA_SHA256
        }
    }

    fn counting(key: AlgorithmIdentifier) -> Counting {
        Counting { asked: AtomicUsize::new(0), key }
    }

    fn certificate() -> Certificate {
        let key = || PrivateKey::generate(KeyKind::P256).unwrap();
        let serial = |byte| SerialNumber::from_random([byte; 16]);
        let validity = (Time::parse("2026-01-01T00:00:00Z").unwrap(), Time::parse("2036-01-01T00:00:00Z").unwrap());
        TestAuthority::new(key(), key(), &[serial(1), serial(2)], validity).unwrap().root().clone()
    }

    #[test]
    fn only_the_same_signature_by_the_same_key_and_algorithm_is_remembered() {
        let (known, unknown) = (certificate(), certificate());
        let same = Certificate::parse(known.der(), &Limits::DEFAULT).unwrap();
        let algorithm = counting(alg_id::ECDSA_P256);
        let ask = |key: &[u8], message: &[u8], signature: &[u8], certificates: &[&Certificate]| {
            let before = algorithm.asked.load(Ordering::Relaxed);
            let remembering = Remembering { algorithm: &algorithm, certificates };
            let answer = remembering.verify_signature(key, message, signature);
            (answer.is_ok(), algorithm.asked.load(Ordering::Relaxed) - before)
        };
        let (message, signature) = (known.to_be_signed(), known.signature());
        // A refusal is not kept, and neither is anything about a certificate that is not at hand.
        assert_eq!(ask(b"other", message, signature, &[&known]), (false, 1));
        assert_eq!(ask(b"key", message, signature, &[&unknown]), (true, 1));
        assert_eq!(ask(b"key", message, signature, &[&unknown]), (true, 1));
        // A clone knows what the certificate knows; another parse of the same bytes does not, unless both are there.
        assert_eq!(ask(b"key", message, signature, &[&known]), (true, 1));
        assert_eq!(ask(b"key", message, signature, &[&unknown, &known.clone()]), (true, 0));
        assert_eq!(ask(b"key", message, signature, &[&same]), (true, 1));
        // Another key, other bytes, another signature, another algorithm: verified anew.
        assert_eq!(ask(b"other", message, signature, &[&known]), (false, 1));
        assert_eq!(ask(b"key", &message[1..], signature, &[&known]), (true, 1));
        assert_eq!(ask(b"key", message, &signature[1..], &[&known]), (true, 1));
        let other = counting(alg_id::ECDSA_P384);
        let remembering = Remembering { algorithm: &other, certificates: &[&known] };
        assert!(remembering.verify_signature(b"other", message, signature).is_err());
        assert!(remembering.verify_signature(b"key", message, signature).is_ok());
        assert_eq!(other.asked.load(Ordering::Relaxed), 2);
    }
}
