//! `Lint`: all rules that a certificate or a chain breaks, where a verification stops at the first one.
//!
//! Invariant: the rules are those of the verification, by the same functions, and a whole chain passes only if
//! `VerifiedChain::verify` accepts it where its own root is trusted.
//!
//! 1. Each certificate: the rules of RFC 5280 and of the profile; the key of the signer's.
//! 2. The path, if the file has more than the certificate of a signer: order, names and signatures; then what
//!    rustls-webpki and the rules about whole paths find, at a time at which all certificates are valid if there is one.
//! 3. The verification itself.

mod advice;
mod finding;
mod path;
mod record;

use crate::limits;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::ChainRule;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::checks;
use crate::x509::checks::Broken;
use crate::x509::checks::Role;
use crate::x509::extension;
use crate::x509::lint::record::Record;
use crate::x509::profile::PathRule;
use crate::x509::profile::SignerKeys;

pub use self::finding::LintFinding;
pub use self::finding::LintOmission;
pub use self::finding::LintOutcome;
pub use self::finding::LintRemark;
pub use self::finding::LintRemarkKind;
pub use self::finding::LintRole;

/// The rules of a profile, each checked for the certificates of one file. It is no verification: nobody's trust is asked.
#[derive(Clone, Debug)]
pub struct Lint {
    record: Record,
}

impl Lint {
    /// Checks `certificates`, the signer's first and then its issuers, by all rules of the `profile` for `purpose`, at the
    /// time `at`. If there is one certificate, and it is not self-issued, its issuer is not asked for.
    pub fn run(
        certificates: &NonEmpty<Certificate>,
        purpose: Purpose,
        profile: &Profile,
        at: Time,
        limits: &Limits,
    ) -> Self {
        let all: Vec<_> = certificates.iter().collect();
        // A path to an anchor may leave certificates out, and its end need not be the last one.
        let end = match profile.signer(purpose).path {
            PathRule::WholeChain => None,
            PathRule::ToAnchor => all.iter().rposition(|one| one.is_self_issued()),
        };
        let end = end.unwrap_or(all.len().saturating_sub(1));
        let role = |index| match index {
            0 => Role::Signer,
            index if index == end => Role::Anchor,
            _ => Role::Intermediate,
        };
        let mut record = Record {
            at,
            certificates: certificates.clone(),
            findings: Vec::new(),
            omissions: Vec::new(),
            profile: profile.clone(),
            purpose,
            roles: (0..all.len()).map(role).collect(),
        };
        all.iter().enumerate().for_each(|(index, one)| check(&mut record, index, one));
        match all.as_slice() {
            [alone] if !alone.is_self_issued() => record.omissions.push(LintOmission::Issuer),
            _ if limits::count(all.len()) > limits.envelope.certificate_chain => {
                let limit = limits.envelope.certificate_chain;
                let found = format_args!("{}, at most {limit}", all.len());
                record.add(0, ChainRule::Limit, Err(Broken::undetermined(ChainRule::Limit).by(found)));
                record.omissions.push(LintOmission::Limit);
            }
            _ => path::lint(&mut record, &all, end, limits),
        }
        record.omissions.extend([LintOmission::Revocation, LintOmission::Trust]);
        Self { record }
    }

    /// The time that the certificates were checked for.
    pub const fn at(&self) -> Time {
        self.record.at
    }

    /// The certificates, in the order of the file.
    pub const fn certificates(&self) -> &NonEmpty<Certificate> {
        &self.record.certificates
    }

    /// What was found for each rule and certificate, in the order in which the rules are checked.
    pub fn findings(&self) -> impl Iterator<Item = &LintFinding> {
        self.record.findings.iter()
    }

    /// The findings that are not [`LintOutcome::Passed`].
    pub fn failed(&self) -> impl Iterator<Item = &LintFinding> {
        self.findings().filter(|finding| finding.outcome != LintOutcome::Passed)
    }

    /// What was not checked.
    pub fn omissions(&self) -> &[LintOmission] {
        &self.record.omissions
    }

    /// The most severe outcome of all rules that were checked. [`LintOutcome::Passed`] does not say that a verifier accepts
    /// the chain: see [`Lint::omissions`].
    pub fn outcome(&self) -> LintOutcome {
        self.findings().map(|finding| finding.outcome).max().unwrap_or(LintOutcome::Undetermined)
    }

    /// The name of the profile.
    pub const fn profile(&self) -> &'static str {
        self.record.profile.name
    }

    /// What the certificates are to be for.
    pub const fn purpose(&self) -> Purpose {
        self.record.purpose
    }

    /// What the certificate at `index` is in the chain.
    pub fn role(&self, index: usize) -> LintRole {
        match self.record.role(index) {
            Role::Signer => LintRole::Signer,
            Role::Anchor => LintRole::Root,
            Role::Intermediate => LintRole::Intermediate,
        }
    }

    /// What the profile allows and others do not.
    pub fn remarks(&self) -> Vec<LintRemark> {
        let mut remarks = Vec::new();
        let key = self.record.certificates.first().public_key();
        let of_notary = key.is_ok_and(|key| SignerKeys::Notary.allow(key.algorithm()));
        if self.record.purpose != Purpose::TimeStamping && !advice::is_notary(&self.record.profile) && !of_notary {
            remarks.push(LintRemark { certificate: 0, kind: LintRemarkKind::NotaryKey });
        }
        if advice::is_notary(&self.record.profile) {
            let soft = |(certificate, one): (usize, &Certificate)| {
                let constraints = one.extensions().known(extension::BASIC_CONSTRAINTS);
                let soft = one.extensions().is_ca() && !constraints.is_some_and(extension::Extension::is_critical);
                soft.then_some(LintRemark { certificate, kind: LintRemarkKind::BasicConstraintsNotCritical })
            };
            remarks.extend(self.record.certificates.iter().enumerate().filter_map(soft));
        }
        remarks
    }
}

/// The rules about one certificate.
fn check(record: &mut Record, index: usize, certificate: &Certificate) {
    let (profile, role) = (record.profile.clone(), record.role(index));
    let mut outcomes = Vec::new();
    let mut note = |rule, outcome| {
        outcomes.push((rule, outcome));
        Ok(())
    };
    // It goes on after each outcome, so nothing is returned.
    let ended = checks::certificate(&profile, record.purpose, certificate, role, record.at, &mut note);
    outcomes.extend(ended.err().map(|broken| (broken.rule, Err(broken))));
    if role == Role::Signer {
        outcomes.push((ChainRule::Key, checks::key(profile.signer_keys, certificate).map(drop)));
    }
    outcomes.into_iter().for_each(|(rule, outcome)| record.add(index, rule, outcome));
}
