//! Messages about key files: failures to read or write one, and the warning about an unencrypted one.

use std::path::Path;

use bulla::key::KeyError;

use crate::cli::exit::Failure;
use crate::cli::render;

/// Warns that the key file just written is not encrypted.
pub(super) fn warn_unprotected(path: &Path) {
    let path = path.display();
    render::note(format_args!("warning: {path} is not encrypted: anybody who reads it can sign"));
}

/// The failure for a key file.
pub(super) fn to_failure(error: KeyError) -> Failure {
    let failure = Failure::unknown(error.to_string());
    match error {
        KeyError::Exists { .. } => failure.hint("choose another name with -o, or give --overwrite"),
        _ => failure,
    }
}

/// Adds a hint: the command that converts the key file `name` to a format that bulla reads, if there is one.
pub(super) fn with_conversion_hint(failure: Failure, name: &str, error: &KeyError) -> Failure {
    match error.conversion_hint() {
        Some(command) => failure.hint(command.replace("FILE", name)),
        None => failure,
    }
}
