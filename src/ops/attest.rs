//! attest: signs a statement about an image, and attaches the attestation.

use tracing::Instrument as _;
use tracing::info_span;

use crate::envelope::SigningIdentity;
use crate::envelope::SigningItem;
use crate::envelope::StorageOptions;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::NotaryManifest;
use crate::oci::Platform;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::making::Making;
use crate::ops::pinned;
use crate::ops::present::Conditions;
use crate::ops::present::SignWhen;
use crate::ops::sign;
use crate::ops::sign::Signed;
use crate::ops::sign::SigningPlan;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::ops::witness::Witnessing;
use crate::request::Attestation;
use crate::store::Sink;
use crate::store::Source;
use crate::time::Time;

/// When an attestation is made, and who is asked about it.
#[derive(Clone, Copy, Debug)]
pub struct AttestOptions<'a> {
    /// The time for an annotation of the signature manifest, which proves nothing.
    pub created: Time,
    /// Whether an existing attestation is made again.
    pub when: SignWhen,
    /// Timestamps (RFC 3161) and log entries (Rekor v2) for the attestation.
    pub witnessing: Option<Witnessing<'a>>,
}

impl AttestOptions<'_> {
    /// Options for attestations made at the time `created`, without timestamps and log entries.
    pub const fn new(created: Time, when: SignWhen) -> Self {
        Self { created, when, witnessing: None }
    }
}

/// Signs `attestation` about `subject` with every identity and attaches it beside the image. All formats of it hold the
/// same envelope.
///
/// # Errors
/// [`OpsError`]; an attestation is attached completely or not at all. With [`SignWhen::IfMissing`] also if the existing
/// attestations cannot be read: then nothing is signed.
pub async fn attest(
    sink: &dyn Sink,
    subject: &Subject,
    signers: &[SigningIdentity<'_>],
    attestation: &Attestation,
    options: &AttestOptions<'_>,
    limits: &Limits,
) -> Result<Vec<Signed>, OpsError> {
    let span = info_span!("attest", subject = %subject.digest(), place = %sink.origin());
    let item = SigningItem { digest: subject.digest(), statement: attestation.statement() };
    let attest = async {
        let payloads = attestation.forms.payloads(&item, limits)?;
        sign::check_payloads(&payloads, item.statement, limits)?;
        let AttestOptions { created, when, witnessing } = *options;
        let conditions = Conditions { trust: None, when, witnessing };
        let plan = SigningPlan::find(sink, subject, signers, &payloads, conditions, limits).await?;
        let storage = StorageOptions { created, notary_manifest: NotaryManifest::default() };
        plan.sign(sink, subject, item, Making { storage, timestamping: None, witnessing }, limits).await
    };
    attest.instrument(span).await
}

/// The manifests of an index for `platforms`, in their order: exactly one for each of them, and every platform of the
/// index among them. The index itself, and attestation manifests of BuildKit in it, are no platforms.
///
/// # Errors
/// [`OpsError::NoPlatform`] for a platform that the index does not have, [`OpsError::SamePlatform`] where two manifests
/// are for the same one, [`OpsError::PlatformTwice`] where two of `platforms` are the same one,
/// [`OpsError::PlatformMissing`] for a platform of the index that is not among `platforms`; or an error if something could
/// not be read.
pub async fn platform_subjects(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: &[Platform],
    limits: &Limits,
) -> Result<Vec<Subject>, OpsError> {
    let root = pinned::resolve(source, tag_or_digest).await?;
    let has = manifests_by_platform(source, &root, limits).await?;
    let index = *root.digest();
    let mut chosen: Vec<&(Platform, Subject)> = Vec::new();
    for platform in platforms {
        let fitting: Vec<_> = has.iter().filter(|(own, _)| own.satisfies(platform)).collect();
        let shown = |all: &[&(Platform, Subject)]| all.iter().map(|(own, _)| own.to_string()).collect::<Vec<_>>();
        match fitting.as_slice() {
            [] => {
                let has = shown(&has.iter().collect::<Vec<_>>()).join(", ");
                return Err(OpsError::NoPlatform { index, platform: platform.to_string(), has });
            }
            [one] if chosen.iter().any(|(_, other)| other.digest() == one.1.digest()) => {
                return Err(OpsError::PlatformTwice { index, platform: platform.to_string() });
            }
            [one] => chosen.push(one),
            several => {
                return Err(OpsError::SamePlatform { has: shown(several), index, platform: platform.to_string() });
            }
        }
    }
    let left = has.iter().find(|(_, subject)| !chosen.iter().any(|(_, other)| other.digest() == subject.digest()));
    match left {
        Some((platform, _)) => Err(OpsError::PlatformMissing { index, platform: platform.to_string() }),
        None => Ok(chosen.into_iter().map(|(_, subject)| subject.clone()).collect()),
    }
}

/// The image manifests in an index, and in indexes in it, each with its platform as its index states it.
async fn manifests_by_platform(
    source: &dyn Source,
    root: &Content,
    limits: &Limits,
) -> Result<Vec<(Platform, Subject)>, OpsError> {
    let Document::Index(index) = Document::parse(root, limits)? else {
        return Err(OpsError::NoIndex { digest: *root.digest() });
    };
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*root.digest());
    walk.descend(0, index);
    let mut found = Vec::new();
    while let Some(Step { depth, entry }) = walk.next_child()? {
        walk.check_depth(entry.digest, depth)?;
        if entry.platform.as_ref().is_some_and(Platform::is_unknown) {
            continue;
        }
        let content = walk.fetch(&entry).await??;
        match (Document::parse(&content, limits)?, entry.platform) {
            (Document::Index(inner), _) => walk.descend(depth, inner),
            (_, Some(platform)) => found.push((platform, Subject::of(&content))),
            (_, None) => {
                let (index, platform) = (*root.digest(), format!("{}, without a platform", entry.digest));
                return Err(OpsError::PlatformMissing { index, platform });
            }
        }
    }
    Ok(found)
}
