//! Archives of `docker save` and their evidence: what a loader would load is what was signed, or the archive is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "saved_archive/identified.rs"]
mod identified;
#[path = "saved_archive/newest.rs"]
mod newest;
#[path = "saved_archive/packed.rs"]
mod packed;
#[path = "saved_archive/stream.rs"]
mod stream;
mod support;
#[path = "saved_archive/writers.rs"]
mod writers;

use std::fs;
use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::sync::OnceLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::limits::count;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::SIGSTORE_BUNDLE;
use bulla::oci::media_type::SIMPLE_SIGNING;
use bulla::oci::referrer::signature_config;
use bulla::oci::referrer::signature_manifest;
use bulla::ops::saved;
use bulla::ops::saved::ArchiveNotProven;
use bulla::ops::saved::ImageFault as _;
use bulla::ops::saved::ImageIdVerdict;
use bulla::ops::saved::ProvenArchive;
use bulla::ops::saved::SavedFault;
use bulla::ops::saved::SavedVerdict;
use bulla::ops::saved::VerifiedSavedImage;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::DockerArchive;
use bulla::store::Layout;
use bulla::store::SavedArchive;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use support::docker_archive::blob_path;
use support::docker_archive::config_name;
use support::docker_archive::docker_archive;
use support::docker_archive::entry;
use support::docker_archive::entry_of;
use support::docker_archive::entry_of_blobs;
use support::docker_archive::files;
use support::docker_archive::layer_name;
use support::docker_archive::list;
use support::docker_archive::with_layout;
use support::image::TestImage;
use support::image::buildkit_attestation;
use support::image::image;
use support::image::image_for;
use support::image::index_of;
use support::image::layout;
use support::image::multi_arch;
use support::image::referrer;
use support::tar::end;
use support::tar::file;
use support::tar::member;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

/// Signed and unsigned images, in a layout that is the evidence.
struct Fixture {
    _root: tempfile::TempDir,
    dir: PathBuf,
    index: TestImage,
    /// Indexes with a platform and its attestation manifest. The first is signed, and of the second everything.
    kits: [TestImage; 2],
    other: TestImage,
    /// Its layer is compressed with bzip2, and signed so.
    packed: TestImage,
    /// They have one layer twice. The first is signed.
    repeated: [TestImage; 2],
    signed: TestImage,
    unsigned: TestImage,
    verifier: Verifier,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let root = support::temp_dir();
        let dir = root.path().to_owned();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys");
        let (signed, other, unsigned) = (image(1), image(2), image(3));
        let index = multi_arch(4, &["linux/amd64", "linux/arm64"]);
        let packed = packed_image();
        let repeated = [7, 8].map(repeated_image);
        let kits = [60, 61].map(|seed| {
            let platform = image(seed);
            index_of(vec![platform.clone(), buildkit_attestation(&platform)])
        });
        let named = [
            (Some("signed"), &signed),
            (Some("other"), &other),
            (Some("packed"), &packed),
            (Some("unsigned"), &unsigned),
            (Some("index"), &index),
            (Some("repeated"), &repeated[0]),
            (Some("unsigned-repeated"), &repeated[1]),
            (Some("kit"), &kits[0]),
            (Some("whole-kit"), &kits[1]),
        ];
        layout(&dir.join("evidence"), &named);
        let key = dir.join("release.key");
        fs::copy(keys.join("release.key"), &key).unwrap();
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        for name in ["signed", "other", "packed", "index", "repeated", "kit", "whole-kit"] {
            let mut sign = Command::new(env!("CARGO_BIN_EXE_bulla"));
            sign.current_dir(&dir).args(["sign", &format!("oci:evidence:{name}"), "--key", "release.key"]);
            sign.args((name == "whole-kit").then_some("--all-platforms"));
            assert!(sign.env_clear().output().unwrap().status.success(), "{name}");
        }
        let key = PublicKey::parse(&fs::read(keys.join("release.pub")).unwrap()).unwrap();
        let trust = TrustRoot::pinned([key]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
        let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
        Fixture { _root: root, dir, index, kits, other, packed, repeated, signed, unsigned, verifier }
    })
}

/// An image with one layer that is compressed with bzip2; its config names other bytes.
fn packed_image() -> TestImage {
    let media_type = "application/vnd.oci.image.layer.v1.tar+bzip2";
    image_of(5, media_type, vec![b"BZh9 and more".to_vec()], &[Digest::sha256(b"unpacked")])
}

