//! Stands in for `token.rs` in a build without the feature `pkcs11`: every function fails.

use bulla::key::PublicKey;
use bulla::key::Signer;
use bulla::report::TokenKeyResult;

use crate::cli::args::KeyListArgs;
use crate::cli::args::KeyTypeArg;
use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::render::Rows;

pub(super) fn signer(_: &str, args: &TokenArgs) -> Result<Box<dyn Signer>, Failure> {
    Err(none(args))
}

pub(super) fn public(_: &str, args: &TokenArgs) -> Result<PublicKey, Failure> {
    Err(none(args))
}

pub(super) fn new(_: &str, _: KeyTypeArg, args: &TokenArgs) -> Result<(PublicKey, Rows), Failure> {
    Err(none(args))
}

pub(super) fn list(_: &str, args: &KeyListArgs) -> Result<(Rows, Vec<TokenKeyResult>), Failure> {
    let _ = args.login;
    Err(none(&args.token))
}

fn none(args: &TokenArgs) -> Failure {
    let TokenArgs { pkcs11_module: _, pin_file: _ } = args;
    Failure::unknown("this program was built without PKCS#11: a static one cannot load the module of a token").hint(
        "take bulla or bulla-signer for glibc, whose name does not end in -static; from source: --features pkcs11",
    )
}
