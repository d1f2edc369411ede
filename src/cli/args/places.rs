//! `MovePlaces`: the source images of `copy` and `import`, and the destination, which is typed last.
//!
//! Invariant: options may stand anywhere among them. clap takes the last argument before an option for the destination,
//! so it collects all of them as sources, and they are divided here. Help, manual pages and completion scripts are made
//! from the definition with both.

use std::ffi::OsString;

use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::FromArgMatches;
use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

/// The source images, and the destination.
#[derive(Debug)]
pub(in crate::cli) struct MovePlaces {
    pub(in crate::cli) sources: Vec<String>,
    pub(in crate::cli) target: String,
}

/// The definition of the arguments.
#[derive(Args)]
struct TypedPlaces {
    /// The source images; - reads references from standard input, @FILE from a file
    #[arg(value_name = "SRC", required = true)]
    sources: Vec<String>,
    /// The destination; host/prefix/ puts each image into its own repository below it
    #[arg(value_name = "DST", required = true)]
    target: Option<String>,
}

impl Args for MovePlaces {
    fn augment_args(command: Command) -> Command {
        TypedPlaces::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        TypedPlaces::augment_args_for_update(command)
    }
}

impl FromArgMatches for MovePlaces {
    fn from_arg_matches(found: &ArgMatches) -> Result<Self, clap::Error> {
        let TypedPlaces { mut sources, target } = TypedPlaces::from_arg_matches(found)?;
        match target.or_else(|| sources.pop()) {
            Some(target) if !sources.is_empty() => Ok(Self { sources, target }),
            _ => Err(clap::Error::new(ErrorKind::MissingRequiredArgument)),
        }
    }

    fn update_from_arg_matches(&mut self, found: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(found)?;
        Ok(())
    }
}

/// The command line with which places are parsed: all of them are sources.
pub(super) fn collected(root: Command) -> Command {
    with_places(undivided(root), |command| command.mut_arg(TARGET, |target| target.required(false)))
}

/// What is wrong with `arguments`, which [`collected`] does not parse, in the words of `root`. Only a destination that is
/// missing is said to be missing.
pub(super) fn error(root: &Command, arguments: &[OsString]) -> Option<clap::Error> {
    let mut error = undivided(root.clone()).try_get_matches_from(arguments).err()?;
    let has_both = || {
        let found = collected(root.clone()).ignore_errors(true).try_get_matches_from(arguments).ok()?;
        let (_, places) = found.subcommand()?;
        Some(places.try_get_many::<String>(SOURCES).ok()??.len() > 1)
    };
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::MissingRequiredArgument
        && has_both() == Some(true)
    {
        let others = names.iter().filter(|name| *name != "<DST>").cloned().collect();
        let _both = error.insert(ContextKind::InvalidArg, ContextValue::Strings(others));
    }
    Some(error)
}

/// The command line in which nothing is taken for the destination.
fn undivided(root: Command) -> Command {
    // A terminator ends the list of sources. No argument can be this one. An argument that is changed moves to the end, so
    // the target has to follow.
    with_places(root, |command| {
        command.mut_arg(SOURCES, |sources| sources.value_terminator("\0")).mut_arg(TARGET, |target| target)
    })
}

/// Changes the commands that have places.
fn with_places(root: Command, change: impl Fn(Command) -> Command) -> Command {
    ["copy", "import"].iter().fold(root, |root, name| match root.find_subcommand(name) {
        Some(_) => root.mut_subcommand(name, &change),
        None => root,
    })
}

const SOURCES: &str = "sources";
const TARGET: &str = "target";

#[cfg(test)]
mod tests {
    use crate::cli::args;
    use crate::cli::args::Cli;
    use crate::cli::args::parse;

    use super::*;

    fn arguments(words: &[&str]) -> Vec<OsString> {
        ["bulla"].iter().chain(words).map(OsString::from).collect()
    }

    fn places(line: &[&str]) -> MovePlaces {
        match parse(&arguments(line)).map(|Cli { command, .. }| command) {
            Ok(args::Command::Copy(args)) => args.places,
            Ok(args::Command::Import(args)) => args.places,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    /// Every order of `options` and `places` in which the places keep theirs.
    fn mixed<'a>(options: &[&'a [&'a str]], places: &[&'a str]) -> Vec<Vec<&'a str>> {
        let mut orders = Vec::new();
        if let [first, rest @ ..] = places {
            orders.extend(mixed(options, rest).into_iter().map(|order| [vec![*first], order].concat()));
        }
        for (at, option) in options.iter().enumerate() {
            let others = [&options[..at], &options[at + 1..]].concat();
            orders.extend(mixed(&others, places).into_iter().map(|order| [option.to_vec(), order].concat()));
        }
        if orders.is_empty() { vec![Vec::new()] } else { orders }
    }

    #[test]
    fn options_may_stand_anywhere_among_places() {
        let import: &[&[&str]] = &[&["--evidence", "e.tar"], &["--key=k"], &["--dry-run"]];
        let copy: &[&[&str]] = &[&["--evidence"], &["--platform", "linux/arm64"], &["-q"]];
        let mut seen = 0;
        for (verb, options) in [("import", import), ("copy", copy)] {
            for order in mixed(options, &["a", "b", "c"]) {
                let line = [vec![verb], order].concat();
                let places = places(&line);
                assert_eq!((places.sources, places.target.as_str()), (vec!["a".into(), "b".into()], "c"), "{line:?}");
                seen += 1;
            }
        }
        assert_eq!(seen, 240);
        for line in [["copy", "--", "-a", "-c"], ["copy", "a", "--", "-c"], ["copy", "--", "a", "-c"]] {
            let places = places(&line);
            assert_eq!((places.sources.len(), places.target.as_str()), (1, "-c"), "{line:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (line, missing) in [
            (&["copy"][..], &["<SRC>...", "<DST>"][..]),
            (&["copy", "a"], &["<DST>"]),
            (&["copy", "a", "--evidence"], &["<DST>"]),
            (&["copy", "--evidence", "a"], &["<DST>"]),
            (&["import"], &["--key <[OWNER=]PUB>", "<SRC>...", "<DST>"]),
            (&["import", "a", "--key", "k"], &["<DST>"]),
            (&["import", "a"], &["--key <[OWNER=]PUB>", "<DST>"]),
            (&["import", "a", "b"], &["--key <[OWNER=]PUB>"]),
            (&["import", "a", "--evidence", "e", "b"], &["--key <[OWNER=]PUB>"]),
        ] {
            let error = parse(&arguments(line)).unwrap_err();
            let names = error.get(ContextKind::InvalidArg);
            let wanted = missing.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(names, Some(&ContextValue::Strings(wanted)), "{line:?}");
            assert!(error.to_string().contains("<SRC>... <DST>"), "{error}");
        }
        let error = parse(&arguments(&["import", "a", "--evidence", "e", "b", "--ky", "k"])).unwrap_err();
        assert_eq!(error.get(ContextKind::InvalidArg), Some(&ContextValue::String("--ky".to_owned())));
        let help = parse(&arguments(&["import", "a", "--evidence", "e", "b", "--help"])).unwrap_err();
        assert_eq!(help.to_string(), parse(&arguments(&["import", "--help"])).unwrap_err().to_string());
        assert!(help.to_string().contains("\nUsage: bulla import [OPTIONS] <SRC>... <DST>\n"), "{help}");
    }
}
