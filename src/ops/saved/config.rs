//! `ConfigCandidates`: verifies that a signed manifest names a config, which is known by its digest alone.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::outcome::Verdict;
use crate::ops::saved::candidates::CandidateManifest;
use crate::ops::saved::candidates::ManifestsByConfig;
use crate::ops::saved::fault::SavedFault;
use crate::ops::verify;
use crate::ops::verify_options::VerifyOptions;
use crate::store::Source;
use crate::verify::VerifiedSubject;

/// The manifests at the place of the evidence that name one of the wanted configs, and the verdicts on them.
pub(super) struct ConfigCandidates<'a> {
    evidence: &'a dyn Source,
    found: ManifestsByConfig<'a>,
    options: VerifyOptions<'a>,
    verdicts: Verdicts,
}

/// The verdicts by the digest of their subject, each evaluated once: many configs may be in one index.
type Verdicts = BTreeMap<Digest, Arc<Verdict>>;

impl<'a> ConfigCandidates<'a> {
    /// Finds the manifests with one of `configs`: those of the image at `tag_or_digest`, or of all images in `evidence`.
    ///
    /// # Errors
    /// As [`ManifestsByConfig::find`].
    pub(super) async fn find(
        evidence: &'a dyn Source,
        tag_or_digest: Option<&TagOrDigest>,
        configs: &'a BTreeSet<Digest>,
        options: VerifyOptions<'a>,
    ) -> Result<Self, OpsError> {
        let found = ManifestsByConfig::find(evidence, tag_or_digest, configs, options.limits).await?;
        Ok(Self { evidence, found, options, verdicts: BTreeMap::new() })
    }

    /// The options of the verification.
    pub(super) const fn options(&self) -> VerifyOptions<'a> {
        self.options
    }

    /// What `check` makes of the first verified manifest that names `config` and that it accepts, and what was signed: the
    /// manifest, or the index that it is in.
    ///
    /// # Errors
    /// Why no manifest counts, one fault for each, or that there is no such manifest.
    pub(super) async fn verify<T>(
        &mut self,
        config: &Digest,
        check: impl Fn(&CandidateManifest) -> Result<T, SavedFault>,
    ) -> Result<(T, VerifiedSubject), NonEmpty<SavedFault>> {
        let mut faults = Vec::new();
        for candidate in self.found.with_config(config) {
            let signed = signed(candidate, self.evidence, self.options, &mut self.verdicts).await;
            match signed.map(|subject| (check(candidate), subject)) {
                Err(verdict) => faults.push(SavedFault::Signature { verdict }),
                Ok((Err(fault), _)) => faults.push(fault),
                Ok((Ok(checked), subject)) => return Ok((checked, subject)),
            }
        }
        if let Some(error) = self.found.unread() {
            faults.push(SavedFault::Unread(error.clone()));
        }
        let unknown = SavedFault::NoManifest { place: self.evidence.origin().to_string() };
        Err(NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(unknown)))
    }
}

/// Verifies the image that the candidate was found in, or else its manifest alone.
async fn signed(
    candidate: &CandidateManifest,
    evidence: &dyn Source,
    options: VerifyOptions<'_>,
    verdicts: &mut Verdicts,
) -> Result<VerifiedSubject, Arc<Verdict>> {
    let whole = evaluated(&candidate.root, evidence, options, verdicts).await;
    if let Verdict::Accepted(subject) = &*whole {
        return Ok(subject.clone());
    }
    if candidate.root.digest == *candidate.content.digest() || !options.may_stand_alone(&whole) {
        return Err(whole);
    }
    let own = evaluated(candidate.content.descriptor(), evidence, options, verdicts).await;
    match &*own {
        Verdict::Accepted(subject) => Ok(subject.clone()),
        // What could not be read about the index may be what is missing.
        _ if matches!(*whole, Verdict::Unknown { .. }) => Err(whole),
        verdict if verdict.has_no_evidence() => Err(whole),
        _ => Err(own),
    }
}

/// The verdict on `subject`, evaluated once.
async fn evaluated(
    subject: &Descriptor,
    evidence: &dyn Source,
    options: VerifyOptions<'_>,
    verdicts: &mut Verdicts,
) -> Arc<Verdict> {
    if let Some(verdict) = verdicts.get(&subject.digest) {
        return Arc::clone(verdict);
    }
    let verdict = verify::evaluate_signatures(evidence, subject, options).await;
    let verdict = Arc::new(verdict.without_documents());
    verdicts.insert(subject.digest, Arc::clone(&verdict));
    verdict
}
