//! CBOR that the tests write, right or wrong.

use bulla::limits::count;

/// A data item to be written.
#[derive(Clone, Debug)]
pub enum Data {
    Array(Vec<Self>),
    Bytes(Vec<u8>),
    Integer(i64),
    Map(Vec<(Self, Self)>),
    /// What is written as it is.
    Raw(Vec<u8>),
    Tagged(u64, Box<Self>),
    Text(String),
}

impl Data {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Array(items) => {
                [vec![head(4, items.len())], items.iter().map(Self::encode).collect()].concat().concat()
            }
            Self::Bytes(bytes) => [head(2, bytes.len()), bytes.clone()].concat(),
            Self::Integer(number) if *number < 0 => head(1, number.unsigned_abs() as usize - 1),
            Self::Integer(number) => head(0, *number as usize),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| [key.encode(), value.encode()].concat());
                [vec![head(5, entries.len())], entries.collect()].concat().concat()
            }
            Self::Raw(bytes) => bytes.clone(),
            Self::Tagged(tag, inner) => [head(6, *tag as usize), inner.encode()].concat(),
            Self::Text(text) => [head(3, text.len()), text.as_bytes().to_vec()].concat(),
        }
    }
}

pub fn text(text: &str) -> Data {
    Data::Text(text.to_owned())
}

pub fn texts(items: &[&str]) -> Data {
    Data::Array(items.iter().map(|item| text(item)).collect())
}

pub fn epoch(seconds: i64) -> Data {
    Data::Tagged(1, Box::new(Data::Integer(seconds)))
}

/// The head of an item in its shortest encoding.
pub fn head(major: u8, argument: usize) -> Vec<u8> {
    let length = match count(argument) {
        0..=23 => return vec![(major << 5) | argument as u8],
        24..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xffff_ffff => 2,
        _ => 3,
    };
    let bytes = count(argument).to_be_bytes();
    [&[(major << 5) | (24 + length)], &bytes[8 - (1 << length)..]].concat()
}
