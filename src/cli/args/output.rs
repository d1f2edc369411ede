//! The values of `--output`.

use clap::ValueEnum;

/// The form of the log on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// One object of JSON for each entry, on a line of its own
    Json,
    /// For people
    #[default]
    Text,
}

/// The output format of a command with one result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Output {
    /// One object of JSON
    Json,
    /// For people
    #[default]
    Text,
}

/// The output format of `tree`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TreeOutput {
    /// Graphviz
    Dot,
    /// One object of JSON
    Json,
    /// A picture
    Svg,
    /// For people
    #[default]
    Text,
}

/// The output format of a command that may have many results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ResultsOutput {
    /// One object of JSON
    Json,
    /// One object of JSON for each result, on a line of its own
    Jsonl,
    /// For people
    #[default]
    Text,
}

/// The output format of `verify`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum VerifyOutput {
    /// One object of JSON
    Json,
    /// One object of JSON for each result, on a line of its own
    Jsonl,
    /// The verified predicates, as they were signed
    Predicate,
    /// For people
    #[default]
    Text,
}
