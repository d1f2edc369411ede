//! Certificate timestamps: those of real certificates, mixed up, damaged, and counted.

use bulla::limits::Limits;
use bulla::transparency::CertificateTimestamp;
use bulla::transparency::TransparencyError;
use bulla::transparency::VerifiedCertificateTimestamp;
use bulla::x509::Certificate;

use crate::case::Case;
use crate::case::case;
use crate::case::certificate;
use crate::case::code;

fn signer(case: &Case) -> Certificate {
    certificate(&case.document().unwrap()).unwrap()
}

fn embedded(certificate: &Certificate) -> Result<Vec<CertificateTimestamp>, TransparencyError> {
    CertificateTimestamp::embedded(certificate, &Limits::DEFAULT)
}

fn verify(
    one: &CertificateTimestamp,
    of: &Certificate,
    case: &Case,
) -> Result<VerifiedCertificateTimestamp, TransparencyError> {
    let mut last = None;
    for issuer in case.issuers(of) {
        match one.verify(of, &issuer, case.root.certificate_logs()) {
            Ok(verified) => return Ok(verified),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap())
}

#[test]
fn a_certificate_timestamp_is_about_one_certificate_of_one_issuer() {
    let Some(first) = case("sigstore-bundles", "rust-happy-path") else { return };
    let second = case("sigstore-bundles", "java-bundle.dsse.sigstore").unwrap();
    let (one, other) = (signer(&first), signer(&second));
    let timestamp = embedded(&one).unwrap().pop().unwrap();
    let verified = verify(&timestamp, &one, &first).unwrap();
    assert_eq!((verified.log(), verified.time()), (timestamp.log_id(), timestamp.time()));

    let refused = |result: Result<VerifiedCertificateTimestamp, TransparencyError>| code(&result.unwrap_err());
    assert_eq!(refused(verify(&timestamp, &other, &first)), "sct-signature");
    let wrong_issuer = timestamp.verify(&one, &other, first.root.certificate_logs());
    assert_eq!(refused(wrong_issuer), "sct-signature");
    let staging = case("sigstore-bundles", "py-bundle.txt").unwrap();
    let elsewhere = timestamp.verify(&one, &first.issuers(&one)[0], staging.root.certificate_logs());
    assert_eq!(refused(elsewhere), "sct-log-unknown");
    // A certificate without the extension has no precertificate.
    let anchor = first.root.certificate_authorities()[0].anchor();
    assert_eq!(code(&embedded(anchor).unwrap_err()), "sct-missing");
    assert_eq!(refused(timestamp.verify(anchor, anchor, first.root.certificate_logs())), "sct-signature");
}

/// Every byte of the signed certificate is changed in turn: what is still a certificate has no valid timestamp, or the byte is
/// one that the issuer alone signs, or its signature.
#[test]
fn no_byte_of_a_certificate_can_be_changed() {
    for (suite, name) in
        [("sigstore-bundles", "rust-happy-path"), ("sigstore-conformance", "bundle-with-sct-with-extensions")]
    {
        let Some(case) = case(suite, name) else { return };
        let good = signer(&case);
        let mut accepted = Vec::new();
        for at in 0..good.der().len() {
            for bit in [1, 0x80] {
                let mut der = good.der().to_vec();
                der[at] ^= bit;
                let Ok(changed) = Certificate::parse(&der, &Limits::DEFAULT) else { continue };
                let issuers = case.issuers(&good);
                let all = embedded(&changed).and_then(|all| {
                    let by = |one: &CertificateTimestamp| {
                        let each =
                            issuers.iter().map(|issuer| one.verify(&changed, issuer, case.root.certificate_logs()));
                        each.reduce(Result::or).unwrap()
                    };
                    all.iter().map(by).collect::<Result<Vec<_>, _>>()
                });
                if all.is_ok() {
                    accepted.push(at);
                }
            }
        }
        // A log signs neither the signature of the issuer, with its algorithm, nor the tag around the timestamps.
        let tag = good.der().windows(OID.len()).position(|window| window == OID).unwrap() + OID.len();
        let (_, whole) = content(good.der());
        let (_, signed) = content(whole);
        let signature = signed.as_ptr() as usize + signed.len() - good.der().as_ptr() as usize;
        assert!(accepted.iter().any(|at| *at > signature), "{name}");
        assert!(accepted.iter().all(|at| *at >= signature || *at == tag), "{name}: {accepted:?}");
    }
}

#[test]
fn certificate_timestamps_are_counted() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let good = signer(&case);
    let der = good.der();
    // The extension: OID, OCTET STRING, OCTET STRING, list, timestamp.
    let oid = OID;
    let at = der.windows(oid.len()).position(|window| window == oid).unwrap();
    let list_of = |list: &[u8]| {
        let value = tlv(0x04, &tlv(0x04, list));
        let extension = tlv(0x30, &[&oid[..], &value].concat());
        with_extension(der, at, &extension)
    };
    let one = {
        let value = &der[at + oid.len()..];
        let (_, inner) = content(content(value).1);
        inner[2..].to_vec()
    };
    let parse = |list: Vec<u8>| {
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        embedded(&Certificate::parse(&list_of(&[&length[..], &list].concat()), &Limits::DEFAULT).unwrap())
    };
    assert_eq!(parse(one.clone()).unwrap(), embedded(&good).unwrap());
    assert_eq!(parse(one.repeat(32)).unwrap().len(), 32);
    assert_eq!(code(&parse(one.repeat(33)).unwrap_err()), "?transparency-limit");
    assert_eq!(code(&parse(Vec::new()).unwrap_err()), "sct-missing");
    assert_eq!(code(&parse(one[..one.len() - 1].to_vec()).unwrap_err()), "sct-malformed");
    assert_eq!(code(&parse([one.as_slice(), &[0]].concat()).unwrap_err()), "sct-malformed");
    assert_eq!(code(&parse(vec![0, 0]).unwrap_err()), "sct-malformed");
    let changed = |at: usize, byte: u8| {
        let mut one = one.clone();
        one[at] = byte;
        code(&parse(one).unwrap_err())
    };
    // Version, extensions, hash function and signature algorithm (at the end, before the signature).
    assert_eq!([changed(2, 1), changed(44, 1)], ["?sct-malformed", "sct-malformed"]);
    assert_eq!([changed(45, 2), changed(46, 2)], ["?sct-malformed", "?sct-malformed"]);
    // Not a list at all.
    let value = tlv(0x30, &[&oid[..], &tlv(0x04, &[5, 0])].concat());
    let other = Certificate::parse(&with_extension(der, at, &value), &Limits::DEFAULT).unwrap();
    assert_eq!(code(&embedded(&other).unwrap_err()), "sct-malformed");
}

