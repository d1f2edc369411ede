//! `CertificationRequest`: a request to a certificate authority (PKCS#10, RFC 2986), made with any key, or read.
//!
//! Invariant: a request that is read was signed by the key that it is about.

use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::SignerError;
use crate::key::pem;
use crate::limits;
use crate::limits::Limits;
use crate::x509::BundleError;
use crate::x509::CertificateError;
use crate::x509::GeneralName;
use crate::x509::Name;
use crate::x509::Purpose;
use crate::x509::bundle;
use crate::x509::candidates::SignedBytes;
use crate::x509::certificate_signature;
use crate::x509::der;
use crate::x509::encode::encoded;
use crate::x509::encode::sequence;
use crate::x509::extension as extensions;
use crate::x509::fields::Fields;
use crate::x509::leaf_extensions;
use crate::x509::profile::Ed25519;

/// A certification request: a subject, a key, and alternative names, signed by that key.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
    /// The DER `GeneralNames`, if there are any.
    alternative_names: Option<Vec<u8>>,
    der: Vec<u8>,
    key: PublicKey,
    subject: Name,
}

/// A certification request that cannot be made or is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificationRequestError {
    /// A file that is not one request.
    #[error("certification request: {0}")]
    File(BundleError),
    /// A key that is not used.
    #[error("certification request: {0}")]
    Key(KeyError),
    /// Bytes that are not a request.
    #[error("certification request cannot be read: {what} (RFC 2986 section 4)")]
    Malformed {
        /// What cannot be read.
        what: &'static str,
    },
    /// A name that cannot be read.
    #[error("certification request: {0}")]
    Name(CertificateError),
    /// A signature by another key, or by an algorithm that is not supported.
    #[error("the signature on the certification request is not by its own key (RFC 2986 section 4.2)")]
    Signature,
    /// The key did not sign.
    #[error("certification request: {0}")]
    Signer(SignerError),
    /// More bytes than allowed.
    #[error("certification request has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
}

impl CertificationRequest {
    /// Makes a request for a certificate of `subject`, with these alternative names, for the key of `signer` and for
    /// `purpose`: it asks for the key usage digitalSignature and for the extended key usage of the purpose.
    ///
    /// # Errors
    /// [`CertificationRequestError::Signer`].
    pub fn make(
        subject: &Name,
        alternative_names: &[GeneralName],
        purpose: Purpose,
        signer: &dyn Signer,
    ) -> Result<Self, CertificationRequestError> {
        let key = signer.public_key().clone();
        let names: Vec<u8> = alternative_names.iter().flat_map(GeneralName::to_der).collect();
        let names = (!names.is_empty()).then(|| encoded(der::SEQUENCE, &names));
        let mut wanted = leaf_extensions::uses(purpose);
        wanted.extend(names.as_deref().map(leaf_extensions::alternative_names).unwrap_or_default());
        let wanted = encoded(der::SEQUENCE, &wanted);
        let attribute = sequence(&[&encoded(der::OBJECT_ID, EXTENSION_REQUEST), &encoded(der::SET, &wanted)]);
        let attributes = encoded(ATTRIBUTES, &attribute);
        let info = sequence(&[&encoded(der::INTEGER, &[0]), subject.der(), key.spki(), &attributes]);
        let der = certificate_signature::signed(signer, |_| info.clone()).map_err(CertificationRequestError::Signer)?;
        Ok(Self { alternative_names: names, der, key, subject: subject.clone() })
    }