/// An image whose third layer is the first one again.
fn repeated_image(seed: u64) -> TestImage {
    let mut layers = image(seed).layers;
    layers.push(layers[0].clone());
    let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::sha256(layer)).collect();
    image_of(seed, "application/vnd.oci.image.layer.v1.tar", layers, &diff_ids)
}

/// An image with these layers, and a config that names these diff IDs.
fn image_of(seed: u64, media_type: &str, layers: Vec<Vec<u8>>, diff_ids: &[Digest]) -> TestImage {
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let base = TestImage { config: config.to_string().into_bytes(), layers, ..image(seed) };
    let config = serde_json::to_value(Descriptor::of(OCI_CONFIG, &base.config)).unwrap();
    let layers: Vec<_> = base.layers.iter().map(|layer| Descriptor::of(media_type, layer)).collect();
    with_field(&with_field(&base, "config", config), "layers", serde_json::to_value(layers).unwrap())
}

type Answer = Result<ProvenArchive<VerifiedSavedImage>, ArchiveNotProven<VerifiedSavedImage, SavedFault>>;

/// The verdict on an archive with these bytes. It is the same for a file and for a stream.
fn verdict(bytes: &[u8], named: Option<&str>) -> Answer {
    let file = tempfile::NamedTempFile::new_in(&fixture().dir).unwrap();
    fs::write(file.path(), bytes).unwrap();
    let of_file = verdict_on(SavedArchive::open(file.path(), Limits::DEFAULT), named);
    let of_stream = verdict_on(SavedArchive::read(bytes, Limits::DEFAULT), named);
    match (&of_file, &of_stream) {
        (Ok(one), Ok(other)) => assert_eq!(loaded(one), loaded(other)),
        (Err(one), Err(other)) => assert_eq!(one.is_refusal(), other.is_refusal(), "{one} {other}"),
        _ => panic!("{of_file:?} of a file, and {of_stream:?} of a stream"),
    }
    of_file
}

/// What is loaded from a verified archive: ids, layers, names.
fn loaded(verified: &ProvenArchive<VerifiedSavedImage>) -> Vec<(Digest, Vec<u64>, Vec<String>)> {
    let images = verified.images().iter().map(VerifiedSavedImage::image);
    images.map(|image| (*image.config(), image.layers().to_vec(), image.names().to_vec())).collect()
}

fn verdict_on(opened: Result<SavedArchive, StoreError>, named: Option<&str>) -> Answer {
    let fixture = fixture();
    let archive = match opened {
        Ok(archive) => archive,
        Err(error) => return Err(bulla::ops::OpsError::from(error).into()),
    };
    let evidence: &dyn Source = &Layout::open(fixture.dir.join("evidence"), Limits::DEFAULT).unwrap();
    let named = named.map(|name| TagOrDigest::Tag(name.to_owned()));
    now(saved::verify(&archive, evidence, named.as_ref(), VerifyOptions::new(&fixture.verifier, Time::EPOCH)))
}

/// `yes`, `no` or `unknown`, and the reasons.
fn answer(bytes: &[u8]) -> (&'static str, String) {
    match verdict(bytes, None) {
        Ok(_) => ("yes", String::new()),
        Err(not) => {
            let word = if not.is_refusal() { "no" } else { "unknown" };
            let reason = match &not {
                ArchiveNotProven::Images(images) => images.iter().map(reasons).collect(),
                error => error.to_string(),
            };
            (word, reason)
        }
    }
}

fn reasons(verdict: &SavedVerdict<VerifiedSavedImage, SavedFault>) -> String {
    match verdict {
        SavedVerdict::NotAccepted { faults, .. } => faults.iter().map(|fault| format!("{fault}; ")).collect(),
        _ => String::new(),
    }
}

fn check(bytes: &[u8], word: &str, reason: &str) {
    let (got, why) = answer(bytes);
    assert!(got == word && why.contains(reason), "{got}: {why:?}, not {word}: {reason:?}");
}

// ---------------------------------------------------------------------------------------------- archives

/// The files of `image`, and a list of one image with these layers.
fn with_layers(image: &TestImage, layers: &[&Vec<u8>]) -> Vec<u8> {
    let mut members = vec![file(&config_name(image), &image.config)];
    let mut names: Vec<String> = Vec::new();
    for layer in layers {
        if !names.contains(&layer_name(layer)) {
            members.push(file(&layer_name(layer), layer));
        }
        names.push(layer_name(layer));
    }
    members.push(list(&[entry(&config_name(image), &names)]));
    end(members)
}

