//! The connected ends of a signing round: what there is to sign, and attaching what was signed.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::Envelope;
use crate::envelope::Sealed;
use crate::envelope::base64;
use crate::flow::FlowError;
use crate::flow::attach;
use crate::flow::attach::Attachment;
use crate::flow::carrier;
use crate::flow::carrier::Budget;
use crate::flow::graph;
use crate::flow::pinned;
use crate::flow::sign::Extent;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ImageConfig;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::Selector;
use crate::oci::Subject;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::policy::Kind;
use crate::round::Part;
use crate::round::tally::ApprovedItem;
use crate::store::Sink;
use crate::store::Source;
use crate::store::Task;
use crate::store::parallel;
use crate::time::Time;
use crate::verify::Evidence;
use crate::verify::Place;
use crate::verify::Reason;

/// A manifest or index that can be signed, and what it says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The size of everything that it consists of, in bytes, where all of it is there.
    pub content_size: Option<u64>,
    /// Which it is.
    pub digest: Digest,
    /// What it says about itself.
    pub labels: BTreeMap<String, String>,
    /// Its media type.
    pub media_type: String,
    /// Which platforms it is for.
    pub platforms: Vec<Platform>,
    /// Its own size, in bytes.
    pub size: u64,
}

/// What was attached to one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The referrers.
    pub referrers: Vec<Digest>,
    /// The tags.
    pub tags: Vec<String>,
}

/// What `selector` stands for, resolved once: the thing itself first, then, with [`Extent::AllPlatforms`], what is in it.
///
/// # Errors
/// [`FlowError`] where something could not be read; what the store says is not there is left out.
pub async fn find(
    source: &dyn Source,
    selector: &Selector,
    extent: Extent,
    limits: &Limits,
) -> Result<Vec<Found>, FlowError> {
    let root = pinned::resolve(source, selector).await?;
    let mut found = below(source, root, limits, 0).await?;
    if extent == Extent::Root {
        found.truncate(1);
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|found| seen.insert(found.digest));
    Ok(found)
}

/// A document and everything below it. Boxed, since an index may hold an index.
fn below<'a>(
    source: &'a dyn Source,
    content: Content,
    limits: &'a Limits,
    depth: usize,
) -> Task<'a, Result<Vec<Found>, FlowError>> {
    Box::pin(describe(source, content, limits, depth))
}

