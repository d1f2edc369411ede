//! `RevocationLookup`: more revocation evidence about the signatures on a subject, found before these are evaluated.
//!
//! The invariant: the policy is evaluated once, with all evidence in the pool, so that a revocation wins wherever it was
//! found. What is attached and could not be read makes every status of the subject could-not-tell, unless it is revoked.
//! Online, only a certificate whose addresses have answered is good: one that was not found, not asked or not answered,
//! for whichever reason, is could-not-tell.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::limits::Limits;
#[cfg(feature = "registry")]
use crate::ops::revocation::ChainOptions;
#[cfg(feature = "registry")]
use crate::ops::revocation::EvidenceFetcher;
#[cfg(feature = "registry")]
use crate::ops::revocation::FetchFault;
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

/// Where more revocation evidence is looked for; by default nowhere. It is for one command: answers of servers are kept as
/// long as it lives and are not asked for again, the limit of requests is one for all subjects, and fetches wait for each
/// other.
#[derive(Debug, Default)]
pub struct RevocationLookup {
    attached: bool,
    /// The subjects to which evidence is attached.
    attached_to: Mutex<BTreeSet<Digest>>,
    /// What was found last about a subject: `import` verifies with it at the destination, where nothing is attached yet.
    found: Mutex<BTreeMap<(Digest, TrustVersion), Vec<FoundCheck>>>,
    #[cfg(feature = "registry")]
    online: Option<tokio::sync::Mutex<EvidenceFetcher>>,
}

/// A check with the evidence that was found.
#[derive(Debug)]
struct FoundCheck {
    found: RevocationCheck,
    /// The check of the verifier before that.
    given: Option<Arc<RevocationCheck>>,
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

    /// The manifests to which files of revocation evidence are attached that were read. An import carries none of these
    /// files, since nobody signed them.
    pub fn attached_to(&self) -> BTreeSet<Digest> {
        self.attached_to.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The addresses from which nothing was kept so far.
    #[cfg(feature = "registry")]
    pub fn problems(self) -> Vec<FetchProblem> {
        self.online.map(|fetcher| fetcher.into_inner().problems().to_vec()).unwrap_or_default()
    }

    /// The verifier for `subject`: `verifier` with the evidence that was found in its pool.
    pub(in crate::ops) async fn verifier(
        &self,
        verifier: &Verifier,
        source: &dyn Source,
        subject: &Digest,
        now: Time,
        limits: &Limits,
    ) -> Verifier {
        let found = self.check(verifier, source, subject, now, limits).await;
        let given = verifier.shared_revocation();
        let key = (*subject, verifier.trust().version());
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let checks = all.entry(key).or_default();
        checks.retain(|one| !one.is_of(given));
        checks.push(FoundCheck { found: found.clone(), given: given.cloned() });
        drop(all);
        verifier.clone().with_revocation(found)
    }

    /// The check of `verifier` with the evidence that was found about `subject` in its pool. A verifier without a check is
    /// taken as one without evidence.
    pub(in crate::ops) async fn check(
        &self,
        verifier: &Verifier,
        source: &dyn Source,
        subject: &Digest,
        now: Time,
        limits: &Limits,
    ) -> RevocationCheck {
        let given = verifier.revocation().cloned();
        let mut check = given.unwrap_or_else(RevocationCheck::without_evidence);
        if self.attached {
            let found = attached(source, subject, limits).await;
            if found.bundle.entries().next().is_some() {
                self.attached_to.lock().unwrap_or_else(PoisonError::into_inner).insert(*subject);
            }
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
            // What is not found here, by whichever fault, is not asked, and so not good.
            let options = ChainOptions { limits, search: &search, strictness: verifier.envelope_reader(), time };
            let chains = chains::chains_of(source, subject, options).await;
            let chains = chains.map(|found| found.chains).unwrap_or_default();
            let fetched = online.lock().await.fetch(&chains, now).await;
            check = check.with_evidence(&fetched.bundle, limits).with_answered(fetched.answered);
            // Evidence that was dropped may revoke more certificates than the one that it was fetched for.
            let dropped = fetched.problems.iter().filter(|problem| matches!(problem.fault, FetchFault::Bundle(_)));
            check = dropped.fold(check, RevocationCheck::with_unread);
        }
        #[cfg(not(feature = "registry"))]
        let _unused = now;
        check
    }

    /// The verifier of the last [`RevocationLookup::verifier`] about `subject` with the check of `verifier`, for a copy of
    /// it elsewhere. If there was no such lookup, and this one looks something up, its evidence counts as not read: then no
    /// certificate is good.
    pub(in crate::ops) fn known(&self, verifier: &Verifier, subject: &Digest) -> Verifier {
        let key = (*subject, verifier.trust().version());
        let all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&key).into_iter().flatten().find(|one| one.is_of(verifier.shared_revocation()));
        match known {
            Some(known) => verifier.clone().with_revocation(known.found.clone()),
            None if self.is_empty() => verifier.clone(),
            None => {
                let given = verifier.revocation().cloned().unwrap_or_else(RevocationCheck::without_evidence);
                let missing = format!("what was to be looked up about {subject} at the source");
                verifier.clone().with_revocation(given.with_unread(missing))
            }
        }
    }

    /// Whether it looks nothing up.
    fn is_empty(&self) -> bool {
        #[cfg(feature = "registry")]
        let asks = self.online.is_some();
        #[cfg(not(feature = "registry"))]
        let asks = false;
        !self.attached && !asks
    }
}

impl FoundCheck {
    /// Whether it was made from the check `given`, and not from another one.
    fn is_of(&self, given: Option<&Arc<RevocationCheck>>) -> bool {
        match (&self.given, given) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::policy::Policy;
    use crate::policy::Quorum;
    use crate::policy::Requirement;
    use crate::policy::StatementKind;
    use crate::policy::Threshold;
    use crate::store::Memory;
    use crate::trust::TrustRoot;
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    /// Two verifiers with the same trust and different checks: neither gets what was found for the other.
    #[test]
    fn a_check_is_known_for_the_verifier_that_it_was_made_for() {
        let limits = Limits::DEFAULT;
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
        let plain = Verifier::new(trust, policy, limits.clone()).unwrap();
        let [lax, strict] = ["lax", "strict"]
            .map(|what| plain.clone().with_revocation(RevocationCheck::without_evidence().with_unread(what)));
        let (source, subject) = (Memory::new(limits.clone()), Digest::sha256(b"subject"));
        let lookup = RevocationLookup::new();
        let look = |verifier: &Verifier| {
            let mut future = pin!(lookup.verifier(verifier, &source, &subject, Time::EPOCH, &limits));
            let Poll::Ready(found) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("it waits")
            };
            found
        };
        let check = |verifier: &Verifier| format!("{:?}", verifier.revocation());
        let known = |verifier: &Verifier| {
            let known = lookup.known(verifier, &subject);
            (check(&known), known.shared_revocation().cloned())
        };
        assert_eq!(known(&strict).0, check(&strict), "nothing was found yet");
        let _found = look(&lax);
        assert!(check(&lax) != check(&strict) && known(&strict).0 == check(&strict));
        let _found = (look(&strict), look(&plain), look(&lax));
        for verifier in [&lax, &strict] {
            let (found, shared) = known(verifier);
            assert_eq!(found, check(verifier));
            let is_given =
                shared.zip(verifier.shared_revocation()).is_some_and(|(one, other)| Arc::ptr_eq(&one, other));
            assert!(!is_given, "it is what was found");
        }
        assert!(known(&plain).1.is_some(), "a verifier without a check gets one");
    }
}
