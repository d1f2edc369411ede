//! The results of the `request` commands: a signing request, and its responses.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::FormName;
use crate::envelope::SignedWith;
use crate::key::PublicKey;
use crate::ops::request::AttachedSignatures;
use crate::ops::saved::IdentifiedImage;
use crate::ops::saved::ProvenArchive;
use crate::report::ReportedError;
use crate::report::certificate::ReportedCertificate;
use crate::report::list::LazyList;
use crate::report::request_archive::ReportedArchiveImage;
use crate::report::request_file::ReportedFile;
use crate::request::Action;
use crate::request::Attestation;
use crate::request::CheckedFiles;
use crate::request::Keyholder;
use crate::request::NotaryOptions;
use crate::request::PreviousItem;
use crate::request::RequestItem;
use crate::request::SignaturesByKey;
use crate::request::SigningRequest;
use crate::request::SigningResponse;
use crate::request::approve;
use crate::request::signed_items;
use crate::time::Time;

/// A signing request, and who has signed it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestResult<'a> {
    approved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<&'a str>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<bool>,
    expires: String,
    file_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<ReportedFile<'a>>>,
    item_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<LazyList<'a, ReportedItem<'a>>>,
    owners: Vec<ReportedOwner<'a>>,
    reason: Option<&'a str>,
    request: &'a Digest,
    signers: LazyList<'a, ReportedSigner<'a>>,
    threshold: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
}

impl<'a> RequestResult<'a> {
    /// The request without its items, and who has signed.
    pub fn of(request: &'a SigningRequest, response: &'a SigningResponse) -> Self {
        let standing = signed_items(request, response);
        let owners = request.owners().iter().zip(standing);
        Self {
            approved: matches!(approve(request, response), Ok(Ok(_))),
            archive: None,
            created: request.created().to_string(),
            expired: None,
            expires: request.expires().to_string(),
            file_count: request.files().len(),
            files: None,
            item_count: request.items().len(),
            items: None,
            owners: owners.map(|(owner, (_, signed))| ReportedOwner::of(owner, signed, request)).collect(),
            reason: request.reason(),
            request: request.digest(),
            signers: LazyList::new(|| response.signers().map(ReportedSigner::of)),
            threshold: request.threshold().count(),
            written: None,
        }
    }

    /// The request with its items, and whether it has expired at `now`. `previous` is the reader's own copy of the previous
    /// request. `archive` is a docker-archive, by its reference, whose images were found in the request.
    pub fn with_items(
        request: &'a SigningRequest,
        response: &'a SigningResponse,
        previous: Option<&'a SigningRequest>,
        archive: Option<(&'a str, &'a ProvenArchive<IdentifiedImage>)>,
        now: Time,
    ) -> Self {
        let images =
            move |item: &'a RequestItem| archive.and_then(|(_, archive)| ReportedArchiveImage::all(archive, item));
        let item = move |item| ReportedItem { images: images(item), ..ReportedItem::of(item, response, previous) };
        Self {
            archive: archive.map(|(reference, _)| reference),
            expired: Some(now > request.expires()),
            files: Some(ReportedFile::all(request, response, previous)),
            items: Some(LazyList::new(move || request.items().iter().map(item))),
            ..Self::of(request, response)
        }
    }

    /// The same, with the copies of files that were checked against the request.
    #[must_use]
    pub fn with_files(self, checked: Option<&'a CheckedFiles>) -> Self {
        let Some(checked) = checked else { return self };
        let files = self.files.into_iter().flatten().enumerate();
        Self { files: Some(files.map(|(place, file)| file.with_copy(place, checked)).collect()), ..self }
    }

    /// The same, with the file that was written.
    #[must_use]
    pub fn written_to(self, path: &Path) -> Self {
        Self { written: Some(path.display().to_string()), ..self }
    }
}

/// An item of the request: one manifest or index, and the signature or attestation that is requested for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedItem<'a> {
    annotations: Option<&'a BTreeMap<String, String>>,
    bundle: bool,
    content_size: Option<u64>,
    digest: &'a Digest,
    identity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<ReportedArchiveImage<'a>>>,
    kind: String,
    labels: &'a BTreeMap<String, String>,
    media_type: &'a str,
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notary: Option<ReportedNotary>,
    platforms: Vec<String>,
    predicate: Option<&'a str>,
    predicate_digest: Option<Digest>,
    predicate_type: Option<&'a str>,
    previous: Option<ReportedPrevious>,
    previous_by: Option<&'static str>,
    reference: String,
    signed_by: Vec<&'a str>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_digest: Option<Digest>,
    tag: bool,
}

