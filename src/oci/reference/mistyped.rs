//! Hints for mistyped references: what was probably meant, and what to type.

use crate::oci::Reference;
use crate::oci::ReferenceError;
use crate::oci::ReferenceMistake;
use crate::oci::reference::syntax;
use crate::oci::reference::syntax::check_host;
use crate::oci::reference::syntax::shown;

/// The mistake in `text` if it is obviously no reference, even though a part of it could be parsed as one.
pub(super) fn obvious_mistake(text: &str) -> Option<ReferenceError> {
    if text.trim().is_empty() {
        return Some(mistyped(text, ReferenceMistake::Empty, EVERY_FORM));
    }
    if text.trim() != text && !text.contains(|c: char| c.is_control()) {
        return Some(mistyped(text, ReferenceMistake::SpacesAround, shown(text.trim())));
    }
    if text.starts_with([':', '@']) || text.starts_with("/:") {
        return Some(mistyped(text, ReferenceMistake::NoImage, EVERY_FORM));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return with_scheme(text, scheme, rest);
    }
    if let Some((word, rest)) = text.split_once(':')
        && !word.contains(['/', '.', '@'])
    {
        return with_word(text, word, rest);
    }
    if is_hex(text, &[64, 128]) {
        return Some(digest_alone(text, &format!("sha256:{text}")));
    }
    let has_host = text.split('/').next().is_some_and(|first| first.contains('.') && text.contains('/'));
    match looks_like_path(text) || (looks_like_archive(text) && !has_host) {
        true => Some(a_path(text)),
        false => None,
    }
}

/// The mistake in `text`, which could not be parsed as a reference to a registry, if it is recognized.
pub(super) fn registry_mistake(text: &str) -> Option<ReferenceError> {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    if let Some((_, host)) = host.rsplit_once('@')
        && text.contains('/')
    {
        // The text before the `@` may contain a password, so the message does not repeat it.
        let hint = format!("docker login {}   # bulla reads the same files", shown(host));
        return Some(mistyped(&format!("…@{host}/{path}"), ReferenceMistake::Credentials, hint));
    }
    if path.is_empty() && [".pub", ".key", ".pem", ".crt", ".cer"].iter().any(|end| host.ends_with(end)) {
        return Some(mistyped(text, ReferenceMistake::KeyFile, format!("--key {}   # before each key", shown(text))));
    }
    if path.is_empty() && looks_like_host(host) {
        return Some(mistyped(text, ReferenceMistake::NoRepository, format!("{}/<repository>:<tag>", shown(host))));
    }
    if path.starts_with([':', '@']) && looks_like_host(host) {
        let hint = format!("{}/<repository>{}", shown(host), shown(path));
        return Some(mistyped(text, ReferenceMistake::NoRepositoryBeforeTag, hint));
    }
    if text.contains(' ') {
        return Some(mistyped(text, ReferenceMistake::Space, shown(&text.replace(' ', ""))));
    }
    if !(looks_like_host(host) && check_host(host).is_ok()) {
        return None;
    }
    if let Some(error) = with_digest(text) {
        return Some(error);
    }
    if text.contains("//") || path.ends_with('/') {
        let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty()).collect();
        return Some(mistyped(text, ReferenceMistake::TooManySlashes, shown(&parts.join("/"))));
    }
    if let Some(untagged) = text.strip_suffix(':') {
        return Some(mistyped(text, ReferenceMistake::EmptyTag, format!("{}:<tag>", shown(untagged))));
    }
    let (repository, rest) = path.split_at(path.find([':', '@']).unwrap_or(path.len()));
    let lower = format!("{host}/{}{rest}", repository.to_lowercase());
    match repository.chars().any(char::is_uppercase) && is_reference(&lower) {
        true => Some(mistyped(text, ReferenceMistake::UpperCaseRepository, lower)),
        false => None,
    }
}

