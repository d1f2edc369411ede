//! `.ci/release`: what it refuses before it makes a file, and what it leaves when it is stopped; `.ci/release-tools`: where
//! it takes the compiler for aarch64 from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A repository with the script, a manifest and a changelog, whose one commit has the tag `v1.2.3`.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: TempDir::new().unwrap() };
        for file in [".ci/release", ".ci/release-tools", ".gitignore"].into_iter().map(PathBuf::from).chain(parts()) {
            let to = repository.path().join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(Path::new(ROOT).join(file), to).unwrap();
        }
        repository.write("Cargo.toml", "[package]\nname = \"bulla\"\nversion = \"1.2.3\"\n");
        repository.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-27\n");
        repository.git(&["init", "--quiet"]);
        repository.commit("2026-11-27T00:00:00Z");
        repository.git(&["tag", "v1.2.3"]);
        repository
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        git(&self.path(), arguments, "2026-11-27T00:00:00Z");
    }

    fn commit(&self, date: &str) {
        self.git(&["add", "--all"]);
        git(&self.path(), &["commit", "--quiet", "--message", "release"], date);
    }

    /// A commit with these changes, which the tag names as well.
    fn tag_again(&self, date: &str) {
        self.commit(date);
        self.git(&["tag", "--force", "v1.2.3"]);
    }

    /// Runs the script, which must refuse with this text and leave the repository as it was.
    fn refuses(&self, arguments: &[&str], want: &str) {
        refuses(&self.path(), arguments, &[], want);
    }

    /// A version of a tool or a package that the script wants.
    fn wanted(&self, name: &str) -> String {
        let checks = fs::read_to_string(self.path().join(".ci/release.d/checks")).unwrap();
        checks.split(&format!("{name}=")).nth(1).unwrap().split([' ', ')', '\n']).next().unwrap().to_owned()
    }

    /// A folder with the list that cargo keeps of the tools, which are there.
    fn tools(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        let mut list = "[v1]\n".to_owned();
        for tool in ["auditable", "about", "deb", "cyclonedx"] {
            let version = self.wanted(&format!("{tool}_version"));
            list += &format!("\"cargo-{tool} {version} (registry+https://example.com/index)\" = [\"cargo-{tool}\"]\n");
        }
        fs::write(folder.path().join(".crates.toml"), list).unwrap();
        folder
    }

    /// A folder like the Debian root for aarch64, and a `dpkg-query` that knows its packages, but one in another version.
    fn aarch64(&self, other: &str) -> (TempDir, String) {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("sysroot")).unwrap();
        fs::write(root.path().join("sysroot/version"), format!("{}14\n", self.wanted("release_glibc"))).unwrap();
        let mut query = "case $* in\n*admindir=*/var/lib/dpkg*".to_owned();
        query += " ) for package; do :; done; case $package in\n";
        for name in PACKAGES {
            let version = if name == other { "0.1".to_owned() } else { self.wanted(name) };
            query += &format!("    {name}) printf %s '{version}' ;;\n");
        }
        (root, query + "    esac ;;\n*) echo " + &self.wanted("release_glibc") + "14 ;;\nesac")
    }
}

const PACKAGES: [&str; 5] =
    ["rustc", "cargo", "libstd-rust-dev:arm64", "gcc-16-aarch64-linux-gnu", "binutils-aarch64-linux-gnu"];

/// The files that the script reads.
fn parts() -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join(".ci/release.d");
    fs::read_dir(folder).unwrap().map(|file| Path::new(".ci/release.d").join(file.unwrap().file_name())).collect()
}

