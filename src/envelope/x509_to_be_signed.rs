//! The to-be-signed parts of certificates, revocation lists and certification requests, recognized by how they begin.

/// Whether a message may be the TBSCertificate of a certificate, the TBSCertList of a revocation list (RFC 5280, sections
/// 4.1 and 5.1) or the CertificationRequestInfo of a certification request (RFC 2986, section 4.1).
///
/// Readers of these take BER for DER, so that tags and lengths may have any form. `head` is the beginning of the message. If
/// it is too short to decide, and is not the whole message, the answer is yes.
pub(super) fn may_begin(head: &[u8], is_whole: bool) -> bool {
    begins(head).unwrap_or(!is_whole)
}

/// `None` if there are too few bytes to tell.
///
/// All of them are a sequence with a name in it, before that a version, a serial number or both, and the algorithm of the
/// signature, except in a certification request. A certificate of version 3 states its version in a tag that tells it apart.
fn begins(head: &[u8]) -> Option<bool> {
    let outer = Element::parse(head)?;
    if !outer.is(UNIVERSAL, SEQUENCE) {
        return Some(false);
    }
    let mut part = Element::parse(outer.content)?;
    if part.is(CONTEXT, VERSION) {
        let Some(serial) = part.after() else { return Some(true) };
        return Some(Element::parse(serial?)?.is(UNIVERSAL, INTEGER));
    }
    let has_number = part.is(UNIVERSAL, INTEGER);
    if has_number {
        let Some(rest) = part.after() else { return Some(true) };
        part = Element::parse(rest?)?;
    }
    if !part.is(UNIVERSAL, SEQUENCE) || part.is_empty() {
        return Some(has_number && part.is(UNIVERSAL, SEQUENCE));
    }
    let first = Element::parse(part.content)?;
    if !first.is(UNIVERSAL, OBJECT_IDENTIFIER) {
        return Some(has_number && first.is(UNIVERSAL, SET));
    }
    // Of a PKCS#12 file, which begins in the same way. It is no algorithm.
    if first.content.starts_with(PKCS7) {
        return Some(false);
    }
    let Some(rest) = part.after() else { return Some(true) };
    let name = Element::parse(rest?)?;
    Some(name.is(UNIVERSAL, SEQUENCE) && (name.is_empty() || Element::parse(name.content)?.is(UNIVERSAL, SET)))
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

    fn is_empty(&self) -> bool {
        self.length == Some(0)
    }

    /// What follows the element: `None` if its length is indefinite, `Some(None)` beyond the bytes that are known.
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
const INTEGER: u64 = 2;
const OBJECT_IDENTIFIER: u64 = 6;
const SEQUENCE: u64 = 16;
const SET: u64 = 17;

/// The number in an identifier that stands for one in the bytes after it.
const HIGH_TAG_NUMBER: u8 = 0x1f;

/// The bit of a byte after which more bytes of a number follow; alone, an indefinite length.
const MORE: u8 = 0x80;

/// The content types of PKCS#7: 1.2.840.113549.1.7.
const PKCS7: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07";
