//! The options for scanner reports, of `attest` and `request new`.

use std::path::PathBuf;

use bulla::time::Time;
use clap::Args;

use crate::cli::args::time;

#[derive(Debug, Args)]
pub(in crate::cli) struct ScannerArgs {
    /// The JSON report of trivy, grype or clair about this image: an attestation of the type vulns is made of it. With
    /// --all-platforms PLATFORM=FILE, one for each platform
    #[arg(long = "scanner-report", value_name = "FILE", requires = "references", help_heading = "Scanner reports")]
    pub(in crate::cli) scanner_report: Vec<String>,
    /// The output of trivy version --format json, which has the date of the vulnerability database
    #[arg(long, value_name = "FILE", requires = "scanner_report", help_heading = "Scanner reports")]
    pub(in crate::cli) scanner_db: Option<PathBuf>,
    /// When the scan ended, for a report without a time, as those of clair (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time::parse, requires = "scanner_report", help_heading = "Scanner reports")]
    pub(in crate::cli) scanned_at: Option<Time>,
    /// Attest a report without the date of the vulnerability database; no policy with a maximum age of it accepts that
    #[arg(long, requires = "scanner_report", conflicts_with = "scanner_db", help_heading = "Scanner reports")]
    pub(in crate::cli) no_database_date: bool,
}