fn git(folder: &Path, arguments: &[&str], date: &str) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "user.name=Releaser", "-c", "user.email=releaser@example.com"]);
    git.args(["-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"]).args(arguments);
    let output = git.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn refuses(folder: &Path, arguments: &[&str], environment: &[(&str, &Path)], want: &str) {
    let (_stand_ins, path) = stand_ins(&[]);
    let (before, beside) = (names(folder), names(folder.parent().unwrap()));
    let mut script = Command::new(folder.join(".ci/release"));
    script.current_dir("/").args(arguments).env("BULLA_TOOLS", "/nonexistent/tools").env("PATH", path);
    let output = script.envs(environment.iter().copied()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(error.contains(want), "{arguments:?}: wanted {want:?}, found {error:?}");
    assert!(error.starts_with("error: "), "{error}");
    assert_eq!((names(folder), names(folder.parent().unwrap())), (before, beside), "{arguments:?} left files");
}

#[test]
fn arguments_that_it_does_not_know_are_refused() {
    let repository = Repository::new();
    for (arguments, want) in [
        (&[][..], "`` is not a version"),
        (&["v1.2.3"], "`v1.2.3` is not a version"),
        (&["1.2.3", "1.2.4"], "two versions"),
        (&["1.2.3", "--fast"], "unknown option --fast"),
        (&["1.2.3-rc.1"], "`1.2.3-rc.1` is a pre-release, which this script does not build"),
        (&["1.2.3", "--output"], "--output has no value"),
        (&["1.2.3", "--targets", ""], "--targets has no value"),
        (&["1.2.3", "--only", ""], "--only has no value"),
        (&["1.2.3", "--targets", "x86_64 aarch64"], "`x86_64 aarch64` is none of"),
        (&["1.2.3", "--only", "bulla,bull"], "`bull` is none of"),
        (&["1.2.3", "--targets", "riscv64"], "`riscv64` is none of"),
        (&["1.2.3", "--source-archive", "absent.tar.gz"], "absent.tar.gz does not exist"),
        (&["--check", "1.2.3", "--source-archive", "/dev/null"], "--check makes the source archive itself"),
    ] {
        repository.refuses(arguments, want);
    }
}

#[test]
fn a_version_without_a_tag_is_refused() {
    Repository::new().refuses(&["1.2.4"], "the tag v1.2.4 does not exist");
}

/// Its first build names the fault, and nothing else is said.
#[test]
fn three_builds_of_a_version_without_a_tag_say_it_once() {
    let repository = Repository::new();
    let (_stand_ins, path) = stand_ins(&[]);
    let mut script = Command::new(repository.path().join(".ci/release"));
    script.args(["--check", "1.2.4"]).env("BULLA_TOOLS", "/nonexistent/tools").env("PATH", path);
    let output = script.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error, "error: the tag v1.2.4 does not exist\nhint: git tag v1.2.4, or git fetch --tags\n");
    assert!(!names(&repository.path()).iter().any(|name| name.starts_with("dist")), "files are left");
}

#[test]
fn an_environment_without_a_home_directory_is_refused() {
    let repository = Repository::new();
    let output = Command::new(repository.path().join(".ci/release")).arg("1.2.3").env_remove("HOME").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: HOME is not set\nhint: "));
}

#[test]
fn a_tag_of_another_commit_is_refused() {
    let repository = Repository::new();
    repository.write("README.md", "later\n");
    repository.commit("2026-11-27T00:00:00Z");
    repository.refuses(&["1.2.3"], "the tag v1.2.3 is commit");
}

#[test]
fn a_tag_that_is_not_the_version_of_the_manifest_is_refused() {
    let repository = Repository::new();
    repository.write("Cargo.toml", "[package]\nname = \"bulla\"\nversion = \"1.2.2\"\n");
    repository.tag_again("2026-11-27T00:00:00Z");
    repository.refuses(&["1.2.3"], "the tag is v1.2.3, and the version in Cargo.toml is 1.2.2");
}

#[test]
fn a_changed_tree_is_refused() {
    for (name, text) in [("CHANGELOG.md", "changed\n"), ("src/new.rs", "new\n")] {
        let repository = Repository::new();
        fs::create_dir_all(repository.path().join("src")).unwrap();
        repository.write(name, text);
        repository.refuses(&["1.2.3"], "the tree is not the one of the commit");
    }
}

