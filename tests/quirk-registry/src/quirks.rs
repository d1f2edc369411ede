//! `Quirks`: what makes a registry differ from the polite one, one switch per behaviour.
//!
//! The table is what `quirk-registry --list` prints and what unknown switches are answered from. Where a behaviour was
//! seen: upstream issues (`owner/repo#n`, the owner left out where one project is meant), and entries of
//! `docs/threats.md`. `STATUS`, `N`, `MS`, … stand for a value.
//!
//! | switch | values, the polite one first | what it does | seen |
//! | --- | --- | --- | --- |
//! | `accept` | `ignored strict` | an OCI manifest whose type `Accept` does not name is not found | distribution 2.8.2, measured |
//! | `anonymous` | `nothing pull everything` | what may be done without credentials | Docker Hub, GHCR |
//! | `artifact-manifests` | `refused taken` | manifests of the withdrawn artifact types | distribution 3 refuses them; ACR, ECR, zot took them |
//! | `artifact-type` | `right missing wrong wrong=TYPE` | what lists of referrers say | Azure/acr#784, ggcr#2269, cosign#4422 (threats: mislabelled-list-entry) |
//! | `auth` | `none basic token` | how a client proves who it is | distribution-spec (threats: token-service-elsewhere, endless-401) |
//! | `blob-redirect` | `off on` | blobs are on another host, which refuses `Authorization` | cosign#3331 (ACR, S3) (threats: credentials-to-another-host) |
//! | `chunk-cap` | `none BYTES[:STATUS[:all]]` | chunks (what has a `Content-Range` or comes after another) over that are refused, with 416; `all`: whole uploads too | ocx#237 (GHCR), containers-roadmap#2831 (ECR) |
//! | `chunk-min` | `none BYTES` | `OCI-Chunk-Min-Length` in answers to uploads | distribution-spec, "Pushing a blob in chunks" |
//! | `config-types` | `any TYPE,…` | media types of configs that are taken | quay/quay#1196, quay/quay#1554 |
//! | `create` | `on off` | a first push makes the repository | containers-roadmap#853 (ECR) |
//! | `delete` | `on digests off` | what can be deleted: also by tag, only by digest, nothing | distribution 2.8.2, measured; off unless configured |
//! | `dialect` | `spec 2.8.2` | the small print of docker-registry 2.8.2: error codes, plain texts, bare 304s, `Content-Range` not looked at | distribution 2.8.2, measured by the calibration test |
//! | `distribution-header` | `off on` | `Docker-Distribution-Api-Version` in every answer | distribution 2.8.2, measured |
//! | `filter` | `applied ignored claimed silent always` | what `?artifactType=` does, and what is announced | (threats: wrong-filter-claim) |
//! | `gc` | `careful drop-referrers` | what garbage collection spares | distribution#1844, measured on 2.8.2 (threats: gc-deletes-referrers) |
//! | `gitlab-alias` | `off on` | the tag `sha256-HEX` is the manifest `sha256:HEX` | oras#2148 (GitLab) |
//! | `grant` | `USER:REPOSITORY:ACTION,…` | what a user may do; several add up; none: everything | Harbor robot accounts |
//! | `if-match` | `ignored honoured` | conditional writes of tags | distribution-spec, ETag; measured on 2.8.2 and 3.1.1 (threats: fallback-list-race) |
//! | `immutable` | `none all PATTERN[:STATUS[:same]]` | tags that cannot be moved, refused with 400; `same`: nor put again as they are | cosign#313, containers-roadmap#2179 (ECR), harbor#17332 (412) (threats: immutable-tag) |
//! | `link` | `relative absolute other-host loop` | how the next page is named | (threats: next-page-elsewhere, pagination-loop) |
//! | `location` | `path absolute relative other-host` | how the place of an upload is named | oras-go#177 (threats: upload-location-elsewhere, upload-location-forms) |
//! | `lose` | `nothing layers bytes` | what is lost after it was taken: the layers of a manifest; or what is put at a tag is stored in other bytes, and answered with the right digest | (threats: blob-accepted-and-lost, manifest-stored-changed) |
//! | `manifest-cap` | `4194304:413 BYTES[:STATUS]` | manifests over that are refused | distribution 2.8.2, measured: 400 |
//! | `mount` | `polite 201 202 401 404 … error-without-from 201-lie` | what a mount gets | harbor#17097, ggcr#1404, oras#1892, buildkit#2454 (threats: false-mount) |
//! | `names` | `any library` | names without a slash are not found | Docker Hub: `library/` |
//! | `notfound` | `404 403 403-all` | the status of tags and repositories that are not there; `-all`: of all else too | cosign#2973, cosign#1440 (Artifactory) (threats: error-read-as-absence) |
//! | `patch` | `append once overwrite none` | what more than one PATCH does | ocync docs (GHCR, GAR) |
//! | `patch-status` | `202 201` | the status of a PATCH | containers-roadmap#2831 (ECR) |
//! | `push-subject` | `taken STATUS` | a manifest with a subject is refused so | containers-roadmap#2783 (ECR: 405), hub-feedback#2307 (404) |
//! | `range` | `right stale` | `Range` after a PATCH is that of before | containers-roadmap#2831, tart#273 (ECR) |
//! | `ratelimit-headers` | `off on` | `RateLimit-Limit` and `RateLimit-Remaining` | Docker Hub, hub-feedback#1907 |
//! | `realm` | `same other-host URL` | where tokens are had | (threats: token-service-elsewhere) |
//! | `referrers` | `on off 404-json lying-subject paged=N one-page-cut=N type-missing wrong-type[=TYPE]` | the referrers API | distribution#4827, sigstore-js#1183, ggcr#2446 (threats: no-referrers-api, empty-list) |
//! | `replica-lag` | `0 N` | after a write of a tag, N reads still see what it was | (threats: lagging-replica) |
//! | `scope` | `all last-only` | which of several scopes a token is for | manifest-tool#53 (GitLab) |
//! | `single-post` | `on off` | `POST ?digest=` stores the blob; off: 202 and an upload | distribution 2.8.2, measured |
//! | `slow-rmw` | `0 MS` | manifests are written after a pause, so that writers overtake each other | oras#1728, ggcr#2205 (threats: fallback-list-race) |
//! | `sparse` | `reject accept` | an index may list manifests that are not there | distribution#3628, harbor#19386, regclient#836 |
//! | `stale-location` | `accepted 404` | only the newest place of an upload is good | distribution 2.8.2, measured |
//! | `tags-max` | `none N` | `n` over that is refused | ggcr options.go (ECR: 1000) |
//! | `tags-paging` | `on off` | `n` and `last` in lists of tags | distribution 2.8.2, measured |
//! | `throttle` | `PATTERN@TIMES[:RETRY-AFTER]` | 429 on those requests; TIMES is every, N, first-N, after-N or every-N | hub-feedback#1907, hub-feedback#2040, retagger#1239 (threats: rate-limit) |
//! | `token-post` | `on STATUS STATUS-password` | a POST for a token is refused; `-password`: only one with a password | containerd authorizer.go (GCR 404, Artifactory 401, ACR 400) |
//! | `token-seconds` | `300 SECONDS` | a token is good for so long | distribution token specification |
//! | `token-ttl` | `none REQUESTS` | a token is good for so many requests | moby#33558, buildx#324, Portus#1338 (threats: token-expires-in-upload) |
//! | `user` | `NAME:PASSWORD` | somebody who may log in; several add up; the user `<token>` has an identity token | distribution htpasswd |
//! | `warning` | `off on` | `Warning: 299` with a text for people in every answer | distribution-spec, "Warnings" |
//! | `whole-range` | `taken STATUS` | a whole upload with a `Content-Range` is refused so | tart#179 |
//! | `wrong-digest` | `reject accept` | a manifest may be put under a digest that is not its own | ggcr pkg/registry, measured (threats: manifest-stored-changed) |
//! | `wrong-offset` | `416 accept` | a PATCH may begin anywhere; its bytes are added at the end | distribution 2.8.2, measured |

