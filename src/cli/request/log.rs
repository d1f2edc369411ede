//! The signing log as a file, and the command `request log verify`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::request;
use crate::cli::request::args::RequestLogVerifyArgs;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::digest::Digest;
use crate::files::Accept;
use crate::files::append;
use crate::files::open;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Reference;
use crate::oci::TagOrDigest;
use crate::ops::audit;
use crate::ops::audit::AttachedDocument;
use crate::ops::audit::AuditedStatement;
use crate::ops::audit::LogLine;
use crate::report::LogResult;
use crate::report::LoggedSignature;
use crate::report::Report;
use crate::request::LogChain;
use crate::request::LogEntry;
use crate::request::SigningRequest;
use crate::request::log::NewSignature;
use crate::time::Time;

/// A signing log that is open for writing, for us alone, and whole so far.
pub(super) struct Log {
    chain: LogChain,
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens the log at `path`, or begins one. One that was tampered with is not written to.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = append(path)?;
        let chain = follow(path, &file, |_, _| {})?;
        Ok(Self { chain, file, path: path.to_owned() })
    }

    /// Appends a line for each signature. When it returns they are on the disk.
    pub(super) fn append(
        &mut self,
        request: &SigningRequest,
        made: &[NewSignature],
        key: KeyId,
        now: Time,
    ) -> Result<(), Failure> {
        let told = |error| request::told(&self.path, error);
        let mut lines = Vec::new();
        for made in made {
            let entry = request.log_entry(made, key, now).map_err(told)?;
            lines.extend(self.chain.append(&entry, &Limits::DEFAULT).map_err(told)?);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::unknown(format!("{}: {error}", self.path.display())))
    }
}

/// Reads a log line by line and checks that each follows from the one before.
fn follow(path: &Path, file: impl Read, mut each: impl FnMut(&LogEntry, Digest)) -> Result<LogChain, Failure> {
    let limits = Limits::DEFAULT;
    let most = limits.request.log_line_bytes.saturating_add(2);
    let mut reader = BufReader::new(file);
    let mut chain = LogChain::default();
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(most).read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))? == 0 {
            return Ok(chain);
        }
        let Some((b'\n', body)) = line.split_last() else {
            let why = "line {}: it does not end: it is too long, or writing it was cut short";
            let why = why.replace("{}", &chain.lines().saturating_add(1).to_string());
            let message = format!("{}: {why}", path.display());
            if chain.lines() == 0 {
                return Err(Failure::unknown(message).hint("is it a signing log? request sign --log FILE writes one"));
            }
            return Err(Failure::refused(message).hint(
                "a signature is only given out once its line is whole, so a line that was cut short belongs to none; \
                 keep the file as it is, and log to a new one",
            ));
        };
        let entry = chain.follow(body, &limits).map_err(|error| request::told(path, error))?;
        each(&entry, Digest::sha256(body));
    }
}

/// What a log says, for looking things up.
#[derive(Default)]
struct Contents {
    /// The lines of each signature.
    lines: BTreeMap<Digest, Vec<LogLine>>,
    /// How many signatures of each key there are, and of whom.
    keys: BTreeMap<String, (String, usize)>,
    heads: BTreeMap<Digest, usize>,
    span: Option<(Time, Time)>,
}

pub(super) fn verify(args: &RequestLogVerifyArgs) -> Result<Exit, Failure> {
    let path = args.log.as_path();
    let file = open(path, Accept::File)?;
    let mut contents = Contents::default();
    let mut number = 0_usize;
    let chain = follow(path, file, |entry, digest| {
        number = number.saturating_add(1);
        contents.take(number, entry, digest);
    })?;
    for head in &args.head {
        let digest: Digest =
            head.parse().map_err(|error: crate::digest::DigestError| Failure::unknown(error.to_string()))?;
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

/// How many signatures without a line, and documents that were not read, are named.
const SHOWN: usize = 12;

/// What was found on the images that were named.
#[derive(Default)]
struct Audit {
    matched: Vec<Matched>,
    /// What could not be read.
    unread: Vec<String>,
}

/// A signature in a store by one of the keys, and its line.
struct Matched {
    key: KeyId,
    line: Option<usize>,
    reference: String,
    /// What its lines say, where none of them says what was signed.
    said: Vec<String>,
    signature: Digest,
}

/// An image that was named, and how its names in the log are taken.
struct Image<'a> {
    any_name: bool,
    digest: Digest,
    reference: &'a str,
}

impl Image<'_> {
    /// Whether a name in the log is one of this image: the same place, and no other tag.
    fn is_named(&self, item: &str) -> bool {
        let (Ok(item), Ok(ours)) = (item.parse::<Reference>(), self.reference.parse::<Reference>()) else {
            return self.any_name;
        };
        let same_place = match (local(&item), local(&ours)) {
            (Some(item), Some(ours)) => files::are_same(&item, &ours),
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

/// Whether a name is another one or the last parts of it: `1.0` of `registry.example/app:1.0`.
fn is_end_of(name: &str, whole: &str) -> bool {
    let before = whole.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
}

impl Audit {
    /// Every signature of `key` in a document. It has its line where that says exactly what was signed.
    fn look_up(&mut self, image: &Image<'_>, document: &AttachedDocument, key: &PublicKey, contents: &Contents) {
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
            self.matched.push(Matched { key: key.id(), line, reference, said, signature: signature.digest });
        }
    }

    /// Yes where each signature has its line and nothing was left unread; a signature without one is a no, whatever else
    /// could not be read.
    fn verdict(&self, path: &Path) -> Result<Exit, Failure> {
        let missing: Vec<_> = self.matched.iter().filter(|found| found.line.is_none()).collect();
        let line = |found: &&Matched| format!("{}  key {}  {}", found.reference, found.key.short(), found.signature);
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
                let message = format!("{path}: {unread} documents could not be read, so nobody can say whose they are");
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

/// Looks up each signature by the given keys that hangs on the given images.
fn against(args: &RequestLogVerifyArgs, contents: &Contents) -> Result<Audit, Failure> {
    let keys = keys::publics(&args.key, &args.token)?;
    let mut audit = Audit::default();
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
        let image = Image { any_name: args.any_name, digest, reference };
        for document in &attached.documents {
            keys.iter().for_each(|key| audit.look_up(&image, document, key, contents));
        }
    }
    Ok(audit)
}

impl Contents {
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

    fn report<'a>(&'a self, chain: &LogChain, audit: &'a Audit) -> Report<LogResult<'a>> {
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
