//! sign: resolve the reference once, make the payloads, sign them, attach the signatures.

use std::collections::BTreeMap;

use tracing::Instrument as _;
use tracing::info;
use tracing::info_span;

use crate::envelope;
use crate::envelope::DatedArtifact;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::Form;
use crate::envelope::Forms;
use crate::envelope::ItemPayload;
use crate::envelope::ItemStatement;
use crate::envelope::SignedItem;
use crate::envelope::SigningIdentity;
use crate::envelope::SigningItem;
use crate::envelope::StorageOptions;
use crate::limits::Limits;
use crate::oci::Document;
use crate::oci::NotaryManifest;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::attach::PendingSignatures;
use crate::ops::making::Making;
use crate::ops::pinned;
use crate::ops::present::Conditions;
use crate::ops::present::Present;
use crate::ops::present::Wanted;
use crate::ops::signed::NewPlaces;
use crate::ops::timestamp::Timestamping;
use crate::ops::walk::Walk;
use crate::ops::witness::Witnessing;
use crate::store::Origin;
use crate::store::Sink;
use crate::store::Source;
use crate::time::Time;

pub use crate::ops::present::SignWhen;
pub use crate::ops::signed::Signed;

/// The signed and unsigned fields of a signature, apart from the digest.
#[derive(Clone, Debug)]
pub struct SignOptions<'a> {
    /// Annotations, signed.
    pub annotations: BTreeMap<String, String>,
    /// The time for an annotation of the signature manifest, and the signing time in formats that sign one. It is the
    /// signer's claim, and not evidence of time.
    pub created: Time,
    /// The time from which the signature is no longer valid, in formats that sign one.
    pub expiry: Option<Time>,
    /// The signature formats to write.
    pub forms: Forms,
    /// The form of the manifests of Notary Project signatures.
    pub notary_manifest: NotaryManifest,
    /// The name to sign. A Sigstore bundle has it only if it is given; a simple signing payload has that of the
    /// repository by default.
    pub reference: Option<String>,
    /// Timestamps (RFC 3161) for the signatures in the formats of the Notary Project.
    pub timestamping: Option<Timestamping<'a>>,
    /// Timestamps (RFC 3161) and log entries (Rekor v2) for the signatures in the formats of Sigstore.
    pub witnessing: Option<Witnessing<'a>>,
}

impl SignOptions<'_> {
    /// Options for signatures in `forms`, made at the time `created`: without annotations, expiry, name and timestamps.
    pub fn new(forms: Forms, created: Time) -> Self {
        Self {
            annotations: BTreeMap::new(),
            created,
            expiry: None,
            forms,
            notary_manifest: NotaryManifest::default(),
            reference: None,
            timestamping: None,
            witnessing: None,
        }
    }

    /// Refuses to sign what no verifier would read (threats: nul-in-text). Returns the name in a simple signing payload.
    fn readable(&self, sink: &dyn Sink) -> Result<String, EnvelopeError> {
        let texts = self.annotations.iter().flat_map(|(key, value)| [key, value]).chain(&self.reference);
        match texts.into_iter().any(|text| text.contains('\0')) {
            true => Err(EnvelopeError::Form(DocumentFault::NulToSign)),
            false => Ok(self.reference.clone().unwrap_or_else(|| name(sink))),
        }
    }

    fn item<'a>(&'a self, subject: &'a Subject, identity: &'a str) -> SigningItem<'a> {
        let statement = ItemStatement::ImageSignature {
            annotations: &self.annotations,
            artifact: Some(DatedArtifact {
                expiry: self.expiry,
                media_type: &subject.descriptor().media_type,
                signing_time: self.created,
                size: subject.descriptor().size,
            }),
            identity: Some(identity),
            name: self.reference.as_deref(),
        };
        SigningItem { digest: subject.digest(), statement }
    }

    /// When a signature is made, and what it must have beside it to be there already.
    fn conditions(&self, when: SignWhen) -> Conditions<'_> {
        let trust = self.timestamping.as_ref().map(|timestamping| timestamping.trust);
        Conditions { trust, when, witnessing: self.witnessing }
    }

    const fn making(&self) -> Making<'_> {
        let storage = StorageOptions { created: self.created, notary_manifest: self.notary_manifest };
        Making { storage, timestamping: self.timestamping, witnessing: self.witnessing }
    }

    fn payloads(&self, subject: &Subject, identity: &str, limits: &Limits) -> Result<Vec<FormPayload>, EnvelopeError> {
        self.forms.payloads(&self.item(subject, identity), limits)
    }
}

