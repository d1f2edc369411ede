//! `SigningRequest`: asks owners to sign items, with a reason and an expiry. A signing response names its digest.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::ItemPayload;
use crate::envelope::predicate_limits;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::ordered;
use crate::policy::Quorum;
use crate::policy::Threshold;
use crate::request::Action;
use crate::request::Duplicate;
use crate::request::FieldFault;
use crate::request::Keyholder;
use crate::request::LogChain;
use crate::request::LogEntry;
use crate::request::PreviousItem;
use crate::request::RequestError;
use crate::request::RequestFile;
use crate::request::RequestItem;
use crate::request::SignedPart;
use crate::request::chains::Chains;
use crate::request::file;
use crate::request::keyholder;
use crate::request::log::NewSignature;
use crate::request::wire;
use crate::request::wire::REQUEST;
use crate::request::wire::VERSION;
use crate::request::wire::WireHead;
use crate::request::wire::WireItem;
use crate::request::wire::WireRequest;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::x509::CertificateChain;

/// A parsed and checked signing request, whose bytes all readers understand alike. A proof type: only
/// [`SigningRequest::parse`] makes it.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    chains: Chains,
    created: Time,
    digest: Digest,
    expires: Time,
    files: Vec<RequestFile>,
    items: Vec<RequestItem>,
    /// The limits with which it was parsed.
    limits: Limits,
    owners: Vec<Keyholder>,
    payloads: Vec<Vec<ItemPayload>>,
    quorum: Quorum,
    reason: Option<String>,
}

/// The fields of a signing request that is being written.
#[derive(Clone, Debug)]
pub struct RequestDraft {
    /// The certificate chain of each key, if one of the items asks for a format with certificates.
    pub chains: Vec<CertificateChain>,
    /// The creation time, which is also that of the attached manifests, and the signing time in formats that sign one.
    pub created: Time,
    /// The expiry: nobody signs after it.
    pub expires: Time,
    /// The files to sign.
    pub files: Vec<RequestFile>,
    /// The items to sign: statements about images. Not empty, unless there are files.
    pub items: Vec<RequestItem>,
    /// The owners who are asked to sign.
    pub owners: Vec<Keyholder>,
    /// The reason for the request.
    pub reason: Option<String>,
    /// The number of owners who have to sign.
    pub threshold: Threshold,
}

impl RequestDraft {
    /// The JSON of the request, which [`SigningRequest::parse`] accepts.
    ///
    /// # Errors
    /// [`RequestError`]: the draft is invalid.
    pub fn to_json(&self, limits: &Limits) -> Result<Vec<u8>, RequestError> {
        self.items.iter().try_for_each(RequestItem::check_forms)?;
        let bytes = self.written(&Chains::of(&self.chains, &self.owners)?)?;
        SigningRequest::parse(&bytes, limits).map(|_| bytes)
    }

