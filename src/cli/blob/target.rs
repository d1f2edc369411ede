//! Where bundles and signatures of files are written: checked before anything is signed, written whole or not at all.

use std::path::Path;
use std::path::PathBuf;

use bulla::files::Overwrite;
use bulla::files::are_same;

use crate::cli::args::ResultsOutput;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::render;

use super::args::BundleTargetArgs;
use super::input::BlobInput;

/// The place of a bundle.
#[derive(Debug)]
pub(super) enum BundleTarget {
    /// A file.
    File(PathBuf),
    /// Standard output.
    Stdout,
}

/// Where the bundle of each of `inputs` is written. Nothing is written yet.
pub(super) fn bundles(
    inputs: &[BlobInput<'_>],
    args: &BundleTargetArgs,
    output: ResultsOutput,
) -> Result<Vec<BundleTarget>, Failure> {
    let targets = match (&args.bundle, inputs) {
        (Some(_), [_, _, ..]) => {
            let failure = Failure::unknown("--bundle is for one file, and several are given");
            return Err(failure.hint("leave out --bundle: the bundle of FILE is then FILE.sigstore.json"));
        }
        (Some(path), _) if path == Path::new("-") => match output {
            ResultsOutput::Text => vec![BundleTarget::Stdout],
            ResultsOutput::Json | ResultsOutput::Jsonl => {
                let failure = Failure::unknown("--bundle -: standard output has the report already");
                return Err(failure.hint("--bundle FILE"));
            }
        },
        (Some(path), _) => vec![BundleTarget::File(path.clone())],
        (None, inputs) => inputs.iter().map(beside).collect::<Result<_, _>>()?,
    };
    for (target, input) in targets.iter().zip(inputs) {
        if let BundleTarget::File(path) = target {
            check(path, input, overwrite(args))?;
        }
    }
    Ok(targets)
}

/// FILE.sigstore.json.
fn beside(input: &BlobInput<'_>) -> Result<BundleTarget, Failure> {
    let Some(path) = input.path() else {
        return Err(Failure::unknown("standard input has no name for its bundle").hint("--bundle FILE"));
    };
    Ok(BundleTarget::File(bundle_of(path)))
}

/// The bundle of the file at `path` where none is named.
pub(super) fn bundle_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sigstore.json");
    PathBuf::from(name)
}

/// Checks that `path` can be written, and is not the file that is signed.
pub(super) fn check(path: &Path, input: &BlobInput<'_>, overwrite: Overwrite) -> Result<(), Failure> {
    if input.path().is_some_and(|file| are_same(file, path)) {
        return Err(Failure::unknown(format!("`{}` is the file that is to be signed", path.display())));
    }
    files::writable(path, overwrite)
}

pub(super) const fn overwrite(args: &BundleTargetArgs) -> Overwrite {
    if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse }
}

impl BundleTarget {
    /// Writes the bundle.
    pub(super) fn write(&self, bundle: &[u8], overwrite: Overwrite) -> Result<(), Failure> {
        match self {
            Self::File(path) => files::write(path, bundle, overwrite),
            Self::Stdout => {
                render::data_by(|out| {
                    out.write_all(bundle)?;
                    out.write_all(b"\n")
                });
                Ok(())
            }
        }
    }

    /// The path, unless it is standard output.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdout => None,
        }
    }
}
