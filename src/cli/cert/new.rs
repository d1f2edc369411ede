//! The command `cert new`: a certificate authority for tests, and certificates below it.
//!
//! The private keys of the authority are never written and end with the command, so that a root that was made for a test
//! cannot be used by anybody to issue another certificate. Several certificates below one root are made in one call, from
//! requests.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use bulla::files::Overwrite;
use bulla::files::Uncommitted;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::key::file;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::CertificationRequest;
use bulla::x509::Lint;
use bulla::x509::LintOutcome;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::SerialNumber;
use bulla::x509::TestAuthority;

use crate::cli::args::CertKeyType;
use crate::cli::args::CertNewArgs;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::render::Rows;
use crate::cli::secret;

use super::csr::subject;

pub(super) fn new(args: &CertNewArgs, now: Time) -> Result<Exit, Failure> {
    let folder = Folder::new(&args.out)?;
    let kind = match args.kind {
        CertKeyType::P256 => KeyKind::P256,
        CertKeyType::P384 => KeyKind::P384,
    };
    let purpose = Purpose::from(args.purpose);
    let mut made = match args.csr.as_slice() {
        [] => Made::with_key(args, kind, purpose, now)?,
        requests => Made::for_requests(args, requests, kind, purpose, now)?,
    };
    let kept = folder.write(&made.files)?;
    kept.into_iter().for_each(Uncommitted::keep);
    made.rows.push(("valid until".to_owned(), made.end.to_string()));
    render::table(&made.rows);
    render::note(
        "note: this is for tests: the keys of this certificate authority were not written, and nobody has them",
    );
    if made.unprotected {
        let path = args.out.join(KEY);
        render::note(format_args!("warning: {} is not encrypted: anybody who reads it can sign", path.display()));
    }
    Ok(Exit::Yes)
}

/// What is to be written, and what is said about it.
struct Made {
    end: Time,
    files: Vec<(OsString, Content)>,
    rows: Rows,
    unprotected: bool,
}

enum Content {
    Private(Zeroizing<String>),
    Public(String),
}

impl Made {
    /// A key, and a certificate for it.
    fn with_key(args: &CertNewArgs, kind: KeyKind, purpose: Purpose, now: Time) -> Result<Self, Failure> {
        let name = subject(&args.subject)?;
        let passphrase = match args.no_passphrase {
            true => None,
            false => {
                let file = args.out.join(KEY).display().to_string();
                Some(secret::new(&args.passphrase, &file, "--no-passphrase")?)
            }
        };
        let key = PrivateKey::generate(kind).map_err(|error| failed(&error))?;
        let text = match &passphrase {
            Some(passphrase) => Zeroizing::new(key.to_sigstore_pem(passphrase).map_err(|error| failed(&error))?),
            None => key.to_pkcs8_pem(),
        };
        let mut made = Self::empty(args, now)?;
        let authority = made.authority(kind, now)?;
        let chain = authority.issue(&name, key.public_key(), purpose, &serial()?).map_err(|error| failed(&error))?;
        let chain: Vec<_> = chain.iter().cloned().collect();
        made.row("private key", args.out.join(KEY).display());
        made.row("public key", args.out.join(PUBLIC).display());
        made.row("chain", args.out.join(CHAIN).display());
        made.row("root", args.out.join(ROOT).display());
        made.row("subject", Foreign(&args.subject));
        made.row("algorithm", key.public_key().algorithm());
        made.row("key id", key.public_key().id());
        made.unprotected = passphrase.is_none();
        made.files = vec![
            (KEY.into(), Content::Private(text)),
            (PUBLIC.into(), Content::Public(key.public_key().to_pem())),
            (CHAIN.into(), Content::Public(chain.iter().map(Certificate::to_pem).collect())),
            (ROOT.into(), Content::Public(authority.root().to_pem())),
        ];
        Ok(made)
    }

