//! `SignaturesByKey`: the signatures of one key in a signing response, each verified against the request.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::ItemPayload;
use crate::envelope::PayloadKind;
use crate::envelope::base64;
use crate::key::PublicKey;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::NewSignature;
use crate::request::RequestError;
use crate::request::SignedPart;
use crate::request::SigningRequest;
use crate::request::countersignature::Countersignature;
use crate::request::wire;
use crate::request::wire::WireFileSignature;
use crate::request::wire::WireSignature;
use crate::request::wire::WireSigner;
use crate::time::Time;

/// The signatures of one key.
///
/// Once every item and file is signed, the key countersigns: it signs the digest of the request and all of these signatures.
/// Without the countersignature the signatures are unfinished, and none of them counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignaturesByKey {
    pub(super) countersignature: Option<Countersignature>,
    pub(super) key: PublicKey,
    owner: String,
    pub(super) files: BTreeMap<usize, Vec<u8>>,
    pub(super) signatures: SignatureMap,
}

/// The signature over each payload of each item.
type SignatureMap = BTreeMap<(usize, PayloadKind), Vec<u8>>;

impl SignaturesByKey {
    pub(super) fn none(key: &PublicKey, owner: &str) -> Self {
        let (key, owner) = (key.clone(), owner.to_owned());
        Self { countersignature: None, files: BTreeMap::new(), key, owner, signatures: BTreeMap::new() }
    }

    /// Verifies the signatures of one key.
    ///
    /// 1. The request asks this key, and names the same owner.
    /// 2. Each signature verifies over a payload that the request asks for, and no payload has two.
    /// 3. Each signature of a file verifies over a file of the request, and no file has two.
    /// 4. A countersignature, if there is one, was made by the key while the request was open, over this request and
    ///    over all of these signatures, and none of them is missing.
    pub(super) fn of_wire(wire: WireSigner, request: &SigningRequest) -> Result<Self, RequestError> {
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
            let what = SignedPart::Item { item, payload: kind };
            let unasked = || RequestError::Unasked { key: id, what };
            let payloads = request.payloads().get(place).ok_or_else(unasked)?;
            let payload = payloads.iter().find(|payload| payload.kind() == kind).ok_or_else(unasked)?;
            let bytes = decode("signature", &signature)?;
            if !payload.is_signed_by(key, &bytes) {
                return Err(RequestError::Unsigned { key: id, what });
            }
            if read.signatures.insert((place, kind), bytes).is_some() {
                return Err(RequestError::Duplicate { what: Duplicate::Signature(what) });
            }
        }
        read.read_files(wire.files, request)?;
        let countersignature = match (wire.time, wire.seal) {
            (Some(time), Some(bytes)) => {
                Countersignature { bytes: decode("seal", &bytes)?, time: wire::time("time", &time)? }
            }
            (None, None) => return Ok(read),
            _ => return Err(RequestError::field("seal", FieldFault::CountersignatureTime)),
        };
        if !read.signed_all(request) {
            return Err(RequestError::field("seal", FieldFault::Unfinished));
        }
        countersignature.check(request, owner, key, read.all())?;
        Ok(Self { countersignature: Some(countersignature), ..read })
    }

    fn read_files(
        &mut self,
        files: Option<Vec<WireFileSignature>>,
        request: &SigningRequest,
    ) -> Result<(), RequestError> {
        if files.as_ref().is_some_and(Vec::is_empty) {
            return Err(RequestError::field("files", FieldFault::Empty));
        }
        for WireFileSignature { file: place, signature } in files.into_iter().flatten() {
            let (key, what) = (self.key.id(), SignedPart::File { file: place.saturating_add(1) });
            let file = request.files().get(place).ok_or(RequestError::Unasked { key, what })?;
            let bytes = decode("signature", &signature)?;
            if !file.is_signed_by(&self.key, &bytes) {
                return Err(RequestError::Unsigned { key, what });
            }
            if self.files.insert(place, bytes).is_some() {
                return Err(RequestError::Duplicate { what: Duplicate::Signature(what) });
            }
        }
        Ok(())
    }

    pub(super) fn to_wire(&self) -> WireSigner {
        let signature = |(&(item, kind), bytes): (&(usize, PayloadKind), &Vec<u8>)| WireSignature {
            item,
            part: kind.into(),
            signature: base64::encode(bytes),
        };
        let of_file = |(&file, bytes): (&usize, &Vec<u8>)| WireFileSignature { file, signature: base64::encode(bytes) };
        WireSigner {
            owner: self.owner.clone(),
            key: self.key.id().to_string(),
            time: self.time().map(|time| time.to_string()),
            seal: self.countersignature.as_ref().map(|made| base64::encode(&made.bytes)),
            signatures: self.signatures.iter().map(signature).collect(),
            files: (!self.files.is_empty()).then(|| self.files.iter().map(of_file).collect()),
        }
    }

    /// The files of the request that this key has not signed, each by its index.
    pub(super) fn missing_files(&self, request: &SigningRequest) -> Vec<usize> {
        (0..request.files().len()).filter(|file| !self.files.contains_key(file)).collect()
    }

    pub(super) fn signed_all(&self, request: &SigningRequest) -> bool {
        self.missing(request).is_empty() && self.missing_files(request).is_empty()
    }

    /// The signatures in the order of a countersignature: of the items, then of the files.
    pub(super) fn all(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.signatures.values().chain(self.files.values())
    }

    /// The payloads of the request that this key has not signed, each with the index of its item.
    pub(super) fn missing<'a>(&self, request: &'a SigningRequest) -> Vec<(usize, &'a ItemPayload)> {
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

    /// Whether the key signed every item and file, and countersigned. Only then do its signatures count.
    pub fn is_finished(&self) -> bool {
        self.countersignature.is_some()
    }

    /// The signature over a payload of the item at this index.
    pub fn signature(&self, item: usize, payload: PayloadKind) -> Option<&[u8]> {
        self.signatures.get(&(item, payload)).map(Vec::as_slice)
    }

    /// The signature over the file at this index.
    pub fn file_signature(&self, file: usize) -> Option<&[u8]> {
        self.files.get(&file).map(Vec::as_slice)
    }

    /// Every signature of the key, as it is logged: of the items, then of the files, and the countersignature last.
    pub fn made(&self) -> impl Iterator<Item = NewSignature> {
        let made = move |(part, bytes): (SignedPart, &Vec<u8>)| {
            let canonical = match part {
                SignedPart::Item { payload: PayloadKind::Notary(_), .. } => self.key.canonical_jose(bytes),
                _ => self.key.canonical_signature(bytes),
            };
            NewSignature { part, signature: Digest::sha256(&canonical) }
        };
        let item =
            |(&(item, payload), bytes)| (SignedPart::Item { item: usize::saturating_add(item, 1), payload }, bytes);
        let file = |(&file, bytes)| (SignedPart::File { file: usize::saturating_add(file, 1) }, bytes);
        let last = self.countersignature.as_ref().map(|made| (SignedPart::Countersignature, &made.bytes));
        self.signatures.iter().map(item).chain(self.files.iter().map(file)).chain(last).map(made)
    }

    /// The number of signatures, without the countersignature.
    pub fn count(&self) -> usize {
        self.signatures.len().saturating_add(self.files.len())
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, RequestError> {
    base64::decode(field, text).map_err(|error| RequestError::field(field, FieldFault::Base64(error)))
}
