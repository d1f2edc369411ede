//! How an identity is written on the command line: names of a certificate, perhaps with the owner that they are.

use crate::nonempty::NonEmpty;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::Oid;
use crate::x509::PatternError;
use crate::x509::distinguished_name;
use crate::x509::identity;
use crate::x509::name;

impl IdentityPattern {
    /// Parses the names of one identity:
    ///
    /// - `CN=release,O=Example`, or `subject:…`: attributes of the subject (RFC 4514), which may have more;
    /// - `issuer:CN=…`: attributes of the issuer;
    /// - `dns:…`, `email:…`, `uri:…`, `ip:…`: one subject alternative name;
    /// - `dirname:CN=…,O=…`: a directory name among them, which has these attributes in this order and no other one;
    /// - `rid:OID`: a registered identifier among them;
    /// - `othername:OID=…`: an `otherName` among them; `extension:OID=…`: the text of an extension;
    /// - `x509.subject: C=…, ST=…, O=…`: a trusted identity as notation writes it.
    ///
    /// Texts are compared whole; there are no wildcards.
    ///
    /// ```
    /// use bulla::x509::IdentityPattern;
    ///
    /// assert!(IdentityPattern::parse("CN=release,O=Example").is_ok());
    /// assert_eq!(IdentityPattern::parse("dns:ci.example.com").unwrap().to_string(), "dns:ci.example.com");
    /// assert!(IdentityPattern::parse("uri:").is_err());
    /// ```
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| !kind.contains('=')) else {
            return Self::subject(text);
        };
        let whole = |name: fn(String) -> NamePattern| match rest.is_empty() || rest.contains('\0') {
            true => Err(PatternError::Name { found: text.to_owned() }),
            false => Ok(Self::all(NonEmpty::one(name(rest.to_owned())))),
        };
        match kind {
            "dirname" => NamePattern::directory(rest).map(|name| Self::all(NonEmpty::one(name))),
            "dns" => whole(NamePattern::Dns),
            "email" => whole(NamePattern::Email),
            "extension" => numbered(text, rest, |id, text| NamePattern::Extension { id, text }),
            "ip" => match rest.parse() {
                Ok(address) => Ok(Self::all(NonEmpty::one(NamePattern::Ip(address)))),
                Err(_) => Err(PatternError::IpAddress { found: rest.to_owned() }),
            },
            "issuer" => identity::attributes(rest).map(|names| Self::all(names.map(of_issuer))),
            "othername" => numbered(text, rest, |id, text| NamePattern::OtherName { id, text }),
            "rid" => match Oid::parse(rest) {
                Some(id) => Ok(Self::all(NonEmpty::one(NamePattern::RegisteredId(id)))),
                None => Err(PatternError::RegisteredId { found: rest.to_owned() }),
            },
            "subject" => Self::subject(rest),
            "uri" => whole(NamePattern::Uri),
            "x509.subject" => Self::notation(text),
            _ => Err(PatternError::Name { found: text.to_owned() }),
        }
    }

    /// Parses the names of one identity with the owner before them, `OWNER=NAMES`, or without one. A text that begins
    /// with an attribute (`CN=…`, `1.2.3=…`) has no owner: an owner cannot be called like one.
    ///
    /// ```
    /// use bulla::x509::IdentityPattern;
    ///
    /// let (owner, _) = IdentityPattern::parse_owned("bob=CN=Bob,O=Example").unwrap();
    /// assert_eq!(owner, Some("bob"));
    /// assert_eq!(IdentityPattern::parse_owned("CN=Bob,O=Example").unwrap().0, None);
    /// ```
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse_owned(text: &str) -> Result<(Option<&str>, Self), PatternError> {
        let (owner, names) = Self::split_owner(text)?;
        Self::parse(names).map(|pattern| (owner, pattern))
    }

    /// Splits `OWNER=NAMES`. A text that begins with an attribute, or that has a `:` before its first `=`, has no owner.
    ///
    /// # Errors
    /// [`PatternError::Owner`].
    pub fn split_owner(text: &str) -> Result<(Option<&str>, &str), PatternError> {
        let owned = text.split_once('=').filter(|(before, _)| {
            let attribute = name::kind_of(before.trim()).is_some() || Oid::parse(before.trim()).is_some();
            !before.is_empty() && !before.contains(':') && !attribute
        });
        match owned {
            Some((owner, _)) if owner != owner.trim() || owner.chars().any(char::is_control) => {
                Err(PatternError::Owner { found: owner.to_owned() })
            }
            Some((owner, names)) => Ok((Some(owner), names)),
            None => Ok((None, text)),
        }
    }
}

impl NamePattern {
    /// A directory name as a whole, as people write it (RFC 4514): it may have an attribute several times, each in a part of
    /// its own.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn directory(text: &str) -> Result<Self, PatternError> {
        let mut attributes = Vec::new();
        for part in distinguished_name::parse(text)? {
            let Ok([attribute]) = <[_; 1]>::try_from(part) else { return Err(PatternError::MultiValued) };
            attributes.push(attribute);
        }
        let empty = PatternError::DistinguishedName { found: text.to_owned(), reason: "it is empty" };
        NonEmpty::collect(attributes).map(Self::Directory).ok_or(empty)
    }
}

/// A pattern of an object identifier and a text, `OID=TEXT`.
fn numbered(
    text: &str,
    rest: &str,
    name: impl Fn(Oid, String) -> NamePattern,
) -> Result<IdentityPattern, PatternError> {
    let parts = rest.split_once('=').filter(|(_, value)| !value.is_empty() && !value.contains('\0'));
    let parts = parts.and_then(|(id, value)| Oid::parse(id).map(|id| (id, value)));
    let (id, value) = parts.ok_or_else(|| PatternError::Name { found: text.to_owned() })?;
    Ok(IdentityPattern::all(NonEmpty::one(name(id, value.to_owned()))))
}

fn of_issuer(name: NamePattern) -> NamePattern {
    match name {
        NamePattern::Subject { kind, text } => NamePattern::Issuer { kind, text },
        other => other,
    }
}
