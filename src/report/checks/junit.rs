//! JUnit XML: a test suite for each image, a test case for each requirement.
//!
//! A requirement that is not met is a failure, one that could not be decided an error, one that an exception waives is
//! skipped. XML 1.0 cannot hold control characters, so that text is escaped as everywhere (CWE-91, CWE-150).

use std::io;
use std::io::Write;

use crate::redact::Secrets;
use crate::report::checks::CheckResult;
use crate::report::checks::CheckedImage;
use crate::report::checks::image::WAIVED;
use crate::report::checks::image::bounded;

/// Writes `images`, checked by `command` at `now` (RFC 3339), as JUnit XML.
///
/// # Errors
/// Those of `out`.
pub fn write_junit(
    out: &mut dyn Write,
    command: &str,
    now: &str,
    images: &[CheckedImage],
    secrets: &Secrets,
) -> io::Result<()> {
    let text = |text: &str| escaped(&bounded(&secrets.hide_in_output(text)));
    let total = images.iter().map(Counts::of).fold(Counts::default(), Counts::and);
    writeln!(out, "{DECLARATION}")?;
    writeln!(out, "{SUITES}{}\" {total}>", text(command))?;
    for image in images {
        let counts = Counts::of(image);
        writeln!(out, "  <testsuite name=\"{}\" timestamp=\"{}\" {counts}>", text(&image.reference), text(now))?;
        let digest = image.digest.as_ref().map(ToString::to_string);
        let properties = [("digest", &digest), ("name", &image.name)];
        let properties: Vec<_> =
            properties.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))).collect();
        if !properties.is_empty() {
            writeln!(out, "    <properties>")?;
            for (name, value) in properties {
                writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", text(value))?;
            }
            writeln!(out, "    </properties>")?;
        }
        for check in &image.checks {
            let line = check.place.line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
            let file = text(&check.place.file);
            let name = text(&check.requirement);
            write!(out, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\"{line}")?;
            let (element, code, message) = match &check.result {
                CheckResult::Met => {
                    writeln!(out, "/>")?;
                    continue;
                }
                CheckResult::Undetermined { code, message } => ("error", *code, message),
                CheckResult::Unmet { code, message } => ("failure", *code, message),
                CheckResult::Waived { message } => ("skipped", WAIVED, message),
            };
            writeln!(out, ">")?;
            let message = text(message);
            // The schema of `skipped` has no type.
            match element {
                "skipped" => writeln!(out, "      <skipped message=\"{code}: {message}\"/>")?,
                _ => writeln!(out, "      <{element} type=\"{code}\" message=\"{message}\">{message}</{element}>")?,
            }
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// Whether a file with these first bytes, 512 or more of them, is a report of [`write_junit`].
pub fn is_junit(start: &[u8]) -> bool {
    let rest = start.strip_prefix(DECLARATION.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"));
    rest.is_some_and(|rest| rest.starts_with(SUITES.as_bytes()))
}

/// The number of test cases, by result.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    errors: usize,
    failures: usize,
    skipped: usize,
    tests: usize,
}

impl Counts {
    fn of(image: &CheckedImage) -> Self {
        let count =
            |wanted: &dyn Fn(&CheckResult) -> bool| image.checks.iter().filter(|check| wanted(&check.result)).count();
        Self {
            errors: count(&|result| matches!(result, CheckResult::Undetermined { .. })),
            failures: count(&|result| matches!(result, CheckResult::Unmet { .. })),
            skipped: count(&|result| matches!(result, CheckResult::Waived { .. })),
            tests: image.checks.len(),
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            failures: self.failures + other.failures,
            skipped: self.skipped + other.skipped,
            tests: self.tests + other.tests,
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { errors, failures, skipped, tests } = self;
        write!(f, "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

/// Text in XML: in an attribute in double quotes, or between tags.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            c => xml.push(c),
        }
    }
    xml
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
/// The beginning of the root element, up to the command in its name.
const SUITES: &str = "<testsuites name=\"bulla ";
