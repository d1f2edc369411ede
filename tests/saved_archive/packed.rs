//! Layers and archives that are compressed: what they unpack to is compared, within bounds.

use std::fs;
use std::io::Write as _;

use bulla::limits::Limits;
use bulla::store::SavedArchive;
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::CompressionLevel;
use ruzstd::encoding::compress_to_vec;

use super::Fixture;
use super::TestImage;
use super::answer;
use super::check;
use super::docker_archive;
use super::fixture;
use super::with_layers;
use super::with_layout;
use super::with_manifest;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A skippable frame (RFC 8878 section 3.1.2).
fn skippable() -> Vec<u8> {
    [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat()
}

/// A zstd frame with this window descriptor and an empty last block.
fn with_window(descriptor: u8) -> Vec<u8> {
    [&[0x28, 0xb5, 0x2f, 0xfd, 0, descriptor][..], &[1, 0, 0]].concat()
}

#[test]
fn a_compressed_layer_is_what_it_unpacks_to() {
    let Fixture { signed, other, .. } = fixture();
    let [one, two] = signed.layers.as_slice() else { panic!("two layers") };
    let (front, back) = one.split_at(200);
    for packed in [
        gzip(one),
        zstd(one),
        [gzip(front), gzip(back)].concat(),
        [zstd(front), zstd(back)].concat(),
        [zstd(front), skippable(), zstd(back), skippable()].concat(),
    ] {
        check(&with_layers(signed, &[&packed, two]), "yes", "");
        check(&with_layers(signed, &[two, &packed]), "no", "layer 1 is");
    }
    for packed in [gzip(&other.layers[0]), zstd(&other.layers[0]), gzip(&[&one[..], b"x"].concat()), gzip(front)] {
        check(&with_layers(signed, &[&packed, two]), "no", "layer 1 is");
    }
}

#[test]
fn a_compressed_layer_that_is_damaged_is_unknown() {
    let Fixture { signed, .. } = fixture();
    let [one, two] = signed.layers.as_slice() else { panic!("two layers") };
    for whole in [gzip(one), zstd(one)] {
        let half = &whole[..whole.len() / 2];
        for packed in [half.to_vec(), [&whole[..], b"tail"].concat(), [&whole[..], &[0; 8]].concat()] {
            check(&with_layers(signed, &[&packed, two]), "unknown", "damaged, cut off, or followed by something else");
        }
    }
    let mut checksum = gzip(one);
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    check(&with_layers(signed, &[&checksum, two]), "unknown", "damaged");
}

#[test]
fn a_compression_that_is_not_unpacked_is_unknown() {
    let Fixture { signed, .. } = fixture();
    let [one, two] = signed.layers.as_slice() else { panic!("two layers") };
    for (first, name) in [
        (&b"BZh9"[..], "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (&[skippable(), zstd(one)].concat(), "zstd behind a skippable frame"),
    ] {
        let packed = [first, &[7; 60]].concat();
        let reason = format!("compressed with {name}, which bulla does not unpack");
        check(&with_layers(signed, &[&packed, two]), "unknown", &reason);
    }
}

#[test]
fn a_compressed_layer_that_is_not_unpacked_may_be_the_signed_blob() {
    let Fixture { packed, .. } = fixture();
    check(&with_layers(packed, &[&packed.layers[0]]), "yes", "");
    check(&with_layers(packed, &[&[&packed.layers[0][..], b"x"].concat()]), "unknown", "compressed with bzip2");
}

#[test]
fn unpacking_has_bounds() {
    let Fixture { signed, dir, .. } = fixture();
    let with = |layer: &Vec<u8>, limits: Limits| {
        let bytes = with_layers(signed, &[layer, &signed.layers[1]]);
        let archive = SavedArchive::read(bytes.as_slice(), limits).unwrap();
        format!("{:?}", archive.images()[0].layers[0].unpacked)
    };
    let zeros = vec![0; 20 << 20];
    for bomb in [gzip(&zeros), zstd(&zeros)] {
        assert!(with(&bomb, Limits::DEFAULT).contains("TooDense(400)"), "{}", with(&bomb, Limits::DEFAULT));
        let lower = Limits::DEFAULT.with(|limits| limits.oci.unpacked_ratio = 1 << 20);
        assert!(with(&bomb, lower.clone()).contains("Ok"));
        let lower = lower.with(|limits| limits.oci.unpacked_bytes = (20 << 20) - 1);
        assert!(with(&bomb, lower).contains("TooLarge"));
    }
    // A window of 8 MiB, and one of 9 MiB (RFC 8878 section 3.1.1.1.2).
    assert!(with(&with_window(13 << 3), Limits::DEFAULT).contains("Ok"));
    assert!(with(&with_window(13 << 3 | 1), Limits::DEFAULT).contains("Window"));
    // The whole archive may be a bomb, too.
    let bomb = gzip(&[&docker_archive(&[signed])[..1024], &zeros].concat());
    let path = dir.join("bomb.tar.gz");
    fs::write(&path, bomb).unwrap();
    let limits = Limits::DEFAULT.with(|limits| limits.oci.unpacked_bytes = 1 << 20);
    assert!(SavedArchive::open(&path, limits).is_err());
}

/// Many small bombs are one: the files of an archive share a budget, in a file and in a stream, with and without a layout.
#[test]
fn unpacking_has_one_budget_for_all_files() {
    let Fixture { signed, dir, .. } = fixture();
    let layers = [gzip(&vec![1; 1 << 20]), zstd(&vec![2; 1 << 20])];
    let packed = TestImage { layers: layers.to_vec(), ..signed.clone() };
    let mut manifest: serde_json::Value = serde_json::from_slice(&signed.manifest).unwrap();
    for (stated, layer) in manifest["layers"].as_array_mut().unwrap().iter_mut().zip(&layers) {
        stated["digest"] = bulla::digest::Digest::sha256(layer).to_string().into();
        stated["size"] = layer.len().into();
    }
    let packed = with_manifest(&packed, &manifest);
    for bytes in
        [with_layers(signed, &[&layers[0], &layers[1]]), with_layout(&[&packed], &[(&packed, Some("app:1.0"))])]
    {
        let path = dir.join("bombs.tar");
        fs::write(&path, &bytes).unwrap();
        let too_large = |limit: u64| {
            let limits = Limits::DEFAULT.with(|limits| limits.oci.unpacked_bytes = limit);
            let archives = [SavedArchive::read(bytes.as_slice(), limits.clone()), SavedArchive::open(&path, limits)];
            archives.map(|archive| format!("{:?}", archive.unwrap().images()).contains("TooLarge"))
        };
        assert_eq!(too_large((2 << 20) - 1), [true, true]);
        assert_eq!(too_large(2 << 20), [false, false]);
    }
}

#[test]
fn an_archive_that_is_compressed_as_a_whole_is_verified() {
    let Fixture { signed, unsigned, .. } = fixture();
    let plain = docker_archive(&[signed]);
    let (front, back) = plain.split_at(777);
    for packed in [gzip(&plain), zstd(&plain), [gzip(front), gzip(back)].concat(), [zstd(front), zstd(back)].concat()] {
        check(&packed, "yes", "");
        for short in [packed.len() - 1, packed.len() / 2, 20] {
            assert_eq!(answer(&packed[..short]).0, "unknown");
        }
        check(&[&packed[..], b"tail"].concat(), "unknown", "damaged");
    }
    check(&gzip(&docker_archive(&[unsigned])), "no", "its manifest is refused");
    // Readers that unpack see another archive than those that do not; and one that unpacks twice would, too.
    let mut both = docker_archive(&[unsigned]);
    both[..3].copy_from_slice(&[0x1f, 0x8b, 8]);
    check(&both, "unknown", "compressed with gzip");
    check(&gzip(&gzip(&plain)), "unknown", "compressed with gzip");
    check(&[skippable(), zstd(&plain)].concat(), "unknown", "compressed with zstd");
    check(b"BZh91AY&SY", "unknown", "compressed with bzip2");
}
