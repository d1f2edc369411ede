//! The command `cert csr`: a request to a certificate authority, for any key that signs.

use bulla::envelope::NotaryAlgorithm;
use bulla::files::Overwrite;
use bulla::x509::CertificationRequest;
use bulla::x509::GeneralName;
use bulla::x509::Name;
use bulla::x509::NameError;
use bulla::x509::Purpose;

use crate::cli::args::CertCsrArgs;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::render;

pub(super) fn csr(args: &CertCsrArgs) -> Result<Exit, Failure> {
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    let subject = subject(&args.subject)?;
    let names = args.san.iter().map(|name| GeneralName::parse(name)).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|error| Failure::unknown(format!("--san: {error}")))?;
    if let Some(path) = &args.out {
        files::replaces_none(path, keys::files_of(&args.key, &args.keys)?)?;
        files::writable(path, overwrite)?;
    }
    let signers = keys::signers(std::slice::from_ref(&args.key), &args.keys)?;
    let Some(signer) = signers.first() else { return Err(Failure::unknown("no key was given")) };
    let purpose = Purpose::from(args.purpose);
    let request = CertificationRequest::make(&subject, &names, purpose, signer.as_ref())
        .map_err(|error| Failure::unknown(error.to_string()))?;
    let key = request.key();
    if purpose == Purpose::Signing && NotaryAlgorithm::of_key(key).is_err() {
        render::note(format_args!("note: the notary formats have no algorithm for a key of {}", key.algorithm()));
    }
    match &args.out {
        None => render::text(&request.to_pem().lines().collect()),
        Some(path) => {
            files::write(path, request.to_pem().as_bytes(), overwrite)?;
            render::table(&[
                ("request".to_owned(), path.display().to_string()),
                ("subject".to_owned(), Foreign(request.subject()).to_string()),
                ("algorithm".to_owned(), key.algorithm().to_string()),
                ("key id".to_owned(), key.id().to_string()),
            ]);
        }
    }
    Ok(Exit::Yes)
}

/// The distinguished name of `--subject`.
pub(super) fn subject(text: &str) -> Result<Name, Failure> {
    Name::parse(text).map_err(|error: NameError| {
        Failure::unknown(format!("--subject: {error}")).hint("--subject 'CN=release,O=Example,C=US' (RFC 4514)")
    })
}
