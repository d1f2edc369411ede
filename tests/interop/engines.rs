//! Container engines: what docker, podman, buildah, skopeo and crane save is verified from the file and from a pipe, and what
//! docker and podman load from it is what was verified. crane has the writer of ko and kaniko.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::thread;

use serde_json::Value;

use crate::mutations::Members;
use crate::peers::PeerOutput;
use crate::peers::Peers;
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
    let image = |name: &str| format!("{registry}/{name}:1.0");
    let (app, other, made) = (image("app"), image("other"), image("made"));
    suite.peers.with_engines(&SAVE.replace("APP", &app).replace("OTHER", &other).replace("REGISTRY", &registry)).must();
    suite.peers.with_buildkit(&SAVE_CONTAINERD.replace("APP", &app)).must();
    // bulla signs each with one key, and cosign with another one.
    for (image, [ours, theirs]) in
        [(&app, [Form::Bundle, Form::Tag]), (&other, [Form::Tag, Form::Bundle]), (&made, [Form::Bundle, Form::Bundle])]
    {
        suite.bulla_signs("p256.key", ours, image, &[]).must();
        suite.cosign_signs("rsa2048.key", theirs, image, &[]).must();
        suite.peers.bulla(&["copy", "--evidence", image, "oci-archive:e.tar"]).must();
        suite.peers.bulla(&["copy", image, "docker-archive:ours.tar"]).must();
    }

    let mut expected: BTreeMap<String, Ids> = BTreeMap::new();
    for (archive, images) in ARCHIVES {
        let name = format!("{archive}.tar");
        let output = verify(&suite.peers, &name, "p256.pub");
        suite.expect(archive, &output, 0);
        let found = ids(&output);
        suite.expect_that("so many images", found.len() == images, &output);
        let pipe = format!("bulla verify docker-archive:- --evidence oci-archive:e.tar --key p256.pub < {name}");
        let piped = suite.peers.shell(&pipe);
        suite.expect(&pipe, &piped, 0);
        suite.expect_that("the same ids", found.iter().all(|id| piped.stdout.contains(id.as_str())), &piped);
        let by_cosign = verify(&suite.peers, &name, "rsa2048.pub");
        suite.expect("signed by cosign", &by_cosign, 0);
        suite.expect_that("the same ids", ids(&by_cosign) == found, &by_cosign);
        suite.expect("another key", &verify(&suite.peers, &name, "other.pub"), 1);
        expected.insert(name, found);
    }
    let unsigned = verify(&suite.peers, "unsigned.tar", "p256.pub");
    suite.expect("not signed", &unsigned, 1);

    // The same for mutated archives.
    let (whole, unsigned_members) =
        (Members::of(&suite.peers.read("two.tar")), Members::of(&suite.peers.read("unsigned.tar")));
    let mut answers: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    let peers = &suite.peers;
    let verified = side_by_side(MUTATED, |number| {
        let name = format!("mutated-{number}.tar");
        peers.write(&name, whole.mutated(&unsigned_members, number));
        let output = verify(peers, &name, "p256.pub");
        let piped = peers.shell(&format!(
            "bulla verify docker-archive:- --evidence oci-archive:e.tar --key p256.pub --output json < {name}"
        ));
        (name, output, piped)
    });
    for (name, output, piped) in verified {
        suite.expect_that("a file and a pipe have one answer", output.yes() == piped.yes(), &piped);
        *answers.entry(output.code).or_default() += 1;
        match output.yes() {
            true => drop(expected.insert(name, ids(&output))),
            false => fs::remove_file(suite.peers.dir().join(name)).unwrap(),
        }
    }
    println!("{MUTATED} mutated archives, by exit status: {answers:?}");
    suite.expect_that(
        "some of each answer",
        answers.len() == 3 && answers.values().all(|count| *count > 20),
        &unsigned,
    );

    let archives = expected.keys().cloned().collect::<Vec<_>>().join(" ");
    let output = suite.peers.with_engines(&LOAD.replace("ARCHIVES", &archives)).must();
    let lines: Vec<_> = output.stdout.lines().filter_map(|line| line.strip_prefix("loaded ")).collect();
    let peers = &suite.peers;
    let verified = side_by_side(lines.len(), |number| {
        let mut words = lines[number].split(' ');
        let (engine, archive) = (words.next().unwrap(), words.next().unwrap());
        let got: Ids = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // An engine may refuse what we accept, and then loads nothing.
        let refused = archive.starts_with("mutated") && got.is_empty();
        // The layers, too, are those that were signed: what the engine saves again is verified.
        let again = (!refused).then(|| verify(peers, &format!("{engine}-{archive}"), "p256.pub"));
        (archive, got, again)
    });
    for (line, (archive, got, again)) in lines.iter().zip(&verified) {
        suite.expect_that(line, again.is_none() || *got == expected[*archive], &output);
        if let Some(again) = again {
            suite.expect_that(&format!("saved again: {line}"), again.yes() && ids(again) == expected[*archive], again);
        }
    }
    suite.expect_that("docker and podman load each", verified.len() == 2 * expected.len(), &output);
    suite.done();
}

