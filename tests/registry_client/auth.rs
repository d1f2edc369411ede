//! Authentication: challenges, Basic, tokens, and which host gets which credential.

use super::*;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Response;
use crate::support::registry::Times;
use bulla::limits::Limits;
use bulla::store::Sink as _;
use bulla::store::Source as _;

const TOKEN: &str = "/token*";

fn private() -> Registry {
    with(&["auth=token", "user=joe:hunter2"])
}

fn identity(registry: &Registry, token: &str) -> Repository {
    let credential = Credential::identity(SecretText::new(token.to_owned()));
    app_with(registry, settings_as(Credentials::none().with(&registry.address(), credential)))
}

#[test]
fn one_challenge_and_one_token_serve_all_requests() {
    let (registry, image) = (private(), image(1));
    image.put(&registry, "app", Some("v1"));
    let app = app_as(&registry, "joe", "hunter2");
    run(async {
        let tag_or_digest = tag("v1");
        let all = (0..50).map(|_| app.resolve(&tag_or_digest));
        for content in futures_util::future::join_all(all).await {
            content.unwrap();
        }
        app.manifest(&image.descriptor).await.unwrap();
        app.names().await.unwrap();
    });
    assert_eq!(registry.count("*", TOKEN), 1, "{:?}", registry.lines());
    assert_eq!(registry.matching("*", "/v2/").iter().filter(|it| it.status == 401).count(), 1);
    assert_eq!(registry.counters().requests, 50 + 2 + 2);
    let asked = &registry.matching("GET", TOKEN)[0];
    assert_eq!(asked.query, "service=quirk&scope=repository%3Aapp%3Apull");
    assert!(asked.mentions("hunter2"));
    let to_the_registry = registry.matching("*", "/v2/");
    assert!(to_the_registry.iter().all(|it| !it.mentions("hunter2")), "the password is for the token service");
}

#[test]
fn requests_without_credentials_are_anonymous() {
    let registry = with(&["auth=token", "anonymous=pull", "user=joe:hunter2"]);
    image(1).put(&registry, "app", Some("v1"));
    let app = app(&registry);
    run(app.resolve(&tag("v1"))).unwrap();
    assert_eq!(registry.matching("GET", TOKEN)[0].header("Authorization"), None);
    assert_eq!(run(app.push_content(&octets(b"x"))).unwrap_err().code(), "denied");
}

#[test]
fn public_images_need_no_credentials() {
    let registry = with(&["auth=basic", "anonymous=pull", "user=joe:hunter2"]);
    image(1).put(&registry, "app", Some("v1"));
    let app = app(&registry);
    run(async {
        app.resolve(&tag("v1")).await.unwrap();
        assert_eq!(app.push_content(&octets(b"x")).await.unwrap_err().code(), "denied");
        app.resolve(&tag("v1")).await.unwrap();
        assert!(app.resolve(&tag("v2")).await.unwrap_err().is_not_found());
    });
    assert_eq!(registry.counters().requests, 4, "{:?}", registry.lines());
}

