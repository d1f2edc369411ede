//! SLSA provenance: what is read out of it, by which build type, and what contradicts the certificate.

use bulla::limits::Limits;
use bulla::predicate::CertificateClaims;
use bulla::predicate::ClaimContradiction;
use bulla::predicate::PredicateKind;
use bulla::predicate::Provenance;
use bulla::predicate::RepositoryFault;
use bulla::predicate::SourceRepository;
use bulla::predicate::SourceUnknown;
use bulla::x509::Certificate;
use bulla::x509::FulcioClaims;
use bulla::x509::FulcioExtension;
use serde_json::Value;
use serde_json::json;

use super::statements;
use super::vectors;

const V1: &str = "https://slsa.dev/provenance/v1";
const V02: &str = "https://slsa.dev/provenance/v0.2";
const V01: &str = "https://slsa.dev/provenance/v0.1";
const GITHUB: &str = "https://actions.github.io/buildtypes/workflow/v1";
const COMMIT: &str = "38ebf99444e033b2f1550c9aaaeacd62d02a12ba";

fn read(predicate_type: &str, predicate: &Value) -> Provenance {
    Provenance::read(predicate.to_string().as_bytes(), predicate_type, &Limits::DEFAULT).unwrap()
}

fn fault(predicate_type: &str, predicate: &Value) -> String {
    let error = Provenance::read(predicate.to_string().as_bytes(), predicate_type, &Limits::DEFAULT).unwrap_err();
    format!("{} {}", error.code(), error.path())
}

fn v1(build_type: &str, external: &Value) -> Value {
    json!({
        "buildDefinition": { "buildType": build_type, "externalParameters": external },
        "runDetails": { "builder": { "id": "https://example.com/builder" } },
    })
}

fn v02(build_type: &str, config_source: &Value) -> Value {
    json!({
        "builder": { "id": "https://example.com/builder" },
        "buildType": build_type,
        "invocation": { "configSource": config_source, "parameters": { "a": 1 } },
        "materials": [{ "uri": "git+https://github.com/mallory/app", "digest": { "sha1": COMMIT } }],
    })
}

/// Repository, ref and commit, or the code of why they are not known.
fn source(provenance: &Provenance) -> String {
    match &provenance.source {
        Ok(source) => [
            source.repository.as_str(),
            source.reference.as_deref().unwrap_or("-"),
            source.commit.as_deref().map_or("-", |commit| &commit[..4]),
        ]
        .join(" "),
        Err(unknown) => unknown.code().to_owned(),
    }
}

/// The claims of a certificate, as the evaluation hands them over.
fn claims(claims: &FulcioClaims) -> CertificateClaims<'_> {
    CertificateClaims {
        build_config_uri: claims.get(FulcioExtension::BuildConfigUri),
        build_signer_uri: Some(claims.get(FulcioExtension::BuildSignerUri).unwrap_or(claims.name())),
        runner_environment: claims.get(FulcioExtension::RunnerEnvironment),
        source_commit: claims.source_commit(),
        source_ref: claims.source_ref(),
        source_repository: claims.source_repository(),
    }
}

/// Every provenance of the vectors of slsa-verifier is read; its source is the one that the certificate names, except in
/// the one whose signer is another repository.
#[test]
fn real_provenance_is_read_and_agrees_with_its_certificate() {
    let (mut read, mut compared) = (0, 0);
    for suite in ["slsa-provenance", "slsa-images"] {
        let Some(folder) = vectors::suite(suite) else { return };
        for found in statements::all(&folder.join("open")) {
            if PredicateKind::of(&found.predicate_type) != PredicateKind::Provenance {
                continue;
            }
            let provenance = Provenance::read(&found.predicate, &found.predicate_type, &Limits::DEFAULT)
                .unwrap_or_else(|error| panic!("{}: {error}", found.case));
            read += 1;
            if found.case.starts_with("gcb_container") {
                // No build type of version 0.1 is known.
                assert_eq!(source(&provenance), "unknown-build-type", "{}", found.case);
                continue;
            }
            let known = provenance.source.as_ref().unwrap_or_else(|unknown| panic!("{}: {unknown}", found.case));
            assert!(known.commit.is_some() && known.reference.is_some(), "{}", found.case);
            let Some(certificate) = found.certificate else { continue };
            let certificate = Certificate::parse(&certificate, &Limits::DEFAULT).unwrap();
            let fulcio = FulcioClaims::of(&certificate).unwrap();
            let agreed = provenance.check_certificate(&claims(&fulcio));
            compared += 1;
            let want = match found.case.as_str() {
                "bcr__MODULE-wrong-signer.bazel.intoto.jsonl" => Err(ClaimContradiction::Repository),
                _ => Ok(()),
            };
            assert_eq!(agreed, want, "{}", found.case);
        }
    }
    assert!(read >= 80 && compared >= 45, "{read} {compared}");
}

