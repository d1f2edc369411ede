//! The value of `--signed-reference`: a name that is about to be signed, or must have been.

/// Refuses a name that lacks a part, as `"$REPOSITORY:$VERSION"` does where a variable is not set: it would be signed.
pub(in crate::cli) fn to_sign(text: &str) -> Result<String, String> {
    let ends = [':', '/', '@'];
    let lacks = match text.trim() {
        "" => Some("it is empty"),
        name if name.starts_with(ends) => Some("nothing stands before its first mark"),
        name if name.ends_with(ends) => Some("nothing follows its last mark"),
        name if name.contains("/:") || name.contains("/@") => Some("it has no repository"),
        _ => None,
    };
    match lacks {
        Some(why) => Err(format!("{why} (is a variable not set?)")),
        None => Ok(text.to_owned()),
    }
}

/// Refuses the empty name, as `"$NAME"` is where the variable is not set: no image is signed under it.
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
    fn a_name_with_a_part_missing_is_not_signed() {
        for whole in ["app", "app:1.0", "host:5000/team/app:1.0", "host/app@sha256:00", "release 2026"] {
            assert_eq!(to_sign(whole).as_deref(), Ok(whole));
        }
        for lacking in
            ["", " ", ":1.0", "/app:1.0", "@sha256:00", "host/app:", "host/app@", "host/", "host/:1.0", "host/@x"]
        {
            assert!(to_sign(lacking).is_err(), "{lacking:?}");
        }
    }
}
