//! Hints for words that are not ours: verbs and options of cosign, skopeo, notation, oras, crane and docker, and typing errors.
//!
//! A hint names only what there is. Of the hints for a word the first one counts whose options the command has that was
//! typed; what stands in backquotes names its own command. `words_of_others_lead_to_what_there_is` checks all of them.

use clap::Command;
use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

mod table;

use table::OPTIONS;
use table::VERBS;
use table::Words;

/// What to type instead of the word that `error` complains about. `arguments` are those of the command line.
pub(super) fn tip(mut root: Command, arguments: &[String], error: &clap::Error) -> Option<String> {
    // Gives the options of all commands to each.
    root.build();
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.split('=').next().unwrap_or_default().to_owned()),
        _ => None,
    };
    let (command, path) = typed(&root, arguments);
    if let Some(verb) = word(ContextKind::InvalidSubcommand) {
        let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let within = format!("{path} {verb}");
        return of_others(VERBS, within.trim(), command)
            .or_else(|| closest(&verb, &known).map(|name| format!("bulla {path} {name}").replace("  ", " ")));
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return missing(&path, error);
    }
    if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return variable(command, arguments, &word(ContextKind::InvalidArg)?);
    }
    // Of two options that exclude each other both are ours.
    let option = word(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    if !option.starts_with('-') && options(command).iter().any(|known| known == "--out") {
        return Some(format!("--out {option}, if it is to be written"));
    }
    let known: Vec<String> = options(command);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    of_others(OPTIONS, &option, command).or_else(|| closest(&option, &known).map(str::to_owned))
}

/// The environment variable that a bad value came from: nobody typed the option, `--name <VALUE>`.
fn variable(command: &Command, arguments: &[String], option: &str) -> Option<String> {
    let name = option.split_whitespace().next()?.strip_prefix("--")?;
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name))?;
    let variable = argument.get_env()?.to_string_lossy();
    let typed = format!("--{name}");
    match arguments.iter().any(|word| word.starts_with(&typed)) {
        true => None,
        false => Some(format!("unset {variable}   # the value comes from this environment variable")),
    }
}

/// What a command lacks, where the error does not say it well: of the two ends of a copy clap names the first, and the
/// one that was typed is taken for the second.
fn missing(path: &str, error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) if names.iter().any(|name| name.starts_with("<SRC>")) => {
            Some(format!("bulla {path} SRC DST: the last one is where the images go"))
        }
        _ => None,
    }
}

/// The command that was typed as far as there is one, and its name below `bulla`.
fn typed<'a>(root: &'a Command, arguments: &[String]) -> (&'a Command, String) {
    let (mut command, mut path) = (root, Vec::new());
    let mut before = "";
    for word in arguments.iter().skip(1) {
        // What follows an option may be its value.
        let is_value = before.starts_with('-');
        before = word;
        match command.find_subcommand(word) {
            Some(below) => {
                path.push(below.get_name());
                command = below;
            }
            None if is_value || word.starts_with('-') => (),
            None => break,
        }
    }
    (command, path.join(" "))
}

/// The long options of a command, as they are typed.
fn options(command: &Command) -> Vec<String> {
    let long = command.get_arguments().filter_map(clap::Arg::get_long);
    long.chain(["help"]).map(|name| format!("--{name}")).collect()
}

fn of_others(table: &[Words], word: &str, command: &Command) -> Option<String> {
    let (_, hints) = table.iter().find(|(words, _)| words.split(' ').any(|known| known.replace('/', " ") == word))?;
    let known = options(command);
    let fits = |hint: &&&str| bare(hint).iter().all(|option| known.contains(option));
    hints.iter().find(fits).map(|hint| hint.replace('`', ""))
}

/// The options in a hint that are meant for the command that was typed: not in backquotes.
fn bare(hint: &str) -> Vec<String> {
    hint.split('`').step_by(2).flat_map(words).filter(|word| word.starts_with("--")).collect()
}

/// The words of a hint without what punctuation stands at them.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(|word| word.trim_matches([',', ':', ';', '(', ')', '.']).to_owned())
}

