//! Finds the Notary Project signatures of an image.

use std::collections::BTreeSet;

use tracing::Instrument as _;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::NotaryEnvelope;
use crate::envelope::SignedWith;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest::Opened;
use crate::ops::discover::signature_manifest::Reader;
use crate::ops::discover::signature_manifest::SignatureManifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::discover::variants::VARIANTS;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::TimestampedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::trust::SignatureBudget;
use crate::trust::Unchecked;
use crate::verify::Finding;
use crate::verify::Reason;

/// The Notary Project signatures of one image, and the verified timestamps that they are to get.
#[derive(Debug)]
pub struct NotarySignatures {
    pub(super) made: Vec<TimestampedSignature>,
    pub(super) signatures: Vec<NotarySignature>,
    pub(super) skipped: Vec<SkippedSignature>,
    pub(super) subject: Subject,
}

/// A signature manifest of the Notary Project whose signature gets no timestamp.
#[derive(Clone, Debug)]
pub struct SkippedSignature {
    /// The signature manifest.
    pub manifest: Digest,
    /// The reason.
    pub reason: SkipReason,
}

/// Why a signature gets no timestamp.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its signature manifest or its envelope cannot be read.
    #[error("{0}")]
    Finding(Reason),
    /// It does not verify, or needs none.
    #[error("{0}")]
    Signature(TimestampingError),
    /// The budget of signature checks is exhausted: it is not known whether it needs a timestamp.
    #[error("more than {} signature checks", .0.limit)]
    Unchecked(Unchecked),
    /// So many envelopes have this signature already: it is not known whether this one needs a timestamp. Certificates and
    /// timestamps are not signed, so anybody can make variants of an envelope.
    #[error("{limit} envelopes with the same signature were read before")]
    Variant {
        /// The limit of envelopes.
        limit: usize,
    },
}

impl SkipReason {
    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Finding(reason) => reason.code(),
            Self::Signature(error) => error.code(),
            Self::Unchecked(_) => "signatures-not-checked",
            Self::Variant { .. } => "signature-variants",
        }
    }

    /// Whether the signature was left out because of a limit: it is not known whether it needs a timestamp.
    pub const fn is_left_out(&self) -> bool {
        match self {
            Self::Finding(_) | Self::Signature(_) => false,
            Self::Unchecked(_) | Self::Variant { .. } => true,
        }
    }
}

impl NotarySignatures {
    /// The signatures without a timestamp, each once, with all their signature manifests, the first one first.
    ///
    /// With `trust`, only a timestamp that verifies counts. Without it, any token about the signature does: it could have
    /// been added by anybody who may push.
    pub fn without_timestamp(&self, trust: Option<TimestampTrust<'_>>, limits: &Limits) -> Vec<Vec<&NotarySignature>> {
        let mut groups: Vec<Vec<&NotarySignature>> = Vec::new();
        for signature in &self.signatures {
            match groups.iter_mut().find(|group| group.iter().any(|other| other.is_same_signature(signature))) {
                Some(group) => group.push(signature),
                None => groups.push(vec![signature]),
            }
        }
        let is_timestamped = |signature: &&&NotarySignature| match trust {
            Some(trust) => signature.verify_timestamp(trust, limits).is_some_and(|verified| verified.is_ok()),
            None => signature.states_timestamp(limits),
        };
        groups.retain(|group| !group.iter().any(|signature| is_timestamped(&signature)));
        // A token that does not count cannot be replaced: the signature is stamped where it has none.
        groups.iter_mut().for_each(|group| group.retain(|signature| !signature.has_token()));
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// All signatures.
    pub fn signatures(&self) -> &[NotarySignature] {
        &self.signatures
    }

    /// The signatures that get no timestamp.
    pub fn skipped(&self) -> &[SkippedSignature] {
        &self.skipped
    }

    /// Those of the [skipped](Self::skipped) signatures that were left out because of a limit: it is not known whether
    /// they need a timestamp.
    pub fn left_out(&self) -> impl Iterator<Item = &SkippedSignature> {
        self.skipped.iter().filter(|skipped| skipped.reason.is_left_out())
    }

    /// The image.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// Reads the Notary Project signatures of `subject`. Signatures that cannot be read, do not verify with the key of their
/// own certificate, or are about another image, are [skipped](NotarySignatures::skipped), and so are more than 8 envelopes
/// with the same signature, and those for which the signature checks of [`Limits`] do not suffice.
///
/// # Errors
/// [`OpsError`] where a list or a signature could not be fetched: then it is not known what is missing.
pub async fn find(source: &dyn Source, subject: &Subject, limits: &Limits) -> Result<NotarySignatures, OpsError> {
    let span = info_span!("find signatures", subject = %subject.digest(), place = %source.origin());
    let walk = Walk::new(source, limits);
    let found =
        NotarySignatures { made: Vec::new(), signatures: Vec::new(), skipped: Vec::new(), subject: subject.clone() };
    let checks = SignatureBudget::of(limits.evidence.signature_checks);
    SignatureSearch { budget: walk.evidence(), checks, found, limits, source, walk }.run().instrument(span).await
}

struct SignatureSearch<'a> {
    budget: EvidenceBudget,
    checks: SignatureBudget,
    found: NotarySignatures,
    limits: &'a Limits,
    source: &'a dyn Source,
    walk: Walk<'a>,
}

impl SignatureSearch<'_> {
    async fn run(mut self) -> Result<NotarySignatures, OpsError> {
        let listed = self.walk.referrers(self.found.subject.digest()).await?;
        let (mut read, mut failed) = (BTreeSet::new(), Vec::new());
        for entry in &listed {
            if read.contains(&(entry.digest, entry.media_type.as_str())) {
                continue;
            }
            match self.walk.fetch(entry).await? {
                Ok(content) => {
                    read.insert((entry.digest, entry.media_type.as_str()));
                    self.read(content).await?;
                }
                // A referrer that is listed and missing is no signature.
                Err(error) if error.is_not_found() => {}
                Err(error) => failed.push(((entry.digest, entry.media_type.as_str()), error)),
            }
        }
        // An entry with a wrong size does not matter if another entry for the same manifest could be read.
        match failed.into_iter().find(|(entry, _)| !read.contains(entry)) {
            Some((_, error)) => Err(error.into()),
            None => Ok(self.found),
        }
    }

