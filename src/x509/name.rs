//! `Name`: a distinguished name (RFC 5280 section 4.1.2.4), and names as people write them (RFC 4514).

use std::fmt;

use crate::x509::CertificateError;
use crate::x509::Oid;
use crate::x509::der;

/// A distinguished name of a certificate: its bytes, and the attributes in them.
///
/// Two are equal when their encodings are. `Display` writes RFC 4514: the last part first.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
    parts: Vec<Vec<Attribute>>,
}

/// One attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    kind: Oid,
    value: AttributeValue,
}

/// What an attribute is: a text, or bytes that are not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// The DER of a value that is not a text, tag and length included.
    Bytes(Vec<u8>),
    /// The text of a `PrintableString`, `UTF8String`, `IA5String`, `NumericString` or `BMPString` whose characters are those
    /// of its type (X.680 section 41).
    Text(String),
}

impl Name {
    /// Reads the one DER `Name` that `der` is. A name is read as a whole or not at all: every relative distinguished name
    /// is a SET of at least one attribute, and every attribute an object identifier and one value.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`].
    pub(super) fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = CertificateError::Malformed { what: "name", clause: "RFC 5280 section 4.1.2.4" };
        let parts = der::only(der, der::SEQUENCE).and_then(der::values).ok_or_else(|| malformed.clone())?;
        let parts: Option<Vec<_>> = parts.iter().map(Attribute::all_of).collect();
        Ok(Self { der: der.to_vec(), parts: parts.ok_or(malformed)? })
    }

    /// The DER `Name`.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it has no part at all.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The parts (`RelativeDistinguishedName`) in the order of the encoding, each with its attributes.
    pub fn parts(&self) -> impl Iterator<Item = &[Attribute]> {
        self.parts.iter().map(Vec::as_slice)
    }

    /// All attributes, in the order of the encoding.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.parts.iter().flatten()
    }

    /// The text of the attribute `kind`, if it is there once, is a text, and stands in a part of its own. An attribute
    /// that is there twice, or shares its part with another one, has no value that a comparison could rely on.
    pub fn only_text(&self, kind: &Oid) -> Option<&str> {
        let mut found = self.parts().filter(|part| part.iter().any(|attribute| attribute.kind == *kind));
        match (found.next(), found.next()) {
            (Some([attribute]), None) => attribute.text(),
            _ => None,
        }
    }

    /// Whether a part has several attributes, or several parts the same one.
    pub fn is_ambiguous(&self) -> bool {
        let mut kinds: Vec<_> = self.attributes().map(|attribute| &attribute.kind).collect();
        let all = kinds.len();
        kinds.sort();
        kinds.dedup();
        kinds.len() != all || self.parts().any(|part| part.len() > 1)
    }

    /// The attributes as one text, by which names are the same that RFC 5280 section 7.1 takes for the same: without
    /// regard to the type of a text, its case and runs of spaces, nor to the order of attributes. It tells signers apart
    /// in a quorum; no issuer is found by it.
    pub(crate) fn folded(&self) -> String {
        let attribute = |attribute: &Attribute| match &attribute.value {
            AttributeValue::Bytes(bytes) => format!("{} {bytes:?}", attribute.kind),
            AttributeValue::Text(text) => format!("{} {:?}", attribute.kind, folded(text)),
        };
        let mut attributes: Vec<_> = self.attributes().map(attribute).collect();
        attributes.sort_unstable();
        attributes.join(" ")
    }

    /// Whether two names that are encoded differently may be the same by RFC 5280 section 7.1: texts without regard to
    /// their type, case and runs of spaces. Used to say why no issuer was found, never to find one.
    pub(super) fn resembles(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self.attributes().count() == other.attributes().count()
            && self.attributes().zip(other.attributes()).all(|(one, two)| {
                one.kind == two.kind
                    && match (one.text(), two.text()) {
                        (Some(one), Some(two)) => folded(one) == folded(two),
                        _ => one.value == two.value,
                    }
            })
    }
}

impl Attribute {
    /// The attributes of a `RelativeDistinguishedName`.
    fn all_of(part: &der::Value<'_>) -> Option<Vec<Self>> {
        let attributes = der::values(part.content).filter(|all| part.tag == der::SET && !all.is_empty())?;
        attributes.iter().map(Self::read).collect()
    }

    /// Reads an `AttributeTypeAndValue`.
    fn read(attribute: &der::Value<'_>) -> Option<Self> {
        let fields = der::values(attribute.content).filter(|_| attribute.tag == der::SEQUENCE)?;
        match fields.as_slice() {
            [kind, value] if kind.tag == der::OBJECT_ID => {
                Some(Self { kind: Oid::from_content(kind.content)?, value: AttributeValue::of(value, kind.rest) })
            }
            _ => None,
        }
    }

