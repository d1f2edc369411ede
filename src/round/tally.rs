//! `Approved`: a request that enough owners signed, item by item; or `Missing`: who did not.

use std::collections::BTreeSet;

use crate::round::Item;
use crate::round::Message;
use crate::round::Request;
use crate::round::Response;
use crate::round::RoundError;
use crate::round::response::Signed;
use crate::trust::Owner;

/// A request of which every item was signed by as many owners as it asks for. Only [`approve`] makes one, and only what
/// it holds is attached.
///
/// A key counts for an item when it signed all of its parts, so no item is ever attached half; an owner counts once,
/// however many of their keys signed.
#[derive(Clone, Copy, Debug)]
pub struct Approved<'a> {
    request: &'a Request,
    response: &'a Response,
}

/// An item with what was signed of it.
#[derive(Clone, Debug)]
pub struct ApprovedItem<'a> {
    /// The item.
    pub item: &'a Item,
    /// Its payloads.
    pub messages: &'a [Message],
    /// Its place in the request, from 0.
    pub place: usize,
    /// Whose signatures are whole.
    pub signers: Vec<&'a Signed>,
}

/// Who has not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The items that lack owners.
    pub items: Vec<MissingItem>,
    /// The owners, in the order of the request, with the number of items that each has signed whole.
    pub owners: Vec<(String, usize)>,
    /// How many items there are.
    pub total: usize,
    /// How many owners have to sign each.
    pub want: u32,
}

/// An item that lacks owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingItem {
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
/// [`RoundError::OtherRequest`] for a response to another one.
pub fn approve<'a>(request: &'a Request, response: &'a Response) -> Result<Result<Approved<'a>, Missing>, RoundError> {
    response.is_for(request)?;
    let mut items = Vec::new();
    for place in 0..request.items().len() {
        let signed = owners(request, response, place);
        let missing = request.threshold().missing(&signed);
        if missing > 0 {
            items.push(MissingItem { place, missing, signed });
        }
    }
    match items.is_empty() {
        true => Ok(Ok(Approved { request, response })),
        false => Ok(Err(Missing {
            items,
            owners: standing(request, response),
            total: request.items().len(),
            want: request.threshold().count(),
        })),
    }
}

/// The owners, in the order of the request, with the number of items that each has signed whole.
pub fn standing(request: &Request, response: &Response) -> Vec<(String, usize)> {
    let mut count: Vec<_> = request.owners().iter().map(|owner| (owner.name.clone(), 0)).collect();
    for place in 0..request.items().len() {
        let signed = owners(request, response, place);
        for (name, items) in &mut count {
            *items += usize::from(signed.contains(&Owner::Named(name.clone())));
        }
    }
    count
}

fn owners(request: &Request, response: &Response, place: usize) -> BTreeSet<Owner> {
    let whole = response.signers().filter(|signed| signed.has_all_of(request, place));
    whole.map(|signed| Owner::Named(signed.owner().to_owned())).collect()
}

impl<'a> Approved<'a> {
    /// The request.
    pub const fn request(&self) -> &'a Request {
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
            signers: response.signers().filter(|signed| signed.has_all_of(request, place)).collect(),
        })
    }
}