/// The one known word that is so close to `typed` that it must have been meant: two edits at most, and a part of the word.
/// A swap of neighbours is one edit. Nothing is suggested where two are as close.
fn closest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = |word: &str| word.trim_start_matches('-').chars().collect::<Vec<char>>();
    let typed = name(typed);
    let distances = known.iter().map(|word| (distance(&typed, &name(word)), *word));
    let mut near: Vec<_> = distances.filter(|(edits, _)| *edits <= EDITS && edits * 3 <= typed.len()).collect();
    near.sort_unstable();
    match near.as_slice() {
        [(_, word)] => Some(word),
        [(least, word), (next, _), ..] if least < next => Some(word),
        _ => None,
    }
}

/// How many characters have to be put in, left out, replaced or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.iter().enumerate() {
        let mut next = vec![line + 1];
        for (column, b) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&row, column) + usize::from(a != b);
            let mut least = replaced.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = line > 0 && column > 0 && from.get(line - 1) == Some(b) && to.get(column - 1) == Some(a);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

/// How far a word may be from the one that is suggested.
const EDITS: usize = 2;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    fn leaves(command: &Command) -> Vec<&Command> {
        match command.get_subcommands().next() {
            None => vec![command],
            Some(_) => command.get_subcommands().filter(|below| below.get_name() != "help").flat_map(leaves).collect(),
        }
    }

    fn root() -> Command {
        let mut root = Cli::command();
        root.build();
        root
    }

    /// Every command and every option that a hint names is there.
    #[test]
    fn words_of_others_lead_to_what_there_is() {
        let root = root();
        let leaves = leaves(&root);
        for (word, hints) in VERBS.iter().chain(OPTIONS) {
            assert!(!hints.is_empty(), "{word}");
            for hint in *hints {
                let commands = hint.split('`').skip(1).step_by(2).filter(|text| text.starts_with("bulla"));
                for text in commands {
                    let arguments: Vec<String> = words(text).collect();
                    let (command, path) = typed(&root, &arguments);
                    assert!(!path.is_empty() || text == "bulla --version", "{word}: there is no `{text}`");
                    for option in arguments.iter().filter(|word| word.starts_with("--") && *word != "--version") {
                        assert!(options(command).contains(option), "{word}: `{text}` has no {option}");
                    }
                }
                for option in bare(hint) {
                    let has = |leaf: &&&Command| options(leaf).contains(&option);
                    assert!(leaves.iter().any(|leaf| has(&leaf)), "{word}: no command has {option}");
                }
            }
            let last = bare(hints.last().unwrap());
            let everywhere = |option: &String| leaves.iter().all(|leaf| options(leaf).contains(option));
            assert!(last.iter().all(everywhere), "{word}: nothing is said where the command has no {last:?}");
        }
    }

    /// No word stands in the table twice, and none that a command of ours takes in every place.
    #[test]
    fn no_word_of_others_is_in_the_way() {
        let root = root();
        let leaves = leaves(&root);
        let mut seen = std::collections::BTreeSet::new();
        for word in OPTIONS.iter().chain(VERBS).flat_map(|(words, _)| words.split(' ')) {
            assert!(seen.insert(word), "{word} stands there twice");
            assert!(!leaves.iter().all(|leaf| options(leaf).contains(&word.to_owned())), "{word} is an option of ours");
        }
        for word in VERBS.iter().flat_map(|(words, _)| words.split(' ')) {
            let arguments: Vec<String> = ["bulla"].into_iter().chain(word.split('/')).map(str::to_owned).collect();
            let (_, path) = typed(&root, &arguments);
            assert_ne!(path, word.replace('/', " "), "{word} is a command of ours");
        }
    }

    #[test]
    fn only_a_close_word_is_suggested() {
        let known =
            ["--ca", "--key", "--threshold", "--plain-http", "--tls", "--client-cert", "--client-key", "--annotation"];
        for (typed, want) in [
            ("--kye", Some("--key")),
            ("--keys", Some("--key")),
            ("--treshold", Some("--threshold")),
            ("--thresholds", Some("--threshold")),
            ("--plain-htpp", Some("--plain-http")),
            ("--plainhttp", Some("--plain-http")),
            ("--anotations", Some("--annotation")),
            ("--certificate-identity", None),
            ("--c", None),
            ("--cat", Some("--ca")),
            ("--cert", None),
            ("--tsl", Some("--tls")),
            ("--client-cet", Some("--client-cert")),
            ("--client-ke", Some("--client-key")),
            ("--client", None),
            ("--insecure", None),
            ("--", None),
        ] {
            assert_eq!(closest(typed, &known), want, "{typed}");
        }
    }
}
