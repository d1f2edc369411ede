//! `ReportStream`: writes the results of a command one by one, as they come.

use std::io;
use std::io::Write;

use serde::Serialize;

use crate::redact::Secrets;
use crate::report::VERSION;
use crate::report::json;

/// The format of a report with many results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamForm {
    /// One object of JSON with all results.
    Whole,
    /// JSON lines: each result on a line of its own, with the command and the version in it.
    Lines,
}

/// A result that can be written as a line of its own, in JSON lines.
pub trait LineResult: Serialize {
    /// Adds the command and the version, which otherwise are fields of the report.
    #[must_use]
    fn standalone(self, command: &'static str, version: u32) -> Self;
}

/// A report that is never in memory as a whole.
#[derive(Clone, Debug)]
pub struct ReportStream {
    command: &'static str,
    form: StreamForm,
    secrets: Secrets,
    written: usize,
}

impl ReportStream {
    /// An empty report of `command`, in which `secrets` are hidden.
    pub const fn new(command: &'static str, form: StreamForm, secrets: Secrets) -> Self {
        Self { command, form, secrets, written: 0 }
    }

    /// Writes one result.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn add(&mut self, out: &mut dyn Write, result: impl LineResult) -> io::Result<()> {
        let number = self.written;
        self.written = number.saturating_add(1);
        if self.form == StreamForm::Lines {
            json::write_line(out, &result.standalone(self.command, VERSION), &self.secrets)?;
            return out.write_all(b"\n");
        }
        if number == 0 {
            self.open(out)?;
        }
        out.write_all(if number == 0 { b"\n    " } else { b",\n    " })?;
        json::write_within(out, &result, 4, &self.secrets)
    }

    /// Writes the end of the report.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn end(self, out: &mut dyn Write) -> io::Result<()> {
        match (self.form, self.written) {
            (StreamForm::Lines, _) => return Ok(()),
            (StreamForm::Whole, 0) => {
                self.open(out)?;
                out.write_all(b"]")?;
            }
            (StreamForm::Whole, _) => out.write_all(b"\n  ]")?,
        }
        write!(out, ",\n  \"version\": {VERSION}\n}}\n")
    }

    fn open(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\n  \"command\": \"{}\",\n  \"results\": [", self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[derive(Clone, Serialize)]
    struct OneResult {
        a: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
    }

    impl LineResult for OneResult {
        fn standalone(self, command: &'static str, version: u32) -> Self {
            Self { command: Some(command), version: Some(version), ..self }
        }
    }

    fn streamed(form: StreamForm, results: &[OneResult]) -> String {
        let mut stream = ReportStream::new("try", form, Secrets::default());
        let mut out = Vec::new();
        results.iter().for_each(|result| stream.add(&mut out, result.clone()).unwrap());
        stream.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_stream_is_written_like_the_whole_report() {
        let result = |a| OneResult { a, command: None, version: None };
        for results in [vec![], vec![result(1)], vec![result(1), result(2), result(3)]] {
            let whole = serde_json::to_string_pretty(&Report::new("try", results.clone())).unwrap();
            assert_eq!(streamed(StreamForm::Whole, &results), whole + "\n");
        }
    }

    #[test]
    fn a_line_says_which_command_and_version() {
        let result = |a| OneResult { a, command: None, version: None };
        let lines = streamed(StreamForm::Lines, &[result(1), result(2)]);
        assert_eq!(lines, "{\"a\":1,\"command\":\"try\",\"version\":1}\n{\"a\":2,\"command\":\"try\",\"version\":1}\n");
        assert_eq!(streamed(StreamForm::Lines, &[]), "");
    }
}