/// `image` with another manifest.
fn with_manifest(image: &TestImage, manifest: &serde_json::Value) -> TestImage {
    let manifest = manifest.to_string().into_bytes();
    let descriptor = Descriptor::of(&image.descriptor.media_type, &manifest);
    TestImage { manifest, descriptor, ..image.clone() }
}

/// `image` with a field of its manifest changed.
fn with_field(image: &TestImage, field: &str, value: serde_json::Value) -> TestImage {
    let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
    manifest[field] = value;
    with_manifest(image, &manifest)
}

/// A manifest as cosign writes it to a `.sig` tag, with these layers.
fn cosign_signature(layers: Vec<Descriptor>, config: &Content) -> TestImage {
    let manifest = signature_manifest(config, layers).unwrap();
    TestImage {
        config: config.bytes().to_vec(),
        layers: vec![b"{}".to_vec()],
        children: Vec::new(),
        manifest: manifest.bytes().to_vec(),
        descriptor: manifest.descriptor().clone(),
    }
}

// ---------------------------------------------------------------------------------------------- what is verified

#[test]
fn the_chain_from_the_signature_to_the_layers_is_named() {
    let Fixture { signed, .. } = fixture();
    let verified = verdict(&docker_archive(&[signed]), None).unwrap();
    let images: Vec<_> = verified.images().iter().collect();
    let [image] = images.as_slice() else { panic!("{images:?}") };
    assert_eq!(image.signed(), &signed.digest());
    assert_eq!(image.image().manifest(), &signed.digest());
    assert_eq!(image.image().config(), &Digest::sha256(&signed.config));
    assert_eq!(image.image().layers(), [600, 600]);
    assert_eq!(image.image().names(), ["app:1.0"]);
    assert_eq!(image.subject().accepted().iter().count(), 1);
}

#[test]
fn a_platform_is_verified_by_its_signed_index() {
    let Fixture { index, .. } = fixture();
    let verified = verdict(&docker_archive(&[&index.children[1]]), Some("index")).unwrap();
    let image = verified.images().first();
    assert_eq!((image.signed(), image.image().manifest()), (&index.digest(), &index.children[1].digest()));
}

#[test]
fn several_images_are_verified_together() {
    let Fixture { signed, other, unsigned, .. } = fixture();
    assert_eq!(verdict(&docker_archive(&[signed, other]), None).unwrap().images().iter().count(), 2);
    check(&docker_archive(&[signed, other, unsigned]), "no", "its manifest is refused");
    check(&docker_archive(&[unsigned]), "no", "its manifest is refused");
    check(&docker_archive(&[signed, &image(9)]), "no", "no manifest in");
}

#[test]
fn evidence_of_another_image_is_none() {
    let Fixture { signed, .. } = fixture();
    let not = verdict(&docker_archive(&[signed]), Some("other")).unwrap_err();
    assert!(not.is_refusal());
    assert!(verdict(&docker_archive(&[signed]), Some("signed")).is_ok());
}

#[test]
fn links_to_layers_are_followed_inside_the_archive() {
    let Fixture { signed, .. } = fixture();
    let [one, two] = signed.layers.as_slice() else { panic!("two layers") };
    // As Docker before version 25 writes a layer that images share.
    let with = |target: &str| {
        let names = ["a/layer.tar".to_owned(), "c/layer.tar".to_owned()];
        end(vec![
            file("c.json", &signed.config),
            file("b/layer.tar", one),
            file("c/layer.tar", two),
            member("a/layer.tar", b'2', target, b""),
            list(&[entry("c.json", &names)]),
        ])
    };
    check(&with("../b/layer.tar"), "yes", "");
    check(&with("../c/layer.tar"), "no", "layer 1 is");
    for outside in ["../../b/layer.tar", "/b/layer.tar", "../d/layer.tar", ".", ""] {
        check(&with(outside), "no", "which it does not have");
    }
    // A link to a link.
    let chain = end(vec![
        file("c.json", &signed.config),
        file("b", one),
        file("c", two),
        member("a", b'2', "a2", b""),
        member("a2", b'2', "b", b""),
        list(&[entry("c.json", &["a".to_owned(), "c".to_owned()])]),
    ]);
    check(&chain, "no", "which it does not have");
}

// ---------------------------------------------------------------------------------------------- what is refused

#[test]
fn layers_are_compared_in_number_and_order() {
    let Fixture { signed, other, .. } = fixture();
    let [one, two] = signed.layers.as_slice() else { panic!("two layers") };
    check(&with_layers(signed, &[one, two]), "yes", "");
    check(&with_layers(signed, &[two, one]), "no", "layer 1 is");
    check(&with_layers(signed, &[one, one]), "no", "layer 2 is");
    check(&with_layers(signed, &[one, &other.layers[1]]), "no", "layer 2 is");
    check(&with_layers(signed, &[one]), "no", "it has 1 layers, and the config names 2");
    check(&with_layers(signed, &[one, two, two]), "no", "it has 3 layers, and the config names 2");
    check(&with_layers(signed, &[]), "no", "it has 0 layers, and the config names 2");
}

