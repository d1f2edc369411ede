//! The revocation evidence of the command line: files of CRLs and OCSP responses.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::limits::Limits;
use bulla::trust::Identity;
use bulla::trust::RevocationBundle;
use bulla::trust::RevocationCheck;
use bulla::trust::StatusRule;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::OcspResponse;
use bulla::x509::StatusEvidence;

use crate::cli::args::CertificateArgs;
use crate::cli::args::NotationArgs;
use crate::cli::args::RevocationArgs;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::revocation::args::RevocationLookupArgs;

/// The check with the evidence of `--revocation`; `None` if no option asks for one. Whether the trust root has certificates
/// that it could be about is known later: [`require_certificates`].
pub(in crate::cli) fn check(
    args: &CertificateArgs,
    lookup: Option<&RevocationLookupArgs>,
    notation: &NotationArgs,
    limits: &Limits,
) -> Result<Option<RevocationCheck>, Failure> {
    let Some(option) = option_of(&args.revocation, lookup) else { return Ok(None) };
    if !args.has_authority_identity() && notation.trust_policy.is_none() && !args.keyless.logged_keys {
        let message = match args.has_identity() {
            true => format!("{option} is about certificates of --ca-roots, and none of them is trusted"),
            false => format!("{option} is about certificates, and no certificate is trusted"),
        };
        let failure = Failure::unknown(message);
        return Err(
            failure.hint("--certificate-identity NAMES --ca-roots FILE, or --trust-policy FILE --trust-store DIR")
        );
    }
    if args.signers(&[]).has_keyless_identity {
        let message = format!("{option} does not hold for keyless identities, whose certificates have no status");
        return Err(Failure::unknown(message)
            .hint(format!("verify twice: with --ca-roots and {option}, and with --trusted-root")));
    }
    pool(&args.revocation, limits).map(Some)
}

/// The same for policy files with these identities, which say themselves whose certificates count.
pub(in crate::cli) fn check_by_policies<'a>(
    args: &RevocationArgs,
    lookup: Option<&RevocationLookupArgs>,
    identities: impl Iterator<Item = &'a Identity>,
    limits: &Limits,
) -> Result<Option<RevocationCheck>, Failure> {
    if option_of(args, lookup).is_none() {
        return Ok(None);
    }
    require_certificates(args, lookup, identities)?;
    pool(args, limits).map(Some)
}

/// Where an option asks for a check of revocation: at least one identity has certificates, or keys whose signatures a
/// timestamp authority may vouch for. The certificates of that authority are then what is checked.
pub(in crate::cli) fn require_certificates<'a>(
    args: &RevocationArgs,
    lookup: Option<&RevocationLookupArgs>,
    mut identities: impl Iterator<Item = &'a Identity>,
) -> Result<(), Failure> {
    let Some(option) = option_of(args, lookup) else { return Ok(()) };
    let has_authority = |identity: &Identity| {
        identity.logged_keys().is_some_and(|keys| !keys.root().timestamp_authorities().is_empty())
    };
    if identities.any(|identity| identity.has_certificates() || has_authority(identity)) {
        return Ok(());
    }
    Err(Failure::unknown(format!(
        "{option} is about certificates, and no identity is known by certificates, or by keys with the timestamps of an \
         authority"
    )))
}

/// The option that asks for a check of revocation; `None` if none does.
fn option_of(args: &RevocationArgs, lookup: Option<&RevocationLookupArgs>) -> Option<&'static str> {
    match lookup {
        _ if !args.files.is_empty() => Some("--revocation"),
        Some(lookup) if lookup.revocation_attached => Some("--revocation-attached"),
        Some(lookup) if lookup.revocation_online => Some("--revocation-online"),
        _ => None,
    }
}

/// The evidence of `--revocation`, and how it is judged.
fn pool(args: &RevocationArgs, limits: &Limits) -> Result<RevocationCheck, Failure> {
    let mut evidence = StatusEvidence::new();
    for path in &args.files {
        for file in files_of(path)? {
            add(&mut evidence, &file, limits)?;
        }
    }
    let freshness = FreshnessRule {
        expired_certificates: match args.keeps_expired {
            true => ExpiredCertificates::Kept,
            false => ExpiredCertificates::MayBeDropped,
        },
        grace_after_next_update: args.grace.unwrap_or_default(),
        maximum_age: args.max_age,
    };
    let rule = if args.required { StatusRule::Required } else { StatusRule::WhenNamed };
    Ok(RevocationCheck::new(evidence, freshness, rule))
}

/// The file itself, or the files of a directory by name. A directory in it is an error: nothing is left out silently.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let to_failure = |error: std::io::Error| Failure::unknown(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(to_failure)? {
        files.push(entry.map_err(to_failure)?.path());
    }
    files.sort();
    match files.is_empty() {
        true => Err(Failure::unknown(format!("{}: there is no file in it", path.display()))),
        false => Ok(files),
    }
}

/// A file of revocation evidence.
pub(super) enum EvidenceFile {
    /// The portable file.
    Bundle(RevocationBundle),
    /// CRLs, PEM or DER.
    Crls(Vec<CertificateRevocationList>),
    /// An OCSP response, DER.
    Ocsp(OcspResponse),
}

/// Reads a file of revocation evidence.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<EvidenceFile, Failure> {
    // A CRL in PEM is no longer either: base64 in lines of 64 characters is longer by three eighths.
    let bytes = files::read(path, RevocationBundle::most_bytes(limits))?;
    let failure = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
    // JSON begins with a brace; DER and PEM do not.
    if bytes.trim_ascii_start().starts_with(b"{") {
        let bundle = RevocationBundle::parse(&bytes, limits).map_err(|error| failure(error.to_string()))?;
        return Ok(EvidenceFile::Bundle(bundle));
    }
    // An OCSP response begins with an enumeration, a CRL with a sequence.
    if let Ok(response) = OcspResponse::parse(&bytes, limits) {
        return Ok(EvidenceFile::Ocsp(response));
    }
    let crls = CertificateRevocationList::parse_bundle(&bytes, limits).map_err(|error| failure(error.to_string()))?;
    Ok(EvidenceFile::Crls(crls.to_vec()))
}

/// Adds the evidence in a file.
fn add(evidence: &mut StatusEvidence, path: &Path, limits: &Limits) -> Result<(), Failure> {
    let added = match read(path, limits)? {
        EvidenceFile::Bundle(bundle) => bundle.add_to(evidence, limits),
        EvidenceFile::Crls(crls) => crls.into_iter().try_for_each(|crl| evidence.add_crl(crl, limits)),
        EvidenceFile::Ocsp(response) => evidence.add_ocsp_response(response, limits),
    };
    added.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))
}
