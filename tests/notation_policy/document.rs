//! Trust policy documents: what is read, and each rule broken once.

use std::fs;

use bulla::limits::Limits;
use bulla::trust::notation::PolicyAction;
use bulla::trust::notation::PolicyCheck;
use bulla::trust::notation::TrustPolicyDocument;
use bulla::trust::notation::TrustPolicyError;
use bulla::trust::notation::TrustPolicyRule;
use bulla::trust::notation::TrustedIdentity;
use bulla::trust::notation::UnevaluatedStatement;
use bulla::trust::notation::VerifyTimestamp;
use serde_json::Value;
use serde_json::json;

use super::vectors::suite;

fn parse(document: &Value) -> Result<TrustPolicyDocument, TrustPolicyError> {
    TrustPolicyDocument::parse(document.to_string().as_bytes(), &Limits::DEFAULT)
}

/// A statement that keeps every rule.
fn statement() -> Value {
    json!({
        "name": "releases",
        "registryScopes": ["registry.example/app"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:acme", "tsa:time"],
        "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"]
    })
}

fn document(statements: &[Value]) -> Value {
    json!({"version": "1.0", "trustPolicies": statements})
}

/// The message for a statement with one field changed.
fn broken(change: impl FnOnce(&mut Value)) -> String {
    let mut changed = statement();
    change(&mut changed);
    parse(&document(&[changed])).unwrap_err().to_string()
}

#[test]
fn a_statement_is_read_whole() {
    let read = parse(&document(&[statement()])).unwrap();
    let one = read.statements().first();
    assert_eq!((one.name(), one.level().name()), ("releases", "strict"));
    assert!(one.level().unenforced().is_empty());
    assert_eq!(one.trust_stores().iter().map(ToString::to_string).collect::<Vec<_>>(), ["ca:acme", "tsa:time"]);
    assert_eq!(one.verify_timestamp(), VerifyTimestamp::Always);
    assert!(matches!(one.trusted_identities(), [TrustedIdentity::Subject { .. }]));
    let mut other = statement();
    other["signatureVerification"]["verifyTimestamp"] = json!("afterCertExpiry");
    other["trustedIdentities"] = json!(["arn:aws:signer:us-west-2::/profile"]);
    let read = parse(&document(&[other])).unwrap();
    assert_eq!(read.statements().first().verify_timestamp(), VerifyTimestamp::AfterCertExpiry);
    assert!(matches!(read.statements().first().trusted_identities(), [TrustedIdentity::Plugin { .. }]));
}