#[test]
fn another_config_is_refused_whatever_its_layers_are() {
    let Fixture { signed, other, .. } = fixture();
    let text = String::from_utf8(signed.config.clone()).unwrap();
    let diff_id = |layer: &[u8]| Digest::sha256(layer).to_string();
    for config in [
        text.replace(&diff_id(&signed.layers[0]), &diff_id(&other.layers[0])),
        text.replace(r#""seed":"1""#, r#""seed":"2""#),
        text.replace("amd64", "arm64"),
        format!("{text} "),
        text.replace(r#""os""#, r#""history":[{"created_by":"x"}],"os""#),
    ] {
        assert_ne!(config, text);
        let changed = TestImage { config: config.into_bytes(), ..signed.clone() };
        check(&docker_archive(&[&changed]), "no", "no manifest in");
    }
    let swapped = TestImage { config: other.config.clone(), ..signed.clone() };
    check(&docker_archive(&[&swapped]), "no", "layer 1 is");
}

#[test]
fn a_list_that_loaders_could_read_otherwise_is_refused() {
    let Fixture { signed, unsigned, .. } = fixture();
    let all = || [files(signed), files(unsigned)].concat();
    let with = |list: &str| end([all(), vec![file("manifest.json", list.as_bytes())]].concat());
    let (good, bad) = (entry_of(signed), entry_of(unsigned));
    check(&with(&format!("[{good}]")), "yes", "");
    for (change, word) in [
        (good.replace("Config", "config"), "no"),
        (good.replace("\"Layers\"", "\"layers\""), "no"),
        (format!("{},\"config\":\"{}\"}}", good.trim_end_matches('}'), config_name(unsigned)), "no"),
        (format!("{},\"Config\":\"{}\"}}", good.trim_end_matches('}'), config_name(unsigned)), "unknown"),
        (format!("{good},{bad}"), "no"),
    ] {
        let (got, why) = answer(&with(&format!("[{change}]")));
        assert_eq!(got, word, "{change}: {why}");
    }
    check(&with("[]"), "unknown", "loads no image from it");
    check(&with(&format!("[{good}] [{bad}]")), "unknown", "");
    // Two lists, in the same and in another case.
    for name in ["manifest.json", "./manifest.json", "MANIFEST.JSON"] {
        let second = file(name, format!("[{bad}]").as_bytes());
        check(
            &end([all(), vec![list(std::slice::from_ref(&good)), second]].concat()),
            "unknown",
            "for the second time",
        );
    }
    // A list, or an OCI layout, that is a link.
    let linked = vec![file("l", format!("[{bad}]").as_bytes()), member("manifest.json", b'2', "l", b"")];
    check(&end([all(), linked].concat()), "no", "its manifest.json is a symbolic link");
    let linked = vec![list(std::slice::from_ref(&good)), member("oci-layout", b'2', "l", b"")];
    check(&end([all(), linked].concat()), "no", "its oci-layout is a symbolic link");
}

#[test]
fn what_unpacking_could_replace_is_refused() {
    let Fixture { signed, unsigned, .. } = fixture();
    let good = list(&[entry("d/c.json", &signed.layers.iter().map(|layer| layer_name(layer)).collect::<Vec<_>>())]);
    let members = || [files(signed), vec![file("d/c.json", &signed.config), good.clone()]].concat();
    check(&end(members()), "yes", "");
    // A loader that unpacks writes the last one through the link, over the config.
    let through = vec![member("l", b'2', "d", b""), file("l/c.json", &unsigned.config)];
    check(&end([members(), through].concat()), "unknown", "path leads through a symbolic link");
    let through = vec![member("L", b'2', "d", b""), file("l/c.json", &unsigned.config)];
    check(&end([members(), through].concat()), "unknown", "path leads through a symbolic link");
    check(&end([members(), vec![file("d/c.json", &unsigned.config)]].concat()), "unknown", "for the second time");
    check(&end([members(), vec![member("d/c.json", b'2', "../x", b"")]].concat()), "unknown", "for the second time");
    check(&end([members(), vec![member("x", b'1', "d/c.json", b"")]].concat()), "unknown", "a hard link");
    check(&end([members(), vec![member("x", b'2', "d/c.json", b"body")]].concat()), "unknown", "symbolic link");
    let many = (0..10_001).map(|number| member(&format!("l{number}"), b'2', "x", b"")).collect();
    check(&end([members(), many].concat()), "unknown", "more than 10000 symbolic links");
}

#[test]
fn an_image_of_the_layout_beside_the_list_is_refused() {
    let Fixture { signed, unsigned, index, .. } = fixture();
    check(&with_layout(&[signed], &[(signed, Some("app:1.0"))]), "yes", "");
    check(&with_layout(&[&index.children[0]], &[(index, Some("app:1.0"))]), "yes", "");
    let also = [(signed, Some("app:1.0")), (unsigned, Some("evil:1.0"))];
    check(&with_layout(&[signed], &also), "no", "which is not verified");
    check(&with_layout(&[signed], &[(signed, Some("app:1.0")), (unsigned, None)]), "no", "which is not verified");
    // The same config and layers in a manifest that nobody signed, as Docker 28 writes it.
    let resaved = TestImage { manifest: [&signed.manifest[..], b"\n"].concat(), ..signed.clone() };
    let descriptor = Descriptor::of(&signed.descriptor.media_type, &resaved.manifest);
    let resaved = TestImage { descriptor, ..resaved };
    check(&with_layout(&[&resaved], &[(&resaved, Some("app:1.0"))]), "yes", "");
    // The layout has the image under another config than the list.
    check(&with_layout(&[signed], &[(unsigned, Some("app:1.0"))]), "no", "does not say");
}

/// Docker 28 lists only the first of several images in `index.json` if all of them are saved by their ids.
#[test]
fn an_image_that_only_the_list_has_is_verified_as_well() {
    let Fixture { signed, other, unsigned, .. } = fixture();
    for (second, name, word, reason) in [
        (other, None, "yes", ""),
        (unsigned, None, "no", "its manifest is refused"),
        // A name is given to an image by both lists.
        (other, Some("other:1.0"), "no", "its index.json does not say"),
        (unsigned, Some("other:1.0"), "no", "its index.json does not say"),
    ] {
        let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::sha256(bytes).hex());
        let entry = |image: &TestImage, name: Option<&str>| {
            let layers: Vec<_> = image.layers.iter().map(|layer| path(layer)).collect();
            let names = name.map(|name| vec![name]);
            serde_json::json!({"Config": path(&image.config), "RepoTags": names, "Layers": layers}).to_string()
        };
        let both = list(&[entry(signed, None), entry(second, name)]);
        let one = list(&[entry_of_blobs(signed)]);
        let mut bytes = with_layout(&[signed], &[(signed, None)]);
        let at = bytes.windows(one.len()).position(|member| member == one).unwrap();
        let blobs = second.blobs().into_iter().map(|blob| file(&path(blob), blob)).collect::<Vec<_>>().concat();
        bytes.splice(at..at + one.len(), [both, blobs].concat());
        check(&bytes, word, reason);
        // Without evidence one image is proven, by its manifest: then both lists have the same images.
        let path = fixture().dir.join("by-id.tar");
        fs::write(&path, &bytes).unwrap();
        let error = bulla::ops::OpsError::from(DockerArchive::open(path, Limits::DEFAULT).err().unwrap());
        assert!(error.is_refusal() && error.to_string().contains("its index.json does not say"), "{error}");
    }
}

#[test]
fn an_image_that_pretends_to_be_attached_is_refused() {
    let Fixture { signed, unsigned, .. } = fixture();
    let with = |other: &TestImage, name| with_layout(&[signed], &[(signed, Some("app:1.0")), (other, name)]);
    let refused = |other: &TestImage, name| check(&with(other, name), "no", "which is not verified");
    let subject = serde_json::to_value(signed.descriptor.bare()).unwrap();
    let (tag, full) = (signed.fallback_tag(), format!("app:{}", signed.fallback_tag()));
    let (sig, att) = (format!("{full}.sig"), format!("{full}.att"));
    let names = [None, Some(&*tag), Some(&*full), Some(&*sig), Some(&*att)];
    let layers = |kind: &str| {
        let layers = unsigned.layers.iter().map(|layer| Descriptor::of(kind, layer)).collect::<Vec<_>>();
        serde_json::to_value(layers).unwrap()
    };
    let referring = with_field(unsigned, "subject", subject.clone());
    let other_config = Descriptor::of("application/vnd.example.config.v1+json", &unsigned.config);
    let empty = TestImage { config: b"{}".to_vec(), ..unsigned.clone() };
    for name in names {
        for image in [
            unsigned,
            &referring,
            &index_of(vec![unsigned.clone()]),
            &index_of(vec![signed.clone(), referring.clone()]),
            // containerd reads the config whatever its media type.
            &with_field(&referring, "config", serde_json::to_value(&other_config).unwrap()),
            &with_field(&referring, "artifactType", "a/b".into()),
            &with_field(&referring, "layers", layers("application/vnd.docker.image.rootfs.diff.tar.gzip")),
            &with_field(&referring, "layers", layers("application/vnd.example.layer")),
            // An image without files, and one whose config is the empty object.
            &with_field(&referring, "layers", serde_json::json!([])),
            &with_field(&empty, "config", serde_json::to_value(Descriptor::of(OCI_CONFIG, b"{}")).unwrap()),
            // What cannot be read may be an image for another reader.
            &with_manifest(unsigned, &serde_json::json!({})),
            &with_manifest(&index_of(vec![]), &serde_json::json!({})),
        ] {
            refused(image, name);
        }
    }
    // cosign's signature with a layer of an image, and without the diff IDs that no loader can fulfil.
    let signature = Descriptor::of(SIMPLE_SIGNING, b"{}");
    let both = vec![signature.clone(), Descriptor::of("application/vnd.oci.image.layer.v1.tar", b"{}")];
    refused(&cosign_signature(both.clone(), &signature_config(&both).unwrap()), Some(&sig));
    refused(&cosign_signature(vec![signature], &signature_config(&[]).unwrap()), Some(&sig));
}

#[test]
fn what_is_no_image_may_be_beside_the_images() {
    let Fixture { signed, .. } = fixture();
    let with =
        |other: &TestImage, name: Option<&str>| with_layout(&[signed], &[(signed, Some("app:1.0")), (other, name)]);
    let tag = signed.fallback_tag();
    let layers = vec![Descriptor::of(SIMPLE_SIGNING, b"{}")];
    let signature = cosign_signature(layers.clone(), &signature_config(&layers).unwrap());
    let bundle = referrer(&signed.descriptor, SIGSTORE_BUNDLE, b"{}");
    // oras gives any file the media type of an image layer.
    let file = referrer(&signed.descriptor, "application/vnd.oci.image.layer.v1.tar", b"{}");
    for (attached, name) in [
        (&signature, Some(format!("{tag}.sig"))),
        (&signature, Some(format!("app:{tag}.sig"))),
        (&bundle, None),
        (&file, None),
        (&index_of(vec![bundle.clone(), file.clone()]), Some(tag.clone())),
        (&index_of(vec![]), Some(tag.clone())),
    ] {
        check(&with(attached, name.as_deref()), "yes", "");
        // Under the name of an image it would take its place.
        check(&with(attached, Some("evil:1.0")), "no", "which is not verified");
    }
}

/// BuildKit keeps statements in an index as if they were an image. No signature makes an image of them, neither of the index
/// nor of their own manifest.
#[test]
fn statements_in_a_signed_index_are_no_image() {
    let Fixture { kits, dir, verifier, .. } = fixture();
    let no_image = "is not an image: its layers are in-toto statements";
    for kit in kits {
        let [platform, statements] = kit.children.as_slice() else { panic!("two manifests") };
        let named = [(kit, Some("app:1.0"))];
        check(&docker_archive(&[platform]), "yes", "");
        check(&docker_archive(&[statements]), "no", no_image);
        check(&docker_archive(&[platform, statements]), "no", no_image);
        check(&with_layout(&[platform], &named), "yes", "");
        check(&with_layout(&[platform, statements], &named), "no", no_image);
        let evidence: &dyn Source = &Layout::open(dir.join("evidence"), Limits::DEFAULT).unwrap();
        let ids = [platform, statements].map(|image| Digest::sha256(&image.config));
        let verdicts = now(saved::verify_ids(&ids, evidence, None, VerifyOptions::new(verifier, Time::EPOCH))).unwrap();
        assert!(matches!(verdicts[0], ImageIdVerdict::Accepted(_)), "{:?}", verdicts[0]);
        let ImageIdVerdict::NotAccepted { faults, .. } = &verdicts[1] else { panic!("{:?}", verdicts[1]) };
        assert_eq!((verdicts[1].is_refusal(), faults.first().code()), (true, "not-an-image"));
    }
}

/// The same by the signatures in the archive itself.
#[test]
fn statements_that_are_listed_as_an_image_are_refused() {
    let Fixture { kits: [kit, _], dir, .. } = fixture();
    let [platform, statements] = kit.children.as_slice() else { panic!("two manifests") };
    let open = |listed: &[&TestImage]| {
        let path = dir.join("kit.tar");
        fs::write(&path, with_layout(listed, &[(kit, None)])).unwrap();
        DockerArchive::open(path, Limits::DEFAULT).map(drop).map_err(bulla::ops::OpsError::from)
    };
    open(&[platform]).unwrap();
    let error = open(&[platform, statements]).unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("as an image, and its layers are in-toto"), "{error}");
}

