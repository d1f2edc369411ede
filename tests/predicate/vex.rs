//! VEX: which findings the statements of OpenVEX, CycloneDX and CSAF clear.

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::limits::Limits;
use bulla::predicate::ImageProduct;
use bulla::predicate::PackageUrl;
use bulla::predicate::ScanFinding;
use bulla::predicate::VexDocument;
use bulla::predicate::VexStatements;
use bulla::predicate::VexStatus;
use serde_json::Value;
use serde_json::json;

use crate::scan;
use crate::scan::digest;
use crate::scan::time;

const ZLIB: &str = "pkg:deb/debian/zlib1g@1.2?arch=amd64";

fn read(document: &Value) -> VexDocument {
    VexDocument::read(document.to_string().as_bytes(), &Limits::DEFAULT)
        .unwrap_or_else(|error| panic!("{document}: {error}"))
}

fn refused(document: &Value) -> String {
    let error = VexDocument::read(document.to_string().as_bytes(), &Limits::DEFAULT).unwrap_err();
    format!("{} {}", error.code(), error.path())
}

/// A finding of a scan.
fn finding(id: &str, alias: Option<&str>, package: Option<&str>) -> ScanFinding {
    let mut annotations = vec![json!({ "bulla.fix": "fixed" })];
    annotations.extend(alias.map(|alias| json!({ "bulla.alias": alias })));
    annotations.extend(package.map(|package| json!({ "bulla.package": package })));
    let report = scan::read(&scan::vulns(&json!([{ "id": id, "annotations": annotations }]), None), scan::VULNS_2);
    report.findings.into_iter().next().unwrap()
}

/// Whether the documents clear CVE-2026-1 in zlib.
fn clears(documents: &[Value]) -> bool {
    clear(documents, &finding("CVE-2026-1", None, Some(ZLIB)))
}

fn clear(documents: &[Value], finding: &ScanFinding) -> bool {
    let digests: [Digest; 2] = [digest("manifest"), digest("index")];
    let image = ImageProduct {
        digests: &digests,
        manifest: Some(digest("manifest")),
        package_urls: &["pkg:oci/app?repository_url=r.example/app".parse().unwrap()],
    };
    clear_in(&image, documents, finding)
}

fn clear_in(image: &ImageProduct<'_>, documents: &[Value], finding: &ScanFinding) -> bool {
    let documents: Vec<_> = documents.iter().map(read).collect();
    let documents = documents.iter().map(|document| (document, Some(time("9999-12-30T00:00:00Z"))));
    VexStatements::about(documents, image).clears(finding)
}

fn image_url() -> String {
    format!("pkg:oci/app@{}?repository_url=registry.example/app", digest("manifest"))
}

fn openvex(statements: Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1", "author": "a",
        "timestamp": ISSUED, "version": 1, "statements": statements,
    })
}

/// When the document was issued, after all statements in it.
const ISSUED: &str = "2026-12-31T00:00:00Z";

fn statement(status: &str, time: &str) -> Value {
    json!({
        "vulnerability": { "name": "CVE-2026-1", "aliases": ["SNYK-1"] }, "status": status, "timestamp": time,
        "products": [{ "@id": image_url() }], "justification": "vulnerable_code_not_present",
    })
}

fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    base.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(field.to_owned(), value);
    base
}

const NOVEMBER: &str = "2026-11-02T00:00:00Z";

#[test]
fn only_fixed_and_justified_not_affected_clear() {
    for (status, cleared) in
        [("not_affected", true), ("fixed", true), ("affected", false), ("under_investigation", false)]
    {
        assert_eq!(clears(&[openvex(json!([statement(status, NOVEMBER)]))]), cleared, "{status}");
    }
    for justification in [Value::Null, json!(""), json!("trust_me"), json!("COMPONENT_NOT_PRESENT")] {
        let unjustified = with(statement("not_affected", NOVEMBER), "/justification", justification.clone());
        assert!(!clears(&[openvex(json!([unjustified.clone()]))]), "{justification}");
        let impact = with(unjustified, "/impact_statement", json!("none"));
        assert!(!clears(&[openvex(json!([impact]))]), "{justification}");
    }
    assert!(!clears(&[]));
}

