//! Plugin keys on the command line: `plugin:NAME?key-id=ID&config.KEY=VALUE`.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use bulla::key::plugin::Plugin;
use bulla::key::plugin::PluginError;
use bulla::key::plugin::PluginKey;
use bulla::limits::Limits;

use crate::cli::args::PluginArgs;
use crate::cli::exit::Failure;
use crate::cli::hints;
use crate::cli::redacted;
use crate::cli::timeout;

/// The environment variables that are passed to a plugin: directories, language, proxies. Credentials are passed only
/// with `--plugin-env`.
const PASSED_VARIABLES: [&str; 19] = [
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The signer for `text`, the part of the argument after `plugin:`, and the plugin options.
pub(super) fn key(text: &str, args: &PluginArgs) -> Result<PluginKey, Failure> {
    let (name, query) = text.split_once('?').map_or((text, None), |(name, query)| (name, Some(query)));
    let mut id = args.plugin_key_id.clone();
    let mut config = BTreeMap::new();
    for (key, value) in &args.plugin_config {
        set(&mut config, key, value.clone())?;
    }
    let mut of_query = None;
    for part in query.into_iter().flat_map(|query| query.split('&')) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = decode(value).ok_or_else(|| bad(&format!("`{key}` has a `%` without two hexadecimal digits")))?;
        match key.strip_prefix("config.") {
            Some(setting) if !setting.is_empty() => set(&mut config, setting, value)?,
            _ if key == "key-id" && of_query.is_none() => of_query = Some(value),
            _ if key == "key-id" => return Err(bad("`key-id` is given twice")),
            _ => return Err(bad(&format!("`{key}` is neither `key-id` nor `config.…`"))),
        }
    }
    id = of_query.or(id);
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Err(bad("it does not say which key").hint(format!("plugin:{name}?key-id=ID, or --plugin-key-id ID")));
    };
    let folder = folder(args)?;
    let deadline = timeout::at_most(Duration::from_secs(args.plugin_timeout));
    let found = Plugin::find(folder.clone(), name, environment(args)?, deadline, &Limits::DEFAULT);
    found.and_then(|plugin| plugin.key(&id, config)).map_err(|error| to_failure(&error, &folder))
}

fn folder(args: &PluginArgs) -> Result<PathBuf, Failure> {
    let variable = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").map(|home| home.join(".config"));
    let default = || variable("XDG_CONFIG_HOME").or_else(home).map(|config| config.join("notation/plugins"));
    args.plugin_dir
        .clone()
        .or_else(default)
        .ok_or_else(|| Failure::unknown("no plugin directory is known").hint("give --plugin-dir DIR"))
}

fn environment(args: &PluginArgs) -> Result<Vec<(OsString, OsString)>, Failure> {
    let passed = PASSED_VARIABLES.iter().filter_map(|name| Some((OsString::from(name), env::var_os(name)?)));
    let mut environment: Vec<_> = passed.collect();
    for name in &args.plugin_env {
        let valid = !name.is_empty() && !name.contains(['=', '\0']);
        match env::var_os(name).filter(|_| valid) {
            Some(value) => {
                // The plugin may print the value, so it is redacted from all output.
                redacted::secrets().add(&value.to_string_lossy());
                environment.push((OsString::from(name), value));
            }
            None => return Err(Failure::unknown(format!("--plugin-env {name}: the environment variable is not set"))),
        }
    }
    Ok(environment)
}

fn set(config: &mut BTreeMap<String, String>, key: &str, value: String) -> Result<(), Failure> {
    match config.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(bad(&format!("the setting `{key}` is given twice"))),
    }
}

fn bad(what: &str) -> Failure {
    Failure::unknown(format!("the key of the plugin cannot be read: {what}"))
}

fn to_failure(error: &PluginError, folder: &Path) -> Failure {
    let mut failure = Failure::unknown(redacted::secrets().hide_in_message(&error.to_string()));
    match error {
        PluginError::Missing { .. } => {
            failure.details = installed(folder);
            failure.hint("plugins are looked for in --plugin-dir DIR, or in BULLA_PLUGIN_DIR")
        }
        PluginError::Deadline { .. } if timeout::is_over() => {
            failure.code = "timeout";
            failure.hint(hints::TIMEOUT)
        }
        PluginError::Deadline { .. } => failure.hint("--plugin-timeout N gives it longer"),
        PluginError::Declined { .. } | PluginError::Failed { .. } => {
            failure.hint("the plugin gets few environment variables: --plugin-env NAME passes another")
        }
        _ => failure,
    }
}

/// One line of a message for each installed plugin.
fn installed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            entry.path().join(format!("notation-{name}")).is_file().then(|| format!("there is  {name}"))
        })
        .collect();
    names.sort();
    names
}

fn decode(value: &str) -> Option<String> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let [high, low] = [bytes.next()?, bytes.next()?].map(|digit| char::from(digit).to_digit(16));
        decoded.push(u8::try_from(high? * 16 + low?).ok()?);
    }
    String::from_utf8(decoded).ok()
}
