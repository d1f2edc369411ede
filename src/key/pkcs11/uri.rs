//! `pkcs11:` URIs, RFC 7512: select a key of a token behind a module. Parsed strictly.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

/// A `pkcs11:` URI (RFC 7512). It never holds a PIN: `pin-value` is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uri {
    class: Option<Class>,
    id: Option<Vec<u8>>,
    module_name: Option<String>,
    module_path: Option<PathBuf>,
    pin_source: Option<PathBuf>,
    slot: Option<u64>,
    texts: BTreeMap<&'static str, String>,
}

/// The class of object that the attribute `type` selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// `private`.
    Private,
    /// `public`.
    Public,
    /// `cert`.
    Certificate,
}

/// Why a `pkcs11:` URI is invalid. No message repeats a value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// A byte that must be percent-encoded.
    #[error("attribute `{attribute}` has a character that is written %{found:02X} there")]
    Byte {
        /// The attribute.
        attribute: String,
        /// The byte.
        found: u8,
    },
    /// An attribute is repeated.
    #[error("attribute `{attribute}` is given twice")]
    Duplicate {
        /// The attribute.
        attribute: String,
    },
    /// A percent sign without two hexadecimal digits after it.
    #[error("attribute `{attribute}` has a `%` without two hexadecimal digits after it")]
    Escape {
        /// The attribute.
        attribute: String,
    },
    /// A part that is not `name=value`.
    #[error("part {position} is not written name=value")]
    Pair {
        /// The position of the part, counted from one.
        position: usize,
    },
    /// The URI contains a PIN. Arguments are visible to other users and in the shell's history.
    #[error("attribute `pin-value` is not read: an argument is no place for a PIN")]
    PinValue,
    /// The scheme is not `pkcs11:`.
    #[error("it does not begin with `pkcs11:`")]
    Scheme,
    /// An unsupported attribute. Ignoring it could select another key.
    #[error("attribute `{attribute}` is not one that is followed")]
    Unknown {
        /// The attribute.
        attribute: String,
    },
    /// An invalid value of an attribute.
    #[error("attribute `{attribute}` is not {wanted}")]
    Value {
        /// The attribute.
        attribute: String,
        /// The valid values.
        wanted: &'static str,
    },
}

impl Uri {
    /// Parses a `pkcs11:` URI strictly: an attribute that is unknown, repeated or malformed is refused, since ignoring
    /// it could select another key.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let rest = text.strip_prefix(SCHEME).ok_or(UriError::Scheme)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut uri = Self::default();
        let mut seen = Vec::new();
        let path_parts = path.split(';').filter(|_| !path.is_empty()).map(|part| (part, PATH_MARKS));
        let query_parts = query.into_iter().flat_map(|query| query.split('&')).map(|part| (part, QUERY_MARKS));
        for (position, (part, marks)) in (1..).zip(path_parts.chain(query_parts)) {
            let (name, value) = part.split_once('=').ok_or(UriError::Pair { position })?;
            if name == "pin-value" {
                return Err(UriError::PinValue);
            }
            if seen.contains(&name) {
                return Err(UriError::Duplicate { attribute: name.to_owned() });
            }
            seen.push(name);
            let value = decode(name, value, marks)?;
            match marks == PATH_MARKS {
                true => uri.set_path(name, value)?,
                false => uri.set_query(name, value)?,
            }
        }
        Ok(uri)
    }

    fn set_path(&mut self, name: &str, value: Vec<u8>) -> Result<(), UriError> {
        if let Some(known) = TEXTS.iter().find(|known| **known == name) {
            self.texts.insert(known, utf8(name, value)?);
            return Ok(());
        }
        match name {
            "id" => self.id = Some(value),
            "slot-id" => {
                let number = utf8(name, value)?;
                let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                let number = number.parse().ok().filter(|_| digits);
                self.slot = Some(number.ok_or_else(|| wrong(name, "a decimal number"))?);
            }
            "type" => {
                self.class = Some(match value.as_slice() {
                    b"cert" => Class::Certificate,
                    b"private" => Class::Private,
                    b"public" => Class::Public,
                    _ => return Err(wrong(name, "`private`, `public` or `cert`")),
                });
            }
            _ => return Err(UriError::Unknown { attribute: name.to_owned() }),
        }
        Ok(())
    }

    fn set_query(&mut self, name: &str, value: Vec<u8>) -> Result<(), UriError> {
        match name {
            "module-name" => {
                let value = utf8(name, value)?;
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
                if value.is_empty() || value.starts_with('.') || !value.chars().all(plain) {
                    return Err(wrong(name, "a name without a path"));
                }
                self.module_name = Some(value);
            }
            "module-path" => self.module_path = Some(absolute(name, utf8(name, value)?)?),
            "pin-source" => {
                let value = utf8(name, value)?;
                // RFC 7512 section 2.4 also has `|command`, which would run a program from an argument.
                let path = value.strip_prefix("file:").ok_or_else(|| wrong(name, "`file:` and an absolute path"))?;
                let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
                self.pin_source = Some(absolute(name, path.to_owned())?);
            }
            _ => return Err(UriError::Unknown { attribute: name.to_owned() }),
        }
        Ok(())
    }

    /// The class of object that it selects, if it has one.
    pub const fn class(&self) -> Option<Class> {
        self.class
    }

    /// The attribute `id`: `CKA_ID` of the object.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// The attribute `object`: `CKA_LABEL` of the object.
    pub fn object(&self) -> Option<&str> {
        self.text("object")
    }

    /// The attribute `module-name`: the module by name, without a path.
    pub fn module_name(&self) -> Option<&str> {
        self.module_name.as_deref()
    }

    /// The attribute `module-path`: the absolute path of the module.
    pub fn module_path(&self) -> Option<&Path> {
        self.module_path.as_deref()
    }

    /// The attribute `pin-source`: the file whose first line is the PIN.
    pub fn pin_source(&self) -> Option<&Path> {
        self.pin_source.as_deref()
    }

    /// The attribute `slot-id`.
    pub const fn slot(&self) -> Option<u64> {
        self.slot
    }

    /// The value of a text attribute: `token`, `serial`, `manufacturer`, `model` and so on.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// The URI of one object on the token with this label and serial number.
    pub(super) fn of(token: &str, serial: &str, class: Class, label: &str, id: &[u8]) -> Self {
        let mut texts = BTreeMap::new();
        for (name, value) in [("token", token), ("serial", serial), ("object", label)] {
            if !value.is_empty() {
                texts.insert(name, value.to_owned());
            }
        }
        let id = Some(id.to_vec()).filter(|id| !id.is_empty());
        Self { class: Some(class), id, texts, ..Self::default() }
    }
}

