//! Signed images in every form and place. A new form of evidence, or a new place for it, does not compile before it
//! stands here, and then every test of `advisories.rs` runs over it.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::SimpleSigningPayload;
use bulla::envelope::Statement;
use bulla::envelope::base64;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use super::now;

/// The formats of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Bundle,
    Dsse,
    Simple,
}

/// The places of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Fallback,
    Referrers,
    Tag,
}

/// The stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    Layout,
    Memory,
}

/// A way in which evidence can reach the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub format: Format,
    pub location: Location,
    pub store_kind: StoreKind,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Bundle, Self::Dsse, Self::Simple];

    /// Registers every variant of [`SignedDocument`].
    pub fn of(document: &SignedDocument) -> Self {
        match document {
            SignedDocument::Bundle(_) => Self::Bundle,
            SignedDocument::Dsse(_) => Self::Dsse,
            // Signed with a certificate: tests/certificates.rs.
            SignedDocument::Notary(_) => panic!("no pinned key signs a Notary Project envelope"),
            SignedDocument::Simple(_) => Self::Simple,
            other => panic!("a format that no way covers: {other:?}"),
        }
    }

    /// Whether it can carry statements of this kind.
    pub fn can_say(self, kind: &StatementKind) -> bool {
        self != Self::Simple || *kind == StatementKind::ImageSignature
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Bundle => media_type::SIGSTORE_BUNDLE,
            Self::Dsse => media_type::DSSE_ENVELOPE,
            Self::Simple => media_type::SIMPLE_SIGNING,
        }
    }

    fn artifact_type(self) -> &'static str {
        match self {
            Self::Bundle => media_type::SIGSTORE_BUNDLE,
            Self::Dsse => media_type::DSSE_ENVELOPE,
            Self::Simple => media_type::COSIGN_SIGNATURE_ARTIFACT,
        }
    }
}

impl Location {
    pub const ALL: [Self; 3] = [Self::Fallback, Self::Referrers, Self::Tag];

    /// Registers every variant of [`FoundAt`]; none for those that no store finds by itself.
    pub fn of(place: &FoundAt) -> Option<Self> {
        match place {
            FoundAt::FallbackTag => Some(Self::Fallback),
            FoundAt::File(_) | FoundAt::Index | FoundAt::Subject => None,
            FoundAt::Referrers => Some(Self::Referrers),
            FoundAt::Tag(_) => Some(Self::Tag),
            other => panic!("a location that no way covers: {other:?}"),
        }
    }
}

impl Way {
    /// Every way there is.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for format in Format::ALL {
            for location in Location::ALL {
                for store_kind in [StoreKind::Layout, StoreKind::Memory] {
                    all.push(Self { format, location, store_kind });
                }
            }
        }
        all
    }

    /// Every way for statements of this kind.
    pub fn all_for(kind: &StatementKind) -> Vec<Self> {
        Self::all().into_iter().filter(|way| way.format.can_say(kind)).collect()
    }

    /// The location where the verifier finds it. A layout also lists the entries of its fallback list.
    pub fn found_at(self) -> Location {
        match (self.store_kind, self.location) {
            (StoreKind::Layout, Location::Fallback) => Location::Referrers,
            (_, location) => location,
        }
    }

    pub fn fixture(self) -> TestStore {
        match (self.store_kind, self.location) {
            (StoreKind::Layout, _) => TestStore::layout(Limits::DEFAULT),
            (StoreKind::Memory, Location::Fallback) => TestStore::memory(Memory::without_referrers(Limits::DEFAULT)),
            (StoreKind::Memory, _) => TestStore::memory(Memory::new(Limits::DEFAULT)),
        }
    }

    /// A store with an image that `signer` signed this way, and nothing else.
    pub fn signed(self, signer: &dyn Signer, kind: &StatementKind) -> (TestStore, Content) {
        let fixture = self.fixture();
        let image = fixture.image(1);
        let word = TestPayload::about(self.format, kind, image.digest());
        fixture.attach(&image, self.location, kind, self.format, &[word.sign(self.format, &[signer])]);
        fixture.settle();
        (fixture, image)
    }
}

/// A store in which things are put.
pub struct TestStore {
    pub sink: Box<dyn Sink>,
    pub memory: Option<Memory>,
    pub dir: Option<TempDir>,
}

impl TestStore {
    pub fn memory(memory: Memory) -> Self {
        Self { sink: Box::new(memory.clone()), memory: Some(memory), dir: None }
    }

    /// The path of the layout.
    pub fn path(&self) -> std::path::PathBuf {
        self.dir.as_ref().expect("a layout").path().join("layout")
    }

