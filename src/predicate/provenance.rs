//! `Provenance`: who built an artifact, how, and from what. SLSA provenance 1, 0.2 and 0.1, in-toto Provenance 0.1.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::ordered;
use crate::predicate::BuildSource;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::SourceUnknown;
use crate::predicate::build_type;
use crate::predicate::build_type::ProvenanceVersion;
use crate::predicate::build_type::SourceFields;
use crate::predicate::split_version;
use crate::text::Untrusted;
use crate::time::Time;

/// SLSA provenance, as a policy sees it: claims of the builder, which are as good as its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provenance {
    /// The build type, a URI: how the other fields are read.
    pub build_type: String,
    /// The builder, a URI.
    pub builder: String,
    /// When the build ended.
    pub finished: Option<Time>,
    /// What the build has fetched: dependencies, base images, sources.
    pub materials: Vec<BuildMaterial>,
    /// The names of the parameters that the user of the builder could set.
    pub parameters: BTreeSet<String>,
    /// The source by the table of build types, or why it is not known.
    pub source: Result<BuildSource, SourceUnknown>,
    /// When the build began.
    pub started: Option<Time>,
}

/// Something that a build has fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildMaterial {
    /// Its digests by the name of the algorithm.
    pub digests: BTreeMap<String, String>,
    /// Where it is, a URI.
    pub uri: Option<String>,
}

impl Provenance {
    /// Reads a predicate of the type `predicate_type`.
    ///
    /// # Errors
    /// [`PredicateError`]: no builder, no build type, a field of the wrong type, an unknown version.
    pub fn read(predicate: &[u8], predicate_type: &str, limits: &Limits) -> Result<Self, PredicateError> {
        let version = version(predicate_type)?;
        let root = JsonNode::parse(predicate, limits)?.object()?;
        match version {
            ProvenanceVersion::V01 => v01(&root),
            ProvenanceVersion::V02 => v02(&root),
            ProvenanceVersion::V1 => v1(&root),
        }
    }

    /// Whether BuildKit made it. Its provenance is not signed where it is in an index, and the caller of BuildKit sets
    /// the builder.
    pub fn is_buildkit(&self) -> bool {
        build_type::BUILDKIT.contains(&self.build_type.as_str())
    }
}

fn version(predicate_type: &str) -> Result<ProvenanceVersion, PredicateError> {
    match split_version(predicate_type) {
        ("https://slsa.dev/provenance", Some("1")) => Ok(ProvenanceVersion::V1),
        ("https://slsa.dev/provenance", Some("0.2")) => Ok(ProvenanceVersion::V02),
        ("https://in-toto.io/Provenance" | "https://slsa.dev/provenance", Some("0.1")) => Ok(ProvenanceVersion::V01),
        _ => Err(PredicateError::at("", PredicateProblem::UnknownVersion(Untrusted::new(predicate_type)))),
    }
}

/// `https://slsa.dev/provenance/v1`, for SLSA 1.0 to 1.2.
fn v1(root: &JsonObject<'_>) -> Result<Provenance, PredicateError> {
    let definition = root.required_object("buildDefinition")?;
    let details = root.required_object("runDetails")?;
    let builder = details.required_object("builder")?.required_text("id")?;
    let build_type = definition.required_text("buildType")?;
    let external = definition.required_object("externalParameters")?;
    let internal = definition.optional_object("internalParameters")?;
    let materials = materials(definition.optional("resolvedDependencies")?)?;
    let fields = SourceFields { config_source: None, external: Some(&external), internal: internal.as_ref() };
    let mut source = build_type::source(&build_type, ProvenanceVersion::V1, &fields)?;
    if let Ok(source) = &mut source {
        complete(source, &materials);
    }
    let metadata = details.optional_object("metadata")?;
    let time = |name| metadata.as_ref().map_or(Ok(None), |metadata| metadata.optional_time(name));
    Ok(Provenance {
        build_type,
        builder,
        finished: time("finishedOn")?,
        materials,
        parameters: external.keys().map(str::to_owned).collect(),
        source,
        started: time("startedOn")?,
    })
}

