//! The quirk registry itself: polite by default, and each switch does what it says.
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

#[path = "quirk_registry/access.rs"]
mod access;
#[path = "quirk_registry/calibration.rs"]
mod calibration;
#[path = "quirk_registry/faults.rs"]
mod faults;
#[path = "quirk_registry/polite.rs"]
mod polite;
mod support;
#[path = "quirk_registry/switches.rs"]
mod switches;

use bulla::digest::Digest;

use support::client::Client;
use support::client::HttpResponse;
use support::client::with_query;
use support::image::TestImage;
use support::registry::Quirks;
use support::registry::Registry;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn polite() -> (Registry, Client) {
    quirky(Quirks::polite())
}

fn quirky(quirks: Quirks) -> (Registry, Client) {
    let registry = Registry::start(quirks);
    let client = Client::new(&registry.address());
    (registry, client)
}

fn push_blob(client: &mut Client, repository: &str, bytes: &[u8]) -> HttpResponse {
    let opened = client.post(&format!("/v2/{repository}/blobs/uploads/"));
    assert_eq!(opened.status, 202);
    let target = with_query(&opened.location(), &format!("digest={}", Digest::sha256(bytes)));
    client.send("PUT", &target, &[], bytes)
}

/// Pushes the blobs of an image, then the image.
fn push(client: &mut Client, repository: &str, tag: &str, image: &TestImage) -> HttpResponse {
    for child in &image.children {
        push(client, repository, &child.digest().to_string(), child);
    }
    for blob in image.blobs() {
        assert_eq!(push_blob(client, repository, blob).status, 201);
    }
    put_manifest(client, &format!("/v2/{repository}/manifests/{tag}"), &image.descriptor.media_type, &image.manifest)
}

fn put_manifest(client: &mut Client, target: &str, media_type: &str, bytes: &[u8]) -> HttpResponse {
    client.send("PUT", target, &[("Content-Type", media_type)], bytes)
}
