//! Plugins of the Notary Project (contract 1.0): private keys behind another program, which makes raw signatures.

mod contract;
mod error;
mod process;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

use crate::json;
use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signature;
use crate::key::Signer;
use crate::key::SignerError;
use crate::key::algorithm;
use crate::key::identifier::Curve;
use crate::limits::Limits;
use crate::text::Untrusted;

pub use self::contract::PluginCode;
pub use self::error::PluginError;
pub use self::error::ResponseFault;

use self::contract::Declined;
use self::contract::DescribeKeyRequest;
use self::contract::GenerateSignatureRequest;
use self::contract::GeneratedSignature;
use self::contract::KeyDescription;
use self::contract::KeySpec;
use self::contract::MetadataRequest;
use self::contract::PluginMetadata;
use self::contract::RAW_SIGNATURES;
use self::contract::VERSION;
use self::process::RunError;

/// A plugin of the Notary Project. It runs without a shell, with only the given environment variables.
#[derive(Clone, Debug)]
pub struct Plugin {
    deadline: Duration,
    environment: Vec<(OsString, OsString)>,
    limits: Limits,
    name: String,
    program: PathBuf,
}

impl Plugin {
    /// Finds the plugin `name` in `folder`: the file `NAME/notation-NAME`. `environment` are its environment variables,
    /// `deadline` is the timeout of each command.
    ///
    /// # Errors
    /// [`PluginError::Name`], [`PluginError::Missing`].
    pub fn find(
        folder: PathBuf,
        name: &str,
        environment: Vec<(OsString, OsString)>,
        deadline: Duration,
        limits: &Limits,
    ) -> Result<Self, PluginError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !name.split('.').all(|part| !part.is_empty() && part.chars().all(plain)) {
            return Err(PluginError::Name { found: Untrusted::within(name, 60) });
        }
        let program = folder.join(name).join(format!("notation-{name}"));
        if !program.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(PluginError::Missing { plugin: name.to_owned(), path: program });
        }
        Ok(Self { deadline, environment, limits: limits.clone(), name: name.to_owned(), program })
    }

    /// The signer for the key `id` of this plugin, after its contract version, capability and key specification were
    /// checked.
    ///
    /// In the contract the public key comes only with a signature, so the plugin signs a probe text, which is no
    /// payload of any format.
    ///
    /// # Errors
    /// [`PluginError`].
    pub fn key(self, id: &str, config: BTreeMap<String, String>) -> Result<PluginKey, PluginError> {
        let described: PluginMetadata =
            self.run_command("get-plugin-metadata", &MetadataRequest { plugin_config: &config })?;
        let plugin = || self.name.clone();
        if described.name != self.name {
            let fault = ResponseFault::Name(shown(&described.name));
            return Err(PluginError::InvalidResponse { plugin: plugin(), command: "get-plugin-metadata", fault });
        }
        if !described.supported_contract_versions.iter().any(|version| version == VERSION) {
            return Err(PluginError::Contract { plugin: plugin(), found: described.supported_contract_versions });
        }
        if !described.capabilities.iter().any(|capability| capability == RAW_SIGNATURES) {
            return Err(PluginError::Capability {
                plugin: plugin(),
                found: described.capabilities,
                wanted: RAW_SIGNATURES,
            });
        }
        let request = DescribeKeyRequest { contract_version: VERSION, key_id: id, plugin_config: &config };
        let key: KeyDescription = self.run_command("describe-key", &request)?;
        let wrong = |fault| PluginError::InvalidResponse { plugin: plugin(), command: "describe-key", fault };
        if key.key_id != id {
            return Err(wrong(ResponseFault::KeyId(shown(&key.key_id))));
        }
        let spec = KeySpec::parse(&key.key_spec).ok_or_else(|| wrong(ResponseFault::KeySpec(shown(&key.key_spec))))?;
        let (public, signature) = self.generate(id, &config, spec, PROBE)?;
        let checked = Signature::verified(&public, spec.scheme(), PROBE, signature);
        checked.map_err(|_| PluginError::Faulty { plugin: plugin(), key: public.id() })?;
        Ok(PluginKey { config, id: id.to_owned(), plugin: self, public, spec })
    }

    /// Runs `generate-signature` and checks key id, algorithm and certificate of the response. The signature (ECDSA as
    /// DER) is not verified; the public key is that of the leaf certificate.
    fn generate(
        &self,
        id: &str,
        config: &BTreeMap<String, String>,
        spec: KeySpec,
        message: &[u8],
    ) -> Result<(PublicKey, Vec<u8>), PluginError> {
        const COMMAND: &str = "generate-signature";
        let wrong = |fault| PluginError::InvalidResponse { plugin: self.name.clone(), command: COMMAND, fault };
        let request = GenerateSignatureRequest {
            contract_version: VERSION,
            key_id: id,
            plugin_config: config,
            key_spec: spec.name(),
            hash_algorithm: spec.hash(),
            payload: STANDARD.encode(message),
        };
        let made: GeneratedSignature = self.run_command(COMMAND, &request)?;
        if made.key_id != id {
            return Err(wrong(ResponseFault::KeyId(shown(&made.key_id))));
        }
        if made.signing_algorithm != spec.signing_algorithm() {
            let (found, wanted) = (shown(&made.signing_algorithm), spec.signing_algorithm());
            return Err(wrong(ResponseFault::Algorithm { found, wanted }));
        }
        let leaf = made.certificate_chain.first().ok_or_else(|| wrong(ResponseFault::NoCertificate))?;
        let leaf = STANDARD.decode(leaf).map_err(|_| wrong(ResponseFault::CertificateEncoding))?;
        let (_, leaf) = X509Certificate::from_der(&leaf).map_err(|_| wrong(ResponseFault::NotX509))?;
        let public = PublicKey::from_spki(leaf.tbs_certificate.subject_pki.raw)
            .map_err(|error| wrong(ResponseFault::Key(Arc::new(error))))?;
        if public.algorithm() != spec.algorithm() {
            return Err(wrong(ResponseFault::CertificateKey { found: public.algorithm(), wanted: spec.name() }));
        }
        let raw = STANDARD.decode(&made.signature).map_err(|_| wrong(ResponseFault::SignatureEncoding))?;
        let signature = der(spec.algorithm(), raw).ok_or_else(|| wrong(ResponseFault::SignatureLength))?;
        Ok((public, signature))
    }

    /// Runs one command of the contract and parses its JSON response.
    fn run_command<T: DeserializeOwned>(
        &self,
        command: &'static str,
        request: &impl Serialize,
    ) -> Result<T, PluginError> {
        let plugin = || self.name.clone();
        let limit = self.limits.key.plugin_bytes;
        let start = |error: io::Error| PluginError::Start { plugin: plugin(), error: Arc::new(error) };
        let input = serde_json::to_vec(request).map_err(|error| start(error.into()))?;
        let output = process::run(&self.program, command, &self.environment, input, self.deadline, limit);
        let output = output.map_err(|error| match error {
            RunError::Deadline => PluginError::Deadline { plugin: plugin(), command, seconds: self.deadline.as_secs() },
            RunError::Io(error) => start(error),
            RunError::OutputLimit => PluginError::TooMuch { plugin: plugin(), command, limit },
        })?;
        if output.success {
            let wrong =
                |error| PluginError::InvalidResponse { plugin: plugin(), command, fault: ResponseFault::Json(error) };
            return json::parse(&output.stdout, &self.limits).map_err(wrong);
        }
        Err(match json::parse::<Declined>(&output.stderr, &self.limits) {
            Ok(declined) => PluginError::Declined {
                plugin: plugin(),
                command,
                code: PluginCode::parse(&declined.error_code),
                message: Untrusted::within(&declined.error_message, 400),
            },
            Err(_) => {
                let text = String::from_utf8_lossy(&output.stderr);
                let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
                PluginError::Failed { plugin: plugin(), command, output: Untrusted::within(line, 200) }
            }
        })
    }
}

