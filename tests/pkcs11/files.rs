//! Files are signed by keys on tokens: by a hash where the token signs hashes, so that no file is too large.

use std::fs::File;

use crate::support::softhsm::SoftHsm;

/// The keys, and whether the token signs hashes with them.
const KEYS: [(&str, bool); 4] = [("p256", true), ("p384", true), ("ed25519", false), ("rsa2048", true)];

/// More bytes than a file that is kept in memory may have.
const LARGE: u64 = (128 << 20) + 1;

/// A key on a token cannot be taken back, so the file of its public half comes first.
#[test]
fn no_key_is_made_whose_public_half_cannot_be_written() {
    let Some(hsm) = SoftHsm::find() else { return };
    std::fs::create_dir(hsm.path("x.pub")).unwrap();
    for out in ["x", "no/such/folder/x"] {
        hsm.bulla(&["key", "new", "--pkcs11", "pkcs11:token=release;object=x", "-o", out, "--overwrite"]).expect(2);
        hsm.bulla(&["key", "show", "pkcs11:token=release;object=x"]).expect(2);
    }
}

#[test]
fn keys_on_tokens_sign_files() {
    let Some(hsm) = SoftHsm::find() else { return };
    std::fs::write(hsm.path("app.txt"), "release 1.0\n").unwrap();
    File::create(hsm.path("large")).unwrap().set_len(LARGE).unwrap();
    for (kind, by_hash) in KEYS {
        let (uri, public) = (format!("pkcs11:token=release;object={kind}"), format!("{kind}.pub"));
        let run = |args: &[&str], code: i32| {
            let output = hsm.bulla(args);
            assert_eq!(output.code, Some(code), "{kind}: {args:?}: {}{}", output.stdout, output.stderr);
            output
        };
        run(&["key", "new", "--pkcs11", &uri, "--type", kind, "-o", kind], 0);
        let (bundle, bare) = (format!("{kind}.json"), format!("{kind}.sig"));
        run(&["sign-blob", "app.txt", "--key", &uri, "--bundle", &bundle, "--output-signature", &bare], 0);
        run(&["verify-blob", "app.txt", "--key", &public, "--bundle", &bundle, "--signature", &bare], 0);
        // An Ed25519 signature is over the file itself, which is not kept.
        let other = if by_hash { 1 } else { 2 };
        run(&["verify-blob", "large", "--key", &public, "--bundle", &bundle, "--signature", &bare], other);
        let (bundle, code) = (format!("{kind}-large.json"), if by_hash { 0 } else { 2 });
        let output = run(&["sign-blob", "large", "--key", &uri, "--bundle", &bundle], code);
        match by_hash {
            true => drop(run(&["verify-blob", "large", "--key", &public, "--bundle", &bundle], 0)),
            false => assert!(output.stderr.contains("the file is larger than the limit"), "{}", output.stderr),
        }
    }
}
