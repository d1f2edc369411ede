//! The rules about one certificate of a path.
//!
//! rustls-webpki has verified signatures, names, validity, basic constraints and name constraints of all but the anchor
//! before these run. It does not look at key usage, at what an anchor's certificate says, or at policies.

use crate::key::KeyError;
use crate::key::PublicKey;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::ChainRule;
use crate::x509::KeyUsage;
use crate::x509::Oid;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::extension;
use crate::x509::extension::NameConstraint;
use crate::x509::extension::NameForm;
use crate::x509::profile;
use crate::x509::profile::ANY;
use crate::x509::profile::AuthorityPurposes;
use crate::x509::profile::Check;
use crate::x509::profile::Presence;
use crate::x509::profile::PurposeRule;
use crate::x509::profile::SignerKeys;
use crate::x509::profile::SignerRule;
use crate::x509::syntax;

/// Where a certificate stands in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// At the end, as what the operator trusts or as the root of the signer's own chain.
    Anchor,
    /// Between the two.
    Intermediate,
    /// At the beginning. It may be its own root.
    Signer,
}

/// A rule that a certificate breaks, or cannot be judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) class: BrokenClass,
    pub(super) found: Option<String>,
    pub(super) rule: ChainRule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BrokenClass {
    Refused,
    Undetermined,
}

impl Broken {
    pub(super) const fn refused(rule: ChainRule) -> Self {
        Self { class: BrokenClass::Refused, found: None, rule }
    }

    pub(super) const fn undetermined(rule: ChainRule) -> Self {
        Self { class: BrokenClass::Undetermined, found: None, rule }
    }

    pub(super) fn by(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }
}

/// Receives the outcome of one rule after the other. What it returns goes on or ends the checks: a verification ends at the
/// first rule that is broken, a lint goes on.
pub(super) type Outcomes<'a> = dyn FnMut(ChainRule, Result<(), Broken>) -> Result<(), Broken> + 'a;

/// All rules about one certificate of a path but the one about the signer's key: those of RFC 5280 and those of the
/// `profile` for `purpose`.
pub(super) fn certificate(
    profile: &Profile,
    purpose: Purpose,
    certificate: &Certificate,
    role: Role,
    at: Time,
    outcomes: &mut Outcomes<'_>,
) -> Result<(), Broken> {
    outcomes(ChainRule::Version, version(certificate))?;
    profile.checks.iter().try_for_each(|one| outcomes(one.rule(), check(*one, certificate, role)))?;
    always(certificate, role, at, outcomes)?;
    match role {
        Role::Signer => signer(profile.signer(purpose), certificate, outcomes),
        Role::Anchor | Role::Intermediate => authority(profile.signer(purpose), certificate, outcomes),
    }
}

/// RFC 5280 section 4.1.2.1: versions 1 and 2 are allowed and not supported.
fn version(certificate: &Certificate) -> Result<(), Broken> {
    match certificate.version() {
        3 => Ok(()),
        found => Err(Broken::undetermined(ChainRule::Version).by(found)),
    }
}

/// The rules that hold for every certificate of a path, whatever the profile.
fn always(certificate: &Certificate, role: Role, at: Time, outcomes: &mut Outcomes<'_>) -> Result<(), Broken> {
    outcomes(ChainRule::NotYetValid, begun(certificate, at))?;
    outcomes(ChainRule::Expired, not_ended(certificate, at))?;
    let extensions = certificate.extensions();
    if role == Role::Signer {
        // RFC 5280 allows it; rustls-webpki does not.
        let ca = Broken::undetermined(ChainRule::CaAsSigner);
        outcomes(ChainRule::CaAsSigner, if extensions.is_ca() { Err(ca) } else { Ok(()) })?;
    } else {
        // RFC 5280 section 6.1.4 (k) and (n).
        outcomes(ChainRule::BasicConstraints, refuse_if(!extensions.is_ca(), ChainRule::BasicConstraints))?;
        let signs = extensions.key_usage().is_none_or(|usage| usage.has(KeyUsage::KEY_CERT_SIGN));
        outcomes(ChainRule::KeyUsage, refuse_if(!signs, ChainRule::KeyUsage))?;
    }
    policies(certificate, outcomes)?;
    outcomes(ChainRule::CriticalExtension, Ok(()))?;
    unprocessed(certificate).try_for_each(|broken| outcomes(broken.rule, Err(broken)))
}