/// A private key that a plugin signs with. Every signature is verified before it is returned.
///
/// The contract gives each type of key one scheme: ECDSA with the hash of its size, RSA with PSS. It has no PKCS#1
/// v1.5.
pub struct PluginKey {
    config: BTreeMap<String, String>,
    id: String,
    plugin: Plugin,
    public: PublicKey,
    spec: KeySpec,
}

impl Signer for PluginKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.sign_with(self.spec.scheme(), message)
    }

    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        if scheme != self.spec.scheme() {
            return Err(SignerError::Scheme { algorithm: self.public.algorithm(), scheme });
        }
        let (public, signature) = self.plugin.generate(&self.id, &self.config, self.spec, message)?;
        if public != self.public {
            let (found, wanted) = (public.id(), self.public.id());
            return Err(PluginError::Key { plugin: self.plugin.name.clone(), found, wanted }.into());
        }
        Signature::verified(&self.public, scheme, message, signature)
    }
}

impl fmt::Debug for PluginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginKey({}, {}, {})", self.public.algorithm(), self.public.id(), self.plugin.name)
    }
}

/// Converts an ECDSA signature from the JWS form (RFC 7518 section 3.4: `r` and `s` side by side) to DER.
fn der(algorithm: Algorithm, raw: Vec<u8>) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::EcdsaP256 => algorithm::ecdsa_der(Curve::P256, &raw),
        Algorithm::EcdsaP384 => algorithm::ecdsa_der(Curve::P384, &raw),
        Algorithm::EcdsaP521 => algorithm::ecdsa_der(Curve::P521, &raw),
        Algorithm::Ed25519 | Algorithm::Rsa { .. } => Some(raw),
    }
}

/// A name in a response, truncated and escaped for messages.
fn shown(name: &str) -> Untrusted {
    Untrusted::within(name, 60)
}

/// The probe text that is signed to learn the public key. It is no payload of any format.
const PROBE: &[u8] = b"bulla asks which key this is; a signature over this text says nothing about anything";
