//! `Quirks`: what makes a registry differ from the polite one, one switch per behaviour.
//!
//! The table below is `SWITCHES`, which `quirk-registry --list` prints; a test holds the two together. Sources are
//! upstream issues (`owner/repo#n`), rows of the hostile-registry table (HR-nn) and of the transfer-fault table (TF-nn).
//!
//! TABLE

use super::script::Action;
use super::script::Times;

/// How a registry differs from the polite one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    pub accept: Accept,
    pub anonymous: Anonymous,
    pub api_header: bool,
    pub artifact_type: ArtifactType,
    pub auth: Auth,
    pub blob_redirect: bool,
    pub chunk_cap: Option<Cap>,
    pub chunk_min: Option<u64>,
    pub config_types: Option<Vec<String>>,
    pub create: bool,
    pub delete: bool,
    pub filter: Filter,
    pub gc: Gc,
    pub gitlab_alias: bool,
    pub grants: Vec<Grant>,
    pub if_match: bool,
    pub immutable: Option<String>,
    pub link: Link,
    pub location: Location,
    pub manifest_cap: Cap,
    pub mount: Mount,
    pub names: Names,
    pub not_found: u16,
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
    pub token_post: Option<u16>,
    pub token_requests: Option<usize>,
    pub token_seconds: u64,
    pub users: Vec<(String, String)>,
    pub wrong_digest: bool,
    pub wrong_offset: bool,
}

/// What the `Accept` header does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    Ignored,
    /// An OCI manifest that is not accepted is not found.
    Strict,
}

/// What may be done without credentials where there are any.
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

/// How a client proves who it is.
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

/// What `?artifactType=` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    Applied,
    /// Said to be applied and not.
    Claimed,
    Ignored,
    /// Applied and not said.
    Silent,
}

/// What garbage collection spares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gc {
    Careful,
    DropReferrers,
}

/// Which repositories a user may use, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub user: String,
    /// A repository, or a pattern with `*`.
    pub repository: String,
    pub actions: Vec<String>,
}

/// How the next page is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Absolute,
    /// The page that was asked for is its own next one.
    Loop,
    OtherHost,
    Relative,
}

/// How the place of an upload is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Absolute,
    OtherHost,
    Path,
    /// Relative to the upload endpoint itself.
    Relative,
}

/// What a request to mount a blob gets.
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

/// Which repository names there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Any,
    /// Only with a slash in them.
    Library,
}

/// What PATCH does.
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

/// What `Range` says after a PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    Right,
    /// What it was before this PATCH.
    Stale,
}

/// Where tokens are had.
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

/// Which requests are too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    pub pattern: String,
    pub times: Times,
    pub retry_after: Option<String>,
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
            chunk_min: None,
            config_types: None,
            create: true,
            delete: true,
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
            token_post: None,
            token_requests: None,
            token_seconds: 300,
            users: Vec::new(),
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

    /// What the switches of this registry are as rules: `throttle`.
    pub fn rules(&self) -> Vec<(String, Times, Action)> {
        let rule = |it: &Throttle| {
            let headers = it.retry_after.iter().map(|after| ("Retry-After".to_owned(), after.clone())).collect();
            let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}"#.to_vec();
            (it.pattern.clone(), it.times, Action::Status { code: 429, headers, body })
        };
        self.throttles.iter().map(rule).collect()
    }
}
