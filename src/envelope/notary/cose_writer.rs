//! Writes COSE envelopes byte for byte as notation does.

use crate::envelope::notary::algorithm::NotaryAlgorithm;
use crate::envelope::notary::attributes::NotaryAttributes;
use crate::envelope::notary::attributes::SigningScheme;
use crate::envelope::notary::cbor_writer;
use crate::envelope::notary::cose;
use crate::envelope::notary::draft_parts::TextAttribute;
use crate::envelope::notary::draft_parts::UnsignedAttributes;
use crate::envelope::notary::names;
use crate::oci::media_type;
use crate::time::Time;

/// The protected header. The list of critical attributes has the scheme, the authentic signing time, the expiry, the
/// extended attributes.
pub(super) fn protected(
    algorithm: NotaryAlgorithm,
    attributes: &NotaryAttributes,
    extended: &[TextAttribute<'_>],
) -> Vec<u8> {
    let mut critical = vec![names::SIGNING_SCHEME];
    let signing_time = match attributes.scheme {
        SigningScheme::X509 => names::SIGNING_TIME,
        SigningScheme::X509SigningAuthority => {
            critical.push(names::AUTHENTIC_SIGNING_TIME);
            names::AUTHENTIC_SIGNING_TIME
        }
    };
    let (text, integer) = (cbor_writer::text, cbor_writer::integer);
    let mut header = vec![
        (integer(names::COSE_ALGORITHM), integer(algorithm.cose_number())),
        (integer(names::COSE_CONTENT_TYPE), text(media_type::NOTARY_PAYLOAD)),
        (text(names::SIGNING_SCHEME), text(attributes.scheme.as_str())),
        (text(signing_time), time(attributes.signing_time)),
    ];
    if let Some(expiry) = attributes.expiry {
        critical.push(names::EXPIRY);
        header.push((text(names::EXPIRY), time(expiry)));
    }
    critical.extend(extended.iter().filter(|attribute| attribute.critical).map(|attribute| attribute.name));
    let critical: Vec<_> = critical.into_iter().map(text).collect();
    header.push((integer(names::COSE_CRITICAL), cbor_writer::array(&critical)));
    header.extend(extended.iter().map(|attribute| (text(attribute.name), text(attribute.value))));
    cbor_writer::map(header)
}

/// The envelope. Its certificates are an array even if there is one: notation reads nothing else.
pub(super) fn envelope(
    protected: &[u8],
    payload: &[u8],
    signature: &[u8],
    unsigned: &UnsignedAttributes<'_>,
) -> Vec<u8> {
    let chain: Vec<_> = unsigned.chain.iter().map(|certificate| cbor_writer::bytes(certificate)).collect();
    let mut header = vec![(cbor_writer::integer(names::COSE_CERTIFICATE_CHAIN), cbor_writer::array(&chain))];
    if let Some(agent) = unsigned.signing_agent {
        header.push((cbor_writer::text(names::SIGNING_AGENT), cbor_writer::text(agent)));
    }
    if let Some(token) = unsigned.timestamp {
        header.push((cbor_writer::text(names::TIMESTAMP), cbor_writer::bytes(token)));
    }
    let [protected, payload, signature] = [protected, payload, signature].map(cbor_writer::bytes);
    let sign1 = cbor_writer::array(&[protected, cbor_writer::map(header), payload, signature]);
    cbor_writer::tagged(cose::SIGN1, &sign1)
}

fn time(time: Time) -> Vec<u8> {
    cbor_writer::tagged(cose::EPOCH_TIME, &cbor_writer::integer(time.unix()))
}
