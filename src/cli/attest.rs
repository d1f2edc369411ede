//! The command `attest`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::Forms;
use bulla::limits::Limits;
use bulla::oci::Platform;
use bulla::ops::attest;
use bulla::ops::attest::AttestOptions;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::predicate_type;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::store::Origin;
use bulla::store::Sink;
use bulla::time::Time;

use super::args::ResultsOutput;
use super::exit::Exit;
use super::exit::Failure;
use super::keys;
use super::predicate;
use super::reference_list;
use super::render;
use super::request::args::AttestArgs;
use super::results::Results;
use super::runtime::Runtime;
use super::runtime::Work;
use super::sign;
use super::sign::Pinned;
use super::signatures;
use super::signing_chains;
use super::stores::Stores;
use super::witnesses;

pub(super) fn attest(args: &AttestArgs, now: Time) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    let forms = args.format.attestation()?;
    let asked = AskedAttestations::read(args, &forms, &references, &limits)?;
    let chains = signing_chains::read_files(&args.cert_chain, &forms, now, &limits)?;
    let read = witnesses::read(&args.witnesses, &forms, &args.registry.tls_ca, now, &limits)?;
    let witnesses = read.asked();
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, &references)?;
    // Deriving a key from the passphrase is slow by design, so the references are resolved at the same time.
    let (signers, pinned) = std::thread::scope(|scope| {
        let signers = scope.spawn(|| keys::signers(&args.key, &args.keys));
        let pinned = runtime.block_on(asked.resolve(args, &stores, &references, &limits));
        (signers.join(), pinned)
    });
    let signers = signers.map_err(|_| Failure::unknown("the keys could not be read"))??;
    let signers = signing_chains::identities(&signers, &chains, &forms)?;
    let (pinned, numbers) = pinned?;
    let (signers, asked, numbers, limits) = (signers.as_slice(), &asked, &numbers, &limits);
    let options =
        AttestOptions { witnessing: witnesses.witnessing(), ..AttestOptions::new(now, sign::when(args.if_missing)) };
    let options = &options;
    let attest = |sink: Arc<dyn Sink>, subject: bulla::oci::Subject| -> sign::SignTask<'_> {
        Box::pin(async move {
            let attestation = asked.about(subject.digest(), numbers).clone().named(|| repository(sink.as_ref()));
            attest::attest(sink.as_ref(), &subject, signers, &attestation, options, limits).await
        })
    };
    let mut exit = Exit::Yes;
    let mut reports = Results::of("attest", args.output);
    runtime.block_on(sign::for_each(&references, &pinned, attest, |reference, outcome| {
        let (signed, failure) = &outcome;
        match args.output {
            ResultsOutput::Text => {
                signatures::signed(reference, signed);
                failure.iter().for_each(|failure| render::failure(&failure.clone().of(reference, &references)));
            }
            ResultsOutput::Json | ResultsOutput::Jsonl => reports.add(sign::report(reference, &outcome)),
        }
        exit = exit.and(failure.as_ref().map_or(Exit::Yes, |failure| failure.exit));
    }));
    reports.end();
    Ok(exit)
}

/// What the command line asks to attest.
struct AskedAttestations {
    /// The attestation about every subject, or about the first platform.
    first: Attestation,
    /// The platforms that have an attestation of their own; none if all subjects have the same.
    platforms: Vec<Platform>,
    /// The attestations about the other platforms.
    rest: Vec<Attestation>,
}

/// The number of the attestation about each subject, by its digest, where they differ.
type Numbers = BTreeMap<Digest, usize>;

impl AskedAttestations {
    fn read(args: &AttestArgs, forms: &Forms, references: &[String], limits: &Limits) -> Result<Self, Failure> {
        let all = |content| Attestation { content, forms: forms.clone() };
        if let Some(path) = &args.statement {
            let first = all(AttestationContent::Statement(predicate::statement(path, limits)?));
            return Ok(Self { first, platforms: Vec::new(), rest: Vec::new() });
        }
        let predicate_type = predicate_type(args.predicate_type.as_deref().unwrap_or_default())?;
        let read = |path: &str| {
            Ok::<_, Failure>(all(AttestationContent::Predicate {
                name: args.signed_reference.clone(),
                predicate: predicate::read(Path::new(path), limits)?,
                predicate_type: predicate_type.to_owned(),
            }))
        };
        let mut files = args.predicate.iter();
        let Some(first) = files.next() else { return Err(Failure::unknown("no predicate was given")) };
        let (mut platforms, mut rest) = (Vec::new(), Vec::new());
        let first = match of_platform(first).filter(|_| args.all_platforms) {
            Some((platform, file)) => {
                platforms.push(platform);
                read(file)?
            }
            None => {
                predicate::check_same_for_all(predicate_type, args.all_platforms)?;
                read(first)?
            }
        };
        for file in files {
            match of_platform(file).filter(|_| !platforms.is_empty()) {
                Some((platform, file)) => {
                    platforms.push(platform);
                    rest.push(read(file)?);
                }
                None => {
                    return Err(Failure::unknown("several predicates are for several platforms of an index")
                        .hint("--all-platforms --predicate linux/amd64=FILE --predicate linux/arm64=FILE"));
                }
            }
        }
        match (platforms.is_empty(), references) {
            (true, _) | (false, [_]) => Ok(Self { first, platforms, rest }),
            (false, _) => Err(Failure::unknown("documents about platforms are about one image, and several are given")
                .hint("one command for each image")),
        }
    }

    /// Resolves the references to the subjects, and numbers the attestations about platforms.
    async fn resolve(
        &self,
        args: &AttestArgs,
        stores: &Stores,
        references: &[String],
        limits: &Limits,
    ) -> Result<(Vec<Result<Pinned, Failure>>, Numbers), Failure> {
        let Some(reference) = references.first().filter(|_| !self.platforms.is_empty()) else {
            let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
            return Ok((sign::resolve(stores, references, platforms, limits).await, Numbers::new()));
        };
        let (sink, tag_or_digest) = stores.existing_sink(reference)?;
        let subjects = attest::platform_subjects(sink.as_ref(), &tag_or_digest, &self.platforms, limits).await?;
        let numbers = subjects.iter().enumerate().map(|(number, subject)| (*subject.digest(), number)).collect();
        Ok((vec![Ok((sink, subjects))], numbers))
    }

    /// The attestation about this subject.
    fn about(&self, digest: &Digest, numbers: &Numbers) -> &Attestation {
        let number = numbers.get(digest).and_then(|number| number.checked_sub(1));
        number.and_then(|number| self.rest.get(number)).unwrap_or(&self.first)
    }
}

/// `PLATFORM=FILE`, taken apart.
fn of_platform(typed: &str) -> Option<(Platform, &str)> {
    let (platform, file) = typed.split_once('=')?;
    Some((Platform::parse(platform)?, file))
}

/// The name that cosign signs by default: the repository. A local path is never signed.
fn repository(sink: &dyn Sink) -> Option<String> {
    match sink.origin() {
        origin @ Origin::Registry { .. } => Some(origin.to_string()),
        Origin::Local(_) => None,
    }
}
