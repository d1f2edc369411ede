//! Archives that are read once, from a pipe. Every other test here compares the answers for a file and for a stream.

use std::io;
use std::io::Read;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::limits::count;
use bulla::oci::Descriptor;
use bulla::oci::media_type::SIMPLE_SIGNING;
use bulla::oci::referrer::signature_config;
use bulla::store::SavedArchive;

use super::Fixture;
use super::check;
use super::cosign_signature;
use super::docker_archive;
use super::end;
use super::entry_of;
use super::file;
use super::files;
use super::fixture;
use super::list;
use super::member;
use super::packed::gzip;
use super::verdict_on;
use super::with_field;
use super::with_layout;

/// A reader that delivers a byte at a time, and counts them.
struct Slow<'a> {
    left: &'a [u8],
    read: u64,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        let length = self.left.read(&mut buffer[..most])?;
        self.read += count(length);
        Ok(length)
    }
}

fn opened(bytes: &[u8], limits: Limits) -> Result<SavedArchive, String> {
    SavedArchive::read(bytes, limits).map_err(|error| error.to_string())
}

#[test]
fn every_byte_of_a_stream_is_read_once() {
    let Fixture { signed, .. } = fixture();
    for bytes in [
        docker_archive(&[signed]),
        with_layout(&[signed], &[(signed, Some("app:1.0"))]),
        gzip(&docker_archive(&[signed])),
    ] {
        let mut slow = Slow { left: &bytes, read: 0 };
        let archive = SavedArchive::read(&mut slow, Limits::DEFAULT).unwrap();
        assert_eq!(slow.read, count(bytes.len()));
        assert_eq!(archive.images()[0].layers.len(), 2);
        assert!(archive.place().ends_with(":-"), "{}", archive.place());
    }
}

#[test]
fn the_list_may_come_first_or_last() {
    let Fixture { signed, .. } = fixture();
    let list = || vec![list(&[entry_of(signed)])];
    check(&end([list(), files(signed)].concat()), "yes", "");
    check(&end([files(signed), list()].concat()), "yes", "");
}

#[test]
fn a_stream_that_ends_early_is_refused_by_name() {
    let Fixture { signed, .. } = fixture();
    let whole = docker_archive(&[signed]);
    // A file for which there is no room is hashed as a large one is.
    for room in [Limits::DEFAULT.graph.bytes, 0] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.bytes = room);
        let opened = |length: usize| opened(&whole[..length], limits.clone()).err().unwrap();
        assert!(opened(0).contains("it is empty"));
        assert!(opened(300).contains("it was cut off there, or is no tar"));
        assert!(opened(512 + 100).contains("of which 100 are there: it was cut off"), "{}", opened(612));
        assert!(opened(1024).contains("no end: it was cut off after a member"));
        assert!(opened(whole.len() - 512).contains("instead of two: it was cut off"));
    }
}

#[test]
fn what_a_stream_keeps_has_limits() {
    let Fixture { signed, .. } = fixture();
    let small = Limits::DEFAULT.with(|limits| limits.graph.bytes = 300);
    let error = opened(&docker_archive(&[signed]), small).err().unwrap();
    assert!(error.contains("is needed again, and it came in a stream"), "{error}");
    // Configs that are not listed may fill the room; then what is listed is not known.
    let json = format!("[{}1]", "1,".repeat(1000));
    let many: Vec<_> = (0..8).map(|number| file(&format!("{number}.json"), json.as_bytes())).collect();
    let bytes = end([many, files(signed), vec![list(&[entry_of(signed)])]].concat());
    let room = Limits::DEFAULT.with(|limits| limits.graph.bytes = count(json.len()) * 3 + 9);
    let error = opened(&bytes, room).err().unwrap();
    assert!(error.contains("is needed again, and it came in a stream"), "{error}");

    let many = (0..50_001).flat_map(|number| file(&format!("{number}"), b"")).collect();
    let error = opened(&end(vec![many]), Limits::DEFAULT).err().unwrap();
    assert!(error.contains("more than 50000 members"), "{error}");
}

