//! Why rustls-webpki found no path, in our words: the rule, and the certificate that breaks it.
//!
//! This decides nothing but the words and whether they are a no or could-not-tell: there is no path either way.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::UnixTime;
use webpki::EndEntityCert;
use webpki::Error;

use crate::key::KeyError;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::CertificateLabel;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::candidates::Candidates;
use crate::x509::checks;
use crate::x509::checks::Broken;
use crate::x509::checks::BrokenClass;

/// The error that says that `certificate` breaks a rule.
pub(super) fn error(broken: Broken, certificate: &Certificate, at: Time) -> ChainError {
    let Broken { class, found, rule } = broken;
    let certificate = CertificateLabel::of(certificate);
    match class {
        BrokenClass::Refused => ChainError::Refused { at, certificate, found, rule },
        BrokenClass::Undetermined => ChainError::Undetermined { at, certificate, found, rule },
    }
}

/// Whether the search was given up.
pub(super) const fn is_budget(found: &Error) -> bool {
    matches!(
        found,
        Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumPathDepthExceeded
            | Error::MaximumSignatureChecksExceeded
    )
}

/// The error where paths were inspected and none passed: the `refusal` that the inspection gave, unless rustls-webpki could
/// not tell about another path.
pub(super) fn inspected(of: &Candidates<'_>, found: &Error, refusal: ChainError) -> ChainError {
    // rustls-webpki was told this error by the inspection, unless it found another one.
    let told = matches!(found, Error::UnknownIssuer);
    if !is_budget(found) && (told || refusal.is_undetermined()) {
        return refusal;
    }
    Some(search(of, found)).filter(ChainError::is_undetermined).unwrap_or(refusal)
}

/// Could-not-tell for the first anchor that the search reaches and that rustls-webpki does not read.
pub(super) fn unread_anchor(of: &Candidates<'_>, unread: &[(&Certificate, Error)]) -> Option<ChainError> {
    let reached = Reached::by(of);
    let is_reached = |one: &Certificate| reached.all.iter().any(|known| std::ptr::eq(*known, one));
    let (certificate, found) = unread.iter().find(|(one, _)| is_reached(one))?;
    let broken = match (certificate.version(), certificate.has_unique_id()) {
        (3, true) => Broken::undetermined(ChainRule::UniqueId),
        (3, false) => Broken::undetermined(ChainRule::Malformed).by(format_args!("{found:?}")),
        _ => Broken::undetermined(ChainRule::Version),
    };
    Some(error(broken, certificate, of.at))
}

