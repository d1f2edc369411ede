//! Text for people, and the only file that prints. Data goes to stdout, everything else to stderr.
//!
//! Text is printed as [`Line`]s, JSON with the same characters escaped in its strings. Nothing else can be printed.

use std::collections::BTreeSet;
use std::io::BufWriter;
use std::io::ErrorKind;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use clap::error::ContextKind;
use serde::Serialize;
use serde_json::Value;

use crate::key::Signer;
use crate::ops::sign::Signed;
use crate::ops::verify::Outcome;
use crate::ops::verify::Verdict;
use crate::request::text::hides;
use crate::verify::AcceptedSignature;

use super::Exit;
use super::Failure;
use super::args::ResultsOutput;
use super::args::WantArgs;
use super::line::Foreign;
use super::line::Line;
use super::line::Lines;
use super::line::shortened;
use super::object::Object;
use super::paint;
use super::progress;
use super::redacted;
use super::verbosity;
use super::verbosity::Verbosity;
use super::verdict;

/// What went wrong first when data was printed.
static LOST: OnceLock<String> = OnceLock::new();
/// The lines about errors that were printed: none is printed twice.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether standard error is a terminal on which something may be drawn.
pub(super) fn draws() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    verbosity::verbosity() != Verbosity::Quiet && !dumb && std::io::stderr().is_terminal()
}

/// Prints one line of data.
pub(super) fn line(line: impl Into<Line>) {
    text(&Lines::from_iter([line]));
}

/// Prints lines of data.
pub(super) fn text(lines: &Lines) {
    let stdout = std::io::stdout();
    data(lines.iter().map(|line| paint::line(line.as_str(), &stdout) + "\n").collect::<String>().as_bytes());
}

fn data(bytes: &[u8]) {
    kept(progress::aside(|| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }));
}

/// What could not be printed is kept for [`lost`]. A reader that has gone away (`| head`) is no error of ours. A full disk
/// is: the report is not there.
fn kept(written: std::io::Result<()>) {
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
pub(super) fn note(line: impl Into<Line>) {
    notes(&Lines::from_iter([line]));
}

/// Prints lines that are not data.
pub(super) fn notes(lines: &Lines) {
    let quiet = verbosity::verbosity() == Verbosity::Quiet;
    aside(lines.iter().filter(|line| !quiet || line.is_of_an_error()));
}

/// Prints what people sign by, and what they are asked: all of it, however quiet.
pub(super) fn page(lines: &Lines) {
    aside(lines.iter());
}

fn aside<'a>(lines: impl Iterator<Item = &'a Line>) {
    let stderr = std::io::stderr();
    let painted = lines.map(|line| paint::line(line.as_str(), &stderr) + "\n").collect::<String>();
    drop(progress::aside(|| stderr.lock().write_all(painted.as_bytes())));
}

/// Prints a report as JSON or JSON lines. The text form has no report object, so nothing is printed for it.
pub(super) fn results(form: ResultsOutput, whole: &Value) {
    match form {
        ResultsOutput::Json => json(whole),
        ResultsOutput::Jsonl => json_lines(whole),
        ResultsOutput::Text => {}
    }
}

/// Prints the results of a report, each on a line of its own, with the version and the command.
pub(super) fn json_lines(whole: &Value) {
    for result in whole.get("results").and_then(Value::as_array).into_iter().flatten() {
        let mut result = result.clone();
        if let Value::Object(fields) = &mut result {
            let common = ["command", "version"].into_iter();
            fields.extend(common.filter_map(|field| Some((field.to_owned(), whole.get(field)?.clone()))));
        }
        written_line(&redacted::value(&result));
    }
}

/// Prints one object of JSON. What does not show or steers a terminal is escaped there too: such characters only stand in strings.
pub(super) fn json(value: &Value) {
    written(&redacted::value(value), 0);
    piece("\n");
}

/// Prints an object of JSON on a line of its own.
pub(super) fn json_line(object: &Object<'_>) {
    written_line(object);
}

fn written_line(value: &impl Serialize) {
    let mut out = Escaped { indent: 0, out: BufWriter::new(std::io::stdout().lock()) };
    kept(progress::aside(|| {
        value.serialize(&mut serde_json::Serializer::new(&mut out)).map_err(std::io::Error::from)?;
        out.flush()
    }));
    piece("\n");
}

/// Prints an object of JSON inside another one, whose fields are indented by so many spaces. It is written as it is made,
/// and shows no secret of this run, as [`Object`] says.
pub(super) fn json_within(object: &Object<'_>, indent: usize) {
    written(object, indent);
}