/// Nor is it one where the configuration of git hides what is new.
#[test]
fn a_changed_tree_is_refused_where_git_is_told_to_hide_it() {
    let repository = Repository::new();
    repository.git(&["config", "status.showUntrackedFiles", "no"]);
    repository.write("new.rs", "new\n");
    repository.refuses(&["1.2.3"], "the tree is not the one of the commit");
}

/// cargo reads the configuration of the folders above, as that of the home directory, and a linker there decides bytes.
#[test]
fn a_configuration_of_cargo_above_the_clone_is_refused() {
    for name in ["config", "config.toml"] {
        let repository = Repository::new();
        let folder = repository.folder.path().join(".cargo");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "[target.x86_64-unknown-linux-gnu]\nlinker = \"mold\"\n").unwrap();
        let want = format!(".cargo/{name}, and what it sets can change the bytes");
        repository.refuses(&["1.2.3"], &want);
        // The configuration of the source itself is the same for everybody, also where one clone is in another.
        fs::create_dir_all(repository.path().join(".cargo")).unwrap();
        fs::copy(folder.join(name), repository.path().join(".cargo/config.toml")).unwrap();
        repository.tag_again("2026-11-27T00:00:00Z");
        repository.refuses(&["1.2.3", "--source-archive", "/dev/null"], "/dev/null is not the source archive");
    }
}

#[test]
fn a_version_without_a_section_in_the_changelog_is_refused() {
    // A section of a longer version is another section.
    for section in ["Unreleased", "1.2.30", "1x2.3"] {
        let repository = Repository::new();
        repository.write("CHANGELOG.md", &format!("# Changelog\n\n## [{section}]\n\nSee [1.2.3].\n"));
        repository.tag_again("2026-11-27T00:00:00Z");
        let want = "CHANGELOG.md has no section `## [1.2.3]`\nhint: add it, commit it and tag that commit";
        repository.refuses(&["1.2.3"], want);
    }
}

#[test]
fn a_shallow_clone_is_refused() {
    let repository = Repository::new();
    repository.write("README.md", "later\n");
    repository.tag_again("2026-11-27T00:00:00Z");
    let shallow = TempDir::new().unwrap();
    let from = format!("file://{}", repository.path().display());
    git(shallow.path(), &["clone", "--quiet", "--depth=1", &from, "clone"], "2026-11-27T00:00:00Z");
    refuses(&shallow.path().join("clone"), &["1.2.3"], &[], "this is a shallow clone");
}

#[test]
fn a_folder_without_a_repository_is_refused() {
    let repository = Repository::new();
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    repository.refuses(&["1.2.3"], "this is no git repository");
}

#[test]
fn a_clock_before_the_commit_is_refused() {
    let repository = Repository::new();
    repository.write("README.md", "from the future\n");
    repository.tag_again("2090-01-01T00:00:00Z");
    repository.refuses(&["1.2.3"], "which is before the commit (2090-01-01T00:00:00Z)");
}

#[test]
fn an_output_that_exists_is_refused() {
    let repository = Repository::new();
    fs::create_dir(repository.path().join("dist")).unwrap();
    let dist = repository.path().join("dist");
    repository.refuses(&["1.2.3", "--output", dist.to_str().unwrap()], "exists already");
    repository.refuses(&["1.2.3"], "exists already");
}

/// A `df` that knows of one byte stands for a full disk.
#[test]
fn a_full_disk_is_refused() {
    let repository = Repository::new();
    let (_stand_ins, path) = stand_ins(&[("df", "echo Avail; echo 1")]);
    refuses(&repository.path(), &["1.2.3"], &[("PATH", Path::new(&path))], "has 0 GiB free");
}