    /// Which attribute it is.
    pub const fn kind(&self) -> &Oid {
        &self.kind
    }

    /// Its value.
    pub const fn value(&self) -> &AttributeValue {
        &self.value
    }

    /// Its value, if it is a text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            AttributeValue::Bytes(_) => None,
            AttributeValue::Text(text) => Some(text),
        }
    }
}

impl AttributeValue {
    fn of(value: &der::Value<'_>, encoding: &[u8]) -> Self {
        let bytes = value.content;
        let ascii = |allowed: &dyn Fn(&u8) -> bool| utf_8(bytes).filter(|_| bytes.iter().all(allowed));
        let text = match value.tag {
            der::BMP_STRING => utf_16(bytes),
            der::IA5_STRING => ascii(&u8::is_ascii),
            der::NUMERIC_STRING => ascii(&|byte| byte.is_ascii_digit() || *byte == b' '),
            der::PRINTABLE_STRING => ascii(&|byte| byte.is_ascii_alphanumeric() || PRINTABLE.contains(byte)),
            der::UTF8_STRING => utf_8(bytes),
            _ => None,
        };
        text.map_or_else(|| Self::Bytes(encoding.to_vec()), Self::Text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().rev().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            for (index, attribute) in part.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "+" })?;
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

/// RFC 4514 section 2.3 and 2.4: a known keyword or the numbers, and the value, escaped.
impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            AttributeValue::Bytes(bytes) => {
                write_kind(f, &self.kind)?;
                f.write_str("#")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            AttributeValue::Text(text) => write!(f, "{}", Written { kind: &self.kind, text }),
        }
    }
}

/// An attribute with a text, as RFC 4514 writes it.
pub(super) struct Written<'a> {
    pub(super) kind: &'a Oid,
    pub(super) text: &'a str,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_kind(f, self.kind)?;
        write_escaped(f, self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.to_string())
    }
}

fn write_kind(f: &mut fmt::Formatter<'_>, kind: &Oid) -> fmt::Result {
    match keyword_of(kind) {
        Some(keyword) => write!(f, "{keyword}="),
        None => write!(f, "{kind}="),
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            ' ' if index == 0 || index == last => f.write_str("\\ ")?,
            '#' if index == 0 => f.write_str("\\#")?,
            '\0' => f.write_str("\\00")?,
            c => write!(f, "{c}")?,
        }
    }
    Ok(())
}

fn utf_8(bytes: &[u8]) -> Option<String> {
    let Ok(text) = str::from_utf8(bytes) else { return None };
    Some(text.to_owned())
}

fn utf_16(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Some(text),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

impl Oid {
    /// The attribute of distinguished names that `text` names: a keyword, as RFC 4514 section 3 and notation write it
    /// (`CN`, `ST` or `S`), or an object identifier.
    pub fn of_attribute(text: &str) -> Option<Self> {
        kind_of(text).or_else(|| Self::parse(text))
    }

    /// The keyword of the attribute, or the object identifier itself: [`Oid::of_attribute`] reads both.
    pub fn attribute_name(&self) -> String {
        label(self)
    }
}

/// The attribute that a keyword names, as RFC 4514 and notation write it: in upper case, `S` for `ST` too.
pub(super) fn kind_of(keyword: &str) -> Option<Oid> {
    let keyword = if keyword == "S" { "ST" } else { keyword };
    KEYWORDS.iter().find(|(known, _)| *known == keyword).map(|(_, content)| Oid::known(content))
}

/// The keyword of an attribute, or its object identifier.
pub(super) fn label(kind: &Oid) -> String {
    keyword_of(kind).map_or_else(|| kind.to_string(), str::to_owned)
}

fn keyword_of(kind: &Oid) -> Option<&'static str> {
    KEYWORDS.iter().find(|(_, content)| *content == kind.as_content()).map(|(keyword, _)| *keyword)
}

/// What a `PrintableString` has beside letters and digits (X.680 section 41.4), and `*` and `&`, which issuers write too.
const PRINTABLE: &[u8] = b" '()+,-./:=?*&";

/// RFC 4514 section 3, and the keywords that Go prints in addition.
const KEYWORDS: &[(&str, &[u8])] = &[
    ("CN", &[0x55, 4, 3]),
    ("SERIALNUMBER", &[0x55, 4, 5]),
    ("C", &[0x55, 4, 6]),
    ("L", &[0x55, 4, 7]),
    ("ST", &[0x55, 4, 8]),
    ("STREET", &[0x55, 4, 9]),
    ("O", &[0x55, 4, 10]),
    ("OU", &[0x55, 4, 11]),
    ("POSTALCODE", &[0x55, 4, 17]),
    ("DC", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25]),
    ("UID", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1]),
];
