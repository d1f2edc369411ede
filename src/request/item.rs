//! `Item`: one thing to be signed. Every field is shown, and is either signed or bound by the request's digest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::Platform;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::policy::StatementKind;
use crate::request::RequestError;
use crate::request::Whole;
use crate::request::text;
use crate::request::text::check_name;
use crate::request::wire::WireAttest;
use crate::request::wire::WireForm;
use crate::request::wire::WireItem;
use crate::request::wire::WirePrevious;
use crate::request::wire::WireSign;

/// One manifest or index, and what is to be signed about it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is to be signed.
    pub action: Action,
    /// The size of everything that the image consists of, in bytes, where the requester could tell.
    pub content_size: Option<u64>,
    /// Which manifest or index.
    pub digest: Digest,
    /// What the image says about itself: version, source, revision. Claims, for people to compare.
    pub labels: BTreeMap<String, String>,
    /// The media type of the manifest or index.
    pub media_type: String,
    /// Which platforms it is for.
    pub platforms: Vec<Platform>,
    /// What stood in its place in the round before, by the word of the requester.
    pub previous: Option<Previous>,
    /// The name by which it was resolved, once.
    pub reference: Reference,
    /// The size of the manifest or index, in bytes.
    pub size: u64,
}

/// What is to be signed about an item: a closed set.
#[derive(Clone, Debug)]
pub enum Action {
    /// A statement with a predicate.
    Attest(Attestation),
    /// That the signer stands for the image.
    Sign(ImageSignature),
}

/// An attestation that is asked for.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// Where it will be attached; the payload is the same in both forms.
    pub format: Format,
    /// The name that is signed along with the digest.
    pub name: Option<String>,
    /// The predicate, verbatim.
    pub predicate: Box<RawValue>,
    /// What kind of predicate it is: a URI.
    pub predicate_type: String,
}

/// An image signature that is asked for.
#[derive(Clone, Debug)]
pub struct ImageSignature {
    /// The annotations that are signed along with the digest.
    pub annotations: BTreeMap<String, String>,
    /// Which forms.
    pub format: Format,
    /// The name that the tag form states, which always has one; there exactly where that form is asked for.
    pub identity: Option<String>,
    /// The name that the bundle form states.
    pub name: Option<String>,
}

/// Which forms of a signature or attestation are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Both.
    Both,
    /// A Sigstore bundle as a referrer: what cosign v3 writes.
    Bundle,
    /// A layer at the `.sig` or `.att` tag: what cosign v2, skopeo and podman read.
    Tag,
}

/// What was signed in the place of an item in the round before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Which manifest or index.
    pub digest: Digest,
    /// What it said about itself.
    pub labels: BTreeMap<String, String>,
    /// Under which name.
    pub reference: String,
}

impl Format {
    /// Whether the bundle form is among them.
    pub const fn has_bundle(self) -> bool {
        matches!(self, Self::Both | Self::Bundle)
    }

    /// Whether the tag form is among them.
    pub const fn has_tag(self) -> bool {
        matches!(self, Self::Both | Self::Tag)
    }

    fn to_wire(self) -> Vec<WireForm> {
        match self {
            Self::Both => vec![WireForm::Bundle, WireForm::Tag],
            Self::Bundle => vec![WireForm::Bundle],
            Self::Tag => vec![WireForm::Tag],
        }
    }

    fn of_wire(forms: &[WireForm]) -> Result<Self, RequestError> {
        match forms {
            [WireForm::Bundle, WireForm::Tag] => Ok(Self::Both),
            [WireForm::Bundle] => Ok(Self::Bundle),
            [WireForm::Tag] => Ok(Self::Tag),
            _ => Err(RequestError::field("forms", "is not [\"bundle\"], [\"tag\"] or [\"bundle\", \"tag\"]")),
        }
    }
}

impl Item {
    /// The same place, by digest: what is pushed to.
    pub fn pinned(&self) -> Reference {
        self.reference.with(TagOrDigest::Digest(self.digest))
    }

    /// What kind of statement a signature of this item makes.
    pub fn kind(&self) -> StatementKind {
        match &self.action {
            Action::Attest(attest) => StatementKind::of_predicate(&attest.predicate_type),
            Action::Sign(_) => StatementKind::ImageSignature,
        }
    }

    /// Which forms are asked for.
    pub fn format(&self) -> Format {
        match &self.action {
            Action::Attest(attest) => attest.format,
            Action::Sign(sign) => sign.format,
        }
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
            previous: self.previous.as_ref().map(Previous::to_wire),
            sign,
            attest,
        }
    }

    pub(super) fn of_wire(wire: WireItem, limits: &Limits) -> Result<Self, RequestError> {
        let reference = reference("reference", &wire.reference, &wire.digest, limits)?;
        if !media_type::is_index(&wire.media_type) && !media_type::is_manifest(&wire.media_type) {
            return Err(RequestError::field("mediaType", "is neither that of an image manifest nor that of an index"));
        }
        RequestError::bounded("platforms of one item", wire.platforms.len(), limits.oci.descriptors)?;
        let platform = |text: &String| {
            check_name("platforms", Some(text), limits)?;
            Platform::parse(text).ok_or_else(|| RequestError::field("platforms", "has an entry that is no platform"))
        };
        let action = match (wire.sign, wire.attest) {
            (Some(sign), None) => Action::Sign(ImageSignature::of_wire(sign, limits)?),
            (None, Some(attest)) => Action::Attest(Attestation::of_wire(attest, limits)?),
            (None, None) => return Err(RequestError::field("items", "has an item that asks for no known kind")),
            (Some(_), Some(_)) => {
                return Err(RequestError::field("items", "has an item that asks for two kinds at once"));
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
            previous: wire.previous.map(|previous| Previous::of_wire(previous, limits)).transpose()?,
            reference,
            size: wire.size,
        })
    }
}