/// The queries of slsa-verifier about the source and the branch or tag get its answers.
#[test]
fn the_queries_of_slsa_verifier_about_the_source_get_its_answers() {
    let Some(folder) = vectors::suite("slsa-provenance") else { return };
    let expected: Value = serde_json::from_slice(&std::fs::read(folder.join("open/expected.json")).unwrap()).unwrap();
    let mut asked = 0;
    for found in statements::all(&folder.join("open")) {
        if PredicateKind::of(&found.predicate_type) != PredicateKind::Provenance || found.case.starts_with("gcb_") {
            continue;
        }
        let provenance = Provenance::read(&found.predicate, &found.predicate_type, &Limits::DEFAULT).unwrap();
        let Ok(known) = &provenance.source else { panic!("{}", found.case) };
        for query in expected[&found.case]["queries"].as_array().into_iter().flatten() {
            let Some(wanted) = query["source"].as_str() else { continue };
            let same = SourceRepository::parse(wanted).is_ok_and(|wanted| wanted == known.repository);
            let reference = |field: &str, prefix: &str| {
                let name = query[field].as_str()?;
                Some(known.reference.as_deref() == Some(format!("{prefix}{name}").as_str()))
            };
            let (branch, tag) = (reference("pbranch", "refs/heads/"), reference("ptag", "refs/tags/"));
            let context = format!("{} {query}", found.case);
            match query["err"].as_str() {
                None => {
                    assert!(same && tag != Some(false), "{context}");
                    // A tag of slsa-verifier is on a branch that its event names, which is not the ref that was built.
                    assert!(branch != Some(false) || known.reference.as_deref().unwrap().starts_with("refs/tags/"));
                }
                Some("ErrorMismatchSource") => assert!(!same, "{context}"),
                Some("ErrorMismatchTag") => assert_eq!(tag, Some(false), "{context}"),
                Some("ErrorMismatchBranch") => assert_eq!(branch, Some(false), "{context}"),
                Some(_) => continue,
            }
            asked += 1;
        }
    }
    assert!(asked >= 50, "{asked}");
}

