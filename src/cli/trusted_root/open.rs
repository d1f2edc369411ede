//! Opens the trusted roots that an argument names: a file, or a public instance of Sigstore.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::trust::sigstore::TrustedRoot;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::trust::sigstore::TrustedRootRemark;

use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::render;

/// The trusted roots of `argument`: a file, or the name of an instance whose trusted root comes with the program.
pub(in crate::cli) fn open(argument: &str, limits: &Limits) -> Result<TrustedRootFile, Failure> {
    let opened = match instance(argument)? {
        Some(instance) => TrustedRootFile::of_instance(instance, limits),
        None => {
            TrustedRootFile::parse(&files::read(Path::new(argument), limits.transparency.trusted_root_bytes)?, limits)
        }
    };
    opened.map_err(|error| Failure::unknown(format!("{argument}: {error}")))
}

/// The one trusted root of `argument`, with what an operator should know about it said.
pub(in crate::cli) fn only(argument: &str, now: Time, limits: &Limits) -> Result<Arc<TrustedRoot>, Failure> {
    let file = open(argument, limits)?;
    warn(argument, &file, now);
    match file.roots().count() {
        1 => Ok(Arc::clone(file.roots().first())),
        count => Err(Failure::unknown(format!("--trusted-root {}: it has {count} trusted roots", Foreign(argument)))
            .hint("a file with the one of the authorities and logs that are asked")),
    }
}

/// The instance of Sigstore that `argument` names; `None` if it names a file.
pub(super) fn instance(argument: &str) -> Result<Option<SigstoreInstance>, Failure> {
    let Some(instance) = SigstoreInstance::from_name(argument) else { return Ok(None) };
    // The entry itself, not what it links to: a dangling link is the operator's file, too.
    match Path::new(argument).symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(instance)),
        Err(error) => Err(Failure::unknown(format!("{argument}: whether a file has this name: {error}"))),
        Ok(_) => {
            let message =
                format!("{argument}: a file has this name, which also stands for a trusted root of the program");
            Err(Failure::unknown(message).hint(format!("./{argument}   for the file")))
        }
    }
}

/// Prints what an operator should know about the trusted roots of `argument`. That expired metadata was accepted is said
/// with `--quiet`, too.
pub(in crate::cli) fn warn(argument: &str, file: &TrustedRootFile, now: Time) {
    for remark in file.remarks(now) {
        let line = format!("warning: {argument}: {remark}");
        match remark {
            TrustedRootRemark::ExpiredMetadata { .. } => render::warning(line),
            _ => render::note(line),
        }
    }
}
