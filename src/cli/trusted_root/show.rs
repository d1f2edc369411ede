//! The command `trust show`: whom and what a trusted root trusts.

use std::fmt::Display;

use bulla::limits::Limits;
use bulla::report::Report;
use bulla::report::TrustShowResult;
use bulla::time::Time;
use bulla::time::ValidityPeriod;
use bulla::trust::sigstore::SigstoreAuthority;
use bulla::trust::sigstore::TrustedRoot;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::trust::sigstore::TrustedRootOrigin;
use bulla::tuf::TufRole;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::trusted_root;
use crate::cli::trusted_root::args::TrustShowArgs;

pub(super) fn show(args: &TrustShowArgs, now: Time) -> Result<Exit, Failure> {
    let file = trusted_root::open(&args.trusted_root, &Limits::DEFAULT)?;
    trusted_root::warn(&args.trusted_root, &file, now);
    match args.output {
        Output::Json => {
            let result = TrustShowResult::new(&args.trusted_root, &file, now);
            render::report(&Report::new("trust show", vec![result]));
        }
        Output::Text => render::text(&page(&args.trusted_root, &file, now)),
    }
    Ok(Exit::Yes)
}

fn page(argument: &str, file: &TrustedRootFile, now: Time) -> Lines {
    let mut lines = Lines::default();
    lines.push(format_args!("{}: {}, {}", Foreign(argument), origin(file), file.digest()));
    if let Some(imported) = file.imported() {
        lines.push(format_args!("TUF metadata, judged at {}", imported.judged_at()));
        for role in TufRole::ALL {
            let state = imported.metadata().role(role);
            let expired = if state.expires <= now { ": expired" } else { "" };
            let (role, version, expires) = (role.name(), state.version, state.expires);
            lines.push(format_args!("  {role:<11}  version {version}, expires {expires}{expired}"));
        }
    }
    for root in file.roots().iter() {
        let mut list = Listed { lines: &mut lines, now };
        list.root(root);
    }
    lines.push(format_args!("judged at {now}"));
    lines
}

/// Where the file is from, for people.
fn origin(file: &TrustedRootFile) -> String {
    match file.origin() {
        TrustedRootOrigin::Instance(instance) => {
            format!("the trusted root of this program, known to be current at {}", instance.as_of())
        }
        TrustedRootOrigin::Import => {
            let imported = file.imported().map(|imported| imported.imported_at().to_string()).unwrap_or_default();
            format!("trusted root of a TUF repository, imported at {imported}")
        }
        _ => format!("{} in a file that does not say how old it is", trusted_roots(file.roots().iter().count())),
    }
}

fn trusted_roots(count: usize) -> String {
    match count {
        1 => "trusted root".to_owned(),
        count => format!("{count} trusted roots"),
    }
}

struct Listed<'a> {
    lines: &'a mut Lines,
    now: Time,
}

impl Listed<'_> {
    fn root(&mut self, root: &TrustedRoot) {
        self.authorities("certificate authority, for the certificates of signers", root.certificate_authorities());
        self.authorities("timestamp authority, for timestamps of signatures", root.timestamp_authorities());
        for log in root.transparency_logs() {
            self.entry("transparency log, for entries about signatures", log.validity());
            self.log(log.id(), log.key().algorithm());
            let Some(origin) = log.origins().first() else { continue };
            self.row("origin", Foreign(origin));
        }
        for log in root.certificate_logs() {
            self.entry("certificate log, for timestamps in certificates (SCT)", log.validity());
            self.log(log.id(), log.key().algorithm());
        }
        for log in root.unsupported_logs() {
            self.lines.push("log that is not used: its kind of key is not supported");
            self.row("log id", &log.id);
            self.row("key", &log.key_details);
        }
    }

    fn authorities(&mut self, kind: &str, authorities: &[SigstoreAuthority]) {
        for authority in authorities {
            self.entry(kind, authority.validity());
            if let Some(uri) = authority.uri() {
                self.row("address", Foreign(uri));
            }
            for certificate in authority.certificates() {
                let validity = ValidityPeriod { start: certificate.not_before(), end: Some(certificate.not_after()) };
                let label = if certificate == authority.anchor() { "anchor" } else { "certificate" };
                self.row(label, Foreign(certificate.subject()));
                self.row("  valid", format_args!("{validity}: {}", validity.state(self.now)));
                self.row("  digest", certificate.digest());
            }
        }
    }

    fn entry(&mut self, kind: &str, validity: ValidityPeriod) {
        self.lines.push(kind);
        self.row("trusted", format_args!("{validity}: {}", validity.state(self.now)));
    }

    fn log(&mut self, id: impl Display, algorithm: impl Display) {
        self.row("log id", id);
        self.row("key", algorithm);
    }

    fn row(&mut self, name: &str, value: impl Display) {
        self.lines.push(format_args!("  {name:<11}  {value}"));
    }
}
