//! Hostile archives, layouts and media: each is refused for its reason, or changes nothing. Why: `docs/threats.md`.
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

#[path = "support/missing.rs"]
mod missing;

use std::fs;
use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::ContentError;
use bulla::oci::Descriptor;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::store::Archive;
use bulla::store::BrokenReason;
use bulla::store::DockerArchive;
use bulla::store::Images;
use bulla::store::Layout;
use bulla::store::OpenError;
use bulla::store::PathFault;
use bulla::store::ReadOnlyFault;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store waited"),
    }
}

// ---------------------------------------------------------------------------------------------- building archives

/// A header with a right checksum; what is not given is as tar writes it.
#[derive(Clone)]
struct Header<'a> {
    name: &'a [u8],
    mode: &'a [u8],
    size: Vec<u8>,
    kind: u8,
    link: &'a [u8],
    magic: &'a [u8],
    prefix: &'a [u8],
    tail: &'a [u8],
}

fn header<'a>(name: &'a str, kind: u8, size: u64) -> Header<'a> {
    let size = format!("{size:011o}\0").into_bytes();
    Header {
        name: name.as_bytes(),
        mode: b"0000644\0",
        size,
        kind,
        link: b"",
        magic: b"ustar\x0000",
        prefix: b"",
        tail: b"",
    }
}

impl Header<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut block = vec![0; 512];
        let fields: [(usize, &[u8]); 11] = [
            (0, self.name),
            (100, self.mode),
            (108, b"0001750\0"),
            (116, b"0001750\0"),
            (124, &self.size),
            (136, b"14675512345\0"),
            (148, b"        "),
            (157, self.link),
            (257, self.magic),
            (345, self.prefix),
            (508, self.tail),
        ];
        for (start, bytes) in fields {
            block[start..start + bytes.len()].copy_from_slice(bytes);
        }
        block[156] = self.kind;
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn with(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

fn file(name: &str, body: &[u8]) -> Vec<u8> {
    header(name, b'0', body.len() as u64).with(body)
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length).unwrap();
        body.extend_from_slice(format!("{length}{rest}").as_bytes());
    }
    header("PaxHeaders/x", kind, body.len() as u64).with(&body)
}

fn blob_name(content: &Content) -> String {
    format!("blobs/sha256/{}", content.digest().hex())
}

struct Parts {
    config: Content,
    layer: Content,
    manifest: Content,
    index: Vec<u8>,
}

fn parts() -> Parts {
    let config = Content::from_bytes(media_type::OCI_CONFIG, br#"{"architecture":"amd64","os":"linux"}"#.to_vec());
    let layer = Content::from_bytes("application/vnd.oci.image.layer.v1.tar", vec![b'x'; 700]);
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": config.descriptor(), "layers": [layer.descriptor()],
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&manifest).unwrap());
    let index = index(&[(&manifest, "v1")]);
    Parts { config, layer, manifest, index }
}

fn index(entries: &[(&Content, &str)]) -> Vec<u8> {
    let entry = |(content, name): &(&Content, &str)| {
        let mut entry = content.descriptor().clone();
        entry.annotations.insert("org.opencontainers.image.ref.name".into(), (*name).into());
        entry
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    serde_json::to_vec(&serde_json::json!({ "schemaVersion": 2, "manifests": entries })).unwrap()
}

const MARK: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const END: [u8; 1024] = [0; 1024];

impl Parts {
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let blob = |content: &Content| (blob_name(content), content.bytes().to_vec());
        vec![
            ("oci-layout".to_owned(), MARK.to_vec()),
            blob(&self.config),
            blob(&self.layer),
            blob(&self.manifest),
            ("index.json".to_owned(), self.index.clone()),
        ]
    }

    fn members(&self) -> Vec<u8> {
        self.files().iter().flat_map(|(name, body)| file(name, body)).collect()
    }

    fn directory(&self, path: &Path) {
        for (name, body) in self.files() {
            fs::create_dir_all(path.join(&name).parent().unwrap()).unwrap();
            fs::write(path.join(name), body).unwrap();
        }
    }
}

struct TestDirectory(tempfile::TempDir);

impl TestDirectory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("image.tar")
    }

    fn tar(&self, parts: &[&[u8]]) -> Result<Archive, StoreError> {
        fs::write(self.path(), parts.concat()).unwrap();
        Archive::open(self.path(), Limits::DEFAULT)
    }
}

/// Puts `extra` before, between and after the members of a good archive; each time it has to be refused, with `why`.
fn refused_anywhere(threat: &str, extra: &[u8], why: &str) {
    let place = TestDirectory::new();
    let files: Vec<_> = parts().files().iter().map(|(name, body)| file(name, body)).collect();
    for position in 0..=files.len() {
        let mut members: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        members.insert(position, extra);
        members.push(&END);
        let error = place.tar(&members).err().unwrap_or_else(|| panic!("{threat}: accepted at {position}"));
        let text = error.to_string();
        assert!(matches!(error, StoreError::Broken { .. }) && text.contains(why), "{threat}, at {position}: {text}");
        assert!(!text.chars().any(char::is_control), "{threat}: {text:?}");
    }
}

fn found(archive: &dyn Source) {
    let parts = parts();
    assert_eq!(now(archive.resolve(&TagOrDigest::Tag("v1".into()))).unwrap(), parts.manifest);
    for blob in [&parts.config, &parts.layer] {
        assert_eq!(now(archive.blob(blob.descriptor(), 1 << 20)).unwrap(), *blob);
    }
}

/// The names that the tar of this machine lists, `None` where it complains or is not there.
fn listed_by_tar(path: &Path) -> Option<Vec<String>> {
    let output = Command::new("tar").arg("-tf").arg(path).output().ok()?;
    let names = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    output.status.success().then_some(names)
}

// ---------------------------------------------------------------------------------------------- what is accepted

#[test]
fn good_archives_of_every_spelling_are_read() {
    let place = TestDirectory::new();
    let good = parts();
    found(&place.tar(&[&good.members(), &END]).unwrap());
    // With `./` and directories, as tar writes it; padded to a whole record.
    let dotted: Vec<u8> = good.files().iter().flat_map(|(name, body)| file(&format!("./{name}"), body)).collect();
    let directories: Vec<u8> =
        ["./", "./blobs/", "./blobs/sha256/"].iter().flat_map(|name| header(name, b'5', 0).bytes()).collect();
    found(&place.tar(&[&directories, &dotted, &[0; 10240]]).unwrap());
    // With GNU headers, old type flags, spaces before numbers.
    let gnu = |(name, body): &(String, Vec<u8>)| {
        let size = format!("{:11o} ", body.len()).into_bytes();
        Header { magic: b"ustar  \0", size, kind: 0, ..header(name, b'0', 0) }.with(body)
    };
    found(&place.tar(&[&good.files().iter().flat_map(gnu).collect::<Vec<_>>(), &END]).unwrap());
    // With the size in base 256.
    let binary = |(name, body): &(String, Vec<u8>)| {
        let size = [&[0x80, 0, 0, 0], (body.len() as u64).to_be_bytes().as_slice()].concat();
        Header { size, ..header(name, b'0', 0) }.with(body)
    };
    found(&place.tar(&[&good.files().iter().flat_map(binary).collect::<Vec<_>>(), &END]).unwrap());
    // With the name in two fields, in a PAX record beside times and attributes, in a GNU long name.
    let split = |(name, body): &(String, Vec<u8>)| match name.rsplit_once('/') {
        Some((prefix, name)) => {
            Header { prefix: prefix.as_bytes(), ..header(name, b'0', body.len() as u64) }.with(body)
        }
        None => file(name, body),
    };
    found(&place.tar(&[&good.files().iter().flat_map(split).collect::<Vec<_>>(), &END]).unwrap());
    let records = |(name, body): &(String, Vec<u8>)| {
        let size = body.len().to_string();
        let records = [("mtime", "1.5"), ("path", name), ("size", &size), ("SCHILY.xattr.user.x", "y")];
        [pax(b'x', &records), file(&format!("./{name}"), body)].concat()
    };
    let global = pax(b'g', &[("comment", "0123")]);
    found(&place.tar(&[&global, &good.files().iter().flat_map(records).collect::<Vec<_>>(), &END]).unwrap());
    let long = |(name, body): &(String, Vec<u8>)| {
        let body_of_name = [name.as_bytes(), b"\0"].concat();
        let announced = header("././@LongLink", b'L', body_of_name.len() as u64).with(&body_of_name);
        [announced, file(name, body)].concat()
    };
    found(&place.tar(&[&good.files().iter().flat_map(long).collect::<Vec<_>>(), &END]).unwrap());
    assert_eq!(listed_by_tar(&place.path()).map_or(5, |names| names.len()), 5);
}

// Owner and mode of a file are ignored (threats: archive-owner-and-mode).
#[test]
fn owners_and_modes_are_ignored() {
    let place = TestDirectory::new();
    let setuid = |(name, body): &(String, Vec<u8>)| {
        Header { mode: b"0006777\0", ..header(name, b'0', body.len() as u64) }.with(body)
    };
    found(&place.tar(&[&parts().files().iter().flat_map(setuid).collect::<Vec<_>>(), &END]).unwrap());
}

