//! `TufKey`: a key of a role; `RoleKeys`: the keys of a role, and how many of them must have signed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::ordered;

/// A public key and the one scheme by which its signatures are verified.
#[derive(Clone, Debug)]
pub(super) struct TufKey {
    key: PublicKey,
    scheme: Scheme,
}

/// The keys of a role by their key ids, and the threshold. A key id is a name that the metadata chose: keys are counted
/// by what they are, so that one key under two ids counts once (CVE-2020-6174).
#[derive(Clone, Debug)]
pub(super) struct RoleKeys {
    pub(super) keys: BTreeMap<String, TufKey>,
    pub(super) threshold: NonZeroU32,
}

/// A key of another kind than the supported ones, or one that cannot be read.
struct UnusableKey;

#[derive(Deserialize)]
pub(super) struct TufKeyWire<'a> {
    #[serde(borrow)]
    keytype: Cow<'a, str>,
    #[serde(borrow)]
    scheme: Cow<'a, str>,
    #[serde(borrow)]
    keyval: KeyValueWire<'a>,
}

#[derive(Deserialize)]
struct KeyValueWire<'a> {
    #[serde(borrow, default)]
    public: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct RoleWire<'a> {
    #[serde(borrow)]
    keyids: Vec<Cow<'a, str>>,
    threshold: NonZeroU32,
}

impl TufKey {
    /// The key, by the scheme that its metadata names.
    fn read(wire: &TufKeyWire<'_>) -> Result<Self, UnusableKey> {
        let public = wire.keyval.public.as_deref().ok_or(UnusableKey)?;
        let (key, scheme) = match (&*wire.keytype, &*wire.scheme) {
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                (read_key(public, &P256_SPKI)?, Scheme::EcdsaP256Sha256)
            }
            ("ed25519", "ed25519") => (read_key(public, &ED25519_SPKI)?, Scheme::Ed25519),
            ("rsa", "rsassa-pss-sha256") => {
                (PublicKey::parse(public.as_bytes()).map_err(|_| UnusableKey)?, Scheme::RsaPssSha256)
            }
            _ => return Err(UnusableKey),
        };
        let fits = match key.algorithm() {
            Algorithm::EcdsaP256 => scheme == Scheme::EcdsaP256Sha256,
            Algorithm::Ed25519 => scheme == Scheme::Ed25519,
            Algorithm::Rsa { .. } => scheme == Scheme::RsaPssSha256,
            _ => false,
        };
        if fits { Ok(Self { key, scheme }) } else { Err(UnusableKey) }
    }
}

impl RoleKeys {
    /// The keys of a role out of all keys of a document. A key that is not listed, or cannot be used, signs nothing: that
    /// can only make a threshold fail.
    pub(super) fn read(wire: &RoleWire<'_>, listed: &BTreeMap<Cow<'_, str>, TufKeyWire<'_>>) -> Self {
        let mut keys = BTreeMap::new();
        for id in &wire.keyids {
            if let Some(Ok(key)) = listed.get(id).map(TufKey::read) {
                keys.insert(id.to_string(), key);
            }
        }
        Self { keys, threshold: wire.threshold }
    }

    /// How many different keys of the role have signed `message`.
    pub(super) fn count(&self, message: &[u8], signatures: &BTreeMap<String, Vec<u8>>) -> usize {
        let signers = self.keys.iter().filter_map(|(id, key)| {
            let signature = signatures.get(id)?;
            key.key.verify_as(key.scheme, message, signature).is_ok().then(|| key.key.id())
        });
        ordered::set(signers).len()
    }

    /// Whether the other role has the same keys and threshold.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let ids = |role: &Self| ordered::set(role.keys.values().map(|key| key.key.id()));
        self.threshold == other.threshold && ids(self) == ids(other)
    }
}

/// A key in PEM, or the bare key in hexadecimal, which older tools write.
fn read_key(public: &str, spki_start: &[u8]) -> Result<PublicKey, UnusableKey> {
    let key = match unhex(public) {
        Some(bare) => PublicKey::from_spki(&[spki_start, &bare].concat()),
        None => PublicKey::parse(public.as_bytes()),
    };
    key.map_err(|_| UnusableKey)
}

/// The bytes of hexadecimal text.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a' - 10),
        b'A'..=b'F' => byte.checked_sub(b'A' - 10),
        _ => None,
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect::<Option<Vec<u8>>>()).flatten()
}

/// What stands before the point of a P-256 key, in uncompressed form, in its SubjectPublicKeyInfo (RFC 5480).
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What stands before an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
