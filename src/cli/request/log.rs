//! The signing log as a file, and the command `request log verify`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::Exit;
use crate::cli::Failure;
use crate::cli::args::Output;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::report;
use crate::cli::request;
use crate::cli::request::args::RequestLogVerifyArgs;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::digest::Digest;
use crate::files;
use crate::files::Accept;
use crate::flow::audit;
use crate::flow::audit::About;
use crate::flow::audit::Document;
use crate::flow::audit::Signature;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::round::Request;
use crate::round::log::Chain;
use crate::round::log::Entry;
use crate::round::response::Made;
use crate::time::Time;

/// A signing log that is open for writing, for us alone, and whole so far.
pub(super) struct Log {
    chain: Chain,
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens the log at `path`, or begins one. One that was tampered with is not written to.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = files::append(path)?;
        let chain = follow(path, &file, |_, _| {})?;
        Ok(Self { chain, file, path: path.to_owned() })
    }

    /// Appends a line for each signature. When it returns they are on the disk.
    pub(super) fn append(&mut self, request: &Request, made: &[Made], key: KeyId, now: Time) -> Result<(), Failure> {
        let told = |error| request::told(&self.path, error);
        let mut lines = Vec::new();
        for made in made {
            let entry = Entry::of(request, made, key, now).map_err(told)?;
            lines.extend(self.chain.append(&entry, &Limits::DEFAULT).map_err(told)?);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::unknown(format!("{}: {error}", self.path.display())))
    }
}

/// Reads a log line by line and checks that each follows from the one before.
fn follow(path: &Path, file: impl Read, mut each: impl FnMut(&Entry, Digest)) -> Result<Chain, Failure> {
    let limits = Limits::DEFAULT;
    let most = u64::try_from(limits.signing_log_line_bytes).unwrap_or(u64::MAX).saturating_add(2);
    let mut reader = BufReader::new(file);
    let mut chain = Chain::default();
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

/// A line of a log, as far as it is looked up.
struct Line {
    /// What was signed.
    digest: Digest,
    /// The key that signed.
    key: String,
    number: usize,
}

/// What a log says, for looking things up.
#[derive(Default)]
struct Contents {
    /// The lines of each signature.
    lines: BTreeMap<Digest, Vec<Line>>,
    /// How many signatures of each key there are, and of whom.
    keys: BTreeMap<String, (String, usize)>,
    heads: BTreeMap<Digest, usize>,
    span: Option<(Time, Time)>,
}

pub(super) fn verify(args: &RequestLogVerifyArgs) -> Result<Exit, Failure> {
    let path = args.log.as_path();
    let file = files::open(path, Accept::File)?;
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
        Output::Json => render::json(&contents.json(&chain, &audit)),
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
    signature: Digest,
}

impl Audit {
    /// Every signature of `key` in a document. It has its line where that is one of this key about the same digest.
    fn look_up(&mut self, reference: &str, document: &Document, key: &PublicKey, contents: &Contents) {
        for Signature { digest, about } in document.signatures_by(key, &Limits::DEFAULT) {
            let mut lines = contents.lines.get(&digest).into_iter().flatten();
            let line = lines.find(|line| line.key == key.id().to_string() && is_about(&about, line));
            if let (About::Unreadable(why), Some(_)) = (&about, &line) {
                self.unread.push(format!("{reference}: signed by the key {}, but {why}", key.id().short()));
            }
            let (line, reference) = (line.map(|line| line.number), reference.to_owned());
            self.matched.push(Matched { key: key.id(), line, reference, signature: digest });
        }
    }

    /// Yes where each signature has its line and nothing was left unread; a signature without one is a no, whatever else
    /// could not be read.
    fn verdict(&self, path: &Path) -> Result<Exit, Failure> {
        let missing: Vec<_> = self.matched.iter().filter(|found| found.line.is_none()).collect();
        let line = |found: &&Matched| format!("{}  key {}  {}", found.reference, found.key.short(), found.signature);
        let unread = self.unread.iter().map(|why| format!("not read  {why}"));
        let mut details: Vec<_> = missing.iter().map(line).chain(unread).collect();
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
                Err(Failure { details, ..Failure::refused(message) })
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
        let (source, selector) = stores.source(reference)?;
        let hanging = runtime.block_on(audit::hanging(source.as_ref(), &selector, &Limits::DEFAULT))?;
        audit.unread.extend(hanging.unread);
        for document in &hanging.documents {
            keys.iter().for_each(|key| audit.look_up(reference, document, key, contents));
        }
    }
    Ok(audit)
}

/// Whether a line is about what was signed, as far as that can be read.
fn is_about(about: &About, line: &Line) -> bool {
    match about {
        About::Digests(digests) => digests.contains(&line.digest),
        About::Unreadable(_) => true,
    }
}

impl Contents {
    fn take(&mut self, number: usize, entry: &Entry, digest: Digest) {
        self.heads.insert(digest, number);
        let line = Line { digest: entry.digest, key: entry.key.clone(), number };
        self.lines.entry(entry.signature).or_default().push(line);
        let (_, count) = self.keys.entry(entry.key.clone()).or_insert_with(|| (entry.owner.clone(), 0));
        *count = count.saturating_add(1);
        self.span = Some(
            self.span.map_or((entry.time, entry.time), |(first, last)| (first.min(entry.time), last.max(entry.time))),
        );
    }

    fn text(&self, path: &Path, chain: &Chain) -> Lines {
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

    fn json(&self, chain: &Chain, audit: &Audit) -> serde_json::Value {
        let matched = audit.matched.iter().map(|found| {
            let Matched { key, line, reference, signature } = found;
            json!({ "reference": reference, "key": key.to_string(), "signature": signature, "line": line })
        });
        let keys =
            self.keys.iter().map(|(key, (owner, count))| json!({ "key": key, "owner": owner, "signatures": count }));
        report::whole(
            "request log verify",
            vec![json!({
                "lines": chain.lines(),
                "head": chain.head(),
                "keys": keys.collect::<Vec<_>>(),
                "matched": matched.collect::<Vec<_>>(),
                "unread": audit.unread,
            })],
        )
    }
}
