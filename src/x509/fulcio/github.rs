//! `github:…`: the workflows of GitHub Actions (Fulcio, `docs/oidc.md`).
//!
//! The subject alternative name is the workflow that signed. A reusable workflow signs for the repositories of everybody
//! who calls it, so the repository of the source is compared too.

use crate::nonempty::NonEmpty;
use crate::x509::FulcioExtension;
use crate::x509::FulcioNameKind;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;
use crate::x509::fulcio::options;
use crate::x509::fulcio::options::WrittenIdentity;

/// `OWNER/REPO/.github/workflows/FILE@REF[,OPTION…]`, or `OWNER/REPO@REF,workflow=…` or `OWNER/REPO@REF,any-workflow`.
pub(super) fn pattern(whole: &str, rest: &str) -> Result<IdentityPattern, PatternError> {
    let written = WrittenIdentity::parse(whole, rest, "any-workflow")?;
    let (repository, path) = repository(&written)?;
    let host = written.host.unwrap_or("github.com");
    let reference = written.ref_pattern()?;
    let own = |path: &str| format!("https://{host}/{repository}/{path}@{}", reference.unwrap_or("refs/**"));
    let name = match (path, written.workflow, written.any_file) {
        (Some(path), None, false) if is_workflow(path) => own(path),
        (None, Some(workflow), false) => format!("https://{host}/{}", called(&written, workflow)?),
        (None, None, true) => own(".github/workflows/*"),
        (None, None, false) => {
            return Err(written.error(
                "a repository alone trusts every workflow in it: add /.github/workflows/FILE.yml, or the word any-workflow",
            ));
        }
        _ => {
            return Err(
                written.error("it names one workflow: /.github/workflows/FILE.yml, or workflow=…, or any-workflow")
            );
        }
    };
    let mut names = NonEmpty::one(NamePattern::AlternativeName {
        kind: Some(FulcioNameKind::Uri),
        text: TextPattern::parse(&name)?,
    });
    names.push(NamePattern::OidcIssuer(TextPattern::exact(&issuer(&written, host)?)?));
    names.push(NamePattern::either(
        (FulcioExtension::SourceRepositoryUri, TextPattern::exact(&format!("https://{host}/{repository}"))?),
        [(FulcioExtension::WorkflowRepository, TextPattern::exact(repository)?)],
    ));
    if let Some(reference) = reference {
        let reference = TextPattern::parse(reference)?;
        let older = (FulcioExtension::WorkflowRef, reference.clone());
        names.push(NamePattern::either((FulcioExtension::SourceRepositoryRef, reference), [older]));
    }
    written.extensions.into_iter().for_each(|name| names.push(name));
    Ok(IdentityPattern::all(names))
}

/// OWNER/REPO, and the path in it.
fn repository<'a>(written: &WrittenIdentity<'a>) -> Result<(&'a str, Option<&'a str>), PatternError> {
    let place = written.place;
    let mut slashes = place.match_indices('/').map(|(at, _)| at);
    slashes.next();
    let end = slashes.next();
    let (repository, path) = match end.and_then(|end| place.split_at_checked(end)) {
        Some((repository, path)) => (repository, path.strip_prefix('/')),
        None => (place, None),
    };
    match repository.split_once('/') {
        Some((owner, name)) if options::is_name(owner) && options::is_name(name) => Ok((repository, path)),
        _ => Err(written.error("it begins with OWNER/REPO, without wildcards")),
    }
}

/// A workflow of another repository that is called: `OWNER/REPO/.github/workflows/FILE@REF`, at a ref or a commit.
fn called<'a>(written: &WrittenIdentity<'_>, workflow: &'a str) -> Result<&'a str, PatternError> {
    let (place, reference) = options::at_ref(workflow);
    let mut parts = place.splitn(3, '/');
    let named = [parts.next(), parts.next()].into_iter().all(|name| name.is_some_and(options::is_name));
    let commit = |text: &str| text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let at = reference.is_some_and(|reference| options::is_ref(reference) || commit(reference));
    match named && at && parts.next().is_some_and(is_workflow) {
        true => Ok(workflow),
        false => {
            Err(written.error("the called workflow is OWNER/REPO/.github/workflows/FILE.yml@REF, at a ref or commit"))
        }
    }
}

fn is_workflow(path: &str) -> bool {
    let file = path.strip_prefix(".github/workflows/").unwrap_or_default();
    let named = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
    named.is_some_and(|name| !name.is_empty() && !name.contains("**")) && !file.contains('/') && options::is_path(file)
}

/// The issuer of the tokens of GitHub Actions: that of github.com, perhaps of one enterprise there; that of an enterprise
/// with a host below ghe.com; that of a GitHub Enterprise Server.
fn issuer(written: &WrittenIdentity<'_>, host: &str) -> Result<String, PatternError> {
    let at_github = host == "github.com";
    match written.enterprise {
        Some(slug) if at_github => Ok(format!("https://token.actions.githubusercontent.com/{slug}")),
        Some(_) => Err(written.error("enterprise= is for github.com")),
        None if at_github => Ok("https://token.actions.githubusercontent.com".to_owned()),
        None if host.ends_with(".ghe.com") => Ok(format!("https://token.actions.{host}")),
        None => Ok(format!("https://{host}/_services/token")),
    }
}
