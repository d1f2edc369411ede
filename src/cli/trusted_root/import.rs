//! The command `trust import`: a trusted root out of a mirrored TUF repository, verified without a network.

use std::path::Path;

use bulla::files::Overwrite;
use bulla::files::are_same;
use bulla::limits::Limits;
use bulla::report::Report;
use bulla::report::TrustImportResult;
use bulla::time::Time;
use bulla::trust::sigstore::ImportedTrustedRoot;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::tuf::ExpiryRule;
use bulla::tuf::RollbackCheck;
use bulla::tuf::TufError;
use bulla::tuf::TufRole;
use bulla::tuf::TufRoot;
use bulla::tuf::VerifiedRepository;
use bulla::tuf::VerifiedTarget;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::render;
use crate::cli::trusted_root::args::TrustImportArgs;
use crate::cli::trusted_root::mirror::Mirror;
use crate::cli::trusted_root::open;

pub(super) fn import(args: &TrustImportArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let mirror = Mirror::open(&args.repository)?;
    let root = root(&args.root, &limits)?;
    let previous = args.previous.as_deref().map(|path| previous(path, &limits)).transpose()?;
    let overwrite = overwrite(args);
    files::writable(&args.out, overwrite).map_err(|failure| match overwrite {
        Overwrite::Refuse => failure.hint(PREVIOUS),
        Overwrite::Replace => failure,
    })?;
    let expiry = if args.accept_expired { ExpiryRule::AcceptExpired } else { ExpiryRule::Refuse };
    let state = previous.as_ref().map(ImportedTrustedRoot::metadata);
    let of_repository = |error: TufError| refused(&args.repository, &error);
    let repository = VerifiedRepository::verify(&root, state, &mirror, expiry, args.at.unwrap_or(now), &limits);
    let repository = repository.map_err(of_repository)?;
    if expiry == ExpiryRule::Refuse {
        // An earlier `--at` does not make metadata current that has expired by the clock.
        repository.refuse_expired_at(now).map_err(of_repository)?;
    }
    let target = VerifiedTarget::read(&repository, TARGET, &mirror, &limits).map_err(of_repository)?;
    let of_target = |error: String| Failure::unknown(format!("{}: {TARGET}: {error}", args.repository));
    let imported = ImportedTrustedRoot::new(&repository, &target, now, &limits);
    let imported = imported.map_err(|error| of_target(error.to_string()))?;
    let bytes = imported.to_bytes().map_err(|error| of_target(error.to_string()))?;
    // Read back before it is written: what is written is what every later command reads.
    let file = TrustedRootFile::parse(&bytes, &limits).map_err(|error| of_target(error.to_string()))?;
    files::write(&args.out, &bytes, overwrite)?;
    let name = args.out.display().to_string();
    open::warn(&name, &file, now);
    match args.output {
        Output::Json => {
            let result = TrustImportResult::new(&name, &args.repository, &imported, repository.rollback(), &file, now);
            render::report(&Report::new("trust import", vec![result]));
        }
        Output::Text => render::text(&page(args, &imported, repository.rollback())),
    }
    Ok(Exit::Yes)
}

/// The root metadata that the operator trusts: a file, or that of an instance that comes with the program.
fn root(argument: &str, limits: &Limits) -> Result<TufRoot, Failure> {
    let parsed = match open::instance(argument)? {
        Some(instance) => TufRoot::parse(instance.tuf_root_json(), limits),
        None => TufRoot::parse(&files::read(Path::new(argument), limits.tuf.metadata_bytes)?, limits),
    };
    parsed.map_err(|error| Failure { code: error.code(), ..Failure::unknown(format!("--root {argument}: {error}")) })
}

/// What the last import has written.
fn previous(path: &Path, limits: &Limits) -> Result<ImportedTrustedRoot, Failure> {
    let bytes = files::read(path, limits.transparency.trusted_root_bytes)?;
    let of_file = |error| Failure::unknown(format!("--previous {}: {error}", path.display()));
    ImportedTrustedRoot::parse(&bytes, limits).map_err(of_file)
}

/// The file of an import is replaced only if the new one was compared with it.
fn overwrite(args: &TrustImportArgs) -> Overwrite {
    match &args.previous {
        Some(previous) if are_same(previous, &args.out) => Overwrite::Replace,
        _ => Overwrite::Refuse,
    }
}

fn refused(repository: &str, error: &TufError) -> Failure {
    let exit = if error.is_undetermined() { Exit::Unknown } else { Exit::Refused };
    let failure = Failure { code: error.code(), exit, ..Failure::unknown(format!("{repository}: {error}")) };
    match error {
        TufError::Expired { .. } => failure.hint("mirror the repository again, or give --accept-expired"),
        _ => failure,
    }
}

fn page(args: &TrustImportArgs, imported: &ImportedTrustedRoot, rollback: RollbackCheck) -> Lines {
    let mut lines = Lines::default();
    lines.push(format_args!("{}: {TARGET}, {}", Foreign(&args.repository), imported.digest()));
    for role in TufRole::ALL {
        let state = imported.metadata().role(role);
        lines.push(format_args!("  {:<10} version {}, expires {}", role.name(), state.version, state.expires));
    }
    lines.push(match rollback {
        RollbackCheck::First => "  the first import: there was nothing to compare with",
        RollbackCheck::KeysRotated => {
            "  the root is not older; it has other keys for timestamp or snapshot, whose versions start again"
        }
        _ => "  no role is older than in the last import",
    });
    lines.push(format_args!("  judged at  {}", imported.judged_at()));
    lines.push(format_args!("written to {}", args.out.display()));
    lines
}

/// The target of Sigstore's repositories that is imported.
const TARGET: &str = "trusted_root.json";

const PREVIOUS: &str = "--previous FILE, the same file: it is replaced if nothing in the new one is older";
