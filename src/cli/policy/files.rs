//! `DirectoryFiles`: the files beside a policy file, on the disk.

use std::path::Path;
use std::path::PathBuf;

use bulla::files;
use bulla::files::DirectoryError;
use bulla::files::FileError;
use bulla::policy_file;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::text::Untrusted;

/// The files in the directory of a policy file, and in directories below it. No link is followed.
pub(in crate::cli) struct DirectoryFiles {
    directory: PathBuf,
}

impl DirectoryFiles {
    /// The files beside the policy at `policy`.
    pub(in crate::cli) fn beside(policy: &Path) -> Self {
        let directory = policy.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self { directory: directory.unwrap_or_else(|| Path::new(".")).to_owned() }
    }
}

impl PolicyFiles for DirectoryFiles {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        if !policy_file::is_below(path) {
            return Err(PolicyFilesError::Path);
        }
        let mut place = self.directory.clone();
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            place.push(segment);
            if segments.peek().is_some() {
                files::check_directory(&place).map_err(of_directory)?;
            }
        }
        files::read_regular(&place, limit).map_err(of_file)
    }
}

fn of_directory(error: DirectoryError) -> PolicyFilesError {
    match error {
        DirectoryError::File(error) => of_file(error),
        DirectoryError::NotADirectory { found, .. } => PolicyFilesError::NotAFile(found),
        other => PolicyFilesError::Failed(Untrusted::new(&other.to_string())),
    }
}

fn of_file(error: FileError) -> PolicyFilesError {
    match error {
        FileError::Io { error, .. } if error.kind() == std::io::ErrorKind::NotFound => PolicyFilesError::Absent,
        FileError::Io { error, .. } => PolicyFilesError::Failed(Untrusted::new(&error.to_string())),
        FileError::NotAFile { found, .. } => PolicyFilesError::NotAFile(found),
        FileError::TooLarge { limit, .. } => PolicyFilesError::TooLarge { limit },
        other => PolicyFilesError::Failed(Untrusted::new(&other.to_string())),
    }
}
