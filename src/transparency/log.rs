//! `TransparencyLog` and `CertificateLog`: the logs that the operator trusts, each with its key and validity period.

use std::fmt;

use crate::digest::Digest;
use crate::digest::hex;
use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::time::ValidityPeriod;

/// The id of a log: the SHA-256 of its `SubjectPublicKeyInfo` (RFC 6962 section 3.2, Rekor v1), or the hash of name and key
/// that begins with the key id of C2SP signed-note, whole or those four bytes alone (Rekor v2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(Vec<u8>);

/// A log of signatures that the operator trusts: Rekor v1 or v2. It never vouches for certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransparencyLog {
    identity: LogIdentity,
    origins: Vec<String>,
}

/// A log of certificates that the operator trusts (RFC 6962). It never vouches for signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateLog(LogIdentity);

/// What both kinds of logs have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LogIdentity {
    id: LogId,
    key: PublicKey,
    validity: ValidityPeriod,
}

impl LogId {
    /// The id whose bytes are `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The id of a log in RFC 6962 and Rekor v1: the SHA-256 of its key.
    pub fn of_key(key: &PublicKey) -> Self {
        Self(Digest::sha256(key.spki()).as_bytes().to_vec())
    }

    /// The bytes: 32, or the four of a key id.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Lower-case hexadecimal, as Rekor writes it.
impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

impl TransparencyLog {
    /// The log at `base_url`, whose origin in checkpoints is that URL without its scheme, or its host name.
    pub fn new(id: LogId, base_url: &str, key: PublicKey, validity: ValidityPeriod) -> Self {
        Self { identity: LogIdentity { id, key, validity }, origins: origins(base_url) }
    }

    /// The id of a Rekor v2 log at `base_url` with this key: the whole hash whose beginning is the key id in notes under its
    /// host name (C2SP signed-note).
    pub fn id_of(base_url: &str, key: &PublicKey) -> LogId {
        let host = origins(base_url).pop().unwrap_or_default();
        LogId(note_key_id(&host, key).as_bytes().to_vec())
    }

    /// Its id.
    pub const fn id(&self) -> &LogId {
        &self.identity.id
    }

    /// Its key.
    pub const fn key(&self) -> &PublicKey {
        &self.identity.key
    }

    /// From when until when its key is valid.
    pub const fn validity(&self) -> ValidityPeriod {
        self.identity.validity
    }

    /// The origins that its checkpoints may have.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    pub(super) fn has_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// Whether its id is the one of its key: the SHA-256 of the key, or of one of its origins and the key. The specification
    /// of Rekor v2 calls the first four bytes of the latter the id, the key id of C2SP signed-note.
    pub fn has_id_of_key(&self) -> bool {
        let is_id = |name: &String| {
            let (id, whole) = (self.id().as_bytes(), self.note_key_id(name));
            id == whole.as_bytes() || whole.as_bytes().first_chunk::<4>().is_some_and(|short| id == short)
        };
        *self.id() == LogId::of_key(self.key()) || self.origins.iter().any(is_id)
    }

    /// Whether `hint` is the key hint of its key in a note under `name`: the beginning of its id, or of the key id.
    pub(super) fn is_key_hint(&self, name: &str, hint: &[u8; 4]) -> bool {
        self.id().as_bytes().starts_with(hint) || self.note_key_id(name).as_bytes().starts_with(hint)
    }

    fn note_key_id(&self, name: &str) -> Digest {
        note_key_id(name, self.key())
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.identity.has_signed(message, signature)
    }
}

impl CertificateLog {
    /// The log with this key, whose id is the SHA-256 of it (RFC 6962 section 3.2).
    pub fn new(key: PublicKey, validity: ValidityPeriod) -> Self {
        Self(LogIdentity { id: LogId::of_key(&key), key, validity })
    }

    /// Its id.
    pub const fn id(&self) -> &LogId {
        &self.0.id
    }

    /// Its key.
    pub const fn key(&self) -> &PublicKey {
        &self.0.key
    }

    /// From when until when its key is valid.
    pub const fn validity(&self) -> ValidityPeriod {
        self.0.validity
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.has_signed(message, signature)
    }
}

impl LogIdentity {
    /// The key decides by which algorithm a log signs, as the algorithm registry of Sigstore lists them.
    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let scheme = match self.key.algorithm() {
            Algorithm::EcdsaP256 => Scheme::EcdsaP256Sha256,
            Algorithm::EcdsaP384 => Scheme::EcdsaP384Sha384,
            Algorithm::EcdsaP521 => Scheme::EcdsaP521Sha512,
            Algorithm::Ed25519 => Scheme::Ed25519,
            Algorithm::Rsa { .. } => Scheme::RsaPkcs1Sha256,
        };
        self.key.verify_as(scheme, message, signature).is_ok()
    }
}

/// The key id in notes under `name` before it is shortened. C2SP signed-note, "Signature types": Ed25519 hashes name and
/// key, ECDSA the `SubjectPublicKeyInfo`.
fn note_key_id(name: &str, key: &PublicKey) -> Digest {
    match key.algorithm() {
        Algorithm::Ed25519 => {
            let raw = key.spki().last_chunk::<32>().map(<[u8; 32]>::as_slice).unwrap_or_default();
            Digest::sha256(&[name.as_bytes(), b"\n\x01", raw].concat())
        }
        _ => Digest::sha256(key.spki()),
    }
}

/// The URL without its scheme and a slash at its end, the same without a path, and without a port.
fn origins(base_url: &str) -> Vec<String> {
    let whole = base_url.split_once("://").map_or(base_url, |(_, rest)| rest).trim_end_matches('/');
    let authority = whole.split('/').next().unwrap_or(whole);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let mut all: Vec<_> = [whole, authority, host].map(str::to_owned).into();
    all.retain(|origin| !origin.is_empty());
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in checkpoints follow from the address of the log: with its path and port, and without.
    #[test]
    fn the_names_of_a_log_follow_from_its_address() {
        for (address, names) in [
            ("https://log.example", &["log.example"][..]),
            ("https://log.example/2025/", &["log.example/2025", "log.example"]),
            ("log.example:8443/a", &["log.example:8443/a", "log.example:8443", "log.example"]),
            ("https://[2001:db8::1]/a", &["[2001:db8::1]/a", "[2001:db8::1]"]),
            ("https://", &[]),
        ] {
            assert_eq!(origins(address), names, "{address}");
        }
    }
}
