//! The failures for patterns that cannot be used, with what to type instead.

use bulla::x509::PatternError;

use crate::cli::exit::Failure;

/// The failure for an option with a pattern that cannot be used.
pub(super) fn failure(option: &str, text: &str, error: &PatternError) -> Failure {
    let typed = format!("{option} {text}");
    let failure = Failure::unknown(format!("{}: {error}", typed.trim_end()));
    match error {
        PatternError::Anchor { anchored, .. } => failure.hint(format!("{option} '{anchored}'")),
        PatternError::CatchAll { .. } => failure.hint(match option.contains("issuer") {
            true => "--certificate-oidc-issuer-any   if every issuer is trusted",
            false => "--certificate-identity-any   if everybody with an account at the issuer is trusted",
        }),
        PatternError::NoIssuer { .. } => failure.hint(
            "--certificate-oidc-issuer https://accounts.example.com, or for an authority that states none email:NAME, CN=…",
        ),
        PatternError::OtherIssuer { .. } => failure.hint("--certificate-oidc-issuer OWNER=URL   for the others alone"),
        PatternError::ReadyMade { .. } => failure.hint(IDENTITY),
        _ => failure,
    }
}

pub(super) const IDENTITY: &str =
    "--certificate-identity github:OWNER/REPO/.github/workflows/release.yml@refs/tags/v1.0";