    /// Reads the signatures in a referrer, if it is a signature manifest of the Notary Project.
    async fn read(&mut self, content: Content) -> Result<(), OpsError> {
        let digest = *content.digest();
        let subject = self.found.subject.clone();
        let wanted = Some(subject.descriptor().into());
        let mut manifest = match SignatureManifest::open(content, FoundAt::Referrers, wanted, self.limits) {
            Opened::SignatureManifest(manifest) if manifest.signed_with() == Some(SignedWith::Certificate) => manifest,
            Opened::Finding(finding) => return self.skip(digest, finding),
            Opened::OtherFormat(_) | Opened::SignatureManifest(_) | Opened::Unrelated => return Ok(()),
        };
        while manifest.has_more() {
            let Self { budget, limits, source, .. } = &*self;
            let (largest, strictness) = (limits.evidence.signature_bytes, Strictness::Strict);
            let material = MaterialUse::Ignored;
            let reader = Reader { budget, largest, limits, material, source: *source, strictness };
            let (evidence, findings) = manifest.read(reader, 1).await;
            findings.into_iter().try_for_each(|finding| self.skip(digest, finding))?;
            evidence.iter().for_each(|evidence| self.add(digest, evidence));
        }
        Ok(())
    }

    fn add(&mut self, manifest: Digest, evidence: &Evidence) {
        let [content, layer, ..] = evidence.contents() else { return };
        let taken = evidence.document().notary_envelope().map_or(Ok(()), |envelope| self.take_for(envelope));
        let read = taken.and_then(|()| {
            NotarySignature::read(&self.found.subject, content, layer, self.limits).map_err(SkipReason::Signature)
        });
        match read {
            Ok(signature) => self.found.signatures.push(signature),
            Err(reason) => self.found.skipped.push(SkippedSignature { manifest, reason }),
        }
    }

    /// Takes the checks of an envelope out of the budget, unless too many envelopes with its signature were read.
    fn take_for(&mut self, envelope: &NotaryEnvelope) -> Result<(), SkipReason> {
        let is_variant = |other: &&NotarySignature| other.has_signature_of(envelope);
        if self.found.signatures.iter().filter(is_variant).count() >= VARIANTS {
            return Err(SkipReason::Variant { limit: VARIANTS });
        }
        self.checks.take_for(envelope, self.limits).map_err(SkipReason::Unchecked)
    }

    /// A signature that cannot be read is skipped; one that could not be fetched is an error.
    fn skip(&mut self, manifest: Digest, finding: Finding) -> Result<(), OpsError> {
        if matches!(finding.reason, Reason::Unreadable(_)) {
            let place = format!("{}@{manifest}", self.source.origin());
            return Err(OpsError::SignatureUnread { place, reason: finding.reason });
        }
        self.found.skipped.push(SkippedSignature { manifest, reason: SkipReason::Finding(finding.reason) });
        Ok(())
    }
}
