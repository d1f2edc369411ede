//! Public keys as JSON Web Keys: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::json;
use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;
use crate::key::openssh;
use crate::limits::Limits;
use crate::text::Untrusted;

/// The JSON form: the members that determine the key.
#[derive(Deserialize)]
struct JwkWire {
    kty: String,
    crv: Option<String>,
    /// The private key: if it is present, this is not a public key file.
    d: Option<IgnoredAny>,
    e: Option<String>,
    n: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Parses a JSON Web Key; `None` if the bytes are something else.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Option<Result<PublicKey, KeyError>> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let wire: JwkWire = json::parse_document(bytes, limits).ok()?;
    Some(parse(&wire))
}

fn parse(wire: &JwkWire) -> Result<PublicKey, KeyError> {
    let malformed = |reason| KeyError::Encoding { what: "JSON Web Key", reason };
    if wire.d.is_some() {
        return Err(KeyError::Kind { found: "a private JSON Web Key".to_owned(), wanted: "a public key" });
    }
    if wire.purpose.as_ref().is_some_and(|purpose| purpose != "sig") {
        return Err(malformed("its `use` is not `sig`"));
    }
    let number = |field: &Option<String>| -> Result<Vec<u8>, KeyError> {
        let text = field.as_ref().ok_or_else(|| malformed("a field of its kind of key is missing"))?;
        URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("a field is not base64url without padding"))
    };
    let curve = match (wire.kty.as_str(), wire.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => return PublicKey::new(KeyType::Ed25519, &number(&wire.x)?),
        ("RSA", None) => return openssh::rsa(&number(&wire.e)?, &number(&wire.n)?),
        ("EC", Some("P-256")) => Curve::P256,
        ("EC", Some("P-384")) => Curve::P384,
        ("EC", Some("P-521")) => Curve::P521,
        (kind, curve) => {
            let curve = curve.map_or_else(String::new, |curve| format!(" {curve}"));
            let found = Untrusted::within(&format!("{kind}{curve}"), 40).to_string();
            return Err(KeyError::Algorithm { found });
        }
    };
    let (x, y) = (number(&wire.x)?, number(&wire.y)?);
    // RFC 7518 section 6.2.1.2: each coordinate has the full length of the curve.
    match x.len() == curve.len() && y.len() == curve.len() {
        true => PublicKey::new(KeyType::Ecdsa(curve), &[&[4], x.as_slice(), &y].concat()),
        false => Err(malformed("a coordinate is not as long as its curve asks")),
    }
}
