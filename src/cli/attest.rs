//! The command `attest`.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::oci::Subject;
use bulla::ops::attest;
use bulla::ops::attest::AttestOptions;
use bulla::store::Origin;
use bulla::store::Sink;
use bulla::time::Time;

use super::args::ResultsOutput;
use super::attestations::AskedAttestations;
use super::exit::Exit;
use super::exit::Failure;
use super::keys;
use super::reference_list;
use super::render;
use super::request::args::AttestArgs;
use super::results::Results;
use super::runtime::Runtime;
use super::runtime::Work;
use super::scanner_report;
use super::sign;
use super::signatures;
use super::signing_chains;
use super::stores::Stores;
use super::witnesses;

pub(super) fn attest(args: &AttestArgs, now: Time) -> Result<Exit, Failure> {
    scanner_report::check_time(&args.scanner, now)?;
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
    let (signers, resolved) = std::thread::scope(|scope| {
        let signers = scope.spawn(|| keys::signers(&args.key, &args.keys));
        let resolved = runtime.block_on(asked.resolve(args, &stores, &references, &limits));
        (signers.join(), resolved)
    });
    let signers = signers.map_err(|_| Failure::unknown("the keys could not be read"))??;
    let signers = signing_chains::identities(&signers, &chains, &forms)?;
    let resolved = &resolved?;
    asked.note_other_subjects(resolved);
    let (signers, asked, limits) = (signers.as_slice(), &asked, &limits);
    let options =
        AttestOptions { witnessing: witnesses.witnessing(), ..AttestOptions::new(now, sign::when(args.if_missing)) };
    let options = &options;
    let attest = |sink: Arc<dyn Sink>, subject: Subject| -> sign::SignTask<'_> {
        Box::pin(async move {
            let attestation = asked.about(subject.digest(), resolved).clone().named(|| repository(sink.as_ref()));
            attest::attest(sink.as_ref(), &subject, signers, &attestation, options, limits).await
        })
    };
    let mut exit = Exit::Yes;
    let mut reports = Results::of("attest", args.output);
    runtime.block_on(sign::for_each(&references, &resolved.pinned, attest, |reference, outcome| {
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

/// The name that cosign signs by default: the repository. A local path is never signed.
fn repository(sink: &dyn Sink) -> Option<String> {
    match sink.origin() {
        origin @ Origin::Registry { .. } => Some(origin.to_string()),
        Origin::Local(_) => None,
    }
}
