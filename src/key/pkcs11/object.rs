//! `TokenObject`: a key or certificate on a token, its attributes and its public key.

use cryptoki::object::Attribute;
use cryptoki::object::AttributeType;
use cryptoki::object::KeyType as TokenKeyType;
use cryptoki::object::ObjectClass;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use der::Decode as _;
use der::Encode as _;
use der::asn1::AnyRef;
use der::asn1::BitStringRef;
use der::asn1::ObjectIdentifier;
use der::asn1::OctetStringRef;
use der::asn1::PrintableStringRef;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::algorithm;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;
use crate::key::pkcs11::Class;
use crate::key::pkcs11::TokenEntry;
use crate::key::pkcs11::TokenError;
use crate::key::pkcs11::TokenName;
use crate::key::pkcs11::Uri;

/// A key or certificate on a token, with the attributes that were read.
#[derive(Clone, Debug)]
pub(super) struct TokenObject {
    pub(super) handle: ObjectHandle,
    class: Class,
    attributes: Vec<Attribute>,
}

/// Finds the objects of one class (`C_FindObjects`) with the label and id of `uri`. Both are compared again, so that a
/// token that ignores the search template cannot choose the key.
pub(super) fn find(session: &Session, class: Class, uri: &Uri) -> Result<Vec<TokenObject>, TokenError> {
    let mut template = vec![Attribute::Class(match class {
        Class::Certificate => ObjectClass::CERTIFICATE,
        Class::Private => ObjectClass::PRIVATE_KEY,
        Class::Public => ObjectClass::PUBLIC_KEY,
    })];
    template.extend(uri.object().map(|label| Attribute::Label(label.as_bytes().to_vec())));
    template.extend(uri.id().map(|id| Attribute::Id(id.to_vec())));
    let handles = session.find_objects(&template).map_err(|error| TokenError::of(&error))?;
    let mut objects = Vec::new();
    for handle in handles {
        let object = TokenObject { handle, class, attributes: attributes(session, handle, class)? };
        // The token may have ignored the template.
        let label = uri.object().is_none_or(|label| object.label().as_deref() == Some(label.as_bytes()));
        let id = uri.id().is_none_or(|id| object.id() == id);
        if label && id {
            objects.push(object);
        }
    }
    Ok(objects)
}

/// Reads the attributes of an object: all in one call, or one by one if the module refuses that because it does not
/// know one of them.
fn attributes(session: &Session, handle: ObjectHandle, class: Class) -> Result<Vec<Attribute>, TokenError> {
    let wanted = match class {
        Class::Certificate => CERTIFICATE,
        Class::Private => PRIVATE,
        Class::Public => PUBLIC,
    };
    match session.get_attributes(handle, wanted) {
        Ok(found) => Ok(found),
        Err(_) => {
            let single = |one: &AttributeType| session.get_attributes(handle, &[*one]).unwrap_or_default();
            let found: Vec<_> = wanted.iter().flat_map(single).collect();
            match found.is_empty() {
                true => session.get_attributes(handle, &[AttributeType::Label]).map_err(|error| TokenError::of(&error)),
                false => Ok(found),
            }
        }
    }
}

impl TokenObject {
    /// The attribute `CKA_ID`; empty if it has none.
    pub(super) fn id(&self) -> Vec<u8> {
        self.bytes(AttributeType::Id).unwrap_or_default()
    }

    /// The attribute `CKA_LABEL`.
    fn label(&self) -> Option<Vec<u8>> {
        self.bytes(AttributeType::Label)
    }

