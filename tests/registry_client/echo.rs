//! A registry or token service that sends back what it was sent: no error and no warning shows a secret in any form.

use super::trace::recorded;
use super::*;
use crate::support::image::image;
use crate::support::registry::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::digest::hex;
use bulla::store::Sink as _;
use bulla::store::Source as _;

const PASSWORD: &str = "Hunter2/Secret+Pass?Word~7";

/// What a form must not be found by, where it cannot be found whole: base64 shares characters with its neighbours.
struct Form {
    text: String,
    core: String,
}

fn forms(secret: &str) -> Vec<Form> {
    let percent = |upper: bool| -> String {
        let encode = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret.bytes().map(encode).collect()
    };
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let escaped: String = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let whole = [
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        format!("{secret:?}"),
        form.clone(),
        form.replace('%', "%25"),
        percent(true),
        percent(false),
        escaped,
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
    ];
    let mut forms: Vec<_> = whole.into_iter().map(|text| Form { core: text.clone(), text }).collect();
    for before in ["", "j", "jo", "joe:", "Authorization: Bearer "] {
        for text in [STANDARD.encode(format!("{before}{secret}")), URL_SAFE_NO_PAD.encode(format!("{before}{secret}"))]
        {
            let middle = (before.len() * 4).div_ceil(3) + 2;
            forms.push(Form { core: text[middle..middle + 16].to_owned(), text });
        }
    }
    let twice = STANDARD.encode(STANDARD.encode(format!("joe:{secret}")));
    forms.push(Form { core: twice[8..32].to_owned(), text: twice });
    forms
}

type Echo = (&'static str, fn(&str) -> Response);

/// The places in an answer that end up in a message.
const PLACES: &[Echo] = &[
    ("body", |text| Response::text(500, text)),
    ("error code", |text| Response::error(403, text, "no")),
    ("error message", |text| Response::error(403, "DENIED", text)),
    ("error of a 404", |text| Response::error(404, "DENIED", text)),
    ("content type", |text| Response::text(200, "{}").with_type(&format!("application/{text}"))),
    ("digest header", |text| Response::text(404, "{}").with("Docker-Content-Digest", text)),
    ("Warning", |text| {
        Response::text(404, "")
            .with("Warning", format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    }),
    ("redirect to a host", |text| Response::text(307, "").with("Location", format!("https://{text}.invalid/x"))),
    ("redirect to a scheme", |text| Response::text(307, "").with("Location", format!("{text}://x/x"))),
    ("redirect to a user", |text| Response::text(307, "").with("Location", format!("http://{text}@127.0.0.1:1/x"))),
    ("redirect to a path", |text| {
        Response::text(307, "").with("Location", format!("http://127.0.0.1:1/{text}?s={text}"))
    }),
    ("realm on a host", |text| challenge(&format!("https://{text}.invalid/token"))),
    ("realm with a scheme", |text| challenge(&format!("{text}://x/token"))),
    ("encoding", |text| Response::text(200, "{}").with("Content-Encoding", text)),
    ("pause", |text| Response::text(429, "{}").with("Retry-After", text)),
    ("media type in a list", |text| {
        let entry = serde_json::json!({"mediaType": text, "size": 1, "digest": text});
        Response::json(200, &serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}))
            .with_type(OCI_INDEX)
    }),
    ("next page", |text| {
        let list = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []});
        Response::json(200, &list).with_type(OCI_INDEX).with("Link", format!("<https://{text}.invalid/x>; rel=next"))
    }),
    ("place of an upload", |text| Response::text(202, "").with("Location", format!("https://{text}.invalid/x"))),
];

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn challenge(realm: &str) -> Response {
    Response::text(401, "{}").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
}

