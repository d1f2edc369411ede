//! The command `inspect`: decodes a file or a manifest. Nothing that it shows was verified.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

use bulla::digest::Digest;
use bulla::digest::hex;
use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::InspectedSignature;
use bulla::envelope::NotaryFormat;
use bulla::envelope::check_simple_signing_form;
use bulla::envelope::predicate_limits;
use bulla::json;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::AttestationManifest;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::Document;
use bulla::oci::media_type;
use bulla::ops::inspect::InspectedLayer;
use bulla::ops::inspect::SignatureUnread;
use bulla::ops::inspect::annotated_layers_in;
use bulla::ops::inspect::layers_in;
use bulla::ops::inspect::signature_in;
use bulla::ops::other_format;
use bulla::ops::pinned;
use bulla::predicate::PredicateError;
use bulla::predicate::PredicateSummary;
use bulla::report::InspectReport;
use bulla::report::Inspected;
use bulla::report::ShownPayload;
use bulla::transparency::InspectedMaterial;

use super::args::InspectArgs;
use super::args::Output;
use super::exit::Exit;
use super::exit::Failure;
use super::files;
use super::material;
use super::notary;
use super::quantity;
use super::render;
use super::render::Rows;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores::Stores;

pub(super) fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let path = Path::new(&args.target);
    let (bytes, outside, Carried { notary, layers }) = match is_file(path) {
        true => (files::read_stream(path, limits.evidence.attestation_bytes)?, None, Carried::default()),
        false => {
            let (content, carried) = fetch(args, &limits)?;
            (content.bytes().to_vec(), Some(content.descriptor().media_type.clone()), carried)
        }
    };
    let failed = |why| Failure::unknown(format!("{}: {why}", args.target));
    let (mut rows, mut is) = describe(&bytes, outside.as_deref(), &limits).map_err(failed)?;
    if !layers.is_empty() {
        rows.extend(layers.iter().flat_map(material::layer_rows));
        is = is.with_layers(&layers);
    }
    let (rows, is, unread) = match &notary {
        Ok(None) => (rows, is, None),
        Ok(Some(signature)) => (extended(rows, notary::rows(signature)), is.with_signature(signature), None),
        Err(why) => (rows, is.with_unread_signature(why), Some(format!("the signature in it cannot be shown: {why}"))),
    };
    match args.output {
        Output::Json => render::report(&InspectReport::new(&args.target, Digest::sha256(&bytes), is)),
        Output::Text => render::table(&rows),
    }
    let unread = unread.or_else(|| {
        let mut unread = layers.iter().filter_map(|layer| layer.material.as_ref().err());
        let why = unread.find(|why| why.is_undetermined())?;
        Some(format!("a signature in it cannot be shown: {why}"))
    });
    match unread {
        None => Ok(Exit::Yes),
        Some(why) => Err(failed(why)),
    }
}

fn extended(mut rows: Rows, more: Rows) -> Rows {
    rows.extend(more);
    rows
}

/// Whether the path exists and is not a directory. A pipe is read; reading a device fails with a message that says so.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_dir())
}

/// The signatures that a manifest carries.
struct Carried {
    /// Those in formats of Sigstore.
    layers: Vec<InspectedLayer>,
    notary: Result<Option<InspectedSignature>, SignatureUnread>,
}

impl Default for Carried {
    fn default() -> Self {
        Self { layers: Vec::new(), notary: Ok(None) }
    }
}

/// The manifest, and the signatures that it carries.
fn fetch(args: &InspectArgs, limits: &Limits) -> Result<(Content, Carried), Failure> {
    let looks_like_a_file = |failure: Failure| match failure.hint {
        _ if Path::new(&args.target).is_dir() => failure.hint(format!("bulla inspect oci:{}", args.target)),
        None => failure.hint("no file has this name, so it was read as a reference"),
        Some(_) => failure,
    };
    let stores = Stores::new(&args.registry, [&args.target]).map_err(looks_like_a_file)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, tag_or_digest) = stores.source(&args.target)?;
    runtime.block_on(async {
        let content = pinned::resolve(source.as_ref(), &tag_or_digest).await?;
        let carried = match Document::parse(&content, limits) {
            Ok(manifest) => {
                let notary = signature_in(source.as_ref(), &manifest, limits).await;
                Carried { layers: layers_in(source.as_ref(), &manifest, limits).await, notary }
            }
            // The description says why.
            Err(_) => Carried::default(),
        };
        Ok((content, carried))
    })
}