// Go takes a file with the mode of a symbolic link for one: skopeo and podman read `manifest.json` at its target
// (threats: archive-mode-of-link).
#[test]
fn a_mode_of_another_kind_of_file_is_refused() {
    for mode in ["0120644\0", "0040644\0", "0010644\0", "0060644\0", "0140644\0", "0110000\0", "0200000\0", "1000644 "]
    {
        let member = Header { mode: mode.as_bytes(), link: b"evil.json", ..header("x", b'0', 2) }.with(b"{}");
        refused_anywhere("archive-mode-of-link", &member, "a mode of another kind of file");
    }
    let directory = Header { mode: b"0120755\0", ..header("x", b'5', 0) }.bytes();
    refused_anywhere("archive-mode-of-link", &directory, "a mode of another kind of file");
    for mode in [&b"\x80\0\0\0\0\0\xa1\xa4"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff", b"0000abc\0"] {
        let member = Header { mode, ..header("x", b'0', 2) }.with(b"{}");
        refused_anywhere("archive-mode-of-link", &member, "a field at 100");
    }
    // Its own kind, a regular file, as Java writes it for every member, and none.
    let place = TestDirectory::new();
    for (kind, mode) in [
        (b'0', &b"0100644\0"[..]),
        (b'5', b"0040755\0"),
        (b'5', b"0100755\0"),
        (b'0', b"0000644\0"),
        (b'0', b"\0\0\0\0\0\0\0\0"),
    ] {
        let member = Header { mode, ..header("x", kind, 0) }.bytes();
        found(&place.tar(&[&parts().members(), &member, &END]).unwrap());
    }
}

#[test]
fn archives_of_the_tar_of_this_machine_are_read() {
    let place = TestDirectory::new();
    let directory = place.0.path().join("layout");
    parts().directory(&directory);
    for format in ["gnu", "ustar", "pax", "oldgnu", "posix"] {
        let made = Command::new("tar")
            .args(["--format", format, "-cf"])
            .arg(place.path())
            .arg("-C")
            .arg(&directory)
            .arg(".")
            .status();
        let Ok(true) = made.map(|status| status.success()) else { return missing::not_run("GNU tar not found") };
        found(&Archive::open(place.path(), Limits::DEFAULT).unwrap_or_else(|error| panic!("{format}: {error}")));
    }
}

// ---------------------------------------------------------------------------------------------- names

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["../x", "a/../../x", "./../x", "blobs/..", "a/./b", "a//b", "..", "blobs/sha256/../../x"] {
        refused_anywhere("archive-path-escape", &file(name, b"x"), "none that a layout can have");
        refused_anywhere(
            "archive-path-escape",
            &[pax(b'x', &[("path", name)]), file("x", b"x")].concat(),
            "none that a layout can have",
        );
    }
}

#[test]
fn absolute_names_are_refused() {
    for name in ["/etc/passwd", "//host/share", "\\\\host\\share", "a\\b", "C:\\x"] {
        refused_anywhere("archive-path-escape", &file(name, b"x"), "none that a layout can have");
    }
}

#[test]
fn symbolic_links_are_refused() {
    let link = Header { link: b"/etc/shadow", ..header("blobs/sha256/x", b'2', 0) }.bytes();
    refused_anywhere("archive-link", &link, "a symbolic link");
    let through = [Header { link: b"/tmp", ..header("a", b'2', 0) }.bytes(), file("a/x", b"x")].concat();
    refused_anywhere("archive-link", &through, "a symbolic link");
}

#[test]
fn hard_links_are_refused() {
    let link = Header { link: b"oci-layout", ..header("index.json", b'1', 0) }.bytes();
    refused_anywhere("archive-link", &link, "a hard link");
    let long = [header("././@LongLink", b'K', 2).with(b"x\0"), file("x", b"x")].concat();
    refused_anywhere("archive-link", &long, "unknown type");
    refused_anywhere("archive-link", &[pax(b'x', &[("linkpath", "x")]), file("x", b"x")].concat(), "linkpath");
}

#[test]
fn devices_and_other_kinds_are_refused() {
    for (kind, why) in [
        (b'3', "device"),
        (b'4', "device"),
        (b'6', "FIFO"),
        (b'7', "unknown"),
        (b'V', "unknown"),
        (b'M', "unknown"),
        (0xff, "unknown"),
    ] {
        refused_anywhere("archive-special-file", &header("x", kind, 0).bytes(), why);
    }
    refused_anywhere("archive-special-file", &header("x/", b'5', 3).with(b"abc"), "a directory with content");
}

// In a directory, only regular files are opened (threats: archive-special-file).
#[test]
fn a_fifo_in_a_layout_is_not_waited_for() {
    let place = TestDirectory::new();
    let good = parts();
    let path = place.0.path().join("layout");
    good.directory(&path);
    let blob = path.join(blob_name(&good.layer));
    fs::remove_file(&blob).unwrap();
    let Ok(true) = Command::new("mkfifo").arg(&blob).status().map(|status| status.success()) else {
        return missing::not_run("mkfifo not found");
    };
    let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
    let error = now(layout.blob(good.layer.descriptor(), 1 << 20)).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
    assert!(now(layout.referrers(good.manifest.digest(), None)).is_ok());
    fs::remove_file(path.join("index.json")).unwrap();
    let _made = Command::new("mkfifo").arg(path.join("index.json")).status().unwrap();
    assert!(Layout::open(&path, Limits::DEFAULT).is_err());
}

#[test]
fn a_repeated_member_is_refused() {
    for (name, body) in parts().files() {
        let place = TestDirectory::new();
        for again in [
            file(&name, &body),
            file(&name, b"other"),
            file(&format!("./{name}"), &body),
            header(&format!("{name}/"), b'5', 0).bytes(),
        ] {
            let error = place.tar(&[&parts().members(), &again, &END]).err().unwrap();
            assert!(error.to_string().contains("for the second time"), "{name}: {error}");
        }
    }
    refused_anywhere(
        "archive-repeated-member",
        &[file("extra", b"1"), file("extra", b"2")].concat(),
        "for the second time",
    );
}

#[test]
fn names_that_differ_by_case_or_composition_are_refused() {
    let upper = blob_name(&parts().layer).to_uppercase();
    for name in ["INDEX.JSON", "Oci-Layout", &upper] {
        let place = TestDirectory::new();
        let error = place.tar(&[&parts().members(), &file(name, b"x"), &END]).err().unwrap();
        assert!(error.to_string().contains("for the second time"), "{name}: {error}");
        let error = place.tar(&[&file(name, b"x"), &parts().members(), &END]).err().unwrap();
        assert!(error.to_string().contains("for the second time"), "{name}: {error}");
    }
    refused_anywhere("archive-names-alike", &file("inde\u{301}x.json", b"x"), "none that a layout can have");
    refused_anywhere("archive-names-alike", &file("\u{ff49}ndex.json", b"x"), "none that a layout can have");
}

// No blob can have a name that Windows reserves; other members are never read or written (threats: reserved-file-name).
#[test]
fn reserved_names_are_never_blobs() {
    let place = TestDirectory::new();
    let extra: Vec<u8> =
        ["blobs/sha256/CON", "aux.json", "x.", "a:b"].iter().flat_map(|name| file(name, b"x")).collect();
    let archive = place.tar(&[&parts().members(), &extra, &END]).unwrap();
    found(&archive);
}

#[test]
fn long_names_and_control_characters_are_refused() {
    let long = format!("a/{}", "b".repeat(300));
    let longer = "ab/".repeat(1700) + "x";
    for name in [&long, &longer, "a\nb", "a\x1b[2Jb", "a\tb", "a\x7fb", "\u{202e}x"] {
        let body = [name.as_bytes(), b"\0"].concat();
        let announced = header("././@LongLink", b'L', body.len() as u64).with(&body);
        refused_anywhere("archive-odd-name", &[announced, file("x", b"x")].concat(), "none that a layout can have");
    }
    let nul = header("././@LongLink", b'L', 4).with(b"a\0b\0");
    refused_anywhere("archive-odd-name", &[nul, file("x", b"x")].concat(), "none that a layout can have");
    refused_anywhere("archive-odd-name", &Header { name: b"\xff\xfe", ..header("", b'0', 0) }.bytes(), "not UTF-8");
    refused_anywhere("archive-odd-name", &file("", b"x"), "none that a layout can have");
}

// ---------------------------------------------------------------------------------------------- headers

