//! Patterns of images: what they match, which of several decides, and what is not a pattern.

use std::cmp::Ordering;

use bulla::oci::RepositoryName;
use bulla::policy_file::ImagePattern;
use bulla::policy_file::ImagePatternError;
use bulla::policy_file::SignedNameError;
use bulla::policy_file::SignedNameMapping;
use proptest::prelude::*;

fn name(text: &str) -> RepositoryName {
    RepositoryName::normalised(text).unwrap()
}

fn pattern(text: &str) -> ImagePattern {
    ImagePattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_pattern_matches_whole_names() {
    for (text, yes, no) in [
        (
            "registry.example/app",
            &["registry.example/app"][..],
            &["registry.example/app2", "registry.example/app/x"][..],
        ),
        ("registry.example/*", &["registry.example/app"], &["registry.example/a/b", "registry.example:5000/app"]),
        ("registry.example/**", &["registry.example/a", "registry.example/a/b/c"], &["a.registry.example/a"]),
        (
            "registry.example/prod/**",
            &["registry.example/prod/a"],
            &["registry.example/prod", "registry.example/prod2/a"],
        ),
        ("registry.example/*/app", &["registry.example/a/app"], &["registry.example/app", "registry.example/a/b/app"]),
        ("registry.example/*/**", &["registry.example/a/b"], &["registry.example/a"]),
        ("*.example/app", &["a.example/app", "a.b.example/app"], &["example.com/app", "a.example:5000/app"]),
        ("*.b.example:5000/app", &["a.b.example:5000/app"], &["b.example:5000/app", "a.b.example/app"]),
        ("*.b.example:443/app", &["a.b.example/app"], &["a.b.example:5000/app"]),
        // The hosts below a domain of one label have a dot, so their port 443 is left out as elsewhere.
        ("*.corp:443/app", &["a.corp/app", "a.b.corp:443/app"], &["a.corp:5000/app", "corp:443/app"]),
        ("*.corp:0443/app", &["a.corp/app"], &["a.corp:5000/app"]),
        ("*.corp:5000/app", &["a.corp:5000/app"], &["a.corp/app"]),
        ("*.b.example/app", &["a.b.example/app"], &["b.example/app", "ab.example/app", "xb.example/app"]),
        (
            "Registry.EXAMPLE:443/app",
            &["registry.example/app"],
            &["registry.example/App2".trim_end_matches("App2")][..0],
        ),
        ("index.docker.io/alpine", &["docker.io/alpine", "docker.io/library/alpine"], &["docker.io/a/alpine"]),
        ("docker.io/*", &["docker.io/alpine"], &["docker.io/example/app"]),
        ("docker.io/library/*", &["docker.io/alpine"], &["docker.io/example/app"]),
        ("docker.io/**", &["docker.io/alpine", "docker.io/example/app"], &["x.docker.io/app"]),
        // The names of Docker Hub are not below it.
        ("*.docker.io/**", &["x.docker.io/app"], &["index.docker.io/alpine", "docker.io/alpine"]),
        ("*.index.docker.io/**", &["x.index.docker.io/app"], &["x.docker.io/app"]),
    ] {
        let read = pattern(text);
        yes.iter().for_each(|yes| assert!(read.matches(&name(yes)), "{text} does not match {yes}"));
        no.iter().for_each(|no| assert!(!read.matches(&name(no)), "{text} matches {no}"));
        assert_eq!(pattern(&read.to_string()), read, "printed and read again: {text}");
    }
}

#[test]
fn what_is_not_a_pattern_is_an_error() {
    type Is = fn(&ImagePatternError) -> bool;
    let wildcard: Is = |error| matches!(error, ImagePatternError::Wildcard(_));
    let repository: Is = |error| matches!(error, ImagePatternError::Repository(_));
    let domain: Is = |error| matches!(error, ImagePatternError::Domain(_));
    let digits = "0".repeat(64);
    for (text, is) in [
        ("", repository),
        ("app", repository),
        ("team/app", repository),
        ("registry.example/app:v1", repository),
        (&format!("registry.example/app@sha256:{digits}"), repository),
        ("registry.example/**:v1", wildcard),
        ("registry.example//**", repository),
        ("registry.example//app", repository),
        ("registry.example/App", repository),
        ("registry.example/prod-*", wildcard),
        ("registry.example/a**", wildcard),
        ("registry.example/***", wildcard),
        ("reg*.example/app", wildcard),
        ("*example/app", wildcard),
        ("*.*.example/app", wildcard),
        ("a.*.example/app", wildcard),
        ("*./app", domain),
        ("*.0.0.1/app", domain),
        ("*.[::1]/app", domain),
        ("*.exa_mple/app", repository),
        // A wrong port is not left out: the pattern would be for another registry.
        ("registry.example:5000O/app", repository),
        ("registry.example:70000/app", repository),
        ("registry.example:/app", repository),
        ("registry.example:abc/app", repository),
        ("registry.example:+5/app", repository),
        ("registry.example:5000:abc/app", repository),
        ("registry.example:-1/**", repository),
        ("[::1]:abc/app", repository),
        ("[::1]:/app", repository),
        // Another spelling of an address would be the pattern of another name.
        ("127.1/app", repository),
        ("127.1:5000/**", repository),
        ("2130706433:5000/**", repository),
        ("[::ffff:127.0.0.1]/**", repository),
        ("*.0x7f/**", repository),
        ("*.example:abc/app", repository),
        ("*.example:/app", repository),
        ("*.example:70000/**", repository),
        ("*.example:+5/**", repository),
        ("registry.example/**/app", |error| matches!(error, ImagePatternError::NotLast(_))),
        ("registry.example/**/**", |error| matches!(error, ImagePatternError::NotLast(_))),
        ("*/app", |error| matches!(error, ImagePatternError::AnyHost(_))),
        ("**/app", |error| matches!(error, ImagePatternError::AnyHost(_))),
        ("registry.example", |error| matches!(error, ImagePatternError::HostAlone(_))),
        ("registry.example/", |error| matches!(error, ImagePatternError::HostAlone(_))),
        ("**", repository),
    ] {
        let error = ImagePattern::parse(text).expect_err(text);
        assert!(is(&error), "{text:?}: {error:?}");
        assert!(text.is_empty() || error.to_string().contains(text), "{text:?} is not shown: {error}");
    }
}

/// Two spellings of one pattern are one pattern, and the narrower of two domains decides in every spelling.
#[test]
fn the_default_port_makes_no_other_pattern() {
    for domain in ["corp", "example.corp"] {
        assert_eq!(pattern(&format!("*.{domain}:443/**")), pattern(&format!("*.{domain}/**")));
    }
    let (wide, narrow) = (pattern("*.corp/**"), pattern("*.two.corp:443/**"));
    assert_eq!(narrow.precedence(&wide), Ordering::Less);
    assert!(wide.covers(&narrow) && pattern("*.corp:443/**").covers(&narrow));
}

#[test]
fn a_signed_name_is_mapped_by_its_prefix() {
    for (of_block, signed, asked, want) in [
        ("mirror.example/prod/**", "ghcr.io/example/**", "mirror.example/prod/a/b", Some("ghcr.io/example/a/b")),
        ("mirror.example/prod/**", "ghcr.io/example/**", "mirror.example/prod", None),
        ("mirror.example/**", "index.docker.io/**", "mirror.example/alpine", Some("docker.io/library/alpine")),
        ("docker.io/**", "ghcr.io/hub/**", "docker.io/alpine", Some("ghcr.io/hub/library/alpine")),
        ("mirror.example/app", "GHCR.io:443/example/app", "mirror.example/app", Some("ghcr.io/example/app")),
        ("mirror.example/*", "ghcr.io/example/app", "mirror.example/x", Some("ghcr.io/example/app")),
        // `**` on both sides or on neither.
        ("mirror.example/**", "ghcr.io/example/app", "mirror.example/x", None),
        ("mirror.example/app", "ghcr.io/example/**", "mirror.example/app", None),
    ] {
        let mapping = SignedNameMapping::parse(signed).unwrap();
        let mapped = mapping.signed_name(&pattern(of_block), &name(asked)).unwrap();
        assert_eq!(mapped.map(|name| name.to_string()).as_deref(), want, "{of_block} to {signed}: {asked}");
    }
    let long = format!("mirror.example/{}", "a".repeat(200));
    let mapping = SignedNameMapping::parse(&format!("ghcr.io/{}/**", "b".repeat(200))).unwrap();
    assert!(mapping.signed_name(&pattern("mirror.example/**"), &name(&long)).is_err(), "longer than names can be");
    for text in ["ghcr.io/*", "ghcr.io/*/app", "*.io/app", "ghcr.io/*/**"] {
        assert!(matches!(SignedNameMapping::parse(text), Err(SignedNameError::Wildcard(_))), "{text}");
    }
    for text in ["ghcr.io", "app", "ghcr.io/app:v1", "ghcr.io:5000O/example/**", "ghcr.io:/example/app"] {
        assert!(matches!(SignedNameMapping::parse(text), Err(SignedNameError::Pattern(_))), "{text}");
    }
}

/// The labels of a host from the right, and the segments of a repository.
#[derive(Clone, Debug)]
struct Parts(Vec<&'static str>, Vec<&'static str>);

fn any_name() -> impl Strategy<Value = Parts> {
    let labels = prop::collection::vec(prop::sample::select(vec!["a", "b"]), 1..3);
    let segments = prop::collection::vec(prop::sample::select(vec!["x", "y"]), 1..4);
    (labels, segments).prop_map(|(labels, segments)| Parts(labels, segments))
}

fn any_pattern() -> impl Strategy<Value = Parts> {
    let labels = prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..3);
    let segments = prop::collection::vec(prop::sample::select(vec!["x", "y", "*"]), 0..4);
    (labels, any::<bool>(), segments, any::<bool>()).prop_map(|(mut labels, below, mut segments, rest)| {
        if below || labels.is_empty() {
            labels.push("*");
        }
        if rest || segments.is_empty() {
            segments.push("**");
        }
        Parts(labels, segments)
    })
}

