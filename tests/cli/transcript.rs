//! Transcripts in the pages, replayed: every command of a `console` block, and what it printed.

use std::collections::BTreeMap;
use std::fs;

use super::test_directory::TestDirectory;
use super::test_directory::testdata;

/// A command of a page, and what stands below it.
struct Step {
    command: String,
    output: String,
}

/// The transcript of the README, with a registry on each side of the gap, a key pair, and the image of the demo.
#[test]
fn readme() {
    let (directory, names) = between_two_registries("registry.example", "inside.example");
    directory.set_up("bulla demo --keep demo");
    directory.set_up("bulla key new -o release");
    directory.set_up(&format!("bulla copy --without-referrers oci:demo/build:v1 {}/app:1.0", names[0].1));
    replay(&directory, &steps(&fs::read_to_string(testdata("../README.md")).unwrap()), &names);
}

/// The walk through the whole job; the image comes into the first registry as the page says.
#[test]
fn getting_started_md() {
    let (directory, names) = between_two_registries("localhost:5000", "localhost:6000");
    let page = fs::read_to_string(testdata("../docs/getting-started.md")).unwrap();
    let (_, two_lines) = page.split_once("```sh\nbulla demo --keep demo\n").unwrap();
    directory.set_up("bulla demo --keep demo");
    directory.set_up(&two_lines.split("\n```").next().unwrap().replace(names[0].0, &names[0].1));
    replay(&directory, &steps(&page), &names);
}

/// Two empty registries, and the names that a page gives them. Passphrases come from the environment, so nobody is
/// asked for them.
fn between_two_registries<'a>(connected: &'a str, isolated: &'a str) -> (TestDirectory, [(&'a str, String); 2]) {
    let directory = TestDirectory::new(&BTreeMap::from([("BULLA_PASSWORD".to_owned(), "correct-horse".to_owned())]));
    directory.start_registry("connected", &[]);
    directory.start_registry("isolated", &[]);
    let names = [(connected, directory.address("connected")), (isolated, directory.address("isolated"))];
    (directory, names)
}

/// Each block by itself, where the test keys and the signed layout are.
#[test]
fn commands_md() {
    let page = fs::read_to_string(testdata("../docs/commands.md")).unwrap();
    let blocks: Vec<&str> = page.split("```console\n").skip(1).collect();
    assert!(blocks.len() > 3, "there are no transcripts");
    for block in blocks {
        let directory = TestDirectory::new(&BTreeMap::new());
        for command in ["keys", "signed app", "bulla copy oci:app:v1 oci-archive:app.tar:v1"] {
            directory.set_up(command);
        }
        replay(&directory, &steps(&format!("```console\n{block}")), &[]);
    }
}

/// One round from end to end, on a layout with the image of `testdata/layouts/app`.
#[test]
fn signing_requests_md() {
    from_top_to_bottom("../docs/signing-requests.md");
}

/// Attestations of every kind about the image of `testdata/layouts/app`, with the keys of the tests.
#[test]
fn attestations_md() {
    let directory = TestDirectory::new(&BTreeMap::new());
    directory.set_up("keys");
    directory.set_up(&format!("bulla copy oci:{}:v1 oci:app:v1", testdata("layouts/app").display()));
    directory.set_up("index multi:v1 5 linux/amd64 linux/arm64");
    replay(&directory, &steps(&fs::read_to_string(testdata("../docs/attestations.md")).unwrap()), &[]);
}

/// A file is signed and verified.
#[test]
fn files_md() {
    let directory = TestDirectory::new(&BTreeMap::new());
    directory.set_up("keys");
    replay(&directory, &steps(&fs::read_to_string(testdata("../docs/files.md")).unwrap()), &[]);
}

/// A certificate authority for tests, a signature and its verification; a request, a certificate for it, and its check.
#[test]
fn certificates_md() {
    let directory = TestDirectory::new(&BTreeMap::from([("BULLA_PASSWORD".to_owned(), "correct-horse".to_owned())]));
    directory.set_up("image app:1.0 5");
    replay(&directory, &steps(&only("../docs/certificates.md", "test-ca")), &[]);
}

/// The ceremony is rehearsed: its commands, in their order.
#[test]
fn key_ceremony_md() {
    from_top_to_bottom("../docs/key-ceremony.md");
}

/// The part of the ceremony that has a token.
#[cfg(feature = "pkcs11")]
#[test]
fn key_ceremony_md_in_a_token() {
    in_a_token("../docs/key-ceremony.md");
}

#[cfg(feature = "pkcs11")]
#[test]
fn keys_pkcs11_md() {
    in_a_token("../docs/keys-pkcs11.md");
}

/// With the plugin of the tests, which has its keys in files.
#[cfg(unix)]
#[test]
fn keys_plugins_md() {
    let directory = TestDirectory::new(&BTreeMap::from([("BULLA_PLUGIN_DIR".to_owned(), "plugins".to_owned())]));
    let (plugin, keys) = (super::support::test_plugin(), testdata("plugin"));
    directory
        .set_up(&format!("mkdir -p plugins/example && ln -s {} plugins/example/notation-example", plugin.display()));
    directory.set_up(&format!("cp -r {} keys", keys.display()));
    directory.set_up("image rehearsal:v1 5");
    replay(&directory, &steps(&only("../docs/keys-plugins.md", "plugin")), &[]);
}