/// Checks that `certificate` is signed by the key of `issuer`.
///
/// # Errors
/// A no, for a signature by another key, a weak algorithm or a small key; could-not-tell, for what is not supported.
pub(super) fn signature(
    of: &Candidates<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(), ChainError> {
    if of.is_signed_by(certificate, issuer) {
        return Ok(());
    }
    let (named, broken) = match (algorithm(of, certificate), key(issuer)) {
        (Some(broken), _) => (certificate, broken),
        (None, Some(broken)) => (issuer, broken),
        (None, None) => (certificate, Broken::refused(ChainRule::Signature)),
    };
    Err(error(broken, named, of.at))
}

/// Why the algorithm of the signature on `certificate` is not used: MD2, MD5 and SHA-1 are refused, others not supported.
fn algorithm(of: &Candidates<'_>, certificate: &Certificate) -> Option<Broken> {
    let found = certificate.signature_algorithm();
    if WEAK.contains(&found.as_content()) {
        return Some(Broken::refused(ChainRule::SignatureAlgorithm).by(found));
    }
    let used = of.algorithms().iter().any(|one| one.signature_alg_id().as_ref() == certificate.algorithm_id());
    (!used).then(|| Broken::undetermined(ChainRule::SignatureAlgorithm).by(found))
}

/// What rustls-webpki does not accept of a `certificate` by itself, whatever its path.
pub(super) fn alone(
    of: &Candidates<'_>,
    certificate: &Certificate,
) -> impl Iterator<Item = (ChainRule, Result<(), Broken>)> + use<> {
    let broken = |is_it: bool, broken: Broken| if is_it { Err(broken) } else { Ok(()) };
    let two = Broken::refused(ChainRule::SignatureAlgorithm).by("two algorithms are named");
    let distrusted = broken(is_distrusted(certificate), Broken::refused(ChainRule::DistrustedKey));
    let unique_id = broken(certificate.has_unique_id(), Broken::undetermined(ChainRule::UniqueId));
    let outcomes = [
        (ChainRule::SignatureAlgorithm, algorithm(of, certificate).map_or(Ok(()), Err)),
        (ChainRule::SignatureAlgorithm, broken(certificate.names_two_algorithms(), two)),
        (ChainRule::DistrustedKey, distrusted),
        (ChainRule::UniqueId, unique_id),
    ];
    outcomes.into_iter()
}

/// Why the key of `issuer` is not used.
fn key(issuer: &Certificate) -> Option<Broken> {
    match issuer.public_key() {
        Err(KeyError::RsaSize { found }) => Some(Broken::refused(ChainRule::Key).by(format_args!("RSA, {found} bits"))),
        Err(found @ KeyError::Algorithm { .. }) => Some(Broken::undetermined(ChainRule::Key).by(found)),
        Err(_) | Ok(_) => None,
    }
}

/// Whether rustls-webpki distrusts the key of `certificate`. It looks at that first, so that no anchor is needed.
fn is_distrusted(certificate: &Certificate) -> bool {
    let der = CertificateDer::from(certificate.der());
    let Ok(certificate) = EndEntityCert::try_from(&der) else { return false };
    let (time, usage) = (UnixTime::since_unix_epoch(Duration::ZERO), webpki::KeyUsage::client_auth());
    let found = certificate.verify_for_usage(&[], &[], &[], time, usage, None, None);
    matches!(found, Err(Error::CertDistrusted))
}

/// What an error of rustls-webpki says about the certificates that the signer's leads to.
pub(super) fn search(of: &Candidates<'_>, found: &Error) -> ChainError {
    let reached = Reached::by(of);
    let (certificate, broken) = reached.broken(found);
    error(broken, certificate, of.at)
}

/// The certificates that can be reached from the signer's by the names of issuers.
struct Reached<'a> {
    all: Vec<&'a Certificate>,
    of: &'a Candidates<'a>,
}

impl<'a> Reached<'a> {
    fn by(of: &'a Candidates<'_>) -> Self {
        let mut all = vec![of.signer];
        let mut next = 0;
        while let Some(certificate) = all.get(next).copied() {
            for one in of.all() {
                let new = !all.iter().any(|known| std::ptr::eq(*known, one));
                if new && one.subject() == certificate.issuer() {
                    all.push(one);
                }
            }
            next += 1;
        }
        Self { all, of }
    }

    fn broken(&self, found: &Error) -> (&'a Certificate, Broken) {
        match found {
            Error::CaUsedAsEndEntity => (self.of.signer, Broken::undetermined(ChainRule::CaAsSigner)),
            Error::CertDistrusted => self.first(is_distrusted, Broken::refused(ChainRule::DistrustedKey)),
            Error::CertExpired { .. } | Error::CertNotValidYet { .. } | Error::InvalidCertValidity => self.validity(),
            Error::EmptyEkuExtension => {
                let empty = |one: &Certificate| one.extensions().extended_key_usage().is_some_and(<[_]>::is_empty);
                self.first(empty, Broken::refused(ChainRule::ExtendedKeyUsage))
            }
            Error::EndEntityUsedAsCa => {
                let issues = |one: &Certificate| !std::ptr::eq(one, self.of.signer) && !one.extensions().is_ca();
                self.first(issues, Broken::refused(ChainRule::BasicConstraints))
            }
            Error::InvalidSignatureForPublicKey => self.signature(),
            Error::NameConstraintViolation
            | Error::InvalidNetworkMaskConstraint
            | Error::MalformedNameConstraint
            | Error::MalformedDnsIdentifier => self.name_constraints(),
            Error::PathLenConstraintViolated => self.path_length(),
            Error::SignatureAlgorithmMismatch => {
                let broken = Broken::refused(ChainRule::SignatureAlgorithm).by("two algorithms are named");
                self.first(Certificate::names_two_algorithms, broken)
            }
            Error::UnknownIssuer => self.unknown_issuer(),
            Error::UnsupportedCertVersion => {
                self.first(|one| one.version() != 3, Broken::undetermined(ChainRule::Version))
            }
            Error::UnsupportedCriticalExtension => self.critical_extension(),
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => self.algorithm(),
            found if is_budget(found) => {
                (self.of.signer, Broken::undetermined(ChainRule::SearchBudget).by(format_args!("{found:?}")))
            }
            found => self.malformed(found),
        }
    }

