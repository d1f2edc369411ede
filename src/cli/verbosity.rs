//! `Verbosity`: how much is printed besides errors and data, set by `-v` and `-q`.

use std::sync::OnceLock;

use super::args::GeneralArgs;

/// The verbosity of the process.
static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

/// How much is printed besides errors and data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Nothing.
    Quiet,
    /// Warnings and notes.
    #[default]
    Normal,
    /// Also the log.
    Log,
}

/// Sets the verbosity, once.
pub(super) fn set(args: &GeneralArgs) {
    VERBOSITY.get_or_init(|| match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Log,
    });
}

/// The verbosity of the process; the default before [`set`].
pub(super) fn verbosity() -> Verbosity {
    VERBOSITY.get().copied().unwrap_or_default()
}
