//! The shared store tests: every store that bulla has does the same, told apart only by where its files lie.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/missing.rs"]
mod missing;
#[path = "support/tar.rs"]
#[allow(dead_code, reason = "shared by tests that use more of it")]
mod tar;
#[path = "store/written_again.rs"]
mod written_again;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::ContentError;
use bulla::oci::Descriptor;
use bulla::oci::Index;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer::fallback_tag;
use bulla::store::Archive;
use bulla::store::Blob;
use bulla::store::BlobStream;
use bulla::store::Layout;
use bulla::store::Memory;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::store::Task;
use bytes::Bytes;

/// Local stores never wait: they are ready at the first poll.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

// ---------------------------------------------------------------------------------------------- the stores

trait TestStore {
    /// A store for writing: new at first, then the one that is there.
    fn create(&self) -> Box<dyn Sink>;
    /// The store as another reader sees it now.
    fn open(&self) -> Result<Box<dyn Sink>, StoreError>;
    /// Every file and its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>>;
}

struct InMemory(Memory);

impl TestStore for InMemory {
    fn create(&self) -> Box<dyn Sink> {
        Box::new(self.0.clone())
    }
    fn open(&self) -> Result<Box<dyn Sink>, StoreError> {
        Ok(self.create())
    }
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        BTreeMap::new()
    }
}

struct InDirectory(tempfile::TempDir);

impl InDirectory {
    fn path(&self) -> PathBuf {
        self.0.path().join("a/layout")
    }
}

impl TestStore for InDirectory {
    fn create(&self) -> Box<dyn Sink> {
        Box::new(Layout::create(self.path(), Limits::DEFAULT).unwrap())
    }
    fn open(&self) -> Result<Box<dyn Sink>, StoreError> {
        Ok(Box::new(Layout::open(self.path(), Limits::DEFAULT)?))
    }
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.0.path())
    }
}

struct InArchive(tempfile::TempDir);

impl InArchive {
    fn path(&self) -> PathBuf {
        self.0.path().join("image.tar")
    }
}

impl TestStore for InArchive {
    fn create(&self) -> Box<dyn Sink> {
        Box::new(Archive::create(self.path(), Limits::DEFAULT).unwrap())
    }
    fn open(&self) -> Result<Box<dyn Sink>, StoreError> {
        Ok(Box::new(Archive::open(self.path(), Limits::DEFAULT)?))
    }
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.0.path())
    }
}

fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), Vec::new());
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn archive() -> InArchive {
    InArchive(tempfile::tempdir().unwrap())
}

fn directory() -> InDirectory {
    InDirectory(tempfile::tempdir().unwrap())
}

/// Every kind of store, each new.
fn every_kind() -> Vec<(&'static str, Box<dyn TestStore>)> {
    vec![
        ("memory", Box::new(InMemory(Memory::new(Limits::DEFAULT)))),
        ("layout", Box::new(directory())),
        ("archive", Box::new(archive())),
    ]
}

/// Those whose files somebody else could see too early.
fn on_disk() -> Vec<(&'static str, Box<dyn TestStore>)> {
    every_kind().into_iter().filter(|(name, _)| *name != "memory").collect()
}

// ---------------------------------------------------------------------------------------------- what is put in them

struct Image {
    manifest: Content,
    blobs: Vec<Content>,
}

fn image(text: &str) -> Image {
    let config = Content::from_bytes(
        media_type::OCI_CONFIG,
        format!(r#"{{"architecture":"amd64","os":"linux","made":"{text}"}}"#).into_bytes(),
    );
    let layer = Content::from_bytes("application/vnd.oci.image.layer.v1.tar", text.repeat(100).into_bytes());
    let manifest = manifest(&config, &[layer.descriptor()], None, None);
    Image { manifest, blobs: vec![config, layer] }
}

fn manifest(
    config: &Content,
    layers: &[&Descriptor],
    subject: Option<&Content>,
    annotations: Option<(&str, &str)>,
) -> Content {
    let mut value = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": layers,
    });
    if let Some(subject) = subject {
        value["subject"] = serde_json::to_value(subject.descriptor().bare()).unwrap();
        value["artifactType"] = "application/vnd.example.seal".into();
    }
    if let Some((key, text)) = annotations {
        value["annotations"] = serde_json::json!({ key: text });
    }
    Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&value).unwrap())
}

fn seal(subject: &Content, text: &str) -> Image {
    let config = Content::from_bytes(media_type::OCI_EMPTY, b"{}".to_vec());
    let layer = Content::from_bytes("application/vnd.example.seal", text.to_owned());
    let manifest = manifest(&config, &[layer.descriptor()], Some(subject), Some(("text", text)));
    Image { manifest, blobs: vec![config, layer] }
}

fn index(children: &[&Content]) -> Content {
    let manifests: Vec<_> = children.iter().map(|child| child.descriptor().bare()).collect();
    let value = serde_json::json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests });
    Content::from_bytes(media_type::OCI_INDEX, serde_json::to_vec(&value).unwrap())
}

fn push(sink: &dyn Sink, image: &Image, tag: Option<&str>) {
    for blob in &image.blobs {
        now(sink.push_content(blob)).unwrap();
    }
    let pushed = now(sink.push_manifest(&image.manifest, tag)).unwrap();
    assert_eq!(pushed.listed, String::from_utf8_lossy(image.manifest.bytes()).contains("subject"));
}

fn tag(name: &str) -> TagOrDigest {
    TagOrDigest::Tag(name.to_owned())
}

fn digests(source: &dyn Source, subject: &Content, artifact_type: Option<&str>) -> Vec<Digest> {
    let listing = now(source.referrers(subject.digest(), artifact_type)).unwrap().unwrap();
    listing.entries.iter().map(|entry| entry.digest).collect()
}

struct Pieces(Vec<&'static [u8]>);

impl BlobStream for Pieces {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        let next = (!self.0.is_empty()).then(|| Bytes::from_static(self.0.remove(0)));
        Box::pin(std::future::ready(Ok(next)))
    }
}

// ---------------------------------------------------------------------------------------------- the tests

