//! `SigningResponse`: signatures that answer a request, each verified against it.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::request::Message;
use crate::request::Part;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::request::countersignature;
use crate::request::countersignature::Countersignature;
use crate::request::signing_request;
use crate::request::signing_request::time;
use crate::request::wire;
use crate::request::wire::RESPONSE;
use crate::request::wire::VERSION;
use crate::request::wire::WireHead;
use crate::request::wire::WirePart;
use crate::request::wire::WireResponse;
use crate::request::wire::WireSignature;
use crate::request::wire::WireSigner;
use crate::time::Time;

pub use crate::request::countersignature::COUNTERSIGNATURE_TYPE;

/// Signatures for one request. There is none in here that was not verified with a key of an owner, over a payload that
/// was rebuilt from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningResponse {
    request: Digest,
    signers: BTreeMap<KeyId, Signed>,
}

/// What one key signed.
///
/// Once all of the request is signed, a seal is made: a signature of the same key over the digest of the request and over
/// all of these signatures. Without it nothing of this counts: it is an answer that was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    key: PublicKey,
    owner: String,
    seal: Option<Countersignature>,
    signatures: Signatures,
}

/// A signature that was just made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// For which item; none for the seal.
    pub item: Option<usize>,
    /// Over which of its payloads.
    pub part: Option<Part>,
    /// The SHA-256 of the one form of the signature, see [`PublicKey::one_form`].
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

impl SigningResponse {
    /// No signatures yet.
    pub fn to(request: &SigningRequest) -> Self {
        Self { request: *request.digest(), signers: BTreeMap::new() }
    }

