//! The chains of the signatures with certificates on an image, and of their timestamps, that lead to an anchor of the
//! operator: signatures of the Notary Project, and those in the formats of Sigstore.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FormTag;
use crate::envelope::FoundAt;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::discover::ReferrerSubject;
use crate::ops::discover::signature_manifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::pinned;
use crate::ops::revocation::UnreadAttachment;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;
use crate::time::Time;
use crate::trust::ChainSearch;
use crate::trust::ChainSearchError;
use crate::trust::RevocationBundle;
use crate::trust::SignatureBudget;
use crate::trust::VerificationTime;
use crate::verify::Finding;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::CertificateStatus;
use crate::x509::ChainError;
use crate::x509::ExpiredCertificates;
use crate::x509::FreshnessRule;
use crate::x509::PresentedChain;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::StatusEvidence;
use crate::x509::StatusEvidenceError;
use crate::x509::VerifiedChain;

/// The chains of the signatures on images.
#[derive(Debug, Default)]
pub struct FoundChains {
    /// The chains that lead to an anchor, each once.
    pub chains: Vec<Arc<VerifiedChain>>,
    /// Signatures whose chains do not, and why.
    pub rejected: Vec<ChainSearchError>,
    /// The manifests and documents that could not be read.
    pub unread: Vec<UnreadAttachment>,
}

/// By what the chains of signatures are looked for.
#[derive(Clone, Copy, Debug)]
pub struct ChainOptions<'a> {
    /// The limits within which everything is read.
    pub limits: &'a Limits,
    /// The anchors or identities.
    pub search: &'a ChainSearch,
    /// How strictly envelopes of the Notary Project are read.
    pub strictness: Strictness,
    /// The time of the verification.
    pub time: VerificationTime,
}

/// The status of a certificate, and whether a verification needs it.
#[derive(Debug)]
pub struct NeededStatus {
    /// Whether the certificate names a source of its status, so that a verification needs proof that it is good.
    pub is_named: bool,
    /// The status by the evidence.
    pub status: CertificateStatus,
}

/// Finds the chains of all signatures on the image at `tag_or_digest`, and on every manifest in it.
///
/// # Errors
/// [`OpsError`] where the image, an index or a list of referrers could not be read.
pub async fn chains(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    options: ChainOptions<'_>,
) -> Result<FoundChains, OpsError> {
    let limits = options.limits;
    let root = pinned::resolve(source, tag_or_digest).await?;
    let mut walk = Walk::new(source, limits);
    let mut found = chains_of(source, root.digest(), options).await?;
    let _new = walk.enter(*root.digest());
    if let Document::Index(index) = Document::parse(&root, limits)? {
        walk.descend(0, index);
    }
    while let Some(Step { depth, entry }) = walk.next_child()? {
        walk.check_depth(entry.digest, depth)?;
        let child = entry.bare();
        if media_type::is_index(&child.media_type) {
            let content = walk.fetch(&child).await??;
            walk.descend_later(depth, content);
        } else {
            walk.count()?;
        }
        found.merge(chains_of(source, &child.digest, options).await?);
    }
    Ok(found)
}

/// Finds the chains of all signatures on the manifest `subject` alone: of its referrers, and at cosign's tags.
///
/// # Errors
/// [`OpsError`] where a list of referrers could not be read.
pub(in crate::ops) async fn chains_of(
    source: &dyn Source,
    subject: &Digest,
    options: ChainOptions<'_>,
) -> Result<FoundChains, OpsError> {
    let mut walk = Walk::new(source, options.limits);
    let budget = walk.evidence();
    let checks = SignatureBudget::of(options.limits.evidence.signature_checks);
    let mut search = SubjectSearch { budget: &budget, checks, found: FoundChains::default(), options, source };
    let mut seen = BTreeSet::new();
    let referrer = ReferrerSubject::from(*subject);
    for entry in walk.referrers(subject).await? {
        match walk.fetch(&entry).await {
            Ok(Ok(content)) if seen.insert((entry.digest, entry.media_type)) => {
                search.look_into(&content, FoundAt::Referrers, Some(referrer)).await;
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) | Err(error) => search.found.add_unread(source, &entry.digest, error),
        }
    }
    // Signatures of the Notary Project are stored at no tag.
    for FormTag { suffix, .. } in Form::tags().filter(|_| options.search.judges_material()) {
        let tag = referrer::cosign_tag(subject, suffix);
        match source.resolve(&TagOrDigest::Tag(tag.clone())).await {
            Ok(content) => search.look_into(&content, FoundAt::Tag(tag), None).await,
            Err(error) if error.is_not_found() => {}
            Err(error) => search.found.add_unread(source, subject, error),
        }
    }
    Ok(search.found)
}

