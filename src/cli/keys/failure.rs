//! What is said about a key file that cannot be read or written, and about one that nothing protects.

use std::path::Path;

use bulla::key::KeyError;

use crate::cli::exit::Failure;
use crate::cli::render;

/// Says of a file that was written that nothing protects it but its mode.
pub(super) fn warn_unprotected(path: &Path) {
    let path = path.display();
    render::note(format_args!("warning: {path} is not encrypted: whoever reads it can sign"));
}

/// What is wrong with a key file.
pub(super) fn told(error: KeyError) -> Failure {
    let failure = Failure::unknown(error.to_string());
    match error {
        KeyError::Exists { .. } => failure.hint("choose another name with -o, or give --overwrite"),
        _ => failure,
    }
}

/// With the command that converts the key `name`, where there is one.
pub(super) fn converted(failure: Failure, name: &str, error: &KeyError) -> Failure {
    match error.converts() {
        Some(command) => failure.hint(command.replace("FILE", name)),
        None => failure,
    }
}
