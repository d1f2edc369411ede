//! Every kind of requirement of a policy file, through `attest`, `sign`, `verify`, `import` and `copy`: an image that is
//! accepted and one that is refused, with its code.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "policy_commands/artifacts.rs"]
mod artifacts;
#[cfg(feature = "registry")]
#[path = "policy_commands/artifacts_in_registries.rs"]
mod artifacts_in_registries;
#[path = "request_cli/bench.rs"]
mod bench;
#[path = "policy_commands/buildkit.rs"]
mod buildkit;
#[path = "policy_commands/carried.rs"]
mod carried;
#[path = "policy_commands/documents.rs"]
mod documents;
#[path = "policy_commands/evidence_files.rs"]
mod evidence_files;
#[path = "policy_commands/explained.rs"]
mod explained;
#[path = "policy_commands/kinds.rs"]
mod kinds;
#[path = "policy_commands/platforms.rs"]
mod platforms;
#[path = "policy_commands/printed.rs"]
mod printed;
#[cfg(feature = "registry")]
#[path = "policy_commands/requests.rs"]
mod requests;
#[path = "policy_commands/rest.rs"]
mod rest;
#[path = "policy_commands/saved.rs"]
mod saved;
#[path = "policy_commands/saved_platforms.rs"]
mod saved_platforms;
#[path = "policy_commands/scans.rs"]
mod scans;
#[path = "policy_commands/scene.rs"]
mod scene;
mod support;
