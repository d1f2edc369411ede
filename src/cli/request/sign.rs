//! The command `request sign`: signs offline. It reads files and asks at the terminal; it opens no network connection.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::IsTerminal as _;

use crate::cli::args::Output;
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Lines;
use crate::cli::prompt;
use crate::cli::render;
use crate::cli::request::args::RequestSignArgs;
use crate::cli::request::copies;
use crate::cli::request::documents;
use crate::cli::request::log_file;
use crate::cli::request::log_file::LogFile;
use crate::cli::request::page::RequestPage;
use bulla::files::Contended;
use bulla::files::Lock;
use bulla::files::Overwrite;
use bulla::files::are_same;
use bulla::key::KeyId;
use bulla::key::MessageHasher;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::request::CheckedFiles;
use bulla::request::SignaturesByKey;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;

/// The number of signatures in a batch. An interruption loses at most one batch.
const BATCH: usize = 100;

/// The word that the signer types to confirm.
const CONFIRMATION: &str = "sign";

pub(super) fn sign(args: &RequestSignArgs) -> Result<Exit, Failure> {
    let to_failure = |error| documents::failure(&args.request, error);
    let request = documents::load(&args.request, &args.expected, &args.keys.token)?;
    request.check_open(now()).map_err(to_failure)?;
    let others = documents::responses(&args.with, &request)?;
    let _lock = Lock::beside(&args.out, ".lock", Contended::Fail)?;
    let response = earlier_response(args, &request)?;
    let copies = copies::check(&args.request, &request, &args.file, &hasher(args)?)?;
    copies.check_complete(&request).map_err(|error| {
        let failure = to_failure(error).hint(copies::COPY_HINT);
        Failure { message: format!("{}; nothing was signed", failure.message), ..failure }
    })?;
    files::writable(&args.out, Overwrite::Replace)?;
    check_distinct_files(args)?;
    let open = || keys::signers(std::slice::from_ref(&args.key), &args.keys);
    let unlogged = match &args.log {
        Some(log) => log_file::unlogged(log, &request, &response)?,
        None => BTreeMap::new(),
    };
    // Whether signatures without a line are by this key is known once it is open. Only then is it opened before the page.
    let opened = if unlogged.is_empty() { None } else { Some(open()?) };
    opened.iter().flatten().try_for_each(|signer| check_logged(args, signer.as_ref(), &unlogged))?;
    show(args, &request, &response, others, &copies)?;
    confirm(args, &request)?;
    let signers = opened.map_or_else(open, Ok)?;
    let Some(signer) = signers.first() else {
        return Err(Failure::unknown(format!("{}: no key was found", args.key)));
    };
    let _owner = request.owner_of(signer.public_key().id()).map_err(to_failure)?;
    request.check_certificates(signer.public_key().id(), now()).map_err(to_failure)?;
    let room = response.check_room(&request, signer.public_key(), &Limits::DEFAULT);
    room.map_err(|error| documents::failure(&args.out, error).hint("another file with -o; nothing was signed"))?;
    let log = args.log.as_ref().map(|path| LogFile::open(path)).transpose()?;
    check_distinct_files(args)?;
    let mut run = SigningRun { args, copies: &copies, log, request: &request, response, signer: signer.as_ref() };
    run.finish()?;
    let SigningRun { response, .. } = run;
    let page = RequestPage::new(&request, &response);
    match args.output {
        Output::Json => render::report(&page.outcome("request sign", &args.out)),
        Output::Text => {
            let key = signer.public_key().id();
            let count = response.signer(key).map_or(0, SignaturesByKey::count);
            render::line(format_args!("signed {count} of {count}, key {}: {}", key.short(), args.out.display()));
        }
    }
    Ok(Exit::Yes)
}

/// The hasher for copies of files: a plugin signs the file itself, by a scheme that it chooses.
fn hasher(args: &RequestSignArgs) -> Result<MessageHasher, Failure> {
    let hasher = MessageHasher::new([], Limits::DEFAULT.file.message_bytes);
    Ok(match keys::is_plugin(&args.key, &args.keys)? {
        true => hasher.with_sha384().with_sha512().with_message(),
        false => hasher,
    })
}

/// Refuses to write the log and the response to the same file: one would overwrite the other.
fn check_distinct_files(args: &RequestSignArgs) -> Result<(), Failure> {
    match &args.log {
        Some(log) if are_same(log, &args.out) => {
            let both = format!("{}: it is both the log and the response; nothing was signed", log.display());
            Err(Failure::unknown(both).hint("another file with --log or with -o"))
        }
        _ => Ok(()),
    }
}

/// Refuses to go on with signatures of this key that have no line in the log: they are kept as they are, so that they would
/// never get one, and an audit takes them for those of a thief.
fn check_logged(args: &RequestSignArgs, signer: &dyn Signer, unlogged: &BTreeMap<KeyId, usize>) -> Result<(), Failure> {
    let key = signer.public_key().id();
    let (Some(count), Some(log)) = (unlogged.get(&key), &args.log) else { return Ok(()) };
    let (out, log) = (args.out.display(), log.display());
    let message = format!(
        "{out}: it has {count} signatures by this key ({}) without a line in {log}; nothing was signed",
        key.short()
    );
    Err(Failure::unknown(message).hint(
        "-o with another file signs everything anew and logs it; or --log with the log of the earlier run, or no --log",
    ))
}

