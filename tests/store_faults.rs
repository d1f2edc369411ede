//! Faults while a local store is written: killed, out of space, watched. Nothing unfinished is ever visible.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Document;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::store::Archive;
use bulla::store::Layout;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

/// The two stores that have files, in the directory `place`.
const KINDS: [&str; 2] = ["layout", "image.tar"];

fn create(place: &Path, kind: &str) -> Result<Box<dyn Sink>, StoreError> {
    match kind {
        "layout" => Ok(Box::new(Layout::create(place.join(kind), Limits::DEFAULT)?)),
        _ => Ok(Box::new(Archive::create(place.join(kind), Limits::DEFAULT)?)),
    }
}

fn open(place: &Path, kind: &str) -> Result<Box<dyn Source>, StoreError> {
    match kind {
        "layout" => Ok(Box::new(Layout::open(place.join(kind), Limits::DEFAULT)?)),
        _ => Ok(Box::new(Archive::open(place.join(kind), Limits::DEFAULT)?)),
    }
}

fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// An image of 300 KiB in three layers; `number` makes it another.
fn parts(number: usize) -> (Vec<Content>, Content) {
    let config = Content::from_bytes(
        media_type::OCI_CONFIG,
        format!(r#"{{"architecture":"amd64","os":"o{number}"}}"#).into_bytes(),
    );
    let byte = |layer: usize| u8::try_from(number * 3 + layer).unwrap();
    let layer = |layer| Content::from_bytes("application/vnd.oci.image.layer.v1.tar", vec![byte(layer); 100 << 10]);
    let layers = [layer(0), layer(1), layer(2)];
    let descriptors: Vec<_> = layers.iter().map(Content::descriptor).collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": descriptors,
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&manifest).unwrap());
    (layers.into_iter().chain([config]).collect(), manifest)
}

/// Pushes image `number` and stops before the step `stop`.
fn push(sink: &dyn Sink, number: usize, stop: usize) -> Result<(), StoreError> {
    let (blobs, manifest) = parts(number);
    for (step, blob) in blobs.iter().enumerate() {
        if step == stop {
            return Ok(());
        }
        now(sink.push_content(blob))?;
    }
    if stop > blobs.len() {
        now(sink.push_manifest(&manifest, Some(&format!("v{number}"))))?;
    }
    if stop > blobs.len() + 1 {
        now(sink.finish())?;
    }
    Ok(())
}

const ALL: usize = usize::MAX;

/// Everything that a name of the store stands for, down to the last blob.
fn whole(source: &dyn Source) -> Vec<String> {
    let names = now(source.names()).unwrap();
    for name in &names {
        let content = now(source.resolve(&TagOrDigest::Tag(name.clone()))).unwrap();
        let Document::Manifest(manifest) = Document::parse(&content, &Limits::DEFAULT).unwrap() else { panic!() };
        for part in manifest.layers.iter().chain([&manifest.config]) {
            now(source.blob(part, 1 << 20)).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    names
}

// ---------------------------------------------------------------------------------------------- in a process that dies

/// The child process that the tests below start.
#[test]
fn child() {
    let Ok(job) = std::env::var("BULLA_TEST_CHILD") else { return };
    let [place, kind, number, stop, end] = job.split('|').collect::<Vec<_>>().try_into().unwrap();
    let pushed = create(Path::new(place), kind).and_then(|sink| {
        let pushed = push(sink.as_ref(), number.parse().unwrap(), stop.parse().unwrap());
        if end == "killed" {
            let _killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            std::thread::park();
        }
        pushed
    });
    match pushed {
        Ok(()) => println!("pushed"),
        Err(error) => println!("failed: {} {error}", error.code()),
    }
}

fn run_child(shell: &str, place: &Path, kind: &str, number: usize, stop: usize, end: &str) -> String {
    let job = format!("{}|{kind}|{number}|{stop}|{end}", place.display());
    let program = std::env::current_exe().unwrap();
    let script = format!("{shell} exec \"$0\" --exact child --nocapture --test-threads=1");
    let output = Command::new("sh").args(["-c", &script]).arg(program).env("BULLA_TEST_CHILD", job).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

// Killed after each step: nothing new is visible, the same command again finishes, and no temporary file is left
// (threats: killed-midway).
#[test]
fn killed_after_each_step_nothing_new_is_visible() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        push(create(place.path(), kind).unwrap().as_ref(), 0, ALL).unwrap();
        for stop in 0..=5 {
            run_child("", place.path(), kind, 1, stop, "killed");
            assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()), ["v0"], "{kind}, step {stop}");
        }
        let clean = tempfile::tempdir().unwrap();
        for number in [0, 1] {
            push(create(clean.path(), kind).unwrap().as_ref(), number, ALL).unwrap();
            push(create(place.path(), kind).unwrap().as_ref(), number, ALL).unwrap();
        }
        assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()), ["v0", "v1"]);
        let bytes = |place: &Path| files(place).into_values().collect::<Vec<_>>();
        assert_eq!(bytes(place.path()), bytes(clean.path()), "{kind}");
        // Killed after the last step, everything is there.
        run_child("", place.path(), kind, 2, ALL, "killed");
        assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()), ["v0", "v1", "v2"]);
    }
}

