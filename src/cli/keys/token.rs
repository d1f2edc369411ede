//! Keys on PKCS#11 tokens, named by `pkcs11:` URIs (RFC 7512).

use std::path::PathBuf;

use bulla::key::Algorithm;
use bulla::key::PublicKey;
use bulla::key::Signer;
use bulla::key::pkcs11::Class;
use bulla::key::pkcs11::Module;
use bulla::key::pkcs11::PinState;
use bulla::key::pkcs11::Pkcs11Token;
use bulla::key::pkcs11::TokenEntry;
use bulla::key::pkcs11::TokenError;
use bulla::key::pkcs11::TokenKey;
use bulla::key::pkcs11::TokenSession;
use bulla::key::pkcs11::Uri;
use bulla::key::pkcs11::UriError;
use bulla::report::TokenKeyResult;

use crate::cli::args::KeyListArgs;
use crate::cli::args::KeyTypeArg;
use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::render::Rows;
use crate::cli::secret;
use crate::cli::secret::GivenPassphrase;
use crate::cli::secret::PassphraseSource;

/// The private key that `uri` names. Logs in to the token.
pub(super) fn signer(uri: &str, args: &TokenArgs) -> Result<Box<dyn Signer>, Failure> {
    let uri = read(uri)?;
    let opened = token(&uri, args)?.open().map_err(to_failure)?;
    Ok(Box::new(private(opened, &uri, args)?))
}

/// The public key that `uri` names. Read without the PIN if the token allows it.
pub(super) fn public(uri: &str, args: &TokenArgs) -> Result<PublicKey, Failure> {
    let uri = read(uri)?;
    let opened = token(&uri, args)?.open().map_err(to_failure)?;
    if uri.class() != Some(Class::Private) {
        let mut seen: Vec<PublicKey> = Vec::new();
        for entry in opened.entries(&uri).map_err(to_failure)? {
            seen.extend(entry.public.filter(|key| !seen.contains(key)));
        }
        if let [one] = seen.as_slice() {
            render::note("note: read without the PIN; that the token has its private half was not looked at");
            return Ok(one.clone());
        }
    }
    Ok(private(opened, &uri, args)?.public_key().clone())
}

/// Makes a key on the token, signs with it once, and returns its public key and the rows to print.
pub(super) fn new(uri: &str, kind: KeyTypeArg, args: &TokenArgs) -> Result<(PublicKey, Rows), Failure> {
    let uri = read(uri)?;
    let token = token(&uri, args)?;
    let mut opened = token.open_to_write().map_err(to_failure)?;
    log_in(&mut opened, &uri, args)?;
    let made = opened.generate(&uri, algorithm(kind)).map_err(to_failure)?;
    let there = |mut failure: Failure| {
        failure.details.push(format!("the key was made and is on the token: {}", made.uri));
        failure
    };
    let key = opened.signer(&made.uri).map_err(|error| there(to_failure(error)))?;
    // A key that cannot sign is noticed now, not on the day of the release.
    key.sign(b"a first signature, to see that the new key makes one").map_err(|error| match error.backend() {
        Some(error) => there(to_failure(TokenError::clone(error))),
        None => there(Failure::unknown(error.to_string())),
    })?;
    let rows = vec![("token".to_owned(), token.name().label.clone()), ("uri".to_owned(), made.uri.to_string())];
    Ok((key.public_key().clone(), rows))
}

