//! Local stores need no runtime: a copy from layout to layout is driven by a plain executor, in a build that has tokio in it.
#![cfg(feature = "registry")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests stop where they fail"
)]

use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;
use std::thread;
use std::thread::Thread;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::ops::copy;
use bulla::ops::graph::Closure;
use bulla::ops::graph::Graph;
use bulla::ops::naming::NameConflict;
use bulla::store::Layout;
use bulla::store::Sink;
use bulla::store::Source;

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_copy_from_layout_to_layout_needs_no_runtime() {
    assert!(tokio::runtime::Handle::try_current().is_err(), "there is a runtime after all");
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits::DEFAULT;
    let config = Content::from_bytes(media_type::OCI_CONFIG, br#"{"architecture":"amd64","os":"linux"}"#.to_vec());
    // More of them than are moved at once.
    let layers: Vec<_> =
        (0..20_u8).map(|seed| Content::from_bytes("application/octet-stream", vec![seed; 70_000])).collect();
    let descriptors: Vec<_> = layers.iter().map(Content::descriptor).collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config.descriptor(), "layers": descriptors,
    });
    let manifest = Content::from_bytes(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let copied = block_on(async {
        let layout = Layout::create(&from, limits.clone()).unwrap();
        for blob in layers.iter().chain([&config]) {
            layout.push_content(blob).await.unwrap();
        }
        let _pushed = layout.push_manifest(&manifest, Some("v1")).await.unwrap();
        layout.finish().await.unwrap();
        let source: Arc<dyn Source> = Arc::new(Layout::open(&from, limits.clone()).unwrap());
        let sink: Arc<dyn Sink> = Arc::new(Layout::create(&to, limits.clone()).unwrap());
        let root = source.resolve(&TagOrDigest::Tag("v1".to_owned())).await.unwrap();
        let graph = Graph::collect(source.as_ref(), root, Closure::WithReferrers, &limits).await.unwrap();
        let names = ["v1".to_owned()];
        let copied = copy::copy(&source, &sink, &graph, &names, NameConflict::Refuse, &limits).await.unwrap();
        sink.finish().await.unwrap();
        copied
    });
    assert_eq!(copied.blobs, layers.len() + 1);
    let there = Layout::open(&to, limits).unwrap();
    assert_eq!(block_on(there.resolve(&TagOrDigest::Tag("v1".to_owned()))).unwrap(), manifest);
}
