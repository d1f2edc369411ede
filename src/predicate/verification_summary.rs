//! `VerificationSummary`: what a verifier says it has verified. SLSA verification summary attestation 1 and 0.2.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::split_version;
use crate::text::Untrusted;
use crate::time::Time;

/// A verification summary (VSA), as a policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationSummary {
    /// How many exceptions from the policy the verifier made: the length of the list `bulla_exceptions`; `None` if the summary
    /// does not say.
    pub exceptions: Option<usize>,
    /// The levels that were verified: `SLSA_BUILD_LEVEL_3`, or names of the verifier's own.
    pub levels: Vec<String>,
    /// The digests of the policy that was applied, by SHA-256 and SHA-512.
    pub policy_digests: Vec<Digest>,
    /// Where the policy is, a URI.
    pub policy_uri: Option<String>,
    /// What was verified, a URI.
    pub resource_uri: String,
    /// Whether the policy accepted it.
    pub result: VerificationResult,
    /// When it was verified. SLSA has it optional since 1.1.
    pub time_verified: Option<Time>,
    /// The version of the verifier's trust: `bulla_trustVersion`; `None` if the summary does not say.
    pub trust_version: Option<u64>,
    /// The verifier, a URI.
    pub verifier: String,
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationResult {
    /// The policy did not accept it.
    Failed,
    /// The policy accepted it.
    Passed,
}

impl VerificationSummary {
    /// Reads a predicate of the type `predicate_type`.
    ///
    /// # Errors
    /// [`PredicateError`]: a required field is missing or of the wrong type, an unknown version.
    pub fn read(predicate: &[u8], predicate_type: &str, limits: &Limits) -> Result<Self, PredicateError> {
        match split_version(predicate_type) {
            ("https://slsa.dev/verification_summary", Some("0.2" | "1")) => {}
            _ => return Err(PredicateError::at("", PredicateProblem::UnknownVersion(Untrusted::new(predicate_type)))),
        }
        let root = JsonNode::parse(predicate, limits)?.object()?;
        let verifier = root.required_object("verifier")?.required_text("id")?;
        let policy = root.required_object("policy")?;
        let levels = root.required("verifiedLevels")?.items()?;
        let levels =
            levels.map(|level| Ok(level.filled_text()?.into_owned())).collect::<Result<_, PredicateError>>()?;
        Ok(Self {
            exceptions: root.optional(EXCEPTIONS)?.map(|list| list.items()).transpose()?.map(|list| list.len()),
            levels,
            policy_digests: digests(&policy)?,
            policy_uri: policy.optional_text("uri")?,
            resource_uri: root.required_text("resourceUri")?,
            result: result(&root.required("verificationResult")?)?,
            time_verified: root.optional_time("timeVerified")?,
            trust_version: root.optional(TRUST_VERSION)?.map(|version| version.whole_number()).transpose()?,
            verifier,
        })
    }

    /// Whether `wanted` is among the verified levels, or a higher level of the same SLSA track: a summary names the
    /// highest level of each track only. SLSA, "Verification Summary Attestation", `verifiedLevels`.
    pub fn has_level(&self, wanted: &str) -> bool {
        self.levels.iter().any(|level| {
            let higher = numbered(level).zip(numbered(wanted));
            level == wanted || higher.is_some_and(|((own, has), (track, wants))| own == track && has >= wants)
        })
    }
}

// Extension fields, named as SLSA names them: `<vendor>_<fieldname>`. One that is missing never turns a no into a yes.
const EXCEPTIONS: &str = "bulla_exceptions";
const TRUST_VERSION: &str = "bulla_trustVersion";

/// The track and the number of a level of SLSA: `SLSA_BUILD_LEVEL_` and `3`.
pub(super) fn numbered(level: &str) -> Option<(&str, u8)> {
    let digit = level.bytes().last().filter(u8::is_ascii_digit)?;
    let track = level.get(..level.len() - 1)?;
    (track.starts_with("SLSA_") && track.ends_with("_LEVEL_")).then_some((track, digit - b'0'))
}

fn result(node: &JsonNode<'_>) -> Result<VerificationResult, PredicateError> {
    match node.text()?.as_ref() {
        "FAILED" => Ok(VerificationResult::Failed),
        "PASSED" => Ok(VerificationResult::Passed),
        other => {
            let found = Untrusted::new(other);
            Err(node.error(PredicateProblem::NotA { wanted: "PASSED or FAILED", found }))
        }
    }
}

/// The digests by SHA-256 and SHA-512.
fn digests(object: &JsonObject<'_>) -> Result<Vec<Digest>, PredicateError> {
    let Some(set) = object.optional_object("digest")? else { return Ok(Vec::new()) };
    let mut digests = Vec::new();
    for algorithm in ["sha256", "sha512"] {
        let Some(node) = set.optional(algorithm)? else { continue };
        let text = node.text()?;
        let not = |_| node.error(PredicateProblem::NotA { wanted: "a digest", found: Untrusted::new(&text) });
        digests.push(format!("{algorithm}:{text}").parse().map_err(not)?);
    }
    Ok(digests)
}
