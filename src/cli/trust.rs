//! The trust root of the command line: pinned keys with their owners, and identities of certificates.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::report::ReportedTrustedRoot;
use bulla::time::Time;
use bulla::trust::CertificateMeans;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::IdentityPattern;
use bulla::x509::PatternError;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::args::CertificateArgs;
use super::args::TokenArgs;
use super::exit::Failure;
use super::files;
use super::keyless::KeylessOptions;
use super::keyless::KeylessTrust;
use super::keys;

/// Whom the command line trusts.
pub(super) struct CommandTrust {
    pub(super) root: TrustRoot,
    /// The value of `--trusted-root`, for reports.
    pub(super) trusted_root: Option<Box<ReportedTrustedRoot>>,
}

/// The trust root of `--key`, `--ca-roots` and `--certificate-identity`: keys first, then certificates, in their order.
pub(super) fn trust_root(
    keys: &[String],
    certificates: &CertificateArgs,
    token: &TokenArgs,
    now: Time,
    limits: &Limits,
) -> Result<CommandTrust, Failure> {
    check_named(certificates)?;
    let options = certificates.keyless_options();
    let keyless = KeylessTrust::read(&options, now, limits)?;
    certificates.signers(keys).check(&certificates.keyless)?;
    let pinned = pinned_identities(keys, token)?;
    let certified = identities(certificates, limits)?;
    combined(pinned, certified, keyless.as_ref(), &options)
}

/// The trust root of `--key` and of keyless identities, for files.
pub(super) fn trust_root_of_files(
    keys: &[String],
    options: &KeylessOptions<'_>,
    token: &TokenArgs,
    now: Time,
    limits: &Limits,
) -> Result<CommandTrust, Failure> {
    let keyless = KeylessTrust::read(options, now, limits)?;
    options.signers(keys).check(options.args)?;
    combined(pinned_identities(keys, token)?, Vec::new(), keyless.as_ref(), options)
}

/// All identities, in the order of their kinds. With `--logged-keys` the logs must vouch for the pinned keys, too.
fn combined(
    pinned: Vec<Identity>,
    certified: Vec<Identity>,
    keyless: Option<&KeylessTrust>,
    options: &KeylessOptions<'_>,
) -> Result<CommandTrust, Failure> {
    let pinned = match keyless {
        Some(keyless) if options.args.logged_keys => keyless.logged(pinned)?,
        _ => pinned,
    };
    let identities = keyless.map(|keyless| keyless.identities(options)).transpose()?.unwrap_or_default();
    let root = TrustRoot::new(pinned.into_iter().chain(certified).chain(identities))
        .map_err(|error| Failure::unknown(error.to_string()))?;
    Ok(CommandTrust { root, trusted_root: keyless.map(|keyless| Box::new(keyless.reported().clone())) })
}

/// The identities of `--key`.
fn pinned_identities(keys: &[String], token: &TokenArgs) -> Result<Vec<Identity>, Failure> {
    let owned = keys.iter().map(|key| owner_of(key)).collect::<Result<Vec<_>, _>>()?;
    let (owners, keys): (Vec<_>, Vec<_>) = owned.into_iter().unzip();
    let keys = keys::public_keys(&keys, token)?;
    let owner = |(owner, key): (Option<&str>, PublicKey)| match owner {
        Some(name) => (Owner::Named(name.to_owned()), key),
        None => (Owner::Key(key.id()), key),
    };
    Ok(Identity::of_keys(owners.into_iter().zip(keys).map(owner)))
}

/// The owner before a key, `OWNER=PUB`. A path or URI with a `=` has a `/`, `.` or `:` before it, and no owner.
pub(super) fn owner_of(text: &str) -> Result<(Option<&str>, String), Failure> {
    let plain = |name: &str| !name.is_empty() && !name.contains(['/', ':', '.', '\\']);
    let Some((name, key)) = text.split_once('=').filter(|(name, _)| plain(name)) else {
        return Ok((None, text.to_owned()));
    };
    if Path::new(text).exists() {
        let failure = Failure::unknown(format!("--key {text}: a file has this name, so `{name}` may not be an owner"));
        return Err(failure.hint(format!("--key ./{text}   for the file")));
    }
    match name == name.trim() && !name.chars().any(char::is_control) {
        true => Ok((Some(name), key.to_owned())),
        false => Err(Failure::unknown(format!("--key {text}: the owner begins or ends with a space"))),
    }
}

