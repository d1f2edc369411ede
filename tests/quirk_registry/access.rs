//! Basic, tokens and their quirks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::push_blob;
use super::quirky;
use super::support::client::Client;
use super::support::client::HttpResponse;
use super::support::client::with_query;
use super::support::image::image;
use super::support::registry::Action;
use super::support::registry::Quirks;
use super::support::registry::Registry;
use super::support::registry::Times;

fn tokens(switches: &[&str]) -> (Registry, Client) {
    let quirks = Quirks::polite().with("auth=token").with("user=ci:secret");
    let (registry, client) = quirky(switches.iter().fold(quirks, |quirks, switch| quirks.with(switch)));
    image(1).put(&registry, "app", Some("v1"));
    (registry, client)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn bearer(token: &HttpResponse) -> String {
    format!("Bearer {}", token.json()["token"].as_str().unwrap())
}

/// Asks for a token by GET.
fn ask(client: &mut Client, scopes: &[&str], user: Option<(&str, &str)>) -> HttpResponse {
    let target = scopes
        .iter()
        .fold("/token?service=quirk".to_owned(), |target, scope| with_query(&target, &format!("scope={scope}")));
    let header = user.map(|(user, password)| basic(user, password));
    let headers: Vec<_> = header.iter().map(|it| ("Authorization", it.as_str())).collect();
    client.send("GET", &target, &headers, b"")
}

/// Asks for a token by POST.
fn post(client: &mut Client, form: &str) -> HttpResponse {
    client.send("POST", "/token", &[("Content-Type", "application/x-www-form-urlencoded")], form.as_bytes())
}

fn get(client: &mut Client, target: &str, token: &str) -> HttpResponse {
    client.send("GET", target, &[("Authorization", token)], b"")
}

const TAG: &str = "/v2/app/manifests/v1";
const PULL: &str = "repository:app:pull";

#[test]
fn asks_for_basic() {
    let (registry, mut client) = quirky(Quirks::polite().with("auth=basic").with("user=ci:secret"));
    image(1).put(&registry, "app", Some("v1"));
    let refused = client.get(TAG);
    assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHORIZED"));
    assert_eq!(refused.header("WWW-Authenticate"), Some("Basic realm=\"quirk\""));
    assert_eq!(client.get("/v2/").status, 401);
    assert_eq!(get(&mut client, TAG, &basic("ci", "wrong")).status, 401);
    assert_eq!(get(&mut client, TAG, &basic("ci", "secret")).status, 200);
    assert_eq!(get(&mut client, "/v2/", &basic("ci", "secret")).status, 200);
}

#[test]
fn gives_tokens() {
    let (registry, mut client) = tokens(&[]);
    let refused = client.get(TAG);
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"quirk\"", registry.address());
    let challenge = format!("{realm},scope=\"{PULL}\"");
    assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, Some(challenge.as_str())));
    assert_eq!(client.get("/v2/").header("WWW-Authenticate"), Some(realm.as_str()));
    let opened = client.post("/v2/app/blobs/uploads/");
    assert_eq!(opened.header("WWW-Authenticate"), Some(format!("{realm},scope=\"{PULL},push\"").as_str()));
    let token = ask(&mut client, &[PULL], Some(("ci", "secret")));
    assert_eq!(token.json()["expires_in"], 300);
    assert_eq!(get(&mut client, TAG, &bearer(&token)).status, 200);
    let narrow = get(&mut client, "/v2/other/manifests/v1", &bearer(&token));
    let challenge = format!("{realm},scope=\"repository:other:pull\",error=\"insufficient_scope\"");
    assert_eq!((narrow.status, narrow.header("WWW-Authenticate")), (401, Some(challenge.as_str())));
    let push = client.send("POST", "/v2/app/blobs/uploads/", &[("Authorization", &bearer(&token))], b"");
    assert_eq!(push.status, 401);
    assert_eq!(ask(&mut client, &[PULL], Some(("ci", "wrong"))).status, 401);
    let nobody = ask(&mut client, &[PULL], None);
    assert_eq!((nobody.status, get(&mut client, TAG, &bearer(&nobody)).status), (200, 401));
    assert_eq!(get(&mut client, TAG, "Bearer made-up").status, 401);
    registry.revoke_tokens();
    assert_eq!(get(&mut client, TAG, &bearer(&token)).status, 401);
}

