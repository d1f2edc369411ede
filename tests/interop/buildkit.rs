//! BuildKit: an index that `docker buildx build` made, with provenance beside its platforms, counts by a policy once cosign or
//! bulla signed it; an index that buildah made of the same platforms has none.

use serde_json::Value;

use crate::peers::PeerOutput;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;
use crate::suite::TestRegistry;

pub fn provenance_of_buildkit_counts_in_a_signed_index() {
    let Some(mut suite) = Suite::start(Api::Absent) else { return };
    if !suite.peers.have_engines() {
        return;
    }
    let registry = match &suite.registry {
        TestRegistry::Debian(registry) => registry.address.clone(),
        TestRegistry::Quirk(_) => unreachable!("the registry is Debian's"),
    };
    suite.peers.with_buildkit(&BUILD.replace("REGISTRY", &registry)).must();
    suite.peers.write("policy.yaml", POLICY.replace("REGISTRY", &registry));
    let (kit, plain) = (format!("{registry}/kit:1"), format!("{registry}/plain:1"));
    suite.peers.bulla(&["copy", "oci-archive:kit.tar:1", &kit]).must();

    let refused = verify(&suite, &kit, &[]);
    suite.expect("nobody signed the index", &refused, 1);
    suite.expect_that("by its reason", code(&refused) == "index-not-signed", &refused);
    suite.cosign_signs("p256.key", Form::Tag, &kit, &[]).must();
    let accepted = verify(&suite, &kit, &[]);
    suite.expect("cosign signed the index", &accepted, 0);
    for platform in ["linux/amd64", "linux/arm64"] {
        let accepted = verify(&suite, &kit, &["--platform", platform]);
        suite.expect(platform, &accepted, 0);
    }
    let import = ["import", &kit, "oci:inside:1", "--policy", "policy.yaml", "--as", "registry.example/app"];
    let imported = suite.peers.bulla(&import);
    suite.expect("the import carries the signature", &imported, 0);
    let inside = verify(&suite, "oci:inside:1", &[]);
    suite.expect("inside", &inside, 0);
    let tree = suite.peers.bulla(&["tree", &kit]);
    suite.expect("tree", &tree, 0);
    let both = ["amd64", "arm64"].iter().all(|one| tree.stdout.contains(&format!("attestations of linux/{one}")));
    suite.expect_that(
        "each platform is named",
        both && tree.stdout.contains("built by https://builder.example/a"),
        &tree,
    );

    // The same platforms in an index of buildah, which leaves the attestation manifests out.
    suite.bulla_signs("p256.key", Form::Bundle, &plain, &[]).must();
    let refused = verify(&suite, &plain, &[]);
    suite.expect("an index of buildah has no provenance", &refused, 1);
    suite.expect_that("by its reason", code(&refused) == "no-statement", &refused);
    suite.done();
}

fn verify(suite: &Suite, image: &str, more: &[&str]) -> PeerOutput {
    let first = ["verify", image, "--policy", "policy.yaml", "--output", "json"];
    // A local place has no name.
    let name: &[&str] = if image.starts_with("oci:") { &["--as", "registry.example/app"] } else { &[] };
    suite.peers.bulla(&[&first[..], name, more].concat())
}

fn code(output: &PeerOutput) -> String {
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    report["results"][0]["policies"][0]["requirements"][0]["code"].as_str().unwrap_or_default().to_owned()
}

const POLICY: &str = "bulla-policy: 1
identities:
  release: { keys: [{ file: p256.pub }] }
builders:
  kit: { signed-by: release, id: \"https://builder.example/a\", level: 1 }
images:
  - match: [\"REGISTRY/*\", registry.example/app]
    require:
      - provenance: { builders: [kit], slsa-level: 1, from: [signed-index] }
      - signature: { by: [release] }
";

/// Builds one index with BuildKit, and pushes an index of the same platforms that buildah made.
const BUILD: &str = r#"
mkdir app
head -c 2000 /dev/urandom > app/data
printf 'FROM scratch\nCOPY data /data\n' > app/Dockerfile
docker buildx build -q --platform linux/amd64,linux/arm64 -t app:1 --output type=oci,dest=kit.tar \
    --provenance=mode=max,builder-id=https://builder.example/a app
buildah() { command buildah --root "$PWD/storage" --runroot /run/podman --storage-driver vfs "$@"; }
buildah manifest create plain
for architecture in amd64 arm64; do
    printf 'FROM scratch\nCOPY data /data\n' | buildah build -q --platform linux/$architecture -t $architecture -f - app
    buildah manifest add plain $architecture
done
buildah manifest push -q --all --tls-verify=false plain docker://REGISTRY/plain:1
"#;