    /// A certificate for each request.
    fn for_requests(
        args: &CertNewArgs,
        requests: &[PathBuf],
        kind: KeyKind,
        purpose: Purpose,
        now: Time,
    ) -> Result<Self, Failure> {
        let limits = Limits::DEFAULT;
        let mut made = Self::empty(args, now)?;
        let authority = made.authority(kind, now)?;
        for path in requests {
            let of_file = |error: String| Failure::unknown(format!("{}: {error}", path.display()));
            let bytes = files::read(path, limits.envelope.bundle_bytes)?;
            let request = CertificationRequest::parse(&bytes, &limits).map_err(|error| of_file(error.to_string()))?;
            let chain = authority.issue_requested(&request, purpose, &serial()?);
            let chain = chain.map_err(|error| of_file(error.to_string()))?;
            // What verifiers would refuse is not issued: a key that the notary formats do not have, for example.
            let lint = Lint::run(&chain, purpose, &Profile::NOTARY, now, &limits);
            if let Some(finding) = lint.failed().find(|finding| finding.outcome != LintOutcome::Passed) {
                let found = finding.found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
                let wanted = finding.wanted.as_ref().map(|wanted| format!(", wanted {wanted}")).unwrap_or_default();
                let why = format!("{}: {}{found}{wanted}", finding.rule, finding.rule.broken());
                return Err(of_file(format!("a certificate for this request would be refused: {why}")));
            }
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push("-");
            name.push(CHAIN);
            if made.files.iter().any(|(known, _)| *known == name) {
                return Err(of_file("another request has the same file name".to_owned()));
            }
            made.row("chain", args.out.join(&name).display());
            made.row("subject", Foreign(request.subject()));
            made.row("key id", request.key().id());
            made.files.push((name, Content::Public(chain.iter().map(Certificate::to_pem).collect())));
        }
        made.row("root", args.out.join(ROOT).display());
        made.files.push((ROOT.into(), Content::Public(authority.root().to_pem())));
        Ok(made)
    }

    fn empty(args: &CertNewArgs, now: Time) -> Result<Self, Failure> {
        let seconds = i64::try_from(args.expiry.as_secs()).ok();
        let end = seconds.and_then(|seconds| now.unix().checked_add(seconds)).and_then(Time::from_unix);
        let end = end.ok_or_else(|| Failure::unknown("--expiry: it ends after the year 9999"))?;
        Ok(Self { end, files: Vec::new(), rows: Vec::new(), unprotected: false })
    }

    /// A new certificate authority, whose certificates begin to be valid a little before `now`: clocks differ.
    fn authority(&self, kind: KeyKind, now: Time) -> Result<TestAuthority, Failure> {
        let key = || PrivateKey::generate(kind).map_err(|error| failed(&error));
        let begin = Time::from_unix(now.unix().saturating_sub(BACKDATED)).unwrap_or(now);
        let serials = [serial()?, serial()?];
        TestAuthority::new(key()?, key()?, &serials, (begin, self.end)).map_err(|error| failed(&error))
    }

    fn row(&mut self, label: &str, value: impl ToString) {
        self.rows.push((label.to_owned(), value.to_string()));
    }
}

/// The directory that is written into.
struct Folder<'a> {
    path: &'a Path,
}

impl<'a> Folder<'a> {
    /// Checks early that it does not exist, or is empty.
    fn new(path: &'a Path) -> Result<Self, Failure> {
        let unusable = |why: String| Failure::unknown(format!("{}: {why}", path.display()));
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Ok(Self { path }),
            Ok(false) => Err(unusable("the directory is not empty; nothing was written".to_owned())
                .hint("choose a new directory with -o DIR")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { path }),
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    /// Writes all files or none: what was written goes away unless it is kept.
    fn write(&self, all: &[(OsString, Content)]) -> Result<Vec<Uncommitted>, Failure> {
        let to_failure = |error: std::io::Error| Failure::unknown(format!("{}: {error}", self.path.display()));
        let folder = match self.path.is_dir() {
            true => None,
            false => Some(Uncommitted::create_directory(self.path).map_err(to_failure)?),
        };
        // Dropped before the directory that they are in.
        let mut written = Vec::new();
        for (name, content) in all {
            let path = self.path.join(name);
            match content {
                Content::Private(text) => {
                    file::write_private(&path, text, Overwrite::Refuse).map_err(|error| failed(&error))?;
                }
                Content::Public(text) => files::write(&path, text.as_bytes(), Overwrite::Refuse)?,
            }
            written.push(Uncommitted::file(&path));
        }
        written.extend(folder);
        Ok(written)
    }
}

fn serial() -> Result<SerialNumber, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| failed(&error))?;
    Ok(SerialNumber::from_random(random))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::unknown(error.to_string())
}

const KEY: &str = "signer.key";
const PUBLIC: &str = "signer.pub";
const CHAIN: &str = "chain.pem";
const ROOT: &str = "root.pem";
/// How long before now certificates begin to be valid, in seconds.
const BACKDATED: i64 = 300;