#[test]
fn the_product_is_this_image() {
    let product =
        |product: Value| clears(&[openvex(json!([with(statement("fixed", NOVEMBER), "/products", json!([product]))]))]);
    let takes_back = |product: &Value| {
        let older = statement("fixed", "2026-10-01T00:00:00Z");
        !clears(&[openvex(json!([older, with(statement("affected", NOVEMBER), "/products", json!([product]))]))])
    };
    let hex = digest("manifest").hex();
    for yes in [
        json!(image_url()),
        json!({ "@id": image_url() }),
        json!({ "@id": format!("pkg:oci/other@sha256%3A{hex}") }),
        json!({ "@id": format!("pkg:oci/app@{}", digest("index")) }),
        json!({ "@id": "https://example.com/app", "identifiers": { "purl": image_url() } }),
        json!({ "@id": "https://example.com/app", "hashes": { "sha-256": hex } }),
        json!({ "@id": "pkg:oci/app?repository_url=r.example/app" }),
        json!(digest("manifest").to_string()),
    ] {
        assert!(product(yes.clone()), "{yes}");
    }
    for no in [
        json!(format!("pkg:oci/app@{}", digest("other"))),
        json!("pkg:oci/app"),
        json!("pkg:oci/app@1"),
        json!(format!("pkg:generic/app@{}", digest("manifest"))),
        json!(format!("https://example.com/{}", digest("manifest"))),
        json!({ "@id": "", "hashes": { "md5": hex, "sha-512": hex } }),
        json!(ZLIB),
        json!({}),
    ] {
        assert!(!product(no.clone()), "{no}");
    }
    // What contradicts itself does not clear, and takes back what another statement cleared.
    for contradiction in [
        json!({ "@id": format!("pkg:oci/app@{}", digest("other")), "hashes": { "sha-256": hex } }),
        json!({ "@id": image_url(), "hashes": { "sha-256": digest("other").hex() } }),
        json!({ "@id": image_url(), "hashes": { "sha-256": digest("other").hex().to_uppercase() } }),
        json!({ "@id": image_url(), "identifiers": { "purl": format!("pkg:generic/app@{}", digest("other")) } }),
    ] {
        assert!(!product(contradiction.clone()), "{contradiction}");
        assert!(takes_back(&contradiction), "{contradiction}");
    }
    // A product without any digest may be the image, so a newer statement about it that does not clear counts.
    for vague in [json!("pkg:oci/app"), json!({ "@id": "https://example.com/app" }), json!("app"), json!({})] {
        assert!(!product(vague.clone()) && takes_back(&vague), "{vague}");
    }
    assert!(!takes_back(&json!(format!("pkg:oci/app@{}", digest("other")))));
    // OpenVEX, "Attesting": without products, the subject of the attestation is the product.
    for none in [Value::Null, json!([])] {
        assert!(clears(&[openvex(json!([with(statement("fixed", NOVEMBER), "/products", none)]))]));
    }
}

/// What is said about a part of the image, or about another platform of the index, is not said about the image.
#[test]
fn a_product_that_may_be_a_part_of_the_image_clears_nothing() {
    let (manifest, index) = (digest("manifest"), digest("index"));
    let hashes = |of: &Digest| json!({ "sha-256": of.hex() });
    let about =
        |status: &str, time: &str, product: &Value| with(statement(status, time), "/products", json!([product]));
    for (product, cleared) in [
        (json!(format!("pkg:oci/app@{index}?repository_url=registry.example/app&tag=1.0")), true),
        (json!(format!("pkg:oci/app@{index}?mediaType=application%2Fvnd.oci.image.index.v1%2Bjson")), true),
        (json!(format!("pkg:oci/app@{manifest}?arch=amd64")), true),
        (json!({ "@id": "pkg:generic/app?arch=amd64", "hashes": hashes(&manifest) }), true),
        (json!(format!("pkg:oci/app@{index}?arch=arm64")), false),
        (json!(format!("pkg:oci/app@{index}?arch=amd64")), false),
        (json!(format!("pkg:docker/app@{index}?platform=linux/arm64")), false),
        (json!({ "@id": "pkg:generic/app?arch=arm64", "hashes": hashes(&index) }), false),
        (json!({ "@id": format!("pkg:oci/app@{index}?arch=arm64"), "hashes": hashes(&manifest) }), false),
        (json!(format!("pkg:oci/app@{index}#usr/bin/tool")), false),
        (json!(format!("pkg:oci/app@{manifest}#usr/bin/tool")), false),
        (json!({ "@id": "pkg:generic/app#usr/bin/tool", "hashes": hashes(&manifest) }), false),
    ] {
        assert_eq!(clears(&[openvex(json!([about("fixed", NOVEMBER, &product)]))]), cleared, "{product}");
        // It takes back what was said about the image.
        let older = statement("fixed", "2026-10-01T00:00:00Z");
        assert!(!clears(&[openvex(json!([older, about("affected", NOVEMBER, &product)]))]), "{product}");
    }
    // Of an index itself no package URL can name one platform.
    let of_index = ImageProduct { digests: &[index], manifest: None, package_urls: &[] };
    for (url, cleared) in [(format!("pkg:oci/app@{index}"), true), (format!("pkg:oci/app@{index}?arch=arm64"), false)] {
        let document = openvex(json!([about("fixed", NOVEMBER, &json!(url))]));
        assert_eq!(clear_in(&of_index, &[document], &finding("CVE-2026-1", None, Some(ZLIB))), cleared, "{url}");
    }
}