#[test]
fn refused_credentials_do_not_become_anonymous_requests() {
    for switches in
        [["auth=token", "anonymous=pull", "user=joe:hunter2"], ["auth=basic", "anonymous=pull", "user=joe:hunter2"]]
    {
        let registry = with(&switches);
        image(1).put(&registry, "app", Some("v1"));
        // The first answer asks who we are, whatever may be done anonymously.
        let challenge = if switches[0] == "auth=basic" {
            "Basic realm=\"quirk\"".to_owned()
        } else {
            format!("Bearer realm=\"http://{}/token\",service=\"quirk\"", registry.address())
        };
        let headers = vec![("WWW-Authenticate".to_owned(), challenge)];
        registry.rule(
            "GET",
            "/v2/app/*",
            Times::First(1),
            Action::Status { code: 401, headers: headers.clone(), body: vec![] },
        );
        if switches[0] == "auth=basic" {
            registry.rule("GET", "/v2/app/*", Times::Nth(2), Action::Status { code: 401, headers, body: vec![] });
        }
        let error = run(app_as(&registry, "joe", "wrong").resolve(&tag("v1"))).unwrap_err();
        assert_eq!(error.code(), "denied", "{error}");
        let anonymous = |it: &&support::registry::Recorded| it.status == 200;
        assert_eq!(registry.requests().iter().filter(anonymous).count(), 0, "{:?}", registry.lines());
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
}

#[test]
fn basic_is_sent_with_every_request_after_the_challenge() {
    let registry = with(&["auth=basic", "user=joe:hunter2"]);
    image(1).put(&registry, "app", Some("v1"));
    let app = app_as(&registry, "joe", "hunter2");
    run(async {
        app.resolve(&tag("v1")).await.unwrap();
        app.push_content(&octets(b"x")).await.unwrap();
    });
    assert_eq!(registry.requests().iter().filter(|it| it.status == 401).count(), 1);
    assert_eq!(registry.counters().requests, 3);
    let error = run(app_as(&registry, "joe", "no").resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "denied");
    let error = run(super::app(&registry).resolve(&tag("v1"))).unwrap_err();
    assert!(error.to_string().contains("wants a user name and a password"), "{error}");
}

#[test]
fn a_registry_token_is_sent_as_it_is() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.hook("*", "/v2/", |request, answer| match request.header("Authorization") {
        Some("Bearer ready-made") => answer,
        _ => {
            let mut refused = answer;
            refused.status = 401;
            refused.with("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:1/none\"")
        }
    });
    let token = |text: &str| {
        let credential = Credential::Token(SecretText::new(text.to_owned()));
        app_with(&registry, settings_as(Credentials::none().with(&registry.address(), credential)))
    };
    // No token is requested: the credential source has a token already.
    run(token("ready-made").resolve(&tag("v1"))).unwrap();
    assert_eq!(run(token("other").resolve(&tag("v1"))).unwrap_err().code(), "denied");
}

#[test]
fn an_identity_token_is_exchanged_by_post_or_where_that_is_refused_by_get() {
    let registry = with(&["auth=token", "user=<token>:secret-identity"]);
    image(1).put(&registry, "app", Some("v1"));
    run(identity(&registry, "secret-identity").resolve(&tag("v1"))).unwrap();
    let posted = &registry.matching("POST", TOKEN)[0];
    let form = String::from_utf8(posted.body.clone().unwrap()).unwrap();
    assert_eq!(
        form,
        "grant_type=refresh_token&refresh_token=secret-identity&client_id=bulla&scope=repository%3Aapp%3Apull&service=quirk"
    );
    assert_eq!(registry.count("*", TOKEN), 1);
    for status in [400, 401, 404, 405] {
        let registry = with(&["auth=token", "user=<token>:secret-identity", &format!("token-post={status}")]);
        let images = [image(1), image(2)];
        images[0].put(&registry, "app", Some("v1"));
        images[1].put(&registry, "other", Some("v1"));
        let credential = Credential::identity(SecretText::new("secret-identity".to_owned()));
        let registries = Registries::new(settings_as(Credentials::none().with(&registry.address(), credential)));
        run(async {
            for name in ["app", "other"] {
                registries
                    .repository(&reference(&registry.address(), name))
                    .unwrap()
                    .resolve(&tag("v1"))
                    .await
                    .unwrap();
            }
        });
        assert_eq!(registry.count("POST", TOKEN), 1, "what was refused once is not tried again");
        assert_eq!(registry.count("GET", TOKEN), 2);
    }
    assert_eq!(run(identity(&registry, "stolen").resolve(&tag("v1"))).unwrap_err().code(), "denied");
}

