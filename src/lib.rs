//! Offline-first signing of container images and attestation of their supply chain.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod digest;
pub mod json;
pub mod limits;
pub mod nonempty;
pub mod redact;
pub mod text;
pub mod time;

pub mod files;

pub mod oci;

pub mod key;

pub mod envelope;

pub mod trust;

pub mod policy;

pub mod request;

pub mod verify;

pub mod store;

pub mod ops;

pub mod report;

/// The library example of the README, compiled as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
