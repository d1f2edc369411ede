//! `SigningResponse`: the signatures for a signing request, each verified against it.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::ItemPayload;
use crate::envelope::PayloadKind;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::request::SignedPart;
use crate::request::SigningRequest;
use crate::request::countersignature;
use crate::request::countersignature::Countersignature;
use crate::request::log::NewSignature;
use crate::request::payload_signing;
use crate::request::wire;
use crate::request::wire::RESPONSE;
use crate::request::wire::VERSION;
use crate::request::wire::WireHead;
use crate::request::wire::WireResponse;
use crate::request::wire::WireSignature;
use crate::request::wire::WireSigner;
use crate::time::Time;

/// The signatures for one signing request. A proof type: each signature was verified with a key of an owner, over a
/// payload that was rebuilt from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningResponse {
    request: Digest,
    signers: BTreeMap<KeyId, SignaturesByKey>,
}

/// The signatures of one key.
///
/// Once every item is signed, the key countersigns: it signs the digest of the request and all of these signatures.
/// Without the countersignature the signatures are unfinished, and none of them counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignaturesByKey {
    countersignature: Option<Countersignature>,
    key: PublicKey,
    owner: String,
    signatures: SignatureMap,
}

/// The signatures made in one run of [`SigningResponse::sign`], and why it stopped.
#[derive(Debug)]
pub struct SigningProgress {
    /// The signatures that it made, in the order of the items.
    pub made: Vec<NewSignature>,
    /// The error that stopped it; nothing is retried.
    pub stopped: Option<SignerError>,
}

/// The signature over each payload of each item.
type SignatureMap = BTreeMap<(usize, PayloadKind), Vec<u8>>;

impl SigningResponse {
    /// A response without signatures.
    pub fn to(request: &SigningRequest) -> Self {
        Self { request: *request.digest(), signers: BTreeMap::new() }
    }

    /// Parses a response and verifies every signature in it against `request`. A signature that does not verify refuses
    /// the whole response, since it was altered.
    ///
    /// # Errors
    /// [`RequestError`] with the reason.
    pub fn parse(bytes: &[u8], request: &SigningRequest, limits: &Limits) -> Result<Self, RequestError> {
        bounded(bytes, limits)?;
        let other = |error| RequestError::other_file("signing response", error);
        let head: WireHead = json::parse(bytes, limits).map_err(other)?;
        wire::check_head(&head, RESPONSE)?;
        let wire: WireResponse = wire::read(bytes, limits).map_err(unreadable)?;
        if wire.request != *request.digest() {
            return Err(RequestError::other(wire.request, *request.digest()));
        }
        let mut response = Self::to(request);
        for signer in wire.signers {
            let signatures = SignaturesByKey::of_wire(signer, request)?;
            let key = signatures.key.id();
            if response.signers.insert(key, signatures).is_some() {
                return Err(RequestError::Duplicate { what: Duplicate::Signer(key) });
            }
        }
        Ok(response)
    }

