//! docs/interop.md, "Who reads what": every cell of its table is a command that is run, and its outcome.

use std::collections::BTreeMap;
use std::fs;

use crate::suite::Api;
use crate::suite::Suite;
use crate::suite::TestRegistry;

/// A tool and a form.
type Cell = (String, String);

pub fn the_table_is_what_tools_read() {
    let Some(mut suite) = Suite::start(Api::Absent) else { return };
    if !suite.peers.have_engines() {
        return;
    }
    let registry = match &suite.registry {
        TestRegistry::Debian(registry) => registry.address.clone(),
        TestRegistry::Quirk(_) => unreachable!("the registry is Debian's"),
    };
    suite.peers.with_engines(&MAKE.replace("REGISTRY", &registry)).must();
    let image = |name: &str| format!("{registry}/{name}:1.0");
    for name in ["app", "other"] {
        suite.peers.bulla(&["sign", &image(name), "--key", "p256.key"]).must();
    }
    for (name, destination) in [
        ("app", "oci:oci-signed:1.0"),
        ("app", "oci-archive:oci-archive-signed.tar:1.0"),
        ("app", "docker-archive:docker-archive-signed.tar"),
        ("app", "oci:oci-two:app"),
        ("other", "oci:oci-two:other"),
        ("app", "oci-archive:oci-archive-two.tar:app"),
        ("other", "oci-archive:oci-archive-two.tar:other"),
        ("app", "docker-archive:docker-archive-signed-two.tar"),
        ("other", "docker-archive:docker-archive-signed-two.tar"),
    ] {
        suite.peers.bulla(&["copy", &image(name), destination]).must();
    }
    let output = suite.peers.with_engines(&READ.replace("REGISTRY", &registry)).must();
    let read: BTreeMap<Cell, String> = output.stdout.lines().filter_map(cell).collect();
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/interop.md")).unwrap();
    let table = table(&page);
    suite.expect_that("as many cells as the table has", read.len() == table.len() && read.len() > 60, &output);
    for (cell, wanted) in &table {
        suite.expect_that(&format!("{cell:?}: the table says {wanted}"), read.get(cell) == Some(wanted), &output);
    }
    suite.done();
}

/// The outcome of one command.
fn cell(line: &str) -> Option<(Cell, String)> {
    let mut words = line.strip_prefix("cell ")?.split(' ');
    let (tool, form, outcome) = (words.next()?, words.next()?, words.next()?);
    Some(((tool.to_owned(), form.to_owned()), outcome.to_owned()))
}

/// The cells of the first table of the page, without those that name no form of the tool.
fn table(page: &str) -> BTreeMap<Cell, String> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let mut rows =
        page.lines().skip_while(|line| !line.starts_with("| tool |")).take_while(|line| line.starts_with('|'));
    let forms = cells(rows.next().unwrap());
    let mut table = BTreeMap::new();
    for row in rows.skip(1).map(cells) {
        for (form, outcome) in forms.iter().zip(&row).skip(1).filter(|(_, outcome)| *outcome != "-") {
            table.insert((row[0].clone(), form.clone()), outcome.clone());
        }
    }
    table
}

/// Two images with OCI manifests in the registry, and what Docker and skopeo save of them.
const MAKE: &str = r#"
for image in app other; do
    mkdir $image
    head -c 20000 /dev/urandom > $image/data
    echo $image > $image/name
    printf 'FROM scratch\nCOPY data /data\nCOPY name /name\nCMD ["/name"]\n' > $image/Dockerfile
    DOCKER_BUILDKIT=0 docker build -q -t REGISTRY/raw-$image:1.0 $image
    docker push -q REGISTRY/raw-$image:1.0
    skopeo copy -q --format oci --src-tls-verify=false --dest-tls-verify=false \
        docker://REGISTRY/raw-$image:1.0 docker://REGISTRY/$image:1.0
    docker pull -q REGISTRY/$image:1.0
done
docker save -o docker-archive.tar REGISTRY/app:1.0
docker save -o docker-archive-two.tar REGISTRY/app:1.0 REGISTRY/other:1.0
skopeo copy -q --src-tls-verify=false docker://REGISTRY/app:1.0 oci:oci:1.0
skopeo copy -q --src-tls-verify=false docker://REGISTRY/app:1.0 oci-archive:oci-archive.tar:1.0
"#;

