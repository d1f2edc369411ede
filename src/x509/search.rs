//! Path building: rustls-webpki finds and verifies a path over the bytes of the certificates (RFC 5280 section 6.1).
//!
//! Invariant: what is returned was found by rustls-webpki, which verified every signature, name, validity, basic
//! constraint and name constraint between the signer and the anchor, and then passed the inspection, which sees the same
//! certificates as this program parsed them. Everything else is an error; an error never depends on who is named in it.
//!
//! 1. Hand the signer, the other certificates and the anchors to rustls-webpki. An anchor that it cannot read is set aside.
//! 2. rustls-webpki builds a path from the signer to an anchor and verifies it, in a bounded number of steps.
//! 3. The inspection checks that path by the rules of the profile. If it refuses, rustls-webpki goes on with the next one.
//! 4. If no path passes, return the error of one of them. Could-not-tell wins over a no, also where an anchor was set aside.

use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::TrustAnchor;
use rustls_pki_types::UnixTime;
use webpki::EndEntityCert;
use webpki::ExtendedKeyUsageValidator;
use webpki::KeyPurposeIdIter;
use webpki::VerifiedPath;

use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::candidates::Candidates;
use crate::x509::checks::Broken;
use crate::x509::explain;
use crate::x509::explain::error;
use crate::x509::remembered::Remembering;

/// A check of a candidate path that rustls-webpki has verified: its certificates, the signer's first.
pub(super) type Inspection<'a> = dyn Fn(&[Certificate]) -> Result<(), ChainError> + 'a;

/// Finds a path that rustls-webpki verifies and that passes the `inspection`, in at most `steps` steps.
///
/// # Errors
/// If no candidate path passes, the error is about one of them. Could-not-tell wins over a no: one that an inspection found
/// on any path, and one about an anchor that the search reaches and rustls-webpki does not read.
pub(super) fn find(
    of: &Candidates<'_>,
    steps: u64,
    inspection: &Inspection<'_>,
) -> Result<Vec<Certificate>, ChainError> {
    let lost = || error(Broken::undetermined(ChainRule::Path), of.signer, of.at);
    let time = time(of)?;
    let signer = CertificateDer::from(of.signer.der());
    let intermediates: Vec<_> = of.intermediates.iter().map(|one| CertificateDer::from(one.der())).collect();
    let anchor_ders: Vec<_> = of.anchors.iter().map(|one| CertificateDer::from(one.der())).collect();
    let anchors = Anchors::read(of, &anchor_ders);
    let signer = EndEntityCert::try_from(&signer).map_err(|found| explain::search(of, &found))?;
    // What became of the paths that were inspected: passed, or the error that wins.
    let inspected = RefCell::new(None);
    let verify = |path: &VerifiedPath<'_>| {
        let found = certificates(of, path, &anchors).ok_or_else(lost);
        let found = found.and_then(|path| inspection(&path).map(|()| path));
        let answer = if found.is_ok() { Ok(()) } else { Err(webpki::Error::UnknownIssuer) };
        let kept = inspected.take();
        inspected.replace(Some(if outlives(kept.as_ref(), &found) { kept.unwrap_or(found) } else { found }));
        answer
    };
    let (algorithms, certificates) = (of.algorithms(), of.signed());
    let remembering = |algorithm| Remembering { algorithm, certificates: &certificates };
    let remembering: Vec<_> = algorithms.into_iter().map(remembering).collect();
    let algorithms: Vec<_> = remembering.iter().map(Remembering::as_algorithm).collect();
    let steps = Steps { left: Cell::new(steps) };
    let answer =
        signer.verify_for_usage(&algorithms, &anchors.found, &intermediates, time, &steps, None, Some(&verify));
    let found = match (answer.map(|_| ()), inspected.take()) {
        (Ok(()), Some(Ok(path))) => return Ok(path),
        (Ok(()), None | Some(Err(_))) => lost(),
        (Err(found), None | Some(Ok(_))) => explain::search(of, &found),
        (Err(found), Some(Err(refusal))) => explain::inspected(of, &found, refusal),
    };
    Err(explain::unread_anchor(of, &anchors.unread).filter(|_| !found.is_undetermined()).unwrap_or(found))
}

/// Whether a could-not-tell is kept although another path was refused after it.
fn outlives<T>(kept: Option<&Result<T, ChainError>>, found: &Result<T, ChainError>) -> bool {
    let undetermined = |answer: &Result<T, ChainError>| answer.as_ref().is_err_and(ChainError::is_undetermined);
    found.is_err() && !undetermined(found) && kept.is_some_and(undetermined)
}

/// The anchors, as rustls-webpki reads them.
struct Anchors<'a> {
    /// The certificates of those that it reads, in the order of `found`.
    certificates: Vec<&'a Certificate>,
    found: Vec<TrustAnchor<'a>>,
    /// Those that it does not read.
    unread: Vec<(&'a Certificate, webpki::Error)>,
}

impl<'a> Anchors<'a> {
    fn read(of: &Candidates<'a>, ders: &'a [CertificateDer<'_>]) -> Self {
        let mut all = Self { certificates: Vec::new(), found: Vec::new(), unread: Vec::new() };
        for (der, certificate) in ders.iter().zip(&of.anchors) {
            match webpki::anchor_from_trusted_cert(der) {
                Ok(anchor) => {
                    all.found.push(anchor);
                    all.certificates.push(certificate);
                }
                Err(found) => all.unread.push((certificate, found)),
            }
        }
        all
    }
}

/// The certificates of a path, the signer's first; the anchor is not named twice where it is the signer itself.
fn certificates(of: &Candidates<'_>, path: &VerifiedPath<'_>, anchors: &Anchors<'_>) -> Option<Vec<Certificate>> {
    let mut certificates = vec![of.signer.clone()];
    for found in path.intermediate_certificates() {
        let der = found.der();
        let known = of.intermediates.iter().find(|one| one.der() == der.as_ref())?;
        certificates.push((*known).clone());
    }
    // Several anchors may have one name and one key; which of them it was is told by the place in the list.
    let index = anchors.found.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()))?;
    let anchor = *anchors.certificates.get(index)?;
    if certificates != [anchor.clone()] {
        certificates.push(anchor.clone());
    }
    Some(certificates)
}

fn time(of: &Candidates<'_>) -> Result<UnixTime, ChainError> {
    let before = |_| error(Broken::undetermined(ChainRule::Time), of.signer, of.at);
    let seconds = u64::try_from(of.at.unix()).map_err(before)?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// The steps that a search may still take: rustls-webpki asks about purposes once for each certificate that it tries.
///
/// All purposes are right here. They are checked with the other rules of the profile: rustls-webpki would bind
/// certificate authorities to them as well, which not every profile does.
struct Steps {
    left: Cell<u64>,
}

impl ExtendedKeyUsageValidator for Steps {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        // This error ends the search. Its own budget, 200,000 steps, takes seconds to exhaust.
        let left = self.left.get().checked_sub(1).ok_or(webpki::Error::MaximumPathBuildCallsExceeded)?;
        self.left.set(left);
        Ok(())
    }
}

/// How many certificates are tried. A path without alternatives takes one step for each certificate.
pub(super) const MOST_STEPS: u64 = 500;