#[test]
fn subcomponents_are_the_package_of_the_finding() {
    let document = |status: &str, parts: &Value| {
        let product = json!([{ "@id": image_url(), "subcomponents": parts }]);
        openvex(json!([with(statement(status, NOVEMBER), "/products", product)]))
    };
    let newer = |document: Value| with(document, "/timestamp", json!(NOVEMBER));
    let older = openvex(json!([statement("fixed", "2026-10-01T00:00:00Z")]));
    // A statement that does not clear takes back an older one, also if it is not sure that it is about the package.
    for (part, exact, possible) in [
        (json!(ZLIB), true, true),
        (json!({ "@id": "pkg:deb/debian/zlib1g@1.2" }), true, true),
        (json!({ "@id": "x", "identifiers": { "purl": ZLIB } }), true, true),
        (json!("pkg:deb/debian/zlib1g"), false, true),
        (json!("pkg:deb/debian/zlib1g@1.2?arch=amd64&distro=debian-12"), false, true),
        (json!("pkg:deb/debian/zlib1g@1.2?distro=debian-12"), false, true),
        (json!("pkg:deb/debian/zlib1g@1.2?epoch=1"), false, true),
        (json!("pkg:deb/debian/zlib1g@1.2#doc"), false, true),
        (json!("pkg:deb/debian/zlib1g@1.3"), false, false),
        (json!("pkg:deb/debian/zlib1g@1.2?arch=arm64"), false, false),
        (json!("pkg:deb/debian/libssl3@1.2"), false, false),
        (json!("zlib1g"), false, true),
    ] {
        let parts = json!([part]);
        assert_eq!(clears(&[document("not_affected", &parts)]), exact, "{part}");
        assert_eq!(!clears(&[older.clone(), newer(document("affected", &parts))]), possible, "{part}");
    }
    assert!(!clears(&[document("fixed", &json!([]))]));
    let two = json!(["pkg:deb/debian/libssl3@1", ZLIB]);
    assert!(clears(&[document("fixed", &two)]));
    let unknown = json!(["pkg:deb/debian/libssl3@1", "SPDXRef-zlib"]);
    assert!(!clears(&[older.clone(), newer(document("affected", &unknown))]));
    // A finding without package is cleared by a statement about the whole image alone.
    let nowhere = finding("CVE-2026-1", None, None);
    assert!(clear(std::slice::from_ref(&older), &nowhere));
    assert!(!clear(&[document("fixed", &two)], &nowhere));
    assert!(!clear(&[older, newer(document("affected", &two))], &nowhere));
}

/// Qualifiers other than `arch` and `distro`, and the subpath, tell packages apart.
#[test]
fn a_subcomponent_that_leaves_out_what_tells_packages_apart_clears_nothing() {
    for (package, part, cleared) in [
        ("pkg:rpm/rhel/zlib@1.2?arch=x86_64&distro=rhel-9&epoch=1", "pkg:rpm/rhel/zlib@1.2?epoch=1", true),
        ("pkg:rpm/rhel/zlib@1.2?arch=x86_64&distro=rhel-9&epoch=1", "pkg:rpm/rhel/zlib@1.2?arch=x86_64", false),
        ("pkg:maven/g/a@1?classifier=shaded", "pkg:maven/g/a@1", false),
        ("pkg:maven/g/a@1?classifier=shaded", "pkg:maven/g/a@1?classifier=shaded", true),
        ("pkg:golang/example.com/m@1#cmd/tool", "pkg:golang/example.com/m@1", false),
        ("pkg:golang/example.com/m@1#cmd/tool", "pkg:golang/example.com/m@1#cmd/tool", true),
    ] {
        let product = json!([{ "@id": image_url(), "subcomponents": [part] }]);
        let document = openvex(json!([with(statement("fixed", NOVEMBER), "/products", product)]));
        assert_eq!(clear(&[document], &finding("CVE-2026-1", None, Some(package))), cleared, "{package} {part}");
    }
}

