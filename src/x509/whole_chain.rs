//! The signer's whole chain as the one path that is accepted, by the profile `notary`.
//!
//! Notary Project signature specification, "Other requirements": in order, to one root, which is there, and without
//! certificates that do not belong to the path.
//!
//! 1. The last certificate is a self-signed root, and no other one is.
//! 2. The name of each issuer is the subject of the next certificate.
//! 3. rustls-webpki verifies this path, and with it that each certificate is signed by the key of the next one. It tries
//!    this path first, so the search takes a step for each certificate and no more.
//! 4. If it does not, the first certificate that is not signed by the key of the next one is what is reported.

use std::cell::RefCell;

use crate::limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::candidates::Candidates;
use crate::x509::checks::Broken;
use crate::x509::explain;
use crate::x509::explain::error;
use crate::x509::profile::Ed25519;
use crate::x509::search;
use crate::x509::search::Inspection;

/// Checks that `certificates`, as they are, form one path from the signer's to a self-signed root that passes the
/// `inspection`, and returns it.
pub(super) fn path(
    certificates: &NonEmpty<Certificate>,
    ed25519: Ed25519,
    at: Time,
    inspection: &Inspection<'_>,
) -> Result<Vec<Certificate>, ChainError> {
    let signer = certificates.first();
    let mut between: Vec<_> = certificates.iter().skip(1).collect();
    let root = between.pop().unwrap_or(signer);
    let candidates = Candidates::new(signer, between.into_iter(), vec![root], ed25519, at);
    let all: Vec<_> = certificates.iter().collect();
    let pairs = || all.iter().zip(all.iter().skip(1));
    ends_with_its_root(&candidates, root)?;
    has_one_root(&candidates, &all)?;
    pairs().try_for_each(|(one, next)| is_issued_by_the_next(&all, one, next, at))?;
    let refused = RefCell::new(None);
    let found = search::find(&candidates, limits::count(all.len()), &|path| {
        if !path.iter().eq(certificates.iter()) {
            return Err(disorder(root, ELSEWHERE, at));
        }
        inspection(path).inspect_err(|found| drop(refused.replace(Some(found.clone()))))
    });
    // What is wrong with this path is what counts, whatever else the search tried after it.
    let answer = refused.take().map_or(found, Err);
    answer.map_err(|wrong| {
        pairs().find_map(|(one, issuer)| explain::signature(&candidates, one, issuer).err()).unwrap_or(wrong)
    })
}

/// The last certificate is signed by its own key.
pub(super) fn ends_with_its_root(of: &Candidates<'_>, root: &Certificate) -> Result<(), ChainError> {
    let no_root = || disorder(root, "the last certificate is not a self-signed root", of.at);
    if !root.is_self_issued() {
        return Err(no_root());
    }
    explain::signature(of, root, root)
        .map_err(|found| if found.rule() == ChainRule::Signature { no_root() } else { found })
}

/// No certificate before the last one is signed by its own key.
pub(super) fn has_one_root(of: &Candidates<'_>, all: &[&Certificate]) -> Result<(), ChainError> {
    let before = all.iter().take(all.len().saturating_sub(1));
    match before.into_iter().find(|one| one.is_self_issued() && of.is_signed_by(one, one)) {
        Some(early) => Err(disorder(early, "a self-signed certificate stands before the last one", of.at)),
        None => Ok(()),
    }
}

/// The name of the issuer of `one` is that of the `next` certificate.
pub(super) fn is_issued_by_the_next(
    all: &[&Certificate],
    one: &Certificate,
    next: &Certificate,
    at: Time,
) -> Result<(), ChainError> {
    if one.issuer() == next.subject() {
        return Ok(());
    }
    if next.subject().resembles(one.issuer()) {
        return Err(error(Broken::undetermined(ChainRule::NameMatching), one, at));
    }
    match all.iter().any(|other| other.subject() == one.issuer()) {
        true => Err(disorder(next, ELSEWHERE, at)),
        false => Err(error(Broken::refused(ChainRule::Path), one, at)),
    }
}

fn disorder(certificate: &Certificate, found: &str, at: Time) -> ChainError {
    error(Broken::refused(ChainRule::ChainOrder).by(found), certificate, at)
}

const ELSEWHERE: &str = "another certificate belongs here";