/// The text to type instead of an unsupported `transport:rest`, if there is one.
fn transport_hint(text: &str, transport: &str, rest: &str) -> Option<String> {
    let (text, rest) = (shown(text), shown(rest.trim_start_matches("//")));
    match transport {
        "containers-storage" => {
            Some(format!("oci-archive:image.tar, after: podman save --format oci-archive -o image.tar {rest}"))
        }
        "dir" => Some(format!("oci-archive:image.tar, after: skopeo copy --all {text} oci-archive:image.tar")),
        "docker-daemon" => Some(format!("docker-archive:image.tar, after: docker save -o image.tar {rest}")),
        "oci-dir" | "oci-layout" | "ocidir" => Some(format!("oci:{rest}")),
        "archive" | "file" | "tar" | "tarball" => Some(format!("oci-archive:{rest}")),
        "docker-image" | "helm" | "image" | "oras" | "registry" => Some(rest).filter(|rest| is_reference(rest)),
        _ => None,
    }
}

fn with_scheme(text: &str, scheme: &str, rest: &str) -> Option<ReferenceError> {
    match scheme {
        "docker" if looks_like_path(rest) || looks_like_archive(rest) => {
            Some(mistyped(text, ReferenceMistake::PathInRegistry, local_reference_hint(rest)))
        }
        "docker" => None,
        "http" => Some(with_web_address(text, "http", rest)),
        "https" => Some(with_web_address(text, "https", rest)),
        _ => match LOCAL_TRANSPORTS.into_iter().find(|transport| *transport == scheme) {
            Some(transport) => Some(with_slashes(text, transport, rest)),
            None => Some(unknown(text, scheme, rest)),
        },
    }
}

fn with_web_address(text: &str, scheme: &'static str, rest: &str) -> ReferenceError {
    let plain = if scheme == "http" { "   # with --plain-http, if the registry has no TLS" } else { "" };
    let image = web_address(rest).map(|image| format!("{}{plain}", shown(&image)));
    let hint = image.unwrap_or_else(|| "host/repo:tag".to_owned());
    mistyped(text, ReferenceMistake::WebAddress { scheme }, hint)
}

/// The mistake in `transport://rest` with the transport of a layout or archive.
fn with_slashes(text: &str, transport: &'static str, rest: &str) -> ReferenceError {
    if is_reference(rest) && rest.contains('/') && !rest.starts_with("./") {
        let hint = format!("{}   # in a registry, or {transport}:{}", shown(rest), shown(rest));
        return mistyped(text, ReferenceMistake::LocalTransport { transport }, hint);
    }
    let path = rest.trim_start_matches('/');
    let root = if rest.starts_with('/') { "/" } else { "" };
    mistyped(text, ReferenceMistake::SlashesBeforePath { transport }, format!("{transport}:{root}{}", shown(path)))
}

fn with_word(text: &str, word: &str, rest: &str) -> Option<ReferenceError> {
    let digits = rest.split('/').next().unwrap_or_default();
    let is_port = rest.contains('/') && digits.bytes().all(|byte| byte.is_ascii_digit());
    match word {
        "oci" | "oci-archive" | "docker-archive" => None,
        "sha256" | "sha512" if is_hex(rest, &[64, 128]) => Some(digest_alone(text, text)),
        "docker" if rest.contains('/') && !is_port => {
            Some(mistyped(text, ReferenceMistake::NoSlashes, format!("docker://{}", shown(rest))))
        }
        "containers-storage" | "dir" | "docker-daemon" | "docker-image" | "file" | "oci-dir" | "oci-layout"
        | "ocidir" | "ostree" | "sif" | "tarball"
            if !is_port =>
        {
            Some(unknown(text, word, rest))
        }
        _ if word.len() == 1 && rest.starts_with(['\\', '/']) => Some(a_path(text)),
        _ if looks_like_path(text) => Some(a_path(text)),
        _ if is_port => None,
        _ if word != "docker" && closest_transport(word).is_some() => Some(unknown(text, word, rest)),
        _ => None,
    }
}

