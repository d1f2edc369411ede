//! Colour for verdicts and errors on a terminal. No information is in the colour alone.

use std::ffi::OsString;
use std::io::IsTerminal;

/// Colours the first word of an escaped line that is a verdict or an error, if it goes to a terminal with colour.
pub(super) fn line(line: &str, to: &impl IsTerminal) -> String {
    match wanted(to.is_terminal(), |name| std::env::var_os(name)) {
        true => painted(line),
        false => line.to_owned(),
    }
}

/// Whether colour is wanted: `NO_COLOR` (no-color.org), `CLICOLOR_FORCE` and `CLICOLOR` (bixense.com/clicolors), `TERM`.
fn wanted(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name: &str, wanted: &str| variable(name).is_some_and(|value| value == wanted);
    match () {
        () if is_set("NO_COLOR") => false,
        () if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
        () => terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
    }
}

fn painted(line: &str) -> String {
    for (start, colour) in COLOURS {
        if let Some(rest) = line.strip_prefix(start) {
            let (word, end) = start.split_once(' ').unwrap_or((start, ""));
            let space = if start.contains(' ') { " " } else { "" };
            return format!("\u{1b}[{colour}m{word}\u{1b}[0m{space}{end}{rest}");
        }
    }
    line.to_owned()
}

/// The beginnings of coloured lines, and their colours (ECMA-48, SGR). After a verdict the digest follows.
const COLOURS: &[(&str, &str)] = &[
    ("error:", "1;31"),
    ("hint:", "36"),
    ("note:", "33"),
    ("warning:", "33"),
    ("copied sha", "32"),
    ("imported sha", "32"),
    ("signed sha", "32"),
    ("verified sha", "32"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let wanted = |terminal, variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
            wanted(terminal, find)
        };
        assert!(wanted(true, &[]));
        assert!(!wanted(false, &[]));
        assert!(!wanted(true, &[("NO_COLOR", "1")]));
        assert!(wanted(true, &[("NO_COLOR", "")]));
        assert!(!wanted(true, &[("CLICOLOR", "0")]));
        assert!(wanted(true, &[("CLICOLOR", "1")]));
        assert!(!wanted(false, &[("CLICOLOR", "1")]));
        assert!(wanted(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!wanted(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wanted(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!wanted(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn only_verdicts_and_errors_are_coloured_and_no_text_is_lost() {
        for (line, shown) in [
            ("verified sha256:00  r/app", "\u{1b}[32mverified\u{1b}[0m sha256:00  r/app"),
            ("error: no", "\u{1b}[1;31merror:\u{1b}[0m no"),
            ("verified", "verified"),
            ("verified by whom", "verified by whom"),
            ("  error: no", "  error: no"),
            ("", ""),
        ] {
            assert_eq!(painted(line), shown);
        }
    }
}
