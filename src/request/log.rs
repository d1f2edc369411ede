//! `Chain`: the signing log. Each line names the digest of the line before it, so no line can be changed, left out or
//! put in without changing the last digest, which is what people write down.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::policy::StatementKind;
use crate::request::Keyholder;
use crate::request::Message;
use crate::request::Part;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::request::signing_response::Made;
use crate::request::wire;
use crate::request::wire::WireEntry;
use crate::time::Time;

/// A signing log so far: how many lines, and the digest of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    head: Option<Digest>,
    lines: usize,
}

/// One signature, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was signed: the digest of an image, or of the request for the seal of an answer.
    pub digest: Digest,
    /// The name under which it was shown.
    pub item: String,
    /// The id of the key.
    pub key: String,
    /// What kind of statement was signed, and in which of its forms.
    pub kind: String,
    /// Whose key it is.
    pub owner: String,
    /// The request that was answered.
    pub request: Digest,
    /// The SHA-256 of the one form of the signature, see [`PublicKey::one_form`](crate::key::PublicKey::one_form).
    pub signature: Digest,
    /// When, by the clock of the machine that signed.
    pub time: Time,
}

impl Chain {
    /// Takes in the next line, without its line end.
    ///
    /// # Errors
    /// [`RequestError::Log`] where it does not follow from the lines before it, or is not a line of a signing log.
    pub fn follow(&mut self, line: &[u8], limits: &Limits) -> Result<Entry, RequestError> {
        let number = self.lines.saturating_add(1);
        let broken = |why: String| RequestError::Log { line: number, why };
        RequestError::bounded(&format!("bytes of line {number}"), line.len(), limits.request.log_line_bytes)?;
        let wire: WireEntry = match wire::read_line(line, limits) {
            Ok(wire) => wire,
            // A file that does not begin as a signing log does is another file, and says nothing about one.
            Err(error) if self.lines == 0 && !is_entry(line, limits) => {
                return Err(RequestError::other_file("signing log", error));
            }
            Err(error) => return Err(broken(error.to_string())),
        };
        if wire.previous != self.head {
            let shown = |head: Option<Digest>| head.map_or_else(|| "nothing".to_owned(), |head| head.to_string());
            return Err(broken(format!(
                "it follows {}, but the line before it is {}: a line was changed, left out or put in",
                shown(wire.previous),
                shown(self.head)
            )));
        }
        let time = Time::parse(&wire.time).filter(|time| time.to_string() == wire.time);
        let time = time.ok_or_else(|| broken("its time is no time".to_owned()))?;
        self.head = Some(Digest::sha256(line));
        self.lines = number;
        Ok(Entry {
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

    /// The next line, without its line end.
    ///
    /// # Errors
    /// [`RequestError::Json`] never happens for these types, but is not swallowed; [`RequestError::Limit`] where the line
    /// would be longer than a reader reads.
    pub fn append(&mut self, entry: &Entry, limits: &Limits) -> Result<Vec<u8>, RequestError> {
        let line = serde_json::to_vec(&WireEntry {
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

    /// How many lines there are.
    pub const fn lines(&self) -> usize {
        self.lines
    }
}

/// Whether a line may once have been one of a signing log: an object with some of the fields that requests and responses
/// do not have.
fn is_entry(line: &[u8], limits: &Limits) -> bool {
    let fields: Result<BTreeMap<String, IgnoredAny>, _> = json::parse(line, limits);
    fields
        .is_ok_and(|fields| ["previous", "signature", "item", "digest"].iter().any(|field| fields.contains_key(*field)))
}

/// Refuses a request of which a signature would make a line that is longer than a reader reads.
///
/// # Errors
/// [`RequestError::Limit`].
pub(super) fn has_room_for(request: &SigningRequest, limits: &Limits) -> Result<(), RequestError> {
    let key = |owner: &Keyholder| owner.keys.first().map(|key| (owner.name.len(), key.id()));
    let Some((_, key)) = request.owners().iter().filter_map(key).max_by_key(|(length, _)| *length) else {
        return Ok(());
    };
    let places = request.messages().iter().enumerate();
    let made = |(item, message): (usize, &Message)| Made {
        item: Some(item),
        part: Some(message.part()),
        signature: *request.digest(),
    };
    for made in places.flat_map(|(item, messages)| messages.iter().map(move |message| (item, message))).map(made) {
        let mut chain = Chain { head: Some(*request.digest()), lines: 1 };
        chain.append(&Entry::of(request, &made, key, request.expires())?, limits)?;
    }
    Ok(())
}

impl Entry {
    /// How a log names a kind of statement, and in which of its forms it was signed.
    pub fn kind_of(kind: &StatementKind, part: Option<Part>) -> String {
        let part = part.map_or_else(String::new, |part| format!(" ({part})"));
        format!("{kind}{part}")
    }

    /// The entry for a signature that `key` made for `request`.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`] for a key that no owner holds.
    pub fn of(request: &SigningRequest, made: &Made, key: crate::key::KeyId, now: Time) -> Result<Self, RequestError> {
        let item = made.item.and_then(|place| request.items().get(place));
        Ok(Self {
            digest: item.map_or(*request.digest(), |item| item.digest),
            item: item.map_or_else(|| "signing request".to_owned(), |item| item.reference.to_string()),
            key: key.to_string(),
            kind: item.map_or_else(
                || "answer to a signing request".to_owned(),
                |item| Self::kind_of(&item.kind(), made.part),
            ),
            owner: request.owner_of(key)?.name.clone(),
            request: *request.digest(),
            signature: made.signature,
            time: now,
        })
    }
}
