//! `SigningRequest`: who is asked to sign what, why, until when. Its digest is what a response answers.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::base64;
use crate::envelope::predicate_limits;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::request::Action;
use crate::request::Item;
use crate::request::Message;
use crate::request::Previous;
use crate::request::RequestError;
use crate::request::log;
use crate::request::text;
use crate::request::wire;
use crate::request::wire::REQUEST;
use crate::request::wire::VERSION;
use crate::request::wire::WireHead;
use crate::request::wire::WireItem;
use crate::request::wire::WireKey;
use crate::request::wire::WireOwner;
use crate::request::wire::WireRequest;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::Threshold;
use crate::trust::TrustRoot;

/// How far the clocks of two machines may be apart, in seconds: one day.
pub const SKEW: i64 = 24 * 60 * 60;

/// A signing request that was read and makes sense.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    created: Time,
    digest: Digest,
    expires: Time,
    items: Vec<Item>,
    messages: Vec<Vec<Message>>,
    owners: Vec<Keyholder>,
    reason: Option<String>,
    threshold: Threshold,
}

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    /// When it is made. The manifests that are attached will say this.
    pub created: Time,
    /// Until when it is to be signed.
    pub expires: Time,
    /// What is to be signed.
    pub items: Vec<Item>,
    /// Who is asked.
    pub owners: Vec<Keyholder>,
    /// Why.
    pub reason: Option<String>,
    /// How many of the owners have to sign.
    pub threshold: Threshold,
}

/// An owner, and the keys any of which signs for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyholder {
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// The name.
    pub name: String,
}

impl Draft {
    /// The request as a file, which [`SigningRequest::parse`] accepts.
    ///
    /// # Errors
    /// [`RequestError`] that says what is wrong with the draft.
    pub fn to_json(&self, limits: &Limits) -> Result<Vec<u8>, RequestError> {
        let bytes = self.written()?;
        SigningRequest::parse(&bytes, limits).map(|_| bytes)
    }

