//! `PluginError`: why a plugin gave no key, or no signature.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::json::JsonError;
use crate::key::Algorithm;
use crate::key::KeyError;
use crate::key::KeyId;
use crate::key::SignerError;
use crate::key::SignerErrorKind;
use crate::key::plugin::PluginCode;
use crate::text::Untrusted;

/// Why a plugin gave no key, or no signature.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// An answer that is not what the contract says.
    #[error("plugin `{plugin}` answered {command} with {fault}")]
    Answer {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// What is wrong with the answer.
        fault: AnswerFault,
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
        message: Untrusted,
    },
    /// It failed, and did not say why in the form of the contract.
    #[error("plugin `{plugin}` failed at {command}: {said}")]
    Failed {
        /// Which plugin.
        plugin: String,
        /// What it was asked.
        command: &'static str,
        /// The beginning of what it said.
        said: Untrusted,
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
        found: Untrusted,
    },
    /// It could not be started, or not be listened to.
    #[error("plugin `{plugin}` cannot be run: {error}")]
    Start {
        /// Which plugin.
        plugin: String,
        /// What the operating system says.
        error: Arc<io::Error>,
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

/// What is wrong with an answer that is not what the contract says.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// Another signature algorithm than that of the key.
    #[error("the algorithm `{found}`, wanted {wanted}")]
    Algorithm {
        /// The algorithm in the answer.
        found: Untrusted,
        /// The algorithm of the key specification.
        wanted: &'static str,
    },
    /// A certificate in the chain that is not base64.
    #[error("a certificate that is not base64")]
    CertificateEncoding,
    /// A certificate of another kind of key than the key specification says.
    #[error("a certificate of an {found} key, wanted {wanted}")]
    CertificateKey {
        /// The kind of key in the certificate.
        found: Algorithm,
        /// The key specification.
        wanted: &'static str,
    },
    /// A certificate whose key is not used here.
    #[error("a certificate whose {0}")]
    Key(Arc<KeyError>),
    /// Another key id than the one that was asked for.
    #[error("the key id `{0}`")]
    KeyId(Untrusted),
    /// A key specification that the contract does not have.
    #[error("the key specification `{0}`")]
    KeySpec(Untrusted),
    /// The answer is not JSON that is read.
    #[error("JSON that is not read: {}", Untrusted::within(&.0.to_string(), 200))]
    Json(JsonError),
    /// Another name than that of the plugin.
    #[error("the name `{0}`")]
    Name(Untrusted),
    /// An empty certificate chain.
    #[error("no certificate")]
    NoCertificate,
    /// A certificate that is not X.509.
    #[error("a certificate that is not X.509")]
    NotX509,
    /// A signature that is not base64.
    #[error("a signature that is not base64")]
    SignatureEncoding,
    /// A signature whose length is not that of the key.
    #[error("a signature of another length")]
    SignatureLength,
}

impl From<PluginError> for SignerError {
    fn from(error: PluginError) -> Self {
        let kind = match &error {
            PluginError::Declined { .. } => SignerErrorKind::Declined,
            PluginError::Answer { .. } | PluginError::Failed { .. } | PluginError::TooMuch { .. } => {
                SignerErrorKind::Failed
            }
            PluginError::Faulty { .. } => SignerErrorKind::Faulty,
            PluginError::Deadline { .. }
            | PluginError::Missing { .. }
            | PluginError::Name { .. }
            | PluginError::Start { .. } => SignerErrorKind::Unavailable,
            PluginError::Capability { .. } | PluginError::Contract { .. } => SignerErrorKind::Unsupported,
            PluginError::Key { .. } => SignerErrorKind::WrongKey,
        };
        Self::of_backend(kind, error)
    }
}

fn list(found: &[String]) -> String {
    match found {
        [] => "nothing".to_owned(),
        some => some.iter().take(8).map(|one| Untrusted::within(one, 60).to_string()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_plugin_says_what_it_means() {
        let (plugin, command) = (|| "x".to_owned(), "generate-signature");
        let (found, wanted) = (KeyId::of(b"found"), KeyId::of(b"wanted"));
        let answer = PluginError::Answer {
            plugin: plugin(),
            command,
            fault: AnswerFault::KeyId(Untrusted::within(&"a".repeat(100), 60)),
        };
        assert_eq!(
            answer.to_string(),
            format!("plugin `x` answered generate-signature with the key id `{}…`", "a".repeat(60))
        );
        for (error, kind) in [
            (answer, SignerErrorKind::Failed),
            (PluginError::Deadline { plugin: plugin(), command, seconds: 1 }, SignerErrorKind::Unavailable),
            (PluginError::Key { plugin: plugin(), found, wanted }, SignerErrorKind::WrongKey),
        ] {
            let text = error.to_string();
            let error = SignerError::from(error);
            assert_eq!((error.kind(), error.to_string()), (kind, text));
            assert!(error.backend::<PluginError>().is_some());
        }
    }
}
