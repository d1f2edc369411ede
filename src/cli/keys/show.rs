//! `key show`: which key a key is.

use serde_json::json;

use crate::cli::Exit;
use crate::cli::Failure;
use crate::cli::args::KeyShowArgs;
use crate::cli::args::Output;
use crate::cli::render;

use super::Named;
use super::public_of;

pub(super) fn show(args: &KeyShowArgs) -> Result<Exit, Failure> {
    let named = Named::parse(&args.key, args.keys.key_dir.as_deref())?;
    let (public, kind) = public_of(&named, &args.keys)?;
    let id = public.id();
    match args.output {
        Output::Json => render::json(&json!({
            "version": 1, "command": "key show", "kind": kind, "algorithm": public.algorithm().to_string(),
            "keyId": id.to_string(), "hint": id.hint(), "publicKey": public.to_pem(),
        })),
        Output::Text => render::table(&[
            ("kind".to_owned(), kind.to_owned()),
            ("algorithm".to_owned(), public.algorithm().to_string()),
            ("key id".to_owned(), id.to_string()),
            ("in base64".to_owned(), format!("{}  (the hint in Sigstore bundles)", id.hint())),
        ]),
    }
    Ok(Exit::Yes)
}