/// Lists the tokens that `uri` matches, with their keys. Private keys are listed only after a login.
pub(super) fn list(uri: &str, args: &KeyListArgs) -> Result<(Rows, Vec<TokenKeyResult>), Failure> {
    let uri = read(uri)?;
    let module = module(&uri, &args.token)?;
    let file = uri.pin_source().or(args.token.pin_file.as_deref());
    let with_pin = args.login || secret::given_pin(file)?.is_some();
    // A PIN belongs to one token. Without a PIN all matching tokens are listed.
    let tokens = match (with_pin, module.token(&uri)) {
        (false, Err(TokenError::ManyTokens { .. })) => module.matching(&uri).map_err(to_failure)?,
        (_, one) => vec![one.map_err(to_failure)?],
    };
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for token in tokens {
        let name = token.name().clone();
        let mut opened = token.open().map_err(to_failure)?;
        if with_pin {
            log_in(&mut opened, &uri, &args.token)?;
        }
        rows.push((
            format!("token {}", Foreign(&name.label)),
            format!("{} {}, serial {}", name.manufacturer, name.model, name.serial),
        ));
        for entry in opened.entries(&uri).map_err(to_failure)? {
            let id = entry.public.as_ref().map(|public| public.id().to_string());
            rows.push((format!("  {}", Foreign(&entry.label)), about(&entry, id.as_deref())));
            results.push(TokenKeyResult {
                algorithm: entry.what,
                key_id: id,
                kind: kind(entry.class),
                name: entry.label,
                serial: name.serial.clone(),
                slot: name.slot,
                token: name.label.clone(),
                uri: entry.uri.to_string(),
            });
        }
    }
    if !with_pin {
        render::note("note: not logged in, private keys are not shown; --login asks for the PIN");
    }
    Ok((rows, results))
}

fn read(uri: &str) -> Result<Uri, Failure> {
    Uri::parse(uri).map_err(|error| to_failure(TokenError::Uri(error)))
}

fn private(mut opened: TokenSession, uri: &Uri, args: &TokenArgs) -> Result<TokenKey, Failure> {
    log_in(&mut opened, uri, args)?;
    opened.signer(uri).map_err(to_failure)
}

/// Logs in with one attempt at most. If one more wrong PIN locks the token, only a PIN typed at the prompt is tried.
fn log_in(opened: &mut TokenSession, uri: &Uri, args: &TokenArgs) -> Result<(), Failure> {
    let what = format!("token `{}`", opened.token().name().label);
    let file = uri.pin_source().or(args.pin_file.as_deref());
    let (mut failed, mut source) = (None, None);
    let ask = |state: PinState| {
        let about = if state.final_try { " (the last attempt before it locks)" } else { "" };
        match secret::pin(file, &what, about) {
            Ok(given) if state.final_try && given.source != PassphraseSource::Prompt => {
                let message = format!("{what} says that one more wrong PIN locks it; the PIN was not tried");
                failed = Some(
                    Failure::unknown(message).hint("give the PIN at the prompt: without --pin-file and BULLA_PIN"),
                );
                None
            }
            Ok(GivenPassphrase { passphrase, source: from, .. }) => {
                source = Some(from);
                Some(passphrase)
            }
            Err(failure) => {
                failed = Some(failure);
                None
            }
        }
    };
    let done = opened.login(ask);
    done.map_err(|error| {
        let mut failure = failed.unwrap_or_else(|| to_failure(error));
        failure.details.extend(source.map(|source| format!("the PIN came from {source}")));
        failure
    })
}

fn token(uri: &Uri, args: &TokenArgs) -> Result<Pkcs11Token, Failure> {
    module(uri, args)?.token(uri).map_err(to_failure)
}

/// Loads the PKCS#11 module named in the URI, by the option or in the environment, in this order.
fn module(uri: &Uri, args: &TokenArgs) -> Result<Module, Failure> {
    let path = match (uri.module_path(), uri.module_name()) {
        (Some(path), _) => Some(path.to_owned()),
        (None, Some(name)) => Some(
            installed(name)
                .ok_or_else(|| module_failure(format!("there is no PKCS#11 module `{name}` in the usual places")))?,
        ),
        (None, None) => args.pkcs11_module.clone(),
    };
    let path =
        path.ok_or_else(|| module_failure("a key on a token needs the PKCS#11 module of the token".to_owned()))?;
    Module::load(&path).map_err(to_failure)
}