#[test]
fn every_rule_about_a_statement_is_kept() {
    let set = |path: &'static str, value: Value| move |one: &mut Value| *one.pointer_mut(path).unwrap() = value;
    let level = |level: &str, overrides: Value| {
        let verification = json!({"level": level, "override": overrides});
        set("/signatureVerification", verification)
    };
    let identities = |identities: Value| set("/trustedIdentities", identities);
    let subject = "x509.subject: C=US, ST=WA, O=Acme";
    for (message, said) in [
        ("it has no name", broken(set("/name", json!("")))),
        ("registryScopes is empty", broken(set("/registryScopes", json!([])))),
        ("* among others", broken(set("/registryScopes", json!(["*", "registry.example/app"])))),
        ("level is \"\"", broken(set("/signatureVerification", json!({})))),
        ("level is \"Strict\"", broken(level("Strict", json!({})))),
        ("override of integrity", broken(level("strict", json!({"integrity": "enforce"})))),
        ("override of \"Expiry\"", broken(level("strict", json!({"Expiry": "log"})))),
        ("override of expiry is \"skip\"", broken(level("strict", json!({"expiry": "skip"})))),
        ("override of authenticity is \"off\"", broken(level("strict", json!({"authenticity": "off"})))),
        ("override of the level skip", broken(level("skip", json!({"expiry": "log"})))),
        ("skip has neither", broken(level("skip", json!({})))),
        (
            "verifyTimestamp is \"never\"",
            broken(set("/signatureVerification", json!({"level": "strict", "verifyTimestamp": "never"}))),
        ),
        ("trustStores is empty", broken(set("/trustStores", json!([])))),
        (
            "trustStores is empty",
            broken(|one| {
                one["trustStores"] = json!([]);
                one["trustedIdentities"] = json!([]);
            }),
        ),
        ("trustedIdentities is empty", broken(identities(json!([])))),
        ("an empty identity", broken(identities(json!([""])))),
        ("* among others", broken(identities(json!(["*", subject])))),
        ("wanted * or x509.subject", broken(identities(json!(["x509.subject CN=a"])))),
        ("wanted * or x509.subject", broken(identities(json!(["x509.subject:"])))),
        ("lacks the attribute C", broken(identities(json!(["x509.subject: ST=WA, O=Acme"])))),
        ("lacks the attribute ST", broken(identities(json!(["x509.subject: C=US, O=Acme"])))),
        ("lacks the attribute O", broken(identities(json!(["x509.subject: C=US, ST=WA"])))),
        ("twice", broken(identities(json!(["x509.subject: C=US, ST=WA, O=Acme, O=Other"])))),
        ("several attributes", broken(identities(json!(["x509.subject: C=US, ST=WA, O=Acme+OU=b"])))),
        ("covers", broken(identities(json!([subject, subject])))),
        ("covers", broken(identities(json!(["x509.subject: CN=a, C=US, ST=WA, O=Acme", subject])))),
    ] {
        assert!(said.contains(message) && said.starts_with("statement 1 ("), "{message}: {said}");
    }
}

#[test]
fn names_of_trust_stores_are_single_components_of_a_path() {
    for name in
        ["ca:", "acme", "ca:..", "ca:.", "ca:a/b", "ca:../acme", "CA:acme", "root:acme", "ca:a b", "ca:a:b", ":acme"]
    {
        let said = broken(|one| one["trustStores"] = json!([name]));
        assert!(said.contains("wanted ca:, signingAuthority: or tsa:"), "{name}: {said}");
    }
}

#[test]
fn scopes_are_repositories_written_in_full() {
    let reads = |scope: &str| {
        let mut one = statement();
        one["registryScopes"] = json!([scope]);
        parse(&document(&[one]))
    };
    for scope in ["registry.example/app", "localhost:5000/a/b-c__d.e", "host/app", "*"] {
        assert!(reads(scope).is_ok(), "{scope}");
    }
    for scope in [
        "",
        "registry.example",
        "registry.example/",
        "/app",
        "registry.example/app:1",
        "registry.example/app@sha256:0",
        "https://registry.example/app",
        "registry.example/*",
        "*.example/app",
        "registry.example/App",
        "a b/app",
        "registry.example:/app",
        "registry.example:x/app",
        "registry.example:80x/app",
        "registry.example//app",
        "registry.example/-app",
        "registry.example/app-",
        "registry.example/app/",
        "registry.example/äpp",
        "registry.example/a b",
        "registry.example/a___b",
        "registry.example/a.-b",
        "registry..example/app",
        " registry.example/app",
        "**",
    ] {
        assert!(reads(scope).unwrap_err().to_string().contains("wanted host[:port]/repository"), "{scope}");
    }
}

#[test]
fn names_and_scopes_stand_once_in_a_document() {
    let other = |name: &str, scopes: Value| {
        let mut one = statement();
        one["name"] = json!(name);
        one["registryScopes"] = scopes;
        one
    };
    let rule = |statements: &[Value]| match parse(&document(statements)).unwrap_err() {
        TrustPolicyError::Statement { rule, statement } => (rule, statement.number),
        other => panic!("{other}"),
    };
    assert_eq!(rule(&[statement(), other("releases", json!(["*"]))]), (TrustPolicyRule::SameName, 2));
    let same = rule(&[statement(), other("b", json!(["registry.example/b", "registry.example/app"]))]);
    assert!(matches!(same, (TrustPolicyRule::SameScope { .. }, 2)));
    let twice = rule(&[other("a", json!(["registry.example/a", "registry.example/a"]))]);
    assert!(matches!(twice, (TrustPolicyRule::SameScope { .. }, 1)));
    let any = rule(&[other("a", json!(["*"])), other("b", json!(["*"]))]);
    assert!(matches!(any, (TrustPolicyRule::SameScope { .. }, 2)));
}

