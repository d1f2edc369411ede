//! The portable file of revocation evidence: what is read, what is written, and that it says no more than what is in it.

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::RevocationBundle;
use bulla::trust::RevocationBundleError;
use bulla::trust::RevocationDocument;
use bulla::x509::CertificateRevocationList;
use bulla::x509::OcspCertIdHash;
use bulla::x509::OcspRequest;
use bulla::x509::OcspResponse;
use bulla::x509::RevocationAddress;
use bulla::x509::StatusEvidence;
use serde_json::Value;
use serde_json::json;

use super::Family;
use super::STRICT;
use super::author::List;
use super::author::der;
use super::author::entry;
use super::later;
use super::made::LEAF;
use super::made::Plan;
use super::made::plan;
use super::ocsp::Response;
use super::ocsp::SHA1;
use super::ocsp::certificate_id;
use super::time;
use super::verdict;

const LIMITS: Limits = Limits::DEFAULT;
const CRL: &str = "http://crl.example/root.crl";
const OCSP: &str = "http://ocsp.example/?a=\"b\"";

fn document(der: &[u8]) -> RevocationDocument {
    match OcspResponse::parse(der, &LIMITS) {
        Ok(response) => RevocationDocument::Ocsp(response),
        Err(_) => RevocationDocument::Crl(CertificateRevocationList::parse(der.to_vec(), &LIMITS).unwrap()),
    }
}

fn bundle(all: &[(&[u8], &str, Time)]) -> RevocationBundle {
    let mut bundle = RevocationBundle::new();
    all.iter().for_each(|(der, address, time)| bundle.add(document(der), (address, *time), &LIMITS).unwrap());
    bundle
}

fn parse(bytes: &[u8]) -> Result<RevocationBundle, RevocationBundleError> {
    RevocationBundle::parse(bytes, &LIMITS)
}

/// The verdict on the signer by what is in the bundle.
fn says(family: &Family, bundle: &RevocationBundle) -> String {
    let mut pool = StatusEvidence::new();
    bundle.add_to(&mut pool, &LIMITS).unwrap();
    verdict(&pool.statuses(&family.chain(), &STRICT, family.now(), &LIMITS)[0])
}

fn list(family: &Family) -> List {
    List::of(&family.middle, family.now())
}

#[test]
fn equal_evidence_has_equal_bytes_whatever_the_order() {
    let Some(family) = Family::new() else { return };
    let (one, other) = (time("2026-01-02T03:04:05Z"), time("2026-01-02T03:04:06Z"));
    let crl = list(&family).signed_by(&family.middle);
    let response = Response::of(&family).signed_by(&family.middle);
    let mirror = "http://mirror.example/root.crl";
    let all: [(&[u8], &str, Time); 4] =
        [(&crl, CRL, one), (&response, OCSP, one), (&crl, mirror, one), (&crl, CRL, other)];
    let bytes = bundle(&all).to_bytes().unwrap();
    for turn in 1..all.len() {
        let turned: Vec<_> = all.iter().cycle().skip(turn).take(all.len()).copied().collect();
        assert_eq!(bundle(&turned).to_bytes().unwrap(), bytes, "{turn}");
    }
    let read = parse(&bytes).unwrap();
    assert_eq!(read, bundle(&all));
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(bulla::json::canonical(&bytes, &LIMITS).unwrap(), bytes, "canonical JSON");
    let entries: Vec<_> = read.entries().map(|entry| entry.sources().collect::<Vec<_>>()).collect();
    assert_eq!(entries, [vec![(CRL, other), (mirror, one)], vec![(OCSP, one)]]);
    // Merging with itself, with a part of it, and with nothing changes nothing.
    for part in [&all[..], &all[2..], &[]] {
        let mut merged = read.clone();
        merged.merge(bundle(part), &LIMITS).unwrap();
        assert_eq!(merged.to_bytes().unwrap(), bytes);
    }
    // An older list stays: a newer one may have dropped an entry.
    let mut older = list(&family).entry(entry(4_712, family.now(), Some(1)));
    older.this_update = later(family.now(), -9_000);
    let mut merged = bundle(&[(&older.signed_by(&family.middle), CRL, one)]);
    merged.merge(read, &LIMITS).unwrap();
    assert_eq!((merged.entries().count(), says(&family, &merged)), (3, "revoked".to_owned()));
}

