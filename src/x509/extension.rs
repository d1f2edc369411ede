//! `Extensions`: what the extensions of a certificate say (RFC 5280 section 4.2), each read once.

use std::collections::BTreeSet;
use std::fmt;

use x509_parser::extensions::ParsedExtension;
use x509_parser::extensions::X509Extension;

use crate::limits;
use crate::x509::CertificateError;
use crate::x509::GeneralName;
use crate::x509::Oid;
use crate::x509::der;

/// The extensions of a certificate, none of them twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    all: Vec<Extension>,
    alternative_names: Vec<GeneralName>,
    authority_key_id: Option<Vec<u8>>,
    basic_constraints: Option<BasicConstraints>,
    constraints: Option<Vec<NameConstraint>>,
    extended_key_usage: Option<Vec<Oid>>,
    key_usage: Option<KeyUsage>,
    maps_any_policy: bool,
    subject_key_id: Option<Vec<u8>>,
}

/// One extension as it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    critical: bool,
    id: Oid,
    value: Vec<u8>,
}

/// Whether a certificate is a certificate authority, and how many more of them may follow (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub ca: bool,
    /// How many intermediate certificates may stand between this one and the signer's.
    pub path_length: Option<u32>,
}

/// What a key may be used for (RFC 5280 section 4.2.1.3), as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage(u16);

/// One subtree of the name constraints of a certificate (RFC 5280 section 4.2.1.10), permitted or excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameConstraint {
    pub(super) form: NameForm,
    /// Whether its text begins with a period, which a DNS name does not.
    pub(super) leading_period: bool,
}

/// A form of names that name constraints speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameForm {
    /// DNS names, which rustls-webpki compares.
    Dns,
    /// Email addresses, which rustls-webpki does not compare.
    Email,
    /// IP addresses, which rustls-webpki compares.
    Ip,
    /// All other forms, which rustls-webpki does not compare.
    Other,
}

impl KeyUsage {
    /// No use at all.
    pub const NONE: Self = Self(0);
    /// Bit 0: signatures other than those on certificates and revocation lists.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Bit 1: signatures that their signer cannot disclaim.
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// Bit 2: encrypting keys.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// Bit 3: encrypting data.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Bit 4: agreeing on keys.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Bit 5: signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Bit 6: signing revocation lists.
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// Bit 7: with key agreement, encrypting only.
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// Bit 8: with key agreement, decrypting only.
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// All uses of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The uses that both have.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all uses of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The names of RFC 5280, in the order of the bits.
impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = USES.iter().filter(|(usage, _)| self.has(*usage)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "nothing" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsage({self})")
    }
}

impl Extension {
    /// Whether who does not know the extension must refuse the certificate.
    pub const fn is_critical(&self) -> bool {
        self.critical
    }

    /// Which extension it is.
    pub const fn id(&self) -> &Oid {
        &self.id
    }