/// The object identifier of the extension, in DER.
const OID: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

/// The content of the value at the start, by tag and length, and nothing else of it.
fn content(der: &[u8]) -> (u8, &[u8]) {
    let (start, length) = match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
    };
    (der[0], &der[start..start + length])
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..=0x7f => vec![u8::try_from(short).unwrap()],
        long @ 0x80..=0xff => vec![0x81, u8::try_from(long).unwrap()],
        long => [&[0x82][..], &u16::try_from(long).unwrap().to_be_bytes()].concat(),
    };
    [&[tag][..], &length, content].concat()
}

/// The certificate with the extension whose OID is at `at` replaced. Its signature is not that of its issuer any more.
fn with_extension(der: &[u8], at: usize, extension: &[u8]) -> Vec<u8> {
    let position = |part: &[u8]| part.as_ptr() as usize - der.as_ptr() as usize;
    let rebuild = |part: &[u8]| -> Vec<u8> {
        let mut rest = part;
        let mut rebuilt = Vec::new();
        while !rest.is_empty() {
            let (_, inner) = content(rest);
            let length = position(inner) + inner.len() - position(rest);
            let (one, after) = rest.split_at(length);
            rest = after;
            match position(inner) == at {
                true => rebuilt.extend(extension),
                false => rebuilt.extend(one),
            }
        }
        rebuilt
    };
    let (_, whole) = content(der);
    let (_, tbs) = content(whole);
    let after_tbs = &whole[position(tbs) + tbs.len() - position(whole)..];
    let mut fields = tbs;
    let mut rebuilt = Vec::new();
    while !fields.is_empty() {
        let (tag, inner) = content(fields);
        let length = position(inner) + inner.len() - position(fields);
        match tag {
            0xa3 => rebuilt.extend(tlv(0xa3, &tlv(0x30, &rebuild(content(inner).1)))),
            _ => rebuilt.extend(&fields[..length]),
        }
        fields = &fields[length..];
    }
    tlv(0x30, &[tlv(0x30, &rebuilt).as_slice(), after_tbs].concat())
}
