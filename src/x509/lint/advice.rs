//! What a profile wants where a rule is broken, and how `openssl` is told so.

use crate::x509::ChainRule;
use crate::x509::KeyUsage;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::checks::Role;
use crate::x509::profile;
use crate::x509::profile::AuthorityPurposes;
use crate::x509::profile::Check;
use crate::x509::profile::Ed25519;
use crate::x509::profile::PathRule;
use crate::x509::profile::Presence;
use crate::x509::profile::PurposeRule;
use crate::x509::profile::SignerKeys;
use crate::x509::profile::SignerRule;

/// What helps a person who runs a certificate authority.
pub(super) struct Advice {
    pub(super) clause: &'static str,
    pub(super) openssl: Option<&'static str>,
    pub(super) wanted: Option<String>,
}

/// The advice for a certificate that breaks `rule`.
pub(super) fn of(rule: ChainRule, role: Role, profile: &Profile, purpose: Purpose) -> Advice {
    let signer = profile.signer(purpose);
    Advice {
        clause: clause(rule, role, profile, purpose),
        openssl: openssl(rule, role, purpose),
        wanted: wanted(rule, role, profile, signer),
    }
}

/// The clause that states the rule for this profile.
pub(super) fn clause(rule: ChainRule, role: Role, profile: &Profile, purpose: Purpose) -> &'static str {
    match (rule, role, purpose) {
        (ChainRule::CaAsSigner, ..) if !is_notary(profile) => "RFC 5280 section 4.2.1.9",
        (ChainRule::ExtendedKeyUsage, Role::Signer, Purpose::TimeStamping) => "RFC 3161 section 2.3",
        (ChainRule::ExtendedKeyUsage | ChainRule::Key | ChainRule::KeyUsage, Role::Signer, _) if is_notary(profile) => {
            "Notary Project signature specification, \"Leaf Certificates\""
        }
        (ChainRule::KeyUsage, Role::Anchor | Role::Intermediate, _) if is_notary(profile) => {
            "Notary Project signature specification, \"Root and Intermediate CA Certificates\""
        }
        _ => rule.clause(),
    }
}

/// Whether the rules are those of the Notary Project.
pub(super) fn is_notary(profile: &Profile) -> bool {
    profile.signer_keys == SignerKeys::Notary
}

fn wanted(rule: ChainRule, role: Role, profile: &Profile, signer: &SignerRule) -> Option<String> {
    let text = match rule {
        ChainRule::BasicConstraints => "CA:TRUE",
        ChainRule::CaAsSigner => "CA:FALSE, or no basic constraints",
        ChainRule::ChainOrder => match signer.path {
            PathRule::WholeChain => "the signer's certificate first, then its issuers, its self-signed root last",
            PathRule::ToAnchor => return None,
        },
        ChainRule::ExtendedKeyUsage if role == Role::Signer => return Some(purposes(signer)),
        ChainRule::ExtendedKeyUsage => match signer.authorities {
            AuthorityPurposes::Ignored => return None,
            AuthorityPurposes::IfPresent => {
                let purpose = profile::purpose_text(&signer.purpose);
                return Some(format!("{purpose} or anyExtendedKeyUsage, or no such extension"));
            }
        },
        ChainRule::Key if role == Role::Signer => match profile.signer_keys {
            SignerKeys::All => "RSA of 2048 to 8192 bits; ECDSA on P-256, P-384 or P-521; Ed25519",
            SignerKeys::Notary => "RSA of 2048, 3072 or 4096 bits; ECDSA on P-256, P-384 or P-521",
        },
        ChainRule::Key => "RSA of 2048 to 8192 bits; ECDSA on P-256, P-384 or P-521",
        ChainRule::KeyUsage if role == Role::Signer => return Some(uses(signer)),
        ChainRule::KeyUsage => match signer.authority_key_usage {
            Presence::Critical => "the extension, critical, with keyCertSign",
            Presence::IfPresent | Presence::Required => "the extension, with keyCertSign",
        },
        ChainRule::SerialNumber => match profile.checks.contains(&Check::SerialPositive) {
            true => "a positive number of at most 20 bytes",
            false => "a number that is not negative",
        },
        ChainRule::SignatureAlgorithm => match profile.ed25519 {
            Ed25519::Allowed => "SHA-256, SHA-384 or SHA-512 with RSA or ECDSA; Ed25519",
            Ed25519::NotSupported => "SHA-256, SHA-384 or SHA-512 with RSA or ECDSA",
        },
        _ => return None,
    };
    Some(text.to_owned())
}

/// The uses of the signer's key.
fn uses(rule: &SignerRule) -> String {
    let extension = match rule.key_usage {
        Presence::Critical => "the extension, critical, with ",
        Presence::Required => "the extension, with ",
        Presence::IfPresent => "if the extension is there, ",
    };
    let any = rule.uses.to_string().replace(", ", " or ");
    match rule.forbidden_uses {
        KeyUsage::NONE => format!("{extension}{any}"),
        forbidden => format!("{extension}{any}; none of {forbidden}"),
    }
}

/// The purposes of the signer's key.
fn purposes(rule: &SignerRule) -> String {
    let purpose = profile::purpose_text(&rule.purpose);
    let wanted = match rule.purpose_rule {
        PurposeRule::CriticalAndAlone => return format!("the extension, critical, with {purpose} alone"),
        PurposeRule::IfPresent => format!("{purpose} or anyExtendedKeyUsage, or no such extension"),
        PurposeRule::Optional => format!("{purpose}, or no such extension"),
        PurposeRule::Required => purpose,
    };
    let forbidden: Vec<_> = rule.forbidden_purposes.iter().map(|one| profile::purpose_name(one)).collect();
    match forbidden.as_slice() {
        [] => wanted,
        names => format!("{wanted}; none of {}", names.join(", ")),
    }
}

/// A line of the configuration of `openssl` for the extensions of the certificate, or a command or an option.
fn openssl(rule: ChainRule, role: Role, purpose: Purpose) -> Option<&'static str> {
    Some(match (rule, role, purpose) {
        (ChainRule::AuthorityKeyId, ..) => "authorityKeyIdentifier = keyid:always",
        (ChainRule::BasicConstraints | ChainRule::BasicConstraintsCritical, ..) => {
            "basicConstraints = critical,CA:TRUE"
        }
        (ChainRule::CaAsSigner, ..) => "basicConstraints = critical,CA:FALSE",
        (ChainRule::ChainOrder, ..) => "cat signer.pem intermediate.pem root.pem > chain.pem",
        (ChainRule::ExtendedKeyUsage, Role::Signer, Purpose::TimeStamping) => {
            "extendedKeyUsage = critical,timeStamping"
        }
        (ChainRule::ExtendedKeyUsage, Role::Signer, _) => "extendedKeyUsage = codeSigning",
        (ChainRule::Key, ..) => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        (ChainRule::KeyUsage, Role::Signer, _) => "keyUsage = critical,digitalSignature",
        (ChainRule::KeyUsage, ..) => "keyUsage = critical,keyCertSign,cRLSign",
        (ChainRule::PathLengthPlace, Role::Signer, _) => "basicConstraints = critical,CA:FALSE",
        (ChainRule::SerialNumber, ..) => "-set_serial 0x$(openssl rand -hex 16)",
        (ChainRule::SignatureAlgorithm, ..) => "default_md = sha256",
        (ChainRule::SubjectKeyId, ..) => "subjectKeyIdentifier = hash",
        _ => return None,
    })
}
