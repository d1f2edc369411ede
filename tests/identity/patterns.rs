//! Patterns of texts: anchored, whole, bounded, and narrow.

use bulla::x509::FulcioExtension;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::PatternError;
use bulla::x509::TextPattern;

fn wildcard(text: &str) -> TextPattern {
    TextPattern::parse(text).unwrap()
}

fn regexp(text: &str) -> TextPattern {
    TextPattern::regexp(text).unwrap()
}

/// A pattern for a name that every issuer may confirm.
fn named(name: TextPattern) -> Result<IdentityPattern, PatternError> {
    IdentityPattern::keyless(name, TextPattern::exact("https://issuer.example.com").unwrap())
}

#[test]
fn an_exact_text_is_compared_as_it_is() {
    let pattern = wildcard("https://github.com/acme/app");
    assert!(pattern.matches("https://github.com/acme/app"));
    for other in [
        "https://github.com/acme/app-evil",
        "https://github.com/acme/ap",
        "https://github.com/acme/app/",
        "https://github.com/acme/app\n",
        "https://github.com/acme/app\0",
        "https://github.com/Acme/app",
        "https://github.com/acme/x/../app",
        "https://github.com/acme/%61pp",
        "https://github.com/acme/\u{430}pp",
        " https://github.com/acme/app",
        "",
    ] {
        assert!(!pattern.matches(other), "{other:?}");
    }
    // What regular expressions and wildcards give a meaning is text here.
    assert!(wildcard("a.c").matches("a.c") && !wildcard("a.c").matches("abc"));
}

#[test]
fn a_wildcard_stays_in_its_segment() {
    let tags = wildcard("https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*");
    let with = |reference: &str| format!("https://github.com/acme/app/.github/workflows/release.yml@{reference}");
    for yes in ["refs/tags/v", "refs/tags/v1.2.3-rc.1"] {
        assert!(tags.matches(&with(yes)), "{yes}");
    }
    for no in [
        "refs/tags/1",
        "refs/heads/v1",
        "refs/tags/v1/evil",
        "refs/tags/v1@refs/tags/v2",
        "refs/tags/v1?x",
        "refs/tags/v1#x",
        "refs/tags/v%31",
        "refs/tags/v1 2",
        "refs/tags/v1\n",
        "refs/tags/v1\u{200b}",
    ] {
        assert!(!tags.matches(&with(no)), "{no:?}");
    }
    assert!(!tags.matches(&format!("x{}", with("refs/tags/v1"))), "it begins at the first character");
    // The name of a branch may look like another ref.
    let main = wildcard("https://github.com/acme/app/.github/workflows/*@refs/heads/main");
    assert!(main.matches("https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"));
    assert!(!main.matches("https://github.com/acme/app/.github/workflows/evil.yml@refs/heads/x@refs/heads/main"));
    let deep = wildcard("spiffe://acme.com/**/sa/ci");
    assert!(deep.matches("spiffe://acme.com/ns/build/sa/ci"));
    for no in ["spiffe://acme.com/ns/../sa/ci", "spiffe://acme.com/./sa/ci", "spiffe://acme.com/n@s/sa/ci"] {
        assert!(!deep.matches(no), "{no}");
    }
    assert!(wildcard("*@acme.com").matches("ci@acme.com") && !wildcard("*@acme.com").matches("a@b@acme.com"));
    assert!(matches!(TextPattern::parse("a***b").unwrap_err(), PatternError::Wildcard { .. }));
}

