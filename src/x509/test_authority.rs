//! `TestAuthority`: a root and an intermediate for tests, which issue certificates for signers and timestamp authorities.
//!
//! Its private keys are in memory alone, and are gone with it: nobody can issue another certificate below its root.

use crate::digest::Digest;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::Signer as _;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateError;
use crate::x509::CertificationRequest;
use crate::x509::Name;
use crate::x509::NameError;
use crate::x509::Purpose;
use crate::x509::SerialNumber;
use crate::x509::certificate_signature;
use crate::x509::der;
use crate::x509::encode::Criticality;
use crate::x509::encode::encoded;
use crate::x509::encode::extension;
use crate::x509::encode::sequence;
use crate::x509::extension as extensions;
use crate::x509::leaf_extensions;

/// A certificate authority for tests: a self-signed root, and an intermediate below it.
#[derive(Debug)]
pub struct TestAuthority {
    intermediate: Certificate,
    intermediate_key: PrivateKey,
    root: Certificate,
    validity: (Time, Time),
}

/// A certificate that cannot be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A certificate that is not read once it is made: a request asks for more than a certificate may have.
    #[error("certificate cannot be issued: {0}")]
    Certificate(CertificateError),
    /// A name that no certificate can have.
    #[error("certificate cannot be issued: {0}")]
    Name(NameError),
    /// The key of the authority did not sign.
    #[error("certificate cannot be issued: {0}")]
    Signer(SignerError),
}

/// What a certificate says.
struct Draft<'a> {
    /// Encoded extensions beside the key identifiers.
    extensions: Vec<u8>,
    issuer: &'a Name,
    issuer_key: &'a PublicKey,
    key: &'a PublicKey,
    serial: &'a SerialNumber,
    subject: &'a Name,
    validity: (Time, Time),
}

impl TestAuthority {
    /// Makes a root and an intermediate with these keys and serial numbers. All certificates, also those that are issued,
    /// are valid from the first time of `validity` to the second.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn new(
        root_key: PrivateKey,
        intermediate_key: PrivateKey,
        serials: &[SerialNumber; 2],
        validity: (Time, Time),
    ) -> Result<Self, IssueError> {
        let name = |text: &str| Name::parse(text).map_err(IssueError::Name);
        let (root_name, intermediate_name) = (name(ROOT)?, name(INTERMEDIATE)?);
        let [root_serial, serial] = serials;
        let (root_public, public) = (root_key.public_key(), intermediate_key.public_key());
        let root = Draft {
            extensions: authority_extensions(),
            issuer: &root_name,
            issuer_key: root_public,
            key: root_public,
            serial: root_serial,
            subject: &root_name,
            validity,
        };
        let intermediate = Draft { key: public, serial, subject: &intermediate_name, ..root.again() };
        let intermediate = intermediate.signed(&root_key)?;
        Ok(Self { intermediate, root: root.signed(&root_key)?, intermediate_key, validity })
    }

    /// Issues a certificate for `purpose`, and returns its chain: the certificate, the intermediate, the root.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(
        &self,
        subject: &Name,
        key: &PublicKey,
        purpose: Purpose,
        serial: &SerialNumber,
    ) -> Result<NonEmpty<Certificate>, IssueError> {
        self.leaf(subject, key, leaf_extensions::uses(purpose), serial)
    }

    /// Issues a certificate for `purpose` to the key of a request, with the subject and the alternative names that it asks
    /// for, and with nothing else that it asks for.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue_requested(
        &self,
        request: &CertificationRequest,
        purpose: Purpose,
        serial: &SerialNumber,
    ) -> Result<NonEmpty<Certificate>, IssueError> {
        let mut extensions = leaf_extensions::uses(purpose);
        extensions.extend(request.alternative_names().map(leaf_extensions::alternative_names).unwrap_or_default());
        self.leaf(request.subject(), request.key(), extensions, serial)
    }

    fn leaf(
        &self,
        subject: &Name,
        key: &PublicKey,
        extensions: Vec<u8>,
        serial: &SerialNumber,
    ) -> Result<NonEmpty<Certificate>, IssueError> {
        let draft = Draft {
            extensions,
            issuer: self.intermediate.subject(),
            issuer_key: self.intermediate_key.public_key(),
            key,
            serial,
            subject,
            validity: self.validity,
        };
        let mut chain = NonEmpty::one(draft.signed(&self.intermediate_key)?);
        chain.push(self.intermediate.clone());
        chain.push(self.root.clone());
        Ok(chain)
    }

    /// The certificate of the root.
    pub const fn root(&self) -> &Certificate {
        &self.root
    }
}