    /// The bytes inside, which are DER in most extensions.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

impl Extensions {
    pub(super) fn read(extensions: &[X509Extension<'_>]) -> Result<Self, CertificateError> {
        if limits::count(extensions.len()) > MOST_EXTENSIONS {
            return Err(CertificateError::TooManyExtensions { limit: MOST_EXTENSIONS });
        }
        let mut read = Self::default();
        let mut ids = BTreeSet::new();
        for extension in extensions {
            let malformed = CertificateError::Malformed { what: "extension id", clause: "RFC 5280 section 4.2" };
            let id = Oid::from_content(extension.oid.as_bytes()).ok_or(malformed)?;
            // RFC 5280 section 4.2: a certificate must not have more than one instance of an extension.
            if !ids.insert(id.clone()) {
                return Err(CertificateError::DuplicateExtension { id });
            }
            read.add(extension, &id)?;
            read.all.push(Extension { critical: extension.critical, id, value: extension.value.to_vec() });
        }
        Ok(read)
    }

    /// Reads an extension that says something about chains; the value of any other one stays bytes.
    fn add(&mut self, extension: &X509Extension<'_>, id: &Oid) -> Result<(), CertificateError> {
        let (what, clause) = match KNOWN.iter().find(|(known, ..)| *known == id.as_content()) {
            Some((_, what, clause)) => (*what, *clause),
            None => return Ok(()),
        };
        let malformed = CertificateError::Malformed { what, clause };
        der::check(extension.value).map_err(|error| CertificateError::of(error, malformed.clone()))?;
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: constraints.ca, path_length: constraints.path_len_constraint });
            }
            ParsedExtension::ExtendedKeyUsage(_) => {
                self.extended_key_usage = Some(purposes(extension.value).ok_or(malformed)?);
            }
            // One or two bytes of bits are all that is defined; the parser would drop what comes first of more.
            ParsedExtension::KeyUsage(usage) if extension.value.len() <= 5 => {
                self.key_usage = Some(KeyUsage(usage.flags));
            }
            ParsedExtension::NameConstraints(_) => {
                self.constraints = Some(name_constraints(extension.value).ok_or(malformed)?);
            }
            ParsedExtension::PolicyMappings(mappings) => {
                let is_any = |oid: &[u8]| oid == ANY_POLICY;
                self.maps_any_policy = mappings.mappings.iter().any(|mapping| {
                    is_any(mapping.issuer_domain_policy.as_bytes()) || is_any(mapping.subject_domain_policy.as_bytes())
                });
            }
            ParsedExtension::SubjectAlternativeName(_) => {
                self.alternative_names = GeneralName::read_all(extension.value).ok_or(malformed)?;
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityInfoAccess(_)
            | ParsedExtension::CRLDistributionPoints(_)
            | ParsedExtension::CertificatePolicies(_)
            | ParsedExtension::InhibitAnyPolicy(_)
            | ParsedExtension::PolicyConstraints(_)
            | ParsedExtension::SubjectInfoAccess(_) => (),
            _ => return Err(malformed),
        }
        Ok(())
    }

    /// All extensions, in the order of the encoding.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.all.iter()
    }

    /// The extension `id`.
    pub fn get(&self, id: &Oid) -> Option<&Extension> {
        self.all.iter().find(|extension| extension.id == *id)
    }

    pub(super) fn known(&self, id: &'static [u8]) -> Option<&Extension> {
        self.get(&Oid::known(id))
    }

    /// The subject alternative names, in the order of the encoding.
    pub fn alternative_names(&self) -> &[GeneralName] {
        &self.alternative_names
    }

    /// The key id of the issuer (RFC 5280 section 4.2.1.1).
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.as_deref()
    }

    /// The basic constraints.
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.basic_constraints
    }

    /// The purposes that the key is for (RFC 5280 section 4.2.1.12); `None` if the extension is not there.
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        self.extended_key_usage.as_deref()
    }

    /// The uses of the key; `None` if the extension is not there.
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.key_usage
    }

    /// The key id of the subject (RFC 5280 section 4.2.1.2).
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.as_deref()
    }

    /// Whether the certificate is one of a certificate authority.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    pub(super) fn name_constraints(&self) -> Option<&[NameConstraint]> {
        self.constraints.as_deref()
    }

    pub(super) const fn maps_any_policy(&self) -> bool {
        self.maps_any_policy
    }
}

