//! The events of the client of registries: what they say, and what they never hold.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use tracing::Event;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::span::Attributes;
use tracing::span::Id;
use tracing::span::Record;
use tracing::subscriber::with_default;

use super::*;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Response;
use crate::support::registry::Times;

/// Does `work`, and returns every span and event of the library on the way, as `NAME FIELD=VALUE`: each field as it was
/// recorded, before anything that a subscriber may do to it.
pub fn recorded<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let recorder = Recorder::default();
    let lines = Arc::clone(&recorder.lines);
    let result = with_default(recorder, work);
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    (result, lines)
}

#[derive(Default)]
struct Recorder {
    lines: Arc<Mutex<Vec<String>>>,
    spans: AtomicU64,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => self.0.push_str(&format!(" {name}={value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push_str(&format!(" {}={value}", field.name()));
    }
}

impl Recorder {
    fn line(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("bulla")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(|line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.line(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const MANIFESTS: &str = "/v2/app/manifests/*";

#[test]
fn events_tell_of_requests_authentication_and_retries() {
    let registry = with(&["auth=token", "user=joe:hunter2-of-the-log"]);
    image(1).put(&registry, "app", Some("v1"));
    registry.rule("GET", MANIFESTS, Times::Nth(2), Action::status(503));
    let app = app_as(&registry, "joe", "hunter2-of-the-log");
    let (result, events) = recorded(|| run(app.resolve(&tag("v1"))));
    result.unwrap();
    let host = registry.address();
    let request = |status: u16| format!("answered method=GET host={host} path=/v2/app/manifests/v1 status={status}");
    let wanted = [
        " attempt=1".to_owned(),
        format!("first answer of this host host={host} status=401"),
        request(401),
        "access was refused status=401 challenged=true credential=".to_owned(),
        format!("the registry asks for authentication host={host} scheme=Bearer"),
        format!("requesting a token host={host} service={host} scopes=repository:app:pull credential="),
        format!("answered method=GET host={host} path=/token status=200"),
        format!("received a token host={host} lifetime_s="),
        request(503),
        format!("trying again host={host} attempt=2 wait_ms="),
        request(200),
    ];
    assert_eq!(events.len(), wanted.len(), "{events:#?}");
    assert!(events.iter().zip(&wanted).all(|(event, wanted)| event.starts_with(wanted)), "{events:#?}");
    assert!(events.iter().all(|event| !event.contains("hunter2") && !event.contains('?')), "{events:#?}");
}

#[test]
fn events_tell_how_a_blob_was_uploaded_and_what_was_learned() {
    let registry = polite();
    registry.hook("POST", "/v2/app/blobs/uploads/*", |request, answer| match request.query.contains("digest=") {
        true => Response::error(405, "UNSUPPORTED", "no"),
        false => answer,
    });
    let blob = octets(b"a small blob");
    let (result, events) = recorded(|| run(app(&registry).push_content(&blob)));
    result.unwrap();
    let digest = blob.digest();
    for wanted in [
        "the registry takes no blob in a single POST".to_owned(),
        format!("opened an upload session digest={digest} chunk_min=0"),
        format!("uploaded a blob digest={digest}"),
    ] {
        assert!(events.iter().any(|event| event.starts_with(&wanted)), "{wanted}: {events:#?}");
    }
    assert!(events.iter().any(|event| event.contains(" sent=12 status=201")), "{events:#?}");
}

/// The span of a request has the number of its attempt, in the program too.
#[test]
fn the_log_counts_the_attempts_of_a_request() {
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    registry.rule("GET", "/v2/app/referrers/*", Times::Nth(1), Action::LoseAnswer);
    let (_, _, log) = time::program(&["tree", &format!("{}/app:v1", registry.address()), "-vv"], &[]);
    let host = registry.address();
    for wanted in [
        format!("request{{attempt=1}}: no answer method=GET host={host} path=/v2/app/referrers/sha256:"),
        format!("request{{attempt=1}}: trying again host={host} attempt=2 wait_ms=0 reason="),
        format!("request{{attempt=2}}: answered method=GET host={host} path=/v2/app/referrers/sha256:"),
    ] {
        assert_eq!(log.matches(&wanted).count(), 1, "{wanted}: {log}");
    }
    assert_eq!(log.matches("trying again").count(), 1, "{log}");
}

/// What a server chose cannot fill a log or steer a terminal.
#[test]
fn what_a_server_says_is_bounded_and_escaped_in_events() {
    let registry = polite();
    let long = format!("http://{}/{}", registry.second_host(), "x".repeat(2_000));
    registry.hook("GET", MANIFESTS, move |_, _| Response::text(307, "").with("Location", long.clone()));
    registry.hook("GET", "/x*", |_, _| Response::error(503, "BUSY", &format!("{}\u{202e}", "y".repeat(3_000))));
    let (result, events) = recorded(|| run(app(&registry).resolve(&tag("v1"))));
    result.unwrap_err();
    // The path that a redirect leads to is not shown: it may grant access, as a presigned URL does.
    let target = format!("answered method=GET host={} path=(not shown) status=503", registry.second_host());
    assert!(events.iter().any(|event| event.starts_with(&target)), "{events:#?}");
    assert!(!events.iter().any(|event| event.contains("/xxx")), "{events:#?}");
    assert!(events.iter().any(|event| event.starts_with("trying again")), "{events:#?}");
    let steers = |event: &String| event.len() > 1_000 || event.contains(bulla::text::is_unsafe_to_show);
    assert!(!events.iter().any(steers), "{events:#?}");
}

const PASSWORD: &str = "canary-password-of-the-log-3391";
const SIGNATURE: &str = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";

/// Both forms of the log, with a password, tokens and presigned URLs in use, and with a server that repeats them.
#[test]
fn the_log_of_the_program_shows_no_secret() {
    for switches in [&["auth=token", "blob-redirect=on"][..], &["auth=basic"]] {
        let user = format!("user=joe:{PASSWORD}");
        let registry = with(&[switches, &[&user]].concat());
        image(1).put(&registry, "app", Some("v1"));
        let elsewhere = format!("http://{}/blob?X-Amz-Signature={SIGNATURE}", registry.second_host());
        registry.hook("GET", "/v2/app/blobs/*", move |_, answer| match answer.status {
            307 => Response::text(307, "").with("Location", elsewhere.clone()),
            _ => answer,
        });
        registry.hook("GET", "/blob*", |request, _| Response::text(403, &format!("not for {}", request.query)));
        registry.hook("GET", "/v2/app/referrers/*", |request, _| {
            Response::error(403, "DENIED", request.header("Authorization").unwrap_or_default())
        });
        for form in ["text", "json"] {
            for command in [&["verify", "--key", time::KEY][..], &["tree"], &["copy", "oci:copy:v1"]] {
                let (said, log) = log_of(&registry, command, form);
                let sent: Vec<_> = registry
                    .requests()
                    .iter()
                    .filter_map(|request| request.header("Authorization").map(str::to_owned))
                    .filter_map(|sent| sent.split_once(' ').map(|(_, secret)| secret.to_owned()))
                    .collect();
                assert!(!sent.is_empty() && log > 5, "{said}");
                let secrets = sent.iter().map(String::as_str).chain([PASSWORD, SIGNATURE, "X-Amz", "canary"]);
                for secret in secrets {
                    assert!(!said.contains(secret), "{command:?} {form}: {secret} in\n{said}");
                }
            }
        }
    }
}

/// All that a command says with `-vv`, and how many entries the log has.
fn log_of(registry: &Registry, command: &[&str], form: &str) -> (String, usize) {
    let home = support::temp_dir();
    std::fs::create_dir(home.path().join(".docker")).unwrap();
    let auth = STANDARD.encode(format!("joe:{PASSWORD}"));
    let config = serde_json::json!({ "auths": { registry.address(): { "auth": auth } } }).to_string();
    std::fs::write(home.path().join(".docker/config.json"), config).unwrap();
    let reference = format!("{}/app:v1", registry.address());
    let (verb, rest) = command.split_first().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args([verb, reference.as_str()])
        .args(rest)
        .args(["-vv", "--log-format", form])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let entries = stderr.lines().filter(|line| match form {
        "json" => line.starts_with('{'),
        _ => line.starts_with("info: ") || line.starts_with("debug: "),
    });
    let entries = entries.inspect(|line| {
        if form == "json" {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(entry["target"].as_str().unwrap().starts_with("bulla::"), "{line}");
        }
    });
    let entries = entries.count();
    (String::from_utf8(output.stdout).unwrap() + &stderr, entries)
}
