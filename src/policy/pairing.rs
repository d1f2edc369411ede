//! The largest pairing of owners with distinct signers, by which a quorum counts owners.
//!
//! The invariant: each counted owner is paired with one signer, and no two of these signers are the same
//! ([`SignerCredential::is_same_signer`]). So one key under two names counts once, one person with two certificates counts
//! once, and two signers of one owner count once. The order of signatures decides nothing, and within the bound of step 3
//! one more signature never counts for fewer owners. The steps:
//!
//! 1. A lower bound: signers that have a key or a name in common, also through others, are taken for one (`Joined`). What
//!    is left is a maximum matching, found by augmenting paths (Kuhn's algorithm).
//! 2. An upper bound: the same by keys alone. In most cases both are equal.
//! 3. Otherwise a search over the owners, one after the other, each with one of their signers or none. It is bounded
//!    (`evidence.pairing_steps`), since the problem is a matching in three dimensions. Where it ends early, what it has
//!    found by then is the lower bound, and step 2 the upper one. A threshold between the two is could-not-tell.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::trust::Owner;
use crate::trust::SignerCredential;

/// The signers of each owner.
pub(super) type SignersOfOwners<'a> = BTreeMap<&'a Owner, BTreeSet<SignerCredential>>;

/// The largest number of owners who can be paired with distinct signers: exactly known if both bounds are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LargestPairing {
    /// So many have been paired.
    pub(super) least: usize,
    /// More cannot be paired.
    pub(super) most: usize,
}

/// The largest pairing, searched for in at most `steps` steps, from which those are taken that the search needed.
pub(super) fn largest(signers: &SignersOfOwners<'_>, steps: &mut u64) -> LargestPairing {
    let joined = Joined::by(signers.values().flatten());
    let least = matching(signers, |signer| joined.representative(Part::Key(signer.key())));
    let most = matching(signers, |signer| Part::Key(signer.key()));
    if least == most {
        return LargestPairing { least, most };
    }
    let mut of_owners: Vec<&BTreeSet<SignerCredential>> = signers.values().collect();
    of_owners.sort_by_key(|of_owner| of_owner.len());
    let left = usize::try_from(*steps).unwrap_or(usize::MAX);
    let mut search = Search { best: least, chosen: Vec::new(), is_exhausted: false, most, steps: left };
    search.extend(&of_owners);
    *steps = u64::try_from(search.steps).unwrap_or(0);
    let most = if search.is_exhausted { most } else { search.best };
    LargestPairing { least: search.best, most }
}

/// The size of a maximum matching of owners with what `part` makes of their signers.
fn matching(signers: &SignersOfOwners<'_>, part: impl Fn(&SignerCredential) -> Part) -> usize {
    let parts: BTreeMap<&Owner, BTreeSet<Part>> =
        signers.iter().map(|(owner, of_owner)| (*owner, of_owner.iter().map(&part).collect())).collect();
    let mut paired: BTreeMap<Part, &Owner> = BTreeMap::new();
    parts.keys().filter(|owner| pair(owner, &parts, &mut paired, &mut BTreeSet::new())).count()
}

/// A key, or a name at an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Key(KeyId),
    Name(Digest),
}

/// Keys and names, joined where one signer has both: a union-find. Each maps to another one of its set; the representative
/// of a set to none.
struct Joined(BTreeMap<Part, Part>);

impl Joined {
    fn by<'a>(signers: impl Iterator<Item = &'a SignerCredential>) -> Self {
        let mut joined = Self(BTreeMap::new());
        for signer in signers {
            for name in signer.names() {
                let key = joined.representative(Part::Key(signer.key()));
                let name = joined.representative(Part::Name(*name));
                if key != name {
                    joined.0.insert(key, name);
                }
            }
        }
        joined
    }

    fn representative(&self, part: Part) -> Part {
        let mut part = part;
        while let Some(next) = self.0.get(&part) {
            part = *next;
        }
        part
    }
}

/// Step 3.
struct Search<'a> {
    best: usize,
    chosen: Vec<&'a SignerCredential>,
    /// Whether it ended before all pairings were tried that might be larger.
    is_exhausted: bool,
    most: usize,
    steps: usize,
}

impl<'a> Search<'a> {
    /// Tries all ways to give each of `owners` one of their signers or none, beside those who are chosen already, and keeps
    /// the size of the largest pairing.
    fn extend(&mut self, owners: &[&'a BTreeSet<SignerCredential>]) {
        self.best = self.best.max(self.chosen.len());
        let Some((first, rest)) = owners.split_first() else { return };
        for signer in *first {
            let reachable = self.chosen.len().saturating_add(owners.len());
            if self.best >= self.most.min(reachable) {
                return;
            }
            if self.steps == 0 {
                self.is_exhausted = true;
                return;
            }
            let names = signer.names().len().saturating_add(1);
            self.steps = self.steps.saturating_sub(names.saturating_mul(self.chosen.len()).saturating_add(1));
            if self.chosen.iter().all(|chosen| !chosen.is_same_signer(signer)) {
                self.chosen.push(signer);
                self.extend(rest);
                self.chosen.pop();
            }
        }
        if self.chosen.len().saturating_add(rest.len()) > self.best {
            self.extend(rest);
        }
    }
}

/// Pairs `owner` with a part (augmenting path), and moves other owners to other parts if that frees one. `false` if none
/// can be freed; then no pair is changed. Each part is tried once, so the recursion is at most one level per owner.
fn pair<'a>(
    owner: &'a Owner,
    parts: &BTreeMap<&'a Owner, BTreeSet<Part>>,
    paired: &mut BTreeMap<Part, &'a Owner>,
    tried: &mut BTreeSet<Part>,
) -> bool {
    for part in parts.get(owner).into_iter().flatten() {
        if !tried.insert(*part) {
            continue;
        }
        let free = match paired.get(part).copied() {
            None => true,
            Some(other) => pair(other, parts, paired, tried),
        };
        if free {
            paired.insert(*part, owner);
            return true;
        }
    }
    false
}
