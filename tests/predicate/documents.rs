//! Documents of other projects: each is read as its suite says, or refused for the reason that is named here.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bulla::limits::Limits;
use bulla::predicate::PredicateError;
use bulla::predicate::PredicateKind;
use bulla::predicate::Sbom;
use bulla::predicate::SbomFormat;
use bulla::predicate::ScanReport;
use bulla::predicate::VexDocument;
use bulla::predicate::VexFormat;
use bulla::predicate::VexStatus;
use bulla::predicate::check;
use bulla::predicate::scanner::DatabaseDate;
use bulla::predicate::scanner::ExtractOptions;
use bulla::predicate::scanner::extract;
use serde_json::Value;

use crate::scan::COSIGN;
use crate::vectors;

fn reason<T>(result: Result<T, PredicateError>) -> Result<T, String> {
    result.map_err(|error| format!("{} {}", error.code(), error.path()))
}

/// The cases of a suite whose names begin with `prefix`, each with its expected outcome.
fn cases(suite: &Path, prefix: &str) -> BTreeMap<String, String> {
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let cases: BTreeMap<_, _> = expected
        .into_iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, case)| (name, case["expect"].as_str().unwrap().to_owned()))
        .collect();
    assert!(!cases.is_empty(), "no case of {prefix}");
    cases
}

/// What a policy reads is checked, and not every clause of every schema: these documents break their schema elsewhere.
const OTHER_CLAUSES: &[&str] = &[
    "citations",
    "component-ref",
    "component-swid",
    "component-versionRange",
    "dependency",
    "hash-alg",
    "hash-md5",
    "hash-sha1",
    "hash-sha256",
    "hash-sha512",
    "issue-type",
    "license-choice",
    "license-encoding",
    "license-id",
    "license-missing-id-and-name",
    "metadata-distribution",
    "metadata-license",
    "patch-type",
    "scope",
    "serialnumber",
    "service-data",
    "component-type",
];

#[test]
fn cyclonedx_documents_are_read_or_refused_for_a_reason() {
    let Some(suite) = vectors::suite("predicates") else { return };
    let (mut empty, mut passed) = (BTreeSet::new(), BTreeSet::new());
    for (name, expect) in cases(&suite, "cyclonedx/") {
        let bytes = fs::read(suite.join("open").join(&name)).unwrap();
        let read = reason(Sbom::read(&bytes, SbomFormat::CycloneDx, &Limits::DEFAULT));
        let short = name.rsplit('/').next().unwrap();
        match expect.as_str() {
            "schema-valid" => {
                let sbom = read.unwrap_or_else(|reason| panic!("{name}: {reason}"));
                assert!(name.contains(&format!("/{}/", sbom.version)), "{name}: {}", sbom.version);
                if sbom.components == 0 {
                    empty.insert(name);
                }
            }
            "schema-invalid" => match read {
                Ok(_) => {
                    let clause = OTHER_CLAUSES.iter().find(|clause| short.starts_with(&format!("invalid-{clause}")));
                    passed.insert(*clause.unwrap_or_else(|| panic!("{name} is accepted")));
                }
                Err(reason) => {
                    let wanted = match short.strip_prefix("invalid-").unwrap() {
                        it if it.starts_with("bomformat") => "malformed /bomFormat",
                        it if it.starts_with("metadata-timestamp") => "malformed /metadata/timestamp",
                        it if it.starts_with("missing-component-type") => "missing /components/0/type",
                        it if it.starts_with("empty-component") => "missing /components/0/name",
                        it => panic!("{it}: {reason}"),
                    };
                    assert_eq!(reason, wanted, "{name}");
                }
            },
            other => panic!("{name}: {other}"),
        }
    }
    assert_eq!(passed, OTHER_CLAUSES.iter().copied().collect());
    // The rest of the valid documents has components; these have none, which a policy refuses as an empty SBOM.
    assert!(empty.contains("cyclonedx/1.4/valid-empty-components-1.4.json"), "{empty:?}");
    assert!(empty.iter().all(|name| !name.contains("valid-bom")), "{empty:?}");
}