// ---------------------------------------------------------------------------------------------- names and ids

#[test]
fn names_of_both_lists_are_shown() {
    let Fixture { signed, .. } = fixture();
    let names = |name| {
        let verified =
            verdict(&with_layout(&[signed], &[(signed, Some("app:1.0")), (signed, Some(name))]), None).unwrap();
        verified.images().first().image().names().to_vec()
    };
    assert_eq!(names("app:1.0"), ["app:1.0"]);
    assert_eq!(names("docker.io/library/nginx:latest"), ["app:1.0", "docker.io/library/nginx:latest"]);
}

#[test]
fn an_attachment_has_the_tag_of_a_manifest_in_the_archive() {
    let Fixture { signed, unsigned, .. } = fixture();
    let layers = vec![Descriptor::of(SIMPLE_SIGNING, b"{}")];
    let signature = cosign_signature(layers.clone(), &signature_config(&layers).unwrap());
    for (of, word) in [(signed, "yes"), (unsigned, "no")] {
        let tag = format!("{}.sig", of.fallback_tag());
        let (got, why) = answer(&with_layout(&[signed], &[(signed, Some("app:1.0")), (&signature, Some(&tag))]));
        assert_eq!(got, word, "{why}");
    }
}

// A config names layers by their SHA-256, and the layout may name the same files otherwise.
#[test]
fn a_layer_that_is_named_by_its_sha512_is_known_by_its_sha256() {
    let by_sha512 = |layer: &Vec<u8>| Digest::of(DigestAlgorithm::Sha512, layer);
    let layers = fixture().signed.layers.iter().map(|layer| Descriptor {
        digest: by_sha512(layer),
        ..Descriptor::of("application/vnd.oci.image.layer.v1.tar", layer)
    });
    let image = with_field(&fixture().signed, "layers", serde_json::to_value(layers.collect::<Vec<_>>()).unwrap());
    let names: Vec<_> = image.layers.iter().map(|layer| format!("blobs/sha512/{}", by_sha512(layer).hex())).collect();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [&image.descriptor]}).to_string();
    let mut members = vec![
        file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        file("index.json", index.as_bytes()),
        file(&blob_path(&image.config), &image.config),
        file(&blob_path(&image.manifest), &image.manifest),
        list(&[entry(&blob_path(&image.config), &names)]),
    ];
    for (name, layer) in names.iter().zip(&image.layers) {
        members.push(member("PaxHeader", b'x', "", format!("151 path={name}\n").as_bytes()));
        members.push(file(&name[..100], layer));
    }
    let place = tempfile::NamedTempFile::new_in(&fixture().dir).unwrap();
    fs::write(place.path(), end(members)).unwrap();
    let archive = SavedArchive::open(place.path(), Limits::DEFAULT).unwrap();
    let digests: Vec<_> = archive.images()[0].layers.iter().map(|layer| layer.digest).collect();
    assert_eq!(digests, image.layers.iter().map(|layer| Digest::sha256(layer)).collect::<Vec<_>>());
}

