//! `Results`: prints the JSON results of a command one by one, as they come.

use bulla::report::LineResult;
use bulla::report::ReportStream;
use bulla::report::StreamForm;

use super::args::ResultsOutput;
use super::redacted;
use super::render;

/// The JSON report of a command with many results. It prints nothing if the output format is text.
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
