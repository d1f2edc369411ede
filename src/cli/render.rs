//! Text for people, and the only file that prints. Data goes to stdout, everything else to stderr.

use std::io::ErrorKind;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::OnceLock;

use serde_json::Value;

use crate::digest::Digest;
use crate::flow::copy::Copied;
use crate::flow::import::Admitted;
use crate::flow::sign::Signed;
use crate::flow::tree::Link;
use crate::flow::tree::Node;
use crate::flow::tree::SignedDocument;
use crate::flow::tree::Trust;
use crate::flow::verify::Outcome;
use crate::flow::verify::Verdict;
use crate::key::Signer;
use crate::round::text::hides;
use crate::store::StoreError;
use crate::verify::Counted;
use crate::verify::Refusal;
use crate::verify::finding;

use super::Exit;
use super::Failure;
use super::args::WantArgs;

/// How many findings are shown; a report in JSON has them all.
const SHOWN: usize = 12;

/// What went wrong first when data was printed.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints data. What could not be printed is kept for [`lost`].
pub(super) fn text(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    // A reader that has gone away (`| head`) is no error of ours. A full disk is: the report is not there.
    if let Err(error) = written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why data is missing on the standard output, if some is.
pub(super) fn lost() -> Option<Failure> {
    LOST.get().map(|why| Failure::unknown(format!("standard output cannot be written: {why}")))
}

/// Prints a line that is not data.
pub(super) fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(writeln!(stderr, "{text}"));
}

/// Prints one object of JSON. What does not show or steers a terminal is escaped there too: such characters only stand in strings.
pub(super) fn json(value: &Value) {
    let mut shown = String::new();
    for c in format!("{value:#}\n").chars() {
        match c != '\n' && hides(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}"))),
            false => shown.push(c),
        }
    }
    text(&shown);
}

/// Prints what clap has to say: help and version are data, anything else is a bad argument.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    drop(error.print());
    match error.use_stderr() {
        true => Exit::Unknown.into(),
        false => ExitCode::SUCCESS,
    }
}

/// Prints why a command failed.
pub(super) fn failure(failure: &Failure) {
    note(&format!("error: {}", printable(&failure.message)));
    failure.details.iter().for_each(|detail| note(&format!("  {}", printable(detail))));
    failure.hint.iter().for_each(|hint| note(&format!("hint: {hint}")));
}

