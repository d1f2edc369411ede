//! OCSP responses: who may sign them, which certificate they are about, and what they prove.

use std::time::Duration;

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::FreshnessRule;
use bulla::x509::OcspResponse;
use bulla::x509::RevocationReason;
use bulla::x509::Status;
use bulla::x509::StatusEvidenceError;

use super::Family;
use super::STRICT;
use super::author::Algorithm;
use super::author::ECDSA_SHA1;
use super::author::ECDSA_SHA256;
use super::author::List;
use super::author::der;
use super::author::entry;
use super::author::extension;
use super::author::extension_of;
use super::author::generalized;
use super::author::integer;
use super::author::key_bits;
use super::author::signed;
use super::later;
use super::made::CA;
use super::made::Made;
use super::made::Plan;
use super::made::plan;
use super::pool;
use super::verdict;

pub const DELEGATE: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\n";
pub const NOCHECK: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n";

/// A response to be, about one certificate.
#[derive(Clone)]
pub struct Response {
    pub certificates: Vec<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
    pub id: Vec<u8>,
    pub next_update: Option<Time>,
    pub produced_at: Time,
    pub responder: Vec<u8>,
    pub single_extensions: Vec<Vec<u8>>,
    pub status: Vec<u8>,
    pub this_update: Time,
}

pub const SHA1: &str = "-sha1";

/// A hash by openssl.
fn hash(algorithm: &str, bytes: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes");
    std::fs::write(&file, bytes).unwrap();
    let out = std::process::Command::new("openssl").args(["dgst", "-binary", algorithm]).arg(file).output().unwrap();
    assert!(out.status.success());
    out.stdout
}

/// A `CertID` of a certificate with this serial number and issuer.
pub fn certificate_id(algorithm: &str, issuer: &Certificate, serial: u64) -> Vec<u8> {
    let oid: &[u8] = match algorithm {
        SHA1 => &[0x2b, 0x0e, 3, 2, 0x1a],
        "-sha256" => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
        "-sha384" => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
        "-sha512" => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
        _ => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4],
    };
    let name = hash(algorithm, issuer.subject().der());
    let key = hash(algorithm, &key_bits(issuer));
    der(0x30, &[&der(0x30, &[&der(6, &[oid]), &[5, 0]]), &der(4, &[&name]), &der(4, &[&key]), &integer(serial)])
}

pub fn by_name(of: &Made) -> Vec<u8> {
    der(0xa1, &[of.certificate.subject().der()])
}

fn by_key(of: &Made) -> Vec<u8> {
    der(0xa2, &[&der(4, &[&hash(SHA1, &key_bits(&of.certificate))])])
}

pub const GOOD: &[u8] = &[0x80, 0];
pub const UNKNOWN: &[u8] = &[0x82, 0];

pub fn revoked(at: Time, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|reason| der(0xa0, &[&[10, 1, reason]])).unwrap_or_default();
    der(0xa1, &[&generalized(at), &reason])
}

impl Response {
    /// Good, by the issuer itself, about the signer: from half an hour before now, for a day.
    pub fn of(family: &Family) -> Self {
        let now = family.now();
        Self {
            certificates: Vec::new(),
            extensions: Vec::new(),
            id: certificate_id(SHA1, &family.middle.certificate, 4_712),
            next_update: Some(later(now, 86_400)),
            produced_at: later(now, -1_800),
            responder: by_name(&family.middle),
            single_extensions: Vec::new(),
            status: GOOD.to_vec(),
            this_update: later(now, -1_800),
        }
    }

    /// The same from a delegate, whose certificate is in it.
    pub fn by(self, delegate: &Made) -> Self {
        let certificates = vec![delegate.certificate.der().to_vec()];
        Self { certificates, responder: by_name(delegate), ..self }
    }

    pub fn says(self, status: Vec<u8>) -> Self {
        Self { status, ..self }
    }

