//! `Fields`: the values inside a DER SEQUENCE, taken one after the other.

use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::time::Time;
use crate::x509::der;

/// The values that are left to take. A value that cannot be read is never skipped: nothing after it can be taken, and
/// [`Fields::end`] is not reached.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

/// One value: its tag, its content, and its whole encoding.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) encoding: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The values that `content` consists of.
    pub(super) const fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The values inside the one SEQUENCE that `encoding` is.
    pub(super) fn sequence(encoding: &'a [u8]) -> Option<Self> {
        der::only(encoding, der::SEQUENCE).map(Self)
    }

    /// Takes the next value, whatever its tag.
    pub(super) fn any(&mut self) -> Option<Element<'a>> {
        let value = der::read(self.0)?;
        let encoding = self.0.get(..self.0.len().checked_sub(value.rest.len())?)?;
        self.0 = value.rest;
        Some(Element { tag: value.tag, content: value.content, encoding })
    }

    /// Takes the next value if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.any()
    }

    /// Takes the next value if it has this tag, and returns its content.
    pub(super) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.take(tag).map(|element| element.content)
    }

    /// Takes the next value if it is a time.
    pub(super) fn take_time(&mut self) -> Option<Element<'a>> {
        self.take(der::UTC_TIME).or_else(|| self.take(der::GENERALIZED_TIME))
    }

    /// Takes the next value, which is an INTEGER in the shortest encoding (X.690 section 8.3.2), and returns its content.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        self.content(der::INTEGER).filter(|content| der::is_integer(content))
    }

    /// Takes the next value, which is an INTEGER from 0 to 127.
    pub(super) fn small(&mut self) -> Option<u8> {
        match self.integer()? {
            [number @ 0..=0x7f] => Some(*number),
            _ => None,
        }
    }

    /// Whether nothing is left.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Some` if nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.is_empty().then_some(())
    }
}

impl<'a> Element<'a> {
    /// The values inside.
    pub(super) const fn fields(&self) -> Fields<'a> {
        Fields(self.content)
    }

    /// The one value inside an explicit tag.
    pub(super) fn inner(&self) -> Option<Self> {
        let mut fields = self.fields();
        let inner = fields.any()?;
        fields.end()?;
        Some(inner)
    }

    /// The bytes of a BIT STRING whose bits fill whole bytes.
    pub(super) fn whole_bits(&self) -> Option<&'a [u8]> {
        let (unused, bits) = self.content.split_first()?;
        (self.tag == der::BIT_STRING && *unused == 0).then_some(bits)
    }

    /// The time, in whole seconds and UTC (RFC 5280 section 4.1.2.5).
    pub(super) fn time(&self) -> Option<Time> {
        let whole = match self.tag {
            der::UTC_TIME => self.content.len() == 13,
            der::GENERALIZED_TIME => self.content.len() == 15,
            _ => false,
        };
        if !whole || !self.content.ends_with(b"Z") {
            return None;
        }
        match ASN1Time::from_der(self.encoding) {
            Ok((_, time)) => Time::from_unix(time.timestamp()),
            Err(_) => None,
        }
    }
}
