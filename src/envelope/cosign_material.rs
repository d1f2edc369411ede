//! The verification material of cosign v2: the annotations of the layer that holds a signed document.

use std::collections::BTreeMap;

use crate::envelope::EnvelopeError;
use crate::envelope::MaterialForm;
use crate::envelope::StoredForm;
use crate::envelope::StoredLogEntry;
use crate::envelope::StoredTimestamp;
use crate::envelope::VerificationMaterial;
use crate::limits::Limits;
use crate::oci::referrer;
use crate::x509::certificate_blocks;

impl VerificationMaterial {
    /// Reads the verification material of cosign v2 in the annotations of a layer, which are not signed. An empty annotation
    /// counts as absent: cosign writes one for a chain that is not there.
    ///
    /// 1. `dev.sigstore.cosign/certificate`: exactly one certificate in PEM.
    /// 2. `dev.sigstore.cosign/chain`: its issuers in PEM, within the limit of a chain. Text around PEM blocks is skipped
    ///    (RFC 7468 section 2).
    /// 3. `dev.sigstore.cosign/bundle` and `dev.sigstore.cosign/rfc3161timestamp` are kept, and read where they decide.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for a limit.
    pub fn of_annotations(annotations: &BTreeMap<String, String>, limits: &Limits) -> Result<Self, EnvelopeError> {
        let mut material = Self::empty(MaterialForm::Annotations);
        let chain = annotation(annotations, referrer::COSIGN_CHAIN, limits)?;
        match annotation(annotations, referrer::COSIGN_CERTIFICATE, limits)? {
            Some(text) => material.certificates = certificates(text, chain, limits)?,
            None if chain.is_some() => return Err(EnvelopeError::ChainAlone),
            None => {}
        }
        let entry = annotation(annotations, referrer::COSIGN_BUNDLE, limits)?;
        material.log_entries.extend(entry.map(|json| StoredLogEntry::new(StoredForm::Annotation, json)));
        let timestamp = annotation(annotations, referrer::COSIGN_TIMESTAMP, limits)?;
        material.timestamps.extend(timestamp.map(|json| StoredTimestamp::new(StoredForm::Annotation, json)));
        Ok(material)
    }
}

/// The value of an annotation that is not empty.
fn annotation<'a>(
    annotations: &'a BTreeMap<String, String>,
    key: &'static str,
    limits: &Limits,
) -> Result<Option<&'a str>, EnvelopeError> {
    let Some(value) = annotations.get(key).filter(|value| !value.is_empty()) else { return Ok(None) };
    EnvelopeError::bounded("bytes of one annotation", value.len(), limits.oci.annotation_bytes)?;
    Ok(Some(value))
}

/// The certificates in DER, leaf first.
fn certificates(leaf: &str, chain: Option<&str>, limits: &Limits) -> Result<Vec<Vec<u8>>, EnvelopeError> {
    let most = limits.envelope.certificate_chain;
    let mut certificates = blocks(referrer::COSIGN_CERTIFICATE, leaf, most, limits)?;
    if certificates.len() != 1 {
        return Err(EnvelopeError::SeveralCertificates { got: certificates.len() });
    }
    if let Some(chain) = chain {
        certificates.extend(blocks(referrer::COSIGN_CHAIN, chain, most.saturating_sub(1), limits)?);
    }
    for certificate in &certificates {
        let got = certificate.len();
        EnvelopeError::bounded("bytes in one certificate", got, limits.envelope.certificate_bytes)?;
    }
    Ok(certificates)
}

fn blocks(annotation: &'static str, text: &str, most: u64, limits: &Limits) -> Result<Vec<Vec<u8>>, EnvelopeError> {
    certificate_blocks(text, most, limits).map_err(|error| EnvelopeError::Certificates { annotation, error })
}
