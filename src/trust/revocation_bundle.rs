//! `RevocationBundle`: the portable file of revocation evidence, CRLs and OCSP responses with their sources and times
//! (`docs/formats/revocation-bundle.md`).
//!
//! The invariant: nothing in the file but the bytes of a CRL or OCSP response decides anything. The addresses and times
//! beside them are unsigned, and only shown; whether evidence is genuine and fresh follows from the signed bytes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::digest::Digest;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::limits;
use crate::limits::Limits;
use crate::text::Untrusted;
use crate::time::Time;
use crate::x509::CertificateRevocationList;
use crate::x509::EvidenceKind;
use crate::x509::OcspResponse;
use crate::x509::StatusEvidence;
use crate::x509::StatusEvidenceError;

/// CRLs and OCSP responses, each once, with the addresses that they came from. None of them is trusted for being in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationBundle {
    bytes: u64,
    /// By kind and digest, which is also the order in the file.
    entries: BTreeMap<(EvidenceKind, Digest), RevocationEntry>,
}

/// A CRL or OCSP response, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationEntry {
    document: RevocationDocument,
    sources: BTreeMap<String, Time>,
}

/// A CRL or an OCSP response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationDocument {
    /// A certificate revocation list (RFC 5280).
    Crl(CertificateRevocationList),
    /// A response of an OCSP responder (RFC 6960).
    Ocsp(OcspResponse),
}

/// Why bytes are not a portable file of revocation evidence, or why nothing more fits into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationBundleError {
    /// The address of an entry is not a URI in printable ASCII, or too long.
    #[error("entry {entry}: the address `{address}` is no URI of at most {MOST_ADDRESS} printable ASCII characters")]
    Address {
        /// The address.
        address: Untrusted,
        /// The number of the entry, from 1.
        entry: usize,
    },
    /// The content of an entry is not base64.
    #[error("entry {entry}: its content is not base64")]
    Base64 {
        /// The number of the entry, from 1.
        entry: usize,
    },
    /// The content of an entry is no CRL or OCSP response.
    #[error("entry {entry}: {error}")]
    Evidence {
        /// The number of the entry, from 1.
        entry: usize,
        /// What is wrong with it.
        error: StatusEvidenceError,
    },
    /// The document is not strict JSON of this form.
    #[error("it is no file of revocation evidence: {0}")]
    Json(JsonError),
    /// The document states another media type.
    #[error("it states the media type `{0}` instead of `{MEDIA_TYPE}`")]
    MediaType(Untrusted),
    /// The time of an entry is not written as `2026-01-31T12:00:00Z`.
    #[error("entry {entry}: the time `{time}` is not written as 2026-01-31T12:00:00Z")]
    Time {
        /// The number of the entry, from 1.
        entry: usize,
        /// The time.
        time: Untrusted,
    },
    /// It has more bytes than allowed.
    #[error("revocation evidence has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It has more of something than allowed.
    #[error("more than {limit} {what}")]
    TooMany {
        /// The limit.
        limit: u64,
        /// What there are too many of.
        what: &'static str,
    },
    /// The same CRL, OCSP response or address stands in it twice.
    #[error("entry {entry}: it stands in the file twice")]
    Twice {
        /// The number of the entry, from 1.
        entry: usize,
    },
}

impl RevocationBundle {
    /// The media type of the file, which is also the artifact type of a referrer that carries it.
    pub const MEDIA_TYPE: &'static str = MEDIA_TYPE;

    /// A bundle without evidence.
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest file that is read, in bytes.
    pub const fn most_bytes(limits: &Limits) -> u64 {
        // Base64 is longer by a third; the rest is for addresses and times.
        let encoded = limits.revocation.bytes.saturating_add(limits.revocation.bytes.div_ceil(3));
        encoded.saturating_add(limits.revocation.documents.saturating_mul(4 << 10))
    }