impl ImageSignature {
    fn to_wire(&self) -> WireSign {
        WireSign {
            forms: self.format.to_wire(),
            annotations: self.annotations.clone(),
            name: self.name.clone(),
            identity: self.identity.clone(),
        }
    }

    fn of_wire(wire: WireSign, limits: &Limits) -> Result<Self, RequestError> {
        let format = Format::of_wire(&wire.forms)?;
        text::check_annotations(&wire.annotations, limits)?;
        check_name("name", wire.name.as_ref(), limits)?;
        check_name("identity", wire.identity.as_ref(), limits)?;
        // A name that no payload would carry would be shown and not signed.
        if wire.identity.is_some() != format.has_tag() {
            return Err(RequestError::field("identity", "belongs to the tag form, and only to it"));
        }
        if wire.name.is_some() && !format.has_bundle() {
            return Err(RequestError::field("name", "belongs to the bundle form, and only to it"));
        }
        Ok(Self { annotations: wire.annotations, format, identity: wire.identity, name: wire.name })
    }
}

impl Attestation {
    fn to_wire(&self) -> WireAttest {
        WireAttest {
            forms: self.format.to_wire(),
            name: self.name.clone(),
            predicate_type: self.predicate_type.clone(),
            predicate: self.predicate.clone(),
        }
    }

    fn of_wire(wire: WireAttest, limits: &Limits) -> Result<Self, RequestError> {
        check_name("name", wire.name.as_ref(), limits)?;
        check_name("predicateType", Some(&wire.predicate_type), limits)?;
        // An attestation must not become an image signature when it is read (threats: attestation-as-signature).
        if StatementKind::of_predicate(&wire.predicate_type) == StatementKind::ImageSignature {
            return Err(RequestError::field("predicateType", "is that of an image signature, not of an attestation"));
        }
        Ok(Self {
            format: Format::of_wire(&wire.forms)?,
            name: wire.name,
            predicate: wire.predicate,
            predicate_type: wire.predicate_type,
        })
    }

    /// A predicate from a file, kept as it is.
    ///
    /// # Errors
    /// [`RequestError`] where it is not one object of strict JSON, or a whole statement, envelope or bundle.
    pub fn predicate(bytes: &[u8], limits: &Limits) -> Result<Box<RawValue>, RequestError> {
        let json = |error| RequestError::json("predicate", error);
        json::check(bytes, &envelope::predicate_limits(bytes, limits)).map_err(json)?;
        let raw: Box<RawValue> = serde_json::from_slice(bytes).map_err(|error| json(error.into()))?;
        if !raw.get().starts_with('{') {
            return Err(RequestError::field("predicate", "is not a JSON object"));
        }
        match whole(&raw).map_err(json)? {
            Some(what) => Err(RequestError::WholeDocument { what }),
            None => Ok(raw),
        }
    }
}

/// What a predicate is, if it is the whole of what it should be a part of. Its fields may have any names otherwise.
fn whole(predicate: &RawValue) -> Result<Option<Whole>, JsonError> {
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(predicate.get())?;
    let has = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    let is_statement = fields.get("_type").is_some_and(|kind| kind.get().contains("in-toto.io/Statement"));
    Ok(match () {
        () if has(&["verificationMaterial", "dsseEnvelope"]) => Some(Whole::Bundle),
        () if has(&["payload", "payloadType", "signatures"]) => Some(Whole::Envelope),
        () if is_statement || has(&["_type", "subject", "predicateType"]) => Some(Whole::Statement),
        () => None,
    })
}

impl Previous {
    fn to_wire(&self) -> WirePrevious {
        WirePrevious { reference: self.reference.clone(), digest: self.digest, labels: self.labels.clone() }
    }

    fn of_wire(wire: WirePrevious, limits: &Limits) -> Result<Self, RequestError> {
        let reference = reference("previous.reference", &wire.reference, &wire.digest, limits)?;
        text::check_labels("previous.labels", &wire.labels, limits)?;
        Ok(Self { digest: wire.digest, labels: wire.labels, reference: reference.to_string() })
    }
}

/// A reference in its one spelling, which does not contradict the digest beside it.
fn reference(field: &str, text: &str, digest: &Digest, limits: &Limits) -> Result<Reference, RequestError> {
    check_name(field, Some(&text.to_owned()), limits)?;
    let reference: Reference =
        text.parse().map_err(|error: crate::oci::ReferenceError| RequestError::field(field, error.to_string()))?;
    if reference.to_string() != text {
        return Err(RequestError::field(field, format!("is written {reference}")));
    }
    match reference.tag_or_digest() {
        Some(TagOrDigest::Digest(other)) if other != digest => {
            Err(RequestError::field(field, "names another digest than `digest`"))
        }
        _ => Ok(reference),
    }
}
