//! How many different timestamp authorities made timestamps.
//!
//! The invariant: the number is that of the largest set of different authorities in which each has a signing key of its
//! own. So an authority that has several certificates counts once, whichever of them its timestamps lead to; and one
//! more timestamp never lowers the number. It is a maximum matching of authorities with keys, found by augmenting paths
//! (Kuhn's algorithm).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::x509::SignedBefore;

/// The number of different authorities, each with a key of its own. `A` is what the operator knows an authority by.
pub(crate) fn count_authorities<'a, A: Copy + Ord>(
    timestamps: impl IntoIterator<Item = (A, &'a SignedBefore)>,
) -> usize {
    let mut keys: BTreeMap<A, BTreeSet<&[u8]>> = BTreeMap::new();
    for (authority, timestamp) in timestamps {
        keys.entry(authority).or_default().insert(timestamp.chain().signer().spki());
    }
    let mut paired = BTreeMap::new();
    keys.keys().filter(|authority| pair(**authority, &keys, &mut paired, &mut BTreeSet::new())).count()
}

/// Pairs `authority` with a key (augmenting path), and moves other authorities to other keys if that frees one. `false` if
/// none can be freed; then no pair is changed. Each key is tried once, so the recursion is at most one level per authority.
fn pair<'a, A: Copy + Ord>(
    authority: A,
    keys: &BTreeMap<A, BTreeSet<&'a [u8]>>,
    paired: &mut BTreeMap<&'a [u8], A>,
    tried: &mut BTreeSet<&'a [u8]>,
) -> bool {
    for key in keys.get(&authority).into_iter().flatten() {
        if !tried.insert(key) {
            continue;
        }
        let free = match paired.get(key).copied() {
            None => true,
            Some(other) => pair(other, keys, paired, tried),
        };
        if free {
            paired.insert(key, authority);
            return true;
        }
    }
    false
}
