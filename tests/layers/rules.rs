//! The rules of the structure as data, and the one function that checks a file against them.

use crate::source::Source;

/// A layer, and what it may import beside itself. `docs/design.md` section 4 prints the same table.
pub const LAYERS: &[(&str, &[&str])] = &[
    ("digest", GROUND),
    ("json", GROUND),
    ("limits", GROUND),
    ("nonempty", GROUND),
    ("ordered", GROUND),
    ("text", GROUND),
    ("time", GROUND),
    ("redact", &[]),
    ("yaml", &["limits", "nonempty", "text"]),
    ("files", &["digest"]),
    ("oci", GROUND),
    ("key", &["digest", "files", "json", "limits", "ordered", "text"]),
    ("x509", &["digest", "key", "limits", "nonempty", "ordered", "text", "time"]),
    ("envelope", &["digest", "json", "key", "limits", "nonempty", "oci", "ordered", "text", "time", "x509"]),
    ("transparency", &["digest", "envelope", "json", "key", "limits", "nonempty", "ordered", "text", "time", "x509"]),
    ("tuf", &["digest", "json", "key", "limits", "ordered", "text", "time"]),
    ("predicate", &["digest", "json", "limits", "nonempty", "ordered", "text", "time"]),
    (
        "trust",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "text",
            "time",
            "transparency",
            "tuf",
            "x509",
        ],
    ),
    (
        "policy",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "predicate",
            "text",
            "time",
            "trust",
        ],
    ),
    (
        "verify",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "policy",
            "predicate",
            "text",
            "time",
            "trust",
            "x509",
        ],
    ),
    (
        "policy_file",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "policy",
            "predicate",
            "text",
            "time",
            "transparency",
            "trust",
            "verify",
            "x509",
            "yaml",
        ],
    ),
    (
        "request",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "policy",
            "predicate",
            "text",
            "time",
            "trust",
            "x509",
        ],
    ),
    ("store", &["digest", "files", "json", "limits", "oci", "ordered", "redact", "text"]),
    (
        "ops",
        &[
            "digest",
            "envelope",
            "json",
            "key",
            "limits",
            "nonempty",
            "oci",
            "ordered",
            "policy",
            "policy_file",
            "predicate",
            "request",
            "store",
            "text",
            "time",
            "transparency",
            "trust",
            "verify",
            "x509",
        ],
    ),
    (
        "report",
        &[
            "digest",
            "envelope",
            "key",
            "oci",
            "ops",
            "ordered",
            "policy",
            "policy_file",
            "predicate",
            "redact",
            "request",
            "store",
            "text",
            "time",
            "transparency",
            "trust",
            "tuf",
            "verify",
            "x509",
        ],
    ),
    (
        "cli",
        &[
            "digest",
            "envelope",
            "files",
            "json",
            "key",
            "limits",
            "oci",
            "ops",
            "policy",
            "policy_file",
            "predicate",
            "redact",
            "report",
            "request",
            "store",
            "text",
            "time",
            "transparency",
            "trust",
            "tuf",
            "verify",
            "x509",
            "yaml",
        ],
    ),
    ("main", &[]),
];

pub const GROUND_LAYERS: usize = GROUND.len();

const GROUND: &[&str] = &["digest", "json", "limits", "nonempty", "ordered", "text", "time"];

