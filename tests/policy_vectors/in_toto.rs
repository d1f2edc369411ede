//! Attestations of in-toto tools: a bundle of npm in the format 0.1, and a collection of witness.

use std::collections::BTreeMap;
use std::fs;

use bulla::digest::Digest;

use crate::scene::MemoryFiles;
use crate::scene::claims;
use crate::scene::keyless;
use crate::scene::policy;
use crate::scene::root_of;
use crate::scene::verdict;
use crate::vectors;

#[test]
fn a_bundle_of_npm_is_accepted_for_its_builder() {
    let (Some(suite), Some(slsa)) = (vectors::suite("in-toto"), vectors::suite("slsa-provenance")) else { return };
    let file = fs::read(suite.join("open/ampel/e2e_testdata_github-actions-bundle.json")).unwrap();
    let digest = "sha512:76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751";
    let subject: Digest = digest.parse().unwrap();
    let files = root_of(&slsa);
    let claimed = claims(subject, &file).unwrap();
    let builder = format!("{{ signed-by: signer, id: \"{}\", level: 2 }}", claimed.builder);
    for (requirement, want) in [
        ("provenance: { builders: [builder], source: github.com/sigstore/sigstore-js }", "accepted"),
        ("provenance: { builders: [builder], source: github.com/sigstore/sigstore }", "refused: other-source"),
        ("provenance: { builders: [builder], ref: refs/heads/main }", "accepted"),
        ("provenance: { builders: [builder], ref: refs/heads/none }", "refused: other-ref"),
        ("provenance: { builders: [builder], max-age: 30d }", "refused: too-old"),
        ("provenance: { builders: [builder], max-age: 36500d, time: trusted }", "accepted"),
    ] {
        let policy = policy(&keyless(&claimed.name), &builder, requirement, &files);
        assert_eq!(verdict(&policy, subject, &file), want, "{requirement}");
    }
}

/// A collection of witness has no time, and only the newest statement of an owner counts: without a time none is known to be.
#[test]
fn a_collection_of_witness_has_no_time() {
    let Some(suite) = vectors::suite("in-toto") else { return };
    let file = fs::read(suite.join("open/witness/cdx-att.json")).unwrap();
    let subject: Digest = "sha256:23b078b208f617fbf117bcedcae3a2b6a454085f8c8c3b73cc74fe9750f34bd3".parse().unwrap();
    let collection = "statement: { by: [signer], max-age: 30d, \
                      type: \"https://witness.testifysec.com/attestation-collection/v0.1\" }";
    let of_any_age = collection.replace("30d", "none");
    let key = |name: &str| {
        let key = fs::read(suite.join("shared/witness").join(name)).unwrap();
        MemoryFiles(BTreeMap::from([("key.pem", key)]))
    };
    for (name, requirement, want) in [
        ("testpub.pem", collection, "refused: no-time"),
        ("testpub.pem", &of_any_age, "accepted"),
        ("testpub2.pem", collection, "refused: no-trusted-key"),
        ("testpub.pem", "sbom: { by: [signer] }", "refused: wrong-kind"),
    ] {
        let policy = policy("{ keys: [{ file: key.pem }] }", "", requirement, &key(name));
        assert_eq!(verdict(&policy, subject, &file), want, "{name} {requirement}");
    }
}
