//! The options of keyless signatures: the trusted root, identities and OIDC issuers, and the log rule.

use clap::ArgAction;
use clap::Args;

/// The options of keyless signatures, whose certificates an authority such as Fulcio issues for each signature.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeylessArgs {
    /// The authorities and logs of keyless signatures: trusted_root.json (or one on each line), public-good or staging
    #[arg(long, value_name = "FILE|NAME", help_heading = "Keyless")]
    pub(in crate::cli) trusted_root: Option<String>,
    /// A trusted signer: a regular expression for the whole name in the certificate, ^…$; several may be given
    #[arg(long, value_name = "[OWNER=]REGEXP", group = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_identity_regexp: Vec<String>,
    /// Trust every name that the OIDC issuer has given: everybody with an account there
    #[arg(long, group = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_identity_any: bool,
    /// The OIDC issuer that must have authenticated the signer, a URL: for all identities that name none, or for those of an owner
    #[arg(long, value_name = "[OWNER=]URL", group = "issuer", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_oidc_issuer: Vec<String>,
    /// The same as a regular expression for the whole URL, ^…$
    #[arg(long, value_name = "[OWNER=]REGEXP", group = "issuer", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_oidc_issuer_regexp: Vec<String>,
    /// Trust every OIDC issuer that the certificate authority accepts
    #[arg(long, group = "issuer", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_oidc_issuer_any: bool,
    /// The name of the workflow of GitHub, as certificates state it, of every keyless identity
    #[arg(long, value_name = "NAME", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_github_workflow_name: Option<String>,
    /// The ref for which the workflow of GitHub ran: refs/heads/…, refs/tags/…
    #[arg(long, value_name = "GITREF", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_github_workflow_ref: Option<String>,
    /// The repository for which the workflow of GitHub ran: OWNER/REPO
    #[arg(long, value_name = "OWNER/REPO", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_github_workflow_repository: Option<String>,
    /// The commit for which the workflow of GitHub ran
    #[arg(long, value_name = "COMMIT", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_github_workflow_sha: Option<String>,
    /// The event that started the workflow of GitHub
    #[arg(long, value_name = "EVENT", requires = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_github_workflow_trigger: Option<String>,
    /// How many different transparency logs must have an entry about a signature [default: 1]
    #[arg(long, value_name = "N", requires = "trusted_root", help_heading = "Keyless")]
    pub(in crate::cli) transparency_logs: Option<u32>,
    /// How many different certificate logs must have promised to log the certificate (signed certificate timestamps)
    #[arg(long, value_name = "N", default_value_t = 1, requires = "trusted_root", help_heading = "Keyless")]
    pub(in crate::cli) certificate_logs: u32,
    /// How many different timestamp authorities must have signed a timestamp (RFC 3161) [default: 0]
    #[arg(long, value_name = "N", requires = "trusted_root", help_heading = "Keyless")]
    pub(in crate::cli) timestamps: Option<u32>,
    /// Without a verified time (a log entry or a timestamp), check the certificate at the time of the verification: for
    /// long-lived certificates
    #[arg(long, requires = "trusted_root", help_heading = "Keyless")]
    pub(in crate::cli) without_verified_time: bool,
    /// Signatures by --key need the log entries and timestamps, too
    #[arg(long, requires_all = ["trusted_root", "key"], help_heading = "Keyless")]
    pub(in crate::cli) logged_keys: bool,
    /// The spelling of cosign for --transparency-logs 0
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "true|false", conflicts_with = "transparency_logs", help_heading = "Keyless")]
    pub(in crate::cli) insecure_ignore_tlog: bool,
    /// The spelling of cosign for --certificate-logs 0
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "true|false", conflicts_with = "certificate_logs", help_heading = "Keyless")]
    pub(in crate::cli) insecure_ignore_sct: bool,
    /// The spelling of cosign for --timestamps 1
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "true|false", conflicts_with = "timestamps", help_heading = "Keyless")]
    pub(in crate::cli) use_signed_timestamps: bool,
}