#[test]
fn a_push_requests_a_wider_scope_than_a_pull() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    let asked = |registry: &Registry| -> Vec<String> {
        registry.matching("GET", TOKEN).iter().map(|it| it.query.replace("%3A", ":").replace("%2C", ",")).collect()
    };
    run(async {
        let app = app_as(&registry, "joe", "hunter2");
        app.resolve(&tag("v1")).await.unwrap();
        app.push_content(&octets(b"x")).await.unwrap();
        app.resolve(&tag("v1")).await.unwrap();
    });
    assert_eq!(
        asked(&registry),
        ["service=quirk&scope=repository:app:pull", "service=quirk&scope=repository:app:pull,push"]
    );
    registry.clear_log();
    run(async {
        let app = app_as(&registry, "joe", "hunter2").for_writing();
        app.resolve(&tag("v1")).await.unwrap();
        app.push_content(&octets(b"y")).await.unwrap();
    });
    assert_eq!(asked(&registry), ["service=quirk&scope=repository:app:pull,push"]);
    registry.clear_log();
    let blob = octets(b"shared");
    registry.put_blob("lib/base", b"shared");
    assert!(run(app_as(&registry, "joe", "hunter2").mount(blob.descriptor(), "lib/base")).unwrap());
    assert_eq!(asked(&registry)[0], "service=quirk&scope=repository:lib%2Fbase:pull&scope=repository:app:pull,push");
}

#[test]
fn endless_401_costs_at_most_two_token_requests() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    let scope = std::sync::atomic::AtomicUsize::new(0);
    let address = registry.address();
    registry.hook("*", "/v2/", move |_, mut answer| {
        let n = scope.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let extra = char::from(b'a' + (n % 26) as u8);
        answer.status = 401;
        answer.with(
            "WWW-Authenticate",
            format!("Bearer realm=\"http://{address}/token\",service=\"quirk\",scope=\"repository:app:pull,{extra}\""),
        )
    });
    let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "denied", "{error}");
    assert!(registry.count("*", TOKEN) <= 2, "{:?}", registry.lines());
}

#[test]
fn malformed_token_answers_are_refused() {
    for body in [b"<html>".to_vec(), b"".to_vec(), b"{}".to_vec(), br#"{"token":"evil\r\nX-Header: 1"}"#.to_vec()] {
        let registry = private();
        registry.rule("*", TOKEN, Times::Every, Action::Status { code: 200, headers: vec![], body });
        let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
        assert_eq!(error.code(), "protocol", "{error}");
        assert_eq!(registry.count("GET", "/v2/"), 1, "nothing was sent with it");
    }
}

// One below, at and one above the limit; and an endless one, of which no more is read than fits into buffers
// (threats: malformed-token).
#[test]
fn a_token_over_the_limit_is_refused() {
    let limit = Limits::DEFAULT.registry.token_bytes;
    for (name, lower, longer, fits) in [
        ("token", Some(100), 0, true),
        ("token", Some(100), 1, false),
        ("access_token", Some(100), 1, false),
        ("token", None, 1, false),
    ] {
        let registry = polite();
        image(1).put(&registry, "app", Some("v1"));
        let limit = lower.unwrap_or(limit);
        let body = serde_json::json!({ name: "a".repeat(usize::try_from(limit + longer).unwrap()) });
        registry.hook("GET", TOKEN, move |_, _| Response::json(200, &body));
        let challenge = format!("Bearer realm=\"http://{}/token\"", registry.address());
        registry.hook("*", "/v2/*", move |request, answer| match request.header("Authorization") {
            Some(_) => answer,
            None => Response::text(401, "").with("WWW-Authenticate", challenge.as_str()),
        });
        let mut settings = settings();
        settings.limits = Limits::DEFAULT.with(|limits| limits.registry.token_bytes = limit);
        let got = run(app_with(&registry, settings).resolve(&tag("v1")));
        match fits {
            true => drop(got.unwrap()),
            false => {
                let error = got.unwrap_err();
                assert!(matches!(&error, StoreError::TooLarge { limit: at, .. } if *at == limit), "{error}");
                assert!(error.to_string().starts_with(&format!("a token of {} is", registry.address())), "{error}");
                assert_eq!(registry.count("*", "/v2/"), 1, "the token was sent: {:?}", registry.lines());
            }
        }
    }
}

