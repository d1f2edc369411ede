//! `LoadOptions`: how a policy file is loaded.

use crate::limits::Limits;
use crate::time::Time;

/// How a policy file is loaded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LoadOptions<'a> {
    /// The limits within which the policy and its files are read.
    pub limits: &'a Limits,
    /// The time: an expired policy is not loaded.
    pub now: Time,
    /// Whether each file must be pinned, and `expires` be there.
    pub pins: Pins,
}

/// Whether a policy gives the digest of each file that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pins {
    /// It may.
    Optional,
    /// It must, and it says until when it holds: a signature of the policy then covers the files.
    Required,
}

impl<'a> LoadOptions<'a> {
    /// A policy that is used as of `now`, and trusted as a file of the operator is.
    pub const fn new(now: Time, limits: &'a Limits) -> Self {
        Self { limits, now, pins: Pins::Optional }
    }

    /// The same for a policy that is trusted for its signature.
    #[must_use]
    pub const fn signed(self) -> Self {
        Self { pins: Pins::Required, ..self }
    }
}
