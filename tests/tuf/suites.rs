//! The repositories and root files of other projects: what they accept is accepted, what they refuse is refused, each for
//! its own reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::tuf::ExpiryRule;
use bulla::tuf::RepositoryFile;
use bulla::tuf::RepositoryFileError;
use bulla::tuf::RepositorySource;
use bulla::tuf::TufError;
use bulla::tuf::TufRoot;
use bulla::tuf::VerifiedRepository;
use bulla::tuf::VerifiedTarget;
use serde_json::Value;

use crate::vectors;

/// A folder of metadata and the folder of targets beside or in it.
struct Folder {
    metadata: PathBuf,
    targets: PathBuf,
}

impl RepositorySource for Folder {
    fn read(&self, file: &RepositoryFile, limit: u64) -> Result<Option<Vec<u8>>, RepositoryFileError> {
        let folder = if matches!(file, RepositoryFile::Target { .. }) { &self.targets } else { &self.metadata };
        match fs::read(folder.join(file.name())) {
            Ok(bytes) if bytes.len() as u64 > limit => Err(RepositoryFileError::TooLong { limit }),
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Ok(None),
        }
    }
}

/// The code of the refusal, or of yes.
fn code<T>(result: Result<T, TufError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "accepted")
}

fn root_of(path: &Path) -> Result<TufRoot, TufError> {
    TufRoot::parse(&fs::read(path).unwrap(), &Limits::DEFAULT)
}

fn run(folder: &Folder, root: &Path, at: &str, target: Option<&str>) -> &'static str {
    let limits = Limits::DEFAULT;
    let verified = root_of(root).and_then(|root| {
        let at = Time::parse(at).unwrap();
        VerifiedRepository::verify(&root, None, folder, ExpiryRule::Refuse, at, &limits)
    });
    match (verified, target) {
        (Ok(verified), Some(name)) => code(VerifiedTarget::read(&verified, name, folder, &limits)),
        (verified, _) => code(verified),
    }
}

/// The time at which the repositories of sigstore-java were fresh, all but the one that is about it.
const JAVA: &str = "2023-02-13T15:00:00Z";

/// Cases with a repository: its name, the time, the target that is read, and what comes out.
const REPOSITORIES: &[(&str, &str, Option<&str>, &str)] = &[
    ("java-root-too-big", JAVA, None, "tuf-malformed"),
    ("java-root-unsigned", JAVA, None, "tuf-threshold"),
    // One of three signatures is damaged, and two are enough: the root is accepted, as the specification says, and the case
    // has no timestamp metadata.
    ("java-root-update-with-invalid-signature", JAVA, None, "tuf-missing"),
    ("java-root-wrong-version", JAVA, None, "tuf-version"),
    ("java-snapshot-invalid-hash", JAVA, None, "tuf-hash"),
    // Its length is not the one that the timestamp states, before anything in it is read.
    ("java-snapshot-target-missing", JAVA, None, "tuf-length"),
    // Without the state of a verification before, only the file of the older version is missing; with it, see below.
    ("java-snapshot-target-version-rollback", JAVA, None, "tuf-missing"),
    ("java-targets-download-invalid-hash", JAVA, Some("test.txt"), "tuf-hash"),
    ("java-targets-download-invalid-length", JAVA, Some("test.txt"), "tuf-length"),
    ("java-targets-expired", JAVA, None, "tuf-expired"),
    ("java-targets-invalid-hash", JAVA, None, "tuf-hash"),
    ("java-targets-snapshot-version-mismatch", JAVA, None, "tuf-version"),
    // A target in a folder: the metadata is accepted, and names with a path separator are not read.
    ("java-targets-with-subdirs", "2024-12-20T18:00:00Z", None, "accepted"),
    ("java-targets-with-subdirs", "2024-12-20T18:00:00Z", Some("subdir/test2.txt"), "tuf-target-name"),
    ("python-fishy_rolenames", "2026-11-26T12:00:00Z", None, "accepted"),
    ("python-repository", "2026-11-26T12:00:00Z", Some("file1.txt"), "accepted"),
    ("tough-cross-sign-root", "2020-01-01T00:00:00Z", None, "tuf-threshold"),
    ("tough-dubious-role-names", "2026-11-26T12:00:00Z", Some("1.txt"), "accepted"),
    ("tough-expired-repository", "2026-11-26T12:00:00Z", None, "tuf-expired"),
    ("tough-rotated-root", "2026-11-26T12:00:00Z", None, "accepted"),
    // Targets whose names lead out of a folder and in again: the metadata is accepted, and such names are not read.
    ("tough-safe-target-paths", "2026-11-26T12:00:00Z", None, "accepted"),
    ("tough-safe-target-paths", "2026-11-26T12:00:00Z", Some("foo/../bar/../baz/../data1.txt"), "tuf-target-name"),
];

