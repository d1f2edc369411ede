//! Annotations of GitHub Actions: workflow commands that mark a line of the policy file.

use crate::report::checks::CheckResult;
use crate::report::checks::CheckedImage;
use crate::report::checks::image::bounded;

/// Workflow commands, one a line, and how many more there would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// The lines, without line ends. Each starts with `::`, and holds no other command.
    pub lines: Vec<String>,
    /// How many results have no annotation, since a step shows ten.
    pub left_out: usize,
}

/// The annotations of all requirements that are not met: first those that keep an image from being accepted, then those
/// that an exception waives. At most ten, as many as a step shows.
pub fn annotations(images: &[CheckedImage]) -> Annotations {
    let all = || images.iter().flat_map(|image| image.checks.iter().map(move |check| (image, check)));
    let failed = all().filter(|(_, check)| check.result.is_failure());
    let waived = all().filter(|(_, check)| matches!(check.result, CheckResult::Waived { .. }));
    let mut wanted = failed.chain(waived);
    let lines = wanted.by_ref().take(MOST).filter_map(|(image, check)| {
        let (code, message) = check.result.shown()?;
        let command = if check.result.is_failure() { "error" } else { "warning" };
        let mut properties = vec![format!("file={}", property(&check.place.file))];
        properties.extend(check.place.line.map(|line| format!("line={line}")));
        properties.extend(check.place.column.map(|column| format!("col={column}")));
        properties.push(format!("title={}", property(&format!("bulla: {code}"))));
        let text = data(&format!("{}: {}: {message}", bounded(&image.reference), check.requirement));
        Some(format!("::{command} {}::{text}", properties.join(",")))
    });
    let lines: Vec<_> = lines.collect();
    Annotations { lines, left_out: wanted.count() }
}

/// The message of a workflow command: its escapes are `%25`, `%0D` and `%0A`. The older form `##[command]` is recognised
/// in the middle of a line too, so it is broken up.
fn data(text: &str) -> String {
    bounded(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "## [")
}

/// A property of a workflow command, in which the separators are escaped too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The number of annotations of one kind that GitHub shows for a step.
const MOST: usize = 10;
