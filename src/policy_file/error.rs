//! `PolicyFileError`: what is wrong with a policy file, and where.

use crate::policy_file::LoadProblem;
use crate::text::Untrusted;
use crate::yaml::Position;
use crate::yaml::ScalarLook;
use crate::yaml::YamlProblem;

/// What is wrong with a policy file, and where. It displays as `LINE:COLUMN: CODE: TEXT`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {}: {problem}", problem.code())]
pub struct PolicyFileError {
    /// Where it begins.
    pub position: Position,
    /// What is wrong.
    pub problem: PolicyProblem,
}

/// What is wrong with a policy file. [`PolicyProblem::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// Several names in `by`, and no `at-least`.
    #[error("`by` has {names} names: `at-least` must say how many of them sign")]
    AtLeastMissing {
        /// The number of names.
        names: usize,
    },
    /// `at-least` is larger than the number of names in `by`.
    #[error("`at-least` is {wanted}, and `by` has {names} {}", if *.names == 1 { "name" } else { "names" })]
    AtLeastTooHigh {
        /// The number of names.
        names: usize,
        /// What `at-least` says.
        wanted: u64,
    },
    /// Two fields that exclude each other.
    #[error("`{field}` cannot stand beside `{other}`")]
    Conflict {
        /// The field.
        field: &'static str,
        /// The other field.
        other: &'static str,
    },
    /// A list or mapping without an element.
    #[error("`{field}` is empty: it has at least one entry, or is left out")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// None, or more than one, of fields that exclude each other.
    #[error("{mapping} has exactly one of {}, found {found}", Words(.of))]
    ExactlyOne {
        /// How many of them are there.
        found: usize,
        /// The mapping.
        mapping: &'static str,
        /// The fields.
        of: &'static [&'static str],
    },
    /// It is written well, and cannot be meant, or a file that it names cannot be read.
    #[error(transparent)]
    Load(#[from] LoadProblem),
    /// A mandatory field is missing.
    #[error("{mapping} has no `{field}`")]
    MissingField {
        /// The field.
        field: &'static str,
        /// The mapping.
        mapping: &'static str,
    },
    /// A field that needs another one beside it.
    #[error("`{field}` needs `{needs}` beside it")]
    Needs {
        /// The field.
        field: &'static str,
        /// The one that is missing.
        needs: &'static str,
    },
    /// A number outside its range.
    #[error("{found} is not from {least} to {most}")]
    OutOfRange {
        /// The number as it is written.
        found: Untrusted,
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A text without quotes that is a number or a date to readers of YAML.
    #[error("`{text}` is {} in YAML, and a text is wanted", looks.name())]
    Quote {
        /// What it looks like.
        looks: ScalarLook,
        /// The text.
        text: Untrusted,
    },
    /// A number in quotes.
    #[error("\"{text}\" is a text, and {} is wanted", wanted.name())]
    Quoted {
        /// The text.
        text: Untrusted,
        /// What is wanted.
        wanted: WantedValue,
    },
    /// An entry that stands in its list already.
    #[error("`{0}` stands in this list already")]
    Repeated(Untrusted),
    /// A value that is not what the field takes.
    #[error("`{found}` is not {}", wanted.name())]
    Unexpected {
        /// The value.
        found: Untrusted,
        /// What is wanted.
        wanted: WantedValue,
    },
    /// A field that the mapping does not have.
    #[error("{mapping} has no field `{found}`")]
    UnknownField {
        /// The field.
        found: Untrusted,
        /// The fields that it has.
        known: &'static [&'static str],
        /// The mapping.
        mapping: &'static str,
        /// The field that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A word that the field does not take.
    #[error("`{found}` is not one of {}", Words(.known))]
    UnknownWord {
        /// The word.
        found: Untrusted,
        /// The words that it takes.
        known: Vec<&'static str>,
        /// The word that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A version of the policy language that is not this one.
    #[error("the policy language `{0}` is not known: this version of bulla reads 1")]
    Version(Untrusted),
    /// An exception waives signatures, and names no digests.
    #[error("an exception that waives `{0}` names the images by their `digests`")]
    WaivesAll(&'static str),
    /// An exception waives a kind of requirement that its block does not have.
    #[error("the block does not require `{0}`, so nothing is waived")]
    WaivesNothing(&'static str),
    /// A value of another type.
    #[error("{found} stands here, and {} is wanted", wanted.name())]
    WrongType {
        /// The kind of value that was found: a text, a list or a mapping.
        found: &'static str,
        /// What is wanted.
        wanted: WantedValue,
    },
    /// It is not the YAML that policy files allow.
    #[error(transparent)]
    Yaml(#[from] YamlProblem),
}

/// What a field takes, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WantedValue {
    /// `90d`, `12h` or `none`.
    Age,
    /// `2027-01-31`.
    Date,
    /// `sha256:` and 64 hexadecimal digits.
    Digest,
    /// The builder id of SLSA, with wildcards in the ref alone.
    Builder,
    /// A distinguished name, RFC 4514.
    DirectoryName,
    /// A text that is compared whole.
    Exact,
    /// A path relative to the policy file.
    FilePath,
    /// 64 hexadecimal digits.
    Hex,
    /// A host name.
    Host,
    /// A whole number.
    Integer,
    /// An IP address.
    IpAddress,
    /// A JSON Pointer.
    JsonPointer,
    /// A list.
    List,
    /// A mapping.
    Mapping,
    /// A name of an identity or builder.
    Name,
    /// A decimal number.
    Number,
    /// An object identifier.
    ObjectIdentifier,
    /// The name of a profile of certificates.
    Profile,
    /// PEM.
    Pem,
    /// A pattern with wildcards.
    Pattern,
    /// A purl.
    Purl,
    /// `OWNER/REPO`.
    Repository,
    /// A ref.
    Reference,
    /// `HOST/PATH` of a repository with source.
    Source,
    /// A text on one line.
    Text,
    /// A time in RFC 3339.
    Time,
    /// A URI.
    Uri,
    /// A path of a workflow.
    Workflow,
}

/// Words in backticks, separated by commas.
struct Words<'a>(&'a [&'static str]);

impl std::fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "`" } else { ", `" })?;
            f.write_str(word)?;
            f.write_str("`")?;
        }
        Ok(())
    }
}