/// Describes the bytes: rows for people, and the same as JSON. Nothing was verified, and the rows say so.
///
/// # Errors
/// Why the bytes do not parse as the document that they seem to be.
fn describe(bytes: &[u8], outside: Option<&str>, limits: &Limits) -> Result<(Rows, Inspected), String> {
    let other = |what: &str| Err(format!("{what}, which bulla does not read"));
    if let Some(what) = other_format::of_bytes(bytes) {
        return other(what);
    }
    if outside.is_none() && NotaryFormat::begins_cose(bytes) {
        return notary_signature(NotaryFormat::Cose, bytes, limits);
    }
    let mut why = None;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limits.key.file_bytes) {
        match PublicKey::parse(bytes) {
            Ok(key) => return Ok(public_key(&key)),
            Err(error) => why = is_pem(bytes).then(|| error.to_string()),
        }
        if let Some(form) = PrivateKey::form(bytes) {
            let rows = vec![row("is", "a private key file"), row("form", &form), row("more", "bulla key show FILE")];
            return Ok((rows, Inspected::private_key(form)));
        }
    }
    if let Some(why) = why {
        return Err(why);
    }
    match guess_type(bytes, outside, limits)? {
        DocumentType::Bundle => {
            let parsed = Bundle::parse(bytes, limits);
            parsed.map_err(|error| error.to_string()).and_then(|bundle| self::bundle(&bundle, limits))
        }
        DocumentType::SimpleSigningPayload => simple_signing_payload(bytes, limits),
        DocumentType::Envelope => {
            let parsed = Envelope::parse(bytes, limits).map_err(|error| error.to_string())?;
            envelope("a DSSE envelope", &parsed, limits)
        }
        DocumentType::Jws => notary_signature(NotaryFormat::Jws, bytes, limits),
        DocumentType::Manifest => manifest(bytes, outside, limits),
    }
}

/// The type of a JSON document, guessed from its top-level fields.
enum DocumentType {
    Bundle,
    Envelope,
    Jws,
    Manifest,
    SimpleSigningPayload,
}

fn guess_type(bytes: &[u8], outside: Option<&str>, limits: &Limits) -> Result<DocumentType, String> {
    let why = match bytes.trim_ascii_start() {
        [] => Some(": it is empty"),
        [b'{' | b'[', ..] => None,
        [0xef, 0xbb, 0xbf, ..] => Some(": it begins with a byte order mark"),
        _ => Some(""),
    };
    if let Some(why) = why {
        return Err(format!("{UNKNOWN}{why}"));
    }
    let fields: BTreeMap<String, IgnoredAny> =
        json::parse_document(bytes, limits).map_err(|error| format!("{UNKNOWN}: {error}"))?;
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    let all = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    if let Some(what) = other_format::of_fields(|name| fields.contains_key(name)) {
        return Err(format!("{what}, which bulla does not read"));
    }
    match () {
        () if outside.is_some() => Ok(DocumentType::Manifest),
        () if has(&["verificationMaterial", "dsseEnvelope", "messageSignature"]) => Ok(DocumentType::Bundle),
        () if all(&["payload", "protected", "signature"]) => Ok(DocumentType::Jws),
        () if has(&["payloadType"]) || has(&["payload"]) && has(&["signatures"]) => Ok(DocumentType::Envelope),
        () if has(&["critical"]) => Ok(DocumentType::SimpleSigningPayload),
        () if has(&["mediaType", "schemaVersion", "manifests", "layers", "config"]) => Ok(DocumentType::Manifest),
        () => Err(format!("{UNKNOWN}: JSON without the fields of any of these")),
    }
}