    /// Lists referrers by itself.
    pub fn new() -> Self {
        Self::memory(Memory::new(Limits::DEFAULT))
    }

    pub fn layout(limits: Limits) -> Self {
        let dir = tempfile::Builder::new().prefix("bulla-test-").tempdir().expect("a temporary directory");
        let layout = Layout::create(dir.path().join("layout"), limits).expect("a layout");
        now(layout.finish()).expect("a layout");
        Self { sink: Box::new(layout), memory: None, dir: Some(dir) }
    }

    /// An image of a config and a layer, different for each seed.
    pub fn image(&self, seed: u64) -> Content {
        let rootfs = json!({"type": "layers", "diff_ids": []});
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": rootfs, "seed": seed}).to_string();
        let config = Content::from_bytes(media_type::OCI_CONFIG, config.into_bytes());
        let layer = Content::from_bytes("application/vnd.oci.image.layer.v1.tar", format!("layer {seed}").into_bytes());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        });
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        self.push(&[config, layer], &manifest, Some(&format!("v{seed}")));
        manifest
    }

    /// An index of these.
    pub fn index(&self, children: &[Descriptor], tag: Option<&str>) -> Content {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": children});
        let index = Content::from_bytes(media_type::OCI_INDEX, index.to_string().into_bytes());
        self.push(&[], &index, tag);
        index
    }

    pub fn push(&self, blobs: &[Content], manifest: &Content, tag: Option<&str>) -> bool {
        for blob in blobs {
            now(self.sink.push_content(blob)).expect("a blob");
        }
        now(self.sink.push_manifest(manifest, tag)).expect("a manifest").listed
    }

    /// Makes everything that was put here visible to those who open the store now, and written as others write it.
    pub fn settle(&self) {
        now(self.sink.finish()).expect("the store");
    }

    /// Puts signed documents beside an image: each bundle and envelope as a referrer of its own, simple signing and
    /// everything under a tag together. Returns the manifests.
    pub fn attach(
        &self,
        image: &Content,
        location: Location,
        kind: &StatementKind,
        format: Format,
        signed_layers: &[SignedLayer],
    ) -> Vec<Content> {
        let alone = location != Location::Tag && format != Format::Simple;
        let groups = if alone { signed_layers.chunks(1) } else { signed_layers.chunks(signed_layers.len().max(1)) };
        groups.map(|signed_layers| self.hang_one(image, location, kind, format, signed_layers)).collect()
    }

    fn hang_one(
        &self,
        image: &Content,
        location: Location,
        kind: &StatementKind,
        format: Format,
        signed_layers: &[SignedLayer],
    ) -> Content {
        let subject = (location != Location::Tag).then(|| image.descriptor().bare());
        let manifest = signature_manifest(subject.as_ref(), format, signed_layers);
        self.place(image, location, kind, format, &manifest, &blobs(signed_layers));
        manifest
    }

    /// Puts a manifest where evidence of this format is looked for.
    pub fn place(
        &self,
        image: &Content,
        location: Location,
        kind: &StatementKind,
        format: Format,
        manifest: &Content,
        blobs: &[Content],
    ) {
        let mut blobs = blobs.to_vec();
        blobs.push(referrer::empty_config());
        let tag = (location == Location::Tag).then(|| tag_of(image.digest(), kind));
        let listed = self.push(&blobs, manifest, tag.as_deref());
        if location != Location::Tag && !listed {
            self.list(image, &[entry(manifest, format)]);
        }
    }

    /// Adds entries to the list under the fallback tag.
    pub fn list(&self, image: &Content, entries: &[Descriptor]) {
        now(self.sink.merge_referrers(image.digest(), entries)).expect("the list");
    }
}

/// The tag of cosign for statements of this kind.
pub fn tag_of(digest: &Digest, kind: &StatementKind) -> String {
    let suffix = match kind {
        StatementKind::Attestation { .. } => "att",
        StatementKind::ImageSignature => "sig",
    };
    referrer::cosign_tag(digest, suffix)
}

/// How a list describes a manifest.
pub fn entry(manifest: &Content, format: Format) -> Descriptor {
    Descriptor { artifact_type: Some(format.artifact_type().to_owned()), ..manifest.descriptor().bare() }
}

/// The blobs of some documents.
pub fn blobs(signed_layers: &[SignedLayer]) -> Vec<Content> {
    signed_layers
        .iter()
        .map(|signed_layer| Content::from_bytes(&signed_layer.media_type, signed_layer.bytes.clone()))
        .collect()
}

/// A manifest that carries some documents.
pub fn signature_manifest(subject: Option<&Descriptor>, format: Format, signed_layers: &[SignedLayer]) -> Content {
    let config = referrer::empty_config();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": signed_layers.iter().map(SignedLayer::descriptor).collect::<Vec<_>>(),
    });
    if let Some(subject) = subject {
        manifest["subject"] = json!(subject);
        manifest["artifactType"] = json!(format.artifact_type());
    }
    Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes())
}