/// The identities of `--certificate-identity`. Without an owner's name, the names of the certificate are it.
fn identities(args: &CertificateArgs, limits: &Limits) -> Result<Vec<Identity>, Failure> {
    let anchors = anchors(args, limits)?;
    let is_signer = |anchor: &Anchor| matches!(anchor.purpose, Purpose::Signing | Purpose::SigningAuthority);
    if !args.has_authority_identity() {
        return match anchors.is_empty() {
            true => Ok(Vec::new()),
            false => Err(unused(args)),
        };
    }
    if !anchors.iter().any(is_signer) {
        let failure = Failure::unknown("--certificate-identity needs the certificate authorities of the signers");
        return Err(failure.hint("--ca-roots FILE, or --trusted-root FILE for keyless signatures"));
    }
    let mut identities = Vec::new();
    let mut before: Vec<(&str, Owner, IdentityPattern)> = Vec::new();
    for text in args.certificate_identity.iter().filter(|text| !args.is_for_keyless(text)) {
        let (owner, names) = IdentityPattern::parse_owned(text).map_err(|error| unread_identity(text, &error))?;
        let owner = Owner::Named(owner.unwrap_or(text).to_owned());
        // A certificate belongs to the first identity that it fits.
        if let Some((first, ..)) = before.iter().find(|(_, other, known)| *other != owner && known.covers(&names)) {
            let message =
                format!("--certificate-identity {text}: its certificates belong to `{first}`, which stands first");
            return Err(Failure::unknown(message).hint(format!("--certificate-identity {text} first")));
        }
        before.push((text, owner.clone(), names.clone()));
        let means = CertificateMeans::new(Arc::clone(&anchors), names, Profile::NOTARY);
        identities.push(Identity::new(owner, Means::Certificates(means)));
    }
    Ok(identities)
}

/// The failure for names that cannot be read. An attribute without a short name is taken for an owner.
fn unread_identity(text: &str, error: &PatternError) -> Failure {
    let failure = Failure::unknown(format!("--certificate-identity {text}: {error}"));
    match IdentityPattern::split_owner(text) {
        Ok((Some(owner), _)) => failure.hint(format!(
            "`{owner}` is read as an owner; an attribute without a short name is written with its number: 2.5.4.5=TEXT"
        )),
        Ok((None, _)) | Err(_) => failure,
    }
}

/// Checks that signers are named where certificates of authorities are given: nobody counts by an authority alone.
fn check_named(args: &CertificateArgs) -> Result<(), Failure> {
    let names = "--certificate-identity CN=NAME,O=ORGANIZATION";
    match args.roots_option() {
        Some(option) if !args.has_identity() => Err(match option {
            "--timestamp-roots" => {
                Failure::unknown("--timestamp-roots needs the certificate authorities and the names of signers")
                    .hint(format!("--ca-roots FILE {names}"))
            }
            _ => Failure::unknown(format!("{option} needs the names of signers")).hint(names),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The failure for certificates that no identity is for.
fn unused(args: &CertificateArgs) -> Failure {
    match args.ca_roots.is_empty() && args.signing_authority_roots.is_empty() {
        true => {
            let message =
                "--timestamp-roots is for signatures with certificates of --ca-roots, and no identity is for them";
            Failure::unknown(message)
                .hint("leave it out: --trusted-root names the timestamp authorities of keyless signatures")
        }
        false => {
            let message =
                "--ca-roots needs the names of signers: each identity is for the keyless signatures of --trusted-root";
            Failure::unknown(message).hint("--certificate-identity CN=NAME,O=ORGANIZATION")
        }
    }
}

fn anchors(args: &CertificateArgs, limits: &Limits) -> Result<Arc<[Anchor]>, Failure> {
    let files = [
        (&args.ca_roots, Purpose::Signing),
        (&args.signing_authority_roots, Purpose::SigningAuthority),
        (&args.timestamp_roots, Purpose::TimeStamping),
    ];
    anchors_of(&files, limits)
}

/// The certificates of these files, each an anchor for one purpose.
pub(super) fn anchors_of(files: &[(&Vec<PathBuf>, Purpose)], limits: &Limits) -> Result<Arc<[Anchor]>, Failure> {
    let mut anchors = Vec::new();
    for (files, purpose) in files {
        for path in *files {
            let certificates = certificates(path, limits)?;
            anchors.extend(certificates.into_iter().map(|certificate| Anchor { certificate, purpose: *purpose }));
        }
    }
    Ok(anchors.into())
}

/// Reads the certificates of a file, at least one.
pub(super) fn certificates(path: &Path, limits: &Limits) -> Result<Vec<Certificate>, Failure> {
    let bytes = files::read(path, limits.envelope.bundle_bytes)?;
    let bundle = Certificate::parse_bundle(&bytes, limits).map(|bundle| bundle.to_vec());
    bundle.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))
}