    /// The first certificate that `is_it` of those that are reached, else the signer's.
    fn first(&self, is_it: impl Fn(&Certificate) -> bool, broken: Broken) -> (&'a Certificate, Broken) {
        let found = self.all.iter().find(|one| is_it(one));
        (found.copied().unwrap_or(self.of.signer), broken)
    }

    fn validity(&self) -> (&'a Certificate, Broken) {
        let at = self.of.at;
        for one in &self.all {
            if one.not_before() > one.not_after() {
                return (one, Broken::refused(ChainRule::Malformed).by("its validity ends before it begins"));
            }
            if at < one.not_before() {
                return (
                    one,
                    Broken::refused(ChainRule::NotYetValid).by(format_args!("valid from {}", one.not_before())),
                );
            }
            if at > one.not_after() {
                return (one, Broken::refused(ChainRule::Expired).by(format_args!("valid until {}", one.not_after())));
            }
        }
        (self.of.signer, Broken::refused(ChainRule::Expired))
    }

    /// A signature is refused because the issuer's key is too small, or because it is not by that key.
    fn signature(&self) -> (&'a Certificate, Broken) {
        for issuer in &self.all {
            if let Some(broken) = key(issuer).filter(|broken| broken.class == BrokenClass::Refused) {
                return (issuer, broken);
            }
        }
        match self.unsigned() {
            Some(one) => (one, Broken::refused(ChainRule::Signature)),
            None => self.behind_a_signature(),
        }
    }

