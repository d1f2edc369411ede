//! `Verbosity`: how much people are told, as `-v` and `-q` say.

use std::sync::OnceLock;

use super::args::GeneralArgs;

/// How much people are told, in this process.
static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

/// How much people are told besides errors and data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Nothing.
    Quiet,
    /// What they may have to do something about.
    #[default]
    Normal,
    /// Which hosts answer, too.
    Hosts,
    /// Every request, too.
    Requests,
}

/// Takes in how much people want to be told.
pub(super) fn set(args: &GeneralArgs) {
    VERBOSITY.get_or_init(|| match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Hosts,
        (false, _) => Verbosity::Requests,
    });
}

/// How much people want to be told.
pub(super) fn verbosity() -> Verbosity {
    VERBOSITY.get().copied().unwrap_or_default()
}
