//! The command `trust new`: writes a trusted root for own authorities and logs.

use std::path::Path;
use std::path::PathBuf;

use bulla::files::Overwrite;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::sigstore::AuthorityDraft;
use bulla::trust::sigstore::LogDraft;
use bulla::trust::sigstore::TrustedRoot;
use bulla::trust::sigstore::TrustedRootDraft;
use bulla::x509::Certificate;

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::render;
use crate::cli::trusted_root::args::LogArgument;
use crate::cli::trusted_root::args::TrustNewArgs;

pub(super) fn new(args: &TrustNewArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
    let keys = args.log.iter().map(|log| (&log.key, "the public key of a log"));
    let certificates = args.ca.iter().chain(&args.tsa).map(|path| (path, "a certificate that is to be trusted"));
    files::replaces_none(&args.out, certificates.chain(keys))?;
    files::writable(&args.out, overwrite)?;
    let authorities = |paths: &[PathBuf]| {
        let read = |path: &PathBuf| authority(path, args.valid_from, &limits);
        paths.iter().map(read).collect::<Result<Vec<_>, Failure>>()
    };
    let log = |argument: &LogArgument| log(argument, args.valid_from.unwrap_or(now), &limits);
    let draft = TrustedRootDraft {
        certificate_authorities: authorities(&args.ca)?,
        timestamp_authorities: authorities(&args.tsa)?,
        transparency_logs: args.log.iter().map(log).collect::<Result<_, _>>()?,
    };
    let json = draft.to_json().map_err(|error| Failure::unknown(error.to_string()))?;
    // What cannot be read again is not written.
    let root = TrustedRoot::parse(&json, &limits).map_err(|error| Failure::unknown(error.to_string()))?;
    files::write(&args.out, &json, overwrite)?;
    render::line(format_args!(
        "wrote {}: {} certificate and {} timestamp authorities, {} logs",
        args.out.display(),
        root.certificate_authorities().len(),
        root.timestamp_authorities().len(),
        root.transparency_logs().len(),
    ));
    if let (Some(log), None) = (draft.transparency_logs.first(), args.valid_from) {
        render::note(format_args!(
            "note: logs are trusted from {} on; --valid-from TIME for signatures that were logged before",
            log.start
        ));
    }
    render::note(format_args!(
        "note: bulla trust show {} prints whom it trusts; compare the digests",
        args.out.display()
    ));
    Ok(Exit::Yes)
}

/// An authority with the certificates in a file, the root last. It is trusted from `start` on, or else from when its first
/// certificate is valid.
fn authority(path: &Path, start: Option<Time>, limits: &Limits) -> Result<AuthorityDraft, Failure> {
    let of_file = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
    let bytes = files::read(path, limits.envelope.bundle_bytes)?;
    let certificates = Certificate::parse_bundle(&bytes, limits).map_err(|error| of_file(error.to_string()))?;
    let anchor = certificates.iter().last().unwrap_or_else(|| certificates.first());
    let issued = |(one, issuer): (&Certificate, &Certificate)| one.issuer() == issuer.subject();
    if !certificates.iter().zip(certificates.iter().skip(1)).all(issued) {
        let failure = of_file("each certificate must be followed by that of its issuer".to_owned());
        return Err(failure.hint("one file for each authority, its root last"));
    }
    if !anchor.extensions().is_ca() {
        return Err(of_file("its last certificate is not that of a certificate authority".to_owned()));
    }
    let start = start.unwrap_or_else(|| certificates.first().not_before());
    Ok(AuthorityDraft { certificates, start })
}

fn log(argument: &LogArgument, start: Time, limits: &Limits) -> Result<LogDraft, Failure> {
    let LogArgument { key, url } = argument;
    let bytes = files::read(key, limits.envelope.bundle_bytes)?;
    let (public, _) =
        PublicKey::read(&bytes, limits).map_err(|error| Failure::unknown(format!("{}: {error}", key.display())))?;
    Ok(LogDraft { key: public, start, url: url.clone() })
}
