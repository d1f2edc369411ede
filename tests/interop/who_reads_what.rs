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
    suite.peers.bulla(&["cert", "new", "-o", "ca", "--no-passphrase"]).must();
    for name in ["app", "other"] {
        suite.peers.bulla(&["sign", &image(name), "--key", "p256.key"]).must();
        let image = image(name);
        suite.peers.bulla(&SIGN_NOTARY.map(|word| if word == "IMAGE" { image.as_str() } else { word })).must();
    }
    for (name, destination) in [
        ("app", "oci:oci-signed:1.0"),
        ("app", "oci-archive:oci-archive-signed.tar:1.0"),
        ("app", "docker-archive:docker-archive-signed.tar"),
        ("app", "oci:oci-signed-two:app"),
        ("other", "oci:oci-signed-two:other"),
        ("app", "oci-archive:oci-archive-signed-two.tar:app"),
        ("other", "oci-archive:oci-archive-signed-two.tar:other"),
        ("app", "docker-archive:docker-archive-signed-two.tar"),
        ("other", "docker-archive:docker-archive-signed-two.tar"),
        ("app", "oci-archive:oci-archive-signed-full.tar"),
        ("app", "oci-archive:oci-archive-signed-two-full.tar"),
        ("other", "oci-archive:oci-archive-signed-two-full.tar"),
    ] {
        suite.peers.bulla(&["copy", &image(name), destination]).must();
    }
    let syft = suite.peers.add_syft();
    let cells = CELLS.replace("REGISTRY", &registry);
    let output = suite.peers.with_engines(&format!("{cells}{READ}")).must();
    let containerd = suite.peers.with_buildkit(&format!("{cells}{READ_CONTAINERD}")).must();
    let lines = output.stdout.lines().chain(containerd.stdout.lines());
    let read: BTreeMap<Cell, String> = lines.filter_map(cell).filter(|((tool, _), _)| syft || tool != "syft").collect();
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/interop.md")).unwrap();
    let mut table = table(&page);
    table.retain(|(tool, _), _| syft || tool != "syft");
    suite.expect_that("as many cells as the table has", read.len() == table.len() && read.len() > 100, &output);
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

/// Signs an image as notation does.
const SIGN_NOTARY: [&str; 8] =
    ["sign", "IMAGE", "--format", "notary-jws", "--key", "ca/signer.key", "--cert-chain", "ca/chain.pem"];

/// Two images with OCI manifests in the registry, one of them also in a repository without signatures, and what Docker and
/// skopeo save of them.
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
    skopeo copy -q --src-tls-verify=false docker://REGISTRY/$image:1.0 oci:oci-two:$image
    skopeo copy -q --src-tls-verify=false docker://REGISTRY/$image:1.0 oci:oci-two-full:REGISTRY/$image:1.0
done
docker save -o docker-archive.tar REGISTRY/app:1.0
docker save -o docker-archive-two.tar REGISTRY/app:1.0 REGISTRY/other:1.0
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false docker://REGISTRY/app:1.0 docker://REGISTRY/plain:1.0
skopeo copy -q --src-tls-verify=false docker://REGISTRY/app:1.0 oci:oci:1.0
skopeo copy -q --src-tls-verify=false docker://REGISTRY/app:1.0 oci-archive:oci-archive.tar:1.0
skopeo copy -q --src-tls-verify=false docker://REGISTRY/app:1.0 oci-archive:oci-archive-full.tar:REGISTRY/app:1.0
for form in two two-full; do tar -C oci-$form -cf oci-archive-$form.tar .; done
"#;

/// What both scripts below begin with.
const CELLS: &str = r#"
R=REGISTRY
skopeo inspect --raw --tls-verify=false docker://$R/app:1.0 > raw.json
id=$(jq -r .config.digest raw.json) digest=sha256:$(sha256sum < raw.json | cut -d ' ' -f 1)
cell() {
    tool=$1 form=$2
    shift 2
    if "$@" >cell.log 2>&1; then echo "cell $tool $form yes"; else echo "cell $tool $form no $(tail -n 1 cell.log)"; fi
}
ctr() { command ctr -a /run/docker/containerd/containerd.sock "$@"; }
tag() { case $1 in *-two) echo app ;; *) echo 1.0 ;; esac; }
OCI='oci oci-two oci-signed oci-signed-two'
OCI_ARCHIVE='oci-archive oci-archive-two oci-archive-signed oci-archive-signed-two'
DOCKER_ARCHIVE='docker-archive docker-archive-two docker-archive-signed docker-archive-signed-two'
"#;

