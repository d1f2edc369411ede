//! `Results`: prints the results of a command one by one as they come, where a report in JSON is wanted.

use bulla::report::LineResult;
use bulla::report::ReportStream;
use bulla::report::StreamForm;

use super::args::ResultsOutput;
use super::redacted;
use super::render;

/// The report of a command that has many results. Where text is wanted there is none, and nothing is printed.
pub(super) struct Results(Option<ReportStream>);

impl Results {
    /// An empty report of `command`.
    pub(super) fn of(command: &'static str, output: ResultsOutput) -> Self {
        let form = match output {
            ResultsOutput::Json => StreamForm::Whole,
            ResultsOutput::Jsonl => StreamForm::Lines,
            ResultsOutput::Text => return Self(None),
        };
        Self(Some(ReportStream::new(command, form, redacted::secrets().clone())))
    }

    /// Prints one result.
    pub(super) fn add(&mut self, result: impl LineResult) {
        if let Some(stream) = &mut self.0 {
            render::data_by(|out| stream.add(out, result));
        }
    }

    /// Prints the end of the report.
    pub(super) fn end(self) {
        if let Some(stream) = self.0 {
            render::data_by(|out| stream.end(out));
        }
    }
}
