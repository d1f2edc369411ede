//! `PolicyReports`: the reports for other programs about a verification by policy files.

use std::io::Read as _;

use bulla::files;
use bulla::files::Overwrite;
use bulla::report;
use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::time::Time;

use super::args::PolicyArgs;
use super::args::ReportFile;
use super::args::ReportForm;
use super::exit::Exit;
use super::exit::Failure;
use super::files::writable;
use super::files::write;
use super::redacted;
use super::render;

/// The reports of `--report` and `--annotate`. They are written whatever the exit code is.
pub(super) struct PolicyReports<'a> {
    args: &'a PolicyArgs,
    command: &'static str,
    images: Vec<CheckedImage>,
    now: Time,
    /// Whether the failure of the command is among the checks already.
    policy_errors: bool,
}

impl<'a> PolicyReports<'a> {
    /// Empty reports of `command`. Checks first that the files can be written, and replace nothing but earlier reports. Until
    /// the end they say that the command did not finish: a report of an earlier run would be taken for that of one that was
    /// killed.
    pub(super) fn begin(args: &'a PolicyArgs, command: &'static str, now: Time) -> Result<Self, Failure> {
        for (position, file @ ReportFile { path, .. }) in args.report.iter().enumerate() {
            let before = args.report.iter().take(position).map(|report| &report.path);
            if let Some(other) = before.chain(&args.policy).find(|other| files::are_same(path, other)) {
                let (path, other) = (path.display(), other.display());
                let message = format!("--report {path}: this file is also `{other}`, and would be replaced");
                return Err(Failure::unknown(message).hint("give each report a file of its own"));
            }
            writable(path, Overwrite::Replace)?;
            replaceable(file)?;
        }
        let mut reports = Self { args, command, images: Vec::new(), now, policy_errors: false };
        let message = format!("`bulla {command}` did not finish");
        reports.add_failure(None, &Failure { code: "not-finished", ..Failure::unknown(message) });
        args.report.iter().try_for_each(|file| reports.write(file, Exit::Unknown))?;
        reports.images.clear();
        Ok(reports)
    }

    /// Adds an image whose requirements were checked.
    pub(super) fn add(&mut self, image: impl FnOnce() -> CheckedImage) {
        if !self.args.report.is_empty() || self.args.annotate.is_some() {
            self.images.push(image());
        }
    }

    /// Adds what is wrong with a policy file.
    pub(super) fn add_policy_errors(&mut self, checks: Vec<RequirementCheck>) {
        self.policy_errors = true;
        let reference = format!("bulla {}", self.command);
        self.add(|| CheckedImage { checks, digest: None, name: None, reference });
    }

    /// Adds a failure about `reference`, for which no requirement could be checked; of the whole command without one.
    pub(super) fn add_failure(&mut self, reference: Option<&str>, failure: &Failure) {
        let (code, message) = (failure.code, failure.message.clone());
        let result = match failure.exit {
            Exit::Refused => CheckResult::Unmet { code, message },
            Exit::Unknown | Exit::Yes => CheckResult::Undetermined { code, message },
        };
        let file = self.args.policy.first().map(|path| path.display().to_string()).unwrap_or_default();
        let place = PolicyPlace { column: None, file, line: None };
        let requirement = if reference.is_some() { "image" } else { "command" }.to_owned();
        let reference = reference.map_or_else(|| format!("bulla {}", self.command), ToOwned::to_owned);
        self.add(|| CheckedImage {
            checks: vec![RequirementCheck { place, requirement, result }],
            digest: None,
            name: None,
            reference,
        });
    }

    /// Writes the reports of a command that ended so, and returns how it ends then: a report that cannot be written is
    /// could-not-tell.
    pub(super) fn end(mut self, done: Result<Exit, Failure>) -> Result<Exit, Failure> {
        if let (Err(failure), false) = (&done, self.policy_errors) {
            self.add_failure(None, failure);
        }
        let exit = match &done {
            Ok(exit) => *exit,
            Err(failure) => failure.exit,
        };
        let lost = self.args.report.iter().filter_map(|file| self.write(file, exit).err()).map(|failure| {
            render::failure(&failure);
            failure.exit
        });
        let lost = lost.fold(Exit::Yes, Exit::and);
        if self.args.annotate.is_some() {
            let annotations = report::annotations(&self.images);
            annotations.lines.iter().for_each(|line| render::warning(line.as_str()));
            if annotations.left_out > 0 {
                render::warning(format_args!("note: {} more results have no annotation", annotations.left_out));
            }
        }
        done.map(|exit| exit.and(lost))
    }

    fn write(&self, ReportFile { form, path }: &ReportFile, exit: Exit) -> Result<(), Failure> {
        let (mut bytes, secrets) = (Vec::new(), redacted::secrets());
        let written = match form {
            ReportForm::Junit => {
                let now = self.now.to_string();
                report::write_junit(&mut bytes, self.command, &now, &self.images, secrets)
            }
            ReportForm::Sarif => report::write_sarif(&mut bytes, &self.images, exit.code(), secrets),
        };
        written.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
        write(path, &bytes, Overwrite::Replace)
    }
}

/// Refuses to replace a file that is not an earlier report in the same form: a key, a policy, evidence, or what another
/// program wrote. An empty file is replaced, as a program that makes temporary files leaves one.
fn replaceable(ReportFile { form, path }: &ReportFile) -> Result<(), Failure> {
    let Some((file, _)) = files::regular(path)? else { return Ok(()) };
    let mut start = Vec::new();
    let read = file.take(REPORT_START).read_to_end(&mut start);
    read.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
    let (is_report, what) = match form {
        ReportForm::Junit => (report::is_junit(&start), "JUnit XML"),
        ReportForm::Sarif => (report::is_sarif(&start), "SARIF"),
    };
    if is_report || start.is_empty() {
        return Ok(());
    }
    let path = path.display();
    let message = format!("--report {path}: this file is no report of bulla in {what}, and would be replaced");
    Err(Failure::unknown(message).hint("choose another name, or remove the file"))
}

/// The first bytes of a file by which a report is known.
const REPORT_START: u64 = 512;
