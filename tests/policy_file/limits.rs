//! What is read of a policy file is bounded, and a hostile file ends reading early.

use bulla::limits::Limits;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::PolicyProblem;
use bulla::policy_file::document::PolicyDocument;
use bulla::yaml;
use bulla::yaml::Position;
use bulla::yaml::YamlProblem;

use crate::found;

/// The first error of `bytes` within `limits`.
fn first(bytes: &[u8], limits: &Limits) -> Option<YamlProblem> {
    yaml::read(bytes, limits).errors.into_iter().next().map(|error| error.problem)
}

#[test]
fn a_file_is_bounded() {
    for (bytes, problem) in [(7, None), (6, None), (5, Some(YamlProblem::TooLong(5)))] {
        assert_eq!(first(b"a: b c", &Limits::DEFAULT.with(|limits| limits.yaml.bytes = bytes)), problem);
    }
    for (depth, problem) in [(4, None), (3, None), (2, Some(YamlProblem::TooDeep(2)))] {
        for text in ["a: [{ b: c }]", "a:\n  - b: c\n"] {
            let limits = Limits::DEFAULT.with(|limits| limits.yaml.depth = depth);
            assert_eq!(first(text.as_bytes(), &limits), problem, "{text} {depth}");
        }
    }
    // The mapping, two keys, a text, a list and two texts in it.
    for (values, problem) in [(8, None), (7, None), (6, Some(YamlProblem::TooManyValues(6)))] {
        let limits = Limits::DEFAULT.with(|limits| limits.yaml.values = values);
        assert_eq!(first(b"a: b\nc: [d, e]\n", &limits), problem, "{values}");
    }
}

/// A file of this pattern, as long as a file may be.
fn full(head: &str, pattern: &str) -> Vec<u8> {
    let most = usize::try_from(Limits::DEFAULT.yaml.bytes).unwrap();
    let mut text = head.to_owned();
    while text.len() + pattern.len() <= most {
        text.push_str(pattern);
    }
    text.into_bytes()
}

#[test]
fn a_hostile_file_ends_reading_at_the_first_thing_that_is_too_much() {
    let depth = |column: u32| Some((Position { line: 1, column }, YamlProblem::TooDeep(16)));
    for (head, pattern, want) in [
        ("", "- ", depth(33)),
        ("", "? ", Some((Position { line: 1, column: 3 }, YamlProblem::KeyIsNoText))),
        ("a:", " [", None),
        ("", "a: [*b, &c d, !e f]\n", None),
        ("", "[", None),
        ("", "{", None),
        ("[", "a,", None),
        ("", "'", None),
        ("a: \"", "x", None),
        ("a: ", "b ", None),
        ("a: ", "é", None),
        ("# ", "#", None),
        ("", "\n", None),
        ("", "a\n", None),
        ("", "---\n", None),
        ("a: |\n", " b\n", None),
        ("a: >\n", " b\n\n", None),
    ] {
        let errors = found(&full(head, pattern));
        assert!(!errors.is_empty() && errors.len() <= PolicyDocument::MOST_ERRORS, "{pattern:?}");
        if let Some((position, problem)) = want {
            assert_eq!(errors[0], PolicyFileError { position, problem: problem.into() }, "{pattern:?}");
        }
    }
}

#[test]
fn only_so_many_errors_are_returned() {
    let text: String = (0..2_000).map(|n| format!("field{n}: x\n")).collect();
    let errors = found(text.as_bytes());
    assert_eq!(errors.len(), PolicyDocument::MOST_ERRORS);
    assert!(errors.iter().skip(1).all(|error| matches!(error.problem, PolicyProblem::UnknownField { .. })));
    let text: String = (0..2_000).map(|n| format!("f{n}: no\n")).collect();
    assert_eq!(yaml::read(text.as_bytes(), &Limits::DEFAULT).errors.len(), yaml::YamlDocument::MOST_ERRORS);
}
