//! `NotOpened`: why a policy was not opened.

use std::path::Path;

use bulla::policy_file::PolicyFileError;

use crate::cli::exit::Failure;

/// Why a policy file was not opened: could-not-tell about everything.
pub(in crate::cli) enum NotOpened {
    /// It is not the one that the operator wants, or cannot be read.
    Failed(Failure),
    /// It cannot be used: errors with their positions.
    Faults(Vec<PolicyFileError>),
}

impl NotOpened {
    pub(super) fn faults(faults: impl IntoIterator<Item = PolicyFileError>) -> Self {
        Self::Faults(faults.into_iter().collect())
    }

    /// The failure, with the first error of the file in its message and the others as details.
    pub(in crate::cli) fn into_failure(self, path: &Path) -> Failure {
        let faults = match self {
            Self::Failed(failure) => return failure,
            Self::Faults(faults) => faults,
        };
        let shown = |fault: &PolicyFileError| format!("{}:{fault}", path.display());
        let Some((first, others)) = faults.split_first() else { return Failure::unknown(path.display().to_string()) };
        let details = others.iter().map(shown).collect();
        let failure = Failure { code: first.problem.code(), details, ..Failure::unknown(shown(first)) };
        failure.hint(first.problem.hint())
    }
}
