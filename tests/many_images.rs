//! One command over many images of one layout or archive: its index is read once and written once, each image more costs
//! the same number of files that are opened, and all of them fit into little memory. What needs `strace` says `not run: …`
//! without it.
#![cfg(all(feature = "cli", target_os = "linux"))]
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

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::image;
use support::missing::not_run;

/// How many images the test of memory has. More make it slower and not sharper.
const MANY: u64 = 2_000;

/// The commands over [`MANY`] images, and the heap and stacks that each may use, in MB. They need 20, 15, 30 and 33; with
/// every entry of the index as a parsed descriptor they needed 32, 22, 50 and 54.
const MEMORY: [(&str, u64); 4] = [
    ("sign @archive --key k.key", 26),
    ("verify @archive --key k.pub", 18),
    ("copy @archive oci-archive:copied.tar", 39),
    ("import @archive oci-archive:imported.tar --key k.pub", 43),
];

/// The file accesses of a command to one layout or archive.
#[derive(Debug, PartialEq, Eq)]
struct Calls {
    /// The number of times that any of its files was opened.
    opened: usize,
    /// The number of times that its index, or the archive itself, was opened.
    read: usize,
    /// The number of times that its index, or the archive itself, was replaced.
    replaced: usize,
}

/// Runs `bulla` on the `count` images of the layout `l`, and counts what it does with the files of `place`.
fn calls(dir: &Path, arguments: &str, place: &str) -> Calls {
    let trace = dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-qq",
        "-s",
        "512",
        "-e",
        "trace=open,openat,rename,renameat,renameat2",
        "-e",
        "signal=none",
        "-o",
    ]);
    strace.arg(&trace).arg(env!("CARGO_BIN_EXE_bulla")).args(arguments.split(' ')).current_dir(dir);
    let output = strace.output().unwrap();
    assert!(output.status.success(), "bulla {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    let (trace, index) = (fs::read_to_string(trace).unwrap(), place.ends_with(".tar"));
    let index = if index { format!("{place}\"") } else { format!("{place}/index.json\"") };
    let of_place = |line: &&str| line.contains(&format!("\"{place}")) || line.contains(&format!("/{place}"));
    let lines: Vec<_> = trace.lines().filter(|line| !line.contains("ENOENT")).filter(of_place).collect();
    let opened = |line: &&&str| line.contains(" open(") || line.contains(" openat(");
    let renamed = |line: &&&str| line.contains(" rename") && line.contains(&index);
    Calls {
        opened: lines.iter().filter(opened).count(),
        read: lines.iter().filter(opened).filter(|line| line.contains(&index)).count(),
        replaced: lines.iter().filter(renamed).count(),
    }
}

/// For each command what it did, with a layout of `count` images in a new folder.
fn commands(count: u64) -> Vec<(&'static str, Calls)> {
    let dir = support::temp_dir();
    let images: Vec<_> =
        (1..=count).map(|seed| (format!("registry.example/app-{seed}:v1"), image::image(seed))).collect();
    let named: Vec<_> = images.iter().map(|(name, image)| (Some(name.as_str()), image)).collect();
    image::layout(&dir.path().join("l"), &named);
    let list = |place: &str| images.iter().map(|(name, _)| format!("{place}:{name}\n")).collect::<String>();
    fs::write(dir.path().join("layout"), list("oci:l")).unwrap();
    fs::write(dir.path().join("archive"), list("oci-archive:c.tar")).unwrap();
    let mut key = Command::new(env!("CARGO_BIN_EXE_bulla"));
    key.args(["key", "new", "--no-passphrase", "-o", "k"]).current_dir(dir.path());
    assert!(key.output().unwrap().status.success());
    let commands = [
        ("sign @layout --key k.key", "l"),
        ("verify @layout --key k.pub", "l"),
        ("copy @layout oci:copied", "copied"),
        ("copy @layout oci-archive:c.tar", "c.tar"),
        ("verify @archive --key k.pub", "c.tar"),
        ("sign @archive --key k.key", "c.tar"),
        ("import @layout oci:imported --key k.pub", "imported"),
        ("import @archive oci-archive:i.tar --key k.pub", "i.tar"),
    ];
    commands.map(|(command, place)| (command, calls(dir.path(), command, place))).into()
}

#[test]
fn each_image_more_costs_the_same_and_the_index_is_read_and_written_once() {
    let mut strace = Command::new("strace");
    if !strace.args(["-qq", "-e", "trace=none", "true"]).status().is_ok_and(|status| status.success()) {
        return not_run("`strace` is not there or not allowed");
    }
    let [few, more, most] = [4, 8, 12].map(commands);
    for ((few, more), (command, most)) in few.into_iter().zip(more).zip(most) {
        let (few, more) = (few.1, more.1);
        assert_eq!(most.opened + few.opened, 2 * more.opened, "{command}: {few:?} {more:?} {most:?}");
        assert_eq!((few.read, few.replaced), (most.read, most.replaced), "{command}");
        let (reads, writes) = match command.split_once(' ').unwrap() {
            ("verify", _) => (1, 0),
            // A writer reads the index again once it has the lock. What it has written is not opened again.
            ("sign", _) => (2, 1),
            _ => (0, 1),
        };
        assert_eq!((most.read, most.replaced), (reads, writes), "{command}: {most:?}");
    }
}

#[test]
fn many_images_fit_into_little_memory() {
    let dir = support::temp_dir();
    let images: Vec<_> =
        (1..=MANY).map(|seed| (format!("registry.example/app-{seed}:v1"), image::image(seed))).collect();
    let named: Vec<_> = images.iter().map(|(name, image)| (Some(name.as_str()), image)).collect();
    image::layout(&dir.path().join("l"), &named);
    let list = |place: &str| images.iter().map(|(name, _)| format!("{place}:{name}\n")).collect::<String>();
    fs::write(dir.path().join("layout"), list("oci:l")).unwrap();
    fs::write(dir.path().join("archive"), list("oci-archive:a.tar")).unwrap();
    within(dir.path(), 200, "key new --no-passphrase -o k");
    // Into an archive, which is one file to sync and not five for each image.
    within(dir.path(), 200, "copy @layout oci-archive:a.tar");
    MEMORY.iter().for_each(|(command, megabytes)| within(dir.path(), *megabytes, command));
}

/// Runs `bulla`, which has to succeed with so many MB for its heap and stacks.
fn within(dir: &Path, megabytes: u64, arguments: &str) {
    let kib = (megabytes * 1_000_000 / 1024).to_string();
    let mut program = Command::new("sh");
    program.args(["-c", "ulimit -d \"$0\" && exec \"$@\"", &kib, env!("CARGO_BIN_EXE_bulla")]);
    // The memory of several arenas depends on scheduling.
    program.args(arguments.split(' ')).env_clear().env("MALLOC_ARENA_MAX", "1").env("TOKIO_WORKER_THREADS", "2");
    let output = program.env("HOME", dir).current_dir(dir).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let end = said.get(said.len().saturating_sub(500)..).unwrap_or(&said);
    assert!(output.status.success(), "{megabytes} MB: bulla {arguments}: {:?} {end}", output.status);
}
