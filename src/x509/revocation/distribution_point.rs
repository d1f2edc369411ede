//! Distribution points: for which certificates a CRL is complete (RFC 5280 sections 4.2.1.13 and 5.2.5).

use crate::x509::Certificate;
use crate::x509::der;
use crate::x509::extension;
use crate::x509::fields::Element;
use crate::x509::fields::Fields;

/// The issuing distribution point of a CRL: its scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IssuingDistributionPoint {
    pub(super) indirect: bool,
    pub(super) name: Option<PointName>,
    pub(super) only_attribute_certificates: bool,
    pub(super) only_authorities: bool,
    pub(super) only_some_reasons: bool,
    pub(super) only_users: bool,
}

/// The name of a distribution point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PointName {
    /// The encodings of its names.
    Full(Vec<Vec<u8>>),
    /// A name relative to the issuer of the CRL, which is not compared.
    Relative,
}

impl IssuingDistributionPoint {
    /// Reads the value of the extension; `None` where it is not one.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        if !der::is_strict(value) {
            return None;
        }
        let mut fields = Fields::sequence(value)?;
        let name = match fields.take(0xa0) {
            Some(name) => Some(point_name(name.inner()?)?),
            None => None,
        };
        let only_users = flag(&mut fields, 0x81)?;
        let only_authorities = flag(&mut fields, 0x82)?;
        let only_some_reasons = fields.take(0x83).is_some();
        let indirect = flag(&mut fields, 0x84)?;
        let only_attribute_certificates = flag(&mut fields, 0x85)?;
        fields.end()?;
        Some(Self { indirect, name, only_attribute_certificates, only_authorities, only_some_reasons, only_users })
    }
}

/// Whether a distribution point of the certificate, for all reasons and of its own issuer, has one of the names.
pub(super) fn is_named_by(certificate: &Certificate, names: &[Vec<u8>]) -> bool {
    let Some(extension) = certificate.extensions().known(extension::CRL_DISTRIBUTION_POINTS) else { return false };
    let Some(mut points) = Fields::sequence(extension.value()) else { return false };
    let mut found = false;
    while let Some(point) = points.take(der::SEQUENCE) {
        found |= full_names(point).is_some_and(|own| own.iter().any(|name| names.contains(name)));
    }
    // What cannot be read to its end names nothing.
    found && points.is_empty()
}

/// The URIs among the full names of all distribution points, whatever else these say, up to one that cannot be read.
pub(in crate::x509) fn uris(value: &[u8]) -> Vec<String> {
    let mut points = Fields::sequence(value).unwrap_or(Fields::of(&[]));
    let mut uris = Vec::new();
    while let Some(point) = points.take(der::SEQUENCE) {
        let name = point.fields().take(0xa0).and_then(|name| name.inner()).filter(|name| name.tag == 0xa0);
        let mut names = name.map_or(Fields::of(&[]), |name| name.fields());
        while let Some(name) = names.any() {
            if name.tag == URI {
                uris.push(String::from_utf8_lossy(name.content).into_owned());
            }
        }
    }
    uris
}

/// The full names of a distribution point that has neither `reasons` nor `cRLIssuer`.
fn full_names(point: Element<'_>) -> Option<Vec<Vec<u8>>> {
    let mut fields = point.fields();
    let name = fields.take(0xa0)?.inner()?;
    fields.end()?;
    match point_name(name)? {
        PointName::Full(names) => Some(names),
        PointName::Relative => None,
    }
}

/// The tag of a `uniformResourceIdentifier` (RFC 5280 section 4.2.1.6).
pub(in crate::x509) const URI: u8 = 0x86;

fn point_name(name: Element<'_>) -> Option<PointName> {
    match name.tag {
        0xa0 => {
            let mut fields = name.fields();
            let mut names = Vec::new();
            while !fields.is_empty() {
                names.push(fields.any()?.encoding.to_vec());
            }
            Some(PointName::Full(names))
        }
        0xa1 => Some(PointName::Relative),
        _ => None,
    }
}

/// A BOOLEAN that is FALSE where it is absent.
fn flag(fields: &mut Fields<'_>, tag: u8) -> Option<bool> {
    match fields.take(tag).map(|flag| flag.content) {
        None | Some([0x00]) => Some(false),
        Some([0xff]) => Some(true),
        Some(_) => None,
    }
}
