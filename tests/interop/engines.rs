//! Container engines: what docker, podman, buildah and skopeo save is verified from the file and from a pipe, and what docker
//! and podman load from it is what was verified.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::peers::PeerOutput;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;
use crate::suite::TestRegistry;

/// Image ids.
type Ids = BTreeSet<String>;

pub fn what_engines_load_is_what_was_verified() {
    let Some(mut suite) = Suite::start(Api::Absent) else { return };
    if !suite.peers.have_engines() {
        return;
    }
    let registry = match &suite.registry {
        TestRegistry::Debian(registry) => registry.address.clone(),
        TestRegistry::Quirk(_) => unreachable!("the registry is Debian's"),
    };
    let (app, other) = (format!("{registry}/app:1.0"), format!("{registry}/other:1.0"));
    suite.peers.with_engines(&SAVE.replace("APP", &app).replace("OTHER", &other).replace("REGISTRY", &registry)).must();
    suite.bulla_signs("p256.key", Form::Bundle, &app, &[]).must();
    suite.cosign_signs("p256.key", Form::Tag, &other, &[]).must();
    for image in [&app, &other] {
        suite.peers.bulla(&["copy", "--evidence", image, "oci-archive:e.tar"]).must();
        suite.peers.bulla(&["copy", image, "docker-archive:ours.tar"]).must();
    }

    let mut expected: BTreeMap<String, Ids> = BTreeMap::new();
    for (archive, images) in
        [("docker", 1), ("two", 2), ("podman", 1), ("buildah", 1), ("skopeo", 1), ("skopeo-other", 1), ("ours", 2)]
    {
        let name = format!("{archive}.tar");
        let output = verify(&suite, &name, "p256.pub");
        suite.expect(archive, &output, 0);
        let found = ids(&output);
        suite.expect_that("so many images", found.len() == images, &output);
        let pipe = format!("bulla verify docker-archive:- --evidence oci-archive:e.tar --key p256.pub < {name}");
        let piped = suite.peers.shell(&pipe);
        suite.expect(&pipe, &piped, 0);
        suite.expect_that("the same ids", found.iter().all(|id| piped.stdout.contains(id.as_str())), &piped);
        suite.expect("another key", &verify(&suite, &name, "other.pub"), 1);
        expected.insert(name, found);
    }
    let unsigned = verify(&suite, "unsigned.tar", "p256.pub");
    suite.expect("not signed", &unsigned, 1);

    // The same for archives with a damaged header; that of the checksum is right.
    let whole = suite.peers.read("two.tar");
    let mut accepted = 0;
    for number in 0..MUTATED {
        let name = format!("mutated-{number}.tar");
        suite.peers.write(&name, mutated(&whole, number));
        let output = verify(&suite, &name, "p256.pub");
        if output.yes() {
            accepted += 1;
            expected.insert(name, ids(&output));
        }
    }
    println!("{accepted} of {MUTATED} mutated archives were verified");

    let archives = expected.keys().cloned().collect::<Vec<_>>().join(" ");
    let output = suite.peers.with_engines(&LOAD.replace("ARCHIVES", &archives)).must();
    let mut loaded = 0;
    for line in output.stdout.lines().filter_map(|line| line.strip_prefix("loaded ")) {
        let mut words = line.split(' ');
        let (_engine, archive) = (words.next().unwrap(), words.next().unwrap());
        let got: Ids = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // An engine may refuse what we accept, and then loads nothing.
        let refused = archive.starts_with("mutated") && got.is_empty();
        suite.expect_that(line, refused || got == expected[archive], &output);
        loaded += 1;
    }
    suite.expect_that("docker and podman load each", loaded == 2 * expected.len(), &output);
    suite.done();
}

fn verify(suite: &Suite, archive: &str, key: &str) -> PeerOutput {
    let archive = format!("docker-archive:{archive}");
    suite.peers.bulla(&["verify", &archive, "--evidence", "oci-archive:e.tar", "--key", key, "--output", "json"])
}

/// The image ids in a report.
fn ids(output: &PeerOutput) -> Ids {
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let images = report["results"][0]["images"].as_array().cloned().unwrap_or_default();
    images.iter().filter_map(|image| image["imageId"].as_str().map(str::to_owned)).collect()
}

/// The archive with another byte in one header, whose checksum is right. The same in every run.
fn mutated(whole: &[u8], number: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let headers: Vec<_> = (0..bytes.len()).step_by(512).filter(|at| bytes[at + 257..].starts_with(b"ustar")).collect();
    let fields = [0, 100, 108, 116, 135, 136, 156, 157, 265, 297, 329, 345];
    let (start, field) = (headers[number * 7 % headers.len()], fields[number % fields.len()]);
    bytes[start + field] = [b'0', b'a', b'7', b' '][number / fields.len() % 4];
    bytes[start + 148..start + 156].fill(b' ');
    let sum: u32 = bytes[start..start + 512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[start + 148..start + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

const MUTATED: usize = 24;

/// Builds two images and pushes them, and saves them with each engine. `unsigned` has other bytes under the name of the
/// first one.
const SAVE: &str = r#"
for image in app other unsigned; do
    mkdir $image
    head -c 20000 /dev/urandom > $image/data
    echo $image > $image/name
    printf 'FROM scratch\nCOPY data /data\nCOPY name /name\nCMD ["/name"]\n' > $image/Dockerfile
    DOCKER_BUILDKIT=0 docker build -q -t REGISTRY/$image:1.0 $image
done
docker push -q APP
docker push -q OTHER
docker save -o docker.tar APP
docker save -o two.tar APP OTHER
docker save -o unsigned.tar REGISTRY/unsigned:1.0
podman pull -q --tls-verify=false APP
podman save -q --format docker-archive -o podman.tar APP
buildah --root "$PWD/storage" --runroot /run/podman --storage-driver vfs push -q APP docker-archive:buildah.tar:APP
skopeo copy -q --src-tls-verify=false docker://APP docker-archive:skopeo.tar:APP
skopeo copy -q --src-tls-verify=false docker://OTHER docker-archive:skopeo-other.tar:OTHER
"#;

/// Loads each archive into an empty docker and an empty podman, and prints the image ids.
const LOAD: &str = r#"
for archive in ARCHIVES; do
    for engine in docker podman; do
        $engine rmi -f $($engine images -aq) >rmi.log 2>&1 || :
        $engine load -q -i $archive >load.log 2>&1 || :
        ids=$($engine images -a --no-trunc --format '{{.ID}}' 2>images.log | sort -u)
        echo loaded $engine $archive $ids
    done
done
"#;
