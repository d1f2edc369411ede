//! Patterns of builders and refs: `*` stays inside one segment.

use bulla::predicate::SegmentPattern;
use bulla::predicate::SegmentPatternError;
use proptest::prelude::*;

fn matches(pattern: &str, text: &str) -> bool {
    SegmentPattern::parse(pattern).unwrap().matches(text)
}

#[test]
fn a_wildcard_stays_inside_a_segment() {
    for (pattern, text, want) in [
        ("refs/tags/v*", "refs/tags/v1.2", true),
        ("refs/tags/v*", "refs/tags/v", true),
        ("refs/tags/v*", "refs/tags/v1/evil", false),
        ("refs/tags/v*", "refs/heads/v1", false),
        ("refs/tags/v*", "xrefs/tags/v1", false),
        ("refs/*/v*", "refs/tags/v1", true),
        ("refs/*/v*", "refs/a/b/v1", false),
        ("v*.*-rc", "v1.2.3-rc", true),
        ("v1", "v1", true),
        ("v1", "v10", false),
        ("v1.2", "v1x2", false),
        ("*", "a", true),
        ("*", "a/b", false),
        ("a**b", "ab", true),
    ] {
        assert_eq!(matches(pattern, text), want, "{pattern} {text}");
    }
}

/// A wildcard in front of the ref would trust other repositories and other workflows of the same owner.
#[test]
fn a_builder_has_wildcards_in_its_ref_only() {
    let workflow = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/";
    let builder = SegmentPattern::builder(&format!("{workflow}v*")).unwrap();
    assert!(builder.matches(&format!("{workflow}v1")) && !builder.matches(&format!("{workflow}v1/x")));
    for wrong in ["https://github.com/example/*", "https://github.com/*/app@refs/tags/v1", "*", "*@refs/tags/v1"] {
        assert_eq!(SegmentPattern::builder(wrong), Err(SegmentPatternError::WildcardInBuilder), "{wrong}");
    }
    assert_eq!(SegmentPattern::parse(""), Err(SegmentPatternError::Empty));
    assert_eq!(SegmentPattern::parse(&"*".repeat(9)), Err(SegmentPatternError::TooManyWildcards));
}

/// The same, by trying everything.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=end).any(|at| naive(rest, &text[at..]))
        }
        Some((first, rest)) => text.first() == Some(first) && naive(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn it_is_what_trying_everything_finds(pattern in "[ab/*]{1,8}", text in "[ab/]{0,10}") {
        prop_assert_eq!(matches(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
    }
}