/// Reads the response that an earlier run wrote to the same file. A file that is not such a response is not replaced.
fn earlier_response(args: &RequestSignArgs, request: &SigningRequest) -> Result<SigningResponse, Failure> {
    let Some(bytes) = files::read_if_there(&args.out, Limits::DEFAULT.request.response_bytes)? else {
        return Ok(SigningResponse::to(request));
    };
    SigningResponse::parse(&bytes, request, &Limits::DEFAULT)
        .map_err(|error| documents::failure(&args.out, error).hint("it is left as it is; choose another file with -o"))
}

/// Shows the signer what will be signed, and who has signed.
fn show(
    args: &RequestSignArgs,
    request: &SigningRequest,
    response: &SigningResponse,
    others: SigningResponse,
    copies: &CheckedFiles,
) -> Result<(), Failure> {
    let mut all = response.clone();
    all.merge(others).map_err(|error| documents::failure(&args.request, error))?;
    let previous = args.previous.as_ref().map(|path| documents::read_request(path)).transpose()?;
    let (previous, full) = (previous.as_ref(), args.full);
    let page = RequestPage { files: Some(copies), previous, full, ..RequestPage::new(request, &all) };
    render::page(&page.text());
    let truncated = page.truncated();
    if truncated > 0 && !args.yes {
        let message =
            format!("some predicates or texts are longer than what was shown ({truncated}); nothing was signed");
        return Err(Failure::unknown(message).hint("--full shows them to their end"));
    }
    if truncated > 0 {
        render::page(&Lines::from_iter([""]));
        render::warning(format_args!(
            "warning: some predicates or texts are longer than what is shown ({truncated}); --full shows them to their end"
        ));
    }
    Ok(())
}

fn confirm(args: &RequestSignArgs, request: &SigningRequest) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    // The word means that the page was read: it does not count where the page went elsewhere, nor before the question.
    if !stdin.is_terminal() || !render::page_is_seen() {
        return Err(Failure::unknown("there is no terminal to ask at; nothing was signed")
            .hint("give --yes where somebody has read the request: bulla request show"));
    }
    let failure = |error| Failure::unknown(format!("the answer could not be read: {error}"));
    prompt::discard_typed().map_err(failure)?;
    let count = request.count();
    render::page(&Lines::from_iter([""]));
    render::page(&Lines::from_iter([format_args!(
        "type `{CONFIRMATION}` to sign {}:",
        if count == 1 { "it".to_owned() } else { format!("all {count}") }
    )]));
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(failure)?;
    match line.trim() == CONFIRMATION {
        true => Ok(()),
        false => Err(Failure::unknown("not confirmed; nothing was signed")
            .hint(format!("answer with the word `{CONFIRMATION}`, or with anything else to sign nothing"))),
    }
}

struct SigningRun<'a> {
    args: &'a RequestSignArgs,
    copies: &'a CheckedFiles,
    log: Option<LogFile>,
    request: &'a SigningRequest,
    response: SigningResponse,
    signer: &'a dyn Signer,
}

impl SigningRun<'_> {
    /// Makes the missing signatures in batches, then countersigns. Each batch is synced to the log before it is written to
    /// the response.
    fn finish(&mut self) -> Result<(), Failure> {
        while !self.response.signer(self.signer.public_key().id()).is_some_and(SignaturesByKey::is_finished) {
            let now = now();
            let progress = self.response.sign_with_files(self.request, self.copies, self.signer, now, BATCH);
            let progress = progress.map_err(|error| {
                let failure = documents::failure(&self.args.request, error);
                Failure { message: self.stop_message(&failure.message), ..failure }.hint(self.resume_hint())
            })?;
            if let Some(log) = &mut self.log {
                log.append(self.request, &progress.made, self.signer.public_key().id(), now)?;
            }
            if !progress.made.is_empty() {
                let bytes = documents::to_json(&self.args.out, &self.response)?;
                files::write(&self.args.out, &bytes, Overwrite::Replace)?;
            }
            if let Some(error) = progress.stopped {
                return Err(Failure::unknown(self.stop_message(&error.to_string())).hint(self.resume_hint()));
            }
        }
        Ok(())
    }

    /// The number of signatures made so far, and of all that are requested.
    fn count(&self) -> (usize, usize) {
        let count = self.response.signer(self.signer.public_key().id()).map_or(0, SignaturesByKey::count);
        (count, self.request.signature_count())
    }

    fn stop_message(&self, why: &str) -> String {
        match self.count() {
            (count, all) if count == all => format!("all {all} are signed, but not countersigned: {why}"),
            (count, all) => format!("stopped after {count} of {all} signatures: {why}"),
        }
    }

    /// The hint after an interruption: which signatures the response holds, and how to continue.
    fn resume_hint(&self) -> String {
        let out = self.args.out.display();
        match self.count() {
            (0, _) => "nothing was signed, and nothing was tried a second time".to_owned(),
            (count, all) if count == all => {
                format!("the {count} are in {out}; they do not count until the same command has countersigned them")
            }
            (count, all) => format!(
                "the {count} are in {out}; the same command again signs the other {}, and nothing was tried a second time",
                all.saturating_sub(count)
            ),
        }
    }
}
