//! A chain with one byte changed: refused, or the same chain.

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::Verification;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;

#[test]
fn no_changed_byte_is_accepted() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/C=US/ST=WA/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = shop.issue(&middle, plan("/CN=leaf", LEAF));
    let chain = certificates(&[&leaf, &middle, &root]);
    for profile in [Profile::NOTARY, Profile::RFC5280_STRICT] {
        let run = |chain: &[Certificate]| {
            let verification = Verification {
                anchors: &certificates(&[&root]),
                at: later(leaf.certificate.not_before(), 60),
                extra: &[],
                limits: Limits::DEFAULT,
                profile: profile.clone(),
                purpose: Purpose::Signing,
            };
            verification.run(chain)
        };
        let path: Vec<_> = run(&chain).unwrap().path().iter().cloned().collect();
        assert_eq!(path, chain);
        for (which, certificate) in chain.iter().enumerate() {
            for at in 0..certificate.der().len() {
                for bits in [0x01, 0x20, 0x80] {
                    let mut der = certificate.der().to_vec();
                    der[at] ^= bits;
                    let Ok(changed) = Certificate::parse(&der, &Limits::DEFAULT) else { continue };
                    let mut damaged = chain.clone();
                    damaged[which] = changed;
                    // Up to an anchor, what the signer says of the anchor does not matter: the operator's is used.
                    match run(&damaged) {
                        Err(_) => (),
                        Ok(found) => {
                            let path: Vec<_> = found.path().iter().cloned().collect();
                            assert!(which == 2 && path == chain, "certificate {which}, byte {at}");
                        }
                    }
                }
            }
            for end in 0..certificate.der().len() {
                assert!(Certificate::parse(&certificate.der()[..end], &Limits::DEFAULT).is_err(), "{end}");
            }
            let longer = [certificate.der(), &[0]].concat();
            assert!(Certificate::parse(&longer, &Limits::DEFAULT).is_err());
        }
    }
}

/// What is not signed around the signature has one encoding: the tags, and no unused bits.
#[test]
fn a_certificate_has_one_encoding() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/C=US/ST=WA/O=Root", CA));
    let der = root.certificate.der().to_vec();
    // A SEQUENCE with two bytes of length, and in it another one: the signed bytes.
    assert_eq!((&der[..2], &der[4..6]), (&[0x30, 0x82][..], &[0x30, 0x82][..]));
    let algorithm = 8 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    let signature = algorithm + 2 + usize::from(der[algorithm + 1]);
    assert_eq!((der[algorithm], der[signature], der[signature + 2]), (0x30, 0x03, 0x00));
    for at in [algorithm, signature, signature + 2] {
        for bits in 1..=0xff {
            let mut changed = der.clone();
            changed[at] ^= bits;
            assert!(Certificate::parse(&changed, &Limits::DEFAULT).is_err(), "byte {at}, {bits:#x}");
        }
    }
}
