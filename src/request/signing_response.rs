//! `SigningResponse`: the signatures for a signing request, each verified against it.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::request::CheckedFiles;
use crate::request::Duplicate;
use crate::request::RequestError;
use crate::request::SignaturesByKey;
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
use crate::time::Time;

/// The signatures for one signing request. A proof type: each signature was verified with a key of an owner, over a
/// payload that was rebuilt from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningResponse {
    request: Digest,
    signers: BTreeMap<KeyId, SignaturesByKey>,
}

/// The signatures made in one run of [`SigningResponse::sign`], and why it stopped.
#[derive(Debug)]
pub struct SigningProgress {
    /// The signatures that it made, in the order of the items, then of the files.
    pub made: Vec<NewSignature>,
    /// The error that stopped it; nothing is retried.
    pub stopped: Option<SignerError>,
}

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
                    for (file, signature) in theirs.files {
                        ours.files.entry(file).or_insert(signature);
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
        self.sign_with_files(request, &request.check_files(&[])?, signer, now, most)
    }

    /// As [`SigningResponse::sign`], with the content of the files that the request does not carry.
    ///
    /// # Errors
    /// As [`SigningResponse::sign`]; [`RequestError::File`] if the content of a file is not known.
    pub fn sign_with_files(
        &mut self,
        request: &SigningRequest,
        files: &CheckedFiles,
        signer: &dyn Signer,
        now: Time,
        most: usize,
    ) -> Result<SigningProgress, RequestError> {
        self.check_answers(request)?;
        request.check_open(now)?;
        files.check_complete(request)?;
        let key = signer.public_key();
        let owner = &request.owner_of(key.id())?.name;
        request.check_certificates(key.id(), now)?;
        let ours = self.signers.entry(key.id()).or_insert_with(|| SignaturesByKey::none(key, owner));
        let todo: Vec<_> = ours.missing(request).into_iter().take(most).collect();
        let unsignable = |error| RequestError::Envelope { error, reference: "a requested signature".to_owned() };
        let (signatures, mut stopped) = payload_signing::sign_all(signer, &todo).map_err(unsignable)?;
        let mut made = Vec::new();
        for (place, (signature, canonical)) in signatures {
            let part = SignedPart::Item { item: place.0.saturating_add(1), payload: place.1 };
            made.push(NewSignature { part, signature: canonical });
            ours.signatures.insert(place, signature);
        }
        for file in ours.missing_files(request).into_iter().take(most.saturating_sub(todo.len())) {
            if stopped.is_some() {
                break;
            }
            match payload_signing::sign_file(signer, request, files, file)? {
                Ok(signature) => {
                    let part = SignedPart::File { file: file.saturating_add(1) };
                    made.push(NewSignature { part, signature: canonical_digest(key, &signature) });
                    ours.files.insert(file, signature);
                }
                Err(error) => stopped = Some(error),
            }
        }
        if stopped.is_none() && !ours.is_finished() && ours.signed_all(request) {
            let message = countersignature::message(request, owner, key, now, ours.all())?;
            let scheme = payload_signing::common_scheme(key, request).map_err(unsignable)?;
            match payload_signing::sign_one(signer, scheme, &message) {
                Ok(bytes) => {
                    let signature = canonical_digest(key, &bytes);
                    made.push(NewSignature { part: SignedPart::Countersignature, signature });
                    ours.countersignature = Some(Countersignature { bytes, time: now });
                }
                Err(error) => stopped = Some(error),
            }
        }
        if ours.count() == 0 {
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
        let files = ours.missing_files(request);
        ours.files.extend(files.into_iter().map(|file| (file, longest.clone())));
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

/// The SHA-256 of the canonical form of a signature.
fn canonical_digest(key: &PublicKey, signature: &[u8]) -> Digest {
    Digest::sha256(&key.canonical_signature(signature))
}

fn bounded(bytes: &[u8], limits: &Limits) -> Result<(), RequestError> {
    RequestError::bounded("bytes of a response", bytes.len(), limits.request.response_bytes)
}

fn unreadable(error: JsonError) -> RequestError {
    RequestError::json("signing response", error)
}
