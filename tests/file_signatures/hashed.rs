//! Messages that are known by their hashes: the same signatures as of the message itself.

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::key::Algorithm;
use bulla::key::HashedMessage;
use bulla::key::HashedMessageError;
use bulla::key::MessageHasher;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::key::SignerError;
use bulla::key::SignerErrorKind;

use crate::keys;

const MESSAGE: &[u8] = b"the file that is signed";

/// The message in pieces, hashed for these schemes and kept up to `limit`.
fn hashed(message: &[u8], schemes: &[Scheme], limit: u64) -> HashedMessage {
    let mut hasher = MessageHasher::new(schemes.iter().copied(), limit);
    message.chunks(5).for_each(|piece| hasher.update(piece));
    hasher.finish()
}

#[test]
fn hashes_and_message_make_and_accept_the_same_signatures() {
    for key in keys() {
        let public = key.public_key();
        let message = hashed(MESSAGE, public.schemes(), 1 << 10);
        let other = hashed(b"another file", public.schemes(), 1 << 10);
        for scheme in public.schemes() {
            let of_message = key.sign_with(*scheme, MESSAGE).unwrap();
            let of_hashes = key.sign_hashed(*scheme, &message).unwrap();
            for signature in [of_message.as_bytes(), of_hashes.as_bytes()] {
                assert_eq!(public.verify_hashed(&message, signature), Ok(*scheme));
                assert_eq!(public.verify_hashed_as(*scheme, &message, signature), Ok(()));
                public.verify_as(*scheme, MESSAGE, signature).unwrap();
                let mut damaged = signature.to_vec();
                *damaged.last_mut().unwrap() ^= 1;
                for (message, signature) in [(&message, &damaged[..]), (&other, signature), (&message, b"")] {
                    assert_eq!(public.verify_hashed(message, signature), Err(HashedMessageError::Unverified));
                    assert_eq!(
                        public.verify_hashed_as(*scheme, message, signature),
                        Err(HashedMessageError::Unverified)
                    );
                }
            }
            assert!(of_hashes.is_over(public, MESSAGE) && !of_hashes.is_over(public, b"another file"));
        }
    }
}

#[test]
fn what_is_not_known_of_a_message_is_named_and_accepts_nothing() {
    let sha256 = HashedMessage::known_by(Digest::sha256(MESSAGE));
    let sha512 = HashedMessage::known_by(Digest::of(DigestAlgorithm::Sha512, MESSAGE));
    for key in keys() {
        let public = key.public_key();
        for scheme in public.schemes() {
            let signature = key.sign_with(*scheme, MESSAGE).unwrap();
            for message in [&sha256, &sha512] {
                let known = message.hash_for(*scheme).is_some();
                let verified = public.verify_hashed(message, signature.as_bytes());
                assert_eq!(verified.is_ok(), known, "{scheme}");
                let lacking = public.schemes().iter().any(|scheme| message.hash_for(*scheme).is_none());
                let wrong = public.verify_hashed(message, b"wrong").unwrap_err();
                assert_eq!(wrong != HashedMessageError::Unverified, lacking, "{scheme}");
            }
        }
        if public.algorithm() == Algorithm::Ed25519 {
            let signature = key.sign(MESSAGE).unwrap();
            let verified = public.verify_hashed(&sha256, signature.as_bytes());
            assert_eq!(verified, Err(HashedMessageError::MessageUnknown));
        }
    }
}

#[test]
fn a_message_is_kept_for_ed25519_alone_and_up_to_the_limit() {
    let limit = u64::try_from(MESSAGE.len()).unwrap();
    let key = &keys()[0];
    let public = key.public_key();
    assert_eq!(public.algorithm(), Algorithm::Ed25519);
    let signature = key.sign(MESSAGE).unwrap();
    assert_eq!(hashed(MESSAGE, public.schemes(), limit).message(), Some(MESSAGE));
    assert_eq!(hashed(MESSAGE, &[Scheme::EcdsaP256Sha256, Scheme::Ed25519ph], limit).message(), None);
    let short = hashed(MESSAGE, public.schemes(), limit - 1);
    assert_eq!(short.message(), None);
    assert_eq!(
        public.verify_hashed(&short, signature.as_bytes()),
        Err(HashedMessageError::MessageTooLong { limit: limit - 1 })
    );
    let error = key.sign_hashed(Scheme::Ed25519, &short).unwrap_err();
    assert!(matches!(error, SignerError::MessageNeeded { scheme: Scheme::Ed25519, .. }), "{error}");
    assert_eq!(error.kind(), SignerErrorKind::Unsupported);
    // Ed25519ph is over a hash, so no message is too long for it.
    let hashed = key.sign_hashed(Scheme::Ed25519ph, &short).unwrap();
    assert_eq!(public.verify_hashed(&short, hashed.as_bytes()), Ok(Scheme::Ed25519ph));
    assert!(!key.signs_hashes(Scheme::Ed25519) && key.signs_hashes(Scheme::Ed25519ph));
}
