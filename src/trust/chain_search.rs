//! `ChainSearch`: the chains of a signature that lead to an anchor of the operator, of any signer. They say which
//! revocation evidence a verification needs; they prove nothing about the image.

use std::sync::Arc;

use crate::envelope::Evidence;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateMeans;
use crate::trust::CertificateRejection;
use crate::trust::Identity;
use crate::trust::LogRule;
use crate::trust::LoggedKeys;
use crate::trust::SignatureBudget;
use crate::trust::SignedMaterial;
use crate::trust::SigningTimeRule;
use crate::trust::TrustRoot;
use crate::trust::Unchecked;
use crate::trust::VerificationTime;
use crate::trust::keyless::OpenedMaterial;
use crate::trust::keyless::Stop;
use crate::trust::signed_envelope::SignedEnvelope;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootDraft;
use crate::trust::sigstore::TrustedRootDraftError;
use crate::trust::verified_chains::VerifiedChains;
use crate::x509::Anchor;
use crate::x509::IdentityPattern;
use crate::x509::Profile;
use crate::x509::SignedBefore;
use crate::x509::VerifiedChain;

/// Looks for the verified chains of signatures and of their timestamps.
#[derive(Clone, Debug)]
pub struct ChainSearch {
    keyless: Vec<MaterialSearch>,
    /// Pinned keys with a log rule: their signatures have no chain, and the timestamps on them do.
    logged: Vec<LoggedKeys>,
    means: Vec<CertificateMeans>,
}

/// By what the chains of signatures in the formats of Sigstore are looked for.
#[derive(Clone, Debug)]
struct MaterialSearch {
    /// The names that the certificate must have; `None` for any.
    names: Option<IdentityPattern>,
    root: Arc<TrustedRoot>,
    rule: LogRule,
}

/// Why no chain of a signature leads to an anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainSearchError {
    /// The envelope or its chain: refused, or could-not-tell.
    #[error("{0}")]
    Rejected(CertificateRejection),
    /// The budget of signature checks is exhausted: could-not-tell.
    #[error("more than {} signature checks", .0.limit)]
    Unchecked(Unchecked),
}

impl ChainSearchError {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.is_undetermined(),
            Self::Unchecked(_) => true,
        }
    }
}

impl ChainSearch {
    /// Chains to `anchors`, whatever names the signer's certificate has. In the formats of Sigstore each anchor is an
    /// authority that issues to signers, or one of timestamps, also of those on signatures without a certificate.
    ///
    /// # Errors
    /// [`TrustedRootDraftError`]: the anchors exceed a limit of trusted roots.
    pub fn of_anchors(anchors: Arc<[Anchor]>, limits: &Limits) -> Result<Self, TrustedRootDraftError> {
        let root = Arc::new(TrustedRootDraft::of_anchors(&anchors).to_root(limits)?);
        let rule = LogRule::NONE.with_signing_time(SigningTimeRule::PresentIfMissing);
        let keyless = vec![MaterialSearch { names: None, root, rule }];
        Ok(Self { keyless, logged: Vec::new(), means: vec![CertificateMeans::with_any_name(anchors, Profile::NOTARY)] })
    }

    /// Chains to the anchors of the identities of `trust` whose names the signer's certificate has, and those of the
    /// timestamps on signatures by keys with a log rule.
    pub fn of_identities(trust: &TrustRoot) -> Self {
        let means = trust.identities().iter().filter_map(|identity| identity.certificates());
        let keyless = trust.identities().iter().filter_map(Identity::keyless).map(|means| MaterialSearch {
            names: Some(means.names().clone()),
            root: Arc::clone(means.root()),
            rule: means.rule(),
        });
        let logged = trust.identities().iter().filter_map(Identity::logged_keys).cloned().collect();
        Self { keyless: keyless.collect(), logged, means: means.cloned().collect() }
    }

    /// Whether the chains of signatures in the formats of Sigstore are looked for, too.
    pub const fn judges_material(&self) -> bool {
        !self.keyless.is_empty() || !self.logged.is_empty()
    }

