//! The table of predicate types.

use bulla::predicate::PredicateKind;
use bulla::predicate::SbomFormat;
use bulla::predicate::ScanFormat;
use bulla::predicate::predicate_type;
use bulla::predicate::split_version;

/// `cosign attest --help`, cosign 3.1.1.
#[test]
fn the_short_names_of_cosign_mean_what_they_mean_to_cosign() {
    for (name, uri) in [
        ("custom", "https://cosign.sigstore.dev/attestation/v1"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("link", "https://in-toto.io/Link/v1"),
        ("openvex", "https://openvex.dev/ns"),
        ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
        ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
        ("spdx", "https://spdx.dev/Document"),
        ("spdxjson", "https://spdx.dev/Document"),
        ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ] {
        assert_eq!(predicate_type(name), Ok(uri));
    }
    assert_eq!(predicate_type("vulns"), Ok("https://in-toto.io/attestation/vulns/v0.2"));
    assert_eq!(predicate_type("slsa"), Ok("https://slsa.dev/provenance/v1"));
}

#[test]
fn the_version_does_not_change_the_kind() {
    for (uri, kind) in [
        ("https://slsa.dev/provenance/v1", PredicateKind::Provenance),
        ("https://slsa.dev/provenance/v1-rc1", PredicateKind::Provenance),
        ("https://slsa.dev/provenance/v2", PredicateKind::Provenance),
        ("https://spdx.dev/Document", PredicateKind::Sbom(SbomFormat::Spdx)),
        ("https://spdx.dev/Document/v2.3", PredicateKind::Sbom(SbomFormat::Spdx)),
        ("https://cyclonedx.org/bom", PredicateKind::Sbom(SbomFormat::CycloneDx)),
        ("https://cyclonedx.org/bom/v1.6", PredicateKind::Sbom(SbomFormat::CycloneDx)),
        ("https://cyclonedx.org/bom/1.6", PredicateKind::Sbom(SbomFormat::CycloneDx)),
        ("https://openvex.dev/ns/v0.2.0", PredicateKind::Vex),
        ("https://in-toto.io/attestation/vulns/v0.1", PredicateKind::Scan(ScanFormat::InTotoVulns)),
        ("https://in-toto.io/attestation/vulns/v0.3", PredicateKind::Scan(ScanFormat::InTotoVulns)),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", PredicateKind::Scan(ScanFormat::CosignVuln)),
    ] {
        assert_eq!(PredicateKind::of(uri), kind, "{uri}");
    }
    // Advisory CVE-2026-39395 is about predicate types that are not compared: neither a part of a type, nor another
    // host, nor another case makes a kind.
    for other in [
        "",
        "v1",
        "https://slsa.dev/provenance/v1/x",
        "https://slsa.dev/provenance/",
        "https://slsa.dev/provenance/vx",
        "https://slsa.dev/provenance/v1?a",
        "https://slsa.dev/Provenance/v1",
        "http://slsa.dev/provenance/v1",
        "https://slsa.dev.example/provenance/v1",
        "https://example.com/https://slsa.dev/provenance/v1",
        "https://openvex.dev/ns2",
        "https://sigstore.dev/cosign/sign/v1",
    ] {
        assert_eq!(PredicateKind::of(other), PredicateKind::Other, "{other}");
    }
}

#[test]
fn a_version_is_the_last_segment_with_a_number() {
    for (uri, base, version) in [
        ("https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance", Some("0.2")),
        ("https://slsa.dev/provenance/v1-rc1", "https://slsa.dev/provenance", Some("1-rc1")),
        ("https://cyclonedx.org/bom/1.4", "https://cyclonedx.org/bom", Some("1.4")),
        ("https://cyclonedx.org/bom", "https://cyclonedx.org/bom", None),
        ("urn:1", "urn:1", None),
    ] {
        assert_eq!(split_version(uri), (base, version), "{uri}");
    }
}
