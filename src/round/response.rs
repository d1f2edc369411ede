//! `Response`: signatures that answer a request, each verified against it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::digest::Digest;
use crate::envelope::base64;
use crate::envelope::dsse::pre_authentication_encoding;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::round::Message;
use crate::round::Part;
use crate::round::Request;
use crate::round::RoundError;
use crate::round::request;
use crate::round::request::SKEW;
use crate::round::request::time;
use crate::round::wire::RESPONSE;
use crate::round::wire::VERSION;
use crate::round::wire::WireHead;
use crate::round::wire::WirePart;
use crate::round::wire::WireResponse;
use crate::round::wire::WireSeal;
use crate::round::wire::WireSignature;
use crate::round::wire::WireSigner;
use crate::time::Time;

/// The DSSE payload type of a seal. No verifier of images reads it.
pub const SEAL_TYPE: &str = "application/vnd.bulla.signing-response.v1+json";

/// Signatures for one request. There is none in here that was not verified with a key of an owner, over a payload that
/// was rebuilt from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    request: Digest,
    signers: BTreeMap<KeyId, Signed>,
}

/// What one key signed.
///
/// The seal is a signature of the same key over the digest of the request: whoever made these signatures was shown
/// these very bytes, labels and reason included, though no payload of an image carries them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    key: PublicKey,
    owner: String,
    seal: Vec<u8>,
    signatures: BTreeMap<(usize, Part), Vec<u8>>,
    time: Time,
}

/// A signature that was just made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// For which item; none for the seal.
    pub item: Option<usize>,
    /// Over which of its payloads.
    pub part: Option<Part>,
    /// The SHA-256 of the signature.
    pub signature: Digest,
}

/// How far a signer came.
#[derive(Debug)]
pub struct Progress {
    /// What was made, in the order of the items.
    pub made: Vec<Made>,
    /// Why it went no further; nothing is tried a second time.
    pub stopped: Option<SignerError>,
}

/// What one key signed: the signature of each part of each item.
type Signatures = BTreeMap<(usize, Part), Vec<u8>>;

impl Response {
    /// No signatures yet.
    pub fn to(request: &Request) -> Self {
        Self { request: *request.digest(), signers: BTreeMap::new() }
    }

    /// Reads a response and checks all of it against `request`. One signature that does not hold spoils it: then
    /// somebody had a hand in it.
    ///
    /// # Errors
    /// [`RoundError`] with the reason.
    pub fn parse(bytes: &[u8], request: &Request, limits: &Limits) -> Result<Self, RoundError> {
        let limit = usize::try_from(limits.response_bytes).unwrap_or(usize::MAX);
        RoundError::bounded("bytes of a response", bytes.len(), limit)?;
        let head: WireHead = json::parse(bytes, limits).map_err(unreadable)?;
        request::expect(&head, RESPONSE)?;
        let wire: WireResponse = json::read(bytes).map_err(unreadable)?;
        if wire.request != *request.digest() {
            return Err(RoundError::other(wire.request, *request.digest()));
        }
        let mut response = Self::to(request);
        for signer in wire.signers {
            let signed = Signed::of_wire(signer, request)?;
            let key = signed.key.id();
            if response.signers.insert(key, signed).is_some() {
                return Err(RoundError::Duplicate { what: format!("the signer {}", key.short()) });
            }
        }
        Ok(response)
    }

