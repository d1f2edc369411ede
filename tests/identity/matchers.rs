//! Ready-made matchers: GitHub, GitLab, Google.

use bulla::x509::IdentityPattern;
use bulla::x509::PatternError;
use bulla::x509::TextPattern;

use super::subject::Subject;
use super::subject::release;
use super::subject::workflow;

fn pattern(text: &str) -> IdentityPattern {
    IdentityPattern::parse_keyless(text, None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, subject: &Subject) -> bool {
    pattern(text).matches(&subject.certificate())
}

const RELEASE: &str = "github:acme/app/.github/workflows/release.yml@refs/tags/v*";

#[test]
fn a_workflow_of_github_is_repository_file_and_ref() {
    let certificate = release();
    for yes in [
        RELEASE,
        "github:acme/app/.github/workflows/release.yml@refs/tags/v1.2",
        "github:acme/app/.github/workflows/*.yml@refs/tags/v*",
        "github:acme/app/.github/workflows/release.yml,any-ref",
        "github:acme/app@refs/tags/v*,any-workflow",
        "github:acme/app,any-workflow,any-ref",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,trigger=push",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,runner-environment=github-hosted",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,\
         source-repository-digest=0123456789012345678901234567890123456789",
    ] {
        assert!(matches(yes, &certificate), "{yes}");
    }
    for no in [
        "github:acme/app/.github/workflows/release.yml@refs/heads/*",
        "github:acme/app/.github/workflows/release.yaml@refs/tags/v*",
        "github:acme/app/.github/workflows/build.yml@refs/tags/v*",
        "github:acme/ap/.github/workflows/release.yml@refs/tags/v*",
        "github:Acme/app/.github/workflows/release.yml@refs/tags/v*",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,trigger=pull_request",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,runner-environment=self-hosted",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,build-config-digest=00",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,enterprise=acme",
        "github:acme/app/.github/workflows/release.yml@refs/tags/v*,host=github.acme.com",
        "github:acme/app@refs/tags/v*,workflow=acme/flows/.github/workflows/release.yml@refs/heads/main",
    ] {
        assert!(!matches(no, &certificate), "{no}");
    }
}

#[test]
fn a_certificate_of_another_repository_is_not_taken() {
    let signer = "acme/app/.github/workflows/release.yml@refs/tags/v1.2";
    let tag = "refs/tags/v1.2";
    for other in [
        workflow("acme/app-evil", "acme/app-evil/.github/workflows/release.yml@refs/tags/v1.2", tag),
        workflow("evil/acme", "evil/acme/app/.github/workflows/release.yml@refs/tags/v1.2", tag),
        workflow("acme/app", "acme/app/../x/.github/workflows/release.yml@refs/tags/v1.2", tag),
        workflow("acme/app", "acme/app/.github/workflows/release.yml@refs/tags/v1.2@refs/tags/v1.2", tag),
        workflow("acme/app", "acme/app/.github/workflows/evil.yml@refs/heads/release.yml@refs/tags/v1.2", tag),
        // A reusable workflow that another repository calls.
        workflow("evil/app", signer, tag),
        // The reusable workflow of the tag, called for the source of another branch.
        workflow("acme/app", signer, "refs/heads/evil"),
    ] {
        let name = other.names.clone();
        for text in [RELEASE, "github:acme/app@refs/tags/v*,any-workflow"] {
            assert!(!matches(text, &other), "{text}: {name:?}");
        }
    }
    // The name and the issuer fit, and nothing says for which source the workflow ran.
    let bare =
        Subject::uri(&format!("https://github.com/{signer}")).issuer("https://token.actions.githubusercontent.com");
    assert!(!matches(RELEASE, &bare));
    // Old certificates say it in the older form alone.
    assert!(matches(RELEASE, &bare.clone().bare(5, "acme/app").bare(6, tag)));
    // Both forms must fit.
    assert!(!matches(RELEASE, &bare.clone().bare(5, "acme/app").bare(6, tag).der(12, "https://github.com/evil/app")));
    assert!(!matches(RELEASE, &bare.bare(5, "evil/app").bare(6, tag).der(12, "https://github.com/acme/app")));
    // Another issuer, and a name of another kind.
    let mut elsewhere = release();
    elsewhere.extensions.drain(..2);
    assert!(!matches(RELEASE, &elsewhere.clone().issuer("https://token.actions.githubusercontent.com.evil.org")));
    assert!(!matches(RELEASE, &elsewhere));
    let mut email = release();
    email.names[0].0 = super::subject::EMAIL;
    assert!(!matches(RELEASE, &email));
}

#[test]
fn a_called_workflow_is_named_with_the_repository_that_it_is_for() {
    let called = workflow("acme/app", "acme/flows/.github/workflows/build.yml@refs/tags/v2", "refs/tags/v1.2");
    let text = "github:acme/app@refs/tags/v*,workflow=acme/flows/.github/workflows/build.yml@refs/tags/v2";
    assert!(matches(text, &called));
    assert!(!matches("github:acme/app@refs/tags/v*,any-workflow", &called), "those of the repository alone");
    let other = workflow("evil/app", "acme/flows/.github/workflows/build.yml@refs/tags/v2", "refs/tags/v1.2");
    assert!(!matches(text, &other));
    let commit = "0123456789012345678901234567890123456789";
    let pinned = workflow("acme/app", &format!("acme/flows/.github/workflows/build.yml@{commit}"), "refs/tags/v1.2");
    assert!(matches(
        &format!("github:acme/app@refs/tags/v*,workflow=acme/flows/.github/workflows/build.yml@{commit}"),
        &pinned
    ));
}

#[test]
fn issuers_of_enterprises_are_known() {
    let at = |host: &str, issuer: &str| {
        Subject::uri(&format!("https://{host}/acme/app/.github/workflows/release.yml@refs/tags/v1"))
            .issuer(issuer)
            .der(12, &format!("https://{host}/acme/app"))
            .der(14, "refs/tags/v1")
    };
    for (option, host, issuer) in [
        ("", "github.com", "https://token.actions.githubusercontent.com"),
        (",enterprise=acme", "github.com", "https://token.actions.githubusercontent.com/acme"),
        (",host=acme.ghe.com", "acme.ghe.com", "https://token.actions.acme.ghe.com"),
        (",host=github.acme.com", "github.acme.com", "https://github.acme.com/_services/token"),
    ] {
        let text = format!("{RELEASE}{option}");
        assert!(matches(&text, &at(host, issuer)), "{text}");
        assert!(!matches(&text, &at(host, "https://token.actions.evil.com")), "{text}");
        let confirmed = TextPattern::exact(issuer).unwrap();
        assert!(IdentityPattern::parse_keyless(&text, Some(&confirmed)).is_ok());
        let other = TextPattern::exact("https://accounts.google.com").unwrap();
        let error = IdentityPattern::parse_keyless(&text, Some(&other)).unwrap_err();
        assert!(matches!(error, PatternError::OtherIssuer { .. }), "{error}");
    }
}

#[test]
fn pipelines_of_gitlab_and_accounts_of_google() {
    let pipeline = |project: &str, config: &str, reference: &str, host: &str| {
        Subject::uri(&format!("https://{host}/{project}//{config}@{reference}"))
            .der(8, &format!("https://{host}"))
            .der(12, &format!("https://{host}/{project}"))
            .der(14, reference)
    };
    let main = pipeline("acme/team/app", ".gitlab-ci.yml", "refs/heads/main", "gitlab.com");
    for yes in [
        "gitlab:acme/team/app//.gitlab-ci.yml@refs/heads/main",
        "gitlab:acme/team/app@refs/heads/main,any-config",
        "gitlab:acme/team/app//.gitlab-ci.yml,any-ref",
    ] {
        assert!(matches(yes, &main), "{yes}");
        assert!(!matches(yes, &pipeline("acme/team/app2", ".gitlab-ci.yml", "refs/heads/main", "gitlab.com")), "{yes}");
        assert!(!matches(yes, &pipeline("acme/team/app", ".gitlab-ci.yml", "refs/heads/main", "gitlab.evil")), "{yes}");
    }
    assert!(!matches("gitlab:acme/team/app//ci/x.yml@refs/heads/main", &main));
    assert!(!matches("gitlab:acme/team/app//.gitlab-ci.yml@refs/tags/*", &main));
    let own = pipeline("acme/app", ".gitlab-ci.yml", "refs/heads/main", "git.acme.com");
    assert!(matches("gitlab:acme/app//.gitlab-ci.yml@refs/heads/main,host=git.acme.com", &own));
    let account = |address: &str| Subject::email(address).issuer("https://accounts.google.com");
    assert!(matches("google:ci@acme.com", &account("ci@acme.com")));
    assert!(matches("google:*@acme.com", &account("ci@acme.com")));
    for no in ["Ci@acme.com", "ci@acme.com.evil.org", "ci@evil@acme.com"] {
        assert!(!matches("google:*@acme.com", &account(no)) || no == "Ci@acme.com", "{no}");
        assert!(!matches("google:ci@acme.com", &account(no)), "{no}");
    }
    assert!(!matches("google:ci@acme.com", &Subject::user("ci@acme.com").issuer("https://accounts.google.com")));
    assert!(!matches("google:ci@acme.com", &Subject::email("ci@acme.com").issuer("https://accounts.google.com.evil")));
}

#[test]
fn what_trusts_more_than_it_seems_needs_words() {
    for (text, reason) in [
        ("github:acme/app@refs/heads/main", "any-workflow"),
        ("github:acme/app", "needs a ref"),
        ("github:acme/app,any-workflow", "any-ref"),
        ("github:acme/app/.github/workflows/release.yml", "any-ref"),
        ("github:acme/app/.github/workflows/release.yml@v1", "refs/tags/"),
        ("github:acme/app/.github/workflows/release.yml@*", "refs/tags/"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1@x", "refs/tags/"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,any-ref", "needs a ref"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,any-workflow", "one workflow"),
        ("github:acme/app/release.yml@refs/tags/v1", "one workflow"),
        ("github:acme/app/.github/workflows/**.yml@refs/tags/v1", "one workflow"),
        ("github:acme/app/.github/workflows/../release.yml@refs/tags/v1", "one workflow"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,trigger=a,trigger=b", "twice"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,triger=push", "not known"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,trigger=", "not known"),
        ("github:acme/app/.github/workflows/release.yml@refs/tags/v1,host=evil/x", "not known"),
        ("github:acme/app@refs/tags/v1,workflow=acme/flows/.github/workflows/build.yml", "called workflow"),
        ("github:acme/app@refs/tags/v1,workflow=acme/flows/.github/workflows/build.yml@v1", "called workflow"),
        ("github:acme/*/.github/workflows/release.yml@refs/tags/v1", "without wildcards"),
        ("github:*/app,any-workflow,any-ref", "without wildcards"),
        ("github:acme/../.github/workflows/release.yml@refs/tags/v1", "without wildcards"),
        ("github:acme,any-workflow,any-ref", "OWNER/REPO"),
        ("github:", "needs a ref"),
        ("gitlab:acme/app@refs/heads/main", "any-config"),
        ("gitlab:acme@refs/heads/main,any-config", "GROUP/PROJECT"),
        ("gitlab:acme/app//../x.yml@refs/heads/main", "one configuration"),
        ("gitlab:acme/app//.gitlab-ci.yml@refs/heads/main,workflow=x", "github:"),
        ("google:acme.com", "email address"),
        ("google:ci@*", "email address"),
        ("google:*@*.com", "email address"),
        ("google:*@gmail.com", "matches everybody"),
        ("google:*@googlemail.com", "everybody can have an address"),
    ] {
        let error = IdentityPattern::parse_keyless(text, None).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let any = TextPattern::any();
    for text in ["https://**", "*", "**@**"] {
        let error = IdentityPattern::parse_keyless(text, Some(&any)).unwrap_err();
        assert!(matches!(error, PatternError::CatchAll { .. }), "{text}: {error}");
    }
    for text in ["ci@acme.com", "https://acme.com/ci"] {
        let error = IdentityPattern::parse_keyless(text, None).unwrap_err();
        assert!(matches!(error, PatternError::NoIssuer { .. }), "{text}: {error}");
    }
}
