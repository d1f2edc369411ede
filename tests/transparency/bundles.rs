//! The bundles of the conformance suite and of client test suites: their log entries and certificate timestamps, by reason.

use std::collections::BTreeMap;

use bulla::trust::sigstore::TrustedRoot;

use crate::case::Case;
use crate::case::expected;
use crate::vectors;

/// What is found about the log entries, and about the certificate timestamps.
type Outcomes = &'static [(&'static str, &'static str, &'static str)];

/// Cases that are to be refused and whose logs are in order: a later step refuses them.
const LATER: [(&str, &str); 3] = [
    ("integrated-time-in-future_fail", "the certificate was not valid at the integrated time"),
    ("intoto-expired-certificate_fail", "the certificate authority was not trusted when the certificate was issued"),
    ("java-bundle-with-expired-cert.sigstore", "the certificate was not valid at the integrated time"),
];

/// Accepted without a log: a trust root of GitHub that has none.
const WITHOUT_LOG: [&str; 1] = ["java-github-private-no-tlog"];

#[test]
fn the_conformance_suite_has_its_outcomes() {
    check("sigstore-conformance", CONFORMANCE);
}

#[test]
fn the_bundles_of_clients_have_their_outcomes() {
    check("sigstore-bundles", CLIENTS);
}

/// The signed time of this bundle was left out. Its suite has a root without the log of the entry.
#[test]
fn without_a_signed_time_an_entry_has_no_time() {
    let Some(suite) = vectors::suite("sigstore-bundles") else { return };
    let cases: BTreeMap<_, _> = expected(&suite).into_iter().collect();
    let name = "py-bundle_v3_no_signed_time.txt";
    let case = Case::read(&suite, name, &cases[name]);
    let root: TrustedRoot = Case::read(&suite, "rust-happy-path", &cases["rust-happy-path"]).root;
    assert_eq!(Case { root, ..case }.verdict(), "log-entry-time");
}

fn check(suite: &str, outcomes: Outcomes) {
    let Some(suite) = vectors::suite(suite) else { return };
    let mut found = Vec::new();
    for (name, expected) in expected(&suite) {
        let case = Case::read(&suite, &name, &expected);
        let (logs, certificate) = (case.verdict(), case.certificate_timestamps());
        let accepted = logs == "verified" && ["verified", "no certificate"].contains(&certificate.as_str());
        match expected["expect"].as_str().unwrap() {
            "accept" => assert!(accepted || WITHOUT_LOG.contains(&name.as_str()), "{name}: {logs}, {certificate}"),
            "reject" => {
                assert_eq!(accepted, LATER.iter().any(|(later, _)| *later == name), "{name}: {logs}, {certificate}");
            }
            _ => (),
        }
        found.push((name, logs, certificate));
    }
    let found: Vec<_> = found.iter().map(|(name, logs, sct)| (name.as_str(), logs.as_str(), sct.as_str())).collect();
    assert_eq!(found, outcomes);
}

