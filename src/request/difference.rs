//! Whether a signing request asks for the same signatures as the one that a signer expects.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::ItemPayload;
use crate::envelope::PayloadKind;
use crate::ordered;
use crate::request::Difference;
use crate::request::RequestError;
use crate::request::RequestItem;
use crate::request::SigningRequest;
use crate::request::forms::forms_to_wire;
use crate::request::wire::WireForm;

impl SigningRequest {
    /// Checks that this request asks for the same signatures as `expected`, which the signer has made from contents of
    /// their own: the same statements about the same images, with the same names, annotations and predicates, in the same
    /// formats and with the same validity; the same files; and the same owners, keys and threshold. What no signature of
    /// an image or file covers is not compared: times, the reason, where signatures are attached, labels, certificates.
    ///
    /// # Errors
    /// [`RequestError::Different`], [`RequestError::OtherOwners`], [`RequestError::OtherThreshold`].
    pub fn check_same(&self, expected: &Self) -> Result<(), RequestError> {
        let unexpected = self.first_beyond(expected).map(Difference::Unexpected);
        match unexpected.or_else(|| expected.first_beyond(self).map(Difference::Missing)) {
            Some(difference) => Err(RequestError::Different(difference)),
            None => self.check_asks(expected.owners(), Some(expected.threshold().count())),
        }
    }

    /// The first signature that this request asks for and `other` does not, in words.
    fn first_beyond(&self, other: &Self) -> Option<String> {
        let (items, files) = (ordered::set(other.comparable_items().map(|(_, item)| item)), other.comparable_files());
        let mut beyond = self.comparable_items().filter(|(_, item)| !items.contains(item));
        let item =
            beyond.next().map(|(item, _)| format!("the {} of {} ({})", item.kind(), item.reference, item.digest));
        let mut beyond = self.comparable_files().into_iter().filter(|file| !files.contains(file));
        item.or_else(|| beyond.next().map(|(name, digest)| format!("a signature of the file {name} ({digest})")))
    }

    fn comparable_items(&self) -> impl Iterator<Item = (&RequestItem, ComparableItem<'_>)> {
        let items = self.items().iter().zip(self.payloads());
        items.map(|(item, payloads)| (item, ComparableItem::of(item, payloads)))
    }

    fn comparable_files(&self) -> BTreeSet<(&str, &Digest)> {
        ordered::set(self.files().iter().map(|file| (file.name(), file.digest())))
    }
}

/// All that the signatures for an item say, whenever they are made.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ComparableItem<'a> {
    image: &'a Digest,
    formats: Vec<WireForm>,
    payloads: Vec<(PayloadKind, &'a [u8])>,
    /// How long a signature in the formats of the Notary Project is valid, in seconds; `None` without an end.
    validity: Option<i64>,
}

impl<'a> ComparableItem<'a> {
    fn of(item: &'a RequestItem, payloads: &'a [ItemPayload]) -> Self {
        let validity = item.notary().and_then(|notary| {
            let expiry = notary.expiry?;
            Some(expiry.unix().saturating_sub(notary.signing_time.unix()))
        });
        let payloads = payloads.iter().map(|payload| (payload.kind(), payload.bytes())).collect();
        Self { image: &item.digest, formats: forms_to_wire(item.forms()), payloads, validity }
    }
}
