//! The client of registries against the quirk registry: each behaviour by the row of the table it is in.
#![cfg(feature = "registry")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod support;

#[path = "registry_client/attach.rs"]
mod attach;
#[path = "registry_client/auth.rs"]
mod auth;
#[path = "registry_client/echo.rs"]
mod echo;
#[path = "registry_client/http2.rs"]
mod http2;
#[path = "registry_client/lists.rs"]
mod lists;
#[path = "registry_client/pull.rs"]
mod pull;
#[path = "registry_client/push.rs"]
mod push;
#[path = "registry_client/redirect.rs"]
mod redirect;
#[path = "registry_client/time.rs"]
mod time;
#[path = "registry_client/tls.rs"]
mod tls;
#[path = "registry_client/trace.rs"]
mod trace;
#[path = "registry_client/web.rs"]
mod web;

use std::future::Future;
use std::time::Duration;

use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Reference;
use bulla::oci::RegistryReference;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::store::Blob;
use bulla::store::StoreError;
use bulla::store::credentials::Credential;
use bulla::store::credentials::Credentials;
use bulla::store::credentials::SecretText;
use bulla::store::registry::Proxies;
use bulla::store::registry::Registries;
use bulla::store::registry::Repository;
use bulla::store::registry::RetryPolicy;
use bulla::store::registry::Settings;

use support::registry::Quirks;
use support::registry::Registry;

/// Runs `future` to its end, on a machine with two processors.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap().block_on(future)
}

fn polite() -> Registry {
    Registry::start(Quirks::polite())
}

fn with(switches: &[&str]) -> Registry {
    Registry::start(switches.iter().fold(Quirks::polite(), |quirks, switch| quirks.with(switch)))
}

fn settings() -> Settings {
    settings_as(Credentials::none())
}

fn settings_as(credentials: Credentials) -> Settings {
    let mut settings = Settings::new(credentials);
    settings.retry = RetryPolicy::tests();
    settings.proxies = Proxies::None;
    settings
}

/// Time-outs that a test can wait for.
fn hasty() -> Settings {
    let mut settings = settings();
    let short = Duration::from_millis(150);
    settings.timeouts.first_byte = short;
    settings.timeouts.idle = short;
    settings.retry.retries = 1;
    settings
}

fn basic(username: &str, password: &str) -> Credential {
    Credential::Basic { username: username.to_owned(), password: SecretText::new(password.to_owned()) }
}

fn reference(host: &str, repository: &str) -> RegistryReference {
    match format!("{host}/{repository}:latest").parse() {
        Ok(Reference::Registry(reference)) => reference,
        other => panic!("{other:?}"),
    }
}

/// The repository `app` of `registry`, seen with fresh eyes.
fn app(registry: &Registry) -> Repository {
    app_with(registry, settings())
}

fn app_with(registry: &Registry, settings: Settings) -> Repository {
    Registries::new(settings).repository(&reference(&registry.address(), "app")).unwrap()
}

/// The same, as a user.
fn app_as(registry: &Registry, username: &str, password: &str) -> Repository {
    let credentials = Credentials::none().with(&registry.address(), basic(username, password));
    app_with(registry, settings_as(credentials))
}

fn tag(name: &str) -> TagOrDigest {
    TagOrDigest::Tag(name.to_owned())
}

fn octets(bytes: &[u8]) -> Content {
    Content::from_bytes("application/octet-stream", bytes.to_vec())
}

/// A manifest of that artifact type, whose parts `registry` is given, which refers to `subject`.
fn referrer(registry: &Registry, subject: &Descriptor, kind: &str, payload: &[u8]) -> Content {
    let image = support::image::referrer(subject, kind, payload);
    for blob in image.blobs() {
        registry.put_blob("app", blob);
    }
    Content::from_bytes(OCI_MANIFEST, image.manifest)
}

async fn drain(mut blob: Blob) -> Result<Vec<u8>, StoreError> {
    let mut whole = Vec::new();
    while let Some(piece) = blob.next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}