#[test]
fn analyses_in_cyclonedx_examples_are_read() {
    let Some(suite) = vectors::suite("predicates") else { return };
    let mut statuses = BTreeMap::new();
    for (name, _) in cases(&suite, "cyclonedx-examples/") {
        let bytes = fs::read(suite.join("open").join(&name)).unwrap();
        // The only one of an older version than 1.4.
        if name.contains("cern-lhc-vdm-editor") {
            let read = reason(VexDocument::read(&bytes, &Limits::DEFAULT));
            assert_eq!(read.map(|_| ()), Err("unknown-version /specVersion".to_owned()));
            continue;
        }
        let document = VexDocument::read(&bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(document.format, VexFormat::CycloneDx);
        for statement in &document.statements {
            *statuses.entry(format!("{:?}", statement.status)).or_insert(0) += 1;
        }
        Sbom::read(&bytes, SbomFormat::CycloneDx, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(["Fixed", "NotAffected", "UnderInvestigation"].iter().all(|it| statuses.contains_key(*it)), "{statuses:?}");
}

#[test]
fn spdx_documents_are_read() {
    let Some(suite) = vectors::suite("predicates") else { return };
    let mut read = Vec::new();
    for (name, expect) in cases(&suite, "spdx/") {
        assert_eq!(expect, "parse-ok");
        let bytes = fs::read(suite.join("open").join(&name)).unwrap();
        let sbom =
            Sbom::read(&bytes, SbomFormat::Spdx, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(sbom.time.is_some(), "{name}");
        read.push((name.strip_prefix("spdx/").unwrap().to_owned(), sbom.version, sbom.components, sbom.subject));
    }
    let want = SPDX.iter().map(|(name, version, components, subject)| {
        ((*name).to_owned(), (*version).to_owned(), *components, subject.map(str::to_owned))
    });
    assert_eq!(read, want.collect::<Vec<_>>());
}

/// The documents, each with its version, its number of components, and the one thing that it is about: counted by another
/// program. Those without a component list nothing beside what they are about, or files alone.
const SPDX: &[(&str, &str, u64, Option<&str>)] = &[
    (
        "ai/example02/spdx3.0/sbom.spdx3.json",
        "3.0.1",
        1,
        Some("Sentiment Demo: A Simple AI Application and its AI BOM Example"),
    ),
    (
        "dataset/example01/spdx3.0/example01.spdx3.json",
        "3.0.1",
        0,
        Some("Our World in Data CO2 and Greenhouse Gas Emissions dataset"),
    ),
    ("presentations/SBOMS-SPDX-Now-and-Future/ACME-v2.3.spdx.json", "2.3", 3, Some("Acme Applcation")),
    ("software/example1/spdx3.0/example1.json", "3.0.1", 0, Some("hello")),
    ("software/example10/spdx3.0/hello-source.spdx3.json", "3.0.1", 0, Some("hello")),
    ("software/example12/spdx2.2/hello-dist.spdx.json", "2.2", 0, Some("hello")),
    ("software/example12/spdx2.2/hello-src.spdx.json", "2.2", 0, Some("hello")),
    ("software/example12/spdx3.0/hello-src.spdx3.json", "3.0.1", 0, Some("hello")),
    ("software/example13/spdx3.0/example13.spdx3.json", "3.0.1", 2, Some("Acme Application")),
    ("software/example14/content/examplemaven-0.0.1.spdx3.json", "3.0.1", 5, Some("examplemaven")),
    ("software/example14/spdx2.3/examplemaven-0.0.1-enriched.spdx.json", "2.3", 5, Some("examplemaven")),
    ("software/example4/spdx3.0/example4-bin.json", "3.0.1", 2, Some("main-bin")),
    ("software/example5/spdx3.0/example5-bin.json", "3.0.1", 0, Some("hello-go-bin")),
    ("software/example5/spdx3.0/example5-src.json", "3.0.1", 0, Some("hello-go-src")),
    ("software/example6/spdx3.0/example6-bin.json", "3.0.1", 0, Some("hello-go-bin")),
    ("software/example6/spdx3.0/example6-src.json", "3.0.1", 0, Some("hello-go-src")),
    ("software/example7/spdx2.2/example7-go-module.spdx.json", "2.2", 0, Some("example.com/hello")),
    ("software/example7/spdx2.2/example7-third-party-modules.spdx.json", "2.2", 0, None),
    ("software/example7/spdx3.0/example7-bin.spdx3.json", "3.0.1", 0, None),
    ("software/example7/spdx3.0/example7-go-module.spdx3.json", "3.0.1", 0, Some("example.com/hello")),
    ("software/example7/spdx3.0/example7-third-party-modules.spdx3.json", "3.0.1", 0, None),
    ("software/example8/spdx2.3/examplemaven-0.0.1.spdx.json", "2.3", 5, Some("examplemaven")),
    ("software/example8/spdx3.0/examplemaven-0.0.1.spdx3.json", "3.0.1", 5, Some("examplemaven")),
    ("software/example9/spdx2.2/appbomination.spdx.json", "2.2", 6, Some("App-BOM-ination")),
    ("software/example9/spdx3.0/appbomination.spdx3.json", "3.0.1", 6, Some("App-BOM-ination")),
];

#[test]
fn openvex_and_csaf_documents_are_read() {
    let Some(suite) = vectors::suite("predicates") else { return };
    let mut clearing = 0;
    for (name, expect) in cases(&suite, "openvex/") {
        assert_eq!(expect, "parse-ok");
        let bytes = fs::read(suite.join("open").join(&name)).unwrap();
        let document = VexDocument::read(&bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{name}: {error}"));
        let format = if name.ends_with("csaf.json") { VexFormat::Csaf } else { VexFormat::OpenVex };
        assert_eq!(document.format, format, "{name}");
        assert!(!document.statements.is_empty(), "{name}");
        clearing += document.statements.iter().filter(|statement| statement.status.clears()).count();
    }
    assert!(clearing > 5, "{clearing}");
    // The CSAF document states an impact in place of a flag: not affected, without a known justification.
    let csaf = fs::read(suite.join("open/openvex/pkg_vex_testdata_csaf.json")).unwrap();
    let document = VexDocument::read(&csaf, &Limits::DEFAULT).unwrap();
    assert_eq!(document.statements[0].status, VexStatus::NotAffectedUnjustified);
}

/// The predicate of a statement in a DSSE envelope.
fn predicate_in(envelope: &Path) -> (String, Vec<u8>) {
    let envelope: Value = serde_json::from_slice(&fs::read(envelope).unwrap()).unwrap();
    let payload = bulla::envelope::base64::decode("payload", envelope["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    (statement["predicateType"].as_str().unwrap().to_owned(), statement["predicate"].to_string().into_bytes())
}

/// The suite looks at the predicate type alone, which is malformed without its scheme. The valid statement has no result
/// and no time either.
#[test]
fn cosigns_vulnerability_statement_has_no_result() {
    let Some(suite) = vectors::suite("predicates") else { return };
    let case = |name: &str| predicate_in(&suite.join("open/cosign-policy").join(name));
    let (predicate_type, predicate) = case("valid-vuln");
    assert_eq!(predicate_type, COSIGN);
    let read = reason(ScanReport::read(&predicate, COSIGN, &Limits::DEFAULT));
    assert_eq!(read.map(|_| ()), Err("no-result /scanner/result".to_owned()));
    let (predicate_type, predicate) = case("malformed-vuln");
    assert_eq!(PredicateKind::of(&predicate_type), PredicateKind::Other, "{predicate_type}");
    let read = reason(ScanReport::read(&predicate, &predicate_type, &Limits::DEFAULT));
    assert_eq!(read.map(|_| ()), Err("unknown-version ".to_owned()));
    for name in ["valid-custom", "malformed-custom"] {
        let (predicate_type, predicate) = case(name);
        assert_eq!(PredicateKind::of(&predicate_type), PredicateKind::Other);
        assert_eq!(check(&predicate_type, &predicate, &Limits::DEFAULT), Ok(()), "{name}");
    }
}

/// A real report of trivy, about a directory.
#[test]
fn the_report_of_a_directory_is_no_scan_of_an_image() {
    let Some(suite) = vectors::suite("in-toto") else { return };
    let report = fs::read(suite.join("open/ampel/pkg_transformer_vulnreport_testdata_trivy.json")).unwrap();
    let options = ExtractOptions::new(DatabaseDate::MayBeMissing);
    let extracted = reason(extract(&report, options, &Limits::DEFAULT));
    assert_eq!(extracted.map(|_| ()), Err("not-an-image /ArtifactType".to_owned()));
    // With another type and a digest, its findings are read.
    let mut image: Value = serde_json::from_slice(&report).unwrap();
    image["ArtifactType"] = "container_image".into();
    image["Metadata"]["ImageID"] = bulla::digest::Digest::sha256(b"config").to_string().into();
    let count = |image: &Value| {
        let results = image["Results"].as_array().unwrap();
        results.iter().flat_map(|result| result["Vulnerabilities"].as_array()).map(Vec::len).sum::<usize>()
    };
    let extracted = extract(image.to_string().as_bytes(), options, &Limits::DEFAULT).unwrap();
    assert!(count(&image) > 1 && extracted.report.findings.len() >= count(&image));
    assert!(extracted.report.findings.iter().all(|finding| finding.package.is_some()));
}

/// The predicates that cosign attested for the golden files.
#[test]
fn predicates_of_the_golden_files_are_read() {
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let read = |name: &str| fs::read(suite.join("shared/predicates").join(name)).unwrap();
    let codes = |predicate_type: &str, name: &str| match check(predicate_type, &read(name), &Limits::DEFAULT) {
        Ok(()) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|mistake| format!("{} {}", mistake.code(), mistake.path())).collect(),
    };
    let nothing: [&str; 0] = [];
    assert_eq!(codes("https://openvex.dev/ns", "p-vex.json"), nothing);
    assert_eq!(codes("https://cyclonedx.org/bom", "p-cdx.json"), ["no-time /metadata/timestamp"]);
    assert_eq!(codes("https://spdx.dev/Document", "p-spdx.json"), ["empty-sbom /packages"]);
    assert_eq!(codes(COSIGN, "p-vuln.json"), ["unknown-scanner /scanner/result"]);
    assert_eq!(codes("https://cosign.sigstore.dev/attestation/v1", "p-custom.json"), nothing);
}
