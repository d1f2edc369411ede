//! `LogChain`: the hash-chained signing log. Each line names the digest of the line before it, so a line cannot be
//! changed, left out or put in without changing the digest of the last line, which people write down.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::envelope::PayloadKind;
use crate::json;
use crate::limits::Limits;
use crate::policy::StatementKind;
use crate::request::RequestError;
use crate::request::error::LogFault;
use crate::request::wire;
use crate::request::wire::WireLogEntry;
use crate::time::Time;

/// How far a signing log was read or written: the number of lines, and the digest of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogChain {
    head: Option<Digest>,
    lines: usize,
}

/// One line of a signing log: one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What was signed: the digest of an image, or that of the request for a countersignature.
    pub digest: Digest,
    /// The name under which it was shown.
    pub item: String,
    /// The id of the key.
    pub key: String,
    /// What kind of statement was signed, and in which of its forms.
    pub kind: String,
    /// The owner of the key.
    pub owner: String,
    /// The digest of the request that was answered.
    pub request: Digest,
    /// The SHA-256 of the one form of the signature, see [`PublicKey::one_form`](crate::key::PublicKey::one_form).
    pub signature: Digest,
    /// When it was signed, by the clock of that machine.
    pub time: Time,
}

/// A signature that was just made, as far as a log needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSignature {
    /// The place of its item, from 0; none for the countersignature.
    pub item: Option<usize>,
    /// Which payload of the item it covers.
    pub payload: Option<PayloadKind>,
    /// The SHA-256 of the one form of the signature, see [`PublicKey::one_form`](crate::key::PublicKey::one_form).
    pub signature: Digest,
}

impl LogChain {
    /// A log in which `head` was written last: what its next line has to follow.
    pub(super) const fn after(head: Digest) -> Self {
        Self { head: Some(head), lines: 1 }
    }

    /// Reads the next line, which is given without its line end.
    ///
    /// # Errors
    /// [`RequestError::Log`] where it does not follow from the lines before it, or is not a line of a signing log.
    pub fn follow(&mut self, line: &[u8], limits: &Limits) -> Result<LogEntry, RequestError> {
        let number = self.lines.saturating_add(1);
        let broken = |why| RequestError::Log { line: number, why };
        RequestError::bounded(&format!("bytes of line {number}"), line.len(), limits.request.log_line_bytes)?;
        let wire: WireLogEntry = match wire::read_line(line, limits) {
            Ok(wire) => wire,
            // A file that does not begin as a signing log does is another file, and says nothing about one.
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

    /// Writes the next line, without its line end.
    ///
    /// # Errors
    /// [`RequestError::Limit`] where the line would be longer than a reader reads; [`RequestError::Json`] is passed on,
    /// although these types can always be written.
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

    /// The digest of the last line; none before the first.
    pub const fn head(&self) -> Option<Digest> {
        self.head
    }

    /// The number of lines.
    pub const fn lines(&self) -> usize {
        self.lines
    }
}

impl LogEntry {
    /// How a log names a kind of statement and the form in which it was signed.
    pub fn kind_of(kind: &StatementKind, payload: Option<PayloadKind>) -> String {
        let payload = payload.map_or_else(String::new, |payload| format!(" ({payload})"));
        format!("{kind}{payload}")
    }
}

/// Whether a line may once have been a line of a signing log: an object with some of the fields that no request and no
/// response has.
fn is_entry(line: &[u8], limits: &Limits) -> bool {
    let fields: Result<BTreeMap<String, IgnoredAny>, _> = json::parse(line, limits);
    fields
        .is_ok_and(|fields| ["previous", "signature", "item", "digest"].iter().any(|field| fields.contains_key(*field)))
}
