//! What the reader that is as lenient as notation lets through beside the strict one, and that it is nothing signed.

use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryFormat;
use serde_json::Value;
use serde_json::json;

use super::leaf;
use super::made::Maker;
use super::made::attributes;
use super::read;
use super::read_as_notation;
use super::verdict;

/// An envelope in which all that is let through is there at once says what it said before.
#[test]
fn it_changes_nothing_that_is_signed() {
    let bytes = Maker::of(NotaryAlgorithm::Es256).envelope(NotaryFormat::Jws, &attributes());
    let before =
        read(NotaryFormat::Jws, &bytes).unwrap().verify(Maker::of(NotaryAlgorithm::Es256).public_key()).unwrap();
    let mut envelope: Value = serde_json::from_slice(&bytes).unwrap();
    envelope["extra"] = json!({ "payload": "e30" });
    envelope["header"]["kid"] = json!("1");
    let agent = envelope["header"].as_object_mut().unwrap().remove("io.cncf.notary.signingAgent").unwrap();
    envelope["header"]["io.cncf.notary.SigningAgent"] = agent;
    let text = envelope.to_string().replace("\"payload\":\"ey", "\"PayLoad\":\"ey");
    assert!(read(NotaryFormat::Jws, text.as_bytes()).is_err());
    let lenient = read_as_notation(NotaryFormat::Jws, text.as_bytes()).unwrap();
    let after = lenient.verify(&leaf(&lenient)).unwrap();
    assert_eq!(after.payload().bytes(), before.payload().bytes());
    assert_eq!(after.attributes(), before.attributes());
    assert_eq!(lenient.signing_agent().unwrap().to_string(), "bulla/test <&>");
}

/// RFC 9360 section 2 writes a single certificate without an array. notation does not read that, both our readers do.
#[test]
fn a_single_certificate_is_read_in_both_forms() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let bytes = maker.envelope(NotaryFormat::Cose, &attributes());
    let array = [&[0x18, 33, 0x81], &super::cbor::Data::Bytes(maker.certificate.clone()).encode()[..8]].concat();
    let at = bytes.windows(array.len()).position(|window| window == array).unwrap();
    let single = [&bytes[..at + 2], &bytes[at + 3..]].concat();
    for found in [read(NotaryFormat::Cose, &single), read_as_notation(NotaryFormat::Cose, &single)] {
        let envelope = found.unwrap();
        assert_eq!(envelope.certificate_chain(), read(NotaryFormat::Cose, &bytes).unwrap().certificate_chain());
        assert_eq!(verdict(&envelope.verify(maker.public_key())), "accepted");
    }
}