/// Actions that only some files may do, and how they look in code. A path that ends in `/` is a directory.
pub const POWERS: &[(&str, &[&str], &[&str])] = &[
    ("reads the clock", &["SystemTime", "Timestamp::now", "Zoned::now"], &["cli/clock.rs"]),
    (
        "reads the environment",
        &["std::env", "env::var", "env::vars"],
        &["cli/", "main.rs", "store/credentials.rs", "store/registry/proxy.rs"],
    ),
    (
        "touches files",
        &["std::fs", "tokio::fs", "rustix::fs", "File::open", "File::create", "OpenOptions"],
        &[
            "cli/",
            "files/",
            "store/archive.rs",
            "store/archive/",
            "store/credentials.rs",
            "store/layout.rs",
            "store/layout/",
            "store/local/",
        ],
    ),
    (
        "starts a program",
        &["process::Command", "tokio::process"],
        &["key/plugin/process.rs", "store/credentials/helper.rs"],
    ),
    ("makes temporary files or locks files", &["tempfile", "create_new", "fs::TryLockError"], &["files/"]),
    ("loads a library", &["cryptoki", "libloading"], &["key/pkcs11/"]),
    (
        "limits or ends processes",
        &["rustix::process"],
        &["cli/process_hardening.rs", "key/plugin/process.rs", "store/credentials.rs"],
    ),
    ("ends the process", &["process::exit", "process::abort"], &[]),
    ("prints", &["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"], &["cli/render.rs"]),
    ("draws", &["indicatif"], &["cli/bar.rs", "cli/progress.rs"]),
    (
        "uses the network",
        &["reqwest", "hyper", "rustls", "TcpStream", "TcpListener", "UdpSocket"],
        &["store/registry.rs", "store/registry/", "store/web/"],
    ),
    (
        "reads signed payloads",
        &["NotaryPayload::parse", "SimpleSigningPayload::parse", "Statement::parse"],
        &["envelope/"],
    ),
    (
        "verifies signed documents",
        &["document().verify", "document().signatures_by", "document.verify", "document.signatures_by"],
        &["envelope/", "trust/"],
    ),
    ("waits", &["tokio", "futures_util", "async fn", "async move", ".await"], &["cli/", "ops/", "store/"]),
    (
        "calls cryptography",
        &["aws_lc_rs::", "ed25519_dalek", "p256", "p384", "poly1305", "salsa20", "scrypt"],
        &[
            "digest.rs",
            "key/",
            "store/registry/tls.rs",
            "x509/candidates.rs",
            "x509/hash.rs",
            "x509/timestamp/signature.rs",
        ],
    ),
    ("hashes", &["sha2"], &["digest.rs", "key/"]),
    (
        "draws random bytes",
        &["getrandom"],
        &["cli/cert/new.rs", "cli/demo.rs", "cli/timestamp/nonce.rs", "files/", "key/", "store/registry/"],
    ),
    // A reader with limits of its own would accept what the operator forbade. The last reads only what it made itself.
    ("chooses limits", &["Limits::DEFAULT"], &["cli/", "store/registry/settings.rs", "x509/test_authority.rs"]),
    ("talks to people", &["clap", "rpassword", "rustix::termios"], &["cli/"]),
    ("catches signals", &["signal_hook"], &["cli/signals.rs"]),
    ("traces", &["tracing"], &["cli/log.rs", "ops/", "store/"]),
    (
        "subscribes to spans and events",
        &["Subscriber", "Dispatch", "set_global_default", "with_default"],
        &["cli/log.rs"],
    ),
    // A guard that is held where a future waits would count what other futures do to the span: `Instrument` does not.
    ("enters a span", &[".enter()", ".entered()", "in_scope"], &[]),
];

/// A type that proves something: its name, the module that it is imported from, and the files that may make one.
pub const PROOF_TYPES: &[(&str, &str, &[&str])] = &[
    ("CertifiedSigner", "trust", &["trust/certified.rs"]),
    ("KeylessSigner", "trust", &["trust/keyless/signer.rs"]),
    ("TransparencyProof", "trust", &["trust/keyless/logged.rs"]),
    ("TimestampedSignature", "ops", &["ops/timestamp/signature.rs"]),
    ("VerifiedGraph", "import", &["ops/import.rs"]),
    ("SignedPolicyFile", "file", &["ops/file/policy.rs"]),
    ("VerifiedFile", "file", &["ops/file/verify.rs"]),
    ("IdentifiedImage", "saved", &["ops/saved/identified.rs"]),
    ("MatchedImage", "saved", &["ops/saved/comparison.rs"]),
    ("ProvenArchive", "saved", &["ops/saved/proven.rs"]),
    ("SavedImageLetIn", "saved", &["ops/saved/let_in.rs"]),
    ("VerifiedSavedImage", "saved", &["ops/saved/verified.rs"]),
    ("Content", "oci", &["oci/content.rs"]),
    ("CertificateChain", "x509", &["x509/signing_chain.rs"]),
    ("Payload", "envelope", &["envelope/"]),
    ("SignedBefore", "x509", &["x509/timestamp/signed_before.rs"]),
    ("SignedItem", "envelope", &["envelope/signing_item.rs"]),
    ("AuthenticatedStatement", "trust", &["trust/authenticate.rs"]),
    ("TrustRoot", "trust", &["trust/root.rs"]),
    ("VerifiedCertificateTimestamp", "transparency", &["transparency/sct.rs"]),
    ("VerifiedChain", "x509", &["x509/chain.rs"]),
    ("VerifiedCheckpoint", "transparency", &["transparency/checkpoint.rs"]),
    ("VerifiedLogEntries", "transparency", &["transparency/entry/verified.rs"]),
    ("VerifiedLogEntry", "transparency", &["transparency/entry/verify.rs"]),
    ("VerifiedNotaryEnvelope", "envelope", &["envelope/notary/envelope.rs"]),
    ("VerifiedImage", "verify", &["ops/outcome.rs"]),
    ("VerifiedRepository", "tuf", &["tuf/update.rs"]),
    ("VerifiedTarget", "tuf", &["tuf/target.rs"]),
    ("VerifiedSigner", "trust", &["trust/authenticate.rs"]),
    ("VerifiedTimestampResponse", "x509", &["x509/timestamp/verified_response.rs"]),
    ("AcceptedImage", "verify", &["verify/accepted_image.rs"]),
    ("VerifiedSubject", "verify", &["verify/verified.rs"]),
];

