//! Which timestamp authorities of a trusted root are one.
//!
//! The invariant: entries of a root are one authority if they have a key or an address in common, also through others. A root
//! may list an authority several times, with an anchor and a validity period for each: GitHub's has the same address in each
//! entry. What the root says decides alone, so nothing that comes with a signature makes two of one, or one of two.

use std::collections::BTreeSet;

use crate::ordered;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::x509::Certificate;

/// What entries of one authority may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AuthorityTrait<'a> {
    Address(&'a str),
    /// The DER `SubjectPublicKeyInfo`.
    Key(&'a [u8]),
}

impl TrustedRoot {
    /// For each of the timestamp authorities the position of the last one that is the same.
    pub(in crate::trust) fn same_timestamp_authorities(&self) -> Vec<usize> {
        let mut known: Vec<(BTreeSet<AuthorityTrait<'_>>, Vec<usize>)> = Vec::new();
        for (position, authority) in self.timestamp_authorities().iter().enumerate() {
            let (mut traits, mut positions) = (authority.traits(), vec![position]);
            let (same, others): (Vec<_>, Vec<_>) =
                known.into_iter().partition(|(known, _)| !known.is_disjoint(&traits));
            for (of_same, at) in same {
                traits.extend(of_same);
                positions.extend(at);
            }
            known = others;
            known.push((traits, positions));
        }
        let last = |position: usize| {
            let group = known.iter().find(|(_, positions)| positions.contains(&position));
            group.and_then(|(_, positions)| positions.iter().max().copied()).unwrap_or(position)
        };
        (0..self.timestamp_authorities().len()).map(last).collect()
    }
}

impl SigstoreAuthority {
    fn traits(&self) -> BTreeSet<AuthorityTrait<'_>> {
        let keys = self.certificates().map(Certificate::spki).map(AuthorityTrait::Key);
        ordered::set(keys.chain(self.uri().filter(|uri| !uri.is_empty()).map(AuthorityTrait::Address)))
    }
}