#[test]
fn each_build_type_names_its_source_in_a_field_of_its_own() {
    let uri = json!({ "uri": "git+https://github.com/example/app@refs/heads/main", "digest": { "sha1": COMMIT } });
    for build_type in [
        "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
        "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
        "https://github.com/npm/cli/gha/v2",
        "https://github.com/npm/cli/gitlab/v0alpha1",
        "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v15.0.0/PROVENANCE.md",
        "tekton.dev/v1beta1/TaskRun",
        "https://mobyproject.org/buildkit@v1",
    ] {
        assert_eq!(source(&read(V02, &v02(build_type, &uri))), "github.com/example/app refs/heads/main 38eb");
        // Never the material instead (another repository of the same build).
        assert_eq!(source(&read(V02, &v02(build_type, &json!({})))), "no-source", "{build_type}");
    }
    let workflow = json!({ "workflow": { "repository": "https://github.com/example/app", "ref": "refs/tags/v1" } });
    let app = json!({ "repository": "git+https://github.com/example/app", "ref": "refs/tags/v1" });
    for (build_type, external, want) in [
        (GITHUB, workflow, "github.com/example/app refs/tags/v1 -"),
        (
            "https://slsa.dev/container-based-build/v0.1?draft",
            json!({ "source": uri }),
            "github.com/example/app refs/heads/main 38eb",
        ),
        (
            "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            json!({ "configSource": { "uri": "https://github.com/example/app.git#main:sub", "digest": { "sha1": COMMIT } } }),
            "github.com/example/app main 38eb",
        ),
        (
            "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
            json!({ "buildConfigSource": app }),
            "github.com/example/app refs/tags/v1 -",
        ),
        (
            "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
            json!({ "buildConfigSource": app, "sourceToBuild": { "repository": "https://github.com/mallory/app" } }),
            "ambiguous-source",
        ),
        (
            "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1",
            json!({ "configSource": app, "sourceToBuild": { "dir": "sub" } }),
            "github.com/example/app refs/tags/v1 -",
        ),
        (
            "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v17.1.0/PROVENANCE.md",
            json!({ "source": "https://gitlab.com/example/app" }),
            "gitlab.com/example/app - -",
        ),
        (
            "https://tekton.dev/chains/v2/slsa",
            json!({ "buildConfigSource": { "repository": "git+https://github.com/example/ci.git", "ref": format!("sha1:{COMMIT}") } }),
            "github.com/example/ci - 38eb",
        ),
    ] {
        let mut predicate = v1(build_type, &external);
        assert_eq!(source(&read(V1, &predicate)), want, "{build_type}");
        predicate["buildDefinition"]["externalParameters"] = json!({ "other": 1 });
        predicate["buildDefinition"]["resolvedDependencies"] =
            json!([{ "uri": "git+https://github.com/mallory/app", "digest": { "gitCommit": COMMIT } }]);
        assert_eq!(source(&read(V1, &predicate)), "no-source", "{build_type}");
    }
}

/// A policy about the source cannot be met by a build type that nobody has looked at, whatever it lists.
#[test]
fn an_unknown_build_type_has_no_source() {
    let workflow = json!({ "workflow": { "repository": "https://github.com/example/app", "ref": "refs/tags/v1" } });
    for build_type in ["https://example.com/bt", "https://actions.github.io/buildtypes/workflow/v1/", "", "V1"] {
        let predicate = v1(if build_type.is_empty() { "x" } else { build_type }, &workflow);
        let provenance = read(V1, &predicate);
        assert_eq!(source(&provenance), "unknown-build-type");
        assert!(matches!(provenance.source, Err(SourceUnknown::UnknownBuildType(_))));
    }
    // A build type of version 1 says nothing about version 0.2, and GitLab's has one segment for the version.
    let config = json!({ "uri": "https://github.com/example/app" });
    for build_type in [GITHUB, "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/a/b/PROVENANCE.md"] {
        assert_eq!(source(&read(V02, &v02(build_type, &config))), "unknown-build-type");
    }
}

