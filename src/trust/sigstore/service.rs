//! `ServiceGroup`: the services of one kind in a signing config, and which of them a client uses.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::time::Time;
use crate::time::ValidityPeriod;

/// A service of a signing config: a log, a timestamp authority, a certificate authority or an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigstoreService {
    pub(super) major_api_version: u32,
    pub(super) operator: String,
    pub(super) url: String,
    pub(super) validity: ValidityPeriod,
}

/// How many services of one kind a client uses, each of another operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceSelector {
    /// `ALL`: one of every operator.
    All,
    /// `ANY`: one.
    Any,
    /// `EXACT`: so many.
    Exact(NonZeroU32),
}

/// The services of one kind in a signing config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGroup {
    pub(super) selector: Option<ServiceSelector>,
    pub(super) services: Vec<SigstoreService>,
}

/// Why a client cannot use as many services as a signing config asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceSelectionError {
    /// There are too few different operators with a service that is valid now, in a version that the client supports.
    #[error("{found} operators have a service that is valid and supported, and {wanted} are wanted")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are wanted.
        wanted: u32,
    },
}

impl SigstoreService {
    /// The major version of its API.
    pub const fn major_api_version(&self) -> u32 {
        self.major_api_version
    }

    /// Who operates it; empty if that is not stated.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Its address: `http` or `https`, with a host and without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From when until when it may be used.
    pub const fn validity(&self) -> ValidityPeriod {
        self.validity
    }
}

impl ServiceGroup {
    /// How many are used; `None` if there are no services of this kind.
    pub const fn selector(&self) -> Option<ServiceSelector> {
        self.selector
    }

    /// All services, in the order of the document.
    pub fn services(&self) -> &[SigstoreService] {
        &self.services
    }

    /// The services that a client uses at `now` which supports these versions of the API (`sigstore_trustroot.proto`,
    /// `ServiceSelector`): valid ones alone; of each operator the one with the highest version, then with the newest
    /// start; and of these as many as the selector says, in the same order. Empty if there are no services of this kind.
    ///
    /// # Errors
    /// [`ServiceSelectionError`] if there are services of this kind, and fewer can be used than the selector says.
    pub fn select(&self, supported: &[u32], now: Time) -> Result<Vec<&SigstoreService>, ServiceSelectionError> {
        let Some(selector) = self.selector else { return Ok(Vec::new()) };
        let usable = |one: &&SigstoreService| supported.contains(&one.major_api_version) && one.validity.contains(now);
        let mut usable: Vec<_> = self.services.iter().filter(usable).collect();
        // The sort is stable: the order of the document decides between equal ones.
        usable.sort_by_key(|one| Reverse((one.major_api_version, one.validity.start)));
        let mut operators = BTreeSet::new();
        usable.retain(|one| operators.insert(one.operator.as_str()));
        let (found, wanted) = match selector {
            ServiceSelector::All => (usable.len(), 1),
            ServiceSelector::Any => {
                usable.truncate(1);
                (usable.len(), 1)
            }
            ServiceSelector::Exact(count) => {
                let found = usable.len();
                usable.truncate(usize::try_from(count.get()).unwrap_or(usize::MAX));
                (found, count.get())
            }
        };
        match u32::try_from(found).is_ok_and(|found| found < wanted) {
            true => Err(ServiceSelectionError::TooFew { found, wanted }),
            false => Ok(usable),
        }
    }
}
