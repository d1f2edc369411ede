//! Timeouts, retries, progress and proxies, and the messages about them.

use super::*;
use crate::support::image::filler;
use crate::support::image::image;
use crate::support::registry::Action;
use crate::support::registry::Times;
use crate::support::temp_dir;
use bulla::store::Deadline;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::TimeoutScope;
use bulla::store::registry::RequestEvent;
use bulla::store::registry::RequestObserver;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;

const MANIFESTS: &str = "/v2/app/manifests/*";
const BLOBS: &str = "/v2/app/blobs/*";
const TENTH: Duration = Duration::from_millis(100);

/// A byte every 20 ms: an hour for what takes no time.
fn trickle() -> Action {
    Action::Drip { bytes: 1, pause_ms: 20 }
}

// 1.5 KiB a second is fast enough for the minimum rate, and goes on for an hour with 5 MB.
#[test]
fn the_total_timeout_covers_bodies_except_layers() {
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    registry.rule("GET", "/v2/*", Times::Every, trickle());
    let mut settings = settings();
    settings.timeouts.total = TENTH;
    let app = app_with(&registry, settings);
    let layer = Descriptor::of("application/octet-stream", &image.layers[0]);
    run(async {
        for error in [
            app.resolve(&tag("v1")).await.unwrap_err(),
            app.manifest(&image.descriptor).await.unwrap_err(),
            app.blob(&layer, 10_000).await.unwrap_err(),
            app.referrers(&image.descriptor.digest, None).await.unwrap_err(),
            app.names().await.unwrap_err(),
        ] {
            assert_eq!(error.code(), "unreachable", "{error}");
            let told = error.to_string();
            assert!(told.contains("app") && told.contains("no whole answer within 100 ms (1 try in "), "{told}");
        }
    });
}

#[test]
fn the_total_timeout_does_not_interrupt_a_layer() {
    let registry = polite();
    let bytes = filler(1, 40_000);
    registry.put_blob("app", &bytes);
    registry.rule("GET", BLOBS, Times::Every, Action::Drip { bytes: 4_000, pause_ms: 20 });
    let mut settings = settings();
    settings.timeouts.total = TENTH;
    let app = app_with(&registry, settings);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    assert_eq!(run(async { drain(app.open(&layer).await.unwrap()).await }).unwrap(), bytes);
}

#[test]
fn a_deadline_ends_every_kind_of_wait() {
    let registry = polite();
    let (image, bytes) = (image(1), filler(1, 3 << 20));
    image.put(&registry, "app", Some("v1"));
    registry.put_blob("app", &bytes);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    let within = |work: &dyn Fn(Repository) -> Result<(), StoreError>, action: Action| {
        registry.clear_rules();
        registry.rule("*", "/v2/*", Times::Every, action);
        let mut settings = settings();
        settings.deadline = Deadline::new(TENTH, TimeoutScope::Everything);
        let error = work(app_with(&registry, settings)).unwrap_err();
        assert_eq!(error.code(), "timeout", "{error}");
        error.to_string()
    };
    let told = within(&|app| run(app.resolve(&tag("v1"))).map(drop), Action::Hang);
    let wanted = format!(
        "{0}/app:v1: not done within 100 ms, while waiting for {0}: GET /v2/app/manifests/v1",
        registry.address()
    );
    assert_eq!(told, wanted);
    let slow = || Action::Drip { bytes: 4_000, pause_ms: 20 };
    let told = within(&|app| run(async { drain(app.open(&layer).await?).await }).map(drop), slow());
    assert!(told.contains(&format!("reading it from {}/app", registry.address())), "{told}");
    let busy = Action::Status { code: 503, headers: vec![("Retry-After".to_owned(), "100".to_owned())], body: vec![] };
    within(&|app| run(app.names()).map(drop), busy);
    within(&|app| run(app.push_content(&octets(&filler(2, 1 << 20)))), Action::Hang);
    within(&|app| run(app.push_content(&octets(b"small"))), Action::Hang);
}

