//! `CertificateClaims`: what the certificate of a build's signer says, which provenance must not contradict.

use crate::predicate::Provenance;
use crate::predicate::SourceRepository;
use crate::predicate::build_source::is_commit;

/// What the certificate of Fulcio that signed says about the build: the texts of its extensions. Fulcio,
/// `docs/oid-info.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateClaims<'a> {
    /// The build configuration of the top level, at a URI: the workflow of the caller. 1.3.6.1.4.1.57264.1.18.
    pub build_config_uri: Option<&'a str>,
    /// The build instructions that signed, at a URI: the reusable workflow. 1.3.6.1.4.1.57264.1.9, and the subject
    /// alternative name of older certificates.
    pub build_signer_uri: Option<&'a str>,
    /// `github-hosted` or `self-hosted`. 1.3.6.1.4.1.57264.1.11.
    pub runner_environment: Option<&'a str>,
    /// The commit of the source. 1.3.6.1.4.1.57264.1.13, and 3 in older certificates.
    pub source_commit: Option<&'a str>,
    /// The branch or tag of the source. 1.3.6.1.4.1.57264.1.14, and 6 in older certificates.
    pub source_ref: Option<&'a str>,
    /// The repository of the source: a URI, or `OWNER/REPO` in older certificates. 1.3.6.1.4.1.57264.1.12, and 5.
    pub source_repository: Option<&'a str>,
}

/// What provenance says otherwise than the certificate that signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimContradiction {
    /// The builder.
    #[error("the certificate names another builder than the provenance")]
    Builder,
    /// The commit.
    #[error("the certificate names another commit than the provenance")]
    Commit,
    /// The branch or tag.
    #[error("the certificate names another branch or tag than the provenance")]
    Reference,
    /// The repository.
    #[error("the certificate names another repository than the provenance")]
    Repository,
}

impl ClaimContradiction {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Builder => "certificate-names-another-builder",
            Self::Commit => "certificate-names-another-commit",
            Self::Reference => "certificate-names-another-ref",
            Self::Repository => "certificate-names-another-repository",
        }
    }
}

impl Provenance {
    /// Compares the provenance with the certificate that signed it: the issuer of the certificate has checked what it
    /// says, so provenance that says otherwise is not to be believed. What one of them does not state is not compared.
    ///
    /// A builder that is a workflow must be the workflow that signed, or the one of the caller. The delegators of
    /// slsa-github-generator sign for the workflows that called them, so their certificate does not name the builder.
    ///
    /// # Errors
    /// [`ClaimContradiction`]: the first of repository, branch or tag, commit, builder that differs.
    pub fn check_certificate(&self, claims: &CertificateClaims<'_>) -> Result<(), ClaimContradiction> {
        if let Ok(source) = &self.source {
            let other = claims.source_repository.map(repository);
            if other.is_some_and(|other| other.as_ref() != Some(&source.repository)) {
                return Err(ClaimContradiction::Repository);
            }
            if claims.source_ref.is_some_and(|full| !full.is_empty() && !source.has_reference(full)) {
                return Err(ClaimContradiction::Reference);
            }
            let claimed = claims.source_commit.filter(|commit| is_commit(commit));
            if claimed.zip(source.commit.as_deref()).is_some_and(|(claimed, own)| claimed != own) {
                return Err(ClaimContradiction::Commit);
            }
        }
        match self.has_builder_of(claims) {
            true => Ok(()),
            false => Err(ClaimContradiction::Builder),
        }
    }

    fn has_builder_of(&self, claims: &CertificateClaims<'_>) -> bool {
        let builder = self.builder.as_str();
        if let Some(hosted) = builder.strip_prefix(GITHUB_RUNNER) {
            let hosted = hosted.strip_prefix('/');
            return hosted.zip(claims.runner_environment).is_none_or(|(own, claimed)| own == claimed);
        }
        let Some(signer) = claims.build_signer_uri else { return true };
        let delegated = DELEGATORS.iter().any(|delegator| signer.starts_with(delegator));
        let workflow = builder.contains(WORKFLOWS) && signer.contains(WORKFLOWS);
        !workflow || delegated || builder == signer || claims.build_config_uri == Some(builder)
    }
}

/// The repository that a certificate names.
fn repository(text: &str) -> Option<SourceRepository> {
    let github = !text.contains(':') && text.split('/').count() == 2;
    let text = if github { format!("https://github.com/{text}") } else { text.to_owned() };
    SourceRepository::parse(&text).ok()
}

/// The builder that npm and GitHub name where no workflow is the builder; behind it `/github-hosted` or `/self-hosted`.
const GITHUB_RUNNER: &str = "https://github.com/actions/runner";
const WORKFLOWS: &str = "/.github/workflows/";
const DELEGATORS: [&str; 2] = [
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_generic_slsa3.yml@",
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_lowperms-generic_slsa3.yml@",
];
