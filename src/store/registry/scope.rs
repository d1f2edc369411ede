//! Token scopes: the access to a repository for which a token is requested. Distribution specification, "Token Scope
//! Documentation".

use std::collections::BTreeSet;

/// The access to a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RepositoryAccess {
    /// Write, and mount blobs from another repository, which is read.
    Mount(String),
    /// Read.
    Pull,
    /// Read and write.
    Push,
}

/// The scope of a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokenScope {
    pub(super) repository: String,
    pub(super) access: RepositoryAccess,
}

impl TokenScope {
    /// Whether a token for this scope also gives the access of `other`.
    pub(super) fn includes(&self, other: &Self) -> bool {
        let more = match (&self.access, &other.access) {
            (RepositoryAccess::Mount(_), RepositoryAccess::Pull | RepositoryAccess::Push)
            | (RepositoryAccess::Push, RepositoryAccess::Pull) => true,
            (RepositoryAccess::Mount(_) | RepositoryAccess::Pull | RepositoryAccess::Push, _) => false,
        };
        more && self.repository == other.repository
    }

    /// The `scope` parameters of a token request, the one for the target repository last: some token services read only
    /// the last one.
    pub(super) fn wanted(&self, extra: &BTreeSet<String>) -> Vec<String> {
        let own = if self.access == RepositoryAccess::Pull { ["pull"].as_slice() } else { &["pull", "push"] };
        let more = extra.iter().map(String::as_str).filter(|action| !own.contains(action));
        let actions: Vec<&str> = own.iter().copied().chain(more).collect();
        let needed = format!("repository:{}:{}", self.repository, actions.join(","));
        match &self.access {
            RepositoryAccess::Mount(from) => vec![format!("repository:{from}:pull"), needed],
            RepositoryAccess::Pull | RepositoryAccess::Push => vec![needed],
        }
    }

    /// The actions of the scope `text`, if it is for our repository. A token for another repository is never requested
    /// (threats: scope-of-another-repository).
    pub(super) fn asked<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let own = text.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'));
        let actions = own.filter(|(name, _)| *name == self.repository).map(|(_, actions)| actions);
        actions.unwrap_or_default().split(',').filter(|action| {
            matches!(action.len(), 1..=32) && action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    }
}
