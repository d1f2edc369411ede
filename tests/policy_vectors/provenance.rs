//! The provenance files of slsa-verifier: Sigstore bundles, envelopes without proof of their time, files of Google Cloud
//! Build, lists of npm, and a verification summary.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bulla::digest::Digest;
use serde_json::Value;

use crate::scene::Claims;
use crate::scene::MemoryFiles;
use crate::scene::claims;
use crate::scene::expected;
use crate::scene::keyless;
use crate::scene::policy;
use crate::scene::root_of;
use crate::scene::verdict;
use crate::vectors;

/// A file of a case, and the digest that it must be about.
struct Case {
    file: Vec<u8>,
    subject: Digest,
}

impl Case {
    fn of(folder: &Path, case: &Value) -> Option<Self> {
        let file = fs::read(folder.join(case["provenance"].as_str()?)).ok()?;
        let sha512 = case["subject_sha512"].as_str().map(|hex| format!("sha512:{hex}"));
        let sha256 = case["subject_sha256"].as_str().map(|hex| format!("sha256:{hex}"));
        let digest = sha512.or(sha256).or_else(|| Some(case["digest"].as_str()?.to_owned()))?;
        Some(Self { file, subject: digest.parse().ok()? })
    }

    fn verdict(&self, identity: &str, builder: &str, source: &str, files: &MemoryFiles) -> String {
        let builder = format!("{{ signed-by: signer, id: \"{builder}\", level: 3 }}");
        let requirement = format!("provenance: {{ builders: [builder]{source} }}");
        verdict(&policy(&keyless(identity), &builder, &requirement, files), self.subject, &self.file)
    }
}

/// Every file that is a Sigstore bundle, also in the lists of npm, is accepted for its own signer, builder and source, and
/// refused by its reason for another one of each.
#[test]
fn bundles_are_accepted_for_their_own_signer_builder_and_source_alone() {
    let Some(suite) = vectors::suite("slsa-provenance") else { return };
    let files = root_of(&suite);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut others = Vec::new();
    for (name, case) in expected(&suite) {
        let Some(found) = Case::of(&suite.join("open").join(&name), &case) else { continue };
        let Some(Claims { builder, name: signer, source }) = claims(found.subject, &found.file) else { continue };
        let own = source.as_ref().map_or_else(String::new, |source| format!(", source: {source}"));
        let accepted = found.verdict(&signer, &builder, &own, &files);
        let kind = name.split("__").next().unwrap().to_owned();
        *seen.entry(format!("{kind}: {accepted}")).or_default() += 1;
        let want = if case["expect"] == "reject" { "refused" } else { "accepted" };
        if !accepted.starts_with(want) {
            others.push(format!("{name}: {accepted}, and the suite says {want}"));
        }
        if accepted != "accepted" {
            continue;
        }
        let mut refused = |what: &str, verdict: String, code: &str| {
            // A list of npm has a second attestation, by a key.
            let is_it = verdict.starts_with("refused: ") && verdict.split(' ').any(|found| found == code);
            if !is_it {
                others.push(format!("{name}: another {what}: {verdict}, not {code}"));
            }
        };
        let other = |identity: &str, builder: &str, source: &str| found.verdict(identity, builder, source, &files);
        refused("signer", other(&format!("{signer}x"), &builder, &own), "certificate-identity");
        refused("builder", other(&signer, &format!("{builder}x"), &own), "unknown-builder");
        let code = if source.is_some() { "other-source" } else { "unknown-build-type" };
        refused("source", other(&signer, &builder, ", source: github.com/mallory/app"), code);
        let elsewhere = Digest::of(found.subject.algorithm(), b"elsewhere");
        let elsewhere = Case { file: found.file.clone(), subject: elsewhere };
        assert_eq!(elsewhere.verdict(&signer, &builder, &own, &files), "refused: ", "{name}");
    }
    assert_eq!(others, DISAGREEMENTS, "{seen:#?}");
    let counts = [
        ("bcr: refused: certificate-names-another-repository", 1),
        ("gha_container-based: accepted", 5),
        ("gha_delegator: accepted", 12),
        ("gha_generic: accepted", 4),
        ("gha_go: accepted", 1),
        ("gha_gradle: accepted", 3),
        ("gha_maven: accepted", 3),
        ("npm: accepted", 5),
        ("npm: refused: no-trusted-key signature", 5),
    ];
    assert_eq!(seen, counts.map(|(what, count)| (what.to_owned(), count)).into());
}

/// npm also signs a publication, with a key of its own. The suite wants it too; a policy about provenance does not ask for it.
const DISAGREEMENTS: [&str; 2] = [
    "npm__gha__provenance-npm-test-cli-v1-prega-invalidsigpub.tgz.json: accepted, and the suite says refused",
    "npm__gha__provenance-npm-test-ossf-invalidsigpub.tgz.json: accepted, and the suite says refused",
];

/// Envelopes with a certificate and without proof of their time, and files of Google Cloud Build, are never accepted.
#[test]
fn files_without_proof_of_their_time_are_not_accepted() {
    let Some(suite) = vectors::suite("slsa-provenance") else { return };
    let files = root_of(&suite);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (name, case) in expected(&suite) {
        let Some(found) = Case::of(&suite.join("open").join(&name), &case) else { continue };
        if claims(found.subject, &found.file).is_some() {
            continue;
        }
        let builder = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/*";
        let signer = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/v2.1.0";
        let verdict = found.verdict(signer, builder, "", &files);
        let kind = if name.starts_with("gcb_container") { "Google Cloud Build" } else { "envelope" };
        *seen.entry(format!("{kind}: {verdict}")).or_default() += 1;
    }
    // The certificate of these envelopes is in a field beside the signature, which is not part of DSSE.
    let counts = [("Google Cloud Build: could not tell: ", 32), ("envelope: refused: no-trusted-key", 19)];
    assert_eq!(seen, counts.map(|(what, count)| (what.to_owned(), count)).into());
}

/// The summary of Google names no digest of a policy, and its resource is no repository: signed as it is, no `vsa`
/// requirement can name it.
#[test]
fn the_real_summary_is_refused_by_its_reason() {
    let Some(suite) = vectors::suite("slsa-provenance") else { return };
    let folder = suite.join("open/vsa__gce__v1__gke-gce-pre.bcid-vsa.jsonl");
    let files = MemoryFiles(BTreeMap::from([("key.pem", fs::read(folder.join("key.pem")).unwrap())]));
    let file = fs::read(folder.join("vsa.jsonl")).unwrap();
    let any = format!("sha256:{}", "a".repeat(64));
    let requirement = format!(
        "vsa: {{ by: [signer], max-age: none, exceptions: accept, policies: [\"{any}\"], \
         verifier: \"https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1\" }}"
    );
    let policy = policy("{ keys: [{ file: key.pem }] }", "", &requirement, &files);
    // Its subject has no digest that names content, so it may be about anything; and its signature is not in DER.
    assert_eq!(verdict(&policy, Digest::sha256(b"any"), &file), "refused: no-trusted-key");
}