/// Which manifests of a reference are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedPlatforms {
    /// The index and every manifest in it.
    All,
    /// The manifest or index that the reference resolves to.
    Root,
}

/// Resolves `tag_or_digest` to subjects, pinned by digest: an index before its children, each once.
///
/// # Errors
/// [`OpsError`] if it cannot be resolved or read.
pub async fn subjects(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: SignedPlatforms,
    limits: &Limits,
) -> Result<Vec<Subject>, OpsError> {
    let root = pinned::resolve(source, tag_or_digest).await?;
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    let (mut depth, mut content, mut subjects) = (0, root, Vec::new());
    loop {
        walk.check_depth(*content.digest(), depth)?;
        let document = Document::parse(&content, limits)?;
        subjects.push(Subject::of(&content));
        if let (SignedPlatforms::All, Document::Index(index)) = (platforms, document) {
            walk.descend(depth, index);
        }
        let Some(child) = walk.next_child()? else { return Ok(subjects) };
        depth = child.depth;
        content = walk.fetch(&child.entry).await??;
    }
}

/// Signs `subject` with every identity and attaches the signatures beside it.
///
/// # Errors
/// [`OpsError`]; a signature is attached completely or not at all, and [`OpsError::partly_signed`] has those that were.
/// With [`SignWhen::IfMissing`] also if the existing signatures cannot be read: then nothing is signed.
pub async fn sign(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[SigningIdentity<'_>],
    options: &SignOptions<'_>,
    when: SignWhen,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("sign", subject = %subject.digest(), place = %sink.origin());
    let sign = async {
        let reference = options.readable(sink)?;
        let (item, payloads) = (options.item(subject, &reference), options.payloads(subject, &reference, limits)?);
        check_payloads(&payloads, item.statement, limits)?;
        let plan = SigningPlan::find(sink, subject, signers, &payloads, options.conditions(when), limits).await?;
        plan.sign(sink, subject, item, options.making(), limits).await
    };
    sign.instrument(span).await
}

/// A dry run of [`sign`]: returns what it would do, and signs and writes nothing.
///
/// # Errors
/// As [`sign`], as far as it can be known without signing.
pub async fn plan(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[SigningIdentity<'_>],
    options: &SignOptions<'_>,
    when: SignWhen,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let reference = options.readable(sink)?;
    let payloads = options.payloads(subject, &reference, limits)?;
    check_payloads(&payloads, options.item(subject, &reference).statement, limits)?;
    let plan = SigningPlan::find(sink, subject, signers, &payloads, options.conditions(when), limits).await?;
    Ok(plan.entries.into_iter().map(|entry| entry.signed).collect())
}

/// Refuses to sign what a verifier with these limits could not read.
///
/// # Errors
/// [`EnvelopeError`] that names the limit.
pub(super) fn check_payloads(
    payloads: &[FormPayload],
    statement: ItemStatement<'_>,
    limits: &Limits,
) -> Result<(), EnvelopeError> {
    payloads.iter().try_for_each(|(payload, _)| envelope::readable(payload.bytes(), statement, limits))
}

/// A payload to sign, and the formats that carry it.
pub(super) type FormPayload = (ItemPayload, Vec<&'static Form>);

/// The signatures to make about one subject, and those of them that exist already.
pub(super) struct SigningPlan<'a> {
    entries: Vec<PlannedSignature<'a>>,
}

struct PlannedSignature<'a> {
    identity: SigningIdentity<'a>,
    /// The payloads that this identity must sign, each with the formats in which its signature is missing.
    missing: Vec<(&'a ItemPayload, Vec<&'static Form>)>,
    signed: Signed,
}

impl<'a> SigningPlan<'a> {
    /// Checks that each identity can sign each payload and that the tags can be written and, with
    /// [`SignWhen::IfMissing`], finds the existing signatures.
    pub(super) async fn find(
        sink: &dyn Sink,
        subject: &Subject,
        signers: &[SigningIdentity<'a>],
        payloads: &'a [FormPayload],
        conditions: Conditions<'_>,
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let mut wanted = Vec::new();
        for (payload, forms) in payloads {
            signers.iter().try_for_each(|signer| payload.check_signer(signer))?;
            if let Some(witnessing) = conditions.witnessing {
                forms.iter().try_for_each(|form| witnessing.check(form, subject))?;
            }
            wanted.extend(forms.iter().map(|form| Wanted { form, payload }));
        }
        let tags: Vec<_> = wanted.iter().filter_map(|wanted| wanted.form.tag_of(subject)).collect();
        tags.iter().try_for_each(|tag| sink.check_tag(tag))?;
        let present = match conditions.when {
            SignWhen::Always => Present::default(),
            SignWhen::IfMissing => Present::find(sink, subject, signers, (&wanted, conditions), limits).await?,
        };
        let entry = |identity: &SigningIdentity<'a>| {
            let key = identity.key().id();
            let there = |form: &&'static Form| present.manifest(form.name, &key);
            let missing = payloads.iter().map(|(payload, forms)| {
                let absent = forms.iter().copied().filter(|form| there(form).is_none());
                (payload, absent.collect::<Vec<_>>())
            });
            let missing: Vec<_> = missing.filter(|(_, forms)| !forms.is_empty()).collect();
            let referrers = wanted.iter().filter(|wanted| wanted.form.is_referrer());
            let signed = Signed {
                already: missing.is_empty(),
                key,
                log_entries: Vec::new(),
                referrers: referrers.filter_map(|wanted| there(&wanted.form)).collect(),
                subject: *subject.digest(),
                tags: tags.clone(),
                timestamps: Vec::new(),
            };
            PlannedSignature { identity: *identity, missing, signed }
        };
        Ok(Self { entries: signers.iter().map(entry).collect() })
    }

    /// Makes the missing signatures and attaches them. Everything is signed and has its timestamps and log entries before
    /// anything is pushed, so a signer, a timestamp authority or a log that fails leaves nothing in the store.
    pub(super) async fn sign(
        self,
        sink: &dyn Sink,
        subject: &Subject,
        item: SigningItem<'a>,
        making: Making<'_>,
        limits: &Limits,
    ) -> Result<Vec<Signed>, OpsError> {
        let (mut pending, mut all) = (PendingSignatures::default(), Vec::new());
        for (mut signed, made) in self.made(item)? {
            let mut new = NewPlaces::default();
            for (made, forms) in made {
                for form in forms {
                    let (stored, witnessed) = making.stored(form, made.clone(), subject, limits).await?;
                    let referrer = pending.add(stored);
                    signed.referrers.extend(referrer);
                    new.add(referrer, form.tag_of(subject), &witnessed);
                    signed.log_entries.extend(witnessed.log_entries);
                    signed.timestamps.extend(witnessed.timestamps);
                }
            }
            all.push((signed, new));
        }
        if let Err(error) = pending.attach(sink, subject, limits).await {
            return Err(with_signed(error, all));
        }
        let all: Vec<_> = all.into_iter().map(|(signed, _)| signed).collect();
        for Signed { already, key, referrers, tags, .. } in &all {
            let listed = |places: Vec<String>| (!places.is_empty()).then(|| places.join(", "));
            let (referrer, tag) = (listed(referrers.iter().map(ToString::to_string).collect()), listed(tags.clone()));
            // What is written to a layout or archive is not visible before it is finished.
            let done = if sink.moves_names() {
                "the signature of a key is attached"
            } else {
                "the signature of a key is written"
            };
            info!(already, referrer, tag, %key, "{done}");
        }
        Ok(all)
    }
}

impl<'a> SigningPlan<'a> {
    /// Makes all signatures. Nobody is asked about one of them before the others are made.
    fn made(self, item: SigningItem<'a>) -> Result<Vec<MadeSignatures<'a>>, OpsError> {
        let mut all = Vec::new();
        for PlannedSignature { identity, missing, signed } in self.entries {
            let mut made = Vec::new();
            for (payload, forms) in missing {
                made.push((identity.sign(item, payload)?, forms));
            }
            all.push((signed, made));
        }
        Ok(all)
    }
}

/// The signatures of one key in memory, each with the formats that are to have it.
type MadeSignatures<'a> = (Signed, Vec<(SignedItem<'a>, Vec<&'static Form>)>);

/// The error of attaching, with the signatures that were attached before it or existed already.
fn with_signed(error: OpsError, all: Vec<(Signed, NewPlaces)>) -> OpsError {
    match error {
        OpsError::PartlyAttached { attached, error, .. } => {
            let signed = all.into_iter().filter_map(|(signed, new)| new.attached(signed, &attached)).collect();
            OpsError::PartlyAttached { attached, error, signed }
        }
        error => error,
    }
}

/// The repository, as cosign names it; empty for a local store, whose path must not be signed.
fn name(sink: &dyn Sink) -> String {
    match sink.origin() {
        Origin::Local(_) => String::new(),
        registry @ Origin::Registry { .. } => registry.to_string(),
    }
}