use super::script::Action;
use super::script::Times;

/// The accepted content that the registry loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lose {
    Bytes,
    Layers,
    Nothing,
}

/// The differences of a registry from one that follows the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    pub accept: Accept,
    pub anonymous: Anonymous,
    pub api_header: bool,
    pub artifact_manifests: bool,
    pub artifact_type: ArtifactType,
    pub auth: Auth,
    pub blob_redirect: bool,
    pub chunk_cap: Option<Cap>,
    pub cap_whole: bool,
    pub chunk_min: Option<u64>,
    pub config_types: Option<Vec<String>>,
    pub create: bool,
    pub delete: Delete,
    pub dialect: Dialect,
    pub filter: Filter,
    pub gc: Gc,
    pub gitlab_alias: bool,
    pub grants: Vec<Grant>,
    pub if_match: bool,
    pub immutable: Option<Immutable>,
    pub link: Link,
    pub location: Location,
    pub manifest_cap: Cap,
    pub mount: Mount,
    pub names: Names,
    pub not_found: u16,
    pub not_found_digest: u16,
    pub page: Option<usize>,
    pub page_cut: bool,
    pub patch: Patch,
    pub patch_status: u16,
    pub post_digest: bool,
    pub push_subject: Option<u16>,
    pub range: Range,
    pub rate_limit: bool,
    pub realm: Realm,
    pub referrers: Referrers,
    pub replica_lag: usize,
    pub scope: Scope,
    pub slow_write_ms: u64,
    pub sparse: bool,
    pub stale_location: bool,
    pub tags_max: Option<usize>,
    pub tags_page: bool,
    pub throttles: Vec<Throttle>,
    pub token_post: TokenPost,
    pub token_requests: Option<usize>,
    pub token_seconds: u64,
    pub users: Vec<(String, String)>,
    pub warning: bool,
    pub whole_range: Option<u16>,
    pub lose: Lose,
    pub wrong_digest: bool,
    pub wrong_offset: bool,
}

