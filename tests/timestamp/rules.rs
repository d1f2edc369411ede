//! Each rule of tokens, by a token that breaks it and is right in all else.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use bulla::limits::Limits;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::ChainRule;
use bulla::x509::HashAlgorithm;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::TimestampRule;
use bulla::x509::TimestampToken;

use super::draft::*;
use super::made::CA;
use super::made::Made;
use super::made::P256;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;
use super::verdict;
use super::verify;

/// A root, an authority below it, and a draft of its token.
struct Scene {
    root: Made,
    shop: Workshop,
    tsa: Made,
}

impl Scene {
    fn new() -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/C=US/O=Root", CA));
        // The root has the same issuer.
        let tsa = shop.issue(&root, Plan { serial: "4712", ..plan("/C=US/O=TSA", TSA) });
        Some(Self { root, shop, tsa })
    }

    fn draft(&self) -> Draft {
        Draft::new(&self.tsa)
    }

    /// The verdict about a token of which a draft was changed.
    fn changed(&self, change: impl FnOnce(&mut Draft)) -> String {
        let mut draft = self.draft();
        change(&mut draft);
        self.verdict(&draft.made())
    }

    fn verdict(&self, token: &[u8]) -> String {
        verdict(&verify(token, Some(MESSAGE), &certificates(&[&self.root]), &[]))
    }
}

