//! Interoperability with real peers: they verify what we sign, we verify what they sign, and signatures still verify after a copy.
//!
//! They live in a Debian root that `BULLA_PEERS` names (`.ci/run` makes one) and are entered with `chroot`, so this needs
//! root. Without it each test says `not run: …`; with `BULLA_INTEROP=require` that is a failure. Every test runs twice:
//! against Debian's docker-registry, which has no referrers API, and against the quirk registry, which has.
#![cfg(all(feature = "cli", feature = "pkcs11", feature = "registry"))]
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

#[path = "interop/buildkit.rs"]
mod buildkit;
#[path = "interop/cosign.rs"]
mod cosign;
#[path = "interop/differential.rs"]
mod differential;
#[path = "interop/engines.rs"]
mod engines;
#[path = "interop/files.rs"]
mod files;
#[path = "interop/libraries.rs"]
mod libraries;
#[path = "witnesses/log.rs"]
#[allow(dead_code, reason = "the tests of witnesses use the rest")]
mod log;
#[path = "interop/mutations.rs"]
mod mutations;
#[path = "interop/notation.rs"]
mod notation;
#[path = "interop/notation_timestamps.rs"]
mod notation_timestamps;
#[path = "interop/oras.rs"]
mod oras;
#[path = "interop/own_authorities.rs"]
mod own_authorities;
#[path = "interop/pages.rs"]
mod pages;
#[path = "interop/peers.rs"]
mod peers;
#[path = "interop/policies.rs"]
mod policies;
#[path = "interop/signing_request.rs"]
mod signing_request;
#[path = "interop/skopeo.rs"]
mod skopeo;
#[path = "interop/suite.rs"]
mod suite;
mod support;
#[path = "interop/syft.rs"]
mod syft;
#[path = "support/vectors.rs"]
mod vectors;
#[path = "revocation_fetch/web.rs"]
#[allow(dead_code, reason = "the tests of fetching use the rest")]
mod web;
#[path = "interop/who_reads_what.rs"]
mod who_reads_what;

use suite::Api;

#[test]
fn the_verbs_and_options_that_the_pages_name_are_those_of_the_peers() {
    pages::names_of_the_peers();
}

#[test]
fn clients_agree_about_bundles() {
    differential::clients_agree_about_bundles();
}

#[test]
fn who_reads_what() {
    who_reads_what::the_table_is_what_tools_read();
}

#[test]
fn provenance_of_buildkit_counts_in_a_signed_index() {
    buildkit::provenance_of_buildkit_counts_in_a_signed_index();
}

// Tests start in the order of their names. This one takes longest, so it is the first.
#[test]
fn all_that_engines_load_is_what_was_verified() {
    engines::what_engines_load_is_what_was_verified();
}

macro_rules! with_and_without_the_referrers_api {
    ($($module:ident::$name:ident,)*) => {
        mod api_absent {
            $(#[test] fn $name() { super::$module::$name(super::Api::Absent); })*
        }
        mod api_present {
            $(#[test] fn $name() { super::$module::$name(super::Api::Present); })*
        }
    };
}

with_and_without_the_referrers_api! {
    cosign::an_attestation_is_carried_but_is_no_signature,
    cosign::annotations_mean_the_same,
    cosign::attestations_of_every_type_verify,
    cosign::bulla_signs_cosign_verifies,
    cosign::cosign_signs_bulla_verifies,
    cosign::cosign_verifies_what_cosign_signs,
    cosign::each_uses_the_keys_of_the_other,
    cosign::moved_images_still_verify,
    notation::bulla_makes_certificates_notation_verifies,
    notation::bulla_signs_notation_verifies,
    notation::fetched_revocation_evidence_decides,
    notation::a_request_is_signed_and_notation_verifies,
    notation::notation_signs_bulla_verifies,
    notation_timestamps::bulla_stamps_notation_verifies,
    notation_timestamps::notation_stamps_bulla_verifies,
    oras::bulla_copies_what_oras_attached,
    oras::oras_and_cosign_agree,
    oras::oras_copies_what_bulla_signed,
    oras::oras_discovers_what_bulla_signed,
    own_authorities::bulla_signs_with_certificate_timestamp_and_log_cosign_verifies,
    own_authorities::cosign_signs_with_certificate_and_timestamp_bulla_verifies,
    pages::from_cosign_md,
    pages::from_notation_md,
    pages::from_skopeo_podman_md,
    policies::a_pushed_policy_is_signed_by_cosign_and_decides,
    signing_request::cosign_verifies_of_plugins_only_p256,
    signing_request::cosign_verifies_what_a_request_signed,
    signing_request::cosign_verifies_what_a_token_signed,
    signing_request::cosign_verifies_what_bulla_attested,
    skopeo::bulla_copies_what_skopeo_wrote,
    skopeo::bulla_signs_skopeo_verifies,
    skopeo::skopeo_and_cosign_agree,
    skopeo::skopeo_reads_a_docker_archive_in_both_transports,
    skopeo::skopeo_reads_what_bulla_copied,
    skopeo::skopeo_signs_bulla_verifies,
    skopeo::skopeo_verifies_what_bulla_signs_with_every_key,
    syft::sboms_of_syft_are_attested_and_accepted,
}