/// Cases with a root file alone. That it has expired is judged later, where it is used.
const ROOTS: &[(&str, &str)] = &[
    ("rust-invalid-root-json-signature.root", "tuf-threshold"),
    ("rust-no-root-json-signatures.root", "tuf-threshold"),
    ("tough-duplicate-keyid", "tuf-malformed"),
    ("tough-duplicate-sigs", "tuf-signature-twice"),
    ("tough-ecdsa-new-type-sig-keys", "accepted"),
    ("tough-expired-root-json-signature", "accepted"),
    ("tough-hex-encoded-ecdsa-sig-keys", "accepted"),
    ("tough-invalid-root-json-signature", "tuf-threshold"),
    ("tough-mismatched-root-json-keyids", "tuf-threshold"),
    ("tough-pem-encoded-ecdsa-sig-keys", "accepted"),
];

#[test]
fn every_case_has_the_outcome_that_is_listed_here() {
    let Some(suite) = vectors::suite("tuf") else { return };
    let open = suite.join("open");
    let expected: Value = serde_json::from_slice(&fs::read(open.join("expected.json")).unwrap()).unwrap();
    let listed: BTreeSet<_> = REPOSITORIES.iter().map(|case| case.0).chain(ROOTS.iter().map(|case| case.0)).collect();
    assert_eq!(listed, expected.as_object().unwrap().keys().map(String::as_str).collect());
    let template = suite.join("shared/java-test-template");
    let mut wrong = Vec::new();
    for (name, at, target, wanted) in REPOSITORIES {
        let folder = open.join(name);
        let metadata = if folder.join("metadata").is_dir() { folder.join("metadata") } else { folder.clone() };
        // The suite of Java starts from version 1 of the root, where a case does not have its own.
        let start = [metadata.join("root.json"), metadata.join("1.root.json"), template.join("1.root.json")];
        let start = start.iter().find(|path| path.exists()).unwrap();
        let found = run(&Folder { metadata, targets: folder.join("targets") }, start, at, *target);
        if found != *wanted {
            wrong.push(format!("{name}: {found}, wanted {wanted}"));
        }
    }
    for (name, wanted) in ROOTS {
        let file = fs::read_dir(open.join(name)).unwrap().next().unwrap().unwrap().path();
        let found = code(root_of(&file));
        if found != *wanted {
            wrong.push(format!("{name}: {found}, wanted {wanted}: {:?}", root_of(&file).err()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The case is about a client that has verified the newest version before.
#[test]
fn a_snapshot_that_lists_older_targets_is_refused_after_a_newer_one() {
    let Some(suite) = vectors::suite("tuf") else { return };
    let template = suite.join("shared/java-test-template");
    let (root, at) = (root_of(&template.join("1.root.json")).unwrap(), Time::parse(JAVA).unwrap());
    let verify = |folder: &Path, previous| {
        let folder = Folder { metadata: folder.to_owned(), targets: folder.join("targets") };
        VerifiedRepository::verify(&root, previous, &folder, ExpiryRule::Refuse, at, &Limits::DEFAULT)
    };
    let newest = verify(&template, None).unwrap();
    assert!(verify(&template, Some(newest.state())).is_ok());
    let refused = verify(&suite.join("open/java-snapshot-target-version-rollback"), Some(newest.state()));
    // The timestamp has the version of the one before and other content, which is noticed first.
    assert_eq!(code(refused), "tuf-same-version");
}

/// The signatures cover what is read: with another expiry time they are of nothing.
#[test]
fn a_root_file_with_a_changed_byte_is_not_trusted() {
    let Some(suite) = vectors::suite("tuf") else { return };
    for name in
        ["tough-ecdsa-new-type-sig-keys", "tough-pem-encoded-ecdsa-sig-keys", "tough-hex-encoded-ecdsa-sig-keys"]
    {
        let text = fs::read_to_string(suite.join("open").join(name).join("root.json")).unwrap();
        let expires = text.split("\"expires\"").nth(1).unwrap().split('"').nth(1).unwrap();
        let later = text.replace(expires, "2999-01-01T00:00:00Z");
        assert_ne!(text, later);
        assert_eq!(code(TufRoot::parse(later.as_bytes(), &Limits::DEFAULT)), "tuf-threshold", "{name}");
    }
}
