//! A key argument on the command line: a path, a name in a directory, `env:NAME`, `-`, a `pkcs11:` URI, `plugin:NAME`.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use bulla::key::file;
use bulla::limits::Limits;

use crate::cli::exit::Failure;
use crate::cli::files;

use super::directory;
use super::failure::to_failure;
use super::unsupported;

/// The location of a key. URIs and plugin names are not parsed yet: the code that opens the key does that.
#[derive(Debug)]
pub(super) enum KeyArgument {
    File(PathBuf),
    Plugin(String),
    /// Standard input.
    Stdin,
    /// A `pkcs11:` URI. It is never printed, because it may hold a PIN.
    Token(String),
    Variable(String),
}

impl KeyArgument {
    /// Parses `key`. With a `directory`, an argument without a slash is the name of a key in it.
    pub(super) fn parse(key: &str, directory: Option<&Path>) -> Result<Self, Failure> {
        // cosign writes env://NAME.
        if let Some(name) = key.strip_prefix("env://").or_else(|| key.strip_prefix("env:")) {
            return Ok(Self::Variable(name.to_owned()));
        }
        if key.is_empty() {
            return Err(Failure::unknown("an empty text names no key (is a variable not set?)"));
        }
        if key == "-" {
            return Ok(Self::Stdin);
        }
        if key.starts_with("pkcs11:") {
            return Ok(Self::Token(key.to_owned()));
        }
        if let Some(plugin) = key.strip_prefix("plugin:") {
            return Ok(Self::Plugin(plugin.to_owned()));
        }
        if let Some(failure) = unsupported::refuse(key) {
            return Err(failure);
        }
        match directory {
            Some(directory) if !key.contains('/') => in_directory(key, directory),
            _ => Ok(Self::File(PathBuf::from(key))),
        }
    }

    /// Reads the key from a file, an environment variable or standard input.
    pub(super) fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::File(path) => file::read(path, &Limits::DEFAULT).map_err(to_failure),
            Self::Stdin => {
                files::take_standard_input()?;
                file::read_from(&mut std::io::stdin().lock(), Path::new("-"), &Limits::DEFAULT).map_err(to_failure)
            }
            Self::Variable(name) => files::variable(name)
                .ok_or_else(|| Failure::unknown(format!("env:{name}: the environment variable is not set"))),
            Self::Plugin(_) | Self::Token(_) => Err(Failure::unknown(format!("{self}: the key is not in a file"))),
        }
    }
}

impl fmt::Display for KeyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Plugin(_) => f.write_str("the key of the plugin"),
            Self::Stdin => f.write_str("standard input"),
            Self::Token(_) => f.write_str("the key on the token"),
            Self::Variable(name) => write!(f, "env:{name}"),
        }
    }
}

fn in_directory(name: &str, directory: &Path) -> Result<KeyArgument, Failure> {
    let candidates = [name.to_owned(), format!("{name}.key"), format!("{name}.pem")];
    let found = candidates.iter().map(|file| directory.join(file)).find(|path| path.is_file());
    if let Some(path) = found.filter(|_| !name.is_empty() && !name.starts_with('.')) {
        return Ok(KeyArgument::File(path));
    }
    let mut failure = Failure::unknown(format!("{}: there is no key `{name}`", directory.display()));
    failure.details = directory::names(directory)?;
    Err(failure.hint(format!("give a key that is not in this directory as a path with a slash: ./{name}")))
}
