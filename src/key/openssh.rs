//! Public keys as OpenSSH writes them: one line, RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Encode as _;
use der::asn1::UintRef;

use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;

/// Parses `text` if it is one line of a supported type of key; `None` if it is something else.
pub(super) fn read(text: &str) -> Option<Result<PublicKey, KeyError>> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let mut words = line.split_ascii_whitespace();
    let (kind, encoded) = (words.next()?, words.next()?);
    KINDS.contains(&kind).then(|| parse(kind, encoded))
}

/// Parses the base64 part strictly: its key type must be `kind`, and no bytes may follow the last field.
fn parse(kind: &str, encoded: &str) -> Result<PublicKey, KeyError> {
    let malformed =
        || KeyError::Encoding { what: "OpenSSH public key", reason: "its fields are not those of its kind" };
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
    let mut rest = bytes.as_slice();
    let mut field = || -> Result<&[u8], KeyError> {
        let (length, after) = rest.split_first_chunk().ok_or_else(malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| malformed())?;
        let (field, after) = after.split_at_checked(length).ok_or_else(malformed)?;
        rest = after;
        Ok(field)
    };
    if field()? != kind.as_bytes() {
        return Err(malformed());
    }
    let key = match kind {
        "ssh-ed25519" => PublicKey::new(KeyType::Ed25519, field()?)?,
        "ssh-rsa" => rsa(field()?, field()?)?,
        _ => {
            let (curve, name) = curve(kind).ok_or_else(malformed)?;
            if field()? != name.as_bytes() {
                return Err(malformed());
            }
            PublicKey::new(KeyType::Ecdsa(curve), field()?)?
        }
    };
    match rest.is_empty() {
        true => Ok(key),
        false => Err(malformed()),
    }
}

/// The RSA public key of an exponent and a modulus, in the order of SSH, where a leading zero byte marks a number as
/// positive.
pub(super) fn rsa(exponent: &[u8], modulus: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = |_| KeyError::Encoding { what: "RSA public key", reason: "its numbers are not positive" };
    let positive = |bytes| UintRef::new(bytes).map_err(malformed);
    let numbers = vec![positive(modulus)?, positive(exponent)?];
    PublicKey::new(KeyType::Rsa, &numbers.to_der().map_err(malformed)?)
}

fn curve(kind: &str) -> Option<(Curve, &'static str)> {
    match kind {
        "ecdsa-sha2-nistp256" => Some((Curve::P256, "nistp256")),
        "ecdsa-sha2-nistp384" => Some((Curve::P384, "nistp384")),
        "ecdsa-sha2-nistp521" => Some((Curve::P521, "nistp521")),
        _ => None,
    }
}

const KINDS: [&str; 5] =
    ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-ed25519", "ssh-rsa"];
