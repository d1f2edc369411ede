//! `LogChain`: the hash-chained signing log. Each line contains the digest of the previous line, so a line cannot be
//! changed, removed or inserted without changing the digest of the last line, which people write down.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::envelope::PayloadKind;
use crate::json;
use crate::limits::Limits;
use crate::policy::StatementKind;
use crate::request::LogFault;
use crate::request::RequestError;
use crate::request::SignedPart;
use crate::request::wire;
use crate::request::wire::WireLogEntry;
use crate::time::Time;

/// The position in a signing log: the number of lines, and the digest of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogChain {
    head: Option<Digest>,
    lines: usize,
}

/// One line of a signing log, which records one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The digest of the signed image or file, or of the request for a countersignature.
    pub digest: Digest,
    /// The name of the image or file that the signer was shown.
    pub item: String,
    /// The id of the key.
    pub key: String,
    /// The kind of the signed statement, and its form.
    pub kind: String,
    /// The owner of the key.
    pub owner: String,
    /// The digest of the signing request.
    pub request: Digest,
    /// The SHA-256 of the [canonical signature](crate::key::PublicKey::canonical_signature).
    pub signature: Digest,
    /// When it was signed, by the clock of the signing machine.
    pub time: Time,
}

/// A new signature to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSignature {
    /// What it covers.
    pub part: SignedPart,
    /// The SHA-256 of the [canonical signature](crate::key::PublicKey::canonical_signature).
    pub signature: Digest,
}

impl LogChain {
    /// A log whose last line has the digest `head`.
    pub(super) const fn after(head: Digest) -> Self {
        Self { head: Some(head), lines: 1 }
    }

    /// Checks that `line`, without its line end, is the next line of the chain, and parses it.
    ///
    /// # Errors
    /// [`RequestError::Log`] if it does not continue the chain, or is not a line of a signing log.
    pub fn follow(&mut self, line: &[u8], limits: &Limits) -> Result<LogEntry, RequestError> {
        let number = self.lines.saturating_add(1);
        let broken = |why| RequestError::Log { line: number, why };
        RequestError::bounded(&format!("bytes of line {number}"), line.len(), limits.request.log_line_bytes)?;
        let wire: WireLogEntry = match wire::read_line(line, limits) {
            Ok(wire) => wire,
            // A file that does not begin like a signing log is another file, which says nothing about a log.
            Err(error) if self.lines == 0 && !is_entry(line, limits) => {
                return Err(RequestError::other_file("signing log", error));
            }
            Err(error) => return Err(broken(LogFault::Json(error))),
        };
        if wire.previous != self.head {
            return Err(broken(LogFault::Previous { got: wire.previous, want: self.head }));
        }
        let time = Time::parse(&wire.time).filter(|time| time.to_string() == wire.time);
        let time = time.ok_or_else(|| broken(LogFault::Time))?;
        self.head = Some(Digest::sha256(line));
        self.lines = number;
        Ok(LogEntry {
            digest: wire.digest,
            item: wire.item,
            key: wire.key,
            kind: wire.kind,
            owner: wire.owner,
            request: wire.request,
            signature: wire.signature,
            time,
        })
    }

    /// Serializes the next line of the chain, without its line end.
    ///
    /// # Errors
    /// [`RequestError::Limit`] if the line would be too long for a reader; [`RequestError::Json`] is passed on,
    /// although these types can always be serialized.
    pub fn append(&mut self, entry: &LogEntry, limits: &Limits) -> Result<Vec<u8>, RequestError> {
        let line = serde_json::to_vec(&WireLogEntry {
            previous: self.head,
            time: entry.time.to_string(),
            owner: entry.owner.clone(),
            key: entry.key.clone(),
            request: entry.request,
            item: entry.item.clone(),
            digest: entry.digest,
            kind: entry.kind.clone(),
            signature: entry.signature,
        });
        let line = line.map_err(|error| RequestError::Json { document: "signing log", error: error.into() })?;
        RequestError::bounded("bytes of one line", line.len(), limits.request.log_line_bytes)?;
        self.head = Some(Digest::sha256(&line));
        self.lines = self.lines.saturating_add(1);
        Ok(line)
    }

    /// The digest of the last line; `None` for an empty log.
    pub const fn head(&self) -> Option<Digest> {
        self.head
    }

    /// The number of lines.
    pub const fn lines(&self) -> usize {
        self.lines
    }
}

impl LogEntry {
    /// The kind of a file signature in the log.
    pub const FILE_KIND: &'static str = "file signature";

    /// The name of a kind of statement and its form in the log.
    pub fn kind_of(kind: &StatementKind, payload: Option<PayloadKind>) -> String {
        let payload = payload.map_or_else(String::new, |payload| format!(" ({payload})"));
        format!("{kind}{payload}")
    }
}

/// Whether a line may be a damaged line of a signing log: an object with some fields that neither requests nor
/// responses have.
fn is_entry(line: &[u8], limits: &Limits) -> bool {
    let fields: Result<BTreeMap<String, IgnoredAny>, _> = json::parse(line, limits);
    fields
        .is_ok_and(|fields| ["previous", "signature", "item", "digest"].iter().any(|field| fields.contains_key(*field)))
}
