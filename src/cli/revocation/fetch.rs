//! The command `revocation fetch`: gathers revocation evidence where there is a network.

use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::revocation::args::RevocationFetchArgs;
use bulla::time::Time;

/// This build has no network code.
#[cfg(not(feature = "registry"))]
pub(super) fn fetch(args: &RevocationFetchArgs, _now: Time) -> Result<Exit, Failure> {
    let RevocationFetchArgs { out, .. } = args;
    let why = "this build of bulla has no network code and cannot fetch revocation evidence";
    Err(Failure::unknown(format!("{}: {why}", out.display())).hint("use a build with the feature `registry`"))
}

#[cfg(feature = "registry")]
pub(super) use online::fetch;

#[cfg(feature = "registry")]
mod online {
    use std::sync::Arc;

    use bulla::files::Overwrite;
    use bulla::limits::Limits;
    use bulla::ops::revocation;
    use bulla::ops::revocation::ChainOptions;
    use bulla::ops::revocation::EvidenceFetcher;
    use bulla::ops::revocation::FoundChains;
    use bulla::ops::revocation::NeededStatus;
    use bulla::report::Report;
    use bulla::report::RevocationFetchResult;
    use bulla::trust::ChainSearch;
    use bulla::trust::ChainSearchError;
    use bulla::trust::RevocationBundle;
    use bulla::trust::VerificationTime;
    use bulla::x509::Anchor;
    use bulla::x509::Purpose;
    use bulla::x509::Status;

    use super::Exit;
    use super::Failure;
    use super::RevocationFetchArgs;
    use super::Time;
    use crate::cli::args::Output;
    use crate::cli::files;
    use crate::cli::line::Foreign;
    use crate::cli::quantity::count;
    use crate::cli::reference_list;
    use crate::cli::registry;
    use crate::cli::render;
    use crate::cli::revocation::check;
    use crate::cli::revocation::check::EvidenceFile;
    use crate::cli::revocation::lookup;
    use crate::cli::runtime::Runtime;
    use crate::cli::runtime::Work;
    use crate::cli::stores::Stores;
    use crate::cli::trust;

