//! The rules about the path that certificates form, as a lint checks them.

use crate::limits::Limits;
use crate::time::Time;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::PresentedChain;
use crate::x509::VerifiedChain;
use crate::x509::candidates::Candidates;
use crate::x509::checks::Broken;
use crate::x509::explain;
use crate::x509::explain::error;
use crate::x509::lint::finding::LintOmission;
use crate::x509::lint::record::Record;
use crate::x509::path_checks;
use crate::x509::profile::PathRule;
use crate::x509::search;
use crate::x509::whole_chain;

/// The outcome of one rule for the certificate at an index.
type Outcome = (usize, ChainRule, Result<(), ChainError>);

/// Checks the path of `all` certificates from the first one to the one at index `end`.
pub(super) fn lint(record: &mut Record, all: &[&Certificate], end: usize, limits: &Limits) {
    let (Some(signer), Some(root)) = (all.first().copied(), all.get(end).copied()) else { return };
    let rule = record.profile.signer(record.purpose).path;
    let between = || all.iter().enumerate().filter(|(index, _)| *index != 0 && *index != end).map(|(_, one)| *one);
    let candidates = |at| Candidates::new(signer, between(), vec![root], record.profile.ed25519, at);
    let of = candidates(record.at);
    let mut outcomes = match rule {
        PathRule::WholeChain => whole(&of, all, root),
        PathRule::ToAnchor => to_anchor(&of, all, end),
    };
    outcomes.extend(alone(&of, all, end));
    // What is wrong with the path itself shows at a time at which nothing has expired.
    let searched = search::find(&candidates(common_time(all, record.at)), search::MOST_STEPS, &|_| Ok(()));
    for (index, rule, outcome) in outcomes {
        match outcome {
            Ok(()) => record.add(index, rule, Ok(())),
            Err(error) => record.add_error(error),
        }
    }
    match searched {
        Ok(path) => found(record, all, &path),
        Err(error) => {
            add_unless_known(record, error);
            let constrains = |one: &&Certificate| one.extensions().name_constraints().is_some();
            if all.iter().any(constrains) && !record.has(ChainRule::NameConstraints) {
                record.omissions.push(LintOmission::NameConstraints);
            }
        }
    }
    let anchor = Anchor { certificate: root.clone(), purpose: record.purpose };
    let certificates = record.certificates.clone();
    let presented = PresentedChain { certificates: &certificates, extra: &[] };
    let verified = VerifiedChain::verify(presented, &[anchor], record.purpose, &record.profile, record.at, limits);
    if let Err(error) = verified {
        add_unless_known(record, error);
    }
}

/// The rules of `whole_chain.rs`, each of them for each certificate.
fn whole(of: &Candidates<'_>, all: &[&Certificate], root: &Certificate) -> Vec<Outcome> {
    let last = all.len().saturating_sub(1);
    let mut outcomes = vec![
        (last, ChainRule::ChainOrder, whole_chain::ends_with_its_root(of, root)),
        (last, ChainRule::ChainOrder, whole_chain::has_one_root(of, all)),
    ];
    for (index, (one, next)) in all.iter().zip(all.iter().skip(1)).enumerate() {
        outcomes.push((index, ChainRule::Path, whole_chain::is_issued_by_the_next(all, one, next, of.at)));
        outcomes.push((index, ChainRule::Signature, explain::signature(of, one, next)));
    }
    outcomes
}

/// Each certificate but the one at the `end` is signed by another one of them, in any order.
fn to_anchor(of: &Candidates<'_>, all: &[&Certificate], end: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (index, one) in all.iter().enumerate().filter(|(index, _)| *index != end) {
        let others = || all.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| *other);
        let mut issuers = others().filter(|other| other.subject() == one.issuer());
        let Some(issuer) = issuers.next() else {
            let alike = others().any(|other| other.subject().resembles(one.issuer()));
            let broken = if alike {
                Broken::undetermined(ChainRule::NameMatching)
            } else {
                Broken::refused(ChainRule::Path).by("its issuer is not in the file")
            };
            outcomes.push((index, ChainRule::Path, Err(error(broken, one, of.at))));
            continue;
        };
        outcomes.push((index, ChainRule::Path, Ok(())));
        let signed = match issuers.any(|issuer| of.is_signed_by(one, issuer)) {
            true => Ok(()),
            false => explain::signature(of, one, issuer),
        };
        outcomes.push((index, ChainRule::Signature, signed));
    }
    outcomes
}

/// What rustls-webpki does not accept of a certificate by itself. It does not read these of an anchor.
fn alone(of: &Candidates<'_>, all: &[&Certificate], end: usize) -> Vec<Outcome> {
    let certificates = all.iter().enumerate().filter(|(index, _)| *index == 0 || *index != end);
    let outcomes = certificates.flat_map(|(index, one)| {
        let found = explain::alone(of, one);
        found.map(move |(rule, outcome)| (index, rule, outcome.map_err(|broken| error(broken, one, of.at))))
    });
    outcomes.collect()
}

/// A path was found: its lengths and its constraints on email addresses, which rustls-webpki does not see.
fn found(record: &mut Record, all: &[&Certificate], path: &[Certificate]) {
    let index_of = |certificate: &Certificate| all.iter().position(|one| *one == certificate).unwrap_or_default();
    let rules = [
        (ChainRule::PathLength, path_checks::path_length(path)),
        (ChainRule::NameConstraints, path_checks::email_constraints(path)),
    ];
    for (rule, outcome) in rules {
        match outcome {
            Ok(()) => path.iter().for_each(|one| record.add(index_of(one), rule, Ok(()))),
            Err((index, broken)) => record.add(path.get(index).map_or(0, index_of), rule, Err(broken)),
        }
    }
}

/// Adds what the search or the verification found, unless a rule with the same meaning is broken already: all rules about
/// single certificates were checked before.
fn add_unless_known(record: &mut Record, error: ChainError) {
    let known = match error.rule() {
        ChainRule::ChainOrder | ChainRule::NameMatching | ChainRule::Path | ChainRule::Signature => {
            [ChainRule::ChainOrder, ChainRule::NameMatching, ChainRule::Path, ChainRule::Signature]
                .into_iter()
                .any(|rule| record.has(rule))
        }
        rule => record.has(rule),
    };
    if !known {
        record.add_error(error);
    }
}

/// `at`, if all certificates are valid then; else the first time at which they are, if there is one.
fn common_time(all: &[&Certificate], at: Time) -> Time {
    let begin = all.iter().map(|one| one.not_before()).max().unwrap_or(at);
    let end = all.iter().map(|one| one.not_after()).min().unwrap_or(at);
    match begin <= end && !(begin..=end).contains(&at) {
        true => begin,
        false => at,
    }
}