/// The results for each number below `count`, in their order, from two threads.
fn side_by_side<T: Send>(count: usize, result: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let every_second = |first: usize| (first..count).step_by(2).map(&result).collect::<Vec<_>>();
    thread::scope(|scope| {
        let odd = scope.spawn(|| every_second(1));
        let (mut even, mut odd) = (every_second(0).into_iter(), odd.join().unwrap().into_iter());
        (0..count).map(|number| if number % 2 == 0 { even.next() } else { odd.next() }.unwrap()).collect()
    })
}

fn verify(peers: &Peers, archive: &str, key: &str) -> PeerOutput {
    let archive = format!("docker-archive:{archive}");
    peers.bulla(&["verify", &archive, "--evidence", "oci-archive:e.tar", "--key", key, "--output", "json"])
}

/// The image ids in a report.
fn ids(output: &PeerOutput) -> Ids {
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    let images = report["results"][0]["images"].as_array().cloned().unwrap_or_default();
    images.iter().filter_map(|image| image["imageId"].as_str().map(str::to_owned)).collect()
}

/// The archives, and how many images each has.
const ARCHIVES: [(&str, usize); 11] = [
    ("docker", 1),
    ("containerd", 1),
    ("two", 2),
    ("podman", 1),
    ("buildah", 1),
    ("skopeo", 1),
    ("skopeo-other", 1),
    ("umoci", 1),
    ("crane", 1),
    ("crane-two", 2),
    ("ours", 3),
];
const MUTATED: usize = 500;

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
crane --insecure pull APP crane.tar
crane --insecure pull APP OTHER crane-two.tar
umoci init --layout made
umoci new --image made:1.0
umoci insert --image made:1.0 app /app
skopeo copy -q --dest-tls-verify=false oci:made:1.0 docker://REGISTRY/made:1.0
skopeo copy -q oci:made:1.0 docker-archive:umoci.tar:REGISTRY/made:1.0
"#;

/// Saves an image with the image store of containerd, which keeps the manifest and the compressed layers of the registry.
const SAVE_CONTAINERD: &str = r"
docker pull -q APP
docker save -o containerd.tar APP
";

/// Loads each archive into an empty docker and an empty podman, prints the image ids, and saves what was loaded.
const LOAD: &str = r#"
load() {
    engine=$1 form=$2 ids=$($1 images -aq)
    for archive in ARCHIVES; do
        # Only what is listed needs to be removed.
        [ -z "$ids" ] || $engine rmi -f $ids >$engine-rmi.log 2>&1 || :
        $engine load -q -i $archive >$engine-load.log 2>&1 || :
        $engine images -a --no-trunc --format '{{.ID}}' >$engine-images 2>$engine-images.log
        ids=$(sort -u $engine-images)
        [ -z "$ids" ] || $engine save $form -o $engine-$archive $ids >$engine-save.log 2>&1
        echo loaded $engine $archive $ids
    done
}
load podman '--format docker-archive --multi-image-archive' &
podman=$!
load docker ''
wait $podman
"#;
