//! The command `key list`: the keys in a directory, or on a token. No private key is decrypted.

use std::env;
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;

use bulla::report::FileKeyResult;
use bulla::report::Report;

use crate::cli::args::KeyListArgs;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::render::Rows;

use super::directory::KeyFile;
use super::directory::key_files;
use super::token;

pub(super) fn list(args: &KeyListArgs) -> Result<Exit, Failure> {
    match &args.uri {
        Some(folder) if Path::new(folder).is_dir() => {
            let message = format!("`{folder}` is a directory, not a pkcs11: URI");
            return Err(Failure::unknown(message).hint(format!("bulla key list --key-dir {folder}")));
        }
        Some(uri) => show(args, token::list(uri, args)?),
        None => {
            // Not read by clap: the variable would conflict with a URI argument there.
            let variable = || env::var_os("BULLA_KEY_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
            show(args, files(&args.key_dir.clone().or_else(variable).unwrap_or_else(|| PathBuf::from(".")))?);
        }
    }
    Ok(Exit::Yes)
}

fn show<R: Serialize>(args: &KeyListArgs, (rows, results): (Rows, Vec<R>)) {
    match args.output {
        Output::Json => render::report(&Report::new("key list", results)),
        Output::Text => render::table(&rows),
    }
}

fn files(folder: &Path) -> Result<(Rows, Vec<FileKeyResult>), Failure> {
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for path in key_files(folder)? {
        let found = KeyFile::read(&path);
        let id = found.public.as_ref().map(|public| public.id().to_string());
        let about = match (&found.error, &id, &found.beside) {
            (Some(error), ..) => format!("not read: {error}"),
            // Nobody has compared the two files: that takes the passphrase.
            (None, Some(id), Some(beside)) => {
                format!("{}, {}, {id} according to {}", found.kind, found.algorithm(), Foreign(beside))
            }
            (None, Some(id), None) => format!("{}, {}, {id}", found.kind, found.algorithm()),
            (None, None, _) => found.kind.to_owned(),
        };
        rows.push((Foreign(&found.name).to_string(), about));
        let file = path.display().to_string();
        results.push(FileKeyResult::new(&found.name, file, found.kind, found.public.as_ref(), found.error));
    }
    Ok((rows, results))
}
