//! Where bundles and signatures of files are written: checked before anything is signed, written whole or not at all.

use std::path::Path;
use std::path::PathBuf;

use bulla::envelope::FileDocument;
use bulla::files::Accept;
use bulla::files::Overwrite;
use bulla::files::are_same;
use bulla::files::read;
use bulla::limits::Limits;

use crate::cli::args::KeyArgs;
use crate::cli::args::ResultsOutput;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
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

/// What a command signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BundleKind {
    /// A statement about a file.
    Attestation,
    /// A file itself.
    Signature,
}

/// The files that a command reads. It replaces none of them.
#[derive(Debug)]
pub(super) struct Sources(Vec<(PathBuf, &'static str)>);

impl Sources {
    /// The files that are signed, the private key, and what it is opened with.
    pub(super) fn of(inputs: &[BlobInput<'_>], key: &str, args: &KeyArgs) -> Result<Self, Failure> {
        let signed = inputs.iter().filter_map(BlobInput::path).map(Path::to_owned);
        let mut sources: Vec<_> = signed.map(|path| (path, "the file that is to be signed")).collect();
        sources.extend(keys::files_of(key, args)?);
        Ok(Self(sources))
    }

    /// With the predicate at `path`.
    pub(super) fn with_predicate(mut self, path: &Path) -> Self {
        self.0.push((path.to_owned(), "the predicate"));
        self
    }
}

/// Where the bundle of each of `inputs` is written. Nothing is checked or written yet.
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
pub(in crate::cli) fn bundle_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sigstore.json");
    PathBuf::from(name)
}

/// Checks that each of `targets` can be written and is neither another of them nor one of `sources`.
pub(super) fn check(targets: &[&Path], sources: &Sources, overwrite: Overwrite) -> Result<(), Failure> {
    for (index, path) in targets.iter().enumerate() {
        files::replaces_none(path, sources.0.iter().map(|(source, what)| (source, *what)))?;
        if targets.iter().take(index).any(|other| are_same(other, path)) {
            return Err(Failure::unknown(format!("`{}` would be written twice", path.display())));
        }
        files::writable(path, overwrite)?;
    }
    Ok(())
}

/// Checks that no bundle of the other kind is replaced: signatures and attestations of a file have the same name.
pub(super) fn check_kind(bundles: &[&Path], kind: BundleKind) -> Result<(), Failure> {
    let limits = Limits::DEFAULT;
    for path in bundles {
        // A file that is no bundle may be replaced, and so may one that cannot be read.
        let Ok(bytes) = read(path, limits.evidence.attestation_bytes, Accept::File) else { continue };
        let what = match (FileDocument::parse_bundle(&bytes, &limits), kind) {
            (Ok(FileDocument::MessageSignature(_)), BundleKind::Attestation) => "a signature",
            (Ok(FileDocument::Attestation(_)), BundleKind::Signature) => "an attestation",
            _ => continue,
        };
        let failure = Failure::unknown(format!("`{}` is the bundle of {what}, which would be lost", path.display()));
        return Err(failure.hint("--bundle FILE with another name"));
    }
    Ok(())
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