async fn describe(
    source: &dyn Source,
    content: Content,
    limits: &Limits,
    depth: usize,
) -> Result<Vec<Found>, FlowError> {
    if depth > limits.index_depth {
        return Err(FlowError::TooDeep { digest: *content.digest(), limit: limits.index_depth });
    }
    let Descriptor { media_type, digest, size, .. } = content.descriptor().clone();
    let document = Document::parse(&content, limits)?;
    let mut found = Found {
        content_size: None,
        digest,
        labels: chosen(document.annotations(), limits),
        media_type,
        platforms: Vec::new(),
        size,
    };
    let index = match document {
        Document::Manifest(manifest) => {
            config(source, &manifest, &mut found, limits).await?;
            return Ok(vec![found]);
        }
        Document::Index(index) => index,
    };
    let inside = children(source, &index.manifests, limits, depth).await?;
    let direct = || inside.iter().filter_map(|child| child.first());
    found.platforms = index.manifests.iter().filter_map(|child| child.platform.clone()).filter(is_known).collect();
    if found.platforms.is_empty() {
        found.platforms = direct().flat_map(|child| child.platforms.clone()).collect();
    }
    let whole = |child: &Vec<Found>| child.first().and_then(|child| child.content_size?.checked_add(child.size));
    found.content_size = inside.iter().map(whole).try_fold(0_u64, |sum, size| sum.checked_add(size?));
    // What the index does not say about itself, the first image in it says.
    if let Some(child) = direct().find(|child| !child.platforms.is_empty()) {
        for (key, value) in &child.labels {
            found.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok([vec![found]].into_iter().chain(inside).flatten().collect())
}

/// What is below each entry of an index; nothing for one that is not there.
async fn children(
    source: &dyn Source,
    entries: &[Descriptor],
    limits: &Limits,
    depth: usize,
) -> Result<Vec<Vec<Found>>, FlowError> {
    const AT_ONCE: usize = 8;
    let task = |entry| -> Task<'_, Result<Vec<Found>, FlowError>> {
        Box::pin(async move {
            match pinned::manifest(source, entry).await {
                Ok(content) => below(source, content, limits, depth.saturating_add(1)).await,
                Err(error) if error.is_not_found() => Ok(Vec::new()),
                Err(error) => Err(error.into()),
            }
        })
    };
    parallel::run(entries.iter().map(task).collect(), AT_ONCE).await.into_iter().collect()
}

/// What the config of an image adds: its platform and its labels.
async fn config(source: &dyn Source, manifest: &Manifest, found: &mut Found, limits: &Limits) -> Result<(), FlowError> {
    const IMAGE: [&str; 2] = [media_type::OCI_CONFIG, "application/vnd.docker.container.image.v1+json"];
    let parts = manifest.layers.iter().chain([&manifest.config]);
    found.content_size = parts.map(|part| part.size).try_fold(0_u64, u64::checked_add);
    if !IMAGE.contains(&manifest.config.media_type.as_str()) || manifest.config.size > limits.manifest_bytes {
        return Ok(());
    }
    let content = match pinned::blob(source, &manifest.config, limits.manifest_bytes).await {
        Ok(content) => content,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // A config that no engine would run says nothing; that it is what the manifest names was checked.
    let Ok(config) = ImageConfig::parse(&content, limits) else { return Ok(()) };
    found.platforms = Some(config.platform).filter(is_known).into_iter().collect();
    for (key, value) in chosen(&config.labels, limits) {
        found.labels.entry(key).or_insert(value);
    }
    Ok(())
}

/// BuildKit lists its attestations in an index as manifests for no machine.
fn is_known(platform: &Platform) -> bool {
    platform.os != "unknown"
}

/// What of the annotations or labels of an image people can compare. OCI image specification, "Annotations".
fn chosen(labels: &BTreeMap<String, String>, limits: &Limits) -> BTreeMap<String, String> {
    const SHOWN: [&str; 11] = [
        "org.opencontainers.image.base.digest",
        "org.opencontainers.image.base.name",
        "org.opencontainers.image.created",
        "org.opencontainers.image.description",
        "org.opencontainers.image.licenses",
        "org.opencontainers.image.revision",
        "org.opencontainers.image.source",
        "org.opencontainers.image.title",
        "org.opencontainers.image.url",
        "org.opencontainers.image.vendor",
        "org.opencontainers.image.version",
    ];
    let fits = |value: &&String| !value.is_empty() && value.len() <= limits.request_text_bytes;
    let label = |key: &&str| labels.get(*key).filter(fits).map(|value| ((*key).to_owned(), value.clone()));
    SHOWN.iter().filter_map(label).collect()
}

/// Attaches to one subject everything that was signed about it: `items` are those of an approved request that have this
/// place and digest. Nothing is resolved again, and the same signatures give the same manifests, so doing it again
/// finishes what was left and changes nothing else.
///
/// # Errors
/// [`FlowError`]; what was pushed until then is whole by itself.
pub async fn attach(
    sink: &dyn Sink,
    items: &[ApprovedItem<'_>],
    created: Time,
    limits: &Limits,
) -> Result<Attached, FlowError> {
    let Some(first) = items.first() else { return Ok(Attached::default()) };
    let subject = subject(sink, first).await?;
    let mut wanted = Wanted::default();
    for item in items {
        wanted.add(&subject, item, created)?;
    }
    attach::attach(sink, &subject, &wanted.bundles).await?;
    let mut attached = Attached {
        referrers: wanted.bundles.iter().map(|bundle| *bundle.manifest.digest()).collect(),
        tags: Vec::new(),
    };
    for (suffix, (contents, layers)) in &wanted.tags {
        let tag = referrer::cosign_tag(subject.digest(), suffix);
        attach::add_to_tag(sink, &tag, contents, layers, limits).await?;
        attached.tags.push(tag);
    }
    Ok(attached)
}

/// The subject of an item, as it is there now: what those who signed were shown.
async fn subject(sink: &dyn Sink, item: &ApprovedItem<'_>) -> Result<Subject, FlowError> {
    let item = item.item();
    let content = pinned::resolve(sink, &Selector::Digest(item.digest)).await?;
    let Descriptor { media_type, size, .. } = content.descriptor();
    let place = || item.pinned().to_string();
    if *media_type != item.media_type {
        let (got, want) = (media_type.clone(), item.media_type.clone());
        return Err(FlowError::Changed { got, place: place(), what: "the media type", want });
    }
    if *size != item.size {
        let (got, want) = (size.to_string(), item.size.to_string());
        return Err(FlowError::Changed { got, place: place(), what: "the size", want });
    }
    Ok(Subject::of(&content))
}

/// What is to be pushed for one subject.
#[derive(Default)]
struct Wanted {
    bundles: Vec<Attachment>,
    /// For each of cosign's tags, the contents and the layers that name them.
    tags: BTreeMap<&'static str, (Vec<Content>, Vec<Descriptor>)>,
}

impl Wanted {
    fn add(&mut self, subject: &Subject, approved: &ApprovedItem<'_>, created: Time) -> Result<(), FlowError> {
        let (format, kind) = (approved.item().format(), approved.item().kind());
        let predicate_type = match &kind {
            Kind::Attestation { predicate_type } => predicate_type,
            Kind::ImageSignature => media_type::COSIGN_SIGN_PREDICATE,
        };
        for (signed, message, signature) in approved.signatures() {
            if message.part() == Part::Claim {
                let content = Content::name(media_type::SIMPLE_SIGNING, message.payload().to_vec());
                let layer = attach::simple_layer(&content, &base64::encode(signature));
                self.tag("sig", content, layer);
                continue;
            }
            let envelope = Envelope::assemble(media_type::IN_TOTO, message.payload(), signed.key(), signature)?;
            if format.has_tag() && kind != Kind::ImageSignature {
                let (content, layer) = attach::envelope_layer(&envelope, predicate_type)?;
                self.tag("att", content, layer);
            }
            if format.has_bundle() {
                self.bundles.push(attach::bundle(subject, envelope, signed.key(), predicate_type, created)?);
            }
        }
        Ok(())
    }

    fn tag(&mut self, suffix: &'static str, content: Content, layer: Descriptor) {
        let (contents, layers) = self.tags.entry(suffix).or_default();
        contents.push(content);
        layers.push(layer);
    }
}

/// A signed document that hangs on an image.
#[derive(Clone, Debug)]
pub struct Hanging(Sealed);

impl Hanging {
    /// The SHA-256 of its signatures, if `key` made one of them.
    pub fn signatures_by(&self, key: &PublicKey) -> Vec<Digest> {
        match self.0.open(key) {
            Ok(_) => self.0.signatures().into_iter().map(Digest::sha256).collect(),
            Err(_) => Vec::new(),
        }
    }
}

/// Every signed document that hangs on what `selector` stands for, whatever it says.
///
/// # Errors
/// [`FlowError`] where one of them, or a list, could not be read: then nobody can say that these are all.
pub async fn hanging(source: &dyn Source, selector: &Selector, limits: &Limits) -> Result<Vec<Hanging>, FlowError> {
    let subject = *pinned::resolve(source, selector).await?.digest();
    let mut documents = Vec::new();
    let budget = (&Budget::of(limits), limits);
    for entry in graph::listed(source, &subject, limits).await? {
        let content = pinned::manifest(source, &entry).await?;
        read(source, &content, Place::Referrers, Some(subject), budget, &mut documents).await?;
    }
    for (tag, content) in graph::tagged(source, &subject).await? {
        read(source, &content, Place::Tag(tag), None, budget, &mut documents).await?;
    }
    Ok(documents)
}

async fn read(
    source: &dyn Source,
    content: &Content,
    place: Place,
    subject: Option<Digest>,
    budget: (&Budget, &Limits),
    documents: &mut Vec<Hanging>,
) -> Result<(), FlowError> {
    let keep = |evidence: &Evidence| documents.push(Hanging(evidence.sealed().clone()));
    let findings = carrier::documents_in(source, content, place, subject, budget, keep).await;
    let open = findings.iter().find(|finding| {
        matches!(finding.reason, Reason::Missing | Reason::TooLarge { .. } | Reason::Unreadable { .. })
    });
    if let Some(finding) = open {
        let place = format!("{}@{}", source.origin(), content.digest());
        return Err(FlowError::ReadBack { place, why: finding.reason.to_string() });
    }
    Ok(())
}
