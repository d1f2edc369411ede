//! `PolicySet`: the policy files of the command line, loaded with the files that they name.

use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use bulla::files;
use bulla::files::Accept;
use bulla::files::FileError;
use bulla::limits::Limits;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::report::CheckResult;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::text::Untrusted;
use bulla::time::Time;

use super::args::PolicyArgs;
use super::exit::Failure;
use super::policy_reports::PolicyReports;

/// A policy file of the command line.
pub(super) struct PolicyEntry {
    /// The file, as typed.
    pub(super) file: String,
    pub(super) policy: LoadedPolicy,
}

/// The policy files of the command line, at least one: all must accept.
pub(super) struct PolicySet(Vec<PolicyEntry>);

impl PolicySet {
    /// Loads the files of `--policy`. What is wrong with one is added to `reports`, at its line.
    pub(super) fn load(
        args: &PolicyArgs,
        now: Time,
        limits: &Limits,
        reports: &mut PolicyReports<'_>,
    ) -> Result<Self, Failure> {
        let mut entries = Vec::new();
        for path in &args.policy {
            let file = path.display().to_string();
            let bytes = super::files::read(path, limits.yaml.bytes)?;
            let beside = FilesBeside { directory: path.parent().map(Path::to_owned).unwrap_or_default() };
            let policy = LoadedPolicy::load(&bytes, &beside, LoadOptions::new(now, limits));
            match policy {
                Ok(policy) => entries.push(PolicyEntry { file, policy }),
                Err(errors) => {
                    let errors: Vec<_> = errors.iter().cloned().collect();
                    reports.add_policy_errors(errors.iter().map(|error| check(&file, error)).collect());
                    return Err(failure(&file, &errors));
                }
            }
        }
        Ok(Self(entries))
    }

    pub(super) fn entries(&self) -> &[PolicyEntry] {
        &self.0
    }
}

/// What is wrong with a policy file, for reports.
fn check(file: &str, error: &PolicyFileError) -> RequirementCheck {
    let (code, message) = (error.problem.code(), error.problem.to_string());
    RequirementCheck {
        place: PolicyPlace {
            column: Some(error.position.column),
            file: file.to_owned(),
            line: Some(error.position.line),
        },
        requirement: "policy".to_owned(),
        result: CheckResult::Undetermined { code, message },
    }
}

/// A policy file with errors: could not tell about any image.
fn failure(file: &str, errors: &[PolicyFileError]) -> Failure {
    let message = match errors {
        [one] => format!("{file}:{one}"),
        several => format!("{file}: {} errors", several.len()),
    };
    let details = if errors.len() > 1 { errors } else { &[] };
    let hint = errors.iter().find_map(|error| error.problem.hint());
    let failure = Failure {
        code: "policy-file",
        details: details.iter().map(|error| format!("{file}:{error}")).collect(),
        ..Failure::unknown(message)
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint(format!("bulla policy check {file}")),
    }
}

/// The files in the directory of a policy file.
struct FilesBeside {
    directory: PathBuf,
}

impl PolicyFiles for FilesBeside {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        let mut whole = self.directory.clone();
        for segment in path.split('/') {
            whole.push(segment);
            // A link would lead out of the directory.
            if whole.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
                return Err(PolicyFilesError::NotAFile("a link"));
            }
        }
        files::read(&whole, limit, Accept::File).map_err(|error| match error {
            FileError::Io { error, .. } if error.kind() == ErrorKind::NotFound => PolicyFilesError::Absent,
            FileError::NotAFile { found, .. } => PolicyFilesError::NotAFile(found),
            FileError::TooLarge { .. } => PolicyFilesError::TooLarge { limit },
            other => PolicyFilesError::Failed(Untrusted::new(&other.to_string())),
        })
    }
}