/// Reads each form with each tool, from an empty store, and prints whether the image with the right id is there.
const READ: &str = r#"
crane() { command crane --insecure "$@"; }
buildah() { command buildah --root "$PWD/storage" --runroot /run/podman --storage-driver vfs "$@"; }
syft() { env SYFT_CHECK_FOR_APP_UPDATE=false SYFT_REGISTRY_INSECURE_USE_HTTP=true ./syft scan -q -o syft-json "$@"; }
loads() {
    engine=$1
    shift
    $engine rmi -f $($engine images -aq) >rmi.log 2>&1 || :
    "$@" && $engine images -a --no-trunc --format '{{.ID}}' | grep -q "${id#sha256:}"
}
shows() { "$@" | grep -q "${id#sha256:}"; }
lists() { "$@" | grep -q application/vnd.cncf.notary.signature; }
# Each form has a namespace of its own, which is empty.
imports() {
    form=$1
    shift
    ctr -n $form images "$@" && ctr -n $form content ls -q | grep -q "${id#sha256:}"
}
# What is pushed names the image by its config, and an index by its manifest.
pushes() {
    crane push "$@" $R/crane:$form && crane manifest $R/crane:$form | grep -q -e "${id#sha256:}" -e "${digest#sha256:}"
}
for form in registry registry-signed; do
    case $form in *-signed) at=$R/app:1.0 ;; *) at=$R/plain:1.0 ;; esac
    cell docker $form loads docker docker pull -q $at
    cell podman $form loads podman podman pull -q --tls-verify=false $at
    cell buildah $form loads buildah buildah pull -q --tls-verify=false $at
    cell skopeo $form shows skopeo inspect --raw --tls-verify=false docker://$at
    cell oras $form shows oras manifest fetch --plain-http $at
    cell ctr $form imports $form pull --plain-http --local $at
    cell crane $form shows crane manifest $at
    cell syft $form shows syft registry:$at
done
cell cosign registry-signed cosign verify --key p256.pub --insecure-ignore-tlog --allow-http-registry $R/app:1.0
cell notation registry-signed lists notation list --insecure-registry $R/app:1.0
for form in $OCI; do
    at=$form:$(tag $form)
    cell podman $form loads podman podman pull -q oci:$at
    cell buildah $form loads buildah buildah pull -q oci:$at
    cell skopeo $form shows skopeo inspect --raw oci:$at
    cell oras $form shows oras manifest fetch --oci-layout $at
    case $form in oci) index= ;; *) index=--index ;; esac
    cell crane $form pushes $index $form
    cell umoci $form umoci stat --image $at
    cell syft $form shows syft oci-dir:$form
done
for form in oci-signed oci-signed-two; do
    cell cosign $form cosign verify --key p256.pub --insecure-ignore-tlog --local-image $form
    cell notation $form lists env NOTATION_EXPERIMENTAL=1 notation list --oci-layout $form:$(tag $form)
done
for form in $OCI_ARCHIVE; do
    at=$form.tar:$(tag $form)
    cell docker $form loads docker docker load -q -i $form.tar
    cell podman $form loads podman podman pull -q oci-archive:$at
    cell buildah $form loads buildah buildah pull -q oci-archive:$at
    cell skopeo $form shows skopeo inspect --raw oci-archive:$at
    cell oras $form shows oras manifest fetch --oci-layout $at
    cell ctr $form imports $form import --no-unpack --all-platforms --local $form.tar
    cell crane $form pushes $form.tar
    cell syft $form shows syft oci-archive:$form.tar
done
for form in $DOCKER_ARCHIVE; do
    at=$form.tar:$R/app:1.0
    cell docker $form loads docker docker load -q -i $form.tar
    cell podman $form loads podman podman load -q -i $form.tar
    cell buildah $form loads buildah buildah pull -q docker-archive:$at
    cell skopeo $form shows skopeo inspect --raw docker-archive:$at
    cell oras $form shows oras manifest fetch --oci-layout $form.tar@$digest
    cell ctr $form imports $form import --no-unpack --all-platforms --local $form.tar
    cell crane $form pushes $form.tar
    cell syft $form shows syft docker-archive:$form.tar
done
"#;

/// The cells of Docker with the image store of containerd, which has the config of what it loaded. It shows no image whose
/// name in an OCI archive is a tag alone.
const READ_CONTAINERD: &str = r#"
loads() {
    docker rmi -f $(docker images -aq) >rmi.log 2>&1 || :
    "$@" && docker images -q | grep -q . && ctr -n moby content ls -q | grep -q "${id#sha256:}"
}
cell docker-containerd registry loads docker pull -q $R/plain:1.0
cell docker-containerd registry-signed loads docker pull -q $R/app:1.0
for form in $OCI_ARCHIVE $DOCKER_ARCHIVE; do
    case $form in oci-*) file=$form-full.tar ;; *) file=$form.tar ;; esac
    cell docker-containerd $form loads docker load -q -i $file
done
"#;