// Go takes a prefix from a GNU header, and cuts the prefix of a star header; others do not: one member has two names, and
// is listed under one of them only (threats: archive-two-names).
#[test]
fn a_header_with_two_names_is_refused() {
    let evil = |magic, prefix, tail| Header { magic, prefix, tail, ..header("c.json", b'0', 2) }.with(b"{}");
    let (posix, gnu) = (&b"ustar\x0000"[..], &b"ustar  \0"[..]);
    let star = ["p".repeat(131), "00000000000 ".repeat(2)].concat();
    for (magic, prefix, tail, why) in [
        (gnu, &b"blobs/sha256"[..], &b""[..], "a GNU header with a prefix"),
        (gnu, b"d", b"", "a GNU header with a prefix"),
        (gnu, b"\0\0\0\0\0\0\0\0\0\0\0\0d", b"", "a GNU header with a prefix"),
        (gnu, b"14675512345\x0014675512345\0", b"", "a GNU header with a prefix"),
        (posix, &[b'p'; 155], b"tar\0", "format of star"),
        (posix, star.as_bytes(), b"tar\0", "format of star"),
        (posix, b"", b"tar\0", "format of star"),
        (gnu, b"", b"tar\0", "format of star"),
        // GNU tar knows a star header by the times alone.
        (posix, &[&[b'p'; 130], &b"\x0000000000000 00000000000 "[..]].concat(), b"", "after the end of its name"),
    ] {
        refused_anywhere("archive-two-names", &evil(magic, prefix, tail), why);
    }
    // A record with an empty name: Go takes the name in the header.
    let directory = header("d/", b'5', 0).bytes();
    for member in [&directory, &file("d", b"")] {
        let record = [&pax(b'x', &[("path", "")])[..], member].concat();
        let long = [&header("././@LongLink", b'L', 1).with(b"\0")[..], member].concat();
        refused_anywhere("archive-two-names", &record, "an empty name");
        refused_anywhere("archive-two-names", &long, "an empty name");
    }
    // Python takes a file with the old type flag for a directory by the name in its header.
    let old = Header { kind: 0, ..header("d/", b'0', 0) }.bytes();
    refused_anywhere("archive-two-names", &[pax(b'x', &[("path", "f")]), old].concat(), "ends in a slash");
}

// Go forgets what was announced about a member when a global header follows: here a name, and a size of more than 8 GiB,
// whose content Go takes for further members (threats: archive-global-header).
#[test]
fn a_global_header_between_a_member_and_its_records_is_refused() {
    let global = pax(b'g', &[("comment", "x")]);
    let why = "records for all members after those about one member";
    let long = header("././@LongLink", b'L', 2).with(b"a\0");
    for announced in [pax(b'x', &[("path", "a")]), pax(b'x', &[("mtime", "1")]), long] {
        refused_anywhere("archive-global-header", &[&announced[..], &global, &file("a", b"x")].concat(), why);
    }
    let place = TestDirectory::new();
    let size = 0o100_000_000_000_u64;
    let records = pax(b'x', &[("size", &size.to_string())]);
    let hidden = file("index.json", &index(&[]));
    let start = [&parts().members()[..], &records, &global, &header("big", b'0', 0).bytes(), &hidden].concat();
    fs::write(place.path(), &start).unwrap();
    let whole = start.len() as u64 - hidden.len() as u64 + size + 1024;
    File::options().write(true).open(place.path()).unwrap().set_len(whole).unwrap();
    let error = Archive::open(place.path(), Limits::DEFAULT).err().unwrap().to_string();
    assert!(error.contains(why), "{error}");
    // Before the records of a member, or after it, all readers agree.
    let before = [&global[..], &pax(b'x', &[("path", "a")]), &file("a", b"x"), &global].concat();
    found(&place.tar(&[&parts().members(), &before, &file("b", b"x"), &END]).unwrap());
}

// podman and skopeo remove the file that has the name of a global header (threats: archive-global-header).
#[test]
fn a_global_header_with_the_name_of_a_file_is_refused() {
    let place = TestDirectory::new();
    let global = |name| header(name, b'g', 12).with(b"12 comment=\n");
    for name in ["index.json", "./index.json", "/index.json", ".//INDEX.json/", "oci-layout"] {
        for members in [[global(name), parts().members()], [parts().members(), global(name)]] {
            let error = place.tar(&[&members.concat(), &END]).err().unwrap().to_string();
            assert!(error.contains("for the second time"), "{name}: {error}");
        }
    }
    for name in ["", "/", "./.", "../index.json", "a/../index.json"] {
        refused_anywhere("archive-global-header", &global(name), "none that a layout can have");
    }
    // As GNU tar, git, Python and Go name them, several times.
    for name in ["/tmp/GlobalHead.4711.1", "pax_global_header", "././@PaxHeader", "GlobalHead.0.0"] {
        found(&place.tar(&[&global(name), &parts().members(), &global(name), &END]).unwrap());
    }
}

// GNU tar skips blanks before the key of a record, so that it unpacks this member over `index.json`; other readers ignore
// the record, whose key they do not know. A reader without PAX takes the name in the header (threats: archive-two-names).
#[test]
fn a_record_that_only_some_readers_follow_is_refused() {
    for record in ["25  path=blobs/evil.json\n", "25 \tpath=blobs/evil.json\n", "12  size=99\n", "12 path\0x=f\n"] {
        let member = [header("p", b'x', record.len() as u64).with(record.as_bytes()), file("c.json", b"{}")].concat();
        refused_anywhere("archive-two-names", &member, "a PAX record that is malformed");
    }
    let long = "d/".repeat(50) + "f";
    let cut = &long[..100];
    let announced = |name: &str| {
        let body = [name.as_bytes(), b"\0"].concat();
        [pax(b'x', &[("path", name)]), header("././@LongLink", b'L', body.len() as u64).with(&body)]
    };
    for (name, in_header) in [
        ("c.json", "index.json"),
        ("c.json", "c.jso"),
        ("c.json", "c.json/"),
        (&long, "index.json"),
        (&long, "d"),
        (&long, &long[..98]),
        (&long, &cut.replacen('d', "e", 1)),
        (cut.strip_suffix('/').unwrap(), "d"),
    ] {
        for announced in announced(name) {
            refused_anywhere("archive-two-names", &[announced, file(in_header, b"{}")].concat(), "two names");
        }
    }
    // A name that does not fit is cut, by some writers so that a NUL follows.
    let place = TestDirectory::new();
    for in_header in [cut, &long[..99]] {
        for announced in announced(&long) {
            found(&place.tar(&[&parts().members(), &announced, &file(in_header, b"{}"), &END]).unwrap());
        }
    }
}

// The name field of an extension header, with its size, is the start of a skippable frame of zstd. It covers the headers
// up to a member that is a zstd file, in which a loader that unpacks finds another archive
// (threats: archive-skippable-frame).
#[test]
fn an_archive_that_is_also_a_zstd_file_is_refused() {
    let place = TestDirectory::new();
    for last in [0x50, 0x57, 0x5f] {
        for kind in [b'x', b'g', b'L'] {
            let frame = [last, 0x2a, 0x4d, 0x18, 0xf8, 0x05];
            let body: &[u8] = if kind == b'L' { b"x\0" } else { b"13 comment=x\n" };
            let first = Header { name: &frame, ..header("", kind, body.len() as u64) }.with(body);
            let error = place.tar(&[&first, &file("x", b"zstd"), &parts().members(), &END]).err().unwrap();
            assert!(error.to_string().contains("compressed with zstd"), "{error}");
            refused_anywhere(
                "archive-skippable-frame",
                &[b"", &file("y", b"")[..], &first].concat(),
                "a control character",
            );
        }
    }
}

// Known as TARmageddon: two sizes, so that two readers see different members (threats: archive-two-sizes).
#[test]
fn two_sizes_of_one_member_are_refused() {
    for (record, header_size) in [("1024", 0), ("0", 1024), ("1023", 1024), ("8589934591", 0), ("8589934592", 1)] {
        let hidden = file("index.json", b"{}");
        let body = [pax(b'x', &[("size", record)]), header("x", b'0', header_size).with(&hidden)].concat();
        refused_anywhere("archive-two-sizes", &body, "two sizes");
    }
    for size in ["-1", "+1", "1 ", "0x10", "", "99999999999999999999"] {
        refused_anywhere(
            "archive-two-sizes",
            &[pax(b'x', &[("size", size)]), file("x", b"x")].concat(),
            "a size that is no number",
        );
    }
}

// The one case in which the record may win: a number for which the header has no room, as Go writes it.
#[test]
fn a_blob_of_more_than_eight_gibibytes_is_read() {
    let place = TestDirectory::new();
    let size = 0o100_000_000_000_u64 + 5;
    let blob = Descriptor::of("x", b"");
    let name = format!("blobs/sha256/{}", blob.digest.hex());
    let start = [parts().members(), pax(b'x', &[("size", &size.to_string())]), header(&name, b'0', 0).bytes()].concat();
    fs::write(place.path(), &start).unwrap();
    // Nothing but a hole, so that it costs no disk.
    let whole = start.len() as u64 + size.next_multiple_of(512) + 1024;
    File::options().write(true).open(place.path()).unwrap().set_len(whole).unwrap();
    let archive = Archive::open(place.path(), Limits::DEFAULT).unwrap();
    found(&archive);
    let opened = now(archive.open(&Descriptor { size, ..blob.clone() }));
    assert!(opened.is_ok());
    assert!(matches!(now(archive.blob(&Descriptor { size, ..blob }, 1 << 20)), Err(StoreError::TooLarge { .. })));
    File::options().write(true).open(place.path()).unwrap().set_len(whole - 1024).unwrap();
    assert!(Archive::open(place.path(), Limits::DEFAULT).is_err());
}

