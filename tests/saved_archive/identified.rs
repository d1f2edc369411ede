//! Which of some images a docker-archive has, whether or not they are signed.

use std::collections::BTreeSet;
use std::process::Command;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::ops::saved;
use bulla::ops::saved::ArchiveNotProven;
use bulla::ops::saved::IdentifiedImage;
use bulla::ops::saved::ProvenArchive;
use bulla::ops::saved::SavedFault;
use bulla::store::Layout;
use bulla::store::SavedArchive;
use bulla::store::Source;

use super::Fixture;
use super::TestImage;
use super::docker_archive;
use super::fixture;
use super::image;
use super::now;
use super::with_layout;

type Identified = Result<ProvenArchive<IdentifiedImage>, ArchiveNotProven<IdentifiedImage, SavedFault>>;

fn identify(bytes: &[u8], asked: &[&TestImage]) -> Identified {
    let archive = SavedArchive::read(bytes, Limits::DEFAULT).unwrap();
    let evidence: &dyn Source = &Layout::open(fixture().dir.join("evidence"), Limits::DEFAULT).unwrap();
    let digests: BTreeSet<Digest> = asked.iter().map(|image| image.digest()).collect();
    now(saved::identify(&archive, evidence, &digests, &Limits::DEFAULT))
}

/// The archive is not identified, for this reason.
fn not(bytes: &[u8], asked: &[&TestImage], is_refusal: bool, reason: &str) {
    let error = identify(bytes, asked).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(error.is_refusal() == is_refusal && text.contains(reason), "{text}");
}

#[test]
fn an_image_is_the_manifest_or_in_the_index() {
    let Fixture { signed, unsigned, index, .. } = fixture();
    let child = &index.children[1];
    for (image, asked, in_those) in [
        (signed, vec![signed], vec![signed]),
        // It need not be signed.
        (unsigned, vec![unsigned, signed], vec![unsigned]),
        (child, vec![index], vec![index]),
        (child, vec![child], vec![child]),
        (child, vec![index, child, signed], vec![index, child]),
    ] {
        let archive = identify(&docker_archive(&[image]), &asked).unwrap();
        let found: Vec<_> = asked.iter().filter(|one| archive.images_of(&one.digest()).next().is_some()).collect();
        assert_eq!(found.iter().map(|one| one.digest()).collect::<Vec<_>>(), digests(&in_those));
        let asked = in_those[0].digest();
        let matched = archive.images_of(&asked).next().unwrap();
        assert_eq!(matched.manifest(), &image.digest());
        assert_eq!(matched.config(), &Digest::sha256(&image.config));
        assert_eq!((matched.layers(), matched.names()), (&[600, 600][..], &["app:1.0".to_owned()][..]));
    }
    // Several platforms of one index.
    let both = identify(&docker_archive(&[&index.children[0], child]), &[index]).unwrap();
    assert_eq!(both.images_of(&index.digest()).count(), 2);
}

fn digests(images: &[&TestImage]) -> Vec<Digest> {
    images.iter().map(|image| image.digest()).collect()
}

#[test]
fn every_image_must_be_one_of_them() {
    let Fixture { signed, other, index, kits, .. } = fixture();
    not(&docker_archive(&[signed]), &[other], true, "NotAskedFor");
    not(&docker_archive(&[signed, other]), &[signed], true, "NotAskedFor");
    not(&docker_archive(&[&index.children[0]]), &[&index.children[1]], true, "NotAskedFor");
    not(&docker_archive(&[signed]), &[], true, "NotAskedFor");
    let mut changed = signed.clone();
    changed.layers[1][7] ^= 1;
    not(&docker_archive(&[&changed]), &[signed], true, "Layer");
    changed.layers.pop();
    not(&docker_archive(&[&changed]), &[signed], true, "LayerCount");
    // An attestation manifest is not an image.
    not(&docker_archive(&[&kits[0].children[1]]), &[&kits[0]], true, "NotAnImage");
    // What loaders take from a layout in the file counts too.
    let beside = [(signed, Some("app:1.0")), (other, Some("other:1.0"))];
    not(&with_layout(&[signed], &beside), &[signed], true, "which is not verified");
    let _one = identify(&with_layout(&[signed], &beside[..1]), &[signed]).unwrap();
}

/// A manifest that is not there may be the one.
#[test]
fn a_manifest_that_is_missing_is_could_not_tell() {
    let Fixture { signed, .. } = fixture();
    let missing = image(99);
    not(&docker_archive(&[&missing]), &[&missing], false, "Unread");
    not(&docker_archive(&[signed]), &[&missing], false, "Unread");
    let found = identify(&docker_archive(&[signed]), &[signed, &missing]).unwrap();
    // An image of the archive may be the one that could not be read, too.
    assert!(found.is_known(&signed.digest()) && !found.is_known(&missing.digest()));
    assert_eq!(found.images_of(&missing.digest()).count(), 0);
}

/// An index is known when all its platforms could be read.
#[test]
fn an_index_with_a_missing_platform_is_not_known() {
    let Fixture { signed, index, .. } = fixture();
    let asked: BTreeSet<Digest> = [signed.digest(), index.digest()].into();
    let archive = SavedArchive::read(&docker_archive(&[signed])[..], Limits::DEFAULT).unwrap();
    for (missing, is_known) in [(None, true), (Some(&index.children[1]), false)] {
        let evidence = copy_of_evidence(missing);
        let layout: &dyn Source = &Layout::open(evidence.path(), Limits::DEFAULT).unwrap();
        let found = now(saved::identify(&archive, layout, &asked, &Limits::DEFAULT)).unwrap();
        assert!(found.is_known(&signed.digest()));
        assert_eq!(found.is_known(&index.digest()), is_known);
    }
}

/// The evidence of the fixture, without one manifest.
fn copy_of_evidence(missing: Option<&TestImage>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let status = Command::new("cp").arg("-a").arg(fixture().dir.join("evidence/.")).arg(copy.path()).status().unwrap();
    assert!(status.success());
    if let Some(image) = missing {
        let digest = image.digest().to_string();
        let name = digest.strip_prefix("sha256:").unwrap();
        std::fs::remove_file(copy.path().join("blobs/sha256").join(name)).unwrap();
    }
    copy
}