    /// The response as a file.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        let mut bytes = serde_json::to_vec(&WireResponse {
            version: VERSION,
            kind: RESPONSE.to_owned(),
            request: self.request,
            signers: self.signers.values().map(Signed::to_wire).collect(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Adds the signatures of `other`. Where both have one of the same key over the same payload, ours stays.
    ///
    /// # Errors
    /// [`RoundError::OtherRequest`].
    pub fn merge(&mut self, other: Self) -> Result<(), RoundError> {
        if other.request != self.request {
            return Err(RoundError::other(other.request, self.request));
        }
        for (key, theirs) in other.signers {
            match self.signers.get_mut(&key) {
                Some(ours) => {
                    for (place, signature) in theirs.signatures {
                        ours.signatures.entry(place).or_insert(signature);
                    }
                }
                None => drop(self.signers.insert(key, theirs)),
            }
        }
        Ok(())
    }

    /// Has `signer` sign the next messages that it has not signed, at most `most` of them, its seal first. A signature
    /// is kept once it verifies; what was made until the signer stopped is kept.
    ///
    /// # Errors
    /// [`RoundError::NotAsked`] for a key that no owner holds, and a time at which the request is not open: then
    /// nothing is signed.
    pub fn sign(
        &mut self,
        request: &Request,
        signer: &dyn Signer,
        now: Time,
        most: usize,
    ) -> Result<Progress, RoundError> {
        self.is_for(request)?;
        request.open_at(now)?;
        let key = signer.public_key();
        let owner = &request.owner_of(key.id())?.name;
        let mut made = Vec::new();
        let signed = match self.signers.entry(key.id()) {
            Entry::Occupied(present) => present.into_mut(),
            Entry::Vacant(place) => match checked(signer, &seal(request, owner, key, now)?) {
                Ok(seal) => {
                    made.push(Made { item: None, part: None, signature: Digest::sha256(&seal) });
                    let (key, owner) = (key.clone(), owner.clone());
                    place.insert(Signed { key, owner, seal, signatures: BTreeMap::new(), time: now })
                }
                Err(error) => return Ok(Progress { made, stopped: Some(error) }),
            },
        };
        let todo: Vec<_> = signed.missing(request).into_iter().take(most).collect();
        let (signatures, stopped) = signed_all(signer, &todo);
        for (place, signature) in signatures {
            made.push(Made { item: Some(place.0), part: Some(place.1), signature: Digest::sha256(&signature) });
            signed.signatures.insert(place, signature);
        }
        Ok(Progress { made, stopped })
    }

    /// Refuses to be used with another request than the one that it was checked against.
    ///
    /// # Errors
    /// [`RoundError::OtherRequest`].
    pub fn is_for(&self, request: &Request) -> Result<(), RoundError> {
        match self.request == *request.digest() {
            true => Ok(()),
            false => Err(RoundError::other(self.request, *request.digest())),
        }
    }

    /// Who signed, in the order of their keys.
    pub fn signers(&self) -> impl Iterator<Item = &Signed> {
        self.signers.values()
    }

    /// What `key` signed.
    pub fn signer(&self, key: KeyId) -> Option<&Signed> {
        self.signers.get(&key)
    }
}

impl Signed {
    /// First, the key is one that was asked, and its owner the one that the request names. Second, the seal is its
    /// signature over this request, made while it was open. Third, each signature is over a payload that the request asks
    /// for, and no payload has two.
    fn of_wire(wire: WireSigner, request: &Request) -> Result<Self, RoundError> {
        let known = request.keys().find(|key| key.id().to_string() == wire.key);
        let key = known.ok_or_else(|| request.not_asked(&wire.key))?.clone();
        let id = key.id();
        let owner = &request.owner_of(id)?.name;
        if *owner != wire.owner {
            return Err(RoundError::field(
                "owner",
                format!("is {:?}, but the key {} is {owner}'s", wire.owner, id.short()),
            ));
        }
        let time = time("time", &wire.time)?;
        if time > request.expires() || time.unix().saturating_add(SKEW) < request.created().unix() {
            let (created, expires) = (request.created(), request.expires());
            return Err(RoundError::Dated { created, expires, key: id, signed: time });
        }
        let unsigned = |what: String| RoundError::Unsigned { key: id, what };
        let bytes = decode("seal", &wire.seal)?;
        key.verify(&seal(request, owner, &key, time)?, &bytes).map_err(|_| unsigned("this request".to_owned()))?;
        let mut signed = Self { key, owner: owner.clone(), seal: bytes, signatures: BTreeMap::new(), time };
        for WireSignature { item, part, signature } in wire.signatures {
            let part = Part::from(part);
            let asked = || RoundError::Unasked { item: item.saturating_add(1), key: id, part };
            let messages = request.messages().get(item).ok_or_else(asked)?;
            let message = messages.iter().find(|message| message.part() == part).ok_or_else(asked)?;
            let bytes = decode("signature", &signature)?;
            let what = || format!("the {part} of item {}", item.saturating_add(1));
            signed.key.verify(&message.to_sign(), &bytes).map_err(|_| unsigned(what()))?;
            if signed.signatures.insert((item, part), bytes).is_some() {
                return Err(RoundError::Duplicate { what: format!("the signature over {}", what()) });
            }
        }
        Ok(signed)
    }

