//! Every byte of accepted envelopes changed, and every end cut off: what is signed never changes under a signature that
//! verifies.

use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::SigningScheme;

use super::BOTH;
use super::made::Maker;
use super::made::TOKEN;
use super::made::attributes;
use super::read;
use super::read_as_notation;
use super::time;

/// What an envelope says that is not signed.
fn unsigned(envelope: &NotaryEnvelope) -> (Vec<Vec<u8>>, Option<Vec<u8>>, Option<String>) {
    let chain = envelope.certificate_chain().iter().map(|certificate| certificate.to_vec()).collect();
    let agent = envelope.signing_agent().map(ToString::to_string);
    (chain, envelope.timestamp_token().map(<[u8]>::to_vec), agent)
}

#[test]
fn no_changed_byte_changes_what_is_signed() {
    let authority = NotaryAttributes::new(SigningScheme::X509SigningAuthority, time("2026-11-20T16:01:20Z"));
    let expiring = attributes().with_expiry(time("2027-11-20T16:01:20Z"));
    let (es256, ps256) = (NotaryAlgorithm::Es256, NotaryAlgorithm::Ps256);
    for (algorithm, attributes) in [(es256, &expiring), (es256, &authority), (ps256, &expiring)] {
        let maker = Maker::of(algorithm);
        let attributes = attributes.clone().with_extended("org.example.a", "x", false);
        for format in BOTH {
            let bytes = maker.envelope_with(format, &attributes, Some(TOKEN));
            tampered(&maker, format, &bytes);
        }
    }
}

/// Bits and values that turn one character into another of its kind.
const MASKS: [u8; 4] = [0x01, 0x04, 0x20, 0x80];

fn tampered(maker: &Maker, format: NotaryFormat, bytes: &[u8]) {
    let before = read(format, bytes).unwrap();
    let signed = before.verify(maker.public_key()).unwrap();
    let (mut verified, mut other_unsigned) = (0, 0);
    for at in 0..bytes.len() {
        for mask in MASKS {
            let mut changed = bytes.to_vec();
            changed[at] ^= mask;
            let after = read(format, &changed).or_else(|_| read_as_notation(format, &changed));
            let Ok(after) = after else { continue };
            let Ok(found) = after.verify(maker.public_key()) else { continue };
            assert_eq!(found.payload().bytes(), signed.payload().bytes(), "{format} {at} {mask}");
            assert_eq!(found.attributes(), signed.attributes(), "{format} {at} {mask}");
            assert_eq!(after.signature(), before.signature(), "{format} {at} {mask}");
            verified += 1;
            other_unsigned += usize::from(unsigned(&after) != unsigned(&before));
        }
    }
    // The certificates, the token and the signing agent are not signed, and neither are parameters that notation ignores.
    assert!(other_unsigned > 100 && verified >= other_unsigned, "{format}: {verified}, {other_unsigned}");
    for end in 0..bytes.len() {
        assert!(read(format, &bytes[..end]).is_err(), "{format} cut at {end}");
        assert!(read_as_notation(format, &bytes[..end]).is_err(), "{format} cut at {end}");
    }
}

/// The bytes that may change without a refusal, of the strict reader: all of them are in the unprotected header.
#[test]
fn what_may_change_is_not_signed() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    for format in BOTH {
        let bytes = maker.envelope_with(format, &attributes(), Some(TOKEN));
        let may_change = |at: &usize| {
            MASKS.iter().any(|mask| {
                let mut changed = bytes.clone();
                changed[*at] ^= mask;
                read(format, &changed).and_then(|envelope| envelope.verify(maker.public_key())).is_ok()
            })
        };
        let free: Vec<usize> = (0..bytes.len()).filter(may_change).collect();
        let (first, last) = (free[0], free[free.len() - 1]);
        let find = |text: &[u8]| bytes.windows(text.len()).position(|window| window == text).unwrap();
        match format {
            NotaryFormat::Cose => {
                // Between the label of the certificate chain and the payload.
                assert!(first > find(&[0x18, 33]) && last < find(b"{\"targetArtifact\""), "{first} {last}");
            }
            NotaryFormat::Jws => {
                assert!(first > find(b"\"header\":{") && last < find(b"},\"signature\""), "{first} {last}");
            }
            other => panic!("{other:?}"),
        }
    }
}
