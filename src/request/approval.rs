//! `ApprovedRequest`: enough owners signed all of a request. `NotApproved`: the owners who have not signed yet.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::envelope::ItemPayload;
use crate::key::KeyId;
use crate::ordered;
use crate::request::ApprovedFile;
use crate::request::RequestError;
use crate::request::RequestItem;
use crate::request::SignaturesByKey;
use crate::request::SigningRequest;
use crate::request::SigningResponse;
use crate::trust::Owner;
use crate::x509::CertificateChain;

/// A signing request whose quorum of owners is met for every item and file. A proof type: only [`approve`] makes one, and
/// nothing else is attached.
///
/// A key counts only if it signed every item and file, and countersigned, so no image gets a part of the requested signatures. An
/// owner counts once, with any number of keys.
#[derive(Clone, Copy, Debug)]
pub struct ApprovedRequest<'a> {
    request: &'a SigningRequest,
    response: &'a SigningResponse,
}

/// An item of an approved request, with its signatures.
#[derive(Clone, Debug)]
pub struct ApprovedItem<'a> {
    item: &'a RequestItem,
    payloads: &'a [ItemPayload],
    place: usize,
    request: &'a SigningRequest,
    signers: Vec<&'a SignaturesByKey>,
}

/// Why a request is not approved: the owners who have not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApproved {
    /// The items and files that lack signatures of owners.
    pub items: Vec<UnapprovedItem>,
    /// The owners, in the order of the request, with the number of items and files that each has signed.
    pub owners: Vec<(String, usize)>,
    /// The number of signatures by one key in a finished response.
    pub signatures: usize,
    /// The number of items and files.
    pub total: usize,
    /// The owners with unfinished signatures, with the number of signatures of the key that got furthest.
    pub unfinished: BTreeMap<String, usize>,
    /// The number of owners who have to sign each item.
    pub want: u32,
}

/// An item or file that lacks signatures of owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnapprovedItem {
    /// Its index in the request, from 0: items first, then files, as in [`SigningRequest::names`].
    pub place: usize,
    /// The number of owners who still have to sign.
    pub missing: u32,
    /// The owners who have signed it.
    pub signed: BTreeSet<Owner>,
}

/// Checks the quorum of `request`: enough owners signed every item and file. If not, the inner error lists the missing owners.
///
/// # Errors
/// [`RequestError::OtherRequest`] for a response to another request.
pub fn approve<'a>(
    request: &'a SigningRequest,
    response: &'a SigningResponse,
) -> Result<Result<ApprovedRequest<'a>, NotApproved>, RequestError> {
    response.check_answers(request)?;
    let (signed, total) = (finished(response), request.count());
    // All items are signed by the same keys: a key counts only if it signed the whole request.
    let signers = response.signers().filter(|signed| signed.is_finished());
    let signers: Vec<_> = signers.map(|signed| (Owner::Named(signed.owner().to_owned()), signed.key().id())).collect();
    match request.quorum().missing(signers.iter().map(|(owner, key)| (owner, *key))) {
        0 => Ok(Ok(ApprovedRequest { request, response })),
        missing => Ok(Err(NotApproved {
            items: (0..total).map(|place| UnapprovedItem { place, missing, signed: signed.clone() }).collect(),
            owners: signed_items(request, response),
            signatures: request.signature_count(),
            total,
            unfinished: unfinished(response),
            want: request.threshold().count(),
        })),
    }
}

/// The owners, in the order of the request, with the number of items and files that each has signed: all, or none.
pub fn signed_items(request: &SigningRequest, response: &SigningResponse) -> Vec<(String, usize)> {
    let signed = finished(response);
    let whole = |name: &String| match signed.contains(&Owner::Named(name.clone())) {
        true => request.count(),
        false => 0,
    };
    request.owners().iter().map(|owner| (owner.name.clone(), whole(&owner.name))).collect()
}

/// The owners who finished.
fn finished(response: &SigningResponse) -> BTreeSet<Owner> {
    let finished = response.signers().filter(|signer| signer.is_finished());
    ordered::set(finished.map(|signer| Owner::Named(signer.owner().to_owned())))
}

/// The owners with unfinished signatures, and the largest number of signatures by one of their keys.
fn unfinished(response: &SigningResponse) -> BTreeMap<String, usize> {
    let mut most = BTreeMap::new();
    for signer in response.signers().filter(|signer| !signer.is_finished()) {
        let count = most.entry(signer.owner().to_owned()).or_insert(0);
        *count = signer.count().max(*count);
    }
    most
}

impl<'a> ApprovedRequest<'a> {
    /// The request.
    pub const fn request(&self) -> &'a SigningRequest {
        self.request
    }

    /// The files, each with the keys that signed it.
    pub fn files(&self) -> impl Iterator<Item = ApprovedFile<'a>> {
        let Self { request, response } = *self;
        request.files().iter().enumerate().map(move |(place, file)| ApprovedFile {
            file,
            place,
            request,
            signers: response.signers().filter(|signer| signer.is_finished()).collect(),
        })
    }

    /// The items, each with the keys that signed it completely.
    pub fn items(&self) -> impl Iterator<Item = ApprovedItem<'a>> {
        let Self { request, response } = *self;
        let all = request.items().iter().zip(request.payloads()).enumerate();
        all.map(move |(place, (item, payloads))| ApprovedItem {
            item,
            payloads,
            place,
            request,
            signers: response.signers().filter(|signer| signer.is_finished()).collect(),
        })
    }
}

impl<'a> ApprovedItem<'a> {
    /// The item.
    pub const fn item(&self) -> &'a RequestItem {
        self.item
    }

    /// The certificate chain of `key`, if the request asks for a format with certificates.
    pub fn chain(&self, key: KeyId) -> Option<&'a CertificateChain> {
        self.request.chain(key)
    }

    /// The keys that signed the item completely.
    pub fn signers(&self) -> impl Iterator<Item = &'a SignaturesByKey> {
        self.signers.iter().copied()
    }

    /// Every signature to attach: the signer, the payload, and the signature.
    pub fn signatures(&self) -> impl Iterator<Item = (&'a SignaturesByKey, &'a ItemPayload, &'a [u8])> {
        let (payloads, place) = (self.payloads, self.place);
        let of = move |signer: &'a SignaturesByKey| {
            let made =
                move |payload: &'a ItemPayload| Some((signer, payload, signer.signature(place, payload.kind())?));
            payloads.iter().filter_map(made)
        };
        self.signers().flat_map(of)
    }
}