#[test]
fn an_image_that_is_listed_again_is_one_image() {
    let Fixture { signed, .. } = fixture();
    let other_name = entry_of(signed).replace("app:1.0", "app:2.0");
    let members = [files(signed), vec![list(&[entry_of(signed), other_name, entry_of(signed)])]].concat();
    let verified = verdict(&end(members), None).unwrap();
    assert_eq!(verified.images().iter().count(), 1);
    assert_eq!(verified.images().first().image().names(), ["app:1.0", "app:2.0"]);
}

#[test]
fn configs_and_manifests_have_one_budget() {
    let Fixture { signed, other, dir, verifier, .. } = fixture();
    let sizes = count(signed.config.len() + other.config.len());
    let file = tempfile::NamedTempFile::new_in(dir).unwrap();
    // The same config is read once, also for two entries.
    let entries = [entry_of(signed), entry_of(other), entry_of(signed)];
    fs::write(file.path(), end([files(signed), files(other), vec![list(&entries)]].concat())).unwrap();
    for (bytes, enough) in [(sizes, true), (sizes - 1, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.bytes = bytes);
        match SavedArchive::open(file.path(), limits) {
            Ok(archive) => assert!(enough && archive.images().len() == 2),
            Err(error) => assert!(!enough && error.to_string().contains("bytes of configs"), "{error}"),
        }
    }
    // Four images, one of them an index with two manifests, and what is signed.
    let archive = SavedArchive::open(file.path(), Limits::DEFAULT).unwrap();
    let evidence: &dyn Source = &Layout::open(dir.join("evidence"), Limits::DEFAULT).unwrap();
    for (manifests, enough) in [(64, true), (5, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = manifests);
        let options = VerifyOptions { limits: &limits, ..VerifyOptions::new(verifier, Time::EPOCH) };
        match now(saved::verify(&archive, evidence, None, options)) {
            Ok(_) => assert!(enough),
            Err(error) => assert!(!enough && !error.is_refusal() && error.to_string().contains("manifests"), "{error}"),
        }
    }
}

