//! Which statement is the newest where a timestamp proves when it was signed, and not only its author says so.

use std::sync::Arc;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::Evidence;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::ScanRule;
use bulla::policy::StatementKinds;
use bulla::policy::TestRule;
use bulla::policy::Threshold;
use bulla::predicate::FindingRule;
use bulla::predicate::FindingsCounted;
use bulla::predicate::PredicateKind;
use bulla::predicate::ScanFormat;
use bulla::predicate::TestOutcome;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::verify::Verifier;
use serde_json::Value;
use serde_json::json;

use crate::clearing;
use crate::clearing::ISSUER;
use crate::clearing::OPENVEX;
use crate::clearing::VULNS;
use crate::later;
use crate::made::CA;
use crate::made::Made;
use crate::made::TSA;
use crate::made::Workshop;
use crate::made::plan;
use crate::own;
use crate::revocation::stamped_bundle;

const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A certificate authority and a timestamp authority; `None` where openssl is missing.
static SCENE: LazyLock<Option<Scene>> = LazyLock::new(|| {
    let shop = Workshop::new()?;
    let root = shop.root(plan("/O=Acme/CN=root", CA));
    let clock_root = shop.root(plan("/O=Time/CN=root", CA));
    let clock = shop.issue(&clock_root, plan("/O=Time/CN=clock", TSA));
    Some(Scene { clock, clock_root, image: clearing::image(), root, shop })
});

struct Scene {
    clock: Made,
    clock_root: Made,
    image: Content,
    root: Made,
    shop: Workshop,
}

/// The name in the certificates of an owner.
fn name(owner: &str) -> String {
    format!("https://acme.example/{owner}")
}

impl Scene {
    /// So many seconds after ten minutes in which both authorities were valid.
    fn at(&self, seconds: i64) -> Time {
        let made = [&self.root, &self.clock_root, &self.clock].map(|one| one.certificate.not_before());
        later(made.into_iter().max().unwrap(), 600 + seconds)
    }

    /// A keyless certificate of the owner that is valid from `start`, for an hour.
    fn signer(&self, owner: &str, start: i64) -> Made {
        let extensions = format!(
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{}\n{}",
            name(owner),
            own::issuers(ISSUER, ISSUER)
        );
        let plan = plan("/O=Acme/CN=signer", &extensions);
        self.shop.issue_for(&self.root, plan, self.at(start), self.at(start + 3_600))
    }

    /// Owners whose signatures need a timestamp.
    fn trust(&self, owners: &[&str]) -> TrustRoot {
        let authority = |made: &Made| {
            json!({
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(made.certificate.der())}]},
                "validFor": {"start": "2020-01-01T00:00:00Z"},
            })
        };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [authority(&self.root)],
            "timestampAuthorities": [authority(&self.clock_root)],
        });
        let root = Arc::new(TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap());
        let rule = LogRule::NONE.with_timestamps(1);
        let means = |owner: &str| Means::Keyless(KeylessMeans::new(Arc::clone(&root), own::uri(&name(owner)), rule));
        TrustRoot::new(owners.iter().map(|owner| Identity::new(Owner::Named((*owner).to_owned()), means(owner))))
            .unwrap()
    }

    /// A statement about the image, with a timestamp of that time over its signature.
    fn signed(&self, signer: &Made, stated: (&str, &Value), stamp: Time) -> Evidence {
        let bundle = own::bundle_stating(signer, self.image.digest(), stated);
        stamped_bundle(bundle, &[(&self.clock, stamp, None)], |_| ())
    }

    /// `accepted`, or the code of the only requirement.
    fn judge(&self, verifier: &Verifier, evidence: &[Evidence]) -> &'static str {
        let judged = verifier.verify_image(&self.image, |_: &Digest| evidence, self.at(3_500));
        judged.map_or_else(|refusal| refusal.requirements[0].code, |_| "accepted")
    }
}

/// A VEX document about `CVE-1` of that time.
fn vex(status: &str, time: &str) -> Value {
    let mut document = clearing::clearing(time, &["CVE-1".to_owned()]);
    document["statements"][0]["status"] = json!(status);
    document
}