impl<'a> ReportedItem<'a> {
    fn of(item: &'a RequestItem, response: &'a SigningResponse, own: Option<&'a SigningRequest>) -> Self {
        let (previous, by) = match own {
            Some(own) => (own.predecessor(item), "own copy"),
            None => (item.previous.clone(), "requester"),
        };
        let (sign, attest) = match &item.action {
            Action::Attest(attest) => (None, Some(attest)),
            Action::Sign(sign) => (Some(sign), None),
        };
        let predicate = attest.and_then(|attest| attest.predicate_json().ok()).map(RawValue::get);
        let name = match (sign, attest) {
            (Some(sign), _) => sign.name.as_deref(),
            (None, attest) => attest.and_then(Attestation::name),
        };
        let finished = attest.and_then(Attestation::finished);
        Self {
            annotations: sign.map(|sign| &sign.annotations),
            bundle: item.forms().contains(FormName::SigstoreBundle),
            content_size: item.content_size,
            digest: &item.digest,
            identity: sign.and_then(|sign| sign.identity.as_deref()),
            images: None,
            kind: item.kind().to_string(),
            labels: &item.labels,
            media_type: &item.media_type,
            name,
            notary: item.notary().map(|notary| ReportedNotary::of(notary, item)),
            platforms: item.platforms.iter().map(ToString::to_string).collect(),
            predicate,
            predicate_digest: predicate.map(|text| Digest::sha256(text.as_bytes())),
            predicate_type: attest.map(Attestation::predicate_type),
            previous_by: previous.as_ref().map(|_| by),
            previous: previous.map(ReportedPrevious::of),
            reference: item.reference.to_string(),
            signed_by: response.signers().filter(|signed| signed.is_finished()).map(SignaturesByKey::owner).collect(),
            size: item.size,
            statement: finished.map(|statement| statement.json().get()),
            statement_digest: finished.map(|statement| Digest::sha256(statement.json().get().as_bytes())),
            tag: item.forms().has_tag(),
        }
    }
}

/// What is signed in the formats of the Notary Project besides the image and the annotations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedNotary {
    expiry: Option<String>,
    formats: Vec<&'static str>,
    manifest: &'static str,
    signing_time: String,
}

impl ReportedNotary {
    fn of(notary: &NotaryOptions, item: &RequestItem) -> Self {
        let certified = item.forms().iter().filter(|form| form.signed_with == SignedWith::Certificate);
        Self {
            expiry: notary.expiry.map(|expiry| expiry.to_string()),
            formats: certified.map(|form| form.name.as_str()).collect(),
            manifest: notary.manifest.as_str(),
            signing_time: notary.signing_time.to_string(),
        }
    }
}

/// The item of the previous request that an item replaces.
#[derive(Debug, Serialize)]
struct ReportedPrevious {
    digest: Digest,
    labels: BTreeMap<String, String>,
    reference: String,
}

impl ReportedPrevious {
    fn of(previous: PreviousItem) -> Self {
        let PreviousItem { digest, labels, reference } = previous;
        Self { digest, labels, reference }
    }
}

/// An owner who is asked to sign, and the number of items and files that they have signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedOwner<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<ReportedChain>,
    keys: Vec<String>,
    name: &'a str,
    signed_items: usize,
}

impl<'a> ReportedOwner<'a> {
    fn of(owner: &'a Keyholder, signed_items: usize, request: &SigningRequest) -> Self {
        let chain = |key: &PublicKey| {
            let path = request.chain(key.id())?.path();
            let chain = path.iter().map(ReportedCertificate::of).collect();
            Some(ReportedChain { chain, key: key.id().to_string() })
        };
        Self {
            certificates: owner.keys.iter().filter_map(chain).collect(),
            keys: owner.keys.iter().map(|key| key.id().to_string()).collect(),
            name: &owner.name,
            signed_items,
        }
    }
}

/// The certificate chain of a key, its own certificate first.
#[derive(Debug, Serialize)]
struct ReportedChain {
    chain: Vec<ReportedCertificate>,
    key: String,
}

/// A key that has signed some or all items.
#[derive(Debug, Serialize)]
struct ReportedSigner<'a> {
    finished: bool,
    key: String,
    owner: &'a str,
    signatures: usize,
    time: Option<String>,
}

impl<'a> ReportedSigner<'a> {
    fn of(signed: &'a SignaturesByKey) -> Self {
        Self {
            finished: signed.is_finished(),
            key: signed.key().id().to_string(),
            owner: signed.owner(),
            signatures: signed.count(),
            time: signed.time().map(|time| time.to_string()),
        }
    }
}

/// The result of `request attach` for one image, or for one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AttachResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrers: Option<&'a [Digest]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<Vec<String>>,
}

impl<'a> AttachResult<'a> {
    /// The signatures of the image `reference` were attached.
    pub fn of(reference: &str, attached: &'a AttachedSignatures) -> Self {
        let AttachedSignatures { referrers, tags } = attached;
        let reference = Some(reference.to_owned());
        Self { done: true, reference, referrers: Some(referrers), tags: Some(tags), ..Self::default() }
    }

    /// The signatures of the file `name` are at these paths.
    pub fn of_file<'p>(name: &'a str, written: impl Iterator<Item = &'p Path>) -> Self {
        let written = written.map(|path| path.display().to_string()).collect();
        Self { done: true, file: Some(name), written: Some(written), ..Self::default() }
    }

    /// Too few owners signed the file `name`.
    pub fn file_failed(name: &'a str, error: ReportedError) -> Self {
        Self { file: Some(name), ..Self::failed(None, error) }
    }

    /// Nothing was attached to the image `reference`.
    pub fn failed(reference: Option<String>, error: ReportedError) -> Self {
        let ReportedError { code, message } = error;
        Self { code: Some(code), error: Some(message), reference, ..Self::default() }
    }
}
