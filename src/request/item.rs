//! `RequestItem`: one image and the statement to sign about it. The signer is shown every field, and each is either in
//! a signed payload or covered by the digest of the request, which is countersigned.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::FormName;
use crate::envelope::Forms;
use crate::envelope::ItemPayload;
use crate::envelope::ItemStatement;
use crate::envelope::SigningItem;
use crate::limits::Limits;
use crate::oci::Platform;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::policy::StatementKind;
use crate::request::Attestation;
use crate::request::FieldFault;
use crate::request::NotaryOptions;
use crate::request::RequestError;
use crate::request::forms::forms_of_attestation;
use crate::request::forms::forms_of_signature;
use crate::request::forms::forms_to_wire;
use crate::request::text;
use crate::request::text::check_name;
use crate::request::wire::WireItem;
use crate::request::wire::WirePrevious;
use crate::request::wire::WireSign;

/// One manifest or index, and the statement to sign about it: an image signature or an attestation.
#[derive(Clone, Debug)]
pub struct RequestItem {
    /// The statement to sign.
    pub action: Action,
    /// The size of the config and all layers of the image together, in bytes, if the requester knew it.
    pub content_size: Option<u64>,
    /// The digest of the manifest or index.
    pub digest: Digest,
    /// Claims of the image about itself, such as version, source and revision: unverified, for people to compare.
    pub labels: BTreeMap<String, String>,
    /// The media type of the manifest or index.
    pub media_type: String,
    /// The platforms of the image.
    pub platforms: Vec<Platform>,
    /// The item of the previous request that it replaces, according to the requester.
    pub previous: Option<PreviousItem>,
    /// The reference that the requester resolved.
    pub reference: Reference,
    /// The size of the manifest or index, in bytes.
    pub size: u64,
}

/// The statement to sign about an image: a closed set.
#[derive(Clone, Debug)]
pub enum Action {
    /// An attestation: a statement with a predicate.
    Attest(Attestation),
    /// An image signature.
    Sign(ImageSignature),
}

/// A requested image signature.
#[derive(Clone, Debug)]
pub struct ImageSignature {
    /// The annotations that are signed along with the digest.
    pub annotations: BTreeMap<String, String>,
    /// The formats in which it will be attached.
    pub forms: Forms,
    /// The name in the simple signing payload, which always has one: set if and only if that format is requested.
    pub identity: Option<String>,
    /// The name in the in-toto statement of the Sigstore bundle.
    pub name: Option<String>,
    /// The signed times in the formats of the Notary Project: set if and only if one of them is requested.
    pub notary: Option<NotaryOptions>,
}

/// The item of the previous request that an item replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousItem {
    /// The digest of the manifest or index.
    pub digest: Digest,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The reference that people were shown.
    pub reference: String,
}

impl RequestItem {
    /// The reference by digest, where signatures are attached.
    pub fn pinned(&self) -> Reference {
        self.reference.with(TagOrDigest::Digest(self.digest))
    }

    /// The kind of statement of this item.
    pub fn kind(&self) -> StatementKind {
        match &self.action {
            Action::Attest(attest) => StatementKind::of_predicate(attest.predicate_type()),
            Action::Sign(_) => StatementKind::ImageSignature,
        }
    }

    /// The requested formats.
    pub const fn forms(&self) -> &Forms {
        match &self.action {
            Action::Attest(attest) => &attest.forms,
            Action::Sign(sign) => &sign.forms,
        }
    }

    /// The signed times of an image signature in the formats of the Notary Project.
    pub const fn notary(&self) -> Option<&NotaryOptions> {
        match &self.action {
            Action::Attest(_) => None,
            Action::Sign(sign) => sign.notary.as_ref(),
        }
    }

