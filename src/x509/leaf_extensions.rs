//! The extensions that the certificate of a signer or a timestamp authority has, as it is asked for and issued.

use crate::x509::Purpose;
use crate::x509::der;
use crate::x509::encode::Criticality;
use crate::x509::encode::encoded;
use crate::x509::encode::extension;
use crate::x509::encode::sequence;
use crate::x509::extension::EXTENDED_KEY_USAGE;
use crate::x509::extension::KEY_USAGE;
use crate::x509::extension::SUBJECT_ALTERNATIVE_NAME;
use crate::x509::profile::CODE_SIGNING;
use crate::x509::profile::TIME_STAMPING;

/// Key usage, critical, with digitalSignature alone, and extended key usage with the purpose alone. RFC 3161 section 2.3:
/// that of a timestamp authority is critical.
pub(super) fn uses(purpose: Purpose) -> Vec<u8> {
    let (id, criticality) = match purpose {
        Purpose::Signing | Purpose::SigningAuthority => (CODE_SIGNING, Criticality::NotCritical),
        Purpose::TimeStamping => (TIME_STAMPING, Criticality::Critical),
    };
    // One bit, the first one, so that seven are unused.
    let digital_signature = encoded(der::BIT_STRING, &[7, 0x80]);
    let purposes = sequence(&[&encoded(der::OBJECT_ID, id)]);
    let mut both = extension(KEY_USAGE, Criticality::Critical, &digital_signature);
    both.extend(extension(EXTENDED_KEY_USAGE, criticality, &purposes));
    both
}

/// Subject alternative names, from DER `GeneralNames`.
pub(super) fn alternative_names(names: &[u8]) -> Vec<u8> {
    extension(SUBJECT_ALTERNATIVE_NAME, Criticality::NotCritical, names)
}
