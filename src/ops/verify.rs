//! verify: resolve the image once, discover its signatures, evaluate the policy.

use std::sync::Arc;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ImageConfig;
use crate::oci::Index;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::discover::ReferrerSubject;
use crate::ops::pinned;
use crate::ops::verify_options::Depth;
use crate::ops::verify_platforms;
use crate::ops::walk;
use crate::ops::walk::Walk;
use crate::store::Origin;
use crate::store::Source;

pub use crate::ops::outcome::Child;
pub use crate::ops::outcome::NotVerified;
pub use crate::ops::outcome::Outcome;
pub use crate::ops::outcome::UndeterminedCause;
pub use crate::ops::outcome::Verdict;
pub use crate::ops::outcome::VerifiedImage;
pub(super) use crate::ops::subject_verdict::discover_into;
pub(super) use crate::ops::subject_verdict::evaluate_signatures;
pub use crate::ops::verify_options::Platforms;
pub use crate::ops::verify_options::VerifyOptions;

/// Verifies the image at `tag_or_digest` by its manifests and signatures. Configs and layers are not read.
///
/// A tag is resolved once; everything after that is by digest. A manifest that is named by digest is not fetched from a
/// registry, since the signatures are over the digest. It is fetched only if nothing refers to it, so that a missing image
/// is not reported as unsigned.
///
/// # Errors
/// [`NotVerified`] if the policy is not met, or if that could not be decided. Also for [`Depth::Layers`], since this
/// function reads no layers: use [`layers::verify`](crate::ops::layers::verify).
pub async fn verify(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<VerifiedImage, NotVerified> {
    if options.depth == Depth::Layers {
        return Err(OpsError::LayersNotRead.into());
    }
    evaluate(source, tag_or_digest, platforms, options).await?.conclude()
}

/// Returns the verdicts on the image at `tag_or_digest`, and on its children if `platforms` requests them.
pub(super) async fn evaluate(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<Outcome, OpsError> {
    let local = matches!(source.origin(), Origin::Local(_));
    let subject = match (tag_or_digest, platforms) {
        (TagOrDigest::Digest(digest), Platforms::Root) if !local && options.files.is_empty() => {
            let verdict = evaluate_signatures(source, *digest, options).await;
            if verdict.has_no_evidence() {
                // Nothing refers to it: perhaps the image does not exist, which is an error and not a refusal.
                let _there = pinned::resolve(source, tag_or_digest).await?;
            }
            return Ok(Outcome::of(*digest, None, verdict));
        }
        _ => pinned::resolve(source, tag_or_digest).await?,
    };
    evaluate_content(source, &subject, platforms, options).await
}

/// As [`evaluate`], for a manifest that was fetched already.
///
/// # Errors
/// As [`evaluate`].
pub(super) async fn evaluate_content(
    source: &dyn Source,
    subject: &Content,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<Outcome, OpsError> {
    let limits = options.limits;
    let digest = *subject.digest();
    let document = Document::parse(subject, limits)?;
    let verdict = evaluate_signatures(source, subject.descriptor(), options).await;
    let media_type = Some(subject.descriptor().media_type.clone());
    let mut outcome = Outcome::of(digest, media_type, verdict);
    match (platforms, document) {
        (Platforms::Root, _) | (Platforms::All | Platforms::Each, Document::Artifact(_) | Document::Manifest(_)) => {}
        (Platforms::All, Document::Index(index)) => {
            outcome = verify_platforms::evaluate_all(source, outcome, index, options).await?;
        }
        (Platforms::Each, Document::Index(index)) => {
            outcome = verify_platforms::evaluate_each(source, outcome, index, options).await?;
        }
        (Platforms::One(platform), Document::Index(index)) => {
            let child = &choose(source, &digest, index, platform, limits).await?;
            outcome.chosen = Some(child.digest);
            if !matches!(outcome.verdict, Verdict::Accepted(_)) && options.may_stand_alone(&outcome.verdict) {
                let own = evaluate_signatures(source, child, options).await;
                if matches!(own, Verdict::Accepted(_)) {
                    if source.chooses_platform() {
                        return Err(OpsError::IndexNotSigned { place: source.origin().to_string() });
                    }
                    // The index is not signed, so its platform for the child is not trusted: the config must agree.
                    let content = pinned::manifest(source, child).await?;
                    let manifest = Manifest::parse(&content, limits)?;
                    has_platform(source, &child.digest, &manifest, platform, limits).await?;
                    outcome.verdict = own;
                } else if !matches!(outcome.verdict, Verdict::Unknown { .. }) {
                    outcome.verdict = own;
                }
            }
        }
        (Platforms::One(platform), Document::Artifact(_)) => {
            let (platform, has) = (platform.to_string(), "no platform".to_owned());
            return Err(OpsError::NoPlatform { index: digest, platform, has });
        }
        (Platforms::One(platform), Document::Manifest(manifest)) => {
            has_platform(source, &digest, &manifest, platform, limits).await?;
            outcome.chosen = Some(digest);
        }
    }
    Ok(outcome)
}

/// Checks the platform of a manifest against its config, since no signed index names it.
///
/// # Errors
/// [`OpsError::NoPlatform`] if it is for another platform.
pub(super) async fn has_platform(
    source: &dyn Source,
    digest: &Digest,
    manifest: &Manifest,
    platform: &Platform,
    limits: &Limits,
) -> Result<(), OpsError> {
    let config = pinned::blob(source, &manifest.config, limits.oci.manifest_bytes).await?;
    let has = ImageConfig::parse(&config, limits)?.platform;
    match has.satisfies(platform) {
        true => Ok(()),
        false => Err(OpsError::NoPlatform { index: *digest, platform: platform.to_string(), has: has.to_string() }),
    }
}

/// Discovers the signatures of one subject in `source` and evaluates the policy. The verdict is a refusal only if
/// everything could be read; otherwise it is [`Verdict::Unknown`].
///
/// No layers are read: with [`Depth::Layers`] an accepted subject is [`Verdict::Incomplete`].
pub async fn evaluate_subject(
    source: &dyn Source,
    subject: impl Into<ReferrerSubject<'_>>,
    options: VerifyOptions<'_>,
) -> Verdict {
    match evaluate_signatures(source, subject, options).await {
        Verdict::Accepted(verified) if options.depth == Depth::Layers => Verdict::Incomplete {
            accepted: verified.accepted().to_vec(),
            findings: verified.findings().to_vec(),
            why: Arc::new(OpsError::LayersNotRead),
        },
        verdict => verdict,
    }
}

/// Selects the one manifest for `platform` in `index`, or, if it has none, in the nested indexes, level by level. An
/// entry without a platform inherits that of the index around it.
///
/// # Errors
/// [`OpsError::SamePlatform`] for two different manifests (threats: platform-listed-twice), [`OpsError::NoPlatform`],
/// [`OpsError::TooDeep`].
pub(super) async fn choose(
    source: &dyn Source,
    digest: &Digest,
    index: Index,
    platform: &Platform,
    limits: &Limits,
) -> Result<Descriptor, OpsError> {
    let mut walk = Walk::new(source, limits);
    let _new = walk.enter(*digest);
    let mut has = Vec::new();
    let mut level = walk::children(index);
    for _ in 0..=limits.graph.index_depth {
        let (indexes, manifests): (Vec<_>, Vec<_>) =
            level.into_iter().partition(|child| media_type::is_index(&child.media_type));
        let mut fitting: Vec<Descriptor> = Vec::new();
        for child in manifests {
            let Some(own) = &child.platform else { continue };
            let name = own.to_string();
            // The platform of attestation manifests of BuildKit is `unknown/unknown`: nothing runs on it.
            if !own.is_unknown() && !has.contains(&name) {
                has.push(name);
            }
            // A manifest may be listed twice.
            if own.satisfies(platform) && !fitting.iter().any(|other| other.bare() == child.bare()) {
                fitting.push(child);
            }
        }
        match fitting.as_slice() {
            [] => {}
            [one] => return Ok(one.clone()),
            several => {
                let has = several.iter().filter_map(|child| child.platform.as_ref()).map(ToString::to_string).collect();
                return Err(OpsError::SamePlatform { has, index: *digest, platform: platform.to_string() });
            }
        }
        level = Vec::new();
        for inner in indexes {
            if !walk.enter(inner.digest) {
                continue;
            }
            let content = walk.fetch(&inner.bare()).await??;
            let around = inner.platform;
            let within =
                |child: Descriptor| Descriptor { platform: child.platform.or_else(|| around.clone()), ..child };
            level.extend(walk::children(Index::parse(&content, limits)?).into_iter().map(within));
        }
        if level.is_empty() {
            return Err(OpsError::NoPlatform { index: *digest, platform: platform.to_string(), has: has.join(", ") });
        }
    }
    Err(OpsError::TooDeep { digest: *digest, limit: limits.graph.index_depth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::ops::discover::DiscoverUntil;
    use crate::policy::Policy;
    use crate::policy::Quorum;
    use crate::policy::Requirement;
    use crate::policy::StatementKind;
    use crate::policy::Threshold;
    use crate::store::Memory;
    use crate::time::Time;
    use crate::trust::TrustRoot;
    use crate::verify::Verifier;
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    #[test]
    fn verify_without_layers_refuses_the_depth_layers() {
        let limits = Limits::DEFAULT;
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
        let verifier = Verifier::new(trust, policy, limits.clone()).unwrap();
        let source = Memory::new(limits.clone());
        let tag = TagOrDigest::Tag("1.0".to_owned());
        for (depth, got) in [(Depth::Layers, "bad-argument"), (Depth::Manifests, "not-found")] {
            let options = VerifyOptions {
                verifier: &verifier,
                until: DiscoverUntil::PolicyMet,
                now: Time::EPOCH,
                depth,
                revocation: None,
                limits: &limits,
                files: &[],
            };
            let mut future = pin!(verify(&source, &tag, &Platforms::Root, options));
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Err(error)) = polled else { panic!("{polled:?}") };
            assert!(!error.is_refusal());
            assert_eq!(error.into_outcome().unwrap_err().code(), got);
        }
    }
}