    pub fn signed_by(&self, signer: &Made) -> Vec<u8> {
        self.signed_with(ECDSA_SHA256, signer)
    }

    pub fn signed_with(&self, algorithm: Algorithm, signer: &Made) -> Vec<u8> {
        let list = |tag: u8, all: &[Vec<u8>]| {
            if all.is_empty() { Vec::new() } else { der(tag, &[&der(0x30, &[&all.concat()])]) }
        };
        let next = self.next_update.map(|next| der(0xa0, &[&generalized(next)])).unwrap_or_default();
        let single = der(
            0x30,
            &[&self.id, &self.status, &generalized(self.this_update), &next, &list(0xa1, &self.single_extensions)],
        );
        let data = der(
            0x30,
            &[&self.responder, &generalized(self.produced_at), &der(0x30, &[&single]), &list(0xa1, &self.extensions)],
        );
        let basic = signed(&data, algorithm, signer, &list(0xa0, &self.certificates));
        let bytes = der(0x30, &[&der(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]), &der(4, &[&basic])]);
        der(0x30, &[&[10, 1, 0], &der(0xa0, &[&bytes])])
    }
}

/// A certificate of the family's authority with this serial number.
pub fn delegate(family: &Family, issuer: &Made, extensions: &str) -> Made {
    family.shop.issue(issuer, Plan { serial: "99", ..plan("/CN=responder", extensions) })
}

#[test]
fn the_issuer_answers_for_its_certificates() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let response = Response::of(&family);
    for responder in [by_name(&family.middle), by_key(&family.middle)] {
        let response = Response { responder, ..response.clone() };
        assert_eq!(family.verdict(&[response.signed_by(&family.middle)]), "good");
        let unknown = response.clone().says(UNKNOWN.to_vec());
        assert_eq!(family.verdict(&[unknown.signed_by(&family.middle)]), "?ocsp-unknown");
        for reason in [None, Some(0), Some(1), Some(6), Some(77)] {
            let response = response.clone().says(revoked(later(now, 99), reason)).signed_by(&family.middle);
            let status = family.status(&[response], &STRICT, now);
            let Status::Revoked(revocations) = status.status else { panic!("{status:?}") };
            let revocation = revocations.first();
            assert_eq!(revocation.reason, reason.map(RevocationReason::of));
            assert_eq!((revocation.at, revocation.invalidity), (later(now, 99), None));
        }
    }
    // Whatever the order, a revocation wins; a CRL and a response are one pool.
    let good = response.signed_by(&family.middle);
    let list = List::of(&family.middle, now).entry(entry(4_712, now, None)).signed_by(&family.middle);
    assert_eq!(family.verdict(&[good.clone(), list]), "revoked");
    let revoking = response.says(revoked(now, None)).signed_by(&family.middle);
    assert_eq!(family.verdict(&[revoking, good, List::of(&family.middle, now).signed_by(&family.middle)]), "revoked");
}

#[test]
fn all_parts_of_the_certificate_id_are_compared() {
    let Some(family) = Family::new() else { return };
    let judged = |id| family.verdict(&[Response { id, ..Response::of(&family) }.signed_by(&family.middle)]);
    for algorithm in [SHA1, "-sha256", "-sha384", "-sha512"] {
        let id = |issuer: &Made, serial| certificate_id(algorithm, &issuer.certificate, serial);
        assert_eq!(judged(id(&family.middle, 4_712)), "good");
        assert_eq!(judged(id(&family.middle, 4_713)), "?status-no-evidence");
        assert_eq!(judged(id(&family.root, 4_712)), "?status-no-evidence");
        // The same name and another key, and the other way round.
        let namesake = family.shop.issue(&family.root, plan("/O=Middle", CA));
        assert_eq!(judged(id(&namesake, 4_712)), "?status-no-evidence");
        let renamed = family.shop.issue_again(&family.root, &family.middle, plan("/O=Renamed", CA));
        assert_eq!(judged(id(&renamed, 4_712)), "?status-no-evidence");
    }
    assert_eq!(judged(certificate_id("-sha224", &family.middle.certificate, 4_712)), "?ocsp-cert-id");
}

