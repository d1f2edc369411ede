//! Writes JWS envelopes byte for byte as notation does.

use serde::Serialize;
use serde_json::Value;

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::attributes::SigningScheme;
use crate::envelope::notary::base64_text;
use crate::envelope::notary::draft_parts::TextAttribute;
use crate::envelope::notary::draft_parts::UnsignedAttributes;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::names;
use crate::json;
use crate::oci::media_type;
use crate::ordered;

/// The protected header: names sorted. The list of critical attributes has the scheme, the extended attributes, the
/// authentic signing time, the expiry.
pub(super) fn protected(
    algorithm: NotaryAlgorithm,
    attributes: &NotaryAttributes,
    extended: &[TextAttribute<'_>],
) -> Result<Vec<u8>, NotaryError> {
    let mut critical = vec![names::SIGNING_SCHEME];
    critical.extend(extended.iter().filter(|attribute| attribute.critical).map(|attribute| attribute.name));
    let time = match attributes.scheme {
        SigningScheme::X509 => names::SIGNING_TIME,
        SigningScheme::X509SigningAuthority => {
            critical.push(names::AUTHENTIC_SIGNING_TIME);
            names::AUTHENTIC_SIGNING_TIME
        }
    };
    let mut header = ordered::map([
        (names::ALGORITHM, Value::from(algorithm.jws_name())),
        (names::CONTENT_TYPE, Value::from(media_type::NOTARY_PAYLOAD)),
        (names::SIGNING_SCHEME, Value::from(attributes.scheme.as_str())),
        (time, Value::from(attributes.signing_time.to_string())),
    ]);
    if let Some(expiry) = attributes.expiry {
        critical.push(names::EXPIRY);
        header.insert(names::EXPIRY, Value::from(expiry.to_string()));
    }
    header.insert(names::CRITICAL, Value::from(critical));
    header.extend(extended.iter().map(|attribute| (attribute.name, Value::from(attribute.value))));
    json::to_go(&header).map_err(|error| NotaryError::Json { part: "protected header", error })
}

/// The envelope: its members and those of its header in the order of notation.
pub(super) fn envelope(
    protected: &[u8],
    payload: &[u8],
    signature: &[u8],
    unsigned: &UnsignedAttributes<'_>,
) -> Result<Vec<u8>, NotaryError> {
    let [payload, protected, signature] = [payload, protected, signature].map(base64_text::encode_url);
    let header = HeaderWire {
        timestamp: unsigned.timestamp.map(base64_text::encode_standard),
        x5c: unsigned.chain.iter().map(|certificate| base64_text::encode_standard(certificate)).collect(),
        signing_agent: unsigned.signing_agent,
    };
    let written = json::to_go(&EnvelopeWire { payload, protected, header, signature });
    written.map_err(|error| NotaryError::Json { part: "JWS envelope", error })
}

#[derive(Serialize)]
struct EnvelopeWire<'a> {
    payload: String,
    protected: String,
    header: HeaderWire<'a>,
    signature: String,
}

#[derive(Serialize)]
struct HeaderWire<'a> {
    #[serde(rename = "io.cncf.notary.timestampSignature", skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    x5c: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingAgent", skip_serializing_if = "Option::is_none")]
    signing_agent: Option<&'a str>,
}
