//! The switches by name: for command lines, and for tests that read like them.

use super::quirks::Accept;
use super::quirks::Anonymous;
use super::quirks::ArtifactType;
use super::quirks::Auth;
use super::quirks::Cap;
use super::quirks::Filter;
use super::quirks::Gc;
use super::quirks::Grant;
use super::quirks::Link;
use super::quirks::Location;
use super::quirks::Mount;
use super::quirks::Names;
use super::quirks::Patch;
use super::quirks::Quirks;
use super::quirks::Range;
use super::quirks::Realm;
use super::quirks::Referrers;
use super::quirks::Scope;
use super::quirks::Throttle;
use super::script::Times;

/// A switch: its name, its values, what it does, and who has seen it.
pub struct Switch(pub &'static str, pub &'static str, pub &'static str, pub &'static str);

/// Every switch, by name. The first value is the polite one.
pub const SWITCHES: &[Switch] = &[
    Switch(
        "accept",
        "ignored|strict",
        "an OCI manifest whose type `Accept` does not name is not found",
        "distribution 2.8.2, measured",
    ),
    Switch("anonymous", "nothing|pull|everything", "what may be done without credentials", "Docker Hub, GHCR"),
    Switch(
        "artifact-type",
        "right|missing|wrong|wrong=TYPE",
        "what lists of referrers say",
        "Azure/acr#784, ggcr#2269, cosign#4422, HR-50",
    ),
    Switch("auth", "none|basic|token", "how a client proves who it is", "distribution-spec, HR-27..33"),
    Switch(
        "blob-redirect",
        "off|on",
        "blobs are on another host, which refuses `Authorization`",
        "cosign#3331 (ACR, S3), HR-25",
    ),
    Switch(
        "chunk-cap",
        "none|BYTES[:STATUS]",
        "bodies over that are refused, with 416",
        "ocx#237 (GHCR), containers-roadmap#2831 (ECR)",
    ),
    Switch(
        "chunk-min",
        "none|BYTES",
        "`OCI-Chunk-Min-Length` in answers to uploads",
        "distribution-spec, \"Pushing a blob in chunks\"",
    ),
    Switch("config-types", "any|TYPE,…", "media types of configs that are taken", "quay/quay#1196, quay/quay#1554"),
    Switch("create", "on|off", "a first push makes the repository", "containers-roadmap#853 (ECR)"),
    Switch("delete", "on|off", "manifests and blobs can be deleted", "distribution: off unless configured"),
    Switch(
        "distribution-header",
        "off|on",
        "`Docker-Distribution-Api-Version` in every answer",
        "distribution 2.8.2, measured",
    ),
    Switch("filter", "applied|ignored|claimed|silent", "what `?artifactType=` does, and what is said", "HR-51"),
    Switch(
        "gc",
        "careful|drop-referrers",
        "what garbage collection spares",
        "distribution#1844, measured on 2.8.2; TF-24",
    ),
    Switch("gitlab-alias", "off|on", "the tag `sha256-HEX` is the manifest `sha256:HEX`", "oras#2148 (GitLab)"),
    Switch(
        "grant",
        "USER:REPOSITORY:ACTION,…",
        "what a user may do; several add up; none: everything",
        "Harbor robot accounts",
    ),
    Switch(
        "if-match",
        "ignored|honoured",
        "conditional writes of tags",
        "distribution-spec, ETag; measured on 2.8.2 and 3.1.1; HR-97",
    ),
    Switch("immutable", "none|all|PATTERN", "tags that cannot be moved", "cosign#313 (ECR), harbor#17332, TF-26"),
    Switch("link", "relative|absolute|other-host|loop", "how the next page is named", "HR-52, HR-53"),
    Switch(
        "location",
        "path|absolute|relative|other-host",
        "how the place of an upload is named",
        "HR-34, HR-35, oras-go#177",
    ),
    Switch(
        "manifest-cap",
        "4194304:413|BYTES[:STATUS]",
        "manifests over that are refused",
        "distribution 2.8.2, measured: 400",
    ),
    Switch(
        "mount",
        "polite|201|202|401|404|…|error-without-from|201-lie",
        "what a mount gets",
        "harbor#17097, ggcr#1404, oras#1892, buildkit#2454, HR-39",
    ),
    Switch("names", "any|library", "names without a slash are not found", "Docker Hub: `library/`"),
    Switch("notfound", "404|403", "the status of what is not there", "cosign#2973, cosign#1440 (Artifactory), HR-46"),
    Switch("patch", "append|once|overwrite|none", "what more than one PATCH does", "ocync docs (GHCR, GAR)"),
    Switch("patch-status", "202|201", "the status of a PATCH", "containers-roadmap#2831 (ECR)"),
    Switch(
        "push-subject",
        "taken|STATUS",
        "a manifest with a subject is refused so",
        "containers-roadmap#2783 (ECR: 405), hub-feedback#2307 (404)",
    ),
    Switch(
        "range",
        "right|stale",
        "`Range` after a PATCH is that of before",
        "containers-roadmap#2831, tart#273 (ECR)",
    ),
    Switch(
        "ratelimit-headers",
        "off|on",
        "`RateLimit-Limit` and `RateLimit-Remaining`",
        "Docker Hub, hub-feedback#1907",
    ),
    Switch("realm", "same|other-host|URL", "where tokens are had", "HR-27, HR-28"),
    Switch(
        "referrers",
        "on|off|404-json|lying-subject|paged=N|one-page-cut=N|type-missing|wrong-type[=TYPE]",
        "the referrers API",
        "distribution#4827, sigstore-js#1183, ggcr#2446, HR-42, HR-45",
    ),
    Switch("replica-lag", "0|N", "after a write of a tag, N reads still see what it was", "TF-28, HR-36"),
    Switch("scope", "all|last-only", "which of several scopes a token is for", "manifest-tool#53 (GitLab)"),
    Switch(
        "single-post",
        "on|off",
        "`POST ?digest=` stores the blob; off: 202 and an upload",
        "distribution 2.8.2, measured",
    ),
    Switch(
        "slow-rmw",
        "0|MS",
        "manifests are written after a pause, so that writers overtake each other",
        "oras#1728, ggcr#2205, HR-97",
    ),
    Switch(
        "sparse",
        "reject|accept",
        "an index may list manifests that are not there",
        "distribution#3628, harbor#19386, regclient#836",
    ),
    Switch(
        "stale-location",
        "accepted|404",
        "only the newest place of an upload is good",
        "distribution 2.8.2, measured",
    ),
    Switch("tags-max", "none|N", "`n` over that is refused", "ggcr options.go (ECR: 1000)"),
    Switch("tags-paging", "on|off", "`n` and `last` in lists of tags", "distribution 2.8.2, measured"),
    Switch(
        "throttle",
        "PATTERN@TIMES[:RETRY-AFTER]",
        "429 on those requests; TIMES is every, N, first-N, after-N or every-N",
        "hub-feedback#1907, hub-feedback#2040, retagger#1239, HR-40, TF-17",
    ),
    Switch(
        "token-post",
        "on|404|401|400",
        "the status of a POST for a token",
        "containerd authorizer.go (GCR, Artifactory, ACR)",
    ),
    Switch(
        "token-ttl",
        "none|REQUESTS",
        "a token is good for so many requests",
        "moby#33558, buildx#324, Portus#1338, TF-19, TF-20",
    ),
    Switch("token-seconds", "300|SECONDS", "a token is good for so long", "distribution token specification"),
    Switch("user", "NAME:PASSWORD", "somebody who may log in; several add up", "distribution htpasswd"),
    Switch(
        "wrong-digest",
        "reject|accept",
        "a manifest may be put under a digest that is not its own",
        "ggcr pkg/registry, measured; HR-37",
    ),
    Switch(
        "wrong-offset",
        "416|accept",
        "a PATCH may begin anywhere; its bytes are added at the end",
        "distribution 2.8.2, measured",
    ),
];