#[test]
fn repositories_are_compared_in_one_spelling() {
    for text in [
        "github.com/example/app",
        "GitHub.com/example/app",
        "https://github.com/example/app",
        "https://github.com:443/example/app.git",
        "git+https://github.com/example/app/",
        "git+ssh://git@github.com/example/app.git",
        "ssh://git@github.com:22/example/app",
        "git@github.com:example/app.git",
    ] {
        assert_eq!(SourceRepository::parse(text).unwrap().as_str(), "github.com/example/app", "{text}");
    }
    assert_eq!(SourceRepository::parse("git.example.com:8443/a").unwrap().as_str(), "git.example.com:8443/a");
    assert_ne!(SourceRepository::parse("github.com/example/App"), SourceRepository::parse("github.com/example/app"));
    for (text, fault) in [
        ("", RepositoryFault::Path),
        ("github.com", RepositoryFault::Path),
        ("github.com/", RepositoryFault::Path),
        ("github.com//app", RepositoryFault::Path),
        ("github.com/example/../other/app", RepositoryFault::Path),
        ("github.com/example/app%2e", RepositoryFault::Character),
        ("github.com/example/app?a=b", RepositoryFault::Character),
        ("github.com/example/app@refs/heads/main", RepositoryFault::Character),
        ("http://github.com/example/app", RepositoryFault::Unauthenticated),
        ("git://github.com/example/app", RepositoryFault::Unauthenticated),
        ("file:///example/app", RepositoryFault::Scheme),
        ("https://github.com@evil.example/app", RepositoryFault::User),
        ("https://git@github.com/example/app", RepositoryFault::User),
        ("https://github..com/example/app", RepositoryFault::Host),
        ("https://github.com:0443/example/app", RepositoryFault::Host),
        ("https://github.com:99999/example/app", RepositoryFault::Host),
        ("https://github.com\\@evil.example/app", RepositoryFault::User),
    ] {
        assert_eq!(SourceRepository::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn a_source_that_contradicts_itself_is_malformed() {
    let other = "99999999999999999999999999999999999999aa";
    for (repository, reference) in [
        ("git+https://github.com/example/app@refs/heads/a", "refs/heads/b"),
        ("https://github.com/example/app#a", "b"),
        ("http://github.com/example/app", "refs/heads/a"),
        ("https://github.com/example/app", "refs/heads/a b"),
        ("https://github.com/example/app", "refs/heads/*"),
        (&format!("https://github.com/example/app@{COMMIT}"), other),
    ] {
        let external = json!({ "workflow": { "repository": repository, "ref": reference } });
        assert_eq!(source(&read(V1, &v1(GITHUB, &external))), "malformed-source", "{repository} {reference}");
    }
}

#[test]
fn the_commit_is_the_one_that_was_resolved_for_the_source() {
    let external = json!({ "workflow": { "repository": "https://github.com/example/app", "ref": "refs/tags/v1" } });
    let own = json!({ "uri": "git+https://github.com/example/app@refs/tags/v1", "digest": { "gitCommit": COMMIT } });
    let of = |dependencies: Value| {
        let mut predicate = v1(GITHUB, &external);
        predicate["buildDefinition"]["resolvedDependencies"] = dependencies;
        source(&read(V1, &predicate))
    };
    let mut other = own.clone();
    other["digest"]["gitCommit"] = json!("9".repeat(40));
    let mut branch = own.clone();
    branch["uri"] = json!("git+https://github.com/example/app@refs/heads/main");
    assert_eq!(of(json!([branch, own])), "github.com/example/app refs/tags/v1 38eb");
    assert_eq!(of(json!([own, other])), "github.com/example/app refs/tags/v1 -");
    assert_eq!(of(json!([branch])), "github.com/example/app refs/tags/v1 -");
}

#[test]
fn required_fields_and_versions() {
    let good = v1("https://example.com/bt", &json!({ "b": 1, "a": 2 }));
    assert!(read(V1, &good).parameters.iter().eq(["a", "b"]));
    assert_eq!(read(V02, &v02("https://example.com/bt", &json!({}))).parameters.len(), 1);
    let without = |pointer: &str, field: &str| {
        let mut predicate = good.clone();
        predicate.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        fault(V1, &predicate)
    };
    assert_eq!(without("/runDetails/builder", "id"), "missing /runDetails/builder/id");
    assert_eq!(without("/buildDefinition", "buildType"), "missing /buildDefinition/buildType");
    assert_eq!(without("/buildDefinition", "externalParameters"), "missing /buildDefinition/externalParameters");
    let mut empty = good.clone();
    empty["runDetails"]["builder"]["id"] = json!("");
    assert_eq!(fault(V1, &empty), "empty /runDetails/builder/id");
    let mut case = good.clone();
    case["runDetails"]["Builder"] = json!({ "id": "https://example.com/other" });
    assert_eq!(fault(V1, &case), "ambiguous-key /runDetails");
    for unknown in
        ["https://slsa.dev/provenance/v2", "https://slsa.dev/provenance/v1-rc1", "https://slsa.dev/provenance"]
    {
        let error = Provenance::read(good.to_string().as_bytes(), unknown, &Limits::DEFAULT).unwrap_err();
        assert!(error.is_limit() && error.code() == "unknown-version", "{unknown}");
    }
    // The fields of one version are not those of another.
    assert_eq!(fault(V02, &good), "missing /builder");
    assert_eq!(fault(V01, &good), "missing /builder");
}

#[test]
fn a_material_of_version_01_is_no_source() {
    let mut predicate = json!({
        "builder": { "id": "https://example.com/builder" },
        "recipe": { "type": "https://example.com/make", "definedInMaterial": 1 },
        "metadata": { "buildStartedOn": "2026-01-01T00:00:00Z", "buildFinishedOn": "0001-01-01T00:00:00Z" },
        "materials": [
            { "uri": "git+https://github.com/mallory/app" },
            { "uri": "git+https://github.com/example/app", "digest": { "sha1": COMMIT } },
        ],
    });
    for predicate_type in [V01, "https://in-toto.io/Provenance/v0.1"] {
        let provenance = read(predicate_type, &predicate);
        assert_eq!(source(&provenance), "unknown-build-type");
        assert_eq!(
            (provenance.started.map(|time| time.to_string()), provenance.finished),
            (Some("2026-01-01T00:00:00Z".to_owned()), None)
        );
    }
    for number in [json!(2), json!(-1), json!("1"), Value::Null] {
        predicate["recipe"]["definedInMaterial"] = number;
        assert_eq!(source(&read(V01, &predicate)), "unknown-build-type");
    }
}

/// What the issuer of the certificate has checked goes before what the builder writes.
#[test]
fn provenance_that_contradicts_its_certificate_is_refused() {
    let caller = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
    let reusable = "https://github.com/example/builds/.github/workflows/image.yml@refs/heads/main";
    let delegator = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_generic_slsa3.yml@refs/tags/v2.1.0";
    let of = |builder: &str| {
        let external = json!({ "workflow": { "repository": "https://github.com/example/app", "ref": "refs/tags/v1" } });
        let mut predicate = v1(GITHUB, &external);
        predicate["buildDefinition"]["resolvedDependencies"] = json!([
            { "uri": "git+https://github.com/example/app@refs/tags/v1", "digest": { "gitCommit": COMMIT } }
        ]);
        predicate["runDetails"]["builder"]["id"] = json!(builder);
        read(V1, &predicate)
    };
    let right = CertificateClaims {
        build_config_uri: Some(caller),
        build_signer_uri: Some(reusable),
        runner_environment: Some("github-hosted"),
        source_commit: Some(COMMIT),
        source_ref: Some("refs/tags/v1"),
        source_repository: Some("https://github.com/example/app"),
    };
    for builder in
        [caller, reusable, "https://github.com/actions/runner", "https://github.com/actions/runner/github-hosted"]
    {
        assert_eq!(of(builder).check_certificate(&right), Ok(()), "{builder}");
    }
    assert_eq!(
        of(reusable).check_certificate(&CertificateClaims { source_repository: Some("example/app"), ..right }),
        Ok(())
    );
    assert_eq!(of(reusable).check_certificate(&CertificateClaims::default()), Ok(()));
    let mallory = "https://github.com/mallory/app/.github/workflows/release.yml@refs/tags/v1";
    assert_eq!(
        of(mallory).check_certificate(&CertificateClaims { build_signer_uri: Some(delegator), ..right }),
        Ok(())
    );
    for (builder, claims, want) in [
        (mallory, right, ClaimContradiction::Builder),
        ("https://github.com/actions/runner/self-hosted", right, ClaimContradiction::Builder),
        (
            mallory,
            CertificateClaims { build_signer_uri: Some(&delegator.replace("slsa-framework/", "mallory/")), ..right },
            ClaimContradiction::Builder,
        ),
        (
            caller,
            CertificateClaims { source_repository: Some("https://github.com/mallory/app"), ..right },
            ClaimContradiction::Repository,
        ),
        (caller, CertificateClaims { source_repository: Some("mallory/app"), ..right }, ClaimContradiction::Repository),
        (
            caller,
            CertificateClaims { source_repository: Some("not a repository"), ..right },
            ClaimContradiction::Repository,
        ),
        (caller, CertificateClaims { source_ref: Some("refs/heads/v1"), ..right }, ClaimContradiction::Reference),
        (
            caller,
            CertificateClaims { source_commit: Some("9999999999999999999999999999999999999999"), ..right },
            ClaimContradiction::Commit,
        ),
    ] {
        assert_eq!(of(builder).check_certificate(&claims), Err(want), "{builder} {claims:?}");
    }
}