/// The serial number is the certificate's, and by which hash the rest is compared does not make it another one's.
#[test]
fn a_revocation_by_an_unsupported_hash_keeps_all_else_from_proving_good() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let id = certificate_id("-sha224", &family.middle.certificate, 4_712);
    let response = Response { id, ..Response::of(&family) };
    let list = || List::of(&family.middle, now).signed_by(&family.middle);
    let revoking = response.clone().says(revoked(now, Some(1)));
    let (genuine, forged) = (revoking.signed_by(&family.middle), revoking.signed_by(&family.leaf));
    assert_eq!(family.verdict(std::slice::from_ref(&genuine)), "?ocsp-revoked-cert-id");
    assert_eq!(family.verdict(&[genuine, list()]), "?ocsp-revoked-cert-id");
    // Anybody can make one that is not genuine, and a responder that answers by this hash may say good.
    assert_eq!(family.verdict(&[forged, list()]), "good");
    assert_eq!(family.verdict(&[response.signed_by(&family.middle), list()]), "good");
    // Of a delegate, too, whose certificate says that nobody needs to look for its status.
    let nocheck = delegate(&family, &family.middle, NOCHECK);
    let answer = Response::of(&family).by(&nocheck).signed_by(&nocheck);
    let id = certificate_id("-sha224", &family.middle.certificate, 99);
    let about = Response { id, ..Response::of(&family) }.says(revoked(now, Some(1)));
    assert_eq!(family.verdict(std::slice::from_ref(&answer)), "good");
    assert_eq!(family.verdict(&[answer, about.signed_by(&family.middle)]), "?ocsp-responder-status");
}

/// A response whose signature cannot be verified may be genuine: it proves nothing good, and what it revokes is not good.
#[test]
fn a_revocation_in_a_response_by_an_algorithm_that_is_not_allowed_is_could_not_tell() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let good = List::of(&family.middle, now).signed_by(&family.middle);
    let unknown = "?status-revoked-signature-algorithm";
    let by_issuer = Response::of(&family);
    let nocheck = delegate(&family, &family.middle, NOCHECK);
    let by_delegate = by_issuer.clone().by(&nocheck);
    for (response, signer) in [(&by_issuer, &family.middle), (&by_delegate, &nocheck)] {
        let revoking = response.clone().says(revoked(now, Some(1)));
        let weak = |response: &Response| response.signed_with(ECDSA_SHA1, signer);
        assert_eq!(family.verdict(&[weak(&revoking)]), unknown);
        assert_eq!(family.verdict(&[weak(&revoking), good.clone()]), unknown);
        assert_eq!(family.verdict(&[weak(&revoking), revoking.signed_by(signer)]), "revoked");
        assert_eq!(family.verdict(&[weak(response)]), "?status-signature-algorithm");
        assert_eq!(family.verdict(&[weak(response), good.clone()]), "good");
    }
    // By a delegate of the issuer with a key that is not supported, whatever its algorithm is called.
    let secp256k1 = "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1";
    let other_key = family
        .shop
        .issue(&family.middle, Plan { algorithm: secp256k1, serial: "99", ..plan("/CN=responder", NOCHECK) });
    let response = by_issuer.clone().by(&other_key);
    let revoking = response.clone().says(revoked(now, Some(1))).signed_by(&other_key);
    assert_eq!(family.verdict(std::slice::from_ref(&revoking)), unknown);
    assert_eq!(family.verdict(&[revoking, good.clone()]), unknown);
    assert_eq!(family.verdict(&[response.signed_by(&other_key), good.clone()]), "good");
    // About a certificate whose id is of an unsupported hash, and about a delegate that nobody needs to look for.
    let id = certificate_id("-sha224", &family.middle.certificate, 4_712);
    let revoking = Response { id, ..by_issuer.clone() }.says(revoked(now, Some(1)));
    assert_eq!(family.verdict(&[revoking.signed_with(ECDSA_SHA1, &family.middle), good]), unknown);
    let id = certificate_id(SHA1, &family.middle.certificate, 99);
    let revoking = Response { id, ..by_issuer }.says(revoked(now, Some(1))).signed_with(ECDSA_SHA1, &family.middle);
    let answer = by_delegate.signed_by(&nocheck);
    assert_eq!(family.verdict(std::slice::from_ref(&answer)), "good");
    assert_eq!(family.verdict(&[answer, revoking]), "?ocsp-responder-status");
}

