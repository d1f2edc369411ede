//! The examples are run, each once on a good and once on a bad input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::media_type;
use bulla::store::Layout;
use bulla::store::Sink as _;

/// Cargo puts the examples beside the program.
fn example(name: &str, args: &[&str]) -> (i32, String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_bulla")).parent().unwrap().join("examples").join(name);
    // `cargo test` builds the examples, `cargo test --test examples` alone does not.
    let out = Command::new(program).args(args).output().expect("cargo build --examples was run before");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// A layout with two images, `v1` and `v2`.
fn layout(path: &Path) -> String {
    let store = Layout::create(path, Limits::DEFAULT).unwrap();
    for tag in ["v1", "v2"] {
        let config = Content::from_bytes(media_type::OCI_CONFIG, format!(r#"{{"author":"{tag}"}}"#).into_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": {
                "mediaType": media_type::OCI_CONFIG,
                "digest": config.digest(),
                "size": config.descriptor().size,
            },
            "layers": [],
        });
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        ready(store.push_content(&config)).unwrap();
        ready(store.push_manifest(&manifest, Some(tag))).unwrap();
    }
    ready(store.finish()).unwrap();
    format!("oci:{}", path.display())
}

fn signed(folder: &Path) -> (String, PathBuf) {
    let from = layout(&folder.join("from"));
    let (code, key, printed) = example("sign", &[&format!("{from}:v1")]);
    assert_eq!(code, 0, "{printed}");
    let public = folder.join("key.pub");
    fs::write(&public, key).unwrap();
    (from, public)
}

#[test]
fn a_signed_image_verifies_and_an_unsigned_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (from, key) = signed(folder.path());
    let key = key.to_str().unwrap();
    let (code, out, _) = example("verify", &[key, &format!("{from}:v1")]);
    assert!(code == 0 && out.starts_with("verified sha256:"), "{out}");
    let (code, out, printed) = example("verify", &[key, &format!("{from}:v2")]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(printed.contains("0 of 1 owners signed an image signature"), "{printed}");
}

#[test]
fn only_what_verifies_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let (from, key) = signed(folder.path());
    let key = key.to_str().unwrap();
    let refused = folder.path().join("refused");
    let (code, _, printed) = example("import", &[key, &format!("{from}:v2"), &format!("oci:{}:v2", refused.display())]);
    assert!(code != 0 && printed.contains("refused"), "{printed}");
    assert!(!refused.exists());
    let to = format!("oci:{}:v1", folder.path().join("to").display());
    let (code, out, printed) = example("import", &[key, &format!("{from}:v1"), &to]);
    assert!(code == 0 && out.starts_with("imported "), "{printed}");
    let (code, _, printed) = example("verify", &[key, &to]);
    assert_eq!(code, 0, "{printed}");
}

#[test]
fn a_service_keeps_a_yes_and_asks_again_after_a_no() {
    let folder = tempfile::tempdir().unwrap();
    let (from, key) = signed(folder.path());
    let (one, two) = (format!("{from}:v1"), format!("{from}:v2"));
    let (code, out, printed) = example("verdict_in_a_service", &[key.to_str().unwrap(), &one, &two, &one]);
    assert_eq!(code, 0, "{printed}");
    let words: Vec<_> = out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["admit", "deny", "admit", "kept"], "{out}");
    assert!(out.ends_with("kept 1\n"), "{out}");
}
