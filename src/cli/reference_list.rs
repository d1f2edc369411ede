//! Lists of references: from the command line, from files (`@FILE`) and from standard input (`-`).

use std::path::Path;

use super::exit::Failure;
use super::files;

/// The references that were typed, with those of files and of standard input in the place of `@FILE` and `-`.
pub(super) fn expand(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut references = Vec::new();
    for text in typed {
        match (text.as_str(), text.strip_prefix('@')) {
            ("-", _) => references.extend(lines("standard input", &files::standard_input(LONGEST)?)?),
            (_, Some(file)) => references.extend(lines(text, &files::read(Path::new(file), LONGEST)?)?),
            _ => references.push(text.clone()),
        }
        if references.len() > MOST {
            return Err(Failure::unknown(format!("{text}: more than {MOST} references")));
        }
    }
    Ok(references)
}

/// One reference a line; empty lines and those that begin with `#` say nothing.
fn lines(from: &str, bytes: &[u8]) -> Result<Vec<String>, Failure> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| Failure::unknown(format!("{from}: it is not UTF-8, and so no list of references")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let wanted = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let references: Vec<_> = wanted.map(str::to_owned).collect();
    if let Some(nested) = references.iter().find(|line| *line == "-" || line.starts_with('@')) {
        return Err(Failure::unknown(format!("{from}: `{nested}` in it is a list, and a list holds references only")));
    }
    match references.is_empty() {
        true => Err(Failure::unknown(format!("{from}: it holds no reference"))),
        false => Ok(references),
    }
}

/// The longest list, in bytes.
const LONGEST: u64 = 16 << 20;
/// The most references of one command.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_reference_a_line() {
        let list = "\u{feff}# the release\r\nregistry.example/a:1\r\n\n  oci:b  \n# the end";
        assert_eq!(lines("list", list.as_bytes()).unwrap(), ["registry.example/a:1", "oci:b"]);
    }

    #[test]
    fn a_list_that_says_nothing_is_an_error() {
        for list in ["", "# nothing\n\n", "@other", "-", "a\n@b"] {
            lines("list", list.as_bytes()).unwrap_err();
        }
        lines("list", b"\xff").unwrap_err();
    }
}
