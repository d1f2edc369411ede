//! A certification request for a key on the token, a certificate for it, and a signature that verifies by that certificate.

use super::image;
use super::support::missing::not_run;
use super::support::program;
use super::support::softhsm::SoftHsm;

#[test]
fn a_key_on_the_token_gets_a_certificate() {
    let Some(hsm) = SoftHsm::find() else { return };
    for (seed, kind) in (1..).zip(["p256", "p384", "p521", "rsa2048", "rsa4096", "ed25519"]) {
        let uri = format!("pkcs11:token=release;object=key-{kind}");
        hsm.bulla(&["key", "new", "--pkcs11", &uri, "--type", kind]).expect(0);
        let (request, subject) = (format!("{kind}.csr"), format!("CN={kind},O=Example"));
        hsm.bulla(&["cert", "csr", "--key", &uri, "--subject", &subject, "-o", &request]).expect(0);
        if program("openssl").is_none() {
            not_run("openssl not found");
        } else {
            let out = hsm.command("openssl").args(["req", "-verify", "-noout", "-in", &request]).output().unwrap();
            assert!(out.status.success(), "{kind}: {}", String::from_utf8_lossy(&out.stderr));
        }
        let (folder, chain) = (format!("ca-{kind}"), format!("ca-{kind}/{kind}-chain.pem"));
        let issued = hsm.bulla_with(&[], &["cert", "new", "-o", &folder, "--csr", &request]);
        // The notary formats have no algorithm for Ed25519.
        if kind == "ed25519" {
            issued.expect(2).tells(&["a certificate for this request would be refused"]);
            continue;
        }
        issued.expect(0);
        image(&hsm, kind, seed);
        let reference = format!("oci:{kind}:v1");
        let sign = ["sign", &reference, "--key", &uri, "--cert-chain", &chain, "--format", "notary-jws,notary-cose"];
        hsm.bulla(&sign).expect(0);
        let root = format!("{folder}/root.pem");
        let verify = ["verify", &reference, "--ca-roots", &root, "--certificate-identity", &subject];
        hsm.bulla_with(&[], &verify).expect(0);
    }
}
