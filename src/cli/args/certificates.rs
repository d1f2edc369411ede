//! The options that trust certificates: certificate authorities, timestamp authorities, identities.

use std::path::PathBuf;

use clap::Args;

/// The options that trust certificates of signers.
#[derive(Debug, Args)]
pub(in crate::cli) struct CertificateArgs {
    /// The certificates that signers' chains must lead to, PEM or DER; several may be given
    #[arg(long, value_name = "FILE", requires = "certificate_identity", help_heading = "Certificates")]
    pub(in crate::cli) ca_roots: Vec<PathBuf>,
    /// The same for signing authorities, which also state the time (notary.x509.signingAuthority)
    #[arg(long, value_name = "FILE", requires = "certificate_identity", help_heading = "Certificates")]
    pub(in crate::cli) signing_authority_roots: Vec<PathBuf>,
    /// The certificates of timestamp authorities (RFC 3161), PEM or DER; a timestamp keeps an expired certificate good
    #[arg(long, value_name = "FILE", requires = "certificate_identity", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// A trusted signer: CN=… or other attributes, dns:…, email:…, uri:…, perhaps with an owner's name; several may be
    /// given
    #[arg(long, value_name = "[OWNER=]NAMES", help_heading = "Certificates")]
    pub(in crate::cli) certificate_identity: Vec<String>,
}
