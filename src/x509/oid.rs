//! `Oid`: an object identifier, as DER holds it (X.690 section 8.19) and as people write it (`2.5.4.3`).

use std::borrow::Cow;
use std::fmt;

/// An object identifier. Two are equal when their encodings are; each identifier has one encoding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Cow<'static, [u8]>);

impl Oid {
    /// The identifier whose DER content is `content`, which the caller knows to be one.
    pub(super) const fn known(content: &'static [u8]) -> Self {
        Self(Cow::Borrowed(content))
    }

    /// Reads the content of a DER OBJECT IDENTIFIER, without tag and length; `None` where it is not one, or where a
    /// number in it does not fit into 128 bits.
    pub fn from_content(content: &[u8]) -> Option<Self> {
        is_readable(content).then(|| Self(Cow::Owned(content.to_vec())))
    }

    /// Parses numbers with dots between them.
    ///
    /// ```
    /// use bulla::x509::Oid;
    ///
    /// assert_eq!(Oid::parse("2.5.4.3").unwrap().to_string(), "2.5.4.3");
    /// assert_eq!(Oid::parse("2.5.04.3"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<u128>> = text.split('.').map(number).collect();
        let numbers = numbers?;
        let (first, rest) = numbers.split_first()?;
        let (second, rest) = rest.split_first()?;
        // X.660 section 7.6: below the roots 0 and 1 there are forty numbers each.
        if *first > 2 || *first < 2 && *second > 39 {
            return None;
        }
        let mut content = Vec::new();
        for number in std::iter::once(first.checked_mul(40)?.checked_add(*second)?).chain(rest.iter().copied()) {
            encode(number, &mut content);
        }
        Some(Self(Cow::Owned(content)))
    }

    /// The DER content, without tag and length.
    pub fn as_content(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = numbers(&self.0).unwrap_or_default();
        let text: Vec<String> = numbers.iter().map(u128::to_string).collect();
        f.write_str(&text.join("."))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// A number without leading zeros and without a sign.
fn number(text: &str) -> Option<u128> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    match text.parse() {
        Ok(number) if canonical => Some(number),
        _ => None,
    }
}

/// Appends a number in groups of seven bits, the highest first, each but the last with its high bit set.
fn encode(number: u128, content: &mut Vec<u8>) {
    let groups = (128 - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = u8::try_from(number >> (7 * group) & 0x7f).unwrap_or_default();
        content.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// Whether `content` is that of an OBJECT IDENTIFIER, whose numbers may be of any size (X.690 section 8.19.2).
pub(super) fn is_canonical(content: &[u8]) -> bool {
    let ends = content.last().is_some_and(|byte| byte & 0x80 == 0);
    let starts = std::iter::once(&0).chain(content);
    ends && starts.zip(content).all(|(before, byte)| before & 0x80 != 0 || *byte != 0x80)
}

/// Whether `content` is that of an OBJECT IDENTIFIER whose numbers fit into 128 bits each.
pub(super) fn is_readable(content: &[u8]) -> bool {
    each_number(content, |_| ()).is_some()
}

/// The numbers of an identifier; `None` where the content is not canonical.
fn numbers(content: &[u8]) -> Option<Vec<u128>> {
    let mut numbers = Vec::new();
    each_number(content, |number| numbers.push(number)).map(|()| numbers)
}

/// Hands the numbers of an identifier to `found`, one after the other; `None` where the content is not canonical.
fn each_number(content: &[u8], mut found: impl FnMut(u128)) -> Option<()> {
    let mut open: Option<u128> = None;
    let mut is_first = true;
    for byte in content {
        if open.is_none() && *byte == 0x80 {
            return None;
        }
        let number = open.unwrap_or_default().checked_mul(128)?.checked_add(u128::from(byte & 0x7f))?;
        open = (byte & 0x80 != 0).then_some(number);
        if open.is_some() {
            continue;
        }
        if is_first {
            let root = (number / 40).min(2);
            found(root);
            found(number - 40 * root);
            is_first = false;
        } else {
            found(number);
        }
    }
    (open.is_none() && !is_first).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_encoding_agree() {
        for (text, content) in [
            ("2.5.4.3", &[0x55, 4, 3][..]),
            ("1.2.840.113549.1.1.11", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b]),
            ("0.9.2342.19200300.100.1.1", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1]),
            ("2.999", &[0x88, 0x37]),
            ("0.0", &[0]),
        ] {
            let oid = Oid::parse(text).unwrap();
            assert_eq!((oid.as_content(), oid.to_string().as_str()), (content, text));
            assert_eq!(Oid::from_content(content), Some(oid));
        }
        let uuid = "2.25.329800735698586629295641978511506172918";
        assert_eq!(Oid::parse(uuid).unwrap().to_string(), uuid);
    }

    #[test]
    fn what_is_not_canonical_is_not_an_identifier() {
        for text in ["", "2", "2.", ".5", "2.5.", "3.1", "1.40", "2.05", "2.-1", "2.+1", "2. 1", "2.5.4.x"] {
            assert_eq!(Oid::parse(text), None, "{text}");
        }
        for content in [&[][..], &[0x80, 0x01], &[0x55, 0x80, 0x04], &[0x55, 0x84], &[0x55, 0xff]] {
            assert_eq!(Oid::from_content(content), None, "{content:?}");
            assert!(!is_canonical(content), "{content:?}");
        }
        assert_eq!(Oid::from_content(&[0xff; 40]), None);
        // A number of 133 bits.
        let long = [&[0xff; 18][..], &[0x7f]].concat();
        assert_eq!(Oid::from_content(&long), None);
        assert!(is_canonical(&long) && is_canonical(&[0x55, 4, 3]) && is_canonical(&[0x88, 0x80, 0x37]));
    }
}