#[test]
fn a_tool_that_is_absent_is_named() {
    let repository = Repository::new();
    let (_stand_ins, path) = stand_ins(&[("df", ENOUGH)]);
    let environment = [("PATH", Path::new(&path)), ("BULLA_TOOLS", Path::new("/nonexistent/tools"))];
    let want =
        "error: cargo-auditable is not installed in /nonexistent/tools\nhint: as root: BULLA_TOOLS=/nonexistent/tools ";
    refuses(&repository.path(), &["1.2.3"], &environment, want);
}

/// Before a check that needs it: without git, nothing can be said about the clone, and without jq about the archive.
#[test]
fn a_command_that_is_absent_is_named_first() {
    let repository = Repository::new();
    for absent in ["cargo", "git", "jq", "chroot"] {
        // The PATH has these commands and no others.
        let (folder, _) = stand_ins(&[]);
        for command in
            ["bash", "cargo", "chroot", "dirname", "env", "git", "gzip", "realpath", "rustc", "sha256sum", "tar"]
        {
            let found = Command::new("sh")
                .args(["-c", &format!("PATH=$PATH:/usr/sbin command -v {command}")])
                .output()
                .unwrap();
            let found = String::from_utf8(found.stdout).unwrap();
            std::os::unix::fs::symlink(found.trim_end(), folder.path().join(command)).unwrap();
        }
        fs::remove_file(folder.path().join(absent)).unwrap();
        // In the environment of the script, /usr/sbin is in the PATH, and may have commands of /usr/bin.
        let mut script = Command::new("bash");
        let checks = "fail() { echo \"error: $1, hint: $2\"; exit 1; }; tools=/tools aarch64_root=/root
            . .ci/release.d/checks; check_commands";
        script.current_dir(repository.path()).args(["-c", checks]).env("PATH", folder.path());
        let output = script.output().unwrap();
        let error = String::from_utf8_lossy(&output.stdout);
        let hint = if absent == "cargo" { "rustup toolchain install " } else { "as root: BULLA_TOOLS=/tools " };
        assert!(error.starts_with(&format!("error: {absent} is not installed, hint: {hint}")), "{absent}: {error}");
    }
    let checks = fs::read_to_string(repository.path().join(".ci/release.d/checks")).unwrap();
    let first = checks.split("\ncheck_everything() {\n").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(first.trim(), "check_commands");
}

/// An ordinary user reads the list of the tools, which belongs to root and which cargo would open for writing.
#[test]
fn the_versions_of_the_tools_are_read_without_cargo() {
    let repository = Repository::new();
    let tools = repository.tools();
    let list = tools.path().join(".crates.toml");
    let text = fs::read_to_string(&list).unwrap();
    let want = repository.wanted("deb_version");
    for (text, error) in [
        (
            text.replace(&format!("cargo-deb {want} "), "cargo-deb 0.0.1 "),
            format!("has version 0.0.1, and this release wants {want}"),
        ),
        (text.replace("cargo-deb", "cargo-debian"), "cargo-deb is not installed in ".to_owned()),
        (text, "the compiler is rustc 1.9.0".to_owned()),
    ] {
        fs::write(&list, text).unwrap();
        let (_stand_ins, path) = stand_ins(&[("df", ENOUGH), ("cargo", "exit 1"), ("rustc", "echo rustc 1.9.0")]);
        let environment = [("PATH", Path::new(&path)), ("BULLA_TOOLS", tools.path())];
        refuses(&repository.path(), &["1.2.3", "--targets", "x86_64", "--only", "bulla"], &environment, &error);
    }
}

#[test]
fn a_system_with_another_glibc_is_refused() {
    let repository = Repository::new();
    let tools = repository.tools();
    for (query, found) in [("echo 2.41-12", "2.41-12"), ("exit 1", "a system without libc6-dev")] {
        let (_stand_ins, path) = stand_ins(&[("df", ENOUGH), ("rustc", RUSTC), ("dpkg-query", query)]);
        let environment = [("PATH", Path::new(&path)), ("BULLA_TOOLS", tools.path())];
        let want = format!(
            "a release is built on Debian 12, with glibc {}*, and this is {found}",
            repository.wanted("release_glibc")
        );
        refuses(&repository.path(), &["1.2.3", "--targets", "x86_64", "--only", "bulla"], &environment, &want);
    }
}

