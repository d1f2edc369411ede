//! `LogFile`: the signing log as an append-only file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::exit::Failure;
use crate::cli::request::documents;
use bulla::digest::Digest;
use bulla::files::append;
use bulla::files::regular;
use bulla::key::KeyId;
use bulla::limits::Limits;
use bulla::request::LogChain;
use bulla::request::LogEntry;
use bulla::request::NewSignature;
use bulla::request::SigningRequest;
use bulla::request::SigningResponse;
use bulla::time::Time;

/// A signing log that is open for writing, locked against other writers, and verified to its end.
pub(super) struct LogFile {
    chain: LogChain,
    file: File,
    path: PathBuf,
}

impl LogFile {
    /// Opens or creates the log at `path`, and verifies its hash chain. A log with a broken chain is not written to.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = append(path)?;
        let chain = follow(path, &file, |_, _| {})?;
        Ok(Self { chain, file, path: path.to_owned() })
    }

    /// Appends a line for each signature, and returns once they are synced to the disk.
    pub(super) fn append(
        &mut self,
        request: &SigningRequest,
        made: &[NewSignature],
        key: KeyId,
        now: Time,
    ) -> Result<(), Failure> {
        let failure = |error| documents::failure(&self.path, error);
        let mut lines = Vec::new();
        for made in made {
            let entry = request.log_entry(made, key, now).map_err(failure)?;
            lines.extend(self.chain.append(&entry, &Limits::DEFAULT).map_err(failure)?);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::unknown(format!("{}: {error}", self.path.display())))
    }
}

/// The keys with signatures in `response` that have no line in the log at `path`, and the number of these.
pub(super) fn unlogged(
    path: &Path,
    request: &SigningRequest,
    response: &SigningResponse,
) -> Result<BTreeMap<KeyId, usize>, Failure> {
    let mut missing: BTreeMap<Digest, Vec<(KeyId, LogEntry)>> = BTreeMap::new();
    for signer in response.signers() {
        let key = signer.key().id();
        for made in signer.made() {
            let entry = request.log_entry(&made, key, request.created());
            let entry = entry.map_err(|error| documents::failure(path, error))?;
            missing.entry(made.signature).or_default().push((key, entry));
        }
    }
    if let Some((file, _)) = regular(path)?.filter(|_| !missing.is_empty()) {
        follow(path, file, |line, _| {
            let same = |(_, entry): &(KeyId, LogEntry)| LogEntry { time: line.time, ..entry.clone() } == *line;
            missing.entry(line.signature).and_modify(|entries| entries.retain(|entry| !same(entry)));
        })?;
    }
    let mut keys: BTreeMap<KeyId, usize> = BTreeMap::new();
    for (key, _) in missing.into_values().flatten() {
        keys.entry(key).and_modify(|count| *count = count.saturating_add(1)).or_insert(1);
    }
    Ok(keys)
}

/// Reads a log line by line, and verifies its hash chain: each line has the digest of the line before.
pub(super) fn follow(
    path: &Path,
    file: impl Read,
    mut each: impl FnMut(&LogEntry, Digest),
) -> Result<LogChain, Failure> {
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
            let why = "line {}: it has no end: it is too long, or writing it was interrupted";
            let why = why.replace("{}", &chain.lines().saturating_add(1).to_string());
            let message = format!("{}: {why}", path.display());
            if chain.lines() == 0 {
                return Err(Failure::unknown(message).hint("is it a signing log? request sign --log FILE writes one"));
            }
            return Err(Failure::refused(message).hint(
                "a signature is written to the response after its line is complete, so an incomplete line belongs to no \
                 signature; keep the file as it is, and log to a new one",
            ));
        };
        let entry = chain.follow(body, &limits).map_err(|error| documents::failure(path, error))?;
        each(&entry, Digest::sha256(body));
    }
}