    /// Parses the file strictly: unknown and duplicate fields, and evidence that stands in it twice, are refused.
    ///
    /// # Errors
    /// [`RevocationBundleError`]. That is could-not-tell: what cannot be read might hold a revocation.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, RevocationBundleError> {
        let limit = Self::most_bytes(limits);
        if limits::count(bytes.len()) > limit {
            return Err(RevocationBundleError::TooLarge { limit });
        }
        let wire: WireBundle<'_> = json::parse_document(bytes, limits).map_err(RevocationBundleError::Json)?;
        if wire.media_type != MEDIA_TYPE {
            return Err(RevocationBundleError::MediaType(Untrusted::new(&wire.media_type)));
        }
        let mut bundle = Self::new();
        for (position, wire) in wire.entries.into_iter().enumerate() {
            let entry = position.saturating_add(1);
            // One spelling only: the other alphabet is not that of this format.
            let content = match base64::decode("content", wire.content) {
                Ok(content) if !wire.content.contains(['-', '_']) => content,
                Ok(_) | Err(_) => return Err(RevocationBundleError::Base64 { entry }),
            };
            let document = match wire.kind {
                WireKind::Crl => CertificateRevocationList::parse(content, limits).map(RevocationDocument::Crl),
                WireKind::Ocsp => OcspResponse::parse(&content, limits).map(RevocationDocument::Ocsp),
            };
            let document = document.map_err(|error| RevocationBundleError::Evidence { entry, error })?;
            if bundle.entries.contains_key(&document.key()) {
                return Err(RevocationBundleError::Twice { entry });
            }
            let mut sources = BTreeMap::new();
            for WireSource { address, fetched_at } in wire.sources {
                let time = Time::parse(&fetched_at).filter(|time| time.to_string() == fetched_at);
                let wrong = || RevocationBundleError::Time { entry, time: Untrusted::new(&fetched_at) };
                let time = time.ok_or_else(wrong)?;
                check_address(&address, entry)?;
                if sources.insert(address, time).is_some() {
                    return Err(RevocationBundleError::Twice { entry });
                }
            }
            bundle.insert(RevocationEntry { document, sources }, limits)?;
        }
        Ok(bundle)
    }

    /// Adds evidence that was fetched from `address` at a time. Evidence that is there already gets the address too; of
    /// two times at one address, the later one is kept.
    ///
    /// # Errors
    /// [`RevocationBundleError`] if the bundle has as much as `limits` allow, or if `address` is no URI.
    pub fn add(
        &mut self,
        document: RevocationDocument,
        (address, time): (&str, Time),
        limits: &Limits,
    ) -> Result<(), RevocationBundleError> {
        check_address(address, self.entries.len().saturating_add(1))?;
        let sources = BTreeMap::from([(address.to_owned(), time)]);
        self.insert(RevocationEntry { document, sources }, limits)
    }

    /// Adds everything of `other`. Nothing is left out for being older: an older CRL may have an entry that a newer one
    /// dropped, because the certificate has expired since (RFC 5280 section 3.3).
    ///
    /// # Errors
    /// [`RevocationBundleError`] if the bundle has as much as `limits` allow.
    pub fn merge(&mut self, other: Self, limits: &Limits) -> Result<(), RevocationBundleError> {
        other.entries.into_values().try_for_each(|entry| self.insert(entry, limits))
    }

    /// Adds the evidence to a pool.
    ///
    /// # Errors
    /// [`StatusEvidenceError`] if the pool has as much as `limits` allow.
    pub fn add_to(&self, pool: &mut StatusEvidence, limits: &Limits) -> Result<(), StatusEvidenceError> {
        self.entries.values().try_for_each(|entry| match &entry.document {
            RevocationDocument::Crl(crl) => pool.add_crl(crl.clone(), limits),
            RevocationDocument::Ocsp(response) => pool.add_ocsp_response(response.clone(), limits),
        })
    }

    /// The entries: CRLs, then OCSP responses, each by digest.
    pub fn entries(&self) -> impl Iterator<Item = &RevocationEntry> {
        self.entries.values()
    }

    /// Whether it has no evidence.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file: canonical JSON (RFC 8785), so that the same evidence from the same sources has the same bytes.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JsonError> {
        let written = |entry: &RevocationEntry| WrittenEntry {
            content: base64::encode(entry.document.der()),
            kind: match entry.document {
                RevocationDocument::Crl(_) => WireKind::Crl,
                RevocationDocument::Ocsp(_) => WireKind::Ocsp,
            },
            sources: entry.sources().map(|(address, time)| WireSource::of(address, time)).collect(),
        };
        let entries = self.entries.values().map(written).collect();
        Ok(serde_json::to_vec(&WrittenBundle { entries, media_type: MEDIA_TYPE })?)
    }

    fn insert(&mut self, new: RevocationEntry, limits: &Limits) -> Result<(), RevocationBundleError> {
        let key = new.document.key();
        let count = limits::count(self.entries.len());
        let present = self.entries.get(&key);
        let mut sources = present.map(|entry| entry.sources.clone()).unwrap_or_default();
        for (address, time) in new.sources {
            let latest = sources.get(&address).map_or(time, |before| time.max(*before));
            sources.insert(address, latest);
        }
        if limits::count(sources.len()) > MOST_SOURCES {
            return Err(RevocationBundleError::TooMany { limit: MOST_SOURCES, what: "addresses of one entry" });
        }
        if present.is_none() {
            let (limit, documents) = (limits.revocation.bytes, limits.revocation.documents);
            let bytes = self.bytes.saturating_add(limits::count(new.document.der().len()));
            if count >= documents {
                return Err(RevocationBundleError::TooMany { limit: documents, what: "CRLs and OCSP responses" });
            }
            if bytes > limit {
                return Err(RevocationBundleError::TooLarge { limit });
            }
            self.bytes = bytes;
        }
        self.entries.insert(key, RevocationEntry { document: new.document, sources });
        Ok(())
    }
}