/// The effect of the `Accept` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    Ignored,
    /// An OCI manifest that is not accepted is not found.
    Strict,
}

/// Anonymous access to a registry with authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    Everything,
    Nothing,
    Pull,
}

/// The artifact types that a list of referrers gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactType {
    Missing,
    Right,
    Wrong(String),
}

/// The authentication method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Basic,
    None,
    Token,
}

/// A limit and the status that going over it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub bytes: u64,
    pub status: u16,
}

/// The content that can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// Blobs, and manifests by digest.
    Digests,
    Everything,
    Nothing,
}

/// Whose small print is followed: error codes and headers that the specification leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// docker-registry 2.8.2: errors of its router are plain text, JSON has a charset, a 304 for a manifest is bare,
    /// `Content-Range` is not looked at, an upload that failed its digest goes on.
    Distribution,
    Spec,
}

/// The effect of `?artifactType=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Applied if it was requested, and announced in any case.
    Always,
    Applied,
    /// ProgramOutput to be applied and not.
    Claimed,
    Ignored,
    /// Applied and not announced.
    Silent,
}

/// The content that garbage collection keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gc {
    Careful,
    DropReferrers,
}

/// The access rights of a user to repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub user: String,
    /// A repository, or a pattern with `*`.
    pub repository: String,
    pub actions: Vec<String>,
}

/// The immutable tags, and the error for moving one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Immutable {
    /// A tag, or a pattern with `*`.
    pub pattern: String,
    pub status: u16,
    /// Whether putting the same manifest once more is refused too.
    pub same: bool,
}

/// The form of the link to the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Absolute,
    /// The page that was asked for is its own next one.
    Loop,
    OtherHost,
    Relative,
}

