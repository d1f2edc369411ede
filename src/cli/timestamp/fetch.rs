//! The command `timestamp fetch`: asks a timestamp authority, on a machine with a network, what was requested elsewhere.

use std::path::Path;
use std::path::PathBuf;

use bulla::files::FileError;
use bulla::files::Overwrite;
use bulla::limits::Limits;
use bulla::ops::timestamp;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::timestamp::TimestampTrust;
use bulla::ops::timestamp::TimestampingError;
use bulla::report::FetchVerification;
use bulla::report::Report;
use bulla::report::TimestampFetchResult;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::x509::Purpose;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampToken;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::timestamp::args::TimestampFetchArgs;
use crate::cli::timestamp::authority;
use crate::cli::timestamp::whole;
use crate::cli::trust;

/// A request, and the files of it and of its answer.
struct FetchJob {
    answer: PathBuf,
    file: PathBuf,
    request: TimestampRequest,
}

pub(super) fn fetch(args: &TimestampFetchArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let anchors = trust::anchors_of(&[(&args.timestamp_roots, Purpose::TimeStamping)], &limits)?;
    let trust = TimestampTrust { anchors: &anchors, time: VerificationTime::now(now) };
    let trust = (!anchors.is_empty()).then_some(trust);
    let authority = authority::at(&args.timestamp_url, &args.tls_ca)?;
    let jobs = jobs(args, &limits)?;
    whole::directory(&args.out)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (mut exit, mut results) = (Exit::Yes, Vec::new());
    for job in &jobs {
        let outcome = runtime.block_on(answer(job, authority.as_ref(), trust, &limits));
        exit = exit.and(outcome.as_ref().map_or_else(|failure| failure.exit, |_| Exit::Yes));
        let verified = if trust.is_some() { FetchVerification::Verified } else { FetchVerification::AnswerOnly };
        match (args.output, outcome) {
            (Output::Json, Ok((token, already))) => {
                results.push(TimestampFetchResult::of((&job.file, &job.answer), &token, verified, already));
            }
            (Output::Json, Err(failure)) => results.push(TimestampFetchResult::failed(&job.file, failure.reported())),
            (Output::Text, Ok((token, already))) => {
                let done = if already { "already answered" } else { "answered" };
                render::line(format_args!("{done} {}  {}", job.file.display(), job.answer.display()));
                render::line(format_args!("  timestamp {}", token.gen_time().latest()));
            }
            (Output::Text, Err(failure)) => render::failure(&failure),
        }
    }
    if trust.is_none() {
        render::note("note: the answers fit the requests; who made them is not verified without --timestamp-roots");
    }
    if args.output == Output::Json {
        render::report(&Report::new("timestamp fetch", results));
    }
    Ok(exit)
}

/// Reads the requests, each about another signature or for another file.
fn jobs(args: &TimestampFetchArgs, limits: &Limits) -> Result<Vec<FetchJob>, Failure> {
    let mut jobs: Vec<FetchJob> = Vec::new();
    for file in &args.requests {
        let bytes = files::read(file, limits.envelope.timestamp_bytes)?;
        let to_failure = |error: String| Failure::unknown(format!("{}: {error}", file.display()));
        let request = TimestampRequest::parse(&bytes, limits).map_err(|error| to_failure(error.to_string()))?;
        let name = file.file_stem().ok_or_else(|| to_failure("it has no name".to_owned()))?;
        let mut name = name.to_owned();
        name.push(".tsr");
        let answer = args.out.join(name);
        if let Some(other) = jobs.iter().find(|job| job.answer == answer) {
            return Err(to_failure(format!("its answer would have the name of that to {}", other.file.display())));
        }
        jobs.push(FetchJob { answer, file: file.clone(), request });
    }
    Ok(jobs)
}

/// The token that answers the request, and whether its file was there already. Otherwise the authority is asked, and the
/// whole answer is written once it is verified.
async fn answer(
    job: &FetchJob,
    authority: &dyn TimestampAuthority,
    trust: Option<TimestampTrust<'_>>,
    limits: &Limits,
) -> Result<(TimestampToken, bool), Failure> {
    let refused = |error: &TimestampingError| {
        let message = format!("{}: {error}", job.file.display());
        let failure = if error.is_undetermined() { Failure::unknown(message) } else { Failure::refused(message) };
        Failure { code: error.code(), ..failure }
    };
    if let Some(bytes) = files::read_if_there(&job.answer, limits.envelope.timestamp_bytes)? {
        return match timestamp::check_response(&bytes, &job.request, trust, limits) {
            Ok(token) => Ok((token, true)),
            Err(_) => Err(FileError::Exists { path: job.answer.clone() }.into()),
        };
    }
    let response = authority.ask(&job.request).await.map_err(|error| {
        let failure = Failure::unknown(format!("{}: {error}", job.file.display()));
        Failure { code: error.code(), ..failure }
    })?;
    let token = timestamp::check_response(&response, &job.request, trust, limits).map_err(|error| refused(&error))?;
    files::write(Path::new(&job.answer), &response, Overwrite::Refuse)?;
    Ok((token, false))
}