#[test]
fn repeated_extension_headers_are_refused() {
    let long = header("././@LongLink", b'L', 2).with(b"a\0");
    let path = pax(b'x', &[("path", "a")]);
    for twice in [[&long[..], &long], [&path, &path], [&long, &path], [&path, &long]] {
        refused_anywhere("archive-repeated-header", &[&twice.concat()[..], &file("x", b"x")].concat(), "twice");
    }
    refused_anywhere(
        "archive-repeated-header",
        &[pax(b'x', &[("path", "a"), ("path", "b")]), file("x", b"x")].concat(),
        "twice",
    );
    refused_anywhere(
        "archive-repeated-header",
        &[pax(b'x', &[("size", "1"), ("size", "1")]), file("x", b"x")].concat(),
        "twice",
    );
    for key in ["path", "size", "linkpath"] {
        refused_anywhere("archive-repeated-header", &pax(b'g', &[(key, "1")]), "a record that sets");
    }
    // Announced, and then nothing comes.
    let place = TestDirectory::new();
    for announced in [&long, &path] {
        let error = place.tar(&[&parts().members(), announced, &END]).err().unwrap();
        assert!(error.to_string().contains("announced"), "{error}");
    }
}

#[test]
fn sparse_members_and_malformed_numbers_are_refused() {
    refused_anywhere("archive-odd-number", &header("x", b'S', 0).bytes(), "a sparse file");
    // libarchive follows the record of Solaris, too.
    for (key, value) in [("GNU.sparse.major", "1"), ("SCHILY.realsize", "9"), ("SUN.holesdata", " 1 9")] {
        refused_anywhere(
            "archive-odd-number",
            &[pax(b'x', &[(key, value)]), file("x", b"x")].concat(),
            "a sparse file",
        );
    }
    for size in [
        &b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb"[..],
        b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"00000000009\0",
        b"0000000001x\0",
        b"-0000000001\0",
        b"            ",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let odd = Header { size: size.to_vec(), ..header("x", b'0', 0) }.bytes();
        refused_anywhere("archive-odd-number", &odd, "a size that is no number");
    }
    for records in [
        &b"x"[..],
        b"12 path=abc",
        b"99 path=abc\n",
        b"5 a=\n\n",
        b"+9 path=a\n",
        b"0 \n",
        b"10 path=a\xff\n",
        b"8 =abcd\n",
    ] {
        refused_anywhere(
            "archive-odd-number",
            &header("p", b'x', records.len() as u64).with(records),
            "a PAX record that is malformed",
        );
    }
}

#[test]
fn a_wrong_header_checksum_is_refused() {
    let place = TestDirectory::new();
    let members = parts().members();
    for position in [0, 100, 130, 150, 156, 257, 511] {
        let mut broken = members.clone();
        broken[position] ^= 1;
        let error = place.tar(&[&broken, &END]).err().unwrap();
        assert!(error.to_string().contains("at byte 0"), "{position}: {error}");
    }
    // Headers of before 1988 say nothing about what follows.
    refused_anywhere(
        "archive-wrong-checksum",
        &Header { magic: b"", ..header("x", b'0', 0) }.bytes(),
        "neither POSIX nor GNU",
    );
}

#[test]
fn an_archive_cut_off_anywhere_is_refused() {
    let place = TestDirectory::new();
    let whole = [parts().members(), END.to_vec()].concat();
    for length in (0..whole.len()).step_by(128).chain(whole.len() - 600..whole.len()) {
        let error =
            place.tar(&[&whole[..length]]).err().unwrap_or_else(|| panic!("accepted {length} of {}", whole.len()));
        let text = error.to_string();
        assert!(text.contains("cut off") || text.contains("it is empty"), "{length}: {text}");
    }
}

#[test]
fn data_after_the_end_of_an_archive_is_refused() {
    let place = TestDirectory::new();
    let members = parts().members();
    for after in [&members[..], b"x", &[0, 0, 0, 1]] {
        let error = place.tar(&[&members, &END, after]).err().unwrap();
        assert!(error.to_string().contains("after its end"), "{error}");
    }
    let error = place.tar(&[&members, &[0; 512], &members, &END]).err().unwrap();
    assert!(error.to_string().contains("in the middle"), "{error}");
}

/// Holes of a sparse file are not read, and data after the end of the archive is accepted as padding only up to a limit.
#[test]
fn an_archive_ends_where_its_members_end() {
    let place = TestDirectory::new();
    let members = parts().members();
    drop(place.tar(&[&members, &END]).unwrap());
    let grown = |length: u64| File::options().write(true).open(place.path()).unwrap().set_len(length).unwrap();
    grown(1 << 40);
    drop(Archive::open(place.path(), Limits::DEFAULT).unwrap());
    // One byte far behind is found, and nothing before it is read.
    let file = File::options().write(true).open(place.path()).unwrap();
    file.write_at(b"x", (1 << 40) - 4096).unwrap();
    let error = Archive::open(place.path(), Limits::DEFAULT).err().unwrap();
    assert!(error.to_string().contains("after its end"), "{error}");
    let padding = vec![0; (16 << 20) - 512];
    drop(place.tar(&[&members, &END, &padding]).unwrap());
    let error = place.tar(&[&members, &END, &padding, &END]).err().unwrap();
    assert!(error.to_string().contains("of padding"), "{error}");
}

/// A member that is a hole stays one when the archive is written again: its declared size is not what is written.
#[test]
fn a_hole_in_an_archive_stays_a_hole() {
    use std::os::unix::fs::MetadataExt as _;
    let place = TestDirectory::new();
    let members = parts().members();
    let size = 1_u64 << 40;
    let printed = pax(b'x', &[("size", &size.to_string())]);
    let head = [printed, header("blobs/sha256/hole", b'0', 0).bytes()].concat();
    fs::write(place.path(), [&members[..], &head].concat()).unwrap();
    let file = File::options().write(true).open(place.path()).unwrap();
    let data = (members.len() + head.len()) as u64;
    file.write_at(b"begin", data).unwrap();
    file.write_at(b"end", data + size - 3).unwrap();
    file.set_len(data + size + 1024).unwrap();
    drop(file);
    let archive = Archive::create(place.path(), Limits::DEFAULT).unwrap();
    now(archive.push_content(&Content::from_bytes("x", b"new".to_vec()))).unwrap();
    now(archive.finish()).unwrap();
    let metadata = fs::metadata(place.path()).unwrap();
    assert!(metadata.len() > size && metadata.blocks() < 4096, "{} of {}", metadata.blocks(), metadata.len());
    let file = File::open(place.path()).unwrap();
    let mut ends = Vec::new();
    drop(Archive::open(place.path(), Limits::DEFAULT).unwrap());
    for at in (0..metadata.len()).step_by(512).take(200) {
        let mut block = [0; 512];
        file.read_exact_at(&mut block, at).unwrap();
        if block.starts_with(b"begin") {
            let mut end = [0; 3];
            file.read_exact_at(&mut end, at + size - 3).unwrap();
            ends.push(end);
        }
    }
    assert_eq!(ends, [*b"end"]);
}

#[test]
fn archives_inside_archives_are_not_followed() {
    let place = TestDirectory::new();
    let inner = [parts().members(), END.to_vec()].concat();
    let error = place.tar(&[&file("image.tar", &inner), &END]).err().unwrap();
    assert!(error.to_string().contains("no oci-layout file"), "{error}");
}

// No archive is decompressed, so there is no decompression bomb (threats: decompression-bomb).
#[test]
fn compressed_archives_are_refused_with_a_hint() {
    let place = TestDirectory::new();
    for (magic, tool) in [
        (&b"\x1f\x8b\x08\0\0\0"[..], "gunzip"),
        (b"\x28\xb5\x2f\xfd\0\0", "unzstd"),
        (b"\x50\x2a\x4d\x18\0\0", "unzstd"),
        (b"\x5f\x2a\x4d\x18\0\0", "unzstd"),
        (b"\xfd7zXZ\0", "unxz"),
        (b"BZh91A", "bunzip2"),
    ] {
        let error = place.tar(&[magic, &[0; 4096]]).err().unwrap();
        assert!(error.to_string().contains(tool), "{error}");
    }
    for other in [&b"PK\x03\x04"[..], b"hello", &[0; 511], &[0xff; 512]] {
        assert!(matches!(place.tar(&[other]), Err(StoreError::Broken { .. })));
    }
}

#[test]
fn too_many_members_are_refused() {
    let place = TestDirectory::new();
    let limits = Limits::DEFAULT.with(|limits| limits.oci.archive_members = 50);
    let empty = |count| -> Vec<u8> { (0..count).flat_map(|number| file(&format!("x{number}"), b"")).collect() };
    fs::write(place.path(), [parts().members(), empty(45), END.to_vec()].concat()).unwrap();
    found(&Archive::open(place.path(), limits.clone()).unwrap());
    fs::write(place.path(), [parts().members(), empty(46), END.to_vec()].concat()).unwrap();
    assert!(matches!(Archive::open(place.path(), limits), Err(StoreError::TooMany { limit: 50, .. })));
}

