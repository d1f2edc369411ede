//! The verification material of cosign v2: the annotations beside a signature at one of its tags.

use std::collections::BTreeMap;

use crate::envelope::EnvelopeError;
use crate::envelope::FormName;
use crate::envelope::SignedItem;
use crate::envelope::base64;
use crate::oci::referrer;
use crate::x509::Certificate;

/// The annotations with the certificates and the timestamp of `signed`, as cosign v2 writes them.
///
/// # Errors
/// [`EnvelopeError::Unwritable`] for two timestamps: there is a place for one.
pub(super) fn annotations(signed: &SignedItem<'_>, form: FormName) -> Result<BTreeMap<String, String>, EnvelopeError> {
    let mut annotations = BTreeMap::new();
    if let Some(chain) = signed.sigstore_chain() {
        let issuers: String = chain.path().iter().skip(1).map(Certificate::to_pem).collect();
        annotations.insert(referrer::COSIGN_CERTIFICATE.to_owned(), chain.signer().to_pem());
        annotations.insert(referrer::COSIGN_CHAIN.to_owned(), issuers);
    }
    match signed.witnesses.timestamps.as_slice() {
        [] => {}
        [response] => {
            let response = base64::encode(response.bytes());
            annotations
                .insert(referrer::COSIGN_TIMESTAMP.to_owned(), format!(r#"{{"SignedRFC3161Timestamp":"{response}"}}"#));
        }
        _ => {
            return Err(EnvelopeError::Unwritable { form: form.as_str(), statement: "more than one timestamp" });
        }
    }
    Ok(annotations)
}