/// A response that may be by the issuer is not shown to be by somebody else because a certificate came along that has the
/// name of the issuer, and is not one of a responder.
#[test]
fn a_certificate_that_came_along_does_not_hide_what_is_not_known() {
    let Some(family) = Family::new() else { return };
    let namesake = family.shop.issue(&family.root, plan("/O=Middle", CA));
    let revoking = Response::of(&family).says(revoked(family.now(), Some(1)));
    for along in [&family.middle, &namesake] {
        let certificates = vec![along.certificate.der().to_vec()];
        let response = Response { certificates, ..revoking.clone() };
        let genuine = response.signed_by(&family.middle);
        assert_eq!(family.verdict(std::slice::from_ref(&genuine)), "revoked");
        let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = 0);
        let statuses = pool(&[genuine]).statuses(&family.chain(), &STRICT, family.now(), &limits);
        assert_eq!(verdict(&statuses[0]), "?status-limit");
        let weak = response.signed_with(ECDSA_SHA1, &family.middle);
        assert_eq!(family.verdict(&[weak]), "?status-revoked-signature-algorithm");
    }
}

/// RFC 6960 section 4.4.5: a response may have the extensions of a CRL entry.
#[test]
fn the_extensions_of_crl_entries_are_read_in_responses() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let date = later(now, -99);
    let states = |extensions: Vec<Vec<u8>>| {
        let response = Response { single_extensions: extensions, ..Response::of(&family) };
        let response = response.says(revoked(now, Some(4))).signed_by(&family.middle);
        let status = family.status(&[response], &STRICT, now);
        let Status::Revoked(revocations) = &status.status else { panic!("{status:?}") };
        assert!(status.evidence[0].problems.is_empty(), "{status:?}");
        revocations.iter().map(|one| (one.reason, one.invalidity)).collect::<Vec<_>>()
    };
    let reason = |code| extension(21, true, &[10, 1, code]);
    let superseded = Some(RevocationReason::of(4));
    assert_eq!(states(vec![extension(24, true, &generalized(date))]), [(superseded, Some(date))]);
    assert_eq!(states(vec![reason(4)]), [(superseded, None)]);
    // Two reasons are two revocations: what helps against one does not help against the other.
    let both = [(superseded, Some(date)), (Some(RevocationReason::of(1)), Some(date))];
    assert_eq!(states(vec![extension(24, false, &generalized(date)), reason(1)]), both);
    for malformed in [extension(24, false, &[5, 0]), extension(21, false, &[10, 2, 0, 1])] {
        let response = Response { single_extensions: vec![malformed], ..Response::of(&family) };
        assert!(OcspResponse::parse(&response.signed_by(&family.middle), &Limits::DEFAULT).is_err());
    }
}

