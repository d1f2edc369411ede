//! `Results`: the report of a command that has many results, written one by one as they come.

use serde_json::json;

use super::args::ResultsOutput;
use super::object::Object;
use super::render;
use super::report::VERSION;

/// The one object of JSON around the results of a command, which is never held whole.
pub(super) struct Results {
    command: &'static str,
    form: ResultsOutput,
    written: usize,
}

impl Results {
    /// An empty report of `command` in this form. The text form has no report object, so nothing is written for it.
    pub(super) const fn of(command: &'static str, form: ResultsOutput) -> Self {
        Self { command, form, written: 0 }
    }

    /// Writes one result.
    pub(super) fn add(&mut self, result: Object<'_>) {
        match self.form {
            ResultsOutput::Json => {}
            ResultsOutput::Jsonl => {
                let line = result.with("command", json!(self.command)).with("version", json!(VERSION));
                return render::json_line(&line);
            }
            ResultsOutput::Text => return,
        }
        if self.written == 0 {
            self.open();
        }
        render::piece(if self.written == 0 { "\n    " } else { ",\n    " });
        render::json_within(&result, 4);
        self.written = self.written.saturating_add(1);
    }

    /// Writes the end of the report.
    pub(super) fn end(self) {
        if self.form != ResultsOutput::Json {
            return;
        }
        if self.written == 0 {
            self.open();
        }
        render::piece(if self.written == 0 { "]" } else { "\n  ]" });
        render::piece(&format!(",\n  \"version\": {VERSION}\n}}\n"));
    }

    fn open(&self) {
        render::piece(&format!("{{\n  \"command\": \"{}\",\n  \"results\": [", self.command));
    }
}