#[test]
fn a_regular_expression_is_anchored() {
    for (given, anchored) in [
        ("foo", "^foo$"),
        ("^foo", "^foo$"),
        ("foo$", "^foo$"),
        ("^foo\\$", "^foo\\$$"),
        ("^", "^$"),
        ("foo|bar", "^(?:foo|bar)$"),
        ("^foo|bar$", "^(?:foo|bar)$"),
        ("^a|b|c$", "^(?:a|b|c)$"),
        ("(?i)foo", "(?i)^foo$"),
        ("(^foo$)", "^(^foo$)$"),
        ("https://github.com/acme/app/.*", "^https://github.com/acme/app/.*$"),
    ] {
        match TextPattern::regexp(given).unwrap_err() {
            PatternError::Anchor { found, anchored: said } => assert_eq!((&*found, &*said), (given, anchored)),
            other => panic!("{given}: {other}"),
        }
        assert!(TextPattern::regexp(anchored).is_ok() || anchored == "^$", "{anchored} can be typed");
    }
    for (text, yes, no) in [
        ("^foo$", "foo", "xfoo"),
        ("^foo$", "foo", "foo\n"),
        ("^a$|^b$", "b", "ab"),
        ("^(a|b)$", "a", "a|b"),
        ("^[|]a$", "|a", "a"),
        ("^[]|]a$", "|a", "a"),
        ("^[^]|]a$", "xa", "|a"),
        ("^a\\|b$", "a|b", "a"),
        ("(?i)^ci@acme\\.com$", "CI@acme.com", "ci@acmexcom"),
        ("^v[0-9]+$", "v10", "v10x"),
        ("^a.b$", "axb", "a\nb"),
        ("^a[^x]b$", "ayb", "a\nb"),
        ("^a\\\\$", "a\\", "a"),
    ] {
        assert!(regexp(text).matches(yes) && !regexp(text).matches(no), "{text}");
    }
    // Only ASCII digits are digits, as in RE2.
    assert!(!regexp("^\\d$").matches("\u{664}"));
}

#[test]
fn what_is_not_a_bounded_regular_expression_is_refused() {
    for text in [
        "^(foo$",
        "^foo)$",
        // It would end the group that anchors it.
        "^a)|(?:b$",
        "^a)$|^(?:b$",
        "^[a$",
        "^a{2,1}$",
        "(?m)^foo$",
        "^(?m:a)$",
        "^(?s)a$",
        "(?x)^a$",
        "^(?=a)a$",
        "^\\1$",
        "^(((((((((((((((((((((a)))))))))))))))))))))$",
        "^(a{1000}){1000}$",
    ] {
        let error = TextPattern::regexp(text).unwrap_err();
        assert!(matches!(error, PatternError::Regexp { .. }), "{text}: {error}");
    }
    let long = "a".repeat(1025);
    assert!(matches!(TextPattern::exact(&long).unwrap_err(), PatternError::TooLong { limit: 1024 }));
    assert!(matches!(TextPattern::regexp(&format!("^{long}$")).unwrap_err(), PatternError::TooLong { .. }));
    for text in ["", "a\nb", "a\0", "a\u{202e}b", "a\u{200b}"] {
        for made in [TextPattern::exact(text), TextPattern::parse(&format!("{text}*")), TextPattern::regexp(text)] {
            // `*` alone is a pattern; that it matches everybody is found where its use is known.
            assert!(made.is_err() || text.is_empty(), "{text:?}");
        }
    }
    // A text that is longer than what is compared matches no pattern.
    assert!(!regexp("^a+$").matches(&"a".repeat(2049)) && regexp("^a+$").matches(&"a".repeat(2048)));
}

