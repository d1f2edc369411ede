//! The command line: parses arguments, runs the command, prints the result, sets the exit code.

mod args;
mod asked_document;
mod attest;
mod attestation_files;
mod attestations;
mod bar;
mod blob;
mod cert;
mod clock;
mod demo;
#[cfg(feature = "registry")]
mod endpoint;
mod envelope_reader;
mod exit;
mod files;
mod hints;
mod in_order;
mod inspect;
mod interrupt;
mod keyless;
mod keys;
mod line;
mod listing;
mod log;
mod manual;
mod material;
mod move_by_policy;
mod move_image;
mod moves;
mod node;
mod not_enforced;
mod notary;
mod paint;
mod picture;
mod policy;
mod policy_evaluator;
mod policy_reports;
mod policy_set;
mod policy_verdict;
mod predicate;
mod print_policy;
mod process_hardening;
mod progress;
mod prompt;
mod quantity;
mod redacted;
mod reference_list;
#[cfg(feature = "registry")]
mod registry;
mod rekor;
mod render;
mod request;
mod results;
mod revocation;
mod runtime;
mod scanner_report;
mod secret;
mod sign;
#[cfg(unix)]
mod signals;
mod signatures;
mod signing_chains;
mod stores;
mod target;
mod timeout;
mod timestamp;
mod tips;
mod tree;
mod trust;
mod trust_policy;
mod trusted_root;
mod verbosity;
mod verdict;
mod verifiers;
mod verify;
mod verify_by_policy;
mod verify_image_id;
mod verify_saved;
mod verify_saved_by_policy;
mod version;
#[cfg(feature = "registry")]
mod watch;
mod witnesses;

use std::ffi::OsString;
use std::process::ExitCode;

use args::Command;
use exit::Exit;
use exit::Failure;

/// Runs the command line `arguments` and returns its exit code: 0 yes or done, 1 refused, 2 could not tell.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    if let Err(error) = process_hardening::no_core_dumps() {
        render::note(format_args!("warning: core dumps cannot be switched off: {error}"));
    }
    interrupt::watch_for_panics();
    interrupt::watch_when_needed();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    redacted::begin(&arguments);
    let cli = match args::parse(&arguments) {
        Ok(cli) => cli,
        // Help and version are answers; everything else is a bad argument, which is 2 as well.
        Err(mut error) => {
            let typed: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let tip = error.use_stderr().then(|| tips::tip(args::command(), &typed, &error)).flatten();
            tips::name_typed_conflicts(args::command, &typed, &mut error);
            return render::usage(error, tip.as_deref());
        }
    };
    verbosity::set(&cli.general);
    log::begin(&cli.general);
    match &cli.command {
        Command::Copy(_) | Command::Import(_) => progress::show(),
        Command::Verify(args) if args.layers => progress::show(),
        _ => {}
    }
    let done = timeout::within(cli.general.timeout, || execute(cli.command));
    bar::end();
    let exit = done.unwrap_or_else(|failure| report_failure(&failure));
    render::stdout_failure().map_or(exit, |failure| exit.and(report_failure(&failure))).into()
}

fn report_failure(failure: &Failure) -> Exit {
    render::failure(failure);
    failure.exit
}

fn execute(command: Command) -> Result<Exit, Failure> {
    if !matches!(command, Command::Completion(_) | Command::Man(_)) {
        clock::check()?;
    }
    match command {
        Command::Attest(args) => attest::attest(&args, clock::now()),
        Command::Blob(command) => blob::blob(&command, clock::now()),
        Command::Cert(command) => cert::cert(&command, clock::now()),
        Command::Completion(args) => manual::completion(&args),
        Command::Copy(args) if args.policy.is_given() => move_by_policy::copy(&args, clock::now()),
        Command::Copy(args) => move_image::copy(&args),
        Command::Digest(args) => listing::digest(&args),
        Command::Demo(args) => demo::demo(&args, execute),
        Command::Import(args) if args.policy.is_given() => move_by_policy::import(&args, clock::now()),
        Command::Import(args) => move_image::import(&args, clock::now()),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Key(command) => keys::key(&command),
        Command::Ls(args) => listing::ls(&args),
        Command::Man(args) => manual::man(&args),
        Command::Policy(command) => policy::policy(&command, clock::now()),
        Command::Request(command) => request::request(&command),
        Command::Revocation(command) => revocation::revocation(&command, clock::now()),
        Command::Sign(args) => sign::sign(&args, clock::now()),
        Command::Timestamp(command) => timestamp::timestamp(&command),
        Command::Tree(args) => tree::tree(&args, clock::now()),
        Command::Trust(command) => trusted_root::trust(&command, clock::now()),
        Command::Verify(args) if args.print_policy.is_some() => print_policy::print(&args, clock::now()),
        Command::Verify(args) if args.policy.is_given() => verify_by_policy::verify(&args, clock::now()),
        Command::Verify(args) => verify::verify(&args, clock::now()),
    }
}