impl Quirks {
    /// Sets the switch `name` or `name=value`. A name alone is `on` where that is a value.
    pub fn set(&mut self, switch: &str) -> Result<(), String> {
        let (name, value) = switch.split_once('=').unwrap_or((switch, "on"));
        self.set_to(name, value).ok_or_else(|| match SWITCHES.iter().find(|known| known.0 == name) {
            Some(known) => format!("switch `{name}` cannot be `{value}`: wanted {}", known.1),
            None => format!("there is no switch `{name}`"),
        })
    }

    fn set_to(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "blob-redirect" => self.blob_redirect = on(value)?,
            "create" => self.create = on(value)?,
            "delete" => self.delete = on(value)?,
            "distribution-header" => self.api_header = on(value)?,
            "gitlab-alias" => self.gitlab_alias = on(value)?,
            "if-match" => self.if_match = pick(value, &[("ignored", false), ("honoured", true), ("on", true)])?,
            "ratelimit-headers" => self.rate_limit = on(value)?,
            "single-post" => self.post_digest = on(value)?,
            "no-single-post" => self.post_digest = !on(value)?,
            "sparse" => self.sparse = pick(value, &[("reject", false), ("accept", true)])?,
            "stale-location" => self.stale_location = pick(value, &[("accepted", false), ("404", true)])?,
            "tags-paging" => self.tags_page = on(value)?,
            "wrong-digest" => self.wrong_digest = pick(value, &[("reject", false), ("accept", true)])?,
            "wrong-offset" => self.wrong_offset = pick(value, &[("416", false), ("accept", true)])?,
            "anonymous" | "auth" | "grant" | "realm" | "scope" | "token-post" | "token-seconds" | "token-ttl"
            | "user" => {
                self.set_access(name, value)?;
            }
            "chunk-cap" | "chunk-min" | "location" | "mount" | "patch" | "patch-status" | "range" => {
                self.set_uploads(name, value)?;
            }
            "artifact-type" | "filter" | "link" | "referrers" => self.set_referrers(name, value)?,
            _ => self.set_content(name, value)?,
        }
        Some(())
    }

    fn set_access(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "anonymous" => {
                let all =
                    [("nothing", Anonymous::Nothing), ("pull", Anonymous::Pull), ("everything", Anonymous::Everything)];
                self.anonymous = pick(value, &all)?;
            }
            "auth" => self.auth = pick(value, &[("none", Auth::None), ("basic", Auth::Basic), ("token", Auth::Token)])?,
            "grant" => {
                let (user, rest) = value.split_once(':')?;
                let (repository, actions) = rest.rsplit_once(':')?;
                let actions = actions.split(',').map(str::to_owned).collect();
                self.grants.push(Grant { user: user.to_owned(), repository: repository.to_owned(), actions });
            }
            "realm" => {
                self.realm = match value {
                    "same" => Realm::Same,
                    "other-host" => Realm::OtherHost,
                    url => Realm::Url(url.to_owned()),
                }
            }
            "scope" => self.scope = pick(value, &[("all", Scope::All), ("last-only", Scope::LastOnly)])?,
            "token-post" => self.token_post = unless("on", value)?,
            "token-seconds" => self.token_seconds = value.parse().ok()?,
            "token-ttl" => self.token_requests = unless("none", value)?,
            "user" => {
                let (user, password) = value.split_once(':')?;
                self.users.push((user.to_owned(), password.to_owned()));
            }
            _ => return None,
        }
        Some(())
    }

    fn set_uploads(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "chunk-cap" => self.chunk_cap = if value == "none" { None } else { Some(cap(value, 416)?) },
            "chunk-min" => self.chunk_min = unless("none", value)?,
            "location" => {
                let all = [
                    ("path", Location::Path),
                    ("absolute", Location::Absolute),
                    ("relative", Location::Relative),
                    ("other-host", Location::OtherHost),
                ];
                self.location = pick(value, &all)?;
            }
            "mount" => {
                self.mount = match value {
                    "polite" => Mount::Polite,
                    "error-without-from" => Mount::ErrorWithoutFrom,
                    "201-lie" => Mount::Lie,
                    status => Mount::Status(status.parse().ok()?),
                }
            }
            "patch" => {
                let all = [
                    ("append", Patch::Append),
                    ("once", Patch::Once),
                    ("overwrite", Patch::Overwrite),
                    ("none", Patch::None),
                ];
                self.patch = pick(value, &all)?;
            }
            "patch-status" => self.patch_status = value.parse().ok()?,
            "range" => self.range = pick(value, &[("right", Range::Right), ("stale", Range::Stale)])?,
            _ => return None,
        }
        Some(())
    }

    fn set_referrers(&mut self, name: &str, value: &str) -> Option<()> {
        match (name, value.split_once('=').unwrap_or((value, ""))) {
            ("artifact-type", ("right", "")) => self.artifact_type = ArtifactType::Right,
            ("artifact-type", ("missing", "")) | ("referrers", ("type-missing", "")) => {
                self.artifact_type = ArtifactType::Missing;
            }
            ("artifact-type", ("wrong", kind)) | ("referrers", ("wrong-type", kind)) => {
                // What old go-containerregistry wrote: google/go-containerregistry#2269.
                let kind = if kind.is_empty() { "application/vnd.oci.empty.v1+json" } else { kind };
                self.artifact_type = ArtifactType::Wrong(kind.to_owned());
            }
            ("filter", _) => {
                let all = [
                    ("applied", Filter::Applied),
                    ("ignored", Filter::Ignored),
                    ("claimed", Filter::Claimed),
                    ("silent", Filter::Silent),
                ];
                self.filter = pick(value, &all)?;
            }
            ("link", _) => {
                let all = [
                    ("relative", Link::Relative),
                    ("absolute", Link::Absolute),
                    ("other-host", Link::OtherHost),
                    ("loop", Link::Loop),
                ];
                self.link = pick(value, &all)?;
            }
            ("referrers", ("paged" | "one-page-cut", size)) => {
                self.page = Some(size.parse().ok().filter(|&size| size > 0)?);
                self.page_cut = value.starts_with("one-page-cut");
            }
            ("referrers", _) => {
                let all = [
                    ("on", Referrers::On),
                    ("off", Referrers::Off),
                    ("404-json", Referrers::NotFoundJson),
                    ("lying-subject", Referrers::LyingSubject),
                ];
                self.referrers = pick(value, &all)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn set_content(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "accept" => self.accept = pick(value, &[("ignored", Accept::Ignored), ("strict", Accept::Strict)])?,
            "config-types" => {
                let list = || value.split(',').map(str::to_owned).collect();
                self.config_types = (value != "any").then(list);
            }
            "gc" => self.gc = pick(value, &[("careful", Gc::Careful), ("drop-referrers", Gc::DropReferrers)])?,
            "immutable" => {
                self.immutable = match value {
                    "none" => None,
                    "all" | "on" => Some("*".to_owned()),
                    pattern => Some(pattern.to_owned()),
                }
            }
            "manifest-cap" => self.manifest_cap = cap(value, 413)?,
            "names" => self.names = pick(value, &[("any", Names::Any), ("library", Names::Library)])?,
            "notfound" => self.not_found = value.parse().ok()?,
            "push-subject" => self.push_subject = unless("taken", value)?,
            "replica-lag" => self.replica_lag = value.parse().ok()?,
            "slow-rmw" => self.slow_write_ms = value.parse().ok()?,
            "tags-max" => self.tags_max = unless("none", value)?,
            "throttle" => {
                let (pattern, rest) = value.rsplit_once('@')?;
                let (times, after) = rest.split_once(':').map_or((rest, None), |(times, after)| (times, Some(after)));
                let retry_after = after.filter(|after| *after != "none").map(str::to_owned);
                self.throttles.push(Throttle { pattern: pattern.to_owned(), times: Times::parse(times)?, retry_after });
            }
            _ => return None,
        }
        Some(())
    }
}

impl Times {
    /// Reads `every`, `N`, `first-N`, `after-N` or `every-N`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok();
        match text.split_once('-') {
            None if text == "every" => Some(Self::Every),
            None => number(text).map(Self::Nth),
            Some(("after", n)) => number(n).map(Self::After),
            Some(("every", n)) => number(n).map(Self::EveryNth),
            Some(("first", n)) => number(n).map(Self::First),
            Some(_) => None,
        }
    }
}

fn on(value: &str) -> Option<bool> {
    pick(value, &[("off", false), ("on", true)])
}

fn pick<T: Copy>(value: &str, all: &[(&str, T)]) -> Option<T> {
    all.iter().find(|(name, _)| *name == value).map(|(_, it)| *it)
}

// Nothing for that word, else a number.
fn unless<T: std::str::FromStr>(word: &str, value: &str) -> Option<Option<T>> {
    if value == word { Some(None) } else { value.parse().ok().map(Some) }
}

fn cap(value: &str, status: u16) -> Option<Cap> {
    let (bytes, status) = match value.split_once(':') {
        Some((bytes, status)) => (bytes, status.parse().ok()?),
        None => (value, status),
    };
    Some(Cap { bytes: bytes.parse().ok()?, status })
}