/// Tools spell one package differently. What does not clear is compared without what is only spelling.
#[test]
fn a_package_in_another_spelling_is_taken_back_and_not_cleared() {
    for (package, part, is_taken_back) in [
        ("pkg:golang/github.com/a/b@v1.0", "pkg:golang/github.com%2Fa%2Fb@v1.0", true),
        ("pkg:golang/github.com/A/b@v1.0", "pkg:golang/github.com/a/b@1.0", true),
        ("pkg:pypi/ruamel.yaml@1", "pkg:pypi/ruamel_yaml@1", true),
        (
            "pkg:deb/debian/zlib1g@1%3A1.2?distro=debian-12",
            "pkg:deb/debian/zlib1g@1.2?distro=debian-12.5&epoch=1",
            true,
        ),
        ("pkg:rpm/rhel/zlib@1.2?arch=x86_64", "pkg:rpm/redhat/zlib@1.2?arch=src", true),
        ("pkg:rpm/rhel/zlib@1.2?arch=x86_64", "pkg:rpm/rhel/zlib@1.2?arch=amd64", true),
        ("pkg:rpm/rhel/zlib@1.2?arch=aarch64", "pkg:rpm/rhel/zlib@1.2?arch=ARM64", true),
        ("pkg:apk/alpine/zlib@1.2?arch=armv7", "pkg:apk/alpine/zlib@1.2?arch=armhf", true),
        ("pkg:apk/alpine/zlib@1.2?arch=x86", "pkg:apk/alpine/zlib@1.2?arch=i686", true),
        ("pkg:deb/debian/zlib1g@1.2?arch=ppc64el", "pkg:deb/debian/zlib1g@1.2?arch=ppc64le", true),
        ("pkg:deb/debian/zlib1g@1.2?arch=amd64", "pkg:deb/debian/zlib1g@1.2?arch=unheard-of", true),
        ("pkg:deb/debian/zlib1g@1.2?upstream=zlib", "pkg:deb/debian/zlib1g@1.2?upstream=zlib%401.2", true),
        ("pkg:rpm/rhel/zlib@1.2?arch=x86_64", "pkg:rpm/rhel/zlib@1.2?arch=i686", false),
        ("pkg:apk/alpine/zlib@1.2?arch=x86_64", "pkg:apk/alpine/zlib@1.2?arch=x86", false),
        ("pkg:deb/debian/zlib1g@1.2?arch=s390x", "pkg:deb/debian/zlib1g@1.2?arch=riscv64", false),
        ("pkg:rpm/rhel/zlib@1.2?epoch=1", "pkg:rpm/rhel/zlib@1.2?epoch=2", false),
        ("pkg:maven/g/a@1?repository_url=r.example", "pkg:maven/g/a@1?repository_url=https://r.example", true),
        ("pkg:npm/lodash.merge@1", "pkg:npm/lodash-merge@1", false),
        ("pkg:npm/%40a/b@1", "pkg:npm/b@1", false),
        ("pkg:npm/b@1", "pkg:npm/b@v2", false),
        ("pkg:npm/verb@vsix", "pkg:npm/verb@six", false),
        ("pkg:deb/debian/zlib1g@1.2?arch=amd64", "pkg:rpm/debian/zlib1g@1.2?arch=amd64", false),
        ("pkg:maven/g/a@1?classifier=b", "pkg:maven/g/a@1?classifier=c", false),
    ] {
        let found = finding("CVE-2026-1", None, Some(package));
        let limited = |status: &str| {
            let product = json!([{ "@id": image_url(), "subcomponents": [part] }]);
            with(statement(status, NOVEMBER), "/products", product)
        };
        let older = statement("fixed", "2026-10-01T00:00:00Z");
        assert!(!clear(&[openvex(json!([limited("fixed")]))], &found), "{package} {part}");
        let taken_back = !clear(&[openvex(json!([older, limited("affected")]))], &found);
        assert_eq!(taken_back, is_taken_back, "{package} {part}");
    }
}

/// What does not clear is also about the packages that an image, its base image or a source package has.
#[test]
fn what_holds_the_package_is_taken_back_and_not_cleared() {
    let older = statement("fixed", "2026-10-01T00:00:00Z");
    let openssl = "pkg:deb/debian/libssl3@3.0.11?arch=amd64&upstream=openssl%403.0.11-1";
    let crypto = "pkg:rpm/rhel/openssl-libs@3.0.7?arch=x86_64&upstream=openssl-3.0.7-1.el9.src.rpm";
    let base = format!("pkg:oci/base@{}", digest("other"));
    for (package, part, is_taken_back) in [
        (ZLIB, base.as_str(), true),
        (ZLIB, "pkg:docker/base", true),
        (ZLIB, "pkg:generic/app@1", true),
        (openssl, "pkg:deb/debian/openssl@3.0.11?arch=source", true),
        (openssl, "pkg:deb/debian/openssl", true),
        (crypto, "pkg:rpm/redhat/openssl@3.0.7-1.el9?arch=src", true),
        (openssl, "pkg:deb/debian/open@3.0.11?arch=source", false),
        (openssl, "pkg:rpm/rhel/openssl@3.0.11?arch=src", false),
        (crypto, "pkg:rpm/redhat/openssl-3.0.7@1?arch=src", false),
        (ZLIB, "pkg:deb/debian/openssl@3.0.11?arch=source", false),
        ("pkg:npm/a@1?upstream=b", "pkg:npm/b@1", false),
    ] {
        let found = finding("CVE-2026-1", None, Some(package));
        let limited = |status: &str| {
            let product = json!([{ "@id": image_url(), "subcomponents": [part] }]);
            with(statement(status, NOVEMBER), "/products", product)
        };
        assert!(!clear(&[openvex(json!([limited("fixed")]))], &found), "{package} {part}");
        let taken_back = !clear(&[openvex(json!([older, limited("affected")]))], &found);
        assert_eq!(taken_back, is_taken_back, "{package} {part}");
    }
    // So is the image as a component of its platform, as CSAF may state it.
    let component = |list: &str| {
        let parts = json!([{ "category": "default_component_of", "product_reference": "APP",
            "relates_to_product_reference": "PLATFORM",
            "full_product_name": { "name": "app on a platform", "product_id": "PLATFORM:APP" } }]);
        with(csaf(list, "PLATFORM:APP"), "/product_tree/relationships", parts)
    };
    assert!(!clears(&[component("fixed")]));
    let older = openvex(json!([older]));
    assert!(clears(&[older.clone(), component("recommended")]));
    assert!(!clears(&[older, component("known_affected")]));
}

