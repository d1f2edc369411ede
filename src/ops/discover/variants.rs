//! Variants of one signature: layers with the same payload and signature, and other verification material.
//!
//! The invariant: no layer hides another one silently. A layer whose certificate, log entry or timestamp was stripped is
//! another piece of evidence than the complete one, so both are read. Anybody who can push can make any number of variants,
//! so at most [`VARIANTS`] of each signature are read, the most complete one of each kind first; that others were left out
//! is reported.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::envelope::EvidenceIdentity;
use crate::oci::Descriptor;
use crate::oci::referrer;
use crate::trust::TrustedMeans;

/// Whether the verification material beside signatures decides anything: certificates, log entries, timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum MaterialUse {
    /// It decides, so that a variant of a signature that was not read might have counted.
    Decides,
    /// Keys alone decide: a key verifies every variant of a signature or none.
    Ignored,
}

impl From<TrustedMeans> for MaterialUse {
    fn from(means: TrustedMeans) -> Self {
        match means.judge_material() {
            true => Self::Decides,
            false => Self::Ignored,
        }
    }
}

/// The number of variants of one signature that are read.
pub(in crate::ops) const VARIANTS: usize = 8;

/// The layers of a manifest that are read, each once.
pub(super) struct DistinctLayers {
    pub(super) layers: Vec<Descriptor>,
    /// Whether variants of a signature beyond [`VARIANTS`] were left out.
    pub(super) variants_left_out: bool,
}

/// Removes repeated layers and keeps the order. A repeated document is read once, since it adds nothing
/// (threats: key-counted-twice).
///
/// Of more than [`VARIANTS`] variants of one signature, the kinds of verification material take turns, in the order of
/// [`MaterialKind`]; of one kind the first ones are kept. So no number of variants of one kind displaces those of another:
/// a certificate needs a log entry or timestamp beside it, and a key with a log rule needs a log entry and no certificate.
pub(super) fn distinct(layers: Vec<Descriptor>) -> DistinctLayers {
    let mut known = BTreeSet::new();
    let mut variants: BTreeMap<_, Vec<(MaterialKind, usize)>> = BTreeMap::new();
    for (position, layer) in layers.iter().enumerate() {
        let identity = EvidenceIdentity::of(layer);
        let bare = identity.without_material();
        if known.insert(identity) {
            variants.entry(bare).or_default().push((MaterialKind::of(layer), position));
        }
    }
    let variants_left_out = variants.values().any(|group| group.len() > VARIANTS);
    let mut keep = BTreeSet::new();
    for group in variants.into_values() {
        keep.extend(in_turns(group).into_iter().take(VARIANTS));
    }
    drop(known);
    let layers = layers.into_iter().enumerate().filter(|(position, _)| keep.contains(position));
    DistinctLayers { layers: layers.map(|(_, layer)| layer).collect(), variants_left_out }
}

/// The positions of the variants of one signature, one of each kind after the other.
fn in_turns(group: Vec<(MaterialKind, usize)>) -> Vec<usize> {
    let mut counts: BTreeMap<MaterialKind, usize> = BTreeMap::new();
    let turn = |(kind, position): (MaterialKind, usize)| {
        let of_kind = counts.entry(kind).or_default();
        *of_kind = of_kind.saturating_add(1);
        (*of_kind, kind, position)
    };
    let mut turns: Vec<_> = group.into_iter().map(turn).collect();
    turns.sort_unstable();
    turns.into_iter().map(|(.., position)| position).collect()
}

/// Which verification material a layer has, by its annotations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MaterialKind {
    CertificateAndTime,
    /// A log entry or timestamp: what a key with a log rule needs.
    Time,
    Certificate,
    Other,
}

