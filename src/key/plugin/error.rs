//! What can go wrong with a plugin.

use std::path::PathBuf;

use crate::key::KeyId;
use crate::key::plugin::PluginCode;

/// Why a plugin gave no key, or no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// An answer that is not what the contract says.
    #[error("plugin `{plugin}` answered {command} with {reason}")]
    Answer {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A plugin that cannot do what we need.
    #[error("plugin `{plugin}` does not have the capability {wanted}, it has {}", list(found))]
    Capability {
        /// Which plugin.
        plugin: String,
        /// What it can do.
        found: Vec<String>,
        /// What we need.
        wanted: &'static str,
    },
    /// A plugin that speaks another version of the contract.
    #[error("plugin `{plugin}` speaks version {} of the plugin contract, wanted 1.0", list(found))]
    Contract {
        /// Which plugin.
        plugin: String,
        /// What it speaks.
        found: Vec<String>,
    },
    /// It did not answer in time, and was ended.
    #[error("plugin `{plugin}` did not answer {command} within {seconds} s and was ended")]
    Deadline {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// How long it had.
        seconds: u64,
    },
    /// It said no, in the form of the contract.
    #[error("plugin `{plugin}` declined {command} with {code}: {message}")]
    Declined {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// Why.
        code: PluginCode,
        /// What it says about it.
        message: String,
    },
    /// It failed, and did not say why in the form of the contract.
    #[error("plugin `{plugin}` failed at {command}: {said}")]
    Failed {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// The beginning of what it said.
        said: String,
    },
    /// A signature that does not verify. It goes nowhere.
    #[error("plugin `{plugin}` made a signature that does not verify with its key {}", key.short())]
    Faulty {
        /// Which plugin.
        plugin: String,
        /// The key in its certificate.
        key: KeyId,
    },
    /// A signature by another key than the one that it began with.
    #[error("plugin `{plugin}` signed with key {}, wanted {}", found.short(), wanted.short())]
    Key {
        /// Which plugin.
        plugin: String,
        /// The key in the certificate that came with the signature.
        found: KeyId,
        /// The key that it began with.
        wanted: KeyId,
    },
    /// There is no such plugin.
    #[error("plugin `{plugin}` is not installed: `{}` is no file", path.display())]
    Missing {
        /// Which plugin.
        plugin: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// A name that no plugin has.
    #[error("`{found}` is no name of a plugin: letters, digits, `-`, `_` and dots between them")]
    Name {
        /// The name.
        found: String,
    },
    /// It could not be started, or not be listened to.
    #[error("plugin `{plugin}` cannot be run: {reason}")]
    Start {
        /// Which plugin.
        plugin: String,
        /// What the operating system says.
        reason: String,
    },
    /// It said more than we read, and was ended.
    #[error("plugin `{plugin}` answered {command} with more than {limit} bytes and was ended")]
    TooMuch {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// How much is read.
        limit: u64,
    },
}

fn list(found: &[String]) -> String {
    match found {
        [] => "nothing".to_owned(),
        some => some.iter().take(8).map(|one| super::excerpt(one, 60)).collect::<Vec<_>>().join(", "),
    }
}
