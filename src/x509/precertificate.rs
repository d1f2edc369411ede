//! The precertificate of a certificate: what certificate logs sign (RFC 6962 section 3.2).

use crate::x509::Certificate;
use crate::x509::der;
use crate::x509::encode;

impl Certificate {
    /// The `TBSCertificate` of the precertificate: that of this certificate without the extension that lists certificate
    /// timestamps. `None` if it has no such extension.
    pub(crate) fn precertificate(&self) -> Option<Vec<u8>> {
        let mut fields = der::only(self.to_be_signed(), der::SEQUENCE)?;
        let mut rebuilt = Vec::with_capacity(fields.len());
        let mut removed = false;
        while let Some(field) = der::first(fields) {
            fields = fields.get(field.len()..)?;
            match der::only(field, EXTENSIONS) {
                None => rebuilt.extend(field),
                Some(list) => {
                    let all = der::only(list, der::SEQUENCE)?;
                    let kept = without_timestamps(all)?;
                    removed = kept.len() < all.len();
                    encode::write(EXTENSIONS, &encode::encoded(der::SEQUENCE, &kept), &mut rebuilt);
                }
            }
        }
        removed.then(|| encode::encoded(der::SEQUENCE, &rebuilt))
    }

    /// The extension that lists certificate timestamps (RFC 6962 section 3.3): the bytes of the list, or `None` inside if
    /// its value is not an OCTET STRING.
    pub(crate) fn timestamp_list(&self) -> Option<Option<&[u8]>> {
        let extension = self.extensions().known(TIMESTAMP_LIST)?;
        Some(der::only(extension.value(), der::OCTET_STRING))
    }
}

/// The extensions, each as it is encoded, without the one that lists certificate timestamps.
fn without_timestamps(mut extensions: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(extensions.len());
    while let Some(extension) = der::first(extensions) {
        extensions = extensions.get(extension.len()..)?;
        let id = der::read(der::only(extension, der::SEQUENCE)?)?;
        if id.tag != der::OBJECT_ID || id.content != TIMESTAMP_LIST {
            kept.extend(extension);
        }
    }
    Some(kept)
}

/// The tag of the extensions, `[3] EXPLICIT`.
const EXTENSIONS: u8 = 0xa3;

/// 1.3.6.1.4.1.11129.2.4.2, RFC 6962 section 3.3.
const TIMESTAMP_LIST: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
