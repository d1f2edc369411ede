//! Conversions from and to the types of `oci-spec`, both ways, and what is refused on the way.
#![cfg(feature = "oci-spec")]
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

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::oci::ConversionError;
use bulla::oci::Descriptor;
use bulla::oci::Index;
use bulla::oci::Manifest;
use bulla::oci::Platform;
use bulla::oci::Reference;
use bulla::oci::RegistryReference;
use bulla::oci::media_type::DOCKER_MANIFEST;
use bulla::oci::media_type::OCI_CONFIG;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::media_type::OCI_MANIFEST;
use oci_spec::distribution;
use oci_spec::image;

/// Changes that make a descriptor invalid for us.
type Change<'a> = &'a dyn Fn(&mut image::Descriptor);

fn platform() -> Platform {
    let mut platform = Platform::parse("windows(10.0.20348)/arm64/v8").unwrap();
    platform.os_features.push("win32k".to_owned());
    platform
}

/// A descriptor with every field.
fn full() -> Descriptor {
    let mut descriptor = Descriptor::of("text/plain", b"hi");
    descriptor.urls.push("https://files.example/hi".to_owned());
    descriptor.annotations.insert("a<b".to_owned(), "1 & 2".to_owned());
    descriptor.data = Some(b"hi".to_vec());
    descriptor.platform = Some(platform());
    descriptor.artifact_type = Some("application/vnd.example".to_owned());
    descriptor
}

fn manifest() -> Manifest {
    let config = Descriptor::of(OCI_CONFIG, b"{}");
    Manifest {
        artifact_type: config.media_type.clone(),
        annotations: full().annotations,
        config,
        layers: vec![full(), Descriptor::of("text/plain", b"")],
        subject: Some(Descriptor::of(OCI_MANIFEST, b"{}")),
    }
}

fn index() -> Index {
    Index {
        artifact_type: Some("application/vnd.example".to_owned()),
        annotations: full().annotations,
        manifests: vec![full()],
        subject: Some(Descriptor::of(OCI_INDEX, b"{}")),
    }
}

/// The conversion to `oci-spec` and back, which is to change nothing.
fn there_and_back<A, B>(ours: &A) -> A
where
    for<'a> B: TryFrom<&'a A>,
    for<'a> A: TryFrom<&'a B>,
{
    let theirs = B::try_from(ours).ok().expect("ours has a counterpart");
    A::try_from(&theirs).ok().expect("theirs has one again")
}

#[test]
fn every_field_comes_back_as_it_was() {
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        let digest = Digest::of(algorithm, b"hi");
        assert_eq!(there_and_back::<Digest, image::Digest>(&digest), digest);
    }
    assert_eq!(there_and_back::<Platform, image::Platform>(&platform()), platform());
    for descriptor in [full(), full().bare()] {
        assert_eq!(there_and_back::<Descriptor, image::Descriptor>(&descriptor), descriptor);
    }
    let typed = Manifest { artifact_type: "application/vnd.example".to_owned(), ..manifest() };
    for manifest in [manifest(), typed, Manifest { subject: None, ..manifest() }] {
        assert_eq!(there_and_back::<Manifest, image::ImageManifest>(&manifest), manifest);
    }
    for index in [index(), Index { artifact_type: None, subject: None, ..index() }] {
        assert_eq!(there_and_back::<Index, image::ImageIndex>(&index), index);
    }
}

#[test]
fn the_fields_of_oci_spec_are_those_of_the_same_name() {
    let theirs = image::Descriptor::try_from(&full()).unwrap();
    assert_eq!(theirs.digest().to_string(), full().digest.to_string());
    assert_eq!((theirs.size(), theirs.media_type().to_string()), (2, "text/plain".to_owned()));
    assert_eq!(theirs.data().as_deref(), Some("aGk="));
    assert_eq!(theirs.platform().as_ref().unwrap().os_version().as_deref(), Some("10.0.20348"));
    let theirs = image::ImageManifest::try_from(&manifest()).unwrap();
    assert_eq!((theirs.schema_version(), theirs.media_type(), theirs.artifact_type()), (2, &None, &None));
    assert_eq!((theirs.layers().len(), theirs.subject().is_some()), (2, true));
}

