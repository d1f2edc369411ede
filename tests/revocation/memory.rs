//! A CRL as large as the limit allows: its entries are not expanded in memory.
#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bulla::limits::Limits;
use bulla::x509::CertificateRevocationList;
use bulla::x509::StatusEvidence;

use super::Family;
use super::STRICT;
use super::author::List;
use super::author::entry;
use super::certificate;
use super::later;
use super::verdict;
use super::verified;

const FOLDER: &str = "BULLA_TEST_CRL_FOLDER";

/// Names are those of the family's certificates, from the signer's on.
const FILES: [&str; 3] = ["leaf.der", "middle.der", "root.der"];

/// The entries of the list: as many as fit into 16 MiB.
const ENTRIES: u64 = 500_000;

#[test]
fn a_list_of_16_mib_needs_little_more_than_its_bytes() {
    let Some(family) = Family::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (made, name) in [&family.leaf, &family.middle, &family.root].into_iter().zip(FILES) {
        fs::write(folder.path().join(name), made.certificate.der()).unwrap();
    }
    let mut list = List::of(&family.middle, family.now());
    let first = 1 << 40;
    list.entries =
        (0..ENTRIES).map(|number| entry(first + number, family.now(), (number % 3 == 0).then_some(4))).collect();
    // The signer's is the last one.
    list.entries.push(entry(4_712, family.now(), Some(4)));
    let der = list.signed_by(&family.middle);
    assert!((12 << 20..16 << 20).contains(&der.len()), "{}", der.len());
    fs::write(folder.path().join("list.crl"), der).unwrap();
    // In a process of its own, so that no other test counts.
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "memory::measured", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && text.contains("measured: "), "{text}");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn measured() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let chain = FILES.map(|name| certificate(&fs::read(folder.join(name)).unwrap()));
    let now = later(chain[0].not_before(), 3_600);
    let verified = verified(&chain, &chain[2], now);
    let der = fs::read(folder.join("list.crl")).unwrap();
    let before = peak();
    let crl = CertificateRevocationList::parse(der, &Limits::DEFAULT).unwrap();
    assert_eq!(crl.entry_count(), ENTRIES + 1);
    let mut pool = StatusEvidence::new();
    pool.add_crl(crl, &Limits::DEFAULT).unwrap();
    assert_eq!(verdict(&pool.statuses(&verified, &STRICT, now, &Limits::DEFAULT)[0]), "revoked");
    let more = peak() - before;
    // In KiB. Eight bytes for each entry would already be 3,900.
    assert!(more < 2_048, "{more} KiB");
    println!("measured: {more} KiB");
}

/// The most memory that this process has used, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
