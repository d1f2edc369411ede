//! `PluginError`: why a plugin returned no key or no signature.

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

/// Why a plugin returned no key or no signature.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The plugin lacks a required capability.
    #[error("plugin `{plugin}` does not have the capability {wanted}, it has {}", list(found))]
    Capability {
        /// The name of the plugin.
        plugin: String,
        /// Its capabilities.
        found: Vec<String>,
        /// The required capability.
        wanted: &'static str,
    },
    /// The plugin does not support our version of the contract.
    #[error("plugin `{plugin}` speaks version {} of the plugin contract, wanted 1.0", list(found))]
    Contract {
        /// The name of the plugin.
        plugin: String,
        /// The versions that it supports.
        found: Vec<String>,
    },
    /// The plugin exceeded the timeout, and was killed.
    #[error("plugin `{plugin}` did not answer {command} within {seconds} s and was ended")]
    Deadline {
        /// The name of the plugin.
        plugin: String,
        /// The command of the contract.
        command: &'static str,
        /// The timeout, in seconds.
        seconds: u64,
    },
    /// The plugin declined, with an error response of the contract.
    #[error("plugin `{plugin}` declined {command} with {code}: {message}")]
    Declined {
        /// The name of the plugin.
        plugin: String,
        /// The command of the contract.
        command: &'static str,
        /// The error code.
        code: PluginCode,
        /// The error message.
        message: Untrusted,
    },
    /// The plugin failed, without an error response of the contract.
    #[error("plugin `{plugin}` failed at {command}: {output}")]
    Failed {
        /// The name of the plugin.
        plugin: String,
        /// The command of the contract.
        command: &'static str,
        /// The first line of its error output.
        output: Untrusted,
    },
    /// The signature does not verify. It is discarded.
    #[error("plugin `{plugin}` made a signature that does not verify with its key {}", key.short())]
    Faulty {
        /// The name of the plugin.
        plugin: String,
        /// The key in its certificate.
        key: KeyId,
    },
    /// A response violates the contract.
    #[error("plugin `{plugin}` answered {command} with {fault}")]
    InvalidResponse {
        /// The name of the plugin.
        plugin: String,
        /// The command of the contract.
        command: &'static str,
        /// What is wrong with the response.
        fault: ResponseFault,
    },
    /// The signature is by another key than before.
    #[error("plugin `{plugin}` signed with key {}, wanted {}", found.short(), wanted.short())]
    Key {
        /// The name of the plugin.
        plugin: String,
        /// The key in the certificate of the signature.
        found: KeyId,
        /// The key that the plugin used at first.
        wanted: KeyId,
    },
    /// The plugin does not exist.
    #[error("plugin `{plugin}` is not installed: `{}` is no file", path.display())]
    Missing {
        /// The name of the plugin.
        plugin: String,
        /// The path where it was expected.
        path: PathBuf,
    },
    /// The name is not a valid plugin name.
    #[error("`{found}` is no name of a plugin: letters, digits, `-`, `_` and dots between them")]
    Name {
        /// The name.
        found: Untrusted,
    },
    /// The plugin could not be started, or its output could not be read.
    #[error("plugin `{plugin}` cannot be run: {error}")]
    Start {
        /// The name of the plugin.
        plugin: String,
        /// The error of the operating system.
        error: Arc<io::Error>,
    },
    /// The plugin exceeded the output limit, and was killed.
    #[error("plugin `{plugin}` answered {command} with more than {limit} bytes and was ended")]
    TooMuch {
        /// The name of the plugin.
        plugin: String,
        /// The command of the contract.
        command: &'static str,
        /// The limit, in bytes.
        limit: u64,
    },
}

/// How a response violates the contract.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseFault {
    /// The signature algorithm is not that of the key.
    #[error("the algorithm `{found}`, wanted {wanted}")]
    Algorithm {
        /// The algorithm in the response.
        found: Untrusted,
        /// The algorithm of the key specification.
        wanted: &'static str,
    },
    /// A certificate in the chain is not base64.
    #[error("a certificate that is not base64")]
    CertificateEncoding,
    /// The certificate has another type of key than the key specification.
    #[error("a certificate of an {found} key, wanted {wanted}")]
    CertificateKey {
        /// The type of key in the certificate.
        found: Algorithm,
        /// The key specification.
        wanted: &'static str,
    },
    /// The key of the certificate is invalid or unsupported.
    #[error("a certificate whose {0}")]
    Key(Arc<KeyError>),
    /// The key id is not the requested one.
    #[error("the key id `{0}`")]
    KeyId(Untrusted),
    /// The key specification is not in the contract.
    #[error("the key specification `{0}`")]
    KeySpec(Untrusted),
    /// The response is not valid JSON.
    #[error("JSON that is not read: {}", Untrusted::within(&.0.to_string(), 200))]
    Json(JsonError),
    /// The name is not that of the plugin.
    #[error("the name `{0}`")]
    Name(Untrusted),
    /// The certificate chain is empty.
    #[error("no certificate")]
    NoCertificate,
    /// The certificate is not X.509.
    #[error("a certificate that is not X.509")]
    NotX509,
    /// The signature is not base64.
    #[error("a signature that is not base64")]
    SignatureEncoding,
    /// The length of the signature does not fit the key.
    #[error("a signature of another length")]
    SignatureLength,
}

impl From<PluginError> for SignerError {
    fn from(error: PluginError) -> Self {
        let kind = match &error {
            PluginError::Declined { .. } => SignerErrorKind::Declined,
            PluginError::Failed { .. } | PluginError::InvalidResponse { .. } | PluginError::TooMuch { .. } => {
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
        let answer = PluginError::InvalidResponse {
            plugin: plugin(),
            command,
            fault: ResponseFault::KeyId(Untrusted::within(&"a".repeat(100), 60)),
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
