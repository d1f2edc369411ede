//! Strict CBOR (RFC 8949), for COSE: definite lengths, shortest encodings, no duplicate keys; depth and size bounded.

use std::collections::BTreeSet;

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::Strictness;
use crate::envelope::notary::rule::NotaryRule;
use crate::limits::Limits;

/// A data item, and the bytes that encode it.
#[derive(Debug)]
pub(super) struct Encoded<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) item: Item<'a>,
}

/// A data item. Strings are borrowed from the document.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Array(Vec<Encoded<'a>>),
    Bytes(&'a [u8]),
    Map(Vec<(Encoded<'a>, Encoded<'a>)>),
    /// `-1 - number`.
    Negative(u64),
    /// A simple value: true, false, null and the like.
    Simple,
    Tagged(u64, Box<Encoded<'a>>),
    Text(&'a str),
    Unsigned(u64),
}

impl Item<'_> {
    /// The integer, if it is one.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Negative(number) => (-1_i64).checked_sub_unsigned(*number),
            Self::Unsigned(number) => 0_i64.checked_add_unsigned(*number),
            _ => None,
        }
    }
}

/// Reads `bytes` as one data item with nothing after it. The keys of maps must be in the order of their encoding where
/// `strictness` asks for it.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits, strictness: Strictness) -> Result<Encoded<'a>, NotaryError> {
    let mut reader = Reader { items: 0, limits, rest: bytes, strictness };
    let read = reader.item(0)?;
    match reader.rest.is_empty() {
        true => Ok(read),
        false => Err(malformed()),
    }
}

struct Reader<'a, 'l> {
    items: u64,
    limits: &'l Limits,
    rest: &'a [u8],
    strictness: Strictness,
}

impl<'a> Reader<'a, '_> {
    fn item(&mut self, depth: u64) -> Result<Encoded<'a>, NotaryError> {
        let start = self.rest;
        self.items += 1;
        // The limits of JSON documents hold for CBOR as well, and the call stack has room for no more levels.
        let (items, levels) = (self.limits.json.values, self.limits.json.depth.min(MAX_DEPTH));
        if self.items > items {
            return Err(NotaryError::Limit { what: "CBOR data items", got: self.items, limit: items });
        }
        if depth > levels {
            return Err(NotaryError::Limit { what: "levels of CBOR data items", got: depth, limit: levels });
        }
        let (major, argument) = self.head()?;
        let item = match major {
            0 => Item::Unsigned(argument),
            1 => Item::Negative(argument),
            2 => Item::Bytes(self.string(argument)?),
            3 => Item::Text(str::from_utf8(self.string(argument)?).map_err(|_| malformed())?),
            4 => Item::Array(self.array(argument, depth + 1)?),
            5 => Item::Map(self.map(argument, depth + 1)?),
            6 => Item::Tagged(argument, Box::new(self.item(depth + 1)?)),
            _ => Item::Simple,
        };
        let length = start.len().saturating_sub(self.rest.len());
        Ok(Encoded { bytes: start.get(..length).unwrap_or_default(), item })
    }

    /// The major type and the argument. RFC 8949 section 3; section 4.2.1 for the shortest encoding.
    fn head(&mut self) -> Result<(u8, u64), NotaryError> {
        let [first, ..] = self.take(1)? else { return Err(malformed()) };
        let (major, info) = (first >> 5, first & 0x1f);
        let (length, least) = match info {
            0..=23 => return Ok((major, u64::from(info))),
            24 if major == SIMPLE => (1, 32),
            25..=27 if major == SIMPLE => {
                return Err(NotaryError::Undetermined { found: None, rule: NotaryRule::CborFloat });
            }
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(malformed()),
        };
        let argument = self.take(length)?.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        match argument < least {
            true => Err(NotaryError::refused(NotaryRule::CborShortest)),
            false => Ok((major, argument)),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], NotaryError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn string(&mut self, length: u64) -> Result<&'a [u8], NotaryError> {
        self.take(usize::try_from(length).map_err(|_| malformed())?)
    }

    // Room is made while items are read, never for the number that the document claims.
    fn array(&mut self, length: u64, depth: u64) -> Result<Vec<Encoded<'a>>, NotaryError> {
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(self.item(depth)?);
        }
        Ok(items)
    }

    fn map(&mut self, length: u64, depth: u64) -> Result<Vec<(Encoded<'a>, Encoded<'a>)>, NotaryError> {
        let mut entries: Vec<(Encoded<'a>, Encoded<'a>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..length {
            let key = self.item(depth)?;
            let in_order = seen.last().is_none_or(|last| *last < key.bytes);
            if !seen.insert(key.bytes) {
                return Err(NotaryError::refused(NotaryRule::CborKeyTwice));
            }
            if !in_order && self.strictness == Strictness::Strict {
                return Err(NotaryError::refused(NotaryRule::CborKeyOrder));
            }
            entries.push((key, self.item(depth)?));
        }
        Ok(entries)
    }
}

fn malformed() -> NotaryError {
    NotaryError::refused(NotaryRule::CborForm)
}

/// The major type of simple values and floating-point numbers.
const SIMPLE: u8 = 7;

/// The nesting depth that the call stack has room for.
const MAX_DEPTH: u64 = 64;