#[test]
fn pushed_content_is_found() {
    for (name, kind) in every_kind() {
        let app = image("app");
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        now(sink.finish()).unwrap();
        drop(sink);
        let source = kind.open().unwrap();
        for tag_or_digest in [tag("v1"), TagOrDigest::Digest(*app.manifest.digest())] {
            let found = now(source.resolve(&tag_or_digest)).unwrap();
            assert_eq!(
                (found.bytes(), found.descriptor()),
                (app.manifest.bytes(), app.manifest.descriptor()),
                "{name}"
            );
        }
        assert_eq!(now(source.manifest(app.manifest.descriptor())).unwrap(), app.manifest);
        for blob in &app.blobs {
            assert_eq!(now(source.blob(blob.descriptor(), 1 << 20)).unwrap(), *blob, "{name}");
            assert!(now(source.has_blob(blob.descriptor())).unwrap());
            let mut moving = now(source.open(blob.descriptor())).unwrap();
            let mut whole = Vec::new();
            while let Some(piece) = now(moving.next()).unwrap() {
                whole.extend_from_slice(&piece);
            }
            assert_eq!(whole, blob.bytes());
        }
        assert!(now(source.has_manifest(app.manifest.descriptor())).unwrap());
        assert_eq!(now(source.names()).unwrap(), ["v1"]);
    }
}

#[test]
fn missing_content_is_not_found_and_too_large_content_is_not_read() {
    for (name, kind) in every_kind() {
        let app = image("app");
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        let other = image("other");
        let layer = other.blobs[1].descriptor();
        for error in [
            now(sink.resolve(&tag("v2"))).unwrap_err(),
            now(sink.resolve(&TagOrDigest::Digest(*other.manifest.digest()))).unwrap_err(),
            now(sink.manifest(other.manifest.descriptor())).unwrap_err(),
            now(sink.blob(layer, 1 << 20)).unwrap_err(),
            now(sink.open(layer)).map(drop).unwrap_err(),
        ] {
            assert!(error.is_not_found(), "{name}: {error}");
        }
        assert!(!now(sink.has_blob(layer)).unwrap());
        let there = app.blobs[1].descriptor();
        let error = now(sink.blob(there, there.size - 1)).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }), "{name}: {error}");
        let longer = Descriptor { size: there.size + 1, ..there.clone() };
        let error = now(sink.blob(&longer, 1 << 20)).unwrap_err();
        assert!(matches!(error, StoreError::Content { error: ContentError::Size { .. }, .. }), "{name}: {error}");
    }
}

#[test]
fn referrers_are_listed_with_what_their_manifests_say() {
    for (name, kind) in every_kind() {
        let app = image("app");
        let (one, two) = (seal(&app.manifest, "one"), seal(&app.manifest, "two"));
        let over = seal(&one.manifest, "over");
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        for image in [&one, &two, &over, &one] {
            push(sink.as_ref(), image, None);
        }
        now(sink.finish()).unwrap();
        drop(sink);
        let source = kind.open().unwrap();
        for artifact_type in [None, Some("application/vnd.example.seal")] {
            let found = digests(source.as_ref(), &app.manifest, artifact_type);
            assert_eq!(found, [*one.manifest.digest(), *two.manifest.digest()], "{name}");
        }
        assert_eq!(digests(source.as_ref(), &one.manifest, None), [*over.manifest.digest()]);
        assert_eq!(digests(source.as_ref(), &two.manifest, None), []);
        let entries = now(source.referrers(app.manifest.digest(), None)).unwrap().unwrap().entries;
        assert_eq!(entries[0].artifact_type.as_deref(), Some("application/vnd.example.seal"));
        assert_eq!(entries[0].annotations["text"], "one", "{name}");
        assert_eq!(entries[0].bare(), *one.manifest.descriptor());
    }
}

#[test]
fn a_list_of_referrers_is_merged_and_never_replaced() {
    let kinds = on_disk().into_iter().chain([(
        "memory without a list",
        Box::new(InMemory(Memory::without_referrers(Limits::DEFAULT))) as Box<dyn TestStore>,
    )]);
    for (name, kind) in kinds {
        let app = image("app");
        let seals = ["one", "two", "three"].map(|text| seal(&app.manifest, text));
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        now(sink.finish()).unwrap();
        for seal in &seals {
            let sink = kind.create();
            for blob in &seal.blobs {
                now(sink.push_content(blob)).unwrap();
            }
            let _pushed = now(sink.push_manifest(&seal.manifest, None)).unwrap();
            now(sink.merge_referrers(app.manifest.digest(), &[seal.manifest.descriptor().clone()])).unwrap();
            now(sink.finish()).unwrap();
        }
        // Entries of other tools stay unchanged, including fields that we do not know.
        let source = kind.open().unwrap();
        let list = now(source.resolve(&tag(&fallback_tag(app.manifest.digest())))).unwrap();
        let listed: Vec<_> =
            Index::parse(&list, &Limits::DEFAULT).unwrap().manifests.iter().map(|e| e.digest).collect();
        assert_eq!(listed, seals.each_ref().map(|seal| *seal.manifest.digest()), "{name}");
    }
}

/// `cosign copy` gives an image the name that is meant for its list of referrers, and any other manifest may have it.
#[test]
fn what_is_no_list_but_has_its_name_stays_in_the_layout() {
    let (app, other) = (image("app"), image("other"));
    let (seal, list) = (seal(&app.manifest, "one"), fallback_tag(app.manifest.digest()));
    for (named, (name, kind)) in
        [&app, &other].into_iter().flat_map(|named| on_disk().into_iter().map(move |kind| (named, kind)))
    {
        let sink = kind.create();
        push(sink.as_ref(), named, Some(&list));
        now(sink.finish()).unwrap();
        let before = kind.files();
        let sink = kind.create();
        sink.mark();
        push(sink.as_ref(), &seal, None);
        sink.rollback();
        now(sink.finish()).unwrap();
        assert_eq!(kind.files(), before, "{name}");
        push(sink.as_ref(), &seal, None);
        now(sink.finish()).unwrap();
        let source = kind.open().unwrap();
        let images = now(source.images()).unwrap();
        let images: Vec<_> = images.into_iter().map(|image| (image.descriptor.unwrap().digest, image.name)).collect();
        assert_eq!(images, [(*named.manifest.digest(), None)], "{name}");
        assert_eq!(digests(source.as_ref(), &app.manifest, None), [*seal.manifest.digest()], "{name}");
        let listed = now(source.resolve(&tag(&list))).unwrap();
        assert!(media_type::is_index(&listed.descriptor().media_type), "{name}");
    }
}

