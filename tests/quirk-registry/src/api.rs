//! The distribution API: routes, manifests, tags, referrers.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bulla::digest::Digest;
use bulla::digest::Hasher;
use serde_json::Value;
use serde_json::json;

use super::Core;
use super::blobs;
use super::http::Body;
use super::http::BodyReader;
use super::http::Request;
use super::http::Response;
use super::http::percent_encode;
use super::quirks::Accept;
use super::quirks::ArtifactType;
use super::quirks::Delete;
use super::quirks::Dialect;
use super::quirks::Filter;
use super::quirks::Link;
use super::quirks::Location;
use super::quirks::Lose;
use super::quirks::Names;
use super::quirks::Quirks;
use super::quirks::Referrers;
use super::script::glob;
use super::store::Manifest;
use super::token::Access;

/// One request on its way through the API.
pub struct ApiRequest<'a, 'b> {
    pub core: &'a Core,
    pub quirks: &'a Quirks,
    pub request: &'a Request,
    pub body: &'a mut BodyReader<'b>,
}

enum Route {
    Blob(String, String),
    Catalog,
    Manifest(String, String),
    Ping,
    Referrers(String, String),
    Storage(String),
    Tags(String),
    Token,
    Upload(String, String),
    Uploads(String),
}

/// The polite answer to a request, as the quirks change it.
pub fn answer(core: &Core, quirks: &Quirks, request: &Request, body: &mut BodyReader<'_>) -> Response {
    let mut call = ApiRequest { core, quirks, request, body };
    let mut response = match route(&request.path) {
        Some(route) => call.dispatch(route),
        None => Response::text(404, "404 page not found\n"),
    };
    if quirks.api_header {
        response = response.with("Docker-Distribution-Api-Version", "registry/2.0");
    }
    if quirks.warning {
        response = response.with("Warning", "299 - \"read-only from Monday\"");
    }
    if quirks.dialect == Dialect::Distribution && response.header("Content-Type") == Some("application/json") {
        response.set("Content-Type", "application/json; charset=utf-8");
    }
    if quirks.rate_limit && request.path.contains("/manifests/") {
        let used = core.log.counters().requests.min(100);
        response = response.with("RateLimit-Limit", "100;w=3600");
        response = response.with("RateLimit-Remaining", format!("{};w=3600", 100 - used));
    }
    response
}