/// RFC 5280 section 4.1.2.5: both ends of the validity belong to it.
pub(super) fn validity(certificate: &Certificate, at: Time) -> Result<(), Broken> {
    begun(certificate, at).and_then(|()| not_ended(certificate, at))
}

fn begun(certificate: &Certificate, at: Time) -> Result<(), Broken> {
    let begin = certificate.not_before();
    match at < begin {
        true => Err(Broken::refused(ChainRule::NotYetValid).by(format_args!("valid from {begin}"))),
        false => Ok(()),
    }
}

fn not_ended(certificate: &Certificate, at: Time) -> Result<(), Broken> {
    let end = certificate.not_after();
    match at > end {
        true => Err(Broken::refused(ChainRule::Expired).by(format_args!("valid until {end}"))),
        false => Ok(()),
    }
}

/// Policies are not processed. Without a constraint on them no path is invalid for its policies, as long as nobody asks
/// for a policy (RFC 5280 section 6.1.1 (c) to (g) with the initial values of section 6.2), so constraints alone are
/// could-not-tell.
fn policies(certificate: &Certificate, outcomes: &mut Outcomes<'_>) -> Result<(), Broken> {
    let extensions = certificate.extensions();
    outcomes(ChainRule::PolicyMapping, refuse_if(extensions.maps_any_policy(), ChainRule::PolicyMapping))?;
    for id in [extension::POLICY_CONSTRAINTS, extension::INHIBIT_ANY_POLICY] {
        let found = extensions
            .known(id)
            .map(|found| Broken::undetermined(ChainRule::Policy).by(format_args!("extension {}", found.id())));
        outcomes(ChainRule::Policy, found.map_or(Ok(()), Err))?;
    }
    Ok(())
}

/// Could-not-tell for each critical extension that neither this module nor rustls-webpki processes.
pub(super) fn unprocessed(certificate: &Certificate) -> impl Iterator<Item = Broken> {
    let unknown = |extension: &&extension::Extension| {
        extension.is_critical() && !PROCESSED.contains(&extension.id().as_content())
    };
    certificate.extensions().iter().filter(unknown).map(|found| {
        let policy = POLICIES.contains(&found.id().as_content());
        let rule = if policy { ChainRule::Policy } else { ChainRule::CriticalExtension };
        Broken::undetermined(rule).by(format_args!("extension {}", found.id()))
    })
}

/// Checks one rule of a profile that is about each certificate of a path.
fn check(check: Check, certificate: &Certificate, role: Role) -> Result<(), Broken> {
    let extensions = certificate.extensions();
    let is_critical = |id| extensions.known(id).is_some_and(extension::Extension::is_critical);
    match check {
        Check::AlternativeNameSyntax => refuse_if(!syntax::alternative_names(extensions), ChainRule::AlternativeName),
        Check::AuthorityKeyId => authority_key_id(certificate, role),
        Check::AuthorityKeyUsage => match extensions.is_ca() && extensions.key_usage().is_none() {
            true => Err(Broken::refused(ChainRule::KeyUsage).by("the extension is not there")),
            false => Ok(()),
        },
        Check::BasicConstraintsCritical => {
            let critical = is_critical(extension::BASIC_CONSTRAINTS);
            refuse_if(extensions.is_ca() && !critical, ChainRule::BasicConstraintsCritical)
        }
        Check::IssuerName => refuse_if(certificate.issuer().is_empty(), ChainRule::IssuerName),
        Check::KeyCertSign => {
            let signs = extensions.key_usage().is_some_and(|usage| usage.has(KeyUsage::KEY_CERT_SIGN));
            refuse_if(signs && !extensions.is_ca(), ChainRule::KeyUsage)
        }
        Check::NameConstraintsPlace => {
            let right = extensions.is_ca() && is_critical(extension::NAME_CONSTRAINTS);
            let there = extensions.known(extension::NAME_CONSTRAINTS).is_some();
            refuse_if(there && !right, ChainRule::NameConstraintsPlace)
        }
        Check::NameConstraintSyntax => {
            let wrong = |one: &NameConstraint| one.form == NameForm::Dns && one.leading_period;
            let wrong = extensions.name_constraints().is_some_and(|all| all.iter().any(wrong));
            refuse_if(wrong, ChainRule::NameConstraints)
        }
        Check::NotCritical => not_critical(certificate),
        Check::PathLengthPlace => {
            let limited = extensions.basic_constraints().is_some_and(|constraints| constraints.path_length.is_some());
            let signs = extensions.key_usage().is_some_and(|usage| usage.has(KeyUsage::KEY_CERT_SIGN));
            refuse_if(limited && !(extensions.is_ca() && signs), ChainRule::PathLengthPlace)
        }
        Check::SerialNotNegative => refuse_if(certificate.serial().is_negative(), ChainRule::SerialNumber),
        Check::SerialPositive => {
            let serial = certificate.serial();
            let right = !serial.is_negative() && !serial.is_zero() && serial.as_content().len() <= LONGEST_SERIAL;
            refuse_if(!right, ChainRule::SerialNumber)
        }
        Check::SignerIsNoAuthority => refuse_if(role == Role::Signer && extensions.is_ca(), ChainRule::CaAsSigner),
        Check::SubjectKeyId => {
            let missing = extensions.is_ca() && extensions.subject_key_id().is_none();
            refuse_if(missing, ChainRule::SubjectKeyId)
        }
        Check::SubjectName => {
            let named = !certificate.subject().is_empty();
            let instead = role == Role::Signer && is_critical(extension::SUBJECT_ALTERNATIVE_NAME);
            let right = named || instead && !extensions.alternative_names().is_empty();
            refuse_if(!right, ChainRule::SubjectName)
        }
    }
}