/// Two lists under one name, as two tools may have written them, become one.
#[test]
fn no_list_is_lost_where_a_layout_has_two() {
    let kind = directory();
    let app = image("app");
    let seals = ["one", "two", "three"].map(|text| seal(&app.manifest, text));
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    let lists = [index(&[&seals[0].manifest]), index(&[&seals[1].manifest])];
    lists.iter().for_each(|list| now(sink.push_content(list)).unwrap());
    now(sink.finish()).unwrap();
    drop(sink);
    let name = fallback_tag(app.manifest.digest());
    let named: &[(&str, &str)] = &[(REF_NAME, &name)];
    list(&kind, &[(&app.manifest, &[(REF_NAME, "v1")]), (&lists[0], named), (&lists[1], named)]);
    let sink = kind.create();
    push(sink.as_ref(), &seals[2], None);
    now(sink.finish()).unwrap();
    let merged = now(kind.open().unwrap().resolve(&tag(&name))).unwrap();
    let merged: Vec<_> = Index::parse(&merged, &Limits::DEFAULT).unwrap().manifests.iter().map(|e| e.digest).collect();
    assert_eq!(merged, seals.each_ref().map(|seal| *seal.manifest.digest()));
}

#[test]
fn a_list_keeps_the_entries_of_others_as_they_were_written() {
    let kind = directory();
    let app = image("app");
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    let foreign = seal(&app.manifest, "foreign");
    push(sink.as_ref(), &foreign, None);
    now(sink.finish()).unwrap();
    // As another tool might write it: with a field of its own, and in its own spelling.
    let digest = foreign.manifest.digest();
    let entry = format!(
        r#"{{ "digest":"{digest}",  "mediaType":"{}", "size":{}, "x-field":[1,2] }}"#,
        media_type::OCI_MANIFEST,
        foreign.manifest.bytes().len()
    );
    let list = Content::from_bytes(
        media_type::OCI_INDEX,
        format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#).into_bytes(),
    );
    let path = kind.path();
    fs::write(path.join("blobs/sha256").join(list.digest().hex()), list.bytes()).unwrap();
    let name = fallback_tag(app.manifest.digest());
    let v1 = format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"v1"}},"x":"<&>"}}"#,
        media_type::OCI_MANIFEST,
        app.manifest.digest(),
        app.manifest.bytes().len()
    );
    let named = format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#,
        media_type::OCI_INDEX,
        list.digest(),
        list.bytes().len()
    );
    fs::write(
        path.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{v1},{named}],"annotations":{{"a":"b"}}}}"#),
    )
    .unwrap();
    let ours = seal(&app.manifest, "ours");
    let sink = kind.create();
    push(sink.as_ref(), &ours, None);
    now(sink.finish()).unwrap();
    let list = now(kind.open().unwrap().resolve(&tag(&name))).unwrap();
    let text = String::from_utf8(list.bytes().to_vec()).unwrap();
    assert!(text.contains(&entry), "{text}");
    assert!(text.contains(&ours.manifest.digest().to_string()), "{text}");
    let index = fs::read_to_string(path.join("index.json")).unwrap();
    assert!(index.contains(r#""annotations":{"a":"b"}"#) && index.contains(r#""x":"\u003c\u0026\u003e""#), "{index}");
}

#[test]
fn nothing_is_visible_before_finish_and_nothing_remains_without_it() {
    for (name, kind) in on_disk() {
        let app = image("app");
        let before = kind.files();
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        assert!(kind.open().is_err(), "{name}: a store that is not finished can be opened");
        // We ourselves see it, to read it back.
        assert_eq!(now(sink.resolve(&tag("v1"))).unwrap(), app.manifest);
        drop(sink);
        assert_eq!(kind.files(), before, "{name}: something remained");

        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        now(sink.finish()).unwrap();
        drop(sink);
        let before = kind.files();
        let sink = kind.create();
        push(sink.as_ref(), &image("other"), Some("v1"));
        push(sink.as_ref(), &seal(&app.manifest, "x"), None);
        let seen = kind.open().unwrap();
        assert_eq!(now(seen.resolve(&tag("v1"))).unwrap(), app.manifest, "{name}");
        assert_eq!(digests(seen.as_ref(), &app.manifest, None), [], "{name}");
        drop(sink);
        assert_eq!(kind.files(), before, "{name}: something remained");
    }
}

#[test]
fn a_wrong_blob_leaves_no_files() {
    for (name, kind) in every_kind() {
        let before = kind.files();
        let sink = kind.create();
        let right = Descriptor::of("text/plain", b"hello, world");
        let cases: [(&str, Vec<&'static [u8]>); 5] = [
            ("other bytes", vec![b"hello, ", b"wurld"]),
            ("too short", vec![b"hello, ", b"worl"]),
            ("too long", vec![b"hello, ", b"world", b"!"]),
            ("much too long", vec![b"hello, world and everybody else in it", b"!"]),
            ("empty", vec![]),
        ];
        for (case, pieces) in cases {
            let blob = Blob::new(right.clone(), "test".into(), Box::new(Pieces(pieces)));
            let error = now(sink.push_blob(blob)).unwrap_err();
            assert!(matches!(error, StoreError::Content { .. }), "{name}, {case}: {error}");
            assert!(!now(sink.has_blob(&right)).unwrap(), "{name}, {case}");
            assert!(now(sink.blob(&right, 100)).unwrap_err().is_not_found(), "{name}, {case}");
        }
        let blob = Blob::new(right.clone(), "test".into(), Box::new(Pieces(vec![b"", b"hello, ", b"", b"world"])));
        now(sink.push_blob(blob)).unwrap();
        assert_eq!(now(sink.blob(&right, 100)).unwrap().bytes(), b"hello, world", "{name}");
        drop(sink);
        assert_eq!(kind.files(), before, "{name}");
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_stored() {
    for (name, kind) in every_kind() {
        let sink = kind.create();
        for (media_type, body) in [
            (media_type::OCI_MANIFEST, r#"{"schemaVersion":2}"#),
            (media_type::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#),
            ("text/plain", "{}"),
        ] {
            let content = Content::from_bytes(media_type, body.to_owned());
            let error = now(sink.push_manifest(&content, Some("v1"))).unwrap_err();
            assert!(matches!(error, StoreError::Manifest { .. }), "{name}: {error}");
        }
        assert_eq!(now(sink.names()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_moved_name_leaves_the_old_image_by_digest() {
    for (name, kind) in every_kind() {
        let (old, new) = (image("old"), image("new"));
        for image in [&old, &new, &new] {
            let sink = kind.create();
            push(sink.as_ref(), image, Some("latest"));
            now(sink.finish()).unwrap();
        }
        let source = kind.open().unwrap();
        assert_eq!(now(source.resolve(&tag("latest"))).unwrap(), new.manifest, "{name}");
        assert_eq!(now(source.resolve(&TagOrDigest::Digest(*old.manifest.digest()))).unwrap(), old.manifest, "{name}");
        assert_eq!(now(source.names()).unwrap(), ["latest"]);
    }
}

#[test]
fn a_rolled_back_push_leaves_no_bytes_and_no_names() {
    let (first, second, last) = (image("first"), image("second"), image("last"));
    let referrer = seal(&first.manifest, "referrer");
    for ((name, kind), (_, clean)) in on_disk().into_iter().zip(on_disk()) {
        let sink = kind.create();
        push(sink.as_ref(), &first, Some("v1"));
        now(sink.finish()).unwrap();
        let sink = kind.create();
        for (image, tag) in [(&second, "v1"), (&referrer, "v2"), (&last, "v3")] {
            // Before the first of them nothing was written, and the place is not locked yet.
            sink.mark();
            push(sink.as_ref(), image, Some(tag));
            if tag != "v3" {
                assert_eq!(now(sink.resolve(&self::tag(tag))).unwrap(), image.manifest, "{name}");
                sink.rollback();
                assert!(!now(sink.has_manifest(image.manifest.descriptor())).unwrap(), "{name}");
                assert_eq!(now(sink.names()).unwrap(), ["v1"], "{name}");
                assert_eq!(now(sink.resolve(&self::tag("v1"))).unwrap(), first.manifest, "{name}");
                assert_eq!(digests(sink.as_ref(), &first.manifest, None), Vec::<Digest>::new(), "{name}");
                // There is nothing more to take back.
                sink.rollback();
            }
        }
        now(sink.finish()).unwrap();
        for (image, tag) in [(&first, "v1"), (&last, "v3")] {
            let sink = clean.create();
            push(sink.as_ref(), image, Some(tag));
            now(sink.finish()).unwrap();
        }
        let bytes = |kind: &dyn TestStore| kind.files().into_values().collect::<Vec<_>>();
        assert!(bytes(kind.as_ref()) == bytes(clean.as_ref()), "{name}: not as if it had never been pushed");
    }
}

/// A blob that ends before its declared size.
struct Spoiled(bool);

impl BlobStream for Spoiled {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        let next = std::mem::take(&mut self.0).then(|| Bytes::from_static(b"half"));
        Box::pin(std::future::ready(Ok(next)))
    }
}

#[test]
fn a_name_that_moves_many_times_points_to_the_last_image() {
    for (name, kind) in on_disk() {
        let images: Vec<_> = (0..20).map(|number| image(&format!("image {number}"))).collect();
        let sink = kind.create();
        for (number, image) in images.iter().enumerate() {
            // Two names of one image, as containerd writes them, and a name that all of them had in turn.
            push(sink.as_ref(), image, Some(&format!("registry.example/team/app:{number}")));
            push(sink.as_ref(), image, Some("registry.example/team/app"));
            if number % 3 == 1 {
                sink.mark();
                push(sink.as_ref(), &images[0], Some("registry.example/team/app:latest"));
                let promised = Descriptor::new("text/plain", Digest::sha256(b"whole"), 5);
                now(sink.push_blob(Blob::new(promised, "test".into(), Box::new(Spoiled(true))))).unwrap_err();
                sink.rollback();
            }
        }
        now(sink.finish()).unwrap();
        let source = kind.open().unwrap();
        for (number, image) in images.iter().enumerate() {
            for end in [format!("{number}"), format!("app:{number}"), format!("registry.example/team/app:{number}")] {
                assert_eq!(now(source.resolve(&tag(&end))).unwrap(), image.manifest, "{name}, {end}");
            }
        }
        let last = &images.last().unwrap().manifest;
        assert_eq!(&now(source.resolve(&tag("registry.example/team/app"))).unwrap(), last, "{name}");
        assert!(now(source.resolve(&tag("team/app"))).unwrap_err().is_not_found(), "{name}");
        assert_eq!(now(source.names()).unwrap().len(), images.len() + 1, "{name}");
    }
}

// A list may lack what another tool added to the layout without listing it.
#[test]
fn an_answer_from_the_list_of_a_layout_says_that_there_may_be_more() {
    let kind = directory();
    let app = image("app");
    let (listed, unlisted) = (seal(&app.manifest, "listed"), seal(&app.manifest, "unlisted"));
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    push(sink.as_ref(), &listed, None);
    now(sink.finish()).unwrap();
    let at = |name: &str| kind.path().join(name);
    for content in unlisted.blobs.iter().chain([&unlisted.manifest]) {
        fs::write(at(&format!("blobs/sha256/{}", content.digest().hex())), content.bytes()).unwrap();
    }
    let mut index: serde_json::Value = serde_json::from_slice(&fs::read(at("index.json")).unwrap()).unwrap();
    index["manifests"].as_array_mut().unwrap().push(serde_json::to_value(unlisted.manifest.descriptor()).unwrap());
    fs::write(at("index.json"), index.to_string()).unwrap();
    let source = kind.open().unwrap();
    let ask = |artifact_type| {
        let listing = now(source.referrers(app.manifest.digest(), artifact_type)).unwrap().unwrap();
        (listing.entries.iter().map(|entry| entry.digest).collect::<BTreeSet<_>>(), listing.filtered)
    };
    let both = BTreeSet::from([*listed.manifest.digest(), *unlisted.manifest.digest()]);
    assert_eq!(ask(Some("application/vnd.example.seal")), (BTreeSet::from([*listed.manifest.digest()]), true));
    assert_eq!(ask(None), (both.clone(), false));
    // Nothing of this type is listed: then every manifest is asked. One that is only a blob may be there still, so the
    // answer does not claim to be whole.
    assert_eq!(ask(Some("application/vnd.example.other")), (both, true));
}

/// A wrong entry for a manifest does not stand for the right one: it is corrected when the content is pushed.
#[test]
fn an_entry_with_another_size_or_media_type_is_corrected() {
    let app = image("app");
    let wrong = [
        ("size", serde_json::json!(app.manifest.descriptor().size + 1)),
        ("mediaType", serde_json::json!("application/vnd.docker.distribution.manifest.v2+json")),
    ];
    for (field, value) in wrong {
        for named in [None, Some("v1"), Some("v2")] {
            let kind = directory();
            let sink = kind.create();
            push(sink.as_ref(), &app, Some("v1"));
            now(sink.finish()).unwrap();
            drop(sink);
            let path = kind.path().join("index.json");
            let mut index: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            index["manifests"][0][field] = value.clone();
            fs::write(&path, index.to_string()).unwrap();
            let sink = kind.create();
            push(sink.as_ref(), &app, named);
            now(sink.finish()).unwrap();
            let source = kind.open().unwrap();
            for which in [tag("v1"), TagOrDigest::Digest(*app.manifest.digest()), tag(named.unwrap_or("v1"))] {
                let found = now(source.resolve(&which)).unwrap_or_else(|error| panic!("{field} {named:?}: {error}"));
                assert_eq!(found.descriptor().bare(), app.manifest.descriptor().bare(), "{field} {named:?}");
            }
        }
    }
}

/// Names are compared as a whole, however long they are; only a message truncates them.
#[test]
fn long_names_that_differ_at_their_end_are_ambiguous() {
    let kind = directory();
    let sink = kind.create();
    let long = format!("registry.example/{}", "x".repeat(400));
    for name in ["a", "b"] {
        push(sink.as_ref(), &image(name), Some(&format!("{long}/{name}:v1")));
    }
    now(sink.finish()).unwrap();
    let error = now(kind.open().unwrap().resolve(&tag("v1"))).unwrap_err();
    assert!(matches!(error, StoreError::Ambiguous { .. }), "{error:?}");
}

/// A signature manifest that no index names is found, also where the index names another referrer.
#[test]
fn a_referrer_that_is_only_a_blob_is_found_beside_a_listed_one() {
    let kind = directory();
    let app = image("app");
    let (listed, loose) = (seal(&app.manifest, "listed"), seal(&app.manifest, "loose"));
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    push(sink.as_ref(), &listed, None);
    now(sink.finish()).unwrap();
    for content in loose.blobs.iter().chain([&loose.manifest]) {
        fs::write(kind.path().join(format!("blobs/sha256/{}", content.digest().hex())), content.bytes()).unwrap();
    }
    let source = kind.open().unwrap();
    let ask = |artifact_type| {
        let listing = now(source.referrers(app.manifest.digest(), artifact_type)).unwrap().unwrap();
        (listing.entries.iter().any(|entry| entry.digest == *loose.manifest.digest()), listing.filtered)
    };
    for artifact_type in ["application/vnd.example.seal", "application/vnd.example.other"] {
        let (found, filtered) = ask(Some(artifact_type));
        assert!(found || filtered, "{artifact_type}: an answer without it claims to be whole");
    }
    assert_eq!(ask(None), (true, false));
}

// Entries are told apart by digest, size and media type (threats: mislabelled-list-entry).
#[test]
fn a_wrong_entry_in_a_layout_does_not_hide_the_right_one() {
    let app = image("app");
    let seal = seal(&app.manifest, "seal");
    let right = seal.manifest.descriptor().bare();
    let wrong = [
        Descriptor { size: right.size + 1, ..right.clone() },
        Descriptor { media_type: "application/wrong".to_owned(), ..right.clone() },
    ];
    for in_list in [false, true] {
        let kind = directory();
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        push(sink.as_ref(), &seal, None);
        now(sink.finish()).unwrap();
        drop(sink);
        // Either `index.json` or the list at the fallback tag names the manifest, the wrong entries first.
        let at = |name: &str| kind.path().join(name);
        let manifests = [wrong[0].clone(), wrong[1].clone(), right.clone()];
        let mut listed = manifests.to_vec();
        if in_list {
            let list = serde_json::json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
            let mut list = Content::from_bytes(media_type::OCI_INDEX, list.into_bytes()).descriptor().clone();
            let bytes = serde_json::json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
            fs::write(at(&format!("blobs/sha256/{}", list.digest.hex())), bytes).unwrap();
            let name = fallback_tag(app.manifest.digest());
            list.annotations.insert("org.opencontainers.image.ref.name".to_owned(), name);
            listed = vec![list];
        }
        listed.push(app.manifest.descriptor().bare());
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": listed }).to_string();
        fs::write(at("index.json"), index).unwrap();
        let source = kind.open().unwrap();
        let listing = now(source.referrers(app.manifest.digest(), None)).unwrap().unwrap();
        let found: Vec<_> = listing.entries.iter().map(Descriptor::bare).collect();
        assert!(found.contains(&right), "{in_list}: {found:?}");
        assert_eq!(found.iter().filter(|entry| **entry == right).count(), 1, "{in_list}: {found:?}");
        // Every entry with the right size gets the values from the manifest.
        let described = listing.entries.iter().filter(|entry| entry.annotations.contains_key("text")).count();
        assert_eq!(described, 2, "{in_list}: {found:?}");
    }
}

#[test]
fn repeating_a_push_changes_nothing() {
    for (name, kind) in on_disk() {
        let app = image("app");
        let both = index(&[&app.manifest]);
        let put = || {
            let sink = kind.create();
            push(sink.as_ref(), &app, None);
            let _pushed = now(sink.push_manifest(&both, None)).unwrap();
            push(sink.as_ref(), &seal(&app.manifest, "one"), None);
            let _pushed = now(sink.push_manifest(&both, Some("v1"))).unwrap();
            now(sink.finish()).unwrap();
            now(sink.finish()).unwrap();
        };
        put();
        let before = kind.files();
        put();
        assert_eq!(kind.files(), before, "{name}");
    }
}

#[test]
fn the_children_of_an_index_are_not_listed_as_images() {
    let kind = directory();
    let (amd, arm) = (image("amd"), image("arm"));
    let both = index(&[&amd.manifest, &arm.manifest]);
    let sink = kind.create();
    push(sink.as_ref(), &amd, None);
    push(sink.as_ref(), &arm, None);
    let _pushed = now(sink.push_manifest(&both, None)).unwrap();
    push(sink.as_ref(), &seal(&arm.manifest, "one"), None);
    now(sink.finish()).unwrap();
    let layout = Layout::open(kind.path(), Limits::DEFAULT).unwrap();
    assert_eq!(layout.sole().unwrap().digest, *both.digest());
    // The index, the seal and the list that names the seal.
    let list = fs::read(kind.path().join("index.json")).unwrap();
    let list = Index::parse(&Content::from_bytes(media_type::OCI_INDEX, list), &Limits::DEFAULT).unwrap();
    assert_eq!(list.manifests.len(), 3);
    assert_eq!(now(layout.resolve(&TagOrDigest::Digest(*arm.manifest.digest()))).unwrap(), arm.manifest);
    assert_eq!(digests(&layout, &arm.manifest, Some("x")).len(), 1);
}

#[test]
fn a_reference_without_a_name_needs_exactly_one_image() {
    let kind = directory();
    let sink = kind.create();
    let (app, other) = (image("app"), image("other"));
    push(sink.as_ref(), &app, Some("v1"));
    push(sink.as_ref(), &app, Some("latest"));
    push(sink.as_ref(), &seal(&app.manifest, "one"), None);
    push(sink.as_ref(), &image("signature"), Some(&format!("sha256-{}.sig", app.manifest.digest().hex())));
    now(sink.finish()).unwrap();
    let open = || Layout::open(kind.path(), Limits::DEFAULT).unwrap();
    assert_eq!(open().sole().unwrap(), *app.manifest.descriptor());
    let sink = kind.create();
    push(sink.as_ref(), &other, Some("registry.example/other:v2"));
    now(sink.finish()).unwrap();
    let error = open().sole().unwrap_err();
    assert!(
        matches!(&error, StoreError::Ambiguous { names, .. } if *names == ["v1", "latest", "registry.example/other:v2"]),
        "{error}"
    );
    // A name is also found by the tag that a full reference ends with.
    assert_eq!(now(open().resolve(&tag("v2"))).unwrap(), other.manifest);
    assert_eq!(now(open().resolve(&tag("registry.example/other:v2"))).unwrap(), other.manifest);
}

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Lists `entries` in the `index.json` of a layout, each with its annotations, and nothing else.
fn list(kind: &InDirectory, entries: &[(&Content, &[(&str, &str)])]) {
    let manifests: Vec<_> = entries
        .iter()
        .map(|(content, annotations)| {
            let annotations = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Descriptor { annotations: annotations.collect(), ..content.descriptor().bare() }
        })
        .collect();
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
    fs::write(kind.path().join("index.json"), index).unwrap();
}

fn named(name: &str) -> (&str, &str) {
    (REF_NAME, name)
}

// A loader takes every entry with the name of an image (threats: named-referrer).
#[test]
fn an_entry_with_the_name_of_an_image_is_an_image_whatever_else_it_is() {
    let (app, absent) = (image("app"), image("absent"));
    let own = |content: &Content| fallback_tag(content.digest());
    for subject in [&app.manifest, &absent.manifest] {
        let other = seal(subject, "other");
        let kind = directory();
        let sink = kind.create();
        push(sink.as_ref(), &app, None);
        push(sink.as_ref(), &other, None);
        now(sink.finish()).unwrap();
        let signatures = format!("{}.sig", own(subject));
        let sigs = ("kind", "dev.hauler/sigs");
        let subject_mark = ("org.opencontainers.image.referrer.subject", "sha256:00");
        let cases: [(&[(&str, &str)], bool); 11] = [
            (&[], false),
            (&[named(&signatures)], false),
            (&[named("app:2")], true),
            (&[(CONTAINERD_NAME, "docker.io/library/app:2")], true),
            (&[(CONTAINERD_NAME, "docker.io/library/app:2"), named(&signatures)], true),
            (&[sigs], false),
            (&[sigs, named(&signatures)], false),
            // hauler gives a signature the name of its image.
            (&[sigs, named("app:1")], false),
            (&[sigs, named("app:2")], true),
            (&[subject_mark], false),
            (&[subject_mark, named("app:2")], true),
        ];
        for (annotations, is_image) in cases {
            list(&kind, &[(&app.manifest, &[(REF_NAME, "app:1")]), (&other.manifest, annotations)]);
            let layout = Layout::open(kind.path(), Limits::DEFAULT).unwrap();
            let images = now(layout.images()).unwrap();
            let found: Vec<_> = images.iter().map(|image| image.descriptor.as_ref().unwrap().digest).collect();
            let both = [*app.manifest.digest(), *other.manifest.digest()];
            assert_eq!(found, both[..1 + usize::from(is_image)], "{annotations:?}");
            match layout.sole() {
                Ok(sole) => assert!(!is_image && sole.digest == both[0], "{annotations:?}"),
                Err(StoreError::Ambiguous { names, .. }) => assert!(is_image && names.len() == 2, "{annotations:?}"),
                Err(error) => panic!("{annotations:?}: {error}"),
            }
            // It is a referrer all the same.
            assert!(digests(&layout, subject, None).contains(other.manifest.digest()), "{annotations:?}");
        }
    }
    // The name that is meant for the list of its referrers makes no list of an image.
    let kind = directory();
    let sink = kind.create();
    push(sink.as_ref(), &app, None);
    push(sink.as_ref(), &seal(&app.manifest, "one"), None);
    now(sink.finish()).unwrap();
    list(&kind, &[(&app.manifest, &[(REF_NAME, &own(&app.manifest))])]);
    let layout = Layout::open(kind.path(), Limits::DEFAULT).unwrap();
    assert_eq!(layout.sole().unwrap().digest, *app.manifest.digest());
    let images = now(layout.images()).unwrap();
    assert_eq!(images.iter().map(|image| image.name.as_deref()).collect::<Vec<_>>(), [None]);
}

// No annotation in a manifest gives it a name (threats: ambiguous-image-name).
#[test]
fn a_manifest_cannot_name_itself() {
    let kind = directory();
    let app = image("app");
    for key in
        ["org.opencontainers.image.ref.name", "io.containerd.image.name", "org.opencontainers.image.referrer.subject"]
    {
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        let value = if key.contains("subject") { app.manifest.digest().to_string() } else { "v1".to_owned() };
        let config = Content::from_bytes(media_type::OCI_EMPTY, b"{}".to_vec());
        let evil = manifest(&config, &[config.descriptor()], Some(&app.manifest), Some((key, &value)));
        push(sink.as_ref(), &Image { manifest: evil.clone(), blobs: vec![config] }, None);
        assert_eq!(now(sink.resolve(&tag("v1"))).unwrap(), app.manifest);
        now(sink.finish()).unwrap();
        let source = kind.open().unwrap();
        assert_eq!(now(source.resolve(&tag("v1"))).unwrap(), app.manifest);
        assert!(digests(source.as_ref(), &app.manifest, None).contains(evil.digest()));
    }
}

// (threats: concurrent-writers)
#[test]
fn there_is_one_writer_at_a_time_and_a_dead_one_does_not_count() {
    let kind = directory();
    let sink = kind.create();
    push(sink.as_ref(), &image("app"), Some("v1"));
    let error = now(kind.create().push_content(&image("other").manifest)).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    now(sink.finish()).unwrap();
    // The leftovers of a killed process: a lock file without a holder, and temporary files.
    fs::write(kind.path().join(".bulla.lock"), "1\n").unwrap();
    let leftover = kind.path().join("blobs/sha256/.tmp-0123456789abcdef");
    fs::write(&leftover, "half").unwrap();
    let sink = kind.create();
    push(sink.as_ref(), &image("other"), Some("v2"));
    now(sink.finish()).unwrap();
    assert!(!leftover.exists() && !kind.path().join(".bulla.lock").exists());
    assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v1", "v2"]);
}

#[test]
fn concurrent_writes_of_another_process_are_kept() {
    let kind = directory();
    let sink = kind.create();
    push(sink.as_ref(), &image("first"), Some("v1"));
    now(sink.finish()).unwrap();
    let (one, two) = (kind.create(), kind.create());
    push(one.as_ref(), &image("second"), Some("v2"));
    now(one.finish()).unwrap();
    push(two.as_ref(), &image("third"), Some("v3"));
    now(two.finish()).unwrap();
    assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v1", "v2", "v3"]);
}

#[test]
fn a_directory_with_other_files_does_not_become_a_layout() {
    let kind = directory();
    fs::create_dir_all(kind.path()).unwrap();
    fs::write(kind.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(Layout::create(kind.path(), Limits::DEFAULT), Err(StoreError::Broken { .. })));
    fs::remove_file(kind.path().join("letter.txt")).unwrap();
    // An empty one is, and stays if nothing comes of it.
    let sink = kind.create();
    push(sink.as_ref(), &image("app"), Some("v1"));
    drop(sink);
    assert!(kind.path().is_dir());
    assert_eq!(fs::read_dir(kind.path()).unwrap().count(), 0);
}

// A blob that a disk spoiled is not taken for one that is there.
#[test]
fn a_spoiled_blob_is_pushed_again() {
    let kind = directory();
    let app = image("app");
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    now(sink.finish()).unwrap();
    let layer = &app.blobs[1];
    let path = kind.path().join("blobs/sha256").join(layer.digest().hex());
    let mut bytes = layer.bytes().to_vec();
    bytes[7] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let sink = kind.create();
    let error = now(sink.blob(layer.descriptor(), 1 << 20)).unwrap_err();
    assert!(matches!(error, StoreError::Content { error: ContentError::Digest { .. }, .. }), "{error}");
    assert!(!now(sink.has_blob(layer.descriptor())).unwrap());
    now(sink.push_content(layer)).unwrap();
    now(sink.finish()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), layer.bytes());
}

#[test]
fn an_archive_is_one_that_tar_unpacks_to_the_same_layout() {
    let kind = archive();
    let app = image("app");
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    now(sink.finish()).unwrap();
    let sink = kind.create();
    push(sink.as_ref(), &seal(&app.manifest, "one"), None);
    now(sink.finish()).unwrap();
    let target = kind.0.path().join("out");
    fs::create_dir(&target).unwrap();
    let tar = Command::new("tar").arg("-xf").arg(kind.path()).arg("-C").arg(&target).output();
    let Ok(tar) = tar else { return missing::not_run("tar not found") };
    assert!(tar.status.success() && tar.stderr.is_empty(), "{}", String::from_utf8_lossy(&tar.stderr));
    let layout = Layout::open(&target, Limits::DEFAULT).unwrap();
    let archive = Archive::open(kind.path(), Limits::DEFAULT).unwrap();
    assert_eq!(layout.sole().unwrap(), archive.sole().unwrap());
    assert_eq!(digests(&layout, &app.manifest, None), digests(&archive, &app.manifest, None));
    assert_eq!(digests(&layout, &app.manifest, None).len(), 1);
    for blob in &app.blobs {
        assert_eq!(now(layout.blob(blob.descriptor(), 1 << 20)).unwrap(), *blob);
    }
}

#[test]
fn the_same_pushes_make_the_same_archive() {
    let make = || {
        let kind = archive();
        let app = image("app");
        let sink = kind.create();
        push(sink.as_ref(), &app, Some("v1"));
        push(sink.as_ref(), &seal(&app.manifest, "one"), None);
        now(sink.finish()).unwrap();
        fs::read(kind.path()).unwrap()
    };
    assert_eq!(make(), make());
}

// Blobs arrive several at a time; one that fails in the middle leaves no trace in the archive.
#[test]
fn blobs_that_arrive_at_once_do_not_mix() {
    let kind = archive();
    let sink = kind.create();
    let other = image("other");
    let texts: [&'static [u8]; 3] = [b"first", b"second, which is longer", b"third"];
    let blob = |text: &'static [u8], pieces| {
        Blob::new(Descriptor::of("text/plain", text), "test".into(), Box::new(Late(pieces)))
    };
    let mut moving: Vec<_> = vec![
        sink.push_blob(blob(texts[0], vec![b"fir", b"st"])),
        sink.push_blob(blob(texts[1], vec![b"second, ", b"which is wronger"])),
        sink.push_blob(blob(texts[2], vec![b"thi", b"r", b"d"])),
        sink.push_blob(blob(texts[0], vec![b"f", b"irst"])),
    ];
    let mut results = Vec::new();
    while !moving.is_empty() {
        let mut waiting = Vec::new();
        for mut task in moving {
            match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => results.push(result.is_ok()),
                Poll::Pending => waiting.push(task),
            }
        }
        moving = waiting;
    }
    assert_eq!(results.iter().filter(|ok| **ok).count(), 3);
    push(sink.as_ref(), &other, Some("v1"));
    now(sink.finish()).unwrap();
    let bytes = fs::read(kind.path()).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"wronger"));
    let source = Archive::open(kind.path(), Limits::DEFAULT).unwrap();
    for text in [texts[0], texts[2]] {
        assert_eq!(now(source.blob(&Descriptor::of("text/plain", text), 100)).unwrap().bytes(), text);
    }
    assert!(now(source.blob(&Descriptor::of("text/plain", texts[1]), 100)).unwrap_err().is_not_found());
    assert_eq!(now(source.resolve(&tag("v1"))).unwrap(), other.manifest);
}

/// Chunks that are not ready at the first poll.
struct Late(Vec<&'static [u8]>);

impl BlobStream for Late {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        let mut ready = false;
        Box::pin(std::future::poll_fn(move |_| match std::mem::replace(&mut ready, true) {
            false => Poll::Pending,
            true => Poll::Ready(Ok((!self.0.is_empty()).then(|| Bytes::from_static(self.0.remove(0))))),
        }))
    }
}

// A name of 141 bytes does not fit into the header of a tar archive.
#[test]
fn a_blob_named_by_sha512_is_kept() {
    for (name, kind) in every_kind() {
        let bytes = b"long".to_vec();
        let digest = Digest::of(bulla::digest::DigestAlgorithm::Sha512, &bytes);
        let content = Content::check(&Descriptor::new("text/plain", digest, 4), bytes).unwrap();
        let sink = kind.create();
        now(sink.push_content(&content)).unwrap();
        now(sink.finish()).unwrap();
        drop(sink);
        assert_eq!(now(kind.open().unwrap().blob(content.descriptor(), 10)).unwrap(), content, "{name}");
    }
}

#[test]
fn other_content_of_an_archive_is_kept() {
    let kind = archive();
    let app = image("app");
    let sink = kind.create();
    push(sink.as_ref(), &app, Some("v1"));
    now(sink.finish()).unwrap();
    let extra = kind.0.path().join("manifest.json");
    fs::write(&extra, "[]").unwrap();
    let tar = Command::new("tar")
        .args(["--append", "-f"])
        .arg(kind.path())
        .arg("-C")
        .arg(kind.0.path())
        .arg("manifest.json")
        .status();
    let Ok(true) = tar.map(|status| status.success()) else { return missing::not_run("tar not found") };
    fs::remove_file(extra).unwrap();
    let sink = kind.create();
    push(sink.as_ref(), &image("other"), Some("v2"));
    now(sink.finish()).unwrap();
    let list = Command::new("tar").arg("-tf").arg(kind.path()).output().unwrap();
    assert!(String::from_utf8(list.stdout).unwrap().contains("\nmanifest.json\n"));
    assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v1", "v2"]);
}

#[test]
fn an_archive_keeps_its_permissions_and_its_neighbours() {
    use std::os::unix::fs::PermissionsExt as _;
    let kind = archive();
    let sink = kind.create();
    push(sink.as_ref(), &image("app"), Some("v1"));
    now(sink.finish()).unwrap();
    fs::set_permissions(kind.path(), fs::Permissions::from_mode(0o640)).unwrap();
    // Left behind by a process that was killed, and by somebody else.
    let (ours, other) =
        (kind.0.path().join(".image.tar.tmp-0123456789abcdef"), kind.0.path().join(".other.tar.tmp-0123456789abcdef"));
    fs::write(&ours, "half").unwrap();
    fs::write(&other, "half").unwrap();
    let sink = kind.create();
    push(sink.as_ref(), &image("other"), Some("v2"));
    now(sink.finish()).unwrap();
    assert_eq!(fs::metadata(kind.path()).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(!ours.exists() && other.exists());
}

// Two tasks share one store, and one of them finishes while a blob of the other is on its way.
#[test]
fn finishing_while_a_blob_is_on_its_way_loses_nothing() {
    for (name, kind) in on_disk() {
        let sink = kind.create();
        push(sink.as_ref(), &image("app"), Some("v1"));
        let descriptor = Descriptor::of("text/plain", b"on its way");
        let blob = Blob::new(descriptor.clone(), "test".into(), Box::new(Late(vec![b"on its ", b"way"])));
        let mut moving = sink.push_blob(blob);
        let mut poll = || moving.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        match now(sink.finish()) {
            Ok(()) => assert_eq!(now(kind.open().unwrap().names()).unwrap(), ["v1"], "{name}"),
            Err(error) => assert!(matches!(error, StoreError::Busy { .. }), "{name}: {error}"),
        }
        let pushed = std::iter::repeat_with(poll).find(Poll::is_ready);
        assert!(matches!(pushed, Some(Poll::Ready(Ok(())))), "{name}");
        push(sink.as_ref(), &image("other"), Some("v2"));
        now(sink.finish()).unwrap();
        let source = kind.open().unwrap();
        assert_eq!(now(source.blob(&descriptor, 100)).unwrap().bytes(), b"on its way", "{name}");
        assert_eq!(now(source.names()).unwrap(), ["v1", "v2"], "{name}");
        assert!(kind.files().keys().all(|path| !path.to_string_lossy().contains(".bulla.lock")), "{name}");
    }
}

#[test]
fn more_referrers_than_the_limit_are_no_list() {
    let app = image("app");
    let limits = Limits::DEFAULT.with(|limits| limits.graph.referrers = 2);
    let place = tempfile::tempdir().unwrap();
    let sinks: [Box<dyn Sink>; 3] = [
        Box::new(Memory::new(limits.clone())),
        Box::new(Layout::create(place.path().join("layout"), limits.clone()).unwrap()),
        Box::new(Archive::create(place.path().join("image.tar"), limits).unwrap()),
    ];
    for sink in &sinks {
        push(sink.as_ref(), &app, Some("v1"));
        for text in ["one", "two"] {
            push(sink.as_ref(), &seal(&app.manifest, text), None);
        }
        assert_eq!(digests(sink.as_ref(), &app.manifest, None).len(), 2);
        now(sink.finish()).unwrap();
        push(sink.as_ref(), &seal(&app.manifest, "three"), None);
        let error = now(sink.referrers(app.manifest.digest(), None)).unwrap_err();
        assert!(matches!(error, StoreError::TooMany { limit: 2, .. }), "{}: {error}", sink.origin());
        if !matches!(sink.origin(), bulla::store::Origin::Local(name) if name == "memory") {
            // Nor is one written that we would not read.
            let error = now(sink.finish()).unwrap_err();
            assert!(matches!(error, StoreError::TooMany { .. }), "{}: {error}", sink.origin());
        }
    }
}

// Between the mark and the index of a layout that is just being made, or whose making was cut short there, nothing is
// listed: whoever writes next waits for the lock, and finishes it.
#[test]
fn a_layout_without_an_index_is_unfinished() {
    let dir = tempfile::Builder::new().prefix("bulla-test-").tempdir().unwrap();
    fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
    assert!(Layout::open(dir.path(), Limits::DEFAULT).is_err());
    let layout = Layout::create(dir.path(), Limits::DEFAULT).unwrap();
    let app = image("app");
    push(&layout, &app, Some("v1"));
    now(layout.finish()).unwrap();
    let again = Layout::open(dir.path(), Limits::DEFAULT).unwrap();
    assert_eq!(again.sole().unwrap().digest, *app.manifest.digest());
}