const CONFORMANCE: Outcomes = &[
    ("bundle-empty-certificate-chain_fail", "no key", "no certificate"),
    ("bundle-invalid-base64-signature_fail", "bundle: `messageSignature.signature` is not base64", "no bundle"),
    ("bundle-negative-log-index_fail", "log-entry-malformed", "verified"),
    (
        "bundle-unknown-version_fail",
        "bundle: unknown bundle media type \"application/vnd.dev.sigstore.bundle+json;version=99.9\"",
        "no bundle",
    ),
    ("bundle-with-sct-with-extensions", "verified", "verified"),
    ("checkpoint-wrong-roothash_fail", "checkpoint-root", "verified"),
    ("dsse-invalid-sig_fail", "log-entry-signature", "verified"),
    ("dsse-mismatch-sig_fail", "log-entry-signature", "verified"),
    ("happy-path-intoto-in-dsse-v3", "verified", "verified"),
    ("inclusion-proof-corrupted-hash_fail", "inclusion-proof", "verified"),
    ("incorrect-public-key_fail", "log-entry-verifier", "verified"),
    ("integrated-time-in-future_fail", "verified", "verified"),
    ("intoto-expired-certificate_fail", "verified", "verified"),
    ("intoto-log-entry-mismatch_fail", "log-entry-signature", "verified"),
    ("intoto-with-custom-trust-root", "verified", "verified"),
    ("invalid-ct-key_fail", "verified", "sct-log-unknown"),
    ("managed-key-and-trusted-root", "verified", "no certificate"),
    ("managed-key-happy-path", "verified", "no certificate"),
    ("managed-key-no-key_fail", "no key", "no certificate"),
    ("managed-key-wrong-key_fail", "no key", "no certificate"),
    ("rekor2-checkpoint-cosigned", "verified", "verified"),
    ("rekor2-checkpoint-missing-origin_fail", "checkpoint-malformed", "verified"),
    ("rekor2-checkpoint-missing-root-hash_fail", "checkpoint-malformed", "verified"),
    ("rekor2-checkpoint-missing-size_fail", "checkpoint-malformed", "verified"),
    ("rekor2-checkpoint-multiple-cosigs", "verified", "verified"),
    ("rekor2-checkpoint-origin-not-first", "verified", "verified"),
    ("rekor2-dsse-happy-path", "verified", "verified"),
    ("rekor2-dsse-invalid-sig_fail", "log-entry-signature", "verified"),
    ("rekor2-dsse-mismatch-sig_fail", "log-entry-signature", "verified"),
    ("rekor2-happy-path", "verified", "verified"),
    ("rekor2-no-inclusion-proof_fail", "inclusion-proof-missing", "verified"),
    ("rekor2-no-timestamp_fail", "log-entry-time", "verified"),
    ("rekor2-timestamp-outside-tsa-cert-validity_fail", "log-entry-time", "verified"),
    ("rekor2-timestamp-payload-mismatch_fail", "log-entry-time", "verified"),
    ("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", "log-entry-time", "verified"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", "log-entry-time", "verified"),
    ("rekor2-timestamp-with-expired-cert-chain", "verified", "verified"),
    ("rekor2-timestamp-with-incorrect-time_fail", "log-entry-time", "verified"),
    ("trust-root-tsa-validity-end-inclusive", "verified", "verified"),
    ("wrong-material_fail", "log-entry-artifact", "verified"),
];

const CLIENTS: Outcomes = &[
    ("cosign-oci-attestation", "verified", "verified"),
    ("gh-bundle", "log-threshold", "sct-missing"),
    ("gh-bundle-missing-cert", "bundle: a bundle without content", "no bundle"),
    ("gh-invalid-signature", "log-entry-signature", "verified"),
    ("go-dsse", "verified", "verified"),
    ("go-othername", "verified", "verified"),
    ("go-public-key-validity", "log-threshold", "no certificate"),
    ("go-sigstorejs-2.0.0-provenance", "verified", "verified"),
    ("java-PKIX_RSA_PKCS1V15_2048_SHA256.sigstore.json", "verified", "verified"),
    ("java-bundle-with-expired-cert.sigstore", "verified", "verified"),
    ("java-bundle-with-mismatched-set.sigstore", "inclusion-promise", "verified"),
    ("java-bundle-with-rekor-v2-entry.sigstore", "verified", "verified"),
    ("java-bundle-with-timestamp.sigstore", "verified", "verified"),
    ("java-bundle-with-wrong-tlog-entry.sigstore", "log-entry-artifact", "verified"),
    ("java-bundle.dsse.bad-signature.sigstore", "log-entry-signature", "verified"),
    ("java-bundle.dsse.mismatched-signature.sigstore", "log-entry-signature", "verified"),
    ("java-bundle.dsse.rekor-v2.bad-entry-type.sigstore", "log-entry-kind", "verified"),
    ("java-bundle.dsse.rekor-v2.sigstore", "verified", "verified"),
    ("java-bundle.dsse.sigstore", "verified", "verified"),
    ("java-bundle.v2.no.inclusion.sigstore", "inclusion-proof-missing", "verified"),
    ("java-bundle.v3.no.inclusion.sigstore", "inclusion-proof-missing", "verified"),
    ("java-github-private-no-tlog", "log-threshold", "sct-missing"),
    ("js-bundleV01-dsse-no-proof.sigstore", "verified", "verified"),
    ("js-bundleV01-dsse-with-proof.sigstore", "verified", "verified"),
    ("js-bundleV02-intoto.sigstore", "verified", "verified"),
    ("py-bundle.txt", "verified", "verified"),
    ("py-bundle_invalid_version.txt", "bundle: unknown bundle media type \"this is completely wrong\"", "no bundle"),
    ("py-bundle_no_cert_v1.txt", "no key", "no certificate"),
    ("py-bundle_no_checkpoint.txt", "inclusion-proof-missing", "verified"),
    ("py-bundle_v3_alt.txt", "verified", "verified"),
    ("py-bundle_v3_no_signed_time.txt", "log-unknown", "sct-log-unknown"),
    ("py-cpython-3.12.5-tgz", "verified", "verified"),
    ("py-staging-rekor-v2.txt", "verified", "verified"),
    ("py-tsa-bundle.duplicate", "verified", "verified"),
    (
        "py-tsa-bundle.many_timestamp",
        "bundle: timestamps in one bundle (envelope.timestamps): 33, more than the limit of 32",
        "no bundle",
    ),
    ("py-tsa-bundle.txt", "verified", "verified"),
    ("rust-happy-path", "verified", "verified"),
    ("rust-jdx-communique", "log-threshold", "sct-missing"),
    ("rust-tsa-github-sha384", "log-threshold", "sct-missing"),
    ("rust-tsa-payload-mismatch", "log-entry-time", "verified"),
];