/// Anybody may date a document ahead. Where a timestamp says when it was signed at the latest, it clears nothing that
/// another owner has denied since.
#[test]
fn a_vex_document_clears_as_of_its_timestamp_at_the_latest() {
    let Some(scene) = SCENE.as_ref() else { return };
    let owners = ["scanner", "ann", "bob"];
    let verifier = clearing::verifier(&scene.trust(&owners), 1, Limits::DEFAULT.evidence.pairing_steps);
    let [scanner, ann, bob] = owners.map(|owner| scene.signer(owner, 0));
    let found = clearing::scan(&scene.at(10).to_string(), &["CVE-1".to_owned()]);
    let scan = scene.signed(&scanner, (VULNS, &found), scene.at(10));
    let ahead = "2099-01-01T00:00:00Z".to_owned();
    for (fixed, own_time, affected, want) in [
        (scene.at(60).to_string(), None, 30, "accepted"),
        (scene.at(60).to_string(), None, 90, "vulnerabilities"),
        (ahead.clone(), None, 30, "accepted"),
        (ahead.clone(), None, 60, "vulnerabilities"),
        (ahead.clone(), None, 90, "vulnerabilities"),
        (ahead.clone(), Some(ahead), 90, "vulnerabilities"),
    ] {
        let mut fixed_document = vex("fixed", &fixed);
        if let Some(time) = &own_time {
            fixed_document["statements"][0]["timestamp"] = json!(time);
        }
        let denied = vex("affected", &scene.at(affected).to_string());
        let evidence = [
            scan.clone(),
            scene.signed(&ann, (OPENVEX, &fixed_document), scene.at(60)),
            scene.signed(&bob, (OPENVEX, &denied), scene.at(affected)),
        ];
        assert_eq!(scene.judge(&verifier, &evidence), want, "{fixed} {own_time:?} {affected}");
    }
}

/// A report that is dated ahead may state a database of today as well, which the proven time of its signature contradicts.
#[test]
fn a_database_is_not_newer_than_the_timestamp_of_its_scan() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trust = scene.trust(&["scanner"]);
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::Scan(ScanFormat::InTotoVulns)));
    let findings = FindingRule { count: FindingsCounted::All, highest_allowed: None, ignored: Vec::new() };
    let mut rule = ScanRule::new(findings);
    rule.database_max_age = Some(3_460);
    let requirement = Requirement::new("scanned", kinds, quorum).and(Condition::Scan(rule)).newest_only();
    let verifier = Verifier::new(trust, Policy::one(requirement), Limits::DEFAULT).unwrap();
    let scanner = scene.signer("scanner", 0);
    // The image is judged 3,500 seconds after the beginning.
    for (built, want) in [
        (30, "database-too-old"),
        (40, "accepted"),
        (60, "accepted"),
        (61, "database-after-scan"),
        (3_500, "database-after-scan"),
    ] {
        let mut report = clearing::scan("2099-01-01T00:00:00Z", &[]);
        report["scanner"]["db"] = json!({"lastUpdate": scene.at(built).to_string()});
        let evidence = [scene.signed(&scanner, (VULNS, &report), scene.at(60))];
        assert_eq!(scene.judge(&verifier, &evidence), want, "{built}");
    }
}

/// A test result that states no time.
fn tested(outcome: &str) -> Value {
    json!({"result": outcome, "configuration": []})
}

/// The verifier of test results of `ci`: the newest counts.
fn testing(scene: &Scene) -> Verifier {
    let trust = scene.trust(&["ci"]);
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let kinds = StatementKinds::predicates(NonEmpty::one(PredicateKind::TestResult));
    let rule = Condition::Test(TestRule::new(NonEmpty::one(TestOutcome::Passed)));
    let requirement = Requirement::new("tested", kinds, quorum).and(rule).newest_only();
    Verifier::new(trust, Policy::one(requirement), Limits::DEFAULT).unwrap()
}