/// The compiler of the Debian root for aarch64 decides the bytes like the one of this machine.
#[test]
fn another_compiler_for_aarch64_is_refused() {
    let repository = Repository::new();
    let tools = repository.tools();
    let refuses_root = |root: &Path, query: &str, unshare: &str, want: &str| {
        let scripts = [("df", ENOUGH), ("rustc", RUSTC), ("dpkg-query", query), ("unshare", unshare)];
        let (_stand_ins, path) = stand_ins(&scripts);
        let environment = [("PATH", Path::new(&path)), ("BULLA_TOOLS", tools.path()), ("BULLA_AARCH64", root)];
        refuses(&repository.path(), &["1.2.3", "--targets", "aarch64", "--only", "bulla"], &environment, want);
    };
    for name in PACKAGES {
        let (root, query) = repository.aarch64(name);
        let want = format!("wants:\n{name} is 0.1, not {}\nhint: as root: BULLA_DEBIAN=http", repository.wanted(name));
        refuses_root(root.path(), &query, ":", &want);
    }
    let (root, query) = repository.aarch64("");
    fs::write(root.path().join("sysroot/version"), "2.41-12\n").unwrap();
    refuses_root(root.path(), &query, ":", "wants:\nglibc for aarch64 is 2.41-12, not ");
    // The root is the one that is wanted, and the reason why it cannot be entered is the one that the system gives.
    fs::write(root.path().join("sysroot/version"), repository.wanted("release_glibc") + "14\n").unwrap();
    let reason = "cannot be entered: unshare: no\nhint: an ordinary user can enter it";
    refuses_root(root.path(), &query, "echo unshare: no >&2; exit 1", reason);
    fs::remove_dir_all(root.path().join("sysroot")).unwrap();
    refuses_root(
        root.path(),
        &query,
        ":",
        "is not the Debian root that builds for aarch64\nhint: as root: BULLA_DEBIAN=http",
    );
}