/// `https://slsa.dev/provenance/v0.2`.
fn v02(root: &JsonObject<'_>) -> Result<Provenance, PredicateError> {
    let builder = root.required_object("builder")?.required_text("id")?;
    let build_type = root.required_text("buildType")?;
    let invocation = root.optional_object("invocation")?;
    let inside = |name| invocation.as_ref().map_or(Ok(None), |invocation| invocation.optional_object(name));
    let (config_source, parameters) = (inside("configSource")?, inside("parameters")?);
    let fields = SourceFields { config_source: config_source.as_ref(), external: None, internal: None };
    let source = build_type::source(&build_type, ProvenanceVersion::V02, &fields)?;
    let (started, finished) = times(root)?;
    Ok(Provenance {
        build_type,
        builder,
        finished,
        materials: materials(root.optional("materials")?)?,
        parameters: parameters.iter().flat_map(JsonObject::keys).map(str::to_owned).collect(),
        source,
        started,
    })
}

/// `https://slsa.dev/provenance/v0.1` and `https://in-toto.io/Provenance/v0.1`. The material that
/// `definedInMaterial` numbers is no source: which one that is depends on the build type, and none of this version is known.
fn v01(root: &JsonObject<'_>) -> Result<Provenance, PredicateError> {
    let builder = root.required_object("builder")?.required_text("id")?;
    let recipe = root.required_object("recipe")?;
    let build_type = recipe.required_text("type")?;
    let materials = materials(root.optional("materials")?)?;
    let fields = SourceFields { config_source: None, external: None, internal: None };
    let source = build_type::source(&build_type, ProvenanceVersion::V01, &fields)?;
    let arguments = recipe.optional("arguments")?.filter(JsonNode::is_object);
    let arguments = arguments.map(|node| node.object()).transpose()?;
    let (started, finished) = times(root)?;
    Ok(Provenance {
        build_type,
        builder,
        finished,
        materials,
        parameters: arguments.iter().flat_map(JsonObject::keys).map(str::to_owned).collect(),
        source,
        started,
    })
}

/// When the build began and ended, in versions before 1.
fn times(root: &JsonObject<'_>) -> Result<(Option<Time>, Option<Time>), PredicateError> {
    match root.optional_object("metadata")? {
        Some(metadata) => Ok((metadata.optional_time("buildStartedOn")?, metadata.optional_time("buildFinishedOn")?)),
        None => Ok((None, None)),
    }
}

fn materials(list: Option<JsonNode<'_>>) -> Result<Vec<BuildMaterial>, PredicateError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    list.items()?.map(|item| material(&item.object()?)).collect()
}

fn material(object: &JsonObject<'_>) -> Result<BuildMaterial, PredicateError> {
    let mut digests = BTreeMap::new();
    if let Some(set) = object.optional_object("digest")? {
        for (algorithm, digest) in set.entries() {
            digests.insert(algorithm.to_owned(), digest.text()?.into_owned());
        }
    }
    Ok(BuildMaterial { digests, uri: object.optional_text("uri")? })
}

impl BuildMaterial {
    /// The commit among its digests.
    fn commit(&self) -> Option<&str> {
        self.digests.get("gitCommit").or_else(|| self.digests.get("sha1")).map(String::as_str)
    }
}

/// Adds the commit to a source whose fields do not state it: the one that is resolved for the same repository, branch or
/// tag. Where two differ there is none.
fn complete(source: &mut BuildSource, materials: &[BuildMaterial]) {
    if source.commit.is_some() {
        return;
    }
    let resolved = materials.iter().filter_map(|material| {
        let other = BuildSource::of(material.uri.as_deref()?, None, material.commit()).ok()?;
        let same = other.repository == source.repository && other.reference == source.reference;
        same.then_some(other.commit).flatten()
    });
    let commits = ordered::set(resolved);
    if commits.len() == 1 {
        source.commit = commits.into_iter().next();
    }
}