impl WantedValue {
    /// What is wanted, with an example.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "an age such as 90d or 12h, or none (at most 36500d)",
            Self::Date => "a date such as 2027-01-31 (from 2000-01-01 on)",
            Self::Digest => "a digest: sha256:<64 lower-case hex digits>",
            Self::DirectoryName => "a distinguished name such as CN=release,O=Example",
            Self::Exact => "a text without spaces and `*`: it is compared whole",
            Self::FilePath => "a path relative to the policy file, without `..`",
            Self::Hex => "64 lower-case hex digits",
            Self::Host => "a host such as github.example.com",
            Self::Integer => "a whole number",
            Self::IpAddress => "an IP address such as 192.0.2.1, without port or prefix length",
            Self::JsonPointer => "a JSON Pointer such as /decision",
            Self::List => "a list",
            Self::Mapping => "a mapping",
            Self::Name => "a name: letters, digits, `-`, `_` and `.`, at most 100",
            Self::Number => "a decimal number of at most 15 digits",
            Self::ObjectIdentifier => "an object identifier such as 1.3.6.1.4.1.311",
            Self::Pattern => "a pattern without spaces",
            Self::Builder => "a builder id: a URI with at most 8 `*`, all of them in the ref behind the @",
            Self::Pem => "PEM text (-----BEGIN …-----)",
            Self::Profile => "a profile: notary, rfc5280-strict or sigstore",
            Self::Purl => "a purl such as pkg:deb/debian/zlib1g",
            Self::Reference => "a ref such as refs/heads/main or refs/tags/v*",
            Self::Repository => "a repository such as acme/app",
            Self::Source => "a source repository such as github.com/acme/app, without scheme and .git",
            Self::Text => "a text on one line",
            Self::Time => "a time such as 2026-11-26T12:00:00Z (RFC 3339)",
            Self::Uri => "a URI such as https://example.com/approval/v1",
            Self::Workflow => "the path of a file in the repository, such as .github/workflows/release.yml",
        }
    }
}

impl WantedValue {
    /// How to write it.
    const fn hint(self) -> &'static str {
        match self {
            Self::Age => "a number and `d` for days or `h` for hours: 90d",
            Self::Builder => "https://builder.example/build@refs/tags/v*",
            Self::Date => "year, month and day: 2027-01-31",
            Self::Digest => "bulla digest IMAGE prints the digest of an image",
            Self::DirectoryName => "all attributes, as bulla cert lint FILE shows them: CN=release,O=Example",
            Self::Exact => {
                "write it whole; wildcards are in `ref`, `workflow`, `config` and the `id` of a builder alone"
            }
            Self::FilePath => "put the file beside the policy, or below its directory, and write `dir/file`",
            Self::Hex => "bulla key show FILE prints the id of a key, and sha256sum FILE the digest of a file",
            Self::Host => "without scheme, port and path: github.example.com",
            Self::Integer | Self::Number => "digits without quotes: 2",
            Self::IpAddress => "192.0.2.1, or \"2001:db8::1\" in quotes",
            Self::JsonPointer => "begin with `/`, and put `/` between the names of fields: /build/result",
            Self::List => "begin each entry with `- `, or write them in brackets: [entry, entry]",
            Self::Mapping => "write fields: `{ field: value }`; a colon needs a space after it",
            Self::Name => "choose a name of these characters; what people read may stand in a comment",
            Self::ObjectIdentifier => "numbers with dots between them",
            Self::Pattern => "write it without spaces; `*` stands for any text",
            Self::Pem => "write it in a block: `pem: |`, and the text indented below",
            Self::Profile => "profile: sigstore, for certificates that sign Sigstore bundles",
            Self::Purl => "bulla tree --policy and scanner reports show package URLs: pkg:deb/debian/zlib1g",
            Self::Reference => "write it whole: refs/tags/v1.0, refs/tags/v* or refs/heads/main",
            Self::Repository => "OWNER/REPO, without host and .git",
            Self::Source => "HOST/OWNER/REPO: github.com/acme/app",
            Self::Text => "quote it, and write it on one line without spaces at its ends",
            Self::Time => "2026-11-26T12:00:00Z",
            Self::Uri => "begin with its scheme: https://",
            Self::Workflow => "the path from the root of the repository, without a `/` before it",
        }
    }
}