/// The verdict, and how a long identifier gets into a token.
type LongCase = (&'static str, fn(&mut Draft, &[u8]));

/// What is changed, how, and the verdict.
type Case<T> = (&'static str, fn(&mut T), &'static str);

#[test]
fn a_token_is_accepted_and_says_when() {
    let Some(scene) = Scene::new() else { return };
    let mut draft = scene.draft();
    let begin = scene.tsa.certificate.not_before();
    draft.info.gen_time = draft.info.gen_time.replace('Z', ".25Z");
    // 2.000001 seconds, ordered, with a nonce, a name and an extension that is not critical.
    draft.info.rest = vec![
        vec![0x30, 6, 0x02, 1, 2, 0x81, 1, 1],
        vec![0x01, 1, 0xff],
        vec![0x02, 1, 9],
        tlv(0xa0, &[&tlv(0xa4, &[scene.tsa.certificate.subject().der()])]),
        tlv(0xa1, &[&tlv(0x30, &[&oid(&[0x2a, 3]), &[0x04, 0]])]),
    ];
    let token = draft.made();
    let proof = verify(&token, Some(MESSAGE), &certificates(&[&scene.root]), &[]).unwrap();
    assert_eq!(proof.at().unix() - begin.unix(), 63);
    assert_eq!(proof.earliest().unix() - begin.unix(), 58);
    let gen_time = proof.token().gen_time();
    assert_eq!((gen_time.accuracy(), gen_time.nanoseconds()), (Duration::from_micros(2_000_001), 250_000_000));
    assert_eq!((gen_time.earliest(), gen_time.latest()), (proof.earliest(), proof.at()));
    // The path in order, as the check of its revocation needs it: who issued each certificate stands after it.
    let path: Vec<_> = proof.chain().path().iter().cloned().collect();
    assert_eq!(path, certificates(&[&scene.tsa, &scene.root]));
    assert_eq!((proof.chain().at(), proof.chain().purpose()), (gen_time.time(), Purpose::TimeStamping));
    assert_eq!(proof.token().bytes(), token);
    assert_eq!(proof.token().nonce().unwrap().as_content(), [9]);
    assert_eq!(proof.token().policy().to_string(), "1.2.3.4.1");
    assert_eq!(proof.token().serial(), [7]);
}

#[test]
fn each_structural_fault_is_refused() {
    let Some(scene) = Scene::new() else { return };
    assert_eq!(scene.changed(|_| ()), "accepted");
    let cases: &[Case<Draft>] = &[
        ("other CMS content", |d| d.content_info_type = DATA.to_vec(), "timestamp-content-type"),
        ("signed data that is no TSTInfo", |d| d.content_type = DATA.to_vec(), "timestamp-content-type"),
        ("SignedData of version 1", |d| d.version = 1, "timestamp-version"),
        ("SignedData of version 5", |d| d.version = 5, "timestamp-version"),
        ("an attribute certificate, and version 3", |d| d.certificates.push(vec![0xa2, 0]), "timestamp-version"),
        (
            "an attribute certificate, and version 4",
            |d| (d.certificates.push(vec![0xa2, 0]), d.version = 4).1,
            "accepted",
        ),
        ("other revocation information, and version 3", |d| d.crls = Some(vec![0xa1, 2, 0xa1, 0]), "timestamp-version"),
        (
            "other revocation information, and version 5",
            |d| (d.crls = Some(vec![0xa1, 2, 0xa1, 0]), d.version = 5).1,
            "accepted",
        ),
        ("no signer", |d| d.signers.clear(), "timestamp-signer-info"),
        ("two signers", |d| d.signers.push(d.signers[0].clone()), "timestamp-signer-info"),
        ("SignerInfo of version 2", |d| d.signers[0].version = 2, "timestamp-version"),
        ("SignerInfo of version 3 with issuer and serial number", |d| d.signers[0].version = 3, "timestamp-version"),
        ("a signer that is not named", |d| d.signers[0].id = vec![0x81, 1, 1], "timestamp-malformed"),
        ("no signed attributes", |d| d.signers[0].has_attributes = false, "timestamp-attributes"),
        ("unsigned attributes", |d| d.signers[0].unsigned = Some(vec![0xa1, 2, 0x30, 0]), "accepted"),
        (
            "unsigned attributes with a tag number above 30",
            |d| d.signers[0].unsigned = Some(vec![0xa1, 3, 0x1f, 0x20, 0]),
            "?timestamp-malformed",
        ),
        (
            "a policy with a number of more than 128 bits",
            |d| d.info.policy = [&[0x2a][..], &[0xff; 30], &[1]].concat(),
            "?timestamp-malformed",
        ),
        (
            "TSTInfo with too many values",
            |d| d.info.rest = vec![tlv(0xa1, &[&[5, 0].repeat(30_000)])],
            "?timestamp-limit",
        ),
        ("something after a signer", |d| d.signers[0].unsigned = Some(vec![0x30, 0]), "timestamp-malformed"),
        ("something after a certificate that ends early", |d| d.certificates.push(vec![0x30]), "timestamp-malformed"),
        ("no certificate", |d| d.certificates.clear(), "?timestamp-tsa-certificate"),
        ("32 unreadable certificates and one", |d| d.certificates.extend(vec![vec![0x30, 0]; 32]), "?timestamp-limit"),
        ("33 certificates", |d| d.certificates = vec![d.certificates[0].clone(); 33], "?timestamp-limit"),
        ("TSTInfo of version 2", |d| d.info.version = 2, "timestamp-version"),
        ("TSTInfo with something after it", |d| d.info.rest = vec![vec![0x04, 0]], "timestamp-malformed"),
        ("TSTInfo in BER", |d| d.raw_info = Some(ber(&d.info.made())), "timestamp-malformed"),
        ("TSTInfo that is none", |d| d.raw_info = Some(b"hello".to_vec()), "timestamp-malformed"),
        ("a leap second", |d| d.info.gen_time = "20260101000060Z".to_owned(), "timestamp-gen-time"),
        ("a time without seconds", |d| d.info.gen_time = "202601010000Z".to_owned(), "timestamp-malformed"),
        ("a time with a zone", |d| d.info.gen_time = "20260101000000+0100".to_owned(), "timestamp-malformed"),
        ("a fraction that ends in 0", |d| d.info.gen_time = "20260101000000.10Z".to_owned(), "timestamp-malformed"),
        (
            "a fraction finer than a nanosecond",
            |d| d.info.gen_time = "20260101000000.0000000001Z".to_owned(),
            "?timestamp-gen-time",
        ),
        ("an accuracy below zero", |d| d.info.rest = vec![vec![0x30, 3, 0x02, 1, 0xff]], "timestamp-gen-time"),
        ("1000 milliseconds", |d| d.info.rest = vec![vec![0x30, 4, 0x80, 2, 3, 0xe8]], "timestamp-gen-time"),
        (
            "an accuracy of centuries",
            |d| d.info.rest = vec![vec![0x30, 9, 0x02, 7, 1, 0, 0, 0, 0, 0, 0]],
            "?timestamp-gen-time",
        ),
        (
            "a critical extension",
            |d| d.info.rest = vec![tlv(0xa1, &[&tlv(0x30, &[&oid(&[0x2a, 3]), &[1, 1, 0xff, 4, 0]])])],
            "?timestamp-critical-extension",
        ),
        ("other data", |d| d.info.imprint = imprint(HashAlgorithm::Sha256, &[1; 32]), "timestamp-imprint"),
        ("a short imprint", |d| d.info.imprint = imprint(HashAlgorithm::Sha256, &[1; 31]), "timestamp-malformed"),
        (
            "an imprint by SHA-1",
            |d| d.info.imprint = tlv(0x30, &[&tlv(0x30, &[&oid(SHA1)]), &tlv(0x04, &[&[1; 20]])]),
            "timestamp-imprint-algorithm",
        ),
        (
            "an imprint by SHA3-256",
            |d| d.info.imprint = tlv(0x30, &[&tlv(0x30, &[&oid(SHA3_256)]), &tlv(0x04, &[&[1; 32]])]),
            "?timestamp-imprint-algorithm",
        ),
        (
            "a hash function with parameters",
            |d| d.signers[0].digest_algorithm = tlv(0x30, &[&oid(&SHA256), &[4, 0]]),
            "timestamp-malformed",
        ),
    ];
    for (what, change, code) in cases {
        assert_eq!(scene.changed(change), *code, "{what}");
    }
}

#[test]
fn each_fault_of_the_signed_attributes_is_refused() {
    let Some(scene) = Scene::new() else { return };
    let cases: &[Case<Vec<Vec<u8>>>] = &[
        ("no content type", |a| drop(a.remove(0)), "timestamp-attributes"),
        ("no message digest", |a| drop(a.remove(1)), "timestamp-attributes"),
        ("no signing certificate", |a| drop(a.remove(2)), "timestamp-signing-certificate"),
        ("a content type twice", |a| a.push(a[0].clone()), "timestamp-attributes"),
        (
            "an unknown attribute twice",
            |a| a.extend([attribute(&[0x2a], NULL), attribute(&[0x2a], &[4, 0])]),
            "timestamp-attributes",
        ),
        ("an unknown attribute", |a| a.push(attribute(&[0x2a], NULL)), "accepted"),
        ("another content type", |a| a[0] = attribute(CONTENT_TYPE, &oid(DATA)), "timestamp-content-type"),
        ("no value", |a| a[0] = tlv(0x30, &[&oid(CONTENT_TYPE), &[0x31, 0]]), "timestamp-attributes"),
        (
            "two values",
            |a| a[1] = tlv(0x30, &[&oid(MESSAGE_DIGEST), &tlv(0x31, &[&[4, 0], &[4, 1, 1]])]),
            "timestamp-attributes",
        ),
        ("another digest", |a| a[1] = attribute(MESSAGE_DIGEST, &tlv(0x04, &[&[1; 32]])), "timestamp-message-digest"),
        ("a short digest", |a| a[1] = attribute(MESSAGE_DIGEST, &[4, 0]), "timestamp-message-digest"),
        ("an attribute that is none", |a| a.push(vec![0x30, 0]), "timestamp-malformed"),
        (
            "a signing certificate with no id",
            |a| a[2] = attribute(SIGNING_CERTIFICATE_V2, &ess(&[])),
            "timestamp-signing-certificate",
        ),
        (
            "the id of another certificate",
            |a| a[2] = attribute(SIGNING_CERTIFICATE_V2, &ess(&[&ess_v2(b"another")])),
            "timestamp-signing-certificate",
        ),
        (
            "a second attribute that names another certificate",
            |a| a.push(attribute(SIGNING_CERTIFICATE, &ess(&[&tlv(0x30, &[&tlv(0x04, &[&[1; 20]])])]))),
            "timestamp-signing-certificate",
        ),
        (
            "SHA-1 in the second version",
            |a| {
                a[2] = attribute(
                    SIGNING_CERTIFICATE_V2,
                    &ess(&[&tlv(0x30, &[&tlv(0x30, &[&oid(SHA1)]), &tlv(0x04, &[&[1; 20]])])]),
                )
            },
            "timestamp-signing-certificate",
        ),
        (
            "a signing time that is none",
            |a| a.push(attribute(SIGNING_TIME, b"\x17\x0b2601010000Z")),
            "timestamp-signing-time",
        ),
        (
            "an early signing time",
            |a| a.push(attribute(SIGNING_TIME, b"\x17\x0d200101000000Z")),
            "timestamp-signing-time",
        ),
        (
            "a late signing time",
            |a| a.push(attribute(SIGNING_TIME, b"\x18\x0f20990101000000Z")),
            "timestamp-signing-time",
        ),
    ];
    for (what, change, code) in cases {
        assert_eq!(scene.changed(|draft| draft.signers[0].attributes = *change), *code, "{what}");
    }
    // What was not signed, or not so.
    let cases: &[Case<Vec<Vec<u8>>>] = &[
        ("another order", |a| a.reverse(), "accepted"),
        ("one more", |a| a.push(attribute(&[0x2a], NULL)), "timestamp-signature"),
        ("one less", |a| drop(a.remove(0)), "timestamp-attributes"),
    ];
    for (what, change, code) in cases {
        assert_eq!(scene.changed(|draft| draft.signers[0].attributes_sent = *change), *code, "{what}");
    }
    // In the validity, and said in both forms.
    let time = scene.draft().info.gen_time;
    for value in [tlv(0x18, &[time.as_bytes()]), tlv(0x17, &[&time.as_bytes()[2..]])] {
        let extra = vec![attribute(SIGNING_TIME, &value)];
        assert_eq!(scene.changed(|draft| draft.signers[0].extra = extra), "accepted");
    }
}

#[test]
fn the_certificate_of_the_signer_is_the_one_that_is_named() {
    let Some(scene) = Scene::new() else { return };
    let (tsa, root) = (&scene.tsa.certificate, &scene.root.certificate);
    let with = |ids: Vec<u8>, id: &'static [u8]| {
        // Signed by hand: the attributes depend on the certificate.
        let mut draft = scene.draft();
        draft.signers[0].extra = vec![attribute(id, &ids)];
        draft.signers[0].attributes =
            |attributes| attributes.retain(|one| !one.windows(11).any(|part| part == SIGNING_CERTIFICATE_V2));
        scene.verdict(&draft.made())
    };
    let names = |name: &[u8]| tlv(0x30, &[&tlv(0xa4, &[name])]);
    let serial = tlv(0x02, &[tsa.serial().as_content()]);
    let hash = |algorithm: HashAlgorithm| tlv(0x04, &[&algorithm.hash(tsa.der())]);
    let sha256 = hash(HashAlgorithm::Sha256);
    let v2 = |parts: &[&[u8]]| ess(&[&tlv(0x30, parts)]);
    let issuer = |issuer: &[u8], serial: &[u8]| tlv(0x30, &[&names(issuer), serial]);
    let good = issuer(tsa.issuer().der(), &serial);
    for (what, ids, code) in [
        ("hash and issuer", v2(&[&sha256, &good]), "accepted"),
        ("SHA-256 by name", v2(&[&hash_id(HashAlgorithm::Sha256), &sha256]), "accepted"),
        ("SHA-384", v2(&[&hash_id(HashAlgorithm::Sha384), &hash(HashAlgorithm::Sha384)]), "accepted"),
        ("SHA-512", v2(&[&hash_id(HashAlgorithm::Sha512), &hash(HashAlgorithm::Sha512), &good]), "accepted"),
        ("another issuer", v2(&[&sha256, &issuer(tsa.subject().der(), &serial)]), "timestamp-signing-certificate"),
        (
            "another serial number",
            v2(&[&sha256, &issuer(tsa.issuer().der(), &[2, 1, 1])]),
            "timestamp-signing-certificate",
        ),
        (
            "an issuer of another form",
            v2(&[&sha256, &tlv(0x30, &[&tlv(0x30, &[&tlv(0x82, &[b"tsa"])]), &serial])]),
            "timestamp-signing-certificate",
        ),
        (
            "two names of the issuer",
            v2(&[&sha256, &tlv(0x30, &[&tlv(0x30, &[&tlv(0xa4, &[tsa.issuer().der()]).repeat(2)]), &serial])]),
            "timestamp-signing-certificate",
        ),
        ("something after the issuer", v2(&[&sha256, &good, NULL]), "timestamp-malformed"),
        ("the issuer in the list", ess(&[&ess_v2(tsa.der()), &ess_v2(root.der())]), "accepted"),
        ("the issuer first", ess(&[&ess_v2(root.der()), &ess_v2(tsa.der())]), "timestamp-signing-certificate"),
        ("policies", tlv(0x30, &[&tlv(0x30, &[&ess_v2(tsa.der())]), &[0x30, 0]]), "accepted"),
        ("not policies", tlv(0x30, &[&tlv(0x30, &[&ess_v2(tsa.der())]), &[0x31, 0]]), "timestamp-malformed"),
    ] {
        assert_eq!(with(ids, SIGNING_CERTIFICATE_V2), code, "{what}");
    }
    let sha1 = tlv(0x04, &[&sha1(&scene.tsa)]);
    for (what, ids, code) in [
        ("SHA-1 alone", v2(&[&sha1]), "accepted"),
        ("SHA-1 and the issuer", v2(&[&sha1, &good]), "accepted"),
        ("SHA-256 in the first version", v2(&[&sha256]), "timestamp-signing-certificate"),
        (
            "a hash function in the first version",
            v2(&[&hash_id(HashAlgorithm::Sha256), &sha256]),
            "timestamp-malformed",
        ),
    ] {
        assert_eq!(with(ids, SIGNING_CERTIFICATE), code, "{what}");
    }
    let skid = tlv(0x80, &[tsa.extensions().subject_key_id().unwrap()]);
    let by_key =
        |version, id: Vec<u8>| scene.changed(|draft| (draft.signers[0].version = version, draft.signers[0].id = id).1);
    assert_eq!(by_key(3, skid.clone()), "accepted");
    assert_eq!(by_key(1, skid), "timestamp-version");
    assert_eq!(by_key(3, tlv(0x80, &[&[1; 20]])), "?timestamp-tsa-certificate");
}