#[test]
fn gives_tokens_by_post() {
    let (_registry, mut client) = tokens(&["user=<token>:identity"]);
    let scope = "scope=repository%3Aapp%3Apull%2Cpush&service=quirk";
    let form = format!("grant_type=password&username=ci&password=secret&access_type=offline&{scope}");
    let token = post(&mut client, &form);
    assert_eq!(get(&mut client, TAG, &bearer(&token)).status, 200);
    let refresh = token.json()["refresh_token"].as_str().unwrap().to_owned();
    for refresh in [refresh.as_str(), "identity"] {
        let token = post(&mut client, &format!("grant_type=refresh_token&refresh_token={refresh}&{scope}"));
        assert_eq!(get(&mut client, TAG, &bearer(&token)).status, 200);
    }
    assert_eq!(post(&mut client, &format!("grant_type=refresh_token&refresh_token=x&{scope}")).status, 401);
    assert_eq!(post(&mut client, "grant_type=password&username=ci&password=wrong").status, 401);
    assert_eq!(post(&mut client, "grant_type=other").status, 400);
}

#[test]
fn refuses_tokens_by_post() {
    for status in [400, 401, 404] {
        let (_registry, mut client) = tokens(&[&format!("token-post={status}")]);
        assert_eq!(post(&mut client, "grant_type=password&username=ci&password=secret").status, status);
        assert_eq!(ask(&mut client, &[PULL], Some(("ci", "secret"))).status, 200);
    }
    let (_registry, mut client) = tokens(&["token-post=400-password", "user=<token>:identity"]);
    assert_eq!(post(&mut client, "grant_type=password&username=ci&password=secret").status, 400);
    assert_eq!(post(&mut client, "grant_type=refresh_token&refresh_token=identity").status, 200);
}

// A token expires in the middle of an upload (threats: token-expires-in-upload).
#[test]
fn ends_tokens_after_some_requests() {
    let (registry, mut client) = tokens(&["token-ttl=2"]);
    let token = bearer(&ask(&mut client, &[PULL], Some(("ci", "secret"))));
    assert_eq!([1, 2, 3].map(|_| get(&mut client, TAG, &token).status), [200, 200, 401]);
    let ended = get(&mut client, TAG, &token);
    assert!(ended.header("WWW-Authenticate").unwrap().ends_with(",error=\"invalid_token\""));
    let token = bearer(&ask(&mut client, &[&format!("{PULL},push")], Some(("ci", "secret"))));
    let opened = client.send("POST", "/v2/app/blobs/uploads/", &[("Authorization", &token)], b"");
    let patched = client.send("PATCH", &opened.location(), &[("Authorization", &token)], b"half");
    assert_eq!((opened.status, patched.status), (202, 202));
    let put = client.send("PUT", &patched.location(), &[("Authorization", &token)], b"");
    assert_eq!((put.status, registry.open_uploads()), (401, 1));
}

// 401 for every request (threats: endless-401).
#[test]
fn gives_tokens_that_are_never_good() {
    for switch in ["token-ttl=0", "token-seconds=0"] {
        let (_registry, mut client) = tokens(&[switch]);
        let token = bearer(&ask(&mut client, &[PULL], Some(("ci", "secret"))));
        assert_eq!(get(&mut client, TAG, &token).status, 401, "{switch}");
    }
}

#[test]
fn gives_the_last_scope_only() {
    let (registry, mut client) = tokens(&["scope=last-only"]);
    image(2).put(&registry, "base", Some("v1"));
    let token = bearer(&ask(&mut client, &["repository:base:pull", PULL], Some(("ci", "secret"))));
    assert_eq!(get(&mut client, TAG, &token).status, 200);
    assert_eq!(get(&mut client, "/v2/base/manifests/v1", &token).status, 401);
}

#[test]
fn has_tokens_elsewhere() {
    let (registry, mut client) = tokens(&["realm=other-host"]);
    let challenge = client.get(TAG).header("WWW-Authenticate").unwrap().to_owned();
    assert!(challenge.contains(&format!("realm=\"http://{}/token\"", registry.second_host())), "{challenge}");
    let mut other = Client::new(&registry.second_host());
    let token = bearer(&ask(&mut other, &[PULL], Some(("ci", "secret"))));
    assert_eq!(get(&mut client, TAG, &token).status, 200);
    assert_eq!(registry.leaks(&["secret"]).len(), 1);
    let (_registry, mut client) = tokens(&["realm=file:///etc/passwd"]);
    assert!(client.get(TAG).header("WWW-Authenticate").unwrap().contains("realm=\"file:///etc/passwd\""));
}

