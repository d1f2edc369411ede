//! The options that verify by policy files, and the reports about them.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::ValueEnum;

use crate::cli::policy::args::PolicyTrustArgs;

/// The options of a verification by policy files.
#[derive(Debug, Args)]
#[command(mut_arg("policy_key", |arg| arg.requires("policy")))]
#[command(mut_arg("policy_digest", |arg| arg.requires("policy")))]
pub(in crate::cli) struct PolicyArgs {
    /// A policy, which says whom to trust and what is required: a file, or what policy push pushed (oci:DIR:NAME,
    /// HOST/REPOSITORY@DIGEST); of several, all must accept
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(in crate::cli) policy: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) trust: PolicyTrustArgs,
    /// The name by which the policy judges an image in a layout or archive: HOST/REPOSITORY
    #[arg(long = "as", value_name = "NAME", requires = "policy", help_heading = "Policy")]
    pub(in crate::cli) judged_as: Option<String>,
    /// Write a report for other programs beside the output: sarif=FILE or junit=FILE; several may be given
    #[arg(long, value_name = "FORM=FILE", value_parser = report_file, requires = "policy", help_heading = "Policy")]
    pub(in crate::cli) report: Vec<ReportFile>,
    /// Print annotations about the policy file on standard error, as workflow commands
    #[arg(long, value_name = "FORM", value_enum, requires = "policy", help_heading = "Policy")]
    pub(in crate::cli) annotate: Option<AnnotationForm>,
}

/// The options of `tree` that mark evidence by policy files.
#[derive(Clone, Debug, Args)]
#[command(mut_arg("policy_key", |arg| arg.requires("policy")))]
#[command(mut_arg("policy_digest", |arg| arg.requires("policy")))]
pub(in crate::cli) struct TreePolicyArgs {
    /// A policy file: mark what counts for its requirements, and print its verdict; several may be given
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    policy: Vec<PathBuf>,
    #[command(flatten)]
    trust: PolicyTrustArgs,
    /// The name by which the policy judges an image in a layout or archive: HOST/REPOSITORY
    #[arg(long = "as", value_name = "NAME", requires = "policy", help_heading = "Policy")]
    judged_as: Option<String>,
}

impl TreePolicyArgs {
    /// The same without reports for other programs.
    pub(in crate::cli) fn without_reports(&self) -> PolicyArgs {
        let Self { policy, trust, judged_as } = self.clone();
        PolicyArgs { policy, trust, judged_as, report: Vec::new(), annotate: None }
    }
}

impl PolicyArgs {
    /// Whether policy files decide.
    pub(in crate::cli) const fn is_given(&self) -> bool {
        !self.policy.is_empty()
    }
}

/// A value of `--report`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct ReportFile {
    pub(in crate::cli) form: ReportForm,
    pub(in crate::cli) path: PathBuf,
}

/// The format of a report for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum ReportForm {
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

/// The value of `--annotate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AnnotationForm {
    /// Workflow commands of GitHub Actions
    Github,
}

/// The options that say whom to trust and what to require, as a policy file does, and `others`: they exclude `--policy` and
/// its options. Those must be excluded by themselves: clap does not require an argument that is excluded.
pub(in crate::cli) fn excluded(others: &[&'static str]) -> ArgGroup {
    let all = SAID_BY_POLICY.iter().chain(others).copied();
    ArgGroup::new("said_by_policy").args(all).multiple(true).conflicts_with_all(OF_POLICY)
}

/// The same for `tree`, which has fewer options.
pub(in crate::cli) fn excluded_from_tree() -> ArgGroup {
    let of_tree = |name: &&&str| !matches!(**name, "annotations" | "signed_reference" | "threshold");
    let of_policy = OF_POLICY.iter().filter(|name| !matches!(**name, "annotate" | "report"));
    ArgGroup::new("said_by_policy")
        .args(SAID_BY_POLICY.iter().filter(of_tree))
        .multiple(true)
        .conflicts_with_all(of_policy)
}

/// `--policy`, and what is nothing without it.
const OF_POLICY: &[&str] = &["annotate", "judged_as", "policy", "policy_digest", "policy_key", "report"];
/// What a policy file says itself.
const SAID_BY_POLICY: &[&str] = &[
    "annotations",
    "ca_roots",
    "certificate_github_workflow_name",
    "certificate_github_workflow_ref",
    "certificate_github_workflow_repository",
    "certificate_github_workflow_sha",
    "certificate_github_workflow_trigger",
    "certificate_identity",
    "certificate_identity_any",
    "certificate_identity_regexp",
    "certificate_logs",
    "certificate_oidc_issuer",
    "certificate_oidc_issuer_any",
    "certificate_oidc_issuer_regexp",
    "insecure_ignore_sct",
    "insecure_ignore_tlog",
    "key",
    "logged_keys",
    "scope",
    "signed_reference",
    "signing_authority_roots",
    "threshold",
    "timestamp_roots",
    "timestamps",
    "transparency_logs",
    "trust_policy",
    "trust_store",
    "trusted_root",
    "use_signed_timestamps",
    "without_verified_time",
];

/// Parses a value of `--report`.
fn report_file(text: &str) -> Result<ReportFile, String> {
    let wanted = || "sarif=FILE or junit=FILE is wanted".to_owned();
    let (form, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(wanted)?;
    let form = match form {
        "junit" => ReportForm::Junit,
        "sarif" => ReportForm::Sarif,
        _ => return Err(wanted()),
    };
    Ok(ReportFile { form, path: path.into() })
}
