//! `PolicyLint`: what is allowed in a policy file and probably not meant, and where.

use crate::policy_file::document::Date;
use crate::policy_file::document::MaxAge;
use crate::text::Untrusted;
use crate::yaml::Position;

/// A lint of a policy file, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLint {
    /// Where it begins.
    pub position: Position,
    /// What is probably not meant.
    pub rule: PolicyLintRule,
}

/// What is allowed in a policy file and probably not meant. [`PolicyLintRule::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyLintRule {
    /// The age of signatures is wanted of an owner of keys: they state no time.
    #[error(
        "`{owner}` never counts for this `{requirement}`: a signature by a key states no time, so its age is not known"
    )]
    AgeNeverKnown {
        /// The owner.
        owner: Untrusted,
        /// The kind of requirement.
        requirement: &'static str,
    },
    /// Every ref of a repository is trusted, also the branches of pull requests.
    #[error("every ref of `{0}` is trusted: every branch, and every tag")]
    AnyRef(Untrusted),
    /// Every workflow of a repository is trusted.
    #[error("every workflow of `{0}` is trusted, also one that is added tomorrow")]
    AnyWorkflow(Untrusted),
    /// Something ends within thirty days.
    #[error("{what} ends after {until}")]
    EndsSoon {
        /// The last day.
        until: Date,
        /// What ends.
        what: &'static str,
    },
    /// Something has ended, and is ignored.
    #[error("{what} ended after {until}, and has no effect any more")]
    HasEnded {
        /// The last day.
        until: Date,
        /// What ended.
        what: &'static str,
    },
    /// The `max-age` of a scan is not smaller than that of its database, which is at least as old as the scan.
    #[error(
        "`max-age: {max_age}` decides nothing here: a scan is never older than its database, which may be at most \
         {database} old"
    )]
    MaxAgeWithoutEffect {
        /// `database-max-age`.
        database: MaxAge,
        /// `max-age`.
        max_age: MaxAge,
    },
    /// A wider block requires what a narrower one does not, and only the narrower one decides about its images.
    #[error("the wider block `{wider}` at line {line} requires {}, and this block does not", listed(.lacks))]
    NarrowerLacks {
        /// The kinds of requirements.
        lacks: Vec<&'static str>,
        /// The line of the wider block.
        line: u32,
        /// Its pattern.
        wider: Untrusted,
    },
    /// An attestation is wanted of an owner of certificates that sign in the formats of the Notary Project alone.
    #[error("`{owner}` never counts for this `{requirement}`: the formats of the Notary Project hold no attestations")]
    NeverAttests {
        /// The owner.
        owner: Untrusted,
        /// The kind of requirement.
        requirement: &'static str,
    },
    /// One owner alone can meet every requirement of a block.
    #[error("`{owner}` alone can meet every requirement for these images ({})", listed(.requirements))]
    OneOwnerMeetsAll {
        /// The owner.
        owner: Untrusted,
        /// The kinds of requirements.
        requirements: Vec<&'static str>,
    },
    /// One owner alone can meet several requirements of a block.
    #[error("`{owner}` alone can meet several requirements for these images ({})", listed(.requirements))]
    OneOwnerMeetsSeveral {
        /// The owner.
        owner: Untrusted,
        /// The kinds of requirements.
        requirements: Vec<&'static str>,
    },
    /// A block that refuses images that another block accepts in part, although neither pattern is within the other:
    /// patterns are compared segment by segment from the left.
    #[error(
        "of the images that `{pattern}` refuses, those that `{other}` matches too are decided by its block at line {line}"
    )]
    RefuseBeaten {
        /// The line of the other block.
        line: u32,
        /// Its pattern.
        other: Untrusted,
        /// The pattern of the block that refuses.
        pattern: Untrusted,
    },
    /// A quorum counts two identities that one party holds.
    #[error("`{first}` and `{second}` are the same party ({why}), and this quorum counts them as two owners")]
    SameOwnerTwice {
        /// One identity.
        first: Untrusted,
        /// The other one.
        second: Untrusted,
        /// What they have in common.
        why: &'static str,
    },
    /// Test results are wanted of an owner of keys, and neither states a time.
    #[error(
        "a test result by `{owner}` counts only if its predicate has the field `timestamp`: its type has no field for a \
         time, and a signature by a key states none"
    )]
    TestResultWithoutTime {
        /// The owner.
        owner: Untrusted,
    },
    /// A trusted time is wanted of an owner for whom the policy trusts nobody who could prove it.
    #[error(
        "`{owner}` never counts for this `{requirement}`: `time: trusted` wants a timestamp or log entry, and this identity \
         names nobody who proves one"
    )]
    TimeNeverTrusted {
        /// The owner.
        owner: Untrusted,
        /// The kind of requirement.
        requirement: &'static str,
    },
    /// A builder that no requirement names.
    #[error("no requirement names the builder `{0}`")]
    UnusedBuilder(Untrusted),
    /// An identity that no requirement and no builder names.
    #[error("no requirement and no builder names the identity `{0}`")]
    UnusedIdentity(Untrusted),
}