    pub(in crate::cli) fn fetch(args: &RevocationFetchArgs, now: Time) -> Result<Exit, Failure> {
        let limits = Limits::DEFAULT;
        let overwrite = if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse };
        let certificates = [&args.cert_chain, &args.ca_roots, &args.signing_authority_roots, &args.timestamp_roots];
        let certificates =
            certificates.into_iter().flatten().map(|path| (path, "a file of certificates that are looked at"));
        files::replaces_none(&args.out, certificates)?;
        files::replaces_none(&args.out, reference_list::archives(&args.references))?;
        reference_list::check_outside(&args.out, &args.references)?;
        files::writable(&args.out, overwrite)?;
        let mut bundle = match &args.merge {
            None => RevocationBundle::new(),
            Some(path) => match check::read(path, &limits)? {
                EvidenceFile::Bundle(bundle) => bundle,
                _ => return Err(Failure::unknown(format!("{}: it is not a portable file", path.display()))),
            },
        };
        let rule = lookup::address_rule(&args.allow_host)?;
        let found = chains(args, now, &limits)?;
        let mut exit = report_unused(&found);
        if found.chains.is_empty() {
            let failure = Failure::unknown("no chain of certificates leads to these roots, so nothing was fetched");
            return Err(failure.hint("--ca-roots FILE, --signing-authority-roots FILE, --timestamp-roots FILE"));
        }
        let mut fetcher = EvidenceFetcher::new(registry::web_client(&args.registry.tls_ca)?, rule, limits.clone());
        let fetched = Runtime::new(Work::Waiting)?.block_on(fetcher.fetch(&found.chains, now));
        let to_failure = |error: String| Failure::unknown(format!("{}: {error}", args.out.display()));
        bundle.merge(fetched.bundle, &limits).map_err(|error| to_failure(error.to_string()))?;
        let entries = bundle.entries().count();
        if entries > 0 {
            let bytes = bundle.to_bytes().map_err(|error| to_failure(error.to_string()))?;
            files::write(&args.out, &bytes, overwrite)?;
        }
        lookup::report(&fetched.problems);
        let statuses = found.statuses(&bundle, now, &limits).map_err(|error| Failure::unknown(error.to_string()))?;
        // A command that writes no file has not done what it was asked for.
        let nothing = (entries == 0).then(|| not_written(args, &statuses));
        exit = exit.and(exit_of(&statuses)).and(nothing.as_ref().map_or(Exit::Yes, |failure| failure.exit));
        match args.output {
            Output::Json => {
                let mut result = RevocationFetchResult::new(&args.out, entries, &found, exit == Exit::Yes);
                statuses.iter().for_each(|needed| result.add_status(needed));
                fetched.problems.iter().for_each(|problem| result.add_problem(problem));
                render::report(&Report::new("revocation fetch", vec![result]));
            }
            Output::Text => {
                statuses.iter().for_each(shown);
                if nothing.is_none() {
                    let (file, pieces) = (args.out.display(), count(entries, "piece"));
                    render::line(format_args!("{file}: {pieces} of revocation evidence"));
                }
            }
        }
        nothing.map_or(Ok(exit), Err)
    }

    /// Why there is no evidence at all. Then no file is written: an empty one would prove nothing.
    fn not_written(args: &RevocationFetchArgs, statuses: &[NeededStatus]) -> Failure {
        let file = args.out.display();
        if statuses.iter().any(|needed| needed.is_named) {
            let why = "no address in these certificates gave evidence that counts";
            return Failure::unknown(format!("{file}: not written: {why}"));
        }
        let why = "none of these certificates names a CRL or an OCSP responder, so there is nothing to fetch";
        Failure::unknown(format!("{file}: not written: {why}"))
            .hint("bulla verify --revocation FILE reads the CRLs that the certificate authority hands out")
    }

    /// The chains of `--cert-chain` and of the signatures on the images.
    fn chains(args: &RevocationFetchArgs, now: Time, limits: &Limits) -> Result<FoundChains, Failure> {
        let anchors: Arc<[Anchor]> = trust::anchors_of(
            &[
                (&args.ca_roots, Purpose::Signing),
                (&args.signing_authority_roots, Purpose::SigningAuthority),
                (&args.timestamp_roots, Purpose::TimeStamping),
            ],
            limits,
        )?;
        let mut found = FoundChains::default();
        for path in &args.cert_chain {
            let certificates = trust::certificates(path, limits)?;
            let added = found.add_presented(certificates, &anchors, now, limits);
            added.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
        }
        if args.references.is_empty() {
            return Ok(found);
        }
        let search = ChainSearch::of_anchors(anchors, limits).map_err(|error| Failure::unknown(error.to_string()))?;
        let strictness = args.envelope_reader.into();
        let options = ChainOptions { limits, search: &search, strictness, time: VerificationTime::now(now) };
        let stores = Stores::new(&args.registry, &args.references)?;
        Runtime::new(Work::Waiting)?.block_on(async {
            for reference in &args.references {
                let (source, tag_or_digest) = stores.source(reference)?;
                let of_image = revocation::chains(source.as_ref(), &tag_or_digest, options).await?;
                found.merge(of_image);
            }
            Ok(found)
        })
    }

    /// Reports the signatures that nothing is fetched for. What could not be read may need evidence: could not tell.
    fn report_unused(found: &FoundChains) -> Exit {
        for rejected in &found.rejected {
            render::note(format_args!("note: nothing is fetched for a signature: {}", Foreign(rejected)));
        }
        for unread in &found.unread {
            render::note(format_args!("warning: {}", Foreign(unread)));
        }
        let is_undetermined = found.rejected.iter().any(ChainSearchError::is_undetermined);
        if found.unread.is_empty() && !is_undetermined { Exit::Yes } else { Exit::Unknown }
    }

    /// A missing status that a verification needs is could not tell.
    fn exit_of(statuses: &[NeededStatus]) -> Exit {
        let is_missing = |needed: &NeededStatus| needed.is_named && matches!(needed.status.status, Status::Unknown(_));
        if statuses.iter().any(is_missing) { Exit::Unknown } else { Exit::Yes }
    }

    /// Prints what the evidence says about a certificate.
    fn shown(needed: &NeededStatus) {
        let certificate = &needed.status.certificate;
        match (&needed.status.status, needed.status.require_good()) {
            (Status::Good { until }, _) => render::line(format_args!("good until {until}: {certificate}")),
            (Status::Revoked(_), Err(error)) => render::line(format_args!("revoked: {error}")),
            (_, Err(_)) if !needed.is_named => render::line(format_args!("names no source: {certificate}")),
            (_, error) => {
                let why = error.err().map(|error| error.to_string()).unwrap_or_default();
                render::line(format_args!("not known: {certificate}"));
                render::note(format_args!("warning: {why}"));
            }
        }
    }
}
