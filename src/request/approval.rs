//! `ApprovedRequest`: a request that enough owners signed, item by item; or `NotApproved`: who did not.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::request::Item;
use crate::request::Message;
use crate::request::RequestError;
use crate::request::SigningRequest;
use crate::request::SigningResponse;
use crate::request::signing_response::Signed;
use crate::trust::Owner;

/// A request of which every item was signed by as many owners as it asks for. Only [`approve`] makes one, and only what
/// it holds is attached.
///
/// A key counts when it signed all of the request and sealed that, so nothing is ever attached half; an owner counts once,
/// however many of their keys signed.
#[derive(Clone, Copy, Debug)]
pub struct ApprovedRequest<'a> {
    request: &'a SigningRequest,
    response: &'a SigningResponse,
}

/// An item of an approved request, with what was signed of it.
#[derive(Clone, Debug)]
pub struct ApprovedItem<'a> {
    item: &'a Item,
    messages: &'a [Message],
    place: usize,
    signers: Vec<&'a Signed>,
}

/// Who has not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApproved {
    /// The items that lack owners.
    pub items: Vec<UnapprovedItem>,
    /// The owners, in the order of the request, with the number of items that each has signed whole.
    pub owners: Vec<(String, usize)>,
    /// How many signatures a whole answer has.
    pub signatures: usize,
    /// How many items there are.
    pub total: usize,
    /// The owners who have begun to sign with some key and not finished, with the number of its signatures.
    pub unfinished: BTreeMap<String, usize>,
    /// How many owners have to sign each.
    pub want: u32,
}

/// An item that lacks owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnapprovedItem {
    /// Its place in the request, from 0.
    pub place: usize,
    /// How many more owners are needed.
    pub missing: u32,
    /// Who has signed it.
    pub signed: BTreeSet<Owner>,
}

/// Whether enough owners have signed every item of `request`.
///
/// # Errors
/// [`RequestError::OtherRequest`] for a response to another one.
pub fn approve<'a>(
    request: &'a SigningRequest,
    response: &'a SigningResponse,
) -> Result<Result<ApprovedRequest<'a>, NotApproved>, RequestError> {
    response.is_for(request)?;
    let (signed, total) = (finished(response), request.items().len());
    match request.threshold().missing(&signed) {
        0 => Ok(Ok(ApprovedRequest { request, response })),
        missing => Ok(Err(NotApproved {
            items: (0..total).map(|place| UnapprovedItem { place, missing, signed: signed.clone() }).collect(),
            owners: standing(request, response),
            signatures: request.messages().iter().map(Vec::len).sum(),
            total,
            unfinished: unfinished(response),
            want: request.threshold().count(),
        })),
    }
}

/// The owners, in the order of the request, with the number of items that each has signed whole: all, or none.
pub fn standing(request: &SigningRequest, response: &SigningResponse) -> Vec<(String, usize)> {
    let signed = finished(response);
    let whole = |name: &String| match signed.contains(&Owner::Named(name.clone())) {
        true => request.items().len(),
        false => 0,
    };
    request.owners().iter().map(|owner| (owner.name.clone(), whole(&owner.name))).collect()
}

fn finished(response: &SigningResponse) -> BTreeSet<Owner> {
    let finished = response.signers().filter(|signed| signed.is_finished());
    finished.map(|signed| Owner::Named(signed.owner().to_owned())).collect()
}

fn unfinished(response: &SigningResponse) -> BTreeMap<String, usize> {
    let mut most = BTreeMap::new();
    for signed in response.signers().filter(|signed| !signed.is_finished()) {
        let count = most.entry(signed.owner().to_owned()).or_insert(0);
        *count = signed.count().max(*count);
    }
    most
}

impl<'a> ApprovedRequest<'a> {
    /// The request.
    pub const fn request(&self) -> &'a SigningRequest {
        self.request
    }

    /// The items, each with the keys that signed it whole.
    pub fn items(&self) -> impl Iterator<Item = ApprovedItem<'a>> {
        let Self { request, response } = *self;
        let all = request.items().iter().zip(request.messages()).enumerate();
        all.map(move |(place, (item, messages))| ApprovedItem {
            item,
            messages,
            place,
            signers: response.signers().filter(|signed| signed.is_finished()).collect(),
        })
    }
}

impl<'a> ApprovedItem<'a> {
    /// The item.
    pub const fn item(&self) -> &'a Item {
        self.item
    }

    /// Whose signatures are whole.
    pub fn signers(&self) -> impl Iterator<Item = &'a Signed> {
        self.signers.iter().copied()
    }

    /// Every signature that is to be attached: whose, over what, and the signature.
    pub fn signatures(&self) -> impl Iterator<Item = (&'a Signed, &'a Message, &'a [u8])> {
        let (messages, place) = (self.messages, self.place);
        let of = move |signed: &'a Signed| {
            let made = move |message: &'a Message| Some((signed, message, signed.signature(place, message.part())?));
            messages.iter().filter_map(made)
        };
        self.signers().flat_map(of)
    }
}
