//! The to-be-signed parts of certificates, CRLs, certification requests and OCSP responses, recognized by how they begin.

use crate::limits::count;

/// Looks at the beginning of a message that arrives in pieces, in bounded memory.
#[derive(Clone, Debug, Default)]
pub(super) struct X509Scan {
    /// The first bytes of the message, at most [`HEAD_BYTES`].
    head: Vec<u8>,
    /// The first bytes after an algorithm that is longer than the head, at most [`HEAD_BYTES`].
    later: Vec<u8>,
    size: u64,
}

/// Whether a message begins as one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    No,
    /// Only if a name begins at this place.
    WithNameAt(u64),
    Yes,
}

impl X509Scan {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        if self.head.len() == HEAD_BYTES
            && let Some(Begins::WithNameAt(place)) = begins(&self.head)
        {
            // The place is beyond the head, so no byte from there on has come before the head was full.
            let skipped = place.saturating_sub(self.size);
            let wanted = HEAD_BYTES.saturating_sub(self.later.len());
            let from = usize::try_from(skipped).unwrap_or(usize::MAX);
            self.later.extend(bytes.iter().skip(from).take(wanted));
        }
        self.size = self.size.saturating_add(count(bytes.len()));
    }

    /// Whether the whole message may be the TBSCertificate of a certificate, the TBSCertList of a CRL (RFC 5280, sections
    /// 4.1 and 5.1), the CertificationRequestInfo of a certification request (RFC 2986, section 4.1), the CertRequest of
    /// another one (RFC 4211, section 5), or the ResponseData of an OCSP response (RFC 6960, section 4.2.1).
    ///
    /// Readers of these take BER for DER, so that tags and lengths may have any form. If what was kept does not decide, and
    /// is not the whole message, the answer is yes.
    pub(super) fn may_be_one(&self) -> bool {
        let is_whole = |kept: &[u8]| kept.len() < HEAD_BYTES;
        match begins(&self.head) {
            Some(Begins::Yes) => true,
            Some(Begins::No) => false,
            Some(Begins::WithNameAt(_)) => is_name(&self.later).unwrap_or(!is_whole(&self.later)),
            None => !is_whole(&self.head),
        }
    }
}

/// `None` if there are too few bytes to tell.
///
/// An OCSP response names its responder and states a time. All others are a sequence with a name in it, before that a
/// version, a serial number or both, and the algorithm of the signature, except in a certification request. A certificate
/// of version 3 states its version in a tag that tells it apart.
fn begins(head: &[u8]) -> Option<Begins> {
    let outer = Element::parse(head)?;
    if !outer.is(UNIVERSAL, SEQUENCE) {
        return Some(Begins::No);
    }
    let mut part = Element::parse(outer.content)?;
    if part.is(CONTEXT, VERSION) {
        let Some(rest) = part.after() else { return Some(Begins::Yes) };
        part = Element::parse(rest?)?;
        if part.is(UNIVERSAL, INTEGER) {
            return Some(Begins::Yes);
        }
    }
    if part.is(CONTEXT, RESPONDER_NAME) || part.is(CONTEXT, RESPONDER_KEY) {
        let Some(rest) = part.after() else { return Some(Begins::Yes) };
        return Some(yes_if(Element::parse(rest?)?.is(UNIVERSAL, GENERALIZED_TIME)));
    }
    let has_number = part.is(UNIVERSAL, INTEGER);
    if has_number {
        let Some(rest) = part.after() else { return Some(Begins::Yes) };
        part = Element::parse(rest?)?;
    }
    if !part.is(UNIVERSAL, SEQUENCE) {
        return Some(Begins::No);
    }
    if part.is_empty()? {
        return Some(yes_if(has_number));
    }
    let first = Element::parse(part.content)?;
    if !first.is(UNIVERSAL, OBJECT_IDENTIFIER) {
        // The name of a certification request, or the template of one by RFC 4211.
        return Some(yes_if(has_number && (first.is(UNIVERSAL, SET) || first.class == CONTEXT)));
    }
    match part.after() {
        None => Some(Begins::Yes),
        Some(Some(rest)) => Some(yes_if(is_name(rest)?)),
        Some(None) => {
            let content = head.len().saturating_sub(part.content.len());
            Some(Begins::WithNameAt(count(content).saturating_add(part.length.unwrap_or(0))))
        }
    }
}

const fn yes_if(begins: bool) -> Begins {
    if begins { Begins::Yes } else { Begins::No }
}

/// Whether the Name of an issuer begins here: a sequence of sets.
fn is_name(bytes: &[u8]) -> Option<bool> {
    let name = Element::parse(bytes)?;
    Some(name.is(UNIVERSAL, SEQUENCE) && (name.is_empty()? || Element::parse(name.content)?.is(UNIVERSAL, SET)))
}

/// An element of BER. X.690, section 8.1.
struct Element<'a> {
    class: u8,
    /// The bytes that are known from its content on.
    content: &'a [u8],
    /// `None` for the indefinite form (X.690, section 8.1.3.6).
    length: Option<u64>,
    number: u64,
}

impl<'a> Element<'a> {
    /// The element at the beginning of `bytes`, `None` if its head is not complete there.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (identifier, mut rest) = bytes.split_first()?;
        let mut number = u64::from(identifier & HIGH_TAG_NUMBER);
        if number == u64::from(HIGH_TAG_NUMBER) {
            number = 0;
            loop {
                let (digit, after) = rest.split_first()?;
                number = number.saturating_mul(128).saturating_add(u64::from(digit & !MORE));
                rest = after;
                if digit & MORE == 0 {
                    break;
                }
            }
        }
        let (length, rest) = rest.split_first()?;
        let (length, content) = match *length {
            MORE => (None, rest),
            short if short & MORE == 0 => (Some(u64::from(short)), rest),
            long => {
                let (digits, content) = rest.split_at_checked(usize::from(long & !MORE))?;
                let value = |length: u64, digit: &u8| length.saturating_mul(256).saturating_add(u64::from(*digit));
                (Some(digits.iter().fold(0, value)), content)
            }
        };
        Some(Self { class: identifier >> 6, content, length, number })
    }

    fn is(&self, class: u8, number: u64) -> bool {
        (self.class, self.number) == (class, number)
    }

    /// Whether it has no content. An indefinite length ends with two zeros.
    fn is_empty(&self) -> Option<bool> {
        match self.length {
            Some(length) => Some(length == 0),
            None => Some(self.content.get(..2)? == [0, 0]),
        }
    }

    /// The bytes after the element: `None` if its length is indefinite, so that its end is not known, and `Some(None)` if it
    /// ends beyond the bytes that are kept.
    fn after(&self) -> Option<Option<&'a [u8]>> {
        let length = self.length?;
        Some(usize::try_from(length).map_or(None, |length| self.content.get(length..)))
    }
}

/// The classes of tags.
const UNIVERSAL: u8 = 0;
const CONTEXT: u8 = 2;

/// The numbers of tags.
const VERSION: u64 = 0;
const RESPONDER_NAME: u64 = 1;
const RESPONDER_KEY: u64 = 2;
const INTEGER: u64 = 2;
const OBJECT_IDENTIFIER: u64 = 6;
const SEQUENCE: u64 = 16;
const SET: u64 = 17;
const GENERALIZED_TIME: u64 = 24;

/// The number in an identifier that stands for one in the bytes after it.
const HIGH_TAG_NUMBER: u8 = 0x1f;

/// The bit of a byte after which more bytes of a number follow; alone, an indefinite length.
const MORE: u8 = 0x80;

/// The bytes of the beginning of a message that are kept.
const HEAD_BYTES: usize = 1024;
