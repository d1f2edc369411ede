//! The images of slsa-verifier, with keyless provenance at the `.att` tag of cosign, evaluated by `ops::policy::evaluate`.

use std::fs;
use std::path::Path;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::ops::policy::PolicyOptions;
use bulla::ops::policy::PolicyVerdict;
use bulla::ops::policy::evaluate;
use bulla::policy_file::LoadedPolicy;
use bulla::store::Images;
use serde_json::Value;

use crate::scene::NAME;
use crate::scene::expected;
use crate::scene::keyless;
use crate::scene::now;
use crate::scene::policy;
use crate::scene::ready;
use crate::scene::root_of;
use crate::scene::try_policy;
use crate::vectors;

/// The layout with the attestations at the tag of cosign v2, which `cosign save` leaves out.
fn layout(folder: &Path, digest: &str) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    let blobs = made.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for blob in fs::read_dir(folder.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        fs::copy(blob.path(), blobs.join(blob.file_name())).unwrap();
    }
    fs::copy(folder.join("oci-layout"), made.path().join("oci-layout")).unwrap();
    let mut index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    for listed in index["manifests"].as_array_mut().unwrap() {
        let tag = match listed["annotations"]["kind"] == "dev.cosignproject.cosign/atts" {
            true => format!("{}.att", digest.replace(':', "-")),
            false => "image".to_owned(),
        };
        listed["annotations"]["org.opencontainers.image.ref.name"] = Value::String(tag);
    }
    fs::write(made.path().join("index.json"), index.to_string()).unwrap();
    made
}

/// `accepted`, or whether it is a no, with the code of the requirement.
fn outcome(layout: &Path, policy: &LoadedPolicy) -> String {
    let reference: Reference = format!("oci:{}:image", layout.display()).parse().unwrap();
    let images = Images::local(Limits::DEFAULT);
    let (source, tag_or_digest) = images.open(&reference).unwrap();
    let name = RepositoryName::normalised(NAME).unwrap();
    let limits = Limits::DEFAULT;
    let options = PolicyOptions::new(&name, now(), &limits);
    let outcome = ready(evaluate(source.as_ref(), &tag_or_digest, policy, options)).unwrap();
    match &outcome.verdict {
        PolicyVerdict::Accepted(..) => "accepted".to_owned(),
        PolicyVerdict::Unmet(_, refusal) if !refusal.is_undetermined() => refusal.requirements[0].code.to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The code for an error of slsa-verifier.
fn code(error: Option<&str>) -> &'static str {
    match error {
        None => "accepted",
        Some("ErrorUntrustedReusableWorkflow") => "unknown-builder",
        Some("ErrorMismatchSource") => "other-source",
        Some("ErrorInvalidRef" | "ErrorMismatchBranch" | "ErrorMismatchTag" | "ErrorMismatchVersionedTag") => {
            "other-ref"
        }
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn every_query_has_the_verdict_of_the_suite() {
    let Some(suite) = vectors::suite("slsa-images") else { return };
    let files = root_of(&suite);
    let generator =
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml";
    let (mut checked, mut others) = (0, Vec::new());
    for (version, case) in expected(&suite) {
        let made = layout(&suite.join("open").join(&version).join("layout"), case["digest"].as_str().unwrap());
        let workflow = format!("{generator}@refs/tags/{version}");
        for query in case["queries"].as_array().unwrap() {
            let text = |field: &str| query[field].as_str();
            let untrusted = query["builder_ids"].to_string().contains("not-trusted.yml");
            let builder = if untrusted { query["builder_ids"][0].as_str().unwrap() } else { &workflow };
            let builder = format!("{{ signed-by: signer, id: \"{builder}\", level: 3 }}");
            let reference = text("branch").map(|branch| format!("refs/heads/{branch}"));
            let tag = text("tag").or(text("versioned_tag")).map(|tag| format!("refs/tags/{tag}"));
            let reference = reference.or(tag).map_or_else(String::new, |full| format!(", ref: {full}"));
            let source = text("source").unwrap();
            let requirement =
                format!("provenance: {{ builders: [builder], slsa-level: 3, source: {source}{reference} }}");
            checked += 1;
            let Some(policy) = try_policy(&keyless(&workflow), &builder, &requirement, &files) else {
                // A host in upper case is no repository: an error of the policy.
                assert_eq!((text("error"), source.starts_with('A')), (Some("ErrorMismatchSource"), true));
                continue;
            };
            let (got, want) = (outcome(made.path(), &policy), code(text("error")));
            if got != want {
                others.push(format!("{version}: {}: {got}, not {want}", text("name").unwrap()));
            }
        }
        // No other workflow made one. All but one are indexes of BuildKit, which nobody signed.
        let builder = format!("{{ signed-by: signer, id: \"{workflow}\", level: 3 }}");
        let in_index = if version == "v1.4.0" { "no-index" } else { "index-not-signed" };
        for (name, from, want) in [
            (format!("{generator}@refs/tags/v0.0.1"), "attestation", "no-statement"),
            (workflow.clone(), "signed-index", in_index),
        ] {
            let requirement = format!("provenance: {{ builders: [builder], from: [{from}] }}");
            let got = outcome(made.path(), &policy(&keyless(&name), &builder, &requirement, &files));
            if got != want {
                others.push(format!("{version}: {from} of {name}: {got}, not {want}"));
            }
        }
    }
    assert_eq!(others, DISAGREEMENTS);
    assert!(checked >= 63, "{checked}");
}

/// These were built from a tag. The suite takes the branch from the event that GitHub sent; a policy compares the ref that was
/// built.
const DISAGREEMENTS: [&str; 2] = [
    "v1.10.0: valid main branch set: other-ref, not accepted",
    "v2.0.0: valid main branch set: other-ref, not accepted",
];