/// The form of the `Location` of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Absolute,
    OtherHost,
    Path,
    /// Relative to the upload endpoint itself.
    Relative,
}

/// The answer to a mount request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// An error unless `from` is given.
    ErrorWithoutFrom,
    /// 201 for a blob that is not there.
    Lie,
    /// 201 if the source has it, else 202.
    Polite,
    /// That status, always. 202 opens an upload.
    Status(u16),
}

/// The rule for repository names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Any,
    /// Only with a slash in them.
    Library,
}

/// The behaviour of PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    Append,
    /// Not there: only whole uploads.
    None,
    /// One per upload.
    Once,
    /// Each replaces what came before.
    Overwrite,
}

/// The value of `Range` after a PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    Right,
    /// The offset before this PATCH.
    Stale,
}

/// The location of the token service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Realm {
    OtherHost,
    Same,
    Url(String),
}

/// The referrers API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referrers {
    /// Not there, but a PUT says that it is.
    LyingSubject,
    /// 404 with an OCI error body.
    NotFoundJson,
    /// 404 with plain text.
    Off,
    On,
}

/// For which of the asked-for scopes a token is made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    LastOnly,
}

/// The rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    pub pattern: String,
    pub times: Times,
    pub retry_after: Option<String>,
}

/// Whether tokens can be had by POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPost {
    /// Not with a password, which has that status.
    NoPassword(u16),
    /// That status.
    Refused(u16),
    Served,
}

impl Default for Quirks {
    fn default() -> Self {
        Self::polite()
    }
}

impl Quirks {
    /// A registry as distribution-spec 1.1 wants it, without authentication.
    pub fn polite() -> Self {
        Self {
            accept: Accept::Ignored,
            anonymous: Anonymous::Nothing,
            api_header: false,
            artifact_type: ArtifactType::Right,
            auth: Auth::None,
            blob_redirect: false,
            chunk_cap: None,
            cap_whole: false,
            chunk_min: None,
            artifact_manifests: false,
            config_types: None,
            create: true,
            delete: Delete::Everything,
            dialect: Dialect::Spec,
            filter: Filter::Applied,
            gc: Gc::Careful,
            gitlab_alias: false,
            grants: Vec::new(),
            if_match: false,
            immutable: None,
            link: Link::Relative,
            location: Location::Path,
            manifest_cap: Cap { bytes: 4 << 20, status: 413 },
            mount: Mount::Polite,
            names: Names::Any,
            not_found: 404,
            not_found_digest: 404,
            page: None,
            page_cut: false,
            patch: Patch::Append,
            patch_status: 202,
            post_digest: true,
            push_subject: None,
            range: Range::Right,
            rate_limit: false,
            realm: Realm::Same,
            referrers: Referrers::On,
            replica_lag: 0,
            scope: Scope::All,
            slow_write_ms: 0,
            sparse: false,
            stale_location: false,
            tags_max: None,
            tags_page: true,
            throttles: Vec::new(),
            token_post: TokenPost::Served,
            token_requests: None,
            token_seconds: 300,
            users: Vec::new(),
            warning: false,
            whole_range: None,
            lose: Lose::Nothing,
            wrong_digest: false,
            wrong_offset: false,
        }
    }

    /// The same with one switch set, written `name` or `name=value`. Stops the test at an unknown one.
    #[must_use]
    pub fn with(mut self, switch: &str) -> Self {
        self.set(switch).unwrap_or_else(|problem| panic!("{problem}"));
        self
    }

    /// The switches of this registry that are rules: `throttle`.
    pub fn rules(&self) -> Vec<(String, Times, Action)> {
        let rule = |it: &Throttle| {
            let headers = it.retry_after.iter().map(|after| ("Retry-After".to_owned(), after.clone())).collect();
            let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}"#.to_vec();
            (it.pattern.clone(), it.times, Action::Status { code: 429, headers, body })
        };
        self.throttles.iter().map(rule).collect()
    }
}
