//! The options that check the revocation status of certificates.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgGroup;
use clap::Args;

use super::duration;

/// The revocation evidence of the command line, and how it is judged.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("revocation_evidence").multiple(true)))]
pub(in crate::cli) struct RevocationArgs {
    /// CRLs (PEM or DER), OCSP responses (DER) and portable files of both, a file or a directory of them; several may be
    /// given. Without this option revocation is not checked
    #[arg(
        id = "revocation",
        long = "revocation",
        value_name = "FILE|DIR",
        group = "revocation_evidence",
        help_heading = "Certificates"
    )]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Require proof that certificates are not revoked also where they name no CRL and no OCSP responder
    #[arg(
        id = "revocation_required",
        long = "revocation-required",
        requires = "revocation_evidence",
        help_heading = "Certificates"
    )]
    pub(in crate::cli) required: bool,
    /// The longest time since a CRL or OCSP response was issued (30s, 5m, 12h)
    #[arg(id = "revocation_max_age", long = "revocation-max-age", value_name = "DURATION", value_parser = duration::parse, requires = "revocation_evidence", help_heading = "Certificates")]
    pub(in crate::cli) max_age: Option<Duration>,
    /// The certificate authorities keep expired certificates on their CRLs; otherwise a CRL from after the end of a
    /// certificate's validity proves nothing about it
    #[arg(
        id = "revocation_keeps_expired",
        long = "revocation-keeps-expired",
        requires = "revocation_evidence",
        help_heading = "Certificates"
    )]
    pub(in crate::cli) keeps_expired: bool,
    /// How long after its next update a CRL or OCSP response still counts (30s, 5m, 12h); by default it does not
    #[arg(id = "revocation_grace", long = "revocation-grace", value_name = "DURATION", value_parser = duration::parse, requires = "revocation_evidence", help_heading = "Certificates")]
    pub(in crate::cli) grace: Option<Duration>,
}