/// All that the library says after an answer of that kind to everything.
fn output(switches: &[&str], place: &Echo, form: &Form, pattern: &str) -> String {
    let registry = with(switches);
    let image = image(1);
    image.put(&registry, "app", Some("v1"));
    let (text, make) = (form.text.clone(), place.1);
    registry.hook("*", pattern, move |request, answer| match request.header("Authorization") {
        Some(_) => make(&text),
        None => answer,
    });
    let mut settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", PASSWORD)));
    settings.retry.connect_retries = 0;
    settings.retry.retries = 0;
    let registries = Registries::new(settings);
    let app = registries.repository(&reference(&registry.address(), "app")).unwrap().for_writing();
    let mut output = Vec::new();
    let ((), events) = recorded(|| {
        run(async {
            output.push(app.resolve(&tag("v1")).await.map(drop));
            output.push(app.referrers(&image.descriptor.digest, None).await.map(drop));
            output.push(app.push_content(&octets(b"not there")).await.map(drop));
        });
    });
    assert!(events.len() > 3, "{events:?}");
    hides(&events.join("\n"), form, &format!("events, {}", place.0));
    let errors = output.into_iter().filter_map(Result::err).map(|error| format!("{error} {error:?}"));
    errors.chain(registries.warnings().into_iter().map(|(_, text)| text)).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn hides(output: &str, form: &Form, what: &str) {
    assert!(!output.to_lowercase().contains(&form.core.to_lowercase()), "{what}: {}: {output}", form.text);
}

#[test]
fn no_error_shows_a_password_that_the_registry_sends_back() {
    let user = format!("user=joe:{PASSWORD}");
    for place in PLACES {
        for form in forms(PASSWORD) {
            let output = output(&["auth=basic", &user], place, &form, "/v2/*");
            assert!(!output.is_empty(), "{}: nothing was printed", place.0);
            hides(&output, &form, place.0);
        }
    }
}

#[test]
fn no_error_shows_a_password_that_the_token_service_sends_back() {
    let user = format!("user=joe:{PASSWORD}");
    for place in PLACES {
        for form in forms(PASSWORD) {
            hides(&output(&["auth=token", &user], place, &form, "/token*"), &form, place.0);
            hides(&output(&["auth=token", &user], place, &form, "/v2/*"), &form, place.0);
        }
    }
}

#[test]
fn no_error_shows_a_token_that_the_registry_sends_back() {
    for (name, make) in PLACES {
        let registry = with(&["auth=token", "user=joe:hunter2"]);
        image(1).put(&registry, "app", Some("v1"));
        registry.hook("*", "/v2/*", move |request, answer| match request.header("Authorization") {
            Some(sent) => make(sent.trim_start_matches("Bearer ")),
            None => answer,
        });
        let mut settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", "hunter2")));
        settings.retry.connect_retries = 0;
        settings.retry.retries = 0;
        let app = app_with(&registry, settings);
        let (result, events) = recorded(|| run(app.push_content(&octets(b"not there"))));
        let error = result.unwrap_err().to_string();
        let sent = registry.matching("*", "/v2/*");
        let sent = sent.iter().find_map(|it| it.header("Authorization")).unwrap().trim_start_matches("Bearer ");
        assert!(sent.len() > 12 && !error.contains(sent), "{name}: {error}");
        assert!(!events.is_empty() && events.iter().all(|event| !event.contains(sent)), "{name}: {events:?}");
    }
}

/// What a registry repeats of its token is hidden; our own words, the digest and the kind of the error are not, whatever
/// the token is (threats: report-rewritten-by-a-registry).
#[test]
fn an_error_keeps_its_own_words_whatever_the_token_is() {
    let image = image(1);
    let digest = image.descriptor.digest;
    let hexadecimal = digest.hex();
    for issued in ["notauthorised", "answered403forbidden", hexadecimal.as_str(), "canary-token-of-echo-6180"] {
        let registry = polite();
        image.put(&registry, "app", Some("v1"));
        let (address, token) = (registry.address(), issued.to_owned());
        let answer = serde_json::json!({ "token": issued });
        registry.hook("GET", "/token*", move |_, _| Response::json(200, &answer));
        let realm = format!("http://{address}/token");
        registry.hook("*", "/v2/*", move |request, _| match request.header("Authorization") {
            Some(_) => Response::error(403, "DENIED", &token).with("Warning", format!("299 - \"it was {token}\"")),
            None => challenge(&realm),
        });
        let registries = Registries::new(settings());
        let app = registries.repository(&reference(&address, "app")).unwrap();
        let error = run(app.manifest(&image.descriptor)).unwrap_err();
        let wanted =
            format!("{address}/app@{digest}: not authorised (answered 403 Forbidden: DENIED: ***; no credential");
        assert!(error.to_string().starts_with(&wanted), "{issued}: {error}");
        assert_eq!(error.code(), "denied");
        assert_eq!(registries.warnings(), [(address, "it was ***".to_owned())], "{issued}");
    }
}

/// A list of referrers that repeats the token: that is hidden, and the error stays one about the list.
#[test]
fn an_error_about_a_list_keeps_its_kind_whatever_the_token_is() {
    let image = image(1);
    for issued in ["isnotamanifest", "canary-token-of-echo-6180"] {
        let registry = polite();
        image.put(&registry, "app", Some("v1"));
        let answer = serde_json::json!({ "token": issued });
        registry.hook("GET", "/token*", move |_, _| Response::json(200, &answer));
        let realm = format!("http://{}/token", registry.address());
        let entry = serde_json::json!({ "mediaType": issued, "size": 1, "digest": issued });
        let list = serde_json::json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] });
        registry.hook("*", "/v2/*", move |request, _| match request.header("Authorization") {
            Some(_) => Response::json(200, &list).with_type(OCI_INDEX),
            None => challenge(&realm),
        });
        let error = run(app(&registry).referrers(&image.descriptor.digest, None)).map(drop).unwrap_err();
        assert_eq!(error.code(), "manifest-unreadable", "{error}");
        let shown = error.to_string();
        assert!(shown.contains("is not a manifest: ") && shown.contains("***"), "{shown}");
        assert!(!shown.contains(issued), "{shown}");
    }
}

/// A presigned URL is a secret: everybody who has it can read the blob.
#[test]
fn no_error_shows_the_signature_of_a_presigned_url() {
    let registry = with(&["blob-redirect=on"]);
    image(1).put(&registry, "app", Some("v1"));
    let signature = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";
    let elsewhere = format!("http://{}/blob?X-Amz-Signature={signature}&X-Amz-Expires=60", registry.second_host());
    registry.hook("*", "/v2/app/blobs/*", move |_, _| Response::text(307, "").with("Location", elsewhere.clone()));
    registry.hook("*", "/blob*", move |request, _| Response::text(403, &format!("not for {}", request.query)));
    let blob = octets(b"x");
    let (result, events) = recorded(|| run(app(&registry).blob(blob.descriptor(), 10)));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("403") && !error.contains(signature), "{error}");
    assert!(events.iter().any(|event| event.contains("following a redirect")), "{events:?}");
    assert!(events.iter().all(|event| !event.contains(signature) && !event.contains("X-Amz")), "{events:?}");
}
