//! `key list`: the keys in a directory, or on a token. Nothing secret is read but what a PIN opens.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::key::KeyError;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::Signer as _;
use crate::key::file;
use crate::limits::Limits;

use crate::cli::Exit;
use crate::cli::Failure;
use crate::cli::args::KeyListArgs;
use crate::cli::args::Output;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::report;

use super::token;

pub(super) fn list(args: &KeyListArgs) -> Result<Exit, Failure> {
    let (rows, results) = match &args.uri {
        Some(folder) if Path::new(folder).is_dir() => {
            let message = format!("`{folder}` is a directory, and no pkcs11: URI");
            return Err(Failure::unknown(message).hint(format!("bulla key list --key-dir {folder}")));
        }
        Some(uri) => token::list(uri, args)?,
        None => {
            // Not by clap, for which a variable would contradict a URI.
            let variable = || env::var_os("BULLA_KEY_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
            files(&args.key_dir.clone().or_else(variable).unwrap_or_else(|| PathBuf::from(".")))?
        }
    };
    match args.output {
        Output::Json => render::json(&report::whole("key list", results)),
        Output::Text => render::table(&rows),
    }
    Ok(Exit::Yes)
}

/// What a list shows: rows for people, and the same for machines.
pub(super) type Listed = (Vec<(String, String)>, Vec<Value>);

/// The names of the private keys in `folder`, for a message.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for path in key_files(folder)? {
        let found = Found::read(&path);
        if found.kind.starts_with("private key") && found.error.is_none() {
            names.push(format!("there is  {}  {}", found.name, found.algorithm()));
        }
    }
    Ok(names)
}

fn files(folder: &Path) -> Result<Listed, Failure> {
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for path in key_files(folder)? {
        let found = Found::read(&path);
        let id = found.public.as_ref().map(|public| public.id().to_string());
        let about = match (&found.error, &id) {
            (Some(error), _) => format!("not read: {error}"),
            (None, Some(id)) => format!("{}, {}, {id}", found.kind, found.algorithm()),
            (None, None) => found.kind.to_owned(),
        };
        rows.push((Foreign(&found.name).to_string(), about));
        results.push(json!({
            "name": found.name,
            "file": path.display().to_string(),
            "kind": found.kind,
            "algorithm": found.public.as_ref().map(|public| public.algorithm().to_string()),
            "keyId": id,
            "error": found.error,
        }));
    }
    Ok((rows, results))
}

/// What can be said of a key file without a passphrase.
struct Found {
    error: Option<String>,
    kind: &'static str,
    name: String,
    public: Option<PublicKey>,
}

impl Found {
    fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = |kind, public, error| Self { error, kind, name: name.clone(), public };
        let bytes = match file::read(path, &Limits::DEFAULT) {
            Ok(bytes) => bytes,
            Err(error) => return found("unknown", None, Some(error.to_string())),
        };
        match PublicKey::read(&bytes) {
            Ok((public, container)) => return found(container.name(), Some(public), None),
            Err(error) if PrivateKey::form(&bytes).is_none() => return found("unknown", None, Some(error.to_string())),
            Err(_) => (),
        }
        match PrivateKey::parse(&bytes, || Err(KeyError::PassphraseMissing)) {
            Ok(key) => found("private key, not encrypted", Some(key.public_key().clone()), None),
            // Which key it is stands in the file beside it, if anywhere.
            Err(KeyError::PassphraseMissing) => {
                let beside = file::read_public(&path.with_extension("pub"), &Limits::DEFAULT);
                found("private key, encrypted", beside.ok(), None)
            }
            Err(error) => found("private key", None, Some(error.to_string())),
        }
    }

    fn algorithm(&self) -> String {
        self.public.as_ref().map_or_else(|| "encrypted".to_owned(), |public| public.algorithm().to_string())
    }
}

/// The files in `folder` whose names end as those of keys do, in order.
fn key_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let told = |error| Failure::unknown(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let named = path.extension().is_some_and(|extension| {
            ["cer", "crt", "der", "jwk", "key", "pem", "pub"].iter().any(|known| extension == *known)
        });
        if named && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
