//! Names of a certificate that is asked for, as people write them: `CN=release,O=Example` (RFC 4514), `dns:example.com`.

use crate::text::Untrusted;
use crate::x509::CertificateError;
use crate::x509::GeneralName;
use crate::x509::Name;
use crate::x509::Oid;
use crate::x509::PatternError;
use crate::x509::der;
use crate::x509::distinguished_name;
use crate::x509::encode::encoded;
use crate::x509::encode::sequence;
use crate::x509::encode::set_of;
use crate::x509::name;
use crate::x509::syntax;

/// A name that no certificate can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A text that is no alternative name, or one without the syntax of its form (RFC 5280 section 4.2.1.6).
    #[error(
        "{:?} is not an alternative name: dns:example.com, email:a@example.com, uri:https://example.com/, ip:192.0.2.1, \
         dirname:CN=a,O=Example or rid:1.2.3.4",
        Untrusted::new(found)
    )]
    AlternativeName {
        /// What was given.
        found: String,
    },
    /// A value that its attribute cannot have (RFC 5280 appendix A.1).
    #[error("{:?} is not a value of {kind}: wanted {wanted}", Untrusted::new(found))]
    Attribute {
        /// What was given.
        found: String,
        /// Which attribute, with its keyword.
        kind: String,
        /// What it can have.
        wanted: String,
    },
    /// A distinguished name that cannot be read.
    #[error(transparent)]
    Distinguished(PatternError),
    /// A name that is too large to be encoded as a certificate has it.
    #[error(transparent)]
    Encoding(CertificateError),
}

impl Name {
    /// Parses a distinguished name as RFC 4514 writes it, the last part first: `CN=release,O=Example,C=US` begins with
    /// the country.
    ///
    /// ```
    /// use bulla::x509::Name;
    ///
    /// let name = Name::parse("CN=release, O=Example\\, Inc., C=US").unwrap();
    /// assert_eq!(name.to_string(), "CN=release,O=Example\\, Inc.,C=US");
    /// assert!(Name::parse("CN=release,C=USA").is_err());
    /// ```
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let parts = distinguished_name::parse(text).map_err(NameError::Distinguished)?;
        let mut encoding = Vec::new();
        for part in parts.iter().rev() {
            let attributes = part.iter().map(|(kind, value)| attribute(kind, value)).collect::<Result<_, _>>()?;
            encoding.extend(set_of(attributes));
        }
        Self::read(&encoded(der::SEQUENCE, &encoding)).map_err(NameError::Encoding)
    }
}

/// An `AttributeTypeAndValue`. Texts are UTF-8, except where RFC 5280 appendix A.1 names one other type.
fn attribute(kind: &Oid, value: &str) -> Result<Vec<u8>, NameError> {
    let wrong = |wanted: String| NameError::Attribute { found: value.to_owned(), kind: name::label(kind), wanted };
    let (tag, most) = match kind.as_content() {
        COUNTRY if value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            (der::PRINTABLE_STRING, 2)
        }
        COUNTRY => return Err(wrong("two capital letters (ISO 3166)".to_owned())),
        DOMAIN_COMPONENT | EMAIL_ADDRESS if value.is_ascii() => (der::IA5_STRING, 255),
        DOMAIN_COMPONENT | EMAIL_ADDRESS => return Err(wrong("ASCII characters".to_owned())),
        SERIAL_NUMBER if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)) => {
            (der::PRINTABLE_STRING, 64)
        }
        SERIAL_NUMBER => return Err(wrong("letters, digits and '()+,-./:=? (X.680 section 41.4)".to_owned())),
        COMMON_NAME | ORGANIZATION | ORGANIZATIONAL_UNIT => (der::UTF8_STRING, 64),
        LOCALITY | STATE => (der::UTF8_STRING, 128),
        _ => (der::UTF8_STRING, LONGEST),
    };
    match value.chars().count() > most || value.chars().any(char::is_control) {
        true => Err(wrong(format!("at most {most} characters, none of them a control character"))),
        false => Ok(sequence(&[&encoded(der::OBJECT_ID, kind.as_content()), &encoded(tag, value.as_bytes())])),
    }
}

impl GeneralName {
    /// Parses a subject alternative name: `dns:…`, `email:…`, `uri:…`, `ip:…`, `dirname:…` or `rid:…`, with the syntax of
    /// RFC 5280 section 4.2.1.6.
    ///
    /// # Errors
    /// [`NameError::AlternativeName`], and of a directory name those of [`Name::parse`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::AlternativeName { found: text.to_owned() };
        let (form, rest) = text.split_once(':').ok_or_else(wrong)?;
        let name = match form {
            "dirname" => Self::Directory(Name::parse(rest)?),
            "dns" => Self::Dns(rest.to_owned()),
            "email" => Self::Email(rest.to_owned()),
            "ip" => Self::of_address(rest.parse().map_err(|_| wrong())?),
            "rid" => Self::RegisteredId(Oid::parse(rest).ok_or_else(wrong)?),
            "uri" => Self::Uri(rest.to_owned()),
            _ => return Err(wrong()),
        };
        match text.len() <= LONGEST && syntax::is_right(&name) {
            true => Ok(name),
            false => Err(wrong()),
        }
    }

    /// The DER of a name that [`GeneralName::parse`] makes; nothing for other forms.
    pub(super) fn to_der(&self) -> Vec<u8> {
        match self {
            // The name is a CHOICE, so that its tag is explicit (X.680 section 31.2.7).
            Self::Directory(name) => encoded(0xa4, name.der()),
            Self::Email(text) => encoded(0x81, text.as_bytes()),
            Self::Dns(text) => encoded(0x82, text.as_bytes()),
            Self::Uri(text) => encoded(0x86, text.as_bytes()),
            Self::Ip(bytes) => encoded(0x87, bytes),
            Self::RegisteredId(id) => encoded(0x88, id.as_content()),
            Self::Other { .. } | Self::Unread => Vec::new(),
        }
    }
}

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];
const COUNTRY: &[u8] = &[0x55, 4, 6];
const LOCALITY: &[u8] = &[0x55, 4, 7];
const STATE: &[u8] = &[0x55, 4, 8];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 4, 11];
const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
/// The longest text of other attributes and of alternative names, in characters.
const LONGEST: usize = 1_024;