#[test]
fn a_member_of_eight_exbibytes_is_refused() {
    for size in [i64::MAX as u64, 1 << 62, 1 << 40] {
        let size = [&[0x80, 0, 0, 0], size.to_be_bytes().as_slice()].concat();
        refused_anywhere("archive-huge-member", &Header { size, ..header("x", b'0', 0) }.bytes(), "cut off");
    }
    refused_anywhere("archive-huge-member", &header("x", b'x', 0o77_777_777_777).bytes(), "bytes about one member");
}

// ---------------------------------------------------------------------------------------------- layouts

/// Runs `check` on the same files as directory and as archive.
fn both(files: &[(String, Vec<u8>)], check: impl Fn(Result<Box<dyn Source>, StoreError>)) {
    let place = TestDirectory::new();
    let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
    check(place.tar(&[&members, &END]).map(|archive| Box::new(archive) as Box<dyn Source>));
    let path = place.0.path().join("layout");
    for (name, body) in files {
        fs::create_dir_all(path.join(name).parent().unwrap()).unwrap();
        fs::write(path.join(name), body).unwrap();
    }
    check(Layout::open(&path, Limits::DEFAULT).map(|layout| Box::new(layout) as Box<dyn Source>));
}

#[test]
fn a_blob_whose_name_is_not_its_digest_is_refused() {
    let good = parts();
    let mut files = good.files();
    let layer = files.iter_mut().find(|(name, _)| *name == blob_name(&good.layer)).unwrap();
    layer.1[300] ^= 1;
    both(&files, |store| {
        let store = store.unwrap();
        let error = now(store.blob(good.layer.descriptor(), 1 << 20)).unwrap_err();
        assert!(error.to_string().contains(&good.layer.digest().to_string()), "{error}");
        assert!(matches!(error, StoreError::Content { error: ContentError::Digest { .. }, .. }));
        let mut blob = now(store.open(good.layer.descriptor())).unwrap();
        let mut got = 0;
        let error = loop {
            match now(blob.next()) {
                Ok(piece) => got += piece.unwrap().len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Content { .. }) && got < 700, "{got} bytes were given out");
        // Others are still there.
        assert!(now(store.blob(good.config.descriptor(), 1 << 20)).is_ok());
    });
}

#[test]
fn a_size_unlike_the_descriptor_is_refused() {
    let good = parts();
    let text = String::from_utf8(good.index.clone()).unwrap();
    let size = format!("\"size\":{}", good.manifest.bytes().len());
    for wrong in ["\"size\":1", "\"size\":4194305", "\"size\":9223372036854775807"] {
        let mut files = good.files();
        files.last_mut().unwrap().1 = text.replace(&size, wrong).into();
        both(&files, |store| {
            let store = store.unwrap();
            for tag_or_digest in [TagOrDigest::Tag("v1".into()), TagOrDigest::Digest(*good.manifest.digest())] {
                let error = now(store.resolve(&tag_or_digest)).unwrap_err();
                assert!(!error.is_not_found(), "{error}");
                assert!(matches!(error, StoreError::Content { .. } | StoreError::TooLarge { .. }), "{error}");
            }
        });
    }
}

#[test]
fn links_and_files_in_place_of_directories_are_refused() {
    for part in ["blobs/sha256", "blobs"] {
        for target in [Some("/etc"), Some("elsewhere"), None] {
            let place = TestDirectory::new();
            let path = place.0.path().join("layout");
            parts().directory(&path);
            fs::rename(path.join(part), place.0.path().join("layout/elsewhere")).unwrap();
            match target {
                Some("elsewhere") => symlink(path.join("elsewhere"), path.join(part)).unwrap(),
                Some(target) => symlink(target, path.join(part)).unwrap(),
                None => fs::write(path.join(part), "x").unwrap(),
            }
            let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
            let error = now(layout.resolve(&TagOrDigest::Tag("v1".into()))).unwrap_err();
            assert!(
                matches!(&error, StoreError::Broken { reason: BrokenReason::Path(PathFault::NotADirectory), .. }),
                "{error}"
            );
            assert!(now(layout.referrers(parts().manifest.digest(), None)).is_err());
            // Nor is anything written through it (threats: link-in-target).
            let layout = Layout::create(&path, Limits::DEFAULT).unwrap();
            let blob = Content::from_bytes("x", b"new".to_vec());
            assert!(now(layout.push_content(&blob)).is_err());
            assert!(!path.join("elsewhere").join(blob.digest().hex()).exists());
        }
    }
}

#[test]
fn a_blob_that_is_a_link_is_refused() {
    let place = TestDirectory::new();
    let good = parts();
    let path = place.0.path().join("layout");
    good.directory(&path);
    let blob = path.join(blob_name(&good.layer));
    // Even one that leads to the right bytes.
    let right = place.0.path().join("right");
    fs::rename(&blob, &right).unwrap();
    for target in [right.as_path(), Path::new("/etc/shadow"), Path::new("/nowhere"), Path::new("/dev/zero")] {
        symlink(target, &blob).unwrap();
        let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
        let error = now(layout.blob(good.layer.descriptor(), 1 << 20)).unwrap_err();
        assert!(
            matches!(
                &error,
                StoreError::Broken { reason: BrokenReason::Path(PathFault::NotAFile("a symbolic link")), .. }
            ),
            "{error}"
        );
        fs::remove_file(&blob).unwrap();
    }
    for name in ["index.json", "oci-layout"] {
        fs::rename(path.join(name), place.0.path().join(name)).unwrap();
        symlink(place.0.path().join(name), path.join(name)).unwrap();
        assert!(matches!(Layout::open(&path, Limits::DEFAULT), Err(StoreError::Broken { .. })), "{name}");
        fs::remove_file(path.join(name)).unwrap();
        fs::rename(place.0.path().join(name), path.join(name)).unwrap();
    }
}

