//! Manifests, indexes, descriptors, configs and layouts of other projects: the suite `oci-artifacts`.
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

#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::json;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::ImageConfig;
use bulla::oci::Index;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::store::Archive;
use bulla::store::Layout;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

/// The `open` half of a suite.
fn open_half(suite: &str) -> Option<PathBuf> {
    Some(vectors::suite(suite)?.join("open"))
}

fn expected(suite: &Path) -> BTreeMap<String, serde_json::Value> {
    serde_json::from_slice(&fs::read(suite.join("expected.json")).unwrap()).unwrap()
}

/// Digest algorithms that the image specification leaves open and nobody computes: what cannot be checked is not read.
const UNKNOWN_DIGESTS: [&str; 3] =
    ["image-spec/descriptor-22.json", "image-spec/descriptor-23.json", "image-spec/descriptor-25.json"];

/// A document followed by the text of the next one: the list was cut from its source in the wrong place. What stands
/// before has unknown digest algorithms.
const NOT_ONE_DOCUMENT: [&str; 1] = ["image-spec/manifest-06.json"];

/// An image manifest without layers. The schema asks for one, the text of the specification says SHOULD, and there are
/// such images and artifacts: what is built from nothing but labels, and what oras attaches without a file.
const WITHOUT_LAYERS: [&str; 1] = ["image-spec/manifest-05.json"];

fn read(kind: &str, bytes: Vec<u8>) -> Result<(), String> {
    let limits = &Limits::DEFAULT;
    let document = |media_type: &str| Document::parse(&Content::from_bytes(media_type, bytes.clone()), limits);
    match kind {
        "config" => ImageConfig::parse(&Content::from_bytes(media_type::OCI_CONFIG, bytes.clone()), limits)
            .map(drop)
            .map_err(|error| error.to_string()),
        "descriptor" => json::parse::<Descriptor>(&bytes, limits).map(drop).map_err(|error| error.to_string()),
        "imageindex" => document(media_type::OCI_INDEX).map(drop).map_err(|error| error.to_string()),
        "manifest" => document(media_type::OCI_MANIFEST).map(drop).map_err(|error| error.to_string()),
        other => panic!("the kind {other} is new"),
    }
}

