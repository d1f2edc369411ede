//! `Present`: the requested signatures that an image has already (`--if-missing`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Form;
use crate::envelope::FormName;
use crate::envelope::FoundAt;
use crate::envelope::ItemPayload;
use crate::envelope::SigningIdentity;
use crate::envelope::Strictness;
use crate::key::KeyId;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::discover::signature_manifest;
use crate::ops::discover::variants::MaterialUse;
use crate::ops::timestamp::TimestampTrust;
use crate::ops::timestamp::has_verified_timestamp;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::ops::witness::Witnessing;
use crate::store::Source;
use crate::verify::Finding;

/// Whether an existing signature is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignWhen {
    /// Sign in any case.
    Always,
    /// Sign only if the signature is missing: the same payload, in the same format, by the same key; in formats with
    /// certificates also with the same certificate chain, and not expired, and with a verified timestamp if new ones get
    /// timestamps.
    IfMissing,
}

/// When a signature is made, and what it must have beside it to be there already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions<'a> {
    /// By which the timestamp of a Notary Project signature is verified, if it must have one.
    pub(super) trust: Option<TimestampTrust<'a>>,
    pub(super) when: SignWhen,
    /// What a signature in a format of Sigstore must have.
    pub(super) witnessing: Option<Witnessing<'a>>,
}

/// A payload to sign, and the format of its signature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The format.
    pub(super) form: &'static Form,
    /// The payload.
    pub(super) payload: &'a ItemPayload,
}

/// The existing signatures, each verified with the public key of the signer.
#[derive(Clone, Debug, Default)]
pub(super) struct Present(BTreeMap<(FormName, KeyId), Digest>);

impl Present {
    /// Looks for `wanted` by the keys of `signers` beside `subject`.
    ///
    /// Invariant: a signature is present only if its own key verifies it over exactly the bytes that would be signed, and
    /// absent only if everything that could hold it was read.
    ///
    /// # Errors
    /// [`OpsError`] if a list or a document could not be read and a signature is missing: could not tell.
    pub(super) async fn find(
        source: &dyn Source,
        subject: &Subject,
        signers: &[SigningIdentity<'_>],
        (wanted, conditions): (&[Wanted<'_>], Conditions<'_>),
        limits: &Limits,
    ) -> Result<Self, OpsError> {
        let walk = Walk::new(source, limits);
        let (budget, found) = (walk.evidence(), Self::default());
        let mut search =
            PresenceSearch { budget, conditions, found, limits, signers, source, subject, unread: None, walk };
        for wanted in wanted {
            match wanted.form.tag_of(subject) {
                None => search.referrers(wanted).await?,
                Some(tag) => search.tag(&tag, wanted).await?,
            }
        }
        Ok(search.found)
    }

    /// The signature manifest with the signature of this key in this format.
    pub(super) fn manifest(&self, form: FormName, key: &KeyId) -> Option<Digest> {
        self.0.get(&(form, *key)).copied()
    }
}

struct PresenceSearch<'a> {
    budget: EvidenceBudget,
    conditions: Conditions<'a>,
    found: Present,
    limits: &'a Limits,
    signers: &'a [SigningIdentity<'a>],
    source: &'a dyn Source,
    subject: &'a Subject,
    /// The first thing that could not be read.
    unread: Option<OpsError>,
    walk: Walk<'a>,
}

impl PresenceSearch<'_> {
    /// Reads the listed referrers, the newest first, until each signature was found.
    async fn referrers(&mut self, wanted: &Wanted<'_>) -> Result<(), OpsError> {
        let mut listed = self.walk.referrers(self.subject.digest()).await?;
        listed.sort_by_cached_key(|entry| Reverse(entry.annotations.get(referrer::CREATED).cloned()));
        let (mut fetched, mut failed) = (BTreeSet::new(), Vec::new());
        for entry in &listed {
            if self.has_all(wanted.form.name) {
                break;
            }
            match self.walk.fetch(entry).await? {
                Ok(content) => {
                    fetched.insert((entry.digest, entry.media_type.as_str()));
                    self.read(&content, FoundAt::Referrers, wanted).await;
                }
                // A referrer that is listed and missing cannot be verified, so the signature does not exist.
                Err(error) if error.is_not_found() => {}
                Err(error) => failed.push(((entry.digest, entry.media_type.as_str()), error)),
            }
        }
        // An entry with a wrong size does not matter if another entry for the same manifest could be read. The media type
        // decides how it is read, so it has to be the same.
        if let Some((_, error)) = failed.into_iter().find(|(entry, _)| !fetched.contains(entry)) {
            self.unread.get_or_insert(error.into());
        }
        self.answer(wanted.form.name)
    }

    /// Reads the manifest at one of cosign's tags.
    async fn tag(&mut self, tag: &str, wanted: &Wanted<'_>) -> Result<(), OpsError> {
        match self.source.resolve(&TagOrDigest::Tag(tag.to_owned())).await {
            Ok(content) => self.read(&content, FoundAt::Tag(tag.to_owned()), wanted).await,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        self.answer(wanted.form.name)
    }

    /// Notes the signatures in one manifest that are the wanted ones: of the same format and payload, by one of the signers,
    /// with the timestamps and log entries that are asked for. What could not be read is noted, too.
    async fn read(&mut self, content: &Content, place: FoundAt, wanted: &Wanted<'_>) {
        let Self { budget, conditions, found, limits, signers, source, subject, .. } = self;
        let (digest, form) = (*content.digest(), wanted.form);
        let look = |evidence: &Evidence| {
            let document = evidence.document();
            if document.format() != form.name {
                return;
            }
            if let (Some(trust), Some(envelope)) = (conditions.trust, document.notary_envelope())
                && !has_verified_timestamp(envelope, trust, limits)
            {
                return;
            }
            let is_witnessed = |signer: &&SigningIdentity<'_>| match conditions.witnessing {
                Some(witnessing) if form.takes_witnesses() => {
                    witnessing.is_witnessed((evidence, form), wanted.payload, signer, limits)
                }
                Some(_) | None => true,
            };
            let is_signed = |signer: &&SigningIdentity<'_>| wanted.payload.is_signed_in(document, signer);
            for signer in signers.iter().filter(is_signed).filter(is_witnessed) {
                found.0.entry((form.name, signer.key().id())).or_insert(digest);
            }
        };
        let by_certificate = signers.iter().any(|signer| signer.sigstore_chain().is_some());
        let material = match by_certificate || conditions.witnessing.is_some() {
            true => MaterialUse::Decides,
            false => MaterialUse::Ignored,
        };
        let referrer_of = form.is_referrer().then(|| subject.descriptor().into());
        let findings = signature_manifest::documents_in(
            *source,
            content,
            place,
            referrer_of,
            (budget, limits, Strictness::Strict, material),
            look,
        )
        .await;
        if let Some(Finding { reason, .. }) = findings.into_iter().find(|finding| finding.reason.is_undetermined()) {
            let place = format!("{}@{digest}", source.origin());
            self.unread.get_or_insert(OpsError::EvidenceUnread { place, reason });
        }
    }

    fn has_all(&self, form: FormName) -> bool {
        self.signers.iter().all(|signer| self.found.manifest(form, &signer.key().id()).is_some())
    }

    /// Unread evidence is could-not-tell, unless every signature was found without it.
    fn answer(&mut self, form: FormName) -> Result<(), OpsError> {
        let complete = self.has_all(form);
        match self.unread.take() {
            Some(error) if !complete => Err(error),
            _ => Ok(()),
        }
    }
}