/// Both parts of the root come from the mirror that is named, and a mirror with other versions replaces no root.
#[test]
fn the_compiler_for_aarch64_is_taken_from_the_mirror_that_is_named() {
    let repository = Repository::new();
    let tools = repository.tools();
    fs::create_dir(tools.path().join("bin")).unwrap();
    let syft = format!("echo syft {}", repository.wanted("syft_version"));
    executable(&tools.path().join("bin/syft"), &syft);
    // Root makes the folders of a user, and they are the user's. An ordinary user who runs this test is the only one.
    let home = TempDir::new().unwrap();
    let _ = std::os::unix::fs::chown(home.path(), Some(12345), Some(12345));
    let place = home.path().join("cache/bulla");
    let root = place.join("aarch64");
    let makes = "for mirror; do root=$before before=$mirror; done
mkdir -p $root/etc/apt/sources.list.d $root/usr/local/bin && echo $mirror > $root/mirror";
    // The second `apt-get update` in the root reads the list of Debian 12.
    let enters = "list=$1/etc/apt/sources.list.d/bookworm.list; [ ! -e $list ] || cp $list $1/list
case $* in *download*) touch $1/sysroot/packages/libc6-dev_2.36.deb ;; esac";
    let unpacks = format!("[ $1 != -f ] || echo {}14", repository.wanted("release_glibc"));
    let run = |query: &str, mirror: Option<&str>| -> Output {
        let scripts = [
            ("id", "echo 0"),
            ("apt-get", ":"),
            ("debootstrap", makes),
            ("chroot", enters),
            ("dpkg-deb", unpacks.as_str()),
            ("dpkg-query", query),
        ];
        let (_stand_ins, path) = stand_ins(&scripts);
        let mut script = Command::new(repository.path().join(".ci/release-tools"));
        script
            .env("PATH", path)
            .env("BULLA_TOOLS", tools.path())
            .env("BULLA_AARCH64", &root)
            .env_remove("BULLA_DEBIAN");
        script.envs(mirror.map(|mirror| ("BULLA_DEBIAN", mirror))).output().unwrap()
    };
    let (_root, right) = repository.aarch64("");
    let (_root, wrong) = repository.aarch64("rustc");
    let day = "http://snapshot.debian.org/archive/debian/20261030T120000Z";
    for (query, mirror, security, code) in [
        (&right, Some(day), "http://snapshot.debian.org/archive/debian-security/20261030T120000Z", 0),
        // What is right is kept.
        (
            &right,
            Some("http://example.com/debian"),
            "http://snapshot.debian.org/archive/debian-security/20261030T120000Z",
            0,
        ),
        (
            &wrong,
            Some("http://example.com/debian"),
            "http://snapshot.debian.org/archive/debian-security/20261030T120000Z",
            1,
        ),
        (
            &right,
            Some("http://example.com/sid"),
            "http://snapshot.debian.org/archive/debian-security/20261030T120000Z",
            1,
        ),
    ] {
        let output = run(query, mirror);
        let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{mirror:?}: {printed}");
        let list = fs::read_to_string(root.join("list")).unwrap();
        assert_eq!(fs::read_to_string(root.join("mirror")).unwrap().trim_end(), day);
        assert_eq!(
            list,
            format!("deb [arch=arm64] {day} bookworm main\ndeb [arch=arm64] {security} bookworm-security main\n")
        );
        assert_eq!(names(&place), ["aarch64", "aarch64.log"], "{mirror:?}");
        if code == 1 && mirror != Some("http://example.com/sid") {
            let want =
                format!("has other versions than a release wants:\nrustc is 0.1, not {}", repository.wanted("rustc"));
            assert_eq!(printed.matches(&want).count(), 2, "of the root, and of the mirror: {printed}");
            assert!(
                printed.contains("\nhint: take those of the day that has them, as root: BULLA_DEBIAN=http"),
                "{printed}"
            );
        }
    }
    let owner = |folder: &Path| fs::metadata(folder).unwrap().uid();
    assert_eq!((owner(&home.path().join("cache")), owner(&place)), (owner(home.path()), owner(home.path())));
    assert_eq!(owner(&root), owner(&place.join("aarch64.log")), "the root is not the user's");
    // A root with another glibc is made anew, from the mirror of today.
    fs::write(root.join("sysroot/version"), "2.41-12\n").unwrap();
    let output = run(&right, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = fs::read_to_string(root.join("list")).unwrap();
    assert!(list.contains(" http://deb.debian.org/debian bookworm "), "{list}");
    assert!(list.contains(" http://deb.debian.org/debian-security bookworm-security "), "{list}");
}

/// Ctrl-C, a signal or an error ends the compilers, which are processes of cargo, before the folder of the build is removed.
#[test]
fn a_build_that_is_stopped_leaves_no_process() {
    let repository = Repository::new();
    fs::create_dir(repository.path().join(".cargo")).unwrap();
    repository.write(".cargo/config.toml", "");
    repository.tag_again("2026-11-27T00:00:00Z");
    let tools = repository.tools();
    let place = TempDir::new().unwrap();
    let cargo = "case $1 in
fetch) ;;
package) mkdir -p $CARGO_HOME/../package/package $CARGO_HOME/../x/bulla-1.2.3/vendor $CARGO_HOME/../x/bulla-1.2.3/.cargo
    printf '[package]\nversion = \"1.2.3\"\n' > $CARGO_HOME/../x/bulla-1.2.3/Cargo.toml
    tar -C $CARGO_HOME/../x -czf $CARGO_HOME/../package/package/bulla-1.2.3.crate bulla-1.2.3 ;;
