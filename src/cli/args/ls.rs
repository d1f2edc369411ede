//! The arguments of `ls`.

use clap::Args;

use super::Output;
use super::RegistryArgs;

#[derive(Debug, Args)]
pub(in crate::cli) struct LsArgs {
    /// A layout, an archive or a repository
    #[arg(value_name = "REF")]
    pub(in crate::cli) reference: String,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}
