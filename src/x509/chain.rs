//! `VerifiedChain`: a path from a signer's certificate to one that the operator trusts, verified at a stated time.
//!
//! Nothing in the certificates widens trust: anchors are what the operator gave, for the purpose that the operator gave
//! them for. Revocation is not looked at; it is a question about the certificates of a verified chain.
//!
//! 1. The certificates are within the limits.
//! 2. The signer's certificate complies with the rules of the profile, and its key is of a kind that it allows.
//! 3. rustls-webpki finds a path and verifies it (RFC 5280 section 6.1, `search.rs`). By the profile `notary` the path is
//!    the signer's whole chain, up to a self-signed root that nobody needs to trust yet; else it ends at an anchor.
//! 4. Each certificate of the path, the anchor's among them, complies with RFC 5280 and with the profile (`checks.rs`), and so
//!    does the path as a whole (`path_checks.rs`).
//! 5. By the profile `notary`, one certificate of the path, whichever, is the same as an anchor, byte for byte.

use crate::key::PublicKey;
use crate::limits;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::ChainError;
use crate::x509::ChainRule;
use crate::x509::Profile;
use crate::x509::Purpose;
use crate::x509::candidates::Candidates;
use crate::x509::checks;
use crate::x509::checks::Broken;
use crate::x509::checks::Role;
use crate::x509::explain::error;
use crate::x509::path_checks;
use crate::x509::profile::PathRule;
use crate::x509::search;
use crate::x509::whole_chain;

/// A certificate that the operator trusts for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The certificate: a root, or any other one.
    pub certificate: Certificate,
    /// What it is trusted for, and for nothing else.
    pub purpose: Purpose,
}

/// The certificates that came with a signature.
#[derive(Clone, Copy, Debug)]
pub struct PresentedChain<'a> {
    /// The signer's certificate first, then its issuers, in the order in which the signer gave them.
    pub certificates: &'a NonEmpty<Certificate>,
    /// More certificates from which issuers may be taken. The profile `notary` takes none for signatures.
    pub extra: &'a [Certificate],
}

/// A chain that was verified by a profile, for a purpose, at a time.
///
/// Made by [`VerifiedChain::verify`] only.
#[derive(Clone, Debug)]
pub struct VerifiedChain {
    at: Time,
    key: PublicKey,
    path: NonEmpty<Certificate>,
    profile: &'static str,
    purpose: Purpose,
    trusted: Certificate,
}

impl VerifiedChain {
    /// Verifies that a path leads from the first of the `presented` certificates to one that `anchors` trust for
    /// `purpose`, at the time `at`.
    ///
    /// ```
    /// use bulla::{limits::Limits, nonempty::NonEmpty, time::Time};
    /// use bulla::x509::{Anchor, Certificate, ChainError, IdentityPattern, PresentedChain, Profile, Purpose, VerifiedChain};
    ///
    /// /// Whether a chain of a signature of the Notary Project leads to `root`, and is the release team's.
    /// fn is_release(chain: &NonEmpty<Certificate>, root: Certificate, at: Time) -> Result<bool, ChainError> {
    ///     let presented = PresentedChain { certificates: chain, extra: &[] };
    ///     let anchors = [Anchor { certificate: root, purpose: Purpose::Signing }];
    ///     let verified = VerifiedChain::verify(
    ///         presented, &anchors, Purpose::Signing, &Profile::NOTARY, at, &Limits::DEFAULT)?;
    ///     let release = IdentityPattern::subject("O=Example, CN=release").unwrap();
    ///     Ok(release.matches(verified.signer()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ChainError`]: refused, or could-not-tell.
    pub fn verify(
        presented: PresentedChain<'_>,
        anchors: &[Anchor],
        purpose: Purpose,
        profile: &Profile,
        at: Time,
        limits: &Limits,
    ) -> Result<Self, ChainError> {
        let signer = presented.certificates.first();
        within(&presented, limits).map_err(|broken| error(broken, signer, at))?;
        let rules = |certificate: &Certificate, role| {
            let found = checks::certificate(profile, purpose, certificate, role, at, &mut |_, outcome| outcome);
            found.map_err(|broken| error(broken, certificate, at))
        };
        rules(signer, Role::Signer)?;
        let key = checks::key(profile.signer_keys, signer).map_err(|broken| error(broken, signer, at))?;
        let trusted: Vec<_> =
            anchors.iter().filter(|anchor| anchor.purpose == purpose).map(|anchor| &anchor.certificate).collect();
        let whole = |path: &[Certificate]| -> Result<(), ChainError> {
            at_most(path.len(), limits.envelope.certificate_chain).map_err(|broken| error(broken, signer, at))?;
            let roles = roles(path.len());
            path.iter().zip(roles).try_for_each(|(certificate, role)| rules(certificate, role))?;
            let named = |(index, broken)| error(broken, path.get(index).unwrap_or(signer), at);
            path_checks::path_length(path).map_err(named)?;
            path_checks::email_constraints(path).map_err(named)
        };
        let path = match profile.signer(purpose).path {
            PathRule::ToAnchor => {
                let (_, rest) = presented.split();
                let between = rest.chain(presented.extra);
                let candidates = Candidates::new(signer, between, trusted.clone(), profile.ed25519, at);
                search::find(&candidates, search::MOST_STEPS, &whole)?
            }
            PathRule::WholeChain => whole_chain::path(presented.certificates, profile.ed25519, at, &whole)?,
        };
        let is_trusted = |certificate: &&Certificate| trusted.contains(certificate);
        // To an anchor, only the end of the path was asked for; of a whole chain, any certificate may be the trusted one.
        let trusted = match profile.signer(purpose).path {
            PathRule::ToAnchor => path.last().filter(is_trusted),
            PathRule::WholeChain => path.iter().find(is_trusted),
        };
        let untrusted = || error(Broken::refused(ChainRule::Trust), path.last().unwrap_or(signer), at);
        let trusted = trusted.cloned().ok_or_else(untrusted)?;
        let path = NonEmpty::collect(path).ok_or_else(|| error(Broken::refused(ChainRule::Path), signer, at))?;
        Ok(Self { at, key, path, profile: profile.name, purpose, trusted })
    }

