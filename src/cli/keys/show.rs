//! The command `key show`: the algorithm and the id of a key.

use bulla::report::KeyReport;

use crate::cli::args::KeyShowArgs;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::render;

use super::argument::KeyArgument;
use super::open::public_of;

pub(super) fn show(args: &KeyShowArgs) -> Result<Exit, Failure> {
    let named = KeyArgument::parse(&args.key, args.keys.key_dir.as_deref())?;
    let (public, kind) = public_of(&named, &args.keys)?;
    let id = public.id();
    match args.output {
        Output::Json => render::report(&KeyReport::of(kind, &public)),
        Output::Text => render::table(&[
            ("kind".to_owned(), kind.to_owned()),
            ("algorithm".to_owned(), public.algorithm().to_string()),
            ("key id".to_owned(), id.to_string()),
            ("in base64".to_owned(), format!("{}  (the hint in Sigstore bundles)", id.hint())),
        ]),
    }
    Ok(Exit::Yes)
}
