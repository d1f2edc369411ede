//! `View`: a text with the escapes in it decoded, layer by layer.

use zeroize::Zeroizing;

/// A text in lower case with some layers of escapes decoded, and the range of the original text for each byte.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// The range of the original text, for each byte.
    from: Vec<(usize, usize)>,
}

impl View {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes().to_ascii_lowercase();
        let from = (0..bytes.len()).map(|at| (at, at + 1)).collect();
        Self { bytes, from }
    }

    /// The view with one more layer of escapes decoded; `None` if there are no more escapes.
    pub(super) fn decoded(&self) -> Option<Self> {
        let mut decoded = Self { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::new() };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, bytes) = unescaped(rest);
            let start = self.from.get(at).map_or(0, |from| from.0);
            let end = self.from.get(at + length - 1).map_or(start, |from| from.1);
            decoded.from.extend(bytes.iter().map(|_| (start, end)));
            decoded.bytes.extend(bytes.to_ascii_lowercase());
            at += length;
        }
        (decoded.bytes != self.bytes).then_some(decoded)
    }

    pub(super) fn mark(&self, first: usize, last: usize, hidden: &mut [bool]) {
        let start = self.from.get(first).map_or(0, |from| from.0);
        let end = self.from.get(last).map_or(start, |from| from.1);
        hidden.get_mut(start..end).into_iter().flatten().for_each(|byte| *byte = true);
    }

    /// Whether the range has no letter or digit directly before or after it.
    pub(super) fn is_alone(&self, first: usize, length: usize) -> bool {
        let before = first.checked_sub(1).and_then(|at| self.bytes.get(at));
        !before.into_iter().chain(self.bytes.get(first + length)).any(|byte| is_letter(*byte))
    }
}

/// `secret` percent-decoded; `None` if decoding does not change it.
pub(super) fn decoded(secret: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len()));
    let mut rest = secret.as_bytes();
    while let Some(first) = rest.first() {
        let (length, plain) = if *first == b'%' { unescaped(rest) } else { (1, vec![*first]) };
        bytes.extend(plain);
        rest = rest.get(length..).unwrap_or_default();
    }
    let decoded = Zeroizing::new(std::str::from_utf8(&bytes).ok()?.to_owned());
    (*decoded != secret).then_some(decoded)
}

/// Whether a byte is compared: a letter, a digit, or a part of a character that is not ASCII.
pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Decodes the escape or character at the beginning of `text`, which is not empty. Returns its length and the bytes
/// that it stands for.
fn unescaped(text: &[u8]) -> (usize, Vec<u8>) {
    let number = |digits: Option<&[u8]>, radix: u32| {
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok())?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        u32::from_str_radix(digits, radix).ok().filter(|_| plain)
    };
    let encoded = |code: u32| char::from_u32(code).map(|c| c.to_string().into_bytes());
    let byte = |code: u32| u8::try_from(code).ok().map(|byte| vec![byte]);
    let of = |length: usize, bytes: Option<Vec<u8>>| bytes.map(|bytes| (length, bytes));
    let found = match text {
        [b'%', ..] => of(3, number(text.get(1..3), 16).and_then(byte)),
        [b'\\', b'x', ..] => of(4, number(text.get(2..4), 16).and_then(byte)),
        [b'\\', b'u', b'{', rest @ ..] => {
            let digits = rest.iter().take(7).position(|byte| *byte == b'}');
            digits.and_then(|end| of(end + 4, number(rest.get(..end), 16).and_then(encoded)))
        }
        [b'\\', b'u', ..] => of(6, number(text.get(2..6), 16).and_then(encoded)),
        [b'\\', escaped, ..] => Some((2, vec![*escaped])),
        [b'&', b'#', rest @ ..] => {
            let end = rest.iter().take(8).position(|byte| *byte == b';');
            let (from, radix) = if rest.first() == Some(&b'x') { (1, 16) } else { (0, 10) };
            end.and_then(|end| of(end + 3, number(rest.get(from..end), radix).and_then(encoded)))
        }
        [b'&', ..] => {
            HTML_ENTITIES.iter().find(|(name, _)| text.starts_with(name)).map(|(name, c)| (name.len(), vec![*c]))
        }
        _ => None,
    };
    found.unwrap_or_else(|| (1, text.iter().take(1).copied().collect()))
}

/// The named character references of HTML that are decoded.
const HTML_ENTITIES: &[(&[u8], u8)] =
    &[(b"&amp;", b'&'), (b"&apos;", b'\''), (b"&gt;", b'>'), (b"&lt;", b'<'), (b"&quot;", b'"')];