/// Reads each form with each tool, from an empty store, and prints whether the image with the right id is there.
const READ: &str = r#"
R=REGISTRY
skopeo inspect --raw --tls-verify=false docker://$R/app:1.0 > raw.json
id=$(jq -r .config.digest raw.json) digest=sha256:$(sha256sum < raw.json | cut -d ' ' -f 1)
crane() { command crane --insecure "$@"; }
buildah() { command buildah --root "$PWD/storage" --runroot /run/podman --storage-driver vfs "$@"; }
ctr() { command ctr -a /run/docker/containerd/containerd.sock "$@"; }
cell() {
    tool=$1 form=$2
    shift 2
    if "$@" >cell.log 2>&1; then echo "cell $tool $form yes"; else echo "cell $tool $form no $(tail -n 1 cell.log)"; fi
}
loads() {
    engine=$1
    shift
    $engine rmi -f $($engine images -aq) >rmi.log 2>&1 || :
    "$@" && $engine images -a --no-trunc --format '{{.ID}}' | grep -q "${id#sha256:}"
}
shows() { "$@" | grep -q "${id#sha256:}"; }
imports() {
    ctr images rm $(ctr images ls -q) >rm.log 2>&1 || :
    ctr images import --no-unpack --all-platforms --local $1 && [ -n "$(ctr images ls -q)" ]
}
# What is pushed names the image by its config, and an index by its manifest.
pushes() {
    crane push "$@" $R/crane:$form && crane manifest $R/crane:$form | grep -q -e "${id#sha256:}" -e "${digest#sha256:}"
}
tag() { case $1 in *-two) echo app ;; *) echo 1.0 ;; esac; }
cell docker registry loads docker docker pull -q $R/app:1.0
cell podman registry loads podman podman pull -q --tls-verify=false $R/app:1.0
cell buildah registry loads buildah buildah pull -q --tls-verify=false $R/app:1.0
cell skopeo registry shows skopeo inspect --raw --tls-verify=false docker://$R/app:1.0
cell oras registry shows oras manifest fetch --plain-http $R/app:1.0
cell ctr registry ctr images pull --plain-http --local $R/app:1.0
cell crane registry shows crane manifest $R/app:1.0
cell cosign registry cosign verify --key p256.pub --insecure-ignore-tlog --allow-http-registry $R/app:1.0
cell notation registry notation list --insecure-registry $R/app:1.0
for form in oci oci-signed oci-two; do
    at=$form:$(tag $form)
    cell podman $form loads podman podman pull -q oci:$at
    cell buildah $form loads buildah buildah pull -q oci:$at
    cell skopeo $form shows skopeo inspect --raw oci:$at
    cell oras $form shows oras manifest fetch --oci-layout $at
    case $form in oci) index= ;; *) index=--index ;; esac
    cell crane $form pushes $index $form
    cell umoci $form umoci stat --image $at
    cell notation $form env NOTATION_EXPERIMENTAL=1 notation list --oci-layout $at
    cell cosign $form cosign verify --key p256.pub --insecure-ignore-tlog --local-image $form
done
for form in oci-archive oci-archive-signed oci-archive-two; do
    at=$form.tar:$(tag $form)
    cell docker $form loads docker docker load -q -i $form.tar
    cell podman $form loads podman podman pull -q oci-archive:$at
    cell buildah $form loads buildah buildah pull -q oci-archive:$at
    cell skopeo $form shows skopeo inspect --raw oci-archive:$at
    cell oras $form shows oras manifest fetch --oci-layout $at
    cell ctr $form imports $form.tar
    cell crane $form pushes $form.tar
done
for form in docker-archive docker-archive-two docker-archive-signed docker-archive-signed-two; do
    at=$form.tar:$R/app:1.0
    cell docker $form loads docker docker load -q -i $form.tar
    cell podman $form loads podman podman load -q -i $form.tar
    cell buildah $form loads buildah buildah pull -q docker-archive:$at
    cell skopeo $form shows skopeo inspect --raw docker-archive:$at
    cell oras $form shows oras manifest fetch --oci-layout $form.tar@$digest
    cell ctr $form imports $form.tar
    cell crane $form pushes $form.tar
done
"#;