    /// Parses a request in PEM or DER, and verifies that its own key signed it. Of the extensions that it asks for, the
    /// alternative names are read.
    ///
    /// # Errors
    /// [`CertificationRequestError`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, CertificationRequestError> {
        let labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
        let all = bundle::encodings(bytes, &labels, 1, limits.envelope.bundle_bytes);
        let mut all = all.map_err(CertificationRequestError::File)?;
        let none = || CertificationRequestError::File(BundleError::None { wanted: "certification request" });
        let (_, der) = all.pop().ok_or_else(none)?;
        let limit = limits.envelope.certificate_bytes;
        if limits::count(der.len()) > limit {
            return Err(CertificationRequestError::TooLarge { limit });
        }
        let malformed = |what| CertificationRequestError::Malformed { what };
        if !der::is_strict(&der) {
            return Err(malformed("it is not DER"));
        }
        let read = RequestFields::of(&der).ok_or_else(|| malformed("a field is missing or has another type"))?;
        let signed = SignedBytes { algorithm_id: read.algorithm_id, signature: read.signature, signed: read.signed };
        if !signed.is_signed_by_key(read.spki, Ed25519::Allowed) {
            return Err(CertificationRequestError::Signature);
        }
        let names = requested_names(read.attributes).ok_or_else(|| malformed("its attributes"))?;
        Ok(Self {
            alternative_names: names,
            key: PublicKey::from_spki(read.spki).map_err(CertificationRequestError::Key)?,
            subject: Name::read(read.subject).map_err(CertificationRequestError::Name)?,
            der,
        })
    }

    /// The bytes of the request, in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key that signed it.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whom the certificate is to be about.
    pub const fn subject(&self) -> &Name {
        &self.subject
    }

    /// The request in PEM (RFC 7468 section 7).
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE REQUEST", &self.der).to_string()
    }

    /// The DER `GeneralNames` that are asked for, if there are any.
    pub(super) fn alternative_names(&self) -> Option<&[u8]> {
        self.alternative_names.as_deref()
    }
}

/// The fields of a `CertificationRequest` (RFC 2986 section 4).
struct RequestFields<'a> {
    algorithm_id: &'a [u8],
    attributes: &'a [u8],
    signature: &'a [u8],
    signed: &'a [u8],
    spki: &'a [u8],
    subject: &'a [u8],
}

impl<'a> RequestFields<'a> {
    fn of(request: &'a [u8]) -> Option<Self> {
        let mut outer = Fields::sequence(request)?;
        let info = outer.take(der::SEQUENCE)?;
        let algorithm_id = outer.content(der::SEQUENCE)?;
        let signature = outer.content(der::BIT_STRING)?.strip_prefix(&[0])?;
        outer.end()?;
        let mut inner = Fields::of(info.content);
        if inner.small()? != 0 {
            return None;
        }
        let subject = inner.take(der::SEQUENCE)?.encoding;
        let spki = inner.take(der::SEQUENCE)?.encoding;
        let attributes = inner.content(ATTRIBUTES)?;
        inner.end()?;
        Some(Self { algorithm_id, attributes, signature, signed: info.encoding, spki, subject })
    }
}

/// The alternative names among the extensions that are asked for; `None` if the attributes cannot be read.
#[expect(clippy::option_option, reason = "the names may be absent, and the attributes unreadable")]
fn requested_names(attributes: &[u8]) -> Option<Option<Vec<u8>>> {
    let mut names = None;
    for attribute in der::values(attributes)? {
        let mut fields = Fields::of(attribute.content);
        let (id, values) = (fields.content(der::OBJECT_ID)?, fields.content(der::SET)?);
        if id != EXTENSION_REQUEST {
            continue;
        }
        for wanted in der::values(der::only(values, der::SEQUENCE)?)? {
            let mut fields = Fields::of(wanted.content);
            let id = fields.content(der::OBJECT_ID)?;
            fields.content(der::BOOLEAN);
            let value = fields.content(der::OCTET_STRING)?;
            if id == extensions::SUBJECT_ALTERNATIVE_NAME {
                GeneralName::read_all(value).filter(|all| !all.is_empty() && names.is_none())?;
                names = Some(value.to_vec());
            }
        }
    }
    Some(names)
}

/// PKCS#9 `extensionRequest` (RFC 2985 section 5.4.2).
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
const ATTRIBUTES: u8 = 0xa0;
