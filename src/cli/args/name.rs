//! The value of `--signed-reference`: the name to sign, or to require in a signature.

use super::pair::check_shown;

/// Refuses to sign a name with an empty part: `"$REPOSITORY:$VERSION"` has one if a variable is not set. Refuses a character
/// that does not show.
pub(in crate::cli) fn to_sign(text: &str) -> Result<String, String> {
    let ends = [':', '/', '@'];
    let missing = match text.trim() {
        "" => Some("it is empty"),
        name if name.starts_with(ends) => Some("it has nothing before its first `:`, `/` or `@`"),
        name if name.ends_with(ends) => Some("it has nothing after its last `:`, `/` or `@`"),
        name if name.contains("/:") || name.contains("/@") => Some("it has no repository"),
        _ => None,
    };
    match missing {
        Some(why) => Err(format!("{why} (is a variable not set?)")),
        None => check_shown(text).map(|()| text.to_owned()),
    }
}

/// Refuses to require an empty name: `"$NAME"` is empty if the variable is not set, and no image is signed under it.
pub(in crate::cli) fn to_verify(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty (is a variable not set?)".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_an_empty_part_is_not_signed() {
        for whole in ["app", "app:1.0", "host:5000/team/app:1.0", "host/app@sha256:00", "release 2026"] {
            assert_eq!(to_sign(whole).as_deref(), Ok(whole));
        }
        for incomplete in [
            "",
            " ",
            "a\u{202e}p",
            "app\u{1b}",
            ":1.0",
            "/app:1.0",
            "@sha256:00",
            "host/app:",
            "host/app@",
            "host/",
            "host/:1.0",
            "host/@x",
        ] {
            assert!(to_sign(incomplete).is_err(), "{incomplete:?}");
        }
    }
}