/// The certificates that are named beside the signer's limit what the chain may be of (RFC 5035 section 4).
#[test]
fn the_chain_is_of_the_certificates_that_are_named() {
    let Some(scene) = Scene::new() else { return };
    let middle = scene.shop.issue(&scene.root, plan("/O=Middle", CA));
    let tsa = scene.shop.issue(&middle, plan("/O=TSA 2", TSA));
    let anchors = certificates(&[&scene.root]);
    let outcome = |named: &[&Made], extra: &[Certificate]| {
        let mut draft = Draft::new(&tsa);
        let ids: Vec<_> = named.iter().map(|one| ess_v2(one.certificate.der())).collect();
        draft.signers[0].extra = vec![attribute(SIGNING_CERTIFICATE_V2, &ess(&slices(&ids)))];
        draft.signers[0].attributes = |attributes| drop(attributes.remove(2));
        verdict(&verify(&draft.made(), Some(MESSAGE), &anchors, extra))
    };
    let extra = certificates(&[&middle]);
    assert_eq!(outcome(&[&tsa], &extra), "accepted");
    assert_eq!(outcome(&[&tsa, &middle], &extra), "accepted");
    assert_eq!(outcome(&[&tsa, &scene.tsa], &extra), "path");
    assert_eq!(outcome(&[&tsa], &[]), "path");
}

