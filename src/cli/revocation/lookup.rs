//! `--revocation-attached` and `--revocation-online`: where `verify` and `import` look for more revocation evidence.

use bulla::ops::revocation::RevocationLookup;

use crate::cli::args::RegistryArgs;
use crate::cli::exit::Failure;
use crate::cli::render;
use crate::cli::revocation::args::RevocationLookupArgs;

#[cfg(feature = "registry")]
pub(super) use online::address_rule;
#[cfg(feature = "registry")]
pub(super) use online::report;

/// Where evidence is looked for; `None` without these options.
pub(in crate::cli) fn lookup(
    args: &RevocationLookupArgs,
    registry: &RegistryArgs,
) -> Result<Option<RevocationLookup>, Failure> {
    if !args.revocation_attached && !args.revocation_online {
        return Ok(None);
    }
    let lookup = RevocationLookup::new();
    let lookup = if args.revocation_attached { lookup.with_attached() } else { lookup };
    let lookup = if args.revocation_online { online::with(lookup, args, registry)? } else { lookup };
    Ok(Some(lookup))
}

/// Says what an import leaves behind: files of revocation evidence, which nobody signed, and the command for the destination.
pub(in crate::cli) fn note_left_behind(lookup: Option<&RevocationLookup>) {
    for digest in lookup.map(RevocationLookup::attached_to).unwrap_or_default() {
        render::note(format_args!(
            "note: the revocation evidence attached to {digest} is not imported, since nobody signed it: at the destination, \
             bulla revocation attach REF@{digest} FILE"
        ));
    }
}

/// Reports the addresses from which nothing was kept.
pub(in crate::cli) fn report_problems(lookup: Option<RevocationLookup>) {
    #[cfg(feature = "registry")]
    if let Some(lookup) = lookup {
        report(&lookup.problems());
    }
    #[cfg(not(feature = "registry"))]
    drop(lookup);
}

/// This build has no network code.
#[cfg(not(feature = "registry"))]
mod online {
    use super::Failure;
    use super::RegistryArgs;
    use super::RevocationLookup;
    use super::RevocationLookupArgs;

    pub(super) fn with(
        _lookup: RevocationLookup,
        _args: &RevocationLookupArgs,
        _registry: &RegistryArgs,
    ) -> Result<RevocationLookup, Failure> {
        let why = "--revocation-online: this build of bulla has no network code";
        Err(Failure::unknown(why).hint("--revocation FILE"))
    }
}

#[cfg(feature = "registry")]
mod online {
    use bulla::limits::Limits;
    use bulla::ops::revocation::EvidenceFetcher;
    use bulla::ops::revocation::FetchProblem;
    use bulla::store::web::AddressRule;
    use bulla::store::web::AllowedHostError;

    use super::Failure;
    use super::RegistryArgs;
    use super::RevocationLookup;
    use super::RevocationLookupArgs;
    use crate::cli::registry;
    use crate::cli::render;

    pub(super) fn with(
        lookup: RevocationLookup,
        args: &RevocationLookupArgs,
        options: &RegistryArgs,
    ) -> Result<RevocationLookup, Failure> {
        let rule = address_rule(&args.allow_host)?;
        Ok(lookup.with_online(EvidenceFetcher::new(registry::web_client(&options.tls_ca)?, rule, Limits::DEFAULT)))
    }

    /// Public addresses, and the hosts of `--allow-host`.
    pub(in crate::cli::revocation) fn address_rule(hosts: &[String]) -> Result<AddressRule, Failure> {
        let mut allowed = Vec::new();
        for text in hosts {
            let to_failure = |error: AllowedHostError| Failure::unknown(format!("--allow-host {text}: {error}"));
            allowed.push(text.parse().map_err(to_failure)?);
        }
        Ok(AddressRule::PublicHosts { allowed })
    }

    /// Reports the addresses from which nothing was kept.
    pub(in crate::cli::revocation) fn report(problems: &[FetchProblem]) {
        for problem in problems {
            render::note(format_args!("warning: {problem}"));
        }
        if problems.iter().any(FetchProblem::is_not_allowed_host) {
            render::note("note: --allow-host HOST allows a host whose address is not public");
        }
    }
}
