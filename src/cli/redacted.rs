//! The secrets of this run, which nothing that it prints shows.

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::OnceLock;

use serde_json::Map;
use serde_json::Value;

use crate::redact::Secrets;

/// There is one standard output, and so there is one of these: whatever is printed passes it.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// Begins a run with these `arguments`: what people typed is no secret any more, and stays as it is.
pub(super) fn begin(arguments: &[OsString]) {
    let typed = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
    let secrets = SECRETS.get_or_init(|| Secrets::sparing(typed));
    for password in PROXIES.iter().filter_map(|name| std::env::var(name).ok()).filter_map(proxy_password) {
        secrets.add(&password);
    }
}

/// The password in the address of a proxy.
fn proxy_password(address: String) -> Option<String> {
    let (_, rest) = address.split_once("://").unwrap_or(("", address.as_str()));
    let (login, _) = rest.split('/').next()?.rsplit_once('@')?;
    login.split_once(':').map(|(_, password)| password.to_owned())
}

/// The secrets of this run.
pub(super) fn secrets() -> &'static Secrets {
    SECRETS.get_or_init(Secrets::default)
}

/// `text` as it may be printed.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    secrets().hide_in_output(text)
}

/// `value` as it may be printed.
pub(super) fn value(value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.iter().map(self::value).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| (text(name).into_owned(), self::value(field)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::String(string) => Value::String(text(string).into_owned()),
        Value::Bool(_) | Value::Null | Value::Number(_) => value.clone(),
    }
}

/// The variables that name proxies, which go to plugins too.
const PROXIES: [&str; 6] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "http_proxy", "https_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_proxy_is_a_secret() {
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

    #[test]
    fn every_string_of_a_report_is_looked_at() {
        let secret = "of-one-test-alone-7319";
        secrets().add(secret);
        let report = serde_json::json!({"n": 1, "t": [null, true, {"k-of-one-test-alone-7319": secret}]});
        assert_eq!(value(&report), serde_json::json!({"n": 1, "t": [null, true, {"k-***": "***"}]}));
        assert_eq!(value(&serde_json::json!({"a": "b"})), serde_json::json!({"a": "b"}));
    }
}
