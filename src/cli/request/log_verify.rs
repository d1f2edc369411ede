//! The command `request log verify`: the chain of a signing log, and whether each signature on an image has its line.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
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
use bulla::files::are_same;
use bulla::files::open;
use bulla::key::KeyId;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::audit;
use bulla::ops::audit::AttachedDocument;
use bulla::ops::audit::AuditedStatement;
use bulla::ops::audit::LogLine;
use bulla::report::LogResult;
use bulla::report::LoggedSignature;
use bulla::report::Report;
use bulla::request::LogChain;
use bulla::request::LogEntry;
use bulla::time::Time;

/// The lines of a log, by what they are looked up with.
#[derive(Default)]
struct LogContents {
    /// The lines of each signature.
    lines: BTreeMap<Digest, Vec<LogLine>>,
    /// The owner of each key, and the number of its signatures.
    keys: BTreeMap<String, (String, usize)>,
    heads: BTreeMap<Digest, usize>,
    span: Option<(Time, Time)>,
}

pub(super) fn verify(args: &RequestLogVerifyArgs) -> Result<Exit, Failure> {
    let path = args.log.as_path();
    let file = open(path, Accept::File)?;
    let mut contents = LogContents::default();
    let mut number = 0_usize;
    let chain = follow(path, file, |entry, digest| {
        number = number.saturating_add(1);
        contents.take(number, entry, digest);
    })?;
    for head in &args.head {
        let digest: Digest =
            head.parse().map_err(|error: bulla::digest::DigestError| Failure::unknown(error.to_string()))?;
        if !contents.heads.contains_key(&digest) {
            let message = format!("{}: it has no line with the digest {digest}", path.display());
            return Err(Failure::refused(message).hint("lines were cut off at its end, or it is another log"));
        }
    }
    if chain.lines() == 0 && args.head.is_empty() {
        return Err(Failure::unknown(format!("{}: it has no lines, so it says nothing", path.display()))
            .hint("--head DIGEST, of a line that was written down"));
    }
    let audit = against(args, &contents)?;
    match args.output {
        Output::Json => render::report(&contents.report(&chain, &audit)),
        Output::Text => render::text(&contents.text(path, &chain)),
    }
    audit.verdict(path)
}

/// How many signatures without a line, and documents that could not be read, are named.
const SHOWN: usize = 12;

/// The signatures on the images that the command line names.
#[derive(Default)]
struct LogAudit {
    matched: Vec<MatchedSignature>,
    /// What could not be read.
    unread: Vec<String>,
}

/// A signature in a store by one of the keys, and the number of its line.
struct MatchedSignature {
    key: KeyId,
    line: Option<usize>,
    reference: String,
    /// What its lines state, where none of them states what was signed.
    said: Vec<String>,
    signature: Digest,
}

/// An image that the command line names.
struct AuditedImage<'a> {
    any_name: bool,
    digest: Digest,
    reference: &'a str,
}

impl AuditedImage<'_> {
    /// Whether a name in the log is a name of this image: in the same repository, layout or archive, and under no other
    /// tag. With `--any-name` every name is.
    fn is_named(&self, item: &str) -> bool {
        let (Ok(item), Ok(ours)) = (item.parse::<Reference>(), self.reference.parse::<Reference>()) else {
            return self.any_name;
        };
        let same_place = match (local(&item), local(&ours)) {
            (Some(item), Some(ours)) => are_same(&item, &ours),
            (None, None) => item.place() == ours.place(),
            _ => false,
        };
        let same_tag = match (item.tag_or_digest(), ours.tag_or_digest()) {
            (Some(TagOrDigest::Tag(item)), Some(TagOrDigest::Tag(ours))) => {
                is_end_of(item, ours) || is_end_of(ours, item)
            }
            _ => true,
        };
        self.any_name || same_place && same_tag
    }
}

/// The path of a layout or archive.
fn local(reference: &Reference) -> Option<PathBuf> {
    match reference {
        Reference::DockerArchive(local) | Reference::Layout(local) | Reference::LayoutArchive(local) => {
            Some(local.path.clone())
        }
        Reference::Registry(_) => None,
    }
}

/// Whether `name` is `whole` or the last parts of it, as `1.0` is of `registry.example/app:1.0`.
fn is_end_of(name: &str, whole: &str) -> bool {
    let before = whole.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
}

