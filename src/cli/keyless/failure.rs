//! The failures for patterns that cannot be used, with what to type instead.

use bulla::x509::IdentityPattern;
use bulla::x509::PatternError;
use bulla::x509::TextPattern;

use crate::cli::exit::Failure;

/// The failure for an option with a pattern that cannot be used.
pub(super) fn failure(option: &str, text: &str, error: &PatternError) -> Failure {
    let typed = format!("{option} {text}");
    let failure = Failure::unknown(format!("{}: {error}", typed.trim_end()));
    let is_issuer = option.contains("issuer");
    match error {
        PatternError::Anchor { anchored, .. } if is_catch_all(anchored, is_issuer) => failure.hint(any(is_issuer)),
        PatternError::Anchor { anchored, .. } => failure.hint(format!("{option} '{anchored}'")),
        PatternError::CatchAll { .. } => failure.hint(any(is_issuer)),
        PatternError::NoIssuer { .. } => failure.hint(
            "--certificate-oidc-issuer https://accounts.example.com, or for an authority that states none email:NAME, CN=…",
        ),
        PatternError::OtherIssuer { .. } => failure.hint("--certificate-oidc-issuer OWNER=URL   for the others alone"),
        PatternError::ReadyMade { .. } => failure.hint(IDENTITY),
        _ => failure,
    }
}

/// Whether an expression matches everybody, so that the next answer would be that it needs a word of its own.
fn is_catch_all(expression: &str, is_issuer: bool) -> bool {
    let checked = TextPattern::regexp(expression).and_then(|pattern| match is_issuer {
        true => pattern.check_narrow_issuer().map(drop),
        false => IdentityPattern::keyless(pattern, TextPattern::any()).map(drop),
    });
    matches!(checked, Err(PatternError::CatchAll { .. }))
}

/// The word for everybody.
const fn any(is_issuer: bool) -> &'static str {
    match is_issuer {
        true => "--certificate-oidc-issuer-any   if every issuer is trusted",
        false => "--certificate-identity-any   if everybody with an account at the issuer is trusted",
    }
}

pub(super) const IDENTITY: &str =
    "--certificate-identity github:OWNER/REPO/.github/workflows/release.yml@refs/tags/v1.0";
