//! A mirrored TUF repository in a directory, `tuf:DIR`.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::files;
use bulla::files::FileError;
use bulla::tuf::RepositoryFile;
use bulla::tuf::RepositoryFileError;
use bulla::tuf::RepositorySource;

use crate::cli::exit::Failure;

/// The folders of a repository: metadata in the directory itself or in `metadata`, target files in `targets`.
pub(super) struct Mirror {
    metadata: PathBuf,
    targets: PathBuf,
}

impl Mirror {
    /// The repository that `argument` names.
    pub(super) fn open(argument: &str) -> Result<Self, Failure> {
        let Some(path) = argument.strip_prefix("tuf:").filter(|path| !path.is_empty()) else {
            let failure = Failure::unknown(format!("{argument}: not a TUF repository in a directory"));
            return Err(failure.hint(format!("tuf:{argument}")));
        };
        let path = Path::new(path);
        if !path.is_dir() {
            return Err(Failure::unknown(format!("{argument}: there is no such directory")));
        }
        let below = path.join("metadata");
        let metadata = if below.is_dir() { below } else { path.to_owned() };
        Ok(Self { metadata, targets: path.join("targets") })
    }
}

impl RepositorySource for Mirror {
    fn read(&self, file: &RepositoryFile, limit: u64) -> Result<Option<Vec<u8>>, RepositoryFileError> {
        let folder = match file {
            RepositoryFile::Target { .. } => &self.targets,
            _ => &self.metadata,
        };
        let path = folder.join(file.name());
        let unreadable = |error: FileError| match error {
            FileError::TooLarge { limit, .. } => RepositoryFileError::TooLong { limit },
            error => RepositoryFileError::Unreadable(Arc::new(error)),
        };
        match files::regular(&path) {
            Ok(None) => Ok(None),
            Ok(Some(_)) => files::read_regular(&path, limit).map(Some).map_err(unreadable),
            Err(error) => Err(unreadable(error)),
        }
    }
}