#[test]
fn a_member_below_a_link_is_refused_in_a_stream() {
    let Fixture { signed, .. } = fixture();
    for (link, below) in [("l", "l/x"), ("L", "l/a/b"), ("a/l", "A/L/x")] {
        for first in [true, false] {
            let (link, below) = (member(link, b'2', "d", b""), file(below, b"x"));
            let added = if first { vec![link, below] } else { vec![below, link] };
            let members = [files(signed), added, vec![list(&[entry_of(signed)])]].concat();
            check(&end(members), "unknown", "path leads through a symbolic link");
        }
    }
}

/// A manifest that is over a limit may be one that a loader takes: could not tell. One that is proven to be something else
/// stays a refusal.
#[test]
fn a_manifest_that_was_not_read_is_could_not_tell() {
    let Fixture { signed, unsigned, .. } = fixture();
    let large = with_field(unsigned, "annotations", serde_json::json!({"x": "a".repeat(5 << 20)}));
    check(&with_layout(&[signed], &[(signed, Some("app:1.0")), (unsigned, None)]), "no", "which is not verified");
    let both = [(signed, Some("app:1.0")), (&large, None)];
    check(&with_layout(&[signed], &both), "unknown", "larger than the limit");
    // Also where it is the image that the list names.
    check(&with_layout(&[&large], &[(&large, None)]), "unknown", "larger than the limit");
    let three = [(signed, Some("app:1.0")), (&large, None), (unsigned, None)];
    check(&with_layout(&[signed], &three), "no", "which is not verified");
}

/// What there was no room for in a stream may be anything: could not tell, where a file is refused.
#[test]
fn what_a_stream_did_not_keep_is_could_not_tell() {
    let Fixture { signed, unsigned, .. } = fixture();
    // JSON that takes all the room.
    let mut room = Vec::new();
    let halves = (6..21).rev().flat_map(|power| [1 << power; 2]);
    for (number, size) in [1 << 21; 8].into_iter().chain(halves).enumerate() {
        room.extend(file(&format!("{number}.json"), &[b"[", vec![b' '; size - 2].as_slice(), b"]"].concat()));
    }
    let layers = vec![Descriptor::of(SIMPLE_SIGNING, b"{}")];
    let signature = cosign_signature(layers.clone(), &signature_config(&layers).unwrap());
    for (image, late, of_file) in [
        (unsigned, &unsigned.manifest, "no"),
        // The config says that it is no image.
        (&signature, &signature.config, "yes"),
    ] {
        let whole = with_layout(&[signed], &[(signed, Some("app:1.0")), (image, None)]);
        let late = file(&format!("blobs/sha256/{}", Digest::sha256(late).hex()), late);
        let at = whole.windows(late.len()).position(|member| member == late).unwrap();
        let (front, rest) = (&whole[..at], &whole[at + late.len()..whole.len() - 1024]);
        let bytes = [front, rest, &room, &late, &[0; 1024]].concat();
        let place = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(place.path(), &bytes).unwrap();
        let word = |opened| match verdict_on(opened, None) {
            Ok(_) => "yes",
            Err(error) if error.is_refusal() => "no",
            Err(_) => "unknown",
        };
        assert_eq!(word(SavedArchive::open(place.path(), Limits::DEFAULT)), of_file);
        assert_eq!(word(SavedArchive::read(bytes.as_slice(), Limits::DEFAULT)), "unknown");
    }
}

/// A stream knows the digest of what it did not keep.
#[test]
fn other_bytes_in_place_of_a_manifest_are_refused() {
    let Fixture { signed, .. } = fixture();
    let whole = with_layout(&[signed], &[(signed, Some("app:1.0"))]);
    let name = format!("blobs/sha256/{}", Digest::sha256(&signed.manifest).hex());
    let manifest = file(&name, &signed.manifest);
    let at = whole.windows(manifest.len()).position(|member| member == manifest).unwrap();
    for bytes in [&b"no JSON"[..], b"{}"] {
        let mut changed = whole.clone();
        changed.splice(at..at + manifest.len(), file(&name, bytes));
        check(&changed, "no", "its index.json does not say");
    }
}

#[test]
fn links_beside_a_layout_are_refused() {
    let Fixture { signed, .. } = fixture();
    let mut bytes = with_layout(&[signed], &[(signed, Some("app:1.0"))]);
    bytes.truncate(bytes.len() - 1024);
    check(&end(vec![bytes, member("l", b'2', "index.json", b"")]), "unknown", "a symbolic link");
}
