//! `key export`: a key in another form.

use zeroize::Zeroizing;

use crate::key::file;
use crate::key::file::Overwrite;

use crate::cli::Exit;
use crate::cli::Failure;
use crate::cli::args::KeyExportArgs;
use crate::cli::args::KeyForm;
use crate::cli::render;
use crate::cli::secret;

use super::Named;
use super::private;
use super::public_of;
use super::told;

pub(super) fn export(args: &KeyExportArgs) -> Result<Exit, Failure> {
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    let named = Named::parse(&args.key, args.keys.key_dir.as_deref())?;
    if args.form == KeyForm::Public {
        let key = public_of(&named, &args.keys)?;
        match &args.out {
            Some(path) => file::write_public(path, &key, overwrite).map_err(told)?,
            None => render::text(&key.to_pem().lines().collect()),
        }
        return Ok(Exit::Yes);
    }
    if let Named::Plugin(_) | Named::Token(_) = named {
        return Err(Failure::unknown(format!("{named} does not leave it: only its public half is written"))
            .hint("leave --form out, or give --form public"));
    }
    let Some(path) = &args.out else {
        return Err(Failure::unknown("a private key is not written to the terminal").hint("give -o FILE"));
    };
    let key = private(&named, &args.keys.passphrase)?;
    // The new file has the passphrase of the old one.
    let passphrase = || secret::existing(&args.keys.passphrase, &args.key);
    let pem = match args.form {
        KeyForm::EncryptedPkcs8 => Zeroizing::new(key.to_encrypted_pkcs8_pem(&passphrase()?).map_err(told)?),
        KeyForm::Sigstore => Zeroizing::new(key.to_sigstore_pem(&passphrase()?).map_err(told)?),
        KeyForm::PlainPkcs8 | KeyForm::Public => key.to_pkcs8_pem(),
    };
    file::write_private(path, &pem, overwrite).map_err(told)?;
    if args.form == KeyForm::PlainPkcs8 {
        render::note(format_args!("warning: {} is not encrypted: whoever reads it can sign", path.display()));
    }
    Ok(Exit::Yes)
}
