//! `Results`: prints the JSON results of a command one by one, as they come.

use bulla::report::LineResult;
use bulla::report::ReportStream;
use bulla::report::ReportedTrustedRoot;
use bulla::report::StreamForm;
use bulla::report::WithTrustedRoot;

use super::args::ResultsOutput;
use super::redacted;
use super::render;

/// The JSON report of a command with many results. It prints nothing if the output format is text.
pub(super) struct Results {
    stream: Option<ReportStream>,
    trusted_root: Option<ReportedTrustedRoot>,
}

impl Results {
    /// An empty report of `command`.
    pub(super) fn of(command: &'static str, output: ResultsOutput) -> Self {
        let form = match output {
            ResultsOutput::Json => StreamForm::Whole,
            ResultsOutput::Jsonl => StreamForm::Lines,
            ResultsOutput::Text => return Self { stream: None, trusted_root: None },
        };
        let stream = ReportStream::new(command, form, redacted::secrets().clone());
        Self { stream: Some(stream), trusted_root: None }
    }

    /// The same report of verdicts that rely on `trusted_root`: each says so.
    pub(super) fn by(self, trusted_root: Option<&ReportedTrustedRoot>) -> Self {
        Self { trusted_root: trusted_root.cloned(), ..self }
    }

    /// Prints one result.
    pub(super) fn add(&mut self, result: impl LineResult) {
        let result = WithTrustedRoot::new(result, self.trusted_root.as_ref());
        if let Some(stream) = &mut self.stream {
            render::data_by(|out| stream.add(out, result));
        }
    }

    /// Prints the end of the report.
    pub(super) fn end(self) {
        if let Some(stream) = self.stream {
            render::data_by(|out| stream.end(out));
        }
    }
}
