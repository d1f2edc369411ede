//! The command `request log verify`: the chain of a signing log, and whether each signature on an image has its line.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::request::args::RequestLogVerifyArgs;
use crate::cli::request::log_file::follow;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use bulla::digest::Digest;
use bulla::files::Accept;
use bulla::files::open;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::audit;
use bulla::ops::audit::AuditOptions;
use bulla::ops::audit::AuditedFile;
use bulla::ops::audit::AuditedImage;
use bulla::ops::audit::AuditedSignature;
use bulla::ops::audit::LogAudit;
use bulla::ops::audit::LogConclusion;
use bulla::ops::audit::LogLines;
use bulla::ops::audit::NameRule;
use bulla::ops::file;
use bulla::ops::file::FileEvidence;
use bulla::report::LogResult;
use bulla::report::Report;
use bulla::request::LogChain;
use bulla::request::LogEntry;
use bulla::time::Time;
use bulla::trust::TrustRoot;

/// The contents of a log.
#[derive(Default)]
struct LogContents {
    lines: LogLines,
    /// The owner of each key, and the number of its signatures.
    keys: BTreeMap<String, (String, usize)>,
    /// The digests of all lines.
    heads: BTreeSet<Digest>,
    /// The times of the first and the last signature.
    span: Option<(Time, Time)>,
}

pub(super) fn verify(args: &RequestLogVerifyArgs, now: Time) -> Result<Exit, Failure> {
    let path = args.log.as_path();
    let file = open(path, Accept::File)?;
    let mut contents = LogContents::default();
    let chain = follow(path, file, |entry, digest| contents.take(entry, digest))?;
    for head in &args.head {
        let digest: Digest =
            head.parse().map_err(|error: bulla::digest::DigestError| Failure::unknown(error.to_string()))?;
        if !contents.heads.contains(&digest) {
            let message = format!("{}: it has no line with the digest {digest}", path.display());
            return Err(Failure::refused(message).hint("lines were cut off at its end, or it is another log"));
        }
    }
    if chain.lines() == 0 && args.head.is_empty() {
        return Err(Failure::unknown(format!("{}: it has no lines, so it says nothing", path.display()))
            .hint("--head DIGEST, of a line that was written down"));
    }
    let audit = against(args, &contents.lines, now)?;
    match args.output {
        Output::Json => render::report(&contents.report(&chain, audit.as_ref())),
        Output::Text => render::text(&contents.text(path, &chain, audit.as_ref())),
    }
    audit.map_or(Ok(Exit::Yes), |audit| exit_of(&audit, path))
}

/// How many details of a failure are printed.
const SHOWN: usize = 12;

/// How the command ends by the conclusion of the audit, with a failure that names what has no line or was not read.
fn exit_of(audit: &LogAudit, path: &Path) -> Result<Exit, Failure> {
    let missing: Vec<_> = audit.not_logged().collect();
    let signature =
        |found: &&AuditedSignature| format!("{}  key {}  {}", found.name, found.key.short(), found.signature);
    let other = missing.iter().flat_map(|found| &found.other_lines).map(|line| format!("but {line}"));
    let unread = audit.unread().iter().map(|unread| format!("not read  {unread}"));
    let unsigned = audit.unsigned().map(|name| format!("nothing compared  {name}: it has no signature by these keys"));
    let mut details: Vec<_> = missing.iter().map(signature).chain(other).chain(unread).chain(unsigned).collect();
    if details.len() > SHOWN {
        let more = details.split_off(SHOWN).len();
        details.push(format!("and {more} more; --output json has them all"));
    }
    let path = path.display();
    match audit.conclude() {
        LogConclusion::AllLogged => Ok(Exit::Yes),
        LogConclusion::SomeNotLogged => {
            let (lacking, all) = (missing.len(), audit.signatures().len());
            let message = format!("{path}: {lacking} of {all} signatures have no line in it");
            let failure = Failure { details, ..Failure::refused(message) };
            Err(match missing.iter().any(|found| !found.other_lines.is_empty()) {
                true => failure.hint("--any-name, where it is a copy of what was signed under another name"),
                false => failure,
            })
        }
        LogConclusion::NothingCompared => {
            let (nothing, all) = (audit.unsigned().count(), audit.audited().count());
            let message = format!(
                "{path}: on {nothing} of {all} images and files there is no signature by the given keys to compare with it"
            );
            let failure = Failure { code: "nothing-compared", details, ..Failure::unknown(message) };
            Err(failure.hint("--key with the public key of the owner of this log, and what that key has signed"))
        }
        LogConclusion::Undetermined => {
            let unread = audit.unread().len();
            let message =
                format!("{path}: {unread} documents could not be read, so they may hold signatures without a line");
            Err(Failure { code: "unreadable", details, ..Failure::unknown(message) })
        }
    }
}

