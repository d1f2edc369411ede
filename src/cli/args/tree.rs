//! The arguments of `tree`.

use clap::Args;

use super::certificates::CertificateArgs;
use super::key::TokenArgs;
use super::notation::NotationArgs;
use super::output::TreeOutput;
use super::policy::TreePolicyArgs;
use super::policy::excluded_from_tree;
use super::registry::RegistryArgs;

#[derive(Debug, Args)]
#[command(group(excluded_from_tree()))]
pub(in crate::cli) struct TreeArgs {
    /// The image
    #[arg(value_name = "REF")]
    pub(in crate::cli) reference: String,
    /// A public key: mark what it signed; a file, env:NAME, - or a pkcs11: URI, optionally with its owner's name; several may
    /// be given
    #[arg(long, value_name = "[OWNER=]PUB")]
    pub(in crate::cli) key: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) certificates: CertificateArgs,
    #[command(flatten)]
    pub(in crate::cli) notation: NotationArgs,
    #[command(flatten)]
    pub(in crate::cli) policy: TreePolicyArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: TreeOutput,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}