impl Parts {
    /// `…label.label.example/segment/…`.
    fn text(&self) -> String {
        let labels: Vec<_> = self.0.iter().rev().copied().collect();
        format!("{}.example/{}", labels.join("."), self.1.join("/"))
    }

    /// Whether this pattern matches a name: every way in which `*` in the host and `**` could stand for labels and segments
    /// is tried.
    fn naive_matches(&self, name: &Self) -> bool {
        let host = match self.0.split_last() {
            Some((&"*", before)) => {
                (1..=name.0.len()).any(|more| before.len() + more == name.0.len() && name.0.starts_with(before))
            }
            _ => self.0 == name.0,
        };
        let same = |mine: &[&str], theirs: &[&str]| {
            mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(one, other)| *one == "*" || one == other)
        };
        let segments = match self.1.split_last() {
            Some((&"**", before)) => (1..=name.1.len()).any(|more| same(before, &name.1[..name.1.len() - more])),
            _ => same(&self.1, &name.1),
        };
        host && segments
    }
}

/// The pattern that decides, by striking out what is wider, from the left.
fn naive_choice<'a>(patterns: &'a [Parts], name: &Parts) -> Vec<&'a Parts> {
    let mut left: Vec<_> = patterns.iter().filter(|pattern| pattern.naive_matches(name)).collect();
    if left.iter().any(|pattern| !pattern.0.contains(&"*")) {
        left.retain(|pattern| !pattern.0.contains(&"*"));
    }
    let longest = left.iter().map(|pattern| pattern.0.len()).max().unwrap_or(0);
    left.retain(|pattern| pattern.0.len() == longest);
    for position in 0..name.1.len() {
        for better in [name.1[position], "*"] {
            if left.iter().any(|pattern| pattern.1.get(position) == Some(&better)) {
                left.retain(|pattern| pattern.1.get(position) == Some(&better));
                break;
            }
        }
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn exactly_one_pattern_decides(parts in prop::collection::vec(any_pattern(), 1..8), asked in any_name()) {
        let asked_name = name(&asked.text());
        let mut read: Vec<(ImagePattern, &Parts)> = Vec::new();
        for one in &parts {
            let parsed = pattern(&one.text());
            prop_assert_eq!(parsed.matches(&asked_name), one.naive_matches(&asked), "{} {}", one.text(), asked.text());
            if read.iter().all(|(known, _)| *known != parsed) {
                read.push((parsed, one));
            }
        }
        let matching: Vec<_> = read.iter().filter(|(parsed, _)| parsed.matches(&asked_name)).collect();
        let distinct: Vec<_> = read.iter().map(|(_, one)| (*one).clone()).collect();
        let naive = naive_choice(&distinct, &asked);
        for (one, _) in &matching {
            for (other, _) in &matching {
                prop_assert_eq!(one.precedence(other) == Ordering::Equal, one == other);
                prop_assert_eq!(one.precedence(other), other.precedence(one).reverse());
            }
        }
        let first = matching.iter().min_by(|(one, _), (other, _)| one.precedence(other)).map(|(_, one)| one.text());
        prop_assert_eq!(naive.len(), usize::from(first.is_some()));
        prop_assert_eq!(naive.first().map(|one| one.text()), first);
    }

    #[test]
    fn a_pattern_that_covers_another_matches_what_it_matches(
        wide in any_pattern(),
        narrow in any_pattern(),
        names in prop::collection::vec(any_name(), 40),
    ) {
        let (wide, narrow) = (pattern(&wide.text()), pattern(&narrow.text()));
        let names: Vec<_> = names.iter().map(|one| name(&one.text())).collect();
        if wide.covers(&narrow) {
            prop_assert!(names.iter().all(|name| wide.matches(name) || !narrow.matches(name)), "{wide} {narrow}");
        }
        prop_assert!(wide.covers(&wide));
    }
}