fn unknown(text: &str, transport: &str, rest: &str) -> ReferenceError {
    let close = || {
        let rest = shown(rest.trim_start_matches("//"));
        closest_transport(transport)
            .map(|close| if close == "docker" { format!("docker://{rest}") } else { format!("{close}:{rest}") })
    };
    let hint = transport_hint(text, transport, rest).or_else(close);
    ReferenceError::Transport { text: shown(text), transport: shown(transport), hint }
}

/// The supported transport that `word` is probably a misspelling of.
fn closest_transport(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase().replace('_', "-");
    let near = |ours: &&'static str| {
        let most = if ours.len() <= 4 { 1 } else { 2 };
        edit_distance(&word, ours) <= most || word == ours.replace('-', "")
    };
    ["oci", "docker", "oci-archive", "docker-archive"]
        .into_iter()
        .filter(near)
        .min_by_key(|ours| edit_distance(&word, ours))
}

/// The edit distance of two words: how many letters have to be inserted, removed or changed.
fn edit_distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, mine) in one.chars().enumerate() {
        let mut left = line + 1;
        let mut next = vec![left];
        for (theirs, pair) in other.chars().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(mine != theirs)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn with_digest(text: &str) -> Option<ReferenceError> {
    if let Some((image, digest)) = text.split_once('@') {
        let (algorithm, encoded) = digest.split_once(':').unwrap_or(("", digest));
        let image = shown(image);
        return match algorithm {
            "" if digest.is_empty() => Some(mistyped(text, ReferenceMistake::EmptyDigest, image)),
            "" if is_hex(digest, &[64]) => {
                let hint = format!("{image}@sha256:{digest}");
                Some(mistyped(text, ReferenceMistake::DigestWithoutAlgorithm, hint))
            }
            "sha256" => with_digits(text, &image, ("sha256", 64), encoded),
            "sha512" => with_digits(text, &image, ("sha512", 128), encoded),
            _ => None,
        };
    }
    let at = [":sha256:", ":sha512:"].iter().find_map(|mark| text.split_once(mark).map(|parts| (parts, mark)));
    let ((image, encoded), mark) = at?;
    let hint = format!("{}@{}{}", shown(image), mark.trim_start_matches(':'), shown(encoded));
    Some(mistyped(text, ReferenceMistake::DigestAfterColon, hint))
}

/// The mistake in the hexadecimal digits of a digest. The `algorithm` is its name and how many digits a digest has.
fn with_digits(text: &str, image: &str, algorithm: (&'static str, usize), encoded: &str) -> Option<ReferenceError> {
    let (algorithm, expected) = algorithm;
    let lower = encoded.to_lowercase();
    if is_hex(encoded, &[expected]) {
        return None;
    }
    if is_hex(&lower, &[expected]) {
        return Some(mistyped(text, ReferenceMistake::UpperCaseDigest, format!("{image}@{algorithm}:{lower}")));
    }
    encoded.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| {
        let mistake = ReferenceMistake::DigestLength { algorithm, expected, found: encoded.len() };
        mistyped(text, mistake, format!("{image}@{algorithm}:<all {expected} digits>"))
    })
}

fn digest_alone(text: &str, digest: &str) -> ReferenceError {
    mistyped(text, ReferenceMistake::DigestAlone, format!("host/repo@{digest}, or oci:DIR@{digest}"))
}

fn a_path(text: &str) -> ReferenceError {
    mistyped(text, ReferenceMistake::Path, local_reference_hint(text))
}

/// The reference to type for a path.
fn local_reference_hint(path: &str) -> String {
    let path = shown(path);
    match looks_like_archive(&path) {
        true => format!("oci-archive:{path}   # or docker-archive:{path}, if docker save wrote it"),
        false => format!("oci:{path}"),
    }
}

/// The reference to the image in the URL of a web page or of a registry API.
fn web_address(rest: &str) -> Option<String> {
    let rest = rest.split(['?', '#']).next().unwrap_or(rest).trim_end_matches('/');
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let image = match (host, path.split_once('/')) {
        ("hub.docker.com", Some(("_", image))) => format!("docker.io/library/{image}"),
        ("hub.docker.com", Some(("r", image))) => format!("docker.io/{image}"),
        (_, Some(("v2", call))) => match call.rsplit_once("/manifests/") {
            Some((repository, digest)) if digest.contains(':') => format!("{host}/{repository}@{digest}"),
            Some((repository, tag)) => format!("{host}/{repository}:{tag}"),
            None => return None,
        },
        _ => rest.to_owned(),
    };
    is_reference(&image).then_some(image)
}

/// Whether `text` looks like a path, to people and to shells.
fn looks_like_path(text: &str) -> bool {
    text.starts_with(['/', '~', '\\']) || matches!(text.split('/').next(), Some("." | "..")) || text.contains('\\')
}

/// Whether `text` ends like the name of an archive, perhaps followed by an image name.
fn looks_like_archive(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or(text);
    let file = last.split(':').next().unwrap_or(last).to_lowercase();
    [".tar", ".tar.gz", ".tar.xz", ".tar.zst", ".tgz"].iter().any(|end| file.ends_with(end))
}

/// Whether a text before the first slash looks like a host.
fn looks_like_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    name == "localhost" || (name.contains('.') || host.starts_with('[')) && port.bytes().all(|byte| byte != b'/')
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_reference(text: &str) -> bool {
    matches!(syntax::registry(text).map(Reference::Registry), Ok(Reference::Registry(_)))
}

fn mistyped(text: &str, mistake: ReferenceMistake, hint: impl Into<String>) -> ReferenceError {
    ReferenceError::Mistyped { text: shown(text), mistake, hint: hint.into() }
}

/// The transports of layouts and archives.
const LOCAL_TRANSPORTS: [&str; 3] = ["oci", "oci-archive", "docker-archive"];

const EVERY_FORM: &str = "host/repo:tag, oci:DIR, oci-archive:FILE or docker-archive:FILE";

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn hint(text: &str) -> String {
        let error = text.parse::<Reference>().expect_err(text);
        error.hint().unwrap_or_else(|| panic!("{text}: no hint: {error}")).to_owned()
    }

    #[test]
    fn says_what_to_type_instead() {
        for (typed, hinted) in [
            ("oci://registry.example/app:1.0", "registry.example/app:1.0"),
            ("oci://registry.example/app", "registry.example/app"),
            ("oci:///srv/app", "oci:/srv/app"),
            ("oci://./app", "oci:./app"),
            ("oci://app", "oci:app"),
            ("oci-archive://app.tar", "oci-archive:app.tar"),
            ("docker-archive:///srv/app.tar", "docker-archive:/srv/app.tar"),
            ("http://registry.example/app:1.0", "registry.example/app:1.0   # with --plain-http"),
            ("https://registry.example/app", "registry.example/app"),
            ("https://registry.example/v2/team/app/manifests/1.0", "registry.example/team/app:1.0"),
            ("https://hub.docker.com/_/alpine", "docker.io/library/alpine"),
            ("https://hub.docker.com/r/team/app", "docker.io/team/app"),
            ("docker://./app", "oci:./app"),
            ("docker:///srv/app", "oci:/srv/app"),
            ("docker://app.tar", "oci-archive:app.tar"),
            ("docker:registry.example/app", "docker://registry.example/app"),
            ("dokcer://registry.example/app", "docker://registry.example/app"),
            ("Docker://registry.example/app", "docker://registry.example/app"),
            ("oci-arhive:app.tar", "oci-archive:app.tar"),
            ("oci_archive:ship/app.tar", "oci-archive:ship/app.tar"),
            ("ociarchive:app.tar", "oci-archive:app.tar"),
            ("docker-archiv:app.tar:1.0", "docker-archive:app.tar:1.0"),
            ("OCI:app", "oci:app"),
            ("ocidir://app", "oci:app"),
            ("oci-layout:app", "oci:app"),
            ("dir:app", "oci-archive:image.tar, after: skopeo copy --all dir:app oci-archive:image.tar"),
            ("docker-daemon:app:1.0", "docker-archive:image.tar, after: docker save -o image.tar app:1.0"),
            ("containers-storage:localhost/app", "oci-archive:image.tar, after: podman save"),
            ("app.tar", "oci-archive:app.tar"),
            ("app.tar:1.0", "oci-archive:app.tar:1.0"),
            ("ship/app.tar", "oci-archive:ship/app.tar"),
            ("./app", "oci:./app"),
            ("../app.tar", "oci-archive:../app.tar"),
            ("/srv/app", "oci:/srv/app"),
            ("~/app", "oci:~/app"),
            (".", "oci:."),
            (r"C:\app", "oci:C:"),
            ("", "host/repo:tag"),
            ("  ", "host/repo:tag"),
            (" oci:app", "oci:app"),
            ("registry.example/app ", "registry.example/app"),
            ("registry.example/my app", "registry.example/myapp"),
            ("ghcr.io/Owner/App:V1", "ghcr.io/owner/app:V1"),
            ("localhost:5000/App", "localhost:5000/app"),
            ("registry.example/app:", "registry.example/app:<tag>"),
            ("registry.example/app@", "registry.example/app"),
            ("registry.example/app@sha256:1234", "registry.example/app@sha256:<all 64 digits>"),
            ("registry.example/app/", "registry.example/app"),
            ("registry.example//app", "registry.example/app"),
            ("localhost:5000", "localhost:5000/<repository>:<tag>"),
            ("registry.example", "registry.example/<repository>:<tag>"),
            ("user:secret@registry.example/app", "docker login registry.example"),
        ] {
            let hint = hint(typed);
            assert!(hint.starts_with(hinted), "{typed}: {hint}");
        }
        for (typed, hinted) in [
            (format!("sha256:{HEX}"), format!("host/repo@sha256:{HEX}")),
            (HEX.to_owned(), format!("host/repo@sha256:{HEX}")),
            (format!("registry.example/app@{HEX}"), format!("registry.example/app@sha256:{HEX}")),
            (format!("registry.example/app:sha256:{HEX}"), format!("registry.example/app@sha256:{HEX}")),
            (
                format!("registry.example/app@sha256:{}", HEX.to_uppercase()),
                format!("registry.example/app@sha256:{HEX}"),
            ),
        ] {
            assert!(hint(&typed).starts_with(&hinted), "{typed}: {}", hint(&typed));
        }
    }

    // A hint that is a single reference is one that is accepted.
    #[test]
    fn a_hint_can_be_typed() {
        for typed in ["oci:///srv/app", "dokcer://registry.example/app", "OCI:app", "ghcr.io/Owner/App:V1", "./app"] {
            hint(typed).parse::<Reference>().unwrap();
        }
    }

    #[test]
    fn repeats_no_password() {
        let error = "user:secret@registry.example/app".parse::<Reference>().unwrap_err();
        assert!(!error.to_string().contains("secret") && !error.hint().unwrap().contains("secret"), "{error}");
    }

    #[test]
    fn refuses_no_reference_that_was_one() {
        for text in [
            "localhost:5000/app:1.0",
            "oc:5000/app",
            "dir:5000/app",
            "docker:5000/app",
            "registry.example/app.tar",
            "registry.example/dir/app.tar:1.0",
            "oci:a b",
            "oci:./app:registry.example/app:1.0",
            "oci-archive:/srv/app.tar",
            "docker://registry.example/app",
            "[::1]:5000/app",
        ] {
            assert!(text.parse::<Reference>().is_ok(), "{text}: {:?}", text.parse::<Reference>());
        }
    }

    #[test]
    fn a_short_name_is_not_a_slip_of_a_transport() {
        for text in ["registry:2", "docker:dind", "app:v1", "api:v1", "alpine:3.19", "app:5000"] {
            assert!(matches!(text.parse::<Reference>(), Err(ReferenceError::Host { .. })), "{text}");
        }
    }
}