impl PolicyLintRule {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AgeNeverKnown { .. } => "age-never-known",
            Self::AnyRef(_) => "any-ref",
            Self::AnyWorkflow(_) => "any-workflow",
            Self::EndsSoon { .. } => "ends-soon",
            Self::HasEnded { .. } => "has-ended",
            Self::MaxAgeWithoutEffect { .. } => "max-age-without-effect",
            Self::NarrowerLacks { .. } => "narrower-lacks",
            Self::NeverAttests { .. } => "never-attests",
            Self::OneOwnerMeetsAll { .. } => "one-owner-meets-all",
            Self::OneOwnerMeetsSeveral { .. } => "one-owner-meets-several",
            Self::RefuseBeaten { .. } => "refuse-beaten",
            Self::SameOwnerTwice { .. } => "same-owner-twice",
            Self::TestResultWithoutTime { .. } => "test-result-without-time",
            Self::TimeNeverTrusted { .. } => "time-never-trusted",
            Self::UnusedBuilder(_) => "unused-builder",
            Self::UnusedIdentity(_) => "unused-identity",
        }
    }

    /// Whether it is only something to know: `policy check --strict` takes the others for errors.
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::OneOwnerMeetsSeveral { .. } | Self::TestResultWithoutTime { .. })
    }

    /// What helps.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::AgeNeverKnown { .. } => {
                "leave out `max-age`; the key itself may end: until: 2027-12-31 beside its file"
            }
            Self::AnyRef(_) => "name the refs that release: ref: \"refs/tags/v*\"",
            Self::AnyWorkflow(_) => "name the workflow that releases: workflow: .github/workflows/release.yml",
            Self::EndsSoon { .. } => "renew it before that day",
            Self::HasEnded { .. } => "remove it, or give it a later day",
            Self::MaxAgeWithoutEffect { .. } => "write a `max-age` that is smaller than `database-max-age`, or `none`",
            Self::NarrowerLacks { .. } => "only the narrowest block decides: repeat the requirement in it",
            Self::NeverAttests { .. } => {
                "profile: sigstore, if these certificates sign Sigstore bundles; or name another identity"
            }
            Self::OneOwnerMeetsAll { .. } | Self::OneOwnerMeetsSeveral { .. } => {
                "name other owners in one of them, if two parties are meant"
            }
            Self::RefuseBeaten { .. } => {
                "refuse the images that both match by a pattern of their own, or list digests in `blocked`"
            }
            Self::SameOwnerTwice { .. } => "name an identity that another party holds",
            Self::TestResultWithoutTime { .. } => {
                "write `timestamp` (RFC 3339) into the predicate, or name a keyless identity"
            }
            Self::TimeNeverTrusted { .. } => {
                "give the identity `logs` or `timestamp-roots`, or leave out `time: trusted`"
            }
            Self::UnusedBuilder(_) | Self::UnusedIdentity(_) => "remove it, or name it in `by`",
        }
    }
}

fn listed(words: &[&'static str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