#[test]
fn a_delegate_is_authorized_by_the_issuer_itself() {
    let Some(family) = Family::new() else { return };
    let response = Response::of(&family);
    let says = |delegate: &Made, response: &Response| {
        let answers = [GOOD.to_vec(), revoked(family.now(), None)]
            .map(|status| family.verdict(&[response.clone().by(delegate).says(status).signed_by(delegate)]));
        answers.join(" ")
    };
    let good = delegate(&family, &family.middle, NOCHECK);
    assert_eq!(says(&good, &response), "good revoked");
    let by_key = Response { responder: by_key(&good), ..response.clone().by(&good) };
    assert_eq!(family.verdict(&[by_key.signed_by(&good)]), "good");
    let no = "?ocsp-responder ?ocsp-responder";
    // Without the purpose, or with another one.
    for extensions in
        ["keyUsage=digitalSignature\nnoCheck=ignored\n", "extendedKeyUsage=codeSigning,anyExtendedKeyUsage\n"]
    {
        assert_eq!(says(&delegate(&family, &family.middle, extensions), &response), no);
    }
    // Of another issuer: the one above, one below, one of the same name, itself.
    let namesake = family.shop.issue(&family.root, plan("/O=Middle", CA));
    let below = family.shop.issue(&family.middle, plan("/O=Below", CA));
    for issuer in [&family.root, &namesake, &below] {
        assert_eq!(says(&delegate(&family, issuer, NOCHECK), &response), no);
    }
    assert_eq!(says(&family.shop.root(plan("/CN=responder", NOCHECK)), &response), no);
    // Its certificate is not there, the response names another one, or another key has signed.
    let absent = Response { certificates: Vec::new(), ..response.clone().by(&good) };
    assert_eq!(family.verdict(&[absent.signed_by(&good)]), "?ocsp-responder");
    let other = Response { responder: by_name(&family.leaf), ..response.clone().by(&good) };
    assert_eq!(family.verdict(&[other.signed_by(&good)]), "?ocsp-responder");
    assert_eq!(family.verdict(&[response.clone().by(&good).signed_by(&family.leaf)]), "?status-signature");
    assert_eq!(family.verdict(&[response.signed_by(&family.leaf)]), "?status-signature");
    // A certificate that cannot be read is not a responder's, and does not keep another one from being it.
    let mut noisy = response.by(&good);
    noisy.certificates.insert(0, vec![0x30, 0]);
    assert_eq!(family.verdict(&[noisy.signed_by(&good)]), "good");
}

#[test]
fn a_delegate_is_not_revoked_itself() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let (nocheck, plain) = (delegate(&family, &family.middle, NOCHECK), delegate(&family, &family.middle, DELEGATE));
    let response = |by: &Made| Response::of(&family).by(by).signed_by(by);
    let about_delegate = |status: &[u8]| {
        let id = certificate_id(SHA1, &family.middle.certificate, 99);
        Response { id, ..Response::of(&family) }.says(status.to_vec())
    };
    assert_eq!(family.verdict(&[response(&plain)]), "?ocsp-responder-status");
    // A response of the issuer about the delegate is proof, one of the delegate or of its like is not.
    let good = about_delegate(GOOD).signed_by(&family.middle);
    assert_eq!(family.verdict(&[response(&plain), good.clone()]), "good");
    let own = about_delegate(GOOD).by(&plain).signed_by(&plain);
    assert_eq!(family.verdict(&[response(&plain), own]), "?ocsp-responder-status");
    let other = about_delegate(GOOD).by(&nocheck).signed_by(&nocheck);
    assert_eq!(family.verdict(&[response(&plain), other]), "?ocsp-responder-status");
    // nocheck does not hide a revocation that is in the pool. An empty list would prove the signer good.
    let list = List { number: None, ..List::of(&family.middle, now).entry(entry(99, now, Some(4))) };
    let list = list.signed_by(&family.middle);
    let says = "?crl-number,ocsp-responder-revoked";
    assert_eq!(family.verdict(&[response(&plain), list.clone(), good]), says);
    assert_eq!(family.verdict(&[response(&nocheck), list.clone()]), says);
    let by_response = about_delegate(&revoked(now, None)).signed_by(&family.middle);
    assert_eq!(family.verdict(&[response(&nocheck), by_response]), "?ocsp-responder-revoked");
    // What a revoked delegate revokes stays revoked.
    let revoking = Response::of(&family).by(&nocheck).says(revoked(now, None)).signed_by(&nocheck);
    assert_eq!(family.verdict(&[revoking, list]), "revoked");
}

