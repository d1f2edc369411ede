//! `PolicySet`: the policy files of the command line, loaded with the files that they name.

use bulla::limits::Limits;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFileError;
use bulla::report::CheckResult;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::TrustRoot;

use super::args::PolicyArgs;
use super::args::RegistryArgs;
use super::args::TokenArgs;
use super::exit::Failure;
use super::policy::not_opened::NotOpened;
use super::policy::open::each_is_an_id;
use super::policy::open::open;
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
        (token, registry): (&TokenArgs, &RegistryArgs),
        now: Time,
        limits: &Limits,
        reports: &mut PolicyReports<'_>,
    ) -> Result<Self, Failure> {
        let mut entries = Vec::new();
        for path in &args.policy {
            let file = path.display().to_string();
            match open(path, &args.trust, (token, registry), now, limits) {
                Ok(policy) => entries.push(PolicyEntry { file, policy }),
                Err(NotOpened::Failed(failure)) => return Err(failure),
                Err(NotOpened::Faults(errors)) => {
                    reports.add_policy_errors(errors.iter().map(|error| check(&file, error)).collect());
                    return Err(failure(&file, &errors));
                }
            }
        }
        let ids: Vec<_> = entries.iter().map(|entry| entry.policy.id()).collect();
        each_is_an_id(&args.trust.policy_digest, &ids)?;
        Ok(Self(entries))
    }

    pub(super) fn entries(&self) -> &[PolicyEntry] {
        &self.0
    }

    /// The policies, each with its file as typed.
    pub(super) fn named(&self) -> Vec<(&str, &LoadedPolicy)> {
        self.0.iter().map(|entry| (entry.file.as_str(), &entry.policy)).collect()
    }

    /// The identities of all policies.
    pub(super) fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.0.iter().filter_map(|entry| entry.policy.trust()).flat_map(TrustRoot::identities)
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
    let hint = errors.first().map(|error| error.problem.hint());
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