/// The statement to sign.
#[derive(Clone, Debug)]
pub struct TestPayload {
    pub payload_type: String,
    pub payload: Vec<u8>,
}

impl TestPayload {
    /// A statement of this kind about this digest, as the format has it.
    pub fn about(format: Format, kind: &StatementKind, digest: &Digest) -> Self {
        Self::with(format, kind, digest, &BTreeMap::new(), None)
    }

    pub fn with(
        format: Format,
        kind: &StatementKind,
        digest: &Digest,
        annotations: &BTreeMap<String, String>,
        name: Option<&str>,
    ) -> Self {
        match (format, kind) {
            (Format::Simple, _) => {
                let payload =
                    SimpleSigningPayload::payload(*digest, name.unwrap_or_default(), annotations).expect("a claim");
                Self { payload_type: media_type::SIMPLE_SIGNING.to_owned(), payload }
            }
            (_, StatementKind::ImageSignature) => {
                Self::statement(Statement::image_signature(digest, name, annotations).expect("a statement"))
            }
            (_, StatementKind::Attestation { predicate_type }) => {
                let subject = json!([{
                    "name": name.unwrap_or("registry.example/app"),
                    "digest": {digest.algorithm().name(): digest.hex()},
                    "annotations": annotations,
                }]);
                let statement = json!({
                    "_type": "https://in-toto.io/Statement/v0.1",
                    "subject": subject,
                    "predicateType": predicate_type,
                    "predicate": {},
                });
                Self::statement(statement.to_string().into_bytes())
            }
        }
    }

    pub fn statement(payload: Vec<u8>) -> Self {
        Self { payload_type: media_type::IN_TOTO.to_owned(), payload }
    }

    pub fn json(value: &Value) -> Self {
        Self::statement(value.to_string().into_bytes())
    }

    /// The signed bytes: the payload itself, or its pre-authentication encoding.
    pub fn message(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Simple => self.payload.clone(),
            Format::Bundle | Format::Dsse => pre_authentication_encoding(&self.payload_type, &self.payload),
        }
    }

    /// Signed by all of these in one document; simple signing takes the first.
    pub fn sign(&self, format: Format, signers: &[&dyn Signer]) -> SignedLayer {
        let message = self.message(format);
        let sign = |signer: &&dyn Signer| signer.sign(&message).expect("a signature").as_bytes().to_vec();
        let signatures: Vec<Vec<u8>> = signers.iter().map(sign).collect();
        let listed = signatures.iter().map(|bytes| json!({"sig": base64::encode(bytes)})).collect();
        match format {
            Format::Simple => self.beside(&base64::encode(&signatures[0])),
            Format::Bundle | Format::Dsse => self.within(format, &Value::Array(listed)),
        }
    }

    /// With this annotation as signature.
    pub fn beside(&self, signature: &str) -> SignedLayer {
        let annotations = BTreeMap::from([(referrer::COSIGN_SIGNATURE.to_owned(), signature.to_owned())]);
        SignedLayer { media_type: media_type::SIMPLE_SIGNING.to_owned(), bytes: self.payload.clone(), annotations }
    }

    /// With this value as the field `signatures`, if there is one.
    pub fn within(&self, format: Format, signatures: &Value) -> SignedLayer {
        let mut envelope = json!({"payload": base64::encode(&self.payload), "payloadType": self.payload_type});
        if *signatures != json!("absent") {
            envelope["signatures"] = signatures.clone();
        }
        SignedLayer::of_envelope(format, &envelope)
    }
}

/// A signed document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLayer {
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub annotations: BTreeMap<String, String>,
}

impl SignedLayer {
    /// An envelope, bare or in a bundle.
    pub fn of_envelope(format: Format, envelope: &Value) -> Self {
        let value = match format {
            Format::Bundle => json!({
                "mediaType": media_type::SIGSTORE_BUNDLE,
                "verificationMaterial": {"publicKey": {"hint": ""}},
                "dsseEnvelope": envelope,
            }),
            Format::Dsse | Format::Simple => envelope.clone(),
        };
        Self::of_text(format, &value.to_string())
    }

    pub fn of_text(format: Format, text: &str) -> Self {
        Self {
            media_type: format.media_type().to_owned(),
            bytes: text.as_bytes().to_vec(),
            annotations: BTreeMap::new(),
        }
    }

    /// The descriptor of its layer.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor { annotations: self.annotations.clone(), ..Descriptor::of(&self.media_type, &self.bytes) }
    }
}