/// Audits the images of `--against` and the file of `--against-file`; `None` where there are none.
fn against(args: &RequestLogVerifyArgs, lines: &LogLines, now: Time) -> Result<Option<LogAudit>, Failure> {
    let keys = keys::public_keys(&args.key, &args.token)?;
    if args.against.is_empty() && args.against_file.is_none() {
        return Ok(None);
    }
    let trust = TrustRoot::pinned(keys).map_err(|error| Failure::unknown(error.to_string()))?;
    let names = if args.any_name { NameRule::Any } else { NameRule::SameImage };
    let options = AuditOptions { limits: &Limits::DEFAULT, lines, names, now, trust: &trust };
    let stores = Stores::new(&args.registry, &args.against)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let mut audits = Vec::new();
    for name in &args.against {
        let (source, tag_or_digest) = stores.source(name)?;
        let (reference, source) = (&name.parse::<Reference>()?, source.as_ref());
        let image = AuditedImage { name, reference, source, tag_or_digest: &tag_or_digest };
        audits.push(runtime.block_on(audit::audit(image, options))?);
    }
    if let Some(path) = &args.against_file {
        audits.push(against_file(path, args, options)?);
    }
    Ok(audits.into_iter().reduce(LogAudit::and))
}

/// Audits the signatures of a file in bundles and plain signatures.
fn against_file(path: &Path, args: &RequestLogVerifyArgs, options: AuditOptions<'_>) -> Result<LogAudit, Failure> {
    let AuditOptions { limits, trust, .. } = options;
    let most = limits.evidence.attestation_bytes;
    let mut evidence = FileEvidence::new();
    for bundle in &args.bundle {
        evidence.add_bundle(&bundle.display().to_string(), &files::read(bundle, most)?, limits);
    }
    for signature in &args.signature {
        evidence.add_signature(&signature.display().to_string(), &files::read(signature, most)?);
    }
    let failed = |error: std::io::Error| Failure::unknown(format!("`{}` cannot be read: {error}", path.display()));
    let mut file = open(path, Accept::File)?;
    let message = file::read(&mut file, evidence.hasher(trust, limits)).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let typed = path.display().to_string();
    let file = AuditedFile { evidence: &evidence, message: &message, name: &name, typed: &typed };
    Ok(audit::audit_file(file, options))
}

impl LogContents {
    /// Takes the next line, whose own digest is `digest`.
    fn take(&mut self, entry: &LogEntry, digest: Digest) {
        self.heads.insert(digest);
        self.lines.push(entry);
        let (_, count) = self.keys.entry(entry.key.clone()).or_insert_with(|| (entry.owner.clone(), 0));
        *count = count.saturating_add(1);
        self.span = Some(
            self.span.map_or((entry.time, entry.time), |(first, last)| (first.min(entry.time), last.max(entry.time))),
        );
    }

    fn text(&self, path: &Path, chain: &LogChain, audit: Option<&LogAudit>) -> Lines {
        let mut text = Lines::from_iter([format!("whole    {}: {} lines", path.display(), chain.lines())]);
        if let Some(head) = chain.head() {
            text.push(format_args!("head     {head}"));
        }
        if let Some((first, last)) = self.span {
            text.push(format_args!("from     {first} to {last}"));
        }
        for (key, (owner, count)) in &self.keys {
            text.push(format_args!("key      {key:.12} {}: {count} signatures", Foreign(owner)));
        }
        for (name, signatures) in audit.into_iter().flat_map(LogAudit::audited) {
            let logged = signatures.iter().filter(|signature| signature.line.is_some()).count();
            text.push(format_args!("matched  {}: {logged} of {} signatures", Foreign(name), signatures.len()));
        }
        text
    }

    fn report<'a>(&'a self, chain: &LogChain, audit: Option<&'a LogAudit>) -> Report<LogResult<'a>> {
        let log = LogResult::new(chain.lines(), chain.head());
        let log = self.keys.iter().fold(log, |log, (key, (owner, count))| log.with_key(key, owner, *count));
        Report::new("request log verify", vec![audit.into_iter().fold(log, LogResult::with_audit)])
    }
}
