//! `LoggedKeys`: pinned keys whose signatures count only if logs vouch for them.

use std::sync::Arc;

use crate::envelope::EnvelopeError;
use crate::key::PublicKey;
use crate::nonempty::NonEmpty;
use crate::transparency::LoggedVerifier;
use crate::trust::AuthenticationContext;
use crate::trust::KeylessFault;
use crate::trust::LogRule;
use crate::trust::SignatureBudget;
use crate::trust::SignedMaterial;
use crate::trust::TransparencyProof;
use crate::trust::keyless::Stop;
use crate::trust::keyless::means::describe_root;
use crate::trust::sigstore::TrustedRoot;

/// Public keys that the operator pinned, and the logs that must have a signature of theirs before it counts.
#[derive(Clone, Debug)]
pub struct LoggedKeys {
    keys: NonEmpty<PublicKey>,
    root: Arc<TrustedRoot>,
    rule: LogRule,
}

impl LoggedKeys {
    /// Signatures by `keys` that the logs and timestamp authorities of `root` vouch for. Keys have no certificate, so the
    /// number of certificate logs in the rule is not used.
    pub const fn new(keys: NonEmpty<PublicKey>, root: Arc<TrustedRoot>, rule: LogRule) -> Self {
        Self { keys, root, rule }
    }

    /// The keys.
    pub const fn keys(&self) -> &NonEmpty<PublicKey> {
        &self.keys
    }

    /// The trusted root.
    pub const fn root(&self) -> &Arc<TrustedRoot> {
        &self.root
    }

    /// How many logs and timestamp authorities must vouch for a signature.
    pub const fn rule(&self) -> LogRule {
        self.rule
    }

    /// Verifies that logs and timestamp authorities vouch for a signature that `key` made, as the rule asks for.
    pub(in crate::trust) fn prove(
        &self,
        key: &PublicKey,
        signed: Option<Result<SignedMaterial<'_>, &EnvelopeError>>,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<TransparencyProof, Stop> {
        let signed = signed
            .ok_or(KeylessFault::NoTime { skipped: None })?
            .map_err(|error| KeylessFault::Material(error.clone()))?;
        TransparencyProof::of(&signed, LoggedVerifier::Key(key), (&self.root, self.rule), context, budget)
    }

    pub(in crate::trust) fn describe(&self, text: &mut String) {
        text.push_str(&format!("logged keys {:?}\n", self.rule));
        self.keys.iter().for_each(|key| text.push_str(&format!("key {}\n", key.id())));
        describe_root(&self.root, text);
    }
}
