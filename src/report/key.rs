//! The results of `key list`, and the report of `key show`.

use serde::Serialize;

use crate::key::PublicKey;
use crate::report::VERSION;

/// What can be said of a key file without a passphrase.
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
    /// The file `name` at the path `file`: what kind it is, and its public key or why that is not known.
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
    /// Its key id, where its public key can be seen.
    pub key_id: Option<String>,
    /// What kind of object it is.
    pub kind: &'static str,
    /// Its label.
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
    /// A key of this kind, by its public half.
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
