//! The forms that programs write, each as the source of the program makes it. docker, podman, buildah, skopeo, umoci and crane
//! themselves are run by tests/interop/engines.rs; crane has the writer of ko and kaniko.

use bulla::digest::Digest;
use serde_json::Value;
use serde_json::json;

use super::Fixture;
use super::TestImage;
use super::check;
use super::config_name;
use super::end;
use super::entry;
use super::file;
use super::fixture;
use super::index_of;
use super::list;
use super::member;
use super::packed::gzip;
use super::packed::zstd;
use super::support::docker_archive::blob_path;
use super::support::tar::with_fields;
use super::verdict;
use super::with_field;

/// A pair of an image and the answer about it.
fn images() -> [(&'static TestImage, &'static str); 2] {
    let Fixture { signed, unsigned, .. } = fixture();
    [(signed, "yes"), (unsigned, "no")]
}

fn hex(bytes: &[u8]) -> String {
    Digest::sha256(bytes).hex()
}

/// As `tar` of GNU and of BSD fill up a file.
fn padded(mut archive: Vec<u8>) -> Vec<u8> {
    archive.resize(archive.len().next_multiple_of(10 << 10), 0);
    archive
}

/// go-containerregistry, pkg/v1/tarball/write.go: `ko build --tarball` (ko, pkg/publish/tarball.go) and `--tar-path` of kaniko
/// (pkg/executor/push.go) write with it. The config is named by its digest, with the colon; layers are as they were pushed,
/// each once, named by the digest of the compressed bytes: `.tar.gz` for all of them, or since 0.21 by the compression.
/// Docker's list comes last, and its `RepoTags` is null for an image that is named by digest. There is no `repositories`.
#[test]
fn ko_and_kaniko() {
    for (image, word) in images() {
        let config = format!("sha256:{}", hex(&image.config));
        for (pack, ending) in [
            (&gzip as &dyn Fn(&[u8]) -> Vec<u8>, "tar.gz"),
            // Layers of zstd under the name of gzip, from kaniko's --compression=zstd and older versions of the library.
            (&zstd, "tar.gz"),
            (&zstd, "tar.zst"),
            (&<[u8]>::to_vec, "tar"),
        ] {
            let layers: Vec<_> = image.layers.iter().map(|layer| pack(layer)).collect();
            let names: Vec<_> = layers.iter().map(|layer| format!("{}.{ending}", hex(layer))).collect();
            let mut members = vec![file(&config, &image.config)];
            members.extend(names.iter().zip(&layers).map(|(name, layer)| file(name, layer)));
            for tags in [json!(["registry.example/app:latest"]), Value::Null] {
                let list = json!([{"Config": config, "RepoTags": tags, "Layers": names}]).to_string();
                check(&end([&members[..], &[file("manifest.json", list.as_bytes())]].concat()), word, "");
            }
        }
    }
}

/// jib, jib-core `image/ImageTarball.java` (`dockerWriteTo`) and `tar/TarStreamBuilder.java`: layers first, then `config.json`
/// and Docker's list. The tar is that of commons-compress: numbers end in a space instead of NUL, the mode has the bits of a
/// file, and the numbers of a device are there.
#[test]
fn jib() {
    for (image, word) in images() {
        let commons = |name: &str, body: &[u8]| {
            let size = format!("{:011o} ", body.len());
            let fields: [(usize, &[u8]); 7] = [
                (100, b"0100644 "),
                (108, b"0000000 "),
                (116, b"0000000 "),
                (124, size.as_bytes()),
                (136, b"00000000000 "),
                (329, b"0000000 "),
                (337, b"0000000 "),
            ];
            with_fields(file(name, body), &fields)
        };
        let layers: Vec<_> = image.layers.iter().map(|layer| gzip(layer)).collect();
        let names: Vec<_> = layers.iter().map(|layer| format!("{}.tar.gz", hex(layer))).collect();
        let mut members: Vec<_> = names.iter().zip(&layers).map(|(name, layer)| commons(name, layer)).collect();
        members.push(commons("config.json", &image.config));
        let list = json!([{"Config": "config.json", "RepoTags": ["app:1.0", "app:latest"], "Layers": names}]);
        members.push(commons("manifest.json", list.to_string().as_bytes()));
        check(&end(members), word, "");
    }
}

