//! The certificate chains of `request new`, and what else the notary formats sign.

use std::path::Path;

use crate::cli::exit::Failure;
use crate::cli::request::args::RequestNewArgs;
use crate::cli::signing_chains;
use bulla::envelope::Forms;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::NotaryManifest;
use bulla::request::Keyholder;
use bulla::request::NotaryOptions;
use bulla::time::Time;
use bulla::x509::CertificateChain;

/// Reads the files of `--cert-chain` and verifies the chains for the signing time `now`. Each must be of a key of one of
/// `owners`, and of the owner whose name stands before it.
pub(super) fn read(
    args: &RequestNewArgs,
    forms: &Forms,
    owners: &[Keyholder],
    now: Time,
    limits: &Limits,
) -> Result<Vec<CertificateChain>, Failure> {
    let certificates = &args.certificates;
    let given =
        [("--expiry", certificates.expiry.is_some()), ("--notary-manifest", certificates.notary_manifest.is_some())];
    signing_chains::check_options(
        !certificates.cert_chain.is_empty(),
        &given,
        forms,
        args.signed_reference.as_deref(),
    )?;
    if args.attest_only && forms.has_certificate() {
        let failure = Failure::unknown("--attest-only: an attestation cannot have a notary format");
        return Err(failure.hint("--format bundle or tag"));
    }
    certificates.cert_chain.iter().map(|typed| chain(typed, forms, owners, now, limits)).collect()
}

/// What the notary formats sign besides the image and the annotations; `None` if none of them is asked for.
pub(super) fn options(args: &RequestNewArgs, forms: &Forms, now: Time) -> Result<Option<NotaryOptions>, Failure> {
    if !forms.has_certificate() {
        return Ok(None);
    }
    let manifest = args.certificates.notary_manifest.map(NotaryManifest::from).unwrap_or_default();
    let expiry = signing_chains::expiry(args.certificates.expiry, now)?;
    Ok(Some(NotaryOptions { expiry, manifest, signing_time: now }))
}

/// One chain, written `FILE` or `OWNER=FILE` with the name of one of `owners`.
fn chain(
    typed: &str,
    forms: &Forms,
    owners: &[Keyholder],
    now: Time,
    limits: &Limits,
) -> Result<CertificateChain, Failure> {
    let named = owners.iter().find_map(|owner| Some((owner, typed.strip_prefix(&owner.name)?.strip_prefix('=')?)));
    let file = named.map_or(typed, |(_, file)| file);
    let chain = signing_chains::chain(Path::new(file), forms, now, limits)?;
    let is_of = |owner: &&Keyholder| owner.keys.iter().any(|key| PublicKey::id(key) == chain.key().id());
    let (found, whose) = match named {
        Some((owner, _)) => (is_of(&owner), format!("of none of the keys of {}", owner.name)),
        None => (owners.iter().any(|owner| is_of(&owner)), "of none of the keys that are asked".to_owned()),
    };
    match found {
        true => Ok(chain),
        false => Err(Failure::unknown(format!("{file}: the certificate {} is {whose}", chain.label()))),
    }
}
