//! The command `policy explain`: what a policy file wants of images with a name, without looking at any image; or what one
//! image has of it, what is missing, and who can supply that.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::ops;
use bulla::ops::policy::PolicyOptions;
use bulla::ops::policy::PolicyOutcome;
use bulla::policy_file::ExplainedBlock;
use bulla::policy_file::ExplainedRequirement;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::NameExplanation;
use bulla::policy_file::document::ExceptionDocument;
use bulla::report::PolicyExplainResult;
use bulla::report::Report;
use bulla::report::SuppliedRequirement;
use bulla::report::supplied;
use bulla::time::Time;
use bulla::trust::TrustRoot;

use crate::cli::args::EnvelopeReader;
use crate::cli::args::Output;
use crate::cli::attestation_files;
use crate::cli::envelope_reader;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::policy::args::PolicyExplainArgs;
use crate::cli::policy::open::open;
use crate::cli::policy_evaluator::EvaluatedName;
use crate::cli::policy_verdict;
use crate::cli::quantity::count;
use crate::cli::render;
use crate::cli::revocation;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;

pub(super) fn explain(args: &PolicyExplainArgs, now: Time) -> Result<Exit, Failure> {
    let name = RepositoryName::normalised(&args.name);
    let policy = || {
        let policy = open(&args.file, &args.trust, (&args.token, &args.registry), now, &Limits::DEFAULT);
        policy.map_err(|failed| failed.into_failure(&args.file))
    };
    let name = match (name, &args.judged_as) {
        (Ok(name), None) => name,
        (Ok(_), Some(_)) => {
            let failure = Failure::unknown(format!("`{}` is a name already, and --as gives another one", args.name));
            return Err(failure.hint("leave out --as, or name an image in a layout: oci:DIR:NAME"));
        }
        (Err(_), _) => return image(args, &policy()?, now),
    };
    if is_about_image(args) {
        let failure = Failure::unknown(format!("`{}` is a name, and evidence is about an image", args.name));
        return Err(failure.hint("name an image: HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST"));
    }
    let policy = policy()?;
    let explanation = policy.explain(&name, now);
    match args.output {
        Output::Json => {
            let file = args.file.display().to_string();
            let result = PolicyExplainResult::new(file, &policy, &explanation, now);
            render::report(&Report::new("policy explain", vec![result]));
        }
        Output::Text => render::text(&page(&explanation)),
    }
    Ok(Exit::Yes)
}

/// What one image has of what the policy wants.
fn image(args: &PolicyExplainArgs, policy: &LoadedPolicy, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let reference: Reference = args.name.parse()?;
    let name = EvaluatedName::of(&args.name, args.judged_as.as_deref())?;
    let stores = Stores::new(&args.registry, [&args.name])?;
    let (source, tag_or_digest) = stores.source(&args.name)?;
    let identities = || policy.trust().into_iter().flat_map(TrustRoot::identities);
    let evidence = attestation_files::read(&args.evidence, &limits)?;
    let lookup = revocation::lookup(&args.lookup, &args.registry)?;
    let check = revocation::check_by_policies(&args.revocation, Some(&args.lookup), identities(), &limits)?;
    let check = check.map(Arc::new);
    let options = PolicyOptions::new(&name.repository, now, &limits)
        .with_evidence(&evidence)
        .with_lookup(lookup.as_ref())
        .with_revocation(check.as_ref())
        .with_strictness(envelope_reader::by_policies(args.envelope_reader, identities())?)
        .with_tag(name.tag.as_deref());
    let runtime = Runtime::new(Work::Waiting)?;
    let outcome = runtime.block_on(ops::policy::evaluate(source.as_ref(), &tag_or_digest, policy, options))?;
    let requirements = supplied(&reference, &outcome);
    match args.output {
        Output::Json => {
            let file = args.file.display().to_string();
            let result = PolicyExplainResult::new(file, policy, &policy.explain(&name.repository, now), now);
            let result = result.with_image(&args.name, &outcome, requirements);
            render::report(&Report::new("policy explain", vec![result]));
        }
        Output::Text => render::text(&image_page(args, &outcome, &requirements)),
    }
    let exit = match (outcome.is_let_in(), outcome.is_refusal()) {
        (true, _) => Exit::Yes,
        (false, true) => Exit::Refused,
        (false, false) => Exit::Unknown,
    };
    revocation::report_problems(lookup);
    Ok(exit)
}

/// Whether an option is given that says how an image is judged.
fn is_about_image(args: &PolicyExplainArgs) -> bool {
    let PolicyExplainArgs { evidence, envelope_reader, lookup, revocation, .. } = args;
    let looks_up = lookup.revocation_attached || lookup.revocation_online;
    !evidence.is_empty() || !revocation.files.is_empty() || looks_up || *envelope_reader != EnvelopeReader::Strict
}