#[test]
fn an_image_id_is_the_config_of_a_signed_manifest() {
    let Fixture { signed, unsigned, index, dir, verifier, .. } = fixture();
    let evidence: &dyn Source = &Layout::open(dir.join("evidence"), Limits::DEFAULT).unwrap();
    let id = |image: &TestImage| Digest::sha256(&image.config);
    let ids = [id(signed), id(&index.children[1]), id(unsigned), signed.digest(), id(signed)];
    let verdicts = now(saved::verify_ids(&ids, evidence, None, VerifyOptions::new(verifier, Time::EPOCH))).unwrap();
    let said: Vec<_> = verdicts
        .iter()
        .map(|verdict| match verdict {
            ImageIdVerdict::Accepted(verified) => Ok((*verified.id(), *verified.signed(), *verified.manifest())),
            ImageIdVerdict::NotAccepted { faults, .. } => Err((verdict.is_refusal(), faults.first().code())),
            _ => panic!("{verdict:?}"),
        })
        .collect();
    let accepted = Ok((id(signed), signed.digest(), signed.digest()));
    let child = &index.children[1];
    assert_eq!(
        said,
        [
            accepted,
            Ok((id(child), index.digest(), child.digest())),
            Err((true, "not-verified")),
            Err((true, "config-unknown")),
            accepted,
        ]
    );
    // Evidence of one image alone.
    let named = TagOrDigest::Tag("other".to_owned());
    let options = VerifyOptions::new(verifier, Time::EPOCH);
    let verdicts = now(saved::verify_ids(&ids[..1], evidence, Some(&named), options)).unwrap();
    assert!(verdicts.iter().all(ImageIdVerdict::is_refusal));
}