/// rules_oci, oci/private/load.bzl and tarball.sh.tpl: the paths of blobs, with `.tar.gz` behind those of layers whatever their
/// compression is; no directories, no OCI layout. bsdtar makes the tar of a list, in which a layer that occurs twice is one:
/// modes and owners have six digits, a space and NUL, sizes and times end in a space.
#[test]
fn rules_oci() {
    for (image, word) in images() {
        let bsd = |name: &str, body: &[u8]| {
            let size = format!("{:011o} ", body.len());
            let fields: [(usize, &[u8]); 7] = [
                (100, b"000755 \0"),
                (108, b"000000 \0"),
                (116, b"000000 \0"),
                (124, size.as_bytes()),
                (136, b"14354236600 "),
                (329, b"000000 \0"),
                (337, b"000000 \0"),
            ];
            with_fields(file(name, body), &fields)
        };
        for pack in [&gzip as &dyn Fn(&[u8]) -> Vec<u8>, &zstd, &<[u8]>::to_vec] {
            let layers: Vec<_> = image.layers.iter().map(|layer| pack(layer)).collect();
            let names: Vec<_> = layers.iter().map(|layer| format!("{}.tar.gz", blob_path(layer))).collect();
            let config = blob_path(&image.config);
            let mut members = vec![bsd(&config, &image.config)];
            members.extend(names.iter().zip(&layers).map(|(name, layer)| bsd(name, layer)));
            members.push(bsd("manifest.json", format!("[{}]", entry(&config, &names)).as_bytes()));
            check(&padded(end(members)), word, "");
        }
    }
}

/// rules_oci before 1.4, with GNU tar: Docker's list first, then the directories, with GNU's mark and names of owners. A file of
/// tags that ends with a line end gives an empty name.
#[test]
fn rules_oci_with_gnu_tar() {
    for (image, word) in images() {
        let gnu = |member: Vec<u8>| with_fields(member, &[(257, b"ustar  \0"), (265, b"root"), (297, b"root")]);
        let layers: Vec<_> = image.layers.iter().map(|layer| gzip(layer)).collect();
        let names: Vec<_> = layers.iter().map(|layer| format!("{}.tar.gz", blob_path(layer))).collect();
        let config = blob_path(&image.config);
        let list = json!([{"Config": config, "RepoTags": ["app:1.0", ""], "Layers": names}]).to_string();
        let mut members = vec![gnu(file("manifest.json", list.as_bytes()))];
        members.extend(["blobs/", "blobs/sha256/"].map(|name| gnu(member(name, b'5', "", b""))));
        members.push(gnu(file(&config, &image.config)));
        members.extend(names.iter().zip(&layers).map(|(name, layer)| gnu(file(name, layer))));
        check(&padded(end(members)), word, "");
    }
}