    /// The first certificate whose issuers are there and have not signed it. Words are not worth more checks than the
    /// search itself.
    fn unsigned(&self) -> Option<&'a Certificate> {
        let mut left = MOST_CHECKS;
        self.all.iter().copied().find(|one| {
            let mut issuers = self.issuers_of(one).peekable();
            issuers.peek().is_some()
                && !issuers.any(|issuer| {
                    left = left.saturating_sub(1);
                    left == 0 || self.of.is_signed_by(one, issuer)
                })
        })
    }

    /// Each certificate is signed by one of its name: rustls-webpki tried another one of that name as well, and says
    /// what was wrong with that. What is wrong with the path is one of the rules that it ranks lower.
    fn behind_a_signature(&self) -> (&'a Certificate, Broken) {
        let extensions = || self.all.iter().map(|one| one.extensions());
        if extensions().any(|extensions| extensions.name_constraints().is_some()) {
            return self.name_constraints();
        }
        if extensions().any(|extensions| extensions.basic_constraints().is_some_and(|c| c.path_length.is_some())) {
            return self.path_length();
        }
        (self.of.signer, Broken::refused(ChainRule::Path))
    }

    /// Whether a certificate between signer and anchor is issued by who it is about, as when a key is rolled over. An
    /// anchor that the signer sent along does not count: a path through it has a shorter one in it, which ends there.
    fn has_self_issued(&self) -> bool {
        let between = |one: &Certificate| self.of.intermediates.iter().any(|known| std::ptr::eq(*known, one));
        let is_anchor = |one: &Certificate| self.of.anchors.iter().any(|anchor| **anchor == *one);
        self.all.iter().any(|one| one.is_self_issued() && between(one) && !is_anchor(one))
    }

    fn issuers_of(&self, certificate: &Certificate) -> impl Iterator<Item = &'a Certificate> {
        self.all.iter().copied().filter(|one| one.subject() == certificate.issuer())
    }

    /// rustls-webpki applies constraints to certificates that are issued by who they are about, which RFC 5280 section
    /// 4.2.1.10 does not.
    fn name_constraints(&self) -> (&'a Certificate, Broken) {
        let other = self.all.iter().find(|one| checks::constrains_other_forms(one));
        match other {
            Some(one) => (one, Broken::undetermined(ChainRule::NameConstraints).by("forms that are not compared")),
            None => {
                let constrains = |one: &Certificate| one.extensions().name_constraints().is_some();
                match self.has_self_issued() {
                    true => self.first(constrains, Broken::undetermined(ChainRule::NameConstraints).by(SELF_ISSUED)),
                    false => self.first(constrains, Broken::refused(ChainRule::NameConstraints)),
                }
            }
        }
    }

    /// rustls-webpki counts certificates that are issued by who they are about, which RFC 5280 section 6.1.4 (l) does
    /// not.
    fn path_length(&self) -> (&'a Certificate, Broken) {
        let limits = |one: &Certificate| one.extensions().basic_constraints().is_some_and(|c| c.path_length.is_some());
        match self.has_self_issued() {
            true => self.first(limits, Broken::undetermined(ChainRule::PathLength).by(SELF_ISSUED)),
            false => self.first(limits, Broken::refused(ChainRule::PathLength)),
        }
    }

    /// The search ends at the first certificate whose issuer is not there.
    fn unknown_issuer(&self) -> (&'a Certificate, Broken) {
        let end = self.all.iter().find(|one| self.issuers_of(one).next().is_none());
        if let Some(one) = self.all.iter().find(|one| end.is_none() && one.has_unique_id()) {
            return (one, Broken::undetermined(ChainRule::UniqueId));
        }
        let end = end.copied().unwrap_or(self.of.signer);
        let mut all = self.of.all().chain(self.of.others.iter().copied());
        let alike = all.any(|one| one.subject() != end.issuer() && one.subject().resembles(end.issuer()));
        match alike {
            true => (end, Broken::undetermined(ChainRule::NameMatching)),
            false => (end, Broken::refused(ChainRule::Path)),
        }
    }

    fn critical_extension(&self) -> (&'a Certificate, Broken) {
        let broken = |one: &&'a Certificate| checks::unprocessed(one).next().map(|broken| (*one, broken));
        let found = self.all.iter().find_map(broken);
        found.unwrap_or((self.of.signer, Broken::undetermined(ChainRule::CriticalExtension)))
    }

    /// The signature on the signer's certificate is on every path, so its algorithm decides. Else could-not-tell wins: a
    /// weak algorithm may be on another path. Nobody verifies the signature on an anchor.
    fn algorithm(&self) -> (&'a Certificate, Broken) {
        let is_anchor = |one: &Certificate| self.of.anchors.iter().any(|anchor| std::ptr::eq(*anchor, one));
        let signed = self.all.iter().copied().filter(|one| !is_anchor(one));
        let not_used: Vec<_> = signed.filter_map(|one| algorithm(self.of, one).map(|broken| (one, broken))).collect();
        let of_signer = not_used.iter().find(|(one, _)| std::ptr::eq(*one, self.of.signer));
        let unsupported = || not_used.iter().find(|(_, broken)| broken.class == BrokenClass::Undetermined);
        if let Some(found) = of_signer.or_else(unsupported).or(not_used.first()) {
            return found.clone();
        }
        let one = self.unsigned().unwrap_or(self.of.signer);
        (one, Broken::undetermined(ChainRule::SignatureAlgorithm).by(one.signature_algorithm()))
    }

    fn malformed(&self, found: &Error) -> (&'a Certificate, Broken) {
        if let Some(one) = self.all.iter().find(|one| one.has_unique_id()) {
            return (one, Broken::undetermined(ChainRule::UniqueId));
        }
        if let Some(one) = self.all.iter().find(|one| one.not_before() < Time::EPOCH) {
            return (one, Broken::undetermined(ChainRule::Time).by(format_args!("valid from {}", one.not_before())));
        }
        let long = |one: &&&Certificate| {
            one.extensions().basic_constraints().and_then(|c| c.path_length).is_some_and(|length| length > 255)
        };
        if let Some(one) = self.all.iter().find(long) {
            return (one, Broken::undetermined(ChainRule::PathLength).by("more than 255"));
        }
        self.first(|_| true, Broken::refused(ChainRule::Malformed).by(format_args!("{found:?}")))
    }
}

const MOST_CHECKS: u32 = 50;

const SELF_ISSUED: &str = "self-issued certificates are not exempt here";

/// RFC 3279 section 2.2: MD2, MD5 and SHA-1 with RSA, SHA-1 with DSA and with ECDSA.
const WEAK: [&[u8]; 5] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
    &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
];