    /// Reads a response and checks all of it against `request`. One signature that does not hold spoils it: then
    /// somebody had a hand in it.
    ///
    /// # Errors
    /// [`RequestError`] with the reason.
    pub fn parse(bytes: &[u8], request: &SigningRequest, limits: &Limits) -> Result<Self, RequestError> {
        bounded(bytes, limits)?;
        let other = |error| RequestError::other_file("signing response", error);
        let head: WireHead = json::parse(bytes, limits).map_err(other)?;
        signing_request::expect(&head, RESPONSE)?;
        let wire: WireResponse = wire::read(bytes, limits).map_err(unreadable)?;
        if wire.request != *request.digest() {
            return Err(RequestError::other(wire.request, *request.digest()));
        }
        let mut response = Self::to(request);
        for signer in wire.signers {
            let signed = Signed::of_wire(signer, request)?;
            let key = signed.key.id();
            if response.signers.insert(key, signed).is_some() {
                return Err(RequestError::Duplicate { what: format!("the signer {}", key.short()) });
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

    /// Adds the signatures of `other`. Where both have some of the same key, a sealed answer goes before one that is not
    /// finished, and ours before theirs.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`].
    pub fn merge(&mut self, other: Self) -> Result<(), RequestError> {
        if other.request != self.request {
            return Err(RequestError::other(other.request, self.request));
        }
        for (key, theirs) in other.signers {
            match self.signers.get_mut(&key) {
                Some(ours) if ours.seal.is_some() => {}
                Some(ours) if theirs.seal.is_some() => *ours = theirs,
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

    /// Has `signer` sign the next messages that it has not signed, at most `most` of them and, once all are signed, seal
    /// them. A signature is kept once it verifies; what was made until the signer stopped is kept.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`] for a key that no owner holds, and a time at which the request is not open: then
    /// nothing is signed.
    pub fn sign(
        &mut self,
        request: &SigningRequest,
        signer: &dyn Signer,
        now: Time,
        most: usize,
    ) -> Result<Progress, RequestError> {
        self.is_for(request)?;
        request.open_at(now)?;
        let key = signer.public_key();
        let owner = &request.owner_of(key.id())?.name;
        let one_form = |signature: &[u8]| Digest::sha256(&key.one_form(signature));
        let signed = self.signers.entry(key.id()).or_insert_with(|| Signed::by(key, owner));
        let todo: Vec<_> = signed.missing(request).into_iter().take(most).collect();
        let (signatures, mut stopped) = signed_all(signer, &todo);
        let mut made = Vec::new();
        for (place, signature) in signatures {
            made.push(Made { item: Some(place.0), part: Some(place.1), signature: one_form(&signature) });
            signed.signatures.insert(place, signature);
        }
        if stopped.is_none() && signed.seal.is_none() && signed.missing(request).is_empty() {
            let message = countersignature::message(request, owner, key, now, signed.signatures.values())?;
            match checked(signer, &message) {
                Ok(bytes) => {
                    made.push(Made { item: None, part: None, signature: one_form(&bytes) });
                    signed.seal = Some(Countersignature { bytes, time: now });
                }
                Err(error) => stopped = Some(error),
            }
        }
        if signed.signatures.is_empty() {
            self.signers.remove(&key.id());
        }
        Ok(Progress { made, stopped })
    }

    /// Refuses an answer that would be too large to be read once `key` has signed all of `request`, before it signs any.
    ///
    /// # Errors
    /// [`RequestError::Limit`], [`RequestError::TooMuch`].
    pub fn has_room_for(&self, request: &SigningRequest, key: &PublicKey, limits: &Limits) -> Result<(), RequestError> {
        let longest = vec![0; key.longest_signature()];
        let mut whole = self.clone();
        let signed = whole.signers.entry(key.id()).or_insert_with(|| Signed::by(key, &key.id().to_string()));
        let missing: Vec<_> = signed.missing(request).iter().map(|(item, message)| (*item, message.part())).collect();
        signed.signatures.extend(missing.into_iter().map(|place| (place, longest.clone())));
        signed.seal.get_or_insert_with(|| Countersignature { bytes: longest, time: request.expires() });
        let bytes = whole.to_json().map_err(unreadable)?;
        bounded(&bytes, limits)?;
        json::check(&bytes, limits).map_err(unreadable)
    }

    /// Refuses to be used with another request than the one that it was checked against.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`].
    pub fn is_for(&self, request: &SigningRequest) -> Result<(), RequestError> {
        match self.request == *request.digest() {
            true => Ok(()),
            false => Err(RequestError::other(self.request, *request.digest())),
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
    fn by(key: &PublicKey, owner: &str) -> Self {
        Self { key: key.clone(), owner: owner.to_owned(), seal: None, signatures: BTreeMap::new() }
    }

    /// First, the key is one that was asked, and its owner the one that the request names. Second, each signature is over
    /// a payload that the request asks for, and no payload has two. Third, the seal, where there is one, is the key's over
    /// this request and all of these signatures, none of which is missing, made while the request was open.
    fn of_wire(wire: WireSigner, request: &SigningRequest) -> Result<Self, RequestError> {
        let known = request.keys().find(|key| key.id().to_string() == wire.key);
        let key = known.ok_or_else(|| request.not_asked(&wire.key))?;
        let id = key.id();
        let owner = &request.owner_of(id)?.name;
        if *owner != wire.owner {
            return Err(RequestError::field(
                "owner",
                format!("is {:?}, but the key {} is {owner}'s", wire.owner, id.short()),
            ));
        }
        let mut signed = Self::by(key, owner);
        for WireSignature { item, part, signature } in wire.signatures {
            let part = Part::from(part);
            let asked = || RequestError::Unasked { item: item.saturating_add(1), key: id, part };
            let messages = request.messages().get(item).ok_or_else(asked)?;
            let message = messages.iter().find(|message| message.part() == part).ok_or_else(asked)?;
            let bytes = decode("signature", &signature)?;
            let what = || format!("the {part} of item {}", item.saturating_add(1));
            let unsigned = |_| RequestError::Unsigned { key: id, what: what() };
            key.verify(&message.to_sign(), &bytes).map_err(unsigned)?;
            if signed.signatures.insert((item, part), bytes).is_some() {
                return Err(RequestError::Duplicate { what: format!("the signature over {}", what()) });
            }
        }
        let seal = match (wire.time, wire.seal) {
            (Some(at), Some(bytes)) => Countersignature { bytes: decode("seal", &bytes)?, time: time("time", &at)? },
            (None, None) => return Ok(signed),
            _ => return Err(RequestError::field("seal", "and `time` belong together")),
        };
        if !signed.missing(request).is_empty() {
            return Err(RequestError::field("seal", "is over an answer that was not finished"));
        }
        seal.check(request, owner, key, signed.signatures.values())?;
        Ok(Self { seal: Some(seal), ..signed })
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
            time: self.time().map(|time| time.to_string()),
            seal: self.seal.as_ref().map(|seal| base64::encode(&seal.bytes)),
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }

    /// What of the request this key has not signed.
    fn missing<'a>(&self, request: &'a SigningRequest) -> Vec<(usize, &'a Message)> {
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

    /// When the key sealed its answer, by the clock of its machine; none where it is not finished.
    pub fn time(&self) -> Option<Time> {
        self.seal.as_ref().map(|seal| seal.time)
    }

    /// Whether all of it is signed, and sealed. Nothing else counts.
    pub fn is_finished(&self) -> bool {
        self.seal.is_some()
    }

    /// The signature over a part of an item.
    pub fn signature(&self, item: usize, part: Part) -> Option<&[u8]> {
        self.signatures.get(&(item, part)).map(Vec::as_slice)
    }

    /// How many signatures there are.
    pub fn count(&self) -> usize {
        self.signatures.len()
    }
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

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, RequestError> {
    base64::decode(field, text).map_err(|error| RequestError::field(field, error.to_string()))
}

fn bounded(bytes: &[u8], limits: &Limits) -> Result<(), RequestError> {
    RequestError::bounded("bytes of a response", bytes.len(), limits.request.response_bytes)
}

fn unreadable(error: JsonError) -> RequestError {
    RequestError::json("signing response", error)
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
