//! The command `policy test`: judges the images of a directory of cases, and compares with what is expected. No socket is
//! opened: a case names a layout or an archive.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::path::PathBuf;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::pinned;
use bulla::ops::policy;
use bulla::ops::policy::PolicyOptions;
use bulla::policy_file::CaseVerdict;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyCase;
use bulla::policy_file::PolicyCases;
use bulla::policy_file::RequirementPlace;
use bulla::policy_file::document::PolicyDocument;
use bulla::report::CaseOutcome;
use bulla::report::PolicyCaseResult;
use bulla::report::PolicyTestResult;
use bulla::report::Report;
use bulla::store::Images;
use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::policy::args::PolicyTestArgs;
use crate::cli::policy::files::DirectoryFiles;
use crate::cli::policy::not_opened::NotOpened;
use crate::cli::policy_evaluator::EvaluatedName;
use crate::cli::quantity::count;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;

/// What a policy says of a case, or why the case could not be run.
type CaseResult = Result<CaseOutcome, Failure>;

/// The cases of a directory and their policy file.
struct Suite<'a> {
    bytes: Vec<u8>,
    directory: &'a Path,
    limits: &'a Limits,
    policy: PathBuf,
}

pub(super) fn test(args: &PolicyTestArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let directory = args.directory.as_path();
    let file = directory.join(CASES);
    let cases = PolicyCases::parse(&files::read(&file, limits.yaml.bytes)?, &limits);
    let PolicyCases { cases, policy } = cases.map_err(|faults| NotOpened::faults(faults).into_failure(&file))?;
    let policy = directory.join(&policy.value);
    let suite = Suite { bytes: files::read(&policy, limits.yaml.bytes)?, directory, limits: &limits, policy };
    let document = PolicyDocument::parse(&suite.bytes, &limits);
    let document = document.map_err(|faults| NotOpened::faults(faults).into_failure(&suite.policy))?;
    let mut policies = BTreeMap::new();
    for case in &cases {
        if let Entry::Vacant(entry) = policies.entry(case.at.value) {
            entry.insert(suite.load(case.at.value)?);
        }
    }
    let runtime = Runtime::new(Work::Waiting)?;
    let images = Images::local(limits.clone());
    let answer = |case| suite.answer(case, &policies, &images, &runtime);
    let answers: Vec<(&PolicyCase, CaseResult)> = cases.iter().map(|case| (case, answer(case))).collect();
    let left = never_refused(&document, &answers);
    match args.output {
        Output::Json => {
            let reported = |(case, answer): &(&PolicyCase, CaseResult)| {
                PolicyCaseResult::new(case, answer.as_ref().map_err(Failure::reported))
            };
            let results = answers.iter().map(reported).collect();
            let (directory, policy) = (directory.display().to_string(), suite.policy.display().to_string());
            let result = PolicyTestResult::new(directory, policy, results, &left);
            render::report(&Report::new("policy test", vec![result]));
        }
        Output::Text => {
            let places = document.requirement_places().len();
            render::text(&page(&suite.policy, &answers, &left, places));
        }
    }
    Ok(answers.iter().map(|(case, answer)| exit(case, answer)).fold(Exit::Yes, Exit::and))
}

/// The exit code of one case: 0 as expected, 1 otherwise, 2 if it could not be run.
fn exit(case: &PolicyCase, answer: &CaseResult) -> Exit {
    match answer {
        Ok(answer) if answer.is_expected_by(case) => Exit::Yes,
        Ok(_) => Exit::Refused,
        Err(_) => Exit::Unknown,
    }
}

/// The requirements that no case has refused, among the cases that are as expected.
fn never_refused(document: &PolicyDocument, answers: &[(&PolicyCase, CaseResult)]) -> Vec<RequirementPlace> {
    let mut refused = BTreeSet::new();
    for (case, answer) in answers {
        if let Some(answer) = answer.as_ref().ok().filter(|answer| answer.is_expected_by(case)) {
            refused.extend(answer.refused());
        }
    }
    let mut places = document.requirement_places();
    places.retain(|place| !refused.contains(&place.id));
    places
}

