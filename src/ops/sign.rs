//! sign: resolve once, state, seal, push.

use std::collections::BTreeMap;

use tracing::Instrument as _;
use tracing::info;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::SimpleSigningPayload;
use crate::envelope::Statement;
use crate::envelope::base64;
use crate::key::Signer;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::attach;
use crate::ops::attach::Attachment;
use crate::ops::pinned;
use crate::ops::present::Present;
use crate::ops::present::Wanted;
use crate::ops::walk::Walk;
use crate::request::Format;
use crate::store::Origin;
use crate::store::Sink;
use crate::time::Time;

pub use crate::ops::present::Repeat;

/// What a signature says beside the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Annotations, signed.
    pub annotations: BTreeMap<String, String>,
    /// When, for the annotation of the manifest. Not signed and not evidence of time.
    pub created: Time,
    /// Which forms.
    pub format: Format,
    /// The name to sign. A bundle has it only if it is given; the tag form, by default, the repository's.
    pub reference: Option<String>,
}

impl Terms {
    /// Refuses to sign what no verifier would read (threats: nul-in-text).
    fn readable(&self) -> Result<(), EnvelopeError> {
        let texts = self.annotations.iter().flat_map(|(key, value)| [key, value]).chain(&self.reference);
        match texts.into_iter().any(|text| text.contains('\0')) {
            true => Err(EnvelopeError::Form("a NUL character in what is to be signed".to_owned())),
            false => Ok(()),
        }
    }
}

/// Which manifests behind a reference are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The index and every manifest in it.
    AllPlatforms,
    /// What the reference stands for.
    Root,
}

/// One signature that was made and attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub subject: Digest,
    /// The referrer, for the bundle form.
    pub referrer: Option<Digest>,
    /// The tag, for the tag form.
    pub tag: Option<String>,
    /// Whether all of it was there already, and nothing was signed.
    pub already: bool,
}

/// The subjects that `tag_or_digest` stands for, pinned by digest: an index before its children, each once.
///
/// # Errors
/// [`OpsError`] where it cannot be resolved or read.
pub async fn subjects(
    sink: &dyn Sink,
    tag_or_digest: &TagOrDigest,
    extent: Extent,
    limits: &Limits,
) -> Result<Vec<Subject>, OpsError> {
    let root = pinned::resolve(sink, tag_or_digest).await?;
    let mut walk = Walk::new(sink, limits);
    let _new = walk.enter(*root.digest());
    let (mut depth, mut content, mut subjects) = (0, root, Vec::new());
    loop {
        walk.check_depth(*content.digest(), depth)?;
        let document = Document::parse(&content, limits)?;
        subjects.push(Subject::of(&content));
        if let (Extent::AllPlatforms, Document::Index(index)) = (extent, document) {
            walk.descend(depth, index);
        }
        let Some(child) = walk.next_child()? else { return Ok(subjects) };
        depth = child.depth;
        content = walk.fetch(&child.entry).await??;
    }
}

/// Signs `subject` with every signer and attaches the signatures beside it.
///
/// # Errors
/// [`OpsError`]; a signature is attached whole or not at all. With [`Repeat::IfMissing`] also where it cannot be told
/// what is there: then nothing is signed.
pub async fn sign(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    terms: &Terms,
    repeat: Repeat,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("sign", subject = %subject.digest(), place = %sink.origin());
    sign_and_attach(sink, subject, signers, terms, repeat, limits).instrument(span).await
}

/// Makes the signatures that are missing, all of them before any is attached.
async fn sign_and_attach(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    terms: &Terms,
    repeat: Repeat,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    terms.readable()?;
    let tag = referrer::cosign_tag(subject.digest(), "sig");
    if terms.format != Format::Bundle {
        sink.check_tag(&tag)?;
    }
    let reference = terms.reference.clone().unwrap_or_else(|| name(sink));
    let present = present(sink, subject, signers, terms, repeat, limits).await?;
    // Everything is signed before anything is pushed: a signer that declines leaves nothing behind.
    let mut made = Making::default();
    for signer in signers {
        let key = signer.public_key().id();
        let mut signed = Signed { subject: *subject.digest(), referrer: None, tag: None, already: true };
        if terms.format.has_bundle() {
            signed.referrer = match present.bundle(&key) {
                Some(there) => Some(there),
                None => Some(made.bundle(bundle(subject, *signer, terms)?, &mut signed)),
            };
        }
        if terms.format.has_tag() {
            signed.tag = Some(tag.clone());
            if !present.is_tagged(&key) {
                let (payload, signature) = simple(subject, *signer, &reference, terms)?;
                let layer = attach::simple_layer(&payload, &signature);
                made.layer(payload, layer, &mut signed);
            }
        }
        made.signed.push(signed);
    }
    made.attach(sink, subject, &tag, limits).await
}