/// Of an advisory that stands for several vulnerabilities, a statement about one of them clears nothing.
#[test]
fn one_vulnerability_of_an_advisory_is_taken_back_and_not_cleared() {
    let annotations = json!([{ "bulla.related": "CVE-2026-7" }, { "bulla.related": "CVE-2026-8" }]);
    let result = json!([{ "id": "ELSA-1", "annotations": annotations }]);
    let report = scan::read(&scan::vulns(&result, None), scan::VULNS_2);
    let [advisory] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
    assert_eq!(advisory.related, ["CVE-2026-7", "CVE-2026-8"]);
    let about =
        |id: &str, status: &str, time: &str| with(statement(status, time), "/vulnerability", json!({ "name": id }));
    let older = about("ELSA-1", "fixed", "2026-10-01T00:00:00Z");
    assert!(clear(&[openvex(json!([older]))], advisory));
    assert!(!clear(&[openvex(json!([about("CVE-2026-8", "fixed", NOVEMBER)]))], advisory));
    assert!(clear(&[openvex(json!([older, about("CVE-2026-8", "fixed", NOVEMBER)]))], advisory));
    assert!(clear(&[openvex(json!([older, about("CVE-2026-9", "affected", NOVEMBER)]))], advisory));
    assert!(!clear(&[openvex(json!([older, about("cve-2026-8", "affected", NOVEMBER)]))], advisory));
}

/// A product of CSAF in a branch for one architecture is not about the other platforms of an index.
#[test]
fn a_csaf_product_of_one_architecture_clears_nothing_of_an_index() {
    let (manifest, index) = (digest("manifest"), digest("index"));
    let branch = |category: &str, of: &Digest, list: &str, id: &str| {
        let product = json!({ "name": "app", "product_id": "APP", "product_identification_helper":
            { "purl": format!("pkg:oci/app@{of}") } });
        let version = json!([{ "category": "product_version", "name": "1", "product": product }]);
        let branches = json!([{ "category": category, "name": "arm64", "branches": version }]);
        with(csaf(list, id), "/product_tree/branches", branches)
    };
    for (category, of, cleared) in [
        ("product_name", &index, true),
        ("architecture", &index, false),
        ("Architecture", &index, false),
        ("architecture", &manifest, true),
    ] {
        for id in ["APP", "APP:ZLIB"] {
            assert_eq!(clears(&[branch(category, of, "fixed", id)]), cleared, "{category} {of} {id}");
        }
    }
    let older = openvex(json!([statement("fixed", "2026-10-01T00:00:00Z")]));
    assert!(!clears(&[older, branch("architecture", &index, "known_affected", "APP")]));
}

#[test]
fn the_vulnerability_is_named_exactly() {
    let document = [openvex(json!([statement("fixed", NOVEMBER)]))];
    for (id, alias, cleared) in [
        ("CVE-2026-1", None, true),
        ("GHSA-1", Some("CVE-2026-1"), true),
        ("CVE-2026-10", None, false),
        ("cve-2026-1", None, false),
        ("CVE-2026-1 ", None, false),
        // An alias in the VEX document is no identifier that the scanner knows.
        ("SNYK-1", None, false),
        ("GHSA-1", Some("SNYK-1"), false),
    ] {
        assert_eq!(clear(&document, &finding(id, alias, Some(ZLIB))), cleared, "{id} {alias:?}");
    }
    // In another case it clears nothing, and takes back what another statement cleared.
    let lower = with(statement("affected", "2026-12-01T00:00:00Z"), "/vulnerability", json!("cve-2026-1"));
    assert!(!clears(&[openvex(json!([statement("fixed", NOVEMBER), lower]))]));
    // So does an alias.
    let snyk = finding("SNYK-1", None, None);
    let own = with(statement("fixed", "2026-10-01T00:00:00Z"), "/vulnerability", json!("SNYK-1"));
    assert!(clear(&[openvex(json!([own.clone()]))], &snyk));
    assert!(!clear(&[openvex(json!([own, statement("affected", NOVEMBER)]))], &snyk));
}

/// A product that the known digests of the image do not rule out clears nothing, and takes back what was cleared.
#[test]
fn a_product_by_another_algorithm_may_be_the_image() {
    let longer = Digest::of(DigestAlgorithm::Sha512, b"manifest").hex();
    let older = statement("fixed", "2026-10-01T00:00:00Z");
    let newer = |status: &str, hashes: Value| {
        with(statement(status, NOVEMBER), "/products", json!([{ "@id": "https://example.com/app", "hashes": hashes }]))
    };
    let cleared = |statements: Value| clears(&[openvex(statements)]);
    assert!(!cleared(json!([newer("fixed", json!({ "sha-512": longer }))])));
    assert!(!cleared(json!([older, newer("affected", json!({ "sha-512": longer }))])));
    assert!(!cleared(json!([older, newer("affected", json!({ "md5": "0123456789abcdef0123456789abcdef" }))])));
    // Another digest by the algorithm that is known rules it out.
    let other = digest("other").hex();
    assert!(cleared(json!([older, newer("affected", json!({ "sha-256": other, "sha-512": longer }))])));
    assert!(cleared(json!([older, newer("affected", json!({ "sha-256": other }))])));
}