#[test]
fn it_says_what_the_evidence_in_it_says() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let good = list(&family).signed_by(&family.middle);
    let revoking = list(&family).entry(entry(4_712, now, Some(4))).signed_by(&family.middle);
    let forged = list(&family).signed_by(&family.root);
    let mut old = list(&family);
    old.next_update = Some(later(now, -1));
    let old = old.signed_by(&family.middle);
    // The times beside the evidence are not believed: neither does a late one make it fresh nor an early one stale.
    for fetched in [time("1970-01-01T00:00:00Z"), now, time("2999-01-01T00:00:00Z")] {
        for (evidence, want) in
            [(&good, "good"), (&revoking, "revoked"), (&forged, "?status-signature"), (&old, "?status-next-update")]
        {
            let bytes = bundle(&[(evidence, CRL, fetched)]).to_bytes().unwrap();
            assert_eq!(says(&family, &parse(&bytes).unwrap()), want);
        }
    }
    assert_eq!(says(&family, &bundle(&[(&good, CRL, now), (&revoking, CRL, now)])), "revoked");
}

#[test]
fn a_file_of_another_form_is_refused() {
    let Some(family) = Family::new() else { return };
    let crl = list(&family).signed_by(&family.middle);
    let whole = bundle(&[(&crl, CRL, family.now())]).to_bytes().unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&whole).unwrap();
        change(&mut value);
        parse(&serde_json::to_vec(&value).unwrap())
    };
    changed(&|_| ()).unwrap();
    changed(&|file| file["entries"] = json!([])).unwrap();
    changed(&|file| file["entries"][0]["sources"] = json!([])).unwrap();
    type Change = dyn Fn(&mut Value);
    type Fault = fn(&RevocationBundleError) -> bool;
    let faults: [(&Change, Fault); 17] = [
        (&|file| file["more"] = json!(1), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| file["entries"][0]["more"] = json!(1), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| file["entries"][0]["kind"] = json!("CRL"), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| file["entries"][0]["sources"] = json!(null), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| file["entries"] = json!({}), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| *file = json!([]), |it| matches!(it, RevocationBundleError::Json(_))),
        (&|file| file["mediaType"] = json!("application/json"), |it| matches!(it, RevocationBundleError::MediaType(_))),
        (&|file| file["entries"][0]["kind"] = json!("ocsp"), |it| {
            matches!(it, RevocationBundleError::Evidence { entry: 1, .. })
        }),
        (&|file| file["entries"][0]["content"] = json!(""), |it| matches!(it, RevocationBundleError::Evidence { .. })),
        (&|file| file["entries"][0]["content"] = json!("MAA"), |it| {
            matches!(it, RevocationBundleError::Base64 { entry: 1 })
        }),
        (&|file| file["entries"][0]["content"] = json!("_-8="), |it| {
            matches!(it, RevocationBundleError::Base64 { .. })
        }),
        (&|file| file["entries"][0]["sources"][0]["fetchedAt"] = json!("2026-01-02T03:04:05+00:00"), |it| {
            matches!(it, RevocationBundleError::Time { entry: 1, .. })
        }),
        (&|file| file["entries"][0]["sources"][0]["address"] = json!(""), |it| {
            matches!(it, RevocationBundleError::Address { .. })
        }),
        (&|file| file["entries"][0]["sources"][0]["address"] = json!("a b"), |it| {
            matches!(it, RevocationBundleError::Address { .. })
        }),
        (&|file| file["entries"][0]["sources"][0]["address"] = json!("h".repeat(2_049)), |it| {
            matches!(it, RevocationBundleError::Address { .. })
        }),
        (
            &|file| {
                let twice = file["entries"][0]["sources"][0].clone();
                file["entries"][0]["sources"] = json!([twice, twice]);
            },
            |it| matches!(it, RevocationBundleError::Twice { entry: 1 }),
        ),
        (
            &|file| {
                let twice = file["entries"][0].clone();
                file["entries"] = json!([twice, twice]);
            },
            |it| matches!(it, RevocationBundleError::Twice { entry: 2 }),
        ),
    ];
    for (number, (change, is_it)) in faults.iter().enumerate() {
        let error = changed(*change).unwrap_err();
        assert!(is_it(&error), "{number}: {error:?}");
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    for wrong in [
        text.replace("\"mediaType\"", "\"MediaType\""),
        text.replace("\"kind\":\"crl\"", "\"kind\":\"crl\",\"kind\":\"crl\""),
        format!("{text}{text}"),
        String::new(),
    ] {
        assert!(matches!(parse(wrong.as_bytes()), Err(RevocationBundleError::Json(_))), "{wrong}");
    }
    // White space is not part of the evidence.
    assert_eq!(parse(format!(" {text}\n").as_bytes()).unwrap().to_bytes().unwrap(), whole);
}