#[test]
fn signature_algorithms() {
    let Some(scene) = Scene::new() else { return };
    let anchors = certificates(&[&scene.root]);
    let (rsa, p256) = ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", P256);
    let (p384, p521) =
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521");
    let made = [rsa, p256, p384, p521]
        .map(|algorithm| (algorithm, scene.shop.issue(&scene.root, Plan { algorithm, ..plan("/O=TSA 3", TSA) })));
    let tsa = |algorithm: &str| &made.iter().find(|(one, _)| *one == algorithm).unwrap().1;
    let plain = |id: &[u8]| tlv(0x30, &[&oid(id)]);
    let null = |id: &[u8]| tlv(0x30, &[&oid(id), NULL]);
    let pss = |hash: HashAlgorithm, mask: HashAlgorithm, salt: u8| {
        let null = |hash| {
            let id = hash_id(hash);
            tlv(0x30, &[&id[2..], NULL])
        };
        let mask = tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8]), &null(mask)]);
        let parts = [tlv(0xa0, &[&null(hash)]), tlv(0xa1, &[&mask]), tlv(0xa2, &[&tlv(0x02, &[&[salt]])])];
        tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]), &tlv(0x30, &slices(&parts))])
    };
    let (h256, h384, h512) = (HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512);
    let with_pss: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    let short_salt: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20"];
    for (what, key, hash, algorithm, options, code) in [
        ("rsaEncryption", rsa, h256, null(RSA), &[][..], "accepted"),
        ("rsaEncryption without parameters", rsa, h512, plain(RSA), &[], "accepted"),
        ("RSA with SHA-256", rsa, h256, null(RSA_SHA256), &[], "accepted"),
        ("RSA with SHA-256 without parameters", rsa, h256, plain(RSA_SHA256), &[], "accepted"),
        ("another hash than the digestAlgorithm", rsa, h384, null(RSA_SHA256), &[], "timestamp-signature-algorithm"),
        ("RSA with SHA-1", rsa, h256, null(RSA_SHA1), &[], "timestamp-signature-algorithm"),
        ("PSS", rsa, h256, pss(h256, h256, 32), with_pss, "accepted"),
        ("PSS with SHA-384", rsa, h384, pss(h384, h384, 48), with_pss, "accepted"),
        ("PSS with SHA-512", rsa, h512, pss(h512, h512, 64), with_pss, "accepted"),
        ("PSS with another mask", rsa, h256, pss(h256, h384, 32), with_pss, "?timestamp-signature-algorithm"),
        ("PSS with a short salt", rsa, h256, pss(h256, h256, 20), short_salt, "?timestamp-signature-algorithm"),
        (
            "PSS with a salt that is not the one named",
            rsa,
            h256,
            pss(h256, h256, 32),
            short_salt,
            "timestamp-signature",
        ),
        ("PSS that is PKCS#1", rsa, h256, pss(h256, h256, 32), &[], "timestamp-signature"),
        ("PSS of another hash", rsa, h384, pss(h256, h256, 32), with_pss, "timestamp-signature-algorithm"),
        ("PKCS#1 that is PSS", rsa, h256, null(RSA_SHA256), with_pss, "timestamp-signature"),
        ("P-256 with SHA-512", p256, h512, plain(ECDSA_SHA512), &[], "accepted"),
        ("P-384 with SHA-256", p384, h256, plain(ECDSA_SHA256), &[], "accepted"),
        ("P-384 with SHA-384", p384, h384, plain(ECDSA_SHA384), &[], "accepted"),
        ("P-521 with SHA-512", p521, h512, plain(ECDSA_SHA512), &[], "accepted"),
        ("ECDSA with parameters", p256, h256, null(ECDSA_SHA256), &[], "?timestamp-signature-algorithm"),
        (
            "ECDSA with SHA-1",
            p256,
            h256,
            plain(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]),
            &[],
            "timestamp-signature-algorithm",
        ),
        ("RSA with a key on a curve", p256, h256, null(RSA_SHA256), &[], "timestamp-signature"),
        ("ECDSA with an RSA key", rsa, h256, plain(ECDSA_SHA256), &[], "timestamp-signature"),
        ("Ed25519", p256, h512, plain(&[0x2b, 0x65, 0x70]), &[], "?timestamp-signature-algorithm"),
    ] {
        let mut draft = Draft::new(tsa(key));
        draft.digest_algorithms = vec![hash_id(hash)];
        draft.signers[0].hash = hash;
        draft.signers[0].digest_algorithm = hash_id(hash);
        draft.signers[0].signature_algorithm = (algorithm, options);
        assert_eq!(verdict(&verify(&draft.made(), Some(MESSAGE), &anchors, &[])), code, "{what}");
    }
    // RFC 5652 section 5.1: named in advance.
    assert_eq!(scene.changed(|draft| draft.digest_algorithms.clear()), "timestamp-digest-algorithm");
    assert_eq!(scene.changed(|draft| draft.digest_algorithms = vec![hash_id(h384)]), "timestamp-digest-algorithm");
    let sha1 = |draft: &mut Draft| draft.signers[0].digest_algorithm = tlv(0x30, &[&oid(SHA1)]);
    assert_eq!(scene.changed(sha1), "timestamp-digest-algorithm");
    // A key that is too small, and one of a kind that is not used.
    for (algorithm, signature, hash, code) in [
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", null(RSA_SHA256), h256, "timestamp-signature"),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", plain(ECDSA_SHA256), h256, "?timestamp-signature"),
    ] {
        let tsa = scene.shop.issue(&scene.root, Plan { algorithm, ..plan("/O=TSA 4", TSA) });
        let mut draft = Draft::new(&tsa);
        draft.signers[0].hash = hash;
        draft.signers[0].signature_algorithm = (signature, &[]);
        assert_eq!(verdict(&verify(&draft.made(), Some(MESSAGE), &anchors, &[])), code, "{algorithm}");
    }
}