#[test]
fn a_token_answer_over_the_limit_is_refused() {
    let limit = Limits::DEFAULT.registry.token_response_bytes;
    let length = usize::try_from(limit).unwrap();
    for (size, fits) in [(length - 1, true), (length, true), (length + 1, false)] {
        let registry = private();
        image(1).put(&registry, "app", Some("v1"));
        registry.hook("GET", TOKEN, move |_, answer| {
            let mut body = answer.body.bytes();
            body.resize(size, b' ');
            answer.body(body)
        });
        let got = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1")));
        match fits {
            true => drop(got.unwrap()),
            false => {
                let error = got.unwrap_err();
                assert!(matches!(&error, StoreError::TooLarge { limit: at, .. } if *at == limit), "{error}");
            }
        }
        assert_eq!(registry.count("*", TOKEN), 1, "{size}");
    }
    let registry = private();
    registry.rule("*", TOKEN, Times::Every, Action::EndlessBody);
    let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "too-large", "{error}");
    assert!(registry.counters().bytes_out < 32 << 20, "{}", registry.counters().bytes_out);
}

#[test]
fn only_the_scope_that_is_needed_is_requested() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    let value = format!(
        "Bearer realm=\"http://{}/token\",service=\"quirk\",scope=\"repository:victim:pull,push registry:catalog:* repository:app:pull,metadata_read,%0a\"",
        registry.address()
    );
    registry.rule(
        "GET",
        "/v2/",
        Times::First(1),
        Action::Status { code: 401, headers: vec![("WWW-Authenticate".to_owned(), value)], body: vec![] },
    );
    run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap();
    assert_eq!(registry.matching("GET", TOKEN)[0].query, "service=quirk&scope=repository%3Aapp%3Apull%2Cmetadata_read");
}

#[test]
fn no_credential_is_sent_to_a_token_service_on_another_host() {
    let registry = with(&["auth=token", "user=joe:hunter2", "realm=other-host"]);
    image(1).put(&registry, "app", Some("v1"));
    let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
    assert!(error.to_string().contains("another host, 127.0.0.2:"), "{error}");
    assert_eq!(registry.on_second_host().len(), 0, "nobody was asked");

    let mut settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", "hunter2")));
    settings.allow_realms = vec![registry.second_host()];
    run(app_with(&registry, settings).resolve(&tag("v1"))).unwrap();
    assert_eq!(registry.on_second_host().len(), 1);

    // Without a credential there is nothing to lose: a public image is had from there, and its token is for one repository.
    let public = with(&["auth=token", "anonymous=pull", "realm=other-host"]);
    image(1).put(&public, "app", Some("v1"));
    run(app(&public).resolve(&tag("v1"))).unwrap();
    assert_eq!(public.on_second_host().len(), 1);
    assert!(public.on_second_host().iter().all(|it| it.header("Authorization").is_none()));

    for realm in [
        "file:///etc/passwd",
        "http://joe:pw@127.0.0.1/token",
        "http://169.254.169.254/token",
        "http://10.0.0.1/token",
        "ftp://127.0.0.1/",
        "token",
        "",
    ] {
        let registry = with(&["auth=token", "user=joe:hunter2", &format!("realm={realm}")]);
        let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
        assert_eq!(error.code(), "denied", "{realm}: {error}");
        assert_eq!(registry.counters().requests, 1);
    }
}

/// Over plain http nobody proves a name: it may stand for an internal service (threats: realm-without-tls).
#[test]
fn a_name_of_a_token_service_on_plain_http_is_not_resolved() {
    let registry = with(&["auth=token", "anonymous=pull"]);
    image(1).put(&registry, "app", Some("v1"));
    let port = registry.address().rsplit_once(':').unwrap().1.to_owned();
    // A name of this machine that is not known to be one.
    let realm = format!("realm=http://registry.localhost:{port}/token");
    registry.set_quirks(Quirks::polite().with("auth=token").with("anonymous=pull").with(&realm));
    let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "denied", "{error}");
    assert!(error.to_string().contains("speaks plain HTTP"), "{error}");
    assert_eq!(registry.counters().requests, 1, "{:?}", registry.lines());
    // The host of the registry, on another port, is asked.
    let other = polite();
    let realm = format!("realm=http://{}/token", other.address());
    registry.set_quirks(Quirks::polite().with("auth=token").with("anonymous=pull").with(&realm));
    let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
    // It issues a token, which this registry does not know.
    assert_eq!((error.code(), other.count("GET", TOKEN)), ("denied", 1), "{error}");
    assert!(!error.to_string().contains("speaks plain HTTP"), "{error}");
}

