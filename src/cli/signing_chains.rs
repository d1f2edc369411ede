//! The certificate chains of `sign`, and the identities that they make of keys.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use bulla::envelope::Forms;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::SigningIdentity;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificateChain;

use super::args::SignArgs;
use super::exit::Failure;
use super::files;

/// How to give a certificate chain.
pub(super) const CHAIN_HINT: &str = "--cert-chain FILE: the certificate of the key, then its issuers, up to the root";

/// The keys that the notary formats allow.
pub(super) const KEY_HINT: &str = "a key of RSA with 2048, 3072 or 4096 bits, or of ECDSA on P-256, P-384 or P-521";

/// A certificate chain, and the file that it was read from.
pub(super) type ChainFile = (PathBuf, CertificateChain);

/// Reads the files of `--cert-chain` and verifies the chains for the signing time `now`, before any key is opened.
/// Checks that each option fits the formats.
pub(super) fn read(args: &SignArgs, forms: &Forms, now: Time, limits: &Limits) -> Result<Vec<ChainFile>, Failure> {
    let certificates = &args.certificates;
    let given =
        [("--expiry", certificates.expiry.is_some()), ("--notary-manifest", certificates.notary_manifest.is_some())];
    check_options(!certificates.cert_chain.is_empty(), &given, forms, args.signed_reference.as_deref())?;
    read_files(&certificates.cert_chain, forms, now, limits)
}

/// The same for a command whose formats need no certificates.
pub(super) fn read_files(
    paths: &[PathBuf],
    forms: &Forms,
    now: Time,
    limits: &Limits,
) -> Result<Vec<ChainFile>, Failure> {
    paths.iter().map(|path| Ok((path.clone(), chain(path, forms, now, limits)?))).collect()
}

/// Checks that there are certificates for formats that need them, and that the options `given` of the notary formats and
/// `--signed-reference` fit the formats.
pub(super) fn check_options(
    has_chain: bool,
    given: &[(&str, bool)],
    forms: &Forms,
    name: Option<&str>,
) -> Result<(), Failure> {
    if !forms.has_certificate() {
        return match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((option, _)) => {
                Err(Failure::unknown(format!("{option} is for the notary formats")).hint("--format notary-jws"))
            }
        };
    }
    if !has_chain {
        return Err(Failure::unknown("the notary formats need the certificate chain of the key").hint(CHAIN_HINT));
    }
    if name.is_some() && forms.iter().all(|form| !form.signs_names()) {
        let failure = Failure::unknown("--signed-reference: the notary formats have no place for a name");
        return Err(failure.hint("-a KEY=VALUE signs any text along with the digest; or --format bundle,notary-jws"));
    }
    Ok(())
}

/// Reads a file of `--cert-chain` and verifies the chain by the rules of each format, for the signing time `now`.
pub(super) fn chain(path: &Path, forms: &Forms, now: Time, limits: &Limits) -> Result<CertificateChain, Failure> {
    let of_file = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
    let bytes = files::read(path, limits.envelope.bundle_bytes)?;
    let certificates = Certificate::parse_bundle(&bytes, limits).map_err(|error| of_file(error.to_string()))?;
    forms.verify_chain(&certificates, now, limits).map_err(|error| {
        let profile = if forms.has_certificate() { "" } else { " --profile sigstore" };
        let lint = format!("bulla cert lint {}{profile}   # every rule that it breaks", path.display());
        of_file(error.to_string()).hint(lint)
    })
}

/// The identities of `signers`, each with the chain of its key where chains are given.
pub(super) fn identities<'a>(
    signers: &'a [Box<dyn Signer>],
    chains: &'a [ChainFile],
    forms: &Forms,
) -> Result<Vec<SigningIdentity<'a>>, Failure> {
    let argument = |error: String| Failure::unknown(error);
    let identity = |signer: &'a dyn Signer| {
        let key = signer.public_key();
        if forms.has_certificate() {
            NotaryAlgorithm::of_key(key)
                .map_err(|error| argument(format!("key {}: {error}", key.id().short())).hint(KEY_HINT))?;
        }
        let own = chains.iter().find(|(_, chain)| chain.key().id() == key.id());
        match (own, chains) {
            (None, []) => Ok(SigningIdentity::new(signer)),
            (Some((_, chain)), _) => {
                SigningIdentity::with_chain(signer, chain).map_err(|error| argument(error.to_string()))
            }
            // With one chain alone, it is the one that was meant.
            (None, [(path, chain)]) => {
                let error = SigningIdentity::with_chain(signer, chain).map(drop);
                let error = error.map_or_else(|error| error.to_string(), |()| "it is of another key".to_owned());
                Err(argument(format!("{}: {error}", path.display())))
            }
            (None, _) => Err(argument(format!("none of the certificate chains is of the key {}", key.id().short()))),
        }
    };
    let identities: Vec<_> = signers.iter().map(|signer| identity(signer.as_ref())).collect::<Result<_, _>>()?;
    let is_used = |chain: &CertificateChain| signers.iter().any(|signer| signer.public_key().id() == chain.key().id());
    match chains.iter().find(|(_, chain)| !is_used(chain)) {
        Some((path, chain)) => {
            Err(argument(format!("{}: the certificate {} is of none of the keys", path.display(), chain.label())))
        }
        None => Ok(identities),
    }
}

/// The end of the validity of signatures that are made `now`.
pub(super) fn expiry(validity: Option<Duration>, now: Time) -> Result<Option<Time>, Failure> {
    let Some(validity) = validity else { return Ok(None) };
    let seconds = i64::try_from(validity.as_secs()).ok();
    let end = seconds.and_then(|seconds| now.unix().checked_add(seconds)).and_then(Time::from_unix);
    end.map(Some).ok_or_else(|| Failure::unknown("--expiry: it ends after the year 9999"))
}