    /// The image and the statement, from which formats make their payloads.
    pub fn signing_item(&self) -> SigningItem<'_> {
        let statement = match &self.action {
            Action::Attest(attest) => attest.statement(),
            Action::Sign(sign) => ItemStatement::ImageSignature {
                annotations: &sign.annotations,
                artifact: sign.notary.as_ref().map(|notary| notary.dated(&self.media_type, self.size)),
                identity: sign.identity.as_deref(),
                name: sign.name.as_deref(),
            },
        };
        SigningItem { digest: &self.digest, statement }
    }

    /// Checks that a request can carry the requested formats.
    pub(super) fn check_forms(&self) -> Result<(), RequestError> {
        let read = match &self.action {
            Action::Attest(attest) => forms_of_attestation(&forms_to_wire(&attest.forms)),
            Action::Sign(sign) => forms_of_signature(&forms_to_wire(&sign.forms)),
        };
        match read? == *self.forms() {
            true => Ok(()),
            false => Err(RequestError::field("forms", FieldFault::Forms)),
        }
    }

    /// The payloads to sign for this item, one for each format that does not share that of another.
    ///
    /// # Errors
    /// [`EnvelopeError`] if they cannot be serialized, or a verifier with these limits could not read them.
    pub fn payloads(&self, limits: &Limits) -> Result<Vec<ItemPayload>, EnvelopeError> {
        let payloads = self.forms().payloads(&self.signing_item(), limits)?;
        Ok(payloads.into_iter().map(|(payload, _)| payload).collect())
    }

    pub(super) fn to_wire(&self) -> WireItem {
        let (sign, attest) = match &self.action {
            Action::Attest(attest) => (None, Some(attest.to_wire())),
            Action::Sign(sign) => (Some(sign.to_wire()), None),
        };
        WireItem {
            reference: self.reference.to_string(),
            digest: self.digest,
            media_type: self.media_type.clone(),
            size: self.size,
            content_size: self.content_size,
            platforms: self.platforms.iter().map(ToString::to_string).collect(),
            labels: self.labels.clone(),
            previous: self.previous.as_ref().map(PreviousItem::to_wire),
            sign,
            attest,
        }
    }

    pub(super) fn of_wire(wire: WireItem, limits: &Limits) -> Result<Self, RequestError> {
        let reference = reference("reference", &wire.reference, &wire.digest, limits)?;
        if !media_type::is_index(&wire.media_type) && !media_type::is_manifest(&wire.media_type) {
            return Err(RequestError::field("mediaType", FieldFault::MediaType));
        }
        RequestError::bounded("platforms of one item", wire.platforms.len(), limits.oci.descriptors)?;
        let platform = |text: &String| {
            check_name("platforms", Some(text), limits)?;
            Platform::parse(text).ok_or_else(|| RequestError::field("platforms", FieldFault::Platform))
        };
        let action = match (wire.sign, wire.attest) {
            (Some(sign), None) => Action::Sign(ImageSignature::of_wire(sign, limits)?),
            (None, Some(attest)) => Action::Attest(Attestation::of_wire(attest, limits)?),
            (None, None) => return Err(RequestError::field("items", FieldFault::UnknownKind)),
            (Some(_), Some(_)) => {
                return Err(RequestError::field("items", FieldFault::TwoKinds));
            }
        };
        text::check_labels("labels", &wire.labels, limits)?;
        Ok(Self {
            action,
            content_size: wire.content_size,
            digest: wire.digest,
            labels: wire.labels,
            media_type: wire.media_type,
            platforms: wire.platforms.iter().map(platform).collect::<Result<_, _>>()?,
            previous: wire.previous.map(|previous| PreviousItem::of_wire(previous, limits)).transpose()?,
            reference,
            size: wire.size,
        })
    }
}

impl ImageSignature {
    fn to_wire(&self) -> WireSign {
        WireSign {
            forms: forms_to_wire(&self.forms),
            annotations: self.annotations.clone(),
            name: self.name.clone(),
            identity: self.identity.clone(),
            notary: self.notary.map(NotaryOptions::to_wire),
        }
    }

    fn of_wire(wire: WireSign, limits: &Limits) -> Result<Self, RequestError> {
        let forms = forms_of_signature(&wire.forms)?;
        text::check_annotations(&wire.annotations, limits)?;
        check_name("name", wire.name.as_ref(), limits)?;
        check_name("identity", wire.identity.as_ref(), limits)?;
        // Otherwise a name would be shown that no payload contains, and that is not signed.
        if wire.identity.is_some() != forms.contains(FormName::SimpleSigning) {
            return Err(RequestError::field("identity", FieldFault::TagFormOnly));
        }
        if wire.name.is_some() && !forms.contains(FormName::SigstoreBundle) {
            return Err(RequestError::field("name", FieldFault::BundleFormOnly));
        }
        if wire.notary.is_some() != forms.has_certificate() {
            return Err(RequestError::field("notary", FieldFault::NotaryFormOnly));
        }
        let notary = wire.notary.as_ref().map(NotaryOptions::of_wire).transpose()?;
        Ok(Self { annotations: wire.annotations, forms, identity: wire.identity, name: wire.name, notary })
    }
}

impl PreviousItem {
    /// What a request says about `item` of the previous one.
    pub fn of(item: &RequestItem) -> Self {
        Self { digest: item.digest, labels: item.labels.clone(), reference: item.reference.to_string() }
    }

    fn to_wire(&self) -> WirePrevious {
        WirePrevious { reference: self.reference.clone(), digest: self.digest, labels: self.labels.clone() }
    }

    fn of_wire(wire: WirePrevious, limits: &Limits) -> Result<Self, RequestError> {
        let reference = reference("previous.reference", &wire.reference, &wire.digest, limits)?;
        text::check_labels("previous.labels", &wire.labels, limits)?;
        Ok(Self { digest: wire.digest, labels: wire.labels, reference: reference.to_string() })
    }
}

/// Parses a reference in its only allowed spelling, which may name no other digest than `digest`.
fn reference(field: &str, text: &str, digest: &Digest, limits: &Limits) -> Result<Reference, RequestError> {
    check_name(field, Some(&text.to_owned()), limits)?;
    let reference: Reference =
        text.parse().map_err(|error| RequestError::field(field, FieldFault::Reference(error)))?;
    if reference.to_string() != text {
        return Err(RequestError::field(field, FieldFault::OtherSpelling(Box::new(reference))));
    }
    match reference.tag_or_digest() {
        Some(TagOrDigest::Digest(other)) if other != digest => Err(RequestError::field(field, FieldFault::OtherDigest)),
        _ => Ok(reference),
    }
}