impl RevocationEntry {
    /// The CRL or OCSP response.
    pub const fn document(&self) -> &RevocationDocument {
        &self.document
    }

    /// The addresses that it came from, each with the time of the last fetch: unsigned hints.
    pub fn sources(&self) -> impl Iterator<Item = (&str, Time)> {
        self.sources.iter().map(|(address, time)| (address.as_str(), *time))
    }
}

impl RevocationDocument {
    /// The bytes.
    pub fn der(&self) -> &[u8] {
        match self {
            Self::Crl(crl) => crl.der(),
            Self::Ocsp(response) => response.der(),
        }
    }

    fn key(&self) -> (EvidenceKind, Digest) {
        match self {
            Self::Crl(crl) => (EvidenceKind::Crl, *crl.digest()),
            Self::Ocsp(response) => (EvidenceKind::Ocsp, *response.digest()),
        }
    }
}

fn check_address(address: &str, entry: usize) -> Result<(), RevocationBundleError> {
    let is_uri = !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_graphic());
    match is_uri && address.len() <= MOST_ADDRESS {
        true => Ok(()),
        false => Err(RevocationBundleError::Address { address: Untrusted::new(address), entry }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireBundle<'a> {
    #[serde(borrow)]
    entries: Vec<WireEntry<'a>>,
    media_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireEntry<'a> {
    /// Base64 has nothing that JSON escapes, so it is not copied.
    content: &'a str,
    kind: WireKind,
    sources: Vec<WireSource>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum WireKind {
    Crl,
    Ocsp,
}

// The fields of what is written are in the order of canonical JSON.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireSource {
    address: String,
    fetched_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenBundle {
    entries: Vec<WrittenEntry>,
    media_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry {
    content: String,
    kind: WireKind,
    sources: Vec<WireSource>,
}

impl WireSource {
    fn of(address: &str, time: Time) -> Self {
        Self { address: address.to_owned(), fetched_at: time.to_string() }
    }
}

const MEDIA_TYPE: &str = "application/vnd.bulla.revocation.v1+json";
/// The longest address, in characters.
const MOST_ADDRESS: usize = 2_048;
/// The most addresses of one entry.
const MOST_SOURCES: u64 = 16;