/// What [`sign`] would do, found out without signing or writing anything: a referrer that would be made has no digest yet.
///
/// # Errors
/// As [`sign`], as far as it can be told without a signature.
pub async fn plan(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    terms: &Terms,
    repeat: Repeat,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    terms.readable()?;
    let tag = referrer::cosign_tag(subject.digest(), "sig");
    if terms.format != Format::Bundle {
        sink.check_tag(&tag)?;
    }
    let present = present(sink, subject, signers, terms, repeat, limits).await?;
    let planned = signers.iter().map(|signer| {
        let key = signer.public_key().id();
        let referrer = present.bundle(&key).filter(|_| terms.format.has_bundle());
        let bundled = !terms.format.has_bundle() || referrer.is_some();
        let tagged = !terms.format.has_tag() || present.is_tagged(&key);
        let tag = terms.format.has_tag().then(|| tag.clone());
        Signed { subject: *subject.digest(), referrer, tag, already: bundled && tagged }
    });
    Ok(planned.collect())
}

/// What of the signatures that are asked for is there already, where that is asked.
async fn present(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[&dyn Signer],
    terms: &Terms,
    repeat: Repeat,
    limits: &Limits,
) -> Result<Present, OpsError> {
    if repeat == Repeat::Always {
        return Ok(Present::default());
    }
    let tag = referrer::cosign_tag(subject.digest(), "sig");
    let reference = terms.reference.clone().unwrap_or_else(|| name(sink));
    let statement = statement(subject, terms)?;
    let claim = SimpleSigningPayload::payload(*subject.digest(), &reference, &terms.annotations)?;
    let bundle = Wanted { payload: &statement, payload_type: media_type::IN_TOTO, tag: None };
    let simple = Wanted { payload: &claim, payload_type: media_type::SIMPLE_SIGNING, tag: Some(&tag) };
    Present::find(sink, subject, signers, &wanted(terms.format, bundle, simple), limits).await
}

/// What is looked for, for signatures or attestations in this form.
pub(super) fn wanted<'a>(format: Format, bundle: Wanted<'a>, tag: Wanted<'a>) -> Vec<Wanted<'a>> {
    let (bundle, tag) = (format.has_bundle().then_some(bundle), format.has_tag().then_some(tag));
    bundle.into_iter().chain(tag).collect()
}

/// What was signed about one subject, and is not attached yet.
#[derive(Default)]
pub(super) struct Making {
    bundles: Vec<Attachment>,
    contents: Vec<Content>,
    layers: Vec<Descriptor>,
    pub(super) signed: Vec<Signed>,
}

impl Making {
    /// Takes a bundle; returns the digest of its manifest.
    pub(super) fn bundle(&mut self, bundle: Attachment, signed: &mut Signed) -> Digest {
        let digest = *bundle.manifest.digest();
        signed.already = false;
        self.bundles.push(bundle);
        digest
    }

    /// Takes a layer of the manifest at the tag.
    pub(super) fn layer(&mut self, content: Content, layer: Descriptor, signed: &mut Signed) {
        signed.already = false;
        self.contents.push(content);
        self.layers.push(layer);
    }

    /// Attaches all of it.
    pub(super) async fn attach(
        self,
        sink: &dyn Sink,
        subject: &Subject,
        tag: &str,
        limits: &Limits,
    ) -> Result<Vec<Signed>, OpsError> {
        attach::attach(sink, subject, &self.bundles, limits).await?;
        if !self.layers.is_empty() {
            attach::add_to_tag(sink, tag, &self.contents, &self.layers, limits).await?;
        }
        for Signed { already, referrer, tag, .. } in &self.signed {
            let referrer = referrer.map(|digest| digest.to_string());
            info!(already, referrer, tag, "the signature of a key is attached");
        }
        Ok(self.signed)
    }
}

/// The repository, as cosign names it; none for a store on this machine, whose path is nobody else's business.
fn name(sink: &dyn Sink) -> String {
    match sink.origin() {
        Origin::Local(_) => String::new(),
        registry @ Origin::Registry { .. } => registry.to_string(),
    }
}

/// The in-toto statement that the bundle form of a signature signs.
fn statement(subject: &Subject, terms: &Terms) -> Result<Vec<u8>, OpsError> {
    Ok(Statement::image_signature(subject.digest(), terms.reference.as_deref(), &terms.annotations)?)
}

/// The bundle form of a signature, ready to attach.
///
/// # Errors
/// What the signer says.
pub fn bundle(subject: &Subject, signer: &dyn Signer, terms: &Terms) -> Result<Attachment, OpsError> {
    let envelope = Envelope::sign(media_type::IN_TOTO, &statement(subject, terms)?, signer)?;
    attach::bundle(subject, envelope, signer.public_key(), media_type::COSIGN_SIGN_PREDICATE, terms.created)
}

/// The tag form of a signature: the payload, and the signature in base64.
///
/// # Errors
/// What the signer says.
pub fn simple(
    subject: &Subject,
    signer: &dyn Signer,
    reference: &str,
    terms: &Terms,
) -> Result<(Content, String), OpsError> {
    let payload = SimpleSigningPayload::payload(*subject.digest(), reference, &terms.annotations)?;
    let signature = signer.sign(&payload)?;
    Ok((Content::name(media_type::SIMPLE_SIGNING, payload), base64::encode(signature.as_bytes())))
}
