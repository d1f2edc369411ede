//! `Digest`: a hash algorithm and its value (OCI image specification, "Digests"), parsed, printed and computed.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha512;

use crate::text::Untrusted;

/// The content digest algorithms that the OCI image specification registers and that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// SHA-256, 32 bytes: what every registry uses.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl DigestAlgorithm {
    /// The registered name of the algorithm, which stands before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a digest is never empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A content digest: a hash algorithm and its value, which identifies content. OCI image specification, "Digests".
///
/// The only accepted spelling is the algorithm, a colon and lower-case hexadecimal of the exact length, so a digest is
/// safe as a file name and as a part of a URL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    bytes: [u8; 64],
}

/// Why a text is not an accepted digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// An algorithm other than sha256 and sha512.
    #[error("digest algorithm `{0}` is not one of sha256, sha512")]
    Algorithm(Untrusted),
    /// Not `algorithm:hex`.
    #[error("`{0}` is not a digest: wanted sha256:<64 lower-case hex digits>")]
    Form(Untrusted),
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::of(DigestAlgorithm::Sha256, bytes)
    }

    /// The digest of `bytes` by `algorithm`.
    pub fn of(algorithm: DigestAlgorithm, bytes: &[u8]) -> Self {
        // AWS-LC asks the processor for its instructions when the program is loaded, `sha2` again at its first use. In a
        // virtual machine that takes as long as hashing the manifests of an image.
        let hash = match algorithm {
            DigestAlgorithm::Sha256 => &aws_lc_rs::digest::SHA256,
            DigestAlgorithm::Sha512 => &aws_lc_rs::digest::SHA512,
        };
        Self::from_bytes(algorithm, aws_lc_rs::digest::digest(hash, bytes).as_ref())
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The digest itself: 32 or 64 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.len()).unwrap_or_default()
    }

    /// The digest in lower-case hexadecimal, without the algorithm.
    pub fn hex(&self) -> String {
        hex(self.as_bytes())
    }

    /// The digest whose hash by `algorithm` is `hash`; `None` if it has another length.
    pub(crate) fn of_hash(algorithm: DigestAlgorithm, hash: &[u8]) -> Option<Self> {
        (hash.len() == algorithm.len()).then(|| Self::from_bytes(algorithm, hash))
    }

    fn from_bytes(algorithm: DigestAlgorithm, from: &[u8]) -> Self {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        Self { algorithm, bytes }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let form = || DigestError::Form(Untrusted::within(text, SHOWN));
        let (name, encoded) = text.split_once(':').ok_or_else(form)?;
        let algorithm = match name {
            "sha256" => DigestAlgorithm::Sha256,
            "sha512" => DigestAlgorithm::Sha512,
            _ => return Err(DigestError::Algorithm(Untrusted::within(name, SHOWN))),
        };
        if encoded.len() != algorithm.len() * 2 {
            return Err(form());
        }
        let mut bytes = [0; 64];
        unhex(encoded, &mut bytes).ok_or_else(form)?;
        Ok(Self { algorithm, bytes })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An incremental hash, for bytes that arrive in pieces.
#[derive(Clone)]
pub struct Hasher {
    algorithm: DigestAlgorithm,
    state: HasherState,
}

#[derive(Clone)]
enum HasherState {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher that has seen no bytes yet.
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        let state = match algorithm {
            DigestAlgorithm::Sha256 => HasherState::Sha256(Sha256::new()),
            DigestAlgorithm::Sha512 => HasherState::Sha512(Sha512::new()),
        };
        Self { algorithm, state }
    }

    /// Hashes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            HasherState::Sha256(state) => state.update(bytes),
            HasherState::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes that were hashed.
    pub fn finish(self) -> Digest {
        match self.state {
            HasherState::Sha256(state) => Digest::from_bytes(self.algorithm, &state.finalize()),
            HasherState::Sha512(state) => Digest::from_bytes(self.algorithm, &state.finalize()),
        }
    }
}

/// Lower-case hexadecimal of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Decodes as many bytes as `text` has pairs of digits, all lower case; `None` at any other character.
fn unhex(text: &str, bytes: &mut [u8; 64]) -> Option<()> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let &[high, low] = pair else { return None };
        *byte = nibble(high)? << 4 | nibble(low)?;
    }
    Some(())
}

/// The longest part of an invalid digest that a message quotes, in characters.
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_parsed() {
        let text = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
        assert_eq!(Digest::sha256(b"{}").to_string(), text);
    }

    #[test]
    fn bytes_have_one_digest_at_once_and_in_pieces() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
            for length in [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1_000] {
                let mut hasher = Hasher::new(algorithm);
                bytes[..length].chunks(7).for_each(|piece| hasher.update(piece));
                assert_eq!(hasher.finish(), Digest::of(algorithm, &bytes[..length]), "{algorithm:?} {length}");
            }
        }
    }

    // A digest becomes part of a path and a URL, so it has one spelling (threats: digest-as-path).
    #[test]
    fn refuses_every_other_spelling() {
        let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for text in [
            "",
            ":",
            "sha256",
            "sha256:",
            "sha256:../../../../etc/passwd",
            &format!("sha256:{}", &hex[1..]),
            &format!("sha256:{hex}0"),
            &format!("sha256:{}", hex.to_uppercase()),
            &format!("SHA256:{hex}"),
            &format!("sha512:{hex}"),
            &format!("md5:{}", &hex[..32]),
            &format!("sha256+b64u:{hex}"),
            &format!("sha256:{}\0", &hex[1..]),
            &format!(" sha256:{hex}"),
            &format!("sha256:{hex}\n"),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text:?} was accepted");
        }
    }
}
