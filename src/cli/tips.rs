//! Hints for unknown verbs and options: those of cosign, skopeo, notation, oras, crane and docker, and typing errors.
//!
//! A word may have several hints. The first one counts whose options exist in the typed command. Text in backquotes names
//! its own command. The test `hints_for_foreign_words_name_existing_commands` checks all of them.

use clap::Command;
use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

mod table;

use table::OPTIONS;
use table::VERBS;
use table::Words;

/// The hint for the word that `error` rejects. `arguments` is the whole command line.
pub(super) fn tip(mut root: Command, arguments: &[String], error: &clap::Error) -> Option<String> {
    // Adds the global options to every command.
    root.build();
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.split('=').next().unwrap_or_default().to_owned()),
        _ => None,
    };
    let (command, path) = typed(&root, arguments);
    if let Some(verb) = word(ContextKind::InvalidSubcommand) {
        let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let within = format!("{path} {verb}");
        return foreign_word(VERBS, within.trim(), command)
            .or_else(|| closest(&verb, &known).map(|name| format!("bulla {path} {name}").replace("  ", " ")));
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return missing(&path, error);
    }
    if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return variable(command, arguments, &word(ContextKind::InvalidArg)?);
    }
    // Other errors, such as two options that exclude each other, name options of bulla.
    let option = word(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    if !option.starts_with('-') && options(command).iter().any(|known| known == "--out") {
        return Some(format!("--out {option}, if it is the file to write"));
    }
    let known: Vec<String> = options(command);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    foreign_word(OPTIONS, &option, command).or_else(|| closest(&option, &known).map(str::to_owned))
}

/// Leaves of the options that exclude the first one in `error` only those that were typed: clap names all that do.
///
/// `root` is called for such an error alone: to build all commands takes longer than the rest of a start.
pub(super) fn name_typed_conflicts(root: impl FnOnce() -> Command, arguments: &[String], error: &mut clap::Error) {
    let Some(ContextValue::Strings(all)) = error.get(ContextKind::PriorArg) else { return };
    let mut root = root();
    root.build();
    let (command, _) = typed(&root, arguments);
    let was_typed = |option: &&String| {
        let long = option.split([' ', '=', '[']).next().unwrap_or_default();
        let argument = command.get_arguments().find(|argument| argument.get_long() == long.strip_prefix("--"));
        let short = argument.and_then(clap::Arg::get_short).map(|short| format!("-{short}"));
        let is_short = |word: &str| short.as_deref().is_some_and(|short| word.starts_with(short));
        arguments.iter().any(|word| word.split('=').next() == Some(long) || is_short(word))
    };
    let value = match all.iter().filter(was_typed).cloned().collect::<Vec<_>>().as_slice() {
        // From an environment variable, perhaps.
        [] => return,
        [one] => ContextValue::String(one.clone()),
        several => ContextValue::Strings(several.to_vec()),
    };
    drop(error.insert(ContextKind::PriorArg, value));
}

/// The hint for a bad value from an environment variable: the option was not typed.
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

/// The hint for a missing source or destination of `copy` or `import`.
fn missing(path: &str, error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) if names.iter().any(|name| name == "<DST>") => {
            Some(format!("bulla {path} SRC DST: the last one is where the images go"))
        }
        _ => None,
    }
}

/// The typed command as far as it exists, and its name below `bulla`.
fn typed<'a>(root: &'a Command, arguments: &[String]) -> (&'a Command, String) {
    let (mut command, mut path) = (root, Vec::new());
    let mut before = "";
    for word in arguments.iter().skip(1) {
        // The word after an option may be its value.
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

fn foreign_word(table: &[Words], word: &str, command: &Command) -> Option<String> {
    let (_, hints) = table.iter().find(|(words, _)| words.split(' ').any(|known| known.replace('/', " ") == word))?;
    let known = options(command);
    let fits = |hint: &&&str| own_options(hint).iter().all(|option| known.contains(option));
    hints.iter().find(fits).map(|hint| hint.replace('`', ""))
}

/// The options in a hint that belong to the typed command: those outside backquotes.
fn own_options(hint: &str) -> Vec<String> {
    hint.split('`').step_by(2).flat_map(words).filter(|word| word.starts_with("--")).collect()
}

/// The words of a hint without punctuation.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(|word| word.trim_matches([',', ':', ';', '(', ')', '.']).to_owned())
}

/// The known word closest to `typed`: at most two edits, and at most a third of its length. A swap of neighbours is one
/// edit. None if two words are equally close.
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

/// The edit distance: insertions, deletions, replacements, and swaps of neighbours (optimal string alignment).
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

/// The largest edit distance of a suggestion.
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

    /// Every command and every option that a hint names exists.
    #[test]
    fn hints_for_foreign_words_name_existing_commands() {
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
                for option in own_options(hint) {
                    let has = |leaf: &&&Command| options(leaf).contains(&option);
                    assert!(leaves.iter().any(|leaf| has(&leaf)), "{word}: no command has {option}");
                }
            }
            let last = own_options(hints.last().unwrap());
            let everywhere = |option: &String| leaves.iter().all(|leaf| options(leaf).contains(option));
            assert!(last.iter().all(everywhere), "{word}: there is no hint for a command without {last:?}");
        }
    }

    /// No word is in the table twice, and none is a verb of bulla or an option of all its commands.
    #[test]
    fn foreign_words_do_not_repeat_or_shadow_own_words() {
        let root = root();
        let leaves = leaves(&root);
        let mut seen = std::collections::BTreeSet::new();
        for word in OPTIONS.iter().chain(VERBS).flat_map(|(words, _)| words.split(' ')) {
            assert!(seen.insert(word), "{word} is in the table twice");
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
            ["--tls-ca", "--key", "--threshold", "--plain-http", "--tls", "--tls-cert", "--tls-key", "--annotation"];
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
            ("--tls-cat", Some("--tls-ca")),
            ("--cert", None),
            ("--tsl", Some("--tls")),
            ("--tls-cet", Some("--tls-cert")),
            ("--tls-ke", Some("--tls-key")),
            ("--client", None),
            ("--insecure", None),
            ("--", None),
        ] {
            assert_eq!(closest(typed, &known), want, "{typed}");
        }
    }
}