#[test]
fn the_documents_of_the_image_specification_are_read_or_refused_as_it_says() {
    let Some(suite) = open_half("oci-artifacts") else { return };
    let (mut count, mut wrong) = (0, Vec::new());
    for (case, verdict) in expected(&suite).iter().filter(|(case, _)| case.starts_with("image-spec/")) {
        let got = read(verdict["kind"].as_str().unwrap(), fs::read(suite.join(case)).unwrap());
        let wanted = match verdict["expect"].as_str().unwrap() {
            "accept" => ![&UNKNOWN_DIGESTS[..], &NOT_ONE_DOCUMENT].concat().contains(&case.as_str()),
            "reject" => WITHOUT_LAYERS.contains(&case.as_str()),
            other => panic!("{case}: the verdict {other} is new"),
        };
        count += 1;
        if got.is_ok() != wanted {
            wrong.push(format!("{case}: {got:?}; {}", verdict["why"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 30, "only {count} cases");
}

/// Test files of other projects. The suite has no verdicts for them, so ours are written down here.
#[test]
fn the_manifests_of_other_projects_are_read() {
    let Some(suite) = open_half("oci-artifacts") else { return };
    let suite = suite.join("containers-image");
    // Docker's first schema has no digest of its own bytes; the last has no number that anybody knows.
    let refused = [
        ("oci1-to-schema1.json", "schema"),
        ("schema2-to-schema1-by-docker.json", "schema"),
        ("v2s1-invalid-signatures.manifest.json", "schema"),
        ("v2s1-unsigned.manifest.json", "schema"),
        ("v2s1.manifest.json", "schema"),
        ("unknown-version.manifest.json", "schema"),
        // Half a manifest: a config without a digest, and layers of the size -1.
        ("ociv1nomime.artifact.json", "is not a digest"),
        ("schema1-to-oci1.json", "invalid value: integer `-1`"),
    ];
    let (mut count, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(&suite).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let output = value["mediaType"].as_str().unwrap_or_default();
        let config = value.get("rootfs").is_some();
        let kind = match value.get("manifests") {
            Some(_) => media_type::OCI_INDEX,
            None => media_type::OCI_MANIFEST,
        };
        let kind = if output.is_empty() { kind } else { output };
        let got = match config {
            true => ImageConfig::parse(&Content::from_bytes(media_type::OCI_CONFIG, bytes), &Limits::DEFAULT)
                .map(drop)
                .map_err(|error| error.to_string()),
            false => Document::parse(&Content::from_bytes(kind, bytes), &Limits::DEFAULT)
                .map(drop)
                .map_err(|error| error.to_string()),
        };
        count += 1;
        let why = refused.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why);
        match (got, why) {
            (Ok(()), None) => {}
            (Err(error), Some(why)) if error.contains(why) => {}
            (got, _) => wrong.push(format!("{name}: {got:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 30, "only {count} cases");
}

/// Every layout under `path`.
fn layouts(path: &Path, found: &mut Vec<PathBuf>) {
    if path.join("oci-layout").is_file() {
        found.push(path.to_owned());
        return;
    }
    let Ok(inside) = fs::read_dir(path) else { return };
    let mut inside: Vec<_> = inside.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    inside.sort();
    inside.iter().for_each(|path| layouts(path, found));
}

/// Every layout of every suite that has some.
fn every_layout() -> Option<Vec<PathBuf>> {
    let suite = vectors::suite("oci-artifacts")?;
    let mut found = Vec::new();
    for suite in fs::read_dir(suite.parent().unwrap()).unwrap() {
        layouts(&suite.unwrap().path().join("open"), &mut found);
    }
    found.sort();
    Some(found)
}

/// The result of a walk over a layout.
#[derive(Default)]
struct Seen {
    absent: usize,
    present: usize,
    spoiled: usize,
    /// For each subject, which manifests refer to it.
    subjects: BTreeMap<Digest, BTreeSet<Digest>>,
}

fn walk(source: &dyn Source, descriptor: &Descriptor, seen: &mut Seen, done: &mut BTreeSet<Digest>) {
    if !done.insert(descriptor.digest) {
        return;
    }
    let content = match now(source.blob(&descriptor.bare(), 64 << 20)) {
        Ok(content) => content,
        // The sets leave the large layers out.
        Err(error) if error.is_not_found() => return seen.absent += 1,
        Err(StoreError::Content { .. }) => return seen.spoiled += 1,
        Err(error) => panic!("{}: {error}", source.origin()),
    };
    seen.present += 1;
    let known = media_type::is_index(&descriptor.media_type) || media_type::is_manifest(&descriptor.media_type);
    if !known {
        return;
    }
    let document =
        Document::parse(&content, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{}: {error}", source.origin()));
    if let Some(subject) = document.subject() {
        seen.subjects.entry(subject.digest).or_default().insert(descriptor.digest);
    }
    let parts: Vec<_> = match &document {
        Document::Artifact(artifact) => artifact.blobs.iter().collect(),
        Document::Index(index) => index.manifests.iter().collect(),
        Document::Manifest(manifest) => manifest.layers.iter().chain([&manifest.config]).collect(),
        other => panic!("{other:?}"),
    };
    parts.into_iter().chain(document.subject()).for_each(|part| walk(source, part, seen, done));
}

#[test]
fn in_every_layout_each_descriptor_matches_its_blob_or_the_blob_is_absent() {
    let Some(every) = every_layout() else { return };
    let (mut count, mut present, mut referrers) = (0, 0, 0);
    for path in every {
        let layout = Layout::open(&path, Limits::DEFAULT).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let index = Content::from_bytes(media_type::OCI_INDEX, fs::read(path.join("index.json")).unwrap());
        let index = Index::parse(&index, &Limits::DEFAULT.with(|limits| limits.oci.descriptors = 10_000)).unwrap();
        let (mut seen, mut done) = (Seen::default(), BTreeSet::new());
        index.manifests.iter().for_each(|entry| walk(&layout, entry, &mut seen, &mut done));
        // A referrer is listed for its subject, with and without a filter.
        for (subject, referring) in &seen.subjects {
            for artifact_type in [None, Some("anything")] {
                let listing = now(layout.referrers(subject, artifact_type)).unwrap().unwrap();
                let listed: BTreeSet<_> = listing.entries.iter().map(|entry| entry.digest).collect();
                assert!(listed.is_superset(referring), "{}: {subject}: {listed:?}, not {referring:?}", path.display());
                // Blobs that no index names are looked at only where no type is asked for.
                assert!(artifact_type.is_some() || !listing.filtered);
            }
            referrers += referring.len();
        }
        let names: Vec<_> = now(layout.names()).unwrap();
        for name in names {
            match now(layout.resolve(&TagOrDigest::Tag(name.clone()))) {
                Ok(content) => assert!(done.contains(content.digest())),
                Err(StoreError::Broken { .. }) => {}
                Err(error) => panic!("{}: {name}: {error}", path.display()),
            }
        }
        // Made by hand for a test that never reads the config: its size is not that of the blob.
        let known = path.ends_with("layout-ci-delete_image_only_one_image");
        assert_eq!(seen.spoiled, usize::from(known), "{}", path.display());
        count += 1;
        present += seen.present;
    }
    println!("{count} layouts, {present} blobs, {referrers} referrers");
    assert!(
        count >= 30 && present >= 150 && referrers >= 20,
        "{count} layouts, {present} blobs, {referrers} referrers"
    );
}

#[test]
fn the_layouts_of_the_suite_are_what_they_are_said_to_be() {
    let Some(suite) = open_half("oci-artifacts") else { return };
    let open = |name: &str| Layout::open(suite.join(name), Limits::DEFAULT).unwrap();
    let tag = |name: &str| TagOrDigest::Tag(name.to_owned());

    let zot = open("layout-oras-zot-command__artifacts");
    let multi = now(zot.resolve(&tag("multi"))).unwrap();
    let listed = now(zot.referrers(multi.digest(), None)).unwrap().unwrap().entries;
    let types: Vec<_> = listed.iter().filter_map(|entry| entry.artifact_type.as_deref()).collect();
    assert_eq!(types, ["referrer/index"]);
    assert!(matches!(zot.sole(), Err(StoreError::Ambiguous { .. })));

    let regclient = open("layout-regclient-external");
    let subject = "sha256:dfae8f425735a5e3a72e40d6609e03079995511d48157c74d54801ff4430491e".parse().unwrap();
    let listed = now(regclient.referrers(&subject, None)).unwrap().unwrap().entries;
    let fallback = now(regclient.resolve(&tag(&bulla::oci::referrer::fallback_tag(&subject)))).unwrap();
    let fallback = Index::parse(&fallback, &Limits::DEFAULT).unwrap().manifests;
    let digests = |entries: &[Descriptor]| entries.iter().map(|entry| entry.digest).collect::<BTreeSet<_>>();
    assert_eq!(digests(&listed), digests(&fallback));

    // Two images under one name, as podman can leave them.
    let twice = now(open("layout-ci-delete_image_two_identical_references").resolve(&tag("1.0.0"))).unwrap_err();
    assert!(matches!(&twice, StoreError::Broken { .. }) && twice.to_string().contains("`1.0.0`"), "{twice}");
    let one = open("layout-ci-delete_image_only_one_image");
    assert_eq!(now(one.resolve(&tag("latest"))).unwrap().digest(), &one.sole().unwrap().digest);
    assert!(open("layout-ggcr-test_index_media_type").sole().is_ok());
}

/// `cosign save` writes no names and no list of its bundles.
#[test]
fn layouts_saved_by_cosign_are_found_by_kind() {
    let Some(suite) = open_half("slsa-images") else { return };
    let mut count = 0;
    let mut found = Vec::new();
    layouts(&suite, &mut found);
    for path in found {
        let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
        let image = layout.sole().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let index = fs::read_to_string(path.join("index.json")).unwrap();
        for (suffix, kind) in [("sig", "cosign/sigs"), ("att", "cosign/atts")] {
            let attached =
                now(layout.resolve(&TagOrDigest::Tag(bulla::oci::referrer::cosign_tag(&image.digest, suffix))));
            assert_eq!(attached.is_ok(), index.contains(kind), "{}: {suffix}", path.display());
            count += usize::from(attached.is_ok());
        }
        let other = Digest::sha256(b"another image");
        let none = now(layout.resolve(&TagOrDigest::Tag(bulla::oci::referrer::cosign_tag(&other, "att")))).unwrap_err();
        assert!(none.is_not_found(), "{none}");
    }
    assert!(count >= 5, "only {count} attached manifests");
}

/// The same as `cosign save` of version 3: the bundle is a blob that nothing lists.
#[test]
fn a_bundle_that_nothing_lists_is_found_in_a_layout_saved_by_cosign() {
    let Some(suite) = open_half("peer-goldens") else { return };
    let place = tempfile::tempdir().unwrap();
    let from = suite.join("cosign3-bundle-generated");
    copy_layout(&from, place.path());
    let image = Layout::open(&from, Limits::DEFAULT).unwrap().sole().unwrap();
    let entry = format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{},"annotations":{{"kind":"dev.cosignproject.cosign/image"}}}}"#,
        image.media_type, image.digest, image.size
    );
    fs::write(place.path().join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#)).unwrap();
    let layout = Layout::open(place.path(), Limits::DEFAULT).unwrap();
    assert_eq!(layout.sole().unwrap(), image);
    for artifact_type in [None, Some(media_type::SIGSTORE_BUNDLE)] {
        let listed = now(layout.referrers(&image.digest, artifact_type)).unwrap().unwrap().entries;
        let types: Vec<_> = listed.iter().filter_map(|entry| entry.artifact_type.as_deref()).collect();
        assert_eq!(types, [media_type::SIGSTORE_BUNDLE]);
        assert_eq!(now(layout.manifest(&listed[0])).unwrap().digest(), &listed[0].digest);
    }
}

/// A list that gives the wrong artifact type, as an old library writes it, does not hide what it lists.
#[test]
fn the_manifest_says_what_a_referrer_is_not_the_list() {
    let Some(suite) = open_half("peer-goldens") else { return };
    let path = suite.join("registry-quirk-cosign3-bundle-generated");
    let layout = Layout::open(path, Limits::DEFAULT).unwrap();
    let image = layout.sole().unwrap();
    let listed = now(layout.referrers(&image.digest, Some(media_type::SIGSTORE_BUNDLE))).unwrap().unwrap().entries;
    assert_eq!(listed[0].artifact_type.as_deref(), Some(media_type::SIGSTORE_BUNDLE));
    assert_eq!(listed[0].annotations["dev.sigstore.bundle.content"], "dsse-envelope");
}

fn copy_layout(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_layout(&path, &target);
        } else {
            fs::write(target, fs::read(&path).unwrap()).unwrap();
        }
    }
}

/// Adding to what another tool wrote leaves all of it as it was, as directory and as archive.
#[test]
fn every_layout_can_be_added_to() {
    let Some(every) = every_layout() else { return };
    for path in every {
        let place = tempfile::tempdir().unwrap();
        let copied = place.path().join("layout");
        fs::create_dir(&copied).unwrap();
        copy_layout(&path, &copied);
        let tar = place.path().join("layout.tar");
        let made = std::process::Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(&path).arg(".").status();
        let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Layout::create(&copied, Limits::DEFAULT).unwrap())];
        if made.is_ok_and(|status| status.success()) {
            sinks.push(Box::new(Archive::create(&tar, Limits::DEFAULT).unwrap()));
        }
        let before = Content::from_bytes(media_type::OCI_INDEX, fs::read(path.join("index.json")).unwrap());
        let before = Index::parse(&before, &Limits::DEFAULT).unwrap().manifests;
        for sink in sinks {
            let Some(subject) = before.first() else { continue };
            let seal = serde_json::json!({
                "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": "application/vnd.example.seal",
                "config": Descriptor::of(media_type::OCI_EMPTY, b"{}"), "layers": [Descriptor::of(media_type::OCI_EMPTY, b"{}")],
                "subject": subject.bare(),
            });
            let seal = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&seal).unwrap());
            let listed = |sink: &dyn Sink| {
                let listing = now(sink.referrers(&subject.digest, None)).unwrap().unwrap();
                listing.entries.iter().map(|entry| entry.digest).collect::<BTreeSet<_>>()
            };
            let mut wanted = listed(sink.as_ref());
            now(sink.push_content(&Content::from_bytes(media_type::OCI_EMPTY, b"{}".to_vec()))).unwrap();
            assert!(now(sink.push_manifest(&seal, None)).unwrap().listed);
            now(sink.finish()).unwrap();
            wanted.insert(*seal.digest());
            let place = sink.origin().to_string();
            let again: Box<dyn Sink> = match place.split_once(':').unwrap() {
                ("oci", path) => Box::new(Layout::open(path, Limits::DEFAULT).unwrap()),
                (_, path) => Box::new(Archive::open(path, Limits::DEFAULT).unwrap()),
            };
            assert_eq!(listed(again.as_ref()), wanted, "{place}");
            let names: Vec<_> =
                before.iter().filter_map(|entry| entry.annotations.get("org.opencontainers.image.ref.name")).collect();
            assert!(
                now(again.names()).unwrap().iter().collect::<BTreeSet<_>>().is_superset(&names.into_iter().collect())
            );
            for entry in &before {
                if let Ok(content) = now(again.resolve(&TagOrDigest::Digest(entry.digest))) {
                    assert_eq!(*content.descriptor(), entry.bare());
                }
            }
        }
    }
}
