//! Signature formats that bulla does not verify: recognized, so that a message can name them.

use crate::oci::Manifest;

/// The name of the signature format of a manifest, by its types, if bulla does not verify this format.
pub(super) fn of(manifest: &Manifest) -> Option<&'static str> {
    let layers = manifest.layers.iter().map(|layer| layer.media_type.as_str());
    let types =
        || [manifest.artifact_type.as_str(), manifest.config.media_type.as_str()].into_iter().chain(layers.clone());
    let any = |is: fn(&str) -> bool| types().any(is);
    if any(|kind| kind.contains("pgp") || kind.contains("gpg")) {
        return Some(PGP);
    }
    any(|kind| kind.starts_with("application/vnd.tuf"))
        .then_some("metadata of The Update Framework (Docker Content Trust)")
}

/// Whether bytes are an OpenPGP message or signature in ASCII armor. RFC 9580 section 6.2.
pub(super) fn is_pgp(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"-----BEGIN PGP ")
}

/// The name of the signature format of bytes that are not JSON, if bulla does not verify this format.
pub fn of_bytes(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        _ if is_pgp(bytes) => Some("an OpenPGP message, key or signature"),
        // RFC 9580 section 4.2: a signature, a one-pass signature, a key, compressed data, of either packet format.
        [0x88..=0x8b | 0x90..=0x93 | 0x98..=0x9b | 0xa0..=0xa3 | 0xc2 | 0xc4 | 0xc6 | 0xc8, ..] => {
            Some("an OpenPGP message, key or signature")
        }
        _ => None,
    }
}

/// The name of the signature format of a JSON object with these fields, if bulla does not verify this format.
pub fn of_fields(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let all = |names: &[&str]| names.iter().all(|name| has(name));
    all(&["signed", "signatures"]).then_some("metadata of The Update Framework (Docker Content Trust)")
}

pub(super) const PGP: &str = "an OpenPGP signature (GnuPG simple signing)";