/// Describes a simple signing payload. Its signature is in an annotation of the layer.
fn simple_signing_payload(bytes: &[u8], limits: &Limits) -> Result<(Rows, Inspected), String> {
    let payload: Value = json::parse(bytes, limits).map_err(|error| error.to_string())?;
    let text = |pointer: &str| {
        let text = payload.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("not a simple signing payload: it has no {}", pointer.trim_start_matches('/')))
    };
    let mut rows = vec![
        row("is", "a simple signing payload (nothing in it was verified)"),
        row("digest", text("/critical/image/docker-manifest-digest")?),
        row("reference", text("/critical/identity/docker-reference")?),
    ];
    check_simple_signing_form(bytes, limits).map_err(|error| error.to_string())?;
    let optional = payload.get("optional").and_then(Value::as_object).into_iter().flatten();
    rows.extend(optional.map(|(key, value)| row("annotation", &format!("{key}={value}"))));
    Ok((rows, Inspected::simple_signing_payload(payload)))
}

fn notary_signature(format: NotaryFormat, bytes: &[u8], limits: &Limits) -> Result<(Rows, Inspected), String> {
    let signature = InspectedSignature::parse(format, bytes, limits);
    let signature = signature.map_err(|error| format!("{}: {error}", notary::name(format)))?;
    Ok((notary::rows(&signature), Inspected::notary_signature(&signature)))
}

fn public_key(key: &PublicKey) -> (Rows, Inspected) {
    let rows = vec![
        row("is", "a public key"),
        row("algorithm", &key.algorithm().to_string()),
        row("key id", &key.id().to_string()),
        row("in base64", &key.id().hint()),
    ];
    (rows, Inspected::public_key(key))
}

fn bundle(bundle: &Bundle, limits: &Limits) -> Result<(Rows, Inspected), String> {
    let what = "a Sigstore bundle (nothing in it was verified)";
    let (mut rows, envelope) = envelope(what, bundle.envelope(), limits)?;
    let verification_material = bundle.verification_material();
    rows.push(row("version", &format!("{:?}", bundle.version())));
    let hint = verification_material.key_hint.clone().unwrap_or_default();
    rows.push(row("key hint", &hint));
    let certificates: Vec<_> = verification_material.certificates.iter().map(|der| certificate(der)).collect();
    rows.push(row("log entries", &verification_material.log_entries.len().to_string()));
    rows.push(row("timestamps", &verification_material.timestamps.len().to_string()));
    let inspected = InspectedMaterial::of(verification_material, limits);
    rows.extend(material::material_rows(&inspected));
    Ok((rows, Inspected::bundle(envelope, bundle, certificates, &inspected)))
}

/// Subject, alternative names, issuer and validity of a certificate, as it claims them.
fn certificate(der: &[u8]) -> String {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return "not readable".to_owned() };
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let names = names.unwrap_or_default().join(", ");
    let validity = certificate.validity();
    let (from, to) = (validity.not_before, validity.not_after);
    format!("{} {names} issued by {}, from {from} to {to}", certificate.subject(), certificate.issuer())
}

/// The fields of an in-toto statement that are shown. The predicate stays raw JSON: it may nest deeply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShownStatement<'a> {
    #[serde(default)]
    predicate_type: String,
    #[serde(borrow, default)]
    subject: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

fn envelope(what: &str, envelope: &Envelope, limits: &Limits) -> Result<(Rows, Inspected), String> {
    let payload = envelope.unverified_payload();
    let mut rows = vec![row("is", what), row("payload type", envelope.claimed_type())];
    let mut summarized = None;
    let shown: Result<ShownStatement<'_>, _> = json::parse(payload, &predicate_limits(payload, limits));
    let payload = match shown {
        Err(why) if why.is_limit() => return Err(format!("its payload cannot be read: {why}")),
        Err(why) => {
            rows.push(row("payload", &format!("not shown: {why}")));
            ShownPayload::NotShown
        }
        Ok(shown) => {
            rows.push(row("predicate type", &shown.predicate_type));
            rows.extend(shown.subject.iter().map(|subject| row("subject", subject.get())));
            match summary(&shown, limits) {
                None => {}
                Some(Ok(read)) => {
                    rows.extend(read.facts().map(|(name, value)| row(name, value)));
                    summarized = Some(read);
                }
                Some(Err(why)) => rows.push(row("summary", &format!("not a document of its type: {why}"))),
            }
            rows.extend(shown.predicate.map(|predicate| row("predicate", predicate.get())));
            // JSON that nests too deeply for other parsers is reported as text.
            match serde_json::from_slice::<Value>(payload) {
                Ok(payload) => ShownPayload::Json(payload),
                Err(_) => ShownPayload::Text(String::from_utf8_lossy(payload).into_owned()),
            }
        }
    };
    Ok((rows, Inspected::envelope(envelope.claimed_type(), payload).with_summary(summarized.as_ref())))
}

