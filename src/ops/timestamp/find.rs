//! Finds the signatures of an image that can get timestamps.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use tracing::Instrument as _;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::Bundle;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::NotaryEnvelope;
use crate::envelope::SignedDocument;
use crate::envelope::SignedWith;
use crate::envelope::Strictness;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Subject;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest::Opened;
use crate::ops::discover::signature_manifest::Reader;
use crate::ops::discover::signature_manifest::SignatureManifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::discover::variants::VARIANTS;
use crate::ops::timestamp::AttachedBundle;
use crate::ops::timestamp::BundleSignatures;
use crate::ops::timestamp::ImageSignatures;
use crate::ops::timestamp::NotarySignature;
use crate::ops::timestamp::NotarySignatures;
use crate::ops::timestamp::SkipReason;
use crate::ops::timestamp::SkippedSignature;
use crate::ops::timestamp::TimestampingError;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::trust::SignatureBudget;
use crate::verify::Finding;
use crate::verify::Reason;

/// Reads the Notary Project signatures of `subject`. Signatures that cannot be read, do not verify with the key of their
/// own certificate, or are about another image, are [skipped](NotarySignatures::skipped), and so are more than 8 envelopes
/// with the same signature, and those for which the signature checks of [`Limits`] do not suffice.
///
/// # Errors
/// [`OpsError`] where a list or a signature could not be fetched: then it is not known what is missing.
pub async fn find(source: &dyn Source, subject: &Subject, limits: &Limits) -> Result<NotarySignatures, OpsError> {
    Ok(search(source, subject, None, limits).await?.notary)
}

/// Reads the signatures of `subject` that can get a timestamp: those of the Notary Project as [`find`] does, and in the same
/// way those in Sigstore bundles with a certificate. Bundles without a certificate are left aside, but for those that one of
/// `keys` signed.
///
/// # Errors
/// As [`find`].
pub async fn find_all(
    source: &dyn Source,
    subject: &Subject,
    keys: &[PublicKey],
    limits: &Limits,
) -> Result<ImageSignatures, OpsError> {
    search(source, subject, Some(keys), limits).await
}

/// Bundles are read if `keys` are given.
async fn search(
    source: &dyn Source,
    subject: &Subject,
    keys: Option<&[PublicKey]>,
    limits: &Limits,
) -> Result<ImageSignatures, OpsError> {
    let span = info_span!("find signatures", subject = %subject.digest(), place = %source.origin());
    let walk = Walk::new(source, limits);
    let (made, skipped) = (Vec::new(), Vec::new());
    let (replaced, signatures) = (BTreeMap::new(), Vec::new());
    let bundles = BundleSignatures { made, replaced, signatures, skipped, subject: subject.clone() };
    let (made, skipped) = (Vec::new(), Vec::new());
    let notary = NotarySignatures { made, signatures: Vec::new(), skipped, subject: subject.clone() };
    let (checks, found) = (SignatureBudget::of(limits.evidence.signature_checks), ImageSignatures { bundles, notary });
    SignatureSearch { budget: walk.evidence(), checks, found, keys, limits, source, walk }.run().instrument(span).await
}

struct SignatureSearch<'a> {
    budget: EvidenceBudget,
    checks: SignatureBudget,
    found: ImageSignatures,
    keys: Option<&'a [PublicKey]>,
    limits: &'a Limits,
    source: &'a dyn Source,
    walk: Walk<'a>,
}