    /// Checks that every certificate of the path is valid at another time as well (RFC 5280 section 6.1.3 (a) (2)).
    ///
    /// # Errors
    /// [`ChainError`]: the first certificate that is not.
    pub fn require_valid_at(&self, at: Time) -> Result<(), ChainError> {
        let valid = |one: &Certificate| checks::validity(one, at).map_err(|broken| error(broken, one, at));
        self.path.iter().try_for_each(valid)
    }

    /// The time that the chain was verified for.
    pub const fn at(&self) -> Time {
        self.at
    }

    /// The key of the signer's certificate.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The certificates from the signer's to the anchor or root.
    pub const fn path(&self) -> &NonEmpty<Certificate> {
        &self.path
    }

    /// Each certificate up to the trusted one, with its issuer; the last of the path has none. Nothing above the trusted
    /// certificate is protected by a signature that leads to it: anybody can present other issuers of the same name and key.
    pub fn up_to_trusted(&self) -> impl Iterator<Item = (&Certificate, &Certificate)> {
        let above = self.path.iter().position(|one| *one == self.trusted).map_or(0, |at| at.saturating_add(1));
        self.path.iter().zip(self.path.iter().skip(1)).take(above)
    }

    /// The name of the profile.
    pub const fn profile(&self) -> &'static str {
        self.profile
    }

    /// What it was verified for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The signer's certificate.
    pub fn signer(&self) -> &Certificate {
        self.path.first()
    }

    /// The certificate of the path that the operator trusts.
    pub const fn trusted(&self) -> &Certificate {
        &self.trusted
    }
}

impl<'a> PresentedChain<'a> {
    fn split(self) -> (&'a Certificate, impl Iterator<Item = &'a Certificate> + use<'a>) {
        (self.certificates.first(), self.certificates.iter().skip(1))
    }
}

/// The roles in a path of `length` certificates. A path of one is a signer that is its own anchor.
pub(super) fn roles(length: usize) -> impl Iterator<Item = Role> {
    (0..length).map(move |index| match index {
        0 => Role::Signer,
        index if index + 1 == length => Role::Anchor,
        _ => Role::Intermediate,
    })
}

/// One chain and all certificates that came with it, each within its limit.
fn within(presented: &PresentedChain<'_>, limits: &Limits) -> Result<(), Broken> {
    let chain = presented.certificates.count();
    at_most(chain, limits.envelope.certificate_chain)?;
    at_most(chain.saturating_add(presented.extra.len()), limits.envelope.certificates)
}

fn at_most(found: usize, limit: u64) -> Result<(), Broken> {
    match limits::count(found) > limit {
        true => Err(Broken::undetermined(ChainRule::Limit).by(format_args!("{found}, at most {limit}"))),
        false => Ok(()),
    }
}
