//! The rows of a Notary Project signature in `inspect`. Nothing in it was verified, and the first row says so.

use bulla::digest::hex;
use bulla::envelope::ExtendedAttribute;
use bulla::envelope::ExtendedValue;
use bulla::envelope::InspectedSignature;
use bulla::envelope::NotaryFormat;
use bulla::envelope::SigningScheme;
use bulla::envelope::Thumbprints;
use bulla::x509::Certificate;
use bulla::x509::TimestampToken;
use serde_json::Value;

use super::line::Foreign;
use super::render::Rows;

/// What a format is called.
pub(super) const fn name(format: NotaryFormat) -> &'static str {
    match format {
        NotaryFormat::Cose => "a Notary Project signature in COSE",
        NotaryFormat::Jws => "a Notary Project signature in JWS",
        _ => "a Notary Project signature",
    }
}

/// The rows.
pub(super) fn rows(signature: &InspectedSignature) -> Rows {
    let envelope = &signature.envelope;
    let attributes = envelope.unverified_attributes();
    let claimed = match attributes.scheme() {
        SigningScheme::X509SigningAuthority => "as its signing authority claims",
        _ => "as the signer claims",
    };
    let expiry = attributes.expiry().map_or_else(|| "none".to_owned(), |time| time.to_string());
    let mut rows = vec![
        row("is", format!("{} (nothing in it was verified)", name(envelope.format()))),
        row("algorithm", envelope.claimed_algorithm()),
        row("scheme", attributes.scheme()),
        row("signing time", format!("{}, {claimed}", attributes.signing_time())),
        row("expiry", expiry),
    ];
    match &signature.payload {
        Ok(payload) => rows.extend(payload_rows(payload)),
        Err(why) => rows.push(row("payload", format!("not readable: {why}"))),
    }
    if let Some(plugin) = attributes.verification_plugin() {
        rows.push(row("plugin", format!("{plugin} (verification by a plugin is not supported)")));
    }
    rows.extend(attributes.extended().iter().map(attribute_row));
    if let Some(agent) = envelope.signing_agent() {
        rows.push(row("signing agent", format!("{} (not signed)", Foreign(agent))));
    }
    rows.extend(signature.certificates.iter().map(|certificate| match certificate {
        Ok(certificate) => row("certificate", certificate_text(certificate)),
        Err(why) => row("certificate", format!("not readable: {why}")),
    }));
    rows.push(row(
        "timestamp",
        match &signature.timestamp {
            None => "none".to_owned(),
            Some(Ok(token)) => token_text(token),
            Some(Err(why)) => format!("not readable: {why}"),
        },
    ));
    if let Some(thumbprints) = signature.thumbprints {
        rows.push(row(
            "thumbprints",
            match thumbprints {
                Thumbprints::Match => "those of these certificates",
                _ => "NOT those of these certificates",
            },
        ));
    }
    if let Some(why) = &signature.strict_error {
        rows.push(row("reader", format!("as-notation; the strict reader refuses it: {why} [{}]", why.code())));
    }
    rows
}

/// The artifact that is signed and the user metadata.
fn payload_rows(payload: &Value) -> Rows {
    let target = |field: &str| payload.pointer(&format!("/targetArtifact/{field}"));
    let text = |field: &str| Foreign(target(field).and_then(Value::as_str).unwrap_or_default().to_owned());
    let size = target("size").and_then(Value::as_u64).unwrap_or_default();
    let signs = format!("{}  {}  {size} bytes", text("digest"), text("mediaType"));
    let metadata = target("annotations").and_then(Value::as_object).into_iter().flatten();
    let metadata = metadata.map(|(key, value)| {
        row("user metadata", format!("{}={}", Foreign(key), Foreign(value.as_str().unwrap_or_default())))
    });
    [row("signs", signs)].into_iter().chain(metadata).collect()
}

fn attribute_row(attribute: &ExtendedAttribute) -> (String, String) {
    let value = match &attribute.value {
        ExtendedValue::Encoded(bytes) => format!("0x{}", hex(bytes)),
        ExtendedValue::Text(text) => Foreign(text).to_string(),
    };
    let label = if attribute.critical { "critical" } else { "attribute" };
    let refused = if attribute.critical { " (not known: verification refuses it)" } else { "" };
    row(label, format!("{}={value}{refused}", attribute.name))
}

fn certificate_text(certificate: &Certificate) -> String {
    let names = certificate.extensions().alternative_names();
    let names: Vec<_> = names.iter().map(|name| Foreign(name).to_string()).collect();
    let names = if names.is_empty() { String::new() } else { format!(" with the names {}", names.join(", ")) };
    format!(
        "`{}`{names} issued by `{}`, serial {}, from {} to {}, SHA-256 {}",
        Foreign(certificate.subject()),
        Foreign(certificate.issuer()),
        certificate.serial(),
        certificate.not_before(),
        certificate.not_after(),
        certificate.digest().hex()
    )
}

pub(super) fn token_text(token: &TimestampToken) -> String {
    let time = token.gen_time();
    let authority = token.claimed_signer().map_or_else(
        || "an authority whose certificate is not in it".to_owned(),
        |certificate| format!("`{}`", Foreign(certificate.subject())),
    );
    let (earliest, latest) = (time.earliest(), time.latest());
    format!("{}, between {earliest} and {latest}, policy {}, by {authority}", time.time(), token.policy())
}

fn row(label: &str, value: impl ToString) -> (String, String) {
    (label.to_owned(), value.to_string())
}