#[test]
fn killed_in_a_new_target_nothing_is_visible() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        for stop in 0..=5 {
            run_child("", place.path(), kind, 1, stop, "killed");
            assert!(open(place.path(), kind).is_err(), "{kind}, step {stop}");
        }
        push(create(place.path(), kind).unwrap().as_ref(), 1, ALL).unwrap();
        assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()), ["v1"]);
        assert!(files(place.path()).keys().all(|path| !path.to_string_lossy().contains("tmp-")), "{kind}");
    }
}

// The disk is full at the n-th block, for each n that matters. A limit on file size stands for it
// (threats: disk-full).
#[test]
fn a_full_disk_changes_nothing() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        push(create(place.path(), kind).unwrap().as_ref(), 0, ALL).unwrap();
        let before = files(place.path());
        // In units of 512 bytes. The archive of both images has about 1,210 of them, the largest blob 200.
        let quotas: &[u32] = if kind == "layout" { &[0, 1, 100, 199] } else { &[0, 1, 300, 620, 900, 1_200] };
        for quota in quotas {
            let shell = format!("trap '' XFSZ; ulimit -f {quota};");
            let output = run_child(&shell, place.path(), kind, 1, ALL, "");
            assert!(output.contains("failed: io"), "{kind}, {quota}: {output}");
            assert_eq!(files(place.path()), before, "{kind}, {quota}: something changed");
        }
        let output = run_child("ulimit -f 2000;", place.path(), kind, 1, ALL, "");
        assert!(output.contains("pushed"), "{output}");
        assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()), ["v0", "v1"]);
    }
}

// No more files can be opened (threats: out-of-file-descriptors).
#[test]
fn running_out_of_file_descriptors_changes_nothing() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        push(create(place.path(), kind).unwrap().as_ref(), 0, ALL).unwrap();
        let before = files(place.path());
        let mut failed = 0;
        for limit in 3..10 {
            let output = run_child(&format!("ulimit -n {limit};"), place.path(), kind, 1, ALL, "");
            if output.contains("pushed") {
                break;
            }
            failed += 1;
            assert_eq!(files(place.path()), before, "{kind}, {limit}: {output}");
        }
        assert!((1..7).contains(&failed), "{kind}: {failed}");
    }
}

// At every moment a reader sees the state before or the whole state after (threats: power-loss).
#[test]
fn a_name_never_points_to_a_missing_image() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        push(create(place.path(), kind).unwrap().as_ref(), 0, ALL).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let observer = scope.spawn(|| {
                let mut seen = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    seen.push(whole(open(place.path(), kind).unwrap().as_ref()).len());
                }
                seen
            });
            for number in 1..12 {
                push(create(place.path(), kind).unwrap().as_ref(), number, ALL).unwrap();
            }
            done.store(true, Ordering::Relaxed);
            let seen = observer.join().unwrap();
            assert!(seen.is_sorted() && !seen.is_empty(), "{kind}: {seen:?}");
        });
        assert_eq!(whole(open(place.path(), kind).unwrap().as_ref()).len(), 12);
    }
}

// Several processes write to one target: each waits its turn, and everything is there in the end
// (threats: concurrent-writers).
#[test]
fn concurrent_writers_lose_nothing() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..6 {
                let place = place.path();
                scope.spawn(move || {
                    let output = run_child("", place, kind, number, ALL, "");
                    assert!(output.contains("pushed"), "{kind}, {number}: {output}");
                });
            }
        });
        let mut names = whole(open(place.path(), kind).unwrap().as_ref());
        names.sort();
        assert_eq!(names, ["v0", "v1", "v2", "v3", "v4", "v5"], "{kind}");
    }
}