#[test]
fn it_is_bounded() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let lists: Vec<_> =
        (1..4).map(|number| List { number: Some(number), ..list(&family) }.signed_by(&family.middle)).collect();
    let bytes = bundle(&lists.iter().map(|list| (&list[..], CRL, now)).collect::<Vec<_>>()).to_bytes().unwrap();
    let total: usize = lists.iter().map(Vec::len).sum();
    let within = |documents: u64, bytes_most: usize| {
        let limits = LIMITS.with(|limits| {
            limits.revocation.documents = documents;
            limits.revocation.bytes = bytes_most as u64;
        });
        RevocationBundle::parse(&bytes, &limits).map(|_| ())
    };
    within(3, total).unwrap();
    assert!(matches!(within(2, total), Err(RevocationBundleError::TooMany { limit: 2, .. })));
    assert!(matches!(within(3, total - 1), Err(RevocationBundleError::TooLarge { .. })));
    // White space counts as well: as much as fits beside the evidence.
    let limits = LIMITS.with(|limits| limits.revocation.bytes = total as u64);
    let most = usize::try_from(RevocationBundle::most_bytes(&limits)).unwrap();
    let padded = |length: usize| {
        let mut padded = bytes.clone();
        padded.resize(length, b' ');
        RevocationBundle::parse(&padded, &limits).map(|_| ())
    };
    padded(most).unwrap();
    assert!(matches!(padded(most + 1), Err(RevocationBundleError::TooLarge { .. })));
    RevocationBundle::new().add(document(&lists[0]), (&"h".repeat(2_048), now), &LIMITS).unwrap();
    let limits = LIMITS.with(|limits| limits.revocation.bytes = 1).with(|limits| limits.revocation.documents = 0);
    assert_eq!(RevocationBundle::parse(&bytes, &limits), Err(RevocationBundleError::TooLarge { limit: 2 }));
    let limits = LIMITS.with(|limits| limits.revocation.crl_bytes = 10);
    assert!(matches!(RevocationBundle::parse(&bytes, &limits), Err(RevocationBundleError::Evidence { entry: 1, .. })));
    let mut many = RevocationBundle::new();
    let mut add = |number: usize| many.add(document(&lists[0]), (&format!("http://{number}.example/"), now), &LIMITS);
    (0..16).for_each(|number| add(number).unwrap());
    assert!(matches!(add(16), Err(RevocationBundleError::TooMany { limit: 16, .. })));
}

