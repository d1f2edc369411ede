//! Policy files: names and patterns, which block decides, loading, identity, lints and signed policies.
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

#[path = "policy_load/blocked.rs"]
mod blocked;
#[path = "policy_load/deciding.rs"]
mod deciding;
#[path = "policy_load/explaining.rs"]
mod explaining;
#[path = "policy_load/key_ends.rs"]
mod key_ends;
#[path = "policy_load/lints.rs"]
mod lints;
#[path = "policy_load/loading.rs"]
mod loading;
#[path = "policy_load/names.rs"]
mod names;
#[path = "policy_load/patterns.rs"]
mod patterns;
#[path = "policy_load/policy_id.rs"]
mod policy_id;
#[path = "policy_load/scene.rs"]
mod scene;