#[test]
fn what_is_cut_off_is_not_verified() {
    let Fixture { signed, .. } = fixture();
    let whole = docker_archive(&[signed]);
    for length in (0..whole.len()).step_by(256) {
        assert_ne!(answer(&whole[..length]).0, "yes", "{length}");
    }
}

#[test]
fn a_flipped_byte_is_refused_or_changes_nothing_that_is_loaded() {
    let small = image_for(1, "linux/amd64", 2, 600);
    let loaded = |archive: &SavedArchive| {
        let images = archive.images().iter();
        images.map(|image| (*image.config.digest(), image.layers.clone())).collect::<Vec<_>>()
    };
    let file = tempfile::NamedTempFile::new_in(&fixture().dir).unwrap();
    // The tar is read by the same reader in all of them, so of a stream and of a layout some bytes are enough.
    for (whole, step) in [(docker_archive(&[&small]), 1), (with_layout(&[&small], &[(&small, Some("app:1.0"))]), 3)] {
        check(&whole, "yes", "");
        let before = loaded(&SavedArchive::read(whole.as_slice(), Limits::DEFAULT).unwrap());
        let mut others = 0;
        for at in (0..whole.len()).step_by(step) {
            let mut changed = whole.clone();
            changed[at] ^= 0x21;
            fs::write(file.path(), &changed).unwrap();
            let of_file = SavedArchive::open(file.path(), Limits::DEFAULT);
            let of_stream = (at % 7 == 0).then(|| SavedArchive::read(changed.as_slice(), Limits::DEFAULT));
            for opened in [Some(of_file), of_stream].into_iter().flatten() {
                if opened.as_ref().is_ok_and(|archive| loaded(archive) != before) {
                    others += 1;
                    assert!(verdict_on(opened, None).is_err(), "byte {at}");
                }
            }
        }
        // A layer with another byte is read, and is not the one that was signed.
        assert!(step > 1 || others > 1000, "{others}");
    }
}