#[test]
fn the_newest_statement_decides() {
    let (early, late) = ("2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
    for (one, other, cleared) in [
        (("fixed", late), ("affected", early), true),
        (("affected", late), ("fixed", early), false),
        (("under_investigation", late), ("not_affected", early), false),
        (("fixed", late), ("not_affected", late), true),
        // Of the same time: all must clear.
        (("fixed", late), ("affected", late), false),
        (("affected", late), ("fixed", late), false),
    ] {
        let (one, other) = (statement(one.0, one.1), statement(other.0, other.1));
        for order in [[&one, &other], [&other, &one]] {
            assert_eq!(clears(&[openvex(json!(order))]), cleared, "{order:?}");
            let documents: Vec<_> = order.iter().map(|statement| openvex(json!([statement]))).collect();
            assert_eq!(clears(&documents), cleared, "{order:?}");
        }
    }
    // The time of the document is that of a statement without its own; a change is newer than the issue.
    let timeless = |status: &str| with(statement(status, ""), "/timestamp", Value::Null);
    let document = |status: &str, time: Value| with(openvex(json!([timeless(status)])), "/timestamp", time);
    assert!(clears(&[document("fixed", json!(late)), document("affected", json!(early))]));
    assert!(!clears(&[document("fixed", json!(early)), document("affected", json!(late))]));
    let updated = with(document("affected", json!(early)), "/last_updated", json!("2027-01-01T00:00:00Z"));
    assert!(!clears(&[document("fixed", json!(late)), updated]));
    // A statement that clears is not newer than its document.
    let late_fix = with(openvex(json!([statement("fixed", "2036-01-01T00:00:00Z")])), "/timestamp", json!(early));
    assert!(clears(std::slice::from_ref(&late_fix)));
    assert!(!clears(&[late_fix, document("affected", json!(late))]));
    // Nor than the time that the caller gives with its document. Without one it clears nothing.
    let digests = [digest("manifest")];
    let url = "pkg:oci/app?repository_url=r.example/app".parse().unwrap();
    let image = ImageProduct { digests: &digests, manifest: Some(digests[0]), package_urls: &[url] };
    let documents = [document("fixed", json!(late)), document("affected", json!(NOVEMBER))].map(|one| read(&one));
    let as_of = |latest: Option<&str>| {
        let dated = documents.iter().map(|document| (document, latest.map(time)));
        VexStatements::about(dated, &image).clears(&finding("CVE-2026-1", None, Some(ZLIB)))
    };
    assert!(as_of(Some(ISSUED)) && as_of(Some("2026-11-30T23:59:59Z")));
    assert!(!as_of(Some(NOVEMBER)) && !as_of(Some(early)) && !as_of(None));
    // A statement that clears needs a time, one that does not may be the newest without it.
    assert!(!clears(&[document("fixed", Value::Null)]));
    assert!(!clears(&[document("fixed", json!("0001-01-01T00:00:00Z"))]));
    assert!(!clears(&[document("affected", Value::Null), document("fixed", json!(late))]));
    // A time that programs write for one that they do not know is not one.
    for zero in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T23:59:59Z"] {
        let own = openvex(json!([statement("affected", zero)]));
        for denial in [document("affected", json!(zero)), with(own, "/timestamp", json!(zero))] {
            assert!(!clears(&[denial, document("fixed", json!(late))]), "{zero}");
        }
        assert!(!clears(&[document("fixed", json!(zero))]), "{zero}");
    }
}

#[test]
fn more_statements_about_one_vulnerability_than_the_limit_clear_nothing() {
    let many = |count: usize| vec![statement("fixed", NOVEMBER); count];
    assert!(clears(&[openvex(json!(many(1_000)))]));
    assert!(!clears(&[openvex(json!(many(1_001)))]));
}

#[test]
fn openvex_001_is_read() {
    let document = json!({
        "@context": "https://openvex.dev/ns", "author": "a", "timestamp": NOVEMBER, "version": "1",
        "statements": [{
            "vulnerability": "CVE-2026-1", "products": [image_url(), "pkg:oci/b"], "subcomponents": [ZLIB],
            "status": "not_affected", "justification": "component_not_present",
        }],
    });
    assert!(clears(std::slice::from_ref(&document)));
    assert!(!clears(&[with(document, "/statements/0/subcomponents", json!(["pkg:deb/debian/b@1"]))]));
}

fn cyclonedx(state: &str, reference: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": { "timestamp": NOVEMBER, "component": {
            "type": "container", "name": "app", "bom-ref": "app", "purl": image_url() } },
        "components": [
            { "type": "library", "name": "zlib1g", "bom-ref": "zlib", "purl": ZLIB },
            { "type": "library", "name": "other", "bom-ref": "other" },
        ],
        "vulnerabilities": [{
            "id": "CVE-2026-1", "references": [{ "id": "SNYK-1" }],
            "analysis": { "state": state, "justification": "code_not_reachable" },
            "affects": [{ "ref": reference }],
        }],
    })
}