#[test]
fn redirects_of_a_token_service_are_not_followed() {
    let registry = private();
    registry.rule("*", TOKEN, Times::Every, Action::redirect(format!("http://{}/token", registry.second_host())));
    let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
    assert!(error.to_string().contains("307"), "{error}");
    assert_eq!(registry.on_second_host().len(), 0);
}

#[test]
fn a_busy_token_service_is_waited_for() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    registry.rule("*", TOKEN, Times::First(2), Action::status(503));
    registry.rule("*", TOKEN, Times::Nth(3), Action::Reset);
    run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap();
    assert_eq!(registry.count("GET", TOKEN), 3 + usize::from(registry.count("GET", TOKEN) == 4));
}

#[test]
fn revoked_credentials_end_an_upload() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    let app = app_as(&registry, "joe", "hunter2");
    run(app.resolve(&tag("v1"))).unwrap();
    registry.set_quirks(Quirks::polite().with("auth=token").with("user=other:pw"));
    registry.revoke_tokens();
    assert_eq!(run(app.resolve(&tag("v1"))).unwrap_err().code(), "denied");
}

#[test]
fn an_expired_token_is_replaced_by_one_request() {
    let registry = private();
    image(1).put(&registry, "app", Some("v1"));
    let app = app_as(&registry, "joe", "hunter2");
    run(async {
        app.resolve(&tag("v1")).await.unwrap();
        registry.revoke_tokens();
        let tag_or_digest = tag("v1");
        let all = (0..20).map(|_| app.resolve(&tag_or_digest));
        for content in futures_util::future::join_all(all).await {
            content.unwrap();
        }
    });
    assert_eq!(registry.count("GET", TOKEN), 2);
}

#[test]
fn a_token_that_ends_soon_is_not_used_again() {
    let registry = with(&["auth=token", "user=joe:hunter2", "token-seconds=1"]);
    image(1).put(&registry, "app", Some("v1"));
    let app = app_as(&registry, "joe", "hunter2");
    run(async {
        app.resolve(&tag("v1")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(950)).await;
        app.resolve(&tag("v1")).await.unwrap();
    });
    assert_eq!(registry.matching("*", "/v2/").iter().filter(|it| it.status == 401).count(), 1);
    assert_eq!(registry.count("GET", TOKEN), 2);
}

#[test]
fn credentials_of_one_port_are_not_for_another() {
    let (mine, other) = (private(), private());
    image(1).put(&other, "app", Some("v1"));
    let credentials = Credentials::none().with(&mine.address(), basic("joe", "hunter2"));
    let error = run(app_with(&other, settings_as(credentials)).resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "denied");
    assert!(other.requests().iter().all(|it| !it.mentions("hunter2")));
}

/// An open registry may hide what is not open, instead of asking who wants to know.
#[test]
fn credentials_are_sent_if_a_registry_hides_private_images() {
    for hidden in [404, 403] {
        let registry = private();
        image(1).put(&registry, "app", Some("v1"));
        registry.hook("*", "/v2/app/*", move |request, mut answer| {
            if request.header("Authorization").is_none() {
                answer.status = hidden;
                answer.remove("WWW-Authenticate");
                answer = answer.body("");
            }
            answer
        });
        run(async {
            let app = app_as(&registry, "joe", "hunter2");
            app.resolve(&tag("v1")).await.unwrap();
            assert!(app.resolve(&tag("v2")).await.unwrap_err().is_not_found());
        });
        let asked = [
            "GET /v2/app/manifests/v1",
            "GET /v2/",
            "GET /token?service=quirk&scope=repository%3Aapp%3Apull",
            "GET /v2/app/manifests/v1",
            "GET /v2/app/manifests/v2",
        ];
        assert_eq!(registry.lines(), asked);
        // The same for those who come while it is being asked.
        registry.clear_log();
        let app = app_as(&registry, "joe", "hunter2");
        let tag_or_digest = tag("v1");
        run(async {
            for content in futures_util::future::join_all((0..30).map(|_| app.resolve(&tag_or_digest))).await {
                content.unwrap();
            }
        });
        assert_eq!(
            (registry.count("GET", TOKEN), registry.lines().iter().filter(|it| *it == "GET /v2/").count()),
            (1, 1)
        );
    }
    let open = polite();
    let app = app_as(&open, "joe", "hunter2");
    run(async {
        for _ in 0..3 {
            assert!(app.resolve(&tag("v1")).await.unwrap_err().is_not_found());
        }
    });
    assert_eq!(open.count("GET", "/v2/"), 4, "asked once, and not again: {:?}", open.lines());
}

