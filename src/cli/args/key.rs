//! The arguments of the `key` commands, and the options that open a private key in any command.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use super::output::Output;
use super::pair::pair;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Write a key in another format
    Export(KeyExportArgs),
    /// Import a private key into an encrypted key file
    Import(KeyImportArgs),
    /// List the keys in a directory or on a token
    List(KeyListArgs),
    /// Generate a key pair: PREFIX.key and PREFIX.pub, or on a token
    New(KeyNewArgs),
    /// Show algorithm and key id
    Show(KeyShowArgs),
}

/// The options that open a private key in a file, on a token or behind a plugin.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeyArgs {
    #[command(flatten)]
    pub(in crate::cli) passphrase: PassphraseArgs,
    /// The directory of keys given by name: NAME is DIR/NAME, DIR/NAME.key or DIR/NAME.pem
    #[arg(long, value_name = "DIR", env = "BULLA_KEY_DIR", help_heading = "Keys")]
    pub(in crate::cli) key_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    #[command(flatten)]
    pub(in crate::cli) plugin: PluginArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PassphraseArgs {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE", help_heading = "Passphrase")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
    /// Read the passphrase from the first line of this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file", help_heading = "Passphrase")]
    pub(in crate::cli) passphrase_fd: Option<u32>,
}

#[derive(Debug, Default, Args)]
pub(in crate::cli) struct TokenArgs {
    /// The PKCS#11 module of the token, unless the URI names one
    #[arg(long, value_name = "FILE", env = "BULLA_PKCS11_MODULE", help_heading = "Tokens")]
    pub(in crate::cli) pkcs11_module: Option<PathBuf>,
    /// Read the PIN from the first line of this file [env: BULLA_PIN, the PIN itself]
    #[arg(long, value_name = "FILE", help_heading = "Tokens")]
    pub(in crate::cli) pin_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PluginArgs {
    /// The directory of installed plugins: DIR/NAME/notation-NAME
    #[arg(long, value_name = "DIR", env = "BULLA_PLUGIN_DIR", help_heading = "Plugins")]
    pub(in crate::cli) plugin_dir: Option<PathBuf>,
    /// Which key of the plugin
    #[arg(long, value_name = "ID", help_heading = "Plugins")]
    pub(in crate::cli) plugin_key_id: Option<String>,
    /// A setting of the plugin; not for secrets
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help_heading = "Plugins")]
    pub(in crate::cli) plugin_config: Vec<(String, String)>,
    /// An environment variable to pass to the plugin
    #[arg(long, value_name = "NAME", help_heading = "Plugins")]
    pub(in crate::cli) plugin_env: Vec<String>,
    /// Timeout for an answer of the plugin, in seconds
    #[arg(long, value_name = "N", default_value_t = 60, env = "BULLA_PLUGIN_TIMEOUT", help_heading = "Plugins")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(in crate::cli) plugin_timeout: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeyTypeArg {
    /// Ed25519
    Ed25519,
    /// ECDSA P-256
    #[default]
    P256,
    /// ECDSA P-384
    P384,
    /// ECDSA P-521, on tokens only
    P521,
    /// RSA with 2048 bits, on tokens only
    Rsa2048,
    /// RSA with 3072 bits, on tokens only
    Rsa3072,
    /// RSA with 4096 bits, on tokens only
    Rsa4096,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeyForm {
    /// Encrypted PKCS#8, which openssl reads
    EncryptedPkcs8,
    /// The public key, PEM
    Public,
    /// Unencrypted PKCS#8: anybody who reads the file can sign
    PlainPkcs8,
    /// The encrypted container of cosign
    Sigstore,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyListArgs {
    /// List the tokens and keys that match this pkcs11: URI, which may be just `pkcs11:`, instead of files
    #[arg(value_name = "URI")]
    pub(in crate::cli) uri: Option<String>,
    /// Ask for the PIN, and show the private keys too; a PIN that is given by other means does the same
    #[arg(long, requires = "uri", help_heading = "Tokens")]
    pub(in crate::cli) login: bool,
    /// The directory of the key files; by default the working directory [env: BULLA_KEY_DIR]
    #[arg(long, value_name = "DIR", conflicts_with = "uri", help_heading = "Keys")]
    pub(in crate::cli) key_dir: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyNewArgs {
    /// The algorithm
    #[arg(long = "type", value_enum, default_value_t)]
    pub(in crate::cli) kind: KeyTypeArg,
    /// Write PREFIX.key and PREFIX.pub [default: bulla]
    #[arg(short = 'o', long = "out", value_name = "PREFIX")]
    pub(in crate::cli) prefix: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// Generate the key on a token, which it cannot leave: a pkcs11: URI with `object`, the name of the key; only PREFIX.pub
    /// is written, and only with -o
    #[arg(long, value_name = "URI", help_heading = "Tokens")]
    pub(in crate::cli) pkcs11: Option<String>,
    /// Write the private key unencrypted: anybody who reads the file can sign
    #[arg(long, help_heading = "Passphrase", conflicts_with_all = ["passphrase_fd", "passphrase_file", "pkcs11"])]
    pub(in crate::cli) no_passphrase: bool,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    #[command(flatten)]
    pub(in crate::cli) passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyImportArgs {
    /// The private key, in any supported format: a file, env:NAME, or - for standard input
    pub(in crate::cli) file: String,
    /// Write PREFIX.key and PREFIX.pub
    #[arg(short = 'o', long = "out", value_name = "PREFIX", default_value = "imported")]
    pub(in crate::cli) prefix: PathBuf,
    /// Replace existing files
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// Read the passphrase of the imported file from the first line of this file; without this option the new
    /// passphrase is tried
    #[arg(long, value_name = "FILE", help_heading = "Passphrase")]
    pub(in crate::cli) old_passphrase_file: Option<PathBuf>,
    /// Write the private key unencrypted: anybody who reads the file can sign
    #[arg(long, help_heading = "Passphrase")]
    pub(in crate::cli) no_passphrase: bool,
    #[command(flatten)]
    pub(in crate::cli) passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyExportArgs {
    /// The key: a file, env:NAME, a pkcs11: URI, or plugin:NAME
    pub(in crate::cli) key: String,
    /// The format
    #[arg(long, value_enum, default_value = "public")]
    pub(in crate::cli) form: KeyForm,
    /// The file to write; a private key is never written to the terminal
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// Allow an empty passphrase in the encrypted forms: anybody who reads the file can sign
    #[arg(long, help_heading = "Passphrase")]
    pub(in crate::cli) no_passphrase: bool,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyShowArgs {
    /// The key: a public or private key file, env:NAME, a pkcs11: URI, or plugin:NAME
    pub(in crate::cli) key: String,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}
