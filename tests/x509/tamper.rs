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
