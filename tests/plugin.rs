//! Keys behind plugins: what a plugin may answer, and everything else.
#![cfg(all(feature = "cli", unix))]
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
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use support::image;
use tempfile::TempDir;

/// A folder with the plugin `keys` installed, and an image.
struct TestDirectory {
    folder: TempDir,
}

struct ProgramOutput {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl TestDirectory {
    fn new() -> Self {
        let place = Self { folder: support::temp_dir() };
        place.install("keys");
        image::layout(&place.path("app"), &[(Some("v1"), &image::image(1))]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Installs the test plugin under a name.
    fn install(&self, name: &str) {
        let program = support::test_plugin();
        let folder = self.path("plugins").join(name);
        fs::create_dir_all(&folder).unwrap();
        symlink(program, folder.join(format!("notation-{name}"))).unwrap();
    }

    /// Installs a file as a plugin. Another program writes it: while we have it open, nobody can start it.
    fn script(&self, name: &str, text: &str, mode: &str) {
        let folder = self.path("plugins").join(name);
        let script = r#"mkdir -p "$1" && printf '%b\n' "$2" > "$1/$3" && chmod "$4" "$1/$3""#;
        let file = format!("notation-{name}");
        let status =
            Command::new("sh").args(["-c", script, "sh", folder.to_str().unwrap(), text, &file, mode]).status();
        assert!(status.unwrap().success());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("BULLA_PLUGIN_DIR", self.path("plugins"));
        command.args(args);
        command
    }

    fn bulla(&self, args: &[&str]) -> ProgramOutput {
        printed(&mut self.command(args))
    }

    /// Signs with a key of the plugin that has a fault.
    fn sign(&self, key: &str, fault: &str, at: &str) -> ProgramOutput {
        let keys = format!("keys={}", keys().display());
        let (fault, at) = (format!("fault={fault}"), format!("at={at}"));
        let key = format!("plugin:keys?key-id={key}");
        let config =
            ["--plugin-config", &keys, "--plugin-config", &fault, "--plugin-config", &at, "--plugin-timeout", "20"];
        self.bulla(&[&["sign", "oci:app:v1", "--key", &key][..], &config].concat())
    }

    fn index(&self) -> Vec<u8> {
        fs::read(self.path("app/index.json")).unwrap()
    }
}

impl ProgramOutput {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    fn tells(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is missing in\n{}", self.stderr);
        self
    }
}

fn printed(command: &mut Command) -> ProgramOutput {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    ProgramOutput { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin")
}

#[test]
fn every_kind_of_key_signs_every_format() {
    let place = TestDirectory::new();
    for (kind, algorithm, scheme) in [
        ("p256", "ECDSA P-256", "ECDSA P-256 SHA-256"),
        ("p384", "ECDSA P-384", "ECDSA P-384 SHA-384"),
        ("p521", "ECDSA P-521", "ECDSA P-521 SHA-512"),
        ("rsa2048", "RSA 2048", "RSA-PSS SHA-256"),
        ("rsa3072", "RSA 3072", "RSA-PSS SHA-384"),
        ("rsa4096", "RSA 4096", "RSA-PSS SHA-512"),
    ] {
        let key = format!("plugin:keys?key-id={kind}&config.keys={}", keys().display());
        let public = format!("{kind}.pub");
        place.bulla(&["key", "export", &key, "-o", &public]).expect(0);
        let exported = place.bulla(&["key", "export", keys().join(format!("{kind}.key")).to_str().unwrap()]).expect(0);
        assert_eq!(exported.stdout, fs::read_to_string(place.path(&public)).unwrap());
        assert!(place.bulla(&["key", "show", &key]).expect(0).stdout.contains(algorithm));
        for format in ["bundle", "tag"] {
            let layout = format!("{kind}-{format}");
            image::layout(&place.path(&layout), &[(Some("v1"), &image::image(1))]);
            let reference = format!("oci:{layout}:v1");
            place.bulla(&["sign", &reference, "--key", &key, "--format", format]).expect(0);
            let verified = place.bulla(&["verify", &reference, "--key", &public]).expect(0);
            assert!(verified.stdout.contains(scheme), "{}", verified.stdout);
        }
    }
}

/// The contract has RSA-PSS alone, so that is what a certification request of an RSA key is signed with.
#[test]
fn a_key_of_a_plugin_signs_files() {
    let place = TestDirectory::new();
    fs::write(place.path("app.txt"), "release 1.0\n").unwrap();
    fs::write(place.path("predicate.json"), "{}").unwrap();
    for (kind, scheme) in
        [("p256", "ECDSA P-256 SHA-256"), ("p384", "ECDSA P-384 SHA-384"), ("rsa2048", "RSA-PSS SHA-256")]
    {
        let key = format!("plugin:keys?key-id={kind}&config.keys={}", keys().display());
        let (public, bundle, other) = (format!("{kind}.pub"), format!("{kind}.json"), format!("{kind}-other.json"));
        place.bulla(&["key", "export", &key, "-o", &public]).expect(0);
        let sign = ["sign-blob", "app.txt", "--key", &key, "--bundle", &bundle, "--output", "json"];
        assert!(place.bulla(&sign).expect(0).stdout.contains(scheme), "{kind}");
        let verified = place.bulla(&["verify-blob", "app.txt", "--key", &public, "--bundle", &bundle]).expect(0);
        assert!(verified.stdout.contains(scheme), "{kind}: {}", verified.stdout);
        place.bulla(&["verify-blob", "predicate.json", "--key", &public, "--bundle", &bundle]).expect(1);
        let attest = ["attest-blob", "app.txt", "--key", &key, "--bundle", &other, "--predicate", "predicate.json"];
        let attest = [&attest[..], &["--type", "urn:test:vuln", "--output", "json"]].concat();
        assert!(place.bulla(&attest).expect(0).stdout.contains(scheme), "{kind}");
        let verify = ["verify-blob", "app.txt", "--key", &public, "--bundle", &other, "--type", "urn:test:vuln"];
        place.bulla(&verify).expect(0);
    }
}

#[test]
fn a_key_of_a_plugin_gets_a_certificate() {
    let place = TestDirectory::new();
    for kind in ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"] {
        let key = format!("plugin:keys?key-id={kind}&config.keys={}", keys().display());
        let (request, subject, folder) = (format!("{kind}.csr"), format!("CN={kind},O=Example"), format!("ca-{kind}"));
        place.bulla(&["cert", "csr", "--key", &key, "--subject", &subject, "-o", &request]).expect(0);
        place.bulla(&["cert", "new", "-o", &folder, "--csr", &request]).expect(0);
        if Command::new("openssl").arg("version").output().is_ok() {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(place.path("")).args(["req", "-verify", "-noout", "-in", &request]);
            printed(&mut openssl).expect(0);
        }
        let layout = format!("signed-{kind}");
        image::layout(&place.path(&layout), &[(Some("v1"), &image::image(1))]);
        let (reference, chain) = (format!("oci:{layout}:v1"), format!("{folder}/{kind}-chain.pem"));
        let sign = ["sign", &reference, "--key", &key, "--cert-chain", &chain, "--format", "notary-jws,notary-cose"];
        place.bulla(&sign).expect(0);
        let root = format!("{folder}/root.pem");
        place.bulla(&["verify", &reference, "--ca-roots", &root, "--certificate-identity", &subject]).expect(0);
    }
}

/// Signatures with certificates, directly and by a signing request: the scheme of the plugin contract is the format's.
#[test]
fn every_kind_of_key_signs_with_its_certificate() {
    let place = TestDirectory::new();
    for kind in ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"] {
        let key = format!("plugin:keys?key-id={kind}&config.keys={}", keys().display());
        let (chain, identity) = (keys().join(format!("{kind}.crt")), format!("CN={kind}"));
        let chain = chain.to_str().unwrap();
        let trust = ["--ca-roots", chain, "--certificate-identity", &identity];
        for format in ["notary-jws", "notary-cose"] {
            let layout = format!("{kind}-{format}");
            image::layout(&place.path(&layout), &[(Some("v1"), &image::image(1))]);
            let reference = format!("oci:{layout}:v1");
            place.bulla(&["sign", &reference, "--key", &key, "--cert-chain", chain, "--format", format]).expect(0);
            place.bulla(&[&["verify", &reference], &trust[..]].concat()).expect(0);
            let other = ["--ca-roots", chain, "--certificate-identity", "CN=another"];
            place.bulla(&[&["verify", &reference], &other[..]].concat()).expect(1);
        }
        let layout = format!("{kind}-request");
        image::layout(&place.path(&layout), &[(Some("v1"), &image::image(1))]);
        let (reference, owner) = (format!("oci:{layout}:v1"), format!("release={chain}"));
        let (request, response) = (format!("{kind}.request"), format!("{kind}.response"));
        let new = ["request", "new", &reference, "-o", &request, "--owner", &owner, "--cert-chain", chain];
        place.bulla(&[&new[..], &["--format", "bundle,notary-jws,notary-cose"]].concat()).expect(0);
        place.bulla(&["request", "sign", &request, "--key", &key, "-o", &response, "--yes"]).expect(0);
        place.bulla(&["request", "attach", &request, &response]).expect(0);
        place.bulla(&[&["verify", &reference], &trust[..]].concat()).expect(0);
        place.bulla(&["verify", &reference, "--key", chain]).expect(0);
    }
}

/// What a plugin must not answer leaves nothing behind in the formats with certificates either.
#[test]
fn a_wrong_signature_of_a_plugin_is_not_attached_with_a_certificate() {
    let place = TestDirectory::new();
    let before = place.index();
    let (key_dir, chain) = (format!("keys={}", keys().display()), keys().join("p256.crt"));
    let config = ["--plugin-config", &key_dir, "--plugin-config", "at=generate-signature", "--plugin-timeout", "20"];
    for (fault, wanted) in [
        ("flip", "made a signature that does not verify"),
        ("flip-later", "signature that does not verify"),
        ("another-key-later", "signed with key"),
        ("der", "a signature of another length"),
    ] {
        let fault = format!("fault={fault}");
        let sign = ["sign", "oci:app:v1", "--key", "plugin:keys?key-id=p256", "--cert-chain", chain.to_str().unwrap()];
        let more = ["--format", "notary-jws,notary-cose", "--plugin-config", &fault];
        place.bulla(&[&sign[..], &more, &config].concat()).expect(2).tells(wanted);
    }
    assert_eq!(place.index(), before);
}

#[test]
fn the_key_is_named_in_the_argument_or_by_options() {
    let place = TestDirectory::new();
    let config = format!("keys={}", keys().display());
    let percent =
        format!("plugin:keys?key-id=p%32%356&config.keys={}", keys().display().to_string().replace('/', "%2F"));
    for args in [
        &["plugin:keys", "--plugin-key-id", "p256", "--plugin-config", &config][..],
        &["plugin:keys?key-id=p256", "--plugin-key-id", "p384", "--plugin-config", &config],
        &[&percent],
        &["plugin:keys?key-id=p256", "--plugin-config", &config, "--plugin-dir", "plugins"],
    ] {
        assert!(place.bulla(&[&["key", "show"], args].concat()).expect(0).stdout.contains("P-256"), "{args:?}");
    }
    fs::create_dir_all(place.path(".config/notation")).unwrap();
    symlink(place.path("plugins"), place.path(".config/notation/plugins")).unwrap();
    let args = ["key", "show", "plugin:keys?key-id=p256", "--plugin-config", &config];
    printed(place.command(&args).env_remove("BULLA_PLUGIN_DIR")).expect(0);
    printed(place.command(&args).env_remove("BULLA_PLUGIN_DIR").env("XDG_CONFIG_HOME", "/nowhere")).expect(2);
    for (key, wanted) in [
        ("plugin:keys", "does not say which key"),
        ("plugin:keys?key-id=", "does not say which key"),
        ("plugin:keys?key-id=a&key-id=b", "`key-id` is given twice"),
        ("plugin:keys?key-id=a&config.x=1&config.x=2", "the setting `x` is given twice"),
        ("plugin:keys?key-id=a&id=b", "`id` is neither"),
        ("plugin:keys?key-id=a&config.=b", "`config.` is neither"),
        ("plugin:keys?key-id=%4", "`key-id` has a `%`"),
        ("plugin:../keys?key-id=a", "is no name of a plugin"),
        ("plugin:?key-id=a", "is no name of a plugin"),
        ("plugin:a/b?key-id=a", "is no name of a plugin"),
        ("plugin:..?key-id=a", "is no name of a plugin"),
        ("plugin:nothing?key-id=a", "plugin `nothing` is not installed"),
    ] {
        place.bulla(&["sign", "oci:app:v1", "--key", key]).expect(2).tells(wanted);
    }
    place.bulla(&["sign", "oci:app:v1", "--key", "plugin:nothing?key-id=a"]).expect(2).tells("there is  keys");
    place
        .bulla(&["key", "export", "plugin:keys?key-id=p256", "--form", "sigstore", "-o", "x"])
        .expect(2)
        .tells("does not leave it");
}

#[test]
fn each_error_code_is_reported() {
    let place = TestDirectory::new();
    let before = place.index();
    let codes = ["VALIDATION_ERROR", "UNSUPPORTED_CONTRACT_VERSION", "ACCESS_DENIED", "TIMEOUT", "THROTTLED", "ERROR"];
    for code in codes {
        for at in ["get-plugin-metadata", "describe-key", "generate-signature"] {
            let wanted = format!("plugin `keys` declined {at} with {code}: the test says so");
            place.sign("p256", code, at).expect(2).tells(&wanted);
        }
    }
    place
        .sign("p256", "NEW_CODE", "describe-key")
        .expect(2)
        .tells("with a code that is not in the contract: the test says so");
    place.sign("nothing", "", "").expect(2).tells("declined describe-key with VALIDATION_ERROR: there is no such key");
    assert_eq!(place.index(), before);
}

#[test]
fn an_invalid_answer_is_refused() {
    let place = TestDirectory::new();
    let before = place.index();
    let (metadata, describe, generate) = ("get-plugin-metadata", "describe-key", "generate-signature");
    for (fault, at, wanted) in [
        ("another-name", metadata, "answered get-plugin-metadata with the name `another`"),
        ("another-version", metadata, "speaks version 2.0, 1.1 of the plugin contract, wanted 1.0"),
        (
            "another-capability",
            metadata,
            "does not have the capability SIGNATURE_GENERATOR.RAW, it has SIGNATURE_GENERATOR.ENVELOPE",
        ),
        ("not-json", metadata, "JSON that is not read"),
        ("another-id", describe, "answered describe-key with the key id `another`"),
        ("another-spec", describe, "declined generate-signature with VALIDATION_ERROR: the key is of another kind"),
        ("unknown-spec", describe, "the key specification `ED-25519`"),
        ("no-spec", describe, "JSON that is not read: missing field `keySpec`"),
        ("not-json", describe, "JSON that is not read"),
        ("empty", describe, "JSON that is not read"),
        ("twice", describe, "JSON that is not read"),
        ("trailing", describe, "JSON that is not read"),
        ("another-id", generate, "answered generate-signature with the key id `another`"),
        ("another-algorithm", generate, "the algorithm `ECDSA-SHA-384`, wanted ECDSA-SHA-256"),
        ("no-certificate", generate, "answered generate-signature with no certificate"),
        ("certificate-not-base64", generate, "a certificate that is not base64"),
        ("certificate-not-x509", generate, "a certificate that is not X.509"),
        ("certificate-of-another-kind", generate, "a certificate of an RSA 2048 key, wanted EC-256"),
        ("another-certificate", generate, "made a signature that does not verify with its key"),
        ("not-base64", generate, "a signature that is not base64"),
        ("short", generate, "a signature of another length"),
        ("der", generate, "a signature of another length"),
        ("flip", generate, "made a signature that does not verify"),
        ("flip-later", generate, "made a ECDSA P-256 SHA-256 signature that does not verify"),
        ("another-key-later", generate, "signed with key"),
        ("answer-and-failure", generate, "failed at generate-signature: it did not say why"),
        ("twice", generate, "JSON that is not read"),
    ] {
        place.sign("p256", fault, at).expect(2).tells(wanted);
        assert_eq!(place.index(), before, "{fault} at {at}");
    }
    place.sign("rsa2048", "pkcs1", generate).expect(2).tells("made a signature that does not verify");
    place.sign("p256", "more", generate).expect(0);
}

#[test]
fn a_misbehaving_plugin_is_killed() {
    let place = TestDirectory::new();
    let before = place.index();
    for at in ["get-plugin-metadata", "describe-key", "generate-signature"] {
        for (fault, wanted) in [
            ("silence", "failed at X: it did not say why"),
            ("words", "failed at X: something \\u{1b}[31mbroke"),
            ("abort", "failed at X: it did not say why"),
            ("much", "answered X with more than 1048576 bytes and was ended"),
            ("much-error", "answered X with more than 1048576 bytes and was ended"),
        ] {
            place.sign("p256", fault, at).expect(2).tells(&wanted.replace('X', at));
        }
    }
    let keys = format!("config.keys={}", keys().display());
    let key = format!("plugin:keys?key-id=p256&{keys}&config.fault=hang&config.at=describe-key");
    place
        .bulla(&["sign", "oci:app:v1", "--key", &key, "--plugin-timeout", "1"])
        .expect(2)
        .tells("plugin `keys` did not answer describe-key within 1 s and was ended");
    place.bulla(&["sign", "oci:app:v1", "--key", &key, "--plugin-timeout", "0"]).expect(2);
    place
        .bulla(&["sign", "oci:app:v1", "--key", &key, "--timeout", "300ms"])
        .expect(2)
        .tells("plugin `keys` did not answer describe-key within")
        .tells("--timeout DURATION gives it more time");
    assert_eq!(place.index(), before);
}

#[test]
fn a_plugin_that_cannot_be_run_is_reported() {
    let place = TestDirectory::new();
    fs::create_dir_all(place.path("plugins/folder/notation-folder")).unwrap();
    place.script("text", "text", "644");
    place.script("words", "no script", "755");
    for (name, wanted) in [
        ("folder", "is not installed"),
        ("text", "plugin `text` cannot be run: Permission denied"),
        ("words", "plugin `words` cannot be run: Exec format error"),
    ] {
        place.bulla(&["key", "show", &format!("plugin:{name}?key-id=a")]).expect(2).tells(wanted);
    }
}

/// Whether no process has this number, or one that only waits to be forgotten: at once, or as soon as the system has
/// delivered what was sent to it. By itself it would run for longer than this looks.
fn has_ended(number: &str) -> bool {
    let ended = || match fs::read_to_string(format!("/proc/{number}/stat")) {
        Ok(stat) => stat.rsplit(')').next().unwrap().trim().starts_with('Z'),
        Err(_) => true,
    };
    (0..500).any(|_| {
        ended() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }
    })
}

/// A process that the plugin started keeps its streams open; that does not delay the command beyond the plugin's timeout.
#[test]
fn processes_left_by_a_plugin_do_not_delay_the_command() {
    let place = TestDirectory::new();
    let number = place.path("number");
    let script = format!("#!/bin/sh\nsleep 60 &\necho $! > {}\necho '{{}}'", number.display());
    place.script("leaves", &script, "755");
    let args = ["key", "show", "plugin:leaves?key-id=a", "--plugin-timeout", "1"];
    place.bulla(&args).expect(2).tells("did not answer get-plugin-metadata within 1 s and was ended");
    assert!(has_ended(fs::read_to_string(&number).unwrap().trim()), "what it started still runs");
    // So does the timeout of the whole command, which leaves nothing running either.
    let args = ["key", "show", "plugin:leaves?key-id=a", "--timeout", "300ms"];
    place.bulla(&args).expect(2).tells("did not answer get-plugin-metadata within");
    assert!(has_ended(fs::read_to_string(&number).unwrap().trim()), "what it started still runs");
    // One that closes its streams and stays is ended as well.
    place.script("stays", "#!/bin/sh\nexec >&- 2>&-\nexec sleep 20", "755");
    let args = ["key", "show", "plugin:stays?key-id=a", "--plugin-timeout", "1"];
    place.bulla(&args).expect(2).tells("did not answer get-plugin-metadata within 1 s and was ended");
}

#[test]
fn a_plugin_gets_a_small_environment_and_no_shell() {
    let place = TestDirectory::new();
    let keys = format!("config.keys={}", keys().display());
    let key = format!("plugin:keys?key-id=p256&{keys}&config.fault=environment&config.at=describe-key");
    let seen = |more: &[&str]| {
        let mut command = place.command(&[&["key", "show", &key][..], more].concat());
        command
            .env("BULLA_PASSWORD", "secret")
            .env("BULLA_PIN", "secret")
            .env("CLOUD_TOKEN", "secret")
            .env("LANG", "C");
        let printed = printed(&mut command).expect(2);
        let names = printed.stderr.split("with ERROR: ").nth(1).unwrap().lines().next().unwrap();
        let mut names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(seen(&[]), ["HOME", "LANG", "PATH"]);
    assert_eq!(seen(&["--plugin-env", "CLOUD_TOKEN"]), ["CLOUD_TOKEN", "HOME", "LANG", "PATH"]);
    place
        .bulla(&["key", "show", &key, "--plugin-env", "NOT_SET"])
        .expect(2)
        .tells("NOT_SET: the environment variable is not set");
    // A name is a name: nothing of it is run.
    place.install("a.b-c_D1");
    let key = format!("plugin:a.b-c_D1?key-id=$(touch%20made)&{keys}");
    place.bulla(&["key", "show", &key]).expect(2).tells("there is no such key");
    assert!(!place.path("made").exists());
    place.bulla(&["key", "show", &format!("plugin:a.b-c_D1?key-id=p256&{keys}")]).expect(0);
}
