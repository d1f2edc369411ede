//! The switches by name: for command lines, and for tests that read like them.

use super::quirks::Accept;
use super::quirks::Anonymous;
use super::quirks::ArtifactType;
use super::quirks::Auth;
use super::quirks::Cap;
use super::quirks::Delete;
use super::quirks::Dialect;
use super::quirks::Filter;
use super::quirks::Gc;
use super::quirks::Grant;
use super::quirks::Immutable;
use super::quirks::Link;
use super::quirks::Location;
use super::quirks::Lose;
use super::quirks::Mount;
use super::quirks::Names;
use super::quirks::Patch;
use super::quirks::Quirks;
use super::quirks::Range;
use super::quirks::Realm;
use super::quirks::Referrers;
use super::quirks::Scope;
use super::quirks::Throttle;
use super::quirks::TokenPost;
use super::script::Times;

/// A switch, as its row in the table says.
#[derive(Clone, Debug)]
pub struct Switch {
    pub name: &'static str,
    /// Its values, the polite one first. What is in capitals stands for a value.
    pub values: Vec<&'static str>,
    pub what: &'static str,
    pub seen: &'static str,
}

/// Every switch, read from the table at the top of `quirks.rs`.
pub fn switches() -> Vec<Switch> {
    let rows = include_str!("quirks.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    let switch = |row: &'static str| {
        let mut cells = row.trim_end_matches(" |").split(" | ").map(|cell| cell.trim_matches('`'));
        let (name, values) = (cells.next()?, cells.next()?.split(' ').collect());
        Some(Switch { name, values, what: cells.next()?, seen: cells.next()? })
    };
    rows.filter_map(switch).collect()
}

impl Quirks {
    /// Sets the switch `name` or `name=value`. A name alone is `on` where that is a value.
    pub fn set(&mut self, switch: &str) -> Result<(), String> {
        let (name, value) = switch.split_once('=').unwrap_or((switch, "on"));
        self.set_to(name, value).ok_or_else(|| match switches().iter().find(|known| known.name == name) {
            Some(known) => format!("switch `{name}` cannot be `{value}`: wanted {}", known.values.join(", ")),
            None => format!("there is no switch `{name}`"),
        })
    }

    fn set_to(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "blob-redirect" => self.blob_redirect = on(value)?,
            "create" => self.create = on(value)?,
            "distribution-header" => self.api_header = on(value)?,
            "warning" => self.warning = on(value)?,
            "gitlab-alias" => self.gitlab_alias = on(value)?,
            "if-match" => self.if_match = pick(value, &[("ignored", false), ("honoured", true), ("on", true)])?,
            "ratelimit-headers" => self.rate_limit = on(value)?,
            "single-post" => self.post_digest = on(value)?,
            "no-single-post" => self.post_digest = !on(value)?,
            "sparse" => self.sparse = pick(value, &[("reject", false), ("accept", true)])?,
            "stale-location" => self.stale_location = pick(value, &[("accepted", false), ("404", true)])?,
            "tags-paging" => self.tags_page = on(value)?,
            "lose" => {
                let known = [("nothing", Lose::Nothing), ("layers", Lose::Layers), ("bytes", Lose::Bytes)];
                self.lose = pick(value, &known)?;
            }
            "wrong-digest" => self.wrong_digest = pick(value, &[("reject", false), ("accept", true)])?,
            "wrong-offset" => self.wrong_offset = pick(value, &[("416", false), ("accept", true)])?,
            "anonymous" | "auth" | "grant" | "realm" | "scope" | "token-post" | "token-seconds" | "token-ttl"
            | "user" => {
                self.set_access(name, value)?;
            }
            "chunk-cap" | "chunk-min" | "location" | "mount" | "patch" | "patch-status" | "range" | "whole-range" => {
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
            "token-post" => {
                self.token_post = match value.strip_suffix("-password") {
                    Some(status) => TokenPost::NoPassword(status.parse().ok()?),
                    None => unless("on", value)?.map_or(TokenPost::Served, TokenPost::Refused),
                }
            }
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
            "chunk-cap" => {
                let limit = value.strip_suffix(":all").unwrap_or(value);
                self.chunk_cap = if value == "none" { None } else { Some(cap(limit, 416)?) };
                self.cap_whole = limit != value;
            }
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
            "whole-range" => self.whole_range = unless("taken", value)?,
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
                // The form that old versions of go-containerregistry wrote: google/go-containerregistry#2269.
                let kind = if kind.is_empty() { "application/vnd.oci.empty.v1+json" } else { kind };
                self.artifact_type = ArtifactType::Wrong(kind.to_owned());
            }
            ("filter", _) => {
                let all = [
                    ("applied", Filter::Applied),
                    ("ignored", Filter::Ignored),
                    ("claimed", Filter::Claimed),
                    ("silent", Filter::Silent),
                    ("always", Filter::Always),
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
            "delete" => {
                let all = [("on", Delete::Everything), ("digests", Delete::Digests), ("off", Delete::Nothing)];
                self.delete = pick(value, &all)?;
            }
            "dialect" => self.dialect = pick(value, &[("spec", Dialect::Spec), ("2.8.2", Dialect::Distribution)])?,
            "gc" => self.gc = pick(value, &[("careful", Gc::Careful), ("drop-referrers", Gc::DropReferrers)])?,
            "immutable" => {
                self.immutable = match value {
                    "none" => None,
                    text => {
                        let mut parts = text.split(':');
                        let pattern =
                            parts.next().map(|it| if it == "all" || it == "on" { "*" } else { it })?.to_owned();
                        let status = parts.next().map_or(Some(400), |it| it.parse().ok())?;
                        Some(Immutable { pattern, status, same: parts.next() == Some("same") })
                    }
                }
            }
            "manifest-cap" => self.manifest_cap = cap(value, 413)?,
            "names" => self.names = pick(value, &[("any", Names::Any), ("library", Names::Library)])?,
            "notfound" => {
                self.not_found = value.trim_end_matches("-all").parse().ok()?;
                self.not_found_digest = if value.ends_with("-all") { self.not_found } else { 404 };
            }
            "artifact-manifests" => {
                self.artifact_manifests = pick(value, &[("refused", false), ("taken", true)])?;
            }
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