/// Only a token service exchanges an identity token. A registry that asks for `Basic` is sent what is stored.
#[test]
fn the_user_token_of_a_basic_registry_is_sent_as_it_is_stored() {
    let registry = with(&["auth=basic", "user=<token>:secret-identity"]);
    image(1).put(&registry, "app", Some("v1"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let auth = "PHRva2VuPjpzZWNyZXQtaWRlbnRpdHk=";
    std::fs::write(&path, format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.address())).unwrap();
    run(app_with(&registry, settings_as(Credentials::from_files([path]))).resolve(&tag("v1"))).unwrap();
    let sent = registry.matching("GET", "/v2/*").last().and_then(|it| it.header("Authorization").map(str::to_owned));
    assert_eq!(sent, Some(format!("Basic {auth}")));
}

/// Registries and the proxies before them ask for authentication in other ways than with 401 and a challenge.
#[test]
fn a_challenge_is_accepted_in_any_answer() {
    let challenge = r#"Basic realm="x""#;
    // The answers of the registry to an anonymous request, and to one for the root of the API.
    for (what, status, header, root, root_header) in [
        ("a challenge with the 403", 403, Some(challenge), 200, None),
        ("a challenge with a 200 at the root", 404, None, 200, Some(challenge)),
        ("a challenge with a 403 at the root", 403, None, 403, Some(challenge)),
        ("a challenge with a 401 at the root", 401, None, 401, Some(challenge)),
        ("no challenge at all, 401", 401, None, 401, None),
        ("no challenge at all, 401 and an open root", 401, None, 200, None),
        ("no challenge at all, 403", 403, None, 200, None),
    ] {
        let registry = with(&["auth=basic", "user=joe:hunter2"]);
        image(1).put(&registry, "app", Some("v1"));
        registry.hook("*", "/v2/*", move |request, answer| {
            let (status, header) = if request.path == "/v2/" { (root, root_header) } else { (status, header) };
            match request.header("Authorization") {
                Some(_) => answer,
                None => {
                    header.into_iter().fold(Response::text(status, ""), |it, value| it.with("WWW-Authenticate", value))
                }
            }
        });
        let app = app_as(&registry, "joe", "hunter2");
        run(async {
            app.resolve(&tag("v1")).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let asked = registry.counters().requests;
            app.resolve(&tag("v1")).await.unwrap();
            assert_eq!(registry.counters().requests, asked + 1, "{what}: it was learned");
            assert!(asked <= 3, "{what}: {:?}", registry.lines());
        });
    }
}

/// Without a credential such an answer is what it says, and no more is asked.
#[test]
fn a_denial_without_a_challenge_and_credential_is_not_retried() {
    for status in [401, 403] {
        let registry = polite();
        image(1).put(&registry, "app", Some("v1"));
        registry.hook("*", "/v2/*", move |_, _| Response::text(status, "").with("WWW-Authenticate", "Negotiate"));
        let error = run(app(&registry).resolve(&tag("v1"))).unwrap_err();
        assert_eq!((error.code(), registry.counters().requests), ("denied", 1), "{error}");
        let address = registry.address();
        assert!(error.to_string().contains(&format!("no credential for {address} was found")), "{error}");
    }
}

/// A password is sent only if the challenge asks for Basic; another scheme is not answered with it.
#[test]
fn an_unsupported_challenge_gets_no_password() {
    for challenge in ["Negotiate", "Bearer", r#"Bearer realm="""#, "Digest realm=\"x\", nonce=\"1\""] {
        let registry = polite();
        registry.hook("*", "/v2/*", move |_, _| Response::text(401, "").with("WWW-Authenticate", challenge));
        let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
        assert_eq!((error.code(), registry.counters().requests), ("denied", 1), "{challenge}: {error}");
        assert!(registry.requests().iter().all(|it| it.header("Authorization").is_none()));
    }
}

/// A registry that refuses every credential gets a bounded number of requests.
#[test]
fn a_registry_that_denies_everything_is_asked_three_times() {
    for status in [401, 403] {
        let registry = polite();
        registry.hook("*", "/v2/*", move |_, _| Response::text(status, ""));
        let error = run(app_as(&registry, "joe", "hunter2").resolve(&tag("v1"))).unwrap_err();
        assert_eq!((error.code(), registry.counters().requests), ("denied", 3), "{error} {:?}", registry.lines());
    }
}

/// A password in clear is sent only where the registry asked for it, and the operator for plain http.
#[test]
fn nothing_is_sent_in_clear_without_a_challenge() {
    let registry = polite();
    registry.hook("*", "/v2/*", |_, _| Response::text(401, ""));
    let port = registry.address().rsplit_once(':').unwrap().1.to_owned();
    // A name of this machine that is not known to be one.
    let host = format!("registry.localhost:{port}");
    let mut settings = settings_as(Credentials::none().with(&host, basic("joe", "hunter2")));
    settings.schemes.insert(host.clone(), bulla::store::registry::HttpScheme::Http);
    let app = Registries::new(settings).repository(&reference(&host, "app")).unwrap();
    assert!(run(app.resolve(&tag("v1"))).is_err());
    assert!(registry.requests().iter().all(|it| it.header("Authorization").is_none()), "{:?}", registry.lines());
}

#[test]
fn messages_say_which_credential_was_refused_and_for_which_image() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    for switches in [["auth=basic", "user=joe:right"], ["auth=token", "user=joe:right"]] {
        let registry = with(&switches);
        let address = registry.address();
        image(1).put(&registry, "app", Some("v1"));
        let entry =
            format!(r#"{{"auths":{{"https://other.example":{{}},"{address}":{{"auth":"am9lOmh1bnRlcjI="}}}}}}"#);
        std::fs::write(&path, entry).unwrap();
        let credentials = Credentials::from_files([path.clone()]);
        let error = run(app_with(&registry, settings_as(credentials)).resolve(&tag("v1"))).unwrap_err().to_string();
        let source = format!("the credential is entry `{address}` of {}", path.display());
        assert!(error.starts_with(&format!("{address}/app")) && error.contains(&source), "{error}");
        assert!(!error.contains("hunter2"), "{error}");

        std::fs::write(&path, r#"{"credsStore":"not-installed"}"#).unwrap();
        let credentials = Credentials::from_files([path.clone()]).with_helpers_in(directory.path().to_owned());
        let error = run(app_with(&registry, settings_as(credentials)).resolve(&tag("v1"))).unwrap_err().to_string();
        let missing = format!("docker-credential-not-installed, named by {}, is not on PATH", path.display());
        assert!(error.starts_with(&format!("{address}/app")) && error.contains(&missing), "{error}");
    }
}

#[test]
fn files_and_helpers_are_read_only_when_a_registry_asks() {
    let missing = Credentials::from_files([std::path::PathBuf::from("/nonexistent/config.json")]);
    let open = polite();
    image(1).put(&open, "app", Some("v1"));
    run(app_with(&open, settings_as(missing.clone())).resolve(&tag("v1"))).unwrap();
    let closed = private();
    let error = run(app_with(&closed, settings_as(missing)).resolve(&tag("v1"))).unwrap_err();
    assert_eq!(error.code(), "io", "{error}");
}

#[test]
fn no_secret_is_ever_shown() {
    let registry = private();
    let settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", "hunter2")));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    let registries = Registries::new(settings);
    let app = registries.repository(&reference(&registry.address(), "app")).unwrap();
    assert!(!format!("{registries:?}{app:?}").contains("hunter2"));
}