#[test]
fn an_invalid_descriptor_is_not_converted() {
    let changed = |change: &dyn Fn(&mut image::Descriptor)| {
        let mut theirs = image::Descriptor::try_from(&full()).unwrap();
        change(&mut theirs);
        Descriptor::try_from(&theirs)
    };
    assert!(changed(&|_| ()).is_ok());
    let sha384 = format!("sha384:{}", "0".repeat(96)).parse::<image::Digest>().unwrap();
    let other = "blake3:00".parse::<image::Digest>().unwrap();
    for digest in [sha384, other] {
        assert!(matches!(Digest::try_from(&digest), Err(ConversionError::Digest(_))));
        let refused = changed(&|theirs| {
            theirs.set_digest(digest.clone());
        });
        assert!(matches!(refused, Err(ConversionError::Descriptor(_))), "{refused:?}");
    }
    let cases: [(&str, Change<'_>); 4] = [
        ("size", &|theirs| {
            theirs.set_size(u64::MAX);
        }),
        ("media type", &|theirs| {
            theirs.set_media_type("plain".into());
        }),
        ("URL", &|theirs| {
            theirs.set_urls(Some(vec!["no url".to_owned()]));
        }),
        ("base64", &|theirs| {
            theirs.set_data(Some("~~~".to_owned()));
        }),
    ];
    for (what, change) in cases {
        let refused = changed(change);
        assert!(matches!(refused, Err(ConversionError::Descriptor(_))), "{what}: {refused:?}");
    }
    let reserved = changed(&|theirs| {
        let mut platform = image::Platform::from(&platform());
        platform.set_features(Some(vec!["sse4".to_owned()]));
        theirs.set_platform(Some(platform));
    });
    assert!(matches!(reserved, Err(ConversionError::PlatformFeatures)));
}

#[test]
fn a_manifest_that_says_it_is_something_else_is_refused() {
    let manifest = |change: &dyn Fn(&mut image::ImageManifest)| {
        let mut theirs = image::ImageManifest::try_from(&manifest()).unwrap();
        change(&mut theirs);
        Manifest::try_from(&theirs)
    };
    for kind in [OCI_MANIFEST, DOCKER_MANIFEST] {
        assert!(
            manifest(&|theirs| {
                theirs.set_media_type(Some(kind.into()));
            })
            .is_ok()
        );
    }
    let kind = manifest(&|theirs| {
        theirs.set_media_type(Some(OCI_INDEX.into()));
    });
    assert!(matches!(kind, Err(ConversionError::MediaType { wanted: "image manifest", .. })));
    let version = manifest(&|theirs| {
        theirs.set_schema_version(1);
    });
    assert!(matches!(version, Err(ConversionError::SchemaVersion(1))));
    let layer = manifest(&|theirs| {
        theirs.layers_mut()[0].set_size(u64::MAX);
    });
    assert!(matches!(layer, Err(ConversionError::Descriptor(_))));

    let index = |change: &dyn Fn(&mut image::ImageIndex)| {
        let mut theirs = image::ImageIndex::try_from(&index()).unwrap();
        change(&mut theirs);
        Index::try_from(&theirs)
    };
    assert!(
        index(&|theirs| {
            theirs.set_media_type(Some(OCI_INDEX.into()));
        })
        .is_ok()
    );
    let kind = index(&|theirs| {
        theirs.set_media_type(Some(OCI_MANIFEST.into()));
    });
    assert!(matches!(kind, Err(ConversionError::MediaType { wanted: "image index", .. })));
    let version = index(&|theirs| {
        theirs.set_schema_version(3);
    });
    assert!(matches!(version, Err(ConversionError::SchemaVersion(3))));
}

fn ours(text: &str) -> RegistryReference {
    match text.parse::<Reference>().unwrap() {
        Reference::Registry(reference) => reference,
        other => panic!("{other}"),
    }
}

#[test]
fn references_come_back_as_they_were() {
    let digest = Digest::sha256(b"hi");
    let pinned = format!("registry.example/team/app@{digest}");
    for text in ["registry.example:5000/app:1.0", "docker.io/library/alpine:3", "localhost/app:latest", &pinned] {
        let theirs = distribution::Reference::from(&ours(text));
        assert_eq!(theirs.whole(), text);
        assert_eq!(RegistryReference::try_from(&theirs).unwrap(), ours(text));
    }
    // A digest wins over the tag beside it, and what says neither means `latest`.
    let both = distribution::Reference::try_from(format!("registry.example/team/app:1.0@{digest}")).unwrap();
    assert_eq!(RegistryReference::try_from(&both).unwrap(), ours(&pinned));
    let neither = distribution::Reference::try_from("registry.example/app").unwrap();
    assert_eq!(RegistryReference::try_from(&neither).unwrap(), ours("registry.example/app:latest"));
}

#[test]
fn a_reference_that_would_change_its_meaning_is_not_converted() {
    let of = |registry: &str, repository: &str, tag: &str| {
        let [registry, repository, tag] = [registry, repository, tag].map(str::to_owned);
        RegistryReference::try_from(&distribution::Reference::with_tag(registry, repository, tag))
    };
    assert!(of("registry.example", "app", "1.0").is_ok());
    for (registry, repository, tag) in [
        ("registry.example", "App", "1.0"),
        ("registry.example", "app", "-"),
        ("", "app", "1.0"),
        ("oci", "app", "1.0"),
        ("user@registry.example", "app", "1.0"),
    ] {
        let refused = of(registry, repository, tag);
        assert!(matches!(refused, Err(ConversionError::Reference(_))), "{registry}/{repository}:{tag} {refused:?}");
    }
    // The text has the slash in another place than the fields.
    let moved = of("registry.example/team", "app", "1.0");
    assert!(matches!(moved, Err(ConversionError::ReferenceFields { .. })), "{moved:?}");
    let bad_digest = distribution::Reference::with_digest("registry.example".into(), "app".into(), "sha256:00".into());
    assert!(matches!(RegistryReference::try_from(&bad_digest), Err(ConversionError::Reference(_))));
    let mut mirrored = distribution::Reference::from(&ours("registry.example/app:1.0"));
    mirrored.set_mirror_registry("mirror.example".to_owned());
    assert!(matches!(RegistryReference::try_from(&mirrored), Err(ConversionError::Mirror { .. })));
}