    /// The JSON of the request. Memory for all predicates is reserved at once, since they may be large.
    fn written(&self, chains: &Chains) -> Result<Vec<u8>, RequestError> {
        const BESIDE: usize = 2 << 10;
        let length = |item: &RequestItem| match &item.action {
            Action::Attest(attest) => attest.given().get().len().saturating_add(BESIDE),
            Action::Sign(_) => BESIDE,
        };
        let carried = |file: &RequestFile| file.content().map_or(BESIDE, |content| content.len().saturating_mul(2));
        let lengths = self.items.iter().map(length).chain(self.files.iter().map(carried));
        let mut bytes = Vec::with_capacity(lengths.fold(BESIDE, usize::saturating_add));
        let wire = WireRequest {
            version: VERSION,
            kind: REQUEST.to_owned(),
            created: self.created.to_string(),
            expires: self.expires.to_string(),
            reason: self.reason.clone(),
            owners: self.owners.iter().map(|owner| owner.to_wire(|key| chains.texts(key))).collect(),
            threshold: self.threshold.count(),
            items: self.items.iter().map(RequestItem::to_wire).collect(),
            files: (!self.files.is_empty()).then(|| self.files.iter().map(RequestFile::to_wire).collect()),
        };
        serde_json::to_writer_pretty(&mut bytes, &wire).map_err(|error| unreadable(error.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl SigningRequest {
    /// Parses and checks a signing request, strictly: every field in its only spelling, within the limits, with no
    /// duplicate payload. The digest is that of `bytes` as received.
    ///
    /// # Errors
    /// [`RequestError`] that names the field.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, RequestError> {
        RequestError::bounded("bytes of a request", bytes.len(), limits.request.bytes)?;
        let head: WireHead = json::parse(bytes, &predicate_limits(bytes, limits))
            .map_err(|error| RequestError::other_file("signing request", error))?;
        wire::check_head(&head, REQUEST)?;
        let wire: WireRequest = wire::read(bytes, limits).map_err(unreadable)?;
        let (created, expires) = (wire::time("created", &wire.created)?, wire::time("expires", &wire.expires)?);
        if expires <= created {
            return Err(RequestError::field("expires", FieldFault::ExpiresBeforeCreation));
        }
        let reason = wire.reason.as_ref().map_or(0, String::len);
        RequestError::bounded("bytes of `reason`", reason, limits.request.text_bytes)?;
        let owners = keyholder::read_all(&wire.owners, limits)?;
        let keys = owners
            .iter()
            .flat_map(|owner| owner.keys.iter().map(|key| (Owner::Named(owner.name.clone()), key.clone())));
        let threshold = Threshold::new(wire.threshold)?;
        let quorum = Quorum::of_all(&TrustRoot::owned(keys)?, threshold)?;
        let files = file::read_all(wire.files, &owners, limits)?;
        let items = items(wire.items, &files, limits)?;
        items.iter().filter_map(RequestItem::notary).try_for_each(|notary| notary.check(created))?;
        let chains = Chains::read(&wire.owners, &owners, &items, created, limits)?;
        let payloads = payloads(&items, limits)?;
        chains.check_sizes(&payloads, limits)?;
        let digest = Digest::sha256(bytes);
        let (limits, reason) = (limits.clone(), wire.reason);
        let request = Self { chains, created, digest, expires, files, items, limits, owners, payloads, quorum, reason };
        request.check_log_lines(&request.limits)?;
        Ok(request)
    }

    /// The certificate chain of `key`, valid at the signing time; `None` for a request without formats that are signed
    /// with certificates.
    pub fn chain(&self, key: KeyId) -> Option<&CertificateChain> {
        self.chains.get(key)
    }

    /// The limits with which it was parsed.
    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The owner of `key`.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`] if no owner has it, with the owners and keys that were asked.
    pub fn owner_of(&self, key: KeyId) -> Result<&Keyholder, RequestError> {
        let holds = |owner: &&Keyholder| owner.keys.iter().any(|held| held.id() == key);
        self.owners.iter().find(holds).ok_or_else(|| self.not_asked(&key.to_string()))
    }

    /// The owners with their keys, in one line.
    pub fn asked(&self) -> String {
        let keys = |owner: &Keyholder| owner.keys.iter().map(|key| key.id().short()).collect::<Vec<_>>().join(", ");
        self.owners.iter().map(|owner| format!("{} ({})", owner.name, keys(owner))).collect::<Vec<_>>().join(", ")
    }

    /// Checks that the request asks exactly these owners and keys, with exactly this threshold. It protects the
    /// requester against a request that was altered on its way.
    ///
    /// # Errors
    /// [`RequestError::OtherOwners`], [`RequestError::OtherThreshold`].
    pub fn check_asks(&self, owners: &[Keyholder], threshold: Option<u32>) -> Result<(), RequestError> {
        if ids(&self.owners) != ids(owners) {
            return Err(RequestError::OtherOwners { asked: self.asked() });
        }
        let got = self.threshold().count();
        match threshold == Some(got) {
            true => Ok(()),
            false => Err(RequestError::OtherThreshold { got, want: threshold }),
        }
    }

    /// The item of this earlier request that `item` replaces: the one with the same reference, kind and platforms,
    /// otherwise the only one of that kind and platforms in the same repository, layout or archive.
    pub fn predecessor(&self, item: &RequestItem) -> Option<PreviousItem> {
        self.replaced_by(item).map(PreviousItem::of)
    }

    /// The item that [`SigningRequest::predecessor`] describes, with everything that it asks for.
    pub fn replaced_by(&self, item: &RequestItem) -> Option<&RequestItem> {
        let alike = |other: &&RequestItem| other.kind() == item.kind() && other.platforms == item.platforms;
        let same_name = self.items.iter().filter(alike).find(|other| other.reference == item.reference);
        let mut same_place =
            self.items.iter().filter(alike).filter(|other| other.reference.location() == item.reference.location());
        let only = match (same_place.next(), same_place.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        same_name.or(only)
    }

    /// The creation time.
    pub const fn created(&self) -> Time {
        self.created
    }

    /// The SHA-256 digest of the file as received.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The expiry.
    pub const fn expires(&self) -> Time {
        self.expires
    }

    /// The files to sign.
    pub fn files(&self) -> &[RequestFile] {
        &self.files
    }

    /// The items to sign: statements about images.
    pub fn items(&self) -> &[RequestItem] {
        &self.items
    }

    /// The payloads of each item, in the order of the items.
    pub fn payloads(&self) -> &[Vec<ItemPayload>] {
        &self.payloads
    }

    /// The number of signatures of one key, without the countersignature.
    pub fn signature_count(&self) -> usize {
        self.payloads.iter().map(Vec::len).fold(self.files.len(), usize::saturating_add)
    }

    /// The names of everything to sign: the reference of each item by digest, then the name of each file.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let items = self.items.iter().map(|item| item.pinned().to_string());
        items.chain(self.files.iter().map(|file| file.name().to_owned()))
    }

    /// The number of items and files.
    pub fn count(&self) -> usize {
        self.items.len().saturating_add(self.files.len())
    }

    /// The owners who are asked to sign.
    pub fn owners(&self) -> &[Keyholder] {
        &self.owners
    }

    /// The reason for the request.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The quorum of owners.
    pub const fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// The number of owners who have to sign.
    pub const fn threshold(&self) -> Threshold {
        self.quorum.threshold()
    }

    pub(super) fn not_asked(&self, key: &str) -> RequestError {
        RequestError::NotAsked { asked: self.asked(), key: Untrusted::within(key, 64).to_string() }
    }

    /// The keys of all owners.
    pub(super) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.owners.iter().flat_map(|owner| &owner.keys)
    }

    /// The log entry for a signature that `key` made for this request.
    ///
    /// # Errors
    /// [`RequestError::NotAsked`] if no owner has the key.
    pub fn log_entry(&self, made: &NewSignature, key: KeyId, now: Time) -> Result<LogEntry, RequestError> {
        let place = |number: usize| number.checked_sub(1);
        let (digest, item, kind) = match made.part {
            SignedPart::Countersignature => None,
            SignedPart::File { file } => place(file)
                .and_then(|place| self.files.get(place))
                .map(|file| (*file.digest(), file.name().to_owned(), LogEntry::FILE_KIND.to_owned())),
            SignedPart::Item { item, payload } => place(item)
                .and_then(|place| self.items.get(place))
                .map(|item| (item.digest, item.reference.to_string(), LogEntry::kind_of(&item.kind(), Some(payload)))),
        }
        .unwrap_or_else(|| (self.digest, "signing request".to_owned(), "answer to a signing request".to_owned()));
        Ok(LogEntry {
            digest,
            item,
            key: key.to_string(),
            kind,
            owner: self.owner_of(key)?.name.clone(),
            request: self.digest,
            signature: made.signature,
            time: now,
        })
    }

    /// Refuses a request that would lead to a log line over the limit, since a signer would notice that only after
    /// signing.
    fn check_log_lines(&self, limits: &Limits) -> Result<(), RequestError> {
        let key = |owner: &Keyholder| owner.keys.first().map(|key| (owner.name.len(), key.id()));
        let Some((_, key)) = self.owners.iter().filter_map(key).max_by_key(|(length, _)| *length) else {
            return Ok(());
        };
        let parts = self.payloads.iter().zip(1..).flat_map(|(payloads, item)| {
            payloads.iter().map(move |payload| SignedPart::Item { item, payload: payload.kind() })
        });
        for part in parts.chain((1..=self.files.len()).map(|file| SignedPart::File { file })) {
            let made = NewSignature { part, signature: self.digest };
            let entry = self.log_entry(&made, key, self.expires)?;
            LogChain::after(self.digest).append(&entry, limits)?;
        }
        Ok(())
    }
}

fn items(wire: Vec<WireItem>, files: &[RequestFile], limits: &Limits) -> Result<Vec<RequestItem>, RequestError> {
    if wire.is_empty() && files.is_empty() {
        return Err(RequestError::field("items", FieldFault::Empty));
    }
    RequestError::bounded("items of one request", wire.len(), limits.request.items)?;
    wire.into_iter().map(|item| RequestItem::of_wire(item, limits)).collect()
}

/// The pairs of owner name and key id.
fn ids(owners: &[Keyholder]) -> BTreeSet<(&str, KeyId)> {
    ordered::set(owners.iter().flat_map(|owner| owner.keys.iter().map(|key| (owner.name.as_str(), key.id()))))
}

/// Builds the payloads of all items. Refuses equal payloads for one reference, and a payload over the limit of
/// verifiers.
fn payloads(items: &[RequestItem], limits: &Limits) -> Result<Vec<Vec<ItemPayload>>, RequestError> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for item in items {
        let envelope = |error| RequestError::Envelope { error, reference: item.reference.to_string() };
        let payloads = item.payloads(limits).map_err(envelope)?;
        for payload in &payloads {
            // A larger payload would exceed the limit of verifiers.
            let encoded = payload.bytes().len().div_ceil(3).saturating_mul(4);
            RequestError::bounded("bytes of one payload in base64", encoded, limits.evidence.attestation_bytes)?;
            if !seen.insert((item.pinned().to_string(), payload.kind(), Digest::sha256(payload.bytes()))) {
                let what = Duplicate::Statement(format!("{} of {}", item.kind(), item.pinned()));
                return Err(RequestError::Duplicate { what });
            }
        }
        all.push(payloads);
    }
    Ok(all)
}

fn unreadable(error: JsonError) -> RequestError {
    RequestError::json("signing request", error)
}
