//! The command `key export`: writes a key in another format.

use std::path::Path;

use zeroize::Zeroizing;

use bulla::files::Overwrite;
use bulla::key::Passphrase;
use bulla::key::file;

use crate::cli::args::KeyExportArgs;
use crate::cli::args::KeyForm;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::render;
use crate::cli::secret;
use crate::cli::secret::GivenPassphrase;

use super::argument::KeyArgument;
use super::failure::to_failure;
use super::failure::warn_unprotected;
use super::open::OpenedKey;
use super::open::open;
use super::open::opened_with;
use super::open::public_of;

pub(super) fn export(args: &KeyExportArgs) -> Result<Exit, Failure> {
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    let named = KeyArgument::parse(&args.key, args.keys.key_dir.as_deref())?;
    if let Some(path) = &args.out {
        files::replaces_none(path, opened_with(&args.keys))?;
    }
    if args.form == KeyForm::Public {
        if let (Some(path), KeyArgument::File(from)) = (&args.out, &named) {
            files::replaces_none(path, [(from, "the key that is to be exported")])?;
        }
        let (key, _) = public_of(&named, &args.keys)?;
        match &args.out {
            Some(path) => file::write_public(path, &key, overwrite).map_err(to_failure)?,
            None => render::text(&key.to_pem().lines().collect()),
        }
        return Ok(Exit::Yes);
    }
    if let KeyArgument::Plugin(_) | KeyArgument::Token(_) = named {
        return Err(Failure::unknown(format!("{named} does not leave it: only its public half is written"))
            .hint("leave --form out, or give --form public"));
    }
    let Some(path) = &args.out else {
        return Err(Failure::unknown("a private key is not written to the terminal").hint("give -o FILE"));
    };
    let opened = open(&named, || secret::existing(&args.keys.passphrase, &named.to_string()))?;
    let pem = match args.form {
        KeyForm::EncryptedPkcs8 => {
            Zeroizing::new(opened.key.to_encrypted_pkcs8_pem(&passphrase(&opened, args, path)?).map_err(to_failure)?)
        }
        KeyForm::Sigstore => {
            Zeroizing::new(opened.key.to_sigstore_pem(&passphrase(&opened, args, path)?).map_err(to_failure)?)
        }
        KeyForm::PlainPkcs8 | KeyForm::Public => opened.key.to_pkcs8_pem(),
    };
    file::write_private(path, &pem, overwrite).map_err(to_failure)?;
    if args.form == KeyForm::PlainPkcs8 {
        warn_unprotected(path);
    }
    Ok(Exit::Yes)
}

/// The passphrase of the new file: that of the old file, or a new one if the old file is not encrypted. An empty
/// passphrase needs `--no-passphrase`: some tools read the encrypted formats only.
fn passphrase(opened: &OpenedKey, args: &KeyExportArgs, path: &Path) -> Result<Passphrase, Failure> {
    let what = path.display().to_string();
    let without = "--form plain-pkcs8";
    let found = match &opened.passphrase {
        _ if args.no_passphrase => Passphrase::new([]),
        None => secret::new(&args.keys.passphrase, &what, without)?,
        Some(GivenPassphrase { passphrase, source, .. }) => {
            secret::not_empty(passphrase, source, &what, without)?;
            passphrase.clone()
        }
    };
    if found.is_empty() {
        render::note(format_args!(
            "warning: {what} has an empty passphrase, which protects nothing: anybody who reads it can sign"
        ));
    }
    Ok(found)
}