fn written(value: &impl Serialize, indent: usize) {
    let mut out = Escaped { indent, out: BufWriter::new(std::io::stdout().lock()) };
    kept(progress::aside(|| {
        value.serialize(&mut serde_json::Serializer::pretty(&mut out)).map_err(std::io::Error::from)?;
        out.flush()
    }));
}

/// Prints a part of a JSON text, of our own making.
pub(super) fn piece(text: &str) {
    data(text.as_bytes());
}

/// Pretty JSON on its way to standard output.
struct Escaped<W: std::io::Write> {
    indent: usize,
    out: BufWriter<W>,
}

impl<W: std::io::Write> std::io::Write for Escaped<W> {
    // It is given whole pieces of text.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))?;
        for c in text.chars() {
            match c {
                // None stands in a string: there it is escaped.
                '\n' => write!(self.out, "\n{:1$}", "", self.indent)?,
                c if hides(c) => {
                    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(self.out, "\\u{unit:04x}"))?;
                }
                c => self.out.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Prints what clap has to say: help and version are data, anything else is a bad argument, which clap quotes as it was
/// typed. `tip` is what to type instead.
pub(super) fn usage(mut error: clap::Error, tip: Option<&str>) -> ExitCode {
    if !error.use_stderr() {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    // What clap suggests for an unknown option is to pass it on as a value.
    for guess in [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        drop(error.remove(guess));
    }
    notes(&error.render().to_string().trim_end().split('\n').collect());
    tip.iter().for_each(|tip| note(format_args!("hint: {tip}")));
    Exit::Unknown.into()
}

/// Prints why a command failed.
pub(super) fn failure(failure: &Failure) {
    once(format!("error: {}", shortened(&failure.message)));
    failure.details.iter().for_each(|detail| note(format_args!("  {}", shortened(detail))));
    failure.hint.iter().for_each(|hint| once(format!("hint: {}", shortened(hint))));
}

/// Prints a line about an error, unless it was printed before: what is wrong with a host is wrong for all its images.
fn once(text: String) {
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
        note(text);
    }
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
        line(format_args!("{done} {}  {reference}", signed.subject));
        line(format_args!("  key {}  {places}", key.short()));
    }
}

pub(super) fn would_sign(reference: &str, planned: &[Signed], signers: &[&dyn Signer]) {
    let keys = signers.iter().map(|signer| signer.public_key().id()).cycle();
    for (planned, key) in planned.iter().zip(keys) {
        let does = if planned.already { "already signed" } else { "would sign" };
        let place = planned.tag.as_ref().map_or_else(|| "a referrer".to_owned(), |tag| format!("tag {tag}"));
        line(format_args!("{does} {}  {reference}", planned.subject));
        line(format_args!("  key {}  {place}", key.short()));
    }
}

/// Prints the predicates of what was verified, byte for byte as a given key signed them, each once and with a line end:
/// the only text that is printed as it came. Where anything of this reference was not verified none is printed.
pub(super) fn predicates(reference: &str, outcome: &Outcome, want: &WantArgs) {
    let chosen = outcome.chosen.unwrap_or(outcome.subject);
    let children = outcome.children.iter().map(|(_, digest, verdict)| (digest, verdict));
    let verdicts: Vec<_> = [(&chosen, &outcome.verdict)].into_iter().chain(children).collect();
    let mut accepted = Vec::new();
    for (digest, verdict) in &verdicts {
        match verdict {
            Verdict::Accepted(verified) => accepted.push(verified),
            _ => verdict::verdict(reference, reference, digest, verdict, want),
        }
    }
    if accepted.len() == verdicts.len() {
        let mut printed = BTreeSet::new();
        let counted = accepted.iter().flat_map(|verified| verified.accepted());
        for predicate in counted.filter_map(|counted| counted.predicate.as_ref()) {
            if printed.insert(predicate) {
                data(predicate);
                data(b"\n");
            }
        }
    }
}

pub(super) fn counted_line(counted: &AcceptedSignature) -> String {
    let place = Foreign(counted.evidence.found_at());
    let mut line = format!("key {}  {}  {place}", counted.key.short(), counted.scheme);
    for (key, value) in &counted.annotations {
        line.push_str(&format!("  {}={}", Foreign(key), Foreign(value)));
    }
    if let Some(name) = &counted.reference {
        line.push_str(&format!("  as {}", Foreign(name)));
    }
    line
}

pub(super) fn count(number: usize, what: &str) -> String {
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

/// A line `label  value` for each pair, aligned.
pub(super) fn table(rows: &[(String, String)]) {
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| format!("{label:width$}  {}", shortened(value));
    text(&rows.iter().map(line).collect());
}
