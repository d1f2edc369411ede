//! `PolicyVerifyResult`: the result of `verify --policy` for one reference.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::layers::Layers;
use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::report::copy::CopyResult;
use crate::report::copy::ImportResult;
use crate::report::list::LazyList;
use crate::report::policy::PolicyResult;
use crate::report::reported_verdict::ReportedVerdict;
use crate::report::stream::LineResult;
use crate::report::verify::Findings;
use crate::report::verify::ReportedFinding;
use crate::report::verify::ReportedLayers;
use crate::report::verify::ReportedSignature;
use crate::report::verify::Signatures;
use crate::verify::AcceptedPart;
use crate::verify::Finding;

/// The result of `verify --policy` for one reference, and of `import --policy` and `copy --policy` for an image that was
/// not copied.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyVerifyResult<'a> {
    accepted: bool,
    accepted_signatures: Signatures<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    digest: Option<Digest>,
    findings: Findings<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Digest>,
    layers: ReportedLayers<'a>,
    media_type: Option<&'a str>,
    policies: Vec<PolicyResult<'a>>,
    reference: String,
    verdict: ReportedVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl<'a> PolicyVerifyResult<'a> {
    /// What each policy file says of `reference`, and the verdict of all together.
    pub fn of(
        reference: &str,
        outcomes: &'a [(&'a str, PolicyOutcome<'a>)],
        verdict: ReportedVerdict,
        layers: &'a Layers,
    ) -> Self {
        let first = outcomes.first().map(|(_, outcome)| outcome);
        Self {
            accepted: verdict == ReportedVerdict::Verified,
            accepted_signatures: signatures(outcomes),
            command: None,
            digest: first.map(PolicyOutcome::digest),
            findings: all_findings(outcomes),
            index: first.and_then(|outcome| outcome.chosen.map(|_| *outcome.root.digest())),
            layers: ReportedLayers::of(layers),
            media_type: first.map(|outcome| outcome.root.descriptor().media_type.as_str()),
            policies: policies(outcomes),
            reference: reference.to_owned(),
            verdict: all_together(outcomes, verdict),
            version: None,
        }
    }
}

impl LineResult for PolicyVerifyResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

/// The result of a copy or import of an image that policy files let in, and what each of them says.
#[derive(Debug, Serialize)]
pub struct WithPolicies<'a, R> {
    #[serde(flatten)]
    result: R,
    policies: Vec<PolicyResult<'a>>,
}

impl<'a> ImportResult<'a> {
    /// The same for an image that these policy files let in.
    pub fn by_policies(self, outcomes: &'a [(&'a str, PolicyOutcome<'a>)]) -> WithPolicies<'a, Self> {
        let verdict = all_together(outcomes, ReportedVerdict::Verified);
        let result = self.judged(signatures(outcomes), all_findings(outcomes), verdict);
        WithPolicies { result, policies: policies(outcomes) }
    }
}

impl<'a> CopyResult<'a> {
    /// The same for an image that these policy files let in.
    pub fn by_policies(self, outcomes: &'a [(&'a str, PolicyOutcome<'a>)]) -> WithPolicies<'a, Self> {
        WithPolicies { result: self, policies: policies(outcomes) }
    }
}

impl<R: LineResult> LineResult for WithPolicies<'_, R> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { result: self.result.standalone(command, version), ..self }
    }
}

pub(in crate::report) fn policies<'a>(outcomes: &'a [(&'a str, PolicyOutcome<'a>)]) -> Vec<PolicyResult<'a>> {
    outcomes.iter().map(|(file, outcome)| PolicyResult::of(file, outcome)).collect()
}

pub(in crate::report) fn signatures<'a>(outcomes: &'a [(&'a str, PolicyOutcome<'a>)]) -> Signatures<'a> {
    let parts = || outcomes.iter().flat_map(|(_, outcome)| parts(outcome));
    LazyList::new(move || parts().flat_map(|part| &part.accepted).map(ReportedSignature::of))
}

pub(in crate::report) fn all_findings<'a>(outcomes: &'a [(&'a str, PolicyOutcome<'a>)]) -> Findings<'a> {
    LazyList::new(move || outcomes.iter().flat_map(|(_, outcome)| findings(outcome)).map(ReportedFinding::of))
}

/// The verdict of all policies together: an image that one of them only exempts was not verified.
pub(in crate::report) fn all_together(
    outcomes: &[(&str, PolicyOutcome<'_>)],
    verdict: ReportedVerdict,
) -> ReportedVerdict {
    let is_exempted = |(_, outcome): &(&str, PolicyOutcome<'_>)| matches!(outcome.verdict, PolicyVerdict::Exempted(_));
    match verdict == ReportedVerdict::Verified && outcomes.iter().any(is_exempted) {
        true => ReportedVerdict::Exempted,
        false => verdict,
    }
}

/// The manifests with the signatures that count.
fn parts<'a>(outcome: &'a PolicyOutcome<'_>) -> &'a [AcceptedPart] {
    match &outcome.verdict {
        PolicyVerdict::Accepted(_, image) => image.parts(),
        PolicyVerdict::Unmet(_, refusal) => &refusal.parts,
        PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => &[],
    }
}

/// The evidence that did not count.
fn findings<'a>(outcome: &'a PolicyOutcome<'_>) -> impl Iterator<Item = &'a Finding> {
    let findings = match &outcome.verdict {
        PolicyVerdict::Accepted(_, image) => image.findings(),
        PolicyVerdict::Unmet(_, refusal) => &refusal.findings,
        PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) | PolicyVerdict::Refused(_) => &[],
    };
    findings.iter().map(|(_, finding)| finding.as_ref())
}
