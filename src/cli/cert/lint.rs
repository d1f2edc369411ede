//! The command `cert lint`: every rule of a profile that certificates break, before anything is signed with them.

use std::path::Path;

use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::report::LintResult;
use bulla::report::Report;
use bulla::time::Time;
use bulla::x509::BundleError;
use bulla::x509::Certificate;
use bulla::x509::Lint;
use bulla::x509::LintFinding;
use bulla::x509::LintOutcome;

use crate::cli::args::CertLintArgs;
use crate::cli::args::Output;
use crate::cli::args::PurposeArg;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;

pub(super) fn lint(args: &CertLintArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let bytes = files::read(&args.file, limits.envelope.bundle_bytes)?;
    if let Some(form) = PrivateKey::form(&bytes) {
        let name = args.file.display();
        return Err(Failure::unknown(format!("{name}: it is a private key ({form}), not a certificate")));
    }
    let certificates = Certificate::parse_bundle(&bytes, &limits).map_err(|error| unreadable(&args.file, &error))?;
    let lint = Lint::run(&certificates, args.purpose.into(), args.profile, args.at.unwrap_or(now), &limits);
    match args.output {
        Output::Json => {
            let file = args.file.display().to_string();
            render::report(&Report::new("cert lint", vec![LintResult::new(file, &lint)]));
        }
        Output::Text => render::text(&page(args, &lint)),
    }
    Ok(match lint.outcome() {
        LintOutcome::Passed => Exit::Yes,
        LintOutcome::Refused => Exit::Refused,
        LintOutcome::Undetermined => Exit::Unknown,
    })
}

/// The failure for a file that is not read. It is a no if the encoding of a certificate is wrong.
fn unreadable(path: &Path, error: &BundleError) -> Failure {
    let name = path.display();
    match error {
        BundleError::Certificate { error: why, .. } if !why.is_undetermined() => {
            Failure { code: "malformed", ..Failure::refused(format!("{name}: certificate refused: {error}")) }
        }
        _ => Failure::unknown(format!("{name}: {error}")),
    }
}

fn page(args: &CertLintArgs, lint: &Lint) -> Lines {
    let mut lines = Lines::default();
    let purpose = match args.purpose {
        PurposeArg::CodeSigning => "code signing",
        PurposeArg::Timestamping => "timestamps",
    };
    lines.push(format!("{}: profile {}, for {purpose}, at {}", args.file.display(), lint.profile(), lint.at()));
    for (index, certificate) in lint.certificates().iter().enumerate() {
        let (role, subject) = (lint.role(index).name(), certificate.subject().to_string());
        lines.push(format!("{role}  {}  serial {}", Foreign(&subject), certificate.serial()));
        for name in certificate.extensions().alternative_names() {
            lines.push(format!("  name     {}", Foreign(name)));
        }
        let (passed, failed): (Vec<_>, Vec<_>) = lint
            .findings()
            .filter(|finding| finding.certificate == index)
            .partition(|finding| finding.outcome == LintOutcome::Passed);
        failed.chunk_by(|one, next| one.rule == next.rule).for_each(|of_rule| broken(of_rule, &mut lines));
        match args.all {
            true => passed.iter().for_each(|one| lines.push(format!("  passed   {}  {}", one.rule, one.clause))),
            false => lines.push(format!("  passed   {} rules", passed.len())),
        }
        let remarks = lint.remarks().into_iter().filter(|remark| remark.certificate == index);
        remarks.for_each(|remark| lines.push(format!("  note     {}", remark.kind.text())));
    }
    lint.omissions().iter().for_each(|one| lines.push(format!("not checked: {}", one.text())));
    let failed = lint.failed().count();
    let passed = lint.findings().count().saturating_sub(failed);
    lines.push(match failed {
        0 => format!("passed: {passed} rules"),
        1 => format!("{}: 1 finding", lint.outcome().name()),
        failed => format!("{}: {failed} findings", lint.outcome().name()),
    });
    lines
}

/// What was found about one rule, and what makes it right.
fn broken(findings: &[&LintFinding], lines: &mut Lines) {
    let Some(first) = findings.first() else { return };
    let outcome = findings.iter().map(|finding| finding.outcome).max().unwrap_or(first.outcome);
    lines.push(format!("  {:8} {}  {}", outcome.name(), first.rule, first.rule.broken()));
    let mut more = |label: &str, text: &str| lines.push(format!("           {label:7}  {text}"));
    findings.iter().filter_map(|finding| finding.found.as_deref()).for_each(|found| more("found", found));
    first.wanted.iter().for_each(|wanted| more("wanted", wanted));
    more("clause", first.clause);
    first.openssl.iter().for_each(|line| more("openssl", line));
}
