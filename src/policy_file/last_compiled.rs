//! `LastCompiled`: the policy of the last image, kept, since most images of one run are judged by the same.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::oci::RepositoryName;
use crate::policy::Policy;
use crate::time::Time;
use crate::yaml::Position;

/// The policy that was made last of a policy file, and what it was made for. Clones share it: they are of the same file.
#[derive(Clone, Debug, Default)]
pub(super) struct LastCompiled(Arc<Mutex<Option<(CompiledFor, Policy)>>>);

/// Everything beside the policy file itself that the requirements on an image depend on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CompiledFor {
    /// The block that decides.
    pub(super) block: usize,
    pub(super) name: RepositoryName,
    pub(super) now: Time,
    pub(super) signed_name: Option<(RepositoryName, Option<String>)>,
    /// The exceptions that were used: what they waive is left out.
    pub(super) used: Vec<Position>,
}

impl LastCompiled {
    /// The policy for `wanted`: the last one if it was made for the same, else what `compile` makes.
    pub(super) fn get_or<E>(
        &self,
        wanted: CompiledFor,
        compile: impl FnOnce() -> Result<Policy, E>,
    ) -> Result<Policy, E> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_for, policy)) = &*last
            && *made_for == wanted
        {
            return Ok(policy.clone());
        }
        let policy = compile()?;
        *last = Some((wanted, policy.clone()));
        Ok(policy)
    }
}