/// The subtrees of name constraints: `[0]` permitted, `[1]` excluded, at least one of the two, each with at least one
/// subtree, and no distances in any (RFC 5280 section 4.2.1.10).
fn name_constraints(value: &[u8]) -> Option<Vec<NameConstraint>> {
    let lists = der::values(der::only(value, der::SEQUENCE)?)?;
    let tags: Vec<_> = lists.iter().map(|list| list.tag).collect();
    if !matches!(tags.as_slice(), [PERMITTED | EXCLUDED] | [PERMITTED, EXCLUDED]) {
        return None;
    }
    let mut constraints = Vec::new();
    for list in &lists {
        let subtrees = der::values(list.content).filter(|subtrees| !subtrees.is_empty())?;
        for subtree in subtrees {
            let base =
                der::read(subtree.content).filter(|base| subtree.tag == der::SEQUENCE && base.rest.is_empty())?;
            let form = match base.tag {
                0x81 => NameForm::Email,
                0x82 => NameForm::Dns,
                0x87 => NameForm::Ip,
                _ => NameForm::Other,
            };
            constraints.push(NameConstraint { form, leading_period: base.content.starts_with(b".") });
        }
    }
    Some(constraints)
}

/// The object identifiers of an extended key usage, which has at least one.
fn purposes(value: &[u8]) -> Option<Vec<Oid>> {
    let values = der::values(der::only(value, der::SEQUENCE)?)?;
    let oids = values.iter().map(|value| Oid::from_content(value.content).filter(|_| value.tag == der::OBJECT_ID));
    oids.collect::<Option<Vec<_>>>().filter(|oids| !oids.is_empty())
}

const USES: [(KeyUsage, &str); 9] = [
    (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
    (KeyUsage::NON_REPUDIATION, "nonRepudiation"),
    (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
    (KeyUsage::DATA_ENCIPHERMENT, "dataEncipherment"),
    (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
    (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
    (KeyUsage::CRL_SIGN, "cRLSign"),
    (KeyUsage::ENCIPHER_ONLY, "encipherOnly"),
    (KeyUsage::DECIPHER_ONLY, "decipherOnly"),
];

/// The extensions that are read: identifier, name and clause.
const KNOWN: [(&[u8], &str, &str); 14] = [
    (SUBJECT_KEY_ID, "subject key identifier", "RFC 5280 section 4.2.1.2"),
    (KEY_USAGE, "key usage", "RFC 5280 section 4.2.1.3"),
    (SUBJECT_ALTERNATIVE_NAME, "subject alternative name", "RFC 5280 section 4.2.1.6"),
    (BASIC_CONSTRAINTS, "basic constraints", "RFC 5280 section 4.2.1.9"),
    (NAME_CONSTRAINTS, "name constraints", "RFC 5280 section 4.2.1.10"),
    (CRL_DISTRIBUTION_POINTS, "CRL distribution points", "RFC 5280 section 4.2.1.13"),
    (CERTIFICATE_POLICIES, "certificate policies", "RFC 5280 section 4.2.1.4"),
    (POLICY_MAPPINGS, "policy mappings", "RFC 5280 section 4.2.1.5"),
    (AUTHORITY_KEY_ID, "authority key identifier", "RFC 5280 section 4.2.1.1"),
    (POLICY_CONSTRAINTS, "policy constraints", "RFC 5280 section 4.2.1.11"),
    (EXTENDED_KEY_USAGE, "extended key usage", "RFC 5280 section 4.2.1.12"),
    (INHIBIT_ANY_POLICY, "inhibit anyPolicy", "RFC 5280 section 4.2.1.14"),
    (AUTHORITY_INFO_ACCESS, "authority information access", "RFC 5280 section 4.2.2.1"),
    (SUBJECT_INFO_ACCESS, "subject information access", "RFC 5280 section 4.2.2.2"),
];

pub(super) const SUBJECT_DIRECTORY_ATTRIBUTES: &[u8] = &[0x55, 0x1d, 9];
pub(super) const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 14];
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(super) const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];
pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub(super) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
pub(super) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
pub(super) const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
pub(super) const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
pub(super) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
pub(super) const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 46];
pub(super) const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];
pub(super) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
pub(super) const SUBJECT_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 11];
/// Certificates have about ten. rustls-webpki reads all extensions of all candidates at each step of a search.
const MOST_EXTENSIONS: u64 = 100;
const PERMITTED: u8 = 0xa0;
const EXCLUDED: u8 = 0xa1;
const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];
