//! `Present`: which of the signatures that are about to be made an image carries already (`--if-missing`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::FoundAt;
use crate::envelope::Payload;
use crate::envelope::SignedDocument;
use crate::key::KeyId;
use crate::key::Signer;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::verify::Finding;

/// Whether a signature that is there already is made once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Sign in any case.
    Always,
    /// Only what no given key has signed yet: the same payload, in the same form, by the same key.
    IfMissing,
}

/// A payload that is to be signed, and where its signature is to be attached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The signed payload.
    pub(super) payload: &'a [u8],
    /// Its type: in an envelope that of the envelope.
    pub(super) payload_type: &'a str,
    /// At one of cosign's tags; else as a Sigstore bundle in a referrer.
    pub(super) tag: Option<&'a str>,
}

/// The signatures that were found, each verified with the public half of the key that would sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Present {
    /// By key, the referrer that carries its bundle.
    bundles: BTreeMap<KeyId, Digest>,
    /// By key, the manifest at the tag.
    tagged: BTreeMap<KeyId, Digest>,
}

impl Present {
    /// Looks for `wanted` by the keys of `signers` beside `subject`.
    ///
    /// The invariant: a signature is present only if its own key proves it over the very bytes that would be signed, and
    /// absent only if everything that could hold it was read.
    ///
    /// # Errors
    /// [`OpsError`] where a list or a document could not be read and not all were found without it: could not tell.
    pub(super) async fn find(
        source: &dyn Source,
        subject: &Subject,
        signers: &[&dyn Signer],
        wanted: &[Wanted<'_>],
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let walk = Walk::new(source, limits);
        let (budget, found) = (walk.evidence(), Self::default());
        let mut search = Search { budget, found, limits, signers, source, subject, unread: None, walk };
        for wanted in wanted {
            match wanted.tag {
                None => search.referrers(wanted).await?,
                Some(tag) => search.tag(tag, wanted).await?,
            }
        }
        Ok(search.found)
    }

    /// The referrer that carries the bundle by this key.
    pub(super) fn bundle(&self, key: &KeyId) -> Option<Digest> {
        self.bundles.get(key).copied()
    }

    /// Whether this key has signed at the tag.
    pub(super) fn is_tagged(&self, key: &KeyId) -> bool {
        self.tagged.contains_key(key)
    }
}

struct Search<'a> {
    budget: EvidenceBudget,
    found: Present,
    limits: &'a Limits,
    signers: &'a [&'a dyn Signer],
    source: &'a dyn Source,
    subject: &'a Subject,
    /// The first thing that could not be read.
    unread: Option<OpsError>,
    walk: Walk<'a>,
}

impl Search<'_> {
    /// Every manifest that a list names as a referrer, the newest first, until each key was found.
    async fn referrers(&mut self, wanted: &Wanted<'_>) -> Result<(), OpsError> {
        let mut listed = self.walk.referrers(self.subject.digest()).await?;
        listed.sort_by_cached_key(|entry| Reverse(entry.annotations.get(referrer::CREATED).cloned()));
        let (mut fetched, mut failed) = (BTreeSet::new(), Vec::new());
        for entry in &listed {
            if self.has_all(|found, key| found.bundle(key).is_some()) {
                break;
            }
            match self.walk.fetch(entry).await? {
                Ok(content) => {
                    fetched.insert(entry.digest);
                    self.read(&content, FoundAt::Referrers, wanted).await;
                }
                // What is listed and gone is no signature that anybody could verify.
                Err(error) if error.is_not_found() => {}
                Err(error) => failed.push((entry.digest, error)),
            }
        }
        // A wrong entry for a manifest that another entry gives leaves nothing unread.
        if let Some((_, error)) = failed.into_iter().find(|(digest, _)| !fetched.contains(digest)) {
            self.unread.get_or_insert(error.into());
        }
        self.answer(|found, key| found.bundle(key).is_some())
    }

    /// The manifest at one of cosign's tags.
    async fn tag(&mut self, tag: &str, wanted: &Wanted<'_>) -> Result<(), OpsError> {
        match self.source.resolve(&TagOrDigest::Tag(tag.to_owned())).await {
            Ok(content) => self.read(&content, FoundAt::Tag(tag.to_owned()), wanted).await,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        self.answer(Present::is_tagged)
    }

    async fn read(&mut self, content: &Content, place: FoundAt, wanted: &Wanted<'_>) {
        let Self { budget, found, limits, signers, source, subject, .. } = self;
        let (digest, is_bundle) = (*content.digest(), wanted.tag.is_none());
        let list = if is_bundle { &mut found.bundles } else { &mut found.tagged };
        let look = |evidence: &Evidence| {
            let document = evidence.document();
            if matches!(document, SignedDocument::Bundle(_)) != is_bundle {
                return;
            }
            for key in signers.iter().map(|signer| signer.public_key()) {
                let same = |proven: Payload| {
                    proven.payload_type() == wanted.payload_type && *proven.bytes() == *wanted.payload
                };
                if document.verify(key).is_ok_and(same) {
                    list.entry(key.id()).or_insert(digest);
                }
            }
        };
        let referrer_of = is_bundle.then(|| subject.descriptor().into());
        let findings =
            signature_manifest::documents_in(*source, content, place, referrer_of, (budget, limits), look).await;
        if let Some(Finding { reason, .. }) = findings.into_iter().find(|finding| finding.reason.is_open()) {
            let place = format!("{}@{digest}", source.origin());
            self.unread.get_or_insert(OpsError::EvidenceUnread { place, why: reason.to_string() });
        }
    }

    fn has_all(&self, has: impl Fn(&Present, &KeyId) -> bool) -> bool {
        self.signers.iter().all(|signer| has(&self.found, &signer.public_key().id()))
    }

    /// Something unread is no answer, unless every key was found without it.
    fn answer(&mut self, has: impl Fn(&Present, &KeyId) -> bool) -> Result<(), OpsError> {
        let complete = self.has_all(has);
        match self.unread.take() {
            Some(error) if !complete => Err(error),
            _ => Ok(()),
        }
    }
}
