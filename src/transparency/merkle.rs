//! Merkle trees of transparency logs (RFC 6962 section 2.1, RFC 9162 section 2.1), with SHA-256: inclusion proofs and
//! consistency proofs.
//!
//! The invariant of both: each hash of a proof is used exactly once, and none is missing. A proof with one hash more
//! or less than the tree size asks for is refused, whatever root it leads to.

use std::fmt;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::digest::Hasher;
use crate::digest::hex;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;

/// The SHA-256 hash of a leaf or a node of a Merkle tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MerkleHash([u8; 32]);

/// An inclusion proof: the audit path from a leaf to the root of a tree (RFC 9162 section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The hashes beside the path, the one beside the leaf first.
    pub hashes: Vec<MerkleHash>,
    /// The index of the leaf, from 0.
    pub index: u64,
    /// The number of leaves of the tree.
    pub tree_size: u64,
}

/// A consistency proof: that a tree begins with all leaves of a smaller one (RFC 9162 section 2.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The hashes of the proof, in their order.
    pub hashes: Vec<MerkleHash>,
    /// The number of leaves of the larger tree.
    pub larger_size: u64,
    /// The number of leaves of the smaller tree.
    pub smaller_size: u64,
}

impl MerkleHash {
    /// The hash whose 32 bytes are `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(*bytes.first_chunk().filter(|_| bytes.len() == 32)?))
    }

    /// The hash of the leaf with the content `entry`. RFC 9162 section 2.1.1: leaves and nodes are hashed with different
    /// prefixes, so that neither can be taken for the other.
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self::of(&[&[0x00], entry])
    }

    /// The hash of the node above two others.
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self::of(&[&[0x01], &left.0, &right.0])
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        parts.iter().for_each(|part| hasher.update(part));
        let digest: Digest = hasher.finish();
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for MerkleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for MerkleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MerkleHash({self})")
    }
}

impl InclusionProof {
    /// Verifies that the tree with the hash `root` has the leaf with the hash `leaf` at the index of the proof. RFC 9162
    /// section 2.1.3.2.
    ///
    /// # Errors
    /// [`TransparencyRule::InclusionProof`].
    pub fn verify(&self, leaf: &MerkleHash, root: &MerkleHash) -> Result<(), TransparencyError> {
        let refused = || TransparencyError::refused(TransparencyRule::InclusionProof);
        let mut walk = Walk::new(self.index, self.tree_size).ok_or_else(refused)?;
        let mut hash = *leaf;
        for beside in &self.hashes {
            hash = match walk.step().ok_or_else(refused)? {
                Side::Left => MerkleHash::of_node(beside, &hash),
                Side::Right => MerkleHash::of_node(&hash, beside),
            };
        }
        match walk.is_at_root() && hash == *root {
            true => Ok(()),
            false => Err(refused()),
        }
    }
}

impl ConsistencyProof {
    /// Verifies that the tree with the hash `larger` begins with all leaves of the tree with the hash `smaller`. RFC 9162
    /// section 2.1.4.2. An empty tree is consistent with each other tree and proves nothing: it is refused.
    ///
    /// # Errors
    /// [`TransparencyRule::ConsistencyProof`].
    pub fn verify(&self, smaller: &MerkleHash, larger: &MerkleHash) -> Result<(), TransparencyError> {
        let refused = || TransparencyError::refused(TransparencyRule::ConsistencyProof);
        if self.smaller_size == self.larger_size {
            let same = self.smaller_size > 0 && self.hashes.is_empty() && smaller == larger;
            return if same { Ok(()) } else { Err(refused()) };
        }
        let last = self.smaller_size.checked_sub(1).ok_or_else(refused)?;
        let mut walk = Walk::new(last, self.larger_size).ok_or_else(refused)?;
        // The proof leaves out the hash of the smaller tree where that tree is a node of the larger one.
        let mut hashes = self.hashes.iter();
        let first = match self.smaller_size.is_power_of_two() {
            true => smaller,
            false => hashes.next().ok_or_else(refused)?,
        };
        walk.skip_right_edges();
        let (mut of_smaller, mut of_larger) = (*first, *first);
        for beside in hashes {
            match walk.step().ok_or_else(refused)? {
                Side::Left => {
                    of_smaller = MerkleHash::of_node(beside, &of_smaller);
                    of_larger = MerkleHash::of_node(beside, &of_larger);
                }
                Side::Right => of_larger = MerkleHash::of_node(&of_larger, beside),
            }
        }
        match walk.is_at_root() && of_smaller == *smaller && of_larger == *larger {
            true => Ok(()),
            false => Err(refused()),
        }
    }
}

/// On which side of a path a node stands.
enum Side {
    Left,
    Right,
}

/// A path from a leaf to the root: the index of the node at each level (`fn` of RFC 9162), and of the last one (`sn`).
struct Walk {
    index: u64,
    last: u64,
}

impl Walk {
    /// The path of the leaf `index` in a tree of `size` leaves, if it has that leaf.
    fn new(index: u64, size: u64) -> Option<Self> {
        (index < size).then_some(Self { index, last: size.checked_sub(1)? })
    }

    const fn is_at_root(&self) -> bool {
        self.last == 0
    }

    /// Goes up by one node, and returns on which side the node beside it stands; `None` at the root.
    fn step(&mut self) -> Option<Side> {
        if self.is_at_root() {
            return None;
        }
        let side = match self.index % 2 == 1 || self.index == self.last {
            true => {
                // At the right edge of a tree that is not full, levels without a node beside it are skipped.
                self.up(self.index.trailing_zeros());
                Side::Left
            }
            false => Side::Right,
        };
        self.up(1);
        Some(side)
    }

    /// Goes up as long as the node is a right one: to the largest complete tree that ends here.
    const fn skip_right_edges(&mut self) {
        self.up(self.index.trailing_ones());
    }

    const fn up(&mut self, levels: u32) {
        self.index = self.index.unbounded_shr(levels);
        self.last = self.last.unbounded_shr(levels);
    }
}