    /// The label as text, for messages.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.label().unwrap_or_default()).into_owned()
    }

    /// Whether the PIN is required for each signature (`CKA_ALWAYS_AUTHENTICATE`).
    pub(super) fn always_authenticates(&self) -> bool {
        self.attributes.contains(&Attribute::AlwaysAuthenticate(true))
    }

    /// Whether the key may sign (`CKA_SIGN`). True if the token does not report it, since the token enforces it anyway.
    pub(super) fn may_sign(&self) -> bool {
        !self.attributes.contains(&Attribute::Sign(false))
    }

    /// Whether the token reports that the private key cannot be extracted (`CKA_SENSITIVE`, and not `CKA_EXTRACTABLE`).
    pub(super) fn is_non_extractable(&self) -> bool {
        let says = |attribute| self.attributes.contains(&attribute);
        says(Attribute::Sensitive(true)) && says(Attribute::Extractable(false))
    }

    pub(super) fn entry(&self, token: &TokenName) -> TokenEntry {
        let public = self.public_key().ok().flatten();
        let (id, label) = (self.id(), self.name());
        let uri = Uri::of(&token.label, &token.serial, self.class, &label, &id);
        let what = public.as_ref().map_or_else(|| self.kind(), |key| key.algorithm().to_string());
        TokenEntry { class: self.class, id, label, public, uri, what }
    }

    /// The type of the key as the token reports it, for messages, if the public key is unknown.
    fn kind(&self) -> String {
        let key_type = self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::KeyType(key_type) => Some(*key_type),
            _ => None,
        });
        match (key_type, self.class) {
            (Some(TokenKeyType::EC), _) => "ECDSA".to_owned(),
            (Some(TokenKeyType::EC_EDWARDS), _) => "EdDSA".to_owned(),
            (Some(TokenKeyType::RSA), _) => "RSA".to_owned(),
            (Some(other), _) => other.to_string(),
            (None, Class::Certificate) => "certificate".to_owned(),
            (None, _) => "unknown".to_owned(),
        }
    }

    /// The public key from the attributes of this object alone; `None` where they do not contain it.
    pub(super) fn public_key(&self) -> Result<Option<PublicKey>, KeyError> {
        if let (Class::Certificate, Some(value)) = (self.class, self.bytes(AttributeType::Value)) {
            return certificate(&value).map(Some);
        }
        let modulus = self.bytes(AttributeType::Modulus).filter(|modulus| !modulus.is_empty());
        if let (Some(modulus), Some(exponent)) = (modulus, self.bytes(AttributeType::PublicExponent)) {
            return PublicKey::new(KeyType::Rsa, &algorithm::rsa_public(&modulus, &exponent)?).map(Some);
        }
        match (self.bytes(AttributeType::EcParams), self.bytes(AttributeType::EcPoint)) {
            (Some(params), Some(point)) if !point.is_empty() => elliptic(&params, &point).map(Some),
            _ => {
                let info = self.bytes(AttributeType::PublicKeyInfo).filter(|info| !info.is_empty());
                info.map(|info| PublicKey::from_spki(&info)).transpose()
            }
        }
    }

    fn bytes(&self, wanted: AttributeType) -> Option<Vec<u8>> {
        let found = self.attributes.iter().find(|attribute| attribute.attribute_type() == wanted)?;
        match found {
            Attribute::EcParams(bytes)
            | Attribute::EcPoint(bytes)
            | Attribute::Id(bytes)
            | Attribute::Label(bytes)
            | Attribute::Modulus(bytes)
            | Attribute::PublicExponent(bytes)
            | Attribute::PublicKeyInfo(bytes)
            | Attribute::Value(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

/// The public key of a certificate. Nothing else of the certificate is checked: no validity, issuer or key usage.
fn certificate(der: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = |_| KeyError::Encoding { what: "certificate", reason: "it is not X.509" };
    let (_, certificate) = X509Certificate::from_der(der).map_err(malformed)?;
    PublicKey::from_spki(certificate.tbs_certificate.subject_pki.raw)
}

/// The public key of an elliptic curve key. PKCS#11 3.0 section 2.3.3: the parameters are the DER of a named curve; for
/// an Edwards curve also its name as text.
fn elliptic(params: &[u8], point: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = |reason| KeyError::Encoding { what: "public key on the token", reason };
    let any = AnyRef::from_der(params).map_err(|_| malformed("its curve is not DER"))?;
    if any.decode_as::<ObjectIdentifier>().is_ok_and(|oid| oid == ED25519)
        || any.decode_as::<PrintableStringRef<'_>>().is_ok_and(|name| name.as_str() == EDWARDS)
    {
        return PublicKey::new(KeyType::Ed25519, &unwrapped(point, 32));
    }
    let curve = Curve::of(any)?;
    PublicKey::new(KeyType::Ecdsa(curve), &unwrapped(point, 1 + 2 * curve.len()))
}

/// The EC point without its wrapping: the specification says `OCTET STRING`; some tokens use `BIT STRING` or none.
fn unwrapped(point: &[u8], length: usize) -> Vec<u8> {
    if point.len() == length {
        return point.to_vec();
    }
    if let Ok(octets) = <&OctetStringRef>::from_der(point) {
        return octets.as_bytes().to_vec();
    }
    let bits = BitStringRef::from_der(point).ok().and_then(|bits| bits.as_bytes());
    bits.unwrap_or(point).to_vec()
}

/// The `CKA_EC_PARAMS` for a new key of this type; `None` for RSA.
pub(super) fn ec_parameters(key_type: KeyType) -> Option<Vec<u8>> {
    match key_type {
        KeyType::Ecdsa(curve) => curve.oid().to_der().ok(),
        KeyType::Ed25519 => ED25519.to_der().ok(),
        KeyType::Rsa => None,
    }
}

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EDWARDS: &str = "edwards25519";

const CERTIFICATE: &[AttributeType] = &[AttributeType::Label, AttributeType::Id, AttributeType::Value];

const PRIVATE: &[AttributeType] = &[
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Sign,
    AttributeType::Sensitive,
    AttributeType::Extractable,
    AttributeType::AlwaysAuthenticate,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::PublicKeyInfo,
];

const PUBLIC: &[AttributeType] = &[
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::PublicKeyInfo,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;

    #[test]
    fn a_point_may_be_wrapped_or_bare() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let point = key.public_key().spki()[26..].to_vec();
        let curve = ec_parameters(KeyType::Ecdsa(Curve::P256)).unwrap();
        let octets = OctetStringRef::new(&point).unwrap().to_der().unwrap();
        let bits = BitStringRef::from_bytes(&point).unwrap().to_der().unwrap();
        for form in [&point, &octets, &bits] {
            assert_eq!(elliptic(&curve, form).unwrap(), *key.public_key());
        }
        for wrong in [&point[1..], &octets[..30], &[]] {
            assert!(elliptic(&curve, wrong).is_err());
        }
    }

    #[test]
    fn edwards_curves_have_two_names() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let point = key.public_key().spki()[12..].to_vec();
        let name = PrintableStringRef::new(EDWARDS).unwrap().to_der().unwrap();
        for curve in [ec_parameters(KeyType::Ed25519).unwrap(), name] {
            assert_eq!(elliptic(&curve, &point).unwrap(), *key.public_key());
        }
        assert!(elliptic(&PrintableStringRef::new("edwards448").unwrap().to_der().unwrap(), &point).is_err());
    }
}