#[test]
fn lets_anybody_pull() {
    let (_registry, mut client) = tokens(&["anonymous=pull"]);
    let token = bearer(&ask(&mut client, &[&format!("{PULL},push")], None));
    assert_eq!(get(&mut client, TAG, &token).status, 200);
    let push = client.send("POST", "/v2/app/blobs/uploads/", &[("Authorization", &token)], b"");
    assert_eq!(push.status, 401);
    let (_registry, mut client) = tokens(&["anonymous=everything"]);
    let token = bearer(&ask(&mut client, &[&format!("{PULL},push")], None));
    assert_eq!(client.send("POST", "/v2/app/blobs/uploads/", &[("Authorization", &token)], b"").status, 202);
}

#[test]
fn grants_what_it_was_told() {
    let (registry, mut client) = tokens(&["grant=ci:app:pull", "grant=ci:team/*:pull,push"]);
    image(2).put(&registry, "team/app", Some("v1"));
    let both = ["repository:app:pull,push", "repository:team/app:pull,push"];
    let token = ask(&mut client, &both, Some(("ci", "secret")));
    assert_eq!(token.json()["scope"], "repository:app:pull repository:team/app:pull,push");
    let mut open = |name: &str| {
        let target = format!("/v2/{name}/blobs/uploads/");
        client.send("POST", &target, &[("Authorization", &bearer(&token))], b"").status
    };
    assert_eq!((open("app"), open("team/app")), (401, 202));
}

// A mount needs to read the source: without that scope it is an upload like any other.
#[test]
fn mounts_only_what_the_token_may_read() {
    let (registry, mut client) = tokens(&[]);
    let digest = registry.put_blob("base", b"shared");
    let target = format!("/v2/app/blobs/uploads/?mount={digest}&from=base");
    let narrow = bearer(&ask(&mut client, &[&format!("{PULL},push")], Some(("ci", "secret"))));
    assert_eq!(client.send("POST", &target, &[("Authorization", &narrow)], b"").status, 202);
    let scopes = [&format!("{PULL},push"), "repository:base:pull"];
    let wide = bearer(&ask(&mut client, &scopes, Some(("ci", "secret"))));
    assert_eq!(client.send("POST", &target, &[("Authorization", &wide)], b"").status, 201);
}

// Rules for the token service and for challenges (threats: malformed-token, scope-of-another-repository).
#[test]
fn can_be_scripted_like_the_rest() {
    let (registry, mut client) = tokens(&[]);
    registry.rule("GET", "/token*", Times::Every, Action::ReplaceBody(b"{\"token\":\"a\\r\\nb\"}".to_vec()));
    assert_eq!(ask(&mut client, &[PULL], None).json()["token"], "a\r\nb");
    let challenge = "Bearer realm=\"http://x/\",scope=\"repository:other:pull\"".to_owned();
    registry.rule("GET", TAG, Times::Every, Action::SetHeader("WWW-Authenticate".into(), challenge.clone()));
    assert_eq!(client.get(TAG).header("WWW-Authenticate"), Some(challenge.as_str()));
}

#[test]
fn needs_no_credentials_for_storage() {
    let (registry, mut client) = tokens(&["blob-redirect"]);
    let digest = registry.put_blob("app", b"stored elsewhere");
    let token = bearer(&ask(&mut client, &[PULL], Some(("ci", "secret"))));
    let redirect = get(&mut client, &format!("/v2/app/blobs/{digest}"), &token);
    assert_eq!(redirect.status, 307);
    assert!(redirect.header("Location").unwrap().starts_with(&format!("http://{}/", registry.second_host())));
    let mut storage = Client::new(&registry.second_host());
    assert_eq!(storage.get(&redirect.location()).body, b"stored elsewhere");
    assert_eq!(registry.leaks(&["secret"]).len(), 0);
    assert_eq!(get(&mut storage, &redirect.location(), &token).status, 400);
    assert_eq!(registry.leaks(&[]).len(), 1);
}

#[test]
fn pushes_with_a_token() {
    let (registry, client) = tokens(&[]);
    let mut service = Client::new(&registry.address());
    let token = bearer(&ask(&mut service, &[&format!("{PULL},push")], Some(("ci", "secret"))));
    let mut client = client.with("Authorization", &token);
    assert_eq!(push_blob(&mut client, "app", b"bytes").status, 201);
}