impl SignatureSearch<'_> {
    async fn run(mut self) -> Result<ImageSignatures, OpsError> {
        let listed = self.walk.referrers(self.found.subject().digest()).await?;
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

    /// Reads the signatures in a referrer, if it is a signature manifest of a format that is searched for.
    async fn read(&mut self, content: Content) -> Result<(), OpsError> {
        let digest = *content.digest();
        let subject = self.found.subject().clone();
        let wanted = Some(subject.descriptor().into());
        let mut manifest = match SignatureManifest::open(content, FoundAt::Referrers, wanted, self.limits) {
            Opened::SignatureManifest(manifest) => manifest,
            Opened::Finding(finding) => return self.skip(digest, finding),
            Opened::OtherFormat(_) | Opened::Unrelated => return Ok(()),
        };
        let largest = match (manifest.signed_with(), self.keys) {
            (Some(SignedWith::Certificate), _) => self.limits.evidence.signature_bytes,
            (Some(SignedWith::KeyOrCertificate), Some(_)) => {
                self.limits.evidence.signature_bytes.max(self.limits.evidence.attestation_bytes)
            }
            _ => return Ok(()),
        };
        while manifest.has_more() {
            let Self { budget, limits, source, .. } = &*self;
            let (strictness, material) = (Strictness::Strict, MaterialUse::Ignored);
            let reader = Reader { budget, largest, limits, material, source: *source, strictness };
            let (evidence, findings) = manifest.read(reader, 1).await;
            findings.into_iter().try_for_each(|finding| self.skip(digest, finding))?;
            evidence.iter().for_each(|evidence| self.add(digest, evidence));
        }
        Ok(())
    }

    fn add(&mut self, manifest: Digest, evidence: &Evidence) {
        let [content, layer, ..] = evidence.contents() else { return };
        match evidence.document() {
            SignedDocument::Bundle(bundle) => self.add_bundle(manifest, (content, layer), bundle),
            SignedDocument::Notary(envelope) => {
                let read = self.take_for(envelope).and_then(|()| {
                    let subject = self.found.subject();
                    NotarySignature::read(subject, content, layer, self.limits).map_err(SkipReason::Signature)
                });
                match read {
                    Ok(signature) => self.found.notary.signatures.push(signature),
                    Err(reason) => self.found.notary.skipped.push(SkippedSignature { manifest, reason }),
                }
            }
            SignedDocument::Dsse(_) | SignedDocument::Simple(_) => {}
        }
    }

    fn add_bundle(&mut self, manifest: Digest, contents: (&Content, &Content), bundle: &Bundle) {
        let keys = self.keys.unwrap_or_default();
        let read = self.take_for_bundle(bundle).and_then(|()| {
            AttachedBundle::read(self.found.subject(), contents, keys, self.limits).map_err(SkipReason::Signature)
        });
        match read {
            Ok(signature) => self.found.bundles.signatures.push(signature),
            // The signature of a key that was not given is left aside.
            Err(SkipReason::Signature(TimestampingError::KeyAlone)) => {}
            Err(reason) => self.found.bundles.skipped.push(SkippedSignature { manifest, reason }),
        }
    }

    /// Takes the checks of an envelope out of the budget, unless too many envelopes with its signature were read.
    fn take_for(&mut self, envelope: &NotaryEnvelope) -> Result<(), SkipReason> {
        let is_variant = |other: &&NotarySignature| other.has_signature_of(envelope);
        if self.found.notary.signatures.iter().filter(is_variant).count() >= VARIANTS {
            return Err(SkipReason::Variant { limit: VARIANTS });
        }
        self.checks.take_for(envelope, self.limits).map_err(SkipReason::Unchecked)
    }

    /// The same for a bundle.
    fn take_for_bundle(&mut self, bundle: &Bundle) -> Result<(), SkipReason> {
        let is_variant = |other: &&AttachedBundle| {
            bundle.envelope().signatures().any(|signature| signature == other.signature().signature())
        };
        if self.found.bundles.signatures.iter().filter(is_variant).count() >= VARIANTS {
            return Err(SkipReason::Variant { limit: VARIANTS });
        }
        let keys = self.keys.map_or(0, <[PublicKey]>::len);
        self.checks.take_for_bundle(bundle, keys, self.limits).map_err(SkipReason::Unchecked)
    }

    /// A signature that cannot be read is skipped; one that could not be fetched is an error.
    fn skip(&mut self, manifest: Digest, finding: Finding) -> Result<(), OpsError> {
        if matches!(finding.reason, Reason::Unreadable(_)) {
            let place = format!("{}@{manifest}", self.source.origin());
            return Err(OpsError::SignatureUnread { place, reason: finding.reason });
        }
        self.found.notary.skipped.push(SkippedSignature { manifest, reason: SkipReason::Finding(finding.reason) });
        Ok(())
    }
}
