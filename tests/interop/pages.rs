//! The pages for those who come from another tool: their commands, run with that tool beside bulla.

use std::fs;
use std::path::Path;

use crate::peers::Peers;
use crate::suite::Api;
use crate::suite::Suite;
use crate::suite::TestRegistry;
use crate::support::image;

pub fn from_cosign_md(api: Api) {
    replay(api, "from-cosign.md");
}

pub fn from_notation_md(api: Api) {
    replay(api, "from-notation.md");
}

pub fn from_skopeo_podman_md(api: Api) {
    replay(api, "from-skopeo-podman.md");
}

/// Writes the files that a page shows and runs its commands from top to bottom. The page calls the registries
/// `localhost:5000` and `localhost:6000`; in the first are `app:1.0` to `app:4.0` and `multi:1.0`, for two platforms.
/// Commands that end with `|| echo refused` must be refused, by bulla with exit status 1; all others must succeed.
fn replay(api: Api, page: &str) {
    let Some(mut suite) = Suite::start_without_keys(api) else { return };
    let other = TestRegistry::start(api.other(), &suite.peers);
    let hosts = [("localhost:5000", suite.registry.address()), ("localhost:6000", other.address())];
    let here = |text: &str| hosts.iter().fold(text.to_owned(), |text, (page, host)| text.replace(page, host));
    for (seed, name) in (1..).zip(["app:1.0", "app:2.0", "app:3.0", "app:4.0", "multi:1.0"]) {
        let image = match name {
            "multi:1.0" => image::multi_arch(seed, &["linux/amd64", "linux/arm64"]),
            _ => image::image(seed),
        };
        let layout = format!("made-{seed}");
        fs::create_dir(suite.peers.dir().join(&layout)).unwrap();
        image::layout(&suite.peers.dir().join(&layout), &[(Some("v1"), &image)]);
        suite.peers.bulla(&["copy", &format!("oci:{layout}:v1"), &here(&format!("localhost:5000/{name}"))]).must();
    }
    let mut commands = 0;
    for (info, block) in blocks(&text(page)) {
        if let Some((_, file)) = info.split_once(' ').filter(|(language, _)| *language != "sh") {
            suite.peers.write(file, here(&block));
            continue;
        }
        for line in block.lines().filter(|line| !line.is_empty()) {
            commands += 1;
            let line = here(line);
            let output = suite.peers.shell(&line.replace(" || echo refused", ""));
            match line.ends_with(" || echo refused") {
                false => suite.expect(page, &output, 0),
                true if line.starts_with("bulla ") => suite.expect(page, &output, 1),
                true => {
                    suite.expect_no(page, &output);
                    let by_policy = !line.starts_with("skopeo ") || output.stderr.contains("Source image rejected");
                    suite.expect_that("it was refused for another reason than the policy", by_policy, &output);
                }
            }
        }
    }
    assert!(commands > 5, "{page}: the commands were not read");
    suite.done();
}

/// Every verb and option of a peer that a page names in a line is one of that peer: it says so itself.
pub fn names_of_the_peers() {
    let Some(peers) = Peers::find() else { return };
    let mut wrong = Vec::new();
    for page in ["from-cosign.md", "from-notation.md", "from-skopeo-podman.md"] {
        let mut seen = 0;
        for span in spans(&text(page)).iter().filter(|span| is_of_a_peer(span)) {
            let words: Vec<&str> = span.split(' ').collect();
            let is_verb =
                |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
            let verb = words.iter().take_while(is_verb).copied();
            // With a value where it has none, an option is wrong, but not unknown.
            let option = |(at, word): (usize, &&str)| match word.strip_prefix('-')?.strip_prefix('-') {
                Some(_) => Some(format!("{}=1", word.split('=').next()?)),
                None => Some(format!("{word} {}", words.get(at + 1).unwrap_or(&""))),
            };
            let options = words.iter().enumerate().filter_map(option);
            let line =
                verb.map(str::to_owned).chain(options).chain(["--help".to_owned()]).collect::<Vec<_>>().join(" ");
            let output = peers.shell(&line);
            let known =
                !["unknown flag", "unknown shorthand", "unknown command"].iter().any(|no| output.stderr.contains(no));
            if !known || output.code.is_none_or(|code| code > 100) {
                wrong.push(format!("{page}: {span}\n{}", output.whole()));
            }
            seen += 1;
        }
        assert!(seen > 10, "{page}: the names were not read");
    }
    for nonsense in
        ["cosign sign --nonsense=1 --help", "skopeo copy --nonsense=1 --help", "notation sign --nonsense=1 --help"]
    {
        assert!(peers.shell(nonsense).stderr.contains("unknown flag"), "{nonsense}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn is_of_a_peer(span: &str) -> bool {
    ["cosign ", "notation ", "skopeo "].iter().any(|peer| span.starts_with(peer))
}

fn text(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap()
}

/// The blocks of a page, with what stands behind their fence.
fn blocks(text: &str) -> Vec<(String, String)> {
    let fences = text.split("\n```").skip(1).step_by(2);
    fences.filter_map(|block| block.split_once('\n')).map(|(info, body)| (info.to_owned(), body.to_owned())).collect()
}

/// The text in backquotes in lines outside of code blocks.
fn spans(text: &str) -> Vec<String> {
    let outside: String = text.split("\n```").step_by(2).collect();
    outside.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}