impl fmt::Display for Uri {
    /// Prints the path of the URI, which selects the key, without the sources of the module and the PIN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        let mut between = "";
        for name in ["token", "manufacturer", "model", "serial", "slot-description", "slot-manufacturer", "object"] {
            if let Some(value) = self.text(name) {
                write!(f, "{between}{name}=")?;
                encode(f, value.as_bytes(), |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))?;
                between = ";";
            }
        }
        if let Some(id) = &self.id {
            write!(f, "{between}id=")?;
            encode(f, id, |_| false)?;
            between = ";";
        }
        if let Some(slot) = self.slot {
            write!(f, "{between}slot-id={slot}")?;
            between = ";";
        }
        match self.class {
            Some(class) => write!(f, "{between}type={class}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "cert",
            Self::Private => "private",
            Self::Public => "public",
        })
    }
}

/// Decodes percent-encoding. RFC 7512 section 2.3: only letters, digits, `-._~` and `marks` may be unencoded.
fn decode(attribute: &str, value: &str, marks: &[u8]) -> Result<Vec<u8>, UriError> {
    let escape = || UriError::Escape { attribute: attribute.to_owned() };
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next().ok_or_else(escape)?, bytes.next().ok_or_else(escape)?];
                let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
                let number = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                decoded.push(number.ok_or_else(escape)?);
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || marks.contains(&byte) => decoded.push(byte),
            found => return Err(UriError::Byte { attribute: attribute.to_owned(), found }),
        }
    }
    Ok(decoded)
}