/// The search for the chains of the signatures on one manifest.
struct SubjectSearch<'a> {
    budget: &'a EvidenceBudget,
    checks: SignatureBudget,
    found: FoundChains,
    options: ChainOptions<'a>,
    source: &'a dyn Source,
}

impl SubjectSearch<'_> {
    /// Looks into the documents of a manifest.
    async fn look_into(&mut self, content: &Content, place: FoundAt, subject: Option<ReferrerSubject<'_>>) {
        let Self { budget, checks, found, options, source } = self;
        let ChainOptions { limits, search, strictness, time } = *options;
        let material = match search.judges_material() {
            true => MaterialUse::Decides,
            false => MaterialUse::Ignored,
        };
        let look = |evidence: &Evidence| match search.chains(evidence, time, limits, checks) {
            Ok(chains) => found.add(chains),
            Err(error) => found.rejected.push(error),
        };
        let reading = (*budget, limits, strictness, material);
        let findings = signature_manifest::documents_in(*source, content, place, subject, reading, look).await;
        for Finding { digest, reason, .. } in findings {
            let place = format!("{}@{}", source.origin(), digest.unwrap_or(*content.digest()));
            found.unread.push(UnreadAttachment::Document { place, reason });
        }
    }
}

impl FoundChains {
    /// Adds chains that are not there yet.
    pub fn add(&mut self, chains: Vec<Arc<VerifiedChain>>) {
        for chain in chains {
            let same = |other: &Arc<VerifiedChain>| other.purpose() == chain.purpose() && other.path() == chain.path();
            if !self.chains.iter().any(same) {
                self.chains.push(chain);
            }
        }
    }

    /// Adds a chain without a signature, the signer's certificate first, for the first purpose by which it leads to an
    /// anchor.
    ///
    /// # Errors
    /// [`ChainError`] of the chain as one of signatures, if it leads to no anchor for any purpose.
    pub fn add_presented(
        &mut self,
        certificates: Vec<Certificate>,
        anchors: &[Anchor],
        at: Time,
        limits: &Limits,
    ) -> Result<(), ChainError> {
        let Some(certificates) = NonEmpty::collect(certificates) else { return Ok(()) };
        let presented = PresentedChain { certificates: &certificates, extra: &[] };
        let verify = |purpose| VerifiedChain::verify(presented, anchors, purpose, &Profile::NOTARY, at, limits);
        let others = [Purpose::SigningAuthority, Purpose::TimeStamping];
        let chain = verify(Purpose::Signing)
            .or_else(|error| others.into_iter().find_map(|purpose| verify(purpose).ok()).ok_or(error))?;
        self.add(vec![Arc::new(chain)]);
        Ok(())
    }

    /// Adds what was found on another image.
    pub fn merge(&mut self, other: Self) {
        self.add(other.chains);
        self.rejected.extend(other.rejected);
        self.unread.extend(other.unread);
    }

    /// The status of each certificate, each once, by the evidence in `bundle`: fresh until its next update, as a
    /// verification has it by default.
    ///
    /// # Errors
    /// [`StatusEvidenceError`] if the evidence is more than `limits` allow in one verification.
    pub fn statuses(
        &self,
        bundle: &RevocationBundle,
        now: Time,
        limits: &Limits,
    ) -> Result<Vec<NeededStatus>, StatusEvidenceError> {
        let mut pool = StatusEvidence::new();
        bundle.add_to(&mut pool, limits)?;
        let mut seen = BTreeSet::new();
        let mut needed = Vec::new();
        for chain in &self.chains {
            let certificates = chain.path().iter();
            for (certificate, status) in certificates.zip(pool.statuses(chain, &FRESH, now, limits)) {
                if seen.insert(certificate.digest()) {
                    needed.push(NeededStatus { is_named: certificate.names_revocation_source(), status });
                }
            }
        }
        Ok(needed)
    }

    fn add_unread(&mut self, source: &dyn Source, digest: &Digest, error: StoreError) {
        self.unread.push(UnreadAttachment::Store { place: format!("{}@{digest}", source.origin()), error });
    }
}

const FRESH: FreshnessRule = FreshnessRule {
    expired_certificates: ExpiredCertificates::MayBeDropped,
    grace_after_next_update: Duration::ZERO,
    maximum_age: None,
};
