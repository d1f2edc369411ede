//! Hashes and signature encodings for keys in tokens and plugins, which sign a hash and return other encodings.

use ::pkcs8::AlgorithmIdentifierRef;
use ::pkcs8::ObjectIdentifier;
use der::Decode as _;
use der::Encode as _;
use der::Sequence;
use der::asn1::AnyRef;
use der::asn1::OctetStringRef;
use der::asn1::UintRef;
use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::key::Scheme;
use crate::key::identifier::Curve;

/// An ECDSA signature. RFC 3279 section 2.2.3.
#[derive(Sequence)]
pub(super) struct EcdsaSignature<'a> {
    pub(super) r: UintRef<'a>,
    pub(super) s: UintRef<'a>,
}

/// The hash with its algorithm, as PKCS#1 v1.5 signs it. RFC 8017 section 9.2.
#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

/// The SHA-2 hash functions of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::key) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash function of `scheme`; `None` for a scheme that signs the message itself.
    pub(in crate::key) const fn of(scheme: Scheme) -> Option<Self> {
        match scheme {
            Scheme::EcdsaP256Sha256
            | Scheme::EcdsaP384Sha256
            | Scheme::EcdsaP521Sha256
            | Scheme::RsaPkcs1Sha256
            | Scheme::RsaPssSha256 => Some(Self::Sha256),
            Scheme::EcdsaP384Sha384 | Scheme::RsaPkcs1Sha384 | Scheme::RsaPssSha384 => Some(Self::Sha384),
            Scheme::EcdsaP521Sha512 | Scheme::RsaPkcs1Sha512 | Scheme::RsaPssSha512 => Some(Self::Sha512),
            Scheme::Ed25519 | Scheme::Ed25519ph => None,
        }
    }

    /// The length of the hash, in bytes.
    #[cfg_attr(not(feature = "pkcs11"), expect(dead_code, reason = "the salt of RSA-PSS is set for tokens only"))]
    pub(in crate::key) const fn len(self) -> u8 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The hash of `message`.
    #[cfg_attr(not(any(feature = "pkcs11", test)), expect(dead_code, reason = "only tokens are given hashes"))]
    pub(in crate::key) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// The DigestInfo of a hash: the hash with the name of the hash function, which PKCS#1 v1.5 pads.
    #[cfg_attr(not(feature = "pkcs11"), expect(dead_code, reason = "plugins pad for themselves"))]
    pub(in crate::key) fn digest_info(self, digest: &[u8]) -> Option<Vec<u8>> {
        let oid = match self {
            Self::Sha256 => SHA256,
            Self::Sha384 => SHA384,
            Self::Sha512 => SHA512,
        };
        let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) };
        DigestInfo { algorithm, digest: OctetStringRef::new(digest).ok()? }.to_der().ok()
    }
}

/// Converts an ECDSA signature from the fixed-length form (`r` and `s` side by side, each as long as the curve) to DER.
pub(in crate::key) fn ecdsa_der(curve: Curve, fixed: &[u8]) -> Option<Vec<u8>> {
    if fixed.len() != 2 * curve.len() {
        return None;
    }
    let (r, s) = fixed.split_at(curve.len());
    EcdsaSignature { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
}

/// Converts an ECDSA signature from DER to the fixed-length form.
pub(in crate::key) fn ecdsa_fixed(curve: Curve, der: &[u8]) -> Option<Vec<u8>> {
    let EcdsaSignature { r, s } = EcdsaSignature::from_der(der).ok()?;
    let mut fixed = Vec::with_capacity(2 * curve.len());
    for number in [r, s] {
        let number = number.as_bytes();
        fixed.resize(fixed.len() + curve.len().checked_sub(number.len())?, 0);
        fixed.extend_from_slice(number);
    }
    Some(fixed)
}

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hex;

    #[test]
    fn numbers_side_by_side_become_der() {
        let mut fixed = vec![0; 64];
        fixed[31] = 1;
        fixed[32] = 0x80;
        let der = ecdsa_der(Curve::P256, &fixed).unwrap();
        assert_eq!(hex(&der[..8]), "3026020101022100");
        assert_eq!(der.len(), 2 + 3 + 2 + 33);
        assert_eq!(ecdsa_fixed(Curve::P256, &der).as_ref(), Some(&fixed));
        assert_eq!(ecdsa_fixed(Curve::P256, &der[1..]), None);
        assert_eq!(ecdsa_fixed(Curve::P256, &ecdsa_der(Curve::P384, &[0x7f; 96]).unwrap()), None);
        for wrong in [0, 63, 65, 96, 132] {
            assert_eq!(ecdsa_der(Curve::P256, &vec![1; wrong]), None, "{wrong} bytes");
        }
        assert!(ecdsa_der(Curve::P521, &[1; 132]).is_some());
    }

    /// RFC 8017 section 9.2, note 1, lists the bytes before each hash.
    #[cfg(feature = "pkcs11")]
    #[test]
    fn a_hash_is_named_as_pkcs1_writes_it() {
        for (hash, before) in [
            (Hash::Sha256, "3031300d060960864801650304020105000420"),
            (Hash::Sha384, "3041300d060960864801650304020205000430"),
            (Hash::Sha512, "3051300d060960864801650304020305000440"),
        ] {
            let info = hash.digest_info(&hash.digest(b"message")).unwrap();
            assert_eq!(hex(&info), format!("{before}{}", hex(&hash.digest(b"message"))));
            assert_eq!(hash.digest(b"").len(), usize::from(hash.len()));
        }
    }
}