/// The blocks of a page that are for SoftHSM, where it is there to stand in for a token.
#[cfg(feature = "pkcs11")]
fn in_a_token(page: &str) {
    let modules = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    let module = modules.into_iter().find(|module| std::path::Path::new(module).exists());
    let Some(module) = module.filter(|_| super::support::program("softhsm2-util").is_some()) else {
        return super::support::missing::not_run("softhsm2 not found");
    };
    let env = [("SOFTHSM2_CONF", "softhsm.conf"), ("BULLA_PIN", "2222"), ("BULLA_PKCS11_MODULE", module)];
    let directory = TestDirectory::new(&env.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    directory.set_up("mkdir tokens && echo 'directories.tokendir = tokens' > softhsm.conf");
    directory.set_up("image rehearsal:v1 5");
    replay(&directory, &steps(&only(page, "softhsm")), &[]);
}

/// A page with nothing but its transcripts of one kind.
fn only(page: &str, kind: &str) -> String {
    let page = fs::read_to_string(testdata(page)).unwrap();
    page.replace("```console\n", "```\n").replace(&format!("```console {kind}\n"), "```console\n")
}

/// A page whose blocks are one story, with passphrases from the environment.
fn from_top_to_bottom(page: &str) {
    let directory = TestDirectory::new(&BTreeMap::from([("BULLA_PASSWORD".to_owned(), "correct-horse".to_owned())]));
    directory.set_up(&format!("bulla copy oci:{}:v1 oci:app:v1", testdata("layouts/app").display()));
    directory.set_up("image rehearsal:v1 5");
    replay(&directory, &steps(&fs::read_to_string(testdata(page)).unwrap()), &[]);
}

/// Runs the commands of a page, in which hosts have other names, and compares what they print.
fn replay(directory: &TestDirectory, steps: &[Step], names: &[(&str, String)]) {
    assert!(!steps.is_empty(), "there is no transcript");
    for step in steps {
        let command = names.iter().fold(step.command.clone(), |text, (page, host)| text.replace(page, host));
        let ran = directory.run(&format!("{{ {command}; }} 2>&1"), None);
        let output = names.iter().fold(ran.stdout, |text, (page, host)| text.replace(host.as_str(), page));
        assert_eq!(plain(&step.output), plain(&output), "$ {}\nprinted now:\n{output}", step.command);
    }
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in page.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), output: String::new() }),
                // The prompt's own lines are missing, since the test has no terminal.
                (None, _) if line.ends_with("passphrase for release.key:") || line == "once more:" => {}
                (None, _) if line.starts_with("passphrase of ") => {}
                (None, Some(step)) => step.output.push_str(&format!("{line}\n")),
                (None, None) => panic!("output without a command: {line}"),
            }
        }
    }
    steps
}

/// The text with everything that differs from run to run made the same: digests, key ids, times, serial numbers of tokens. What is the same digest
/// twice in a text stays the same digest.
fn plain(text: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut shown = String::new();
    let mut word = String::new();
    for c in without_serials(&without_times(&without_base64(text))).chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        shown.push_str(&name(&word, &mut known));
        word.clear();
        shown.push(c);
    }
    shown.trim_matches(['\0', '\n']).to_owned()
}

/// A SHA-256 in base64 stands between white space. It may begin with any character of the alphabet.
fn without_base64(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let is_base64 = |word: &str| {
        let digits = word.strip_suffix('=').unwrap_or_default();
        digits.len() == 43 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
    };
    let named = |part| {
        let word: &str = str::trim_end(part);
        if !is_base64(word) {
            return part.to_owned();
        }
        let at = known.iter().position(|other| *other == word).unwrap_or_else(|| {
            known.push(word);
            known.len() - 1
        });
        part.replace(word, &format!("BASE{at}"))
    };
    text.split_inclusive(char::is_whitespace).map(named).collect()
}

fn without_times(text: &str) -> String {
    let mut shown = text.to_owned();
    while let Some(at) = (0..shown.len().saturating_sub(TIME.len())).find(|at| is_time(&shown.as_bytes()[*at..])) {
        shown.replace_range(at..at + TIME.len(), "TIME");
    }
    shown
}

/// In a URI, where the word does not end before the number.
fn without_serials(text: &str) -> String {
    let mut parts = text.split("serial=");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + "serial=SERIAL" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn is_time(text: &[u8]) -> bool {
    text.iter().zip(TIME).all(|(c, form)| if *form == b'0' { c.is_ascii_digit() } else { c == form })
}

const TIME: &[u8; 20] = b"0000-00-00T00:00:00Z";

fn name(word: &str, known: &mut Vec<String>) -> String {
    let is_hex = word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return word.to_owned();
    }
    // A short key id is the beginning of a long one.
    let begin = &word[..12];
    let at = known.iter().position(|other| other == begin).unwrap_or_else(|| {
        known.push(begin.to_owned());
        known.len() - 1
    });
    format!("NAME{at}x{}", word.len())
}

#[test]
fn only_what_differs_from_run_to_run_is_made_the_same() {
    let one = "key 71db10259436  2026-11-21T10:01:35Z sha256:71db102594361111 beef";
    let other = "key 0123456789ab  2027-01-02T03:04:05Z sha256:0123456789ab2222 beef";
    assert_eq!(plain(one), plain(other));
    assert_ne!(plain(one), plain("key 71db10259436  2026-11-21T10:01:35Z sha256:0123456789ab2222 beef"));
    assert_ne!(plain(one), plain(&one.replace("beef", "pork")));
    assert_ne!(plain(one), plain(&one.replace("T10", " 10")));
    // A digest in base64 may begin with `+` or `/`, and end with either before the `=`.
    let hint = |first: char| format!("in base64  {first}YSHyfunW0jlD3OqdXDV5nwgyCTwy7mCqz2p+8Hfl0/=  (the hint)");
    assert_eq!(plain(&hint('f')), plain(&hint('+')));
    assert_eq!(plain(&hint('f')), plain(&hint('/')));
    assert_ne!(plain(&format!("{0} {0}", hint('f'))), plain(&format!("{} {}", hint('f'), hint('/'))));
}