impl PolicyProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AtLeastMissing { .. } => "at-least-missing",
            Self::AtLeastTooHigh { .. } => "at-least-too-high",
            Self::Conflict { .. } => "conflicting-fields",
            Self::Empty { .. } => "empty",
            Self::ExactlyOne { .. } => "exactly-one",
            Self::Load(problem) => problem.code(),
            Self::MissingField { .. } => "missing-field",
            Self::Needs { .. } => "missing-beside",
            Self::OutOfRange { .. } => "out-of-range",
            Self::Quote { .. } => "quote-it",
            Self::Quoted { .. } => "quoted",
            Self::Repeated(_) => "repeated",
            Self::Unexpected { .. } => "invalid-value",
            Self::UnknownField { .. } => "unknown-field",
            Self::UnknownWord { .. } => "unknown-word",
            Self::Version(_) => "unknown-version",
            Self::WaivesAll(_) => "waives-without-digests",
            Self::WaivesNothing(_) => "waives-nothing",
            Self::WrongType { .. } => "wrong-type",
            Self::Yaml(problem) => problem.code(),
        }
    }

    /// What helps.
    pub fn hint(&self) -> String {
        match self {
            Self::AtLeastMissing { names } => {
                format!("write `at-least: {names}` for all of them, or `at-least: 1` for any one")
            }
            Self::AtLeastTooHigh { names, .. } => format!("write at most `at-least: {names}`, or add names to `by`"),
            Self::Conflict { field, other } => format!("remove `{field}` or `{other}`"),
            Self::Empty { .. } => "write an entry, or remove the field".to_owned(),
            Self::ExactlyOne { found: 0, .. } => "write one of them".to_owned(),
            Self::ExactlyOne { .. } => "keep one of them".to_owned(),
            Self::Load(problem) => problem.hint(),
            Self::MissingField { field, .. } => format!("write `{}`", example(field)),
            Self::Needs { field, needs } => format!("write `{needs}` too, or remove `{field}`"),
            Self::OutOfRange { least, most, .. } => format!("write a number from {least} to {most}"),
            Self::Quote { text, .. } => format!("quote it: \"{text}\""),
            Self::Quoted { text, .. } => format!("write {text} without quotes"),
            Self::UnknownField { nearest: Some(nearest), .. } | Self::UnknownWord { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownField { known, .. } => format!("its fields are {}", Words(known)),
            Self::Repeated(_) => "remove one of the two".to_owned(),
            Self::Unexpected { wanted, .. } => wanted.hint().to_owned(),
            Self::UnknownWord { .. } => "write one of them".to_owned(),
            Self::Version(_) => "write 1, or use a version of bulla that reads the other one".to_owned(),
            Self::WaivesAll(_) => "add `digests: [sha256:…]`, or sign the images".to_owned(),
            Self::WaivesNothing(_) => "remove it from `waives`".to_owned(),
            Self::WrongType { found: "a text", wanted: WantedValue::List } => {
                "write it in brackets: [entry]".to_owned()
            }
            Self::WrongType { wanted, .. } => wanted.hint().to_owned(),
            Self::Yaml(problem) => problem.hint(),
        }
    }
}

/// How a mandatory field is written.
fn example(field: &str) -> String {
    let value = EXAMPLES.iter().find(|(named, _)| *named == field).map_or("…", |(_, value)| *value);
    format!("{field}: {value}")
}

/// Values of mandatory fields.
const EXAMPLES: [(&str, &str); 14] = [
    ("at-least", "1"),
    ("builders", "[NAME]"),
    ("bulla-policy", "1"),
    ("by", "[NAME]"),
    ("database-max-age", "7d"),
    ("highest-allowed", "medium"),
    ("level", "1"),
    ("match", "[registry.example/prod/**]"),
    ("max-age", "30d"),
    ("owner", "NAME"),
    ("reason", "\"why\""),
    ("require", "[{ signature: { by: [NAME] } }]"),
    ("signed-by", "NAME"),
    ("until", "2027-12-31"),
];
