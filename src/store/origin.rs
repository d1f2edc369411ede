//! `Origin`: the location of a store.

use std::fmt;

/// The location of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On this machine, or in memory; the text is for messages.
    Local(String),
    /// A repository of a registry.
    Registry {
        /// The host, with the port if there is one.
        host: String,
        /// The repository.
        repository: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(name) => f.write_str(name),
            Self::Registry { host, repository } => write!(f, "{host}/{repository}"),
        }
    }
}