#[test]
fn the_whole_interval_lies_in_the_validity_of_the_chain() {
    let Some(scene) = Scene::new() else { return };
    let (begin, end) = (scene.tsa.certificate.not_before().unix(), scene.tsa.certificate.not_after().unix());
    let second: &[u8] = &[0x30, 3, 0x02, 1, 1];
    for (at, fraction, accuracy, code) in [
        (begin, "", None, "accepted"),
        (begin, "", Some(second), "timestamp-validity"),
        (begin + 1, "", Some(second), "accepted"),
        (begin, ".999999999", Some(second), "timestamp-validity"),
        (begin - 1, ".999999999", None, "not-yet-valid"),
        (end, "", None, "accepted"),
        (end, "", Some(second), "timestamp-validity"),
        (end - 1, "", Some(second), "accepted"),
        (end - 1, ".000000001", Some(second), "timestamp-validity"),
        (end, ".000000001", None, "timestamp-validity"),
        (end + 1, "", None, "expired"),
    ] {
        let found = scene.changed(|draft| {
            draft.info.gen_time = generalized(at).replace('Z', &format!("{fraction}Z"));
            draft.info.rest = accuracy.map(<[u8]>::to_vec).into_iter().collect();
        });
        assert_eq!(found, code, "{}{fraction} {accuracy:?}", at - begin);
    }
    let late = Draft { info: Info { gen_time: generalized(end + 60), ..scene.draft().info }, ..scene.draft() }.made();
    let error = verify(&late, Some(MESSAGE), &certificates(&[&scene.root]), &[]).unwrap_err();
    let said = error.to_string();
    let at = bulla::time::Time::from_unix(end + 60).unwrap().to_string();
    for part in ["O=TSA,C=US", "serial 1268", "expired", "RFC 5280 section 6.1.3 (a) (2)", at.as_str()] {
        assert!(said.contains(part), "{said}: {part}");
    }
    let error = verify(&scene.draft().made(), Some(b"other"), &[], &[]).unwrap_err().to_string();
    assert!(error.starts_with("timestamp refused: it is about other data: RFC 3161 section 2.4.2, at 2"), "{error}");
}

/// ETSI EN 319 421: who signs by the baseline policy has a clock that is right to a second, said or not.
#[test]
fn the_baseline_policy_has_an_accuracy_of_a_second() {
    let Some(scene) = Scene::new() else { return };
    let accuracy = |policy: &[u8], rest: &[&[u8]]| {
        let mut draft = scene.draft();
        draft.info.policy = policy.to_vec();
        draft.info.rest = rest.iter().map(|one| one.to_vec()).collect();
        let proof = verify(&draft.made(), Some(MESSAGE), &certificates(&[&scene.root]), &[]).unwrap();
        let (gen_time, at) = (*proof.token().gen_time(), proof.at());
        assert_eq!(at.unix() - gen_time.time().unix(), gen_time.accuracy().as_millis().div_ceil(1000) as i64);
        gen_time.accuracy().as_millis()
    };
    let baseline = bulla::x509::Oid::parse("0.4.0.2023.1.1").unwrap();
    let (baseline, other) = (baseline.as_content(), &[0x2a, 3, 4, 1][..]);
    assert_eq!(accuracy(other, &[]), 0);
    assert_eq!(accuracy(baseline, &[]), 1_000);
    assert_eq!(accuracy(baseline, &[&[0x30, 0]]), 1_000);
    assert_eq!(accuracy(baseline, &[&[0x30, 3, 0x80, 1, 5]]), 5);
    assert_eq!(accuracy(other, &[&[0x30, 3, 0x02, 1, 3]]), 3_000);
}