#[test]
fn no_changed_byte_makes_it_say_more() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    for (want, list) in [("good", list(&family)), ("revoked", list(&family).entry(entry(4_712, now, Some(4))))] {
        let der = list.signed_by(&family.middle);
        let bytes = bundle(&[(&der, CRL, now)]).to_bytes().unwrap();
        assert_eq!(says(&family, &parse(&bytes).unwrap()), want);
        let mut read = 0;
        for at in 0..bytes.len() {
            for bits in [0x01, 0x02, 0x20] {
                let mut changed = bytes.clone();
                changed[at] ^= bits;
                let Ok(bundle) = parse(&changed) else { continue };
                read += 1;
                let same = bundle.entries().all(|entry| entry.document().der() == der);
                let verdict = says(&family, &bundle);
                assert!(if same { verdict == want } else { verdict.starts_with('?') }, "{at} {bits}: {verdict}");
            }
        }
        assert!(read > 100, "no changed file is read: the test shows nothing");
    }
}

#[test]
fn a_certificate_names_the_addresses_of_its_status() {
    let Some(family) = Family::new() else { return };
    let extensions = format!(
        "{LEAF}crlDistributionPoints=a,b,URI:ldap:///CN=CA?x\n\
         authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://issuer.example/,OCSP;URI:file:///x\n\
         [a]\nfullname=URI:http://one.example/a.crl,DNS:not.example,URI:http://two.example/a.crl\nreasons=keyCompromise\n\
         [b]\nfullname=URI:http://one.example/a.crl\n"
    );
    let named = family.shop.issue(&family.middle, Plan { serial: "5", ..plan("/CN=named", &extensions) });
    let (crl, ocsp) =
        (|uri: &str| RevocationAddress::Crl(uri.to_owned()), |uri: &str| RevocationAddress::Ocsp(uri.to_owned()));
    assert_eq!(
        named.certificate.revocation_addresses(),
        [
            crl("http://one.example/a.crl"),
            crl("http://two.example/a.crl"),
            crl("ldap:///CN=CA?x"),
            ocsp("http://ocsp.example/"),
            ocsp("file:///x"),
        ]
    );
    assert_eq!(family.leaf.certificate.revocation_addresses(), []);
}

#[test]
fn a_request_asks_for_one_certificate_and_has_no_extension() {
    let Some(family) = Family::new() else { return };
    let (leaf, middle) = (&family.leaf.certificate, &family.middle.certificate);
    for (hash, name) in [(OcspCertIdHash::Sha1, SHA1), (OcspCertIdHash::Sha256, "-sha256")] {
        let request = OcspRequest::new(leaf, middle, hash).unwrap();
        let id = certificate_id(name, middle, 4_712);
        let list = der(0x30, &[&der(0x30, &[&id])]);
        assert_eq!(request.der(), der(0x30, &[&der(0x30, &[&list])]), "no version, no name, no nonce, no signature");
    }
}

#[test]
fn evidence_is_genuine_only_if_the_issuer_or_its_responder_signed_it() {
    let Some(family) = Family::new() else { return };
    let genuine = |der: Vec<u8>| {
        let status = family.status(&[der], &STRICT, family.now());
        status.evidence.iter().map(|one| one.genuine).collect::<Vec<_>>()
    };
    assert_eq!(genuine(list(&family).signed_by(&family.middle)), [true]);
    assert_eq!(genuine(list(&family).entry(entry(4_712, family.now(), None)).signed_by(&family.middle)), [true]);
    assert_eq!(genuine(list(&family).signed_by(&family.root)), [false]);
    assert_eq!(genuine(List::of(&family.root, family.now()).signed_by(&family.root)), [false; 0]);
    assert_eq!(genuine(Response::of(&family).signed_by(&family.middle)), [true]);
    assert_eq!(genuine(Response::of(&family).signed_by(&family.leaf)), [false]);
    let other = certificate_id(SHA1, &family.middle.certificate, 4_711);
    assert_eq!(genuine(Response { id: other, ..Response::of(&family) }.signed_by(&family.middle)), [false; 0]);
}