#[test]
fn what_matches_everybody_needs_a_word_of_its_own() {
    for text in ["*", "**", "**@**", "*@*", "https://**", "https://github.com/**@refs/heads/*", "https://*/**@**"] {
        let error = named(wildcard(text)).unwrap_err();
        assert!(matches!(error, PatternError::CatchAll { .. }), "{text}: {error}");
    }
    for text in ["^.*$", "^.+$", "^.*.*$", "^(.|x)*$", "^[^ ]+$", "^https://.*$", "^https://github.com/.*$", "^.*@.*$"]
    {
        let error = named(regexp(text)).unwrap_err();
        assert!(matches!(error, PatternError::CatchAll { .. }), "{text}: {error}");
    }
    for text in ["^(?:https://acme\\.com/.*|.*@gmail\\.com)$", "^x?.*$"] {
        assert!(named(regexp(text)).is_err(), "{text}");
    }
    assert!(named(TextPattern::any()).is_ok(), "the word");
    let name = || TextPattern::exact("ci@acme.com").unwrap();
    for issuer in [regexp("^.*$"), regexp("^https://.+$"), wildcard("https://*"), wildcard("**")] {
        assert!(IdentityPattern::keyless(name(), issuer.clone()).is_err(), "{issuer}");
    }
    assert!(IdentityPattern::keyless(name(), TextPattern::any()).is_ok());
    assert!(named(wildcard("*@acme.com")).is_ok() && named(regexp("^https://github\\.com/acme/app/.+$")).is_ok());
}

