//! Random text: reading ends, without a panic, and errors stand inside the file.

use bulla::policy_file::PolicyFileError;
use proptest::prelude::*;

use crate::found;
use crate::shown;

/// What is wrong with the errors of a file.
fn misplaced<'a>(text: &str, errors: &'a [PolicyFileError]) -> Option<&'a PolicyFileError> {
    let lines: Vec<_> = text.split('\n').collect();
    let inside = |error: &PolicyFileError| {
        let (line, column) = (error.position.line as usize, error.position.column as usize);
        let length = lines.get(line.wrapping_sub(1)).map(|line| line.chars().count());
        column >= 1 && length.is_some_and(|length| column <= length + 1)
    };
    errors.iter().find(|error| !inside(error))
}

proptest! {
    #[test]
    fn errors_of_random_text_stand_inside_it(text in "[ab:\\-\\[\\]{}#'\"|>*&!%@,?\n\r 01~é\u{85}]{0,80}") {
        let errors = found(text.as_bytes());
        prop_assert!(!errors.is_empty(), "no random text of this alphabet is a policy");
        prop_assert!(misplaced(&text, &errors).is_none(), "{text:?}\n{}", shown(&errors));
        prop_assert!(errors.is_sorted_by_key(|error| error.position));
    }

    #[test]
    fn errors_of_a_policy_with_a_random_change_stand_inside_it(at in 0_usize..7_000, length in 0_usize..40, with in "[a:\\-\\[\\]{}#'\"|>*&\n ]{0,6}") {
        let text: Vec<char> = crate::language::EVERYTHING.chars().collect();
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let text: String = text[..at].iter().copied().chain(with.chars()).chain(text[end..].iter().copied()).collect();
        let errors = found(text.as_bytes());
        prop_assert!(misplaced(&text, &errors).is_none(), "{}", shown(&errors));
    }
}