#[test]
fn analyses_of_cyclonedx_clear() {
    for (state, reference, cleared) in [
        ("not_affected", "app", true),
        ("not_affected", "zlib", true),
        ("resolved", "zlib", true),
        ("resolved_with_pedigree", "zlib", true),
        ("false_positive", "zlib", false),
        ("exploitable", "zlib", false),
        ("in_triage", "zlib", false),
        // A component without package URL, and references into other documents.
        ("not_affected", "other", false),
        ("not_affected", "unknown", false),
        ("not_affected", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#zlib", false),
    ] {
        assert_eq!(clears(&[cyclonedx(state, reference)]), cleared, "{state} {reference}");
    }
    let fine = cyclonedx("not_affected", "zlib");
    for (pointer, value) in [
        ("/vulnerabilities/0/analysis/justification", json!("because")),
        ("/vulnerabilities/0/analysis/justification", Value::Null),
        ("/vulnerabilities/0/analysis", Value::Null),
        ("/vulnerabilities/0/affects", Value::Null),
        ("/vulnerabilities/0/affects", json!([{ "ref": "zlib", "versions": [{ "version": "1.1" }] }])),
        ("/metadata/component/purl", json!(format!("pkg:oci/app@{}", digest("other")))),
        ("/metadata/component", Value::Null),
        ("/metadata/timestamp", Value::Null),
    ] {
        assert!(!clears(&[with(fine.clone(), pointer, value)]), "{pointer}");
    }
    // syft has the digest of the image as the version.
    let by_version = with(fine.clone(), "/metadata/component/purl", Value::Null);
    assert!(clears(&[with(by_version, "/metadata/component/version", json!(digest("manifest").to_string()))]));
    // A newer analysis takes back the older one, also where it is not known what it is about.
    let newer =
        |reference| with(cyclonedx("in_triage", reference), "/metadata/timestamp", json!("2026-12-01T00:00:00Z"));
    for reference in ["app", "zlib", "other", "unknown"] {
        assert!(!clears(&[fine.clone(), newer(reference)]), "{reference}");
    }
    assert!(!clears(&[fine.clone(), with(newer("app"), "/vulnerabilities/0/affects", Value::Null)]));
    assert!(!clears(&[fine.clone(), with(newer("app"), "/metadata/component", Value::Null)]));
    assert_eq!(refused(&with(fine.clone(), "/specVersion", json!("1.3"))), "unknown-version /specVersion");
    let twice = json!([{ "type": "a", "name": "a", "bom-ref": "a" }, { "type": "b", "name": "b", "bom-ref": "a" }]);
    assert_eq!(refused(&with(fine.clone(), "/components", twice)), "stated-twice /components/1");
    // One reference for the product and for a part of it.
    let both = json!([{ "type": "library", "name": "zlib1g", "bom-ref": "app", "purl": ZLIB }]);
    assert_eq!(refused(&with(fine.clone(), "/components", both)), "stated-twice /components/0");
    let state = with(fine, "/vulnerabilities/0/analysis/state", json!("great"));
    assert_eq!(refused(&state), "malformed /vulnerabilities/0/analysis/state");
}

fn csaf(list: &str, id: &str) -> Value {
    let product =
        |id: &str, url: &str| json!({ "name": id, "product_id": id, "product_identification_helper": { "purl": url } });
    json!({
        "document": {
            "category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "tracking": { "id": "1", "status": "final", "version": "1", "current_release_date": NOVEMBER },
        },
        "product_tree": {
            "branches": [{ "category": "vendor", "name": "v", "branches": [
                { "category": "product_version", "name": "1", "product": product("APP", &image_url()) },
            ] }],
            "full_product_names": [product("ZLIB", ZLIB), product("OTHER", "pkg:deb/debian/b@1")],
            "relationships": [
                { "category": "default_component_of", "product_reference": "ZLIB",
                    "relates_to_product_reference": "APP",
                    "full_product_name": { "name": "zlib in app", "product_id": "APP:ZLIB" } },
                { "category": "default_component_of", "product_reference": "OTHER",
                    "relates_to_product_reference": "APP",
                    "full_product_name": { "name": "b in app", "product_id": "APP:OTHER" } },
            ],
            "product_groups": [{ "group_id": "G", "product_ids": ["APP", "APP:ZLIB"] }],
        },
        "vulnerabilities": [{
            "cve": "CVE-2026-1", "product_status": { list: [id] },
            "flags": [{ "label": "vulnerable_code_not_in_execute_path", "group_ids": ["G"] }],
        }],
    })
}

#[test]
fn final_csaf_documents_clear() {
    for (list, id, cleared) in [
        ("known_not_affected", "APP", true),
        ("known_not_affected", "APP:ZLIB", true),
        ("fixed", "APP:ZLIB", true),
        ("first_fixed", "APP", true),
        ("known_affected", "APP", false),
        ("under_investigation", "APP", false),
        ("recommended", "APP", false),
        ("last_affected", "APP", false),
        ("fixed", "APP:OTHER", false),
        // The component itself is no product in the image.
        ("fixed", "ZLIB", false),
        ("fixed", "UNKNOWN", false),
        // Not flagged: not affected without justification.
        ("known_not_affected", "APP:OTHER", false),
    ] {
        assert_eq!(clears(&[csaf(list, id)]), cleared, "{list} {id}");
    }
    let fine = csaf("known_not_affected", "APP:ZLIB");
    for (pointer, value) in [
        ("/vulnerabilities/0/flags", Value::Null),
        ("/vulnerabilities/0/flags", json!([{ "label": "other", "group_ids": ["G"] }])),
        ("/vulnerabilities/0/flags", json!([{ "label": "component_not_present", "product_ids": ["APP"] }])),
        ("/document/tracking/status", json!("draft")),
        ("/document/tracking/status", json!("interim")),
        ("/document/tracking/current_release_date", Value::Null),
    ] {
        assert!(!clears(&[with(fine.clone(), pointer, value.clone())]), "{pointer} {value}");
    }
    // The same product in a second list of the same document.
    let both = json!({ "fixed": ["APP"], "known_affected": ["APP"] });
    assert!(!clears(&[with(fine.clone(), "/vulnerabilities/0/product_status", both)]));
    let recommended = json!({ "fixed": ["APP"], "recommended": ["APP"] });
    assert!(clears(&[with(fine.clone(), "/vulnerabilities/0/product_status", recommended)]));
    // A draft takes back what an older final document cleared.
    let newer = with(fine.clone(), "/document/tracking/current_release_date", json!("2026-12-01T00:00:00Z"));
    assert!(clears(&[fine.clone(), newer.clone()]));
    assert!(!clears(&[fine.clone(), with(newer, "/document/tracking/status", json!("interim"))]));
    // So does a final one about a product that it does not define.
    let undefined = with(
        csaf("known_affected", "UNKNOWN"),
        "/document/tracking/current_release_date",
        json!("2026-12-01T00:00:00Z"),
    );
    assert!(!clears(&[fine.clone(), undefined]));
    for (pointer, value, reason) in [
        ("/document/csaf_version", json!("1.2"), "unknown-version /document/csaf_version"),
        ("/document/category", json!("csaf_security_advisory"), "wrong-document /document/category"),
        ("/document/tracking/status", json!("done"), "malformed /document/tracking/status"),
        ("/vulnerabilities/0/cve", Value::Null, "missing /vulnerabilities/0/cve"),
        (
            "/product_tree/full_product_names",
            json!([{ "name": "x", "product_id": "APP" }]),
            "stated-twice /product_tree/full_product_names/0/product_id",
        ),
    ] {
        assert_eq!(refused(&with(fine.clone(), pointer, value)), reason);
    }
}

#[test]
fn what_is_no_vex_document_is_refused() {
    let fine = || openvex(json!([statement("fixed", NOVEMBER)]));
    for (document, reason) in [
        (json!({}), "wrong-document "),
        (json!([]), "wrong-type "),
        (json!({ "@context": "x", "bomFormat": "CycloneDX" }), "wrong-document "),
        (
            with(fine(), "/@context", json!("https://spdx.org/rdf/3.0.1/spdx-context.jsonld")),
            "wrong-document /@context",
        ),
        (with(fine(), "/@context", json!("https://openvex.dev/ns/v0.3.0")), "unknown-version /@context"),
        (with(fine(), "/statements", Value::Null), "missing /statements"),
        (with(fine(), "/statements/0/status", json!("maybe")), "malformed /statements/0/status"),
        (with(fine(), "/statements/0/status", Value::Null), "missing /statements/0/status"),
        (with(fine(), "/statements/0/vulnerability", json!({})), "missing /statements/0/vulnerability/name"),
        (with(fine(), "/statements/0/timestamp", json!("today")), "malformed /statements/0/timestamp"),
        (with(fine(), "/timestamp", json!(7)), "wrong-type /timestamp"),
        (with(fine(), "/statements/0/Status", json!("fixed")), "ambiguous-key /statements/0"),
    ] {
        assert_eq!(refused(&document), reason, "{document}");
    }
}

#[test]
fn what_is_kept_of_a_document_has_a_limit() {
    let limits = Limits::DEFAULT.with(|limits| limits.json.values = 1_000);
    // Each product of version 0.0.1 would get all subcomponents.
    let document = json!({ "@context": "https://openvex.dev/ns", "statements": [{
        "vulnerability": "CVE-1", "status": "fixed",
        "products": vec!["pkg:oci/a"; 100], "subcomponents": vec!["pkg:deb/debian/a@1"; 100],
    }] });
    let error = VexDocument::read(document.to_string().as_bytes(), &limits).unwrap_err();
    assert!(error.is_limit() && error.path().to_string() == "/statements/0/products/9", "{error}");
    let nested = (0..70).fold(json!({}), |inner, _| json!({ "branches": [inner] }));
    let deep = with(csaf("fixed", "APP"), "/product_tree", nested);
    let error = VexDocument::read(deep.to_string().as_bytes(), &Limits::DEFAULT).unwrap_err();
    assert!(error.is_limit() && error.code() == "too-large", "{error}");
}

#[test]
fn a_statement_says_what_it_is_about() {
    let document = read(&openvex(json!([statement("not_affected", NOVEMBER)])));
    let statement = &document.statements[0];
    assert_eq!((statement.status, statement.time), (VexStatus::NotAffected, Some(time(NOVEMBER))));
    assert_eq!(
        (statement.vulnerability.as_str(), statement.aliases.as_slice()),
        ("CVE-2026-1", &["SNYK-1".to_owned()][..])
    );
    assert_eq!(statement.products[0].package_urls, [image_url().parse::<PackageUrl>().unwrap()]);
    assert_eq!(document.time, Some(time(ISSUED)));
}