#[test]
fn time_in_which_layers_move_does_not_count_by_default() {
    let registry = polite();
    let (image, bytes) = (image(1), filler(1, 40_000));
    image.put(&registry, "app", Some("v1"));
    registry.put_blob("app", &bytes);
    registry.rule("GET", BLOBS, Times::Every, Action::Drip { bytes: 2_000, pause_ms: 20 });
    registry.rule("GET", MANIFESTS, Times::Every, Action::Hang);
    let mut settings = settings();
    settings.deadline = Deadline::new(3 * TENTH, TimeoutScope::EverythingButLayers);
    let app = app_with(&registry, settings);
    let layer = Descriptor::of("application/octet-stream", &bytes);
    run(async {
        assert_eq!(drain(app.open(&layer).await.unwrap()).await.unwrap(), bytes);
        assert_eq!(app.resolve(&tag("v1")).await.unwrap_err().code(), "timeout");
    });
}

/// The recorded events, as `METHOD PATH STATUS` and `again NEXT/MOST`.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<String>>);

impl RequestObserver for Seen {
    fn observe(&self, event: &RequestEvent<'_>) {
        let line = match event {
            RequestEvent::Retry { next, most, why, .. } => format!("again {next}/{most}: {why}"),
            RequestEvent::Request { method, path, status, .. } => format!("{method} {path} {status:?}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn a_watcher_sees_every_request_and_every_retry() {
    let registry = with(&["auth=token", "user=joe:hunter2"]);
    image(1).put(&registry, "app", Some("v1"));
    registry.rule("GET", MANIFESTS, Times::Nth(2), Action::status(503));
    let seen = Arc::new(Seen::default());
    let mut settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", "hunter2")));
    settings.watch = Some(seen.clone());
    run(app_with(&registry, settings).resolve(&tag("v1"))).unwrap();
    let seen = seen.0.lock().unwrap();
    let manifest = "GET /v2/app/manifests/v1";
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(seen[0], format!("{manifest} Some(401)"));
    assert!(seen[1].starts_with("GET /token") && seen[1].ends_with("Some(200)"), "{seen:?}");
    assert_eq!(seen[2], format!("{manifest} Some(503)"));
    assert!(seen[3].starts_with("again 2/6: answered 503"), "{seen:?}");
    assert_eq!(seen[4], format!("{manifest} Some(200)"));
}

pub fn program(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let home = temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    command.args(arguments).env_clear().env("HOME", home.path()).envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

pub const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/release.pub");

/// A host that no resolver is asked for: a label of a name has 63 octets at most (RFC 1035 section 2.3.4).
fn nameless() -> String {
    format!("{}.invalid", "x".repeat(64))
}

/// A host that takes connections and never answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn the_program_ends_within_its_timeout_and_says_what_it_was_doing() {
    let (_listener, host) = silent();
    let (one, two) = (format!("{host}/app:v1"), format!("{host}/app:v2"));
    let (code, stdout, stderr) = program(&["verify", &one, &two, "--key", KEY, "--timeout", "200ms"], &[]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for name in [&one, &two] {
        assert!(stderr.contains(&format!("error: {name}: not done within 200 ms, while ")), "{stderr}");
    }
    assert!(stderr.contains(&format!("waiting for {host}: GET /v2/app/manifests/v")), "{stderr}");
    assert_eq!(stderr.matches("hint: --timeout").count(), 1, "{stderr}");
    let report = program(&["verify", &one, "--key", KEY, "--timeout", "200ms", "--output", "json"], &[]).1;
    assert!(report.contains("\"code\": \"timeout\""), "{report}");
}

// A pipe whose other end says nothing cannot be waited for with a timeout of its own.
#[test]
fn work_that_cannot_be_interrupted_is_abandoned_after_the_timeout() {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/release-cosign.key");
    let home = temp_dir();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["key", "export", key, "--form", "encrypted-pkcs8", "-o", "out.key"])
        .args(["--passphrase-fd", "0", "--timeout", "100ms"])
        .current_dir(home.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The other end stays open until the program has ended.
    let stdin = child.stdin.take();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    drop(stdin);
    assert!(stderr.contains("error: not done within 100 ms, while reading files and keys"), "{stderr}");
}

#[test]
fn a_network_error_names_the_image_the_host_the_time_and_the_tries_once() {
    let (listener, host) = silent();
    drop(listener);
    let (one, two) = (format!("{host}/app:v1"), format!("{host}/app:v2"));
    let (code, _, stderr) = program(&["verify", &one, &two, "--key", KEY], &[]);
    assert_eq!(code, 2);
    for name in [&one, &two] {
        assert_eq!(stderr.matches(&format!("error: {name}: connection refused (3 tries in ")).count(), 1, "{stderr}");
    }
    assert!(stderr.contains(&format!("{host}: connection refused")) && stderr.contains("trying again in "), "{stderr}");
    for number in ["(2 of 3)\n", "(3 of 3)\n"] {
        assert_eq!(stderr.matches(number).count(), 1, "both wait for the same host: {stderr}");
    }
    let (_, _, stderr) = program(&["verify", &one, "--key", KEY, "--quiet"], &[]);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let name = format!("{}/app:v1", nameless());
    let (_, _, stderr) = program(&["verify", &name, "--key", KEY, "-q", "--plain-http"], &[]);
    assert!(stderr.starts_with(&format!("error: {name}: its name cannot be resolved (DNS)")), "{stderr}");
}

#[test]
fn verbose_output_shows_requests() {
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let reference = format!("{}/app:v1", registry.address());
    let shown = |option: &str| program(&["tree", &reference, option], &[]).2;
    let requests = shown("-vv");
    let request = format!("answered method=GET host={} path=/v2/app/manifests/v1 status=200 ", registry.address());
    assert_eq!(requests.matches(&request).count(), 1, "{requests}");
    let hosts = shown("-v");
    let first = format!("info: first answer of this host host={} status=200 took_ms=", registry.address());
    assert_eq!(hosts.matches(&first).count(), 1, "{hosts}");
    assert!(!hosts.contains("/v2/"), "{hosts}");
    assert_eq!(shown("-q"), "");
    assert_eq!(program(&["tree", &reference, "-q", "-v"], &[]).0, 2);
}

/// A proxy that answers everything with this, and what it was asked.
fn proxy(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heads = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4_096];
            let length = stream.read(&mut head).unwrap_or(0);
            heads
                .lock()
                .unwrap()
                .push(String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned());
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (address, asked)
}

#[test]
fn errors_name_the_proxy_and_its_variable_but_no_credentials() {
    let wants = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"corp\"\r\nContent-Length: 0\r\n\r\n";
    let refuses = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for (answer, plain, wanted, tries) in [
        (wants, false, "proxy authorization required", 1),
        (refuses, false, "tunnel error", 3),
        (wants, true, "wants a user name and a password (407)", 1),
    ] {
        let (address, asked) = proxy(answer);
        let value = format!("http://joe:hunter2@{address}");
        let variable = if plain { "http_proxy" } else { "HTTPS_PROXY" };
        let scheme = if plain { "--plain-http" } else { "-q" };
        let (code, _, stderr) = program(&["tree", "registry.invalid/app:v1", scheme], &[(variable, &value)]);
        assert_eq!(code, 2);
        assert!(stderr.contains("error: registry.invalid/app:v1: ") && stderr.contains(wanted), "{stderr}");
        assert!(stderr.contains(&format!("the proxy http://***@{address} ({variable})")), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
        assert_eq!(asked.lock().unwrap().len(), tries, "{:?}", asked.lock().unwrap());
    }
    let (_, _, stderr) = program(&["tree", "registry.invalid/app:v1"], &[("ALL_PROXY", "socks5://joe:hunter2@p:1")]);
    assert!(stderr.contains("ALL_PROXY: proxies of the kind socks5: are not supported"), "{stderr}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn hosts_in_no_proxy_are_contacted_directly() {
    let (address, asked) = proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let (value, host) = (format!("http://{address}"), nameless());
    let image = format!("{host}:8443/app:v1");
    for exceptions in [&format!("{host}:8443"), "*.invalid", ".invalid", "invalid", "*", &format!("x, {host}")] {
        let variables = [("HTTP_PROXY", value.as_str()), ("NO_PROXY", exceptions)];
        let (code, _, stderr) = program(&["tree", &image, "-q", "--plain-http"], &variables);
        assert_eq!(code, 2);
        assert!(stderr.contains("(DNS)") && !stderr.contains("proxy"), "{exceptions}: {stderr}");
    }
    assert!(asked.lock().unwrap().is_empty());
    let other = format!("{host}:5000");
    let variables = [("HTTP_PROXY", value.as_str()), ("NO_PROXY", &other)];
    program(&["tree", &image, "-q", "--plain-http"], &variables);
    let (asked, wanted) = (asked.lock().unwrap(), format!("GET http://{host}:8443/v2/"));
    assert!(!asked.is_empty() && asked.iter().all(|head| head.starts_with(&wanted)), "{asked:?}");
}

#[test]
fn verdicts_have_colour_only_if_requested() {
    let layout = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/testdata/layouts/signed:v1");
    let verify = |key: &str, variables: &[(&str, &str)]| program(&["verify", layout, "--key", key], variables);
    let untrusted = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/keys/untrusted.pub");
    let force = ("CLICOLOR_FORCE", "1");
    let (_, stdout, _) = verify(KEY, &[force]);
    assert!(stdout.starts_with("\u{1b}[32mverified\u{1b}[0m sha256:"), "{stdout:?}");
    let (_, _, stderr) = verify(untrusted, &[force]);
    assert!(stderr.starts_with("\u{1b}[1;31merror:\u{1b}[0m `"), "{stderr:?}");
    for variables in [&[] as &[_], &[("CLICOLOR", "1")], &[force, ("NO_COLOR", "1")]] {
        let (_, stdout, _) = verify(KEY, variables);
        let (_, _, stderr) = verify(untrusted, variables);
        assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "{variables:?}");
    }
}

#[test]
fn a_copy_shows_its_progress_on_a_terminal_and_nowhere_else() {
    if support::program("script").is_none() {
        return support::missing::not_run("script not found");
    }
    let registry = polite();
    let mut image = image(1);
    image.layers[0] = filler(1, 200_000);
    let layer = Descriptor::of("application/vnd.oci.image.layer.v1.tar", &image.layers[0]);
    let config = Descriptor::of("application/vnd.oci.image.config.v1+json", &image.config);
    let manifest =
        serde_json::json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]});
    for blob in image.blobs() {
        registry.put_blob("app", blob);
    }
    registry.put_manifest("app", manifest.to_string().as_bytes(), OCI_MANIFEST, Some("v1"));
    let path = format!("/v2/app/blobs/{}", layer.digest);
    registry.rule("GET", &path, Times::Every, Action::Drip { bytes: 10_000, pause_ms: 60 });
    let home = temp_dir();
    let copy = |to: &str, option: &str| {
        let bulla = env!("CARGO_BIN_EXE_bulla");
        format!("{bulla} copy {}/app:v1 oci:{} {option}", registry.address(), home.path().join(to).display())
    };
    let terminal = |command: &str| {
        let output = Command::new("script").args(["-qec", command, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = terminal(&copy("one", ""));
    assert!(shown.contains("200.") && shown.contains("kB/s") && shown.contains(" left"), "{shown:?}");
    let shown = terminal(&copy("two", "--quiet"));
    assert!(!shown.contains(" left"), "{shown:?}");
    let output = Command::new("/bin/sh").args(["-c", &copy("three", "")]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn token_services_and_credential_helpers_count_and_nothing_is_left_running() {
    let registry = with(&["auth=token", "user=joe:hunter2"]);
    registry.rule("*", "/token", Times::Every, Action::Hang);
    let mut settings = settings_as(Credentials::none().with(&registry.address(), basic("joe", "hunter2")));
    settings.deadline = Deadline::new(TENTH, TimeoutScope::Everything);
    assert_eq!(run(app_with(&registry, settings).resolve(&tag("v1"))).unwrap_err().code(), "timeout");

    let (registry, home) = (with(&["auth=basic", "user=joe:hunter2"]), temp_dir());
    let (helper, number) = (home.path().join("docker-credential-slow"), home.path().join("number"));
    std::fs::write(&helper, format!("#!/bin/sh\necho $$ > {}\nexec sleep 60\n", number.display())).unwrap();
    assert!(Command::new("chmod").arg("755").arg(&helper).status().unwrap().success());
    std::fs::write(home.path().join("config.json"), r#"{"credsStore":"slow"}"#).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path().display());
    let reference = format!("{}/app:v1", registry.address());
    let directory = home.path().to_str().unwrap();
    let variables = [("PATH", path.as_str()), ("DOCKER_CONFIG", directory)];
    let (code, _, stderr) = program(&["tree", &reference, "--timeout", "1s"], &variables);
    assert_eq!(code, 2);
    assert!(stderr.contains(&format!("error: {reference}: not done within 1 s, while ")), "{stderr}");
    let number = std::fs::read_to_string(number).unwrap();
    let process = format!("/proc/{}/stat", number.trim());
    // At once, or as soon as the system has delivered what was sent to it.
    let ended = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    let soon = (0..500).any(|_| {
        let ended = ended();
        (!ended).then(|| std::thread::sleep(Duration::from_millis(10)));
        ended
    });
    assert!(soon, "the helper still runs");
}