impl LogAudit {
    /// Matches every signature of `key` in a document with the line that states exactly what was signed.
    fn look_up(
        &mut self,
        image: &AuditedImage<'_>,
        document: &AttachedDocument,
        key: &PublicKey,
        contents: &LogContents,
    ) {
        let id = key.id().to_string();
        for signature in document.signatures_by(key, &Limits::DEFAULT) {
            let lines = contents.lines.get(&signature.digest).into_iter().flatten();
            let lines: Vec<_> = lines.filter(|line| line.key == id).collect();
            let (line, said) = match signature.line(&lines, &image.digest, |item| image.is_named(item)) {
                Ok(line) => (line, Vec::new()),
                Err(said) => (None, said),
            };
            if let (AuditedStatement::Unreadable(why), Some(_)) = (&signature.statement, line) {
                self.unread.push(format!("{}: signed by the key {}, but {why}", image.reference, key.id().short()));
            }
            let (line, reference) = (line.map(|line| line.number), image.reference.to_owned());
            self.matched.push(MatchedSignature { key: key.id(), line, reference, said, signature: signature.digest });
        }
    }

    /// Yes if each signature has its line and everything was read. A signature without a line is a no, whatever else could
    /// not be read; without one, what could not be read makes it "could not tell".
    fn verdict(&self, path: &Path) -> Result<Exit, Failure> {
        let missing: Vec<_> = self.matched.iter().filter(|found| found.line.is_none()).collect();
        let line =
            |found: &&MatchedSignature| format!("{}  key {}  {}", found.reference, found.key.short(), found.signature);
        let unread = self.unread.iter().map(|why| format!("not read  {why}"));
        let said = missing.iter().flat_map(|found| found.said.iter().map(|said| format!("but {said}")));
        let other = missing.iter().any(|found| !found.said.is_empty());
        let mut details: Vec<_> = missing.iter().map(line).chain(said).chain(unread).collect();
        if details.len() > SHOWN {
            let more = details.split_off(SHOWN).len();
            details.push(format!("and {more} more; --output json has them all"));
        }
        let (lacking, all, path) = (missing.len(), self.matched.len(), path.display());
        match (lacking, self.unread.len()) {
            (0, 0) => Ok(Exit::Yes),
            (0, unread) => {
                let message =
                    format!("{path}: {unread} documents could not be read, so they may hold signatures without a line");
                Err(Failure { code: "unreadable", details, ..Failure::unknown(message) })
            }
            _ => {
                let message = format!("{path}: {lacking} of {all} signatures have no line in it");
                let failure = Failure { details, ..Failure::refused(message) };
                Err(match other {
                    true => failure.hint("--any-name, where the image is a copy of one that was signed elsewhere"),
                    false => failure,
                })
            }
        }
    }
}

/// Finds every signature by the given keys on the given images, and matches it with the log.
fn against(args: &RequestLogVerifyArgs, contents: &LogContents) -> Result<LogAudit, Failure> {
    let keys = keys::publics(&args.key, &args.token)?;
    let mut audit = LogAudit::default();
    if args.against.is_empty() {
        return Ok(audit);
    }
    let stores = Stores::new(&args.registry, &args.against)?;
    let runtime = Runtime::new(Work::Waiting)?;
    for reference in &args.against {
        let (source, tag_or_digest) = stores.source(reference)?;
        let attached = runtime.block_on(audit::attached(source.as_ref(), &tag_or_digest, &Limits::DEFAULT))?;
        audit.unread.extend(attached.unread);
        let Some(digest) = attached.digest else { continue };
        let image = AuditedImage { any_name: args.any_name, digest, reference };
        for document in &attached.documents {
            keys.iter().for_each(|key| audit.look_up(&image, document, key, contents));
        }
    }
    Ok(audit)
}

impl LogContents {
    fn take(&mut self, number: usize, entry: &LogEntry, digest: Digest) {
        self.heads.insert(digest, number);
        let LogEntry { digest, item, key, kind, .. } = entry.clone();
        let line = LogLine { digest, item, key, kind, number };
        self.lines.entry(entry.signature).or_default().push(line);
        let (_, count) = self.keys.entry(entry.key.clone()).or_insert_with(|| (entry.owner.clone(), 0));
        *count = count.saturating_add(1);
        self.span = Some(
            self.span.map_or((entry.time, entry.time), |(first, last)| (first.min(entry.time), last.max(entry.time))),
        );
    }

    fn text(&self, path: &Path, chain: &LogChain) -> Lines {
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
        text
    }

    fn report<'a>(&'a self, chain: &LogChain, audit: &'a LogAudit) -> Report<LogResult<'a>> {
        let matched = audit.matched.iter().map(|found| LoggedSignature {
            key: found.key.to_string(),
            line: found.line,
            reference: &found.reference,
            said: &found.said,
            signature: found.signature,
        });
        let log = LogResult::new(chain.lines(), chain.head());
        let log = self.keys.iter().fold(log, |log, (key, (owner, count))| log.with_key(key, owner, *count));
        Report::new("request log verify", vec![log.with_audit(matched.collect(), &audit.unread)])
    }
}
