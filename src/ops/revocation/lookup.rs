//! `RevocationLookup`: more revocation evidence about the signatures on a subject, found before these are evaluated.
//!
//! The invariant: the policy is evaluated once, with all evidence in the pool, so that a revocation wins wherever it was
//! found; and what could not be read makes every status of the subject could-not-tell, unless it is revoked.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::limits::Limits;
#[cfg(feature = "registry")]
use crate::ops::revocation::EvidenceFetcher;
#[cfg(feature = "registry")]
use crate::ops::revocation::FetchProblem;
use crate::ops::revocation::attached;
#[cfg(feature = "registry")]
use crate::ops::revocation::chains;
use crate::store::Source;
use crate::time::Time;
#[cfg(feature = "registry")]
use crate::trust::ChainSearch;
use crate::trust::RevocationCheck;
use crate::trust::TrustVersion;
#[cfg(feature = "registry")]
use crate::trust::VerificationTime;
use crate::verify::Verifier;

/// Where more revocation evidence is looked for. By default nowhere.
#[derive(Debug, Default)]
pub struct RevocationLookup {
    attached: bool,
    /// What was found last about a subject: `import` verifies with it at the destination, where nothing is attached yet.
    found: Mutex<BTreeMap<(Digest, TrustVersion), RevocationCheck>>,
    #[cfg(feature = "registry")]
    online: Option<tokio::sync::Mutex<EvidenceFetcher>>,
}

impl RevocationLookup {
    /// A lookup that finds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with the files that are attached to a subject.
    #[must_use]
    pub fn with_attached(self) -> Self {
        Self { attached: true, ..self }
    }

    /// The same, with what the addresses in the chains of the signatures on a subject answer, if these chains lead to an
    /// anchor of an identity whose names the signer's certificate has.
    #[cfg(feature = "registry")]
    #[must_use]
    pub fn with_online(self, fetcher: EvidenceFetcher) -> Self {
        Self { online: Some(tokio::sync::Mutex::new(fetcher)), ..self }
    }

    /// The addresses from which nothing was kept so far.
    #[cfg(feature = "registry")]
    pub fn problems(self) -> Vec<FetchProblem> {
        self.online.map(|fetcher| fetcher.into_inner().problems().to_vec()).unwrap_or_default()
    }

    /// The verifier for `subject`: `verifier` with the evidence that was found in its pool. One that does not check
    /// revocation stays as it is.
    pub(in crate::ops) async fn verifier(
        &self,
        verifier: &Verifier,
        source: &dyn Source,
        subject: &Digest,
        now: Time,
        limits: &Limits,
    ) -> Verifier {
        let Some(given) = verifier.revocation() else { return verifier.clone() };
        let mut check = given.clone();
        if self.attached {
            let found = attached(source, subject, limits).await;
            check = check.with_evidence(&found.bundle, limits);
            for unread in &found.unread {
                check = check.with_unread(unread);
            }
        }
        #[cfg(feature = "registry")]
        if let Some(online) = &self.online {
            let time = VerificationTime::now(now);
            let time = verifier.expiry_at().map_or(time, |at| time.with_expiry_at(at));
            let search = ChainSearch::of_identities(verifier.trust());
            // A list that cannot be read keeps the policy from being refused; nothing is good for want of evidence.
            let found = chains::chains_of(source, subject, &search, time, limits).await;
            let mut fetcher = online.lock().await;
            if let Ok(found) = found {
                fetcher.fetch(&found.chains, now).await;
            }
            check = check.with_evidence(fetcher.bundle(), limits);
        }
        #[cfg(not(feature = "registry"))]
        let _unused = now;
        let key = (*subject, verifier.trust().version());
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(key, check.clone());
        verifier.clone().with_revocation(check)
    }

    /// The verifier of the last [`RevocationLookup::verifier`] about `subject`, for a copy of it elsewhere. Without one, the
    /// verifier that was given.
    pub(in crate::ops) fn known(&self, verifier: &Verifier, subject: &Digest) -> Verifier {
        let key = (*subject, verifier.trust().version());
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.map_or_else(|| verifier.clone(), |check| verifier.clone().with_revocation(check))
    }
}