/// However many responses it has signed: its list is read once, and not once for each of them.
#[test]
fn a_delegate_is_looked_at_once() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let plain = delegate(&family, &family.middle, DELEGATE);
    let list = List { number: Some(7), ..List::of(&family.middle, now) }.entry(entry(1, now, None));
    let mut evidence = vec![list.signed_by(&family.middle)];
    for seconds in 0..20 {
        let next_update = Some(later(now, 100 + seconds));
        evidence.push(Response { next_update, ..Response::of(&family).by(&plain) }.signed_by(&plain));
    }
    let judged = |checks| {
        let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = checks);
        verdict(&pool(&evidence).statuses(&family.chain(), &STRICT, now, &limits)[0])
    };
    // The list for the signer and for the delegate; each response, and the delegate's certificate in it.
    assert_eq!(judged(2 + 2 * 20), "good");
    assert_eq!(judged(1 + 2 * 20), "?status-limit");
}

#[test]
fn the_certificate_of_a_delegate_is_valid_now_and_for_signing() {
    let Some(family) = Family::new() else { return };
    let good = delegate(&family, &family.middle, NOCHECK);
    let end = good.certificate.not_after();
    let response = Response { next_update: Some(later(end, 9_999)), ..Response::of(&family).by(&good) };
    let judged = |now| {
        let response = Response { this_update: later(now, -1), produced_at: later(now, -1), ..response.clone() };
        let kept = FreshnessRule { expired_certificates: bulla::x509::ExpiredCertificates::Kept, ..STRICT };
        verdict(&family.status(&[response.signed_by(&good)], &kept, now))
    };
    assert_eq!(judged(end), "good");
    assert_eq!(judged(later(end, 1)), "?ocsp-responder-certificate");
    assert_eq!(judged(later(good.certificate.not_before(), -1)), "?ocsp-responder-certificate");
    for extensions in
        [&NOCHECK.replace("digitalSignature", "keyEncipherment"), &format!("{NOCHECK}1.2.3.4=critical,DER:0500\n")]
    {
        let delegate = delegate(&family, &family.middle, extensions);
        let response = Response::of(&family).by(&delegate).signed_by(&delegate);
        assert_eq!(family.verdict(&[response]), "?ocsp-responder-certificate", "{extensions}");
    }
}

#[test]
fn freshness_of_responses() {
    let Some(family) = Family::new() else { return };
    let now = family.now();
    let response = Response::of(&family);
    let judged = |response: Response, maximum_age| {
        let rule = FreshnessRule { maximum_age, ..STRICT };
        verdict(&family.status(&[response.signed_by(&family.middle)], &rule, now))
    };
    let endless = Response { next_update: None, ..response.clone() };
    assert_eq!(judged(endless.clone(), None), "?status-next-update-missing");
    assert_eq!(judged(endless.clone(), Some(Duration::from_secs(1_800))), "good");
    assert_eq!(judged(endless, Some(Duration::from_secs(1_799))), "?status-maximum-age");
    assert_eq!(judged(Response { next_update: Some(later(now, -1)), ..response.clone() }, None), "?status-next-update");
    assert_eq!(judged(Response { this_update: later(now, 61), ..response.clone() }, None), "?status-this-update");
    assert_eq!(judged(Response { produced_at: later(now, 61), ..response.clone() }, None), "?status-this-update");
    assert_eq!(judged(Response { produced_at: later(now, 60), ..response.clone() }, None), "good");
    let unknown = extension_of(&[0x2a, 3, 4], true, &[5, 0]);
    let critical = Response { extensions: vec![unknown.clone()], ..response.clone() };
    assert_eq!(judged(critical, None), "?status-critical-extension");
    let critical = Response { single_extensions: vec![unknown], ..response.clone() };
    assert_eq!(judged(critical, None), "?status-critical-extension");
    let harmless = vec![extension_of(&[0x2a, 3, 4], false, &[5, 0])];
    let harmless = Response { extensions: harmless.clone(), single_extensions: harmless, ..response };
    assert_eq!(judged(harmless, None), "good");
}