/// The beginning of a certificate is a lower bound of the signing time. A refusal that was perhaps signed after what is the
/// newest by that counts as such, until the owner signs again.
#[test]
fn a_refusal_that_states_no_time_may_be_newer_than_the_beginning_of_its_certificate() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (verifier, [early, late]) = (testing(scene), [0, 300].map(|start| scene.signer("ci", start)));
    let signed =
        |signer: &Made, outcome: &str, stamp: i64| scene.signed(signer, (TEST, &tested(outcome)), scene.at(stamp));
    let codes = |evidence: &[Evidence]| {
        let judged = verifier.verify_image(&scene.image, |_: &Digest| evidence, scene.at(3_500));
        let is_accepted = judged.is_ok();
        let requirements =
            judged.map_or_else(|refusal| refusal.requirements, |accepted| accepted.requirements().to_vec());
        let mut codes: Vec<_> = requirements[0].candidates.iter().map(|one| one.code.unwrap_or("counted")).collect();
        codes.sort_unstable();
        (is_accepted, codes.join(" "))
    };
    for (first, stamp, second, accepted, want) in [
        ("FAILED", 299, "PASSED", true, "counted superseded"),
        ("FAILED", 300, "PASSED", false, "test-outcome tie"),
        ("FAILED", 540, "PASSED", false, "test-outcome tie"),
        ("PASSED", 540, "FAILED", false, "superseded test-outcome"),
        // It is not needed, and makes nobody count.
        ("PASSED", 540, "PASSED", true, "counted superseded"),
    ] {
        let both = [signed(&early, first, stamp), signed(&late, second, 310)];
        assert_eq!(codes(&both), (accepted, want.to_owned()), "{first} {stamp} {second}");
    }
    // A time that the owner states is compared with it as well, and a later certificate supersedes it.
    let refusal = signed(&early, "FAILED", 540);
    let mut dated = tested("PASSED");
    let mut stated = |seconds: i64| {
        dated["timestamp"] = json!(scene.at(seconds).to_string());
        scene.signed(&late, (TEST, &dated), scene.at(900))
    };
    assert!(!codes(&[refusal.clone(), stated(540)]).0);
    assert!(codes(&[refusal.clone(), stated(541)]).0);
    let again = scene.signer("ci", 541);
    assert!(codes(&[refusal, signed(&late, "PASSED", 310), signed(&again, "PASSED", 550)]).0);
}

/// The same for VEX documents: one that may be the newest keeps its owner from clearing, and clears nothing.
#[test]
fn a_vex_document_that_states_no_time_may_be_newer_than_the_beginning_of_its_certificate() {
    let Some(scene) = SCENE.as_ref() else { return };
    let owners = ["scanner", "ann", "bob", "carol"];
    let verifier = clearing::verifier(&scene.trust(&owners), 1, Limits::DEFAULT.evidence.pairing_steps);
    let [scanner, early, bob, carol] = owners.map(|owner| scene.signer(owner, 0));
    let late = scene.signer("ann", 300);
    let found = clearing::scan(&scene.at(10).to_string(), &["CVE-1".to_owned()]);
    let scan = scene.signed(&scanner, (VULNS, &found), scene.at(10));
    // Without a time of its document; its statement has one.
    let timeless = |status: &str, stamp: i64| {
        let mut document = vex(status, "");
        document.as_object_mut().unwrap().remove("timestamp");
        document["statements"][0]["timestamp"] = json!(scene.at(stamp - 10).to_string());
        scene.signed(&early, (OPENVEX, &document), scene.at(stamp))
    };
    let dated = |signer: &Made, status: &str, seconds: i64| {
        scene.signed(signer, (OPENVEX, &vex(status, &scene.at(seconds).to_string())), scene.at(seconds.max(10)))
    };
    for (status, stamp, want) in
        [("affected", 200, "accepted"), ("affected", 540, "vulnerabilities"), ("fixed", 540, "accepted")]
    {
        let evidence = [scan.clone(), timeless(status, stamp), dated(&late, "fixed", 305)];
        assert_eq!(scene.judge(&verifier, &evidence), want, "{status} {stamp}");
    }
    // Bob denied what Carol had cleared. Ann's newest document says nothing about it, and her older one no longer counts.
    let mut silent = vex("fixed", &scene.at(305).to_string());
    silent["statements"][0]["vulnerability"]["name"] = json!("CVE-2");
    let silent = scene.signed(&late, (OPENVEX, &silent), scene.at(310));
    let others = [scan, dated(&bob, "affected", -50), dated(&carol, "fixed", -100), silent];
    assert_eq!(scene.judge(&verifier, &others), "vulnerabilities");
    assert_eq!(scene.judge(&verifier, &[&others[..], &[timeless("fixed", 540)]].concat()), "vulnerabilities");
    // Alone it would count.
    assert_eq!(scene.judge(&verifier, &[&others[..3], &[timeless("fixed", 540)]].concat()), "accepted");
}
