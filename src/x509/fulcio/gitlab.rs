//! `gitlab:…`: the pipelines of GitLab CI (Fulcio, `docs/oidc.md`).

use crate::nonempty::NonEmpty;
use crate::x509::FulcioExtension;
use crate::x509::FulcioNameKind;
use crate::x509::IdentityPattern;
use crate::x509::NamePattern;
use crate::x509::PatternError;
use crate::x509::TextPattern;
use crate::x509::fulcio::options;
use crate::x509::fulcio::options::WrittenIdentity;

/// `GROUP/PROJECT//CONFIG@REF[,OPTION…]`, or `GROUP/PROJECT@REF,any-config`.
pub(super) fn pattern(whole: &str, rest: &str) -> Result<IdentityPattern, PatternError> {
    let written = WrittenIdentity::parse(whole, rest, "any-config")?;
    if written.workflow.is_some() || written.enterprise.is_some() {
        return Err(written.error("workflow= and enterprise= are for github:"));
    }
    let (project, config) = match written.place.split_once("//") {
        Some((project, config)) => (project, Some(config)),
        None => (written.place, None),
    };
    if !project.contains('/') || !project.split('/').all(options::is_name) {
        return Err(written.error("it begins with GROUP/PROJECT, without wildcards"));
    }
    let config = match (config, written.any_file) {
        (Some(config), false) if options::is_path(config) => config,
        (None, true) => "**",
        (None, false) => {
            let reason =
                "a project alone trusts every configuration in it: add //.gitlab-ci.yml, or the word any-config";
            return Err(written.error(reason));
        }
        _ => return Err(written.error("it names one configuration: //FILE, or any-config")),
    };
    let host = written.host.unwrap_or("gitlab.com");
    let reference = written.ref_pattern()?;
    let name = format!("https://{host}/{project}//{config}@{}", reference.unwrap_or("refs/**"));
    let text = TextPattern::parse(&name)?;
    let mut names = NonEmpty::one(NamePattern::AlternativeName { kind: Some(FulcioNameKind::Uri), text });
    names.push(NamePattern::OidcIssuer(TextPattern::exact(&format!("https://{host}"))?));
    let source = TextPattern::exact(&format!("https://{host}/{project}"))?;
    names.push(NamePattern::either((FulcioExtension::SourceRepositoryUri, source), []));
    if let Some(reference) = reference {
        let reference = TextPattern::parse(reference)?;
        names.push(NamePattern::either((FulcioExtension::SourceRepositoryRef, reference), []));
    }
    written.extensions.into_iter().for_each(|name| names.push(name));
    Ok(IdentityPattern::all(names))
}
