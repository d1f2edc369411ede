//! The verdicts of the others, and ours.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::Status;
use bulla::x509::StatusEvidence;
use bulla::x509::VerifiedChain;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::UnixTime;
use serde_json::json;
use webpki::BorrowedCertRevocationList;
use webpki::CertRevocationList;
use webpki::EndEntityCert;
use webpki::KeyUsage;
use webpki::RevocationOptionsBuilder;

use super::cases::Case;
use super::missing::not_run;

/// Ours: `accepted`, or the code of the rule, with `?` before it if the answer is could-not-tell.
pub fn ours(case: &Case, profile: &Profile) -> String {
    let (mut between, mut unsure) = (Vec::new(), false);
    let mut read = |der: &Vec<u8>| {
        let certificate = Certificate::parse(der, &Limits::DEFAULT);
        unsure |= certificate.as_ref().is_err_and(|error| error.is_undetermined());
        certificate.ok()
    };
    let (leaf, anchor) = (read(&case.leaf), read(&case.anchor));
    for der in &case.between {
        between.extend(read(der));
    }
    let (Some(leaf), Some(anchor), false) = (leaf, anchor, unsure) else {
        return if unsure { "?unreadable".to_owned() } else { "unreadable".to_owned() };
    };
    let certificates = NonEmpty::collect([leaf].into_iter().chain(between)).unwrap();
    let presented = PresentedChain { certificates: &certificates, extra: &[] };
    let anchors = [Anchor { certificate: anchor, purpose: case.purpose }];
    let chain = match VerifiedChain::verify(presented, &anchors, case.purpose, profile, case.at, &Limits::DEFAULT) {
        Ok(chain) => chain,
        Err(error) => return format!("{}{}", if error.is_undetermined() { "?" } else { "" }, error.rule()),
    };
    let mut evidence = StatusEvidence::new();
    for crl in &case.crls {
        let crl = CertificateRevocationList::parse(crl.clone(), &Limits::DEFAULT).unwrap();
        evidence.add_crl(crl, &Limits::DEFAULT).unwrap();
    }
    let freshness = FreshnessRule {
        expired_certificates: ExpiredCertificates::MayBeDropped,
        grace_after_next_update: Duration::ZERO,
        maximum_age: None,
    };
    let statuses = evidence.statuses(&chain, &freshness, case.at, &Limits::DEFAULT);
    let revoked = statuses.iter().any(|status| matches!(status.status, Status::Revoked(_)));
    let good = case.crls.is_empty() || statuses.iter().all(|status| status.require_good().is_ok());
    let verdict = match (revoked, good) {
        (true, _) => "revoked",
        (false, true) => "accepted",
        (false, false) => "?status-unknown",
    };
    verdict.to_owned()
}

/// rustls-webpki, with all its algorithms, to the anchor.
pub fn webpki_accepts(case: &Case) -> bool {
    let (leaf, anchor) = (CertificateDer::from(&case.leaf[..]), CertificateDer::from(&case.anchor[..]));
    let between: Vec<_> = case.between.iter().map(|der| CertificateDer::from(&der[..])).collect();
    let (Ok(leaf), Ok(anchor)) = (EndEntityCert::try_from(&leaf), webpki::anchor_from_trusted_cert(&anchor)) else {
        return false;
    };
    let read = |der: &Vec<u8>| {
        CertRevocationList::from(BorrowedCertRevocationList::from_der(der).unwrap().to_owned().unwrap())
    };
    let crls: Vec<CertRevocationList<'static>> = case.crls.iter().map(read).collect();
    let crls: Vec<_> = crls.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&crls).ok().map(RevocationOptionsBuilder::build);
    let usage = match case.purpose {
        Purpose::TimeStamping => KeyUsage::required(&[0x2b, 6, 1, 5, 5, 7, 3, 8]),
        _ => KeyUsage::required_if_present(&[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(case.at.unix().try_into().unwrap()));
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &[anchor], &between, time, usage, revocation, None).is_ok()
}

/// `openssl verify -x509_strict`, to the anchor.
pub fn openssl_accepts(case: &Case, folder: &Path) -> bool {
    let write = |name: String, kind: &str, der: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", wrapped(der))).unwrap();
        path
    };
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-partial_chain"]);
    command.args(["-attime", &case.at.unix().to_string()]);
    if case.purpose == Purpose::TimeStamping {
        command.args(["-purpose", "timestampsign"]);
    }
    command.arg("-CAfile").arg(write("anchor".to_owned(), "CERTIFICATE", &case.anchor));
    for (number, der) in case.between.iter().enumerate() {
        command.arg("-untrusted").arg(write(format!("{number}.pem"), "CERTIFICATE", der));
    }
    if !case.crls.is_empty() {
        command.arg("-crl_check_all");
    }
    for (number, der) in case.crls.iter().enumerate() {
        command.arg("-CRLfile").arg(write(format!("{number}.crl"), "X509 CRL", der));
    }
    command.arg(write("leaf".to_owned(), "CERTIFICATE", &case.leaf)).output().unwrap().status.success()
}

/// Lines as PEM has them.
fn wrapped(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    lines.join("\n")
}

/// The Python package; `None` if it is not there, which is then said.
pub fn cryptography_accepts(cases: &[Case]) -> Option<Vec<bool>> {
    let python = env::var_os("BULLA_PYTHON").unwrap_or_else(|| "python3".into());
    let there = "from cryptography.x509.verification import ExtensionPolicy";
    if !Command::new(&python).args(["-c", there]).output().is_ok_and(|output| output.status.success()) {
        not_run("Python has no package `cryptography` 45 or later: its verdicts on chains are not compared");
        return None;
    }
    let chain = |case: &Case| {
        let between: Vec<_> = case.between.iter().map(|der| STANDARD.encode(der)).collect();
        let purpose = if case.purpose == Purpose::TimeStamping { "timestamps" } else { "signing" };
        json!({
            "anchor": STANDARD.encode(&case.anchor), "at": case.at.unix(), "between": between,
            "leaf": STANDARD.encode(&case.leaf), "purpose": purpose,
        })
    };
    let chains: Vec<_> = cases.iter().map(chain).collect();
    let mut command = Command::new(&python);
    command.args(["-c", include_str!("cryptography.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&chains).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let verdicts: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), cases.len());
    Some(verdicts.iter().map(|verdict| verdict == "accepted").collect())
}