impl Draft<'_> {
    /// The same once more, for a certificate that differs in some fields.
    fn again(&self) -> Self {
        Self { extensions: self.extensions.clone(), ..*self }
    }

    /// The certificate (RFC 5280 section 4.1), signed with the key of the issuer.
    fn signed(&self, issuer: &PrivateKey) -> Result<Certificate, IssueError> {
        let version = encoded(VERSION, &encoded(der::INTEGER, &[2]));
        let serial = encoded(der::INTEGER, self.serial.as_content());
        let (begin, end) = self.validity;
        let validity = sequence(&[&time(begin), &time(end)]);
        let extensions = encoded(EXTENSIONS, &encoded(der::SEQUENCE, &self.extensions()));
        let to_be_signed = |algorithm: &[u8]| {
            sequence(&[
                &version,
                &serial,
                algorithm,
                self.issuer.der(),
                &validity,
                self.subject.der(),
                self.key.spki(),
                &extensions,
            ])
        };
        let der = certificate_signature::signed(issuer, to_be_signed).map_err(IssueError::Signer)?;
        Certificate::parse(&der, &Limits::DEFAULT).map_err(IssueError::Certificate)
    }

    /// Both key identifiers, and the other extensions. A root needs no authority key identifier (RFC 5280 section 4.2.1.1).
    fn extensions(&self) -> Vec<u8> {
        let subject_key_id = encoded(der::OCTET_STRING, &key_id(self.key));
        let mut all = extension(extensions::SUBJECT_KEY_ID, Criticality::NotCritical, &subject_key_id);
        if self.issuer_key.id() != self.key.id() {
            let authority_key_id = sequence(&[&encoded(KEY_ID, &key_id(self.issuer_key))]);
            all.extend(extension(extensions::AUTHORITY_KEY_ID, Criticality::NotCritical, &authority_key_id));
        }
        all.extend(&self.extensions);
        all
    }
}

/// Critical basic constraints and key usage of a certificate authority.
fn authority_extensions() -> Vec<u8> {
    let constraints = sequence(&[&encoded(der::BOOLEAN, &[0xff])]);
    // keyCertSign and cRLSign, bits 5 and 6, so that one bit is unused.
    let usage = encoded(der::BIT_STRING, &[1, 0x06]);
    let mut both = extension(extensions::BASIC_CONSTRAINTS, Criticality::Critical, &constraints);
    both.extend(extension(extensions::KEY_USAGE, Criticality::Critical, &usage));
    both
}

/// The leftmost 160 bits of the SHA-256 of the key (RFC 7093 section 2, method 1).
fn key_id(key: &PublicKey) -> Vec<u8> {
    let key = der::only(key.spki(), der::SEQUENCE).and_then(der::values).unwrap_or_default();
    let bits = key.get(1).and_then(|value| value.content.split_first()).map(|(_, bits)| bits).unwrap_or_default();
    Digest::sha256(bits).as_bytes().iter().take(20).copied().collect()
}

/// RFC 5280 section 4.1.2.5: UTCTime through the year 2049, GeneralizedTime after it.
fn time(time: Time) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).chain(['Z']).collect();
    match digits.strip_prefix("20") {
        Some(short) if time.unix() < YEAR_2050 => encoded(der::UTC_TIME, short.as_bytes()),
        _ => encoded(der::GENERALIZED_TIME, digits.as_bytes()),
    }
}

const ROOT: &str = "CN=Test root,O=bulla cert new";
const INTERMEDIATE: &str = "CN=Test intermediate,O=bulla cert new";
/// 2050-01-01T00:00:00Z.
const YEAR_2050: i64 = 2_524_608_000;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const KEY_ID: u8 = 0x80;