/// RFC 6960 sections 2.2 and 4.4.4.
#[test]
fn a_response_about_an_expired_certificate_says_that_it_keeps_them() {
    let Some(family) = Family::new() else { return };
    let end = family.leaf.certificate.not_after();
    let judged = |this_update, cutoff: Option<Time>| {
        let cutoff = cutoff.map(|at| extension_of(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6], false, &generalized(at)));
        let response = Response {
            next_update: Some(later(end, 99)),
            produced_at: this_update,
            single_extensions: cutoff.into_iter().collect(),
            this_update,
            ..Response::of(&family)
        };
        verdict(&family.status(&[response.signed_by(&family.middle)], &STRICT, later(end, 9)))
    };
    assert_eq!(judged(end, None), "good");
    assert_eq!(judged(later(end, 1), None), "?status-expired-certificate");
    assert_eq!(judged(later(end, 1), Some(later(end, 1))), "?status-expired-certificate");
    assert_eq!(judged(later(end, 1), Some(end)), "good");
}

#[test]
fn what_is_not_a_response_is_not_read() {
    let Some(family) = Family::new() else { return };
    let response = Response::of(&family);
    let whole = response.signed_by(&family.middle);
    let parsed = OcspResponse::parse(&whole, &Limits::DEFAULT).unwrap();
    assert_eq!((parsed.response_count(), parsed.produced_at()), (1, response.produced_at));
    for (code, status) in
        [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired"), (6, "unauthorized")]
    {
        let error = OcspResponse::parse(&[0x30, 3, 10, 1, code], &Limits::DEFAULT);
        assert_eq!(error, Err(StatusEvidenceError::ResponseStatus { status }));
    }
    let malformed = [
        vec![0x30, 3, 10, 1, 0],
        vec![0x30, 3, 10, 1, 4],
        [whole.as_slice(), &[0]].concat(),
        Response { status: vec![0x80, 1, 0], ..response.clone() }.signed_by(&family.middle),
        Response { status: vec![0x83, 0], ..response.clone() }.signed_by(&family.middle),
        Response { status: der(0xa1, &[]), ..response.clone() }.signed_by(&family.middle),
        Response { responder: vec![0xa3, 2, 5, 0], ..response.clone() }.signed_by(&family.middle),
        Response { id: vec![0x30, 0], ..response.clone() }.signed_by(&family.middle),
    ];
    for (number, case) in malformed.iter().enumerate() {
        let read = OcspResponse::parse(case, &Limits::DEFAULT);
        assert!(matches!(read, Err(StatusEvidenceError::Malformed { .. })), "{number}: {read:?}");
    }
    for end in 0..whole.len() {
        assert!(OcspResponse::parse(&whole[..end], &Limits::DEFAULT).is_err(), "{end}");
    }
    let limits = |bytes| Limits::DEFAULT.with(|limits| limits.revocation.ocsp_bytes = bytes);
    assert!(OcspResponse::parse(&whole, &limits(whole.len() as u64)).is_ok());
    let over = OcspResponse::parse(&whole, &limits(whole.len() as u64 - 1));
    assert!(matches!(over, Err(StatusEvidenceError::TooLarge { .. })));
    let many = Response { certificates: vec![vec![0x30, 0]; 33], ..response.clone() }.signed_by(&family.middle);
    assert!(matches!(OcspResponse::parse(&many, &Limits::DEFAULT), Err(StatusEvidenceError::TooMany { .. })));
    let many = Response { certificates: vec![vec![0x30, 0]; 32], ..response }.signed_by(&family.middle);
    assert!(OcspResponse::parse(&many, &Limits::DEFAULT).is_ok());
}