vendor) mkdir -p vendor/a-1 ;;
tree) echo a v1 ;;
esac";
    // It starts a compiler that writes into the folder of the build, also one that was removed.
    let auditable = format!(
        "sh -c 'trap : TERM; while :; do mkdir -p '$CARGO_TARGET_DIR'; echo $$ > {0}/$$; sleep 0.05; done' & wait",
        place.path().display()
    );
    let (_stand_ins, path) =
        stand_ins(&[("df", ENOUGH), ("cargo", cargo), ("cargo-auditable", auditable.as_str()), ("rustc", RUSTC)]);
    for (signal, check, code) in
        [("INT", false, 130), ("TERM", false, 143), ("HUP", false, 129), ("INT", true, 130), ("TERM", true, 143)]
    {
        // A shell that runs the tests in the background ignores SIGINT, and so would the script.
        let mut script = Command::new("env");
        script.arg("--default-signal=HUP,INT,TERM").arg(repository.path().join(".ci/release"));
        script.args(["1.2.3", "--targets", "x86_64", "--only", "bulla,bulla-signer-static"]);
        script.args(check.then_some("--check")).env("PATH", &path);
        script.env("BULLA_TOOLS", tools.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut script = script.spawn().unwrap();
        until("two compilers run", &mut script, || names(place.path()).len() >= 2);
        let compilers = names(place.path());
        assert!(kill(signal, &script.id().to_string()), "{signal}");
        let ended = script.wait().unwrap().code();
        // The script has ended, and so have they: nothing makes the folder again.
        let left = compilers.iter().filter(|process| is_running(process)).count();
        for process in compilers.iter().filter(|process| is_running(process)) {
            kill("KILL", process);
        }
        assert_eq!((ended, left), (Some(code), 0), "{signal}, --check: {check}: the exit code, compilers that run on");
        assert!(!names(&repository.path()).iter().any(|name| name.starts_with("dist")), "{signal}: files are left");
        for process in compilers {
            fs::remove_file(place.path().join(process)).unwrap();
        }
    }
}

/// Sends a signal by the command of the shell, which needs no package.
fn kill(signal: &str, process: &str) -> bool {
    Command::new("sh").args(["-c", &format!("kill -s {signal} {process}")]).status().unwrap().success()
}

