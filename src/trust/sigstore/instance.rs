//! `SigstoreInstance`: the public instances of Sigstore, whose trusted roots come with this package.

use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::ordered;
use crate::time::Time;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootError;

/// A public instance of Sigstore whose trusted root comes with this package, in `keys/`. Nothing uses it unless an operator
/// names the instance. `keys/README.md` states where each file is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigstoreInstance {
    /// The public good instance, `sigstore.dev`.
    PublicGood,
    /// The staging instance, `sigstage.dev`: for tests alone.
    Staging,
}

impl SigstoreInstance {
    /// All instances.
    pub const ALL: [Self; 2] = [Self::PublicGood, Self::Staging];

    /// The instance of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|instance| instance.name() == name)
    }

    /// The instance whose certificate authorities `root` trusts as well, known by their keys: everybody can have a certificate
    /// of it. `None` if there is no such instance.
    ///
    /// # Errors
    /// [`TrustedRootError`] where `limits` are too small for the trusted roots of the instances.
    pub fn trusted_by(root: &TrustedRoot, limits: &Limits) -> Result<Option<Self>, TrustedRootError> {
        let found = authority_keys(root);
        for instance in Self::ALL {
            let own = TrustedRoot::parse(instance.trusted_root_json(), limits)?;
            if !authority_keys(&own).is_disjoint(&found) {
                return Ok(Some(instance));
            }
        }
        Ok(None)
    }

    /// Its name: `public-good` or `staging`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicGood => "public-good",
            Self::Staging => "staging",
        }
    }

    /// The latest time at which the instance is known to have published exactly these files.
    pub fn as_of(self) -> Time {
        let seconds = match self {
            Self::PublicGood => PUBLIC_GOOD_AS_OF,
            Self::Staging => STAGING_AS_OF,
        };
        Time::from_unix(seconds).unwrap_or(Time::EPOCH)
    }

    /// Its `trusted_root.json`.
    pub const fn trusted_root_json(self) -> &'static [u8] {
        match self {
            Self::PublicGood => include_bytes!("../../../keys/sigstore-public-good.trusted_root.json"),
            Self::Staging => include_bytes!("../../../keys/sigstore-staging.trusted_root.json"),
        }
    }

    /// The root metadata of its TUF repository, from which newer trusted roots are verified.
    pub const fn tuf_root_json(self) -> &'static [u8] {
        match self {
            Self::PublicGood => include_bytes!("../../../keys/sigstore-public-good.root.json"),
            Self::Staging => include_bytes!("../../../keys/sigstore-staging.root.json"),
        }
    }
}

/// The keys of all certificates of the certificate authorities.
fn authority_keys(root: &TrustedRoot) -> BTreeSet<&[u8]> {
    let certificates = root.certificate_authorities().iter().flat_map(|authority| authority.certificates());
    ordered::set(certificates.map(|certificate| certificate.spki()))
}

/// 2026-08-21T19:25:56Z.
const PUBLIC_GOOD_AS_OF: i64 = 1_787_340_356;
/// 2026-08-21T19:24:00Z.
const STAGING_AS_OF: i64 = 1_787_340_240;