impl Suite<'_> {
    /// The policy as of `at`; `None` if its last day has passed then.
    fn load(&self, at: Time) -> Result<Option<LoadedPolicy>, Failure> {
        let beside = DirectoryFiles::beside(&self.policy);
        match LoadedPolicy::load(&self.bytes, &beside, LoadOptions::new(at, self.limits)) {
            Ok(policy) => Ok(Some(policy)),
            Err(faults) if faults.iter().all(|fault| fault.problem.code() == EXPIRED) => Ok(None),
            Err(faults) => Err(NotOpened::faults(faults).into_failure(&self.policy)),
        }
    }

    /// What the policy says of a case.
    fn answer(
        &self,
        case: &PolicyCase,
        policies: &BTreeMap<Time, Option<LoadedPolicy>>,
        images: &Images,
        runtime: &Runtime,
    ) -> CaseResult {
        let name = EvaluatedName::given(&case.name.value)
            .map_err(|failure| Failure::unknown(failure.message).hint("name: HOST/REPOSITORY[:TAG]"))?;
        let (source, tag_or_digest) = images.open(&self.image(case)?)?;
        // An image that is not there is a wrong case, not a case that could not be decided.
        let root = runtime.block_on(pinned::resolve(source.as_ref(), &tag_or_digest))?;
        let Some(policy) = policies.get(&case.at.value).and_then(Option::as_ref) else {
            return Ok(CaseOutcome::failed(EXPIRED, false));
        };
        let options = PolicyOptions::new(&name.repository, case.at.value, self.limits).with_tag(name.tag.as_deref());
        Ok(match runtime.block_on(policy::evaluate_content(source.as_ref(), root, policy, options)) {
            Ok(outcome) => CaseOutcome::of(&outcome),
            Err(error) => CaseOutcome::failed(error.code(), error.is_refusal()),
        })
    }

    /// The image of a case, in its directory.
    fn image(&self, case: &PolicyCase) -> Result<Reference, Failure> {
        let mut reference: Reference = case.image.value.parse()?;
        match &mut reference {
            Reference::Layout(local) | Reference::LayoutArchive(local) if local.path.is_relative() => {
                local.path = self.directory.join(&local.path);
            }
            _ => {
                let message = format!("`{}` is not an image in the directory of the cases", case.image.value);
                return Err(Failure::unknown(message).hint("image: oci:DIR[:NAME] or oci-archive:FILE[:NAME]"));
            }
        }
        Ok(reference)
    }
}

/// One line for each case, the requirements that no case has refused, and a summary.
fn page(policy: &Path, answers: &[(&PolicyCase, CaseResult)], left: &[RequirementPlace], places: usize) -> Lines {
    let mut lines = Lines::default();
    for (case, answer) in answers {
        let title = Foreign(&case.case.value);
        let expected = shown(case.expect.value, case.codes.iter().map(|code| code.value.as_str()));
        match answer {
            Ok(answer) if answer.is_expected_by(case) => lines.push(format_args!("ok       {title}: {expected}")),
            Ok(answer) => {
                let found = shown(answer.verdict(), answer.codes().iter().copied());
                lines.push(format_args!("differs  {title}: {found}, and {expected} is expected"));
            }
            Err(failure) => lines.push(format_args!("not run  {title}: {}", Foreign(&failure.message))),
        }
    }
    for place in left {
        lines.push(format_args!("{}:{}: no case has refused {}", policy.display(), place.line, place.id));
    }
    let of = |wanted: Exit| answers.iter().filter(|(case, answer)| exit(case, answer) == wanted).count();
    let (differ, not_run) = (of(Exit::Refused), of(Exit::Unknown));
    let cases = count(answers.len(), "case");
    let refused = places.saturating_sub(left.len());
    let requirements = count(places, "requirement");
    lines.push(format_args!(
        "{cases}: {differ} differ, {not_run} not run; {refused} of {requirements} refused by a case"
    ));
    lines
}

/// `refused (no-statement, too-old)`.
fn shown<'a>(verdict: CaseVerdict, codes: impl Iterator<Item = &'a str>) -> String {
    let codes: Vec<&str> = codes.collect();
    match codes.is_empty() {
        true => verdict.word().to_owned(),
        false => format!("{} ({})", verdict.word(), Foreign(codes.join(", "))),
    }
}

/// The file of cases in a directory.
const CASES: &str = "cases.yaml";

/// The code of a policy whose last day has passed.
const EXPIRED: &str = "policy-expired";
