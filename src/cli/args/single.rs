//! Lazy command line: defines only the command that is typed, because defining all of them takes most of the start time.
//!
//! Invariant: one command alone parses its arguments exactly as the whole command line does. Only success is taken from
//! here. Help and errors come from the whole command line, which knows suggestions and usage.

use std::ffi::OsString;

use clap::Args as _;
use clap::Command;
use clap::FromArgMatches as _;
use clap::Subcommand as _;
use clap::error::ErrorKind;

use crate::cli::blob::args::AttestBlobArgs;
use crate::cli::blob::args::SignBlobArgs;
use crate::cli::blob::args::VerifyBlobArgs;
use crate::cli::policy::args::PolicyCommand;
use crate::cli::request::args::AttestArgs;
use crate::cli::request::args::RequestCommand;
use crate::cli::revocation::args::RevocationCommand;
use crate::cli::timestamp::args::TimestampCommand;
use crate::cli::trusted_root::args::TrustCommand;

use super::CertCommand;
use super::Cli;
use super::CompletionArgs;
use super::CopyArgs;
use super::DemoArgs;
use super::DigestArgs;
use super::GeneralArgs;
use super::ImportArgs;
use super::InspectArgs;
use super::KeyCommand;
use super::LsArgs;
use super::ManArgs;
use super::SignArgs;
use super::TreeArgs;
use super::VerifyArgs;
use super::command;
use super::examples;
use super::places;
use super::version;

/// Parses the arguments. The first one is the name of the program.
///
/// # Errors
/// Those of the whole command line. `--help` and `--version` are among them, as always in clap.
pub(in crate::cli) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let read = |with: Command| {
        let found = places::collected(with).try_get_matches_from(arguments);
        found.and_then(|mut found| Cli::from_arg_matches_mut(&mut found))
    };
    match single(arguments).map(read) {
        Some(Ok(cli)) => Ok(cli),
        Some(Err(answer)) if answer.kind() == ErrorKind::DisplayVersion => Err(answer),
        Some(Err(_)) | None => {
            let whole = command();
            read(whole.clone()).map_err(|error| places::error(&whole, arguments).unwrap_or(error))
        }
    }
}

/// The command line with only the command that the first argument names. For `--version` alone it has no commands. None
/// for any other first argument.
fn single(arguments: &[OsString]) -> Option<Command> {
    let first = arguments.get(1)?.to_str()?;
    if matches!(first, "-V" | "--version") {
        return (arguments.len() == 2).then(root);
    }
    let below = below(first)?;
    let root = GeneralArgs::augment_args(root().subcommand_required(true).subcommand(below));
    Some(examples::without_empty_variables(root))
}

/// The program itself, without commands and options.
fn root() -> Command {
    let root = Command::new("bulla").bin_name("bulla").max_term_width(110);
    root.version(env!("CARGO_PKG_VERSION")).long_version(version::long())
}

/// The definition of one command, derived from its arguments.
fn below(name: &str) -> Option<Command> {
    let command = Command::new(name.to_owned());
    let group = |command: Command| command.subcommand_required(true).arg_required_else_help(true);
    Some(match name {
        "attest" => AttestArgs::augment_args(command),
        "attest-blob" => AttestBlobArgs::augment_args(command),
        "cert" => CertCommand::augment_subcommands(group(command)),
        "completion" => CompletionArgs::augment_args(command),
        "copy" => CopyArgs::augment_args(command),
        "demo" => DemoArgs::augment_args(command),
        "digest" => DigestArgs::augment_args(command),
        "import" => ImportArgs::augment_args(command),
        "inspect" => InspectArgs::augment_args(command),
        "key" => KeyCommand::augment_subcommands(group(command)),
        "ls" => LsArgs::augment_args(command),
        "man" => ManArgs::augment_args(command),
        "policy" => PolicyCommand::augment_subcommands(group(command)),
        "request" => RequestCommand::augment_subcommands(group(command)),
        "revocation" => RevocationCommand::augment_subcommands(group(command)),
        "sign" => SignArgs::augment_args(command),
        "sign-blob" => SignBlobArgs::augment_args(command),
        "timestamp" => TimestampCommand::augment_subcommands(group(command)),
        "tree" => TreeArgs::augment_args(command),
        "trust" => TrustCommand::augment_subcommands(group(command)),
        "verify" => VerifyArgs::augment_args(command),
        "verify-blob" => VerifyBlobArgs::augment_args(command),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Vec<OsString> {
        ["bulla"].iter().chain(words).map(OsString::from).collect()
    }

    /// All that clap knows about a command, except what only help shows: its description and its position in lists. What
    /// help shows after the options is added to both sides.
    fn definition(root: Command, name: &str) -> String {
        let mut root = examples::complete(root);
        root.build();
        let command = root.find_subcommand(name).unwrap().clone();
        let text = format!("{:?}", command.about(None::<&str>).long_about(None::<&str>));
        let mut parts = text.split("disp_ord: ");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + part.split_once([',', ' ', '}']).unwrap().1)
    }

    #[test]
    fn each_command_alone_is_defined_as_in_the_whole_command_line() {
        let whole = command();
        let names: Vec<String> = whole.get_subcommands().map(|below| below.get_name().to_owned()).collect();
        assert!(names.len() > 10);
        for name in names {
            let alone = single(&typed(&[&name])).unwrap_or_else(|| panic!("{name} is not in the table"));
            assert!(definition(alone, &name) == definition(whole.clone(), &name), "{name} is defined differently");
        }
    }

    #[test]
    fn a_difference_between_definitions_is_seen() {
        let other = single(&typed(&["verify"]))
            .unwrap()
            .mut_subcommand("verify", |it| it.mut_arg("layers", |it| it.hide(true)));
        assert!(definition(other, "verify") != definition(command(), "verify"));
    }

    #[test]
    fn version_is_that_of_the_whole_command_line() {
        for flag in ["-V", "--version"] {
            let arguments = typed(&[flag]);
            let whole = command().try_get_matches_from(&arguments).unwrap_err();
            let single = parse(&arguments).unwrap_err();
            assert_eq!((single.kind(), single.to_string()), (whole.kind(), whole.to_string()));
        }
    }

    #[test]
    fn help_and_errors_are_those_of_the_whole_command_line() {
        let lines: [&[&str]; 14] = [
            &[],
            &["--help"],
            &["help", "verify"],
            &["verify"],
            &["verify", "--help"],
            &["verify", "-h"],
            &["verify", "a", "--keys", "b"],
            &["verfy"],
            &["key"],
            &["key", "nwe"],
            &["key", "new", "--help"],
            &["-q", "--version", "x"],
            &["sign", "--version"],
            &["copy", "--timeout", "soon", "a", "b"],
        ];
        for line in lines {
            let arguments = typed(line);
            let whole = command().try_get_matches_from(&arguments).unwrap_err();
            let said = parse(&arguments).unwrap_err();
            assert_eq!(
                (said.kind(), said.render().ansi().to_string()),
                (whole.kind(), whole.render().ansi().to_string()),
                "{line:?}"
            );
        }
    }
}