/// Layers in which no result may be dropped (threats: dropped-error).
const NOTHING_DROPPED: &[&str] =
    &["envelope", "policy", "policy_file", "request", "transparency", "trust", "tuf", "verify", "x509"];

pub const FILE_CEILING: usize = 400;
pub const FUNCTION_CEILING: usize = 60;

/// The layer that is a module of the program.
const COMMAND_LINE: &str = "cli";

/// The file that only names what is public.
const FACADE: &str = "lib.rs";

/// The violations in a file, one line each: `path:line: rule: what`.
pub fn broken(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |line: usize, rule: &str, what: String| found.push(format!("{}:{line}: {rule}: {what}", source.path));
    opening(source, &mut say);
    imports(source, &mut say);
    powers(source, &mut say);
    proof_types(source, &mut say);
    dropped_results(source, &mut say);
    repeated_messages(source, &mut say);
    ceilings(source, &mut say);
    found
}

type Say<'a> = dyn FnMut(usize, &str, String) + 'a;

fn opening(source: &Source, say: &mut Say<'_>) {
    if !source.lines.first().is_some_and(|line| line.starts_with("//! ") && line.len() > 8) {
        say(1, "opening", "the file does not open with a `//! ` line".to_owned());
    }
    for line in source.lines_with("#[allow").into_iter().chain(source.lines_with("#![allow")) {
        say(line, "allow", "a lint is silenced without `#[expect(…, reason = …)]`".to_owned());
    }
}

fn imports(source: &Source, say: &mut Say<'_>) {
    for group in ["crate::{", "std::{", "core::{"] {
        for line in source.lines_with(group) {
            say(line, "grouped import", format!("`{group}`: one `use` for each"));
        }
    }
    let top = !source.path.contains('/') && source.path != FACADE;
    for line in source.lines_with(if top { "super::" } else { "super::super::" }) {
        say(line, "import", "`super::` leaves the layer".to_owned());
    }
    if source.path == FACADE {
        return;
    }
    let layer = source.layer();
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return say(1, "layer", format!("`{layer}` is not in the table of layers"));
    };
    // The command line is a module of the program: of the library it sees what every user of it sees.
    let (of_the_library, of_the_program) =
        if layer == COMMAND_LINE { (*allowed, &[][..]) } else { (&[][..], *allowed) };
    for (root, allowed) in [("bulla::", of_the_library), ("crate::", of_the_program)] {
        for (at, _) in source.code.match_indices(root) {
            let after = source.code[at + root.len()..].chars();
            let name: String = after.take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let own = root == "crate::" && name == layer;
            if !own && !name.is_empty() && !allowed.contains(&name.as_str()) {
                say(source.line_at(at), "import", format!("`{layer}` may not import `{name}`"));
            }
        }
    }
}

fn powers(source: &Source, say: &mut Say<'_>) {
    for (power, signs, places) in POWERS {
        if allowed_in(places, &source.path) {
            continue;
        }
        for sign in *signs {
            for line in source.lines_with(sign) {
                say(line, "power", format!("`{sign}` {power}; only {places:?} may"));
            }
        }
    }
}

