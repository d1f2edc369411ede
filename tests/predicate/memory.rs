//! What reading a large document costs: the peak memory of a process of its own.

use std::env;
use std::fs;
use std::process::Command;

use bulla::limits::Limits;
use bulla::predicate::Sbom;
use bulla::predicate::SbomFormat;
use bulla::predicate::VexDocument;

/// The size of the document, in bytes.
const SIZE: usize = 30 << 20;

/// An SBOM of 30 MB, in the form that syft writes.
fn sbom() -> (Vec<u8>, u64) {
    let mut text = String::with_capacity(SIZE + 1_000);
    text.push_str(r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-20T00:00:00Z"},"components":["#);
    let mut count = 0;
    while text.len() < SIZE {
        let comma = if count == 0 { "" } else { "," };
        text.push_str(&format!(
            r#"{comma}{{"bom-ref":"{count}","type":"library","name":"lib{count}","version":"1","purl":"pkg:deb/debian/lib{count}@1?arch=amd64","properties":[{{"name":"syft:package:foundBy","value":"dpkg-db-cataloger"}},{{"name":"syft:location:0:path","value":"/var/lib/dpkg/status"}}]}}"#
        ));
        count += 1;
    }
    text.push_str("]}");
    (text.into_bytes(), count)
}

/// The highest resident memory of this process so far, in MB. proc_pid_status(5).
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_000
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn reads_a_large_sbom() {
    let (document, count) = sbom();
    let before = peak();
    let read = Sbom::read(&document, SbomFormat::CycloneDx, &Limits::DEFAULT).unwrap();
    assert_eq!(read.components, count);
    // Without analyses of vulnerabilities nothing is kept.
    assert!(VexDocument::read(&document, &Limits::DEFAULT).unwrap().statements.is_empty());
    println!("peak {before} {}", peak());
}

/// Reading adds next to nothing to the document itself.
#[test]
fn a_large_sbom_is_not_kept_in_another_form() {
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", "memory::reads_a_large_sbom", "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|line| line.split("peak ").nth(1)).unwrap();
    let (before, after) = line.split_once(' ').unwrap();
    let (before, after): (u64, u64) = (before.parse().unwrap(), after.parse().unwrap());
    assert!(before >= 30 && after < 100 && after - before < 20, "{before} MB, then {after} MB");
}
