//! Whether a policy file that was written for a trust root and one requirement means exactly these.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ordered;
use crate::policy::About;
use crate::policy::Quorum;
use crate::policy::Requirement;
use crate::policy_file::LoadedPolicy;
use crate::trust::Identity;
use crate::trust::LoggedKeys;
use crate::trust::Means;
use crate::trust::Owner;
use crate::trust::TrustRoot;

impl LoadedPolicy {
    /// Whether this policy requires the same as `requirement` with `trust`, of these manifests of an image, whatever its name,
    /// where `names` are the names of the owners in the policy: the same keys and certificates in the same order, the same
    /// kinds of statements and conditions, and the same number of owners.
    pub fn is_written_for(
        &self,
        trust: &TrustRoot,
        names: &BTreeMap<Owner, String>,
        (requirement, about): (&Requirement, About),
    ) -> bool {
        self.same_requirement(trust, names, (requirement, about)).unwrap_or(false)
    }

    /// `None` where one of the two cannot be made.
    fn same_requirement(
        &self,
        trust: &TrustRoot,
        names: &BTreeMap<Owner, String>,
        (requirement, about): (&Requirement, About),
    ) -> Option<bool> {
        let own = self.trust()?;
        let named = |owner: &Owner| names.get(owner).cloned().map(Owner::Named);
        let renamed = trust.identities().iter().map(|identity| {
            // The ends of keys are no options of a verification.
            let ends = identity.keys().any(|key| identity.key_end(key.id()).is_some());
            // Keys have no certificate, so no certificate log is about them.
            let means = match identity.means() {
                Means::LoggedKeys(logged) => {
                    let rule = logged.rule().with_certificate_logs(0);
                    Means::LoggedKeys(LoggedKeys::new(logged.keys().clone(), Arc::clone(logged.root()), rule))
                }
                means => means.clone(),
            };
            named(identity.owner()).filter(|_| !ends).map(|owner| Identity::new(owner, means))
        });
        let Ok(renamed) = TrustRoot::new(renamed.collect::<Option<Vec<_>>>()?) else { return None };
        let written = self.only_requirement(own)?;
        let owners = requirement.quorum().owners().iter().map(named).collect::<Option<BTreeSet<_>>>()?;
        let Ok(quorum) = Quorum::among(&renamed, owners, requirement.quorum().threshold()) else { return None };
        // Different owners stay different.
        let injective = ordered::set(names.values()).len() == names.len();
        let same = written.kinds() == requirement.kinds()
            && written.conditions() == requirement.conditions()
            && written.counted() == requirement.counted()
            && written.vex() == requirement.vex()
            && written.signed_index() == requirement.signed_index()
            && *written.quorum() == quorum
            && written.about() == about;
        Some(injective && same && own.version() == renamed.version())
    }

    /// The requirement of a policy that has one block with one requirement, and nothing else that decides.
    fn only_requirement(&self, trust: &TrustRoot) -> Option<Requirement> {
        let document = self.document();
        let [block] = document.images.as_slice() else { return None };
        let plain = document.baseline.is_empty()
            && document.blocked.is_empty()
            && document.expires.is_none()
            && block.accept_unsigned.is_none()
            && block.exceptions.is_empty()
            && block.refuse.is_none()
            && block.signed_name.is_none()
            && block.signed_tag.is_none();
        let [required] = block.require.as_slice() else { return None };
        if plain { self.evaluated(required, trust) } else { None }
    }
}
