//! The signed payloads in a layout, as the envelopes in it hold them.

use serde_json::Value;

use crate::bench::Bench;

/// The decoded payloads of all bundles and envelopes in a layout.
pub fn payloads(bench: &Bench, layout: &str) -> Vec<String> {
    let documents = bench.snapshot(layout).into_iter().filter_map(|(_, bytes)| serde_json::from_slice(&bytes).ok());
    let payload = |document: Value| {
        let envelope = document.get("dsseEnvelope").cloned().unwrap_or(document);
        let payload = envelope.get("payload")?.as_str()?.to_owned();
        Some(String::from_utf8(bulla::envelope::base64::decode("payload", &payload).unwrap()).unwrap())
    };
    documents.filter_map(payload).collect()
}
