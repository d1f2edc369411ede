//! Archives that are written again: what was wrong in the old one, and what another process has put there meanwhile.

use std::fs;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::store::Archive;
use bulla::store::DockerArchive;
use bulla::store::DockerArchiveWriter;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::StoreError;

use crate::Image;
use crate::InArchive;
use crate::TestStore as _;
use crate::archive;
use crate::image;
use crate::now;
use crate::push;
use crate::tag;
use crate::tar;

/// Adds a member to the end of the archive, as `tar --append` does.
fn append(kind: &InArchive, name: &str, body: &[u8]) {
    let mut bytes = fs::read(kind.path()).unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(tar::file(name, body));
    bytes.extend([0; 1024]);
    fs::write(kind.path(), bytes).unwrap();
}

/// An archive with one image.
fn with_image(text: &str) -> (InArchive, Image) {
    let (kind, image) = (archive(), image(text));
    let sink = kind.create();
    push(sink.as_ref(), &image, Some("v1"));
    now(sink.finish()).unwrap();
    (kind, image)
}

/// The bytes of a blob as another reader finds them.
fn stored(kind: &InArchive, blob: &Content) -> Result<Content, StoreError> {
    now(kind.open().unwrap().blob(blob.descriptor(), 1 << 20))
}

/// A member that nothing lists, under the name of a blob of the next image: nobody has looked at its bytes.
#[test]
fn a_planted_blob_is_replaced_by_the_right_one() {
    for extra in [0, 1, 4_000] {
        let (kind, first) = with_image("first");
        let second = image("second");
        for blob in &second.blobs {
            let name = format!("blobs/sha256/{}", blob.digest().hex());
            append(&kind, &name, &vec![b'x'; blob.bytes().len() + extra]);
        }
        let sink = kind.create();
        push(sink.as_ref(), &second, Some("v2"));
        now(sink.finish()).unwrap();
        for blob in first.blobs.iter().chain(&second.blobs) {
            assert_eq!(stored(&kind, blob).unwrap(), *blob, "{extra}");
        }
        let bytes = fs::read(kind.path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"xxxxxxxxx"), "{extra}");
    }
}

#[test]
fn a_blob_that_was_replaced_comes_back_when_the_new_one_is_taken_back() {
    let (kind, first) = with_image("first");
    let second = image("second");
    let layer = &second.blobs[1];
    let name = format!("blobs/sha256/{}", layer.digest().hex());
    let planted = vec![b'x'; layer.bytes().len()];
    append(&kind, &name, &planted);
    let sink = kind.create();
    sink.mark();
    push(sink.as_ref(), &second, Some("v2"));
    sink.rollback();
    push(sink.as_ref(), &image("third"), Some("v3"));
    now(sink.finish()).unwrap();
    assert!(matches!(stored(&kind, layer), Err(StoreError::Content { .. })));
    assert_eq!(now(kind.open().unwrap().resolve(&tag("v1"))).unwrap(), first.manifest);
    assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v1", "v3"]);
}

/// Some file systems take two names for one, so an archive with both is refused: none is written.
#[test]
fn a_member_whose_name_differs_in_case_alone_is_replaced() {
    let (kind, _) = with_image("first");
    let second = image("second");
    let layer = &second.blobs[1];
    append(&kind, &format!("blobs/sha256/{}", layer.digest().hex().to_uppercase()), layer.bytes());
    let sink = kind.create();
    push(sink.as_ref(), &second, Some("v2"));
    now(sink.finish()).unwrap();
    assert_eq!(stored(&kind, layer).unwrap(), *layer);
}

/// An archive that could not be read again replaces nothing.
#[test]
fn what_cannot_be_read_again_is_not_put_in_place() {
    let limits = Limits::DEFAULT.with(|limits| limits.oci.archive_members = 8);
    let kind = archive();
    let sink = Archive::create(kind.path(), limits.clone()).unwrap();
    push(&sink, &image("first"), Some("v1"));
    now(sink.finish()).unwrap();
    let before = fs::read(kind.path()).unwrap();
    let sink = Archive::create(kind.path(), limits).unwrap();
    push(&sink, &image("second"), Some("v2"));
    assert!(matches!(now(sink.finish()), Err(StoreError::TooMany { .. })));
    assert_eq!(fs::read(kind.path()).unwrap(), before);
}

#[test]
fn an_archive_that_was_removed_meanwhile_is_not_listed_in_the_new_one() {
    let (kind, _) = with_image("first");
    let sink = kind.create();
    fs::remove_file(kind.path()).unwrap();
    let second = image("second");
    push(sink.as_ref(), &second, Some("v2"));
    now(sink.finish()).unwrap();
    assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v2"]);
    assert_eq!(now(kind.open().unwrap().resolve(&tag("v2"))).unwrap(), second.manifest);
}

// ---------------------------------------------------------------------------------------------- docker-archives

fn writer(kind: &InArchive) -> DockerArchiveWriter {
    DockerArchiveWriter::create(kind.path(), Limits::DEFAULT).unwrap()
}

fn write(writer: &DockerArchiveWriter, image: &Image, name: &str) -> Result<(), StoreError> {
    writer.list(*image.manifest.digest(), image.manifest.descriptor()).unwrap();
    let sink = writer.sink();
    now(sink.push_content(&image.blobs[0]))?;
    push(sink.as_ref(), image, Some(name));
    now(sink.finish())
}

#[test]
fn two_writers_of_a_docker_archive_lose_no_image() {
    for first in [None, Some("already there")] {
        let kind = archive();
        if let Some(text) = first {
            write(&writer(&kind), &image(text), "app:0").unwrap();
        }
        let (one, two) = (writer(&kind), writer(&kind));
        write(&one, &image("one"), "app:1").unwrap();
        write(&two, &image("two"), "app:2").unwrap();
        let archive = DockerArchive::open(kind.path(), Limits::DEFAULT).unwrap();
        let listed: Vec<_> = now(archive.images()).unwrap().into_iter().filter_map(|image| image.name).collect();
        let want = ["app:0", "app:1", "app:2"];
        assert_eq!(listed, want[usize::from(first.is_none())..]);
        let tags = fs::read(kind.path()).unwrap();
        assert!(
            want[1..].iter().all(|name| tags.windows(name.len() + 2).any(|at| at == format!("\"{name}\"").as_bytes()))
        );
    }
}

#[test]
fn an_archive_of_the_other_kind_that_was_put_there_meanwhile_is_not_extended() {
    let kind = archive();
    let (plain, docker) = (Archive::create(kind.path(), Limits::DEFAULT).unwrap(), writer(&kind));
    write(&docker, &image("one"), "app:1").unwrap();
    let two = image("two");
    let error = now(plain.push_content(&two.blobs[0])).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    drop(plain);

    let kind = archive();
    let (plain, docker) = (Archive::create(kind.path(), Limits::DEFAULT).unwrap(), writer(&kind));
    push(&plain, &two, Some("v2"));
    now(plain.finish()).unwrap();
    let before = fs::read(kind.path()).unwrap();
    assert!(write(&docker, &image("one"), "app:1").is_err());
    assert_eq!(Digest::sha256(&fs::read(kind.path()).unwrap()), Digest::sha256(&before));
}