fn route(path: &str) -> Option<Route> {
    if let Some(rest) = path.strip_prefix("/storage/") {
        return Some(Route::Storage(rest.to_owned()));
    }
    let rest = match path {
        "/token" => return Some(Route::Token),
        "/v2" | "/v2/" => return Some(Route::Ping),
        "/v2/_catalog" => return Some(Route::Catalog),
        _ => path.strip_prefix("/v2/")?,
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let name = |parts: &[&str]| parts.join("/");
    Some(match parts.as_slice() {
        [repository @ .., "tags", "list"] => Route::Tags(name(repository)),
        [repository @ .., "blobs", "uploads"] => Route::Uploads(name(repository)),
        [repository @ .., "blobs", "uploads", ""] => Route::Uploads(name(repository)),
        [repository @ .., "blobs", "uploads", id] => Route::Upload(name(repository), (*id).to_owned()),
        [repository @ .., "manifests", reference] => Route::Manifest(name(repository), (*reference).to_owned()),
        [repository @ .., "referrers", digest] => Route::Referrers(name(repository), (*digest).to_owned()),
        [repository @ .., "blobs", digest] => Route::Blob(name(repository), (*digest).to_owned()),
        _ => return None,
    })
}

impl ApiRequest<'_, '_> {
    fn dispatch(&mut self, route: Route) -> Response {
        let repository = match &route {
            Route::Blob(name, _) | Route::Manifest(name, _) | Route::Referrers(name, _) | Route::Upload(name, _) => {
                name
            }
            Route::Tags(name) | Route::Uploads(name) => name,
            Route::Token => return self.core.tokens.serve(self.quirks, self.request, self.body),
            Route::Storage(digest) => return blobs::storage(self, digest),
            Route::Catalog | Route::Ping => "",
        };
        let wanted = self.wanted(repository);
        let other = self.core.second_host();
        if let Err(refusal) = self.core.tokens.check(self.quirks, self.request, &wanted, &other) {
            return refusal;
        }
        if let Some(refusal) = self.refuse_name(repository).filter(|_| !repository.is_empty()) {
            return refusal;
        }
        match &route {
            Route::Blob(name, digest) => blobs::blob(self, name, digest),
            Route::Catalog => self.catalog(),
            Route::Manifest(name, reference) => self.manifest(name, reference),
            Route::Ping if self.request.path == "/v2" && self.old() => {
                let moved = Response::text(301, "<a href=\"/v2/\">Moved Permanently</a>.\n\n").with("Location", "/v2/");
                moved.with_type("text/html; charset=utf-8")
            }
            Route::Ping => Response::new(200).with("Content-Type", "application/json").body("{}"),
            Route::Referrers(name, digest) => self.referrers(name, digest),
            Route::Tags(name) => self.tags(name),
            Route::Upload(name, id) => blobs::upload(self, name, id),
            Route::Uploads(name) => blobs::open(self, name),
            Route::Storage(_) | Route::Token => Response::new(404),
        }
    }

    fn wanted(&self, repository: &str) -> Access {
        let actions: &[&str] = match self.request.method.as_str() {
            "DELETE" if !self.request.path.contains("/uploads/") => &["delete"],
            "GET" | "HEAD" => &["pull"],
            _ => &["pull", "push"],
        };
        match self.request.path.as_str() {
            "/v2/_catalog" => Access { kind: "registry".into(), name: "catalog".into(), actions: vec!["*".into()] },
            _ => Access::repository(repository, if repository.is_empty() { &[] } else { actions }),
        }
    }

    fn refuse_name(&self, name: &str) -> Option<Response> {
        let component = |part: &str| {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            ends(part.chars().next())
                && ends(part.chars().next_back())
                && part.chars().all(inside)
                && !part.contains("..")
        };
        if name.len() > 255 || !name.split('/').all(component) {
            return Some(self.unroutable("NAME_INVALID", "invalid repository name"));
        }
        let library = self.quirks.names == Names::Library && !name.contains('/');
        let writes = !matches!(self.request.method.as_str(), "GET" | "HEAD");
        let absent = !self.quirks.create && writes && !self.core.store.knows(name);
        (library || absent).then(|| Response::error(404, "NAME_UNKNOWN", "repository name not known to registry"))
    }

    /// Whether the small print is that of docker-registry 2.8.2.
    pub fn old(&self) -> bool {
        self.quirks.dialect == Dialect::Distribution
    }

    // A path that the router of docker-registry does not know.
    fn unroutable(&self, code: &str, message: &str) -> Response {
        if self.old() { Response::text(404, "404 page not found\n") } else { Response::error(400, code, message) }
    }

    /// A method that is not for this path.
    pub fn unsupported(&self) -> Response {
        if self.old() {
            return Response::text(405, "Method Not Allowed\n");
        }
        Response::error(405, "UNSUPPORTED", "the operation is unsupported")
    }

    /// The `Location` of a path of this registry.
    pub fn place(&self, path: &str) -> String {
        match self.quirks.location {
            Location::Absolute => format!("http://{}{path}", self.request.header("Host").unwrap_or(&self.request.host)),
            _ => path.to_owned(),
        }
    }

    /// The answer for missing content.
    pub fn not_found(&self, code: &str, message: &str) -> Response {
        let by_digest = self.request.path.rsplit('/').next().is_some_and(|it| it.contains(':'));
        let status = if by_digest { self.quirks.not_found_digest } else { self.quirks.not_found };
        match status {
            403 => Response::error(403, "DENIED", "requested access to the resource is denied"),
            status => Response::error(status, code, message),
        }
    }

    fn catalog(&self) -> Response {
        let names = self.core.store.repositories();
        let (page, more) = self.page(&names, 100);
        let response = Response::json(200, &json!({"repositories": page}));
        self.with_next(response, more.map(|(n, last)| format!("/v2/_catalog?last={last}&n={n}")))
    }

    fn tags(&self, name: &str) -> Response {
        if self.request.method != "GET" {
            return self.unsupported();
        }
        let tags = self.core.store.tags(name);
        if tags.is_empty() && !self.core.store.knows(name) {
            return self.not_found("NAME_UNKNOWN", "repository name not known to registry");
        }
        let asked = self.request.parameter("n").and_then(|n| n.parse::<usize>().ok());
        if self.quirks.tags_max.is_some_and(|max| asked.is_some_and(|n| n > max)) {
            return Response::error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested");
        }
        let most = if self.quirks.tags_page { usize::MAX } else { 0 };
        let (page, more) = self.page(&tags, most);
        let response = Response::json(200, &json!({"name": name, "tags": page}));
        self.with_next(
            response,
            more.map(|(n, last)| format!("/v2/{name}/tags/list?last={}&n={n}", percent_encode(&last))),
        )
    }

    // The part of a sorted list that `n` and `last` ask for, and how to ask for the next. A default of 0 is no paging.
    fn page(&self, all: &[String], default: usize) -> (Vec<String>, Option<(usize, String)>) {
        if default == 0 {
            return (all.to_vec(), None);
        }
        let n = self.request.parameter("n").and_then(|n| n.parse().ok()).unwrap_or(default);
        let last = self.request.parameter("last").unwrap_or_default();
        let rest: Vec<String> = all.iter().filter(|it| last.is_empty() || **it > last).cloned().collect();
        let page: Vec<String> = rest.iter().take(n).cloned().collect();
        let more = page.last().filter(|_| rest.len() > page.len()).cloned();
        (page, more.map(|last| (n, last)))
    }

    fn with_next(&self, response: Response, next: Option<String>) -> Response {
        let Some(next) = next else {
            return response;
        };
        let host = self.request.header("Host").unwrap_or(&self.request.host);
        let next = match self.quirks.link {
            Link::Absolute => format!("http://{host}{next}"),
            Link::Loop => self.request.target.clone(),
            Link::OtherHost => format!("http://{}{next}", self.core.second_host()),
            Link::Relative => next,
        };
        response.with("Link", format!(r#"<{next}>; rel="next""#))
    }

    fn referrers(&self, name: &str, digest: &str) -> Response {
        match self.quirks.referrers {
            Referrers::LyingSubject | Referrers::Off => return Response::text(404, "404 page not found\n"),
            Referrers::NotFoundJson => {
                return Response::error(404, "NOT_FOUND", "the requested resource was not found");
            }
            Referrers::On => {}
        }
        if !matches!(self.request.method.as_str(), "GET" | "HEAD") {
            return self.unsupported();
        }
        let Ok(subject) = digest.parse::<Digest>() else {
            return Response::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        };
        let mut all = self.core.store.referrers(name, &subject);
        all.iter_mut().for_each(|it| spoil_type(it, &self.quirks.artifact_type));
        let wanted = self.request.parameter("artifactType").filter(|it| !it.is_empty());
        let (applies, says) = match self.quirks.filter {
            Filter::Applied | Filter::Always => (true, true),
            Filter::Claimed => (false, true),
            Filter::Ignored => (false, false),
            Filter::Silent => (true, false),
        };
        if let Some(wanted) = wanted.as_deref().filter(|_| applies) {
            all.retain(|it| it.get("artifactType").and_then(Value::as_str) == Some(wanted));
        }
        let (page, next) = self.page_of_referrers(name, digest, &all);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": page});
        let mut response = Response::new(200).with("Content-Type", INDEX).body(index.to_string());
        if says && wanted.is_some() || self.quirks.filter == Filter::Always {
            response = response.with("OCI-Filters-Applied", "artifactType");
        }
        self.with_next(response, next)
    }

    fn page_of_referrers<'v>(&self, name: &str, digest: &str, all: &'v [Value]) -> (&'v [Value], Option<String>) {
        let from = self.request.parameter("next").and_then(|at| at.parse::<usize>().ok()).unwrap_or(0).min(all.len());
        let mut size = 200;
        let fits = |it: &&Value| {
            size += it.to_string().len() + 1;
            size < PAGE_BYTES
        };
        let room = all[from..].iter().take_while(fits).count().max(1);
        let end = (from + room.min(self.quirks.page.unwrap_or(usize::MAX))).min(all.len());
        let filter = self.request.parameter("artifactType").map(|it| format!("&artifactType={}", percent_encode(&it)));
        let more = end < all.len() && !self.quirks.page_cut;
        let next = format!("/v2/{name}/referrers/{digest}?next={end}{}", filter.unwrap_or_default());
        (&all[from..end], more.then_some(next))
    }

    fn manifest(&mut self, name: &str, reference: &str) -> Response {
        if !is_tag(reference) && reference.parse::<Digest>().is_err() {
            return match reference.contains(':') {
                true if self.old() && self.request.method == "PUT" => Response::error(500, "UNKNOWN", "unknown error"),
                true => Response::error(400, "DIGEST_INVALID", "invalid digest"),
                false => self.unroutable("TAG_INVALID", "invalid tag name"),
            };
        }
        match self.request.method.as_str() {
            "GET" | "HEAD" => self.get_manifest(name, reference),
            "PUT" => self.put_manifest(name, reference),
            "DELETE" => self.delete_manifest(name, reference),
            _ => self.unsupported(),
        }
    }

    fn get_manifest(&self, name: &str, reference: &str) -> Response {
        let found = self.core.find(self.quirks, name, reference);
        let found = found.filter(|(_, manifest)| self.quirks.accept == Accept::Ignored || self.accepts(manifest));
        let Some((digest, manifest)) = found else {
            return self.not_found("MANIFEST_UNKNOWN", "manifest unknown");
        };
        let etag = format!("\"{digest}\"");
        let unchanged = self.request.header("If-None-Match").is_some_and(|it| it.contains(&etag));
        if unchanged && self.old() {
            return Response::new(304);
        }
        let response = Response::new(if unchanged { 304 } else { 200 })
            .with("Content-Type", manifest.media_type.clone())
            .with("Docker-Content-Digest", digest.to_string())
            .with("ETag", etag);
        if unchanged { response } else { response.body(Body::Bytes(manifest.bytes)) }
    }

    fn accepts(&self, manifest: &Manifest) -> bool {
        let accepted = self.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Accept"));
        let accepted: Vec<&str> = accepted.flat_map(|(_, value)| value.split(',')).map(str::trim).collect();
        let named = |it: &&str| it.split(';').next().is_some_and(|it| it.trim() == manifest.media_type);
        let strict = manifest.media_type.starts_with("application/vnd.oci.")
            || ARTIFACT_TYPES.contains(&manifest.media_type.as_str());
        !strict || accepted.iter().any(named)
    }

    fn put_manifest(&mut self, name: &str, reference: &str) -> Response {
        let cap = self.quirks.manifest_cap;
        let bytes = match self.body.all(cap.bytes) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Response::error(cap.status, "MANIFEST_INVALID", "manifest is too big"),
            Err(_) => return Response::error(400, "MANIFEST_INVALID", "the body ended early"),
        };
        let media_type = self.request.header("Content-Type").unwrap_or_default().to_owned();
        let subject = match self.check_manifest(name, &bytes, &media_type) {
            Ok(subject) => subject,
            Err(refusal) => return refusal,
        };
        let digest = match reference.parse::<Digest>() {
            Ok(named) => match (digest_like(&named, &bytes), self.quirks.wrong_digest) {
                (have, _) if have == named => named,
                (_, true) => named,
                _ => return Response::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content"),
            },
            Err(_) => Digest::sha256(&bytes),
        };
        let tag = is_tag(reference).then_some(reference);
        if let Some(refusal) = tag.and_then(|tag| self.refuse_tag(name, tag, &digest)) {
            return refusal;
        }
        if self.quirks.slow_write_ms > 0 {
            thread::sleep(Duration::from_millis(self.quirks.slow_write_ms.min(10_000)));
        }
        self.core.remember(self.quirks, name, tag);
        self.core.store.put_manifest_as(name, digest, &bytes, &media_type, tag);
        self.lose(name, &bytes, &media_type, tag);
        let response = Response::new(201)
            .with("Location", self.place(&format!("/v2/{name}/manifests/{digest}")))
            .with("Docker-Content-Digest", digest.to_string());
        let says = matches!(self.quirks.referrers, Referrers::On | Referrers::LyingSubject);
        match subject.filter(|_| says) {
            Some(subject) => response.with("OCI-Subject", subject),
            None => response,
        }
    }

    fn lose(&self, name: &str, bytes: &[u8], media_type: &str, tag: Option<&str>) {
        match (self.quirks.lose, tag) {
            (Lose::Layers, _) => {
                let json: Value = serde_json::from_slice(bytes).unwrap_or_default();
                let layers = json.get("layers").and_then(Value::as_array).into_iter().flatten();
                let digests = layers.filter_map(|layer| layer.get("digest")?.as_str()?.parse().ok());
                digests.for_each(|digest| {
                    let _gone = self.core.store.delete_blob(name, &digest);
                });
            }
            (Lose::Bytes, Some(tag)) => {
                let other = [bytes, b"\n"].concat();
                self.core.store.put_manifest_as(name, Digest::sha256(&other), &other, media_type, Some(tag));
            }
            (Lose::Bytes, None) | (Lose::Nothing, _) => {}
        }
    }

    fn refuse_tag(&self, name: &str, tag: &str, digest: &Digest) -> Option<Response> {
        let now = self.core.store.tag(name, tag);
        let etag = now.map(|digest| format!("\"{digest}\"")).unwrap_or_default();
        let fails = match (self.request.header("If-Match"), self.request.header("If-None-Match")) {
            (Some(wanted), _) => now.is_none() || (wanted != "*" && !wanted.contains(&etag)),
            (None, Some(unwanted)) => now.is_some() && (unwanted == "*" || unwanted.contains(&etag)),
            (None, None) => false,
        };
        if self.quirks.if_match && fails {
            return Some(Response::error(412, "PRECONDITION_FAILED", "the tag has changed"));
        }
        let frozen = self.quirks.immutable.as_ref().filter(|it| glob(&it.pattern, tag))?;
        let changes = now.is_some_and(|now| now != *digest || frozen.same);
        let message = format!("tag `{tag}` already exists and cannot be overwritten because it is immutable");
        changes.then(|| Response::error(frozen.status, "TAG_INVALID", &message))
    }

    // The checks on a pushed manifest. Returns its subject, if it has one.
    fn check_manifest(&self, name: &str, bytes: &[u8], media_type: &str) -> Result<Option<String>, Response> {
        let invalid = |message: &str| Response::error(400, "MANIFEST_INVALID", message);
        let json: Value = serde_json::from_slice(bytes).map_err(|_| invalid("manifest is not JSON"))?;
        let is_artifact = self.quirks.artifact_manifests && ARTIFACT_TYPES.contains(&media_type);
        if !is_artifact && !MANIFEST_TYPES.contains(&media_type) {
            return Err(invalid("media type of the manifest is not known"));
        }
        let output = json.get("mediaType").and_then(Value::as_str);
        if output.is_some_and(|output| output != media_type) {
            return Err(invalid("mediaType and Content-Type differ"));
        }
        let is_index = media_type == INDEX || media_type == DOCKER_INDEX;
        let config = json.get("config").filter(|it| it.is_object());
        if !is_index && !is_artifact && config.is_none() {
            let code = if self.old() { "DIGEST_INVALID" } else { "MANIFEST_INVALID" };
            return Err(Response::error(400, code, "config is missing"));
        }
        let subject = json.get("subject").and_then(|it| it.get("digest")?.as_str()).map(str::to_owned);
        if let Some(status) = self.quirks.push_subject.filter(|_| subject.is_some()) {
            return Err(Response::error(status, "UNSUPPORTED", "manifests with a subject are not taken"));
        }
        let allowed = |it: &Vec<String>| {
            config.and_then(|c| c.get("mediaType")?.as_str()).is_none_or(|c| it.iter().any(|t| t == c))
        };
        if !self.quirks.config_types.as_ref().is_none_or(allowed) {
            return Err(invalid("media type of the config is not allowed"));
        }
        let missing: Vec<Value> = match is_index {
            true if self.quirks.sparse => Vec::new(),
            true => listed(&json, "manifests", |it| self.core.store.find(name, it).is_some()),
            false if is_artifact => {
                let has = |it: &str| it.parse().is_ok_and(|digest| self.core.store.blob(name, &digest).is_some());
                listed(&json, "blobs", has)
            }
            false => {
                let has = |it: &str| it.parse().is_ok_and(|digest| self.core.store.blob(name, &digest).is_some());
                let mut missing = listed(&json, "layers", has);
                missing.extend(listed(&json!({"config": [config]}), "config", has));
                missing
            }
        };
        if missing.is_empty() {
            return Ok(subject);
        }
        let errors: Vec<Value> = missing
            .into_iter()
            .map(|it| json!({"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry", "detail": it}))
            .collect();
        Err(Response::json(400, &json!({ "errors": errors })))
    }

    fn delete_manifest(&self, name: &str, reference: &str) -> Response {
        let done = match reference.parse::<Digest>() {
            _ if self.quirks.delete == Delete::Nothing => return self.unsupported(),
            Err(_) if self.quirks.delete == Delete::Digests => {
                return Response::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            Ok(digest) => self.core.store.delete_manifest(name, &digest),
            Err(_) => self.core.store.delete_tag(name, reference),
        };
        if done { Response::new(202) } else { self.not_found("MANIFEST_UNKNOWN", "manifest unknown") }
    }
}

/// Whether that can be a tag.
pub fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().next().is_some_and(word) && text.len() <= 128 && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

/// The digest of `bytes` by the algorithm of another digest.
pub fn digest_like(like: &Digest, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(like.algorithm());
    hasher.update(bytes);
    hasher.finish()
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    DOCKER_INDEX,
];
const ARTIFACT_TYPES: [&str; 2] =
    ["application/vnd.oci.artifact.manifest.v1+json", "application/vnd.cncf.oras.artifact.manifest.v1+json"];
const PAGE_BYTES: usize = 4 << 20;

// The digests in a list of descriptors that are not there. What has its own place in `urls` need not be.
fn listed(json: &Value, list: &str, there: impl Fn(&str) -> bool) -> Vec<Value> {
    let items = json.get(list).and_then(Value::as_array).into_iter().flatten();
    let missing = |it: &&Value| {
        let digest = it.get("digest").and_then(Value::as_str).unwrap_or_default();
        let foreign = it.get("urls").and_then(Value::as_array).is_some_and(|urls| !urls.is_empty());
        !foreign && !there(digest)
    };
    items.filter(missing).map(|it| json!({"digest": it.get("digest")})).collect()
}

fn spoil_type(descriptor: &mut Value, how: &ArtifactType) {
    let Some(descriptor) = descriptor.as_object_mut() else {
        return;
    };
    match how {
        ArtifactType::Missing => drop(descriptor.remove("artifactType")),
        ArtifactType::Right => {}
        ArtifactType::Wrong(value) => drop(descriptor.insert("artifactType".to_owned(), value.clone().into())),
    }
}

/// A `Core` is shared by all connections.
pub type Shared = Arc<Core>;
