//! Merkle proofs: the vectors of transparency-dev/merkle, and trees of all sizes up to 40 made here.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::transparency::ConsistencyProof;
use bulla::transparency::InclusionProof;
use bulla::transparency::MerkleHash;
use serde_json::Value;

use crate::vectors;

fn hash(value: &Value) -> Option<MerkleHash> {
    MerkleHash::from_bytes(&STANDARD.decode(value.as_str()?).unwrap())
}

fn hashes(value: &Value) -> Option<Vec<MerkleHash>> {
    value.as_array().map_or(Some(Vec::new()), |all| all.iter().map(hash).collect())
}

/// The verdict on an inclusion proof; `None` where a hash has not 32 bytes, which no proof can hold.
fn inclusion(case: &Value) -> Option<bool> {
    let proof = InclusionProof {
        hashes: hashes(&case["proof"])?,
        index: case["leafIdx"].as_u64()?.checked_sub(case["start"].as_u64().unwrap_or(0))?,
        tree_size: case["treeSize"].as_u64().or(case["end"].as_u64())?,
    };
    Some(proof.verify(&hash(&case["leafHash"])?, &hash(&case["root"])?).is_ok())
}

fn consistency(case: &Value) -> Option<bool> {
    let proof = ConsistencyProof {
        hashes: hashes(&case["proof"])?,
        larger_size: case["size2"].as_u64().or(case["size"].as_u64())?,
        smaller_size: case["size1"].as_u64().or(case["end"].as_u64())?,
    };
    Some(proof.verify(&hash(&case["root1"])?, &hash(&case["root2"])?).is_ok())
}

/// Subtrees that do not begin at the first leaf belong to Merkle tree certificates; no log of Sigstore proves anything about
/// them. Those that do are ordinary trees, with the same proofs.
#[test]
fn every_case_of_the_suite_has_its_verdict() {
    let Some(suite) = vectors::suite("merkle-proofs") else { return };
    let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let (mut judged, mut other_subtrees, mut differences) = ([0; 2], 0, Vec::new());
    for (name, expected) in cases.as_object().unwrap() {
        let case: Value = serde_json::from_slice(&fs::read(suite.join("open").join(name)).unwrap()).unwrap();
        if case["start"].as_u64().is_some_and(|start| start > 0) {
            other_subtrees += 1;
            continue;
        }
        let accepted = match name.contains("inclusion") {
            true => inclusion(&case),
            false => consistency(&case),
        };
        let accepted = accepted.unwrap_or(false);
        if accepted != (expected["expect"] == "accept") {
            differences.push(name.as_str());
        }
        judged[usize::from(accepted)] += 1;
    }
    assert_eq!(differences, STRICTER);
    assert_eq!((judged, other_subtrees), ([236, 14], 65));
}

/// Accepted upstream and refused here: equal texts that are not hashes, and an empty tree, which proves nothing.
const STRICTER: [&str; 3] = [
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    "subtreeconsistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-proof-is-empty.json",
];

/// The hash of a tree (RFC 9162 section 2.1.1), and a proof (sections 2.1.3.1 and 2.1.4.1), as the RFC defines them.
fn root(leaves: &[MerkleHash]) -> MerkleHash {
    match leaves {
        [one] => *one,
        all => {
            let (left, right) = all.split_at(split(all.len()));
            MerkleHash::of_node(&root(left), &root(right))
        }
    }
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn path(index: usize, leaves: &[MerkleHash]) -> Vec<MerkleHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, beside) = match index < left.len() {
        true => (path(index, left), root(right)),
        false => (path(index - left.len(), right), root(left)),
    };
    path.push(beside);
    path
}

fn subproof(size: usize, leaves: &[MerkleHash], whole: bool) -> Vec<MerkleHash> {
    if size == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, beside) = match size <= left.len() {
        true => (subproof(size, left, whole), root(right)),
        false => (subproof(size - left.len(), right, false), root(left)),
    };
    proof.push(beside);
    proof
}

#[test]
fn trees_of_all_sizes_prove_what_they_have_and_nothing_else() {
    let leaves: Vec<_> = (0..40_u8).map(|n| MerkleHash::of_leaf(&[n])).collect();
    for size in 1..=leaves.len() {
        let (tree, whole) = (&leaves[..size], root(&leaves[..size]));
        for index in 0..size {
            let good = InclusionProof { hashes: path(index, tree), index: index as u64, tree_size: size as u64 };
            good.verify(&tree[index], &whole).unwrap();
            for other in (0..=size as u64).filter(|other| *other != good.index) {
                let moved = InclusionProof { index: other, ..good.clone() };
                assert!(moved.verify(&tree[index], &whole).is_err(), "{index} of {size} at {other}");
            }
            let longer = InclusionProof { hashes: [good.hashes.as_slice(), &[whole]].concat(), ..good.clone() };
            assert!(longer.verify(&tree[index], &whole).is_err());
            let other_leaf = MerkleHash::of_leaf(b"other");
            assert!(good.verify(&other_leaf, &whole).is_err() && good.verify(&tree[index], &other_leaf).is_err());
            for cut in 0..good.hashes.len() {
                let mut shorter = good.clone();
                shorter.hashes.remove(cut);
                assert!(shorter.verify(&tree[index], &whole).is_err());
            }
        }
        for smaller in 1..=size {
            let hashes = subproof(smaller, tree, true);
            let good = ConsistencyProof { hashes, larger_size: size as u64, smaller_size: smaller as u64 };
            let first = root(&leaves[..smaller]);
            good.verify(&first, &whole).unwrap();
            for other in (0..=size as u64 + 1).filter(|other| *other != good.smaller_size) {
                let moved = ConsistencyProof { smaller_size: other, ..good.clone() };
                assert!(moved.verify(&first, &whole).is_err(), "{smaller} of {size} as {other}");
            }
            let longer = ConsistencyProof { hashes: [good.hashes.as_slice(), &[whole]].concat(), ..good.clone() };
            assert!(longer.verify(&first, &whole).is_err());
            let other_root = MerkleHash::of_leaf(b"other");
            assert!(good.verify(&other_root, &whole).is_err() && good.verify(&first, &other_root).is_err());
        }
    }
}

/// A leaf whose content are two hashes is not the node above them (RFC 9162 section 2.1.1).
#[test]
fn a_leaf_is_never_a_node() {
    let (left, right) = (MerkleHash::of_leaf(b"left"), MerkleHash::of_leaf(b"right"));
    let content = [left.as_bytes(), right.as_bytes()].concat();
    assert_ne!(MerkleHash::of_leaf(&content), MerkleHash::of_node(&left, &right));
    assert_eq!(
        MerkleHash::of_leaf(b"").to_string(),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
}