/// RFC 5280 section 4.2.1.1: all but self-issued certificates name the key of their issuer.
fn authority_key_id(certificate: &Certificate, role: Role) -> Result<(), Broken> {
    let missing = certificate.extensions().authority_key_id().is_none() && !certificate.is_self_issued();
    match role {
        // Another one has issued the anchor, but the path ends here all the same.
        Role::Anchor if missing => Err(Broken::undetermined(ChainRule::AuthorityKeyId)),
        _ => refuse_if(missing, ChainRule::AuthorityKeyId),
    }
}

fn not_critical(certificate: &Certificate) -> Result<(), Broken> {
    let critical = |id: &&'static [u8]| certificate.extensions().known(id).filter(|found| found.is_critical());
    match NEVER_CRITICAL.iter().find_map(critical) {
        Some(found) => Err(Broken::refused(ChainRule::NotCritical).by(format_args!("extension {}", found.id()))),
        None => Ok(()),
    }
}

/// The rules about the signer's certificate: the uses and purposes of its key.
fn signer(rule: &SignerRule, certificate: &Certificate, outcomes: &mut Outcomes<'_>) -> Result<(), Broken> {
    let extensions = certificate.extensions();
    let there = presence(rule.key_usage, certificate, extension::KEY_USAGE, ChainRule::KeyUsage);
    outcomes(ChainRule::KeyUsage, there)?;
    if let Some(usage) = extensions.key_usage() {
        let wanted = usage.common(rule.uses) != KeyUsage::NONE;
        let forbidden = usage.common(rule.forbidden_uses) != KeyUsage::NONE;
        let broken = || Broken::refused(ChainRule::KeyUsage).by(usage);
        outcomes(ChainRule::KeyUsage, if wanted && !forbidden { Ok(()) } else { Err(broken()) })?;
    }
    let there = extensions.extended_key_usage();
    let purposes: Vec<_> = there.unwrap_or_default().iter().map(|purpose| purpose.as_content()).collect();
    let wanted = rule.purpose.as_content();
    let (present, has) = (there.is_some(), purposes.contains(&wanted));
    let right = match rule.purpose_rule {
        PurposeRule::CriticalAndAlone => {
            let critical =
                extensions.known(extension::EXTENDED_KEY_USAGE).is_some_and(extension::Extension::is_critical);
            critical && purposes == [wanted]
        }
        PurposeRule::IfPresent => !present || has || purposes.contains(&ANY),
        PurposeRule::Optional => true,
        PurposeRule::Required => has,
    };
    let forbidden = rule.forbidden_purposes.iter().any(|purpose| purposes.contains(purpose));
    let broken = || Broken::refused(ChainRule::ExtendedKeyUsage).by(found_purposes(certificate));
    outcomes(ChainRule::ExtendedKeyUsage, if right && !forbidden { Ok(()) } else { Err(broken()) })
}

