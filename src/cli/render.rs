//! Output. This is the only file that prints: data to stdout, everything else to stderr.
//!
//! Text is printed as [`Line`]s and JSON by [`report`]; both escape the same characters. Only a verified predicate is
//! printed unescaped.

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

/// The first error of writing to stdout.
static STDOUT_ERROR: OnceLock<String> = OnceLock::new();
/// The error and hint lines that were printed: each is printed once.
static PRINTED_ERRORS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether a progress bar may be drawn on standard error.
pub(super) fn can_draw() -> bool {
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
    record_error(bar::hide_while(|| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }));
}

/// Records a write error for [`stdout_failure`]: on a full disk the report is incomplete. A broken pipe (`| head`) is not
/// an error.
fn record_error(written: io::Result<()>) {
    if let Err(error) = written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    {
        STDOUT_ERROR.get_or_init(|| error.to_string());
    }
}

/// The failure if data could not be written to standard output.
pub(super) fn stdout_failure() -> Option<Failure> {
    STDOUT_ERROR.get().map(|why| Failure::unknown(format!("standard output cannot be written: {why}")))
}

/// Prints a line that is not data.
pub(super) fn note(line: impl Into<Line>) {
    notes(&Lines::from_iter([line]));
}

/// Prints a warning that belongs to every verdict. `--quiet` does not hide it.
pub(super) fn warning(line: impl Into<Line>) {
    to_stderr(Lines::from_iter([line]).iter());
}

/// Prints lines that are not data.
pub(super) fn notes(lines: &Lines) {
    let quiet = verbosity::verbosity() == Verbosity::Quiet;
    to_stderr(lines.iter().filter(|line| !quiet || line.is_of_an_error()));
}

/// Prints the page that people read before they sign, and the question. `--quiet` does not hide it.
pub(super) fn page(lines: &Lines) {
    to_stderr(lines.iter());
}

/// Whether somebody can see the page: it is printed at a terminal.
pub(super) fn page_is_seen() -> bool {
    io::stderr().is_terminal()
}

fn to_stderr<'a>(lines: impl Iterator<Item = &'a Line>) {
    let stderr = io::stderr();
    let painted = lines.map(|line| paint::line(line.as_str(), &stderr) + "\n").collect::<String>();
    drop(bar::hide_while(|| stderr.lock().write_all(painted.as_bytes())));
}

/// Prints an object of JSON that is not data, on one line.
pub(super) fn json_note(object: &impl Serialize) {
    let mut line = Vec::new();
    if report::write_line(&mut line, object, redacted::secrets()).is_ok() {
        line.push(b'\n');
        drop(bar::hide_while(|| io::stderr().lock().write_all(&line)));
    }
}

/// Prints a report in JSON.
pub(super) fn report(report: &impl Serialize) {
    data_by(|out| {
        report::write(out, report, redacted::secrets())?;
        out.write_all(b"\n")
    });
}

/// Prints a report, or a part of one, with `write`.
pub(super) fn data_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    record_error(bar::hide_while(|| {
        let mut stdout = BufWriter::new(io::stdout().lock());
        write(&mut stdout)?;
        stdout.flush()
    }));
}

/// Prints a verified predicate byte for byte, and a line end. No other foreign text is printed unescaped.
pub(super) fn predicate(bytes: &[u8]) {
    data(bytes);
    data(b"\n");
}

/// Prints the message of clap. Help and version are data (exit 0); anything else is a bad argument (exit 2), printed with
/// `tip` as its hint.
pub(super) fn usage(mut error: clap::Error, tip: Option<&str>) -> ExitCode {
    if !error.use_stderr() {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    // Clap's own suggestions are dropped: for an unknown option it suggests to pass it as a value.
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

/// Prints an error or hint line once: many images fail in the same way if their host does.
fn once(text: String) {
    if PRINTED_ERRORS.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
        note(text);
    }
}

/// The rows of a table: labels and values.
pub(super) type Rows = Vec<(String, String)>;

/// Prints a line `label  value` for each pair, aligned.
pub(super) fn table(rows: &[(String, String)]) {
    let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| format!("{label:width$}  {}", shortened(value));
    text(&rows.iter().map(line).collect());
}