/// A process that has ended and that no other has waited for does nothing any more.
fn is_running(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn until(what: &str, script: &mut Child, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        let ended = script.try_wait().unwrap();
        if ended.is_some() || start.elapsed() > Duration::from_secs(60) {
            let _ = script.kill();
            panic!("{what}: not within a minute, the script: {ended:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A static program may be a tenth larger than the one for glibc, and no more.
#[test]
fn a_static_program_that_is_much_larger_is_refused() {
    let place = TempDir::new().unwrap();
    for (program, size) in [("bulla", 1000), ("bulla-signer", 1000), ("bulla-static", 1100)] {
        let folder = place.path().join("programs/x86_64").join(program);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("bulla"), vec![0u8; size]).unwrap();
    }
    let signer = place.path().join("programs/x86_64/bulla-signer-static");
    fs::create_dir(&signer).unwrap();
    let script = "fail() { echo \"error: $1\"; exit 1; }; wanted() { [ \"$1\" != \"${without:-}\" ]; }
        . .ci/release.d/programs; compare_sizes x86_64";
    for (size, without, want) in [
        (1100, "", ""),
        (
            1101,
            "",
            "error: bulla-signer-static for x86_64 has 1101 bytes, more than a tenth above the 1000 of bulla-signer\n",
        ),
        (1101, "bulla-signer", ""),
    ] {
        fs::write(signer.join("bulla"), vec![0u8; size]).unwrap();
        let mut shell = Command::new("bash");
        shell.current_dir(ROOT).args(["-c", script]).env("work", place.path()).env("without", without);
        let output = shell.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), want, "{size}");
        assert_eq!(output.status.success(), want.is_empty(), "{size}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A `cargo` that has all tools, and then no space to write its package.
#[test]
fn a_disk_that_fills_up_later_leaves_no_file() {
    let repository = Repository::new();
    let tools = repository.tools();
    let cargo = r#"case $1 in
fetch) ;;
*) touch "$TMPDIR/dist/half" && echo 'error: No space left on device' >&2 && exit 101 ;;
esac"#;
    let (_stand_ins, path) = stand_ins(&[("df", ENOUGH), ("cargo", cargo), ("rustc", RUSTC)]);
    let beside = names(repository.folder.path());
    let mut script = Command::new(repository.path().join(".ci/release"));
    script.args(["1.2.3", "--targets", "x86_64", "--only", "bulla-signer"]).env("PATH", path);
    let output = script.env("BULLA_TOOLS", tools.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(error.contains("No space left on device\nerror: stopped at line "), "{error}");
    assert!(error.contains(": cargo package "), "{error}");
    assert_eq!(names(repository.folder.path()), beside, "files are left");
    assert!(!names(&repository.path()).iter().any(|name| name.starts_with("dist")), "files are left");
}

#[test]
fn a_crate_that_was_not_fetched_is_named_with_the_command() {
    let repository = Repository::new();
    let tools = repository.tools();
    let cargo = "echo error: no matching package >&2; exit 101";
    let (_stand_ins, path) = stand_ins(&[("df", ENOUGH), ("cargo", cargo), ("rustc", RUSTC)]);
    let mut script = Command::new(repository.path().join(".ci/release"));
    script.args(["1.2.3", "--targets", "x86_64", "--only", "bulla-signer"]).env("PATH", path);
    let output = script.env("BULLA_TOOLS", tools.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let want = "error: no matching package
error: not every crate of Cargo.lock is here
hint: with a network: cargo fetch --locked\n";
    assert_eq!((output.status.code(), &*error), (Some(1), want));
}

/// The tools are there, and the compiler is another one.
#[test]
fn another_compiler_is_refused() {
    let repository = Repository::new();
    let tools = repository.tools();
    for other in ["rustc 1.9.0", "rustc 1.950.0", "rustc 2.95.0"] {
        let rustc = format!("echo {other}");
        let (_stand_ins, path) = stand_ins(&[("df", ENOUGH), ("rustc", rustc.as_str())]);
        let options = ["1.2.3", "--targets", "x86_64", "--only", "bulla-signer"];
        let want = format!("the compiler is {other}, and this release wants 1.");
        let environment = [("PATH", Path::new(&path)), ("BULLA_TOOLS", tools.path())];
        refuses(&repository.path(), &options, &environment, &want);
    }
}

/// A compiler of the version that the release wants, and tools for which it is enough to be there.
const RUSTC: &str = "sed -n 's/^rust_version=\\(.*\\)/rustc \\1.0/p' .ci/release.d/checks";
const OTHERS: [(&str, &str); 7] = [
    ("cc", ":"),
    ("jq", ":"),
    ("python3", ":"),
    ("readelf", ":"),
    ("dpkg-deb", ":"),
    ("dpkg-query", "sed -n 's/^release_glibc=\\(.*\\)/\\114/p' .ci/release.d/checks"),
    ("unshare", ":"),
];

/// A `df` for which there is enough space everywhere.
const ENOUGH: &str = "echo Avail; echo 99999999999";

/// Scripts that are found instead of these programs and of `OTHERS`, by the `PATH` that is returned.
fn stand_ins(scripts: &[(&str, &str)]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    for (name, text) in OTHERS.iter().chain(scripts) {
        executable(&folder.path().join(name), text);
    }
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path)
}

fn executable(file: &Path, text: &str) {
    fs::write(file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}