/// Text from elsewhere as it may be printed: all of it shows, nothing changes direction, not endless (HR-90).
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 2_000;
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        match hides(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    if text.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

pub(super) fn signed(reference: &str, signed: &[Signed], signers: &[&dyn Signer]) {
    let keys = signers.iter().map(|signer| signer.public_key().id()).cycle();
    for (signed, key) in signed.iter().zip(keys) {
        let places = [
            signed.referrer.map(|digest| format!("referrer {digest}")),
            signed.tag.as_ref().map(|tag| format!("tag {tag}")),
        ];
        let places = places.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let done = if signed.already { "already signed" } else { "signed" };
        text(&format!("{done} {}  {reference}\n  key {}  {places}\n", signed.subject, key.short()));
    }
}

pub(super) fn outcome(reference: &str, outcome: &Outcome, want: &WantArgs) {
    let chosen = outcome.chosen.unwrap_or(outcome.subject);
    verdict(reference, &chosen, &outcome.verdict, want);
    for (platform, digest, child) in &outcome.children {
        let platform = platform.as_ref().map_or_else(|| "no platform".to_owned(), ToString::to_string);
        verdict(&format!("{reference} ({platform})"), digest, child, want);
    }
}

fn verdict(reference: &str, digest: &Digest, verdict: &Verdict, want: &WantArgs) {
    match verdict {
        Verdict::Accepted(verified) => {
            let mut shown = format!("verified {digest}  {reference}\n");
            verified.counted().iter().for_each(|counted| shown.push_str(&counted_line(counted)));
            text(&shown);
            if verified.digest() != digest {
                text(&format!("  as part of the signed index {}\n", verified.digest()));
            }
        }
        Verdict::Refused(refusal) => {
            note(&format!("error: `{reference}` refused: {}", refusal_line(refusal)));
            details(refusal);
            note(&format!("hint: {}", refusal_hint(reference, refusal, want)));
        }
        Verdict::Unknown { refusal, open } => {
            note(&format!("error: `{reference}` could not be judged: {}", refusal_line(refusal)));
            open.iter().for_each(|error| note(&format!("  not read  {}", printable(&error.to_string()))));
            details(refusal);
            open.iter().take(1).for_each(|error| note(&format!("hint: {}", open_hint(error))));
        }
    }
}

fn counted_line(counted: &Counted) -> String {
    let mut line = format!("  key {}  {}  {}", counted.key.short(), counted.scheme, counted.evidence.place());
    for (key, value) in &counted.annotations {
        line.push_str(&printable(&format!("  {key}={value}")));
    }
    if let Some(name) = &counted.reference {
        line.push_str(&printable(&format!("  as {name}")));
    }
    line.push('\n');
    line
}

fn refusal_line(refusal: &Refusal) -> String {
    let Refusal { kind, got, want, .. } = refusal;
    match (got, want, refusal.findings.is_empty()) {
        (0, 1, true) => format!("it has no {kind}"),
        (0, 1, false) => format!("none of its signed documents is an {kind} that counts"),
        _ => format!("it has an {kind} by {got} of {want} keys"),
    }
}

fn details(refusal: &Refusal) {
    for counted in &refusal.counted {
        note(&format!("  counted   {}", counted_line(counted).trim()));
    }
    let ranked = refusal.ranked();
    for finding in ranked.iter().take(SHOWN) {
        let digest = finding.digest.map_or_else(String::new, |digest| format!("{:.19}…  ", digest.to_string()));
        note(&format!("  rejected  {digest}{}  ({})", printable(&finding.reason.to_string()), finding.place));
    }
    if ranked.len() > SHOWN {
        note(&format!("  and {} more; --output json has them all", ranked.len() - SHOWN));
    }
}

fn refusal_hint(reference: &str, refusal: &Refusal, want: &WantArgs) -> String {
    match (refusal.counted.is_empty(), refusal.findings.is_empty()) {
        (true, true) => {
            format!("whoever released it: bulla sign <repository>@{} --key <a private key>", refusal.subject)
        }
        (true, false) => format!("bulla tree {reference}   (shows what is attached, and by whom)"),
        (false, _) => format!("bulla sign {reference} --key <another of the {} keys>", want.key.len()),
    }
}

fn open_hint(error: &StoreError) -> String {
    match error {
        StoreError::Denied { .. } => {
            "log in to the registry: bulla reads the files that docker login writes".to_owned()
        }
        StoreError::TooMany { .. } => "remove stale referrers, or verify with the tag form".to_owned(),
        _ => "try again; nothing was decided".to_owned(),
    }
}

pub(super) fn copied(source: &str, target: &str, digest: &Digest, copied: &Copied) {
    text(&format!("copied {digest}  {source} -> {target}\n  {}\n", amounts(copied)));
}

pub(super) fn imported(source: &str, target: &str, admitted: &Admitted, copied: &Copied) {
    for verified in admitted.verified() {
        text(&format!("verified {}  {source}\n", verified.digest()));
        verified.counted().iter().for_each(|counted| text(&counted_line(counted)));
    }
    let digest = admitted.digest().map_or_else(String::new, ToString::to_string);
    text(&format!("imported {digest}  {source} -> {target}\n  {}\n", amounts(copied)));
    for tag in &copied.left_out {
        note(&format!("left out: the tag {}, which no registry can have", printable(tag)));
    }
}

fn amounts(copied: &Copied) -> String {
    let Copied { blobs, bytes, blobs_present, manifests, referrers, .. } = copied;
    let (manifests, referrers) = (count(*manifests, "manifest"), count(*referrers, "referrer"));
    let (blobs, bytes) = (count(*blobs, "blob"), amount(*bytes));
    format!("{manifests} ({referrers}), {blobs} moved ({bytes}), {blobs_present} there already")
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// An amount of bytes as people read it.
pub(super) fn amount(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, size) in UNITS {
        if bytes >= size {
            let tenths = bytes / (size / 10);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

pub(super) fn tree(reference: &str, root: &Node) {
    let mut shown = format!("{reference}\n");
    branch(root, "", "", &mut shown);
    text(&shown);
}

fn branch(node: &Node, first: &str, rest: &str, shown: &mut String) {
    shown.push_str(&format!("{first}{}\n", printable(&node_line(node))));
    for document in &node.signed {
        shown.push_str(&format!("{rest}  {}\n", printable(&document_line(document))));
    }
    for problem in &node.problems {
        shown.push_str(&format!("{rest}  not read: {}\n", printable(problem)));
    }
    let last = node.hanging.len().saturating_sub(1);
    for (index, hanging) in node.hanging.iter().enumerate() {
        let (corner, line) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(hanging, &format!("{rest}{corner}"), &format!("{rest}{line}"), shown);
    }
}

/// One line about a node.
pub(super) fn node_line(node: &Node) -> String {
    let what = match &node.link {
        Link::Child(Some(platform)) => format!("{platform}"),
        Link::Child(None) => "child".to_owned(),
        Link::Referrer => node.artifact_type.clone().unwrap_or_else(|| node.media_type.clone()),
        Link::Root => node.media_type.clone(),
        Link::Tag(tag) => format!("tag .{}", tag.rsplit('.').next().unwrap_or_default()),
    };
    let created = node.created.as_ref().map_or_else(String::new, |created| format!("  {created}"));
    format!("{what}  {}{created}", node.digest)
}

/// One line about a signed document.
pub(super) fn document_line(document: &SignedDocument) -> String {
    let kind = document.kind.as_ref().map_or_else(|| document.format.to_owned(), ToString::to_string);
    match &document.trust {
        Trust::NotAsked => match &document.claimed_key {
            Some(key) => format!("{kind}, claims the key {}", finding::key_id(key)),
            None => kind,
        },
        Trust::Trusted(keys) => {
            let keys = keys.iter().map(crate::key::KeyId::short).collect::<Vec<_>>().join(", ");
            format!("trusted: {kind}, key {keys}")
        }
        Trust::Untrusted(why) => format!("not trusted: {kind}, {why}"),
    }
}

/// A line `label  value` for each pair, aligned.
pub(super) fn table(rows: &[(String, String)]) {
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| format!("{label:width$}  {}\n", printable(value));
    text(&rows.iter().map(line).collect::<String>());
}
