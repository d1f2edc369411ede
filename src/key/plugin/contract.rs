//! The plugin contract of the Notary Project, version 1.0: requests and responses.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::key::Algorithm;
use crate::key::Scheme;
use crate::key::algorithm::Hash;

/// The supported version of the contract.
pub(super) const VERSION: &str = "1.0";

/// The required capability: the plugin signs bytes and returns a raw signature.
pub(super) const RAW_SIGNATURES: &str = "SIGNATURE_GENERATOR.RAW";

/// The request of `get-plugin-metadata`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetadataRequest<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) plugin_config: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeKeyRequest<'a> {
    pub(super) contract_version: &'a str,
    pub(super) key_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) plugin_config: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerateSignatureRequest<'a> {
    pub(super) contract_version: &'a str,
    pub(super) key_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) plugin_config: &'a BTreeMap<String, String>,
    pub(super) key_spec: &'a str,
    pub(super) hash_algorithm: &'a str,
    pub(super) payload: String,
}

/// The response of `get-plugin-metadata`. Members that are not needed are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PluginMetadata {
    pub(super) name: String,
    pub(super) supported_contract_versions: Vec<String>,
    pub(super) capabilities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyDescription {
    pub(super) key_id: String,
    pub(super) key_spec: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GeneratedSignature {
    pub(super) key_id: String,
    pub(super) signature: String,
    pub(super) signing_algorithm: String,
    pub(super) certificate_chain: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Declined {
    pub(super) error_code: String,
    #[serde(default)]
    pub(super) error_message: String,
}

/// The error codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginCode {
    /// `ACCESS_DENIED`: no permission for the key, or for the service behind it.
    AccessDenied,
    /// `ERROR`: anything else.
    Error,
    /// `THROTTLED`: too many requests.
    Throttled,
    /// `TIMEOUT`: the service behind it did not respond.
    Timeout,
    /// A code outside the contract.
    Unknown,
    /// `UNSUPPORTED_CONTRACT_VERSION`: the plugin does not support our version.
    UnsupportedContractVersion,
    /// `VALIDATION_ERROR`: the request is invalid.
    Validation,
}

impl PluginCode {
    pub(super) fn parse(text: &str) -> Self {
        let named = |code: &&Self| code.name() == text;
        CODES.iter().find(named).copied().unwrap_or(Self::Unknown)
    }

    /// The name of the code in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::Error => "ERROR",
            Self::Throttled => "THROTTLED",
            Self::Timeout => "TIMEOUT",
            Self::Unknown => "a code that is not in the contract",
            Self::UnsupportedContractVersion => "UNSUPPORTED_CONTRACT_VERSION",
            Self::Validation => "VALIDATION_ERROR",
        }
    }
}

impl fmt::Display for PluginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key specification of the contract, which fixes the signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySpec {
    Ec256,
    Ec384,
    Ec521,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl KeySpec {
    pub(super) fn parse(text: &str) -> Option<Self> {
        SPECS.into_iter().find(|spec| spec.name() == text)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ec256 => "EC-256",
            Self::Ec384 => "EC-384",
            Self::Ec521 => "EC-521",
            Self::Rsa2048 => "RSA-2048",
            Self::Rsa3072 => "RSA-3072",
            Self::Rsa4096 => "RSA-4096",
        }
    }

    /// The key algorithm.
    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Ec256 => Algorithm::EcdsaP256,
            Self::Ec384 => Algorithm::EcdsaP384,
            Self::Ec521 => Algorithm::EcdsaP521,
            Self::Rsa2048 => Algorithm::Rsa { bits: 2_048 },
            Self::Rsa3072 => Algorithm::Rsa { bits: 3_072 },
            Self::Rsa4096 => Algorithm::Rsa { bits: 4_096 },
        }
    }

    /// The signature scheme. RSA uses PSS: the contract has no other padding.
    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::Ec256 => Scheme::EcdsaP256Sha256,
            Self::Ec384 => Scheme::EcdsaP384Sha384,
            Self::Ec521 => Scheme::EcdsaP521Sha512,
            Self::Rsa2048 => Scheme::RsaPssSha256,
            Self::Rsa3072 => Scheme::RsaPssSha384,
            Self::Rsa4096 => Scheme::RsaPssSha512,
        }
    }

    /// The name of the hash.
    pub(super) const fn hash(self) -> &'static str {
        match Hash::of(self.scheme()) {
            Some(Hash::Sha384) => "SHA-384",
            Some(Hash::Sha512) => "SHA-512",
            Some(Hash::Sha256) | None => "SHA-256",
        }
    }

    /// The name of the signature algorithm.
    pub(super) const fn signing_algorithm(self) -> &'static str {
        match self {
            Self::Ec256 => "ECDSA-SHA-256",
            Self::Ec384 => "ECDSA-SHA-384",
            Self::Ec521 => "ECDSA-SHA-512",
            Self::Rsa2048 => "RSASSA-PSS-SHA-256",
            Self::Rsa3072 => "RSASSA-PSS-SHA-384",
            Self::Rsa4096 => "RSASSA-PSS-SHA-512",
        }
    }
}

const CODES: [PluginCode; 6] = [
    PluginCode::AccessDenied,
    PluginCode::Error,
    PluginCode::Throttled,
    PluginCode::Timeout,
    PluginCode::UnsupportedContractVersion,
    PluginCode::Validation,
];

const SPECS: [KeySpec; 6] =
    [KeySpec::Ec256, KeySpec::Ec384, KeySpec::Ec521, KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_as_the_contract_has_them() {
        let config = BTreeMap::from([("region".to_owned(), "north".to_owned())]);
        let request = GenerateSignatureRequest {
            contract_version: VERSION,
            key_id: "key",
            plugin_config: &config,
            key_spec: KeySpec::Ec384.name(),
            hash_algorithm: KeySpec::Ec384.hash(),
            payload: "aGk=".to_owned(),
        };
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"contractVersion":"1.0","keyId":"key","pluginConfig":{"region":"north"},"keySpec":"EC-384","hashAlgorithm":"SHA-384","payload":"aGk="}"#
        );
        let request = DescribeKeyRequest { contract_version: VERSION, key_id: "key", plugin_config: &BTreeMap::new() };
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"contractVersion":"1.0","keyId":"key"}"#);
    }

    #[test]
    fn every_name_is_read_again() {
        for spec in SPECS {
            assert_eq!(KeySpec::parse(spec.name()), Some(spec));
            assert!(spec.algorithm().schemes().contains(&spec.scheme()));
            assert!(spec.signing_algorithm().ends_with(spec.hash()));
        }
        for code in CODES {
            assert_eq!(PluginCode::parse(code.name()), code);
        }
        assert_eq!(PluginCode::parse("NO_IDEA"), PluginCode::Unknown);
        assert_eq!(KeySpec::parse("RSA-1024"), None);
    }
}