#[test]
fn a_pattern_says_without_a_wildcard_whose_names_it_means() {
    let release = ".github/workflows/release.yml@refs/tags/**";
    for text in [
        &format!("https://github.com/*/*/{release}"),
        &format!("https://github.com/acme*/app/{release}"),
        &format!("https://*.example.com/acme/{release}"),
        "https://github.com/acme*",
        "https://github.com*/acme/x",
        "https://github.com//acme/*",
        "https://kubernetes.io/namespaces/*/serviceaccounts/release",
        "https://circleci.com/api/v2/projects/*/pipeline-definitions/release",
        "*@outlook.com",
        "*@GoogleMail.com",
        "ann*@gmx.net",
        "*acme.com",
        "*@*.acme.com",
        "*@.acme.com",
        "ci@acme.*",
        "*!gmail.com",
        "release*",
        "**@refs/heads/main",
    ] {
        let error = named(wildcard(text)).unwrap_err();
        assert!(matches!(error, PatternError::Wide { .. } | PatternError::CatchAll { .. }), "{text}: {error}");
    }
    for text in [
        r"^https://github\.com/[^/]+/[^/]+/\.github/workflows/release\.yml@refs/tags/.*$",
        r"^https://github.com/acme/app/release$",
        r"^https://github\.com/acme.*$",
        r"^https://github\.com/acme?/.*$",
        r"^https://github\.com/acme/?.*$",
        r"^https://github\.com/acme/*x$",
        r"^https://github\.com/acme/{0,1}x$",
        r"^https://github\.com/(acme|evil)/.*$",
        r"^https?://github\.com/acme/.*$",
        r"^https://github\.com/acme/.*$|^https://github\.com/.*/y$",
        r"^(?:https://github\.com/acme/.*|https://github\.com/.*/y)$",
        r"^(https://github\.com/acme/)?release$",
        r"^https://github\.com\x2facme/x/.*$",
        r"^.*@outlook\.com$",
        r"(?i)^.*@OUTLOOK\.COM$",
        r"^.*@acme.com$",
        r"^.*[[:alpha:]@acme.com]z$",
        r"^.*@acme\.com?$",
        r"^.*(@acme\.com|y)$",
    ] {
        let error = named(regexp(text)).unwrap_err();
        assert!(matches!(error, PatternError::Wide { .. }), "{text}: {error}");
    }
    for issuer in [
        regexp(r"^https://.*\.com$"),
        regexp(r"^https://login\.acme\.com.*$"),
        regexp("^https://login.acme.com/.*$"),
        wildcard("https://*.acme.com"),
        wildcard("https://*/acme"),
        // Everybody can have an issuer at these hosts.
        wildcard("https://oidc.circleci.com/org/*"),
        wildcard("https://oidc.circleci.com/org/0a1b*"),
        wildcard("https://oidc.circleci.com:443/org/*"),
        wildcard("HTTPS://OIDC.CircleCI.com/org/*"),
        regexp(r"^https://oidc\.circleci\.com/org/[0-9a-f-]+$"),
        regexp(r"^https://oidc\.circleci\.com/.*$|^https://login\.acme\.com/.*$"),
        wildcard("https://container.googleapis.com/v1/projects/*/locations/*/clusters/*"),
        wildcard("https://oidc.eks.eu-west-1.amazonaws.com/id/*"),
        wildcard("https://token.actions.githubusercontent.com/*"),
        wildcard("https://login.microsoftonline.com/*/v2.0"),
        wildcard("https://sts.windows.net/**"),
        wildcard("https://eastus.oic.prod-aks.azure.com/*/x"),
    ] {
        let error = IdentityPattern::keyless(TextPattern::exact("ci@acme.com").unwrap(), issuer).unwrap_err();
        assert!(matches!(error, PatternError::Wide { .. } | PatternError::CatchAll { .. }), "{error}");
    }
    let narrow = [
        wildcard("https://github.com/acme/*/.github/workflows/release.yml@refs/tags/**"),
        wildcard("https://kubernetes.io/namespaces/acme/serviceaccounts/*"),
        wildcard("spiffe://acme.com/ns/*"),
        wildcard("*@acme.com"),
        wildcard("*!acme.com"),
        TextPattern::exact("ann@gmail.com").unwrap(),
        regexp(r"^https://github\.com/acme/[^/]+/\.github/workflows/release\.yml@refs/tags/.*$"),
        regexp(r"^https:\/\/github\.com\/acme\/.*$"),
        regexp(r"^https://github\.com/acme/.*$|^https://github\.com/other/.*$"),
        regexp(r"^(?:https://github\.com/acme/.*|(?:ann|bob)@acme\.com)$"),
        regexp(r"^[[:alpha:]]+@acme\.com$"),
        regexp(r"^ann[@]acme[.]com$|^.*@acme[.]com$"),
        regexp(r"(?i)^ann@gmail\.com$"),
    ];
    for pattern in narrow {
        assert!(named(pattern.clone()).is_ok(), "{pattern}: {:?}", named(pattern.clone()));
    }
    let name = || TextPattern::exact("ci@acme.com").unwrap();
    for issuer in [
        regexp(r"^https://login\.acme\.com/.*$"),
        wildcard("https://token.actions.githubusercontent.com/acme/*"),
        wildcard("https://container.googleapis.com/v1/projects/acme/locations/*/clusters/*"),
        wildcard("https://oidc.circleci.com/org/0a1b/*"),
        TextPattern::exact("https://oidc.circleci.com/org/0a1b").unwrap(),
        // Other hosts, where the host alone is the organisation.
        wildcard("https://oidc.circleci.com.acme.com/org/*"),
        wildcard("https://notprod-aks.azure.com/*"),
    ] {
        assert!(IdentityPattern::keyless(name(), issuer).is_ok());
    }
}

#[test]
fn beside_the_exact_repository_a_name_may_be_wide() {
    let every = || regexp(r"^https://github\.com/[^/]+/[^/]+/\.github/workflows/release\.yml@refs/tags/.*$");
    let issuer = || TextPattern::exact("https://token.actions.githubusercontent.com").unwrap();
    let repository = |text| NamePattern::either((FulcioExtension::WorkflowRepository, text), []);
    let with = |name, conditions: &[NamePattern]| IdentityPattern::keyless_with(name, issuer(), conditions);
    assert!(with(every(), &[repository(TextPattern::exact("acme/app").unwrap())]).is_ok());
    let reference = (FulcioExtension::WorkflowRef, TextPattern::exact("refs/heads/main").unwrap());
    for conditions in [
        &[][..],
        &[repository(wildcard("acme/*"))],
        &[repository(TextPattern::any())],
        &[NamePattern::either(reference, [])],
    ] {
        assert!(matches!(with(every(), conditions).unwrap_err(), PatternError::Wide { .. }), "{conditions:?}");
    }
    let exact = [repository(TextPattern::exact("acme/app").unwrap())];
    assert!(matches!(with(regexp("^.*$"), &exact).unwrap_err(), PatternError::CatchAll { .. }));
}
