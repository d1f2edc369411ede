//! The table of build types: which field of the provenance names the source of the build.
//!
//! The source is never taken from the list of dependencies (materials): a builder lists everything there that a build
//! has fetched, and who changes the build can add to it.

use crate::predicate::BuildSource;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::SourceUnknown;
use crate::predicate::build_source::is_commit;
use crate::text::Untrusted;

/// Where a build type states the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceField {
    /// Google Cloud Build: the repository and ref in `sourceToBuild`, and in the object of this name, from which the
    /// configuration of the build was read.
    CloudBuild(&'static str),
    /// SLSA 0.2: `uri` and `digest` of `invocation.configSource`.
    ConfigSource,
    /// `uri` and `digest` of the external parameter of this name.
    Descriptor(&'static str),
    /// The internal parameters `GITHUB_REPOSITORY`, `GITHUB_REF` and `GITHUB_SHA`, which the delegator of
    /// slsa-github-generator sets itself.
    GithubContext,
    /// `repository` and `ref` of the external parameter of this name.
    Repository(&'static str),
    /// The external parameter of this name, a URL.
    Url(&'static str),
}

/// A build type, the version of the provenance, and where that states the source. A `*` stands for any text without `/`.
struct BuildTypeRow(&'static str, ProvenanceVersion, SourceField);

/// The version of provenance, by the place of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProvenanceVersion {
    /// SLSA 0.1 and in-toto Provenance 0.1.
    V01,
    /// SLSA 0.2.
    V02,
    /// SLSA 1.
    V1,
}

use ProvenanceVersion::V1;
use ProvenanceVersion::V02;

const TABLE: &[BuildTypeRow] = &[
    // GitHub: https://actions.github.io/buildtypes/workflow/v1, attestations of GitHub and of npm.
    BuildTypeRow("https://actions.github.io/buildtypes/workflow/v1", V1, SourceField::Repository("workflow")),
    BuildTypeRow(
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        V1,
        SourceField::Repository("workflow"),
    ),
    // slsa-github-generator: PROVENANCE_FORMAT.md, and the specification of its delegators.
    BuildTypeRow(
        "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        V02,
        SourceField::ConfigSource,
    ),
    BuildTypeRow("https://github.com/slsa-framework/slsa-github-generator/generic@v1", V02, SourceField::ConfigSource),
    BuildTypeRow("https://github.com/slsa-framework/slsa-github-generator/go@v1", V02, SourceField::ConfigSource),
    BuildTypeRow("https://github.com/slsa-framework/slsa-github-generator-go@v1", V02, SourceField::ConfigSource),
    BuildTypeRow(DELEGATOR, V02, SourceField::ConfigSource),
    BuildTypeRow(DELEGATOR, V1, SourceField::GithubContext),
    BuildTypeRow("https://slsa.dev/container-based-build/v0.1?draft", V1, SourceField::Descriptor("source")),
    // npm: its provenance before SLSA 1, on GitHub and GitLab.
    BuildTypeRow("https://github.com/npm/cli/gha/v1", V02, SourceField::ConfigSource),
    BuildTypeRow("https://github.com/npm/cli/gha/v2", V02, SourceField::ConfigSource),
    BuildTypeRow("https://github.com/npm/cli/gitlab/v0alpha1", V02, SourceField::ConfigSource),
    // Google Cloud Build, and the type that the SLSA community maintains for it.
    BuildTypeRow(
        "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
        V1,
        SourceField::CloudBuild("buildConfigSource"),
    ),
    BuildTypeRow(
        "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1",
        V1,
        SourceField::CloudBuild("configSource"),
    ),
    // GitLab: the runner, and the control plane since 18.3.
    BuildTypeRow(GITLAB_RUNNER, V02, SourceField::ConfigSource),
    BuildTypeRow(GITLAB_RUNNER, V1, SourceField::Url("source")),
    BuildTypeRow("https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1", V1, SourceField::Url("source")),
    // Tekton Chains: the repository of the pipeline or task.
    BuildTypeRow("tekton.dev/v1/PipelineRun", V02, SourceField::ConfigSource),
    BuildTypeRow("tekton.dev/v1/TaskRun", V02, SourceField::ConfigSource),
    BuildTypeRow("tekton.dev/v1beta1/PipelineRun", V02, SourceField::ConfigSource),
    BuildTypeRow("tekton.dev/v1beta1/TaskRun", V02, SourceField::ConfigSource),
    BuildTypeRow("https://tekton.dev/chains/v2/slsa", V1, SourceField::Repository("buildConfigSource")),
    BuildTypeRow("https://tekton.dev/chains/v2/slsa-tekton", V1, SourceField::Repository("buildConfigSource")),
    // BuildKit: the remote context that it fetched itself. What it says about `vcs` was given to it by its caller.
    BuildTypeRow("https://mobyproject.org/buildkit@v1", V02, SourceField::ConfigSource),
    BuildTypeRow(
        "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
        V1,
        SourceField::Descriptor("configSource"),
    ),
];

/// The build types of BuildKit, whose provenance nobody has signed when it is in an index.
pub(super) const BUILDKIT: [&str; 2] = [
    "https://mobyproject.org/buildkit@v1",
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
];

const DELEGATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0";
const GITLAB_RUNNER: &str = "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/*/PROVENANCE.md";

/// The objects of a provenance in which a source may stand.
pub(super) struct SourceFields<'o, 'a> {
    /// SLSA 0.2: `invocation.configSource`.
    pub(super) config_source: Option<&'o JsonObject<'a>>,
    /// SLSA 1: `buildDefinition.externalParameters`.
    pub(super) external: Option<&'o JsonObject<'a>>,
    /// SLSA 1: `buildDefinition.internalParameters`.
    pub(super) internal: Option<&'o JsonObject<'a>>,
}

/// The source of a build by the table.
///
/// # Errors
/// [`PredicateError`] if a field that the table names is of another type than it should be.
pub(super) fn source(
    build_type: &str,
    version: ProvenanceVersion,
    fields: &SourceFields<'_, '_>,
) -> Result<Result<BuildSource, SourceUnknown>, PredicateError> {
    let row = TABLE.iter().find(|row| row.1 == version && fits(row.0, build_type));
    let Some(BuildTypeRow(.., field)) = row else {
        return Ok(Err(SourceUnknown::UnknownBuildType(Untrusted::new(build_type))));
    };
    let external = |name: &str| fields.external.map(|object| object.optional_object(name)).transpose();
    match field {
        SourceField::CloudBuild(config) => {
            let built = external("sourceToBuild")?.flatten().map(|object| repository(&object)).transpose()?;
            let config = external(config)?.flatten().map(|object| repository(&object)).transpose()?;
            Ok(match (built.unwrap_or(Err(SourceUnknown::NotStated)), config) {
                // Only a folder of the repository that the configuration is in.
                (Err(SourceUnknown::NotStated), Some(config)) => config,
                (Ok(built), Some(Ok(config))) if built != config => Err(SourceUnknown::Ambiguous),
                (Ok(_), Some(Err(unknown))) => Err(unknown),
                (built, _) => built,
            })
        }
        SourceField::ConfigSource => fields.config_source.map_or(Ok(Err(SourceUnknown::NotStated)), descriptor),
        SourceField::Descriptor(name) => {
            external(name)?.flatten().map_or(Ok(Err(SourceUnknown::NotStated)), |object| descriptor(&object))
        }
        SourceField::GithubContext => match fields.internal {
            Some(internal) => github(internal),
            None => Ok(Err(SourceUnknown::NotStated)),
        },
        SourceField::Repository(name) => {
            external(name)?.flatten().map_or(Ok(Err(SourceUnknown::NotStated)), |object| repository(&object))
        }
        SourceField::Url(name) => {
            let url = fields.external.map(|object| object.optional_text(name)).transpose()?.flatten();
            Ok(url.map_or(Err(SourceUnknown::NotStated), |url| BuildSource::of(&url, None, None)))
        }
    }
}

/// The commit in a set of digests: `gitCommit`, and `sha1` in older documents.
pub(super) fn commit(object: &JsonObject<'_>) -> Result<Option<String>, PredicateError> {
    let Some(digests) = object.optional_object("digest")? else { return Ok(None) };
    let named = match digests.optional_text("gitCommit")? {
        Some(commit) => Some(commit),
        None => digests.optional_text("sha1")?,
    };
    Ok(named.filter(|text| is_commit(text)))
}

type Found = Result<Result<BuildSource, SourceUnknown>, PredicateError>;

/// The source in an object with `uri` and `digest`.
fn descriptor(object: &JsonObject<'_>) -> Found {
    let Some(uri) = object.optional_text("uri")? else { return Ok(Err(SourceUnknown::NotStated)) };
    Ok(BuildSource::of(&uri, None, commit(object)?.as_deref()))
}

/// The source in an object with `repository` and `ref`.
fn repository(object: &JsonObject<'_>) -> Found {
    let Some(uri) = object.optional_text("repository")? else { return Ok(Err(SourceUnknown::NotStated)) };
    Ok(BuildSource::of(&uri, object.optional_text("ref")?.as_deref(), None))
}

fn github(internal: &JsonObject<'_>) -> Found {
    let Some(name) = internal.optional_text("GITHUB_REPOSITORY")? else { return Ok(Err(SourceUnknown::NotStated)) };
    let (reference, commit) = (internal.optional_text("GITHUB_REF")?, internal.optional_text("GITHUB_SHA")?);
    Ok(BuildSource::of(&format!("https://github.com/{name}"), reference.as_deref(), commit.as_deref()))
}

/// Whether `pattern`, in which a `*` stands for any text without `/`, is `text`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            let middle = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            middle.is_some_and(|middle| !middle.is_empty() && !middle.contains('/'))
        }
    }
}