    /// The JSON of the response.
    ///
    /// # Errors
    /// [`JsonError`] is passed on, although these types can always be serialized.
    pub fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        let mut bytes = serde_json::to_vec(&WireResponse {
            version: VERSION,
            kind: RESPONSE.to_owned(),
            request: self.request,
            signers: self.signers.values().map(SignaturesByKey::to_wire).collect(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Adds the signatures of `other`. If both have signatures of one key, finished ones take precedence over
    /// unfinished ones, and those of this response over those of `other`.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`].
    pub fn merge(&mut self, other: Self) -> Result<(), RequestError> {
        if other.request != self.request {
            return Err(RequestError::other(other.request, self.request));
        }
        for (key, theirs) in other.signers {
            match self.signers.get_mut(&key) {
                Some(ours) if ours.is_finished() => {}
                Some(ours) if theirs.is_finished() => *ours = theirs,
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

    /// Has `signer` sign the next `most` payloads that its key has not signed yet, and countersign once all are signed.
    /// Only verified signatures are kept. If the signer stops, the earlier signatures are kept; nothing is retried.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`] if no owner has the key; the errors of [`SigningRequest::check_open`] and
    /// [`SigningRequest::check_certificates`] at `now`. Then nothing is signed.
    pub fn sign(
        &mut self,
        request: &SigningRequest,
        signer: &dyn Signer,
        now: Time,
        most: usize,
    ) -> Result<SigningProgress, RequestError> {
        self.check_answers(request)?;
        request.check_open(now)?;
        let key = signer.public_key();
        let owner = &request.owner_of(key.id())?.name;
        request.check_certificates(key.id(), now)?;
        let ours = self.signers.entry(key.id()).or_insert_with(|| SignaturesByKey::none(key, owner));
        let todo: Vec<_> = ours.missing(request).into_iter().take(most).collect();
        let unsignable = |error| RequestError::Envelope { error, reference: "a requested signature".to_owned() };
        let (signatures, mut stopped) = payload_signing::sign_all(signer, &todo).map_err(unsignable)?;
        let mut made = Vec::new();
        for (place, (signature, canonical)) in signatures {
            let (item, payload) = (Some(place.0), Some(place.1));
            made.push(NewSignature { item, payload, signature: canonical });
            ours.signatures.insert(place, signature);
        }
        if stopped.is_none() && !ours.is_finished() && ours.missing(request).is_empty() {
            let message = countersignature::message(request, owner, key, now, ours.signatures.values())?;
            let scheme = payload_signing::common_scheme(key, request.payloads()).map_err(unsignable)?;
            match payload_signing::sign_one(signer, scheme, &message) {
                Ok(bytes) => {
                    let signature = Digest::sha256(&key.canonical_signature(&bytes));
                    made.push(NewSignature { item: None, payload: None, signature });
                    ours.countersignature = Some(Countersignature { bytes, time: now });
                }
                Err(error) => stopped = Some(error),
            }
        }
        if ours.signatures.is_empty() {
            self.signers.remove(&key.id());
        }
        Ok(SigningProgress { made, stopped })
    }

    /// Checks before signing that the response stays within the limits once `key` has signed all of `request`, with
    /// signatures of the greatest length.
    ///
    /// # Errors
    /// [`RequestError::Limit`], [`RequestError::TooMuch`].
    pub fn check_room(&self, request: &SigningRequest, key: &PublicKey, limits: &Limits) -> Result<(), RequestError> {
        let longest = vec![0; key.longest_signature()];
        let mut whole = self.clone();
        let none = || SignaturesByKey::none(key, &key.id().to_string());
        let ours = whole.signers.entry(key.id()).or_insert_with(none);
        let missing: Vec<_> = ours.missing(request).iter().map(|(item, payload)| (*item, payload.kind())).collect();
        ours.signatures.extend(missing.into_iter().map(|place| (place, longest.clone())));
        ours.countersignature.get_or_insert_with(|| Countersignature { bytes: longest, time: request.expires() });
        let bytes = whole.to_json().map_err(unreadable)?;
        bounded(&bytes, limits)?;
        json::check(&bytes, limits).map_err(unreadable)
    }

    /// Checks that this response was verified against `request`.
    ///
    /// # Errors
    /// [`RequestError::OtherRequest`].
    pub fn check_answers(&self, request: &SigningRequest) -> Result<(), RequestError> {
        match self.request == *request.digest() {
            true => Ok(()),
            false => Err(RequestError::other(self.request, *request.digest())),
        }
    }

    /// The signatures of each key, in the order of the key ids.
    pub fn signers(&self) -> impl Iterator<Item = &SignaturesByKey> {
        self.signers.values()
    }

    /// The signatures of `key`.
    pub fn signer(&self, key: KeyId) -> Option<&SignaturesByKey> {
        self.signers.get(&key)
    }
}

impl SignaturesByKey {
    fn none(key: &PublicKey, owner: &str) -> Self {
        Self { countersignature: None, key: key.clone(), owner: owner.to_owned(), signatures: BTreeMap::new() }
    }

    /// Verifies the signatures of one key.
    ///
    /// 1. The request asks this key, and names the same owner.
    /// 2. Each signature verifies over a payload that the request asks for, and no payload has two.
    /// 3. A countersignature, if there is one, was made by the key while the request was open, over this request and
    ///    over all of these signatures, and none of them is missing.
    fn of_wire(wire: WireSigner, request: &SigningRequest) -> Result<Self, RequestError> {
        let known = request.keys().find(|key| key.id().to_string() == wire.key);
        let key = known.ok_or_else(|| request.not_asked(&wire.key))?;
        let id = key.id();
        let owner = &request.owner_of(id)?.name;
        if *owner != wire.owner {
            return Err(RequestError::field(
                "owner",
                FieldFault::OtherOwner { got: wire.owner, key: id, want: owner.clone() },
            ));
        }
        let mut read = Self::none(key, owner);
        for WireSignature { item: place, part, signature } in wire.signatures {
            let (item, kind) = (place.saturating_add(1), PayloadKind::from(part));
            let unasked = || RequestError::Unasked { item, key: id, payload: kind };
            let payloads = request.payloads().get(place).ok_or_else(unasked)?;
            let payload = payloads.iter().find(|payload| payload.kind() == kind).ok_or_else(unasked)?;
            let bytes = decode("signature", &signature)?;
            let what = SignedPart::Item { item, payload: kind };
            if !payload.is_signed_by(key, &bytes) {
                return Err(RequestError::Unsigned { key: id, what });
            }
            if read.signatures.insert((place, kind), bytes).is_some() {
                return Err(RequestError::Duplicate { what: Duplicate::Signature(what) });
            }
        }
        let countersignature = match (wire.time, wire.seal) {
            (Some(time), Some(bytes)) => {
                Countersignature { bytes: decode("seal", &bytes)?, time: wire::time("time", &time)? }
            }
            (None, None) => return Ok(read),
            _ => return Err(RequestError::field("seal", FieldFault::CountersignatureTime)),
        };
        if !read.missing(request).is_empty() {
            return Err(RequestError::field("seal", FieldFault::Unfinished));
        }
        countersignature.check(request, owner, key, read.signatures.values())?;
        Ok(Self { countersignature: Some(countersignature), ..read })
    }

    fn to_wire(&self) -> WireSigner {
        let signature = |(&(item, kind), bytes): (&(usize, PayloadKind), &Vec<u8>)| WireSignature {
            item,
            part: kind.into(),
            signature: base64::encode(bytes),
        };
        WireSigner {
            owner: self.owner.clone(),
            key: self.key.id().to_string(),
            time: self.time().map(|time| time.to_string()),
            seal: self.countersignature.as_ref().map(|made| base64::encode(&made.bytes)),
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }

    /// The payloads of the request that this key has not signed, each with the index of its item.
    fn missing<'a>(&self, request: &'a SigningRequest) -> Vec<(usize, &'a ItemPayload)> {
        let all = request.payloads().iter().enumerate();
        let all = all.flat_map(|(item, payloads)| payloads.iter().map(move |payload| (item, payload)));
        all.filter(|(item, payload)| !self.signatures.contains_key(&(*item, payload.kind()))).collect()
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The owner of the key.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The time of the countersignature, by the clock of the signer's machine; `None` without a countersignature.
    pub fn time(&self) -> Option<Time> {
        self.countersignature.as_ref().map(|made| made.time)
    }

    /// Whether the key signed every item and countersigned. Only then do its signatures count.
    pub fn is_finished(&self) -> bool {
        self.countersignature.is_some()
    }

    /// The signature over a payload of the item at this index.
    pub fn signature(&self, item: usize, payload: PayloadKind) -> Option<&[u8]> {
        self.signatures.get(&(item, payload)).map(Vec::as_slice)
    }

    /// The number of signatures, without the countersignature.
    pub fn count(&self) -> usize {
        self.signatures.len()
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, RequestError> {
    base64::decode(field, text).map_err(|error| RequestError::field(field, FieldFault::Base64(error)))
}

fn bounded(bytes: &[u8], limits: &Limits) -> Result<(), RequestError> {
    RequestError::bounded("bytes of a response", bytes.len(), limits.request.response_bytes)
}

fn unreadable(error: JsonError) -> RequestError {
    RequestError::json("signing response", error)
}
