//! Keyless signatures on the command line: identities, OIDC issuers, and the log rule.

mod failure;
mod identities;
mod issuers;
mod rule;
mod shown;
mod unused;

pub(super) use identities::KeylessOptions;
pub(super) use identities::KeylessTrust;
pub(super) use shown::lines;
pub(super) use shown::who;
