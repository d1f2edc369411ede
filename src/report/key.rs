//! The results of `key list`, and the report of `key show`.

use serde::Serialize;

use crate::key::PublicKey;
use crate::report::VERSION;

/// A key file, described without a passphrase.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileKeyResult {
    algorithm: Option<String>,
    error: Option<String>,
    file: String,
    key_id: Option<String>,
    kind: &'static str,
    name: String,
}

impl FileKeyResult {
    /// The file `name` at the path `file`: its kind, and its public key, or the error of reading it.
    pub fn new(
        name: &str,
        file: String,
        kind: &'static str,
        public: Option<&PublicKey>,
        error: Option<String>,
    ) -> Self {
        Self {
            algorithm: public.map(|public| public.algorithm().to_string()),
            error,
            file,
            key_id: public.map(|public| public.id().to_string()),
            kind,
            name: name.to_owned(),
        }
    }
}

/// A key on a token.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenKeyResult {
    /// The algorithm.
    pub algorithm: String,
    /// The key id, if the public key is readable.
    pub key_id: Option<String>,
    /// The kind of object: public key, private key or certificate.
    pub kind: &'static str,
    /// The label of the object.
    pub name: String,
    /// The serial number of the token.
    pub serial: String,
    /// The slot that holds the token.
    pub slot: u64,
    /// The label of the token.
    pub token: String,
    /// The URI that names the key.
    pub uri: String,
}

/// The report of `key show`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReport {
    algorithm: String,
    command: &'static str,
    hint: String,
    key_id: String,
    kind: &'static str,
    public_key: String,
    version: u32,
}

impl KeyReport {
    /// The key with this public key, read from a key of this kind.
    pub fn of(kind: &'static str, public: &PublicKey) -> Self {
        let id = public.id();
        Self {
            algorithm: public.algorithm().to_string(),
            command: "key show",
            hint: id.hint(),
            key_id: id.to_string(),
            kind,
            public_key: public.to_pem(),
            version: VERSION,
        }
    }
}