    fn to_wire(&self) -> WireSigner {
        let signature = |(&(item, part), bytes): (&(usize, Part), &Vec<u8>)| WireSignature {
            item,
            part: part.into(),
            signature: base64::encode(bytes),
        };
        WireSigner {
            owner: self.owner.clone(),
            key: self.key.id().to_string(),
            time: self.time.to_string(),
            seal: base64::encode(&self.seal),
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }

    /// What of the request this key has not signed.
    fn missing<'a>(&self, request: &'a Request) -> Vec<(usize, &'a Message)> {
        let all = request.messages().iter().enumerate();
        let all = all.flat_map(|(item, messages)| messages.iter().map(move |message| (item, message)));
        all.filter(|(item, message)| !self.signatures.contains_key(&(*item, message.part()))).collect()
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whose key it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// When the key sealed its answer, by the clock of its machine.
    pub fn time(&self) -> Time {
        self.time
    }

    /// The signature over a part of an item.
    pub fn signature(&self, item: usize, part: Part) -> Option<&[u8]> {
        self.signatures.get(&(item, part)).map(Vec::as_slice)
    }

    /// How many signatures there are.
    pub fn count(&self) -> usize {
        self.signatures.len()
    }

    /// Whether every part of `item` of this request is signed.
    pub fn has_all_of(&self, request: &Request, item: usize) -> bool {
        let messages = request.messages().get(item).map(Vec::as_slice).unwrap_or_default();
        !messages.is_empty() && messages.iter().all(|message| self.signature(item, message.part()).is_some())
    }
}

/// What a signer seals: this request, in this name, at this time.
fn seal(request: &Request, owner: &str, key: &PublicKey, time: Time) -> Result<Vec<u8>, RoundError> {
    let seal = serde_json::to_vec(&WireSeal {
        version: VERSION,
        kind: RESPONSE,
        request: *request.digest(),
        owner,
        key: key.id().to_string(),
        time: time.to_string(),
    });
    let seal = seal.map_err(|error| unreadable(error.into()))?;
    Ok(pre_authentication_encoding(SEAL_TYPE, &seal))
}

/// Signatures over each of these, as far as the signer made them.
fn signed_all(signer: &dyn Signer, todo: &[(usize, &Message)]) -> (Signatures, Option<SignerError>) {
    let messages: Vec<_> = todo.iter().map(|(_, message)| message.to_sign()).collect();
    let borrowed: Vec<&[u8]> = messages.iter().map(|message| &**message).collect();
    let batch = signer.sign_all(&borrowed);
    let (mut made, mut stopped) = (Signatures::new(), batch.stopped);
    for (place, signature) in batch.made {
        let asked = todo.get(place).zip(borrowed.get(place));
        match asked.filter(|(_, message)| signature.is_over(signer.public_key(), message)) {
            Some(((item, message), _)) => drop(made.insert((*item, message.part()), signature.as_bytes().to_vec())),
            None => drop(stopped.get_or_insert(faulty(signer))),
        }
    }
    (made, stopped)
}

/// A signature that was verified over this very message, whatever the signer says about it.
fn checked(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    let signature = signer.sign(message)?;
    match signature.is_over(signer.public_key(), message) {
        true => Ok(signature.as_bytes().to_vec()),
        false => Err(faulty(signer)),
    }
}

fn faulty(signer: &dyn Signer) -> SignerError {
    let key = signer.public_key();
    SignerError::Faulty { key: key.id(), scheme: key.usual_scheme() }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, RoundError> {
    base64::decode(field, text).map_err(|error| RoundError::field(field, error.to_string()))
}

fn unreadable(error: JsonError) -> RoundError {
    RoundError::Json { document: "signing response", error }
}

impl From<Part> for WirePart {
    fn from(part: Part) -> Self {
        match part {
            Part::Claim => Self::Claim,
            Part::Statement => Self::Statement,
        }
    }
}

impl From<WirePart> for Part {
    fn from(part: WirePart) -> Self {
        match part {
            WirePart::Claim => Self::Claim,
            WirePart::Statement => Self::Statement,
        }
    }
}
