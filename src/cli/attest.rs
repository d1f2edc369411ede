//! The command `attest`.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::ops::attest;
use bulla::ops::attest::AttestOptions;
use bulla::ops::sign::SignedPlatforms;
use bulla::predicate::predicate_type;
use bulla::request::Attestation;
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
use super::signatures;
use super::signing_chains;
use super::stores::Stores;
use super::witnesses;

pub(super) fn attest(args: &AttestArgs, now: Time) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    let attestation = attestation(args, &limits)?;
    let forms = &attestation.forms;
    let chains = signing_chains::read_files(&args.cert_chain, forms, now, &limits)?;
    let read = witnesses::read(&args.witnesses, forms, &args.registry.tls_ca, now, &limits)?;
    let asked = read.asked();
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, &references)?;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    // Deriving a key from the passphrase is slow by design, so the references are resolved at the same time.
    let (signers, pinned) = std::thread::scope(|scope| {
        let signers = scope.spawn(|| keys::signers(&args.key, &args.keys));
        let pinned = runtime.block_on(sign::resolve(&stores, &references, platforms, &limits));
        (signers.join(), pinned)
    });
    let signers = signers.map_err(|_| Failure::unknown("the keys could not be read"))??;
    let signers = signing_chains::identities(&signers, &chains, &attestation.forms)?;
    let (signers, attestation, limits) = (signers.as_slice(), &attestation, &limits);
    let options =
        AttestOptions { witnessing: asked.witnessing(), ..AttestOptions::new(now, sign::when(args.if_missing)) };
    let options = &options;
    let attest = |sink: Arc<dyn Sink>, subject| -> sign::SignTask<'_> {
        Box::pin(async move {
            let attestation = named(attestation, sink.as_ref());
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

fn attestation(args: &AttestArgs, limits: &Limits) -> Result<Attestation, Failure> {
    Ok(Attestation {
        forms: args.format.attestation()?,
        name: args.signed_reference.clone(),
        predicate: predicate::read(&args.predicate, limits)?,
        predicate_type: predicate_type(&args.predicate_type)?.to_owned(),
    })
}

/// Adds the name to sign: as cosign does, the repository unless a name was given. A local path is never signed.
fn named(attestation: &Attestation, sink: &dyn Sink) -> Attestation {
    let repository = match sink.origin() {
        origin @ Origin::Registry { .. } => Some(origin.to_string()),
        Origin::Local(_) => None,
    };
    Attestation { name: attestation.name.clone().or(repository), ..attestation.clone() }
}
