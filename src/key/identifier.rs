//! Object identifiers of key algorithms: those that are supported, and the names of those that are refused.

use ::pkcs8::AlgorithmIdentifierRef;
use ::pkcs8::ObjectIdentifier;
use der::asn1::AnyRef;

use crate::key::KeyError;

/// A supported type of key, as an `AlgorithmIdentifier` states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Ecdsa(Curve),
    Ed25519,
    Rsa,
}

/// The curves of ECDSA keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl KeyType {
    /// Parses an identifier. RFC 3279 section 2.3, RFC 5480 section 2.1.1, RFC 8410 section 3: RSA has parameters NULL,
    /// ECDSA a named curve, Ed25519 none.
    pub(super) fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyError> {
        match (identifier.oid, identifier.parameters) {
            (EC, Some(parameters)) => Curve::of(parameters).map(Self::Ecdsa),
            (ED25519, None) => Ok(Self::Ed25519),
            (RSA, Some(parameters)) if parameters.is_null() => Ok(Self::Rsa),
            (EC | ED25519 | RSA, _) => {
                Err(KeyError::Encoding { what: "key algorithm", reason: "its parameters are not those of its kind" })
            }
            (other, _) => Err(KeyError::Algorithm { found: name(other) }),
        }
    }

    /// The identifier in its canonical encoding.
    pub(super) fn identifier(self) -> AlgorithmIdentifierRef<'static> {
        match self {
            Self::Ecdsa(curve) => AlgorithmIdentifierRef { oid: EC, parameters: Some(AnyRef::from(curve.oid())) },
            Self::Ed25519 => AlgorithmIdentifierRef { oid: ED25519, parameters: None },
            Self::Rsa => AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
        }
    }
}

impl Curve {
    /// Parses `ECParameters`. Explicit curve parameters are refused even for a supported curve: a key would have two
    /// encodings, and they led to CVE-2020-0601.
    pub(super) fn of(parameters: AnyRef<'_>) -> Result<Self, KeyError> {
        let Ok(oid) = parameters.decode_as::<ObjectIdentifier>() else {
            return Err(KeyError::Algorithm { found: "ECDSA on a curve without a name".to_owned() });
        };
        [Self::P256, Self::P384, Self::P521]
            .into_iter()
            .find(|curve| *curve.oid() == oid)
            .ok_or_else(|| KeyError::Algorithm { found: name(oid) })
    }

    /// The object identifier of the curve.
    pub(super) fn oid(self) -> &'static ObjectIdentifier {
        match self {
            Self::P256 => &P256,
            Self::P384 => &P384,
            Self::P521 => &P521,
        }
    }

    /// The length of a coordinate, in bytes.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// The common name of `oid`, or its numbers.
pub(super) fn name(oid: ObjectIdentifier) -> String {
    let numbers = oid.to_string();
    NAMES
        .iter()
        .find(|(known, _)| *known == numbers)
        .map_or_else(|| format!("unknown ({numbers})"), |(_, name)| (*name).to_owned())
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The names of algorithms that the error messages use.
const NAMES: [(&str, &str); 29] = [
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10045.3.1.1", "ECDSA P-192"),
    ("1.2.840.10046.2.1", "Diffie-Hellman"),
    ("1.2.840.113549.1.1.10", "RSA restricted to PSS (RSASSA-PSS)"),
    ("1.2.840.113549.1.12.1.3", "PKCS#12 SHA-1 and 3-key triple DES"),
    ("1.2.840.113549.1.12.1.6", "PKCS#12 SHA-1 and 40-bit RC2"),
    ("1.2.840.113549.1.3.1", "Diffie-Hellman"),
    ("1.2.840.113549.1.5.10", "PBES1 with SHA-1 and DES"),
    ("1.2.840.113549.1.5.12", "PBKDF2"),
    ("1.2.840.113549.1.5.3", "PBES1 with MD5 and DES"),
    ("1.2.840.113549.2.7", "HMAC-SHA-1"),
    ("1.2.840.113549.3.2", "RC2"),
    ("1.2.840.113549.3.7", "triple DES"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.10", "ECDSA secp256k1"),
    ("1.3.132.0.33", "ECDSA P-224"),
    ("1.3.14.3.2.7", "DES"),
    ("1.3.36.3.3.2.8.1.1.11", "ECDSA brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "ECDSA brainpoolP512r1"),
    ("1.3.36.3.3.2.8.1.1.7", "ECDSA brainpoolP256r1"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
    ("1.3.132.0.15", "ECDSA sect163r2"),
    ("1.3.132.0.28", "ECDSA secp128r1"),
    ("1.2.156.10197.1.301", "SM2"),
];