#[test]
fn the_chain_is_one_for_timestamps() {
    let Some(scene) = Scene::new() else { return };
    let anchors = certificates(&[&scene.root]);
    let usage = "keyUsage=critical,digitalSignature\n";
    for (extensions, code) in [
        (TSA.to_owned(), "accepted"),
        (usage.to_owned(), "extended-key-usage"),
        (format!("{usage}extendedKeyUsage=timeStamping\n"), "extended-key-usage"),
        (format!("{usage}extendedKeyUsage=critical,codeSigning\n"), "extended-key-usage"),
        (format!("{usage}extendedKeyUsage=critical,timeStamping,codeSigning\n"), "extended-key-usage"),
        ("keyUsage=critical,keyCertSign\nextendedKeyUsage=critical,timeStamping\n".to_owned(), "key-usage"),
    ] {
        let tsa = scene.shop.issue(&scene.root, plan("/O=TSA 5", &extensions));
        let outcome = verify(&Draft::new(&tsa).made(), Some(MESSAGE), &anchors, &[]);
        assert_eq!(verdict(&outcome), code, "{extensions}");
    }
    // An anchor for signatures is none for timestamps, and an unknown root is none at all.
    let token = TimestampToken::parse(&scene.draft().made(), &Limits::DEFAULT).unwrap();
    let other = scene.shop.root(plan("/C=US/O=Root", CA));
    for (certificate, purpose, code) in [
        (&scene.root, Purpose::TimeStamping, "accepted"),
        (&scene.root, Purpose::Signing, "path"),
        (&scene.root, Purpose::SigningAuthority, "path"),
        (&other, Purpose::TimeStamping, "signature"),
    ] {
        let anchors = [Anchor { certificate: certificate.certificate.clone(), purpose }];
        for profile in Profile::ALL {
            let outcome = token.verify(MESSAGE, &anchors, &[], profile, &Limits::DEFAULT);
            assert_eq!(verdict(&outcome), code, "{purpose:?} {}", profile.name());
        }
    }
}

/// What the operator's own copy of a certificate remembers, another token of the same authority need not verify again.
#[test]
fn a_certificate_that_is_known_takes_the_place_of_the_same_in_a_token() {
    let Some(scene) = Scene::new() else { return };
    let known = certificates(&[&scene.root, &scene.tsa]);
    let proof = verify(&scene.draft().made(), Some(MESSAGE), &certificates(&[&scene.root]), &known).unwrap();
    assert!(std::ptr::eq(proof.chain().signer().der(), known[1].der()));
    let (key, again) = (known[1].public_key().unwrap(), known[1].public_key().unwrap());
    assert!(std::ptr::eq(key.spki(), again.spki()), "the key was decoded twice");
}

/// Others can add certificates to a token, and none of them is asked for anything (CVE-2026-39984).
#[test]
fn certificates_that_were_added_do_not_matter() {
    let Some(scene) = Scene::new() else { return };
    let before = scene.shop.root(plan("/C=US/O=Root", CA));
    // Signed by another key, with the same names and serial number.
    let twin = scene.shop.issue(&before, Plan { serial: "4712", ..plan("/C=US/O=TSA", TSA) });
    for (certificates, code) in [
        (vec![&twin, &scene.tsa], "accepted"),
        (vec![&before, &twin, &scene.tsa, &scene.root], "accepted"),
        (vec![&twin], "timestamp-signing-certificate"),
        (vec![&scene.root], "?timestamp-tsa-certificate"),
    ] {
        let ders = certificates.iter().map(|one| one.certificate.der().to_vec()).collect();
        assert_eq!(scene.changed(|draft| draft.certificates = ders), code);
    }
    // Signed by the twin, which names itself; the chain leads to a root that nobody trusts.
    let twins = Draft::new(&twin).made();
    assert_eq!(scene.verdict(&twins), "signature");
    // The signature is looked at before chains are looked for.
    let forged = scene.changed(|draft| draft.signers[0].tsa.key.clone_from(&twin.key));
    assert_eq!(forged, "timestamp-signature");
}

