//! `Challenge`: the authentication that a registry requires. RFC 9110 section 11, distribution token specification.

use reqwest::header::HeaderMap;
use reqwest::header::WWW_AUTHENTICATE;

/// A challenge: the authentication that a registry requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Basic authentication: user name and password.
    Basic,
    /// Bearer authentication: a token from a token service.
    Bearer(Bearer),
}

/// A Bearer challenge: the token service, and the scope of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    /// The address of the token service.
    pub(super) realm: String,
    /// The `service` parameter for the token service: the name of the registry.
    pub(super) service: Option<String>,
    /// The scopes that the registry requires.
    pub(super) scopes: Vec<String>,
}

/// The strongest supported challenge in the `WWW-Authenticate` headers.
pub(super) fn strongest(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values: Vec<_> = values.collect();
    parse(values.iter().map(AsRef::as_ref)).into_iter().next()
}

/// Whether `headers` contain a challenge, supported or not.
pub(super) fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(WWW_AUTHENTICATE)
}

/// The supported challenges in the values of `WWW-Authenticate` headers, the strongest first.
fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = values.into_iter().take(MAX_HEADERS).flat_map(parse_one).collect();
    found.sort_by_key(|challenge| matches!(challenge, Challenge::Basic));
    found
}

/// The supported challenges in one `WWW-Authenticate` header, in order. Parsing ends at the first malformed part.
fn parse_one(value: &str) -> Vec<Challenge> {
    let mut rest = value;
    let mut found: Vec<RawChallenge> = Vec::new();
    while let Some((name, after)) = token(rest) {
        rest = match after.trim_start().strip_prefix('=') {
            Some(after) => {
                let (value, after) = parameter(after.trim_start());
                if let Some(current) = found.last_mut() {
                    current.parameters.push((name.to_ascii_lowercase(), value));
                }
                after
            }
            None => {
                let value = found.last_mut().and_then(|current| current.parameters.last_mut());
                match value {
                    // `scope=repository:app:pull,push`, without the quotation marks that a comma requires.
                    Some((key, value)) if key == "scope" && is_action(name) => {
                        value.push(',');
                        value.push_str(name);
                    }
                    _ => found.push(RawChallenge { scheme: name.to_ascii_lowercase(), parameters: Vec::new() }),
                }
                after
            }
        };
    }
    found.into_iter().filter_map(RawChallenge::meant).collect()
}

struct RawChallenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl RawChallenge {
    /// The supported challenge; `None` for another scheme, or for Bearer without exactly one non-empty `realm`.
    fn meant(self) -> Option<Challenge> {
        let one = |name: &str| {
            let mut values = self.parameters.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
            // A repeated parameter is ambiguous, so it is ignored.
            values.next().filter(|_| values.next().is_none())
        };
        match self.scheme.as_str() {
            "basic" => Some(Challenge::Basic),
            "bearer" => Some(Challenge::Bearer(Bearer {
                realm: one("realm").filter(|realm| !realm.is_empty())?,
                service: one("service"),
                scopes: one("scope").iter().flat_map(|scopes| scopes.split(' ')).map(str::to_owned).collect(),
            })),
            _ => None,
        }
    }
}

/// The next token, and the rest after it.
fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',' || c == '=');
    let end = text.find(|c: char| !is_token(c)).unwrap_or(text.len());
    match text.split_at_checked(end)? {
        // Anything but a token ends the parsing.
        ("", _) => None,
        split => Some(split),
    }
}

/// The value of a parameter, quoted or not, and the rest after it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    // The quotation is never closed, so the rest is ignored.
    (String::new(), "")
}

/// Whether `name` is an action of a scope, not an authentication scheme.
fn is_action(name: &str) -> bool {
    matches!(name, "delete" | "pull" | "push" | "*")
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}

/// The limit of `WWW-Authenticate` headers that are parsed.
const MAX_HEADERS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scopes: &[&str]) -> Challenge {
        Challenge::Bearer(Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        })
    }

    #[test]
    fn reads_what_registries_send() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/a:pull""#;
        assert_eq!(
            parse([hub]),
            [bearer("https://auth.docker.io/token", Some("registry.docker.io"), &["repository:library/a:pull"])]
        );
        assert_eq!(parse(["Basic realm=\"Registry\""]), [Challenge::Basic]);
        assert_eq!(parse(["basic"]), [Challenge::Basic]);
        assert_eq!(
            parse([r#"BEARER  Realm = "https://a/t" ,  SCOPE="x y""#]),
            [bearer("https://a/t", None, &["x", "y"])]
        );
        assert_eq!(parse(["Bearer realm=https://a/t,service=b"]), [bearer("https://a/t", Some("b"), &[])]);
        let unquoted = "Bearer realm=https://a/t,scope=repository:team/app:pull,push,service=b";
        assert_eq!(parse([unquoted]), [bearer("https://a/t", Some("b"), &["repository:team/app:pull,push"])]);
        let several = r#"bearer Service="b" , scope="repository:app:pull,push repository:base:pull",realm="https://a/t",error="insufficient_scope""#;
        assert_eq!(
            parse([several]),
            [bearer("https://a/t", Some("b"), &["repository:app:pull,push", "repository:base:pull"])]
        );
    }

    #[test]
    fn reads_several_challenges_and_takes_the_strongest_first() {
        let both = r#"Basic realm="a, Bearer realm=b", Bearer realm="https://t/"#;
        assert_eq!(parse([both]), [Challenge::Basic]);
        let both = r#"Negotiate, Basic realm="x", Bearer realm="https://t/",service="s""#;
        assert_eq!(parse([both]), [bearer("https://t/", Some("s"), &[]), Challenge::Basic]);
        assert_eq!(
            parse(["Basic realm=x", r#"Bearer realm="https://t/""#]),
            [bearer("https://t/", None, &[]), Challenge::Basic]
        );
        assert_eq!(parse(["Negotiate YII=, Basic realm=x"]), [Challenge::Basic]);
        let mut headers = HeaderMap::new();
        for value in [&b"Negotiate"[..], b"Basic realm=\"Syst\xe8me\"", b"BEARER realm=\"https://t/\""] {
            headers.append(WWW_AUTHENTICATE, reqwest::header::HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(strongest(&headers), Some(bearer("https://t/", None, &[])));
        headers.remove(WWW_AUTHENTICATE);
        assert_eq!(strongest(&headers), None);
    }

    #[test]
    fn hostile_forms_give_nothing() {
        for text in [
            "",
            ",,,",
            "=",
            "Bearer",
            "Bearer realm",
            r#"Bearer realm="unclosed"#,
            r#"Bearer realm="a",realm="b""#,
            "Digest nonce=1",
            "\u{7f}\u{7f}",
            "Bearer \"realm\"=\"x\"",
        ] {
            assert_eq!(parse([text]), [], "{text:?}");
        }
        assert_eq!(parse([r#"Bearer realm="a\"b\\c""#]), [bearer("a\"b\\c", None, &[])]);
        let many = "Basic,".repeat(10_000);
        assert_eq!(parse([many.as_str()]).len(), 10_000);
    }
}