/// The rules about the certificates of the signer's issuers.
fn authority(rule: &SignerRule, certificate: &Certificate, outcomes: &mut Outcomes<'_>) -> Result<(), Broken> {
    let there = presence(rule.authority_key_usage, certificate, extension::KEY_USAGE, ChainRule::KeyUsage);
    outcomes(ChainRule::KeyUsage, there)?;
    if rule.authorities == AuthorityPurposes::Ignored {
        return Ok(());
    }
    let allows = |purpose: &Oid| *purpose == rule.purpose || purpose.as_content() == ANY;
    let right = certificate.extensions().extended_key_usage().is_none_or(|purposes| purposes.iter().any(allows));
    let broken = || Broken::refused(ChainRule::ExtendedKeyUsage).by(found_purposes(certificate));
    outcomes(ChainRule::ExtendedKeyUsage, if right { Ok(()) } else { Err(broken()) })
}

/// The key of the signer, of a kind and size that the profile allows.
pub(super) fn key(keys: SignerKeys, certificate: &Certificate) -> Result<PublicKey, Broken> {
    match certificate.public_key() {
        Ok(key) if keys.allow(key.algorithm()) => Ok(key),
        Ok(key) => Err(Broken::refused(ChainRule::Key).by(key.algorithm())),
        Err(error @ KeyError::Algorithm { .. }) => Err(Broken::undetermined(ChainRule::Key).by(error)),
        Err(error) => Err(Broken::refused(ChainRule::Key).by(error)),
    }
}

/// Whether a certificate constrains names in forms that rustls-webpki does not compare.
pub(super) fn constrains_other_forms(certificate: &Certificate) -> bool {
    let other = |constraint: &NameConstraint| !matches!(constraint.form, NameForm::Dns | NameForm::Ip);
    certificate.extensions().name_constraints().is_some_and(|all| all.iter().any(other))
}

fn presence(wanted: Presence, certificate: &Certificate, id: &'static [u8], rule: ChainRule) -> Result<(), Broken> {
    match (wanted, certificate.extensions().known(id)) {
        (Presence::IfPresent, None) | (Presence::IfPresent | Presence::Required, Some(_)) => Ok(()),
        (Presence::Critical, Some(found)) if found.is_critical() => Ok(()),
        (Presence::Critical, Some(_)) => Err(Broken::refused(rule).by("the extension is not critical")),
        (Presence::Critical | Presence::Required, None) => Err(Broken::refused(rule).by("the extension is not there")),
    }
}

fn found_purposes(certificate: &Certificate) -> String {
    match certificate.extensions().extended_key_usage() {
        None => "the extension is not there".to_owned(),
        Some(purposes) => {
            let purposes: Vec<_> = purposes.iter().take(MOST_PURPOSES).map(profile::purpose_text).collect();
            let critical = certificate.extensions().known(extension::EXTENDED_KEY_USAGE);
            let critical = if critical.is_some_and(extension::Extension::is_critical) { "critical, " } else { "" };
            format!("{critical}{}", purposes.join(", "))
        }
    }
}

fn refuse_if(broken: bool, rule: ChainRule) -> Result<(), Broken> {
    match broken {
        true => Err(Broken::refused(rule)),
        false => Ok(()),
    }
}

/// Critical extensions that are processed, here or by rustls-webpki. Distribution points say where revocation lists are;
/// revocation is a question of its own.
const PROCESSED: [&[u8]; 6] = [
    extension::KEY_USAGE,
    extension::SUBJECT_ALTERNATIVE_NAME,
    extension::BASIC_CONSTRAINTS,
    extension::NAME_CONSTRAINTS,
    extension::CRL_DISTRIBUTION_POINTS,
    extension::EXTENDED_KEY_USAGE,
];

const POLICIES: [&[u8]; 4] = [
    extension::CERTIFICATE_POLICIES,
    extension::POLICY_MAPPINGS,
    extension::POLICY_CONSTRAINTS,
    extension::INHIBIT_ANY_POLICY,
];

/// RFC 5280 sections 4.2.1.1, 4.2.1.2, 4.2.1.8, 4.2.1.15, 4.2.2.1 and 4.2.2.2.
const NEVER_CRITICAL: [&[u8]; 6] = [
    extension::AUTHORITY_KEY_ID,
    extension::SUBJECT_KEY_ID,
    extension::SUBJECT_DIRECTORY_ATTRIBUTES,
    extension::FRESHEST_CRL,
    extension::AUTHORITY_INFO_ACCESS,
    extension::SUBJECT_INFO_ACCESS,
];

/// RFC 5280 section 4.1.2.2.
const LONGEST_SERIAL: usize = 20;
/// How many purposes a message prints.
const MOST_PURPOSES: usize = 10;