fn image_page(args: &PolicyExplainArgs, outcome: &PolicyOutcome<'_>, requirements: &[SuppliedRequirement]) -> Lines {
    let mut lines = Lines::default();
    let word = match (outcome.is_let_in(), outcome.is_refusal()) {
        (true, _) => "nothing is missing",
        (false, true) => "refused",
        (false, false) => "undetermined",
    };
    lines.push(format_args!("{}  {}: {word}", Foreign(&args.name), outcome.digest()));
    for requirement in requirements {
        let line = requirement.line.map_or_else(String::new, |line| format!(":{line}"));
        let code = requirement.code.map_or_else(String::new, |code| format!(": {code}"));
        let message = requirement.message.as_ref().map_or_else(String::new, |text| format!(": {}", Foreign(text)));
        let (file, id) = (args.file.display(), &requirement.id);
        lines.push(format_args!("{:<12} {file}{line}: {id}{code}{message}", requirement.result));
        for supplier in &requirement.suppliers {
            let owner = Foreign(&supplier.owner);
            supplier.commands.iter().for_each(|command| lines.push(format_args!("  {owner}: {command}")));
            supplier.note.iter().for_each(|note| lines.push(format_args!("  {owner}: {note}")));
        }
    }
    for finding in policy_verdict::rejected(outcome).into_iter().take(REJECTED_SHOWN) {
        lines.push(format_args!("rejected     {}  ({})", Foreign(&finding.reason), Foreign(&finding.place)));
    }
    for error in &outcome.unread {
        lines.push(format_args!("not read     {}", Foreign(error)));
    }
    lines
}

/// The most pieces of evidence that are named which did not count.
const REJECTED_SHOWN: usize = 12;

fn page(explanation: &NameExplanation<'_>) -> Lines {
    let mut lines = Lines::default();
    let name = &explanation.name;
    match &explanation.block {
        None => lines.push(format_args!("{name}: refused: no block is for this name")),
        Some(block) => {
            let (line, pattern) = (block.line, &block.pattern);
            lines.push(format_args!("{name}: the block at line {line} decides, by `{pattern}`"));
            of_block(block, &mut lines);
        }
    }
    if explanation.blocked > 0 {
        let digests = count(explanation.blocked, "digest");
        lines.push(format_args!("{digests} refused under every name: `blocked`"));
    }
    lines
}

/// The exception by which no image of this name has to meet a requirement. The baseline is never waived.
fn waiver<'a>(block: &ExplainedBlock<'a>, requirement: &ExplainedRequirement) -> Option<&'a ExceptionDocument> {
    let word = requirement.id.strip_prefix("images")?.rsplit('.').next()?;
    let waives = |exception: &ExceptionDocument| {
        exception.digests.is_empty() && exception.waives.iter().any(|waived| waived.value.word() == word)
    };
    let mut current = block.exceptions.iter().filter(|(_, ended)| !ended).map(|(exception, _)| *exception);
    current.find(|exception| waives(exception))
}

fn of_block(block: &ExplainedBlock<'_>, lines: &mut Lines) {
    if let Some(refuse) = block.refuse {
        lines.push(format_args!("refused: {}", refuse.reason.value));
        return;
    }
    if let Some(unsigned) = block.accept_unsigned {
        let (owner, reason, until) = (&unsigned.owner.value, &unsigned.reason.value, unsigned.until.value);
        match block.unsigned_ended {
            false => {
                lines.push(format_args!("accepted without a signature until {until}: {reason} ({owner})"));
                lines.push("nothing is verified until then; afterwards:");
            }
            true => lines.push(format_args!("accepted without a signature until {until}, which has passed")),
        }
        if block.requirements.is_empty() || block.only_unsigned {
            lines.push("refused: nothing else is required, and that is not enough");
            return;
        }
    }
    lines.push("required, all of it:");
    for requirement in &block.requirements {
        let waived = waiver(block, requirement)
            .map_or_else(String::new, |exception| format!(" (waived by line {})", exception.position.line));
        lines.push(format_args!("  line {:<4} {}{waived}", requirement.line, requirement.sentence));
    }
    if let Some(name) = &block.signed_name {
        lines.push(format_args!("image signatures must be for the name {name}"));
    }
    for (exception, ended) in &block.exceptions {
        let waives: Vec<_> = exception.waives.iter().map(|word| word.value.word()).collect();
        let (owner, reason, until) = (&exception.owner.value, &exception.reason.value, exception.until.value);
        let of = match exception.digests.len() {
            0 => String::new(),
            some => format!(" for {}", count(some, "digest")),
        };
        let (line, waives) = (exception.position.line, waives.join(", "));
        let state = if *ended { "has ended and waives nothing" } else { "waives" };
        lines.push(format_args!("exception at line {line} {state}: {waives}{of} until {until}: {reason} ({owner})"));
    }
}
