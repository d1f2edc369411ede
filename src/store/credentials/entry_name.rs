//! The names of entries in credential files, and how well one fits a registry.

/// How well the name of an entry fits a registry and repository, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// `http://` and the root of the API.
    HttpRoot,
    /// `https://` and the root of the API.
    HttpsRoot,
    /// The root of the API without a scheme: `host/`, `host/v1/`.
    Root,
    /// Another name of Docker Hub.
    HubAlias,
    /// `https://index.docker.io/v1/`, docker's name of Docker Hub.
    Hub,
    /// The host itself.
    Exact,
    /// A namespace or repository, as in `auth.json` of the containers tools: the longest fits best.
    Repository(usize),
}

/// How well an entry called `name` fits `repository` at `host`; `None` if it is for another registry. A URL fits only
/// if it is the root of the API: `docker login` stores other tokens under deeper paths, such as
/// `https://index.docker.io/v1/refresh-token`.
pub(super) fn fit(name: &str, host: &str, repository: &str) -> Option<Fit> {
    if name == host {
        return Some(Fit::Exact);
    }
    if name == HUB && is_hub(host) {
        return Some(Fit::Hub);
    }
    let (scheme, rest) = match name.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, name),
    };
    let (named, path) = rest.split_once('/').map_or((rest, None), |(named, path)| (named, Some(path)));
    let alias = is_hub(named) && is_hub(host);
    if !alias && !named.eq_ignore_ascii_case(host) {
        return None;
    }
    let path = path.map(|path| path.trim_end_matches('/'));
    let is_root = matches!(path, None | Some("" | "v1" | "v2"));
    match (scheme.as_deref(), path) {
        (Some("https"), _) => is_root.then_some(Fit::HttpsRoot),
        (Some("http"), _) => is_root.then_some(Fit::HttpRoot),
        (Some(_), _) => None,
        (None, Some(path)) if !path.is_empty() && is_inside(repository, path) => Some(Fit::Repository(path.len())),
        (None, Some(_)) => is_root.then_some(Fit::Root),
        (None, None) => Some(if alias { Fit::HubAlias } else { Fit::Root }),
    }
}

/// Whether an entry called `name` was stored for TLS.
pub(super) fn is_for_tls(name: &str) -> bool {
    name.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

/// Whether `host` is one of the names of Docker Hub.
pub(super) fn is_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

fn is_inside(repository: &str, path: &str) -> bool {
    repository.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The name of Docker Hub in credential files.
const HUB: &str = "https://index.docker.io/v1/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_root_of_an_api_names_a_registry() {
        for (name, wanted) in [
            ("r.example:5000", Some(Fit::Exact)),
            ("R.example:5000", Some(Fit::Root)),
            ("r.example:5000/", Some(Fit::Root)),
            ("r.example:5000/v2/", Some(Fit::Root)),
            ("r.example:5000/team", Some(Fit::Repository(4))),
            ("r.example:5000/team/app", Some(Fit::Repository(8))),
            ("r.example:5000/team/app/x", None),
            ("r.example:5000/te", None),
            ("https://r.example:5000", Some(Fit::HttpsRoot)),
            ("HTTPS://r.example:5000/v1/", Some(Fit::HttpsRoot)),
            ("https://r.example:5000/team", None),
            ("https://r.example:5000/v1/refresh-token", None),
            ("https://r.example:5000/v2/token", None),
            ("https://r.example:5000@evil.example/", None),
            ("https://evil.example/r.example:5000", None),
            ("http://r.example:5000", Some(Fit::HttpRoot)),
            ("ftp://r.example:5000", None),
            ("r.example", None),
            ("r.example:50000", None),
            ("", None),
        ] {
            assert_eq!(fit(name, "r.example:5000", "team/app"), wanted, "{name}");
        }
    }

    #[test]
    fn docker_hub_has_several_names() {
        for (name, wanted) in [
            ("docker.io", Some(Fit::Exact)),
            ("https://index.docker.io/v1/", Some(Fit::Hub)),
            ("index.docker.io", Some(Fit::HubAlias)),
            ("registry-1.docker.io", Some(Fit::HubAlias)),
            ("index.docker.io/v1/", Some(Fit::Root)),
            ("docker.io/team", Some(Fit::Repository(4))),
            ("https://docker.io", Some(Fit::HttpsRoot)),
            ("https://index.docker.io/v1/access-token", None),
            ("https://index.docker.io/v1/refresh-token", None),
            ("hub.docker.com", None),
        ] {
            assert_eq!(fit(name, "docker.io", "team/app"), wanted, "{name}");
        }
    }
}
