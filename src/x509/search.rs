//! Path building: rustls-webpki finds and verifies a path over the bytes of the certificates (RFC 5280 section 6.1).
//!
//! Invariant: what is returned was found by rustls-webpki, which verified every signature, name, validity, basic
//! constraint and name constraint between the signer and the anchor, and then passed the inspection, which sees the same
//! certificates as this program parsed them. Everything else is an error; an error never depends on who is named in it.

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

/// A check of a candidate path that rustls-webpki has verified: its certificates, the signer's first.
pub(super) type Inspection<'a> = dyn Fn(&[Certificate]) -> Result<(), ChainError> + 'a;

/// Finds a path that rustls-webpki verifies and that passes the `inspection`. If no candidate path passes, the error is
/// that of the last one.
pub(super) fn find(of: &Candidates<'_>, inspection: &Inspection<'_>) -> Result<Vec<Certificate>, ChainError> {
    let lost = || error(Broken::undetermined(ChainRule::Path), of.signer, of.at);
    let time = time(of)?;
    let signer = CertificateDer::from(of.signer.der());
    let intermediates: Vec<_> = of.intermediates.iter().map(|one| CertificateDer::from(one.der())).collect();
    let anchor_ders: Vec<_> = of.anchors.iter().map(|one| CertificateDer::from(one.der())).collect();
    let mut anchors = Vec::new();
    let mut readable = Vec::new();
    for (der, certificate) in anchor_ders.iter().zip(&of.anchors) {
        if let Ok(anchor) = webpki::anchor_from_trusted_cert(der) {
            anchors.push(anchor);
            readable.push(*certificate);
        }
    }
    let signer = EndEntityCert::try_from(&signer).map_err(|found| explain::search(of, &found))?;
    // What became of the last path: passed, or refused for a reason that rustls-webpki has no word for.
    let last = RefCell::new(None);
    let verify = |path: &VerifiedPath<'_>| {
        let found = certificates(of, path, &anchors, &readable).ok_or_else(lost);
        let found = found.and_then(|path| inspection(&path).map(|()| path));
        let answer = if found.is_ok() { Ok(()) } else { Err(webpki::Error::UnknownIssuer) };
        last.replace(Some(found));
        answer
    };
    let (algorithms, steps) = (of.algorithms(), Steps { left: Cell::new(MOST_STEPS) });
    let answer =
        signer.verify_for_usage(&algorithms, &anchors, &intermediates, time, &steps, None, Some(&verify)).map(|_| ());
    match (answer, last.take()) {
        (Ok(()), Some(Ok(path))) => Ok(path),
        (Err(found), Some(Ok(_)) | None) => Err(explain::search(of, &found)),
        (Err(found), Some(Err(_))) if explain::is_budget(&found) => Err(explain::search(of, &found)),
        (_, Some(Err(refusal))) => Err(refusal),
        (Ok(()), None) => Err(lost()),
    }
}

/// The certificates of a path, the signer's first; the anchor is not named twice where it is the signer itself.
fn certificates(
    of: &Candidates<'_>,
    path: &VerifiedPath<'_>,
    anchors: &[TrustAnchor<'_>],
    readable: &[&Certificate],
) -> Option<Vec<Certificate>> {
    let mut certificates = vec![of.signer.clone()];
    for found in path.intermediate_certificates() {
        let der = found.der();
        let known = of.intermediates.iter().find(|one| one.der() == der.as_ref())?;
        certificates.push((*known).clone());
    }
    // Several anchors may have one name and one key; which of them it was is told by the place in the list.
    let index = anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()))?;
    let anchor = *readable.get(index)?;
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
    left: Cell<u32>,
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
const MOST_STEPS: u32 = 500;
