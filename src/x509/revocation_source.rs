//! What a certificate says about who can revoke it: where its revocation status is published, or that it is self-signed.

use crate::x509::Certificate;
use crate::x509::Extension;
use crate::x509::candidates::Candidates;
use crate::x509::der;
use crate::x509::extension;
use crate::x509::fields::Fields;
use crate::x509::profile::Ed25519;
use crate::x509::revocation::distribution_point;

/// Where a certificate says that its revocation status is published. The address is text of its issuer, as it stands there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RevocationAddress {
    /// A CRL: a full name of a CRL distribution point (RFC 5280 section 4.2.1.13).
    Crl(String),
    /// An OCSP responder: an access location with the method `id-ad-ocsp` (RFC 5280 section 4.2.2.1).
    Ocsp(String),
}

impl RevocationAddress {
    /// The address: a URI.
    pub fn uri(&self) -> &str {
        match self {
            Self::Crl(uri) | Self::Ocsp(uri) => uri,
        }
    }
}

impl Certificate {
    /// The URIs at which the certificate says that its status is published, each once: CRLs, then OCSP responders. Delta
    /// CRLs and other names than URIs are left out, and what cannot be read.
    pub fn revocation_addresses(&self) -> Vec<RevocationAddress> {
        let value = |id| self.extensions().known(id).map(Extension::value).unwrap_or_default();
        let crls = distribution_point::uris(value(extension::CRL_DISTRIBUTION_POINTS));
        let crls = crls.into_iter().map(RevocationAddress::Crl);
        let responders = ocsp_uris(value(extension::AUTHORITY_INFO_ACCESS)).into_iter().map(RevocationAddress::Ocsp);
        let mut addresses = Vec::new();
        for address in crls.chain(responders) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// Whether the certificate names a CRL (RFC 5280 sections 4.2.1.13 and 4.2.1.15) or an OCSP responder (section
    /// 4.2.2.1). What cannot be read is taken for one.
    pub fn names_revocation_source(&self) -> bool {
        let extensions = self.extensions();
        let crl = [extension::CRL_DISTRIBUTION_POINTS, extension::FRESHEST_CRL];
        crl.into_iter().any(|id| extensions.known(id).is_some())
            || extensions.known(extension::AUTHORITY_INFO_ACCESS).is_some_and(|access| names_ocsp(access.value()))
    }

    /// Whether the certificate is self-signed: its issuer is its subject, and its own key signed it (RFC 5280 section
    /// 3.2), by an algorithm that chains may use.
    pub fn is_self_signed(&self) -> bool {
        let alone = Candidates::new(self, std::iter::empty(), Vec::new(), Ed25519::Allowed, self.not_before());
        self.is_self_issued() && alone.is_signed_by(self, self)
    }
}

/// Whether an access description has the method `id-ad-ocsp`; `true` if it cannot be read.
fn names_ocsp(value: &[u8]) -> bool {
    let Some(descriptions) = Fields::sequence(value) else { return true };
    let mut rest = descriptions;
    while !rest.is_empty() {
        let Some(description) = rest.content(der::SEQUENCE) else { return true };
        match Fields::of(description).content(der::OBJECT_ID) {
            Some(method) if method != ID_AD_OCSP => {}
            Some(_) | None => return true,
        }
    }
    false
}

/// The URIs of the access descriptions with the method `id-ad-ocsp`, up to one that cannot be read.
fn ocsp_uris(value: &[u8]) -> Vec<String> {
    let mut rest = Fields::sequence(value).unwrap_or(Fields::of(&[]));
    let mut uris = Vec::new();
    while let Some(description) = rest.take(der::SEQUENCE) {
        let mut fields = description.fields();
        let method = fields.content(der::OBJECT_ID);
        if let (Some(ID_AD_OCSP), Some(location)) = (method, fields.take(distribution_point::URI)) {
            uris.push(String::from_utf8_lossy(location.content).into_owned());
        }
    }
    uris
}

const ID_AD_OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