    /// The bytes of the file. Predicates are most of it, and may be large: there is room for them from the beginning.
    fn written(&self) -> Result<Vec<u8>, RequestError> {
        const BESIDE: usize = 2 << 10;
        let length = |item: &Item| match &item.action {
            Action::Attest(attest) => attest.predicate.get().len().saturating_add(BESIDE),
            Action::Sign(_) => BESIDE,
        };
        let mut bytes = Vec::with_capacity(self.items.iter().map(length).fold(BESIDE, usize::saturating_add));
        let wire = WireRequest {
            version: VERSION,
            kind: REQUEST.to_owned(),
            created: self.created.to_string(),
            expires: self.expires.to_string(),
            reason: self.reason.clone(),
            owners: self.owners.iter().map(Keyholder::to_wire).collect(),
            threshold: self.threshold.count(),
            items: self.items.iter().map(Item::to_wire).collect(),
        };
        serde_json::to_writer_pretty(&mut bytes, &wire).map_err(|error| unreadable(error.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl SigningRequest {
    /// Reads a request, and refuses one that two people could understand differently.
    ///
    /// # Errors
    /// [`RequestError`] that names the field.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, RequestError> {
        RequestError::bounded("bytes of a request", bytes.len(), limits.request.bytes)?;
        let head: WireHead = json::parse(bytes, &predicate_limits(bytes, limits))
            .map_err(|error| RequestError::other_file("signing request", error))?;
        expect(&head, REQUEST)?;
        let wire: WireRequest = wire::read(bytes, limits).map_err(unreadable)?;
        let (created, expires) = (time("created", &wire.created)?, time("expires", &wire.expires)?);
        if expires <= created {
            return Err(RequestError::field("expires", "is not after `created`"));
        }
        let reason = wire.reason.as_ref().map_or(0, String::len);
        RequestError::bounded("bytes of `reason`", reason, limits.request.text_bytes)?;
        let owners = owners(wire.owners, limits)?;
        let keys = owners
            .iter()
            .flat_map(|owner| owner.keys.iter().map(|key| (Owner::Named(owner.name.clone()), key.clone())));
        let threshold = Threshold::new(wire.threshold)?;
        TrustRoot::owned(keys)?.supports(threshold)?;
        let items = items(wire.items, limits)?;
        let messages = messages(&items, limits)?;
        let digest = Digest::sha256(bytes);
        let request = Self { created, digest, expires, items, messages, owners, reason: wire.reason, threshold };
        // Who keeps a log must not find out that a line is too long for it when the signature is made already.
        log::has_room_for(&request, limits)?;
        Ok(request)
    }

    /// Refuses a request whose time is over, and a clock that cannot be right.
    ///
    /// # Errors
    /// [`RequestError::Expired`], [`RequestError::Clock`].
    pub fn open_at(&self, now: Time) -> Result<(), RequestError> {
        if now > self.expires {
            return Err(RequestError::Expired { expires: self.expires, now });
        }
        match now.unix().saturating_add(SKEW) < self.created.unix() {
            true => Err(RequestError::Clock { created: self.created, now }),
            false => Ok(()),
        }
    }

    /// Who holds `key`.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`], with everybody who was.
    pub fn owner_of(&self, key: KeyId) -> Result<&Keyholder, RequestError> {
        let holds = |owner: &&Keyholder| owner.keys.iter().any(|held| held.id() == key);
        self.owners.iter().find(holds).ok_or_else(|| self.not_asked(&key.to_string()))
    }

    /// The owners with their keys, in one line.
    pub fn asked(&self) -> String {
        let keys = |owner: &Keyholder| owner.keys.iter().map(|key| key.id().short()).collect::<Vec<_>>().join(", ");
        self.owners.iter().map(|owner| format!("{} ({})", owner.name, keys(owner))).collect::<Vec<_>>().join(", ")
    }

    /// What this request, that of a round before, asked for in the place of `item`: under the same name, else the one
    /// thing of that kind and for those platforms at the same place.
    pub fn predecessor(&self, item: &Item) -> Option<Previous> {
        let alike = |other: &&Item| other.kind() == item.kind() && other.platforms == item.platforms;
        let same_name = self.items.iter().filter(alike).find(|other| other.reference == item.reference);
        let mut same_place =
            self.items.iter().filter(alike).filter(|other| other.reference.place() == item.reference.place());
        let only = match (same_place.next(), same_place.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        same_name.or(only).map(|other| Previous {
            digest: other.digest,
            labels: other.labels.clone(),
            reference: other.reference.to_string(),
        })
    }

    /// When it was made.
    pub const fn created(&self) -> Time {
        self.created
    }

    /// The SHA-256 of the file, as it was received.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Until when it is to be signed.
    pub const fn expires(&self) -> Time {
        self.expires
    }

    /// What is to be signed.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What is to be signed for each item, in their order.
    pub fn messages(&self) -> &[Vec<Message>] {
        &self.messages
    }

    /// Who is asked.
    pub fn owners(&self) -> &[Keyholder] {
        &self.owners
    }

    /// Why.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// How many owners have to sign.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    pub(super) fn not_asked(&self, key: &str) -> RequestError {
        RequestError::NotAsked { asked: self.asked(), key: key.escape_debug().take(64).collect() }
    }

    /// The keys of the owners.
    pub(super) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.owners.iter().flat_map(|owner| &owner.keys)
    }
}

impl Keyholder {
    fn to_wire(&self) -> WireOwner {
        let key = |key: &PublicKey| WireKey { id: key.id().to_string(), public_key: base64::encode(key.spki()) };
        WireOwner { name: self.name.clone(), keys: self.keys.iter().map(key).collect() }
    }

    fn of_wire(wire: WireOwner, limits: &Limits) -> Result<Self, RequestError> {
        const LONGEST: u64 = 128;
        let WireOwner { name, keys } = wire;
        RequestError::bounded("bytes of the name of an owner", name.len(), LONGEST)?;
        if name.trim() != name || name.is_empty() || !name.chars().all(is_plain) {
            return Err(RequestError::field("name", format!("of an owner is not a plain name: {name:?}")));
        }
        if keys.is_empty() {
            return Err(RequestError::field("keys", format!("of {name} is empty")));
        }
        RequestError::bounded("keys of one owner", keys.len(), limits.request.keys)?;
        let keys = keys.into_iter().map(|key| read_key(&name, &key)).collect::<Result<_, _>>()?;
        Ok(Self { keys, name })
    }
}

/// Letters, digits and what stands in names and addresses: nothing that could look like another part of a page.
fn is_plain(c: char) -> bool {
    (c.is_alphanumeric() && !text::hides(c)) || matches!(c, ' ' | '.' | '-' | '_' | '@' | '+' | '/' | ':' | '\'')
}

fn read_key(owner: &str, wire: &WireKey) -> Result<PublicKey, RequestError> {
    let owner = owner.to_owned();
    let spki = base64::decode("publicKey", &wire.public_key);
    let spki = spki.map_err(|error| RequestError::field("publicKey", format!("of {owner}: {error}")))?;
    let key = PublicKey::from_spki(&spki).map_err(|error| RequestError::Key { error, owner: owner.clone() })?;
    match key.id().to_string() == wire.id {
        true => Ok(key),
        false => Err(RequestError::field("id", format!("of a key of {owner} is not that of the key beside it"))),
    }
}

fn owners(wire: Vec<WireOwner>, limits: &Limits) -> Result<Vec<Keyholder>, RequestError> {
    let count = wire.iter().map(|owner| owner.keys.len()).fold(wire.len(), usize::saturating_add);
    RequestError::bounded("owners and their keys", count, limits.request.keys.saturating_mul(2))?;
    let owners = wire.into_iter().map(|owner| Keyholder::of_wire(owner, limits)).collect::<Result<Vec<_>, _>>()?;
    // One person under two names, or one key in two hands, would be counted twice or not at all.
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for owner in &owners {
        if !names.insert(owner.name.to_lowercase()) {
            return Err(RequestError::Duplicate { what: format!("the owner {}", owner.name) });
        }
        if let Some(key) = owner.keys.iter().find(|key| !keys.insert(key.id())) {
            return Err(RequestError::Duplicate { what: format!("the key {}", key.id().short()) });
        }
    }
    Ok(owners)
}

fn items(wire: Vec<WireItem>, limits: &Limits) -> Result<Vec<Item>, RequestError> {
    if wire.is_empty() {
        return Err(RequestError::field("items", "is empty"));
    }
    RequestError::bounded("items of one request", wire.len(), limits.request.items)?;
    wire.into_iter().map(|item| Item::of_wire(item, limits)).collect()
}

/// What is to be signed, for all items; the same thing twice at one place is refused.
fn messages(items: &[Item], limits: &Limits) -> Result<Vec<Vec<Message>>, RequestError> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for item in items {
        let envelope = |error| RequestError::Envelope { error, reference: item.reference.to_string() };
        let messages = item.messages().map_err(envelope)?;
        for message in &messages {
            // What no verifier would read afterwards need not be signed.
            let encoded = message.payload().len().div_ceil(3).saturating_mul(4);
            RequestError::bounded("bytes of one payload in base64", encoded, limits.evidence.attestation_bytes)?;
            if !seen.insert((item.pinned().to_string(), Digest::sha256(&message.to_sign()))) {
                return Err(RequestError::Duplicate { what: format!("{} of {}", item.kind(), item.pinned()) });
            }
        }
        all.push(messages);
    }
    Ok(all)
}

pub(super) fn expect(head: &WireHead, want: &'static str) -> Result<(), RequestError> {
    match head.kind == want && head.version == VERSION {
        true => Ok(()),
        false => Err(RequestError::Kind { got: head.kind.clone(), version: head.version, want }),
    }
}

/// An instant in the one spelling that we write.
pub(super) fn time(field: &str, text: &str) -> Result<Time, RequestError> {
    Time::parse(text)
        .filter(|time| time.to_string() == text)
        .ok_or_else(|| RequestError::field(field, "is not a time like 2026-01-31T12:00:00Z"))
}

fn unreadable(error: JsonError) -> RequestError {
    RequestError::json("signing request", error)
}
