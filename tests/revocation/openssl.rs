//! CRLs by `openssl ca` and responses by `openssl ocsp`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bulla::time::Time;
use bulla::x509::RevocationReason;
use bulla::x509::Status;
use tempfile::TempDir;

use super::Family;
use super::STRICT;
use super::made::Made;
use super::made::Plan;
use super::made::plan;
use super::ocsp::DELEGATE;
use super::ocsp::NOCHECK;
use super::time;

/// The database of a certificate authority.
struct Authority<'a> {
    family: &'a Family,
    folder: TempDir,
}

impl<'a> Authority<'a> {
    fn of(family: &'a Family) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n\
                      default_crl_days=20\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n";
        for (name, text) in [("config", config), ("index.txt", ""), ("number", "1000\n")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { family, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) {
        let out = Command::new("openssl").current_dir(self.folder.path()).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn ca(&self, arguments: &[&str]) {
        let middle = &self.family.middle;
        let (file, key) = (middle.file.to_str().unwrap(), middle.key.to_str().unwrap());
        self.run(&[&["ca", "-config", "config", "-cert", file, "-keyfile", key], arguments].concat());
    }

    fn revoke(&self, arguments: &[&str]) {
        self.ca(&[&["-revoke", self.family.leaf.file.to_str().unwrap()], arguments].concat());
    }

    fn list(&self) -> Vec<u8> {
        self.ca(&["-gencrl", "-out", "list.pem"]);
        self.run(&["crl", "-in", "list.pem", "-outform", "DER", "-out", "list.crl"]);
        fs::read(self.file("list.crl")).unwrap()
    }

    /// A response about the signer.
    fn response(&self, responder: &Made, request: &[&str], response: &[&str]) -> Vec<u8> {
        let path = |made: &Made| made.file.to_str().unwrap().to_owned();
        let (issuer, leaf, signer) = (path(&self.family.middle), path(&self.family.leaf), path(responder));
        let about = ["-issuer", issuer.as_str(), "-cert", leaf.as_str(), "-reqout", "request"];
        self.run(&[&["ocsp"], request, &about].concat());
        let by = ["-index", "index.txt", "-CA", issuer.as_str(), "-rsigner", signer.as_str()];
        let key = ["-rkey", responder.key.to_str().unwrap(), "-reqin", "request", "-respout", "response"];
        self.run(&[&["ocsp"], by.as_slice(), &key, response].concat());
        fs::read(self.file("response")).unwrap()
    }
}

/// The reason and the dates of the one revocation of the signer.
fn revocation(family: &Family, evidence: Vec<u8>) -> (Option<RevocationReason>, Time, Option<Time>) {
    match family.status(&[evidence], &STRICT, family.now()).status {
        Status::Revoked(all) if all.count() == 1 => (all.first().reason, all.first().at, all.first().invalidity),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_of_openssl_ca() {
    let Some(family) = Family::new() else { return };
    assert_eq!(family.verdict(&[Authority::of(&family).list()]), "good");
    for (name, code) in [
        ("keyCompromise", 1),
        ("CACompromise", 2),
        ("affiliationChanged", 3),
        ("superseded", 4),
        ("cessationOfOperation", 5),
        ("certificateHold", 6),
    ] {
        let authority = Authority::of(&family);
        authority.revoke(&["-crl_reason", name]);
        let (reason, at, invalidity) = revocation(&family, authority.list());
        assert_eq!((reason, invalidity), (Some(RevocationReason::of(code)), None), "{name}");
        assert!(at >= family.leaf.certificate.not_before() && at <= family.now());
    }
    let authority = Authority::of(&family);
    authority.revoke(&[]);
    assert_eq!(revocation(&family, authority.list()).0, None);
    let authority = Authority::of(&family);
    authority.revoke(&["-crl_compromise", "20260102030405Z"]);
    let (reason, _, invalidity) = revocation(&family, authority.list());
    assert_eq!((reason, invalidity), (Some(RevocationReason::KeyCompromise), Some(time("2026-01-02T03:04:05Z"))));
    let authority = Authority::of(&family);
    authority.revoke(&["-crl_hold", "holdInstructionReject"]);
    assert_eq!(revocation(&family, authority.list()).0, Some(RevocationReason::CertificateHold));
}

#[test]
fn responses_of_openssl_ocsp() {
    let Some(family) = Family::new() else { return };
    let day = ["-ndays", "1"];
    let responder = |extensions: &str| {
        family.shop.issue(&family.middle, Plan { serial: "99", ..plan("/CN=responder", extensions) })
    };
    let (nocheck, plain, none) = (responder(NOCHECK), responder(DELEGATE), responder("keyUsage=digitalSignature\n"));
    let authority = Authority::of(&family);
    let judge = |made: &Made, request: &[&str], response: &[&str]| {
        family.verdict(&[authority.response(made, request, response)])
    };
    assert_eq!(judge(&nocheck, &[], &day), "?ocsp-unknown");
    authority.ca(&["-valid", family.leaf.file.to_str().unwrap()]);
    for request in [&["-sha1"][..], &["-sha256"], &["-sha384"], &["-sha512"], &["-no_nonce"]] {
        for made in [&nocheck, &family.middle] {
            assert_eq!(judge(made, request, &day), "good", "{request:?}");
            assert_eq!(judge(made, request, &["-ndays", "1", "-resp_key_id", "-rmd", "sha384"]), "good");
        }
    }
    assert_eq!(judge(&nocheck, &[], &[]), "?status-next-update-missing");
    assert_eq!(judge(&nocheck, &[], &["-ndays", "1", "-resp_no_certs"]), "?ocsp-responder");
    assert_eq!(judge(&plain, &[], &day), "?ocsp-responder-status");
    assert_eq!(judge(&none, &[], &day), "?ocsp-responder");
    assert_eq!(judge(&family.root, &[], &day), "?ocsp-responder");
    // The list proves the delegate good, and the signer as well.
    assert_eq!(family.verdict(&[authority.response(&plain, &[], &day), authority.list()]), "good");
    authority.revoke(&["-crl_reason", "superseded"]);
    for request in [&["-sha1"][..], &["-sha256"]] {
        for made in [&nocheck, &plain, &family.middle] {
            let response = authority.response(made, request, &day);
            assert_eq!(revocation(&family, response).0, Some(RevocationReason::Superseded));
        }
    }
    assert_eq!(judge(&none, &[], &day), "?ocsp-responder");
}
