//! Certificates as Fulcio issues them, and as it never does: written field by field around a key.

use std::sync::OnceLock;

use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificateError;
use bulla::x509::Name;
use bulla::x509::Purpose;
use bulla::x509::SerialNumber;
use bulla::x509::TestAuthority;

/// What a certificate says about its holder.
#[derive(Clone, Default)]
pub struct Subject {
    /// Subject alternative names: the tag of the form, and its content.
    pub names: Vec<(u8, Vec<u8>)>,
    /// Encoded extensions beside it.
    pub extensions: Vec<Vec<u8>>,
}

pub const EMAIL: u8 = 0x81;
pub const DNS: u8 = 0x82;
pub const URI: u8 = 0x86;
pub const OTHER: u8 = 0xa0;
pub const UTF8: u8 = 0x0c;

impl Subject {
    pub fn uri(text: &str) -> Self {
        Self::default().name(URI, text.as_bytes())
    }

    pub fn email(text: &str) -> Self {
        Self::default().name(EMAIL, text.as_bytes())
    }

    /// The `otherName` of Fulcio for user names.
    pub fn user(text: &str) -> Self {
        let id = [&[0x06, 10][..], &number(7)].concat();
        let inner = value(0xa0, &value(UTF8, text.as_bytes()));
        Self::default().name(OTHER, &[id, inner].concat())
    }

    pub fn name(mut self, form: u8, content: &[u8]) -> Self {
        self.names.push((form, content.to_vec()));
        self
    }

    /// The extension 1.3.6.1.4.1.57264.1 and `last`, with the bytes of the text.
    pub fn bare(self, last: u8, text: &str) -> Self {
        self.raw(last, text.as_bytes())
    }

    /// The same, with a `UTF8String`.
    pub fn der(self, last: u8, text: &str) -> Self {
        self.raw(last, &value(UTF8, text.as_bytes()))
    }

    pub fn raw(self, last: u8, content: &[u8]) -> Self {
        self.tagged(last, 0x04, content)
    }

    /// The same, with another tag than that of an OCTET STRING.
    pub fn tagged(mut self, last: u8, tag: u8, content: &[u8]) -> Self {
        let id = value(0x06, &number(last));
        self.extensions.push(value(0x30, &[id, value(tag, content)].concat()));
        self
    }

    /// Both extensions with the issuer.
    pub fn issuer(self, text: &str) -> Self {
        self.bare(1, text).der(8, text)
    }

    pub fn certificate(&self) -> Certificate {
        self.parsed().unwrap()
    }

    pub fn parsed(&self) -> Result<Certificate, CertificateError> {
        let names: Vec<u8> = self.names.iter().flat_map(|(form, content)| value(*form, content)).collect();
        let names = value(0x04, &value(0x30, &names));
        let names = value(0x30, &[value(0x06, &[0x55, 0x1d, 17]), names].concat());
        let mut all = self.extensions.concat();
        if !self.names.is_empty() {
            all.extend(names);
        }
        let base = base();
        let outer = parts(&base);
        let mut fields = parts(&outer[0]);
        *fields.last_mut().unwrap() = value(0xa3, &value(0x30, &all));
        let signed = value(0x30, &fields.concat());
        Certificate::parse(&value(0x30, &[&signed[..], &outer[1], &outer[2]].concat()), &Limits::DEFAULT)
    }
}

/// The workflow `release.yml` of `acme/app` on GitHub, which was started by a push to the tag `v1.2`.
pub fn release() -> Subject {
    workflow("acme/app", "acme/app/.github/workflows/release.yml@refs/tags/v1.2", "refs/tags/v1.2")
}

/// A workflow that signs for `repository` at `reference`.
pub fn workflow(repository: &str, signer: &str, reference: &str) -> Subject {
    Subject::uri(&format!("https://github.com/{signer}"))
        .issuer("https://token.actions.githubusercontent.com")
        .bare(2, "push")
        .bare(3, "0123456789012345678901234567890123456789")
        .bare(4, "release")
        .bare(5, repository)
        .bare(6, reference)
        .der(11, "github-hosted")
        .der(12, &format!("https://github.com/{repository}"))
        .der(13, "0123456789012345678901234567890123456789")
        .der(14, reference)
        .der(20, "push")
}

/// The content of the object identifier 1.3.6.1.4.1.57264.1 and `last`.
fn number(last: u8) -> [u8; 10] {
    [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, last]
}

/// One DER value.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..0x80 => vec![short as u8],
        long @ 0x80..0x100 => vec![0x81, long as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &length, content].concat()
}

/// The values inside a DER value.
fn parts(der: &[u8]) -> Vec<Vec<u8>> {
    let header = |der: &[u8]| match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    };
    let mut rest = &der[header(der).0..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (start, content) = header(rest);
        let (part, after) = rest.split_at(start + content);
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}

/// A certificate of a test authority, for its other fields.
fn base() -> Vec<u8> {
    static BASE: OnceLock<Vec<u8>> = OnceLock::new();
    BASE.get_or_init(|| {
        let key = || PrivateKey::generate(KeyKind::P256).unwrap();
        let serial = |byte| SerialNumber::from_random([byte; 16]);
        let validity = (Time::from_unix(1_700_000_000).unwrap(), Time::from_unix(1_800_000_000).unwrap());
        let authority = TestAuthority::new(key(), key(), &[serial(1), serial(2)], validity).unwrap();
        let name = Name::parse("CN=base").unwrap();
        let chain = authority.issue(&name, key().public_key(), Purpose::Signing, &serial(3)).unwrap();
        chain.first().der().to_vec()
    })
    .clone()
}