#[test]
fn a_layout_needs_a_valid_oci_layout_and_index() {
    for mark in [
        None,
        Some(r#"{"imageLayoutVersion":"9.9"}"#),
        Some("{}"),
        Some("x"),
        Some(r#"{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"2"}"#),
    ] {
        let mut files = parts().files();
        match mark {
            Some(mark) => files[0].1 = mark.into(),
            None => drop(files.remove(0)),
        }
        both(&files, |store| assert!(matches!(store.map(drop), Err(StoreError::Broken { .. })), "{mark:?}"));
    }
    let mut files = parts().files();
    files[0].1 = vec![b' '; 1 << 20];
    both(&files, |store| assert!(matches!(store.map(drop), Err(StoreError::TooLarge { .. }))));
    let mut files = parts().files();
    files[4].1.resize((4 << 20) + 1, b' ');
    both(&files, |store| assert!(matches!(store.map(drop), Err(StoreError::TooLarge { .. }))));
    let mut files = parts().files();
    drop(files.remove(4));
    both(&files, |store| assert!(matches!(store.map(drop), Err(StoreError::Broken { .. }))));
}

#[test]
fn a_listed_manifest_that_is_missing_is_not_absence() {
    let good = parts();
    let mut files = good.files();
    files.retain(|(name, _)| *name != blob_name(&good.manifest));
    both(&files, |store| {
        let store = store.unwrap();
        for tag_or_digest in [TagOrDigest::Tag("v1".into()), TagOrDigest::Digest(*good.manifest.digest())] {
            let error = now(store.resolve(&tag_or_digest)).unwrap_err();
            // Not the answer that there is no such image.
            assert!(
                !error.is_not_found() && error.to_string().contains(&good.manifest.digest().to_string()),
                "{error}"
            );
        }
    });
}

// It is unknown whether an unreadable entry refers to the image, so it stays listed (threats: listed-but-missing).
#[test]
fn an_unreadable_entry_without_a_name_is_not_absence() {
    let good = parts();
    let lost = Descriptor::new(media_type::OCI_MANIFEST, *Content::from_bytes("", b"lost".to_vec()).digest(), 4);
    let entries = serde_json::json!([good.manifest.descriptor(), lost]);
    let mut files = good.files();
    files[4].1 = serde_json::to_vec(&serde_json::json!({ "schemaVersion": 2, "manifests": entries })).unwrap();
    both(&files, |store| {
        let listing = now(store.unwrap().referrers(good.manifest.digest(), None)).unwrap().unwrap();
        assert_eq!(listing.entries, std::slice::from_ref(&lost));
    });
}

#[test]
fn unlisted_blobs_are_not_images() {
    let good = parts();
    let mut files = good.files();
    files[4].1 = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    both(&files, |store| {
        let store = store.unwrap();
        assert_eq!(now(store.names()).unwrap(), Vec::<String>::new());
        assert!(now(store.resolve(&TagOrDigest::Tag("v1".into()))).unwrap_err().is_not_found());
    });
}

#[test]
fn one_name_for_two_images_is_refused() {
    let good = parts();
    let other = Content::from_bytes(media_type::OCI_MANIFEST, b"{}".to_vec());
    let mut files = good.files();
    files[4].1 = index(&[(&good.manifest, "v1"), (&other, "v1")]);
    both(&files, |store| {
        let error = now(store.unwrap().resolve(&TagOrDigest::Tag("v1".into()))).unwrap_err();
        assert!(matches!(error, StoreError::Broken { .. }) && error.to_string().contains("`v1`"), "{error}");
    });
    files[4].1 = index(&[(&good.manifest, "v1"), (&good.manifest, "v1")]);
    both(&files, |store| assert!(now(store.unwrap().resolve(&TagOrDigest::Tag("v1".into()))).is_ok()));
    // One digest as two kinds of thing.
    let mut wrong = good.manifest.descriptor().clone();
    wrong.media_type = media_type::OCI_INDEX.to_owned();
    let entries = serde_json::json!([good.manifest.descriptor(), wrong]);
    files[4].1 = serde_json::to_vec(&serde_json::json!({ "schemaVersion": 2, "manifests": entries })).unwrap();
    both(&files, |store| {
        let error = now(store.unwrap().resolve(&TagOrDigest::Digest(*good.manifest.digest()))).unwrap_err();
        assert!(matches!(error, StoreError::Broken { .. }), "{error}");
    });
    // Escapes of a terminal do not get out.
    files[4].1 = index(&[(&good.manifest, "a\x1b[2J"), (&other, "a\x1b[2J")]);
    both(&files, |store| {
        let error = now(store.unwrap().resolve(&TagOrDigest::Tag("a\x1b[2J".into()))).unwrap_err();
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    });
}

// Every flipped bit of an archive changes nothing or is noticed (threats: damaged-medium).
#[test]
fn every_flipped_byte_is_noticed_or_harmless() {
    let place = TestDirectory::new();
    let good = parts();
    let whole = [good.members(), END.to_vec()].concat();
    let mut noticed = 0;
    fs::write(place.path(), &whole).unwrap();
    let medium = File::options().write(true).open(place.path()).unwrap();
    for position in 0..whole.len() {
        if let Some(before) = position.checked_sub(1) {
            medium.write_all_at(&whole[before..position], before as u64).unwrap();
        }
        medium.write_all_at(&[whole[position] ^ 0x20], position as u64).unwrap();
        let Ok(archive) = Archive::open(place.path(), Limits::DEFAULT) else {
            noticed += 1;
            continue;
        };
        let got = now(archive.resolve(&TagOrDigest::Tag("v1".into())));
        match got {
            Ok(content) => {
                assert_eq!(content.bytes(), good.manifest.bytes(), "byte {position}");
                for blob in [&good.config, &good.layer] {
                    match now(archive.blob(blob.descriptor(), 1 << 20)) {
                        Ok(got) => assert_eq!(got, *blob, "byte {position}"),
                        Err(_) => noticed += 1,
                    }
                }
            }
            Err(_) => noticed += 1,
        }
    }
    // All headers, all end blocks, all content.
    let padding: usize = good.files().iter().map(|(_, body)| body.len().next_multiple_of(512) - body.len()).sum();
    assert!(noticed >= whole.len() - padding - 200, "{noticed} of {} flips were noticed", whole.len());
}

// The bytes that were hashed are given out, whatever happens to the file later (threats: medium-changes-while-read).
#[test]
fn a_medium_that_changes_gives_the_hashed_bytes_or_an_error() {
    let place = TestDirectory::new();
    let good = parts();
    let archive = place.tar(&[&good.members(), &END]).unwrap();
    // Replaced: the handle still has the old one. Overwritten: the digest notices.
    fs::rename(place.path(), place.0.path().join("old")).unwrap();
    fs::write(place.path(), "other").unwrap();
    found(&archive);
    fs::write(place.0.path().join("old"), vec![b'y'; good.members().len()]).unwrap();
    assert!(now(archive.blob(good.layer.descriptor(), 1 << 20)).is_err());
    fs::write(place.0.path().join("old"), "short").unwrap();
    assert!(now(archive.blob(good.layer.descriptor(), 1 << 20)).is_err());
    // `index.json` was read once.
    let archive = place.tar(&[&good.members(), &END]).unwrap();
    let path = place.0.path().join("layout");
    good.directory(&path);
    let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
    fs::write(path.join("index.json"), index(&[(&good.config, "v1")])).unwrap();
    found(&layout);
    found(&archive);
}

// A file may be longer than its directory says; reads end one byte after the declared size (threats: endless-file).
#[test]
fn endless_files_are_read_to_their_declared_size() {
    let good = parts();
    let place = TestDirectory::new();
    let path = place.0.path().join("layout");
    good.directory(&path);
    let blob = path.join(blob_name(&good.layer));
    let layout = Layout::open(&path, Limits::DEFAULT).unwrap();
    let mut moving = now(layout.open(good.layer.descriptor())).unwrap();
    // It grows after it was opened.
    let file = File::options().write(true).open(&blob).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = loop {
        match now(moving.next()) {
            Ok(piece) => drop(piece.unwrap()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Content { error: ContentError::Size { .. }, .. }), "{error}");
    let error = now(layout.blob(good.layer.descriptor(), 1 << 20)).unwrap_err();
    assert!(matches!(error, StoreError::Content { error: ContentError::Size { .. }, .. }), "{error}");
    assert!(matches!(Archive::open("/dev/zero", Limits::DEFAULT), Err(StoreError::Broken { .. })));
    assert!(Layout::open("/dev/zero", Limits::DEFAULT).is_err());
    assert!(Archive::open(&path, Limits::DEFAULT).is_err());
}

// ---------------------------------------------------------------------------------------------- docker-archive

fn docker(list: &str, extra: &[u8]) -> Result<DockerArchive, StoreError> {
    let place = TestDirectory::new();
    fs::write(place.path(), [&parts().members(), &file("manifest.json", list.as_bytes()), extra, &END[..]].concat())
        .unwrap();
    DockerArchive::open(place.path(), Limits::DEFAULT)
}

fn docker_list(config: &str, layers: &[&str], names: &[&str]) -> String {
    serde_json::json!([{ "Config": config, "RepoTags": names, "Layers": layers }]).to_string()
}

#[test]
fn a_docker_archive_with_a_layout_is_read() {
    let good = parts();
    let (config, layer) = (blob_name(&good.config), blob_name(&good.layer));
    for names in [&["app:v1"][..], &["other:v9"], &[]] {
        found(&docker(&docker_list(&config, &[&layer], names), b"").unwrap());
    }
    let nothing = format!(r#"[{{"Config":"{config}","RepoTags":null,"Layers":["{layer}"]}}]"#);
    let archive = docker(&nothing, b"").unwrap();
    assert_eq!(archive.choose(None).unwrap(), TagOrDigest::Digest(*good.manifest.digest()));
    assert!(archive.origin().to_string().starts_with("docker-archive:"));
}

#[test]
fn a_docker_archive_without_a_manifest_is_refused_with_the_reason() {
    let place = TestDirectory::new();
    let config = file("abc.json", b"{}");
    let layer = file("abc/layer.tar", b"x");
    let list = file("manifest.json", docker_list("abc.json", &["abc/layer.tar"], &["app:v1"]).as_bytes());
    fs::write(place.path(), [config.clone(), layer, list, END.to_vec()].concat()).unwrap();
    let error = DockerArchive::open(place.path(), Limits::DEFAULT).err().unwrap();
    assert!(matches!(error, StoreError::ReadOnly { .. }) && error.to_string().contains("skopeo copy"), "{error}");
    fs::write(place.path(), [config, END.to_vec()].concat()).unwrap();
    let error = DockerArchive::open(place.path(), Limits::DEFAULT).err().unwrap();
    assert!(error.to_string().contains("no manifest.json"), "{error}");
    assert!(matches!(DockerArchive::open("/nowhere.tar", Limits::DEFAULT), Err(StoreError::Io { .. })));
}

// The two lists of a docker-archive must name the same images (threats: docker-archive-lists-differ).
#[test]
fn a_docker_archive_whose_two_lists_differ_is_refused() {
    let good = parts();
    let (config, layer) = (blob_name(&good.config), blob_name(&good.layer));
    let evil = Content::from_bytes(media_type::OCI_CONFIG, b"{\"evil\":1}".to_vec());
    let extra = file(&blob_name(&evil), evil.bytes());
    for (config, layers) in [
        (blob_name(&evil), vec![layer.as_str()]),
        (config.clone(), vec![]),
        (config.clone(), vec![layer.as_str(), layer.as_str()]),
        (layer.clone(), vec![config.as_str()]),
        ("../x".to_owned(), vec![layer.as_str()]),
        ("/etc/passwd".to_owned(), vec![layer.as_str()]),
        (config.clone(), vec!["blobs/sha256/absent"]),
        ("index.json".to_owned(), vec![layer.as_str()]),
    ] {
        let error = docker(&docker_list(&config, &layers, &["app:v1"]), &extra).err().unwrap();
        assert!(matches!(error, StoreError::Contradiction { .. }), "{config}: {error}");
    }
    // The same name for another image that is there too.
    let place = TestDirectory::new();
    let other = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": evil.descriptor(), "layers": [good.layer.descriptor()],
    });
    let other = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&other).unwrap());
    let mut files = good.files();
    files[4].1 = index(&[(&good.manifest, "v1"), (&other, "v2")]);
    files.push((blob_name(&other), other.bytes().to_vec()));
    files.push((blob_name(&evil), evil.bytes().to_vec()));
    let both = |spelling: &str| index(&[(&good.manifest, spelling), (&other, "app:v2")]);
    for (name, right, index) in [
        ("app:v1", false, None),
        ("app:v2", true, None),
        // Each spelling of a name that the layout has is a name that somebody verifies.
        ("app:v2", false, Some(both("docker.io/library/app:v2"))),
        ("docker.io/app:v2", false, Some(both("docker.io/library/app:v2"))),
        ("docker.io/library/app:v2", false, Some(both("v2"))),
        ("index.docker.io/app:v2", false, Some(both("docker.io/library/app:v2"))),
        ("app", false, Some(both("latest"))),
        ("app", true, Some(both("v1"))),
        ("app:v2", true, Some(both("docker.io/library/app:v1"))),
    ] {
        if let Some(index) = index {
            files[4].1 = index;
        }
        let list = docker_list(&blob_name(&evil), &[&layer], &[name]);
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        fs::write(place.path(), [members, file("manifest.json", list.as_bytes()), END.to_vec()].concat()).unwrap();
        assert_eq!(DockerArchive::open(place.path(), Limits::DEFAULT).is_ok(), right, "{name}");
    }
    for list in ["", "{}", "[{}]", "[{\"Config\":1}]"] {
        assert!(docker(list, b"").is_err(), "{list}");
    }
    let link = Header { link: b"/etc/shadow", ..header("abc.json", b'2', 0) }.bytes();
    let error = docker(&docker_list("abc.json", &[&layer], &[]), &link).err().unwrap();
    assert!(error.to_string().contains("a symbolic link"), "{error}");
}

