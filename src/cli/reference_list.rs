//! Lists of references: from the command line, from files (`@FILE`) and from standard input (`-`).

use std::path::Path;
use std::path::PathBuf;

use bulla::oci::Reference;

use super::exit::Failure;
use super::files;

/// Replaces `@FILE` and `-` by the references in the file and in standard input.
pub(super) fn expand(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut references = Vec::new();
    for text in typed {
        match (text.as_str(), text.strip_prefix('@')) {
            ("-", _) => references.extend(lines("standard input", &files::standard_input(MAX_BYTES)?)?),
            (_, Some(file)) => references.extend(lines(text, &files::read(Path::new(file), MAX_BYTES)?)?),
            _ => references.push(text.clone()),
        }
        if references.len() > MAX_REFERENCES {
            return Err(Failure::unknown(format!("{text}: more than {MAX_REFERENCES} references")));
        }
    }
    Ok(references)
}

/// The archives that references name, each with what it is.
pub(super) fn archives(references: &[String]) -> impl Iterator<Item = (PathBuf, &'static str)> {
    let parsed = references.iter().filter_map(|text| text.parse().ok());
    parsed.filter_map(|reference| match reference {
        Reference::DockerArchive(local) | Reference::LayoutArchive(local) => {
            Some((local.path, "the archive of an image"))
        }
        _ => None,
    })
}

/// Refuses to write the file `path` into a layout that references name: it may be a part of the layout.
pub(super) fn check_outside(path: &Path, references: &[String]) -> Result<(), Failure> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A folder that is not there has no layout in it, and nothing can be written to it.
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    let is_inside = |reference: &Reference| match reference {
        Reference::Layout(local) => local.path.canonicalize().is_ok_and(|layout| folder.starts_with(layout)),
        _ => false,
    };
    match references.iter().filter_map(|text| text.parse().ok()).find(is_inside) {
        Some(layout) => Err(Failure::unknown(format!("`{}` is inside the layout of {layout}", path.display()))
            .hint("choose a place outside of it with -o FILE")),
        None => Ok(()),
    }
}

/// Parses one reference a line. Empty lines and lines that begin with `#` are ignored.
fn lines(from: &str, bytes: &[u8]) -> Result<Vec<String>, Failure> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| Failure::unknown(format!("{from}: not a list of references: it is not UTF-8")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let wanted = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let references: Vec<_> = wanted.map(str::to_owned).collect();
    if let Some(nested) = references.iter().find(|line| *line == "-" || line.starts_with('@')) {
        return Err(Failure::unknown(format!("{from}: a list cannot contain another list (`{nested}`)")));
    }
    match references.is_empty() {
        true => Err(Failure::unknown(format!("{from}: it contains no references"))),
        false => Ok(references),
    }
}

/// The largest list that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// The maximum number of references of one command.
const MAX_REFERENCES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_reference_a_line() {
        let list = "\u{feff}# the release\r\nregistry.example/a:1\r\n\n  oci:b  \n# the end";
        assert_eq!(lines("list", list.as_bytes()).unwrap(), ["registry.example/a:1", "oci:b"]);
    }

    #[test]
    fn an_empty_or_nested_list_is_an_error() {
        for list in ["", "# nothing\n\n", "@other", "-", "a\n@b"] {
            lines("list", list.as_bytes()).unwrap_err();
        }
        lines("list", b"\xff").unwrap_err();
    }
}
