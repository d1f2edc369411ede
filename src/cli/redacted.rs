//! Redaction: the secrets of this run. No output contains them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::OnceLock;

use bulla::redact::Secrets;

/// The secrets of the process. All printed text passes through them.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// Starts redaction. Text in `arguments` is not redacted, since the user typed it; passwords of proxies are.
pub(super) fn begin(arguments: &[OsString]) {
    let typed = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
    let secrets = SECRETS.get_or_init(|| Secrets::except_typed(typed));
    for password in PROXIES.iter().filter_map(|name| std::env::var(name).ok()).filter_map(proxy_password) {
        secrets.add(&password);
    }
}

/// The password in the URL of a proxy.
fn proxy_password(address: String) -> Option<String> {
    let (_, rest) = address.split_once("://").unwrap_or(("", address.as_str()));
    let (login, _) = rest.split('/').next()?.rsplit_once('@')?;
    login.split_once(':').map(|(_, password)| password.to_owned())
}

/// The secrets of this run.
pub(super) fn secrets() -> &'static Secrets {
    SECRETS.get_or_init(Secrets::default)
}

/// Replaces the secrets in `text` before it is printed.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    secrets().hide_in_output(text)
}

/// The environment variables with the URLs of proxies. Plugins get them too.
const PROXIES: [&str; 6] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "http_proxy", "https_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_in_a_proxy_url_is_found() {
        for (address, password) in [
            ("http://user:hunter2@proxy.example:3128/", Some("hunter2")),
            ("user:hun:ter2@proxy.example", Some("hun:ter2")),
            ("http://proxy.example:3128/a@b:c", None),
            ("http://user@proxy.example", None),
            ("", None),
        ] {
            assert_eq!(proxy_password(address.to_owned()).as_deref(), password, "{address}");
        }
    }
}