fn encode(f: &mut fmt::Formatter<'_>, bytes: &[u8], plain: impl Fn(u8) -> bool) -> fmt::Result {
    for byte in bytes {
        match plain(*byte) {
            true => write!(f, "{}", char::from(*byte))?,
            false => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

fn utf8(attribute: &str, value: Vec<u8>) -> Result<String, UriError> {
    String::from_utf8(value).map_err(|_| wrong(attribute, "UTF-8"))
}

fn absolute(attribute: &str, value: String) -> Result<PathBuf, UriError> {
    let path = PathBuf::from(value);
    match path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0) {
        true => Ok(path),
        false => Err(wrong(attribute, "an absolute path")),
    }
}

fn wrong(attribute: &str, wanted: &'static str) -> UriError {
    UriError::Value { attribute: attribute.to_owned(), wanted }
}

const SCHEME: &str = "pkcs11:";

/// The marks allowed in a path value besides the unreserved characters. RFC 7512 section 2.3, `pk11-path-res-avail`.
const PATH_MARKS: &[u8] = b":[]@!$'()*+,=&";

/// The marks allowed in a query value, `pk11-query-res-avail`.
const QUERY_MARKS: &[u8] = b":[]@!$'()*+,=/?|";

/// The path attributes whose values are text.
const TEXTS: [&str; 7] =
    ["manufacturer", "model", "object", "serial", "slot-description", "slot-manufacturer", "token"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_key() {
        let uri = Uri::parse(
            "pkcs11:token=My%20token;serial=0a1;manufacturer=S:[]@!$'()*+,=&x;object=rel%C3%A9ase;id=%00%ffA;slot-id=42;\
             type=private?module-path=/usr/lib/x.so&pin-source=file:/run/pin",
        )
        .unwrap();
        assert_eq!(uri.text("token"), Some("My token"));
        assert_eq!(uri.text("manufacturer"), Some("S:[]@!$'()*+,=&x"));
        assert_eq!((uri.object(), uri.id(), uri.slot()), (Some("reléase"), Some(&b"\x00\xffA"[..]), Some(42)));
        assert_eq!(uri.class(), Some(Class::Private));
        assert_eq!(uri.module_path(), Some(Path::new("/usr/lib/x.so")));
        assert_eq!(uri.pin_source(), Some(Path::new("/run/pin")));
        assert_eq!(
            uri.to_string(),
            "pkcs11:token=My%20token;manufacturer=S%3A%5B%5D%40%21%24%27%28%29%2A%2B%2C%3D%26x;serial=0a1;\
             object=rel%C3%A9ase;id=%00%FF%41;slot-id=42;type=private"
        );
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let uri = Uri::of("a b;c=%?", "0/1", Class::Public, "né", &[0, 127, 255]);
        assert_eq!(Uri::parse(&uri.to_string()).unwrap(), uri);
        assert_eq!(Uri::parse("pkcs11:").unwrap(), Uri::default());
        assert_eq!(Uri::default().to_string(), "pkcs11:");
    }

    #[test]
    fn a_pin_is_read_from_a_file_only() {
        for (text, path) in [
            ("pkcs11:?pin-source=file:/a/b", "/a/b"),
            ("pkcs11:?pin-source=file:///a/b", "/a/b"),
            ("pkcs11:?pin-source=file:%2Fa", "/a"),
        ] {
            assert_eq!(Uri::parse(text).unwrap().pin_source(), Some(Path::new(path)), "{text}");
        }
        for text in ["?pin-source=/a", "?pin-source=file:a", "?pin-source=|cat", "?pin-source=", "?pin-source=file:"] {
            let found = Uri::parse(&format!("pkcs11:{text}"));
            assert!(matches!(found, Err(UriError::Value { .. })), "{text}: {found:?}");
        }
        for text in ["?pin-value=1234", ";pin-value=1234", "token=a?module-name=b&pin-value=1234"] {
            let found = Uri::parse(&format!("pkcs11:{text}"));
            assert!(found.is_err() && !found.unwrap_err().to_string().contains("1234"), "{text}");
        }
        assert_eq!(Uri::parse("pkcs11:?pin-value=1234"), Err(UriError::PinValue));
    }

    #[test]
    fn refuses_what_it_does_not_follow() {
        for (text, wanted) in [
            ("", "pkcs11:"),
            ("PKCS11:token=a", "pkcs11:"),
            ("file:token=a", "pkcs11:"),
            ("pkcs11:token", "part 1"),
            ("pkcs11:token=a;", "part 2"),
            ("pkcs11:;token=a", "part 1"),
            ("pkcs11:token=a?", "part 2"),
            ("pkcs11:token=a;token=b", "twice"),
            ("pkcs11:token=a?module-name=b&module-name=c", "twice"),
            ("pkcs11:token=a b", "%20"),
            ("pkcs11:token=a/b", "%2F"),
            ("pkcs11:token=a#b", "%23"),
            ("pkcs11:token=é", "%C3"),
            ("pkcs11:token=a%2", "hexadecimal"),
            ("pkcs11:token=a%", "hexadecimal"),
            ("pkcs11:token=a%zz", "hexadecimal"),
            ("pkcs11:token=a%+1", "hexadecimal"),
            ("pkcs11:token=%ff", "UTF-8"),
            ("pkcs11:type=secret-key", "`private`"),
            ("pkcs11:type=data", "`private`"),
            ("pkcs11:slot-id=", "a decimal number"),
            ("pkcs11:slot-id=+1", "a decimal number"),
            ("pkcs11:slot-id=0x1", "a decimal number"),
            ("pkcs11:slot-id=99999999999999999999", "a decimal number"),
            ("pkcs11:x-vendor=1", "`x-vendor` is not one"),
            ("pkcs11:Token=a", "`Token` is not one"),
            ("pkcs11:module-path=%2Fa", "`module-path` is not one"),
            ("pkcs11:library-version=3", "`library-version` is not one"),
            ("pkcs11:token=a?token=b", "twice"),
            ("pkcs11:?token=b", "`token` is not one"),
            ("pkcs11:?module-path=lib.so", "an absolute path"),
            ("pkcs11:?module-path=/a%00b", "an absolute path"),
            ("pkcs11:?module-name=../a", "a name without a path"),
            ("pkcs11:?module-name=a/b", "a name without a path"),
            ("pkcs11:?module-name=", "a name without a path"),
        ] {
            let said = Uri::parse(text).expect_err(text).to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }
}