// Docker shows the parent, and pushes a layer with addresses under them; no signature covers either
// (threats: docker-archive-unsigned-relations).
#[test]
fn unsigned_parents_and_layer_addresses_of_a_docker_archive_are_refused() {
    let good = parts();
    let (config, layer) = (blob_name(&good.config), blob_name(&good.layer));
    let id = good.config.digest().to_string();
    let other = format!("sha256:{}", "0".repeat(64));
    let source = |source: &str| format!(r#""LayerSources":{{"{}":{source}}}"#, good.layer.digest());
    for (more, right) in [
        ("\"Parent\":\"\"".to_owned(), true),
        (r#""Parent":null,"LayerSources":null"#.to_owned(), true),
        (format!(r#""Parent":"{id}""#), true),
        (format!(r#""Parent":"{other}""#), false),
        (r#""Parent":"x""#.to_owned(), false),
        // As Docker writes it since version 25.
        (source(&serde_json::to_string(good.layer.descriptor()).unwrap()), true),
        (source("null"), true),
        (source(r#"{"urls":["https://evil.example/layer"]}"#), false),
        (source(r#"{"URLs":["https://evil.example/layer"]}"#), false),
    ] {
        let list = format!(r#"[{{"Config":"{config}","RepoTags":["app:v1"],"Layers":["{layer}"],{more}}}]"#);
        match docker(&list, b"") {
            Ok(archive) => assert!(right, "{more}: accepted {}", archive.origin()),
            Err(error) => assert!(!right && matches!(error, StoreError::Contradiction { .. }), "{more}: {error}"),
        }
    }
}

// Docker's list would stay as it was (threats: docker-archive-lists-differ).
#[test]
fn an_oci_archive_that_docker_loads_is_not_written_as_an_oci_archive() {
    let good = parts();
    let place = TestDirectory::new();
    let list = docker_list(&blob_name(&good.config), &[&blob_name(&good.layer)], &["app:v1"]);
    fs::write(place.path(), [&good.members(), &file("manifest.json", list.as_bytes()), &END[..]].concat()).unwrap();
    let reference: Reference = format!("oci-archive:{}", place.path().display()).parse().unwrap();
    let error = Images::local(Limits::DEFAULT).create(&reference).err().unwrap();
    let OpenError::Store(StoreError::ReadOnly { reason, .. }) = error else { panic!("{error}") };
    assert_eq!(reason, ReadOnlyFault::DockerList);
    fs::write(place.path(), [&good.members(), &END[..]].concat()).unwrap();
    assert!(Images::local(Limits::DEFAULT).create(&reference).is_ok());
}

// `docker load`, `podman load` and skopeo take the bytes under a name, whatever digest the name is
// (threats: docker-archive-other-bytes).
#[test]
fn a_docker_archive_with_other_bytes_under_a_digest_is_refused() {
    let good = parts();
    let (config, layer) = (blob_name(&good.config), blob_name(&good.layer));
    let list = docker_list(&config, &[&layer], &["app:v1"]);
    let open = |changed: &str, body: &[u8], extra: &[u8]| {
        let place = TestDirectory::new();
        let mut files = good.files();
        files.iter_mut().filter(|(name, _)| name == changed).for_each(|(_, old)| *old = body.to_vec());
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        let list = file("manifest.json", list.as_bytes());
        fs::write(place.path(), [&members[..], &list, extra, &END[..]].concat()).unwrap();
        DockerArchive::open(place.path(), Limits::DEFAULT)
    };
    assert!(open("", b"", b"").is_ok());
    let flipped = |content: &Content| {
        let mut bytes = content.bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    for (name, body) in [
        (&config, br#"{"config":{"Cmd":["/bin/sh"]}}"#.to_vec()),
        (&config, flipped(&good.config)),
        (&config, Vec::new()),
        (&layer, vec![b'y'; 700]),
        (&layer, flipped(&good.layer)),
        (&layer, vec![b'x'; 701]),
        (&layer, vec![b'x'; 699]),
        (&layer, vec![b'x'; 1 << 20]),
    ] {
        let error = open(name, &body, b"").err().unwrap();
        let digest = name.replace("blobs/sha256/", "sha256:");
        assert!(matches!(error, StoreError::Contradiction { .. }), "{name}: {error}");
        assert!(error.to_string().contains(&digest), "{name}: {error}");
    }
    // Another file that loaders could take in its place.
    let (dotted, upper) = (format!("./{layer}"), layer.to_uppercase());
    for extra in [
        file(&layer, b"evil"),
        file(&dotted, b"evil"),
        file(&upper, b"evil"),
        file(&format!("{layer}/"), b"evil"),
        file(&format!("blobs/../{layer}"), b"evil"),
        file(&format!("/{layer}"), b"evil"),
        file("./manifest.json", b"[]"),
        Header { link: layer.as_bytes(), ..header("other", b'1', 0) }.bytes(),
        Header { link: b"evil", ..header(&layer, b'2', 0) }.bytes(),
        pax(b'x', &[("path", &layer)]).into_iter().chain(file("harmless", b"evil")).collect(),
    ] {
        assert!(matches!(open("", b"", &extra).err(), Some(StoreError::Broken { .. })));
    }
}

// A layer that two images share is read once, and the files of every image that is loaded are read
// (threats: docker-archive-other-bytes).
#[test]
fn every_image_of_a_docker_archive_is_checked() {
    let good = parts();
    let second = Content::from_bytes(media_type::OCI_CONFIG, b"{\"second\":1}".to_vec());
    let other = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": second.descriptor(), "layers": [good.layer.descriptor()],
    });
    let other = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&other).unwrap());
    let list = serde_json::json!([
        { "Config": blob_name(&good.config), "RepoTags": ["app:v1"], "Layers": [blob_name(&good.layer)] },
        { "Config": blob_name(&second), "RepoTags": ["app:v2"], "Layers": [blob_name(&good.layer)] },
    ]);
    let open = |second_body: &[u8]| {
        let place = TestDirectory::new();
        let mut files = good.files();
        files[4].1 = index(&[(&good.manifest, "v1"), (&other, "v2")]);
        files.push((blob_name(&other), other.bytes().to_vec()));
        files.push((blob_name(&second), second_body.to_vec()));
        files.push(("manifest.json".to_owned(), list.to_string().into_bytes()));
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        fs::write(place.path(), [&members[..], &END[..]].concat()).unwrap();
        DockerArchive::open(place.path(), Limits::DEFAULT)
    };
    let archive = open(second.bytes()).unwrap();
    for tag in ["v1", "v2", "absent"] {
        let named = TagOrDigest::Tag(tag.to_owned());
        assert_eq!(archive.choose(Some(named.clone())).unwrap(), named);
    }
    assert!(matches!(archive.choose(None), Err(StoreError::Ambiguous { .. })));
    assert!(matches!(open(b"{\"second\":2}").err(), Some(StoreError::Contradiction { .. })));
}

// The image that is verified is the one that is loaded (threats: docker-archive-lists-differ).
#[test]
fn the_image_that_is_chosen_is_the_one_that_is_loaded() {
    let good = parts();
    let evil = Content::from_bytes(media_type::OCI_CONFIG, b"{\"evil\":1}".to_vec());
    let disguised = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "subject": good.manifest.descriptor(),
        "config": evil.descriptor(), "layers": [good.layer.descriptor()],
    });
    let disguised = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&disguised).unwrap());
    let place = TestDirectory::new();
    let mut files = good.files();
    let listed = [good.manifest.descriptor().bare(), disguised.descriptor().bare()];
    let listed = serde_json::json!({ "schemaVersion": 2, "manifests": listed });
    files[4].1 = serde_json::to_vec(&listed).unwrap();
    files.push((blob_name(&disguised), disguised.bytes().to_vec()));
    files.push((blob_name(&evil), evil.bytes().to_vec()));
    let entry = |config: &Content| serde_json::json!({ "Config": blob_name(config), "RepoTags": ["app:v1"], "Layers": [blob_name(&good.layer)] });
    // With the image store of containerd the disguised one is loaded too.
    for list in [vec![entry(&good.config)], vec![entry(&evil)], vec![entry(&good.config), entry(&evil)], vec![]] {
        let list = serde_json::to_vec(&list).unwrap();
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        fs::write(place.path(), [members, file("manifest.json", &list), END.to_vec()].concat()).unwrap();
        let archive = DockerArchive::open(place.path(), Limits::DEFAULT).unwrap();
        let chosen = archive.choose(None);
        assert!(matches!(chosen, Err(StoreError::Contradiction { .. })), "{}", String::from_utf8_lossy(&list));
    }
    // With the image store of containerd all that has a name is loaded, and `manifest.json` is not asked.
    let attached = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "subject": good.manifest.descriptor(),
        "config": referrer::empty_config().descriptor(), "layers": [good.layer.descriptor()],
    });
    let attached = Content::from_bytes(media_type::OCI_MANIFEST, serde_json::to_vec(&attached).unwrap());
    files.push((blob_name(&attached), attached.bytes().to_vec()));
    for (key, name, right) in [
        ("org.opencontainers.image.ref.name", "other:v2".to_owned(), false),
        ("io.containerd.image.name", "docker.io/library/other:v2".to_owned(), false),
        ("org.opencontainers.image.ref.name", format!("sha256-{}.sig", good.manifest.digest().hex()), true),
        ("org.opencontainers.image.title", "other:v2".to_owned(), true),
    ] {
        let mut named = attached.descriptor().bare();
        named.annotations.insert(key.to_owned(), name.clone());
        let listed = serde_json::json!({ "schemaVersion": 2, "manifests": [good.manifest.descriptor().bare(), named] });
        files[4].1 = serde_json::to_vec(&listed).unwrap();
        let list = serde_json::to_vec(&[entry(&good.config)]).unwrap();
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        fs::write(place.path(), [members, file("manifest.json", &list), END.to_vec()].concat()).unwrap();
        let archive = DockerArchive::open(place.path(), Limits::DEFAULT).unwrap();
        assert_eq!(archive.choose(None).is_ok(), right, "{key}: {name}");
    }
    // A name that is typed is not that of another image for containerd, which goes by the full names.
    for (full, typed, right) in [
        ("docker.io/library/app:v2", "v2", false),
        // The end of a full name is a name: it means the other image, which is not loaded.
        ("docker.io/library/app:v2", "app:v2", false),
        ("docker.io/library/app:v3", "v2", true),
        ("docker.io/library/v2:latest", "v2", false),
    ] {
        let mut named = disguised.descriptor().bare();
        named.annotations.insert("io.containerd.image.name".to_owned(), full.to_owned());
        let mut meant = good.manifest.descriptor().bare();
        meant.annotations.insert("org.opencontainers.image.ref.name".to_owned(), "v2".to_owned());
        let listed = serde_json::json!({ "schemaVersion": 2, "manifests": [meant, named] });
        files[4].1 = serde_json::to_vec(&listed).unwrap();
        let list = serde_json::json!([{ "Config": blob_name(&good.config), "Layers": [blob_name(&good.layer)] }]);
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        let list = file("manifest.json", &serde_json::to_vec(&list).unwrap());
        fs::write(place.path(), [members, list, END.to_vec()].concat()).unwrap();
        let archive = DockerArchive::open(place.path(), Limits::DEFAULT).unwrap();
        let chosen = archive.choose(Some(TagOrDigest::Tag(typed.to_owned())));
        assert_eq!(chosen.is_ok(), right, "{full}: {typed}: {chosen:?}");
    }
    let archive = docker(&docker_list(&blob_name(&good.config), &[&blob_name(&good.layer)], &[]), b"").unwrap();
    for (digest, right) in [(good.manifest.digest(), true), (good.config.digest(), false), (evil.digest(), true)] {
        let named = TagOrDigest::Digest(*digest);
        assert_eq!(archive.choose(Some(named)).is_ok(), right, "a missing image is found to be missing");
    }
}

// Loaders are written in Go, and ignore the case of a key (threats: json-keys-differ-by-case).
#[test]
fn docker_archive_keys_that_differ_by_case_are_refused() {
    let good = parts();
    let (config, layer) = (blob_name(&good.config), blob_name(&good.layer));
    for key in ["config", "CONFIG", "layers", "Layer\u{17f}", "repotags", "repoTag\u{17f}", "PARENT"] {
        let list = format!(r#"[{{"Config":"{config}","Layers":["{layer}"],"RepoTags":["app:v1"],"{key}":null}}]"#);
        let error = docker(&list, b"").err().unwrap();
        assert!(matches!(error, StoreError::Contradiction { .. }), "{key}: {error}");
    }
    for key in ["Parent", "LayerSources", "Created"] {
        let list = format!(r#"[{{"Config":"{config}","Layers":["{layer}"],"RepoTags":["app:v1"],"{key}":null}}]"#);
        assert!(docker(&list, b"").is_ok(), "{key}");
    }
    let list = docker_list(&config, &[&layer], &["app:v1"]);
    let entry = serde_json::to_string(good.manifest.descriptor()).unwrap();
    for (index, right) in [
        (format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#), true),
        (format!(r#"{{"schemaVersion":2,"manifests":[{entry}],"Manifests":[]}}"#), false),
        (format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry.replacen('{', r#"{"Annotations":{},"#, 1)), false),
        (format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry.replacen('{', r#"{"dige\u0073T":"","#, 1)), false),
    ] {
        let place = TestDirectory::new();
        let mut files = good.files();
        files[4].1 = index.clone().into_bytes();
        files.push(("manifest.json".to_owned(), list.clone().into_bytes()));
        let members: Vec<u8> = files.iter().flat_map(|(name, body)| file(name, body)).collect();
        fs::write(place.path(), [&members[..], &END[..]].concat()).unwrap();
        let opened = DockerArchive::open(place.path(), Limits::DEFAULT);
        assert_eq!(opened.is_ok(), right, "{index}: {:?}", opened.err());
    }
}

// ---------------------------------------------------------------------------------------------- writing

// A name that another user prepared as a link is not written through (threats: link-in-target).
#[test]
fn links_in_the_target_are_not_written_through() {
    let place = TestDirectory::new();
    let path = place.0.path().join("layout");
    let victim = place.0.path().join("victim");
    let blob = Content::from_bytes("x", b"new".to_vec());
    parts().directory(&path);
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, path.join(blob_name(&blob))).unwrap();
    symlink(&victim, path.join(".bulla.lock")).unwrap();
    let layout = Layout::create(&path, Limits::DEFAULT).unwrap();
    assert!(now(layout.push_content(&blob)).is_err());
    fs::remove_file(path.join(".bulla.lock")).unwrap();
    let error = now(layout.push_content(&blob)).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    let archive = place.0.path().join("new.tar");
    symlink(&victim, place.0.path().join(".new.tar.bulla.lock")).unwrap();
    let archive = Archive::create(archive, Limits::DEFAULT).unwrap();
    assert!(now(archive.push_content(&blob)).is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

// If the target cannot be written, nothing changes, and the error names the path (threats: target-not-writable).
#[test]
fn a_target_that_cannot_be_written_changes_nothing() {
    let place = TestDirectory::new();
    let blob = Content::from_bytes("x", b"new".to_vec());
    for path in ["/proc/nowhere/image.tar", "/nowhere/image.tar"] {
        let archive = Archive::create(path, Limits::DEFAULT).unwrap();
        let error = now(archive.push_content(&blob)).unwrap_err();
        assert!(matches!(&error, StoreError::Io { path, .. } if path.contains("nowhere")), "{error}");
    }
    let layout = Layout::create("/proc/nowhere/layout", Limits::DEFAULT).unwrap();
    assert!(matches!(now(layout.push_content(&blob)), Err(StoreError::Io { .. })));
    let file = place.0.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(Layout::create(&file, Limits::DEFAULT).is_err());
    assert!(Archive::create(place.0.path(), Limits::DEFAULT).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "x");
}