/// Docker 1.10 to 24, image/tarexport/save.go: a directory for each layer, named by an id of the old image format, with a
/// link where the layer is in another directory already; configs by their digests; `repositories` beside Docker's list.
#[test]
fn docker_from_1_10_to_24() {
    let Fixture { repeated: [signed, unsigned], other, .. } = fixture();
    for (images, word) in [([signed, other], "yes"), ([other, unsigned], "no")] {
        let (mut members, mut entries, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for image in images {
            members.push(file(&config_name(image), &image.config));
            let mut layers = Vec::new();
            for (position, layer) in image.layers.iter().enumerate() {
                let id = hex(format!("{position} {}", image.digest()).as_bytes());
                members.push(member(&format!("{id}/"), b'5', "", b""));
                members.push(file(&format!("{id}/VERSION"), b"1.0"));
                members.push(file(&format!("{id}/json"), b"{}"));
                let name = format!("{id}/layer.tar");
                members.push(match seen.iter().find(|(known, _)| *known == layer) {
                    Some((_, first)) => member(&name, b'2', &format!("../{first}"), b""),
                    None => file(&name, layer),
                });
                seen.push((layer, name.clone()));
                layers.push(name);
            }
            entries.push(entry(&config_name(image), &layers));
        }
        assert_eq!(members.iter().filter(|member| member[156] == b'2').count(), 1);
        members.push(list(&entries));
        members.push(file("repositories", br#"{"app":{"1.0":"0"}}"#));
        check(&end(members), word, "");
    }
}

#[test]
fn docker_before_1_10_has_no_config_that_was_signed() {
    let Fixture { signed, .. } = fixture();
    let id = "b".repeat(64);
    let members = vec![
        file("repositories", format!(r#"{{"app":{{"1.0":"{id}"}}}}"#).as_bytes()),
        file(&format!("{id}/VERSION"), b"1.0"),
        file(&format!("{id}/json"), &signed.config),
        file(&format!("{id}/layer.tar"), &signed.layers[0]),
    ];
    check(&end(members), "unknown", "it has no manifest.json");
}

/// Docker 25 and later with its own image store: an OCI layout with a manifest of Docker's own making, `LayerSources` for all
/// layers, and `repositories`. Saved by digest, 25.0.0 to 25.0.2 list null in `index.json` (moby#47210). 25.0.0 puts the layers
/// of its manifest in any order (moby#47150): the two lists contradict each other, and loaders of the layout would fail.
#[test]
fn docker_25_and_later() {
    for (image, word) in images() {
        let sources: serde_json::Map<_, _> = image
            .layers
            .iter()
            .map(|layer| {
                let digest = Digest::sha256(layer).to_string();
                let media_type = "application/vnd.oci.image.layer.v1.tar";
                (digest.clone(), json!({"mediaType": media_type, "size": layer.len(), "digest": digest}))
            })
            .collect();
        let by_order = |order: &[usize]| -> Value {
            order.iter().map(|at| sources[&Digest::sha256(&image.layers[*at]).to_string()].clone()).collect()
        };
        let saved = with_field(image, "layers", by_order(&[0, 1]));
        let swapped = with_field(image, "layers", by_order(&[1, 0]));
        let write = |manifest: &TestImage, tags: Value, entries: Value| {
            let parts = image.layers.iter().chain([&image.config, &manifest.manifest]);
            let mut members: Vec<_> = parts.map(|part| file(&blob_path(part), part)).collect();
            let layers: Vec<_> = image.layers.iter().map(|layer| blob_path(layer)).collect();
            let config = blob_path(&image.config);
            let list = json!([{"Config": config, "RepoTags": tags, "Layers": layers, "LayerSources": sources}]);
            for (name, content) in [
                ("index.json", json!({"schemaVersion": 2, "manifests": entries}).to_string()),
                ("manifest.json", list.to_string()),
                ("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#.to_owned()),
                ("repositories", r#"{"app":{"1.0":"0"}}"#.to_owned()),
            ] {
                members.push(file(name, content.as_bytes()));
            }
            end(members)
        };
        let entry = |manifest: &TestImage| {
            let mut entry = serde_json::to_value(&manifest.descriptor).unwrap();
            entry["annotations"] = json!({
                "io.containerd.image.name": "docker.io/library/app:1.0", "org.opencontainers.image.ref.name": "1.0",
            });
            json!([entry])
        };
        check(&write(&saved, json!(["app:1.0"]), entry(&saved)), word, "");
        check(&write(&saved, Value::Null, Value::Null), word, "");
        check(&write(&swapped, json!(["app:1.0"]), entry(&swapped)), "no", "its index.json does not say of");
    }
}

/// Docker with the image store of containerd (the default since Docker 29) saves the index and its attestation manifests, and
/// of the platforms those that it has.
#[test]
fn docker_with_the_image_store_of_containerd() {
    let Fixture { index, kits, .. } = fixture();
    let one_platform = |index: &TestImage| {
        let child = &index.children[0];
        let parts = child.layers.iter().chain([&child.config, &child.manifest, &index.manifest]);
        let mut members: Vec<_> = parts.map(|part| file(&blob_path(part), part)).collect();
        let layers: Vec<_> = child.layers.iter().map(|layer| blob_path(layer)).collect();
        members.push(list(&[entry(&blob_path(&child.config), &layers)]));
        let layout = json!({"schemaVersion": 2, "manifests": [index.descriptor]}).to_string();
        members.push(file("index.json", layout.as_bytes()));
        members.push(file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#));
        end(members)
    };
    for signed in [index, &kits[0]] {
        let verified = verdict(&one_platform(signed), None).unwrap();
        assert_eq!(verified.images().first().signed(), &signed.digest());
    }
    let unsigned = index_of(vec![fixture().unsigned.clone(), super::image(98)]);
    check(&one_platform(&unsigned), "no", "");
}