/// An extra certificate that cannot be read denies no timestamp: the signature does not protect the set of certificates
/// (RFC 5652 section 5.4). Where the signer's certificate or an issuer is the one that cannot be read, it is the error.
#[test]
fn unreadable_certificates_that_were_added_do_not_matter() {
    let Some(scene) = Scene::new() else { return };
    let middle = scene.shop.issue(&scene.root, plan("/O=Middle", CA));
    let below = scene.shop.issue(&middle, plan("/O=TSA 2", TSA));
    let der = |made: &Made| made.certificate.der().to_vec();
    // Malformed: refused.
    let broken = || vec![0x30, 0];
    let cut = |made: &Made| {
        // The same identity, a byte of the SubjectPublicKeyInfo's tag changed: it cannot be read any more.
        let mut bytes = der(made);
        let spki = place(&bytes, made.certificate.spki()).start;
        bytes[spki] = 0x31;
        assert!(Certificate::parse(&bytes, &Limits::DEFAULT).is_err_and(|error| !error.is_undetermined()));
        bytes
    };
    // Longer than a certificate may be: could-not-tell.
    let long = || tlv(0x30, &[&tlv(0x04, &[&[0; 100_000]])]);
    assert!(Certificate::parse(&long(), &Limits::DEFAULT).is_err_and(|error| error.is_undetermined()));
    let (tsa, below_tsa) = (&scene.tsa, &below);
    for (what, signer, certificates, code) in [
        ("after it", tsa, vec![der(tsa), broken()], "accepted"),
        ("before it", tsa, vec![broken(), der(tsa)], "accepted"),
        ("too long", tsa, vec![long(), der(tsa), broken()], "accepted"),
        ("its own, changed, before it", tsa, vec![cut(tsa), der(tsa)], "accepted"),
        ("an unreadable copy of an issuer", below_tsa, vec![der(&below), cut(&middle), der(&middle)], "accepted"),
        ("the signer's", tsa, vec![cut(tsa)], "timestamp-certificates"),
        ("the signer's, beside another", tsa, vec![cut(tsa), der(&scene.root)], "timestamp-certificates"),
        ("one that may be the signer's", tsa, vec![long()], "?timestamp-certificates"),
        ("could-not-tell before a refusal", tsa, vec![broken(), long()], "?timestamp-certificates"),
        ("could-not-tell before a refusal", tsa, vec![long(), broken()], "?timestamp-certificates"),
        ("the issuer's", below_tsa, vec![der(&below), cut(&middle)], "timestamp-certificates"),
        ("one that may be the issuer's", below_tsa, vec![der(&below), long()], "?timestamp-certificates"),
    ] {
        let mut draft = Draft::new(signer);
        draft.certificates = certificates;
        assert_eq!(scene.verdict(&draft.made()), code, "{what}");
    }
    // A twin of the signer that the signed attributes do not name is not taken instead.
    let before = scene.shop.root(plan("/C=US/O=Root", CA));
    let twin = scene.shop.issue(&before, Plan { serial: "4712", ..plan("/C=US/O=TSA", TSA) });
    let twins = vec![der(&twin), cut(tsa)];
    assert_eq!(scene.changed(|draft| draft.certificates = twins), "timestamp-certificates");
    // What is refused stays refused: a chain to nobody's root, and a signature by another key.
    let mut draft = Draft::new(&twin);
    draft.certificates.push(broken());
    assert_eq!(scene.verdict(&draft.made()), "signature");
    let forged = scene.changed(|draft| {
        draft.certificates.push(broken());
        draft.signers[0].tsa.key.clone_from(&twin.key);
    });
    assert_eq!(forged, "timestamp-signature");
}

#[test]
fn limits_are_could_not_tell() {
    let Some(scene) = Scene::new() else { return };
    let token = scene.draft().made();
    let parse = |change: fn(&mut Limits)| verdict(&TimestampToken::parse(&token, &Limits::DEFAULT.with(change)));
    assert_eq!(parse(|limits| limits.envelope.timestamp_bytes = 100), "?timestamp-limit");
    // Each certificate is too long, the signer's too.
    let short = Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = 100);
    let unread = TimestampToken::parse(&token, &short).unwrap();
    let anchors = [super::tsa_anchor(&scene.root.certificate)];
    let outcome = unread.verify(MESSAGE, &anchors, &[], &Profile::NOTARY, &Limits::DEFAULT);
    assert_eq!(verdict(&outcome), "?timestamp-certificates");
    assert_eq!(parse(|limits| limits.envelope.certificates = 0), "?timestamp-limit");
    assert_eq!(parse(|_| ()), "accepted");
    let id = ess_v2(b"another");
    let many = |count: usize| attribute(SIGNING_CERTIFICATE_V2, &ess(&vec![id.as_slice(); count]));
    let named = |count| {
        scene.changed(|draft| {
            (draft.signers[0].attributes = |a| drop(a.remove(2)), draft.signers[0].extra = vec![many(count)]).1
        })
    };
    assert_eq!((named(32), named(33)), ("timestamp-signing-certificate".to_owned(), "?timestamp-limit".to_owned()));
    let longer = [token.as_slice(), &[0]].concat();
    assert_eq!(verdict(&TimestampToken::parse(&longer, &Limits::DEFAULT)), "timestamp-malformed");
}

/// Identifiers in error messages are truncated.
#[test]
fn messages_are_short() {
    let Some(scene) = Scene::new() else { return };
    let long: &[u8] = &[0x2a; 100_000];
    let cases: &[LongCase] = &[
        ("timestamp-content-type", |d, id| d.content_type = id.to_vec()),
        ("timestamp-content-type", |d, id| d.content_info_type = id.to_vec()),
        ("?timestamp-digest-algorithm", |d, id| d.signers[0].digest_algorithm = tlv(0x30, &[&oid(id)])),
        ("?timestamp-signature-algorithm", |d, id| d.signers[0].signature_algorithm = (tlv(0x30, &[&oid(id)]), &[])),
        ("timestamp-attributes", |d, id| d.signers[0].extra = vec![attribute(id, NULL), attribute(id, &[4, 0])]),
        ("?timestamp-critical-extension", |d, id| {
            d.info.rest = vec![tlv(0xa1, &[&tlv(0x30, &[&oid(id), &[1, 1, 0xff, 4, 0]])])];
        }),
    ];
    for (code, change) in cases {
        let mut draft = scene.draft();
        change(&mut draft, long);
        let outcome = verify(&draft.made(), Some(MESSAGE), &[], &[]);
        assert_eq!(verdict(&outcome), *code);
        let said = outcome.unwrap_err().to_string();
        assert!(said.len() < 400, "{code}: {} bytes", said.len());
    }
    let mut draft = scene.draft();
    draft.info.rest = vec![tlv(0x02, &[long])];
    let nonce = TimestampToken::parse(&draft.made(), &Limits::DEFAULT).unwrap().nonce().unwrap();
    assert_eq!((nonce.as_content(), nonce.to_string().chars().count()), (long, 65));
}

/// BER: indefinite lengths everywhere but in certificates, and octet strings in pieces (RFC 5652 section 2).
#[test]
fn a_token_in_ber_is_the_same_token() {
    let Some(scene) = Scene::new() else { return };
    let der = scene.draft().made();
    let rewritten = ber(&der);
    assert_ne!(der, rewritten);
    let anchors = certificates(&[&scene.root]);
    let (one, two) = (
        verify(&der, Some(MESSAGE), &anchors, &[]).unwrap(),
        verify(&rewritten, Some(MESSAGE), &anchors, &[]).unwrap(),
    );
    assert_eq!((one.at(), one.chain().path()), (two.at(), two.chain().path()));
    assert_eq!(two.token().bytes(), rewritten);
    for end in 0..rewritten.len() {
        assert!(TimestampToken::parse(&rewritten[..end], &Limits::DEFAULT).is_err(), "{end}");
    }
}

