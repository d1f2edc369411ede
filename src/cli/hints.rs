//! Hints: what helps against an error, as something that can be typed or done.

use bulla::store::DenialReason;
use bulla::store::MissingContent;
use bulla::store::Origin;
use bulla::store::ReadOnlyFault;
use bulla::store::StoreError;
use bulla::store::TlsFault;
use bulla::transparency::TransparencyRule;
use bulla::trust::CertificateFault;
use bulla::trust::KeylessFault;
use bulla::verify::Finding;
use bulla::verify::Reason;

/// What helps where content is damaged or missing.
pub(super) const DAMAGED: &str = "get another copy of it from where it came from, or try again; nothing was decided";
/// What reads an envelope that only the strict reader refuses.
pub(super) const ENVELOPE_READER: &str =
    "--envelope-reader as-notation reads it; its signature must verify all the same";
/// What helps where the revocation status of a certificate is not known.
pub(super) const REVOCATION: &str =
    "where there is a network: bulla revocation fetch REF --ca-roots FILE -o FILE; then --revocation FILE";
/// What helps where a time that is proven lies ahead of the clock.
const CLOCK: &str = "compare the clock of this machine (date -u) with another one; nothing was decided";
/// What helps where a signature is over more of a file than is known.
pub(super) const FILE_ITSELF: &str = "verify the file itself, not its digest; ECDSA and RSA keys sign a hash";
/// What helps where a signature is of a log or certificate log that is not trusted.
const LOGS: &str = "bulla trust show FILE lists the logs of a trusted root: is it the one of the instance that signed, \
                    and new enough?";
/// What helps where the signer is another one.
const NAMES: &str =
    "only the identity that is typed counts: compare the name and issuer above with it, letter by letter";
/// What helps against a timeout.
pub(super) const TIMEOUT: &str = "--timeout DURATION gives it more time";

/// What helps where something beside an image could not be read, so that nothing was decided.
pub(super) fn unread_hint(error: &StoreError) -> String {
    match error {
        StoreError::Denied { .. } => {
            "log in to the registry: bulla reads the files that docker login writes".to_owned()
        }
        StoreError::TooMany { .. } => {
            "ask who keeps the repository to remove stale signatures and referrers".to_owned()
        }
        _ => hint(error).unwrap_or_else(|| "try again; nothing was decided".to_owned()),
    }
}

/// What helps where a keyless signature, or one by a logged key, was not accepted, by the first reason that something helps
/// against.
pub(super) fn keyless_hint<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<&'static str> {
    let faults = findings.into_iter().flat_map(|finding| match &finding.reason {
        Reason::Certificate(rejection) => rejection.faults().iter().collect(),
        Reason::Unlogged { fault, .. } => vec![fault],
        _ => Vec::new(),
    });
    faults.filter_map(fault_hint).next()
}

fn fault_hint(fault: &CertificateFault) -> Option<&'static str> {
    let CertificateFault::Keyless(fault) = fault else { return None };
    match fault {
        KeylessFault::Ahead { .. } => Some(CLOCK),
        KeylessFault::FileHash(_) => Some(FILE_ITSELF),
        KeylessFault::Names { .. } => Some(NAMES),
        KeylessFault::Transparency(error) => match error.rule() {
            TransparencyRule::LogUnknown | TransparencyRule::SctLogUnknown => Some(LOGS),
            _ => None,
        },
        _ => None,
    }
}

/// What helps against an error of a store, where it can be told.
pub(super) fn hint(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Denied { reason: DenialReason::RealmNotAllowed { .. }, .. } => {
            Some("--allow-realm HOST, if that host is known to you".to_owned())
        }
        // No credential helps.
        StoreError::Denied { reason: DenialReason::RealmRefused(_), .. } => None,
        StoreError::Denied { place, .. } => {
            let host = place.split('/').next().unwrap_or_default();
            Some(format!("docker login {host}   # bulla reads the same files"))
        }
        StoreError::NameTaken { place, .. } => {
            Some(format!("{place}:<another name>, or --overwrite if the name is to stand for this image from now on"))
        }
        StoreError::NotFound { content: MissingContent::Name { origin, .. } } => Some(names(origin)),
        StoreError::ReadOnly { place, reason: ReadOnlyFault::NoDigest } => {
            let file = place.split_once(':').map_or(place.as_str(), |(_, file)| file);
            Some(with_evidence(file))
        }
        StoreError::Timeout { .. } => Some(TIMEOUT.to_owned()),
        StoreError::Tls { place, fault, .. } => tls_hint(place, fault).map(str::to_owned),
        StoreError::Throttled { .. } => {
            Some("try again later, or log in: registries allow more to known users".to_owned())
        }
        _ => None,
    }
}

/// What verifies a file of `docker save`, which keeps no signatures.
pub(super) fn with_evidence(file: &str) -> String {
    format!("bulla verify docker-archive:{file} --evidence PLACE   # where the signatures are: docker save keeps none")
}

/// Where an image was not found by its name: the command that lists the names that are there.
fn names(origin: &Origin) -> String {
    let names = match origin {
        Origin::Local(_) => "names",
        Origin::Registry { .. } => "tags",
    };
    format!("bulla ls {origin}   # shows the {names} that are there")
}

/// What helps against a fault of TLS. Where only the registry can mend it, nothing is said.
fn tls_hint(place: &str, fault: &TlsFault) -> Option<&'static str> {
    match fault {
        TlsFault::NoTls if is_loopback(place) => Some("leave out --tls"),
        TlsFault::NoTls => Some("--plain-http, if the registry is known to speak no TLS"),
        TlsFault::OnlyTls if is_loopback(place) => Some("--tls: this machine is spoken to over plain http otherwise"),
        TlsFault::OnlyTls => Some("leave out --plain-http"),
        TlsFault::NoRoots => Some(
            "--tls-ca FILE, with the certificate authority of the registry, or SSL_CERT_FILE=/path/to/ca-certificates.crt",
        ),
        TlsFault::SelfSigned => {
            Some("--tls-ca FILE, with exactly this certificate, if you have it from the registry's owner")
        }
        TlsFault::OtherName { .. } => Some("name the registry as its certificate does"),
        TlsFault::Expired { .. } | TlsFault::NotYetValid { .. } => {
            Some("compare the clock of this machine (date -u); if it is right, the registry needs a new certificate")
        }
        TlsFault::Untrusted { .. } => Some("--tls-ca FILE, with the certificate authority of the registry"),
        _ => None,
    }
}

/// Whether a host, as references name it, is this machine.
fn is_loopback(place: &str) -> bool {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}