/// A summary of the predicate of a statement; `None` for a statement without a predicate.
fn summary(statement: &ShownStatement<'_>, limits: &Limits) -> Option<Result<PredicateSummary, PredicateError>> {
    let predicate = statement.predicate?;
    Some(PredicateSummary::read(&statement.predicate_type, predicate.get().as_bytes(), limits))
}

fn manifest(bytes: &[u8], outside: Option<&str>, limits: &Limits) -> Result<(Rows, Inspected), String> {
    let inside: Value = json::parse(bytes, limits).map_err(|error| error.to_string())?;
    let claimed = inside.get("mediaType").and_then(Value::as_str);
    let guessed = if inside.get("manifests").is_some() { media_type::OCI_INDEX } else { media_type::OCI_MANIFEST };
    let kind = &outside.or(claimed).unwrap_or(guessed).to_owned();
    let content = Content::from_bytes(kind, bytes.to_vec());
    let document = Document::parse(&content, limits).map_err(|error| error.to_string())?;
    let mut rows = vec![row("digest", &content.digest().to_string()), row("media type", kind)];
    rows.extend(document.artifact_type().map(|kind| row("artifact type", kind)));
    rows.extend(document.subject().map(|subject| row("refers to", &subject.digest.to_string())));
    rows.extend(document.annotations().iter().map(|(key, value)| row("annotation", &format!("{key}={value}"))));
    match &document {
        Document::Artifact(artifact) => rows.extend(artifact.blobs.iter().map(|blob| row("blob", &line(blob)))),
        Document::Index(index) => rows.extend(
            index
                .manifests
                .iter()
                .map(|child| row("manifest", &format!("{}{}", line(child), attested(child, &index.manifests)))),
        ),
        Document::Manifest(manifest) => {
            rows.push(row("config", &line(&manifest.config)));
            rows.extend(manifest.layers.iter().map(|layer| row("layer", &line(layer))));
        }
        _ => {}
    }
    let is = Inspected::manifest(&document, kind, inside);
    // The caller adds those of a manifest in a store, with the bundles there.
    let layers = if outside.is_none() { annotated_layers_in(&document, limits) } else { Vec::new() };
    rows.extend(layers.iter().flat_map(material::layer_rows));
    Ok((rows, is.with_layers(&layers)))
}

/// That an entry of an index says that it holds statements of BuildKit about another entry.
fn attested(entry: &Descriptor, entries: &[Descriptor]) -> String {
    let Some(about) = AttestationManifest::sibling(entry, entries) else { return String::new() };
    let platform = entries.iter().find(|one| one.digest == about).and_then(|one| one.platform.as_ref());
    let platform = platform.map_or_else(|| about.to_string(), ToString::to_string);
    format!("  attestations of {platform}")
}

fn line(descriptor: &Descriptor) -> String {
    let platform = descriptor.platform.as_ref().map_or_else(String::new, |platform| format!("{platform}  "));
    let size = quantity::amount(descriptor.size);
    let data = match &descriptor.data {
        Some(data) if Digest::sha256(data) == descriptor.digest => "  inlined".to_owned(),
        Some(data) => format!("  inlined, WRONG: {}", hex(Digest::sha256(data).as_bytes())),
        None => String::new(),
    };
    format!("{platform}{}  {}  {size}{data}", descriptor.digest, descriptor.media_type)
}

fn row(label: &str, value: &str) -> (String, String) {
    (label.to_owned(), value.to_owned())
}

/// Whether the bytes are PEM. Then the parser's error message is the most helpful one.
fn is_pem(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"-----BEGIN "))
}

const UNKNOWN: &str = "not a manifest, bundle, envelope or key that bulla reads";