/// The failure for a missing module. It lists the installed modules.
fn module_failure(message: String) -> Failure {
    let mut failure = Failure::unknown(message);
    let found = KNOWN.iter().filter_map(|name| installed(name));
    failure.details = found.map(|path| format!("there is  {}", path.display())).collect();
    failure.hint("give --pkcs11-module FILE, BULLA_PKCS11_MODULE, or module-path=/FILE in the URI")
}

/// The library file of a module name. RFC 7512 section 2.4: the name has no prefix and no suffix of the system.
fn installed(name: &str) -> Option<PathBuf> {
    let files = [format!("lib{name}.so"), format!("{name}.so")];
    let paths = FOLDERS.iter().flat_map(|folder| files.iter().map(move |file| PathBuf::from(folder).join(file)));
    paths.into_iter().find(|path| path.is_file())
}

fn to_failure(error: TokenError) -> Failure {
    if let TokenError::Module { .. } = error {
        return module_failure(error.to_string());
    }
    let mut failure = Failure::unknown(error.to_string());
    match &error {
        TokenError::Exists { there, .. } | TokenError::ManyKeys { there, .. } | TokenError::NoKey { there, .. } => {
            failure.details = there.iter().take(SHOWN).map(line).collect();
            if there.len() > SHOWN {
                failure.details.push(format!("and {} more: bulla key list shows all", there.len() - SHOWN));
            }
        }
        TokenError::ManyTokens { there, .. } | TokenError::NoToken { there, .. } => {
            failure.details = there.iter().map(|name| format!("there is  {name}")).collect();
        }
        _ => (),
    }
    let hint = match error {
        TokenError::ManyKeys { .. } => "name one of them by `object` or `id`",
        TokenError::ManyTokens { .. } => "name one of them by `token` or `serial`",
        TokenError::PinEach { .. } => "sign with it in a command of its own",
        TokenError::PinLocked { .. } => "the security officer of the token can unlock it with the SO PIN",
        TokenError::Unnamed { .. } => "add object=NAME to the URI",
        TokenError::Uri(UriError::PinValue) => "give --pin-file FILE, BULLA_PIN, or pin-source=file:/PATH in the URI",
        _ => return failure,
    };
    failure.hint(hint)
}

fn line(entry: &TokenEntry) -> String {
    format!("there is  `{}`  {}, {}  {}", entry.label, kind(entry.class), entry.what, entry.uri)
}

fn about(entry: &TokenEntry, id: Option<&str>) -> String {
    let id = id.map_or_else(String::new, |id| format!(", {id}"));
    format!("{}, {}{id}", kind(entry.class), entry.what)
}

const fn kind(class: Class) -> &'static str {
    match class {
        Class::Certificate => "certificate",
        Class::Private => "private key",
        Class::Public => "public key",
        _ => "object",
    }
}

const fn algorithm(kind: KeyTypeArg) -> Algorithm {
    match kind {
        KeyTypeArg::Ed25519 => Algorithm::Ed25519,
        KeyTypeArg::P256 => Algorithm::EcdsaP256,
        KeyTypeArg::P384 => Algorithm::EcdsaP384,
        KeyTypeArg::P521 => Algorithm::EcdsaP521,
        KeyTypeArg::Rsa2048 => Algorithm::Rsa { bits: 2_048 },
        KeyTypeArg::Rsa3072 => Algorithm::Rsa { bits: 3_072 },
        KeyTypeArg::Rsa4096 => Algorithm::Rsa { bits: 4_096 },
    }
}

/// How many keys are listed in a message.
const SHOWN: usize = 12;

/// The directories in which modules are usually installed.
const FOLDERS: [&str; 12] = [
    "/usr/lib/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib/softhsm",
    "/usr/lib64/softhsm",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/lib",
];

/// Common modules, to suggest the installed ones.
const KNOWN: [&str; 7] =
    ["Cryptoki2_64", "cloudhsm_pkcs11", "opensc-pkcs11", "p11-kit-proxy", "softhsm2", "ykcs11", "yubihsm_pkcs11"];