impl MaterialKind {
    fn of(layer: &Descriptor) -> Self {
        let has = |key: &str| layer.annotations.get(key).is_some_and(|value| !value.is_empty());
        let time = has(referrer::COSIGN_BUNDLE) || has(referrer::COSIGN_TIMESTAMP);
        match (has(referrer::COSIGN_CERTIFICATE), time) {
            (true, true) => Self::CertificateAndTime,
            (false, true) => Self::Time,
            (true, false) => Self::Certificate,
            (false, false) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::media_type;

    fn layer(signature: &str, material: &[(&str, &str)]) -> Descriptor {
        let mut layer = Descriptor::of(media_type::SIMPLE_SIGNING, b"payload");
        let material = material.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        layer.annotations.extend(material);
        layer.annotations.insert(referrer::COSIGN_SIGNATURE.to_owned(), signature.to_owned());
        layer
    }

    fn whole(certificate: &str) -> Descriptor {
        layer("AA==", &[(referrer::COSIGN_CERTIFICATE, certificate), (referrer::COSIGN_BUNDLE, "{}")])
    }

    #[test]
    fn every_variant_up_to_the_limit_is_read_in_its_order() {
        let stripped = [
            layer("AA==", &[]),
            layer("AA==", &[(referrer::COSIGN_CERTIFICATE, "c")]),
            layer("AA==", &[(referrer::COSIGN_BUNDLE, "{}")]),
            layer("AA==", &[(referrer::COSIGN_TIMESTAMP, "{}")]),
        ];
        let layers = [stripped.as_slice(), &[whole("c")]].concat();
        let reversed: Vec<_> = layers.iter().rev().cloned().collect();
        for layers in [layers.clone(), reversed] {
            let doubled = [layers.as_slice(), layers.as_slice()].concat();
            let kept = distinct(doubled);
            assert_eq!((kept.layers, kept.variants_left_out), (layers, false));
        }
    }

    #[test]
    fn of_more_variants_the_complete_ones_are_read() {
        let stripped = |count: usize| (0..count).map(|n| layer("AA==", &[(referrer::COSIGN_CHAIN, &n.to_string())]));
        for count in [7, 8, 9, 50] {
            let layers: Vec<_> = stripped(count).chain([whole("c"), layer("AQ==", &[])]).collect();
            let kept = distinct(layers);
            assert_eq!(kept.variants_left_out, count > 7, "{count}");
            assert_eq!(kept.layers.len(), VARIANTS + 1, "{count}");
            assert_eq!(kept.layers[VARIANTS - 1..], [whole("c"), layer("AQ==", &[])], "{count}");
        }
    }

    /// Anybody can make complete variants too: then one is left out, and that is said.
    #[test]
    fn more_complete_variants_than_the_limit_are_reported() {
        for (count, left_out) in [(8, false), (9, true)] {
            let kept = distinct((0..count).map(|n| whole(&n.to_string())).collect());
            assert_eq!((kept.layers.len(), kept.variants_left_out), (8, left_out));
        }
    }

    /// A key with a log rule needs a log entry and no certificate, so bogus certificates must not take all places.
    #[test]
    fn no_kind_of_variants_takes_the_places_of_another_kind() {
        let logged = layer("AA==", &[(referrer::COSIGN_BUNDLE, "{}")]);
        let certified = |n: usize| layer("AA==", &[(referrer::COSIGN_CERTIFICATE, &n.to_string())]);
        let bogus = |count: usize| (0..count).map(|n| whole(&n.to_string())).chain((0..count).map(certified));
        for count in [8, 9, 50] {
            let kept = distinct(bogus(count).chain([logged.clone()]).collect());
            assert!(kept.variants_left_out && kept.layers.contains(&logged), "{count}");
            assert_eq!(kept.layers.len(), VARIANTS);
        }
        let stamps = (0..50).map(|n| layer("AA==", &[(referrer::COSIGN_TIMESTAMP, &n.to_string())]));
        assert!(distinct(stamps.chain([whole("c")]).collect()).layers.contains(&whole("c")));
    }
}