    /// The verified chains of a signature and of its timestamps.
    ///
    /// With a certificate: its chain, if an identity has the names of the signer, and those of its timestamps; the
    /// signature over the payload is verified before. By a bare key: those of its timestamps, if the key is pinned with a
    /// log rule and verifies the signature, or if the chains of any signer are looked for, without the key.
    ///
    /// # Errors
    /// [`ChainSearchError`]: the signature does not verify, or its chain leads to no anchor at the time of the
    /// verification or of a timestamp.
    pub fn chains(
        &self,
        evidence: &Evidence,
        time: VerificationTime,
        limits: &Limits,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<Arc<VerifiedChain>>, ChainSearchError> {
        let context = AuthenticationContext { limits, revocation: None, time };
        let Some(envelope) = evidence.document().notary_envelope() else {
            return self.chains_of_material(evidence, context, budget);
        };
        budget.take_for(envelope, limits).map_err(ChainSearchError::Unchecked)?;
        let verified = VerifiedChains::default();
        let signed = SignedEnvelope::open(envelope, &verified, context).map_err(ChainSearchError::Rejected)?;
        let mut chains = Vec::new();
        let mut faults = Vec::new();
        let fitting = self.means.iter().filter(|means| means.fits(signed.signer()));
        for means in CertificateMeans::judging_differently(fitting) {
            match signed.chain_in_time(means, context) {
                Ok(certified) => {
                    chains.push(Arc::new(certified.chain().clone()));
                    // A timestamp may be needed later, even if it is not needed now.
                    if let Some(Ok(before)) = signed.timestamped(means, time, limits) {
                        chains.push(Arc::new(before.chain().clone()));
                    }
                }
                Err(fault) => faults.push(signed.rejected(NonEmpty::one(fault), time.judged())),
            }
        }
        match faults.into_iter().next() {
            Some(rejection) if chains.is_empty() => Err(ChainSearchError::Rejected(rejection)),
            _ => Ok(chains),
        }
    }

    /// The chains of a signature with the verification material of Sigstore. Most of these signatures are by authorities that
    /// are not looked for, so only could-not-tell is an error.
    fn chains_of_material(
        &self,
        evidence: &Evidence,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<Vec<Arc<VerifiedChain>>, ChainSearchError> {
        let Some(Ok(signed)) = SignedMaterial::of_evidence(evidence) else { return Ok(Vec::new()) };
        let mut found = MaterialChains::default();
        if let Err(stop) = self.add_timestamped(signed, context, budget, &mut found) {
            found.stops.push(stop);
        }
        if let Err(stop) = self.add_certified(signed, context, budget, &mut found) {
            found.stops.push(stop);
        }
        let stopped = |stop| match stop {
            Stop::Fault(fault) => {
                let rejection = CertificateRejection::of_material(signed.verification_material(), fault, context);
                Some(ChainSearchError::Rejected(rejection)).filter(ChainSearchError::is_undetermined)
            }
            Stop::Unchecked(unchecked) => Some(ChainSearchError::Unchecked(unchecked)),
        };
        match found.stops.into_iter().find_map(stopped) {
            Some(error) if found.chains.is_empty() => Err(error),
            Some(_) | None => Ok(found.chains),
        }
    }

    /// The chains of a signature with a certificate, and of its timestamps.
    fn add_certified(
        &self,
        signed: SignedMaterial<'_>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
        found: &mut MaterialChains,
    ) -> Result<(), Stop> {
        if self.keyless.is_empty() || !signed.has_certificate() {
            return Ok(());
        }
        let opened = OpenedMaterial::open(signed, context, budget)?;
        for MaterialSearch { names, root, rule } in &self.keyless {
            if names.as_ref().is_some_and(|names| !names.matches(opened.certificate())) {
                continue;
            }
            match opened.verify_chain((&**root, *rule), context, budget) {
                Ok(signer) => {
                    found.chains.push(Arc::new(signer.chain().clone()));
                    found.add_timestamps(signer.transparency().timestamps());
                }
                Err(stop) => found.stops.push(stop),
            }
        }
        Ok(())
    }

    /// The chains of the timestamps on a signature that counts by its key.
    fn add_timestamped(
        &self,
        signed: SignedMaterial<'_>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
        found: &mut MaterialChains,
    ) -> Result<(), Stop> {
        for means in &self.logged {
            for key in means.keys().iter() {
                budget.take(1)?;
                if signed.verify(key).is_err() {
                    continue;
                }
                match means.prove(key, Some(Ok(signed)), context, budget) {
                    Ok(proof) => found.add_timestamps(proof.timestamps()),
                    Err(stop) => found.stops.push(stop),
                }
            }
        }
        if !signed.has_certificate() {
            for MaterialSearch { root, .. } in self.keyless.iter().filter(|search| search.names.is_none()) {
                match signed.verify_timestamps(root, context.limits, budget) {
                    Ok(timestamps) => found.add_timestamps(&timestamps),
                    Err(stop) => found.stops.push(stop),
                }
            }
        }
        Ok(())
    }
}

/// The chains that were found of one signature, and why others were not.
#[derive(Debug, Default)]
struct MaterialChains {
    chains: Vec<Arc<VerifiedChain>>,
    stops: Vec<Stop>,
}

impl MaterialChains {
    fn add_timestamps(&mut self, timestamps: &[SignedBefore]) {
        self.chains.extend(timestamps.iter().map(|one| Arc::new(one.chain().clone())));
    }
}
