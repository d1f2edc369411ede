//! `NotaryDraft`: an envelope to be signed. The bytes to be signed come first, the envelope when the signature is there.

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::ExtendedAttribute;
use crate::envelope::notary::attributes::ExtendedName;
use crate::envelope::notary::attributes::ExtendedValue;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::base64_text;
use crate::envelope::notary::cose;
use crate::envelope::notary::cose_writer;
use crate::envelope::notary::draft_parts::TextAttribute;
use crate::envelope::notary::draft_parts::UnsignedAttributes;
use crate::envelope::notary::envelope::NotaryEnvelope;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::NotaryFormat;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::jws;
use crate::envelope::notary::jws_writer;
use crate::envelope::notary::names;
use crate::envelope::notary::rule::NotaryRule;
use crate::envelope::notary::times;
use crate::json;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;

/// An envelope without its signature: format, algorithm, payload and signed attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotaryDraft {
    format: NotaryFormat,
    payload: Vec<u8>,
    protected: Vec<u8>,
    scheme: Scheme,
}

impl NotaryDraft {
    /// An envelope of `payload`, which [`NotaryPayload::to_bytes`](crate::envelope::NotaryPayload::to_bytes) makes.
    ///
    /// # Errors
    /// [`NotaryError`] for attributes that break a rule, and for those that are not written: reserved names, values that
    /// are not text, verification plugins.
    pub fn new(
        format: NotaryFormat,
        algorithm: NotaryAlgorithm,
        attributes: &NotaryAttributes,
        payload: &[u8],
    ) -> Result<Self, NotaryError> {
        let extended = check(attributes)?;
        let protected = match format {
            NotaryFormat::Cose => cose_writer::protected(algorithm, attributes, &extended),
            NotaryFormat::Jws => jws_writer::protected(algorithm, attributes, &extended)?,
        };
        Ok(Self { format, payload: payload.to_vec(), protected, scheme: algorithm.scheme() })
    }

    /// The message that the signature must cover.
    pub fn to_be_signed(&self) -> Vec<u8> {
        match self.format {
            NotaryFormat::Cose => cose::to_be_signed(&self.protected, &self.payload),
            NotaryFormat::Jws => {
                let [protected, payload] = [&self.protected, &self.payload].map(|part| base64_text::encode_url(part));
                jws::to_be_signed(&protected, &payload)
            }
        }
    }

    /// Signs the message. The result has the encoding of JWS and COSE, which [`NotaryDraft::assemble`] takes.
    ///
    /// # Errors
    /// The error of the signer; [`SignerError::Faulty`] for a signature that does not verify over this message.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Vec<u8>, SignerError> {
        let (key, message) = (signer.public_key(), self.to_be_signed());
        let signature = signer.sign_with(self.scheme, &message)?;
        let faulty = SignerError::Faulty { key: key.id(), scheme: self.scheme };
        match key.to_jose(signature.as_bytes()) {
            Some(encoded) if key.verify_jose(self.scheme, &message, &encoded).is_ok() => Ok(encoded),
            _ => Err(faulty),
        }
    }

    /// Whether `signature`, in the encoding of JWS and COSE, is by `key` over the message.
    pub fn is_signed_by(&self, key: &PublicKey, signature: &[u8]) -> bool {
        key.verify_jose(self.scheme, &self.to_be_signed(), signature).is_ok()
    }

    /// The envelope. It is read again, strictly, and its signature is verified with the key of the signer's certificate,
    /// before it is returned.
    ///
    /// # Errors
    /// [`NotaryError`], also for a signature by another key.
    pub fn assemble(
        &self,
        leaf: &PublicKey,
        signature: &[u8],
        unsigned: &UnsignedAttributes<'_>,
        limits: &Limits,
    ) -> Result<Vec<u8>, NotaryError> {
        let Self { format, payload, protected, .. } = self;
        let written = match format {
            NotaryFormat::Cose => cose_writer::envelope(protected, payload, signature, unsigned),
            NotaryFormat::Jws => jws_writer::envelope(protected, payload, signature, unsigned)?,
        };
        NotaryEnvelope::parse(*format, &written, limits, Strictness::Strict)?.check_signature(leaf)?;
        Ok(written)
    }
}

/// The extended attributes as names and texts, if all attributes can be written.
fn check(attributes: &NotaryAttributes) -> Result<Vec<TextAttribute<'_>>, NotaryError> {
    times::checked(attributes.signing_time)?;
    if let Some(expiry) = attributes.expiry {
        times::checked(expiry)?;
        if expiry <= attributes.signing_time {
            return Err(NotaryError::refused(NotaryRule::ExpiryNotAfterSigning));
        }
    }
    if let Some(plugin) = &attributes.plugin {
        return Err(NotaryError::found(NotaryRule::VerificationPlugin, &plugin.to_string()));
    }
    let mut seen = Vec::new();
    attributes.extended.iter().map(|attribute| text_attribute(attribute, &mut seen)).collect()
}

fn text_attribute<'a>(
    attribute: &'a ExtendedAttribute,
    seen: &mut Vec<String>,
) -> Result<TextAttribute<'a>, NotaryError> {
    let ExtendedAttribute { critical, name, value } = attribute;
    let refused = |rule| Err(NotaryError::found(rule, &name.to_string()));
    let ExtendedName::Text(name) = name else { return refused(NotaryRule::AttributeName) };
    let ExtendedValue::Text(value) = value else { return refused(NotaryRule::AttributeValue) };
    let folded = json::fold_case(name);
    let reserved = folded.starts_with(names::RESERVED) || REGISTERED.contains(&folded.as_str());
    if name.is_empty() || reserved || seen.contains(&folded) {
        return refused(NotaryRule::AttributeName);
    }
    seen.push(folded);
    Ok(TextAttribute { critical: *critical, name, value })
}

/// The header parameters of JWS that the format uses.
const REGISTERED: [&str; 4] = [names::ALGORITHM, names::CERTIFICATE_CHAIN, names::CONTENT_TYPE, names::CRITICAL];