/// With one byte changed, a token is refused, or it says the same: only what nobody signed can change.
#[test]
fn no_changed_byte_says_something_else() {
    let Some(scene) = Scene::new() else { return };
    let mut draft = scene.draft();
    draft.info.rest = vec![vec![0x30, 3, 0x02, 1, 1], vec![0x02, 1, 9]];
    draft.certificates.push(scene.root.certificate.der().to_vec());
    draft.signers[0].unsigned = Some(tlv(0xa1, &[&attribute(&[0x2a, 3], &[4, 3, 1, 2, 3])]));
    let token = draft.made();
    let root = place(&token, scene.root.certificate.der());
    let unsigned = place(&token, draft.signers[0].unsigned.as_ref().unwrap());
    let accepted = accepted_changes(&token, &scene.root.certificate);
    // The root in the token, where the operator's is used, and the unsigned attributes.
    let others: Vec<_> = accepted.iter().filter(|at| !root.contains(at) && !unsigned.contains(at)).collect();
    assert!(others.is_empty(), "{others:?} of {}", token.len());
    assert!(accepted.iter().any(|at| unsigned.contains(at)), "an unsigned attribute can be changed, or nothing was");
}

#[test]
fn no_changed_byte_of_a_token_of_openssl_says_something_else() {
    let token = include_bytes!("../../testdata/timestamps/token.der");
    let parsed = TimestampToken::parse(token, &Limits::DEFAULT).unwrap();
    let root = parsed.certificates().iter().find(|one| one.is_self_issued()).unwrap();
    let accepted = accepted_changes(token, root);
    let root = place(token, root.der());
    // The first one in the token: `digestAlgorithms`, whose parameters are not read.
    let null = place(token, &[5, 0]);
    let others: Vec<_> = accepted.iter().filter(|at| !root.contains(at) && !null.contains(at)).collect();
    assert!(others.is_empty(), "{others:?} of {}", token.len());
}

/// Where a change of one byte leaves a token accepted. All that it says must be what it said before.
fn accepted_changes(token: &[u8], root: &Certificate) -> BTreeSet<usize> {
    let anchors = std::slice::from_ref(root);
    let original = verify(token, Some(MESSAGE), anchors, &[]).unwrap();
    let mut accepted = BTreeSet::new();
    for at in 0..token.len() {
        for bits in [1, 2, 4, 8, 16, 32, 64, 128, 0xff] {
            let mut changed = token.to_vec();
            changed[at] ^= bits;
            let Ok(found) = verify(&changed, Some(MESSAGE), anchors, &[]) else { continue };
            let (one, two) = (original.token(), found.token());
            assert_eq!((one.gen_time(), one.imprint(), one.serial()), (two.gen_time(), two.imprint(), two.serial()));
            assert_eq!((one.policy(), one.nonce()), (two.policy(), two.nonce()));
            assert_eq!(original.chain().path(), found.chain().path());
            assert_eq!((original.at(), original.earliest()), (found.at(), found.earliest()));
            accepted.insert(at);
        }
    }
    accepted
}

/// The place of the first occurrence of `part`.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let begin = whole.windows(part.len()).position(|one| one == part).unwrap();
    begin..begin + part.len()
}

#[test]
fn codes_are_of_one_rule_each() {
    let rules = TimestampRule::ALL.map(TimestampRule::code);
    let codes: BTreeSet<_> = rules.iter().copied().chain(ChainRule::ALL.map(ChainRule::code)).collect();
    assert_eq!(codes.len(), TimestampRule::ALL.len() + ChainRule::ALL.len());
    assert!(TimestampRule::ALL.iter().all(|rule| !rule.clause().is_empty() && !rule.broken().is_empty()));
    let page = include_str!("../../docs/x509.md");
    for code in rules {
        assert!(page.contains(&format!("`{code}`")), "docs/x509.md does not name {code}");
    }
}

/// The token with indefinite lengths, and with octet strings in pieces where they are not inside a certificate.
fn ber(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = der;
    while !rest.is_empty() {
        let (tag, content, after) = read(rest);
        let whole = &rest[..rest.len() - after.len()];
        // A certificate keeps its encoding: its bytes are signed and hashed.
        let is_certificate =
            tag == 0x30 && content.starts_with(&[0x30, 0x82]) && whole.len() > 300 && content[4] == 0xa0;
        match tag {
            _ if is_certificate => out.extend(whole),
            0x04 if content.len() > 4 => {
                let (one, two) = content.split_at(3);
                out.extend([&[0x24, 0x80][..], &tlv(0x04, &[one]), &tlv(0x04, &[two]), &[0, 0]].concat());
            }
            tag if tag & 0x20 != 0 => out.extend([&[tag, 0x80][..], &ber(content), &[0, 0]].concat()),
            _ => out.extend(whole),
        }
        rest = after;
    }
    out
}

/// The tag and content of the first value, and what follows it.
fn read(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, header) = match der[1] {
        short @ 0..=0x7f => (short as usize, 2),
        long => {
            let bytes = (long & 0x7f) as usize;
            (der[2..2 + bytes].iter().fold(0, |all, byte| all * 256 + *byte as usize), 2 + bytes)
        }
    };
    (der[0], &der[header..header + length], &der[header + length..])
}

fn sha1(made: &Made) -> Vec<u8> {
    let out = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha1", "-in"])
        .arg(&made.file)
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let digits = text.trim().split('=').nth(1).unwrap();
    digits.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA3_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 8];
