//! The command `policy explain`: what a policy file wants of images with a name. No image and no network is looked at.

use bulla::limits::Limits;
use bulla::oci::RepositoryName;
use bulla::policy_file::ExplainedBlock;
use bulla::policy_file::NameExplanation;
use bulla::report::PolicyExplainResult;
use bulla::report::Report;
use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Lines;
use crate::cli::policy::args::PolicyExplainArgs;
use crate::cli::policy::open::open;
use crate::cli::quantity::count;
use crate::cli::render;

pub(super) fn explain(args: &PolicyExplainArgs, now: Time) -> Result<Exit, Failure> {
    let name = RepositoryName::normalised(&args.name)
        .map_err(|error| Failure::unknown(error.to_string()).hint("HOST/REPOSITORY, without tag and digest"))?;
    let policy = open(&args.file, &args.trust, &args.token, now, &Limits::DEFAULT);
    let policy = policy.map_err(|failed| failed.into_failure(&args.file))?;
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
        lines.push(format_args!("  line {:<4} {}", requirement.line, requirement.sentence));
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
