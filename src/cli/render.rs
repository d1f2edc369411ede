//! Text for people, and the only file that prints. Data goes to stdout, everything else to stderr.
//!
//! Text is printed as [`Line`]s, JSON by [`report`], which escapes the same characters in its strings. Apart from a verified
//! predicate nothing else can be printed.

use std::collections::BTreeSet;
use std::io;
use std::io::BufWriter;
use std::io::ErrorKind;
use std::io::IsTerminal as _;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use clap::error::ContextKind;
use serde::Serialize;

use bulla::report;

use super::bar;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Line;
use super::line::Lines;
use super::line::shortened;
use super::paint;
use super::redacted;
use super::verbosity;
use super::verbosity::Verbosity;

/// What went wrong first when data was printed.
static LOST: OnceLock<String> = OnceLock::new();
/// The lines about errors that were printed: none is printed twice.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether standard error is a terminal on which something may be drawn.
pub(super) fn draws() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    verbosity::verbosity() != Verbosity::Quiet && !dumb && io::stderr().is_terminal()
}

/// Prints one line of data.
pub(super) fn line(line: impl Into<Line>) {
    text(&Lines::from_iter([line]));
}

/// Prints lines of data.
pub(super) fn text(lines: &Lines) {
    let stdout = io::stdout();
    data(lines.iter().map(|line| paint::line(line.as_str(), &stdout) + "\n").collect::<String>().as_bytes());
}

fn data(bytes: &[u8]) {
    kept(bar::aside(|| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }));
}

/// What could not be printed is kept for [`lost`]. A reader that has gone away (`| head`) is no error of ours. A full disk
/// is: the report is not there.
fn kept(written: io::Result<()>) {
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
    let stderr = io::stderr();
    let painted = lines.map(|line| paint::line(line.as_str(), &stderr) + "\n").collect::<String>();
    drop(bar::aside(|| stderr.lock().write_all(painted.as_bytes())));
}

/// Prints a report in JSON.
pub(super) fn report(report: &impl Serialize) {
    data_by(|out| {
        report::write(out, report, redacted::secrets())?;
        out.write_all(b"\n")
    });
}

/// Prints what `write` writes, which is a report or a part of one.
pub(super) fn data_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    kept(bar::aside(|| {
        let mut stdout = BufWriter::new(io::stdout().lock());
        write(&mut stdout)?;
        stdout.flush()
    }));
}

/// Prints a predicate, byte for byte as it was signed, and a line end: the only text that is printed as it came.
pub(super) fn predicate(bytes: &[u8]) {
    data(bytes);
    data(b"\n");
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

/// Labels and values.
pub(super) type Rows = Vec<(String, String)>;

/// Prints a line `label  value` for each pair, aligned.
pub(super) fn table(rows: &[(String, String)]) {
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| format!("{label:width$}  {}", shortened(value));
    text(&rows.iter().map(line).collect());
}