fn proof_types(source: &Source, say: &mut Say<'_>) {
    for (name, module, homes) in PROOF_TYPES {
        for bad in ["Default for", "Deserialize<'de> for", "DeserializeOwned for"] {
            for line in source.lines_with(&format!("{bad} {name}")) {
                say(line, "proof type", format!("`{name}` can be had without its check"));
            }
        }
        if allowed_in(homes, &source.path) {
            declaration(source, name, say);
            continue;
        }
        let known = source.layer() == *module || !source.lines_with(&format!("{module}::{name}")).is_empty();
        for (at, _) in source.code.match_indices(&format!("{name} {{")) {
            if known && is_literal(source.code[..at].trim_end(), module) {
                say(source.line_at(at), "proof type", format!("a `{name}` is made outside {homes:?}"));
            }
        }
    }
}

/// Whether `before` goes on with a value: not with a return type, an item, a part of a word or a variant of some enum.
fn is_literal(before: &str, module: &str) -> bool {
    let before = before.trim_end_matches('&').trim_end();
    let item = [">", "for", "impl", "struct", "enum", "trait"].iter().any(|end| before.ends_with(end));
    let path = before.ends_with("::");
    !item && (!path || before.ends_with(&format!("{module}::")))
}

/// In its own file: fields private, and nothing derived that would make one from nowhere.
fn declaration(source: &Source, name: &str, say: &mut Say<'_>) {
    let Some(at) = source.code.find(&format!("pub struct {name} {{")) else { return };
    let line = source.line_at(at);
    let body = &source.code[at..at + source.code[at..].find('}').unwrap_or(0)];
    if body.matches("pub").count() > 1 {
        say(line, "proof type", format!("a field of `{name}` is public"));
    }
    let attributes = source.code[..at].rsplit("\n\n").next().unwrap_or_default();
    if ["Default", "Deserialize"].iter().any(|derived| attributes.contains(derived)) {
        say(line, "proof type", format!("`{name}` derives a way around its check"));
    }
}

fn dropped_results(source: &Source, say: &mut Say<'_>) {
    if !NOTHING_DROPPED.contains(&source.layer()) {
        return;
    }
    for sign in ["let _ =", ".ok()"] {
        for line in source.lines_with(sign) {
            say(line, "dropped result", format!("`{sign}` hides what went wrong"));
        }
    }
}

/// A message that contains the message of its `source()` stands twice in a printed chain. Only the foreign cause of an error
/// whose message is its own is a source.
fn repeated_messages(source: &Source, say: &mut Say<'_>) {
    let mut message = String::new();
    for (at, line) in source.lines.iter().map(|line| line.trim()).enumerate() {
        if line.starts_with("///") || line.starts_with("//!") {
            continue;
        }
        if line.starts_with("#[error(") {
            message.clear();
        }
        let goes_on = line.starts_with("#[error(") || message.starts_with("#[error(") && !message.contains(")]");
        message.push_str(line);
        let is_source = line.contains("#[from]") || line.contains("#[source]");
        let begins = message.starts_with("#[error(\"") && is_source;
        let shows = message.split("\")]").next().is_some_and(|text| text.contains('{'));
        if begins && shows {
            say(at + 1, "repeated message", "the message shows the error that `source()` returns as well".to_owned());
        }
        if line.contains("{source") && goes_on {
            say(at + 1, "repeated message", "a field `source` is what `source()` returns".to_owned());
        }
    }
}

fn ceilings(source: &Source, say: &mut Say<'_>) {
    let lines = source.lines.len();
    if lines > FILE_CEILING {
        say(lines, "file ceiling", format!("{lines} lines before the tests, at most {FILE_CEILING}"));
    }
    for (at, _) in source.code.match_indices("fn ") {
        let inside_word = source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let Some(end) = body_end(&source.code[at..]).filter(|_| !inside_word) else { continue };
        let lines = source.code[at..at + end].matches('\n').count() + 1;
        if lines > FUNCTION_CEILING {
            say(source.line_at(at), "function ceiling", format!("{lines} lines, at most {FUNCTION_CEILING}"));
        }
    }
}

/// The length of the function that starts here; none for one without a body.
fn body_end(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' | ')' | ']' => depth = depth.checked_sub(1)?,
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn allowed_in(places: &[&str], path: &str) -> bool {
    places.iter().any(|place| if place.ends_with('/') { path.starts_with(place) } else { path == *place })
}