#[test]
fn a_document_without_a_version_or_a_statement_is_an_error_with_a_line_and_a_column() {
    for (text, said) in [
        ("{\"version\": \"1.0\",\n  \"trustPolicies\": [ ]}", "trustPolicies is empty at line 2 column 20"),
        ("\n {\"version\": \"1.0\"}", "trustPolicies is empty at line 2 column 2"),
        ("\n\n{\"trustPolicies\": []}", "version \"\" at line 3 column 1, wanted \"1.0\""),
        ("{\"trustPolicies\": [],\n\"version\": \"2.0\"}", "version \"2.0\" at line 2 column 12, wanted \"1.0\""),
    ] {
        let error = TrustPolicyDocument::parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
        assert!(error.ends_with(said), "{error}");
    }
    assert!(matches!(parse(&document(&[])).unwrap_err(), TrustPolicyError::NoStatement { position: Some((1, _)) }));
}

#[test]
fn a_statement_that_breaks_a_rule_is_named_with_its_line_and_column() {
    let text = "{\"version\": \"1.0\", \"trustPolicies\": [\n  {\"name\": \"ä\", \"registryScopes\": [\"*\"], \
                \"signatureVerification\": {\"level\": \"skip\"}}, {\n    \"name\": \"b\"}]}";
    let second = text.lines().nth(1).unwrap().chars().count();
    let said = TrustPolicyDocument::parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
    assert!(said.starts_with(&format!("statement 2 (\"b\") at line 2 column {second}: ")), "{said}");
    let first = text.replace("skip", "none");
    let said = TrustPolicyDocument::parse(first.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
    assert!(said.starts_with("statement 1 (\"ä\") at line 2 column 3: "), "{said}");
}

#[test]
fn the_exact_repository_wins_over_the_scope_of_all() {
    let mut all = statement();
    all["name"] = json!("all");
    all["registryScopes"] = json!(["*"]);
    let both = parse(&document(&[all.clone(), statement()])).unwrap();
    let name = |repository: &str| both.statement_for(repository).unwrap().name().to_owned();
    assert_eq!(name("registry.example/app"), "releases");
    for repository in
        ["registry.example/app/x", "registry.example/ap", "registry.example:80/app", "registry.example:4430/app"]
    {
        assert_eq!(name(repository), "all", "{repository}");
    }
    // One of several scopes is enough.
    let mut several = statement();
    several["registryScopes"] = json!(["registry.example/app", "registry.example/other"]);
    let several = parse(&document(&[all, several])).unwrap();
    for repository in ["registry.example/app", "registry.example/other"] {
        assert_eq!(several.statement_for(repository).unwrap().name(), "releases", "{repository}");
    }
    // `*` is no repository.
    for text in ["*", "", "registry.example", "oci:dir"] {
        assert!(both.statement_for(text).is_err(), "{text}");
    }
    let one = parse(&document(&[statement()])).unwrap();
    let said = one.statement_for("registry.example/other").unwrap_err().to_string();
    assert!(said.contains("registry.example/other"), "{said}");
}

#[test]
fn the_json_is_strict_and_the_error_says_where() {
    let said = |text: &str| TrustPolicyDocument::parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
    for (text, message) in [
        ("{\"version\": \"1.0\",\n\"trustPolicy\": []}", "unknown field `trustPolicy`"),
        ("{\"version\": \"1.0\",\n\"version\": \"1.0\", \"trustPolicies\": []}", "stands twice"),
        ("{\"version\": \"1.0\",\n\"trustPolicies\": [{\"globalPolicy\": true}]}", "unknown field `globalPolicy`"),
        (
            "{\"version\": \"1.0\",\n\"trustPolicies\": [{\"signatureVerification\": {\"levels\": 1}}]}",
            "unknown field `levels`",
        ),
        ("{\"version\": \"1.0\",\n\"trustPolicies\": {}}", "line 2"),
        ("{\"version\": \"1.0\",\n\"Version\": \"1.0\"}", "line 2"),
        ("{\"version\": \"1.0\",\n\"trustPolicies\": []} x", "line 2"),
    ] {
        let said = said(text);
        assert!(said.contains(message) && said.contains("line 2"), "{text}: {said}");
    }
    for version in ["1.1", "", "1", "1.0 "] {
        let mut other = document(&[statement()]);
        other["version"] = json!(version);
        assert!(matches!(parse(&other), Err(TrustPolicyError::Version { .. })), "{version}");
    }
    assert!(said("{}").contains("version \"\""));
}

#[test]
fn levels_say_what_they_do_not_enforce() {
    use PolicyCheck::AuthenticTimestamp;
    use PolicyCheck::Authenticity;
    use PolicyCheck::Expiry;
    use PolicyCheck::Integrity;
    use PolicyCheck::Revocation;
    let level = |level: &str, overrides: Value| {
        let mut one = statement();
        one["signatureVerification"] = json!({"level": level, "override": overrides});
        if level == "skip" {
            one["trustStores"] = json!([]);
            one["trustedIdentities"] = json!([]);
        }
        let read = parse(&document(&[one])).unwrap();
        let level = read.statements().first().level().clone();
        let unenforced = level.unenforced();
        for check in PolicyCheck::ALL {
            let action =
                unenforced.iter().find(|(of, _)| *of == check).map_or(PolicyAction::Enforce, |(_, action)| *action);
            assert_eq!(level.action(check), action);
        }
        unenforced
    };
    let log = |checks: &[PolicyCheck]| checks.iter().map(|check| (*check, PolicyAction::Log)).collect::<Vec<_>>();
    assert_eq!(level("permissive", json!({})), log(&[AuthenticTimestamp, Expiry, Revocation]));
    assert_eq!(level("audit", json!({})), log(&[AuthenticTimestamp, Authenticity, Expiry, Revocation]));
    assert_eq!(level("skip", json!({})), PolicyCheck::ALL.map(|check| (check, PolicyAction::Skip)));
    assert!(level("skip", json!({})).contains(&(Integrity, PolicyAction::Skip)));
    assert_eq!(level("strict", json!({"expiry": "log"})), log(&[Expiry]));
    assert_eq!(level("strict", json!({"revocation": "skip"})), [(Revocation, PolicyAction::Skip)]);
    let all = json!({"authenticity": "enforce", "authenticTimestamp": "enforce", "expiry": "enforce", "revocation": "enforce"});
    assert_eq!(level("audit", all), []);
}

/// What it accepts is not verified, so it makes no identity, also where its trust stores are at hand.
#[test]
fn a_statement_that_does_not_enforce_every_check_makes_no_identities() {
    for (level, overrides) in
        [("permissive", json!({})), ("audit", json!({})), ("skip", json!({})), ("strict", json!({"expiry": "log"}))]
    {
        let mut one = statement();
        one["signatureVerification"] = json!({"level": level, "override": overrides});
        if level == "skip" {
            one["trustStores"] = json!([]);
            one["trustedIdentities"] = json!([]);
        }
        let read = parse(&document(&[one])).unwrap();
        let made = read.statements().first().identities(&[]);
        assert!(matches!(made, Err(UnevaluatedStatement::NotEnforced { .. })), "{level}: {made:?}");
    }
    let read = parse(&document(&[statement()])).unwrap();
    let made = read.statements().first().identities(&[]);
    assert!(matches!(made, Err(UnevaluatedStatement::StoreNotRead { .. })), "{made:?}");
}

/// notation reads a document where our outcome is not `policy-error`, and refuses the others.
#[test]
fn documents_are_read_where_notation_reads_them() {
    let Some(suite) = suite("notation-layouts") else { return };
    let expected: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    let cases = expected.as_object().unwrap();
    for (case, expected) in cases {
        let bytes = fs::read(suite.join("open").join(case).join("trustpolicy.json")).unwrap();
        let read = TrustPolicyDocument::parse(&bytes, &Limits::DEFAULT);
        let refused = expected["expect"] == "policy-error";
        assert_eq!(read.is_err(), refused, "{case}: {read:?}");
    }
    assert!(cases.len() >= 36, "{}", cases.len());
}

/// Another spelling of an IPv4 address is no scope, and leads to no statement, not even to that with `*`.
#[test]
fn an_address_in_another_spelling_has_no_statement() {
    let scoped = |name: &str, scope: &str| {
        let mut one = statement();
        one["name"] = json!(name);
        one["registryScopes"] = json!([scope]);
        one
    };
    let policy = parse(&document(&[scoped("prod", "127.0.0.1:5000/app"), scoped("all", "*")])).unwrap();
    assert_eq!(policy.statement_for("127.0.0.1:5000/app").unwrap().name(), "prod");
    let without_dot = ["2130706433/app", "0x7f000001/app"];
    for spelling in without_dot {
        let error = policy.statement_for(spelling).unwrap_err();
        assert!(matches!(error, TrustPolicyError::RepositoryAddress { .. }), "{spelling}: {error}");
        assert!(parse(&document(&[scoped("prod", spelling), scoped("all", "*")])).is_err(), "{spelling}");
    }
    for spelling in ["127.1:5000/app", "0x7f.1:5000/app", "2130706433:5000/app", "127.0.0.01:5000/app"] {
        let error = policy.statement_for(spelling).unwrap_err();
        assert!(matches!(error, TrustPolicyError::RepositoryAddress { .. }), "{spelling}: {error}");
        let error = parse(&document(&[scoped("prod", spelling), scoped("all", "*")])).unwrap_err().to_string();
        assert!(error.contains(spelling) && error.contains("four decimal numbers"), "{error}");
    }
}

/// The statement that enforces less is not reached by another spelling of a repository that has one of its own.
#[test]
fn a_repository_has_one_statement_in_every_spelling() {
    let scoped = |name: &str, scopes: &[&str]| {
        let mut one = statement();
        one["name"] = json!(name);
        one["registryScopes"] = json!(scopes);
        one
    };
    let hub =
        ["docker.io/library/alpine", "index.docker.io/alpine", "registry-1.docker.io:443/alpine", "Docker.io/alpine"];
    let plain =
        ["registry.example/app", "Registry.EXAMPLE/app", "registry.example:443/app", "REGISTRY.example:443/app"];
    let port = ["localhost:5000/a", "LOCALHOST:5000/a"];
    let bare = ["host/app", "Host/app"];
    for spellings in [&hub[..], &plain, &port, &bare] {
        for written in spellings {
            let policy = parse(&document(&[scoped("all", &["*"]), scoped("own", &[written])])).unwrap();
            for asked in spellings {
                assert_eq!(policy.statement_for(asked).unwrap().name(), "own", "{written} {asked}");
            }
            for (second, number) in spellings.iter().filter(|one| *one != written).zip(1..) {
                // One statement may have several spellings, and two may not.
                assert!(parse(&document(&[scoped("own", &[written, second])])).is_ok(), "{written} {second} {number}");
                let text = document(&[scoped("own", &["other.example/x", written]), scoped("b", &[second])]);
                let said = parse(&text).unwrap_err().to_string();
                let rule =
                    format!("the scope {second} is the same repository as {written}, which another statement has");
                assert!(said.starts_with("statement 2 (\"b\") at line 1 column ") && said.ends_with(&rule), "{said}");
            }
        }
    }
}
